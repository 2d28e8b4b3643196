"""How a delimited text is written: delimiter, decimal mark, header, unit row, comments, lines before the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from ..errors import DataError
from ..wording import counted
from .stamps import FORMS, TIME_OF_DAY, pattern
from .table import MISSING, NUMBER

_STAMPS = [re.compile(pattern(form)) for form in FORMS if form != "year"] + [re.compile(f"^{TIME_OF_DAY}$")]
_POINT = re.compile(f"^(?:{NUMBER}|[+-]?\\d{{1,3}}(?:,\\d{{3}})+(?:\\.\\d*)?|[+-]?[Ii]nf(?:inity)?)$")
_COMMA = re.compile(r"^[+-]?(?:(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?$")
COMMENTS = ("#", "%")
_NAMES = {"\t": "tab", " ": "blanks", ",": "comma", ";": "semicolon", "|": "bar"}


@dataclass(frozen=True)
class Dialect:
    """What was found in the head of a text: the data begin after `skip` lines; `delimiter` " " means any blanks.

    `header` holds the names (None without), `units` a row of units below it, `width` the number of fields.
    """

    delimiter: str
    decimal: str
    skip: int
    width: int
    header: tuple[str, ...] | None
    units: tuple[str, ...] | None
    comments: tuple[str, ...]
    first: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = ["one column" if self.width == 1 else f"delimiter {_NAMES.get(self.delimiter, self.delimiter)}"]
        parts += ["decimal comma"] if self.decimal == "," else []
        parts.append("header" if self.header else "no header")
        return ", ".join(parts)


def looks_like(cell: str, decimal: str) -> str:
    """One of empty, number, stamp, text."""
    cell = cell.strip()
    if cell in MISSING or cell.lower() in ("true", "false"):
        return "empty"
    if (_COMMA if decimal == "," else _POINT).match(cell):
        return "number"
    return "stamp" if any(form.match(cell) for form in _STAMPS) else "text"


def fields(line: str, delimiter: str) -> list[str]:
    """The fields of a line."""
    if delimiter != " ":
        return next(csv.reader([line], delimiter=delimiter), [""])
    if '"' in line:
        return next(csv.reader([re.sub(r"\s+", " ", line.strip())], delimiter=" "), [""])
    return line.split()


def sniff(head: str, place: str, delimiter: str | None = None, decimal: str | None = None) -> Dialect:
    """The dialect of the text that begins with `head` (whole lines). Raises `DataError` for a text without data."""
    lines = head.splitlines()
    numbered = [(i, line) for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(COMMENTS)]
    if not numbered:
        raise DataError("the file holds no data", place=place, remedy="Check that the right file was given.")
    comments = [line for line in lines[: numbered[0][0]] if line.lstrip().startswith(COMMENTS)]
    numbered = numbered[:300]
    body = [line for _, line in numbered]
    mark, point = _best(body, delimiter, decimal)
    rows = [fields(line, mark) for line in body]
    width = Counter(len(row) for row in rows[-200:]).most_common(1)[0][0]
    start = _preamble(rows, width, point)
    notes: tuple[str, ...] = (f"{counted(start, 'line')} before the table left out",) if start else ()
    rows = rows[start:]
    header, units, used = _header(rows, width, point)
    if header is None:
        header = _header_in_comments(comments, width, mark)
        if header is not None:
            notes += ("names taken from the comment above the data",)
    if used == len(rows):
        raise DataError("the file holds a header but no data", place=place, remedy="Check that the export is complete.")
    skip = numbered[start + used][0]
    first = tuple(rows[used])
    return Dialect(mark, point, skip, width, header, units, tuple(comments), first, notes)


def _best(body: list[str], delimiter: str | None, decimal: str | None) -> tuple[str, str]:
    """The delimiter and decimal mark under which the lines have equally many fields that are numbers or stamps."""
    best, most = (",", "."), -1.0
    for mark in [delimiter] if delimiter else ["\t", ";", "|", ",", " "]:
        rows = [fields(line, mark) for line in body]
        widths = Counter(len(row) for row in rows)
        width, count = widths.most_common(1)[0]
        cells = [cell for row in rows[1:] or rows for cell in row]
        for point in [decimal] if decimal else [".", ","]:
            if point == mark:
                continue
            kinds = Counter(looks_like(cell, point) for cell in cells)
            share = 1 - kinds["text"] / max(len(cells), 1)
            score = count / len(rows) * (0.3 + share) + (0.1 if width > 1 else 0)
            if len(rows) > 1 and len(rows[0]) < width - (mark == " ") and not _titled(rows, width, point):
                score *= 0.6
            if score > most + 1e-9:
                best, most = (mark, point), score
    return best


def _titled(rows: list[list[str]], width: int, point: str) -> bool:
    """Whether the lines that are narrower than the table are titles: a row of names as wide as it follows them."""
    start = _preamble(rows, width, point)
    return start > 0 and len(rows[start]) == width and all(looks_like(c, point) == "text" for c in rows[start] if c)


def _preamble(rows: list[list[str]], width: int, point: str) -> int:
    """Number of leading lines that do not belong to the table: fewer fields than it has, and no data in them."""
    for position, row in enumerate(rows[:60]):
        after = rows[position + 1] if position + 1 < len(rows) else []
        above_data = len(after) == width and any(looks_like(cell, point) in ("number", "stamp") for cell in after)
        short_header = len(row) == width - 1 and above_data
        data = all(looks_like(cell, point) != "text" for cell in row)
        if len(row) >= width or data or (short_header and len(row) > 1):
            return position
    return 0


def _header(
    rows: list[list[str]], width: int, point: str
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None, int]:
    """Names, units, and the number of rows that they take."""
    top = [looks_like(cell, point) for cell in rows[0]]
    if "text" not in top and not (len(rows) > 1 and all(kind == "empty" for kind in top)):
        return None, None, 0
    below = rows[1:50]
    if below and not _differs(rows[0], below, point):
        return None, None, 0
    names = [cell.strip() for cell in rows[0]]
    names = ["row", *names] if len(names) == width - 1 else names
    if len(names) < width:
        names += [""] * (width - len(names))
    if len(below) > 1 and len(below[0]) == width and _differs(below[0], below[1:], point, every=True):
        return tuple(names), tuple(cell.strip(" []()") for cell in below[0]), 2
    return tuple(names), None, 1


def _differs(row: list[str], below: list[list[str]], point: str, every: bool = False) -> bool:
    """Whether text in `row` stands above numbers or stamps; where all is text, a row without numbers is a header.

    With `every`, all cells above data must be text or empty, and one must be text.
    """
    found, data = 0, 0
    for position, cell in enumerate(row):
        kinds = Counter(looks_like(other[position], point) for other in below if position < len(other))
        if kinds["number"] + kinds["stamp"] > kinds["text"]:
            data += 1
            kind = looks_like(cell, point)
            found += kind == "text"
            if every and kind in ("number", "stamp"):
                return False
    if every:
        return found > 0
    return found > 0 or (data == 0 and all(looks_like(cell, point) in ("text", "empty") for cell in row))


def _header_in_comments(comments: list[str], width: int, mark: str) -> tuple[str, ...] | None:
    """The names in the last comment line, as `numpy.savetxt` and gnuplot write them."""
    if not comments:
        return None
    names = [name.strip() for name in fields(comments[-1].lstrip(" #%"), mark)]
    words = len(names) == width and all(names) and all(looks_like(name, ".") == "text" for name in names)
    return tuple(names) if words else None
