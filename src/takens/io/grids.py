"""xarray at the border: data sets and arrays, NetCDF and Zarr, and forecasts as data sets."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from ..version import __version__
from .compressed import check_rows, check_zip
from .hdf5 import check_links
from .roles import TIME_NAMES
from .table import Column, Table
from .text import clock_facts, clock_from
from .timeline import time_words
from .wanted import Wanted

if TYPE_CHECKING:
    import xarray as xr

    from ..forecast import Forecast
    from ..series import Series

_TRAJECTORIES = ("trajectory", "realization", "realisation")


def series_to_xarray(series: Series) -> xr.Dataset:
    """A data set with dimension `time` and one variable a channel; units as attributes.

    The coordinate `time` holds UTC stamps where there is a calendar, else numbers; `elapsed` then holds the exact
    numbers. The attribute `takens` keeps name, clock and channel names, so that `xarray_to_series` loses nothing.
    """
    known = {"name": series.name, "clock": clock_facts(series.clock), "channels": list(series.channels)}
    if series.inputs:
        known["inputs"] = list(series.inputs)
    return _dataset(series, ("time",), series.values, known)


def forecast_to_xarray(forecast: Forecast) -> xr.Dataset:
    """All samples: dimensions (member, time), one variable a channel, with units, method and takens version."""
    known = {"name": forecast.name, "clock": clock_facts(forecast.clock), "channels": list(forecast.channels)}
    made = _dataset(forecast, ("member", "time"), forecast.samples, known)
    made = made.assign_coords(member=np.arange(len(forecast.samples)))
    return made.assign_attrs(method=forecast.method, diverged=int(forecast.diverged))


def _dataset(data: Series | Forecast, dims: tuple[str, ...], values: Any, known: dict[str, Any]) -> xr.Dataset:
    import xarray as xr

    stamps = data.stamps if data.clock.dates(data.times) else None
    coordinates: dict[str, Any] = {"time": ("time", data.times if stamps is None else stamps)}
    if stamps is None:
        coordinates["time"] += ({"clock_unit": data.clock.unit},)
    else:
        about = {"long_name": "time since the origin", "clock_unit": data.clock.unit}
        coordinates["elapsed"] = ("time", data.times, about)
    variables, taken = {}, {"time", "elapsed", "member"}
    known["variables"] = []
    for position, (channel, unit) in enumerate(zip(data.channels, data.units, strict=True)):
        name = re.sub(r"[^\w.+@-]", "_", channel, flags=re.ASCII).strip("_.+@-") or "channel"
        name = name if name[0].isalpha() else f"x_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        known["variables"].append(name)
        attributes = {"long_name": channel, **({"units": unit} if unit else {})}
        variables[name] = (dims, values[..., position], attributes)
    known["units"] = list(data.units)
    attributes = {"takens": json.dumps(known), "takens_version": __version__, "title": known["name"]}
    return xr.Dataset(variables, coordinates, attributes)


def xarray_to_series(data: xr.Dataset | xr.DataArray) -> Series:
    """The series in a data set that `series_to_xarray` made, or any with one time dimension (through `takens.open`)."""
    from .reading import open_data

    found = open_data(data)
    if isinstance(found, list):
        raise DataError(
            f"the data set holds {len(found)} trajectories", remedy="Use takens.open, which returns a list."
        )
    return found


def grid_tables(data: Any, format: str, place: str, name: str, wanted: Wanted) -> list[Table]:
    """The tables in an xarray object: variables over time become columns; other dimensions are unrolled."""
    import xarray as xr

    if isinstance(data, xr.DataArray):
        data = data.to_dataset(name=data.name if data.name is not None and data.name not in data.coords else "x")
    if "takens" in data.attrs and "member" not in data.dims:
        return [_own(data, format, place)]
    splits = [d for d in (wanted.id, *_TRAJECTORIES) if d in data.dims]
    if splits:
        dimension = splits[0]
        labels = data[dimension].values
        parts = [data.isel({dimension: i}, drop=True) for i in range(data.sizes[dimension])]
        made = [_grid(part, format, place, f"{dimension} {labels[i]}", wanted) for i, part in enumerate(parts)]
        return [replace(table, split=str(dimension)) for table in made]
    return [_grid(data, format, place, name, wanted)]


def _own(data: xr.Dataset, format: str, place: str) -> Table:
    """A data set that `series_to_xarray` made: nothing is guessed."""
    try:
        known = json.loads(data.attrs["takens"])
        clock = clock_from(known["clock"])
        times = data["elapsed" if "elapsed" in data.coords else "time"].values.astype(np.float64)
        time = "time"
        while time in known["channels"]:
            time += "_"
        columns = [Column(time, times)]
        for name, unit, variable in zip(known["channels"], known["units"], known["variables"], strict=True):
            columns.append(Column(name, data[variable].values.astype(np.float64), unit))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("the takens attribute of this data set is damaged", place=place) from error
    return Table(
        tuple(columns), f"{format} written by takens", place, known["name"], time=time, clock=clock,
        inputs=tuple(known.get("inputs", ())),
    )  # fmt: skip


def _grid(data: xr.Dataset, format: str, place: str, name: str, wanted: Wanted) -> Table:
    dimension = _time_dimension(data, place, wanted)
    time, columns = None, []
    if dimension in data.coords:
        time = str(dimension)
        columns.append(_coordinate(data[dimension], time))
    notes = []
    for label, variable in data.data_vars.items():
        if dimension not in variable.dims:
            notes.append(f"variable {label!r} left out: it does not depend on {dimension!r}")
        elif variable.dtype.kind not in "fiubM":
            notes.append(f"variable {label!r} left out: type {variable.dtype}")
        else:
            check_rows(
                variable.sizes[dimension], variable.size // max(variable.sizes[dimension], 1), wanted.max_rows, place
            )
            columns += _unrolled(variable, str(label), dimension)
    counter = (
        time is not None and columns[0].kind == "number" and not data[dimension].attrs and dimension not in TIME_NAMES
    )
    return Table(tuple(columns), format, place, name, time=None if counter else time, notes=tuple(notes))


def _coordinate(variable: xr.DataArray, name: str) -> Column:
    unit = str(variable.attrs.get("clock_unit") or variable.attrs.get("units") or "")
    cells = variable.values
    if cells.dtype.kind == "m":
        return Column(name, cells / np.timedelta64(1, "s"), "s")
    if cells.dtype.kind not in "fiM":
        raise DataError(f"coordinate of type {cells.dtype}", place=name)
    # "days since ..." in a calendar that cannot be decoded: numbers with that unit.
    return Column(name, cells if cells.dtype.kind != "f" else cells.astype(np.float64), unit.split(" since ")[0])


def _unrolled(variable: xr.DataArray, label: str, dimension: str) -> list[Column]:
    others = [d for d in variable.dims if d != dimension]
    cells = variable.transpose(dimension, *others).values
    unit = str(variable.attrs.get("units", ""))
    unit = "" if unit == "1" else unit
    if not others:
        return [Column(label, cells.astype("float64") if cells.dtype.kind in "fiu" else cells, unit)]
    made = []
    for index in np.ndindex(*cells.shape[1:]):
        where = [_short(variable[d].values[i]) for d, i in zip(others, index, strict=True)]
        named = len(others) == 1 and isinstance(variable[others[0]].values[index[0]], str)
        name = where[0] if named and label == "x" else f"{label} {' '.join(where)}"
        made.append(Column(name, np.ascontiguousarray(cells[(slice(None), *index)], dtype=np.float64), unit))
    return made


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _time_dimension(data: xr.Dataset, place: str, wanted: Wanted) -> str:
    names = [str(d) for d in data.dims]
    if isinstance(wanted.time, str) and wanted.time in names:
        return wanted.time
    stamped = [d for d in names if d in data.coords and data[d].dtype.kind == "M"]
    marked = [d for d in names if d in data.coords and data[d].attrs.get("axis") == "T"]
    named = [d for d in names if time_words(d)[0] in TIME_NAMES]
    for found in (stamped, marked, named, names):
        if len(found) == 1:
            return found[0]
    raise DataError(
        f"no dimension is plainly the time; dimensions are {', '.join(names) or 'none'}",
        place=place,
        remedy="Say which: time='...' (--time).",
    )


def read_netcdf(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The tables in a NetCDF file: version 3 through SciPy, version 4 (HDF5) through h5netcdf."""
    with path.open("rb") as stream:
        classic = stream.read(3) == b"CDF"
    if not classic:
        check_links(path, place)
    return _open(path, "scipy" if classic else "h5netcdf", "NetCDF-3" if classic else "NetCDF-4", place, wanted)


def read_zarr(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The tables in a Zarr store (folder or .zip). A store that would unpickle objects is refused."""
    if path.is_file():
        check_zip(path, place)
    for description in _descriptions(path):
        if re.search(rb'"(numcodecs\.)?pickle"|"\|O', description):
            raise DataError("the store holds pickled objects, which are not read", place=place)
    return _open(path, "zarr", "Zarr", place, wanted)


def _descriptions(path: Path) -> Iterator[bytes]:
    """The JSON texts that describe the arrays of a store."""
    names = (".zarray", "zarr.json", ".zmetadata")
    if path.is_file():
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                if entry.endswith(names):
                    yield archive.read(entry)
        return
    for name in names:
        for part in path.rglob(name):
            yield part.read_bytes()


def _open(path: Path, engine: str, format: str, place: str, wanted: Wanted) -> list[Table]:
    import warnings

    import xarray as xr

    options: dict[str, Any] = {"engine": engine, "decode_timedelta": False}
    options |= {"consolidated": False} if engine == "zarr" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                data = xr.open_dataset(path, **options)
            except (ValueError, ImportError) as error:
                if "calendar" not in str(error) and "cftime" not in str(error) and "decode" not in str(error):
                    raise
                data = xr.open_dataset(path, decode_times=False, **options)
            with data:
                # A folder lists its arrays in any order.
                data = data[sorted(map(str, data.data_vars))] if engine == "zarr" else data
                return grid_tables(data, format, place, path.stem, wanted)
    except DataError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"the {format} file is truncated or damaged: {reason}", place=place, remedy="Copy it again."
        ) from error
