"""Laws of motion from equations: what they are, what is known about them, and how they move."""

from __future__ import annotations

from .base import Known, System
from .catalogue_index import names
from .definition import system
from .equations import Equations
from .evolve import evolve, orbit
from .kinds import Diffusion, Field, Flow, Jump, Map
from .rule import ArrayRule

__all__ = [
    "ArrayRule",
    "Diffusion",
    "Equations",
    "Field",
    "Flow",
    "Jump",
    "Known",
    "Map",
    "System",
    "evolve",
    "names",
    "orbit",
    "system",
]
