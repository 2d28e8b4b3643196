"""Data frames at the border: pandas, polars and whatever else narwhals knows; Parquet and Excel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, SettingError
from .compressed import check_rows, check_zip
from .dialect import looks_like
from .table import Column, Table, column_of, name_columns
from .wanted import Wanted

if TYPE_CHECKING:
    import pandas as pd

    from ..series import Series


def series_to_frame(series: Series) -> pd.DataFrame:
    """A frame with one column a channel; the index holds local time stamps, or numbers without a calendar.

    Units are in `frame.attrs["units"]`. Cost: one copy.
    """
    import pandas as pd

    stamps = series.stamps
    index: pd.Index[Any]
    if stamps is None:
        index = pd.Index(series.times, name=f"time [{series.clock.unit}]")
    else:
        index = pd.DatetimeIndex(stamps, name="time")
        if series.clock.timezone:
            index = index.tz_localize("UTC").tz_convert(series.clock.timezone)
    frame = pd.DataFrame(series.values.copy(), index=index, columns=list(series.channels))
    frame.attrs.update(name=series.name, units=dict(zip(series.channels, series.units, strict=True)))
    return frame


def frame_tables(frame: Any, place: str, wanted: Wanted) -> list[Table]:
    """The table in a pandas frame or series, or in any eager or lazy frame that narwhals knows."""
    import pandas as pd

    kind = f"{type(frame).__module__.split('.')[0]} {type(frame).__name__}"
    if isinstance(frame, pd.Series):
        frame = frame.to_frame(name=frame.name if frame.name is not None else "x")
    if not isinstance(frame, pd.DataFrame):
        frame = _narwhals(frame, place)
    check_rows(len(frame), max(frame.shape[1], 1), wanted.max_rows, place)
    if len(frame) == 0:
        raise DataError("the frame has no rows", place=place)
    units = frame.attrs.get("units", {})
    name = str(frame.attrs.get("name", "") or place)
    time = None
    if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
        marks_time = isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex | pd.TimedeltaIndex)
        single = not isinstance(frame.index, pd.MultiIndex)
        if single:
            label = str(frame.index.name or ("time" if marks_time else "index"))
            while label in map(str, frame.columns):
                label += "_"
            frame = frame.rename_axis(index=label)
            time = label if marks_time else None
        frame = frame.reset_index()
    headers = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    named, notes = name_columns(headers)
    columns = []
    for position, (header, (label, unit)) in enumerate(zip(headers, named, strict=True)):
        column = _frame_column(frame.iloc[:, position], label, place)
        columns.append(Column(column.name, column.cells, units.get(header) or unit or column.unit, column.zone))
        time = label if header == time else time
    return [Table(tuple(columns), kind, place, name, time=time, notes=notes)]


def _narwhals(frame: Any, place: str) -> pd.DataFrame:
    import narwhals as nw

    try:
        native = nw.from_native(frame, allow_series=True)
    except TypeError:
        raise DataError(
            f"cannot read an object of type {type(frame).__name__}",
            place=place,
            remedy="Give a file name, an array, a list of numbers, a data frame, an xarray object or a Series.",
        ) from None
    if isinstance(native, nw.Series):
        return native.alias(native.name or "x").to_frame().to_pandas()
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    return native.to_pandas()


def _frame_column(cells: pd.Series[Any], name: str, place: str) -> Column:
    import pandas as pd
    import pyarrow as pa

    dtype = cells.dtype
    if isinstance(dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
        dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
        dtype = cells.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        zone = str(dtype.tz)
        plain = cells.dt.tz_convert("UTC").dt.tz_localize(None)
        return Column(name, plain.to_numpy().astype("datetime64[us]"), zone=zone)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Column(name, cells.to_numpy())
    if pd.api.types.is_timedelta64_dtype(dtype):
        return Column(name, cells.dt.total_seconds().to_numpy(dtype=np.float64), "s")
    if pd.api.types.is_bool_dtype(dtype) and not cells.isna().any():
        return Column(name, cells.to_numpy(dtype=bool))
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError("complex numbers", place=f"{place}, column {name!r}", remedy="Give real and imaginary parts.")
    if pd.api.types.is_integer_dtype(dtype) and not cells.isna().any() and dtype != "uint64":
        return Column(name, cells.to_numpy(dtype=np.int64))
    if pd.api.types.is_numeric_dtype(dtype):
        return Column(name, cells.to_numpy(dtype=np.float64, na_value=np.nan))
    if isinstance(dtype, pd.StringDtype):
        return Column(name, pa.array(cells, pa.string(), from_pandas=True))
    return column_of(name, [None if value is pd.NA else value for value in cells])


def read_parquet(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The table in a Parquet file. Raises `DataError` where the file is truncated or not Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
        check_rows(file.metadata.num_rows, file.metadata.num_columns, wanted.max_rows, place)
        frame = file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"the Parquet file is truncated or damaged: {str(error).splitlines()[0]}",
            place=place,
            remedy="Copy it again.",
        ) from error
    return [_renamed(table, "Parquet", path) for table in frame_tables(frame, place, wanted)]


def _renamed(table: Table, format: str, path: Path) -> Table:
    from dataclasses import replace

    return replace(table, format=format, name=path.stem if table.name == table.place else table.name)


def read_excel(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The table on one sheet of an .xlsx workbook: the first that holds something, or `sheet`."""
    check_zip(path, place)
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise DataError(
            f"this is no readable workbook: {error}", place=place, remedy="Save it again as .xlsx."
        ) from error
    try:
        names = book.sheetnames
        if wanted.sheet is not None and wanted.sheet not in names:
            listed = ", ".join(map(repr, names))
            raise SettingError(f"no sheet {wanted.sheet!r}", place=place, remedy=f"Sheets are: {listed}.")
        for name in [wanted.sheet] if wanted.sheet else names:
            sheet = book[name]
            rows = list(sheet.iter_rows(values_only=True, max_row=wanted.max_rows + 2))
            while rows and all(cell is None for cell in rows[-1]):
                rows.pop()
            if rows:
                break
        else:
            raise DataError("the workbook is empty", place=place)
    finally:
        book.close()
    others = [other for other in names if other != name]
    notes = (f"sheets not read: {', '.join(others)}",) if others and not wanted.sheet else ()
    return [_sheet(rows, f"Excel, sheet {name!r}", place, path.stem, wanted, notes)]


def _sheet(
    rows: list[tuple[Any, ...]], format: str, place: str, name: str, wanted: Wanted, notes: tuple[str, ...]
) -> Table:
    blank = next(i for i, row in enumerate(rows) if any(cell is not None for cell in row))
    rows = rows[blank:]
    top = rows[0]
    headed = all(cell is None or (isinstance(cell, str) and looks_like(cell, ".") in ("text", "empty")) for cell in top)
    body = rows[1:] if headed else rows
    check_rows(len(body), len(top), wanted.max_rows, place)
    if not body:
        raise DataError("the sheet holds a header but no data", place=place)
    named, said = name_columns(["" if cell is None or not headed else str(cell) for cell in top])
    columns = [column_of(label, [row[i] for row in body], unit) for i, (label, unit) in enumerate(named)]
    kept = tuple(c for c, cell in zip(columns, top, strict=True) if cell is not None or not _empty(c))
    first = blank + (2 if headed else 1)
    return Table(kept, format, place, name, line=lambda row: row + first, headed=headed, notes=notes + said)


def _empty(column: Column) -> bool:
    return column.kind == "number" and column.cells.dtype.kind == "f" and not np.isfinite(column.cells).any()
