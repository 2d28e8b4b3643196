"""Resampling, detrending, standardising: closed forms and slow loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takens import Series
from takens.errors import DataError, InsufficientData, SettingError
from takens.transform import resample

NAN = np.nan


def test_linear_is_exact_on_lines():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 100, 300))
    series = Series(times, np.column_stack([3 * times - 2, -times]))
    out = resample(series, 0.25, method="linear", longest_gap=100)
    np.testing.assert_allclose(out.values[:, 0], 3 * out.times - 2, rtol=1e-12, atol=1e-12)
    assert out.times[0] == times[0]
    assert times[-1] - out.times[-1] < 0.25
    assert any("linear" in note for note in out.reading.notes)


def test_cubic_beats_linear_on_a_sine_and_keeps_nodes():
    t = np.linspace(0, 20, 101)
    series = Series(t, np.sin(t))
    fine = {m: resample(series, 0.05, method=m) for m in ("linear", "cubic")}
    error = {m: np.abs(s.values[:, 0] - np.sin(s.times)).max() for m, s in fine.items()}
    # Linear interpolation errs by h^2/8 = 0.005, the spline by about h^4/40 at the ends.
    assert 0.0045 < error["linear"] < 0.0051
    assert error["cubic"] < 1e-4
    np.testing.assert_allclose(fine["cubic"].values[::4, 0], np.sin(t), atol=1e-9)


def test_previous_and_nearest():
    series = Series([0, 1, 2, 3], [10.0, 11, 12, 13])
    assert resample(series, 0.4, method="previous").values[:, 0].tolist() == [10, 10, 10, 11, 11, 12, 12, 12]
    assert resample(series, 0.4, method="nearest").values[:, 0].tolist() == [10, 10, 11, 11, 12, 12, 12, 13]


@given(st.integers(0, 1000), st.sampled_from([0.7, 1.0, 3.0, 10.0]))
@settings(max_examples=30, deadline=None)
def test_bin_means_against_a_loop(seed, interval):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(1.0, 60))
    x = np.where(rng.uniform(size=60) < 0.2, NAN, rng.normal(size=60))
    out = resample(Series(times, x), interval, method="mean")
    for t, value in zip(out.times, out.values[:, 0], strict=True):
        inside = x[(times >= t) & (times < t + interval) & np.isfinite(x)]
        np.testing.assert_allclose(value, inside.mean() if len(inside) else NAN, atol=1e-12)


def test_long_gaps_are_not_bridged():
    series = Series([0, 1, 2, 7, 8], [0.0, 1, 2, 7, 8])
    out = resample(series, 0.5, method="linear")
    inside = (out.times > 2) & (out.times < 7)
    assert np.isnan(out.values[inside, 0]).all()
    np.testing.assert_allclose(out.values[~inside, 0], out.times[~inside])
    for method in ("previous", "nearest", "cubic"):
        kept = resample(series, 0.5, method=method).values[:, 0]
        assert np.isnan(kept[out.times == 5]).all()
    bridged = resample(series, 0.5, method="linear", longest_gap=5)
    np.testing.assert_allclose(bridged.values[:, 0], out.times)
    missing = Series(np.arange(6), [0.0, NAN, 2, NAN, NAN, 5])
    np.testing.assert_array_equal(resample(missing, 1, method="linear").values[:, 0], [0, 1, 2, NAN, NAN, 5])


def test_what_resampling_refuses():
    series = Series([0, 1], [0, 1])
    with pytest.raises(SettingError, match="linear, nearest"):
        series.resample(1, method="magic")
    for bad in (0, -1, NAN, np.inf):
        with pytest.raises(SettingError, match="interval"):
            resample(series, bad, method="linear")
    with pytest.raises(SettingError, match="rows"):
        resample(series, 1e-12, method="linear")
    with pytest.raises(InsufficientData):
        resample(Series([0], [0]), 1, method="linear")
    empty = resample(Series([0, 1], [NAN, NAN]), 0.5, method="cubic")
    assert np.isnan(empty.values).all()


@pytest.mark.parametrize(("method", "degree"), [("constant", 0), ("linear", 1), ("quadratic", 2)])
def test_detrend_removes_its_polynomial_whatever_is_missing(method, degree):
    rng = np.random.default_rng(4)
    times = 1e6 + np.sort(rng.uniform(0, 50, 200))
    trend = np.polyval([0.3, -2, 5][2 - degree :], (times - 1e6) / 10)
    noise = np.where(rng.uniform(size=200) < 0.3, NAN, 0 * times)
    out = Series(times, trend + noise).detrend(method=method)
    np.testing.assert_allclose(out.values[:, 0], noise, atol=1e-9)


def test_detrend_equals_least_squares_on_noise():
    rng = np.random.default_rng(5)
    times, x = np.sort(rng.uniform(0, 9, 40)), rng.normal(size=40)
    expected = x - np.polyval(np.polyfit(times, x, 1), times)
    np.testing.assert_allclose(Series(times, x).detrend().values[:, 0], expected, atol=1e-12)


def test_differences():
    out = Series([0, 1, 2, 4], [1.0, 4, 9, 25]).detrend(method="difference")
    assert out.times.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(out.values[:, 0], [3, 5, NAN, NAN])
    with pytest.raises(DataError, match="irregular"):
        Series([0, 1, 2.5, 3], [1, 2, 3, 4]).detrend(method="difference")
    with pytest.raises(SettingError, match="quadratic"):
        Series([0, 1], [1, 2]).detrend(method="cubic")
    with pytest.raises(InsufficientData, match="channel 'x'"):
        Series([0, 1, 2], [1, NAN, NAN]).detrend()


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e200])
def test_standardise(scale):
    x = np.array([1.0, 2, NAN, 3, 6]) * scale
    out = Series(np.arange(5), x, units=("V",)).standardise()
    # Mean 3 and variance 3.5 of 1, 2, 3, 6.
    np.testing.assert_allclose(out.values[:, 0], (np.array([1, 2, NAN, 3, 6]) - 3) / np.sqrt(3.5), rtol=1e-12)
    assert out.units == ("",)


def test_what_standardising_refuses():
    with pytest.raises(DataError, match="channel 'x': the channel is constant"):
        Series([0, 1, 2], [0.1, 0.1, 0.1]).standardise()
    with pytest.raises(DataError, match="no value"):
        Series([0, 1], [NAN, NAN]).standardise()
