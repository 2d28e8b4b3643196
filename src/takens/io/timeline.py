"""From the cells of a time column to numbers on a clock: calendar, epoch, numbers with a unit, or plain numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import CALENDAR, SECONDS, Clock
from ..errors import DataError, SettingError
from ..wording import counted
from .stamps import NAT, localise, parse_stamps, times_of
from .table import Column, Table, numbers_of
from .wanted import Wanted

_DAY = 86_400_000_000
_SPELLINGS = {
    "ns": "ns nsec nanosecond nanoseconds",
    "us": "us usec µs μs microsecond microseconds",
    "ms": "ms msec msecs millisecond milliseconds",
    "s": "s sec secs second seconds sek sekunden",
    "min": "min mins minute minutes minuten",
    "h": "h hr hrs hour hours stunden",
    "d": "d day days tage",
    "month": "month months mon",
    "year": "year years yr yrs a",
}
UNITS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_DATE_NAMES = {"date", "datum", "datetime", "date_time", "fecha"}
_SERIALS = (18_264, 73_050)
"""The day numbers of 1950 to 2099 in a spreadsheet."""
_UNIX_EPOCH = 25_569
"""The day number of 1 January 1970 in a spreadsheet."""
_EPOCHS = {"s": (3e8, 4e9), "ms": (3e11, 4e12), "us": (3e14, 4e15), "ns": (3e17, 4e18)}


@dataclass(frozen=True)
class Axis:
    """The times of all rows before a clock is chosen: UTC microseconds if `calendar`, else numbers in `unit`."""

    keys: NDArray[Any]
    calendar: bool
    how: str
    unit: str = ""
    zone: str = ""
    notes: tuple[str, ...] = ()

    def label(self, row: int) -> str:
        """The time of a row as an error shows it."""
        key = self.keys[row]
        if not self.calendar:
            return f"{key:.10g}"
        text = str(key.astype("datetime64[us]")).replace("T", " ")
        for ending in (".000000", ":00", " 00:00"):
            text = text.removesuffix(ending)
        return text


def unit_of(word: str) -> str:
    """The clock unit that a word for a unit of time means; other words are kept."""
    return UNITS.get(word.strip().lower(), word.strip())


def parse_interval(interval: float | str) -> tuple[float, str]:
    """A sampling interval such as 0.02 or "5 min" as a number and a unit (empty where there is none)."""
    found = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([^\d\s]*)\s*", str(interval))
    try:
        size = float(found[1]) if found else float("nan")
    except ValueError:
        size = float("nan")
    if found is None or not 0 < size < np.inf:
        raise SettingError(f"{interval!r} is not an interval", place="interval", remedy="Write 0.02 or '5 min'.")
    return size, unit_of(found[2])


def axis_of(column: Column, table: Table, wanted: Wanted) -> Axis:
    """The times of `column`. Raises `DataError` where a cell is missing or the column does not hold times."""
    if column.kind == "text":
        axis = _from_text(column, table, wanted)
    elif column.kind == "stamp":
        axis = _from_stamps(column, table, wanted)
    else:
        axis = _from_numbers(column, table, wanted)
    missing = axis.keys == NAT if axis.calendar else ~np.isfinite(axis.keys)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"the time is missing ({counted(int(missing.sum()), 'such row')})",
            place=table.at(row, column.name),
            remedy="Fill in the time, remove the row, or name another time column.",
        )
    if wanted.time_unit and axis.calendar and not wanted.time_unit.startswith("epoch"):
        raise SettingError(
            f"column {column.name!r} holds time stamps, which need no unit", place="time_unit", remedy="Leave it out."
        )
    return axis


def _from_text(column: Column, table: Table, wanted: Wanted) -> Axis:
    moments = parse_stamps(
        column.cells, at=lambda row: table.at(row, column.name), day_first=wanted.day_first, timezone=wanted.timezone
    )
    if moments is None:
        parsed = numbers_of(column, table)
        if parsed is not None:
            return _from_numbers(replace(column, cells=parsed[0]), table, wanted)
        first = next((c for c in column.cells.to_pylist() if c), "")
        raise DataError(
            f"{first!r} is neither a time stamp nor a number",
            place=table.at(0, column.name),
            remedy="Write ISO stamps such as 2014-01-02 03:04, or name another time column (time=).",
        )
    axis = Axis(moments.micros, True, f"time stamps, {moments.form}", zone=moments.zone or "", notes=moments.notes)
    return axis if moments.zone is not None else _localised(axis, column, table, wanted)


def _from_stamps(column: Column, table: Table, wanted: Wanted) -> Axis:
    cells = column.cells
    micros = cells.astype("datetime64[us]").astype(np.int64)
    notes: tuple[str, ...] = ()
    if cells.dtype == "datetime64[ns]" and (cells.astype(np.int64) % 1000 != 0)[micros != NAT].any():
        notes = ("times are rounded down to microseconds",)
    axis = Axis(micros, True, "time stamps", zone=column.zone or "", notes=notes)
    if column.zone is None:
        return _localised(axis, column, table, wanted)
    return axis if wanted.timezone is None else replace(axis, zone=wanted.timezone)


def _localised(axis: Axis, column: Column, table: Table, wanted: Wanted) -> Axis:
    """Wall times in the zone that the caller named; without one they are kept as they stand."""
    if wanted.timezone is None or (axis.keys == NAT).any():
        return axis
    micros, notes = localise(axis.keys, wanted.timezone, lambda row: table.at(row, column.name))
    return replace(axis, keys=micros, zone=wanted.timezone, notes=axis.notes + notes)


def _from_numbers(column: Column, table: Table, wanted: Wanted) -> Axis:
    cells = np.asarray(column.cells)
    whole = bool(np.isfinite(cells).all()) and bool((cells == np.floor(cells)).all()) and len(cells) > 0
    asked = wanted.time_unit or ""
    if asked.startswith("epoch"):
        unit = asked.removeprefix("epoch").strip() or "s"
        if unit not in _EPOCHS:
            raise SettingError(f"{asked!r} is not one of epoch s, ms, us, ns", place="time_unit")
        return _epoch(cells, unit, wanted)
    name, suffix = time_words(column.name)
    said = column.unit or suffix
    unit = unit_of(asked or said)
    if not asked and len(cells):
        epoch = next(
            (u for u, (low, high) in _EPOCHS.items() if low <= np.nanmin(cells) <= np.nanmax(cells) <= high), ""
        )
        if epoch and unit in ("", epoch):
            return _epoch(cells, epoch, wanted)
        if whole and name in ("year", "yr", "jahr") and 1000 <= cells.min() <= cells.max() <= 2999:
            return _calendar_numbers(cells * 10000 + 101, "calendar years", table, column)
        if whole and not unit and 17000101 <= cells.min() <= cells.max() <= 21991231:
            return _calendar_numbers(cells, "dates written as yyyymmdd", table, column)
        if not unit and name in _DATE_NAMES and _SERIALS[0] <= np.nanmin(cells) <= np.nanmax(cells) <= _SERIALS[1]:
            return _serials(cells)
    if unit:
        return Axis(cells.astype(np.float64), False, f"numbers in {unit}", unit=unit)
    if whole and len(cells) > 1 and bool((np.diff(cells) == 1).all()):
        return Axis(cells.astype(np.float64), False, "row counter", unit="step")
    return Axis(cells.astype(np.float64), False, "numbers without a unit", unit="time unit")


def _serials(cells: NDArray[Any]) -> Axis:
    """Dates as a spreadsheet numbers them: days since 30 December 1899, times of day as shares of a day."""
    missing = ~np.isfinite(cells)
    days = np.where(missing, 0, cells) - _UNIX_EPOCH
    # A share of a day is stored with about a millisecond's precision.
    micros = np.round(days * 86_400_000).astype(np.int64) * 1000
    how = "day numbers of a spreadsheet, by the name of the column and the size of the numbers"
    return Axis(np.where(missing, NAT, micros), True, how)


def _epoch(cells: NDArray[Any], unit: str, wanted: Wanted) -> Axis:
    scale = {"s": 1_000_000.0, "ms": 1000.0, "us": 1.0, "ns": 1e-3}[unit]
    missing = ~np.isfinite(cells) if cells.dtype.kind == "f" else np.zeros(len(cells), dtype=bool)
    if cells.dtype.kind == "i":
        micros = cells // 1000 if unit == "ns" else cells * int(scale)
    else:
        micros = np.round(np.where(missing, 0, cells) * scale).astype(np.int64)
    how = f"{unit} since 1970 (epoch), by the size of the numbers"
    return Axis(np.where(missing, NAT, micros), True, how, zone=wanted.timezone or "UTC")


def _calendar_numbers(cells: NDArray[Any], how: str, table: Table, column: Column) -> Axis:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(pa.array(cells.astype(np.int64)), pa.string())
    moments = parse_stamps(text, at=lambda row: table.at(row, column.name))
    assert moments is not None
    return Axis(moments.micros, True, how)


def time_words(name: str) -> tuple[str, str]:
    """A column name in lower case without its unit suffix, and that suffix: `time_ms` gives `time`, `ms`."""
    word = re.sub(r"[\s.-]+", "_", name.strip().lower())
    found = re.fullmatch(r"(time|t|times|timestamp|elapsed|zeit)_?\(?([a-zµμ]+)\)?", word)
    if found and found[2] in UNITS and found[2] != "mon":
        return found[1], found[2]
    if word in UNITS and len(word) > 1:
        return word, word
    return word, ""


def clock_of(groups: Sequence[NDArray[Any]], axis: Axis) -> tuple[Clock, tuple[str, ...]]:
    """The clock on which sorted, distinct `groups` of times are plain numbers, and notes.

    The unit is the largest that is not longer than the median interval; months and years where the stamps follow the
    calendar, so that monthly data are regular.
    """
    if not axis.calendar:
        return Clock(axis.unit), ()
    keys = _distinct(groups)
    origin = np.datetime64(int(keys[0]), "us")
    steps = np.concatenate([np.diff(g) for g in groups] or [np.array([], dtype=np.int64)])
    median = float(np.median(steps)) if len(steps) else _DAY
    if len(steps) and median >= 27 * _DAY:
        calendar = _calendar_clock(keys, axis.zone)
        if calendar is not None:
            return calendar, ()
    units = [u for u in reversed(SECONDS) if u != "ns" and SECONDS[u] * 1e6 <= median * (1 + 1e-9)] or ["us"]
    if units[0] == "d" and axis.zone not in ("", "UTC") and _wall_days(keys, axis.zone):
        note = f"daily stamps at one local time in {axis.zone}: kept as calendar days without a time zone"
        local = _local(keys[:1], axis.zone)
        return Clock("d", np.datetime64(int(local[0]), "us")), (note,)
    for unit in units:
        clock = Clock(unit, origin, axis.zone)
        if np.array_equal(_back(clock, times_of(keys, clock)), keys):
            return clock, ()
    return Clock(units[0], origin, axis.zone), ("times are kept to about a microsecond",)


def _distinct(groups: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The sorted distinct times of all groups, each of which is sorted and distinct."""
    if len(groups) == 1:
        return groups[0]
    keys = np.sort(np.concatenate(groups))
    return keys[np.concatenate([[True], keys[1:] > keys[:-1]])]


def times_on(clock: Clock, keys: NDArray[Any], axis: Axis) -> NDArray[np.float64]:
    """The numbers of `keys` on a `clock` chosen by `clock_of`."""
    if not axis.calendar:
        return np.asarray(keys, dtype=np.float64)
    if axis.zone and not clock.timezone:
        keys = _local(keys, axis.zone)
    return times_of(keys, clock)


def _back(clock: Clock, times: NDArray[np.float64]) -> NDArray[np.int64]:
    stamps = clock.stamps(times)
    assert stamps is not None
    return stamps.astype(np.int64)


def _calendar_clock(keys: NDArray[np.int64], zone: str) -> Clock | None:
    """A clock in months or years on which all `keys` are whole numbers, if there is one."""
    days = keys.astype("datetime64[us]").astype("datetime64[D]")
    of_month = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int)
    # From 28 February it cannot be seen whether the 28th or the last day is meant; a later stamp tells.
    for first in (*keys[:3], keys[int(np.argmax(of_month[:12]))]):
        clock = Clock("month", np.datetime64(int(first), "us"), zone)
        months = np.round(times_of(keys, clock))
        if not np.array_equal(_back(clock, months), keys):
            continue
        if (np.diff(months) % 12 == 0).all():
            return Clock("year", np.datetime64(int(keys[0]), "us"), zone)
        return clock
    return None


def _local(keys: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    import pandas as pd

    index = pd.DatetimeIndex(keys.astype("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(index.tz_localize(None).as_unit("us").asi8)


def _wall_days(keys: NDArray[np.int64], zone: str) -> bool:
    """Whether the stamps have one local time of day, though not one UTC time of day."""
    local, utc = _local(keys, zone) % _DAY, keys % _DAY
    return bool((local == local[0]).all() and (utc != utc[0]).any())


CLOCK_UNITS = (*SECONDS, *CALENDAR)
