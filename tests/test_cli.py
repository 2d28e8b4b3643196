"""The command line: results, JSON, exit codes, and that a wrong input leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import takens
from takens.cli import main
from takens.cli.quantities import in_clock, settings
from takens.errors import SettingError

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
ELNINO = str(EXAMPLES / "elnino.csv")
FAST = ["--models", "persistence,climatology,seasonal_naive", "-q"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def short(tmp_path: Path) -> str:
    """A noisy cycle of 12 hours, 300 hourly rows, two channels."""
    t = np.arange(300)
    noise = np.random.default_rng(0).normal(size=(300, 2))
    values = np.sin(2 * np.pi * t / 12)[:, None] * [1.0, 2.0] + 0.2 * noise
    stamps = np.datetime64("2024-01-01T00") + t
    rows = [f"{stamp}:00,{a:.4f},{b:.4f}" for stamp, (a, b) in zip(stamps, values, strict=True)]
    (tmp_path / "short.csv").write_text("time,a [m],b\n" + "\n".join(rows) + "\n")
    return "short.csv"


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def as_json(*words: str, capsys: pytest.CaptureFixture[str]) -> Any:
    code, out, err = run(*words, "--json", capsys=capsys)
    assert code == 0, err
    return json.loads(out)


# What each command gives


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version", capsys=capsys)[:2] == (0, f"takens {takens.__version__}\n")
    code, out, _ = run("--help", capsys=capsys)
    assert code == 0
    for name in ("study", "info", "measure", "verdict", "fit", "forecast", "generate", "models"):
        assert name in out
        assert "takens " + name in run(name, "--help", capsys=capsys)[1]


def test_info_says_what_is_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("info", ELNINO, capsys=capsys)
    assert found["rows"] == 732
    code, out, err = run("info", ELNINO, capsys=capsys)
    assert (code, err) == (0, "")
    assert "732" in out
    assert "sst" in out


def test_info_resamples_only_by_a_named_method(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run("info", short, "--resample", "2h", capsys=capsys)
    assert code == 2
    assert "--resample-method" in err
    assert as_json("info", short, "--resample", "2h", "--resample-method", "mean", capsys=capsys)["rows"] == 150


def test_measure_gives_the_same_numbers_as_python(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("measure", short, "--only", "permutation_entropy", "--channels", "a", "-q", capsys=capsys)
    assert list(found) == ["permutation_entropy"]
    series = takens.open(short).select("a")
    assert found["permutation_entropy"]["value"] == pytest.approx(takens.permutation_entropy(series).value)
    both = as_json("measure", short, "--only", "permutation_entropy", "-q", capsys=capsys)
    assert set(both) == {"permutation_entropy[a]", "permutation_entropy[b]"}


def test_measure_lists_its_measures_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("measure", "--list", capsys=capsys)
    assert code == 0
    named = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert sorted(named) == sorted([*takens.measures.REGISTRY, *takens.measures.RELATIONS])
    families = [line for line in out.splitlines() if not line.startswith("  ")]
    assert len(families) == len(set(families))
    assert "causality:" in families


def test_verdict_of_a_noisy_cycle_is_not_chaos(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("verdict", short, "--channels", "a", "-q", capsys=capsys)
    assert found["classes"]
    assert "chaotic" not in found["classes"]


def test_models_marks_the_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    found = {one["name"]: one for one in as_json("models", capsys=capsys)}
    assert list(found) == list(takens.models.MODELS)
    assert found["persistence"]["baseline"]
    assert not found["nvar"]["baseline"]
    assert all(one["about"] for one in found.values())


def test_fit_forecast_generate(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    fitted = as_json("fit", short, "--model", "seasonal_naive", "--set", "period=12", "--out", "l.law", capsys=capsys)
    assert fitted["settings"]["period"] == 12
    assert fitted["channels"] == ["a", "b"]
    ahead = as_json("forecast", "l.law", "--horizon", "1d", "--seed", "3", capsys=capsys)
    assert ahead["time"][0].startswith("2024-01-13T12:00")
    assert len(ahead["channels"]["a"]["mean"]) == 24
    expected = takens.models.SeasonalNaive(period=12).fit(takens.open(short)).forecast(24, seed=3)
    assert ahead["channels"]["b"]["mean"] == pytest.approx(list(expected.mean[:, 1]))
    direct = as_json(
        "forecast", short, "--model", "seasonal_naive", "--set", "period=12", "--horizon", "24", "--seed", "3",
        capsys=capsys,
    )  # fmt: skip
    assert direct == ahead
    code, out, _ = run("generate", "l.law", "--length", "30", capsys=capsys)
    assert code == 0
    assert out.splitlines()[0] == "time,a,b"
    assert len(out.splitlines()) == 31
    assert run("generate", "l.law", "--length", "30", "--out", "g.csv", capsys=capsys)[0] == 0
    made = takens.open("g.csv")
    assert made.units == ("m", "")
    assert np.array_equal(made.values, takens.load("l.law").generate(30).values)


@pytest.mark.parametrize("name", ["f.csv", "f.nc"])
def test_forecast_files_hold_the_forecast(name: str, short: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("forecast", short, "--model", "persistence", "--horizon", "5", "--out", name)
    assert run(*words, capsys=capsys)[0] == 0
    expected = takens.models.Persistence().fit(takens.open(short)).forecast(5)
    if name.endswith("csv"):
        import pandas as pd

        table = pd.read_csv(name)
        assert table["a mean"].to_numpy() == pytest.approx(expected.mean[:, 0])
    else:
        import xarray as xr

        with xr.open_dataset(name) as data:
            assert np.array_equal(data["a"].transpose("member", "time").to_numpy(), expected.samples[:, :, 0])


def test_forecast_continues_new_data(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("fit", short, "--model", "persistence", "--out", "l.law", capsys=capsys)
    takens.open(short).rows(0, 100).save("early.csv")
    ahead = as_json("forecast", "l.law", "--history", "early.csv", "--horizon", "2", capsys=capsys)
    assert ahead["time"][0].startswith("2024-01-05T04:00")


def test_study_writes_a_report_and_says_the_findings(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("study", short, "--horizon", "12h", "--out", "r", *FAST, capsys=capsys)
    assert (code, err) == (0, "")
    assert {"report.html", "report.json", "forecast.csv", "forecast.nc", "law"} <= {p.name for p in Path("r").iterdir()}
    assert out.splitlines()[-1] == "Report: r/report.html"
    assert 5 <= len(out.splitlines()) <= 30
    assert len(takens.load("r/law").forecast(12).times) == 12
    assert "takens study short.csv --horizon 12h --out r" in Path("r/report.html").read_text()
    found = as_json("study", short, "--horizon", "12", "--out", "r", *FAST, capsys=capsys)
    assert found["horizon"] == 12
    assert found["chosen"] in ("persistence", "climatology", "seasonal_naive")
    assert found["findings"]


def test_progress_goes_to_standard_error(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("study", short, "--horizon", "12", "--out", "r", "--json", *FAST[:-1], capsys=capsys)
    assert code == 0
    json.loads(out)
    assert "model climatology" in err


# What goes wrong


def refused(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a command that must exit with 2, without traceback, and leave no new file."""
    before = sorted(Path().rglob("*"))
    code, out, err = run(*words, capsys=capsys)
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert sorted(Path().rglob("*")) == before
    return err


@pytest.mark.parametrize("command", ["study", "info", "measure", "verdict"])
def test_a_missing_file(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing.csv" in refused(command, "nothing.csv", capsys=capsys)


def test_a_missing_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing.law" in refused("generate", "nothing.law", capsys=capsys)
    assert "nothing.law" in refused("forecast", "nothing.law", "--horizon", "3", capsys=capsys)


def test_a_horizon_longer_than_the_data(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "horizon" in refused("study", short, "--horizon", "1000", *FAST, capsys=capsys)


def test_an_unknown_channel(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused("study", short, "--channels", "a,nope", *FAST, capsys=capsys)
    assert "nope" in said
    assert "b" in said


def test_an_unknown_model(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("study", short, "--models", "magic"), ("fit", short, "--model", "magic", "--out", "x.law")):
        said = refused(*words, "-q", capsys=capsys)
        assert "magic" in said
        assert "persistence" in said


def test_an_unknown_setting_or_measure(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("fit", short, "--model", "nvar", "--out", "x.law", "--set")
    assert "colour" in refused(*words, "colour=3", capsys=capsys)
    assert "name=value" in refused(*words, "delays", capsys=capsys)
    assert "magic" in refused("measure", short, "--only", "magic", "-q", capsys=capsys)


@pytest.mark.parametrize(
    "words",
    [("--horizon", "soon"), ("--horizon", "0"), ("--budget", "long"), ("--budget", "0"), ("--horizon", "2 fortnights")],
)
def test_times_that_are_none(words: tuple[str, str], short: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words[0].lstrip("-") in refused("study", short, *words, *FAST, capsys=capsys)


def test_an_output_folder_that_cannot_be_written(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("occupied").write_text("a file")
    for out in ("occupied", "occupied/inside"):
        assert "occupied" in refused("study", short, "--out", out, *FAST, capsys=capsys)
    assert "occupied" in refused("fit", short, "--model", "persistence", "--out", "occupied", capsys=capsys)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("do not touch")
    refused("fit", short, "--model", "persistence", "--out", "mine", capsys=capsys)
    words = ("forecast", short, "--model", "persistence", "--horizon", "3", "--out")
    refused(*words, "occupied/f.csv", capsys=capsys)
    assert ".csv or .nc" in refused(*words, "f.xyz", capsys=capsys)


def test_a_full_disk(short: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    words = ("--model", "persistence", "--horizon", "3", "--out", "f.csv")
    assert "No space left" in refused("forecast", short, *words, capsys=capsys)
    assert "No space left" in refused("fit", short, "--model", "persistence", "--out", "x.law", capsys=capsys)
    code, _, err = run("study", short, "--horizon", "12", "--out", "r", *FAST, capsys=capsys)
    assert code == 2
    assert "No space left" in err
    assert not [p for p in Path("r").rglob("*") if p.is_file()]


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("info", "nothing.csv", "--json", capsys=capsys)
    assert code == 2
    assert set(json.loads(out)["error"]) == {"cause", "place", "remedy"}
    code, out, _ = run("study", "x.csv", "--seed", "-1", "--json", capsys=capsys)
    assert code == 2
    assert "--seed" in json.loads(out)["error"]["place"]


def test_a_bug_of_ours_says_so(short: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise IndexError("index 7 is out of bounds")

    monkeypatch.setattr("takens.io.reading.open_data", broken)
    code, _, err = run("info", short, capsys=capsys)
    assert code == 1
    assert "bug in takens" in err
    assert "index 7" in err
    assert "Traceback" not in err
    assert "Traceback" in run("info", short, "-v", capsys=capsys)[2]


# Ctrl-C


def test_an_interrupted_study_keeps_what_is_finished(
    short: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from takens.models import Climatology, Persistence, SeasonalNaive

    fits: list[str] = []
    stop = True

    def watch(kind: Any) -> None:
        learn = kind.learn

        def learned(self: Any, training: Any, seed: int) -> Any:
            fits.append(kind.__name__)
            if stop and kind is SeasonalNaive:
                raise KeyboardInterrupt
            return learn(self, training, seed)

        monkeypatch.setattr(kind, "learn", learned)

    for kind in (Persistence, Climatology, SeasonalNaive):
        watch(kind)
    words = ("study", short, "--horizon", "12", "--out", "r", *FAST)
    code, out, err = run(*words, capsys=capsys)
    assert (code, out) == (130, "")
    assert "2 finished models are kept" in err
    assert "again" in err
    assert not Path("r/report.html").exists()
    stop = False
    fits.clear()
    assert run(*words, capsys=capsys)[0] == 0
    assert fits.count("SeasonalNaive") >= 1
    # A kept model is not compared again; its forecasts are made again only to be mixed with others, two fits, and a law
    # of all data if it has a part in the final one.
    for kind in ("Persistence", "Climatology"):
        assert fits.count(kind) <= 3


def test_ctrl_c_before_anything_is_finished(
    short: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("takens.io.reading.open_data", stop)
    for command in ("study", "info"):
        code, out, err = run(command, short, capsys=capsys)
        assert (code, out) == (130, "")
        assert "nothing was" in err
    assert not list(Path().glob("takens-report*"))


@pytest.mark.parametrize(("sent", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_ctrl_c(short: str, sent: signal.Signals, expected: int) -> None:
    """A signal sent to a real process, after its first model."""
    words = [sys.executable, "-m", "takens", "study", short, "--horizon", "12", "--out", "r"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if process.poll() is not None or list(Path("r").glob("work/*.json")):
                break
            time.sleep(0.1)
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert process.returncode == expected, err
    assert out == ""
    assert "kept in" in err
    assert "Traceback" not in err


def test_a_closed_pipe_is_quiet(short: str) -> None:
    command = f"{sys.executable} -m takens generate l.law --length 20000 | head -1"
    takens.models.Persistence().fit(takens.open(short)).save("l.law")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "time,a,b\n"
    assert done.stderr == ""


# Small parts


def test_settings_are_json_or_text() -> None:
    assert settings(["delays=3", "ridge=1e-6", "kind=fast", "lags=[1, 2]", "on=true", "period=null"]) == {
        "delays": 3, "ridge": 1e-6, "kind": "fast", "lags": (1, 2), "on": True, "period": None,
    }  # fmt: skip


def test_lengths_of_time_on_a_clock() -> None:
    from takens.clock import Clock
    from takens.series import Series

    def clock(unit: str) -> Series:
        return Series(np.arange(3.0), np.zeros(3), clock=Clock(unit))

    assert in_clock("90min", clock("h"), "--resample") == pytest.approx(1.5)
    assert in_clock("2", clock("h"), "--resample") == 2
    assert in_clock("1y", clock("month"), "--resample") == 12
    for unit in ("step", "month"):
        with pytest.raises(SettingError, match="--resample"):
            in_clock("3h", clock(unit), "--resample")
