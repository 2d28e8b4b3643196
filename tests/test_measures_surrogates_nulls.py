"""Cyclic nulls and irregular times: the size of their tests under the null, and what they see."""

from __future__ import annotations

import numpy as np
import pytest
from systems import logistic, lorenz63, roessler

from takens import Series
from takens.measures.surrogates import cycle_memory, cycle_strengths, surrogate_test


def noisy_cycle(seed, observed, driven, length=600, period=23.7):
    """A limit cycle with a harmonic, a phase that diffuses, and noise of observation."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * (np.arange(length) / period + rng.random()) + driven * np.cumsum(rng.normal(size=length))
    return np.sin(phase) + 0.4 * np.cos(2 * phase) + observed * rng.normal(size=length)


def irregular_ornstein_uhlenbeck(seed, length, clustered, correlation_time=3.0):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.exponential(size=length)) if clustered else np.arange(length) + rng.uniform(-0.4, 0.4, length)
    x, step = rng.normal(size=length), np.exp(-np.diff(t) / correlation_time)
    for i in range(1, length):
        x[i] = step[i - 1] * x[i - 1] + np.sqrt(1 - step[i - 1] ** 2) * x[i]
    return Series(t, np.exp(x))


def rejections(make, method, runs):
    found = [surrogate_test(make(seed), method=method, surrogates=19, seed=seed) for seed in range(runs)]
    values = [estimate.value for estimate in found if estimate.admissible]
    return np.mean(np.array(values) <= 0.05), len(values)


def test_memory_of_cycles_by_hand():
    t = np.arange(1200)
    height = np.tile([1.0, 2.0], 12)
    x = np.repeat(height, 50) * np.sin(2 * np.pi * (t + 1) / 50)
    strengths = cycle_strengths(x, 50.0)
    # A sine of height h and period T has the sum of squares h^2 T / 2.
    np.testing.assert_allclose(np.sort(strengths)[[0, -1]], [25, 100], rtol=0.05)
    assert cycle_memory(strengths)[0] < -0.8  # equal heights have random ranks, which keeps it from -1
    # The logistic map has no autocorrelation, yet each value gives the next.
    correlation, error = cycle_memory(logistic(500))
    assert abs(correlation) < 0.1
    assert error < 0.3
    correlation, error = cycle_memory(np.random.default_rng(0).normal(size=2000))
    assert abs(correlation) < 0.07
    assert error == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("method", ["cycle_shuffle", "pseudo_periodic"])
def test_chaos_of_roessler_is_more_than_a_noisy_cycle(method):
    x = roessler(2400)[:, 0] + 0.1 * np.random.default_rng(0).normal(size=2400)
    found = surrogate_test(x, method=method, surrogates=19)
    assert found.details["names"][1] == "error of predicting the next cycle"
    assert found.value <= 0.1
    assert found.details["p_values"][1] == 1 / 20
    assert found.details["statistics"][0, 1] < 0.75


def test_few_cycles_are_refused():
    assert "whole cycles" in surrogate_test(noisy_cycle(0, 0.1, 0, 200), method="cycle_shuffle").reason


def test_false_alarms_of_cyclic_nulls_in_a_few_runs():
    # 5 % nominal: more than 9 of 60 has probability 0.1 %.
    assert rejections(lambda seed: noisy_cycle(seed, 0.2, 0.05), "cycle_shuffle", 60)[0] <= 9 / 60


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "runs", "error"), [("cycle_shuffle", 2000, 0.01), ("pseudo_periodic", 400, 0.03), ("twin", 400, 0.03)]
)
@pytest.mark.parametrize(("observed", "driven"), [(0.05, 0.0), (0.2, 0.05)])
def test_size_of_cyclic_nulls(method, runs, error, observed, driven):
    # 5 % nominal; the standard error is 0.5 % for 2000 runs, 1.1 % for 400.
    share, count = rejections(lambda seed: noisy_cycle(seed, observed, driven), method, runs)
    if method == "twin" and observed > 0.1:
        assert count < runs  # noise leaves few twins, which is refused
        return
    assert count == runs
    assert share <= 0.05 + error
    assert share >= (0.0 if method == "twin" else 0.05 - error)


@pytest.mark.long
@pytest.mark.parametrize("clustered", [False, True])
def test_size_at_irregular_times(clustered):
    share, count = rejections(lambda seed: irregular_ornstein_uhlenbeck(seed, 80, clustered), None, 200)
    assert count == 200
    # 5 % nominal; the standard error of 200 runs is 1.5 %.
    assert share <= 0.1


def test_power_at_irregular_times():
    t = np.sort(np.random.default_rng(0).choice(3000, 400, replace=False))
    found = surrogate_test(Series(t * 0.01, lorenz63(3000, 0.01)[t, 0]), surrogates=39)
    assert found.settings["used"] == "the middle 250 of 400 values"
    assert found.value <= 0.05
