"""Tasks on processes: every result once, every failure one row, nothing lost when a run stops."""

from __future__ import annotations

import json
from pathlib import Path

import jobs  # noqa: F401  (importable, so that the processes can import it too)
import pytest

from takens.errors import SettingError
from takens.executor import run_tasks
from takens.store import Store
from takens.tasks import Task, perform


def squares(count: int, **more: str) -> list[Task]:
    return [Task("jobs:square", {"x": x, **more}) for x in range(count)]


def test_the_key_is_a_hash_of_the_work_alone() -> None:
    one = Task("jobs:square", {"x": 1, "seed": 0}, label="one")
    assert one.key == Task("jobs:square", {"seed": 0, "x": 1}).key
    assert len({one.key, *(t.key for t in (Task("jobs:square", {"x": 2, "seed": 0}),
                                           Task("jobs:square", {"x": 1, "seed": 0}, revision=2),
                                           Task("jobs:divide", {"x": 1, "seed": 0})))}) == 4  # fmt: skip


def test_performing_never_raises() -> None:
    assert perform("jobs:square", {"x": 3})["result"]["square"] == 9
    assert perform("jobs:refuse", {})["failed"] == "channel x: is constant"
    assert perform("jobs:divide", {"by": 0})["failed"] == "ZeroDivisionError: division by zero"
    assert "no job 'jobs:none'" in perform("jobs:none", {})["failed"]
    assert "no job 'nowhere:none'" in perform("nowhere:none", {})["failed"]


def test_results_come_in_order_and_only_once(tmp_path: Path) -> None:
    log, store = tmp_path / "log", Store(tmp_path / "tasks")
    first = run_tasks(squares(4, log=str(log)), store, workers=2)
    assert [row.outcome["result"]["square"] for row in first] == [0, 1, 4, 9]
    shares: list[float] = []
    rows = run_tasks(squares(8, log=str(log)), store, workers=2, report=lambda _, share: shares.append(share))
    assert [row.outcome["result"]["square"] for row in rows] == [x * x for x in range(8)]
    assert [row.fresh for row in rows] == [False] * 4 + [True] * 4
    assert sorted(map(int, log.read_text().split())) == list(range(8))  # nothing was done twice
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    kept = json.loads((store.folder / f"{rows[7].task.key}.json").read_text())
    assert kept["task"]["settings"]["x"] == 7
    assert {"takens", "numpy"} <= set(kept["versions"])
    assert kept["argv"]


def test_work_leaves_this_process(tmp_path: Path) -> None:
    import os

    rows = run_tasks(squares(6), Store(tmp_path), workers=2)
    assert os.getpid() not in {row.outcome["result"]["process"] for row in rows}


def test_a_failure_is_one_row_and_is_done_again_on_demand(tmp_path: Path) -> None:
    tasks = [Task("jobs:refuse", {}), Task("jobs:divide", {"by": 0}), Task("jobs:square", {"x": 5})]
    rows = run_tasks(tasks, Store(tmp_path), workers=1)
    assert [bool(row.failed) for row in rows] == [True, True, False]
    assert not any(row.fresh for row in run_tasks(tasks, Store(tmp_path), workers=1))
    again = run_tasks(tasks, Store(tmp_path), workers=1, retry=True)
    assert [row.fresh for row in again] == [True, True, False]


def test_a_hanging_task_and_a_dying_process_cost_one_row_each(tmp_path: Path) -> None:
    tasks = [Task("jobs:hang", {}), Task("jobs:die", {}), *squares(5)]
    rows = run_tasks(tasks, Store(tmp_path), workers=2, limit=6.0)
    assert rows[0].failed == "took more than 6 seconds"
    assert "process died" in rows[1].failed
    assert [row.outcome["result"]["square"] for row in rows[2:]] == [0, 1, 4, 9, 16]


def test_wrong_settings_say_so(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="workers is 0"):
        run_tasks(squares(1), Store(tmp_path), workers=0)
    assert run_tasks([], Store(tmp_path)) == []
