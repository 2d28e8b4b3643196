"""Stationarity: size on noise and chaos, power against trend, step, variance and spectrum changes."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens.measures.stationarity import slow_share, stationarity


def test_slow_share_of_known_features():
    blocks = 24
    slow = np.cos(np.pi * (np.arange(blocks) + 0.5) / blocks)[:, None]
    fast = np.cos(np.pi * 10 * (np.arange(blocks) + 0.5) / blocks)[:, None]
    order = np.arange(blocks)[None]
    assert slow_share(slow, order, 3) == pytest.approx(1)
    assert slow_share(fast, order, 3) == pytest.approx(0, abs=1e-12)
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(blocks), (20_000, 1)), axis=1)
    assert slow_share(slow, orders, 3).mean() == pytest.approx(3 / (blocks - 1), rel=0.03)


def rejected(make, runs=100):
    p = [stationarity(make(seed), permutations=199, seed=seed) for seed in range(runs)]
    return np.mean([estimate.value <= 0.05 for estimate in p if estimate.admissible])


@pytest.mark.parametrize(("phi", "length"), [(0.0, 500), (0.7, 1000), (0.9, 4000)])
def test_size_on_red_noise(phi, length):
    # 5 % nominal over 150 runs: three standard errors are 5.3 %.
    assert rejected(lambda seed: autoregressive(length, phi, seed), 150) <= 0.105


@pytest.mark.long
def test_size_on_strong_red_noise():
    assert rejected(lambda seed: autoregressive(20_000, 0.95, seed), 300) <= 0.09


def test_chaos_and_clean_cycles_are_stationary():
    assert stationarity(lorenz63(10_000)[:, 0]).value > 0.05
    assert rejected(lambda seed: henon(1000, seed)[:, 0], 40) <= 0.15
    assert stationarity(np.sin(np.arange(3000) * 0.0712)).value > 0.05


@pytest.mark.parametrize(
    ("change", "guilty"),
    [
        (lambda x, s: x + s, "mean"),
        (lambda x, s: x + (s > 0.5), "mean"),
        (lambda x, s: x * (1 + 0.5 * s), "spread"),
        (lambda x, s: np.where(s < 0.5, x, np.convolve(x, [0.7, 0.7], "same")), "roughness"),
    ],
    ids=["trend", "step", "variance", "spectrum"],
)
def test_power(change, guilty):
    share = np.arange(2000) / 2000
    for seed in range(5):
        estimate = stationarity(change(np.random.default_rng(seed).normal(size=2000), share))
        assert estimate.value <= 0.05
        names = estimate.details["names"]
        assert estimate.details["p_values"][names.index(guilty)] <= 0.01


def test_a_random_walk_cannot_be_judged():
    estimate = stationarity(np.cumsum(np.random.default_rng(0).normal(size=2000)))
    assert not estimate.admissible
    assert "12 are needed" in estimate.reason
