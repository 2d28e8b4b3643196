"""Autocorrelation and integral time scale against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens import Series
from takens.errors import InsufficientData
from takens.measures.timescales import autocorrelation, autocorrelation_function, crossing, integral_time_scale


def test_autocorrelation_function_is_the_sum_of_products():
    x = np.random.default_rng(0).normal(size=50)
    d = x - x.mean()
    expected = [np.sum(d[: 50 - lag] * d[lag:]) / np.sum(d * d) for lag in range(50)]
    np.testing.assert_allclose(autocorrelation_function(x, 49), expected, atol=1e-12)


def test_crossing_interpolates():
    assert crossing(np.array([1.0, 0.5, 0.0]), 0.25) == 1.5
    assert np.isnan(crossing(np.array([1.0, 0.9]), 0.5))


@pytest.mark.parametrize("phi", [0.7, 0.9])
def test_correlation_time_of_ar1(phi):
    estimate = autocorrelation(Series.from_array(autoregressive(300_000, phi), interval=0.5, unit="s"), max_lag=500)
    rho = phi ** np.arange(100)
    expected = 0.5 * crossing(rho, 1 / np.e)
    assert estimate.unit == "s"
    assert float(estimate) == pytest.approx(expected, rel=0.05)
    assert estimate.interval[0] < float(estimate) < estimate.interval[1]
    np.testing.assert_allclose(estimate.details["autocorrelation"][:10], rho[:10], atol=0.03)


def test_correlation_time_of_a_sine():
    # cos(2 pi l / P) falls to 1/e at P arccos(1/e) / (2 pi).
    t = np.arange(20_000)
    estimate = autocorrelation(np.sin(2 * np.pi * t / 200))
    assert float(estimate) == pytest.approx(200 * np.arccos(1 / np.e) / (2 * np.pi), rel=0.01)
    assert estimate.details["first_zero"] == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.9, 0.95])
def test_integral_time_scale_of_ar1(phi):
    estimate = integral_time_scale(autoregressive(100_000, phi))
    expected = (1 + phi) / (1 - phi)
    assert float(estimate) == pytest.approx(expected, rel=0.08)
    assert estimate.details["effective_sample_size"] == pytest.approx(min(1e5 / expected, 1e5), rel=0.08)


def test_integral_time_scale_interval_covers():
    runs, phi = 200, 0.8
    inside = 0
    for seed in range(runs):
        low, high = integral_time_scale(autoregressive(4000, phi, seed)).interval
        inside += low <= (1 + phi) / (1 - phi) <= high
    # The nominal level is 0.9; three binomial standard errors are 0.064.
    assert 0.82 <= inside / runs <= 0.98


def test_a_random_walk_is_not_admissible():
    walk = np.cumsum(np.random.default_rng(1).normal(size=500))
    estimate = integral_time_scale(walk)
    assert not estimate.admissible
    assert "independent samples" in estimate.reason
    with pytest.raises(InsufficientData, match="not admissible"):
        float(estimate)


def test_constant_short_and_irregular_channels_have_an_answer():
    assert integral_time_scale(np.ones(100)).reason == "the channel is constant"
    assert "at least 20" in autocorrelation(np.arange(5.0)).reason
    irregular = Series(np.cumsum(np.random.default_rng(0).uniform(0.1, 2, 100)), np.arange(100.0))
    assert "resample" in autocorrelation(irregular).reason
