"""Which reader reads a file: by its first bytes where they tell, else by its suffix, else as text."""

from __future__ import annotations

import importlib
import os
import zipfile
from pathlib import Path
from typing import Any

from ..errors import DataError, SettingError
from .table import Table
from .wanted import Wanted

READERS = {
    "text": "text:read_text",
    "parquet": "frames:read_parquet",
    "excel": "frames:read_excel",
    "netcdf": "grids:read_netcdf",
    "zarr": "grids:read_zarr",
    "npy": "arrays:read_npy",
    "npz": "arrays:read_npz",
    "mat": "arrays:read_mat",
    "hdf5": "arrays:read_hdf5",
    "json": "jsonlines:read_json",
}
"""A reader is a function (path, place, wanted) -> list[Table]; a new format is one file and one line here."""

SUFFIXES = {
    ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel", ".nc": "netcdf", ".nc4": "netcdf",
    ".cdf": "netcdf", ".zarr": "zarr", ".npy": "npy", ".npz": "npz", ".mat": "mat", ".h5": "hdf5", ".hdf5": "hdf5",
    ".jsonl": "json", ".ndjson": "json", ".json": "json",
}  # fmt: skip
_MAGIC = {b"PAR1": "parquet", b"\x93NUMPY": "npy", b"CDF\x01": "netcdf", b"CDF\x02": "netcdf", b"CDF\x05": "netcdf"}
_REFUSED = {
    b"\xd0\xcf\x11\xe0": ("an old Excel or other Office file", "Save it as .xlsx or CSV."),
    b"%PDF": ("a PDF", "Export the data behind it."),
    b"\x89PNG": ("a picture", "Export the data behind it."),
    b"BZh": ("compressed with bzip2", "Unpack it first."),
    b"\xfd7zXZ": ("compressed with xz", "Unpack it first."),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "Unpack it first."),
    b"RDX": ("an R data file", "Write it as CSV."),
    b"\x80\x04\x95": ("a Python pickle, which is never read", "Save the data as .npy, .npz or Parquet."),
}


def read_file(source: str | os.PathLike[str], wanted: Wanted) -> list[Table]:
    """The tables in a file. Raises `DataError` where it is missing, empty, of no known format or damaged."""
    place = os.fspath(source)
    if "://" in place:
        raise SettingError("only local files are read", place=place, remedy="Download the file first.")
    path = Path(place)
    module, _, name = READERS[_kind(path, place)].partition(":")
    function: Any = getattr(importlib.import_module(f".{module}", __package__), name)
    try:
        return function(path, path.name, wanted)
    except PermissionError as error:
        raise DataError("this file may not be read", place=place, remedy="Check its permissions.") from error


def _kind(path: Path, place: str) -> str:
    try:
        if path.is_dir():
            return _folder_kind(path, place)
        if not path.exists():
            raise DataError("no such file", place=place, remedy="Check the name and the folder.")
        if not path.is_file():
            raise DataError("this is not a regular file", place=place)
        with path.open("rb") as stream:
            head = stream.read(16)
            stream.seek(min(512, path.stat().st_size))
            later = stream.read(8)
    except PermissionError as error:
        raise DataError("this file may not be read", place=place, remedy="Check its permissions.") from error
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror}", place=place) from error
    suffix = path.suffix.lower()
    if not head:
        raise DataError("the file is empty", place=place, remedy="Check that the right file was given.")
    for magic, (what, remedy) in _REFUSED.items():
        if head.startswith(magic):
            raise DataError(f"this is {what}", place=place, remedy=remedy)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head.startswith(b"\x89HDF") or later.startswith(b"\x89HDF"):
        return "netcdf" if SUFFIXES.get(suffix) == "netcdf" else "hdf5"
    if head.startswith(b"PK"):
        return _zip_kind(path, place)
    if head.startswith(b"MATLAB 5"):
        return "mat"
    known = SUFFIXES.get(suffix, "text")
    if known in ("json", "mat", "text"):
        return known
    raise DataError(
        f"the name says {suffix[1:]}, but the content does not: the file is damaged or something else",
        place=place,
        remedy="Copy it again, or give it the suffix of its real format.",
    )


def _folder_kind(path: Path, place: str) -> str:
    if any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zarray", ".zmetadata")):
        return "zarr"
    raise DataError("this is a folder", place=place, remedy="Give a file, or a folder that is a Zarr store.")


def _zip_kind(path: Path, place: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"the file is truncated or damaged: {error}", place=place, remedy="Copy it again.") from error
    if any(name.startswith("xl/") for name in names):
        return "excel"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if any(name.endswith((".zgroup", ".zarray", "zarr.json")) for name in names):
        return "zarr"
    raise DataError("this is a zip archive", place=place, remedy="Unpack it and give the file in it.")
