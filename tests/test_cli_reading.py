"""The reading options of the command line reach the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import takens
from takens.cli import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def info(*words: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    code = main(["info", *words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def test_a_long_table_gives_one_answer_a_trajectory(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{name},{t},{t % 7 + 0.5}" for name in ("a", "b") for t in range(60)]
    Path("long.csv").write_text("run,t,x\n" + "\n".join(rows) + "\n")
    found = info("long.csv", "--id", "run", "--time", "t", capsys=capsys)
    assert [one["rows"] for one in found] == [60, 60]
    assert main(["fit", "long.csv", "--id", "run", "--time", "t", "--model", "persistence", "--out", "l.law"]) == 0
    assert len(takens.load("l.law").record) == 120
    assert main(["verdict", "long.csv", "--id", "run", "--time", "t", "-q"]) == 0


def test_repairs_are_asked_for_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.csv").write_text("t;x\n0;1,5\n2;2,5\n1;3,5\n2;4,5\n3;5,5\n")
    words = ("odd.csv", "--delimiter", ";", "--decimal", ",", "--time", "t")
    assert main(["info", *words]) == 2
    said = capsys.readouterr().err
    assert "odd.csv" in said
    assert "--unsorted" in said
    found = info(*words, "--unsorted", "sort", "--duplicates", "mean", capsys=capsys)
    assert (found["rows"], found["unsorted"], found["duplicates"]) == (4, 1, 1)
    assert found["channels"][0]["mean"] == pytest.approx((1.5 + 3.5 + 3.5 + 5.5) / 4)


def test_times_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.sin(np.arange(100.0)))
    found = info("x.npy", "--no-time", "--interval", "20ms", capsys=capsys)
    assert found["clock"]["unit"] == "ms"
    assert found["sampling"]["interval"] == pytest.approx(20)
    assert info("x.npy", "--interval", "0.5", "--time-unit", "h", capsys=capsys)["sampling"]["interval"] == 0.5
    assert main(["info", "x.npy", "--no-time", "--time", "t"]) == 2


def test_an_ambiguous_day_and_a_tab(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"0{d}/02/2014\t{d}" for d in range(1, 8)]
    Path("days.txt").write_text("date\tx\n" + "\n".join(rows) + "\n")
    days = info("days.txt", "--delimiter", "tab", "--day-first", "--timezone", "UTC", capsys=capsys)
    assert days["clock"]["start"].startswith("2014-02-01")
    assert days["sampling"]["interval"] == 1
    months = info("days.txt", "--month-first", capsys=capsys)
    assert months["clock"]["unit"] == "month"
