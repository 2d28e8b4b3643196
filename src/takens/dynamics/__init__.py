"""What one can ask of any system: exponents and dimensions of its motion."""

from __future__ import annotations

from .exponents import kaplan_yorke_dimension, largest_lyapunov_exponent, lyapunov_spectrum

__all__ = ["kaplan_yorke_dimension", "largest_lyapunov_exponent", "lyapunov_spectrum"]
