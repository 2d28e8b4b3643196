"""Laws of motion from equations: what they are, what is known about them, and how they move."""

from __future__ import annotations

from .base import Flow, Known, Map, System
from .catalogue_index import names
from .definition import system
from .equations import Equations

__all__ = ["Equations", "Flow", "Known", "Map", "System", "names", "system"]
