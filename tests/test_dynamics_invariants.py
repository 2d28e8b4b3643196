"""Invariants as tasks: the numbers, their errors, and the same work under the same key."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.dynamics.invariants import invariants, invariants_task
from takens.tasks import perform


def test_henon() -> None:
    found = invariants(takens.system("Henon"), duration=40_000)
    spectrum = found["lyapunov_spectrum"]
    assert np.all(
        np.abs(spectrum["value"] - [0.41922, 0.41922 * 0 + np.log(0.3) - 0.41922]) < 4 * spectrum["standard_error"]
    )
    assert found["sum"] == pytest.approx(np.log(0.3), rel=1e-9)  # the determinant is -b everywhere
    assert found["divergence"] == pytest.approx(np.log(0.3), rel=1e-9)
    dimension = found["kaplan_yorke_dimension"]
    assert abs(dimension["value"] - 1.25826) < 4 * dimension["standard_error"] + 1e-4  # Sprott 2003
    assert 1.2 < found["correlation_dimension"]["value"] < dimension["value"]
    assert found["settled"]


def test_the_error_of_the_kaplan_yorke_dimension_is_that_of_repeated_runs() -> None:
    system = takens.system("Henon")
    starts = takens.simulate(system, length=12, dt=1000, transient=1000).values
    runs = [
        invariants(takens.system({**HENON, "initial": list(start)}), duration=5_000, seed=seed)[
            "kaplan_yorke_dimension"
        ]
        for seed, start in enumerate(starts)
    ]
    spread = np.std([run["value"] for run in runs], ddof=1)
    assert 0.5 < np.mean([run["standard_error"] for run in runs]) / spread < 2


HENON = {
    "kind": "map", "name": "Henon", "equations": {"x": "1 - 1.4*x**2 + y", "y": "0.3*x"}, "initial": [0.1, 0.1],
}  # fmt: skip


def test_an_orbit_that_leaves_is_not_settled_or_fails_with_its_reason() -> None:
    escaping = {**HENON, "initial": [5.0, 5.0]}
    outcome = perform("takens.dynamics.invariants:invariants_of", {"definition": escaping, "duration": 1000})
    assert "not finite" in outcome["failed"]


def test_the_task_is_plain_and_names_the_definition() -> None:
    task = invariants_task("Henon", duration=3000)
    assert task.key == invariants_task("Henon", duration=3000).key
    assert task.key != invariants_task("Henon", duration=4000).key
    assert task.key != invariants_task("Henon", {**HENON, "equations": {"x": "1 - 1.3*x**2 + y", "y": "0.3*x"}}).key
    outcome = perform(task.job, task.settings)
    assert outcome["result"]["lyapunov_spectrum"]["value"][0] == pytest.approx(0.419, abs=0.02)
