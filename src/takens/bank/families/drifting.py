"""Systems of which a parameter drifts during the record, and chaos that ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

from ...errors import SimulationError
from ...systems.base import System
from ...systems.definition import from_table
from ...systems.simulate import simulate
from ..observing import draw, observed
from ..regimes import named, table_of
from .base import Array, Range, Registry, Settings, Source

TRUTH = "non-stationary"
DRIFTS: tuple[tuple[str, str, Range, Range], ...] = (
    ("Logistic", "r", Range(3.2, 3.5), Range(3.85, 4.0)),
    ("Henon", "a", Range(0.8, 1.0), Range(1.3, 1.4)),
    ("Ikeda", "u", Range(0.5, 0.65), Range(0.85, 0.92)),
    ("Ricker", "a", Range(2.1, 2.5), Range(3.0, 3.6)),
    ("Sine", "r", Range(0.8, 0.85), Range(0.95, 1.0)),
    ("DelayedLogistic", "a", Range(2.02, 2.08), Range(2.2, 2.27)),
    ("Lorenz63", "rho", Range(28, 40), Range(90, 150)),
    ("Rossler", "c", Range(2.0, 3.0), Range(6.0, 9.0)),
    ("VanDerPol", "mu", Range(0.3, 1.0), Range(4.0, 8.0)),
    ("Lorenz84", "f", Range(4.0, 5.0), Range(7.5, 9.0)),
    ("RosenzweigMacArthur", "k", Range(3.2, 3.6), Range(5.0, 7.0)),
    ("StuartLandau", "a", Range(0.2, 0.4), Range(2.0, 4.0)),
    ("LorenzStenflo", "c", Range(24, 28), Range(60, 90)),
)
"""System, parameter, and where it begins and ends."""


@lru_cache(maxsize=64)
def ramped(name: str, parameter: str) -> System:
    """The system with `parameter` moving along a line, from `first` at `since` by `change` in the time `span`."""
    table = table_of(name)
    clock = "n" if table.get("kind") == "map" else "t"
    line = f"first + change*min(max(({clock} - since)/span, 0), 1)"
    rest = {key: value for key, value in table["parameters"].items() if key != parameter}
    values = {"first": float(table["parameters"][parameter]), "change": 0.0, "since": 0.0, "span": 1.0}
    return from_table(
        {**table, "auxiliary": {parameter: line, **table.get("auxiliary", {})}, "parameters": {**rest, **values}}
    )


@final
@dataclass(frozen=True)
class Drift(Source):
    """A system of which one parameter moves along a line over the whole record, in either direction."""

    parameter: str
    low: Range
    high: Range
    maps: bool

    @property
    def sampled(self) -> bool:
        """Flows have cycles, maps go steps."""
        return not self.maps

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """Where the parameter begins and ends, and an observable."""
        ends = [self.low.draw(random), self.high.draw(random)]
        first, last = ends if random.random() < 0.5 else ends[::-1]
        return {"observable": draw(named(self.system).states, random), "first": first, "last": last}

    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The observable while the parameter moves."""
        law = ramped(self.system, self.parameter)
        cycle = 1.0 if self.maps else float(law.period or 1.0)
        dt = 1.0 if self.maps else cycle / sampling
        wait = float(round(100 * cycle + random.uniform(0, 50 * cycle)))
        law = law.with_parameters(
            first=settings["first"], change=settings["last"] - settings["first"], since=wait, span=dt * length
        )
        found = simulate(law, length=length, dt=dt, transient=wait, tolerance=1e-8).values
        return observed(settings["observable"], dict(zip(law.states, found.T, strict=True)))


@final
@dataclass(frozen=True)
class TransientChaos(Source):
    """The Lorenz system below the onset of lasting chaos: irregular for a while, then at rest in a spiral.

    The record ends some time after the change; a path that settles too soon is drawn again.
    """

    @property
    def sampled(self) -> bool:
        """There are cycles around two points."""
        return True

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """The parameter, an observable, and at what share of the record chaos ends."""
        return {
            "observable": draw(("x", "y", "z"), random), "rho": float(random.uniform(20.5, 23.0)),
            "end": float(random.uniform(0.3, 0.75)),
        }  # fmt: skip

    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The observable around the end of chaos."""
        law = named("Lorenz63").with_parameters(rho=settings["rho"])
        before = int(settings["end"] * length)
        dt = 0.7 / sampling
        for _ in range(300):
            start = random.normal(size=3) * [8.0, 8.0, 8.0] + [0.0, 0.0, 23.0]
            found = simulate(law, length=min(4 * length, 60_000), dt=dt, transient=5.0, initial=start, tolerance=1e-7)
            # The sign of x changes while there is chaos, never on the spiral.
            turns = np.flatnonzero(np.diff(np.sign(found.values[:, 0])))
            last = int(turns[-1]) if len(turns) else 0
            if before <= last <= len(found) - (length - before):
                part = found.values[last - before : last - before + length]
                return observed(settings["observable"], dict(zip(law.states, part.T, strict=True)))
        raise SimulationError("chaos never lasted long enough", time=0.0, state=())


def sources() -> Registry:
    """The drifts and transient chaos."""
    registry = Registry()
    for name, parameter, low, high in DRIFTS:
        maps = named(name).kind == "map"
        registry.add(Drift(f"drifting {name}", name, "drifting systems", TRUTH, parameter, low, high, maps))
    registry.add(TransientChaos("transient chaos", "Lorenz63", "drifting systems", TRUTH))
    return registry
