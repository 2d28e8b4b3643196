"""Attractors: the sets that orbits settle on, found by following orbits until they come back to where they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError, SimulationError
from ..systems.base import System
from ..systems.evolve import evolve
from ..wording import printed
from .exponents import lyapunov_spectrum
from .record import MOST_NUMBERS, STILL, events, period_of

if TYPE_CHECKING:
    from scipy.spatial import KDTree

Array = NDArray[np.float64]

ESCAPED, UNDECIDED = -1, -2
"""Labels of orbits that diverge or leave the bound, and of those that have not settled in the time they were given."""
TAIL = 600
"""Samples by which an attractor is known."""
LONG = 6000
"""Samples of an attractor that is not a point or a short cycle: enough to cover a surface to about a hundredth."""
MOST_ATTRACTORS = 25
CHECKED = 20
"""Consecutive samples of an orbit that are compared with the attractors."""
NEAR = 0.9
"""The share of an orbit's samples that must lie on an attractor."""


@dataclass(frozen=True, eq=False)
class Attractor:
    """A set that orbits settle on.

    `kind` is "fixed point", "cycle", "quasi-periodic" or "chaotic"; `points (point, state)` a sample of it, in the
    order of time, `interval` apart; `reach` the distance, in units of the spread of all states, within which other
    orbits on it pass its points; `period` that of a cycle in time, `exponent` the largest Lyapunov exponent where it
    had to be computed to tell, else None.
    """

    kind: str
    points: Array
    interval: float
    reach: float
    period: float | None = None
    exponent: float | None = None

    __repr__ = printed

    @property
    def centre(self) -> Array:
        """The mean state `(state,)`."""
        return np.asarray(self.points.mean(axis=0))

    def __str__(self) -> str:
        size = float(np.abs(self.points).max())
        places = int(3 - np.floor(np.log10(size))) if size > 0 else 0
        at = ", ".join(f"{x:.4g}" for x in np.round(self.centre, places) + 0.0)
        turn = f" of period {self.period:.4g}" if self.period is not None else ""
        return f"{self.kind}{turn} at ({at})" if self.kind == "fixed point" else f"{self.kind}{turn} around ({at})"


@dataclass(frozen=True, eq=False)
class Settling:
    """How orbits of `system` are followed until they settle.

    They are sampled every `interval`, first after `transient` and then, where they have not settled, `rounds` times
    more, each twice as long as the one before. Distances are in units of `scale (state,)`; orbits within `closeness` of
    each other are on the same attractor; beyond `bound` they have escaped.
    """

    system: System
    interval: float
    transient: float
    scale: Array
    closeness: float
    rounds: int
    bound: float
    tolerance: float

    __repr__ = printed

    def samples(self, states: Array, wait: float, count: int) -> Array:
        """The samples `(member, count, state)` of the orbits after about `wait`; NaN where they escape."""
        start = self.interval * max(1, round(wait / self.interval))
        times = start + self.interval * np.arange(count)
        block = max(1, MOST_NUMBERS // (count * self.system.dimension))
        made = [
            evolve(self.system, states[i : i + block], times, tolerance=self.tolerance)
            for i in range(0, len(states), block)
        ]
        found = np.concatenate(made) if made else np.empty((0, count, self.system.dimension))
        with np.errstate(invalid="ignore"):
            found[~(np.abs(found) <= self.bound).all(axis=(1, 2))] = np.nan
        return found

    def found(self, states: Array, known: Sequence[Attractor] = ()) -> tuple[Attractor, ...]:
        """The attractors that orbits from `states (member, state)` settle on, after those already `known`."""
        attractors, x, wait = list(known), states, self.transient
        for _ in range(self.rounds + 1):
            tails = self.samples(x, wait, TAIL)
            tails = tails[np.isfinite(tails).all(axis=(1, 2))]
            unsettled = []
            for tail in tails:
                if any(self._on(tail, attractor) for attractor in attractors):
                    continue
                settled = self._settled(tail, wait)
                if settled is None:
                    unsettled.append(tail[-1])
                elif not any(self._on(settled.points, attractor) for attractor in attractors):
                    attractors.append(settled)
                if len(attractors) > MOST_ATTRACTORS:
                    raise InsufficientData(
                        f"orbits settle on more than {MOST_ATTRACTORS} different sets", place=self.system.name,
                        remedy="A system without friction has no attractors; otherwise raise transient or closeness.",
                    )  # fmt: skip
            if not unsettled:
                break
            x, wait = np.array(unsettled), 2 * wait
        return tuple(attractors)

    def labels(self, states: Array, attractors: Sequence[Attractor]) -> tuple[NDArray[np.int64], Array]:
        """The number of the attractor that each of `states (member, state)` reaches, ESCAPED or UNDECIDED.

        Returns also where the undecided orbits have got to, `(member, state)`.
        """
        labels = np.full(len(states), UNDECIDED)
        rest, x, wait = np.arange(len(states)), states, self.transient / 4
        trees = [self._tree(attractor.points) for attractor in attractors]
        for _ in range(self.rounds + 3):
            samples = self.samples(x, wait, CHECKED)
            gone = ~np.isfinite(samples).all(axis=(1, 2))
            labels[rest[gone]] = ESCAPED
            rest, samples = rest[~gone], samples[~gone]
            which = self._nearest(samples, attractors, trees)
            labels[rest] = which
            rest, x, wait = rest[which == UNDECIDED], samples[which == UNDECIDED, -1], 2 * wait
            if not len(rest):
                break
        return labels, x

    def _nearest(self, samples: Array, attractors: Sequence[Attractor], trees: Sequence[KDTree]) -> NDArray[np.int64]:
        """The attractor on which most of the samples of each member lie."""
        which, most = np.full(len(samples), UNDECIDED), np.full(len(samples), NEAR)
        # Small sets first: an orbit on a point or a cycle is on it, even where a large one comes near.
        for index in np.argsort([self._size(attractor.points) for attractor in attractors], kind="stable"):
            attractor, tree = attractors[index], trees[index]
            last = tree.query(samples[:, -1] / self.scale, distance_upper_bound=attractor.reach)[0]
            close = np.flatnonzero(np.isfinite(last))
            points = samples[close].reshape(-1, samples.shape[2]) / self.scale
            far = np.asarray(tree.query(points, distance_upper_bound=attractor.reach)[0]).reshape(
                len(close), samples.shape[1]
            )
            share = np.isfinite(far).mean(axis=1)
            better = close[share >= most[close]]
            which[better], most[better] = index, share[share >= most[close]] + 1e-9
        return which

    def _tree(self, points: Array) -> KDTree:
        from scipy.spatial import KDTree

        return KDTree(points / self.scale)

    def _distance(self, here: Array, there: Array) -> Array:
        """The distance of each point `here` from the nearest one `there`."""
        return np.asarray(self._tree(there).query(here / self.scale)[0])

    def _on(self, tail: Array, attractor: Attractor) -> bool:
        """Whether a tail lies on an attractor and is spread over it as its own points are.

        A slow spiral can lie within the reach of a chaotic attractor that surrounds it; it does not cover it.
        """
        if np.mean(self._distance(tail, attractor.points) <= attractor.reach) < NEAR:
            return False
        points = attractor.points
        usual = np.median(self._distance(points[TAIL:], points[:TAIL])) if len(points) > TAIL else 0.0
        return bool(np.median(self._distance(points, tail)) <= max(self.closeness, 3 * usual))

    def _settled(self, tail: Array, wait: float) -> Attractor | None:
        """The attractor that a tail is on, or None where its two halves are not the same set.

        What has settled stays: the orbit is followed for much longer, so that slow spirals are not taken for cycles.
        """
        reach = self._reach(tail)
        if reach > max(4 * self.closeness, 0.25 * self._size(tail)):
            return None
        later = self.samples(tail[-1:], 4 * wait, TAIL if reach <= self.closeness else LONG)[0]
        if not np.isfinite(later).all():
            return None
        change = self._size(later) / max(self._size(tail), self.closeness)
        grown = change > 1.05 and reach <= self.closeness  # a chaotic set shows more of itself in a longer time
        shrunk = change < 0.95 and self._size(tail) > self.closeness
        if np.mean(self._distance(tail, later) <= reach) < NEAR or shrunk or grown:
            return None
        found = Attractor("", later, self.interval, self._reach(later))
        worse = found.reach > 1.5 * reach  # more of the same samples comes nearer to each other, not less near
        return None if worse or (len(later) > TAIL and not self._lasting(later)) else found

    def _lasting(self, points: Array) -> bool:
        """Whether the end is spread as the start is: a chaotic transient may have come to its end between."""
        first, last = (float(np.median(self._distance(points, part))) for part in (points[:TAIL], points[-TAIL:]))
        return max(first, last) <= max(self.closeness, 3 * min(first, last))

    def _reach(self, points: Array) -> float:
        """The distance within which one half of an orbit passes the other."""
        half = len(points) // 2
        apart = [self._distance(points[half:], points[:half]), self._distance(points[:half], points[half:])]
        return max(self.closeness, 1.5 * float(np.quantile(apart, 0.98)))

    def _size(self, points: Array) -> float:
        return float((np.ptp(points, axis=0) / self.scale).max())


def described(system: System, attractor: Attractor, scale: Array, *, seed: int = 0) -> Attractor:
    """The attractor with its kind: still, repeating, or neither, and then by its largest Lyapunov exponent."""
    points, last = attractor.points, attractor.points[-1]
    strobed = system.stepwise or not system.autonomous
    if float((np.ptp(points, axis=0) / scale).max()) <= 1e-3:
        if system.autonomous:
            return replace(attractor, kind="fixed point", points=last[None])
        return replace(attractor, kind="cycle", points=last[None], period=attractor.interval)
    turns = period_of(points / scale, TAIL // 4, 1e-3)
    if strobed and turns:
        return replace(attractor, kind="cycle", points=points[-turns:], period=turns * attractor.interval)
    if not strobed:
        period = _period_of_flow(system, last, scale, attractor.interval)
        if period is not None:
            return replace(attractor, kind="cycle", period=period)
    try:
        found = lyapunov_spectrum(
            system, count=1, duration=2 * TAIL * attractor.interval, transient=0.0, initial=last, seed=seed
        )
    except SimulationError:
        return replace(attractor, kind="quasi-periodic")
    value, error = float(found.value[0]), float(found.details["standard_error"][0])
    return replace(attractor, kind="chaotic" if value > 3 * error else "quasi-periodic", exponent=value)


def _period_of_flow(system: System, state: Array, scale: Array, interval: float) -> float | None:
    """The time after which the orbit of a flow comes back to `state`, or None: the period of its largest maxima."""
    dt = interval / 16
    times = dt * np.arange(1, 16 * TAIL)
    samples = evolve(system, state[None], times)
    if not np.isfinite(samples).all():
        return None
    widest = int(np.argmax(np.ptp(samples[0], axis=0) / scale))
    rates = system.rhs(times, samples)
    timed = np.concatenate([samples, times[None, :, None]], axis=2)
    slopes = np.concatenate([rates, np.ones_like(rates[..., :1])], axis=2)
    _, maxima = events(timed, slopes, dt, widest, None)
    turns = period_of(maxima[:, :-1] / scale, 64, 2e-3)
    return float(np.mean(maxima[turns:, -1] - maxima[:-turns, -1])) if turns else None


def settling(
    system: System,
    states: Array,
    *,
    interval: float | None = None,
    transient: float | None = None,
    closeness: float = 0.01,
    rounds: int = 4,
    bound: float = 1e6,
    tolerance: float = 1e-8,
) -> Settling:
    """How orbits from `states (member, state)` are followed, with defaults filled in; see `basins`."""
    if interval is None:
        if not system.autonomous:
            raise SettingError("the law depends on time", place=system.name,
                               remedy="Give interval=, the period of the forcing.")  # fmt: skip
        if not system.stepwise and system.period is None:
            raise SettingError("the system has no typical period", place=system.name,
                               remedy="Give interval=, about a sixth of an oscillation.")  # fmt: skip
        # A sixth of a period, and not a simple fraction of it: samples of a cycle must come to lie all around it.
        interval = 1.0 if system.stepwise else float(system.period or 1.0) * (np.sqrt(5) - 1) / 2 / 4
    elif not system.autonomous:
        _check_forcing(system, states, float(interval))
    _check_contraction(system, states)
    wait = (500 if system.stepwise else 300) * interval if transient is None else float(transient)
    for what, wrong in (
        (f"interval is {interval}", not 0 < interval < np.inf), (f"transient is {wait}", not 0 < wait < np.inf),
        (f"interval is {interval} for a map", system.stepwise and interval != round(interval)),
        (f"closeness is {closeness}", not 0 < closeness < 0.5), (f"rounds is {rounds}", rounds < 0),
        (f"bound is {bound}", not bound > 0),
    ):  # fmt: skip
        if wrong:
            raise SettingError(what, place=system.name, remedy="Give a positive number in the range.")
    plan = Settling(system, float(interval), wait, np.ones(system.dimension), closeness, rounds, bound, tolerance)
    tails = plan.samples(states[:200], wait, CHECKED).reshape(-1, system.dimension)
    tails = tails[np.isfinite(tails).all(axis=1)]
    scale = np.ptp(np.concatenate([states, tails]), axis=0)
    return replace(plan, scale=np.where(scale > STILL, scale, 1.0))


def _check_forcing(system: System, states: ArrayLike, interval: float) -> None:
    """Refuse an interval that is not a period of the law."""
    x = np.asarray(states, dtype=np.float64)[:50]
    for t in interval * np.array([0.0, 0.137, 0.411, 0.842]):
        now, later = system.rhs(t, x), system.rhs(t + interval, x)
        if not np.allclose(now, later, rtol=1e-6, atol=1e-6, equal_nan=True):
            raise SettingError(f"the law does not repeat after {interval:g}", place=system.name,
                               remedy="Give interval=, the period of the forcing.")  # fmt: skip


def _check_contraction(system: System, states: Array) -> None:
    """Refuse a law that keeps all volumes: nothing attracts there."""
    if system.dimension > 50:
        return  # its Jacobian is large, and such laws rarely have basins asked for
    x = np.asarray(states, dtype=np.float64)[:20]
    for t in (0.0, 0.37):
        matrices = system.jacobian(0.0 if system.stepwise else t, x)
        if system.stepwise:
            growth, scale = np.linalg.slogdet(matrices)[1], 1.0
        else:
            growth, scale = np.trace(matrices, axis1=-2, axis2=-1), float(np.abs(matrices).max())
        if not (np.abs(growth) < 1e-10 * scale).all():  # NaN counts as a change
            return
    raise InsufficientData("volumes are conserved, so that no set attracts", place=system.name,
                           remedy="Ask for escape times, sections or alignment indices instead.")  # fmt: skip
