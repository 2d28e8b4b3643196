"""Early warnings: indicators by definition, Kendall's tau, false alarms and power on slowing-down noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, skew
from systems import autoregressive

from takens import Series
from takens.errors import SettingError
from takens.measures.transitions import detrended, early_warning, kendall_trend, rolling_indicators


def slowing(length, seed, start=0.2, stop=0.95):
    """AR(1) whose coefficient rises from start to stop, as before a fold."""
    e = np.random.default_rng(seed).normal(size=length)
    out, x = np.empty(length), 0.0
    for i, phi in enumerate(np.linspace(start, stop, length)):
        x = phi * x + e[i]
        out[i] = x
    return out


def test_indicators_are_those_of_every_window():
    x = 5 + autoregressive(200, 0.6)
    window = 60
    found = rolling_indicators(x, window)
    assert found.shape == (4, 141)
    for start in (0, 33, 140):
        part = x[start : start + window]
        d = part - part.mean()
        power = np.abs(np.fft.rfft(d)) ** 2
        # Frequencies 1/60 ... 6/60 = 0.1; the power of a real series is on both sides.
        expected = [d @ d / window, d[1:] @ d[:-1] / (d @ d), skew(part), 2 * power[1:7].sum() / (window * (d @ d))]
        np.testing.assert_allclose(found[:, start], expected, rtol=1e-8)
    several = rolling_indicators(np.stack([x, -x]), window)
    np.testing.assert_allclose(several[:, 0], found, rtol=1e-8)
    np.testing.assert_allclose(several[2, 1], -found[2], rtol=1e-6, atol=1e-9)


def test_kendall_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for curve in (rng.normal(size=50), np.round(rng.normal(size=50)), np.arange(30.0), -np.arange(30.0)):
        expected = kendalltau(np.arange(len(curve)), curve).statistic
        assert kendall_trend(curve) == pytest.approx(expected, abs=1e-12)


def test_trends_are_followed_to_the_ends():
    t = np.arange(500.0)
    trend, _ = detrended(3 + 0 * t, 20.0)
    np.testing.assert_allclose(trend, 3, rtol=1e-12)
    trend, _ = detrended(np.sin(2 * np.pi * t / 500) + 0.1 * np.random.default_rng(0).normal(size=500), 15.0)
    assert np.abs(trend - np.sin(2 * np.pi * t / 500)).max() < 0.2
    slow = np.exp(-0.5 * ((t[:, None] - t[None]) / 15.0) ** 2)
    x = np.random.default_rng(1).normal(size=500)
    np.testing.assert_allclose(detrended(x, 15.0)[0], slow @ x / slow.sum(axis=1), rtol=1e-8, atol=1e-10)


def test_slowing_down_is_seen():
    seen = [early_warning(slowing(600, seed), surrogates=39, seed=seed) for seed in range(10)]
    assert np.mean([estimate.value <= 0.05 for estimate in seen]) >= 0.7
    estimate = early_warning(Series.from_array(slowing(600, 1), interval=0.1, unit="year"), surrogates=39)
    assert estimate.details["taus"][1] > 0.5
    assert estimate.details["names"][1] == "autocorrelation"
    assert estimate.settings["window"] == pytest.approx(30)
    assert len(estimate.details["indicator_time"]) == estimate.details["indicators"].shape[1] == 301


def alarms(runs, phi, length=300):
    return np.mean([early_warning(autoregressive(length, phi, s), surrogates=19, seed=s).value <= 0.05
                    for s in range(runs)])  # fmt: skip


def test_false_alarms_in_a_few_runs():
    # 5 % nominal: more than 8 of 50 has probability 0.1 %.
    assert alarms(50, 0.6) <= 8 / 50


@pytest.mark.long
@pytest.mark.parametrize("phi", [0.3, 0.8])
def test_false_alarms_with_a_constant_coefficient(phi):
    # 5 % nominal over 500 runs: three standard errors are 3 %.
    assert 0.02 <= alarms(500, phi) <= 0.08


def test_settings_and_short_records():
    with pytest.raises(SettingError, match="window"):
        early_warning(autoregressive(300), window=1.5)
    assert "30 samples" in early_warning(autoregressive(100), window=0.2).reason
