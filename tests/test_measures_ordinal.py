"""Ordinal patterns: exact distributions, published values, ordpy as an oracle, ties, sampling rule, intervals."""

from __future__ import annotations

from math import factorial

import numpy as np
import ordpy
import pytest
from systems import henon, logistic, lorenz63

from takens.errors import SettingError
from takens.measures.ordinal import (
    break_ties,
    complexity_limits,
    entropy_complexity,
    ordinal_patterns,
    permutation_entropy,
    statistical_complexity,
)


def test_exact_distributions():
    logistic4 = np.array([1 / 3, 1 / 15, 4 / 15, 2 / 15, 1 / 5, 0])
    np.testing.assert_allclose(entropy_complexity(logistic4), (0.831445, 0.165767), atol=1e-6)
    brownian = np.array([1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4])
    np.testing.assert_allclose(entropy_complexity(brownian), (0.967132, 0.030602), atol=1e-6)
    np.testing.assert_allclose(entropy_complexity(np.ones(24)), (1, 0), atol=1e-12)
    np.testing.assert_allclose(entropy_complexity(np.eye(24)[0]), (0, 0), atol=1e-12)


def test_the_published_seven_values():
    # Bandt and Pompe's example: order 2, 0.9183 bit; order 3, 0.5888 of ln 6.
    x = [4.0, 7, 9, 10, 6, 11, 3] * 1
    counts = np.bincount(ordinal_patterns(np.array(x), 2), minlength=2).astype(float)
    assert entropy_complexity(counts)[0] == pytest.approx(0.9183, abs=1e-4)
    counts = np.bincount(ordinal_patterns(np.array(x), 3), minlength=6).astype(float)
    assert entropy_complexity(counts)[0] == pytest.approx(0.5888, abs=1e-4)


@pytest.mark.parametrize(
    ("system", "order", "h", "c", "patterns"),
    [
        ("logistic", 4, 0.7388, 0.2918, 12),
        ("logistic", 5, 0.6798, 0.3991, 31),
        ("logistic", 6, 0.6294, 0.4841, 75),
        ("henon", 4, 0.6882, 0.3101, 14),
        ("henon", 5, 0.6158, 0.4046, 29),
        ("henon", 6, 0.5551, 0.4588, 63),
        ("brownian", 4, 0.9383, 0.0702, 24),
        ("brownian", 5, 0.9149, 0.1204, 120),
        ("brownian", 6, 0.8956, 0.1791, 720),
    ],
)
def test_published_values(system, order, h, c, patterns):
    n = 100_000
    x = {
        "logistic": lambda: logistic(n),
        "henon": lambda: henon(n)[:, 0],
        "brownian": lambda: np.cumsum(np.random.default_rng(0).normal(size=n)),
    }[system]()
    entropy = permutation_entropy(x, order=order, delay=1)
    complexity = statistical_complexity(x, order=order, delay=1)
    assert float(entropy) == pytest.approx(h, abs=0.003)
    assert float(complexity) == pytest.approx(c, abs=0.003)
    assert factorial(order) - entropy.details["missing_patterns"] == patterns


@pytest.mark.parametrize(("order", "delay"), [(3, 1), (4, 3), (5, 2), (6, 1)])
def test_agrees_with_ordpy(order, delay):
    x = np.random.default_rng(1).normal(size=4000).cumsum()
    h, c = ordpy.complexity_entropy(x, dx=order, taux=delay)
    assert permutation_entropy(x, order=order, delay=delay).value == pytest.approx(h, abs=1e-12)
    assert statistical_complexity(x, order=order, delay=delay).value == pytest.approx(c, abs=1e-12)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_limits_agree_with_ordpy(order):
    low, high = complexity_limits(order, 2000)
    least = ordpy.minimum_complexity_entropy(dx=order, size=719)
    most = ordpy.maximum_complexity_entropy(dx=order)
    np.testing.assert_allclose(np.interp(least[:, 0], *low.T), least[:, 1], atol=1e-3)
    np.testing.assert_allclose(np.interp(most[:, 0], *high.T), most[:, 1], atol=2e-3)


def test_limits_enclose_random_distributions():
    low, high = complexity_limits(4, 1000)
    p = np.random.default_rng(0).dirichlet(np.full(24, 0.3), 2000)
    h, c = entropy_complexity(p)
    assert (c >= np.interp(h, *low.T) - 1e-3).all()
    assert (c <= np.interp(h, *high.T) + 1e-3).all()


def test_ties_are_broken_at_random_or_by_order():
    coarse = np.random.default_rng(0).integers(0, 3, 20_000).astype(float)
    # Three equally likely values: by order of appearance, ties look like rising patterns; random breaking is fair.
    assert permutation_entropy(coarse, order=3, delay=1, ties="random").value > 0.999
    assert permutation_entropy(coarse, order=3, delay=1, ties="order").value < 0.97
    assert "repeat" in permutation_entropy(coarse, order=3, delay=1).reason
    ranks = break_ties(coarse, np.random.default_rng(0))
    assert sorted(ranks) == list(range(20_000))
    assert (np.diff(coarse[np.argsort(ranks)]) >= 0).all()
    with pytest.raises(SettingError, match="ties"):
        permutation_entropy(coarse, ties="first")


def test_sampling_rule_is_invariant_under_resampling():
    fine, coarse = lorenz63(10_000)[:, 0], lorenz63(10_000)[::2, 0]
    first, second = permutation_entropy(fine), permutation_entropy(coarse)
    assert 0.3 <= first.details["pattern_time_ratio"] <= 0.5
    assert 0.3 <= second.details["pattern_time_ratio"] <= 0.5
    assert first.value == pytest.approx(second.value, abs=0.03)
    assert permutation_entropy(henon(3000)[:, 0]).settings["delay"] == 1


def test_interval_covers_the_long_run_value():
    truth, runs = 0.6798, 100
    inside = sum(
        low <= truth <= high
        for low, high in (permutation_entropy(logistic(2000, seed=s), order=5, delay=1).interval for s in range(runs))
    )
    assert 0.80 <= inside / runs <= 0.98


def test_too_few_patterns_are_not_admissible():
    estimate = permutation_entropy(np.random.default_rng(0).normal(size=300), order=5)
    assert not estimate.admissible
    assert "600" in estimate.reason
    assert permutation_entropy(np.random.default_rng(0).normal(size=300)).settings["order"] == 4
    with pytest.raises(SettingError, match="order"):
        permutation_entropy(np.arange(100.0), order=12)
