"""Largest exponent and 0-1 test against published values; noise and regular motion have no exponent."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63, roessler

from takens import Series
from takens.measures.divergence import lyapunov_exponent_rosenstein, weighted_quantile
from takens.measures.exponents import largest_lyapunov_exponent
from takens.measures.zero_one import translation_growth, zero_one_test


@pytest.mark.parametrize("seed", [0, 1])
def test_exponent_of_lorenz(seed):
    x = Series.from_array(lorenz63(10_000, seed=seed)[:, 0], interval=0.02, unit="s")
    estimate = largest_lyapunov_exponent(x)
    assert estimate.unit == "1/s"
    assert float(estimate) == pytest.approx(0.9056, rel=0.1)
    assert estimate.interval[0] <= 0.9056 <= estimate.interval[1]


@pytest.mark.parametrize("seed", range(3))
def test_exponent_of_maps(seed):
    first = largest_lyapunov_exponent(henon(3000, seed)[:, 0])
    assert float(first) == pytest.approx(0.4192, rel=0.07)
    assert first.interval[0] <= 0.4192 <= first.interval[1]
    assert float(largest_lyapunov_exponent(logistic(3000, seed=seed))) == pytest.approx(np.log(2), rel=0.05)


def test_exponent_scales_with_time_and_not_with_amplitude():
    x = henon(2000)[:, 0]
    base = largest_lyapunov_exponent(x)
    scaled = largest_lyapunov_exponent(Series.from_array(5 + 1000 * x, interval=0.1, unit="s"))
    assert float(scaled) == pytest.approx(10 * float(base), rel=1e-6)


@pytest.mark.parametrize(
    "noise",
    [
        lambda rng: rng.normal(size=2000),
        lambda rng: autoregressive(2000, 0.9),
        lambda rng: autoregressive(5000, 0.98),
        lambda rng: np.cumsum(rng.normal(size=3000)),
        lambda rng: np.convolve(rng.normal(size=4000), np.hanning(41), "valid"),
        lambda rng: np.sin(np.arange(3000) * 0.0712),
        lambda rng: np.sin(np.arange(3000) * 0.0712) + 0.05 * rng.normal(size=3000),
        lambda rng: np.sin(np.arange(5000) * 0.0712) + np.sin(np.arange(5000) * 0.0712 * 2**0.5),
    ],
    ids=["white", "ar 0.9", "ar 0.98", "random walk", "smooth", "sine", "sine + noise", "quasi-periodic"],
)
def test_noise_and_regular_motion_have_no_positive_exponent(noise):
    estimate = largest_lyapunov_exponent(noise(np.random.default_rng(0)))
    assert not (estimate.admissible and estimate.interval[0] > 0)
    assert estimate.admissible or estimate.reason
    curve = lyapunov_exponent_rosenstein(noise(np.random.default_rng(0)))
    assert not curve.admissible
    assert curve.reason


def test_a_short_record_is_not_admissible():
    estimate = largest_lyapunov_exponent(lorenz63(10_000)[:900, 0])
    assert not estimate.admissible


def test_weighted_quantile():
    assert weighted_quantile(np.array([3.0, 1, 2]), np.array([1.0, 1, 1]), 0.5) == 2
    assert weighted_quantile(np.array([3.0, 1, 2]), np.array([5.0, 1, 1]), 0.5) == 3


def slow_growth(x, c):
    """The definition, term by term."""
    n, steps = len(x), len(x) // 10
    p = np.concatenate([np.cumsum(x * np.exp(1j * c * np.arange(1, n + 1)))])
    d = [np.mean(np.abs(p[k:] - p[:-k]) ** 2) for k in range(1, steps + 1)]
    k = np.arange(1, steps + 1)
    d -= x.mean() ** 2 * (1 - np.cos(k * c)) / (1 - np.cos(c))
    return np.corrcoef(k, d)[0, 1]


def test_translation_growth_is_the_definition():
    x = logistic(400)
    c = np.array([0.9, 1.7, 2.4])
    np.testing.assert_allclose(translation_growth(x, c), [slow_growth(x, v) for v in c], atol=1e-9)


def standard_map(x, p, n, k=1.0):
    out = np.empty(n)
    for i in range(n):
        p = (p + k * np.sin(x)) % (2 * np.pi)
        x = (x + p) % (2 * np.pi)
        out[i] = np.cos(x)
    return out


def test_zero_one_test_of_known_systems():
    assert abs(float(zero_one_test(logistic(3000, 3.55)))) < 0.1
    assert float(zero_one_test(logistic(3000, 3.97))) > 0.95
    assert abs(float(zero_one_test(np.cos(2 * np.pi * 0.3819 * np.arange(3000))))) < 0.1
    assert float(zero_one_test(standard_map(0.001, 0.008, 4000))) > 0.8
    assert float(zero_one_test(standard_map(np.pi, 0.01, 4000))) < 0.2
    assert float(zero_one_test(np.random.default_rng(0).normal(size=3000))) > 0.95


def test_oversampled_flows_are_thinned_and_it_is_said():
    x = lorenz63(10_000)[:, 0]
    estimate = zero_one_test(x)
    assert float(estimate) > 0.9
    assert estimate.settings["stride"] > 1
    assert "mutual information" in estimate.chosen["stride"]
    # Successive samples 0.02 apart make the same motion look regular: that is why.
    assert zero_one_test(x, stride=1).value < 0.5
    assert float(zero_one_test(roessler(20_000)[:, 0])) > 0.6
    assert abs(float(zero_one_test(np.sin(0.0712 * np.arange(8000)) + np.sin(0.0712 * 2**0.5 * np.arange(8000))))) < 0.1


def test_too_few_samples_after_thinning_say_how_many_rows_would_do():
    estimate = zero_one_test(lorenz63(10_000)[:900, 0])
    assert not estimate.admissible
    assert f"{200 * estimate.settings['stride']} rows" in estimate.reason


def test_damping_hides_weak_noise_and_leaves_chaos():
    rng = np.random.default_rng(0)
    circle = np.cos(2 * np.pi * 0.3819 * np.arange(3000))
    noisy = circle + 0.05 * rng.normal(size=3000)
    assert zero_one_test(noisy, damping=2.5).value < 0.3
    assert zero_one_test(noisy).value > zero_one_test(noisy, damping=2.5).value + 0.1
    assert zero_one_test(logistic(3000, 3.97), damping=2.5).value > 0.95
    c = np.array([0.9, 1.7])
    x = logistic(400)
    n = np.arange(1, 41)
    plain, damped = (translation_growth(x, c, a) for a in (0.0, 1.0))
    assert np.all(damped < plain)
    assert n[-1] == len(x) // 10


def test_the_interval_of_k_holds_the_value_and_is_reproducible():
    x = logistic(2000, 3.97)
    first, second = zero_one_test(x, seed=4), zero_one_test(x, seed=4)
    assert first.value == second.value
    assert first.interval[0] <= first.value <= first.interval[1] <= 1
    assert np.all((first.details["frequency"] > np.pi / 5) & (first.details["frequency"] < 4 * np.pi / 5))
