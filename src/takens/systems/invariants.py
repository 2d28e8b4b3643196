"""The invariants of the catalogue's systems as they were computed, with their errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .catalogue_index import plain

FILE = Path(__file__).parent / "catalogue" / "invariants.json"


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Any]:
    if not FILE.is_file():
        return {}
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {plain(name): entry for name, entry in found["systems"].items()}


def stored(name: str) -> Mapping[str, Any] | None:
    """What `takens invariants` found for a system of the catalogue at its default parameters, or None.

    The form is that of `takens.dynamics.invariants`: quantity -> value, error and reason.
    """
    entry = _all().get(plain(name))
    return None if entry is None else dict(entry)
