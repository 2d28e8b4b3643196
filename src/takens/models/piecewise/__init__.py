"""Piecewise-linear recurrent networks: almost linear and shallow, trained by teacher forcing."""

from __future__ import annotations

from .almost_linear import AlmostLinearRNN
from .law import PiecewiseLinearLaw
from .maps import AlmostLinearMap, ShallowMap
from .shallow import ShallowPLRNN

__all__ = ["AlmostLinearMap", "AlmostLinearRNN", "PiecewiseLinearLaw", "ShallowMap", "ShallowPLRNN"]
