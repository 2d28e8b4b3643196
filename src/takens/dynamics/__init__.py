"""What one can ask of any system: exponents and dimensions of its motion."""

from __future__ import annotations

from .dimension import correlation_dimension
from .exponents import kaplan_yorke_dimension, largest_lyapunov_exponent, lyapunov_spectrum
from .invariants import invariants
from .period import dominant_period

__all__ = [
    "correlation_dimension",
    "dominant_period",
    "invariants",
    "kaplan_yorke_dimension",
    "largest_lyapunov_exponent",
    "lyapunov_spectrum",
]
