"""What every reader hands over: named columns of cells; and how cells become numbers."""

from __future__ import annotations

import datetime
import math
import numbers
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..errors import DataError

MISSING: tuple[str, ...] = (
    "",
    "-",
    "--",
    "---",
    "?",
    ".",
    "NA",
    "N/A",
    "n/a",
    "na",
    "#N/A",
    "<NA>",
    "NaN",
    "nan",
    "NAN",
    "-nan",
    "NaT",
)
MISSING += ("null", "NULL", "Null", "None", "none", "missing", "nil")
"""Words that mean: no value."""

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_INFINITE = r"[+-]?(?:inf|Inf|INF|infinity|Infinity)"
_SYMBOLS = "%‰$€£¥"
_GROUPED = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"


@dataclass(frozen=True, eq=False)
class Column:
    """One column: `cells` are float64, int64, bool, datetime64[us] or an Arrow string array; NaN, NaT, null = missing.

    Stamps whose time zone is known are UTC moments with its name in `zone`; those with `zone` None are wall time.
    """

    name: str
    cells: Any
    unit: str = ""
    zone: str | None = None

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def kind(self) -> str:
        """One of number, flag, stamp, text."""
        dtype = getattr(self.cells, "dtype", None)
        return {"f": "number", "i": "number", "b": "flag", "M": "stamp"}.get(getattr(dtype, "kind", ""), "text")


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length from one `place`, in a `format`; with what the source itself says about them.

    `time` is the column that the source marks as its time, `clock` its exact clock where the source states one.
    `line` maps a data row (from 0) to its line in the file. `headed` is False where the columns have no names, `split`
    the dimension along which the source was already cut into trajectories.
    """

    columns: tuple[Column, ...]
    format: str
    place: str
    name: str
    time: str | None = None
    clock: Clock | None = None
    line: Callable[[int], int] | None = None
    headed: bool = True
    split: str = ""
    decimal: str = "."
    notes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """Columns that the source itself marks as known inputs."""

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def at(self, row: int, column: str | None = None) -> str:
        """The place of a data row (from 0) and column, as an error names it."""
        text = f"{self.place}, row {row + 1}"
        if self.line is not None:
            text += f" (line {self.line(row)})"
        return text if column is None else f"{text}, column {column!r}"

    def find(self, name: str) -> Column | None:
        """The column called `name`, with or without its unit, or None."""
        for column in self.columns:
            if column.name == name:
                return column
        for column in self.columns:
            if column.unit and name in (f"{column.name} [{column.unit}]", f"{column.name} ({column.unit})"):
                return column
        return None


def numbers_of(column: Column, table: Table) -> tuple[NDArray[np.float64], str] | None:
    """The cells as float64 and a note on how they were read, or None where the column does not hold numbers.

    Raises `DataError` where a column is mostly numbers and a cell is neither a number nor a word for missing, and where
    a value is infinite.
    """
    note = ""
    if column.kind == "stamp":
        return None
    if column.kind == "text":
        parsed = _text_numbers(column, table)
        if parsed is None:
            return None
        values, note = parsed
    else:
        values = np.asarray(column.cells).astype(np.float64)
        if column.kind == "flag":
            note = f"{column.name!r}: false and true read as 0 and 1"
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(
            "infinite value", place=table.at(row, column.name), remedy="Leave the cell empty where a value is missing."
        )
    return values, note


def _text_numbers(column: Column, table: Table) -> tuple[NDArray[np.float64], str] | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = clean(column.cells)
    present = len(cells) - cells.null_count
    if present == 0:
        return np.full(len(cells), np.nan), ""
    cells, symbol = _without_symbol(cells, present)
    if table.decimal == ",":
        cells = pc.replace_substring(pc.replace_substring(pc.replace_substring(cells, ".", "\0"), ",", "."), "\0", ",")
    plain = pc.match_substring_regex(cells, f"^(?:{NUMBER}|{_INFINITE})$")
    grouped = pc.match_substring_regex(cells, f"^{_GROUPED}$")
    good = pc.fill_null(pc.or_(plain, grouped), True).to_numpy(zero_copy_only=False)
    share = 1 - np.count_nonzero(~good) / present
    if share < 0.5:
        return None
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise DataError(
            f"{column.cells[row].as_py()!r} is not a number",
            place=table.at(row, column.name),
            remedy="Correct the cell, leave it empty if the value is missing, or choose other channels.",
        )
    note = f"{column.name!r}: numbers in {symbol}" if symbol else ""
    count = pc.sum(grouped).as_py() or 0
    if count:
        mark = "." if table.decimal == "," else ","
        note = (
            f"{note or repr(column.name)}{',' if note else ':'} {mark!r} read as thousands separator in {count} cells"
        )
        cells = pc.replace_substring(cells, ",", "")
    cells = pc.replace_substring_regex(cells, r"^\+", "")
    return np.asarray(pc.fill_null(pc.cast(cells, pa.float64()), math.nan)), note


def _without_symbol(cells: Any, present: int) -> tuple[Any, str]:
    """The cells without the one symbol that all present ones carry, such as % or $, and that symbol.

    Where only some carry it, "20 %" and "0.2" may stand side by side: then nothing is taken away.
    """
    import pyarrow.compute as pc

    first = next((cell for cell in cells.slice(0, 2000).to_pylist() if cell), "")
    for symbol in _SYMBOLS:
        if symbol not in first:
            continue
        before, after = rf"^([+-]?)\s*{re.escape(symbol)}\s*", rf"\s*{re.escape(symbol)}$"
        if (pc.sum(pc.match_substring_regex(cells, f"{before}|{after}")).as_py() or 0) == present:
            return pc.replace_substring_regex(pc.replace_substring_regex(cells, after, ""), before, r"\1"), symbol
    return cells, ""


def clean(cells: Any) -> Any:
    """Arrow strings without outer blanks, words for missing turned to null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(cells)
    missing = pc.is_in(cells, value_set=pa.array(MISSING))
    return pc.if_else(missing, pa.scalar(None, pa.string()), cells)


def column_of(name: str, values: Sequence[Any], unit: str = "") -> Column:
    """A column from Python objects: numbers, booleans, dates, or text of all."""
    import pyarrow as pa

    present = [v for v in values if not _absent(v)]
    if present and all(isinstance(v, bool | np.bool_) for v in present) and len(present) == len(values):
        return Column(name, np.array(values, dtype=bool), unit)
    if all(isinstance(v, numbers.Real) and not isinstance(v, bool | np.bool_) for v in present) or not present:
        if len(present) == len(values) and all(isinstance(v, int | np.integer) and abs(int(v)) < 2**63 for v in values):
            return Column(name, np.array(values, dtype=np.int64), unit)
        return Column(name, np.array([math.nan if _absent(v) else float(v) for v in values]), unit)
    if all(isinstance(v, datetime.datetime) and v.tzinfo is None for v in present) or all(
        isinstance(v, datetime.date) and not isinstance(v, datetime.datetime) for v in present
    ):
        stamps = [np.datetime64("NaT") if _absent(v) else np.datetime64(v, "us") for v in values]
        return Column(name, np.array(stamps, dtype="datetime64[us]"), unit)
    text = [None if _absent(v) else v.isoformat() if hasattr(v, "isoformat") else str(v) for v in values]
    return Column(name, pa.array(text, pa.string()), unit)


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("NaT", "<NA>")


_UNIT_BRACKETS = re.compile(r"^(?P<name>.*?)[\s_]*\[(?P<unit>[^\[\]]{1,24})\]\s*$")
_UNIT_PARENTHESES = re.compile(r"^(?P<name>.*?)[\s_]*\((?P<unit>[A-Za-z%°µμΩ‰/·*^²³0-9 .-]{1,12})\)\s*$")
_NOT_UNITS = {"mean", "max", "min", "avg", "std", "sum", "raw", "total", "new", "old", "count", "low", "high"}


def split_unit(header: str) -> tuple[str, str]:
    """Name and unit of a header such as `speed [m/s]` or `T (degC)`; the unit is empty where there is none."""
    found = _UNIT_BRACKETS.match(header)
    if found is None:
        found = _UNIT_PARENTHESES.match(header)
        if found and (found["unit"].lower() in _NOT_UNITS or found["unit"].strip().isdigit()):
            found = None
    if found is None or not found["name"].strip():
        return header.strip(), ""
    return found["name"].strip(), found["unit"].strip()


def name_columns(headers: Iterable[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """(name, unit) of each header: units split off where the names stay distinct, empty and repeated names mended."""
    headers = [str(h).strip() for h in headers]
    split = [split_unit(h) for h in headers]
    if len({name for name, _ in split}) < len(set(headers)):
        split = [(h, unit) for h, (_, unit) in zip(headers, split, strict=True)]
    notes, named, seen = [], [], set()
    for position, (name, unit) in enumerate(split, start=1):
        name = name or f"column {position}"
        unique, copy = name, 2
        while unique in seen:
            unique, copy = f"{name} ({copy})", copy + 1
        if unique != name:
            notes.append(f"a second column named {name!r} is called {unique!r}")
        seen.add(unique)
        named.append((unique, unit))
    return named, tuple(notes)
