"""`takens measure`: relations of channels, moving windows, figures; the same numbers as in Python."""

from __future__ import annotations

import json
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
