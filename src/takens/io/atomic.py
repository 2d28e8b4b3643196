"""Output that is there whole or not at all: written beside its place under another name, then moved into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file name beside `path` to write to; it becomes `path` when the block ends well and vanishes otherwise.

    Raises `OutputError` where the folder is missing or not writable, the disk is full, or `path` is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError("this is a folder, not a file", place=str(path), remedy="Name a file in it.")
    with _said(target):
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent)
        os.close(handle)
    part = Path(name)
    try:
        with _said(target):
            yield part
            _sync(part)
            part.chmod(0o666 & ~_umask())
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def atomic_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` whole or not at all. Raises `OutputError`."""
    with atomic_path(path) as part:
        part.write_bytes(data)


def atomic_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to `path` whole or not at all. Raises `OutputError`."""
    atomic_bytes(path, text.encode("utf-8"))


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Iterator[Path]:
    """A new folder beside `path` to fill; it becomes `path` when the block ends well and vanishes otherwise.

    An existing empty folder at `path` is taken over; one with content only if `replace`, and it is removed only after
    the new one is complete. Raises `OutputError` where the place is taken, not writable, or the disk is full.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise OutputError("a file of this name exists", place=str(path), remedy="Choose another folder.")
    if target.is_dir() and any(target.iterdir()) and not replace:
        raise OutputError("this folder exists and is not empty", place=str(path), remedy="Choose another folder.")
    with _said(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent))
    try:
        with _said(target):
            yield part
            part.chmod(0o777 & ~_umask())
            _take_over(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_over(part: Path, target: Path) -> None:
    """Move the folder `part` to `target`; what was at `target` comes back if that fails."""
    if not target.exists():
        os.replace(part, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".old", dir=target.parent)) / "folder"
    os.replace(target, old)
    try:
        os.replace(part, target)
    except OSError:
        os.replace(old, target)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


@contextmanager
def _said(target: Path) -> Iterator[None]:
    """Every failure of the file system as an `OutputError` that names the place."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        remedy = "Free some space or choose another disk." if error.errno == 28 else "Choose a place you can write to."
        raise OutputError(f"cannot be written: {cause}", place=str(target), remedy=remedy) from error


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
