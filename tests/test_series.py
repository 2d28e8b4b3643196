"""Series: windows, splits, grids and the clock that gives times their meaning."""

from __future__ import annotations

import numpy as np
import pytest

from takens import Clock, Series
from takens.errors import DataError, InsufficientData, SettingError
from takens.series import Sampling, as_series, as_trajectories

HOURLY = Clock("h", np.datetime64("2014-01-01", "us"))


def ramp(rows: int = 10, clock: Clock = HOURLY) -> Series:
    return Series(np.arange(float(rows)), np.column_stack([np.arange(rows), -np.arange(rows)]), ("a", "b"), clock=clock)


def test_windows_by_number_and_stamp():
    assert ramp().window(2, 5).values[:, 0].tolist() == [2, 3, 4]
    assert ramp().window("2014-01-01 02:00", "2014-01-01T05:00").values[:, 0].tolist() == [2, 3, 4]
    assert ramp().window(stop="2014-01-01 01:30").values[:, 0].tolist() == [0, 1]
    with pytest.raises(InsufficientData, match="2015"):
        ramp().window("2015-01-01")
    with pytest.raises(SettingError, match="no calendar"):
        ramp(clock=Clock("s")).window("2014-01-01")
    assert len(ramp(clock=Clock("s")).window("2.5")) == 7


def test_windows_in_local_time():
    berlin = Series(np.arange(48.0), np.arange(48.0), clock=Clock("h", HOURLY.origin, "Europe/Berlin"))
    # Midnight in Berlin is 23:00 UTC of the day before.
    assert berlin.window("2014-01-02", "2014-01-02 02:00").times.tolist() == [23, 24]
    assert berlin.window("2014-01-02T00:00Z", "2014-01-02T02:00Z").times.tolist() == [24, 25]


def test_splits():
    parts = ramp().split(0.7)
    assert [len(p) for p in parts] == [7, 3]
    assert [len(p) for p in ramp().split("2014-01-01 02:00", 5)] == [2, 3, 5]
    np.testing.assert_array_equal(np.concatenate([p.times for p in ramp().split(0.25, 0.5)]), ramp().times)
    assert [len(p) for p in ramp().split(-1)] == [10]


def test_select_and_rows():
    assert ramp().select("b", "a").values[1].tolist() == [-1, 1]
    with pytest.raises(SettingError, match=r"no channel 'c'[\s\S]*a, b"):
        ramp().select("c")
    assert ramp().rows(-2).times.tolist() == [8, 9]


def test_sampling_kinds():
    assert Sampling.of(np.array([0.0, 1, 2, 3])).kind == "regular"
    assert Sampling.of(np.array([0.0, 1, 2.005, 3])).kind == "regular"
    gappy = Sampling.of(np.array([0.0, 1, 2, 5, 6, 8]))
    assert (gappy.kind, gappy.gaps) == ("gappy", ((2, 2), (4, 1)))
    assert Sampling.of(np.array([0.0, 1, 2.3, 3])).kind == "irregular"
    assert Sampling.of(np.array([3.0])).kind == "regular"


def test_grids_and_stretches():
    series = Series([0, 1, 2, 5, 6], [1.0, 2, np.nan, 4, 5])
    grid = series.gridded()
    assert grid.times.tolist() == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(grid.values[:, 0], [1, 2, np.nan, np.nan, np.nan, 4, 5])
    assert [p.values[:, 0].tolist() for p in series.stretches()] == [[1, 2], [4, 5]]
    assert series.stretches(3) == []
    with pytest.raises(DataError, match="resample"):
        Series([0, 1, 2.5, 3], [1, 2, 3, 4]).gridded()
    with pytest.raises(DataError, match="full grid"):
        Series([0, 1, 2, 1e9], [1, 2, 3, 4]).gridded()


def test_what_a_series_refuses():
    with pytest.raises(DataError, match=r"row 3 has the same time[\s\S]*duplicates="):
        Series([0, 1, 1], [1, 2, 3])
    with pytest.raises(DataError, match="earlier time"):
        Series([0, 2, 1], [1, 2, 3])
    with pytest.raises(DataError, match="row 2 is missing"):
        Series([0, np.nan, 1], [1, 2, 3])
    with pytest.raises(DataError, match="channel 'x', row 2"):
        Series([0, 1, 2], [1, -np.inf, 3])
    with pytest.raises(DataError, match="same name"):
        Series([0], [[1, 2]], ("a", "a"))
    with pytest.raises(DataError, match="2 times for 3 rows"):
        Series([0, 1], [1, 2, 3])
    with pytest.raises(DataError, match="shape"):
        as_series(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="read-only"):
        ramp().values[0] = 1


def test_equality_is_identity():
    one = ramp()
    assert one == one
    assert one != ramp()
    assert len({one, one}) == 1


def test_trajectories():
    assert len(as_trajectories([ramp(), ramp()])) == 2
    assert len(as_trajectories(np.arange(4.0))) == 1


def test_clock_months_keep_the_day_or_the_last_one():
    stamps = Clock("month", np.datetime64("2014-01-31", "us")).stamps(np.array([0.0, 1, 2, 3]))
    assert [str(s)[:10] for s in stamps] == ["2014-01-31", "2014-02-28", "2014-03-31", "2014-04-30"]
    stamps = Clock("year", np.datetime64("2012-02-29", "us")).stamps(np.array([0.0, 1, 4]))
    assert [str(s)[:10] for s in stamps] == ["2012-02-29", "2013-02-28", "2016-02-29"]
    half = Clock("month", np.datetime64("2014-01-01", "us")).stamps(np.array([0.5]))
    assert str(half[0]) == "2014-01-16T12:00:00.000000"
    # A sixth of a year is two months although 2/12*12 is not exactly 2 for every such fraction.
    twelfths = Clock("year", np.datetime64("2014-01-01", "us")).stamps(np.arange(24) / 12)
    assert all(str(s).endswith("-01T00:00:00.000000") for s in twelfths)


def test_labels():
    assert Clock("s").labels(np.array([0.5])) == ["0.5"]
    # No calendar label has five digits for the year.
    assert Clock("year", HOURLY.origin).labels(np.array([0.0, 8000.0])) == ["0.0", "8000.0"]
    assert HOURLY.labels(np.array([1.0])) == ["2014-01-01T01:00:00"]
    assert Clock("h", HOURLY.origin, "Asia/Kolkata").labels(np.array([0.0])) == ["2014-01-01T05:30:00+05:30"]
