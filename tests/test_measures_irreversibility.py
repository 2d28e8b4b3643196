"""Irreversibility: closed forms and published values, false alarms, entropy production of driven rings and planes."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic

import takens
from takens.errors import DataError, InsufficientData
from takens.measures.irreversibility import (
    divergence_of,
    ordinal_divergence,
    reversed_patterns,
    visibility_divergence,
)
from takens.measures.irreversibility_rate import circulation_test, currents, jump_entropy_production
from takens.measures.kernels.coupling import visibility_degrees
from takens.measures.ordinal import ordinal_patterns
from takens.measures.surrogates import time_reversal_asymmetry
from takens.series import Series

NAMES = ("time_irreversibility", "ordinal_irreversibility", "visibility_irreversibility")


def driven_ring(jumps: int, forth: float, back: float, seed: int = 0) -> tuple[np.ndarray, float]:
    """States 0, 1, 2 of a ring with rates `forth` and `back`, and how long it took; (a - b) ln(a / b) in all."""
    rng = np.random.default_rng(seed)
    step = np.where(rng.random(jumps) < forth / (forth + back), 1, -1)
    return np.concatenate([[0], np.cumsum(step)]) % 3, float(rng.exponential(1 / (forth + back), jumps).sum())


def turning(n: int, omega: float, interval: float, seed: int = 0) -> Series:
    """Ornstein-Uhlenbeck in the plane, turned at `omega`, sampled exactly; sigma = 2 omega^2."""
    rng = np.random.default_rng(seed)
    keep, angle = np.exp(-interval), omega * interval
    turn = keep * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    kicks = rng.normal(size=(n, 2)) * np.sqrt(1 - keep**2)
    out, z = np.empty((n, 2)), rng.normal(size=2)
    for t in range(n):
        z = turn @ z + kicks[t]
        out[t] = z
    return Series.from_array(out, interval=interval, unit="s")


def test_divergence_of_counts():
    p, q = np.array([3.0, 1.0]), np.array([1.0, 3.0])
    assert divergence_of(1e9 * p, 1e9 * q) == pytest.approx(0.75 * np.log(3) - 0.25 * np.log(3), rel=1e-6)
    assert divergence_of(p, p) == 0
    assert np.isfinite(divergence_of(np.array([5.0, 0, 0]), np.array([0.0, 5, 0])))


def test_patterns_read_backwards():
    for order in (2, 3, 4):
        back = reversed_patterns(order)
        np.testing.assert_array_equal(back[back], np.arange(len(back)))
        x = np.random.default_rng(0).normal(size=500)
        forward = np.bincount(ordinal_patterns(x, order), minlength=len(back))
        turned = np.bincount(ordinal_patterns(x[::-1].copy(), order), minlength=len(back))
        np.testing.assert_array_equal(turned, forward[back])


def test_ordinal_divergence_of_a_walk_is_its_closed_form():
    # Steps up with probability p: D = (2 p - 1) ln(p / (1 - p)) for pairs of values.
    rng, p = np.random.default_rng(0), 0.7
    walk = np.cumsum(np.where(rng.random(200_000) < p, 1.0, -1.0) * rng.uniform(0.5, 1.5, 200_000))
    assert ordinal_divergence(walk, 2, 1) == pytest.approx(0.4 * np.log(0.7 / 0.3), abs=0.01)


def test_visibility_agrees_with_looking_at_all_pairs():
    x = np.random.default_rng(0).integers(0, 6, 80).astype(float)  # with equal values
    before, after = np.zeros((2, 80), dtype=int)
    for i in range(80):
        for j in range(i + 1, 80):
            if j == i + 1 or x[i + 1 : j].max() < min(x[i], x[j]):
                after[i] += 1
                before[j] += 1
    for mine, theirs in zip(visibility_degrees(x), (before, after), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_visibility_divergence_of_the_logistic_map_is_the_published_one():
    # Lacasa et al. (2012), table 1: 0.377 for the logistic map at r = 4, 3.5e-6 for white noise of 10^6 values.
    assert visibility_divergence(logistic(1_000_000)) == pytest.approx(0.377, abs=0.004)
    assert visibility_divergence(np.random.default_rng(0).random(1_000_000)) < 1e-4


def test_degrees_of_noise_fall_by_halves():
    after = visibility_degrees(np.random.default_rng(1).random(400_000))[1]
    share = np.bincount(after)[1:6] / len(after)
    np.testing.assert_allclose(share, 0.5 ** np.arange(1, 6), atol=0.003)


@pytest.mark.parametrize("name", NAMES)
def test_chaos_runs_forward_and_linear_noise_either_way(name):
    for x in (logistic(2000), henon(2000)[:, 0].copy()):
        found = getattr(takens, name)(x)
        assert found.details["p_value"] == 0.01
        assert found.interval[0] <= found.value <= found.interval[1]
    noise = getattr(takens, name)(autoregressive(2000, 0.8, seed=3) ** 3)
    assert noise.details["p_value"] > 0.05


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.long
def test_false_alarms_are_5_percent(name):
    runs = 200
    p = [
        getattr(takens, name)(autoregressive(500, 0.8, s) ** 3, surrogates=39).details["p_value"]
        for s in range(runs)
        for seed in range(runs)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_interval_of_the_asymmetry_covers_the_long_run_value():
    def sawtooth(n: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return np.convolve(rng.exponential(size=n + 50), np.exp(-np.arange(50) / 4), "valid")  # jumps up, falls slowly

    truth = float(time_reversal_asymmetry(sawtooth(2_000_000, 0), 1))
    inside = 0
    for seed in range(60):
        found = takens.time_irreversibility(sawtooth(1000, seed + 1), delays=1, surrogates=19)
        low, high = found.interval
        inside += low <= truth <= high
    assert inside / 60 >= 0.7  # a bootstrap of third moments is short of its 90 %


@pytest.mark.parametrize(("forth", "back"), [(2.0, 0.5), (1.5, 1.0)])
def test_entropy_production_of_a_driven_ring(forth, back):
    truth = (forth - back) * np.log(forth / back)
    inside = 0
    for seed in range(40):
        found = jump_entropy_production(*driven_ring(3000, forth, back, seed), seed=seed)
        low, high = found.interval
        inside += low <= truth <= high
        assert found.admissible
    assert 0.75 <= inside / 40 <= 1
    long = jump_entropy_production(*driven_ring(200_000, forth, back))
    assert float(long) == pytest.approx(truth, rel=0.03)


def test_a_ring_in_equilibrium_produces_nothing():
    found = jump_entropy_production(*driven_ring(20_000, 1.0, 1.0))
    assert found.value < 0.01


def test_jumps_that_cannot_be_measured_say_so():
    with pytest.raises(InsufficientData, match="never changes"):
        jump_entropy_production(np.zeros(50), 1.0)
    with pytest.raises(DataError, match="duration"):
        jump_entropy_production([0, 1] * 20, 0.0)
    one_way = jump_entropy_production(np.arange(60) % 3, 60.0)
    assert not one_way.admissible
    assert "one direction" in one_way.reason


@pytest.mark.parametrize("omega", [1.0, 2.0])
def test_entropy_production_in_the_plane_is_a_tight_bound(omega):
    found = takens.entropy_production(turning(50_000, omega, 0.02, seed=1))
    truth = 2 * omega**2
    assert 0.8 * truth < float(found) < 1.05 * truth
    assert found.unit == "nat/s"
    assert found.details["p_value"] < 1e-6
    assert takens.entropy_production(turning(50_000, 0.0, 0.02)).value < 0.01


def test_equilibrium_is_rejected_in_5_percent():
    runs = 200
    p = [circulation_test(currents(*turning(1000, 0.0, 0.05, seed).values.T)) for seed in range(runs)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_currents_change_sign_with_time():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    np.testing.assert_allclose(currents(x, y).sum(axis=0), -currents(x[::-1], y[::-1]).sum(axis=0), atol=1e-12)
