"""The correlation dimension of an attractor, from states that its equations give at will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from ..systems.base import System
from ..systems.evolve import orbit

Array = NDArray[np.float64]

PARTS = 5
"""Consecutive parts of the orbit whose dimensions are compared for the standard error."""
HIGH = 1e-3
"""The largest share of pairs in the scaling region; at more, the size of the attractor bends the curve."""
FINE = 8
"""Samples of the orbit in one mean gap between the states that are used."""
PAIRS = 400
"""The fewest pairs in the scaling region: a count of n has a relative error of about 1/sqrt(n)."""
RADII = 12
RESOLVED = 6
"""The largest dimension that a first look at 1,000 states can tell from larger ones."""


def correlation_dimension(
    system: System,
    *,
    points: int = 20_000,
    spacing: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The correlation dimension D2 = d log C(r) / d log r of the set that an orbit of `system` fills.

    C(r) is the share of pairs of states closer than r, in units of each state's standard deviation. It is counted for
    `PARTS` consecutive parts of `points` states each, at `RADII` radii with 400 pairs up to one pair in a thousand; the
    dimension is the slope of a straight line through them. States are `spacing` apart in the mean (None: 1.618 periods,
    eight iterations), so that neighbours in time are no neighbours for that reason alone; the gaps are drawn for
    `seed`. On a cycle such states are still a lattice, whose steps the bend shows: the interval is wide.

    The interval at `level` holds the spread between parts and the bend of the curve: half the difference between the
    slopes of its lower and upper half. A set with D2 > 2 log10(points) cannot be resolved: not admissible; nor is an
    orbit that comes to rest. `details` holds `standard_error`, `bend`, and the curve `radii`, `pairs`.
    Logarithmic corrections, such as those of a density with integrable poles (logistic map at r = 4: exactly 1), and
    lacunarity make the slope depend on r, which the bend shows in part.
    Raises `SettingError` for settings out of range and `SimulationError` where the orbit diverges. Cost: the orbit, and
    about a second of counting. Source: Grassberger & Procaccia, Physica D 9, 189 (1983); Theiler, J. Opt. Soc. Am. A 7,
    1055 (1990).
    """
    if points < 500:
        raise SettingError(f"points is {points}", place=system.name, remedy="Ask for at least 500.")
    apart, wait = _spacing(system, spacing, transient)
    start = system.phase(initial)[: system.dimension]
    settings = {"points": points, "parts": PARTS, "spacing": apart, "transient": wait, "seed": seed,
                "parameters": dict(system.parameters)}  # fmt: skip
    method, reference = "correlation sum", "Grassberger & Procaccia, Physica D 9, 189 (1983)"
    about: dict[str, Any] = {
        "method": method,
        "settings": settings,
        "reference": reference,
        "channel": system.name,
        "level": level,
    }

    if system.dimension > RESOLVED:
        # In many dimensions counting pairs of many states takes minutes, and a few show that it would be in vain.
        rough = _Answer.of(_states(system, start, wait, apart, 1000, seed), start, 1, level)
        if rough.value is not None and rough.value > RESOLVED:
            rough = replace(rough, reason=f"about {rough.value:.0f}, more than {points:,} states resolve", wide=np.nan)
            return rough.estimate(**about)
    found = _Answer.of(_states(system, start, wait, apart, PARTS * points, seed), start, PARTS, level)
    most = 2 * np.log10(points)
    if found.value is not None and found.value > most:
        found = replace(found, reason=f"{points:,} states resolve dimensions up to {most:.1f}")
    return found.estimate(**about)


@dataclass(frozen=True)
class _Answer:
    """What the pairs of some states say: the dimension, half its interval, and the reason not to believe it."""

    value: float | None
    wide: float
    reason: str
    details: Mapping[str, Any]

    @classmethod
    def of(cls, states: Array, start: Array, parts: int, level: float) -> _Answer:
        """From states `(point, state)` in consecutive parts."""
        spread = states.std(axis=0)
        moving = spread > 1e-9 * max(np.abs(start).max(), np.abs(states).max())
        if not moving.any():
            return cls(0.0, np.nan, "the orbit comes to rest; a point has dimension 0", {})
        radii, pairs = _curve(np.array_split(states[:, moving] / spread[moving], parts))
        if radii is None:
            return cls(None, np.nan, "states repeat: the orbit is periodic for the computer, or takes few values", {})
        slopes = np.array([_slope(radii, row) for row in pairs])
        total, half = pairs.sum(axis=0), len(radii) // 2
        bend = abs(_slope(radii[:half], total[:half]) - _slope(radii[half:], total[half:])) / 2
        error = float(slopes.std(ddof=1) / np.sqrt(parts)) if parts > 1 else 0.0
        from scipy.stats import t as student

        wide = float(np.hypot(student.ppf((1 + level) / 2, max(parts - 1, 1)) * error, bend))
        details = {"standard_error": error, "bend": bend, "radii": radii, "pairs": total}
        return cls(float(slopes.mean()), wide, "", details)

    def estimate(self, **about: Any) -> Estimate:
        """The answer as an estimate."""
        known = self.value is not None and np.isfinite(self.wide)
        interval = (self.value - self.wide, self.value + self.wide) if known else None  # type: ignore[operator]
        return Estimate(
            "correlation_dimension", self.value, "", interval, admissible=not self.reason, reason=self.reason,
            details=self.details, **about,
        )  # fmt: skip


def _spacing(system: System, spacing: float | None, transient: float | None) -> tuple[float, float]:
    """The time between two states and that before the first."""
    if spacing is None:
        if system.stepwise:
            spacing = float(FINE)
        elif system.period is None:
            raise SettingError("the system has no typical period", place=system.name, remedy="Give spacing.")
        else:
            spacing = (1 + 5**0.5) / 2 * system.period  # the least commensurable with the period: no stroboscope
    wait = 50 * spacing if transient is None else float(transient)
    if not (0 < spacing < np.inf and 0 <= wait < np.inf):
        raise SettingError(f"spacing is {spacing}, transient {wait}", place=system.name)
    if system.stepwise:
        spacing, wait = float(FINE * max(1, round(spacing / FINE))), float(round(wait))
    return float(spacing), wait


def _states(system: System, start: Array, wait: float, apart: float, count: int, seed: int) -> Array:
    """States `(count, state)` at random times, `apart` in the mean."""
    gaps = generator(seed, "gaps between states").integers(FINE // 2, FINE + FINE // 2 + 1, size=count)
    rows = np.cumsum(gaps)
    return orbit(system, start, wait + apart / FINE * np.arange(rows[-1] + 1))[rows]


def _curve(parts: list[Array]) -> tuple[Array | None, Array]:
    """Radii of the scaling region, and the pairs `(part, radius)` closer than each."""
    from scipy.spatial import cKDTree

    trees = [cKDTree(part) for part in parts]
    whole = len(parts[0]) * (len(parts[0]) - 1) / 2
    low = _radius(trees[0], PAIRS)
    high = _radius(trees[0], max(HIGH * whole, 20 * PAIRS))
    if not 0 < low < 0.9 * high:
        return None, np.empty((0, 0))
    radii = np.geomspace(low, high, RADII)
    return radii, np.array([_pairs(tree, radii) for tree in trees])


def _radius(tree: object, pairs: float) -> float:
    """The radius within which a number of pairs lie, to 2 %, by bisection of its logarithm."""
    low, high = -30.0, 4.0
    while high - low > 0.02:
        middle = (low + high) / 2
        low, high = (low, middle) if _pairs(tree, np.exp([middle]))[0] >= pairs else (middle, high)
    return float(np.exp(high)) if low > -29.9 else 0.0


def _pairs(tree: object, radii: Array) -> Array:
    """How many pairs of different states are closer than each radius."""
    counted = tree.count_neighbors(tree, radii)  # type: ignore[attr-defined]
    return (np.asarray(counted, dtype=np.float64) - tree.n) / 2  # type: ignore[attr-defined]


def _slope(radii: Array, pairs: Array) -> float:
    """The slope of log pairs over log radii, each count weighted by its size up to a limit.

    Counts are cumulative and the largest would decide alone with their full weight; the limit keeps the region whole.
    """
    weight = np.sqrt(np.minimum(pairs, 25 * PAIRS))
    return float(np.polyfit(np.log(radii), np.log(np.maximum(pairs, 1)), 1, w=weight)[0])
