"""Finished work on disk: one JSON file a task, named by a hash of what the task is, so that resuming is skipping."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OutputError
from .estimate import plain


def task_key(task: Mapping[str, Any]) -> str:
    """The name of a task: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON."""
    text = json.dumps(plain(task), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def array_digest(*arrays: NDArray[Any]) -> str:
    """The SHA-256 of arrays: shape, type and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of finished tasks; a file that cannot be read counts as not finished.

    Each result is written to a temporary file and then renamed, so a crash leaves either the whole result or none.
    """

    folder: Path

    def get(self, key: str) -> dict[str, Any] | None:
        """The result of the task `key`, or None if it is not finished."""
        try:
            found = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep the result of the task `key`. Raises `OutputError` where it cannot be written."""
        temporary = self.folder / f".{key}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(plain(result)), encoding="utf-8")
            os.replace(temporary, self.folder / f"{key}.json")
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise OutputError(
                f"cannot write: {error.strerror or error}", place=str(self.folder), remedy="Choose another --out."
            ) from error

    def __len__(self) -> int:
        return len(list(self.folder.glob("*.json"))) if self.folder.is_dir() else 0
