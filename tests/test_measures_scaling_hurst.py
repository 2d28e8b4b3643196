"""Multifractals on an exact cascade; rescaled range, structure functions, local Whittle and spectral slope."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens.errors import SettingError
from takens.measures.scaling import (
    detrended_fluctuations,
    fractional_gaussian_noise,
    generalised_hurst_exponents,
    hurst_rescaled_range,
    hurst_whittle,
    multifractal_exponents,
    singularity_spectrum,
    spectral_slope,
)
from takens.measures.scaling.hurst import expected_rescaled_range, rescaled_ranges

Q = np.arange(-5.0, 6)


def cascade(levels: int, a: float):
    """Binomial cascade: a^(ones) (1 - a)^(zeros) of the binary digits, and its exact h(q) = (1 + tau(q)) / q."""
    ones = np.array([bin(i).count("1") for i in range(2**levels)])
    x = a**ones * (1 - a) ** (levels - ones)
    safe = np.where(Q == 0, 1, Q)
    h = np.where(Q == 0, -np.log2(a * (1 - a)) / 2, (1 - np.log2(a**safe + (1 - a) ** safe)) / safe)
    return x, h


def test_cascade_is_exact_at_dyadic_scales():
    x, exact = cascade(15, 0.75)
    scales = 2 ** np.arange(8, 14)
    curves = detrended_fluctuations(x, scales).moments(Q)[0]
    found = np.polyfit(np.log(scales), curves.T, 1)[0]
    np.testing.assert_allclose(found, exact, atol=0.02)
    # What is left of finite windows is common to all moments: their differences are exact.
    np.testing.assert_allclose(found - found[0], exact - exact[0], atol=1e-8)


def test_multifractal_spectrum_of_the_cascade():
    x, exact = cascade(16, 0.7)
    estimate = multifractal_exponents(x, smallest=128)
    np.testing.assert_allclose(estimate.value, exact, atol=0.07)
    # The widest spectrum goes from -log2(a) to -log2(1 - a); |q| <= 5 sees most of it.
    assert estimate.details["width"] == pytest.approx(np.log2(0.7 / 0.3), rel=0.2)
    assert estimate.details["f"].max() == pytest.approx(1, abs=0.02)


def test_noise_is_monofractal_and_flat_windows_are_refused():
    x = fractional_gaussian_noise(np.random.default_rng(0), 16_384, 0.6)[0]
    plain = multifractal_exponents(x)
    assert plain.details["width"] < 0.2
    np.testing.assert_allclose(plain.value, 0.6, atol=0.08)
    x[5000:5032] = 0.3
    flat = multifractal_exponents(x)
    assert flat.details["width"] < 0.3
    refused = multifractal_exponents(x, smallest=10)
    assert not refused.admissible
    assert "straight" in refused.reason
    assert multifractal_exponents(x, smallest=10, powers=(1, 2, 3)).admissible
    with pytest.raises(SettingError, match="ascending"):
        multifractal_exponents(x, powers=(2, 1, 0))


def test_legendre_transform_of_a_parabola():
    # tau = q h - 1 with h = 1 - c q: alpha = 1 - 2 c q, f = 1 - c q^2.
    tau, alpha, f = singularity_spectrum(Q, 1 - 0.05 * Q)
    np.testing.assert_allclose(tau, Q - 0.05 * Q**2 - 1)
    np.testing.assert_allclose(alpha[1:-1], (1 - 0.1 * Q)[1:-1])
    np.testing.assert_allclose(f[1:-1], (1 - 0.05 * Q**2)[1:-1])


def test_rescaled_range_by_hand_and_its_expectation():
    # Deviations of (1, 2, 6) are -2, -1, 3: sums -2, -3, 0; range 3; standard deviation sqrt(14/3).
    np.testing.assert_allclose(rescaled_ranges(np.array([1.0, 2, 6]), 3), [3 / np.sqrt(14 / 3)])
    # Two values: deviations -d, d; range d, standard deviation d.
    assert expected_rescaled_range(2) == pytest.approx(1)
    x = np.random.default_rng(1).normal(size=200_000)
    for size in (5, 20, 100):
        assert rescaled_ranges(x, size).mean() == pytest.approx(expected_rescaled_range(size), rel=0.01)


def test_rescaled_range_holds_one_half_for_white_noise_only():
    rng = np.random.default_rng(2)
    white = [hurst_rescaled_range(x) for x in rng.normal(size=(40, 2000))]
    assert np.mean([e.value for e in white]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([e.admissible for e in white]) >= 0.8
    persistent = [hurst_rescaled_range(x) for x in fractional_gaussian_noise(rng, 4000, 0.8, 10)]
    assert all(e.value > 0.6 and not e.admissible and "hurst_whittle" in e.reason for e in persistent)


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7, 0.9])
def test_local_whittle_covers(hurst):
    x = fractional_gaussian_noise(np.random.default_rng(3), 4000, hurst, 150)
    found = [hurst_whittle(row) for row in x]
    inside = np.mean([e.interval[0] <= hurst <= e.interval[1] for e in found])
    assert 0.88 <= inside <= 0.995
    assert np.mean([e.value for e in found]) == pytest.approx(hurst, abs=0.015)


def test_local_whittle_does_not_mind_short_memory_and_refuses_motions():
    low = [hurst_whittle(autoregressive(20_000, 0.5, seed), frequencies=150) for seed in range(30)]
    assert np.mean([e.interval[0] <= 0.5 <= e.interval[1] for e in low]) >= 0.8
    walk = hurst_whittle(np.cumsum(np.random.default_rng(0).normal(size=2000)))
    assert not walk.admissible or walk.value > 0.9
    steeper = hurst_whittle(np.cumsum(np.cumsum(np.random.default_rng(0).normal(size=2000))))
    assert not steeper.admissible


@pytest.mark.parametrize(("hurst", "motion"), [(0.3, False), (0.9, False), (0.3, True), (0.5, True)])
def test_spectral_slope_covers(hurst, motion):
    x = fractional_gaussian_noise(np.random.default_rng(4), 4000, hurst, 150)
    truth = 2 * hurst - 1 + 2 * motion
    found = [spectral_slope(np.cumsum(row) if motion else row) for row in x]
    inside = np.mean([e.interval[0] <= truth <= e.interval[1] for e in found])
    assert 0.87 <= inside <= 0.995
    assert np.mean([e.value for e in found]) == pytest.approx(truth, abs=0.04)


def test_spectral_slope_refuses_peaks_and_steep_spectra():
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000) + 3 * np.sin(0.15 * np.arange(4000))
    assert "no power law" in spectral_slope(x).reason
    steep = spectral_slope(np.cumsum(np.cumsum(rng.normal(size=4000))))
    assert "leak" in steep.reason


def test_structure_functions_of_motion():
    x = np.cumsum(fractional_gaussian_noise(np.random.default_rng(6), 4000, 0.4, 60), axis=1)
    found = [generalised_hurst_exponents(row) for row in x]
    np.testing.assert_allclose(np.mean([e.value for e in found], axis=0), 0.4, atol=0.01)
    inside = np.mean([(e.interval[0] <= 0.4) & (e.interval[1] >= 0.4) for e in found])
    assert inside >= 0.88
    smooth = generalised_hurst_exponents(np.cumsum(fractional_gaussian_noise(np.random.default_rng(7), 4000, 0.95)[0]))
    assert not smooth.admissible
