"""Surrogates: exact values, matched spectra, valid p-values, size and power."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon

from takens.errors import SettingError
from takens.measures.surrogates import (
    end_matched,
    family_p_values,
    iaaft,
    prediction_error,
    ranked,
    significance,
    surrogate_test,
    time_reversal_asymmetry,
)


def test_iaaft_keeps_values_exactly_and_spectrum_closely():
    x = np.exp(autoregressive(1000, 0.8))
    copies = iaaft(x, 10, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(copies, axis=1), np.tile(np.sort(x), (10, 1)))
    goal = np.abs(np.fft.rfft(x - x.mean())) ** 2
    for row in copies:
        power = np.abs(np.fft.rfft(row - row.mean())) ** 2
        assert np.sum(np.abs(power - goal)) / goal.sum() < 0.06
    assert abs(np.mean([np.corrcoef(row, x)[0, 1] for row in copies])) < 0.2
    np.testing.assert_array_equal(copies, iaaft(x, 10, np.random.default_rng(0)))
    with pytest.raises(SettingError, match="count"):
        iaaft(x, 0, np.random.default_rng(0))


def test_ends_are_matched():
    x = np.sin(2 * np.pi * np.arange(1030) / 100)
    start, stop = end_matched(x)
    assert stop - start >= 0.9 * 1030
    assert abs(x[start] - x[stop - 1]) < 0.1
    assert (x[start + 1] - x[start]) * (x[stop - 1] - x[stop - 2]) > 0


def test_statistics_of_known_signals():
    rng = np.random.default_rng(0)
    saw = np.arange(5000) % 10 / 10.0
    # Nine rises of 0.1 and one fall of 0.9 in ten steps.
    expected = (9 * 0.1**3 - 0.9**3) / 10 / ((9 * 0.01 + 0.81) / 10) ** 1.5
    assert time_reversal_asymmetry(saw, 1) == pytest.approx(expected, rel=1e-3)
    assert abs(time_reversal_asymmetry(rng.normal(size=20_000), 1)) < 0.05
    assert prediction_error(henon(2000)[:, 0], 2, 1, 1, 3, 500) < 0.1
    assert prediction_error(rng.normal(size=2000), 3, 1, 1, 20, 500) == pytest.approx(1, abs=0.1)


def test_family_p_value_by_hand():
    statistics = np.array([[9.0, 0], [1, 1], [2, 2], [3, 3]])
    each, family = family_p_values(statistics)
    np.testing.assert_allclose(each, [1 / 4, 1])
    # Row 3 has p = 1/4 in the second statistic as well: two of four rows are as extreme.
    assert family == 2 / 4


def test_families_by_hand():
    # Three statistics of five rows; row 0 is the most extreme in the first, and third and last in the others.
    rows = np.array([[9.0, 3, 1], [1, 5, 5], [2, 4, 4], [3, 2, 3], [4, 1, 2]])
    found = significance(rows)
    np.testing.assert_allclose(found.p_values, [0.2, 0.6, 1.0])
    np.testing.assert_allclose(found.holm, [0.6, 1.0, 1.0])
    # Smallest p of each row: 0.2, 0.2, 0.4, 0.6, 0.4; of the two statistics left: 0.6, 0.2, 0.4, 0.6, 0.8.
    np.testing.assert_allclose(found.adjusted, [0.4, 0.8, 1.0])
    # Row 1 has p = 0.2 twice and row 0 once: row 0 is the second most extreme.
    assert found.p_value == 0.4
    np.testing.assert_allclose(significance(rows[:, :1], "smaller").p_values, [1.0])
    both = ranked(np.array([[5.0], [1], [2], [3], [4]]), "both")
    np.testing.assert_allclose(both[:, 0], [0.4, 0.4, 0.8, 1.0, 0.8])
    with pytest.raises(SettingError, match="infinite"):
        significance(np.array([[np.nan], [1.0]]))


def test_adjusted_p_values_hold_the_family_and_never_fall_below_their_own():
    rng = np.random.default_rng(1)
    false = []
    for _ in range(1000):
        found = significance(rng.normal(size=(400, 5)))
        assert (found.adjusted >= found.p_values - 1e-12).all()
        assert (found.holm >= found.p_values - 1e-12).all()
        false.append([found.adjusted.min() <= 0.1, found.holm.min() <= 0.1, found.p_value <= 0.1])
    adjusted, holm, family = np.mean(false, axis=0)
    # Standard error 0.95 %; ties make the first two conservative.
    assert 0.05 <= adjusted <= 0.13
    assert holm <= 0.13
    assert 0.07 <= family <= 0.13


def test_p_values_are_uniform_under_exchangeability():
    rng = np.random.default_rng(0)
    p = np.array([family_p_values(rng.normal(size=(20, 2)))[1] for _ in range(4000)])
    for level in (0.05, 0.1, 0.5):
        assert np.mean(p <= level) <= level + 0.02
    assert np.mean(p <= 0.1) > 0.05


def rejections(make, runs, surrogates=39):
    return np.mean([surrogate_test(make(seed), surrogates=surrogates, seed=seed).value <= 0.05 for seed in range(runs)])


def noisy_henon(seed):
    x = henon(500, seed)[:, 0]
    return x + 0.2 * np.std(x) * np.random.default_rng(seed).normal(size=500)


def test_power_and_size_in_a_few_runs():
    assert rejections(noisy_henon, 20) > 0.9
    assert rejections(lambda seed: autoregressive(300, 0.7, seed), 40) <= 6 / 40


def fifth_order(seed):
    from scipy.signal import lfilter

    # Roots of modulus 0.86, 0.78 and 0.62.
    e = np.random.default_rng(seed).normal(size=600)
    return lfilter([1.0], [1.0, -0.5, -0.2, 0.3, -0.1, -0.2], e)[300:]


@pytest.mark.long
@pytest.mark.parametrize(
    "make",
    [lambda seed: autoregressive(300, 0.7, seed), fifth_order, lambda seed: np.exp(autoregressive(300, 0.5, seed) / 2)],
    ids=["ar(1)", "ar(5)", "exponential of ar(1)"],
)
def test_size(make):
    # 5 % nominal; the standard error of 2,000 runs is 0.5 %.
    assert 0.04 <= rejections(make, 2000, surrogates=19) <= 0.06


@pytest.mark.parametrize("instrument", [np.exp, lambda x: x**3, lambda x: np.tanh(x / 2)])
def test_a_monotone_instrument_changes_nothing(instrument):
    for seed in range(5):
        x = autoregressive(400, 0.7, seed)
        plain, seen = (surrogate_test(values, surrogates=19, delay=2) for values in (x, instrument(x)))
        assert plain.settings["end_matched"] == seen.settings["end_matched"]
        assert plain.value == seen.value
        np.testing.assert_array_equal(plain.details["statistics"], seen.details["statistics"])


@pytest.mark.long
def test_power():
    assert rejections(noisy_henon, 100) > 0.9


def test_the_smallest_p_value_is_never_zero_and_settings_are_checked():
    estimate = surrogate_test(noisy_henon(0), surrogates=19)
    assert estimate.value >= 1 / 20
    assert estimate.details["statistics"].shape == (20, 2)
    with pytest.raises(SettingError, match="surrogates"):
        surrogate_test(noisy_henon(0), surrogates=5)
