"""The bank: simulated series of which the kind of motion is known, from the catalogue and from random processes."""

from __future__ import annotations

from .entries import CLASSES, Entry, plan
from .realising import realise

__all__ = ["CLASSES", "Entry", "plan", "realise"]
