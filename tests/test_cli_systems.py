"""`takens systems`, `simulate`, `exponents` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import takens as tk
from takens.cli import main

ROESSLER = """
name = "Roessler"
period = 5.9
dt = 0.1
tags = ["chaotic"]
equations = { x = "-y - z", y = "x + a*y", z = "b + z*(x - c)" }
parameters = { a = 0.2, b = 0.2, c = 5.7 }
initial = { x = 1.0, y = 1.0, z = 0.0 }
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(ROESSLER)
    return str(path)


def test_a_system_is_shown_with_its_equations(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", mine]) == 0
    text = capsys.readouterr().out
    assert "dy/dt = x + a*y" in text
    assert "c = 5.7" in text
    assert main(["systems", mine, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == {"a": 0.2, "b": 0.2, "c": 5.7}


def test_a_simulation_is_written_and_is_what_python_gives(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.csv"
    words = ["simulate", mine, "--length", "300", "--transient", "50", "--parameter", "c=4.0", "--out", str(out), "-q"]
    assert main(words) == 0
    assert "takens study" in capsys.readouterr().out
    read = tk.open(str(out))
    made = tk.simulate(tk.system(mine, c=4.0), length=300, transient=50.0)
    assert read.channels == ("x", "y", "z")
    np.testing.assert_array_equal(read.values, made.values)
    np.testing.assert_allclose(read.times, made.times)


def test_exponents_with_their_errors(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exponents", mine, "--duration", "1500", "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["value"][0] == pytest.approx(0.0714, abs=0.03)
    assert found["sum"] == pytest.approx(found["divergence"], rel=1e-6)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["simulate", "{mine}", "--parameter", "q=1"], "unknown parameter 'q'"),
        (["simulate", "{mine}", "--parameter", "a=fast"], "not a number"),
        (["simulate", "{mine}", "--dt", "-1"], "dt is -1"),
        (["simulate", "NoSuchSystem"], "no system 'NoSuchSystem'"),
        (["systems", "missing.toml"], "missing.toml"),
        (["systems", "--tag", "frobnicating"], "no system has the tag"),
        (["exponents", "{mine}", "--count", "9"], "count is 9"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: list[str], told: str, mine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(mine=mine) for word in words]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_a_wrong_equation_points_at_the_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(ROESSLER.replace("x + a*y", "x + a**.__class__"))
    assert main(["simulate", str(path)]) == 2
    text = capsys.readouterr().err
    assert "bad.toml" in text
    assert "^" in text


def test_an_ensemble_is_read_back_as_trajectories(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, how in (("many.csv", {"id": "trajectory"}), ("many.nc", {})):
        out = tmp_path / name
        assert main(["simulate", mine, "--ensemble", "3", "--length", "40", "--out", str(out), "-q"]) == 0
        read = tk.open(str(out), **how)
        assert [len(one) for one in read] == [40, 40, 40]
        starts = np.array([one.values[0] for one in read])
        assert np.linalg.norm(starts[0] - starts[1]) > 0.1
        again = tk.simulate(tk.system(mine), length=40, initial=starts[2])
        np.testing.assert_allclose(read[2].values, again.values, atol=1e-6)
    capsys.readouterr()
    assert main(["simulate", mine, "--ensemble", "3"]) == 2
    assert "--out" in capsys.readouterr().err


def test_invariants_are_kept_and_not_computed_twice(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["invariants", mine, "Henon", "--duration", "2000", "--out", str(tmp_path / "kept"), "--workers", "1"]
    assert main([*words, "-q"]) == 0
    assert "Roessler: exponents" in capsys.readouterr().out
    written = json.loads((tmp_path / "kept" / "invariants.json").read_text())["systems"]
    assert written["Henon"]["sum"] == pytest.approx(np.log(0.3))
    tasks = sorted((tmp_path / "kept" / "tasks").glob("*.json"))
    before = [path.stat().st_mtime_ns for path in tasks]
    assert main([*words, "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["systems"] == written
    assert [path.stat().st_mtime_ns for path in tasks] == before
    assert main(["invariants", "-q"]) == 2
    assert "--everything" in capsys.readouterr().err


def test_a_diagram_tells_where_the_period_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "logistic.png"
    assert main(["diagram", "Logistic", "--vary", "r=2.9:3.5", "--count", "61", "--out", str(out), "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["period 1", "period 2", "period 4"]
    assert lines[0].startswith("r 2.9 to ")
    assert 2.96 < float(lines[0].split()[3].rstrip(":")) <= 3.0  # period doubling at 3
    assert 3.44 < float(lines[2].split()[1]) < 3.47  # and at 1 + sqrt 6 = 3.449
    assert out.read_bytes()[:4] == b"\x89PNG"
    table = tmp_path / "logistic.csv"
    assert main(["diagram", "Logistic", "--vary", "r=3.2:3.3", "--count", "2", "--out", str(table), "-q"]) == 0
    rows = np.loadtxt(table, delimiter=",", skiprows=1)
    r, x = rows[-1]
    assert r == 3.3
    low = (r + 1 - np.sqrt((r - 3) * (r + 1))) / (2 * r)
    high = (r + 1 + np.sqrt((r - 3) * (r + 1))) / (2 * r)
    assert min(abs(x - low), abs(x - high)) < 1e-9
    capsys.readouterr()
    assert main(["diagram", "Logistic", "--vary", "r=3.3", "-q"]) == 2
    assert "NAME=LOW:HIGH" in capsys.readouterr().err


def test_a_diagram_waits_as_long_as_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def first(transient: str) -> float:
        words = ["diagram", "Logistic", "--vary", "r=2.5:2.6", "--count", "2", "--transient", transient]
        assert main([*words, "--out", str(tmp_path / "x.csv"), "-q"]) == 0
        return float(np.loadtxt(tmp_path / "x.csv", delimiter=",", skiprows=1)[0, 1])

    x = float(tk.system("Logistic").initial[0])
    assert first("0") == x
    assert first("1") == pytest.approx(2.5 * x * (1 - x), rel=1e-12)
    assert first("500") == pytest.approx(0.6, abs=1e-12)  # the fixed point 1 - 1 / r
    capsys.readouterr()
    assert main(["diagram", "Logistic", "--vary", "r=2.5:2.6", "--transient", "-1", "-q"]) == 2
    assert "transient" in capsys.readouterr().err


def test_basins_name_attractors_and_their_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wells.toml"
    path.write_text(
        'equations = { x = "v", v = "x - x**3 - 0.5*v" }\ninitial = { x = 0.1, v = 0.0 }\nperiod = 5.0\ndt = 0.05\n'
    )
    out = tmp_path / "wells.svg"
    words = ["basins", str(path), "--box", "x=-2:2", "--box", "v=-2:2", "--resolution", "40", "--out", str(out), "-q"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(one.split(" at ")[0] for one in found["attractors"]) == ["fixed point", "fixed point"]
    # The law is odd, so the two wells attract equal areas.
    assert found["fractions"]["0"]["value"] == pytest.approx(0.5, abs=1e-9)
    assert out.read_text().startswith("<?xml")


def test_a_system_and_its_exponents_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["systems", "Henon"], ["exponents", "Henon", "--duration", "2000"]):
        out = tmp_path / f"{words[0]}.png"
        assert main([*words, "--out", str(out), "-q"]) == 0
        assert out.read_bytes()[:4] == b"\x89PNG"
        assert capsys.readouterr().out
    assert main(["diagram", "Henon", "--vary", "a=1:1.1", "--count", "3", "--out", str(tmp_path / "x.gif"), "-q"]) == 2
    assert ".png" in capsys.readouterr().err
