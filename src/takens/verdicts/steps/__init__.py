"""The questions of the procedure, in order. Each can be replaced: see `takens.verdict`."""

from __future__ import annotations

from ..base import Inquiry
from .chaotic import Chaotic
from .cycle import Cycle
from .deterministic import Deterministic
from .enough import Enough
from .linear import Linear
from .stationary import Stationary

STEPS: tuple[Inquiry, ...] = (Enough(), Stationary(), Linear(), Cycle(), Deterministic(), Chaotic())
"""The steps of every verdict, whose statistics the calibration was fitted to."""
