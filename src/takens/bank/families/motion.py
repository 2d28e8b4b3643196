"""Deterministic regimes of systems, chaotic, periodic and quasi-periodic, as sources of series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from ...systems.base import System
from ...systems.simulate import simulate
from ..observing import draw, observed
from ..regimes import Regime, regimes
from .base import Array, Registry, Settings, Source

FAMILIES: Mapping[str, str] = {"map": "maps", "flow": "flows", "delayed": "delay systems", "diffusion": "flows"}
FINEST, COARSEST = 100.0, 6.0
"""Samples a cycle."""


def columns_of(law: System, values: Array, wanted: tuple[str, ...]) -> dict[str, Array]:
    """The observables of a regime, states or sines of states, from states `(time, state)`."""
    return {
        name: np.sin(values[:, law.states.index(name[4:-1])])
        if name.startswith("sin(")
        else values[:, law.states.index(name)]
        for name in wanted
    }


@final
@dataclass(frozen=True)
class Motion(Source):
    """A system in one of its regimes, from a random moment of its settled motion.

    A flow is sampled so many times a cycle, the mean time between its maxima; a map at each iteration.
    """

    regime: Regime
    maps: bool

    tolerance: ClassVar[float] = 1e-8

    @property
    def sampled(self) -> bool:
        """Flows have cycles, maps go steps."""
        return not self.maps

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """An observable, and how many cycles after the stored moment the series begins."""
        states = self.regime.observables
        if self.maps and self.truth == "periodic":
            # Two states that alternate may have a constant sum.
            states = (states[int(random.integers(len(states)))],)
        return {"observable": draw(states, random), "start": float(random.uniform(0, 60))}

    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The observable along the motion."""
        regime, law = self.regime, self.regime.law()
        dt = 1.0 if self.maps else regime.cycle / sampling
        wait = regime.transient + settings["start"] * regime.cycle
        if law.kind == "map":
            wait = float(round(wait))
        found = simulate(
            law, length=length, dt=dt, transient=wait, initial=regime.initial, tolerance=self.tolerance
        ).values  # fmt: skip
        return observed(settings["observable"], columns_of(law, found, regime.observables))


def sources() -> Registry:
    """Every regime of the table as a source."""
    from ..regimes import named

    registry = Registry()
    for regime in regimes():
        kind = named(regime.system).kind
        name = f"{regime.truth} {regime.name}"
        registry.add(Motion(name, regime.system, FAMILIES[kind], regime.truth, regime, kind == "map"))
    return registry
