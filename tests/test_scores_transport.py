"""Sliced Wasserstein and Hausdorff distances and the topological error against closed forms and slow transcriptions."""

from __future__ import annotations

from math import gamma, pi, sqrt

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from systems import lorenz63, roessler

from takens.errors import DataError, SettingError
from takens.random import generator
from takens.scores import hausdorff, sliced_wasserstein, topological_error

LORENZ, ROESSLER = (0.9056, 0.0003, -14.572), (0.0714, 0.0001, -5.394)


@pytest.mark.parametrize("channels", [2, 3, 10])
def test_a_shift_moves_every_projection_by_its_component(channels):
    rng = np.random.default_rng(0)
    true = rng.normal(size=(3000, channels))
    true = (true - true.mean(axis=0)) / true.std(axis=0)
    away = rng.normal(size=channels)
    made = sliced_wasserstein(true + away, true, projections=4000)
    # E |theta . a| over the sphere is |a| Gamma(d / 2) / (sqrt(pi) Gamma((d + 1) / 2)).
    expected = np.linalg.norm(away) * gamma(channels / 2) / (sqrt(pi) * gamma((channels + 1) / 2))
    assert made.value == pytest.approx(expected, rel=0.04)
    assert made.unit == "standard deviations"


def test_gaussians_of_other_width_and_the_order_of_the_distance():
    rng = np.random.default_rng(1)
    true, wide = rng.normal(size=(100_000, 2)), 1.5 * rng.normal(size=(100_000, 2))
    # Quantiles of N(0, 1.5^2) and N(0, 1) differ by 0.5 |z|: mean 0.5 sqrt(2 / pi), root mean square 0.5.
    assert sliced_wasserstein(wide, true).value == pytest.approx(0.5 * sqrt(2 / pi), rel=0.03)
    assert sliced_wasserstein(wide, true, order=2.0).value == pytest.approx(0.5, rel=0.03)


def test_each_projection_agrees_with_scipy():
    true, run = lorenz63(2000), lorenz63(1500, seed=2) * 1.2
    made = sliced_wasserstein(run, true, projections=25, seed=4)
    directions = generator(4, "sliced_wasserstein").normal(size=(3, 25))
    directions /= np.linalg.norm(directions, axis=0)
    z = [(x - true.mean(axis=0)) / true.std(axis=0) @ directions for x in (run, true)]
    slow = np.mean([wasserstein_distance(z[0][:, k], z[1][:, k]) for k in range(25)])
    assert made.value == pytest.approx(slow, rel=0.005)


def test_legacy_reproduces_a_transcription():
    true, run = roessler(900), roessler(700, seed=3) + 0.3
    directions = generator(0, "sliced_wasserstein").normal(size=(3, 1000))
    directions /= np.linalg.norm(directions, axis=0)
    levels = np.linspace(0, 1, 3000)
    slow = [np.abs(np.quantile(run @ d, levels) - np.quantile(true @ d, levels)).mean() for d in directions.T]
    assert sliced_wasserstein(run, true, legacy="OODG").value == pytest.approx(np.mean(slow), rel=1e-9)


def test_another_run_is_near_the_floor_and_wrong_ones_are_not():
    true = lorenz63(6000)
    near = sliced_wasserstein(lorenz63(6000, seed=3), true)
    assert near.value < 2 * near.floor
    for bad in (np.zeros_like(true), true[:, [1, 0, 2]] * 1.5, np.tile(true[:60], (100, 1)), true * 1e12):
        assert sliced_wasserstein(bad, true).value > 2.5 * near.floor
    broken = true.copy()
    broken[50] = np.nan
    assert sliced_wasserstein(broken, true).value == np.inf
    with pytest.raises(SettingError):
        sliced_wasserstein(true, true, projections=0)


def test_hausdorff_agrees_with_the_double_loop():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(60, 3)), rng.normal(size=(40, 3))
    distance = np.linalg.norm(a[:, None] - b, axis=2)
    assert hausdorff(a, b) == pytest.approx(max(distance.min(axis=0).max(), distance.min(axis=1).max()))
    assert hausdorff(a, a) == 0
    assert hausdorff(np.full((3, 3), np.nan), a) == np.inf
    with pytest.raises(DataError):
        hausdorff(a, a[:, :2])


def test_topological_error_asks_for_place_signs_and_size():
    true = np.stack([lorenz63(3000, seed=k) for k in (0, 1)])
    same = np.stack([lorenz63(3000, seed=k) for k in (2, 3)])
    exact = [LORENZ, LORENZ]
    made = topological_error(same, true, exact, exact)
    assert made.value == 0.0
    assert made.details["hausdorff"][0] == pytest.approx(hausdorff(same[0], true[0]))
    # A negative estimate of the exponent along the flow is no error, nor is another order.
    assert topological_error(same, true, [(-14.5, 0.85, -0.02)] * 2, exact).value == 0.0
    legacy = topological_error(same, true, [(0.85, -0.02, -14.5), LORENZ], exact, radius=10.0, legacy="OODG")
    assert legacy.value == 0.5
    for wrong in ((0.3, 0.0, -14.0), (0.9, 0.5, -14.0), (-0.5, -1.0, -14.0), (np.nan, 0.0, -14.0)):
        assert topological_error(same, true, [wrong, LORENZ], exact).value == 0.5, wrong
    shifted = same.copy()
    shifted[1] += 60
    assert topological_error(shifted, true, exact, exact).value == 0.5
    shifted[1, 10] = np.inf
    assert "1 runs failed" in topological_error(shifted, true, exact, exact).reason
    with pytest.raises(SettingError, match="radius"):
        topological_error(same, true, exact, exact, legacy="OODG")
    with pytest.raises(DataError):
        topological_error(same, true, exact[:1], exact)


def test_topological_error_of_a_cycle_does_not_ask_for_a_relative_error_of_zero():
    t = np.arange(400) / 20
    cycle = np.column_stack([np.cos(t), np.sin(t)])
    found = topological_error(cycle * 1.01, cycle, [(-0.003, -2.1)], [(0.0001, -2.0)])
    assert found.value == 0.0
    assert topological_error(cycle, cycle, [(0.2, -2.1)], [(0.0001, -2.0)]).value == 1.0
    assert topological_error(roessler(2000), lorenz63(2000), [ROESSLER], [LORENZ]).value == 1.0
