"""Training by gradient descent: a problem and settings go in, the parameters that do best on held-out data come out."""

from __future__ import annotations

from .driver import train
from .growth import Growth, gradient_growth
from .optimisers import AdamW, Optimiser, RAdam
from .outcome import Run, Trained
from .precision import jax_in_double
from .problems import Compiled, Moment, Parameters, Problem, Traced
from .schedules import Constant, Exponential, Schedule, WarmupStableDecay
from .settings import Settings

__all__ = [
    "AdamW", "Compiled", "Constant", "Exponential", "Growth", "Moment", "Optimiser", "Parameters", "Problem", "RAdam",
    "Run", "Schedule", "Settings", "Traced", "Trained", "WarmupStableDecay", "gradient_growth", "jax_in_double",
    "train",
]  # fmt: skip
