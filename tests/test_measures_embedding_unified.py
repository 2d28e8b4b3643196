"""Continuity, Uzal's cost and PECUZAL: slow counts, functions and noise, known systems."""

from __future__ import annotations

import numpy as np
import pytest
from systems import henon, lorenz63, roessler

from takens.errors import DataError, SettingError
from takens.measures.embedding import continuity, pecuzal, uzal_cost


def test_cost_agrees_with_a_slow_count():
    x = lorenz63(10_000)[:300]
    k, horizon, theiler = 3, 4, 10
    ratios, inverse = np.zeros((300 - horizon, horizon)), 0.0
    for i in range(300 - horizon):
        apart = np.linalg.norm(x[: 300 - horizon] - x[i], axis=1)
        apart[max(i - theiler, 0) : i + theiler + 1] = np.inf
        ball = [i, *np.argsort(apart)[:k]]
        eps = sum(np.sum((x[a] - x[b]) ** 2) for n, a in enumerate(ball) for b in ball[:n]) * 2 / (k * (k + 1))
        spread = []
        for t in range(1, horizon + 1):
            ahead = x[np.array(ball) + t]
            spread.append(np.sum((ahead - ahead.mean(axis=0)) ** 2) / (k + 1))
            ratios[i, t - 1] = np.mean(spread) / eps
        inverse += 1 / eps
    expected = np.log10(np.sqrt(ratios.mean(axis=0) / inverse))
    np.testing.assert_allclose(uzal_cost(x, k=k, horizon=horizon, theiler=theiler), expected, rtol=1e-10)


def test_cost_is_lowest_where_the_attractor_is_unfolded():
    x = henon(3000)[:, 0]
    one, two, six = (np.stack([x[k : len(x) - 6 + k] for k in range(m)], axis=1) for m in (1, 2, 6))
    assert uzal_cost(two, horizon=1) < uzal_cost(one, horizon=1)
    assert uzal_cost(two, horizon=1) < uzal_cost(six, horizon=1)


def test_continuity_is_small_for_functions_and_large_for_others():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(3000, 2)), rng.normal(size=3000)
    function = np.sin(x[:, 0]) + x[:, 1] ** 2
    small, large = continuity(x, np.column_stack([function, noise]))
    assert small < 0.25
    # Of 5 to 13 independent standard normal values the required ones lie well apart.
    assert large > 0.5
    assert continuity(x, 3 * noise)[0] == pytest.approx(3 * large)
    with pytest.raises(SettingError):
        continuity(x, noise, alpha=1e-9)
    with pytest.raises(DataError):
        continuity(x[:20], noise[:20])


def test_pecuzal_of_known_systems():
    found = pecuzal(henon(3000)[:, 0], theiler=1)
    assert (found.delays, found.channels) == ((0, 1), (0, 0))
    x = roessler(10_000)[:4000, 0]
    found = pecuzal(x, theiler=57)
    assert found.vectors.shape[1] == 3
    assert found.first == max(found.delays)
    assert all(gain < 0 for gain in found.gains)
    z = (x - x.mean()) / x.std()
    for column, delay in zip(found.vectors.T, found.delays, strict=True):
        np.testing.assert_allclose(column, z[found.first - delay : len(z) - delay], atol=1e-12)


def test_pecuzal_of_several_channels_uses_more_than_one():
    found = pecuzal(lorenz63(10_000)[:2500], theiler=20, max_delay=20)
    assert len(set(found.channels)) >= 2


@pytest.mark.parametrize("channels", [1, 2])
def test_pecuzal_finds_nothing_in_noise(channels):
    found = pecuzal(np.random.default_rng(channels).normal(size=(2000, channels)), theiler=1, max_delay=20)
    assert found.delays == (0,)
    assert found.gains == ()


def test_coarse_values_and_refusals():
    found = pecuzal(np.round(lorenz63(10_000)[:1500, 0]), theiler=20, max_delay=15, max_dimension=3)
    assert np.isfinite(found.vectors).all()
    for data in (np.ones(500), np.array([1.0, np.nan] * 200), np.zeros((5, 5, 5)), np.arange(60.0)):
        with pytest.raises(DataError):
            pecuzal(data)
    with pytest.raises(SettingError):
        pecuzal(np.random.default_rng(0).normal(size=500), max_delay=0)
