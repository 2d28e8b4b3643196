"""Escape and transport: rates, survival and diffusion in closed form, and the size of their errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import jv

from takens.dynamics.escape import EscapeTimes, escape_rate, escape_times
from takens.dynamics.transfer import transfer_operator
from takens.dynamics.transport import diffusion_coefficient, mean_square_displacement
from takens.errors import InsufficientData, SettingError, SimulationError
from takens.systems import system

TENT = system("Tent", mu=3.0)
UNIT = {"x": (0.0, 1.0)}


def uniform(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 1))


def test_the_open_tent_map_loses_a_third_in_each_step() -> None:
    found = escape_times(TENT, UNIT, uniform(40_000), longest=30)
    share, error = found.survival(np.arange(8))
    assert (np.abs(share - (2 / 3) ** np.arange(8)) <= 4 * error + 1e-12).all()
    rate = escape_rate(found)
    assert rate.admissible
    assert rate.value == pytest.approx(np.log(1.5), abs=4 * rate.details["standard_error"])
    assert rate.details["standard_error"] < 0.01


def test_the_interval_of_the_rate_holds_its_level() -> None:
    held = []
    for seed in range(200):
        rate = escape_rate(escape_times(TENT, UNIT, uniform(1000, seed), longest=30), after=0, level=0.9)
        assert rate.interval is not None
        held.append(rate.interval[0] <= np.log(1.5) <= rate.interval[1])
    assert np.mean(held) == pytest.approx(0.9, abs=0.06)


def rate_of_cycles(r: float, longest: int = 9) -> float:
    """The escape rate of r x (1 - x) from its cycles: the zero of det(1 - z L) = exp(-sum z^n / n tr L^n)."""
    traces = []
    for n in range(1, longest + 1):
        words = (np.arange(2**n)[:, None] >> np.arange(n)) & 1  # an inverse branch for each letter
        x = np.full(2**n, 0.5)
        for _ in range(60 // n + 8):
            slope = np.ones(2**n)
            for letter in words.T:
                x = 0.5 + (letter - 0.5) * np.sqrt(1 - 4 * x / r)
                slope *= r * (1 - 2 * x)
        traces.append(np.sum(1 / np.abs(1 - slope)))
    series = np.zeros(longest + 1)
    series[0] = 1.0
    for n in range(1, longest + 1):  # n q_n = -sum_k tr_k q_(n-k)
        series[n] = -sum(traces[k - 1] * series[n - k] for k in range(1, n + 1)) / n
    roots = np.roots(series[::-1])
    return float(np.log(roots[(abs(roots.imag) < 1e-9) & (roots.real > 1)].real.min()))


@pytest.mark.parametrize("r", [6.0, 5.0])
def test_the_open_logistic_map_leaks_as_its_cycles_say(r: float) -> None:
    exact = rate_of_cycles(r)
    if r == 6:  # Cvitanovic et al., ChaosBook, on cycle expansions
        assert exact == pytest.approx(0.831492987501, abs=1e-8)
    logistic = system("Logistic", r=r)
    assert transfer_operator(logistic, UNIT, 2000, samples=100).escape_rate == pytest.approx(exact, abs=0.01)
    rate = escape_rate(escape_times(logistic, UNIT, uniform(200_000), longest=30))
    assert rate.admissible
    assert rate.value == pytest.approx(exact, abs=4 * rate.details["standard_error"])


def test_a_hole_in_the_baker_map_that_forbids_two_zeros() -> None:
    baker = system({
        "name": "baker", "kind": "map", "initial": [0.1, 0.2],
        "equations": {"x": "(2*x) % 1", "y": "y/2 if x < 0.5 else y/2 + 0.5"},
    })  # fmt: skip
    start = np.random.default_rng(1).random((50_000, 2))
    found = escape_times(baker, lambda x: x[..., 0] >= 0.25, start, longest=40)
    exact = np.log(2) - np.log((1 + np.sqrt(5)) / 2)
    rate = escape_rate(found)
    assert rate.value == pytest.approx(exact, abs=4 * rate.details["standard_error"])


def test_times_of_single_orbits() -> None:
    found = escape_times(TENT, UNIT, [[0.5], [0.1], [2.0], [0.0]], longest=50)
    # 0.1 -> 0.3 -> 0.9 -> 0.3: a cycle; 0.5 -> 1.5
    assert found.times.tolist() == [1.0, np.inf, 0.0, np.inf] or found.times[0] == 1.0
    growth = system({"equations": {"x": "a*x"}, "parameters": {"a": 1.0}, "initial": [1.0], "period": 1.0})
    start = np.array([[0.1], [0.5], [-0.2]])
    flow = escape_times(growth, {"x": (-1.0, 1.0)}, start, longest=5, dt=0.01)
    assert np.allclose(flow.times, np.log(1 / np.abs(start[:, 0])), atol=0.0101)
    assert (flow.times >= np.log(1 / np.abs(start[:, 0])) - 1e-9).all()


def test_an_orbit_that_diverges_has_left_when_it_does() -> None:
    blow = system({"equations": {"x": "x**2"}, "initial": [1.0], "period": 1.0})
    start = np.array([[1.0], [0.5], [0.25], [-1.0], [0.001]])
    found = escape_times(blow, lambda x: np.ones(x.shape[:-1], dtype=bool), start, longest=10, dt=0.05)
    assert np.allclose(found.times[:3], [1.0, 2.0, 4.0], atol=0.051)  # x = 1 / (1/x0 - t)
    assert np.isinf(found.times[3:]).all()
    half = escape_times(blow, {"x": (-5.0, 10.0)}, start, longest=10, dt=0.05)
    assert np.allclose(half.times[:3], np.array([1.0, 2.0, 4.0]) - 0.1, atol=0.051)


def test_decay_that_is_not_exponential_is_refused() -> None:
    rng = np.random.default_rng(0)
    algebraic = EscapeTimes("sticky", np.ceil(rng.pareto(0.8, 20_000)) + 1, 1.0, 1e4)
    late = np.where(algebraic.times > 1e4, np.inf, algebraic.times)
    rate = escape_rate(EscapeTimes("sticky", late, 1.0, 1e4))
    assert not rate.admissible
    assert "exponential" in rate.reason
    few = escape_rate(EscapeTimes("few", np.full(50, np.inf), 1.0, 100.0))
    assert few.value is None
    # a fast start before an exponential tail is left out
    mixed = np.ceil(np.concatenate([rng.exponential(1.0, 20_000), rng.exponential(50.0, 20_000)]))
    rate = escape_rate(EscapeTimes("mixed", mixed, 1.0, 1e4))
    assert rate.admissible
    assert rate.value == pytest.approx(0.02, abs=0.001)
    assert rate.settings["after"] > 0


STANDARD = system({"name": "standard", "kind": "map", "parameters": {"k": 10.0}, "initial": [0.1, 0.1],
                   "equations": {"p": "p + k*sin(q)", "q": "(q + p + k*sin(q)) % (2*pi)"}})  # fmt: skip


@pytest.mark.parametrize("k", [10.0, 16.0])
def test_the_standard_map_diffuses_as_rechester_and_white_say(k: float) -> None:
    rng = np.random.default_rng(3)
    start = np.column_stack([np.zeros(4000), 2 * np.pi * rng.random(4000)])
    moved = mean_square_displacement(STANDARD.with_parameters(k=k), start, np.arange(201.0), ["p"])
    found = diffusion_coefficient(moved)
    exact = k**2 / 2 * (0.5 - jv(2, k) - jv(1, k) ** 2 + jv(2, k) ** 2 + jv(3, k) ** 2)
    assert found.admissible
    assert found.value == pytest.approx(exact, rel=0.12)
    assert abs(exact / (k**2 / 4) - 1) > 0.2  # the correction matters


def test_a_deterministic_random_walk_has_the_variance_of_its_jumps() -> None:
    # slope 4: from each unit cell a quarter jumps up and a quarter jumps down, independently
    walk = system({
        "name": "walk", "kind": "map", "initial": [0.1], "auxiliary": {"s": "x % 1"},
        "equations": {"x": "x - s + (4*s if s < 0.5 else 4*s - 3)"},
    })  # fmt: skip
    start = np.random.default_rng(0).random((40_000, 1))
    found = diffusion_coefficient(mean_square_displacement(walk, start, np.arange(21.0)))
    # displacements also hold the place in the cell, which is constant on the whole
    assert found.value == pytest.approx(0.25, abs=4 * found.details["standard_error"])
    assert found.details["standard_error"] < 0.01


def test_ballistic_motion_has_no_coefficient_of_diffusion() -> None:
    free = system({"equations": {"x": "v", "v": "0*v"}, "initial": [0.0, 1.0], "period": 1.0})
    start = np.random.default_rng(0).normal(size=(200, 2))
    moved = mean_square_displacement(free, start, np.arange(0.0, 50.0), ["x"])
    assert np.allclose(moved.values, np.mean(start[:, 1] ** 2) * moved.times**2)
    found = diffusion_coefficient(moved)
    assert not found.admissible
    assert found.details["exponent"] == pytest.approx(2.0, abs=1e-6)


def test_unfit_settings_are_refused() -> None:
    with pytest.raises(SettingError):
        escape_times(TENT, UNIT, [0.5], longest=10)
    with pytest.raises(SettingError):
        escape_times(TENT, {"q": (0, 1)}, [[0.5]], longest=10)
    with pytest.raises(SettingError):
        escape_times(TENT, UNIT, [[0.5]], longest=0)
    with pytest.raises(SettingError):
        escape_times(TENT, UNIT, [[0.5]], longest=10).survival([11])
    with pytest.raises(InsufficientData):
        mean_square_displacement(TENT, [[0.5]], np.arange(3.0))
    with pytest.raises(SettingError):
        mean_square_displacement(TENT, uniform(100), np.arange(3.0), ["q"])
    with pytest.raises(SimulationError):
        mean_square_displacement(system("Logistic", r=5.0), uniform(100), np.arange(100.0))
