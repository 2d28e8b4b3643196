"""What of an orbit is kept to see its order: states of a map, maxima or crossings of a flow, and the period of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import System
from ..systems.evolve import evolve

Array = NDArray[np.float64]

MOST_NUMBERS = 4_000_000
"""Most numbers of one block of orbits in memory (32 MB)."""
SAMPLES = 100
"""Samples of a flow in one of its typical periods, between which events are found."""
STILL = 1e-6
"""Motion of less than this, relative to the state, is that of a flow at rest."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What was kept of one orbit: its `points (point, state)` and its `last (state,)` state.

    `extent` is the width of the orbit, in the state where it is widest, `resting` whether it stood still: a flow at
    rest has its equilibrium as the only point. An orbit that diverges has no points, and `last` is NaN.
    """

    points: Array
    last: Array
    extent: float
    resting: bool = False

    @property
    def sound(self) -> bool:
        """Whether the orbit does not diverge."""
        return bool(np.isfinite(self.last).all())


@dataclass(frozen=True)
class Record:
    """What is kept of the orbits of `system`, and where they are sampled: every `dt` after `transient`, `count` times.

    `kind` is "states" (every sample), "maxima" of the state with number `state`, or "crossings" of `level` by it in
    `direction` (1: from below, -1: from above).
    """

    system: System
    kind: str
    state: int
    dt: float
    count: int
    transient: float
    level: float = 0.0
    direction: int = 1
    tolerance: float = 1e-9

    @property
    def times(self) -> Array:
        """The times of the samples `(time,)`."""
        return self.transient + self.dt * np.arange(self.count, dtype=np.float64)

    def of(self, initial: Array, parameters: Mapping[str, Array]) -> list[Kept]:
        """What is kept of each member, from `initial (member, state)` with parameters `(member,)`.

        Orbits are followed in blocks that fit into memory.
        """
        block = max(1, MOST_NUMBERS // (self.count * self.system.dimension))
        found = []
        for start in range(0, len(initial), block):
            part = slice(start, start + block)
            given = {name: values[part] for name, values in parameters.items()}
            samples = evolve(
                self.system, initial[part], self.times, parameters=given, tolerance=self.tolerance
            )  # fmt: skip
            found += self._kept(samples, given)
        return found

    def _kept(self, samples: Array, given: Mapping[str, Array]) -> list[Kept]:
        sound = np.asarray(np.isfinite(samples).all(axis=(1, 2)))
        extent = np.ptp(samples, axis=1).max(axis=1)
        if self.kind == "states":
            return [Kept(x if ok else x[:0], x[-1], e) for x, ok, e in zip(samples, sound, extent, strict=True)]
        columns = {name: values[:, None] for name, values in given.items()}
        rates = self.system.rhs(self.times, samples, **columns)
        level = None if self.kind == "maxima" else self.level
        member, points = events(samples, rates, self.dt, self.state, level, self.direction)
        still = extent <= STILL * (1 + np.abs(samples[:, -1]).max(axis=1))
        return [
            Kept(x[-1:] if still[i] else points[(member == i) & sound[i]], x[-1], extent[i], bool(still[i]))
            for i, x in enumerate(samples)
        ]


def events(
    samples: Array, rates: Array, dt: float, state: int, level: float | None, direction: int = 1
) -> tuple[NDArray[np.int64], Array]:
    """Maxima of a state (`level` None), or its crossings of `level`, between samples `(member, time, state)`.

    Returns the members `(event,)` and the states `(event, state)`, in the order of time. Between samples the orbit is
    the cubic that has their values and `rates (member, time, state)`: its error is of order dt^4, that of the time of
    a maximum dt^3. NaN has no events.
    """
    sign = -1 if level is None else direction
    g = rates[..., state] if level is None else samples[..., state] - level
    with np.errstate(invalid="ignore"):
        change = (sign * g[:, :-1] < 0) & (sign * g[:, 1:] >= 0)
    member, k = np.nonzero(change)
    ends = samples[member, k], samples[member, k + 1], dt * rates[member, k], dt * rates[member, k + 1]
    low, high = np.zeros(len(k)), np.ones(len(k))
    for _ in range(50):
        middle = (low + high) / 2
        a, b, da, db = (end[:, state] for end in ends)
        value = (_slope if level is None else _cubic)(a, b, da, db, middle) - (level or 0.0)
        before = sign * value < 0
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    a, b, da, db = ends
    return member, _cubic(a, b, da, db, high[:, None])


def _cubic(a: Array, b: Array, da: Array, db: Array, s: Array) -> Array:
    """The Hermite cubic with values a, b and slopes da, db at s = 0, 1."""
    return np.asarray(a + (b - a) * s * s * (3 - 2 * s) + da * s * (1 - s) ** 2 - db * s * s * (1 - s))


def _slope(a: Array, b: Array, da: Array, db: Array, s: Array) -> Array:
    """The derivative of the Hermite cubic by s."""
    return np.asarray((b - a) * 6 * s * (1 - s) + da * (1 - s) * (1 - 3 * s) + db * s * (3 * s - 2))


def period_of(points: ArrayLike, longest: int = 64, closeness: float = 1e-6) -> int:
    """The smallest q <= `longest` after which all `points (point, state)` repeat, or 0 where none does.

    Points repeat if no coordinate differs by more than `closeness`, an absolute distance. At least 2 q points are
    needed to see the period q. Cost: O(points x longest).
    """
    p = np.asarray(points, dtype=np.float64)
    p = p[:, None] if p.ndim == 1 else p
    for q in range(1, min(longest, len(p) // 2) + 1):
        if np.abs(p[q:] - p[:-q]).max() <= closeness:
            return q
    return 0


def recording(
    system: System,
    *,
    state: str | None,
    section: Mapping[str, float] | None,
    interval: float | None,
    dt: float | None,
    length: float | None,
    transient: float | None,
    tolerance: float,
) -> Record:
    """The record that the options of a diagram describe, checked and with defaults filled in."""
    kind = "states" if system.stepwise or interval is not None else "maxima" if section is None else "crossings"
    if section is not None and (kind == "states" or state is not None or len(section) != 1):
        remedy = 'A section of a flow is one state and its level, such as section={"z": 27}, without interval or state.'
        raise SettingError(f"section {dict(section)!r}", place=system.name, remedy=remedy)
    name, level = (state or system.states[0], 0.0) if section is None else next(iter(section.items()))
    if name not in system.states:
        raise SettingError(f"unknown state {name!r}", place=system.name, remedy=f"States: {', '.join(system.states)}.")
    unit = 1.0 if system.stepwise else interval or system.period
    if unit is None and (length is None or transient is None or dt is None):
        raise SettingError("the system has no typical period", place=system.name,
                           remedy="Write its period in its definition, or give length, transient and dt.")  # fmt: skip
    unit = unit or 1.0
    every = float(interval or 1.0) if kind == "states" else float(dt or unit / SAMPLES)
    span = (200.0 if system.stepwise else 100.0) * unit if length is None else float(length)
    wait = (1000.0 if system.stepwise else 100.0) * unit if transient is None else float(transient)
    for what, wrong in (
        (f"length is {span}", not (every <= span < np.inf)), (f"transient is {wait}", not (0 <= wait < np.inf)),
        (f"interval is {interval}", interval is not None and not (0 < interval < np.inf)),
        (f"dt is {dt}", dt is not None and (not 0 < dt < np.inf or kind == "states")),
        (f"interval is {interval} for a map", system.stepwise and every != round(every)),
    ):  # fmt: skip
        if wrong:
            raise SettingError(what, place=system.name, remedy="Give a positive number that fits the others.")
    count = round(span / every) + (kind != "states")
    wait = every * round(wait / every) if kind == "states" else wait
    return Record(system, kind, system.states.index(name), every, count, wait, level, tolerance=tolerance)
