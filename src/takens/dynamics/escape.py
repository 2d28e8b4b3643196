"""Escape: how long orbits stay in a region of the state space, and the rate at which they leave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.evolve import evolve
from ..wording import printed
from .record import MOST_NUMBERS

Array = NDArray[np.float64]
Region = Mapping[str, tuple[float, float]] | Callable[[Array], ArrayLike]

WINDOWS = 5
"""Spans of time in which the rates of escape must agree."""
ENOUGH = 100
"""Escapes that a rate needs."""


@dataclass(frozen=True, eq=False)
class EscapeTimes:
    """How long orbits stay in a region.

    `times (member,)` are the times of the first sample outside, infinite for orbits that are still inside at `longest`;
    samples are `step` apart (1 for a map), so that a flow left the region up to one step earlier.
    """

    system: str
    times: Array
    step: float
    longest: float

    __repr__ = printed

    def survival(self, at: ArrayLike) -> tuple[Array, Array]:
        """The share of orbits that are still inside at times `at (time,)` <= `longest`, and its standard error."""
        moments = np.asarray(at, dtype=np.float64)
        if moments.size and not moments.max() <= self.longest:
            raise SettingError(f"orbits were followed for {self.longest:g}", remedy="Ask for earlier times.")
        share = 1 - np.searchsorted(np.sort(self.times), moments, "right") / len(self.times)
        return share, np.sqrt(share * (1 - share) / len(self.times))


def escape_times(
    system: System,
    region: Region,
    initial: ArrayLike,
    *,
    longest: float,
    dt: float | None = None,
    tolerance: float = 1e-9,
) -> EscapeTimes:
    """The times at which orbits from `initial (member, state)` leave a region: a box, or anything that can be told.

    `region` is {state: (low, high)} or a function that says which of `states (..., state)` are inside; time is counted
    from 0, in iterations of a map, and with samples `dt` apart of a flow (None: a fiftieth of its period). An orbit
    that diverges has left. With the complement of an attractor's neighbourhood as the region these are the lifetimes of
    transients. Raises `SettingError` for settings that do not fit. Cost: that of the orbits.
    """
    states = np.asarray(initial, dtype=np.float64)
    if states.ndim != 2 or states.shape[1] != system.dimension or len(states) == 0:
        raise SettingError(f"initial has shape {states.shape} instead of (member, {system.dimension})",
                           place=system.name)  # fmt: skip
    if not system.stepwise and dt is None and system.period is None:
        raise SettingError("the system has no typical period", place=system.name, remedy="Give dt.")
    step = 1.0 if system.stepwise else float(dt or (system.period or 1.0) / 50)
    if (system.stepwise and dt not in (None, 1)) or not step > 0 or not step <= longest < np.inf:
        raise SettingError(f"longest is {longest}, dt {dt}", place=system.name, remedy="A map goes steps of 1.")
    inside = _inside(system, region)
    count = int(np.floor(longest / step + 1e-9)) + 1
    if system.stepwise:
        found = _iterated(system, inside, states, count)
    else:
        times, block = step * np.arange(count, dtype=np.float64), max(1, MOST_NUMBERS // (count * system.dimension))
        found = np.full(len(states), np.inf)
        for first in range(0, len(states), block):
            part = slice(first, first + block)
            found[part] = _sampled(system, inside, states[part], times, tolerance)
    return EscapeTimes(system.name, found, step, step * (count - 1))


def escape_rate(escapes: EscapeTimes, *, after: float | None = None, level: float = 0.95) -> Estimate:
    """The rate kappa of the exponential decay of the share of orbits that stay: P(t) ~ exp(-kappa t).

    The estimate of greatest likelihood from the escapes later than `after`, with those that are still inside counted as
    such: p = escapes / orbit-steps, kappa = -ln(1 - p) / step; its standard error is kappa's by the binomial error of
    p. Without `after` it is the earliest of five moments after which the rates in five spans of time agree by a
    chi-squared test. Not admissible where they never do, as in the algebraic decay of sticky or marginal motion, or
    with fewer than 100 escapes. Raises `SettingError` for a negative `after`.
    Source: Lai & Tel, Transient Chaos (Springer, 2011), chapter 2.
    """
    if after is not None and not 0 <= after < escapes.longest:
        raise SettingError(f"after is {after}", place=escapes.system, remedy=f"Choose below {escapes.longest:g}.")
    steps = np.round(escapes.times / escapes.step)
    last = round(escapes.longest / escapes.step)
    gone = np.sort(steps[np.isfinite(steps)])
    starts = [0.0, *np.quantile(gone, [0.2, 0.4, 0.6, 0.8])] if len(gone) else [0.0]
    if after is not None:
        starts = [after / escapes.step]
    best: tuple[float, float, int, float] | None = None
    for start in np.unique(np.floor(starts)):
        rate, events, agreement = _hazard(steps, start, last)
        if events < ENOUGH:
            continue
        best = (start, rate, events, agreement)
        if agreement > 0.05:
            break
    if best is None:
        return Estimate("escape_rate", None, admissible=False, channel=escapes.system,
                        reason=f"fewer than {ENOUGH} escapes; follow more orbits for longer")  # fmt: skip
    from scipy.stats import norm

    start, rate, events, agreement = best
    value = -np.log1p(-rate) / escapes.step
    error = rate * np.sqrt((1 - rate) / events) / (1 - rate) / escapes.step
    wide = norm.ppf((1 + level) / 2) * error
    return Estimate(
        "escape_rate", float(value), "1/iteration" if escapes.step == 1 else "1/time unit",
        (float(value - wide), float(value + wide)), level, "greatest likelihood of an exponential tail",
        {"after": start * escapes.step, "escapes": events},
        {} if after is not None else {"after": "the rates of five later spans of time agree"},
        agreement > 0.05, "" if agreement > 0.05 else "the decay is not exponential", channel=escapes.system,
        reference="Lai & Tel, Transient Chaos (2011)", details={"standard_error": float(error), "p_value": agreement},
    )  # fmt: skip


def _hazard(steps: Array, start: float, last: int) -> tuple[float, int, float]:
    """The chance of leaving in one step after `start`, the number of escapes, and how well spans of time agree."""
    from scipy.stats import chi2

    later = steps[steps > start]
    gone = np.sort(later[np.isfinite(later)])
    events = len(gone)
    until = np.minimum(later, last)
    exposed = float((until - start).sum())
    if events < ENOUGH or events >= exposed:
        return float("nan"), 0, 0.0
    rate = events / exposed
    edges = np.unique([start, *gone[[events * k // WINDOWS for k in range(1, WINDOWS)]], last])
    if len(edges) < 3:
        return rate, events, 1.0
    counts = np.array([np.sum((gone > a) & (gone <= b)) for a, b in pairwise(edges)])
    risk = np.array([np.clip(np.minimum(until, b) - a, 0, None).sum() for a, b in pairwise(edges)])
    sound = rate * risk >= 5
    squares = (counts - rate * risk)[sound] ** 2 / (rate * (1 - rate) * risk[sound])
    return rate, events, float(chi2.sf(squares.sum(), max(1, sound.sum() - 1)))


def _inside(system: System, region: Region) -> Callable[[Array], NDArray[np.bool_]]:
    """A function that says which states `(..., state)` are in the region; those that are not finite are not."""
    if not isinstance(region, Mapping):
        asked = region
        return lambda x: np.asarray(asked(x), dtype=bool) & np.isfinite(x).all(axis=-1)
    for name, ends in region.items():
        if name not in system.states or len(ends) != 2 or not ends[0] < ends[1]:
            raise SettingError(f"the region has {name!r} in {ends!r}", place=system.name,
                               remedy=f"Give (low, high); states: {', '.join(system.states)}.")  # fmt: skip
    bounds = [(system.states.index(name), *ends) for name, ends in region.items()]

    def inside(x: Array) -> NDArray[np.bool_]:
        found = np.asarray(np.isfinite(x).all(axis=-1))
        for i, low, high in bounds:
            found &= (x[..., i] >= low) & (x[..., i] <= high)
        return found

    return inside


def _iterated(system: System, inside: Callable[[Array], NDArray[np.bool_]], states: Array, count: int) -> Array:
    """The first step outside for each orbit of a map; orbits that have left are not followed further."""
    found, rest, x = np.full(len(states), np.inf), np.arange(len(states)), states
    for n in range(count):
        stay = inside(x)
        found[rest[~stay]] = n
        rest, x = rest[stay], x[stay]
        if not len(rest):
            break
        x = system.rhs(float(n), x)
    return found


def _sampled(
    system: System, inside: Callable[[Array], NDArray[np.bool_]], states: Array, times: Array, tolerance: float
) -> Array:
    """The time of the first sample outside for each orbit of a flow; samples that do not exist are outside."""
    out = ~inside(evolve(system, states, times, tolerance=tolerance))
    return np.where(out.any(axis=1), times[np.argmax(out, axis=1)], np.inf)
