"""Periods: known lines, harmonics, real cycles, gaps, and the rate of false alarms on red noise."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, lorenz63

from takens import Series
from takens.errors import SettingError
from takens.measures.periods import dominant_periods, neighbour_p_value
from takens.measures.spectra import Grid


def test_lomb_scargle_is_the_least_squares_definition():
    rng = np.random.default_rng(0)
    t = np.sort(rng.choice(400, 150, replace=False)).astype(float)
    x = rng.normal(size=150)
    grid = Grid.of(t, x, 7)
    cells = np.flatnonzero(grid.filled)
    y = grid.x[cells]
    power = grid.power(grid.x[None])[0]
    for index in (40, 111, 300):
        w = 2 * np.pi * grid.frequency[index]
        shift = np.arctan2(np.sin(2 * w * cells).sum(), np.cos(2 * w * cells).sum()) / (2 * w)
        c, s = np.cos(w * (cells - shift)), np.sin(w * (cells - shift))
        expected = ((y @ c) ** 2 / (c @ c) + (y @ s) ** 2 / (s @ s)) / 2
        assert power[index] == pytest.approx(expected, rel=1e-6)


def test_background_is_the_expected_spectrum_of_red_noise():
    from scipy.signal import lfilter

    grid = Grid.of(np.arange(256.0), np.arange(256.0), 7)
    noise = np.random.default_rng(0).normal(size=(3000, 1256)) * np.sqrt(1 - 0.9**2)
    red = lfilter([1.0], [1.0, -0.9], noise, axis=1)[:, 1000:]
    np.testing.assert_allclose(grid.power(red).mean(axis=0), grid.backgrounds(np.array([0.9]))[0], rtol=0.12)


def test_a_sine_in_noise_and_its_interval():
    t = np.arange(3000)
    covered = 0
    for seed in range(20):
        x = np.sin(2 * np.pi * t / 88.3 + seed) + np.random.default_rng(seed).normal(size=3000)
        estimate = dominant_periods(x, simulations=50)
        assert estimate.value[0] == pytest.approx(88.3, rel=0.005)
        assert estimate.details["line_p"][0] < 1e-6
        covered += estimate.interval[0][0] <= 88.3 <= estimate.interval[1][0]
    assert covered >= 14


def test_a_year_in_monthly_data():
    month = np.arange(360) / 12
    x = np.sin(2 * np.pi * month) + autoregressive(360, 0.7)
    estimate = dominant_periods(Series.from_array(x, interval=1 / 12, unit="year"))
    assert len(estimate.value) == 1
    assert estimate.value[0] == pytest.approx(1, rel=0.01)
    assert estimate.unit == "year"


def test_harmonics_belong_to_their_period():
    t = np.arange(4000)
    x = np.sin(2 * np.pi * t / 100) + 0.8 * np.sin(4 * np.pi * t / 100 + 1) + 0.5 * np.sin(10 * np.pi * t / 100)
    estimate = dominant_periods(x + 0.3 * np.random.default_rng(0).normal(size=4000))
    assert len(estimate.value) == 1
    assert estimate.value[0] == pytest.approx(100, rel=1e-3)
    assert estimate.details["harmonics"][0] == [2, 5]
    # A weaker fundamental than its octave is still the fundamental.
    y = 0.5 * np.sin(2 * np.pi * t / 100) + np.sin(4 * np.pi * t / 100 + 1)
    estimate = dominant_periods(y + 0.3 * np.random.default_rng(0).normal(size=4000))
    assert estimate.value == pytest.approx([100], rel=1e-3)


def test_day_and_week_of_taxi_rides(shared_data):
    x = np.loadtxt(shared_data("nyc_taxi.csv"), delimiter=",", skiprows=1, usecols=1)
    for gaps in (0.0, 0.2):
        x = np.where(np.random.default_rng(0).random(len(x)) < gaps, np.nan, x)
        estimate = dominant_periods(Series.from_array(x, interval=0.5, unit="h"))
        assert estimate.value[0] == pytest.approx(24, rel=0.001)
        week = np.abs(estimate.value / 168 - 1).argmin()
        assert estimate.value[week] == pytest.approx(168, rel=0.005)
        assert estimate.interval[0][week] <= 168 <= estimate.interval[1][week]
        # Sidebands of the day by the week are harmonics of the week, not periods of their own.
        assert estimate.details["narrow"].sum() == 2 or gaps > 0
        assert ("Lomb" in estimate.method) == (gaps > 0)


def test_irregular_times():
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0, 500, 800))
    estimate = dominant_periods(Series(t, 0.7 * np.sin(2 * np.pi * t / 7.3) + rng.normal(size=800)))
    assert estimate.value == pytest.approx([7.3], rel=0.003)


def test_a_broad_peak_is_not_a_line():
    estimate = dominant_periods(lorenz63(10_000)[:, 2])
    assert estimate.value.size > 0
    assert not estimate.details["narrow"][0]


def hump(seed, length=3000, radius=0.95, period=20):
    """AR(2) noise whose spectrum has one broad hump near the period."""
    from scipy.signal import lfilter

    e = np.random.default_rng(seed).normal(size=length + 500)
    return lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi / period), radius**2], e)[500:]


def test_a_hump_is_no_line_and_hides_none_elsewhere():
    lines = 0
    for seed in range(10):
        x = hump(seed)
        estimate = dominant_periods(x, simulations=50)
        # One broad peak, and nothing else that AR(1) noise does not explain.
        assert len(estimate.value) - estimate.details["narrow"].sum() == 1
        assert estimate.value[~estimate.details["narrow"]][0] == pytest.approx(20, rel=0.15)
        lines += len(dominant_periods(x, simulations=50, null="smooth").value)
        t = np.arange(3000)
        both = dominant_periods(x + 2 * np.sin(2 * np.pi * t / 7.3), simulations=50, null="smooth")
        assert np.abs(both.value - 7.3).min() < 0.02
    assert lines <= 2


@pytest.mark.long
def test_false_alarm_rate_of_lines_in_humps():
    found = [len(dominant_periods(hump(seed, 1000, 0.9), simulations=20, null="smooth").value) for seed in range(300)]
    # 5 % nominal over 300 runs; the two conditions for a line together are conservative.
    assert np.mean(np.array(found) > 0) <= 0.08


def test_neighbours_give_a_valid_p_value():
    rng = np.random.default_rng(0)
    p = []
    for _ in range(400):
        grid = Grid.of(np.arange(512.0), np.cumsum(rng.normal(size=512)) * 0.3 + rng.normal(size=512), 7)
        p.append(neighbour_p_value(grid, rng.uniform(0.05, 0.45)))
    for level in (0.02, 0.1, 0.5):
        assert np.mean(np.array(p) <= level) == pytest.approx(level, abs=0.03 + 0.1 * level)


def test_a_line_at_the_highest_frequency():
    x = np.resize([1.0, -1.0], 300) + 0.5 * np.random.default_rng(0).normal(size=300)
    estimate = dominant_periods(x, simulations=50)
    assert estimate.value[0] == pytest.approx(2, abs=0.01)
    assert estimate.details["narrow"][0]


def test_unknown_null():
    with pytest.raises(SettingError, match="null"):
        dominant_periods(hump(0), null="pink")


def test_no_period_is_longer_than_a_quarter_of_the_record():
    for seed in range(5):
        x = np.cumsum(np.random.default_rng(seed).normal(size=2000)) + 10 * np.random.default_rng(seed).normal(
            size=2000
        )
        estimate = dominant_periods(x)
        assert (estimate.value <= 2000 / 4 * 1.001).all()
        assert (estimate.interval[1] <= 2000).all()


def false_alarms(make, runs):
    return np.mean([len(dominant_periods(make(seed), simulations=100, seed=seed).value) > 0 for seed in range(runs)])


def gappy(seed):
    x = autoregressive(400, 0.8, seed)
    rows = np.sort(np.random.default_rng(seed).choice(400, 250, replace=False))
    return Series(rows.astype(float), x[rows])


def test_false_alarms_in_a_few_runs():
    # 5 % nominal: more than 8 of 60 has probability 0.3 %.
    assert false_alarms(lambda seed: autoregressive(250, 0.8, seed), 60) <= 8 / 60


@pytest.mark.long
@pytest.mark.parametrize(("phi", "length"), [(0.0, 200), (0.7, 300), (0.95, 500)])
def test_false_alarm_rate_on_red_noise(phi, length):
    # 5 % nominal over 400 runs: 2.2 standard errors and the error of the calibration itself.
    assert 0.02 <= false_alarms(lambda seed: autoregressive(length, phi, seed), 400) <= 0.08


@pytest.mark.long
def test_false_alarm_rate_with_gaps():
    assert 0.015 <= false_alarms(gappy, 400) <= 0.08
