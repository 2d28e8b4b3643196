"""Cycles of maps: all of one period in a box, with a proof, or those that a search finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import System
from ..systems.equations import Equations
from ..wording import printed
from .closed_orbits import ClosedOrbit
from .fixed_points import checked_box, default_box, eigenvalues, require_autonomous, stability
from .roots import Report, enclosed, searched

Array = NDArray[np.float64]

PROOF_UNKNOWNS = 24
"""Up to this many unknowns, period times states, a proof is tried by default."""


@dataclass(frozen=True)
class PeriodicOrbit:
    """A periodic orbit: `period` (prime: not a multiple of a shorter one) in iterations or time units.

    `states (point, state)` are the points of a cycle in order, or points of a closed orbit at equal times from 0 on,
    without the last, which is the first. `multipliers (state,)` are the eigenvalues of the derivative once around,
    largest modulus first; a closed orbit of an autonomous flow has one that is 1. `stability` in words, without that
    one. `residual` is how far the orbit misses its start. `proved` says that the orbit is proved to exist.
    """

    period: float
    states: Array
    multipliers: NDArray[np.complex128]
    stability: str
    residual: float
    proved: bool = False

    __repr__ = printed

    def __str__(self) -> str:
        sizes = ", ".join(f"{size:.4g}" for size in np.abs(self.multipliers[:3]))
        proof = ", proved" if self.proved else ""
        return f"period {self.period:.6g}, {self.stability}, moduli of multipliers {sizes}{proof}"


@dataclass(frozen=True)
class PeriodicOrbits:
    """Periodic orbits of a system, by period; `complete` says that they are proved to be all of that kind in `box`.

    `undecided` counts boxes of a proof about which nothing was proved.
    """

    orbits: tuple[PeriodicOrbit, ...]
    box: Array
    method: str
    complete: bool
    undecided: int = 0

    __repr__ = printed

    def __len__(self) -> int:
        return len(self.orbits)


def cycles(
    system: System,
    period: int,
    box: ArrayLike | None = None,
    *,
    method: str | None = None,
    most_boxes: int = 400_000,
    starts: int = 5000,
    report: Report | None = None,
) -> PeriodicOrbits:
    """All cycles of prime `period` of a map in `box (2, state)`: f^p(x) = x, and f^q(x) != x for q < p.

    The points of a cycle are solved for together, f(x_k) = x_(k+1). With equations and p x states up to 24 the method
    is "proof": interval branch and bound, as for `fixed_points`, which finds each cycle once per point and proves that
    there are no others all of whose points are in the box; else "search", Newton's method from `starts` evenly spread
    points and their orbits. Cycles with a multiplier 1 cannot be proved. The default box is that of `fixed_points`.

    Raises `SettingError` for what is no autonomous map and for unfit arguments. Cost: about 5 ms x 2.3^p for the Henon
    map, 1 s at p = 8. For long cycles use "search". Source: Galias, Int. J. Bifurcation Chaos 11, 2427 (2001), for
    interval searches of all cycles; Davidchack & Lai, Phys. Rev. E 60, 6172 (1999), for stabilised searches.
    """
    require_autonomous(system)
    if system.kind != "map" or int(period) != period or period < 1:
        raise SettingError(
            f"cycles of period {period} of a {system.kind}", place=system.name,
            remedy="Maps have cycles of whole periods; see periodic_orbits for flows.",
        )  # fmt: skip
    corners = default_box(system) if box is None else checked_box(system, box)
    problem = ClosedOrbit(system, int(period))
    provable = isinstance(system.rule, Equations)
    chosen = method or ("proof" if provable and problem.size <= PROOF_UNKNOWNS else "search")
    if chosen not in ("proof", "search"):
        raise SettingError(f"method {chosen!r}", place=system.name, remedy='Choose "proof" or "search".')
    low, high = np.tile(corners[0], problem.period), np.tile(corners[1], problem.period)
    if chosen == "proof":
        roots = enclosed(problem, low, high, most_boxes, report)
    else:
        roots = searched(problem, low, high, starts, _along(system, problem.period))
    found = _prime(roots.points.reshape(-1, problem.period, system.dimension), corners[1] - corners[0])
    orbits = tuple(_cycle(system, states, proved=chosen == "proof") for states in found)
    return PeriodicOrbits(
        orbits, corners, chosen, chosen == "proof" and not len(roots.undecided), len(roots.undecided)
    )  # fmt: skip


def _along(system: System, period: int) -> Callable[[Array], Array]:
    """Start points of a search: half of them as they are, the others orbits of their first points, where those stay."""

    def followed(points: Array) -> Array:
        states = points.reshape(len(points), period, system.dimension)[::2]
        course = np.empty_like(states)
        course[:, 0] = states[:, 0]
        for k in range(1, period):
            after = system.rhs(0.0, course[:, k - 1])
            course[:, k] = np.where(np.isfinite(after) & (np.abs(after) < 1e6), after, states[:, k])
        points[::2] = course.reshape(len(course), -1)
        return points

    return followed


def _prime(points: Array, scale: Array) -> list[Array]:
    """One representative `(period, state)` of each cycle whose points all differ, the smallest point first."""
    kept: list[Array] = []
    seen = np.empty((0, points.shape[2]))
    for states in points:
        apart = np.abs((states[1:] - states[0]) / scale).max(axis=1)
        if (apart < 1e-6).any() or (np.abs((seen - states[0]) / scale).max(axis=1, initial=0.0) < 1e-6).any():
            continue
        seen = np.concatenate([seen, states])
        kept.append(np.roll(states, -int(np.lexsort(states.T[::-1])[0]), axis=0))
    return sorted(kept, key=lambda states: tuple(states[0]))


def _cycle(system: System, states: Array, *, proved: bool) -> PeriodicOrbit:
    slopes = system.jacobian(0.0, states)
    around = np.eye(system.dimension)
    for slope in slopes:
        around = slope @ around
    multipliers = eigenvalues(around, stepwise=True)
    missed = np.abs(system.rhs(0.0, states) - np.roll(states, -1, axis=0)).max()
    word = stability(multipliers, stepwise=True)
    return PeriodicOrbit(float(len(states)), states, multipliers, word, float(missed), proved)
