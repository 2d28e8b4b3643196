"""A training on disk: one file that appears whole or not at all, and goes on to the same result."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import LawError, OutputError, SettingError
from ...version import __version__
from .engines import Place
from .track import Track

FORMAT, VERSION = "takens-training", 1
PARTS = ("vector", "first", "second", "average", "best", "losses")
"""Arrays of one seed in the file."""


@dataclass
class Book:
    """The checkpoint of one training, or none: writes as often as costs at most a twentieth of the time."""

    path: Path | None
    owner: str
    written: float = -inf
    cost: float = 0.0

    @classmethod
    def open(cls, path: Path | None, *things: Any) -> Book:
        """The book at `path` of the training that depends on `things`; without a path nothing is read or written."""
        return cls(path, identity(*things) if path is not None else "")

    def read(self) -> tuple[list[Track], int, float] | None:
        """Tracks, epochs done and seconds spent where the training stopped; None where it has not begun."""
        return load(self.path, self.owner) if self.path is not None and self.path.exists() else None

    def write(self, tracks: Sequence[Track], done: int, spent: float, *, last: bool) -> None:
        """Save where the training stands, unless that was done just before; the `last` state is always saved."""
        now = time.monotonic()
        if self.path is None or (now - self.written < 20 * self.cost and not last):
            return
        save(self.path, self.owner, tracks, done, spent)
        self.written = time.monotonic()
        self.cost = self.written - now


def identity(*things: Any) -> str:
    """A hash of what a training depends on: problem with its data, settings, seeds, and the version of takens."""
    digest = hashlib.sha256(__version__.encode())
    for thing in things:
        _feed(digest, thing)
    return digest.hexdigest()


def save(path: Path, owner: str, tracks: Sequence[Track], done: int, spent: float) -> None:
    """Write where a training stands; `owner` is its identity. Raises `OutputError` where that is impossible."""
    from safetensors.numpy import save as pack

    arrays: dict[str, np.ndarray] = {}
    for i, track in enumerate(tracks):
        place = track.place
        kept = (place.vector, place.moments[1], place.moments[2], place.average, track.best, np.array(track.losses))
        arrays |= {f"{i}.{part}": np.array(array, dtype=np.float64) for part, array in zip(PARTS, kept, strict=True)}
    document = {
        "format": FORMAT, "version": VERSION, "owner": owner, "done": done, "spent": spent.hex(),
        "tracks": [_plain(track) for track in tracks],
    }  # fmt: skip
    content = pack(arrays, metadata={"takens": json.dumps(document, allow_nan=False)})
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", place=str(path)) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def load(path: Path, owner: str) -> tuple[list[Track], int, float]:
    """Tracks, epochs done and seconds spent of the training with identity `owner`.

    Raises `SettingError` for the file of another training, `LawError` for a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            document = json.loads((file.metadata() or {})["takens"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise ValueError(f"format {document['format']} {document['version']}")
        if document["owner"] != owner:
            raise SettingError(
                "is the checkpoint of another training (other data, settings, seeds or version)", place=str(path),
                remedy="Delete it, or give another file.",
            )  # fmt: skip
        tracks = [_track(plain, arrays, i) for i, plain in enumerate(document["tracks"])]
        return tracks, int(document["done"]), float.fromhex(document["spent"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LawError(
            f"is not a checkpoint of a training, or damaged ({type(error).__name__}: {error})", place=str(path),
            remedy="Delete it, and the training starts anew.",
        ) from error  # fmt: skip


def _plain(track: Track) -> dict[str, Any]:
    return {
        "seed": track.seed, "count": int(track.place.moments[0]), "score": track.score.hex(), "found": track.found,
        "values": {name: float(value).hex() for name, value in track.place.values.items()},
        "scores": [(epoch, score.hex()) for epoch, score in track.scores], "factor": track.factor.hex(),
        "restarts": track.restarts, "stale": track.stale, "stopped": track.stopped,
    }  # fmt: skip


def _track(plain: dict[str, Any], arrays: dict[str, np.ndarray], index: int) -> Track:
    vector, first, second, average, best, losses = (arrays[f"{index}.{part}"] for part in PARTS)
    values = {str(name): float.fromhex(value) for name, value in plain["values"].items()}
    place = Place(vector, (int(plain["count"]), first, second), average, values)
    scores = tuple((int(epoch), float.fromhex(score)) for epoch, score in plain["scores"])
    return Track(
        int(plain["seed"]), place, best, float.fromhex(plain["score"]), int(plain["found"]), tuple(losses.tolist()),
        scores, float.fromhex(plain["factor"]), int(plain["restarts"]), int(plain["stale"]), str(plain["stopped"]),
    )  # fmt: skip


def _feed(digest: Any, thing: Any) -> None:
    """Feed what identifies `thing` to the hash: arrays by their bytes, dataclasses and containers by their parts."""
    if isinstance(thing, np.ndarray):
        digest.update(f"{thing.dtype}{thing.shape}".encode())
        digest.update(np.ascontiguousarray(thing).tobytes())
    elif is_dataclass(thing) and not isinstance(thing, type):
        digest.update(type(thing).__qualname__.encode())
        for field in fields(thing):
            digest.update(field.name.encode())
            _feed(digest, getattr(thing, field.name))
    elif isinstance(thing, dict | list | tuple):
        digest.update(f"{type(thing).__name__}{len(thing)}".encode())
        for part in thing.items() if isinstance(thing, dict) else thing:
            _feed(digest, part)
    elif thing is None or isinstance(thing, str | bytes | bool | int | float | np.generic):
        digest.update(repr(thing).encode())
    else:
        digest.update(f"{type(thing).__module__}.{getattr(thing, '__qualname__', type(thing).__qualname__)}".encode())
