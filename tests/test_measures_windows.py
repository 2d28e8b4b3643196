"""Moving windows: the same numbers as one by one, whatever the threads; gaps, refusals and several numbers are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import autoregressive, logistic

import takens
from takens.errors import DataError, SettingError
from takens.series import Series

NAMES = ("permutation_entropy", "autocorrelation")


def changing() -> Series:
    """Two channels: noise all along, and a logistic map that takes over from noise in the middle."""
    noise = np.random.default_rng(0).normal(size=(2000, 2))
    noise[1000:, 1] = logistic(1000)
    return Series.from_array(noise, interval=0.5, unit="s")


def test_windows_give_what_each_piece_gives():
    series = changing()
    table = takens.measure_windows(series, 200, 100, only=NAMES, threads=2)
    assert table.value.shape == (2, 2, 9)
    for m, name in enumerate(NAMES):
        for c, channel in enumerate(series.channels):
            for w in range(9):
                one = getattr(takens, name)(series.select(channel).rows(200 * w, 200 * w + 400))
                assert table.value[m, c, w] == one.value
                assert (table.low[m, c, w], table.high[m, c, w]) == pytest.approx(one.interval, nan_ok=True)
                assert table.admissible[m, c, w] == one.admissible
    np.testing.assert_allclose(table.start, 100.0 * np.arange(9))
    np.testing.assert_allclose(table.stop, table.start + 199.5)
    assert (table.value[0, 1, 5:] < 0.9 * table.value[0, 1, :4].min()).all()
    assert (table.value[0, 0] > 0.95).all()


def test_threads_change_nothing():
    one, many = (
        takens.measure_windows(changing(), 100, only=["surrogate_test", *NAMES], threads=threads, seed=3)
        for threads in (1, 4)
    )
    for name in ("value", "low", "high", "p_value"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    assert (one.reasons == many.reasons).all()


def test_the_frame_has_a_row_for_everything():
    table = takens.measure_windows(changing(), 200, only=NAMES)
    frame = table.to_frame()
    assert len(frame) == table.value.size
    row = frame[(frame.measure == "permutation_entropy") & (frame.channel == "x2")].iloc[3]
    assert row.value == table.value[0, 1, 3]
    assert row.start == table.start[3]
    assert table.to_dict()["measures"]["permutation_entropy[x2]"]["value"][3] == row.value


def test_windows_without_values_and_several_numbers_say_so():
    values = autoregressive(400).copy()
    values[100:200] = np.nan
    table = takens.measure_windows(values, 100, 100, only=["autocorrelation", "dominant_periods"])
    assert table.reasons[0, 0, 1] == "the channel has no value"
    assert np.isnan(table.value[0, 0, 1])
    assert np.isfinite(table.value[0, 0, [0, 2, 3]]).all()
    assert not table.admissible[1].any()
    assert "several numbers" in table.reasons[1, 0, 0]


def test_windows_that_do_not_fit_are_refused():
    series = changing()
    for window, step in ((5000, None), (0.1, None), (100, 0.01), (-3, None)):
        with pytest.raises(SettingError, match="do not fit"):
            takens.measure_windows(series, window, step, only=NAMES)
    with pytest.raises(SettingError, match="no measure 'magic'"):
        takens.measure_windows(series, 100, only=["magic"])
    with pytest.raises(SettingError, match="threads"):
        takens.measure_windows(series, 100, only=NAMES, threads=0)
    times = series.times + 0.2 * np.random.default_rng(0).random(2000)
    with pytest.raises(DataError, match="irregular"):
        takens.measure_windows(replace(series, times=times), 100, only=NAMES)


def test_progress_counts_windows():
    seen: list[tuple[int, int]] = []
    takens.measure_windows(
        changing(), 500, only="autocorrelation", progress=lambda _, done, total: seen.append((done, total))
    )
    assert seen == [(i, 6) for i in range(1, 7)]
