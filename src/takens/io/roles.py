"""Which column is the time, which names the trajectory, which are channels, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, SettingError
from ..wording import counted
from .stamps import TIME_OF_DAY, recognise
from .table import Column, Table, numbers_of
from .timeline import time_words
from .wanted import Wanted

TIME_NAMES = {
    "time",
    "t",
    "timestamp",
    "timestamps",
    "time_stamp",
    "datetime",
    "date_time",
    "date",
    "ds",
    "times",
    "epoch",
    "unix",
    "unixtime",
    "unix_time",
    "zeit",
    "datum",
    "zeitstempel",
    "time_utc",
    "utc",
    "date_utc",
    "utc_time",
    "local_time",
    "fecha",
}
_WEAK_NAMES = {
    "seconds",
    "secs",
    "sec",
    "minutes",
    "hours",
    "hour",
    "days",
    "day",
    "weeks",
    "year",
    "yr",
    "jahr",
    "years",
    "elapsed",
}
_COUNTERS = {"", "index", "row", "row_number", "n", "step", "sample", "#", "i", "no", "nr", "unnamed:_0", "column_1"}
_IDS = {
    "id",
    "item_id",
    "unique_id",
    "series_id",
    "series",
    "trajectory",
    "trajectory_id",
    "subject",
    "subject_id",
    "run",
    "group",
    "unit_id",
}
_ROW_IDS = {"id", "rowid", "row_id", "record", "record_id", "objectid", "object_id", "pk", "uid"}
_PARTS = {
    "year": ("year", "yr", "yyyy", "jahr"),
    "month": ("month", "mon", "mo", "mm", "monat"),
    "day": ("day", "dy", "dd", "tag", "day_of_month"),
    "hour": ("hour", "hr", "hh", "stunde"),
    "minute": ("minute", "min", "mn"),
}


@dataclass(frozen=True)
class Roles:
    """The part that each column of a table plays; `ignored` holds (column, why)."""

    time: Column | None
    why: str
    id: Column | None
    variable: Column | None
    channels: tuple[Column, ...]
    ignored: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def find_roles(table: Table, wanted: Wanted) -> tuple[Table, Roles]:
    """The roles of the columns, and the table with date and time parts joined into one column.

    Raises `DataError` where two columns could be the time or none holds numbers, `SettingError` for unknown names.
    """
    if wanted.time is None and table.time is None:
        table = _joined(table)
    time, why, ignored = _time(table, wanted)
    id_column = _named(table, wanted.id, "id") if wanted.id and wanted.id != table.split else None
    variable = _named(table, wanted.variable, "variable") if wanted.variable else _melted(table, wanted)
    if id_column is None and variable is None and time is not None:
        id_column = _id(table, time)
    taken = {c.name for c in (time, id_column, variable) if c is not None}
    channels, left_out, notes = _channels(table, wanted, taken)
    return table, Roles(time, why, id_column, variable, channels, tuple(dict([*left_out, *ignored]).items()), notes)


def _named(table: Table, name: str, option: str) -> Column:
    column = table.find(name)
    if column is None:
        names = ", ".join(repr(c.name) for c in table.columns[:30])
        raise SettingError(f"no column {name!r}", place=f"{table.place}, {option}", remedy=f"Columns are: {names}.")
    return column


def _time(table: Table, wanted: Wanted) -> tuple[Column | None, str, list[tuple[str, str]]]:
    if wanted.time is False or (isinstance(wanted.time, str) and wanted.time == "none" and not table.find("none")):
        return None, "no time, as asked", []
    if isinstance(wanted.time, str):
        return _named(table, wanted.time, "time"), "as asked", []
    if table.time is not None:
        return table.find(table.time), "marked as the time", []
    if wanted.interval is not None:
        return None, "an interval is given", []
    stamps = [c for c in table.columns if c.kind == "stamp" or (c.kind == "text" and _looks_like_stamps(c))]
    named = [c for c in table.columns if c.kind == "number" and time_words(c.name)[0] in TIME_NAMES]
    strong = [c for c in (*stamps, *named) if time_words(c.name)[0] in TIME_NAMES]
    if len(strong) == 1:
        rest = [(c.name, "another column of time stamps") for c in stamps if c is not strong[0]]
        return strong[0], "by its name" + ("" if strong[0] in named else " and its content"), rest
    if not strong:
        _refuse_bare_times_of_day(table)
        unread = [c for c in table.columns if c.kind == "text" and time_words(c.name)[0] in TIME_NAMES]
        if len(unread) == 1:
            return unread[0], "by its name", []
    candidates = strong or stamps
    if len(candidates) > 1:
        names = " and ".join(repr(c.name) for c in candidates[:4])
        raise DataError(
            f"{len(candidates)} columns could be the time: {names}",
            place=table.place,
            remedy=f"Say which, for instance time={candidates[0].name!r} (--time {candidates[0].name!r}).",
        )
    if stamps:
        return stamps[0], "by its content", []
    return _numeric_time(table, _named(table, wanted.id, "id") if wanted.id and wanted.id != table.split else None)


def _numeric_time(table: Table, named: Column | None) -> tuple[Column | None, str, list[tuple[str, str]]]:
    """A column that is plainly a time by a weaker name or, without names, by its even growth.

    Within trajectories `named` by another column the times may begin anew.
    """
    numbers = [c for c in table.columns if c.kind == "number"]
    weak = [c for c in numbers if time_words(c.name)[0] in _WEAK_NAMES and _increases_within(c, named)]
    if len(weak) == 1 and (len(numbers) > 1 or _numbers_in_text(table)):
        return weak[0], "by its name and because it increases", []
    counters = [c for c in numbers if time_words(c.name)[0] in _COUNTERS and counts(c.cells)]
    if table.headed:
        if counters and len(numbers) > 1 and counters[0] is table.columns[0]:
            return counters[0], "it counts the rows", []
        return None, "no column of times", []
    if len(numbers) > 1 and numbers[0] is table.columns[0] and evenly(numbers[0].cells):
        return numbers[0], "the first of unnamed columns, and it increases evenly", []
    return None, "no column of times", []


def _numbers_in_text(table: Table) -> bool:
    """Whether a column of text begins with a number, such as "1,024", so that the table has a channel."""
    for column in table.columns:
        if column.kind == "text":
            try:
                parsed = numbers_of(replace(column, cells=column.cells.slice(0, 40)), table)
            except DataError:
                return True
            if parsed is not None:
                return True
    return False


def _refuse_bare_times_of_day(table: Table) -> None:
    for column in table.columns:
        if column.kind == "text" and time_words(column.name)[0] in TIME_NAMES and _times_of_day(column):
            raise DataError(
                "times of day without a date",
                place=f"{table.place}, column {column.name!r}",
                remedy="Add a date column, or read without times: time=False, interval='1 min'.",
            )


def increases(cells: NDArray[np.float64]) -> bool:
    """Whether the numbers increase strictly."""
    return len(cells) > 1 and bool(np.isfinite(cells).all()) and bool((np.diff(cells) > 0).all())


def _increases_within(column: Column, named: Column | None) -> bool:
    """Whether the numbers increase strictly within each trajectory."""
    if named is None:
        return increases(column.cells)
    labels = np.asarray(named.cells.to_pylist() if named.kind == "text" else named.cells, dtype=str)
    order = np.argsort(labels, kind="stable")
    same, steps = labels[order][1:] == labels[order][:-1], np.diff(column.cells[order])
    return bool(np.isfinite(column.cells).all()) and bool((steps[same] > 0).all())


def counts(cells: NDArray[np.float64]) -> bool:
    """Whether the numbers count the rows."""
    return increases(cells) and bool((np.diff(cells) == 1).all())


def evenly(cells: NDArray[np.float64]) -> bool:
    """Whether the numbers increase in equal steps, within 1 %."""
    steps = np.diff(cells)
    return len(cells) > 2 and increases(cells) and float(np.ptp(steps)) <= 0.01 * float(np.median(steps))


def _looks_like_stamps(column: Column) -> bool:
    import pyarrow.compute as pc

    sample = pc.drop_null(column.cells.slice(0, 2000)).slice(0, 40).to_pylist()
    return recognise(sample) is not None


def _times_of_day(column: Column) -> bool:
    import pyarrow.compute as pc

    sample = pc.drop_null(column.cells.slice(0, 2000)).slice(0, 40).to_pylist()
    return bool(sample) and all(re.fullmatch(TIME_OF_DAY, cell.strip()) for cell in sample)


def _joined(table: Table) -> Table:
    """The table with a date column and a time-of-day column, or year, month, day columns, joined into one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = [c for c in table.columns if c.kind == "text"]
    clocks = [c for c in text if _times_of_day(c)]
    days = [c for c in table.columns if _whole_days(c)]
    if len(clocks) == 1 and len(days) == 1:
        left = days[0].cells if days[0].kind == "text" else pa.array(days[0].cells.astype("datetime64[D]").astype(str))
        cells = pc.binary_join_element_wise(
            pc.utf8_trim_whitespace(left), pc.utf8_trim_whitespace(clocks[0].cells), " ", null_handling="emit_null"
        )
        return _with_joined(table, [days[0], clocks[0]], cells)
    parts = {part: _part(table, names) for part, names in _PARTS.items()}
    year, month = parts["year"], parts["month"]
    if year is None or month is None:
        return table
    used = [year, month]
    cells = pc.binary_join_element_wise(_digits(year, 4), _digits(month, 2), "-")
    for part, mark in (("day", "-"), ("hour", " "), ("minute", ":")):
        column = parts[part]
        if column is None:
            break
        used.append(column)
        cells = pc.binary_join_element_wise(cells, _digits(column, 2), mark)
    return _with_joined(table, used, cells)


def _whole_days(column: Column) -> bool:
    if column.kind == "stamp":
        return column.zone is None and not (column.cells.astype("datetime64[D]") != column.cells).any()
    return column.kind == "text" and _looks_like_stamps(column) and ":" not in str(column.cells.slice(0, 1).to_pylist())


def _part(table: Table, names: tuple[str, ...]) -> Column | None:
    for column in table.columns:
        name = re.sub(r"[\s.-]+", "_", column.name.strip().lower())
        if name in names and column.kind == "number" and column.cells.dtype.kind == "i":
            return column
    return None


def _digits(column: Column, width: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.utf8_lpad(pc.cast(pa.array(column.cells), pa.string()), width, "0")


def _with_joined(table: Table, used: list[Column], cells: object) -> Table:
    name = " ".join(c.name for c in used)
    columns = (Column(name, cells), *(c for c in table.columns if c not in used))
    listed = ", ".join(repr(c.name) for c in used)
    return replace(table, columns=columns, time=name, notes=(*table.notes, f"columns {listed} joined into one time"))


def _melted(table: Table, wanted: Wanted) -> Column | None:
    """The column of channel names of a table as `melt` makes it: `variable` and `value`."""
    variable, value = table.find("variable"), table.find("value")
    if wanted.id or variable is None or value is None or variable.kind != "text" or value.kind != "number":
        return None
    return variable


def _id(table: Table, time: Column) -> Column | None:
    """A column that names trajectories, if there is one by name and times do repeat."""
    named = [c for c in table.columns if c is not time and time_words(c.name)[0] in _IDS]
    if len(named) != 1 or (named[0].kind == "number" and named[0].cells.dtype.kind != "i"):
        return None
    distinct = len(set(np.asarray(named[0].cells).tolist()))
    rows = len(table)
    repeats = len(np.unique(np.asarray(time.cells))) < rows if time.kind != "text" else len(time.cells.unique()) < rows
    return named[0] if 1 < distinct <= rows // 2 and repeats else None


def _channels(
    table: Table, wanted: Wanted, taken: set[str]
) -> tuple[tuple[Column, ...], tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The numeric columns as float64, those left out with the reason, and notes."""
    if wanted.channels is None:
        chosen = [c for c in table.columns if c.name not in taken]
    else:
        chosen = [_named(table, name, "channels") for name in wanted.channels]
    channels, ignored, notes = [], [], []
    for column in chosen:
        if wanted.channels is None and table.headed and _is_counter(column, chosen):
            ignored.append((column.name, "it numbers the rows"))
            continue
        parsed = numbers_of(column, table)
        if parsed is None:
            if wanted.channels is not None:
                raise DataError("this column does not hold numbers", place=f"{table.place}, column {column.name!r}")
            ignored.append((column.name, "time stamps" if column.kind == "stamp" else "text"))
            notes += _blocks(column, table)
            continue
        if wanted.channels is None and column.name.startswith("column ") and not np.isfinite(parsed[0]).any():
            ignored.append((column.name, "empty"))
            continue
        absent = np.isin(parsed[0], wanted.missing)
        channels.append(replace(column, cells=np.where(absent, np.nan, parsed[0])))
        if absent.any():
            notes.append(f"{column.name!r}: {counted(int(absent.sum()), 'value')} read as missing, as asked")
        if parsed[1]:
            notes.append(parsed[1])
    if not channels:
        listed = ", ".join(f"{name!r} ({why}{_example(table.find(name))})" for name, why in ignored[:8]) or "none"
        raise DataError(
            "no numeric column to use as a channel",
            place=table.place,
            remedy=f"Left out: {listed}. Check the delimiter and the decimal mark (delimiter=, decimal=).",
        )
    if wanted.channels is not None:
        names = {c.name for c in channels} | taken
        ignored = [(c.name, "not asked for") for c in table.columns if c.name not in names]
    return tuple(channels), tuple(ignored), tuple(notes)


def _is_counter(column: Column, among: list[Column]) -> bool:
    """Whether a column beside others numbers the rows: the first one by ones, or one called `id` that increases."""
    if len(among) < 2 or column.kind != "number" or column.cells.dtype.kind != "i":
        return False
    name = time_words(column.name)[0]
    return (name in _COUNTERS and column is among[0] and counts(column.cells)) or (
        name in _ROW_IDS and increases(column.cells)
    )


def _example(column: Column | None) -> str:
    """The first cell of a text column, as the reason for leaving it out shows it."""
    if column is None or column.kind != "text":
        return ""
    cell = next((c for c in column.cells.slice(0, 2000).to_pylist() if c), None)
    return "" if cell is None else f", such as {cell:.20}"


def _blocks(column: Column, table: Table) -> list[str]:
    """A note where a column of text cuts the rows into a few long blocks, as the name of a trajectory does."""
    import pyarrow.compute as pc

    rows, distinct = len(table), pc.count_distinct(column.cells).as_py()
    if column.kind != "text" or column.cells.null_count or not 2 <= distinct <= rows // 10:
        return []
    changes = pc.sum(pc.not_equal(column.cells.slice(1), column.cells.slice(0, rows - 1))).as_py()
    if changes != distinct - 1:
        return []
    name = column.name
    return [f"{name!r} cuts the rows into {distinct} blocks: if each is a trajectory of its own, give id={name!r} "
            f"(--id {name!r})"]  # fmt: skip
