"""Crossings of surfaces: known times, grazing pairs, directions, starts on the surface, array code, failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import takens
from takens.errors import EquationError, SettingError, SimulationError
from takens.systems import ArrayRule, Flow
from takens.systems.events import crossings

OSCILLATOR = takens.system(
    {"equations": {"x": "v", "v": "-w*w*x"}, "parameters": {"w": 1.0}, "initial": [1.0, 0.0], "period": 2 * np.pi}
)
LORENZ = takens.system("Lorenz63")
AS_ARRAYS = Flow(
    "arrays", ArrayRule(("x", "v"), lambda t, x, p: np.stack([x[..., 1], -x[..., 0]], axis=-1)), {},
    np.array([1.0, 0.0]), period=2 * np.pi,
)  # fmt: skip


@pytest.mark.parametrize(("system", "duration", "error"), [(OSCILLATOR, 1000.0, 1e-10), (AS_ARRAYS, 100.0, 1e-7)])
def test_a_harmonic_oscillator_crosses_at_known_times(system: Flow, duration: float, error: float) -> None:
    both = crossings(system, "x", duration=duration)
    np.testing.assert_allclose(both.times, np.pi / 2 + np.pi * np.arange(len(both.times)), atol=error)
    assert len(both.times) == round(duration / np.pi)
    up = crossings(system, ([1.0, 0.0], 0.0), duration=duration, direction=1)
    np.testing.assert_allclose(up.times, both.times[1::2], rtol=0, atol=1e-12)
    np.testing.assert_allclose(up.states, np.tile([0.0, 1.0], (len(up.times), 1)), atol=error)
    down = crossings(system, "x", count=3, direction=-1)
    np.testing.assert_allclose(down.times, both.times[:6:2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("system", [OSCILLATOR, AS_ARRAYS], ids=["equations", "arrays"])
@pytest.mark.parametrize("depth", [1e-2, 1e-4, 1e-7])
def test_grazing_pairs_within_one_step_are_found(system: Flow, depth: float) -> None:
    """x - (1 - depth) is positive for a moment about each maximum, far shorter than a step."""
    found = crossings(system, f"x - {1 - depth!r}", initial=[np.cos(2), -np.sin(2)], duration=60.0)
    half, peaks = np.arccos(1 - depth), 2 * np.pi * np.arange(1, 10) - 2
    expected = np.stack([peaks - half, peaks + half], axis=-1).ravel()
    np.testing.assert_allclose(found.times, expected, atol=1e-8 / half)
    assert len(crossings(system, f"x - {1 + 1e-6!r}", duration=60.0).times) == 0


def test_sections_of_lorenz_agree_with_a_tight_reference() -> None:
    found = crossings(LORENZ, "z - 27", duration=15.0, tolerance=1e-12)
    tight = crossings(LORENZ, "z - 27", duration=15.0, tolerance=1e-14)
    assert len(found.times) == len(tight.times) > 30
    np.testing.assert_allclose(found.times, tight.times, atol=1e-7)
    np.testing.assert_allclose(found.states[:, 2], 27.0, atol=1e-12)
    # And with states between which z - 27 changes sign, of a trajectory sampled a thousand times finer.
    series = takens.simulate(LORENZ, length=150_001, dt=1e-4, tolerance=1e-13)
    above = series.values[:, 2] > 27
    changes = series.times[1:][above[1:] != above[:-1]]
    np.testing.assert_allclose(found.times, changes, atol=1.001e-4)


def test_long_sections_have_the_crossings_of_short_ones() -> None:
    whole = crossings(LORENZ, "z - 27", count=10_000, direction=-1)
    assert len(whole.times) == 10_000
    assert np.all(np.diff(whole.times) > 0.3)
    assert np.all(whole.states[:, 0] * whole.states[:, 1] - 8 / 3 * 27 < 0)  # z falls
    part = crossings(LORENZ, "z - 27", count=5, direction=-1)
    np.testing.assert_array_equal(part.times, whole.times[:5])


def test_surfaces_in_time_parameters_and_auxiliary_names() -> None:
    clock = crossings(OSCILLATOR, "sin(pi*t)", duration=10.5)
    np.testing.assert_allclose(clock.times, np.arange(1, 11), atol=1e-12)
    swing = takens.system({**PENDULUM, "auxiliary": {"lean": "2*x"}})
    assert crossings(swing, "lean - g", count=1).states[0, 0] == pytest.approx(0.5)
    slow = crossings(OSCILLATOR.with_parameters(w=0.5), "x", count=2)
    np.testing.assert_allclose(slow.times, [np.pi, 3 * np.pi], atol=1e-9)


PENDULUM: dict[str, Any] = {
    "equations": {"x": "v", "v": "-g*sin(lean/2)"}, "parameters": {"g": 1.0}, "initial": [0.0, 1.5],
}  # fmt: skip


@pytest.mark.parametrize("system", [OSCILLATOR, AS_ARRAYS], ids=["equations", "arrays"])
@pytest.mark.parametrize("x", [0.0, 1e-17, -1e-17])
def test_a_start_on_the_surface_is_not_a_crossing(system: Flow, x: float) -> None:
    found = crossings(system, "x", initial=[x, 1.0], count=2)
    np.testing.assert_allclose(found.times, [np.pi, 2 * np.pi], atol=1e-8)


def test_a_return_map_does_not_count_its_own_start() -> None:
    state = crossings(LORENZ, "z - 27", count=1, direction=1, transient=10.0).states[0]
    expected = crossings(LORENZ, "z - 27", initial=state, count=6, direction=1).times
    time = 0.0
    for k in range(6):
        step = crossings(LORENZ, "z - 27", initial=state, count=1, direction=1)
        time, state = time + step.times[0], step.states[0]
        assert time == pytest.approx(expected[k], abs=1e-6)


def test_transients_and_kinks() -> None:
    later = crossings(OSCILLATOR, "x", transient=50.0, count=2).times
    np.testing.assert_allclose(later, np.pi / 2 + np.pi * np.array([16, 17]), atol=1e-9)
    bouncing = takens.system({"equations": {"x": "v", "v": "-sign(x)"}, "initial": [0.5, 0.0]})  # no Taylor series
    found = crossings(bouncing, "x", duration=20.0)
    np.testing.assert_allclose(found.times, 1 + 2 * np.arange(len(found.times)), atol=1e-5)


def test_wrong_questions_are_refused() -> None:
    for arguments, message in (
        ({"surface": "x"}, "nothing says"), ({"surface": "x", "count": 0}, "count"),
        ({"surface": "x", "duration": -1.0}, "duration"), ({"surface": "x", "count": 1, "direction": 2}, "direction"),
        ({"surface": ([1.0], 0.0), "count": 1}, "normal"), ({"surface": ([0.0, 0.0], 0.0), "count": 1}, "normal"),
        ({"surface": 3.0, "count": 1}, "surface"), ({"surface": "x", "count": 1, "tolerance": 0.5}, "tolerance"),
    ):  # fmt: skip
        with pytest.raises(SettingError, match=message):
            crossings(OSCILLATOR, **arguments)
    with pytest.raises(EquationError, match="unknown name 'y'"):
        crossings(OSCILLATOR, "y", count=1)
    with pytest.raises(SettingError, match="crossings of a map"):
        crossings(takens.system("Henon"), "x", count=1)


def test_failures_have_time_and_state() -> None:
    with pytest.raises(SimulationError, match="0 of 2 crossings") as caught:
        crossings(OSCILLATOR, "x - 5", count=2)
    assert caught.value.time == pytest.approx(2000 * OSCILLATOR.period)
    escaping = takens.system({"equations": {"x": "x*x"}, "initial": [1.0]})
    with pytest.raises(SimulationError) as caught:
        crossings(escaping, "x + 1", duration=2.0)
    assert caught.value.time == pytest.approx(1.0, abs=1e-3)
    assert caught.value.state[0] > 100
