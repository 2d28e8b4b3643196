"""The kinds of systems: each is one file with a class and an entry here."""

from __future__ import annotations

from ..base import System
from .diffusion import Diffusion
from .field import Field
from .flow import Flow
from .jump import Jump
from .map import Map

KINDS: dict[str, type[System]] = {kind.kind: kind for kind in (Flow, Map, Diffusion, Jump, Field)}
"""The kinds of system by the name that definitions use."""

__all__ = ["KINDS", "Diffusion", "Field", "Flow", "Jump", "Map"]
