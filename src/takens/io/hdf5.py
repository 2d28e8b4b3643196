"""HDF5 with care: nothing outside the file is opened, whatever its links say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .compressed import check_rows


def hdf5_library(place: str) -> ModuleType:
    """The h5py module, or a `DataError` that says how to get it."""
    try:
        import h5py
    except ImportError:
        raise DataError(
            "this is an HDF5 file, which needs the package h5py",
            place=place,
            remedy="Install it (pip install h5py), or export to NetCDF-3, Parquet or CSV.",
        ) from None
    return h5py


def check_links(path: Path, place: str) -> None:
    """Refuse an HDF5 file that is damaged or refers to other files (external or virtual data, external links)."""
    h5py = hdf5_library(place)
    try:
        with h5py.File(path, "r") as file:
            _check_group(file, h5py, place, depth=0)
    except OSError as error:
        raise DataError(
            f"the HDF5 file is truncated or damaged: {error}", place=place, remedy="Copy it again."
        ) from error


def _check_group(group: Any, h5py: ModuleType, place: str, depth: int) -> None:
    if depth > 20:
        raise DataError("groups are nested more than 20 deep", place=place)
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise DataError(f"{name!r} is a link to another file, which is not followed", place=place)
        if isinstance(link, h5py.SoftLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            _check_group(item, h5py, place, depth + 1)
        elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise DataError(f"{name!r} keeps its data in another file, which is not opened", place=place)


def hdf5_arrays(path: Path, place: str, max_rows: int) -> tuple[dict[str, NDArray[Any]], bool]:
    """The numeric arrays at the root, MATLAB's turned to (row, column); and whether MATLAB wrote the file."""
    h5py = hdf5_library(place)
    check_links(path, place)
    with path.open("rb") as stream:
        matlab = stream.read(6) == b"MATLAB"
    arrays = {}
    with h5py.File(path, "r") as file:
        for name in file:
            item = file[name]
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub":
                check_rows(max(item.shape, default=1), int(item.size // max(item.shape, default=1)), max_rows, place)
                arrays[name] = np.asarray(item).T if matlab else np.asarray(item)
    return arrays, matlab
