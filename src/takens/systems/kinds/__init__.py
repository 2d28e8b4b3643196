"""The kinds of systems: each is one file with a class and an entry here."""

from __future__ import annotations

from ..base import System
from .delayed import Delayed
from .diffusion import Diffusion
from .field import Field
from .flow import Flow
from .jump import Jump
from .map import Map

KINDS: dict[str, type[System]] = {kind.kind: kind for kind in (Flow, Map, Delayed, Diffusion, Jump, Field)}
"""The kinds of system by the name that definitions use."""

__all__ = ["KINDS", "Delayed", "Diffusion", "Field", "Flow", "Jump", "Map"]
