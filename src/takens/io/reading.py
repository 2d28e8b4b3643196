"""`takens.open`: from a file or object to series; and the `Reading`, which says back what was understood."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..durations import every
from ..errors import DataError, SettingError
from ..estimate import plain
from ..series import Sampling, Series
from ..wording import counted, number
from .provenance import Provenance
from .wanted import Wanted


@dataclass(frozen=True)
class ChannelReading:
    """What one channel holds.

    `missing` counts NaN; `ties` is the share of steps between present neighbours on which the value does not change,
    `most_common` the share of present values that equal the most frequent one. `code` is a number such as -9999 that
    occurs more than once, far from all other values: probably a mark for a missing value.
    """

    name: str
    unit: str
    present: int
    missing: int
    minimum: float
    maximum: float
    mean: float
    ties: float
    most_common: float
    constant: bool
    code: float | None = None


@dataclass(frozen=True)
class Reading:
    """Everything that was understood of the data, for people (`lines`) and for JSON (`to_dict`)."""

    told: Provenance
    name: str
    rows: int
    channels: tuple[ChannelReading, ...]
    unit: str
    start: str
    end: str
    timezone: str
    sampling: Sampling

    @property
    def notes(self) -> tuple[str, ...]:
        """What deserves attention, in whole sentences or short phrases."""
        found = list(self.told.notes)
        for channel in self.channels:
            if channel.present == 0:
                found.append(f"channel {channel.name!r} has no value at all")
            elif channel.constant:
                found.append(f"channel {channel.name!r} is constant ({channel.minimum:g})")
            elif channel.code is not None:
                found.append(
                    f"channel {channel.name!r} holds {channel.code:g} again and again, far from all other values: if "
                    f"it marks missing values, read with missing={channel.code:g} (--missing {channel.code:g})"
                )
            elif self.rows >= 20 and (channel.ties >= 0.5 or channel.most_common >= 0.5):
                found.append(
                    f"channel {channel.name!r} has many ties: {channel.ties:.0%} of steps do not change, "
                    f"{channel.most_common:.0%} of values are the same"
                )
        if self.rows < 50:
            found.append(f"only {counted(self.rows, 'row')}")
        return tuple(found)

    def lines(self) -> list[str]:
        """The reading as a few lines of text."""
        told = self.told
        origin = f"{told.source or self.name} ({told.format})"
        lines = [f"{origin}: {counted(self.rows, 'row')}, {counted(len(self.channels), 'channel')}"]
        column = f"column {told.time!r}, " if told.time else ""
        zone = f", time zone {self.timezone}" if self.timezone else ""
        lines.append(f"time: {column}{told.recognised}; from {self.start} to {self.end}{zone}")
        lines += self._sampling_lines() if self.rows > 1 else []
        if told.unsorted:
            lines.append(f"order: {counted(told.unsorted, 'step')} back in time sorted")
        if told.duplicates:
            lines.append(f"duplicates: {counted(told.duplicates, 'row')} with a time that had occurred merged")
        lines += [self._channel_line(channel) for channel in self.channels[:20]]
        if len(self.channels) > 20:
            lines.append(f"... and {len(self.channels) - 20} more channels")
        lines += [f"left out: {name!r} ({why})" for name, why in told.ignored[:20]]
        return lines + [f"note: {note}" for note in self.notes]

    def _sampling_lines(self) -> list[str]:
        """How the rows follow each other in time, and what is missing between them."""
        sampling = self.sampling
        step = every(sampling.interval, self.unit)
        if sampling.kind == "irregular":
            lines = [f"sampling: irregular, the median is one row {step}; longest minus shortest interval is "
                     f"{number(sampling.spread)} times that"]  # fmt: skip
        else:
            lines = [f"sampling: {'regular' if sampling.kind == 'regular' else 'regular with gaps'}, one row {step}"]
        if sampling.gaps:
            largest, missing = max(count for _, count in sampling.gaps), sum(count for _, count in sampling.gaps)
            lines.append(f"gaps: {len(sampling.gaps)}, {counted(missing, 'row')} missing, {largest:,} in the largest")
        return lines

    @staticmethod
    def _channel_line(channel: ChannelReading) -> str:
        unit = f" [{channel.unit}]" if channel.unit else ""
        if channel.present == 0:
            return f"channel {channel.name!r}{unit}: all {channel.missing:,} values missing"
        missing = f", {channel.missing:,} missing" if channel.missing else ""
        if channel.constant:
            return f"channel {channel.name!r}{unit}: always {channel.minimum:.6g}{missing}"
        ties = f", {channel.ties:.0%} of steps without a change" if channel.ties >= 0.01 else ""
        span = f"{channel.minimum:.6g} to {channel.maximum:.6g}, mean {channel.mean:.6g}"
        return f"channel {channel.name!r}{unit}: {span}{missing}{ties}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        sampling = self.sampling
        gaps = {
            "count": len(sampling.gaps),
            "rows_missing": sum(count for _, count in sampling.gaps),
            "largest": max((count for _, count in sampling.gaps), default=0),
            "first": [list(gap) for gap in sampling.gaps[:100]],
        }
        made = {
            **asdict(self.told),
            "name": self.name,
            "rows": self.rows,
            "clock": {"unit": self.unit, "timezone": self.timezone, "start": self.start, "end": self.end},
            "sampling": {"kind": sampling.kind, "interval": sampling.interval, "spread": sampling.spread, "gaps": gaps},
            "channels": [asdict(channel) for channel in self.channels],
            "notes": list(self.notes),
        }
        return plain(made)


def describe(series: Series, told: Provenance) -> Reading:
    """The reading of `series`: what was `told` of its source, and the facts that its numbers show. Cost: a sort."""
    channels = tuple(
        _channel(name, unit, series.values[:, i])
        for i, (name, unit) in enumerate(zip(series.channels, series.units, strict=True))
    )
    start, end = series.clock.words(series.times[[0, -1]]) if len(series) else ("", "")
    clock = series.clock
    return Reading(told, series.name, len(series), channels, clock.unit, start, end, clock.timezone, series.sampling)


def reading_of(series: Series) -> Reading:
    """What is known of `series` as it is now: its own reading, brought up to date where it was cut or selected from."""
    reading = series.reading
    if reading is None:
        return describe(series, Provenance(source=series.source, rows_read=len(series)))
    names = tuple(channel.name for channel in reading.channels)
    ends = tuple(series.clock.labels(series.times[[0, -1]])) if len(series) else ("", "")
    if names == series.channels and len(series) == reading.rows and ends == (reading.start, reading.end):
        return reading
    return describe(series, reading.told)


def with_note(series: Series, note: str) -> Series:
    """`series` with a note in its reading on what was done to it; the facts are found anew."""
    told = (
        series.reading.told if series.reading is not None else Provenance(source=series.source, rows_read=len(series))
    )
    return replace(series, reading=describe(series, replace(told, notes=(*told.notes, note))))


def _channel(name: str, unit: str, values: NDArray[np.float64]) -> ChannelReading:
    present = np.isfinite(values)
    x = values[present]
    count = len(x)
    if count == 0:
        nan = float("nan")
        return ChannelReading(name, unit, 0, len(values), nan, nan, nan, 0.0, 0.0, False)
    pairs = int(np.count_nonzero(present[1:] & present[:-1]))
    ties = int(np.count_nonzero(values[1:] == values[:-1])) / max(pairs, 1)
    ordered = np.sort(x)
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] > ordered[:-1], [True]]))
    most = int(np.diff(edges).max()) / count
    low, high = float(ordered[0]), float(ordered[-1])
    return ChannelReading(
        name, unit, count, len(values) - count, low, high, _mean(x), ties, most, bool(low == high), _code(ordered)
    )


def _code(ordered: NDArray[np.float64]) -> float | None:
    """An extreme of the sorted values that looks like a mark for missing: -999, 9999.9 and so on, repeated, far out."""
    for end, rest in ((ordered[0], ordered[ordered > ordered[0]]), (ordered[-1], ordered[ordered < ordered[-1]])):
        if len(rest) < 2 or len(ordered) - len(rest) < 2 or set(f"{abs(end):.10g}") - {"."} != {"9"}:
            continue
        away = min(abs(end - rest[0]), abs(end - rest[-1]))
        if abs(end) >= 99 and away > 2 * (rest[-1] - rest[0]):
            return float(end)
    return None


def _mean(x: NDArray[np.float64]) -> float:
    """The mean, also where the sum exceeds the range of floats."""
    scale = float(np.abs(x).max()) or 1.0
    return float(np.mean(x / scale)) * scale if scale > 1e280 else float(np.mean(x))


def open_data(
    source: Any,
    *,
    time: str | Literal[False] | None = None,
    channels: str | Sequence[str] | None = None,
    inputs: str | Sequence[str] | None = None,
    id: str | None = None,
    variable: str | None = None,
    unsorted: Literal["error", "sort"] = "error",
    duplicates: Literal["error", "first", "last", "mean"] = "error",
    timezone: str | None = None,
    day_first: bool | None = None,
    interval: float | str | None = None,
    time_unit: str | None = None,
    sheet: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    missing: float | Sequence[float] = (),
    max_rows: int = 50_000_000,
) -> Series | list[Series]:
    """Read a file, array, frame or xarray object as a `Series`, or a list of them where it holds many trajectories.

    Files: CSV, TSV and other delimited text (also gzip), Parquet, Excel, NetCDF, Zarr, .npy, .npz, .mat, HDF5, JSON and
    JSON lines. Objects: `Series`, NumPy arrays (time,), (time, channel) or (trajectory, time, channel), lists of
    numbers, mappings from names to arrays, pandas and polars frames, xarray objects, and lists of any of these, which
    are read as trajectories. What is not said is detected, and `series.reading` says what was understood.

    `time`: the column of times; False where there is none (rows are then steps of `interval`, 1 by default, such as
    0.02 or "5 min"). `channels`: the columns to use, all numeric ones by default. `inputs`: columns whose future
    is known, such as a forcing: models learn from them and do not forecast them. `id`: the column (or xarray dimension)
    that names trajectories. `variable`: the column of a long table that names channels. `unsorted`,
    `duplicates`: what to do with steps back in time and with repeated times: nothing is repaired unasked. `timezone`:
    the place of stamps without offset, or the zone to convert to. `day_first`: how 01/02/2014 is meant. `time_unit`:
    the unit of numeric times ("s", "h", ..., or "epoch s", "epoch ms"). `missing`: numbers such as -9999 that stand for
    no value. `sheet`, `delimiter`, `decimal`: as named.

    Raises `DataError` (with row, line and column) for missing, empty, binary, truncated or oversized files, files
    without a numeric column, two possible time columns, times that are missing, unparsable, out of order, repeated or
    of mixed zones, cells that are no numbers in a column that is otherwise numeric, and infinite values; `SettingError`
    for names that do not exist. Nothing is unpickled, no link out of a file is followed, and compressed files are
    unpacked up to a ratio of 100 and 4 GiB. Cost: about 0.1 microseconds a value of text.
    """
    names = (channels,) if isinstance(channels, str) else None if channels is None else tuple(channels)
    known = (inputs,) if isinstance(inputs, str) else None if inputs is None else tuple(inputs)
    if names is not None and known is not None:
        names += tuple(name for name in known if name not in names)
    wanted = Wanted(
        time=time, channels=names, inputs=known, id=id, variable=variable, unsorted=unsorted, duplicates=duplicates,
        timezone=timezone, day_first=day_first, interval=interval, time_unit=time_unit, sheet=sheet,
        delimiter=delimiter, decimal=decimal, missing=tuple(map(float, np.atleast_1d(missing))), max_rows=max_rows,
    )  # fmt: skip
    found = _series(source, wanted)
    return found[0] if len(found) == 1 and not _is_trajectories(source) else found


def _series(source: Any, wanted: Wanted) -> list[Series]:
    from .assembly import assemble
    from .formats import read_file

    if isinstance(source, Series):
        chosen = source if wanted.channels is None else source.select(*wanted.channels)
        return [chosen if wanted.inputs is None else replace(chosen, inputs=wanted.inputs)]
    if isinstance(source, str | os.PathLike):
        return [series for table in read_file(source, wanted) for series in assemble(table, wanted)]
    if _is_trajectories(source):
        if not len(source):
            raise DataError("the list is empty")
        return [series for item in source for series in _series(item, wanted)]
    return [series for table in _object_tables(source, wanted) for series in assemble(table, wanted)]


def _is_trajectories(source: Any) -> bool:
    """Whether `source` is a list whose items are trajectories: anything but numbers and lists of numbers."""
    if not isinstance(source, list | tuple):
        return False
    return len(source) == 0 or not all(
        isinstance(item, int | float | np.number | list | tuple | None) for item in source
    )


def _object_tables(source: Any, wanted: Wanted) -> list[Any]:
    from .arrays import array_tables, arrays_tables

    kind = type(source)
    if kind.__module__.partition(".")[0] == "xarray":
        from .grids import grid_tables

        name = str(getattr(source, "name", None) or "xarray")
        return grid_tables(source, f"xarray {kind.__name__}", "xarray object", name, wanted)
    if isinstance(source, Mapping):
        arrays = {str(key): np.asanyarray(value) for key, value in source.items()}
        return arrays_tables(arrays, "mapping", "mapping", "mapping", wanted)
    if isinstance(source, list | tuple | np.ndarray):
        try:
            array = source if isinstance(source, np.ndarray) else np.asarray(source, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"the list does not hold numbers in equal rows: {error}", place="list") from error
        return array_tables(array, "array" if isinstance(source, np.ndarray) else "list", "array", "array", wanted)
    if source is None or isinstance(source, bool | int | float | bytes):
        raise SettingError(
            f"cannot read {kind.__name__} {source!r:.40}", remedy="Give a file name, an array or a frame."
        )
    from .frames import frame_tables

    return frame_tables(source, "frame", wanted)
