"""The choice among models, and finished work on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from takens.candidate import Candidate
from takens.choice import Choice
from takens.errors import InsufficientData, OutputError
from takens.store import Store, array_digest, task_key


def candidate(name: str, first: float, second: float, *, baseline: bool = False, noise: float = 0.05) -> Candidate:
    rng = np.random.default_rng(len(name))
    halves = [tuple(np.abs(level + noise * rng.normal(size=30))) for level in (first, second)]
    return Candidate(name, baseline, choosing=halves[0], judging=halves[1], scores={"crps": (first + second) / 2})


def test_a_clearly_better_model_is_chosen_and_its_skill_is_the_ratio_of_means() -> None:
    models = [candidate("mean", 1.0, 1.0, baseline=True), candidate("good", 0.5, 0.6), candidate("poor", 2.0, 2.0)]
    choice = Choice.of(models, 0)
    assert (choice.chosen, choice.baseline) == ("good", "mean")
    value, (low, high) = choice.skill["good"]
    ratio = np.mean(models[1].choosing + models[1].judging) / np.mean(models[0].choosing + models[0].judging)
    assert value == pytest.approx(1 - ratio)
    assert low < value < high
    assert choice.skill["mean"][0] == 0


def test_a_model_that_is_not_clearly_better_gives_way_to_the_baseline() -> None:
    models = [candidate("mean", 1.0, 1.0, baseline=True, noise=0.3), candidate("lucky", 0.99, 0.99, noise=0.3)]
    assert Choice.of(models, 0).chosen == "mean"


def test_the_rehearsal_tells_an_advantage_that_did_not_last() -> None:
    models = [candidate("mean", 1.0, 0.5, baseline=True), candidate("fading", 0.6, 0.8)]
    choice = Choice.of(models, 0)
    assert choice.rehearsal.chosen == "fading"
    assert choice.rehearsal.skill == pytest.approx(-0.6, abs=0.1)
    assert choice.rehearsal.interval[1] < 0


def test_the_best_baseline_alone_and_nothing_at_all() -> None:
    assert Choice.of([candidate("mean", 1, 1, baseline=True)], 0).chosen == "mean"
    with pytest.raises(InsufficientData, match="too short"):
        Choice.of([Candidate("nvar", False, "failed", "too short")], 0)


def test_failed_candidates_have_no_part_in_it() -> None:
    models = [candidate("mean", 1, 1, baseline=True), Candidate("nvar", False, "failed", "too short")]
    assert set(Choice.of(models, 0).skill) == {"mean"}


def test_a_candidate_survives_json() -> None:
    import json

    made = candidate("mean", 1, 1, baseline=True)
    assert Candidate.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_task_keys_depend_on_every_part_and_not_on_order() -> None:
    task = {"model": "nvar", "seed": 0, "data": [array_digest(np.arange(3.0))]}
    assert task_key(task) == task_key(dict(reversed(task.items())))
    assert task_key(task) != task_key({**task, "seed": 1})
    assert array_digest(np.zeros(4)) != array_digest(np.zeros((2, 2)))


def test_a_store_keeps_whole_results_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    assert store.get("a") is None
    store.put("a", {"value": 1.5, "missing": float("nan")})
    assert store.get("a") == {"value": 1.5, "missing": None}
    (tmp_path / "work" / "b.json").write_text('{"value": 1.')
    assert store.get("b") is None
    assert sorted(p.name for p in (tmp_path / "work").iterdir()) == ["a.json", "b.json"]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        Store(tmp_path / "file").put("a", {})
