"""The families of series in the bank: each module has sources, all of one contract."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from .base import Process, Range, Registry, Source

__all__ = ["Process", "Range", "Registry", "Source", "sources"]


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    """Every source of series by its name."""
    from . import (
        changing,
        drifting,
        linear,
        linear_spectral,
        motion,
        noisy_motion,
        nonlinear,
        nonlinear_continuous,
        wandering,
        waves,
    )

    parts = (
        motion.sources(), noisy_motion.sources(), drifting.sources(), waves.SOURCES, linear.SOURCES,
        linear_spectral.SOURCES, nonlinear.SOURCES, nonlinear_continuous.SOURCES, wandering.SOURCES, changing.SOURCES,
    )  # fmt: skip
    registry = Registry()
    for part in parts:
        for source in part.values():
            registry.add(source)
    return MappingProxyType(registry)
