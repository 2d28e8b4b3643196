"""Averages of growth along an orbit: how long, in which intervals, from which state, and what their spread says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError, SimulationError
from ..random import generator
from ..systems.arrays import MOST_SLOPES, by_directions
from ..systems.base import Report, Request, System
from ..systems.kinds import Flow, Map
from ..systems.variational import reductions, reductions_of_many, together

Array = NDArray[np.float64]

BATCHES = 25
"""Consecutive parts of the orbit whose exponents are compared for the standard error."""
LOWEST, HIGHEST = 6.0, 12.0
"""In an interval directions grow or shrink by e^6 to e^12: few reductions, none of them lost in rounding."""
ROUNDED = 1e-13
"""Directions that are this much shorter than another after an interval are known to no more than three digits."""
MOST_REDUCTIONS = 10_000_000
"""An average that would need more intervals than this is refused: it would take hours for directions of no interest."""
BLOCK = 20_000
"""Iterations of a map looked at together."""


@dataclass(frozen=True)
class Run:
    """A system, how many displacements are carried along its orbit, and how."""

    system: System
    count: int
    interval: float
    tolerance: float
    step: float | None
    seed: int

    def growth(self, phase: Array, time: float, intervals: int, report: Report | None = None) -> tuple[Array, Array]:
        """Logarithms `(interval, count + 1)` of the growth of orthogonal directions and of volumes; the last state."""
        frame = _frame(self.seed, len(phase), self.count)
        logs, done = np.empty((intervals, self.count + 1)), 0
        for part in reductions(
            self.system, phase, frame, time, self.interval, intervals, tolerance=self.tolerance, step=self.step
        ):
            end = done + len(part.volumes)
            logs[done:end, :-1], logs[done:end, -1] = part.growth, part.volumes
            done, phase = end, part.states[-1]
            if report is not None:
                report(done / intervals)
        return logs, phase

    def apart(
        self, phase: Array, time: float, settle: int, intervals: int, report: Report | None
    ) -> tuple[Array, Array]:
        """The same after `settle` intervals, of consecutive parts of one orbit, whose displacements go all at once.

        For array code, where a call costs more than its arithmetic. The vectors of each part turn into their directions
        in the `settle` intervals before it.
        """
        width = self.count if by_directions(self.system, self.count) else len(phase)
        members = int(np.clip(MOST_SLOPES // (len(phase) * width), 1, BATCHES))
        each = -(-intervals // members)
        phases = self.system.trajectory(Request(members, each * self.interval, tolerance=self.tolerance), phase)[1]
        frame = _frame(self.seed, len(phase), self.count)
        found = reductions_of_many(
            self.system, phases, frame, time, self.interval, settle + each, tolerance=self.tolerance, report=report
        )
        lost = ~np.isfinite(found.states).all(axis=(1, 2))
        if lost.any():
            raise SimulationError("the state is not finite", time=time, state=tuple(phases[lost][0]),
                                  place=self.system.name)  # fmt: skip
        logs = np.concatenate([found.growth, found.volumes[..., None]], axis=2)[:, settle:]
        return logs.reshape(members * each, -1), found.states[-1, -1]

    def fitted(self, phase: Array, time: float, longest: float) -> Run:
        """The run with an interval in which directions grow or shrink by enough, and by no more than is safe."""
        run = self
        for _ in range(30):
            logs = run.growth(phase, time, 3)[0][:, :-1]
            reach = float(np.abs(logs).max()) if np.isfinite(logs).all() else np.inf
            if LOWEST <= reach <= HIGHEST or (reach < LOWEST and 2 * run.interval > longest):
                break
            factor = 2 if reach < LOWEST else 0.5
            interval = run.interval * factor
            if self.system.stepwise:
                interval = float(max(1, round(interval)))
            if interval == run.interval:
                break
            run = replace(run, interval=interval)
            if LOWEST <= factor * reach <= HIGHEST:  # growth is in proportion to the interval, near enough
                break
        needed = 4 * BATCHES * longest / run.interval
        if needed > MOST_REDUCTIONS:
            raise SettingError(
                f"the fastest of {self.count} directions shrinks so fast that {needed:.1g} intervals are needed",
                place=self.system.name, remedy="Ask for fewer exponents with count=, or give interval=.",
            )  # fmt: skip
        return run


@lru_cache(maxsize=8)
def _frame(seed: int, size: int, count: int) -> Array:
    """Orthonormal vectors `(size, count)` in random directions, the same for a seed."""
    frame = np.linalg.qr(generator(seed, "tangent vectors").normal(size=(size, count)))[0]
    frame.setflags(write=False)
    return frame


@dataclass(frozen=True)
class Averages:
    """Means of growth per unit of time: `rates (interval, count)`, `value` and `error (count,)`, the largest first.

    `divergence` is the mean growth of volumes, NaN where it is not known; `last` is the state in full at the end.
    """

    run: Run
    rates: Array
    value: Array
    error: Array
    divergence: float
    last: Array


def averaged(run: Run, phase: Array, time: float, length: float, report: Report | None, *, adapt: bool) -> Averages:
    """The averages over `length`, with a shorter interval where volumes do not add up.

    Where directions grow so far apart that one is lost in rounding, the sum of all exponents misses the divergence.
    """
    found = _averaged(run, phase, time, length, report)
    for _ in range(4):
        with np.errstate(invalid="ignore"):  # both may be -inf
            missed = abs(found.value.sum() - found.divergence) > 1e-6 * abs(found.divergence)
        if not adapt or run.step is not None or run.count < len(phase) or not missed:
            break
        interval = run.interval / 4
        if run.system.stepwise:
            interval = float(max(1, round(interval)))
        if interval == run.interval:
            break
        run = replace(run, interval=interval)
        found = _averaged(run, phase, time, length, report)
    return found


def _averaged(run: Run, phase: Array, time: float, length: float, report: Report | None) -> Averages:
    intervals = max(2 * BATCHES, round(length / run.interval))
    settle = max(10, intervals // 50)  # the vectors turn into the directions of fastest growth first
    if together(run.system) and run.system.autonomous and run.step is None:
        logs, last = run.apart(phase, time, settle, intervals, report)
        intervals = len(logs)
    else:
        logs, last = run.growth(phase, time, intervals + settle, report)
        logs = logs[settle:]
    rates = logs / run.interval
    begins = np.arange(BATCHES) * intervals // BATCHES
    sums, sizes = np.add.reduceat(rates, begins), np.diff(begins, append=intervals)
    *value, volume = sums.sum(axis=0) / intervals
    value = np.array(value)
    order = np.argsort(-value, kind="stable")
    with np.errstate(invalid="ignore"):  # a direction that vanishes: -inf, whose error is not a number
        error = np.asarray((sums[:, :-1] / sizes[:, None]).std(axis=0, ddof=1) / np.sqrt(BATCHES))
    if np.isnan(volume) and run.count == len(phase):
        volume = _mean_divergence(run, phase, time, settle, intervals)
    return Averages(run, rates[:, :-1][:, order], value[order], error[order], float(volume), last)


def _mean_divergence(run: Run, phase: Array, time: float, settle: int, intervals: int) -> float:
    """The mean of log |det J| over the same iterations of an autonomous map; NaN for other systems."""
    system, every = run.system, round(run.interval)
    if not (isinstance(system, Map) and system.autonomous):
        return float("nan")
    total, done, skipped = 0.0, 0, settle * every
    length = intervals * every
    while done < length:
        part = min(BLOCK, length - done)
        rows = system.trajectory(Request(part + 1, 1.0, float(skipped)), phase)[1]
        skipped, phase = 0, rows[-1]
        times = time + settle * every + done + np.arange(part)
        total += float(system.divergence(times, rows[:-1]).sum())
        done += part
    return total / length


def lost(triangles: Array) -> NDArray[np.bool_]:
    """Where one of `triangles (..., vector, vector)` has a direction that rounding errors of the others cover."""
    lengths = np.diagonal(triangles, axis1=-2, axis2=-1)
    return np.asarray((lengths <= ROUNDED * lengths.max(axis=-1, keepdims=True, initial=0.0)).any(axis=-1))


def settled(system: System, phase: Array, wait: float, tolerance: float) -> Array:
    """The state in full after a time."""
    if not wait > 0:
        return phase
    if isinstance(system, Flow | Map):  # whose state in full is the state
        return np.array(system.trajectory(Request(1, 1.0, wait, tolerance=tolerance), phase)[1][0])
    return system.carried(phase, np.empty((len(phase), 0)), 0.0, wait, tolerance=tolerance)[0]


def cycle(system: System, phase: Array, iterations: int) -> int | None:
    """After how many iterations, at most so many, an autonomous map is back at exactly the same numbers; or None."""
    if not (system.stepwise and system.autonomous):
        return None
    here, done = phase, 0
    while done < iterations:
        part = min(BLOCK, iterations - done)
        rows = system.trajectory(Request(part + 1, 1.0), here)[1]
        back = np.flatnonzero((rows[1:] == phase).all(axis=1))
        if len(back):
            return done + int(back[0]) + 1
        here, done = rows[-1], done + part
    return None


def checked(
    system: System, duration: float | None, count: int | None, interval: float | None, transient: float | None,
    tolerance: float, step: float | None, seed: int,
) -> tuple[Run, float, float]:  # fmt: skip
    """The run, the duration and the transient, with defaults filled in. Raises `SettingError` out of range."""
    flow, size = not system.stepwise, len(system.phase())
    if duration is None:
        duration = 50_000.0 if not flow else 1000.0 if system.period is None else 500 * system.period
    if interval is None:
        interval = min(4.0 if not flow else 1.0 if system.period is None else system.period / 3, duration)
    transient = duration / 10 if transient is None else float(transient)
    count = size if count is None else int(count)
    rules = [
        (0 < duration < np.inf, f"duration is {duration}"), (0 < interval <= duration, f"interval is {interval}"),
        (0 <= transient < np.inf, f"transient is {transient}"), (1 <= count <= size, f"count is {count}"),
        (1e-14 <= tolerance <= 1e-3, f"tolerance is {tolerance}"),
        (step is None or (flow and 0 < step < np.inf), f"step is {step}"),
    ]  # fmt: skip
    for sound, what in rules:
        if not sound:
            raise SettingError(what, place=system.name, remedy=f"The system has {size} states.")
    if not flow:
        interval, transient = float(max(1, round(interval))), float(round(transient))
    return Run(system, count, float(interval), tolerance, step, seed), float(duration), transient
