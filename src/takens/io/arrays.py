"""Arrays: NumPy objects, .npy, .npz, MATLAB .mat and plain HDF5; never by unpickling."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..errors import DataError
from .compressed import check_rows, check_zip
from .hdf5 import hdf5_arrays
from .roles import TIME_NAMES
from .table import Column, Table
from .timeline import time_words
from .wanted import Wanted


def array_tables(array: Any, format: str, place: str, name: str, wanted: Wanted) -> list[Table]:
    """One table from an array (time,) or (time, channel); one for each trajectory of (trajectory, time, channel)."""
    array = _unmasked(array)
    _check_numeric(array, place)
    if array.size == 0 or array.ndim == 0:
        raise DataError(f"the array is empty (shape {array.shape})", place=place)
    if array.ndim == 3:
        check_rows(array.shape[0] * array.shape[1], array.shape[2], wanted.max_rows, place)
        parts = [array_tables(part, format, place, f"{name} {i + 1}", wanted)[0] for i, part in enumerate(array)]
        return [replace(part, notes=(*part.notes, "axes read as (trajectory, time, channel)")) for part in parts]
    if array.ndim > 3:
        raise DataError(f"an array of shape {array.shape}", place=place, remedy="Give (time, channel).")
    rows = array[:, None] if array.ndim == 1 else array
    check_rows(rows.shape[0], rows.shape[1], wanted.max_rows, place)
    notes: tuple[str, ...] = ()
    if rows.shape[1] > rows.shape[0]:
        notes = (
            f"rows are times: {rows.shape[0]} times of {rows.shape[1]} channels; transpose if it is the other way",
        )
    return [Table(_columns("x", rows), format, place, name, headed=False, notes=notes)]


def _columns(name: str, rows: NDArray[Any]) -> tuple[Column, ...]:
    """Columns of a (time, channel) array, as float64 (or stamps)."""
    cells = rows if rows.dtype.kind in "Mb" else rows.astype(np.float64)
    names = [name] if rows.shape[1] == 1 else [f"{name}{i + 1}" for i in range(rows.shape[1])]
    return tuple(Column(label, np.ascontiguousarray(cells[:, i])) for i, label in enumerate(names))


def _unmasked(array: Any) -> NDArray[Any]:
    """A plain array, NaN where the mask of a masked one hides a value."""
    if isinstance(array, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(array), np.nan, array.data)
    return np.asarray(array)


def _check_numeric(array: NDArray[Any], place: str) -> None:
    if array.dtype.kind == "O":
        raise DataError("an array of Python objects", place=place, remedy="Convert it to numbers: array.astype(float).")
    if array.dtype.kind not in "fiubM":
        raise DataError(f"an array of type {array.dtype} does not hold real numbers", place=place)


def arrays_tables(arrays: Mapping[str, Any], format: str, place: str, name: str, wanted: Wanted) -> list[Table]:
    """Tables from named arrays: columns of one table where they fit one time array or are all vectors of one length.

    Otherwise each array is a trajectory. Scalars and arrays that do not hold numbers are left out with a note.
    """
    notes = []
    kept: dict[str, NDArray[Any]] = {}
    for key, array in arrays.items():
        array = _unmasked(array)
        vector = array.ravel() if array.ndim == 2 and 1 in array.shape and format.startswith("MATLAB") else array
        if array.size == 1:
            value = array.item() if array.dtype.kind in "fiub" else "?"
            notes.append(f"scalar {key!r} = {value} left out (a sampling interval can be given as interval=)")
        elif vector.dtype.kind not in "fiubM":
            notes.append(f"{key!r} left out: type {vector.dtype}")
        else:
            kept[key] = vector
    if not kept:
        raise DataError("no array of numbers", place=place, remedy="; ".join(notes) or "The file holds no array.")
    times = [key for key, a in kept.items() if a.ndim == 1 and time_words(key)[0] in TIME_NAMES]
    lengths = {len(array) for array in kept.values()}
    flat = all(array.ndim == 1 for array in kept.values())
    if len(lengths) == 1 and len(kept) > 1 and (times or flat) and all(a.ndim <= 2 for a in kept.values()):
        columns: tuple[Column, ...] = ()
        for key, array in kept.items():
            _check_numeric(array, f"{place}, array {key!r}")
            columns += _columns(key, array[:, None] if array.ndim == 1 else array)
        check_rows(lengths.pop(), len(columns), wanted.max_rows, place)
        return [Table(columns, format, place, name, notes=tuple(notes))]
    made = []
    for key, array in kept.items():
        label = name if len(kept) == 1 else key
        made += array_tables(array, format, f"{place}, array {key!r}", label, wanted)
    return [replace(table, notes=(*table.notes, *notes)) for table in made]


def read_npy(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The array in a .npy file."""
    with path.open("rb") as stream:
        array = _npy(stream, path.stat().st_size, place)
    return array_tables(array, f"NumPy array {array.dtype}", place, path.stem, wanted)


def read_npz(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The arrays in a .npz file."""
    check_zip(path, place)
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as stream:
                    key = entry.filename.removesuffix(".npy")
                    arrays[key] = _npy(stream, entry.file_size, f"{place}, array {key!r}")
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(f"the file is truncated or damaged: {error}", place=place, remedy="Copy it again.") from error
    return arrays_tables(arrays, "NumPy archive", place, path.stem, wanted)


def _npy(stream: IO[bytes], size: int, place: str) -> NDArray[Any]:
    """One array; the header is held against the size of the file before any memory is taken."""
    try:
        version = npy.read_magic(stream)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(stream)
        if dtype.hasobject:
            raise DataError("the array holds pickled Python objects, which are not read", place=place)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if count * dtype.itemsize > size:
            raise DataError(f"the file is truncated: {size} bytes for an array of shape {shape}", place=place)
        data = stream.read(count * dtype.itemsize)
        if len(data) < count * dtype.itemsize:
            raise DataError("the file is truncated", place=place, remedy="Copy it again.")
    except (ValueError, EOFError, SyntaxError) as error:
        raise DataError(f"this is no readable NumPy array: {error}", place=place) from error
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def read_mat(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The numeric arrays in a MATLAB file up to version 7.2; structs, cells and objects are left out."""
    import scipy.io

    try:
        found = scipy.io.loadmat(path, struct_as_record=True, squeeze_me=False)
    except Exception as error:
        raise DataError(
            f"the MATLAB file is truncated or damaged: {error}", place=place, remedy="Save it again."
        ) from error
    arrays = {key: array for key, array in found.items() if not key.startswith("__")}
    return arrays_tables(arrays, "MATLAB", place, path.stem, wanted)


def read_hdf5(path: Path, place: str, wanted: Wanted) -> list[Table]:
    """The numeric arrays at the root of an HDF5 file, or of a MATLAB file of version 7.3 (which is one)."""
    arrays, matlab = hdf5_arrays(path, place, wanted.max_rows)
    return arrays_tables(arrays, "MATLAB 7.3" if matlab else "HDF5", place, path.stem, wanted)
