"""The bytes of a file, with limits: a small compressed file must not become a memory full of zeros."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from ..errors import DataError

LIMIT = 4 * 2**30
"""Most bytes of text that are read into memory."""
RATIO = 100
"""Largest ratio of unpacked to packed size; real data seldom reach 30."""
HARMLESS = 64 * 2**20
"""Below this unpacked size the ratio does not matter."""


def file_bytes(path: Path, place: str) -> tuple[bytes, bool]:
    """The content of `path`, unpacked where it is gzip, and whether it was. Raises `DataError`."""
    size = path.stat().st_size
    if size > LIMIT:
        raise DataError(
            f"the file has {_size(size)}, more than the {_size(LIMIT)} that are read into memory",
            place=place,
            remedy="Split it, thin it, or convert it to Parquet and read single channels.",
        )
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return _gunzip(data, place), True
    return data, False


def _gunzip(packed: bytes, place: str) -> bytes:
    """All members of a gzip file; stops at the limits before the memory is gone."""
    limit = min(LIMIT, max(HARMLESS, RATIO * len(packed)))
    parts: list[bytes] = []
    total = 0
    rest: bytes = packed
    try:
        while rest:
            stream = zlib.decompressobj(wbits=31)
            chunk = stream.decompress(rest, 2**24)
            while True:
                parts.append(chunk)
                total += len(chunk)
                if total > limit:
                    raise _bomb(f"unpacks to more than {_size(limit)} from {_size(len(packed))}", place)
                if stream.eof or not (chunk or stream.unconsumed_tail):
                    break
                chunk = stream.decompress(stream.unconsumed_tail, 2**24)
            if not stream.eof:
                raise DataError("the gzip file is truncated", place=place, remedy="Copy or download it again.")
            rest = stream.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise DataError(f"the gzip file is damaged: {error}", place=place, remedy="Copy it again.") from error
    return b"".join(parts)


def check_zip(path: Path, place: str) -> None:
    """Refuse a zip container (xlsx, npz, zarr.zip) that is damaged or unpacks beyond the limits."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"the file is truncated or damaged: {error}", place=place, remedy="Copy it again.") from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(path.stat().st_size, 1)
    if unpacked > LIMIT or unpacked > max(HARMLESS, RATIO * packed):
        raise _bomb(f"unpacks to {_size(unpacked)} from {_size(packed)}", place)


def check_rows(rows: int, columns: int, max_rows: int, place: str) -> None:
    """Refuse more than `max_rows` rows, or more than 50 values for each allowed row."""
    if rows > max_rows:
        raise DataError(
            f"{rows:,} rows, more than the limit of {max_rows:,}",
            place=place,
            remedy=f"Thin the data, or allow more: max_rows={rows}.",
        )
    if rows * columns > 50 * max_rows:
        raise DataError(
            f"{rows:,} rows of {columns:,} columns hold more than {50 * max_rows:,} values",
            place=place,
            remedy="Read fewer channels (channels=[...]), or raise max_rows.",
        )


def _bomb(what: str, place: str) -> DataError:
    return DataError(
        f"the compressed file {what}; allowed are a ratio of {RATIO} and {_size(LIMIT)}",
        place=place,
        remedy="Unpack it yourself first if you trust it.",
    )


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
