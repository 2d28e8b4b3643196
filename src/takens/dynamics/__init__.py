"""What one can ask of any system: exponents and dimensions of its motion."""

from __future__ import annotations

from .alignment import gali, sali
from .covariant import covariant_lyapunov_vectors
from .dimension import correlation_dimension
from .exponents import kaplan_yorke_dimension, largest_lyapunov_exponent, lyapunov_spectrum
from .finite_time import finite_time_exponents
from .invariants import invariants
from .period import dominant_period

__all__ = [
    "correlation_dimension",
    "covariant_lyapunov_vectors",
    "dominant_period",
    "finite_time_exponents",
    "gali",
    "invariants",
    "kaplan_yorke_dimension",
    "largest_lyapunov_exponent",
    "lyapunov_spectrum",
    "sali",
]
