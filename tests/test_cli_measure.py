"""`takens measure`: relations of channels, moving windows, figures; the same numbers as in Python."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import takens
from takens.cli import main


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A noisy cycle of 12 hours, 300 hourly rows, two channels."""
    monkeypatch.chdir(tmp_path)
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


def refused(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    code, out, err = run(*words, capsys=capsys)
    assert (code, out) == (2, "")
    return err


def test_measure_relates_channels(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("measure", short, "--relations", "--only", "cross_correlation", "-q", capsys=capsys)
    expected = takens.cross_correlation(takens.open(short).select("a", "b"))
    assert found["cross_correlation[a ~ b]"]["value"] == pytest.approx(expected.value)
    assert found["cross_correlation[a ~ b]"]["p_value"] == pytest.approx(expected.details["p_value"])
    code, out, _ = run("measure", short, "--relations", "--only", "cross_correlation", "-q", capsys=capsys)
    assert code == 0
    assert ", p = " in out


def test_measure_moves_windows_along(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ("measure", short, "--only", "autocorrelation", "--window", "4d", "--step", "2d", "-q")
    found = as_json(*wanted, capsys=capsys)
    series = takens.open(short)
    table = takens.measure_windows(series, 96, 48, only="autocorrelation")
    assert found["measures"]["autocorrelation[b]"]["value"] == pytest.approx(list(table.value[0, 1]), nan_ok=True)
    assert len(found["start"]) == len(table.start)
    assert found["start"][0].startswith("2024-01-01")
    code, out, _ = run(*wanted, capsys=capsys)
    assert code == 0
    assert out.count(" to 2024-") == 2 * len(table.start)
    assert "--step" in refused("measure", short, "--step", "2d", capsys=capsys)
    assert "--only" in refused("measure", short, "--window", "4d", capsys=capsys)


def test_measure_draws_a_figure_for_what_has_one(short: str, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "figures"
    code, _, err = run("measure", short, "--only", "dominant_periods,svd_entropy", "--plot", str(place), capsys=capsys)
    assert code == 0
    assert {path.name for path in place.iterdir()} == {"dominant_periods-a.svg", "dominant_periods-b.svg"}
    assert all(path.read_text().startswith("<svg") for path in place.iterdir())
    assert "Written" in err
    run("measure", short, "--relations", "--only", "cross_correlation", "--plot", str(place), "-q", capsys=capsys)
    assert (place / "cross_correlation.svg").exists()


AUTO = ("--only", "autocorrelation")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "nosuch"), "no measure 'nosuch'"),
        (("--only", "cross_correlation"), "no measure 'cross_correlation'"),
        (("--relations", "--only", "autocorrelation"), "no relation 'autocorrelation'"),
        (("--only", ""), "--only: no name is given"),
        (("--only", " , "), "--only: no name is given"),
        (("--relations", "--only", ""), "--only: no name is given"),
        (("--only", "", "--window", "4d"), "--only: no name is given"),
        (("--only", "nosuch", "--window", "4d"), "no measure 'nosuch'"),
        ((*AUTO, "--relations", "--window", "4d"), "windows need --only with names of measures"),
        ((*AUTO, "--window", "900d"), "do not fit a series of 300 rows"),
        ((*AUTO, "--window", "1e300"), "window of 1e+300 rows"),
        ((*AUTO, "--window", "0"), "window of 0 rows"),
        ((*AUTO, "--window", "-3"), "window of -3 rows"),
        ((*AUTO, "--window", "nan"), "window of nan rows"),
        ((*AUTO, "--window", "inf"), "window of inf rows"),
        ((*AUTO, "--window", "fortnight"), "'fortnight' is not a duration"),
        ((*AUTO, "--window", ""), "--window: '' is not a duration"),
        ((*AUTO, "--window", "4d", "--step", "0"), "step of 0 do not fit"),
        ((*AUTO, "--window", "4d", "--step", "0.2h"), "step of 0.2 do not fit"),
        ((*AUTO, "--window", "4d", "--step", "nan"), "step of nan do not fit"),
        ((*AUTO, "--window", "4d", "--step", "-1d"), "--step: '-1d' is not a duration"),
        ((*AUTO, "--plot", "short.csv"), "this is a file, not a folder"),
        ((*AUTO, "--plot", "short.csv/deep/er"), "this is a file, not a folder"),
        ((*AUTO, "--plot", "new", "--out", "."), "this is a folder, not a file"),
        ((*AUTO, "--plot", "new", "--out", "nowhere/a.json"), "there is no such folder"),
    ],
)
def test_bad_questions_are_answered_and_nothing_is_written(short, options, said, tmp_path, capsys) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    error = refused("measure", short, *options, "-q", capsys=capsys)
    assert said in error
    assert "Traceback" not in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_bad_files_are_told(short: str, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    assert "this is a folder" in refused("measure", "folder", *AUTO, "--plot", "new", capsys=capsys)
    assert "no such file" in refused("measure", "missing.csv", "--relations", "--plot", "new", capsys=capsys)
    (tmp_path / "one.csv").write_text("a\n" + "\n".join(map(str, np.arange(300.0) % 7)) + "\n")
    assert "needs two channels" in refused("measure", "one.csv", "--relations", "--plot", "new", capsys=capsys)
    code, out, _ = run("measure", "folder", *AUTO, "--json", capsys=capsys)
    assert (code, "cause" in json.loads(out)["error"]) == (2, True)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_may_not_be_written_to_is_told_before_anything_is_measured(short, monkeypatch, capsys) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.R_OK)
    monkeypatch.setattr("takens.measures.measure_series", None)
    assert "you may not write here" in refused("measure", short, *AUTO, "--plot", "new/figures", capsys=capsys)


def test_an_error_in_a_later_trajectory_leaves_no_figures(short: str, tmp_path, capsys) -> None:
    rows = [f"{name},{t},{np.sin(t):.4f}" for name, length in (("long", 300), ("brief", 30)) for t in range(length)]
    (tmp_path / "two.csv").write_text("name,time,a\n" + "\n".join(rows) + "\n")
    words = ("measure", "two.csv", "--id", "name", *AUTO, "--plot", "new", "-q")
    assert "do not fit a series of 30 rows" in refused(*words, "--window", "100", capsys=capsys)
    assert not (tmp_path / "new").exists()
    code, _, _ = run(*words, "--window", "20", capsys=capsys)
    assert (code, len(list((tmp_path / "new").rglob("*.svg")))) == (0, 2)
