"""From a table to series: rows put in order, trajectories and channels told apart, a clock chosen, all of it said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..errors import DataError, SettingError
from ..series import Series
from ..wording import counted
from .provenance import Provenance
from .roles import Roles, find_roles
from .table import Column, Table
from .timeline import Axis, axis_of, clock_of, parse_interval, times_on, unit_of
from .wanted import Wanted


@dataclass(frozen=True, eq=False)
class Group:
    """The rows of one trajectory (and one variable of a long table) in the order of time.

    `rows` are row numbers of the table; `starts` those positions in `rows` where a new time begins; `unsorted` and
    `duplicates` count what had to be repaired.
    """

    label: str
    variable: str
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    unsorted: int
    duplicates: int


def assemble(table: Table, wanted: Wanted) -> list[Series]:
    """The series in `table`, one a trajectory. Raises `DataError` as `takens.open` says."""
    table, roles = find_roles(table, wanted)
    if len(table) == 0:
        raise DataError("the table has no rows", place=table.place)
    axis = _axis(table, roles, wanted)
    groups = [_ordered(*found, axis, table, roles, wanted) for found in _groups(roles, len(table))]
    heads = [axis.keys[group.rows[group.starts]] for group in groups]
    clock, said = (table.clock, ()) if table.clock is not None else clock_of(heads, axis)
    notes = (*table.notes, *axis.notes, *said, *roles.notes)
    labels = list(dict.fromkeys(group.label for group in groups))
    made = []
    for label in labels:
        mine = [(g, h) for g, h in zip(groups, heads, strict=True) if g.label == label]
        told = _provenance(table, roles, axis, [g for g, _ in mine], notes)
        made.append(_series(label, mine, clock, axis, roles, table, wanted, told))
    return made


def _axis(table: Table, roles: Roles, wanted: Wanted) -> Axis:
    if roles.time is None:
        size, unit = parse_interval(wanted.interval) if wanted.interval is not None else (1.0, "")
        unit = unit or (unit_of(wanted.time_unit) if wanted.time_unit else "step")
        keys = np.arange(len(table)) * size
        groups = _groups(roles, len(table))
        if len(groups) > 1:
            for _, _, rows in groups:
                keys[rows] = np.arange(len(rows)) * size
        return Axis(keys, False, roles.why, unit=unit)
    if wanted.interval is not None:
        raise SettingError(
            f"an interval is given, but column {roles.time.name!r} holds the times",
            place="interval",
            remedy="Leave the interval out, or read without times: time=False.",
        )
    if table.clock is not None:
        return _stated(table, roles.time, wanted)
    return axis_of(roles.time, table, wanted)


def _stated(table: Table, column: Column, wanted: Wanted) -> Axis:
    """The times of a source that states its clock itself."""
    assert table.clock is not None
    if column.kind == "number":
        return Axis(np.asarray(column.cells, dtype=np.float64), False, "stated by the file", unit=table.clock.unit)
    axis = axis_of(column, table, replace(wanted, timezone=None, time_unit=None))
    return replace(axis, how="stated by the file", zone=table.clock.timezone)


def _groups(roles: Roles, rows: int) -> list[tuple[str, str, NDArray[np.int64]]]:
    """(trajectory, variable, rows) in the order in which they appear."""
    if roles.id is None and roles.variable is None:
        return [("", "", np.arange(rows))]
    keys: list[NDArray[Any]] = []
    for column in (roles.id, roles.variable):
        keys.append(np.full(rows, "") if column is None else _labels(column))
    _, first, codes = np.unique(
        np.char.add(np.char.add(keys[0], "\0"), keys[1]), return_index=True, return_inverse=True
    )
    order = np.argsort(codes, kind="stable")
    pieces = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return [(str(keys[0][first[i]]), str(keys[1][first[i]]), pieces[i]) for i in np.argsort(first)]


def _labels(column: Column) -> NDArray[np.str_]:
    cells = column.cells
    values = cells.to_pylist() if column.kind == "text" else cells.tolist()
    return np.array(["" if value is None else str(value) for value in values], dtype=np.str_)


def _ordered(
    label: str, variable: str, rows: NDArray[np.int64], axis: Axis, table: Table, roles: Roles, wanted: Wanted
) -> Group:
    """The rows in the order of time, or a `DataError` where they are not and nothing was said about it."""
    keys = axis.keys[rows]
    steps = np.diff(keys)
    back = np.flatnonzero(steps < 0)
    order = np.argsort(keys, kind="stable") if len(back) else np.arange(len(keys))
    keys = keys[order]
    new = np.concatenate([[True], np.diff(keys) > 0])
    duplicates = int((~new).sum())
    if roles.time is not None and len(back) and wanted.unsorted == "error":
        row = int(rows[back[0] + 1])
        also = f"; {counted(duplicates, 'repeated time')}" if duplicates else ""
        raise DataError(
            f"times are not in order: {axis.label(row)} comes after {axis.label(int(rows[back[0]]))} "
            f"({counted(len(back), 'such step')} back{also})",
            place=table.at(row, roles.time.name),
            remedy=_remedy(axis, True, duplicates > 0),
        )
    if duplicates and wanted.duplicates == "error":
        second = int(np.flatnonzero(~new)[0])
        row, before = int(rows[order[second]]), int(rows[order[second - 1]])
        cause = (
            f"the time {axis.label(row)} occurs again; first in row {before + 1} ({counted(duplicates, 'such row')})"
        )
        place = table.at(row, roles.time.name if roles.time else None)
        raise DataError(cause, place=place, remedy=_remedy(axis, len(back) > 0, True))
    return Group(label, variable, rows[order], np.flatnonzero(new), len(back), duplicates)


def _remedy(axis: Axis, unsorted: bool, duplicates: bool) -> str:
    options = [
        *(["unsorted='sort'"] if unsorted else []),
        *(["duplicates='mean' (or 'first', 'last')"] if duplicates else []),
    ]
    flags = [*(["--unsorted sort"] if unsorted else []), *(["--duplicates mean"] if duplicates else [])]
    text = f"Correct the file, or let the reader repair it: {', '.join(options)} ({' '.join(flags)})."
    if axis.calendar and not axis.zone:
        text += " If this is the hour repeated in autumn, give timezone=; if the rows are many trajectories, give id=."
    elif duplicates:
        text += " If the rows are many trajectories, give id=."
    return text


def _series(
    label: str,
    groups: Sequence[tuple[Group, NDArray[Any]]],
    clock: Clock,
    axis: Axis,
    roles: Roles,
    table: Table,
    wanted: Wanted,
    told: Provenance,
) -> Series:
    from .reading import describe

    if roles.variable is None:
        (group, heads) = groups[0]
        columns = [_merged(column.cells, group, wanted.duplicates) for column in roles.channels]
        names = [column.name for column in roles.channels]
        units = [column.unit for column in roles.channels]
        values = np.column_stack(columns)
    else:
        heads = np.unique(np.concatenate([h for _, h in groups]))
        names, units, columns = [], [], []
        for group, mine in groups:
            for column in roles.channels:
                cells = np.full(len(heads), np.nan)
                cells[np.searchsorted(heads, mine)] = _merged(column.cells, group, wanted.duplicates)
                columns.append(cells)
                names.append(group.variable if len(roles.channels) == 1 else f"{group.variable} {column.name}")
                units.append(column.unit)
        values = np.column_stack(columns)
    inputs = table.inputs if wanted.inputs is None else wanted.inputs
    if wanted.inputs is None:
        inputs = tuple(name for name in inputs if name in names) if not set(inputs) >= set(names) else ()
    series = Series(
        times_on(clock, heads, axis), values, tuple(names), tuple(units), clock, label or table.name, table.place,
        inputs=inputs,
    )  # fmt: skip
    return replace(series, reading=describe(series, told))


def _merged(cells: NDArray[np.float64], group: Group, how: str) -> NDArray[np.float64]:
    """The cells of a group with one value a time: the first, the last, or the mean of the present ones."""
    cells = cells[group.rows]
    if not group.duplicates:
        return cells
    if how == "mean":
        present = np.isfinite(cells)
        totals = np.add.reduceat(np.where(present, cells, 0.0), group.starts)
        count = np.add.reduceat(present.astype(np.int64), group.starts)
        return np.where(count > 0, totals / np.maximum(count, 1), np.nan)
    return cells[group.starts] if how == "first" else cells[np.append(group.starts[1:], len(cells)) - 1]


def _provenance(table: Table, roles: Roles, axis: Axis, groups: Sequence[Group], notes: tuple[str, ...]) -> Provenance:
    how = roles.why if roles.time is None else f"{axis.how} (chosen: {roles.why})"
    return Provenance(
        format=table.format,
        source=table.place,
        rows_read=sum(len(group.rows) for group in groups),
        time=roles.time.name if roles.time is not None else "",
        recognised=how,
        ignored=roles.ignored,
        unsorted=sum(group.unsorted for group in groups),
        duplicates=sum(group.duplicates for group in groups),
        notes=notes,
    )
