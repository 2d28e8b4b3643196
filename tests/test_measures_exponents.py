"""Exponents from data: known values, coverage of intervals, definitions against slow oracles, and defined refusals."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63, roessler

from takens import Series
from takens.measures.divergence import (
    kantz_curve,
    lyapunov_exponent_kantz,
    lyapunov_exponent_rosenstein,
    rosenstein_curve,
    scaling_region,
    strip_order,
)
from takens.measures.exponent_spectrum import (
    closed_sum,
    kaplan_yorke,
    lyapunov_dimension,
    lyapunov_spectrum_from_data,
    matched,
)
from takens.measures.exponents import Neighbourhoods, Tangent, largest_lyapunov_exponent
from takens.measures.kernels.divergence import follow_pairs, nearest_in_strips
from takens.measures.kernels.tangent import local_maps, tangent_growth
from takens.neighbours import delay_vectors, nearest


@pytest.mark.parametrize("channel", [0, 1, 2], ids="xyz")
def test_every_channel_of_lorenz_gives_the_exponent(channel):
    x = Series.from_array(lorenz63(10_000)[:, channel], interval=0.02, unit="s")
    estimate = largest_lyapunov_exponent(x, level=0.95)
    assert estimate.unit == "1/s"
    assert float(estimate) == pytest.approx(0.9056, rel=0.15)
    assert estimate.interval[0] <= 0.9056 <= estimate.interval[1]
    assert len(estimate.details["members"]) == estimate.settings["members"]


def test_slow_chaos_of_roessler():
    estimate = largest_lyapunov_exponent(Series.from_array(roessler(10_000, 0.2)[:, 0], interval=0.2), level=0.95)
    assert estimate.interval[0] <= 0.0714 <= estimate.interval[1]
    assert float(estimate) == pytest.approx(0.0714, rel=0.15)


@pytest.mark.long
@pytest.mark.parametrize(
    ("record", "interval", "truth"),
    [
        (lambda seed: henon(2000, seed)[:, 0], 1.0, 0.41922),
        (lambda seed: logistic(2000, seed=seed), 1.0, np.log(2)),
        (lambda seed: lorenz63(6000, 0.05, seed, 6)[:, 2], 0.05, 0.9056),
    ],
    ids=["henon", "logistic", "lorenz z"],
)
def test_intervals_cover_the_truth(record, interval, truth):
    runs = 40
    found = [largest_lyapunov_exponent(Series.from_array(record(seed), interval=interval), level=0.95)
             for seed in range(runs)]  # fmt: skip
    held = sum(e.admissible and e.interval[0] <= truth <= e.interval[1] for e in found)
    assert held >= 34  # 34 of 40: what nominal 95 % falls below once in 200
    width = np.mean([(e.interval[1] - e.interval[0]) / 2 for e in found])
    assert width < 0.15 * truth


def test_the_two_curves_give_the_exponent_within_their_systematic_error():
    x = henon(4000)[:, 0]
    for measure in (lyapunov_exponent_rosenstein, lyapunov_exponent_kantz):
        estimate = measure(x)
        assert float(estimate) == pytest.approx(0.4192, rel=0.07)
        assert estimate.interval[0] <= 0.4192 <= estimate.interval[1]
    assert lyapunov_exponent_kantz(x).settings["radius"] > 0
    assert not lyapunov_exponent_kantz(x, radius=-1.0).admissible
    assert "longer record" in lyapunov_exponent_kantz(x, radius=1e-9).reason


def test_rosenstein_curve_is_the_definition():
    points = delay_vectors(henon(400)[:, 0], 2, 1)
    lags = np.array([0, 1, 3, 7])
    sums, counts = rosenstein_curve(points, 5, lags, closest=1.0)
    usable = len(points) - 7
    expected = np.zeros(4)
    for i in range(usable):
        distance = np.linalg.norm(points[:usable] - points[i], axis=1)
        distance[np.abs(np.arange(usable) - i) <= 5] = np.inf
        j = int(np.argmin(distance))
        expected += [np.log(np.linalg.norm(points[i + k] - points[j + k])) for k in lags]
    np.testing.assert_allclose(sums.sum(axis=0), expected, rtol=1e-10)
    np.testing.assert_array_equal(counts.sum(axis=0), usable)


@pytest.mark.parametrize("theiler", [0, 30, 250])
@pytest.mark.parametrize("kind", ["noise", "line", "walk", "flow", "rounded", "rows"])
def test_strips_find_the_nearest_neighbour(kind, theiler):
    rng = np.random.default_rng(theiler)
    points = {
        "noise": rng.normal(size=(400, 6)),
        "line": rng.normal(size=(400, 1)),
        "walk": rng.normal(size=(400, 3)).cumsum(axis=0),
        "flow": delay_vectors(np.sin(np.arange(420) / 5) + np.sin(np.arange(420) / 7), 3, 10),
        "rounded": rng.normal(size=(400, 2)).round(1),
        "rows": np.stack([np.arange(400) % 2, 1e-9 * rng.normal(size=400)], axis=1),
    }[kind]
    square, near = nearest_in_strips(points, *strip_order(points), theiler)
    n = len(points)
    table = np.array([((points - p) ** 2).sum(axis=1) for p in points])
    table[(table == 0) | (np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= theiler)] = np.inf
    np.testing.assert_allclose(square, table.min(axis=1), rtol=1e-12)
    found = np.isfinite(square)
    assert found.all() == (theiler < 200)
    np.testing.assert_allclose(table[np.flatnonzero(found), near[found]], square[found], rtol=1e-12)
    assert (near[~found] == -1).all()


@pytest.mark.parametrize("lags", [np.arange(3, 43), np.array([0, 2, 50])])
def test_followed_pairs_sum_their_logarithms_at_any_size(lags):
    # Equal points, distances whose squares are subnormal, and products far beyond the range of a number.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6000, 2)) * 10.0 ** rng.integers(-120, 120, size=(6000, 1))
    points[100:160], points[3000:3060] = 5.0, 5.0
    points[200:260], points[3100:3160] = 1e-158, 2e-158
    own, near = np.arange(2900), np.arange(2900) + 2900
    label = own * 3 // 2900
    sums, counts = follow_pairs(np.ascontiguousarray(points.T), own, near, lags, label, 3)
    square = ((points[own[:, None] + lags] - points[near[:, None] + lags]) ** 2).sum(axis=2)
    assert (square == 0).any()
    assert ((square > 0) & (square < np.finfo(float).tiny)).any()
    logs = np.where(square > 0, 0.5 * np.log(np.where(square > 0, square, 1)), 0)
    for b in range(3):
        np.testing.assert_allclose(sums[b], logs[label == b].sum(axis=0), rtol=1e-12)
        np.testing.assert_array_equal(counts[b], (square > 0)[label == b].sum(axis=0))


def test_kantz_curve_is_the_definition():
    points = delay_vectors(henon(400)[:, 0], 2, 1)
    lags = np.array([0, 1, 4])
    sums, counts = kantz_curve(points, 5, lags, radius=0.3, least=2, most=1000)
    total, used = np.zeros(3), 0
    for i in range(len(points) - 4):
        distance = np.linalg.norm(points[: len(points) - 4] - points[i], axis=1)
        near = np.flatnonzero((distance <= 0.3) & (np.abs(np.arange(len(distance)) - i) > 5))
        if len(near) >= 2:
            total += [np.mean(np.log(np.linalg.norm(points[i + k] - points[near + k], axis=1))) for k in lags]
            used += 1
    np.testing.assert_allclose(sums.sum(axis=0), total, rtol=1e-10)
    np.testing.assert_array_equal(counts.sum(axis=0), used)


def test_local_maps_of_a_linear_rule_are_that_rule():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(500, 3))
    ahead = points @ np.array([0.3, -1.2, 0.7]) + 2
    own = np.arange(0, 500, 7)
    near = nearest(points, points[own], k=15, exclude=own)[1]
    rows, errors = local_maps(points, ahead, own, near, 1e-6)
    np.testing.assert_allclose(rows, np.tile([0.3, -1.2, 0.7], (len(own), 1)), atol=1e-6)
    np.testing.assert_allclose(errors, 0, atol=1e-8)


def test_growth_under_one_companion_matrix_is_its_eigenvalues():
    row = np.array([0.2, 0.5])  # x_{n+1} = 0.5 x_n + 0.2 x_{n-1}: oldest entry first
    growth = tangent_growth(np.tile(row, (2000, 1)))[200:].mean(axis=0)
    np.testing.assert_allclose(np.sort(growth), np.sort(np.log(np.abs(np.roots([1, -0.5, -0.2])))), rtol=1e-6)


def test_too_few_neighbours_and_noise_have_defined_answers():
    assert Neighbourhoods.of(henon(30)[:, 0], 4, 1, 5) is None
    estimate = largest_lyapunov_exponent(autoregressive(1000, 0.5))
    assert estimate.value is None
    assert "standard deviations" in estimate.reason
    coarse = largest_lyapunov_exponent(np.round(henon(1000)[:, 0]))
    assert not coarse.admissible
    slow = largest_lyapunov_exponent(lorenz63(10_000)[:900, 0])
    assert "mean periods" in slow.reason


@pytest.mark.parametrize("frequencies", [(1.0,), (1.0, 2**0.5)], ids=["sine", "quasi-periodic"])
def test_regular_motion_has_exponent_zero(frequencies):
    x = sum(np.sin(0.0712 * f * np.arange(5000)) for f in frequencies)
    estimate = largest_lyapunov_exponent(x)
    assert estimate.interval[0] <= 0 <= estimate.interval[1]
    assert abs(estimate.value) < 0.001


def test_noisy_rhythms_have_no_positive_exponent():
    rng = np.random.default_rng(0)
    phase = 0.1 * np.arange(5000) + np.cumsum(0.01 * rng.normal(size=5000))
    for x in (np.sin(phase), np.sin(0.1712 * np.arange(5000)) ** 9 + 0.02 * rng.normal(size=5000)):
        estimate = largest_lyapunov_exponent(x)
        assert not (estimate.admissible and estimate.interval[0] > 0)


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_observation_noise_is_refused_not_read_as_chaos(noise):
    rng = np.random.default_rng(1)
    for clean, step in ((lorenz63(10_000)[:, 0], 0.02), (roessler(10_000, 0.2)[:, 0], 0.2), (logistic(5000), 1.0)):
        noisy = clean + noise * np.std(clean) * rng.normal(size=len(clean))
        estimate = largest_lyapunov_exponent(Series.from_array(noisy, interval=step))
        assert not estimate.admissible
        assert "noise" in estimate.reason


def test_neighbourhoods_are_extrapolated_to_size_zero():
    # Growth 1 + 0.1 r: the size itself gives a tenth more, linear extrapolation takes all of it off, squares a third.
    tangent = Tangent(1, 1, 0.0, np.full((40, 1), 1.1), np.array([1.2]), 2.0, 0.0, 0.0)
    value, half = tangent.limits()
    assert value[0] == pytest.approx(1.1 - 0.1 * (1 + 1 / 3) / 2)
    assert half[0] == pytest.approx(0.1 * (1 - 1 / 3) / 2)


def test_scaling_region_of_a_known_curve():
    lags = np.arange(60)
    curve = np.minimum(0.2 * lags - 5, 1.0)
    region = scaling_region(lags, curve, 4, 1.0)
    assert (region.first, region.last, region.reason) == (4, 25, "")
    diffusion = 2 * np.log(lags + 1) - 8
    assert "power of time" in scaling_region(lags, diffusion, 20, 9.0).reason
    slowing = scaling_region(lags, diffusion, 2, 9.0)
    assert slowing.bent
    assert "slows" in slowing.reason
    assert not scaling_region(lags, np.zeros(60), 2, 9.0).bent


def test_spectrum_of_henon_and_lorenz():
    estimate = lyapunov_spectrum_from_data(henon(5000)[:, 0], embedding_dimension=2, delay=1)
    assert estimate.value[0] == pytest.approx(0.4192, rel=0.05)
    assert estimate.value[1] == pytest.approx(np.log(0.3) - 0.4192, rel=0.06)
    assert estimate.details["kaplan_yorke"] == pytest.approx(1.258, abs=0.03)
    assert estimate.details["persistent"].all()
    x = Series.from_array(lorenz63(10_000)[:, 0], interval=0.02)
    flow = lyapunov_spectrum_from_data(x, embedding_dimension=3)
    assert flow.value[0] == pytest.approx(0.9056, rel=0.12)
    assert abs(flow.value[1]) < 0.1  # along the flow
    assert flow.value[2] < -5
    assert flow.details["kaplan_yorke"] == pytest.approx(2.06, abs=0.06)
    assert flow.interval[0][0] <= 0.9056 <= flow.interval[1][0]
    assert lyapunov_spectrum_from_data(autoregressive(1000, 0.5)).value is None


def test_kaplan_yorke_and_partners():
    assert kaplan_yorke(np.array([0.9056, 0.0, -14.5723])) == pytest.approx(2 + 0.9056 / 14.5723)
    assert kaplan_yorke(np.array([-1.0, -2.0])) == 0
    assert kaplan_yorke(np.array([1.0, -0.5])) is None
    few = np.full(2, 0.01)
    assert matched(np.array([1.0, -3.0]), few, np.array([0.99, -2.0]), few).tolist() == [True, False]
    assert matched(np.array([1.0, 1.01]), few, np.array([1.0]), few[:1]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("record", "interval", "truth", "width"),
    [
        (henon(4000)[:, 0], 1.0, 1.2583, 0.15), (lorenz63(10_000)[:, 0], 0.02, 2.0621, 0.06),
        (roessler(5000, 0.2)[:, 0], 0.2, 2.0134, 0.12), (logistic(2000), 1.0, 1.0, 0.01),
    ],
    ids=["henon", "lorenz", "roessler", "logistic"],
)  # fmt: skip
def test_lyapunov_dimension_is_bounded_on_both_sides(record, interval, truth, width):
    estimate = lyapunov_dimension(Series.from_array(record, interval=interval), level=0.95)
    assert estimate.admissible, estimate.reason
    low, high = estimate.interval
    assert low <= truth <= high
    assert high - truth < width
    assert len(estimate.details["exponents"]) == estimate.settings["embedding_dimension"]


def test_lyapunov_dimension_of_noise_and_cycles():
    assert lyapunov_dimension(autoregressive(1000, 0.5)).value is None
    noisy = lorenz63(10_000)[:, 0] + 0.3 * np.random.default_rng(0).normal(size=10_000)
    assert not lyapunov_dimension(noisy).admissible
    assert float(lyapunov_dimension(np.sin(0.0712 * np.arange(5000)))) == pytest.approx(1, abs=0.01)


def test_closed_sum_of_known_growth():
    rng = np.random.default_rng(0)
    growth = np.array([-14.57, 0.9, 0.0]) + 0.01 * rng.normal(size=(4000, 3))
    j, dimension = closed_sum(growth)
    assert j == 2
    assert dimension == pytest.approx(2 + 0.9 / 14.57, abs=1e-3)
    assert closed_sum(np.abs(growth[:, 1:])) is None
    assert closed_sum(growth[:, :1]) == (0, 0.0)
