"""The kinds of systems: each is one file with a class and an entry here."""

from __future__ import annotations

from ..base import System
from .flow import Flow
from .map import Map

KINDS: dict[str, type[System]] = {kind.kind: kind for kind in (Flow, Map)}
"""The kinds of system by the name that definitions use."""

__all__ = ["KINDS", "Flow", "Map"]
