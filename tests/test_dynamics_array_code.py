"""Systems in array code, as learned laws are: the same answers as from equations, many members at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import takens as tk
from takens.dynamics import lyapunov_spectrum, orbit_diagram
from takens.errors import SimulationError
from takens.systems import ArrayRule, Flow, Map
from takens.systems.arrays import by_directions, flow_carried, map_carried
from takens.systems.variational import reductions_of_many

HENON = tk.system("Henon", a=1.4, b=0.3)
LORENZ = tk.system("Lorenz63", sigma=10, rho=28, beta=8 / 3)
LOGISTIC = tk.system(
    {"name": "logistic", "kind": "map", "equations": {"x": "r*x*(1 - x)"}, "parameters": {"r": 3.9},
     "initial": {"x": 0.3}}
)  # fmt: skip


def in_arrays(system: tk.System, *, slopes: bool = True) -> tk.System:
    """The same system as array code, with or without its Jacobian."""

    def values(t: Any, x: Any, p: Mapping[str, Any]) -> Any:
        return system.rhs(t, x, **p)

    def jacobian(t: Any, x: Any, p: Mapping[str, Any]) -> Any:
        return system.jacobian(t, x, **p)

    rule = ArrayRule(system.states, values, tuple(system.parameters), jacobian if slopes else None)
    kind = Map if system.stepwise else Flow
    return kind(system.name, rule, dict(system.parameters), system.initial, system.period, system.dt)


def test_a_map_has_the_exponents_of_its_equations() -> None:
    for slopes in (True, False):
        found = lyapunov_spectrum(in_arrays(HENON, slopes=slopes), duration=20_000)
        error = found.details["standard_error"]
        assert np.all(error < 0.005)
        assert np.all(np.abs(found.value - [0.41922, np.log(0.3) - 0.41922]) < 3.5 * error)
        assert found.details["sum"] == pytest.approx(np.log(0.3), rel=1e-6)
        assert found.details["divergence"] == pytest.approx(np.log(0.3), rel=1e-6)
        assert found.admissible


def test_errors_are_honest() -> None:
    """Of 20 short averages from different states about two in three lie within one standard error."""
    made, scores = in_arrays(HENON), []
    orbit = tk.simulate(HENON, length=20, dt=1000, transient=100).values
    for state in orbit:
        found = lyapunov_spectrum(made, duration=4000, transient=0, initial=state, count=1)
        scores.append((found.value[0] - 0.41922) / found.details["standard_error"][0])
    assert 0.6 < np.std(scores) < 1.6
    assert abs(np.mean(scores)) < 0.8


def test_a_flow_has_the_exponents_of_its_equations() -> None:
    found = lyapunov_spectrum(in_arrays(LORENZ), duration=100, tolerance=1e-6)
    error = found.details["standard_error"]
    assert np.all(np.abs(found.value - [0.9056, 0, -14.5723]) < 3 * error + 0.02)
    assert found.details["sum"] == pytest.approx(-41 / 3, rel=1e-5)


def test_members_are_carried_together_as_alone() -> None:
    rng = np.random.default_rng(0)
    phases = 0.1 * rng.normal(size=(7, 2))
    vectors = rng.normal(size=(7, 2, 2))
    made = in_arrays(HENON)
    ends, moved, volumes = map_carried(made, phases, vectors, 0.0, 5)
    for i in range(7):
        alone = HENON.carried(phases[i], vectors[i], 0.0, 5.0)
        assert np.allclose(ends[i], alone[0])
        assert np.allclose(moved[i], alone[1])
        assert volumes[i] == pytest.approx(5 * np.log(0.3))
    assert np.isnan(map_carried(made, phases, vectors[:, :, :1], 0.0, 5)[2]).all()
    starts = np.array([[1.0, 2.0, 20.0], [-5.0, -4.0, 25.0]])
    ends, moved, volumes = flow_carried(in_arrays(LORENZ), starts, np.repeat(np.eye(3)[None], 2, 0), 0.0, 0.3, 1e-10)
    for i in range(2):
        alone = LORENZ.carried(starts[i], np.eye(3), 0.0, 0.3, tolerance=1e-10)
        assert np.allclose(ends[i], alone[0], atol=1e-6)
        assert np.allclose(moved[i], alone[1], atol=1e-5)
        assert volumes[i] == pytest.approx(-41 / 3 * 0.3, rel=1e-6)


@pytest.mark.parametrize("slopes", [True, False])
def test_few_displacements_of_many_states_go_by_differences(slopes: bool) -> None:
    """A ring of 80 coupled logistic maps: products with the Jacobian, and the largest exponents, are those of it."""
    size = 80

    def values(t: Any, x: Any, p: Mapping[str, Any]) -> Any:
        y = 3.9 * x * (1 - x)
        return 0.8 * y + 0.1 * np.roll(y, 1, axis=-1) + 0.1 * np.roll(y, -1, axis=-1)

    def jacobian(t: Any, x: Any, p: Mapping[str, Any]) -> Any:
        ring = 0.8 * np.eye(size) + 0.1 * np.roll(np.eye(size), 1, axis=1) + 0.1 * np.roll(np.eye(size), -1, axis=1)
        return ring * (3.9 * (1 - 2 * x))[..., None, :]

    start = np.random.default_rng(0).random(size)
    names = tuple(f"x{i}" for i in range(size))
    made = Map("ring", ArrayRule(names, values, (), jacobian if slopes else None), {}, start)
    assert by_directions(made, 3)
    assert not by_directions(made, size)
    vectors = np.random.default_rng(1).normal(size=(4, size, 3)) * [1.0, 1e-6, 1e6]
    phases = np.random.default_rng(2).random((4, size))
    moved = map_carried(made, phases, vectors, 0.0, 1)[1]
    assert np.allclose(
        moved, jacobian(0.0, phases, {}) @ vectors, rtol=1e-6, atol=1e-8 * np.abs(moved).max(axis=(0, 1))
    )
    few = lyapunov_spectrum(made, duration=2000, transient=200, count=3)
    whole = lyapunov_spectrum(made, duration=2000, transient=200)
    assert np.allclose(few.value, whole.value[:3], atol=0.01)


def test_reductions_of_many_with_parameters_and_of_lost_members() -> None:
    made = in_arrays(LOGISTIC)
    phases = np.array([[0.3], [0.3], [5.0]])
    found = reductions_of_many(
        made, phases, np.eye(1), 0.0, 4.0, 50, parameters={"r": np.array([3.9, 3.2, 3.9])}
    )  # fmt: skip
    for member, r in enumerate((3.9, 3.2)):
        x, total = 0.3, 0.0
        for _ in range(200):
            total += np.log(abs(r * (1 - 2 * x)))
            x = r * x * (1 - x)
        assert found.growth[member].sum() == pytest.approx(total, rel=1e-9)
        assert found.states[member, -1, 0] == pytest.approx(x, rel=1e-9)
    assert not np.isfinite(found.states[2]).any() or not np.isfinite(found.states[2, -1]).any()


def test_an_orbit_that_leaves_is_an_error() -> None:
    with pytest.raises(SimulationError):
        lyapunov_spectrum(in_arrays(HENON), initial=[5.0, 5.0], transient=0)


def test_an_orbit_diagram_with_exponents() -> None:
    values = np.linspace(2.9, 4.0, 60)
    mine = orbit_diagram(in_arrays(LOGISTIC), "r", values, lyapunov=True)
    theirs = orbit_diagram(LOGISTIC, "r", values, lyapunov=True)
    assert mine.periods.tolist() == theirs.periods.tolist()
    assert mine.exponents is not None
    assert theirs.exponents is not None
    regular = theirs.periods > 0
    assert np.allclose(mine.exponents[regular], theirs.exponents[regular], atol=0.01)
    assert np.abs(mine.exponents - theirs.exponents).max() < 0.1
    assert mine.exponents[-1] == pytest.approx(np.log(2), abs=0.05)
