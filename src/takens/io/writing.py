"""Series and data sets to files that `takens.open` reads back without loss; whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OutputError
from ..version import __version__
from .atomic import atomic_path
from .stamps import times_of
from .text import MARK, clock_facts

if TYPE_CHECKING:
    import xarray as xr

    from ..series import Series


def write_series(series: Series, path: str | os.PathLike[str]) -> None:
    """Write `series` to `.csv` or `.nc`.

    A CSV begins with one comment line that holds name, clock, channels and units; stamps are ISO (UTC where there is a
    time zone), numbers have all their digits, missing values are empty cells. Raises `OutputError`.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        with atomic_path(path) as part:
            _write_csv(series, part)
    elif suffix == ".nc":
        from .grids import series_to_xarray

        write_dataset(series_to_xarray(series), path)
    else:
        raise OutputError(
            f"no writer for {suffix or 'a name without suffix'!r}", place=str(path), remedy="Use .csv or .nc."
        )


def write_trajectories(trajectories: Sequence[Series], path: str | os.PathLike[str]) -> None:
    """Write several series of the same channels and times to `.csv` or `.nc`.

    A CSV is a long table whose first column, `trajectory`, holds the names; `takens.open(path, id="trajectory")` reads
    it back. A NetCDF file has a dimension of that name and is read back without being told. Raises `OutputError` where
    channels or times differ.
    """
    first = trajectories[0]
    if any(one.channels != first.channels or not np.array_equal(one.times, first.times) for one in trajectories):
        raise OutputError("the trajectories differ in channels or times", place=str(path), remedy="Write one a file.")
    suffix = Path(path).suffix.lower()
    names = [one.name for one in trajectories]
    if suffix == ".csv":
        import pandas as pd

        label = np.repeat(names, len(first))
        times = np.tile(first.times, len(trajectories))
        values = np.concatenate([one.values for one in trajectories])
        frame = pd.DataFrame(values, columns=list(first.channels))
        frame.insert(0, "time", times)
        frame.insert(0, "trajectory", label)
        with atomic_path(path) as part:
            frame.to_csv(part, index=False, lineterminator="\n")
    elif suffix == ".nc":
        import xarray as xr

        from .grids import series_to_xarray

        parts = [series_to_xarray(one) for one in trajectories]
        write_dataset(xr.concat(parts, "trajectory", combine_attrs="drop"), path)
    else:
        raise OutputError(
            f"no writer for {suffix or 'a name without suffix'!r}", place=str(path), remedy="Use .csv or .nc."
        )


def write_dataset(data: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write an xarray data set as NetCDF (classic, 64-bit offsets), which every NetCDF library reads.

    Raises `OutputError`.
    """
    encoding: dict[str, Any] = {}
    for name, variable in data.variables.items():
        if variable.dtype.kind == "M":
            # Classic NetCDF has no 64-bit integers; the exact numbers are in `elapsed`.
            encoding[str(name)] = {"units": "seconds since 1970-01-01", "dtype": "float64", "_FillValue": None}
    for name, variable in data.variables.items():
        if variable.dtype.kind == "i":
            encoding[str(name)] = {"dtype": "int32"}
    with atomic_path(path) as part:
        data.to_netcdf(part, engine="scipy", format="NETCDF3_64BIT", encoding=encoding)


def _write_csv(series: Series, part: Path) -> None:
    import pandas as pd

    known = {
        "version": __version__,
        "name": series.name,
        "clock": clock_facts(series.clock),
        "channels": list(series.channels),
        "units": list(series.units),
    }
    if series.inputs:
        known["inputs"] = list(series.inputs)
    stamps = series.stamps
    exact = (
        stamps is not None
        and series.clock.dates(series.times)
        and np.array_equal(times_of(stamps.astype(np.int64), series.clock), series.times)
    )
    if exact and stamps is not None:
        marks = np.datetime_as_string(stamps, unit="us").astype(object)
        if not (stamps.astype(np.int64) % 1_000_000).any():
            marks = np.datetime_as_string(stamps, unit="s").astype(object)
        column: Any = marks + "Z" if series.clock.timezone else marks
    else:
        column = series.times
    headers = [
        " ".join(name.split()) + (f" [{unit}]" if unit else "")
        for name, unit in zip(series.channels, series.units, strict=True)
    ]
    frame = pd.DataFrame(dict(enumerate([column, *series.values.T])))
    with part.open("w", encoding="utf-8", newline="") as stream:
        stream.write(MARK + json.dumps(known) + "\n")
        frame.to_csv(stream, index=False, header=["time", *headers], lineterminator="\n")
