"""The whole chain: rows of the executor become a bank, the bank a calibration, and the same one again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takens.bank.calibrating import Bank, calibrate, evaluation, fit, gathered, write
from takens.bank.rules import RULES
from takens.bank.training import Boosting
from takens.cli import main
from takens.errors import DataError
from takens.executor import Row
from takens.random import generator
from takens.tasks import Task
from takens.verdicts.calibration import read
from takens.verdicts.classes import CLASSES

QUICK = Boosting(trees=25, rate=0.2)


def rows(systems: int = 12, each: int = 4) -> list[Row]:
    """What the executor gives for two jobs a series: statistics that tell the classes apart, numbers that do not."""
    rng = generator(0, "rows")
    found = []
    for k, truth in enumerate(CLASSES):
        for s in range(systems):
            for i in range(each):
                facts = {"truth": truth, "system": f"{truth} {s}", "family": "flows", "noise": 0.0,
                         "length": int(10 ** rng.uniform(2.4, 4.2)), "cycles": 300.0}  # fmt: skip
                features = {"log_length": float(np.log10(float(str(facts["length"])))), "noise_level": 0.1,
                            "kind": k + 0.4 * float(rng.normal()), "gone": None}  # fmt: skip
                numbers = {rule.name: {name: float(rng.random()) for name in rule.numbers} for rule in RULES}
                task = Task("job", {"system": facts["system"], "i": i})
                found.append(Row(task, {"result": {"features": features, **facts}}, True))
                found.append(Row(task, {"result": {"rules": numbers, **facts}}, True))
    return found


@pytest.fixture(scope="module")
def bank() -> Bank:
    return gathered(rows())


def test_a_calibration_is_written_and_evaluated(bank: Bank, tmp_path: Path) -> None:
    fitted, found = calibrate(bank, size=288, settings=QUICK)
    assert found["series"] == 288
    assert found["systems"] == 72
    assert found["accuracy"]["six"]["value"] > 0.65
    assert found["coverage"]["0.9"]["all"]["value"] > 0.8
    names = write(fitted, found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    again = read(tmp_path)
    assert again.about["version"].endswith("bank of 288 series, seed 0")
    x = bank.table.x
    np.testing.assert_array_equal(again.judge(x).p_values, fitted.judge(x).p_values)
    text = (tmp_path / "evaluation.md").read_text()
    assert text.startswith("288 series of 72 systems, each judged by a calibration that was fitted to other systems")
    assert json.loads((tmp_path / "evaluation.json").read_text())["bars"] == found["bars"]
    same, _ = fit(bank.table, QUICK)
    np.testing.assert_array_equal(same.thresholds, fitted.thresholds)
    np.testing.assert_array_equal(same.model.trees.value, fitted.model.trees.value)


def test_series_that_fail_are_left_out_and_counted() -> None:
    found = rows()
    found[3] = Row(found[3].task, {"failed": "SimulationError: it diverges\nthere"}, True)
    bank = gathered(found)
    assert len(bank.table) == 287
    assert bank.failed == {"SimulationError: it diverges": 1}
    assert all(len(numbers) == 287 for numbers in bank.numbers.values())
    broken: list[Row] = [
        Row(row.task, {"failed": "broken"}, True) if i % 10 == 0 else row for i, row in enumerate(found)
    ]
    with pytest.raises(DataError, match="59 of 288 series failed, 58 with: broken"):
        gathered(broken)


def test_no_system_is_judged_by_what_has_seen_it(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part's calibration and rules see the other parts only, and every row is judged once."""
    from takens.bank import calibrating

    seen: list[set[str]] = []
    judged: list[set[str]] = []
    real = calibrating.fit

    class Spy:
        def __init__(self, found: Any, names: set[str]) -> None:
            self.found, self.names = found, names

        def judge(self, x: Any) -> Any:
            own = {str(s) for s in bank.table.system[np.isin(bank.table.x[:, 2], x[:, 2])]}  # "kind" is never the same
            assert not own & self.names
            judged.append(own)
            return self.found.judge(x)

    def spying(table: Any, settings: Any, seed: int) -> Any:
        names = {str(name) for name in table.system}
        seen.append(names)
        found, quality = real(table, settings, seed)
        return Spy(found, names), quality

    monkeypatch.setattr(calibrating, "fit", spying)
    found = evaluation(bank, settings=QUICK)
    everything = {str(name) for name in bank.table.system}
    assert len(seen) == len(judged) == calibrating.PARTS
    assert set().union(*judged) == everything
    assert sum(map(len, judged)) == len(everything)
    assert found["series"] == len(bank.table)


def test_a_class_that_no_series_has_is_said() -> None:
    change = {"truth": "periodic"}
    lacking = [Row(row.task, {"result": dict(row.outcome["result"]) | change}, True) for row in rows(6, 3)]
    with pytest.raises(DataError, match="not every class"):
        calibrate(gathered(lacking), size=1, settings=QUICK)


@pytest.mark.long
@pytest.mark.timeout(900)  # 120 series in new processes: a minute and a half, more on a busy machine
def test_the_command_resumes_and_gives_the_same_calibration(tmp_path: Path) -> None:
    """A small bank twice: the second run finds every series done; a third, elsewhere, makes the same files."""
    first, other = tmp_path / "first", tmp_path / "other"
    words = ["calibrate", "--size", "60", "--seed", "1", "--workers", "2", "-q", "--out"]
    assert main([*words, str(first)]) == 0
    files = [first / name for name in ("calibration.safetensors", "calibration.json", "evaluation.md")]
    before = [file.read_bytes() for file in files]
    times = {path.name: path.stat().st_mtime_ns for path in (first / "work").iterdir()}
    assert len(times) == 120
    assert main([*words, str(first)]) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (first / "work").iterdir()} == times
    assert [file.read_bytes() for file in files] == before
    assert main([*words, str(other)]) == 0
    assert [(other / file.name).read_bytes() for file in files] == before
    again = read(first)
    assert again.about["size"] == 60
    assert sum(file.stat().st_size for file in files[:2]) < 700_000
