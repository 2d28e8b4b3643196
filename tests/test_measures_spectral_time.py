"""The knee of a spectrum: the sampled Lorentzian in closed form, independent frequencies, coverage, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from systems import autoregressive, lorenz63

import takens
from takens.checks import check_measure
from takens.errors import SettingError
from takens.measures import REGISTRY
from takens.measures.spectral_time import fit_p_value, independent_spectrum, knee_spectrum


def test_contract():
    assert check_measure(REGISTRY["spectral_time_scale"])


@pytest.mark.parametrize("time", [0.7, 3.0, 50.0])
def test_the_folded_lorentzian_is_the_spectrum_of_the_sampled_process(time):
    # The samples of an Ornstein-Uhlenbeck process are AR(1), whose spectrum is known.
    frequency = np.linspace(0.001, 0.5, 300)
    phi = np.exp(-1 / time)
    exact = (1 - phi**2) / (1 - 2 * phi * np.cos(2 * np.pi * frequency) + phi**2)
    ratio = knee_spectrum(frequency, 1 / (2 * np.pi * time), 2.0) / exact
    np.testing.assert_allclose(ratio / ratio[0], 1, atol=2e-3)


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_spectrum_is_unbiased_independent_and_chi_squared(phi):
    rows = []
    for seed in range(300):
        frequency, power = independent_spectrum(autoregressive(1500, phi, seed), 4)
        rows.append(power * (1 - 2 * phi * np.cos(2 * np.pi * frequency) + phi**2))
    table = np.array(rows)
    assert table[:, 2:].mean() == pytest.approx(1, abs=0.01)
    assert table[:, 2:].var(axis=0).mean() == pytest.approx(1 / 4, rel=0.05)
    assert abs(np.diag(np.corrcoef(table.T), 1).mean()) < 0.02


def test_interval_covers_and_unit_is_time():
    hits, values = [], []
    for seed in range(150):
        series = takens.Series.from_array(autoregressive(2000, np.exp(-1 / 6), 500 + seed), interval=0.5, unit="s")
        estimate = takens.spectral_time_scale(series)
        assert estimate.unit == "s"
        assert estimate.admissible
        values.append(estimate.value)
        hits.append(estimate.interval[0] <= 3.0 <= estimate.interval[1])
    assert 0.83 <= np.mean(hits) <= 0.97
    assert np.mean(values) == pytest.approx(3.0, rel=0.03)


def test_exponent_is_found():
    # Two equal decays in a row: 1 / (1 + (f / k)^2)^2 falls with exponent 4.
    phi = np.exp(-1 / 20)
    x = lfilter([1.0], [1.0, -2 * phi, phi**2], np.random.default_rng(0).normal(size=20_000))
    assert takens.spectral_time_scale(x, exponent=None).details["exponent"] == pytest.approx(4, abs=0.5)
    one = takens.spectral_time_scale(autoregressive(20_000, 0.9), exponent=None)
    assert one.details["exponent"] == pytest.approx(2, abs=0.2)
    assert one.interval[0] <= -1 / np.log(0.9) <= one.interval[1]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.random.default_rng(0).normal(size=2000), "flat"),
        (autoregressive(2000, -0.5), "flat"),
        (np.random.default_rng(0).normal(size=2000).cumsum(), "lowest"),
        (lorenz63(4000)[:, 0], "lowest|no single knee"),
        (autoregressive(8000, 0.98) / 5 + autoregressive(8000, 0.6, 1), "no single knee"),
        (autoregressive(4000, 0.8) + 3 * np.sin(np.arange(4000)), "no single knee"),
    ],
    ids=["noise", "anti-persistent", "walk", "flow", "two decays", "line"],
)
def test_what_has_no_knee_is_refused(x, words):
    estimate = takens.spectral_time_scale(x)
    assert not estimate.admissible
    assert any(word in estimate.reason for word in words.split("|"))


def test_test_of_the_fit_has_its_size_and_settings_their_range():
    rng = np.random.default_rng(0)
    p = np.array([fit_p_value(rng.gamma(4, 0.25, 120), 4) for _ in range(500)])
    assert np.mean(p < 0.05) <= 0.08
    assert np.mean(p < 0.01) <= 0.03
    assert fit_p_value(rng.gamma(4, 0.25, 120) * np.linspace(0.5, 1.5, 120), 4) < 1e-3
    for settings in ({"exponent": 0.0}, {"tapers": 0}, {"tapers": 40}):
        with pytest.raises(SettingError):
            takens.spectral_time_scale(autoregressive(300), **settings)
