"""Limit cycles and chaos with weak dynamical noise: the catalogue's flows as diffusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

from ...systems.base import System
from ...systems.definition import from_table
from ...systems.simulate import simulate
from ..observing import draw, observed
from ..regimes import Regime, named, regimes, table_of
from .base import Array, Range, Registry, Settings, Source
from .motion import columns_of

ATTRACTS, SIMPLE = -0.5, 1.5
"""A cycle attracts strongly where the second exponent in a cycle is below the first; it has at most so many maxima."""
FRAGILE = {
    "AnishchenkoAstakhov", "BeerRNN", "Blasius", "BurkeShaw", "CoevolvingPredatorPrey", "HindmarshRose",
    "HollingTanner", "IsothermalChemical", "JerkCircuit", "MultiChua", "Oregonator", "RosenzweigMacArthur",
    "SprottJerk", "SprottL", "SprottO", "SprottQ", "YuWang",
}  # fmt: skip
"""Cycles that noise ends: one state in a hundred is further from the cycle than the spread of a state at a strength of
0.12, or than half of it at 0.035; with so much noise some become chaos."""
CHAOS = (
    "Lorenz63", "Rossler", "Thomas", "Halvorsen", "GenesioTesi", "RikitakeDynamo", "BurkeShaw",
    "Lorenz84", "SprottD", "SprottS", "Rucklidge", "Chen", "DequanLi", "Dadras",
)  # fmt: skip
"""Chaos that holds over a range of parameters, so that weak noise does not change its kind."""
NOISE: Mapping[str, Range] = {
    "periodic": Range(0.01, 0.12, logarithmic=True), "chaotic": Range(0.003, 0.03, logarithmic=True),
}  # fmt: skip
"""Noise in a cycle, as a share of the spread of each state."""


@lru_cache(maxsize=64)
def noisy(name: str) -> System:
    """The system with noise of its own strength on each state: parameters `spread_<state>`."""
    table = table_of(name)
    states = tuple(table["equations"])
    return from_table(
        {
            **table, "kind": "diffusion", "noise": {state: f"spread_{state}" for state in states},
            "parameters": {**table.get("parameters", {}), **{f"spread_{state}": 0.01 for state in states}},
        }
    )  # fmt: skip


@final
@dataclass(frozen=True)
class NoisyMotion(Source):
    """A regime with white noise on each state, which moves it in one cycle by a share `strength` of its spread.

    Integrated by Heun's method with steps of a 200th of a cycle or finer.
    """

    regime: Regime

    @property
    def sampled(self) -> bool:
        """There are cycles."""
        return True

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """An observable, and the strength of the noise."""
        return {
            "observable": draw(self.regime.observables, random), "strength": NOISE[self.truth].draw(random),
            "start": float(random.uniform(5, 20)),
        }  # fmt: skip

    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The observable along one path."""
        regime = self.regime
        quiet = simulate(
            regime.law(), length=1000, dt=regime.cycle / 20, transient=regime.transient, initial=regime.initial
        ).values  # fmt: skip
        spread = settings["strength"] * quiet.std(axis=0) / np.sqrt(regime.cycle)
        law = noisy(regime.system)
        law = law.with_parameters(
            **regime.parameters, **{f"spread_{state}": float(s) for state, s in zip(law.states, spread, strict=True)}
        )
        dt = regime.cycle / sampling
        found = simulate(
            law, length=length, dt=dt, transient=settings["start"] * regime.cycle, initial=quiet[-1],
            step=min(dt, regime.cycle / 200), seed=int(random.integers(2**31)),
        ).values  # fmt: skip
        return observed(settings["observable"], columns_of(law, found, regime.observables))


def strong(regime: Regime) -> bool:
    """Whether noise makes a periodic motion wider and its phase diffuse, but leaves it a cycle."""
    law, exponents = named(regime.system), regime.evidence["exponents"]
    if law.kind != "flow" or not law.autonomous or not 2 <= law.dimension <= 6 or "family" in table_of(regime.system):
        return False
    return bool(exponents[1] * regime.cycle < ATTRACTS and regime.period < SIMPLE * regime.cycle)


def sources() -> Registry:
    """The first strongly attracting cycle of each system, and the listed chaotic systems, with noise."""
    registry = Registry()
    for regime in regimes():
        cycle = regime.truth == "periodic" and regime.system not in FRAGILE and strong(regime)
        name = f"noisy {regime.truth} {regime.system}"
        if name not in registry and (cycle or (regime.truth == "chaotic" and regime.system in CHAOS)):
            family = "noisy cycles" if cycle else "noisy chaos"
            registry.add(NoisyMotion(name, regime.system, family, regime.truth, regime))
    return registry
