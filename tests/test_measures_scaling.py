"""Detrended fluctuations and their exponent: slow oracles, exact expectations, coverage, crossovers."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

import takens
from takens.errors import SettingError
from takens.measures.scaling import (
    detrended_fluctuation_exponent,
    detrended_fluctuations,
    expected_fluctuations,
    fractional_gaussian_noise,
)
from takens.measures.scaling.crossover import find_kink
from takens.measures.scaling.fluctuation import polynomials


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def slow_variances(x, size, order, start=0):
    """Residual variances of np.polyfit in windows from `start` on."""
    profile = np.cumsum(x - x.mean())
    k = np.arange(size)
    windows = [profile[i : i + size] for i in range(start, len(x) - size + 1, size)]
    return [np.mean((w - np.polyval(np.polyfit(k, w, order), k)) ** 2) for w in windows]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_residual_variances_are_those_of_least_squares(rng, order):
    x = rng.normal(size=400)
    for size in (7, 20, 57, 123):
        found = detrended_fluctuations(x, [size], order).variances[0]
        forward = slow_variances(x, size, order)
        np.testing.assert_allclose(found[: len(forward)], forward, rtol=1e-9)
        backward = slow_variances(x, size, order, start=len(x) % size)
        if len(found) > len(forward):
            np.testing.assert_allclose(found[len(forward) :], backward, rtol=1e-9)
        else:
            assert len(x) % size <= len(x) / 100


def test_a_strong_trend_leaves_the_residuals_exact(rng):
    # Sums of squares would cancel: the profile of 1e6 t is a parabola of height 1e11.
    x = rng.normal(size=1000)
    steep = x + 1e6 * np.arange(1000)
    plain = detrended_fluctuations(x, [50], 2).variances[0]
    np.testing.assert_allclose(detrended_fluctuations(steep, [50], 2).variances[0], plain, rtol=1e-3)


@pytest.mark.parametrize("size", [64, 107, 1000, 6001])
@pytest.mark.parametrize("kind", ["noise", "walk", "smooth", "far from 0"])
def test_long_windows_lose_no_digits(rng, kind, size):
    # Residuals in extended precision; windows begin and end within the stretches they are put together from.
    noise = rng.normal(size=20_011)
    smooth = np.sin(np.arange(20_011) / 3000) + 1e-3 * noise
    x = {"noise": noise, "walk": noise.cumsum(), "smooth": smooth, "far from 0": noise + 1e6}[kind]
    profile = np.cumsum(x - x.mean()).astype(np.longdouble)
    k = np.arange(size, dtype=np.longdouble) - np.longdouble(size - 1) / 2
    slow = []
    for start in (0, len(x) % size)[: 1 + (len(x) % size > len(x) / 100)]:
        windows = profile[start : start + len(x) // size * size].reshape(-1, size)
        windows = windows - windows.mean(axis=1, keepdims=True)
        slow.append(((windows - (windows @ k / (k @ k))[:, None] * k) ** 2).mean(axis=1))
    found = detrended_fluctuations(x, [size]).variances[0]
    np.testing.assert_allclose(found, np.concatenate(slow).astype(float), rtol=3e-9 if size == 64 else 3e-10)


def test_polynomials_are_orthonormal():
    basis = np.concatenate([np.full((1, 100_000), 100_000**-0.5), polynomials(100_000, 3)])
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-12)


def test_fractional_noise_has_its_covariance(rng):
    for hurst in (0.2, 0.5, 0.9):
        x = fractional_gaussian_noise(rng, 64, hurst, 40_000)
        lag = np.arange(5.0)
        exact = (np.abs(lag + 1) ** (2 * hurst) - 2 * lag ** (2 * hurst) + np.abs(lag - 1) ** (2 * hurst)) / 2
        found = [np.mean(x[:, 10] * x[:, 10 + int(k)]) for k in lag]
        np.testing.assert_allclose(found, exact, atol=0.03)
        # The sum over the whole record is where an approximate method fails: its variance is N^(2H).
        assert np.var(x.sum(axis=1)) == pytest.approx(64 ** (2 * hurst), rel=0.03)
    with pytest.raises(SettingError, match="hurst"):
        fractional_gaussian_noise(rng, 10, 1.0)


@pytest.mark.parametrize(("hurst", "motion"), [(0.3, False), (0.5, False), (0.9, False), (0.3, True), (0.7, True)])
def test_expected_fluctuations_are_exact(rng, hurst, motion):
    scales = np.array([4, 7, 16, 50])
    x = fractional_gaussian_noise(rng, 1024, hurst, 400)
    x = np.cumsum(x, axis=1) if motion else x
    mean = np.mean([[v.mean() for v in detrended_fluctuations(row, scales).variances] for row in x], axis=0)
    expected = expected_fluctuations(scales, 1, hurst + motion, motion)
    ratio = mean / expected
    np.testing.assert_allclose(ratio / ratio[0], 1, atol=0.06)


def test_expected_fluctuation_of_white_noise_in_closed_form():
    # Order 1, windows of s: the residual variance of a random walk about its line is (s^2 - 4) / (15 s).
    scales = np.array([4, 5, 10, 100, 1000])
    # D_ij is the variance of y_j - y_i, and the mean square residual half of what the sum over pairs gives.
    np.testing.assert_allclose(
        expected_fluctuations(scales, 1, 0.5) / 2, (scales**2.0 - 4) / (15 * scales), rtol=1e-9
    )  # fmt: skip


def coverage(hurst, motion, runs, length):
    x = fractional_gaussian_noise(np.random.default_rng(11), length, hurst, runs)
    truth = hurst + motion
    found = [detrended_fluctuation_exponent(row) for row in (np.cumsum(x, axis=1) if motion else x)]
    inside = np.mean([e.interval[0] <= truth <= e.interval[1] for e in found])
    return inside, np.mean([e.value for e in found]), np.mean([not e.admissible for e in found])


def test_exponent_of_noise_and_motion_is_unbiased_and_covered():
    for hurst, motion in ((0.3, False), (0.7, False), (0.3, True)):
        inside, mean, refused = coverage(hurst, motion, 40, 2000)
        assert mean == pytest.approx(hurst + motion, abs=0.025)
        # Nominal 0.95; four binomial standard errors of 40 runs are 0.14.
        assert inside >= 0.8
        assert refused <= 0.1


@pytest.mark.long
@pytest.mark.parametrize(("hurst", "motion"), [(0.3, False), (0.5, False), (0.7, False), (0.9, False), (0.3, True)])
def test_intervals_cover_at_their_level(hurst, motion):
    inside, mean, refused = coverage(hurst, motion, 200, 2000)
    assert 0.89 <= inside <= 0.995
    assert mean == pytest.approx(hurst + motion, abs=0.015)
    assert refused <= 0.05


def test_short_memory_is_a_crossover_from_a_large_exponent_to_one_half():
    refused = 0
    for seed in range(10):
        estimate = detrended_fluctuation_exponent(autoregressive(20_000, 0.9, seed))
        refused += not estimate.admissible
        crossover = estimate.details["crossover"]
        value, error = crossover["above"]
        # The curve bends over a decade, so that the upper piece of two straight ones begins steeper than 1/2.
        assert 0.45 < value < 0.68
        assert error < 0.1
        assert crossover["below"][0] > 0.9
    assert refused >= 8
    # On the far side of the crossover there is one exponent again, that of white noise.
    far = [detrended_fluctuation_exponent(autoregressive(20_000, 0.9, seed), smallest=400) for seed in range(20)]
    assert np.mean([e.interval[0] <= 0.5 <= e.interval[1] for e in far]) >= 0.8


def test_a_kink_is_found_where_it_is(rng):
    x = np.linspace(0, 6, 31)
    curve = 0.8 * np.minimum(x - 3, 0) + 0.5 * np.maximum(x - 3, 0)
    kink = find_kink(x, curve + 0.002 * rng.normal(size=(11, 31)))
    assert x[kink.position] == pytest.approx(3, abs=0.25)
    assert kink.below[0] == pytest.approx(0.8, abs=0.01)
    assert kink.above[0] == pytest.approx(0.5, abs=0.01)
    assert find_kink(x[:8], curve[:8][None]) is None


def test_polynomial_trends_below_the_order_do_no_harm(rng):
    x = fractional_gaussian_noise(rng, 4000, 0.7)[0]
    trend = 1e-3 * np.arange(4000)
    plain, with_trend = (detrended_fluctuation_exponent(y, order=2) for y in (x, x + trend))
    assert with_trend.value == pytest.approx(plain.value, abs=1e-6)
    assert abs(detrended_fluctuation_exponent(x + 10 * trend).value - plain.value) > 0.3


def test_flat_runs_raise_the_smallest_window(rng):
    x = rng.normal(size=8000)
    x[1000:1032] = x[1000]
    estimate = detrended_fluctuation_exponent(x)
    assert estimate.settings["smallest"] == 4 * 32
    assert "longest run of equal values (32)" in estimate.chosen["smallest"]


def test_too_short_records_and_wrong_windows_are_answered(rng):
    estimate = detrended_fluctuation_exponent(rng.normal(size=300))
    assert not estimate.admissible
    assert "640 values would" in estimate.reason
    with pytest.raises(SettingError, match="order 3"):
        detrended_fluctuations(rng.normal(size=100), [4], 3)


def test_scale_is_a_time_and_seconds_change_nothing_else(rng):
    x = rng.normal(size=1000)
    steps = detrended_fluctuation_exponent(x)
    seconds = detrended_fluctuation_exponent(takens.Series.from_array(x, interval=0.5, unit="s"))
    assert seconds.value == steps.value
    np.testing.assert_allclose(seconds.details["scale"], 0.5 * np.asarray(steps.details["scale"]))
