"""Delimited text: CSV, TSV, semicolons, blanks; with comments, gzip, decimal commas, and our own lossless CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..clock import Clock
from ..errors import DataError
from ..wording import counted
from .compressed import check_rows, file_bytes
from .dialect import COMMENTS, Dialect, fields, looks_like, sniff
from .table import MISSING, Column, Table, name_columns
from .wanted import Wanted

HEAD = 2**17
MARK = "# takens series "
"""Begins the comment in which `takens.io.writing` stores what a plain CSV cannot say."""


def read_text(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The table in a text file. Raises `DataError` for empty, binary, truncated or ragged text."""
    data, packed = file_bytes(path, place)
    data = _utf8(data, place)
    if not data.strip():
        raise DataError("the file is empty", place=place, remedy="Check that the right file was given.")
    end = len(data) if len(data) <= HEAD else data.rfind(b"\n", 0, HEAD) + 1 or HEAD
    head = data[:end].decode("utf-8", errors="replace")
    dialect = sniff(head, place, wanted.delimiter, wanted.decimal)
    start = _offset(data, dialect.skip)
    check_rows(data.count(b"\n", start), 1, wanted.max_rows, place)
    columns = _parse(data[start:], dialect, place)
    kind = "CSV" if dialect.delimiter in ",;|" and dialect.width > 1 else "text"
    return [_table(columns, dialect, f"{kind}{', gzip' if packed else ''}, {dialect}", data, place, path)]


def _utf8(data: bytes, place: str) -> bytes:
    """The text as UTF-8 with plain line ends, or a `DataError` where it is not text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = data[:HEAD]
    odd = re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head) or (re.search(rb"\x00", data) if b"\0" in data else None)
    if odd is not None:
        raise DataError(
            f"this is a binary file, not text (byte {odd[0][0]:#04x} at position {odd.start()})",
            place=place,
            remedy="Read are: CSV and other text, Parquet, Excel, NetCDF, Zarr, npy, npz, mat, JSON lines.",
        )
    try:
        data.decode("utf-8") if not data.isascii() else None
    except UnicodeDecodeError:
        data = data.decode("cp1252", errors="replace").encode()
    if b"\r" in data and b"\n" not in head:
        data = data.replace(b"\r", b"\n")
    return data


def _offset(data: bytes, lines: int) -> int:
    position = 0
    for _ in range(lines):
        position = data.find(b"\n", position) + 1
    return position


def _parse(body: bytes, dialect: Dialect, place: str) -> list[tuple[Any, str | None]]:
    """The columns of the data lines, as (cells, zone)."""
    import pyarrow as pa
    import pyarrow.csv as arrow

    delimiter = dialect.delimiter
    if any(b"\n" + mark.encode() in body for mark in COMMENTS):
        body = b"\n".join(line for line in body.split(b"\n") if not line.lstrip().startswith((b"#", b"%")))
    if delimiter == " ":
        delimiter = "\t"
        body = re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", body)
        body = re.sub(rb"[ \t]+", b"\t", body)
    names = [str(i) for i in range(dialect.width)]
    # Arrow forgets offsets and reads times of day as durations, so that these columns are read as text.
    kept = {name: pa.string() for name, cell in zip(names, dialect.first, strict=False) if _keep_text(cell)}
    try:
        table = arrow.read_csv(
            pa.py_buffer(body.rstrip(b"\r\n") + b"\n"),
            read_options=arrow.ReadOptions(column_names=names, block_size=2**24),
            parse_options=arrow.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=dialect.width > 1, newlines_in_values=b'"' in body
            ),
            convert_options=arrow.ConvertOptions(
                null_values=list(MISSING), strings_can_be_null=True, decimal_point=dialect.decimal, column_types=kept
            ),
        )
    except pa.ArrowInvalid as error:
        _ragged(body, delimiter, dialect, place)
        raise DataError(f"the text cannot be read as a table: {error}", place=place) from error
    return [_cells(column.combine_chunks()) for column in table.columns]


def _keep_text(cell: str) -> bool:
    zoned = re.search(r"\d[ ]?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$", cell.strip()) and looks_like(cell, ".") == "stamp"
    return bool(zoned) or re.match(r"^\s*\d{1,2}:\d{2}", cell) is not None


def _cells(column: Any) -> tuple[Any, str | None]:
    """Arrow cells as NumPy numbers or stamps, or an Arrow string array; and the zone of stamps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan), None
    if pa.types.is_boolean(kind):
        if column.null_count:
            column = pc.cast(column, pa.int8())
            return column.to_numpy(zero_copy_only=False).astype(np.float64), None
        return column.to_numpy(zero_copy_only=False), None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = "UTC" if getattr(kind, "tz", None) else None
        return column.to_numpy(zero_copy_only=False).astype("datetime64[us]"), zone
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column.to_numpy(zero_copy_only=False), None
    return pc.cast(column, pa.string()), None


def _ragged(body: bytes, delimiter: str, dialect: Dialect, place: str) -> None:
    """Raise a `DataError` that names the first line with the wrong number of fields, if there is one."""
    text = body.decode("utf-8", errors="replace").split("\n")
    for position, line in enumerate(text):
        if not line.strip():
            continue
        count = len(fields(line.rstrip("\r"), delimiter))
        if count != dialect.width:
            last = all(not rest.strip() for rest in text[position + 1 :])
            remedy = "The file may be truncated: copy or export it again." if last and count < dialect.width else ""
            raise DataError(
                f"{counted(count, 'field')} where {dialect.width} {'is' if dialect.width == 1 else 'are'} expected",
                place=f"{place}, row {position + 1} (line {dialect.skip + position + 1})",
                remedy=remedy or "Check the delimiter (delimiter=) and quotes in this line.",
            )


def _data_lines(data: bytes, dialect: Dialect) -> Iterator[int]:
    """The line number, from 1, of each data row."""
    start = _offset(data, dialect.skip)
    for number, line in enumerate(data[start:].split(b"\n"), start=dialect.skip + 1):
        if (line.strip() or dialect.width == 1) and not line.lstrip().startswith((b"#", b"%")):
            yield number


def _table(
    columns: list[tuple[Any, str | None]], dialect: Dialect, format: str, data: bytes, place: str, path: Path
) -> Table:
    def line(row: int) -> int:
        return next(number for i, number in enumerate(_data_lines(data, dialect)) if i == row)

    own = next((c for c in dialect.comments if c.startswith(MARK)), None)
    if own is not None:
        return _own_table(columns, own[len(MARK) :], place, line)
    header = dialect.header or ("",) * dialect.width
    named, notes = name_columns(header)
    units = dialect.units or ("",) * dialect.width
    made = tuple(
        Column(name, cells, unit or extra, zone)
        for (name, unit), extra, (cells, zone) in zip(named, units, columns, strict=True)
    )
    stem = re.sub(r"\.(gz|csv|tsv|txt|dat|asc|tab)$", "", re.sub(r"\.gz$", "", path.name, flags=re.I), flags=re.I)
    return Table(
        made, format, place, stem, line=line, headed=dialect.header is not None, decimal=dialect.decimal,
        notes=dialect.notes + notes,
    )  # fmt: skip


def _own_table(columns: list[tuple[Any, str | None]], text: str, place: str, line: Any) -> Table:
    """A file that `takens.io.writing` wrote: names, units and clock as they were."""
    try:
        known = json.loads(text)
        clock = clock_from(known["clock"])
        names, units = known["channels"], known["units"]
        time = "time"
        while time in names:
            time += "_"
        zone = "UTC" if clock.origin is not None and clock.timezone else None
        made = [Column(time, columns[0][0], zone=zone)]
        for name, unit, (cells, _) in zip(names, units, columns[1:], strict=True):
            made.append(Column(name, cells, unit))
        return Table(
            tuple(made), "CSV written by takens", place, known["name"], time=time, clock=clock, line=line,
            inputs=tuple(known.get("inputs", ())),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "the takens header of this file is damaged", place=place, remedy="Remove its first line to read plain CSV."
        ) from error


def clock_facts(clock: Clock) -> dict[str, str]:
    """A clock as JSON can hold it."""
    origin = "" if clock.origin is None else str(clock.origin.astype("datetime64[us]"))
    return {"unit": clock.unit, "origin": origin, "timezone": clock.timezone}


def clock_from(facts: dict[str, str]) -> Clock:
    """The clock that `clock_facts` wrote."""
    origin = np.datetime64(facts["origin"], "us") if facts["origin"] else None
    return Clock(str(facts["unit"]), origin, str(facts["timezone"]))
