"""Objects and binary formats: each comes back with the values, times, clock, units and gaps that went in."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
import xarray as xr

import takens as tk
from takens import Clock, Series
from takens.errors import DataError
from takens.forecast import Forecast
from takens.io.frames import series_to_frame
from takens.io.grids import forecast_to_xarray, xarray_to_series
from takens.io.writing import write_dataset

X = np.array([[1.0, 10.0], [2.5, np.nan], [-3.0, 30.0], [4.0, 41.0]])
STAMPS = np.array(["2014-01-01T00", "2014-01-01T01", "2014-01-01T02", "2014-01-01T03"], dtype="datetime64[us]")


def check(series: Series, channels: tuple[str, ...] = ("a", "b"), unit: str = "h") -> None:
    assert series.channels == channels
    assert series.clock.unit == unit
    np.testing.assert_array_equal(series.values, X)
    np.testing.assert_array_equal(series.times, np.arange(4.0))
    if unit == "h":
        np.testing.assert_array_equal(series.stamps, STAMPS)


def frame() -> pd.DataFrame:
    return pd.DataFrame({"time": STAMPS, "a": X[:, 0], "b": X[:, 1]})


def test_arrays_lists_and_mappings():
    check(tk.open(X), ("x1", "x2"), "step")
    check(tk.open(X.tolist()), ("x1", "x2"), "step")
    check(tk.open({"time": np.arange(4), "a": X[:, 0], "b": X[:, 1]}), unit="step")
    assert tk.open([1, 2, None]).values[:2, 0].tolist() == [1, 2]
    assert tk.open(np.float32([1, 2])).values.dtype == np.float64
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    np.testing.assert_array_equal(tk.open(masked).values[:, 0], [1, np.nan, 3])
    np.testing.assert_array_equal(tk.open({"t": [0, 1, 2], "x": masked}).values[:, 0], [1, np.nan, 3])
    regular = tk.open(X, interval="5 min")
    assert (regular.clock.unit, regular.times.tolist()) == ("min", [0, 5, 10, 15])


def test_many_trajectories_are_a_list():
    found = tk.open([X, X[:2]])
    assert [len(s) for s in found] == [4, 2]
    cube = tk.open(np.stack([X, 2 * X, 3 * X]))
    assert len(cube) == 3
    np.testing.assert_array_equal(cube[2].values, 3 * X)
    assert isinstance(tk.open([X]), list)


def test_a_series_is_itself():
    series = tk.open(X)
    assert tk.open(series) is series
    assert tk.open(series, channels="x2").channels == ("x2",)


def test_pandas_frames():
    check(tk.open(frame()))
    check(tk.open(frame().set_index("time")))
    check(tk.open(frame().convert_dtypes()))
    check(tk.open(frame().set_index("time").rename_axis(None)))
    one = tk.open(frame().set_index("time")["a"])
    assert one.channels == ("a",)
    zoned = tk.open(frame().assign(time=pd.DatetimeIndex(STAMPS).tz_localize("Europe/Berlin")))
    assert zoned.clock.timezone == "Europe/Berlin"
    np.testing.assert_array_equal(zoned.stamps, STAMPS - np.timedelta64(1, "h"))
    elapsed = tk.open(frame().drop(columns="time").set_index(pd.to_timedelta([0, 1, 2, 3], unit="s")))
    assert (elapsed.clock, elapsed.times.tolist()) == (Clock("s"), [0, 1, 2, 3])
    months = pd.DataFrame({"a": [1.0, 2, 3]}, index=pd.period_range("2014-01", periods=3, freq="M"))
    assert tk.open(months).clock.unit == "month"
    assert tk.open(months).times.tolist() == [0, 1, 2]


def test_frame_and_back():
    for clock in (Clock("h", STAMPS[0], "Europe/Berlin"), Clock("h", STAMPS[0]), Clock("s")):
        series = Series(np.arange(4.0), X, ("a", "b"), ("V", ""), clock, "probe")
        back = tk.open(series_to_frame(series))
        np.testing.assert_array_equal(back.values, series.values)
        np.testing.assert_array_equal(back.times, series.times)
        assert (back.units, back.clock, back.name) == (series.units, series.clock, "probe")


def test_polars_frames():
    table = pl.DataFrame({"time": STAMPS, "a": X[:, 0], "b": [10.0, None, 30.0, 41.0]})
    check(tk.open(table))
    check(tk.open(table.lazy()))
    assert tk.open(pl.Series("a", [1.0, 2.0])).channels == ("a",)


def test_parquet(tmp_path):
    frame().to_parquet(tmp_path / "a.parquet")
    check(tk.open(tmp_path / "a.parquet"))
    pq.write_table(pa.table({"time": STAMPS, "a [V]": X[:, 0], "b": X[:, 1]}), tmp_path / "b.pq")
    assert tk.open(tmp_path / "b.pq").units == ("V", "")


def test_excel(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        frame().to_excel(book, sheet_name="first", index=False)
        frame().assign(a=7.0).to_excel(book, sheet_name="second", index=False)
    series = tk.open(tmp_path / "a.xlsx")
    check(series)
    assert any("second" in note for note in series.reading.notes)
    assert tk.open(tmp_path / "a.xlsx", sheet="second").values[0, 0] == 7
    with pytest.raises(tk.errors.SettingError, match=r"first.*second"):
        tk.open(tmp_path / "a.xlsx", sheet="third")


def test_npy_npz_mat(tmp_path):
    np.save(tmp_path / "a.npy", X)
    check(tk.open(tmp_path / "a.npy"), ("x1", "x2"), "step")
    np.savez_compressed(tmp_path / "a.npz", t=np.arange(4) * 0.5, y=X)
    timed = tk.open(tmp_path / "a.npz")
    assert timed.times.tolist() == [0, 0.5, 1, 1.5]
    np.testing.assert_array_equal(timed.values, X)
    np.savez(tmp_path / "b.npz", first=X, second=X[:3])
    assert [(s.name, len(s)) for s in tk.open(tmp_path / "b.npz")] == [("first", 4), ("second", 3)]
    arrays = {"t": np.arange(4) * 0.5, "a": X[:, 0], "b": X[:, 1], "fs": 2.0, "s": {"q": 1}}
    scipy.io.savemat(tmp_path / "a.mat", arrays)
    mat = tk.open(tmp_path / "a.mat")
    assert mat.channels == ("a", "b")
    assert mat.times.tolist() == [0, 0.5, 1, 1.5]
    assert any("'fs' = 2.0" in note for note in mat.reading.notes)
    np.save(tmp_path / "f.npy", np.asfortranarray(X))
    np.testing.assert_array_equal(tk.open(tmp_path / "f.npy").values, X)


def test_json(tmp_path):
    rows = [{"time": str(s), "a": a, "b": None if np.isnan(b) else b} for s, (a, b) in zip(STAMPS, X, strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    check(tk.open(tmp_path / "a.jsonl"))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    check(tk.open(tmp_path / "a.json"))
    (tmp_path / "b.json").write_text(json.dumps({k: [r[k] for r in rows] for k in rows[0]}))
    check(tk.open(tmp_path / "b.json"))


def dataset() -> xr.Dataset:
    return xr.Dataset(
        {"a": ("time", X[:, 0], {"units": "K"}), "b": ("time", X[:, 1]), "area": ((), 3.0)}, coords={"time": STAMPS}
    )


def test_xarray_objects():
    check(tk.open(dataset()))
    assert tk.open(dataset()).units == ("K", "")
    where = {"time": ("time", [0.0, 0.5, 1.0, 1.5], {"units": "s"}), "lon": [5, 10]}
    grid = xr.DataArray(X, dims=("time", "lon"), coords=where, name="T")
    series = tk.open(grid)
    assert series.channels == ("T 5", "T 10")
    assert (series.clock.unit, series.interval) == ("s", 0.5)
    many = xr.DataArray(np.stack([X, X + 1]), dims=("trajectory", "time", "channel"), name="x")
    found = tk.open(many)
    np.testing.assert_array_equal(found[1].values, X + 1)
    members = xr.DataArray(np.stack([X, X + 1]), dims=("run", "time", "channel"), name="x")
    assert len(tk.open(members, id="run")) == 2
    with pytest.raises(DataError, match="time="):
        tk.open(xr.DataArray(X, dims=("p", "q")))


def test_netcdf3_and_zarr(tmp_path):
    write_dataset(dataset(), tmp_path / "a.nc")
    check(tk.open(tmp_path / "a.nc"))
    dataset().to_zarr(tmp_path / "a.zarr", consolidated=False)
    check(tk.open(tmp_path / "a.zarr"))
    days = ("time", [0.0, 1, 2, 3], {"units": "days since 2001-01-01"})
    plain = xr.Dataset({"a": ("time", X[:, 0])}, coords={"time": days})
    plain.to_netcdf(tmp_path / "b.nc", engine="scipy")
    series = tk.open(tmp_path / "b.nc")
    assert (series.clock.unit, str(series.stamps[1])[:10]) == ("d", "2001-01-02")


def test_netcdf4(tmp_path):
    pytest.importorskip("h5py", reason="h5py is not installed: HDF5 cannot be read")
    dataset().to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    check(tk.open(tmp_path / "a.nc"))


def test_hdf5_links_are_not_followed(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: HDF5 cannot be read")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(5.0)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = h5py.ExternalLink("secret.h5", "/x")
    with pytest.raises(DataError, match="another file"):
        tk.open(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file["x"] = X.T
    head = (tmp_path / "b.mat").read_bytes()
    (tmp_path / "b.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + head[512:])
    np.testing.assert_array_equal(tk.open(tmp_path / "b.mat").values, X)


def test_hdf5_without_its_library_says_so(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "a.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(DataError, match="h5py"):
        tk.open(tmp_path / "a.nc")


def test_series_and_forecast_to_xarray(tmp_path):
    series = Series(np.arange(4.0), X, ("a/b", "time"), ("V", ""), Clock("h", STAMPS[0], "Europe/Berlin"), "probe")
    data = series.to_xarray()
    np.testing.assert_array_equal(data["time"].values, STAMPS)
    assert data["a_b"].attrs == {"long_name": "a/b", "units": "V"}
    back = xarray_to_series(data)
    assert (back.channels, back.units, back.clock, back.name) == (series.channels, series.units, series.clock, "probe")
    np.testing.assert_array_equal(back.values, X)
    samples = np.arange(24.0).reshape(3, 4, 2)
    forecast = Forecast(samples, np.arange(4.0) + 4, ("a/b", "time"), ("V", ""), series.clock, method="test")
    grid = forecast_to_xarray(forecast)
    assert grid["a_b"].dims == ("member", "time")
    np.testing.assert_array_equal(grid["a_b"].values, samples[:, :, 0])
    np.testing.assert_array_equal(grid["elapsed"].values, forecast.times)
    assert grid.attrs["method"] == "test"
    assert grid.attrs["takens_version"] == tk.__version__
    write_dataset(grid, tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="scipy") as read:
        np.testing.assert_array_equal(read["a_b"].values, samples[:, :, 0])
        np.testing.assert_array_equal(read["time"].values.astype("datetime64[us]"), forecast.stamps)


def test_reading_of_anything_says_facts():
    from takens.io.reading import reading_of

    values = np.array([[1.0, 5.0], [1.0, 5.0], [np.nan, 5.0], [4.0, 5.0], [4.0, 5.0]])
    series = Series([0, 1, 2, 5, 6], values, ("a", "b"))
    reading = reading_of(series)
    a, b = reading.channels
    assert (a.missing, a.present, a.minimum, a.maximum, a.mean) == (1, 4, 1, 4, 2.5)
    assert a.ties == 1.0  # both steps between present neighbours are zero
    assert a.most_common == 0.5
    assert b.constant
    assert reading.sampling.gaps == ((2, 2),)
    text = "\n".join(reading.lines())
    assert "gaps: 1, 2 rows missing, 2 in the largest" in text
    assert "'b' is constant" in text
    as_json = json.loads(json.dumps(reading.to_dict()))
    assert as_json["sampling"]["gaps"]["rows_missing"] == 2
    part = reading_of(tk.open(X).rows(0, 2))
    assert (part.rows, part.told.format) == (2, "array")
