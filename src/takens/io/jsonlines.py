"""JSON: one object a line, a list of objects, or an object of lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import DataError
from .compressed import check_rows, file_bytes
from .table import Table, column_of, name_columns
from .wanted import Wanted


def read_json(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The table in a JSON or JSON-lines file. Raises `DataError` with the line where the text is not JSON."""
    data, _ = file_bytes(path, place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("this is not UTF-8 text", place=place) from error
    if not text.strip():
        raise DataError("the file is empty", place=place)
    format, rows, lines = _rows(text, place)
    check_rows(len(rows), 1, wanted.max_rows, place)
    if not rows:
        raise DataError("the file holds no rows", place=place)
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    nested = [name for name in names if any(isinstance(row.get(name), list | dict) for row in rows)]
    kept = [name for name in names if name not in nested]
    named, notes = name_columns(kept)
    columns = [
        column_of(label, [row.get(name) for row in rows], unit) for name, (label, unit) in zip(kept, named, strict=True)
    ]
    notes += (f"nested fields left out: {', '.join(nested)}",) if nested else ()
    line = (lambda row: lines[row]) if lines else None
    return [Table(tuple(columns), format, place, path.stem, line=line, notes=notes)]


def _rows(text: str, place: str) -> tuple[str, list[dict[str, Any]], list[int]]:
    """Format, rows as objects, and the line of each."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, dict) and whole and all(isinstance(cells, list) for cells in whole.values()):
        lengths = {name: len(cells) for name, cells in whole.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the lists have different lengths: {lengths}", place=place)
        return (
            "JSON, object of lists",
            [dict(zip(whole, r, strict=True)) for r in zip(*whole.values(), strict=True)],
            [],
        )
    if isinstance(whole, list):
        return "JSON, list of rows", [_object(row, place, i) for i, row in enumerate(whole, start=1)], []
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"this line is not JSON: {error}", place=f"{place}, line {number}", remedy="The file may be truncated."
            ) from error
        rows.append(_object(row, place, number))
        lines.append(number)
    return "JSON lines", rows, lines


def _object(row: Any, place: str, number: int) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if isinstance(row, list):
        return {f"column {i}": cell for i, cell in enumerate(row, start=1)}
    if isinstance(row, int | float):
        return {"x": row}
    raise DataError("this is neither an object nor a list", place=f"{place}, line {number}")
