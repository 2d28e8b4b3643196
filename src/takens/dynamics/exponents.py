"""Lyapunov exponents of a system from its equations: tangent vectors carried along and made orthogonal now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from ..systems.base import System
from ..systems.evolve import orbit
from ..systems.kinds import Map

Array = NDArray[np.float64]
Report = Callable[[float], object]

BATCHES = 25
"""Consecutive parts of the orbit whose exponents are compared for the standard error."""


@dataclass(frozen=True)
class _Run:
    """A system, its tangent program and how they are advanced."""

    system: System
    count: int
    interval: float
    tolerance: float

    def growth(self, state: Array, time: float, intervals: int, seed: int, report: Report | None = None) -> Array:
        """Logarithms `(interval, count + 1)` of the growth of each orthogonal direction, and of volumes.

        The growth of volumes is the integral of the divergence; for a map the last column is NaN.
        """
        size = len(state)
        start = generator(seed, "tangent vectors").normal(size=(size, self.count))
        vectors = np.linalg.qr(start)[0]
        logs = np.empty((intervals, self.count + 1))
        for k in range(intervals):
            state, moved, volume = self.system.carried(state, vectors, time, self.interval, tolerance=self.tolerance)
            time += self.interval
            vectors, triangle = np.linalg.qr(moved)
            with np.errstate(divide="ignore"):
                logs[k, :-1] = np.log(np.abs(np.diag(triangle)))
            logs[k, -1] = volume
            if report is not None:
                report((k + 1) / intervals)
        return logs


def lyapunov_spectrum(
    system: System,
    *,
    duration: float | None = None,
    count: int | None = None,
    interval: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    level: float = 0.95,
    seed: int = 0,
    report: Report | None = None,
) -> Estimate:
    """The `count` largest Lyapunov exponents of a flow or map (None: all), per unit of time or iteration.

    lambda_i = lim 1/T sum log R_ii, where QR = the tangent vectors carried along the orbit for one `interval` by the
    variational equations dv/dt = J(x, t) v. The value is an array, largest first; the interval at `level` comes from
    the spread over 25 consecutive parts of the orbit. `duration` of the average (None: 500 periods, 1,000 time units
    or 50,000 iterations), `transient` before it (None: a tenth of that), `interval` between orthonormalisations (None:
    such that directions grow apart by e^4 to e^12 in it),
    `initial (state,)` (None: the system's own).

    `details` holds `standard_error`, `kaplan_yorke_dimension` (of a full spectrum), the `sum` of a full spectrum and
    the mean `divergence` along the orbit, which must agree, and the running averages `convergence (interval, count)`.
    A flow that does not settle on a fixed point has one exponent 0, up to its error.

    Raises `SettingError` for settings out of range, `SimulationError` where the orbit diverges. Cost: that of
    integrating states x (1 + count) equations. Not for systems of more than about 60 states (straight-line code), nor
    for orbits that have not settled: a slow transient biases all exponents.
    Source: Benettin et al., Meccanica 15, 9 (1980); Geist, Parlitz & Lauterborn, Prog. Theor. Phys. 83, 875 (1990).
    """
    run, length, wait = _settings(system, duration, count, interval, transient, tolerance)
    state = system.phase(initial)
    if wait > 0:
        state = system.carried(state, np.empty((len(state), 0)), 0.0, wait, tolerance=tolerance)[0]
    if interval is None:
        run = _fitted(run, state, wait, seed, length / (4 * BATCHES))
    run, (logs, value, error, volume) = _whole(run, state, wait, length, seed, report, adapt=interval is None)
    details: dict[str, Any] = {"standard_error": error}
    details["convergence"] = np.cumsum(logs, axis=0) / np.arange(1, len(logs) + 1)[:, None]
    flow = not system.stepwise
    if run.count == system.dimension:
        details |= {"sum": value.sum(), "divergence": volume if flow else _mean_divergence(run, state, wait, length)}
        # An exponent that is zero up to its error counts as zero: its sign is chance, and decides the dimension.
        counted = np.where(np.abs(value) <= 3 * error + 1e-6, 0.0, value)
        details["kaplan_yorke_dimension"] = kaplan_yorke_dimension(counted)
    from scipy.stats import t as student

    wide = student.ppf((1 + level) / 2, BATCHES - 1) * error
    unit = "1/time unit" if flow else "1/iteration"
    return Estimate(
        "lyapunov_spectrum", value, unit, (value - wide, value + wide), level, "tangent vectors, QR",
        {"duration": len(logs) * run.interval, "transient": wait, "interval": run.interval, "count": run.count,
         "tolerance": tolerance, "parameters": dict(system.parameters), "seed": seed},
        reference="Benettin et al., Meccanica 15, 9 (1980)", channel=system.name, details=details,
    )  # fmt: skip


def _whole(
    run: _Run, state: Array, time: float, length: float, seed: int, report: Report | None, *, adapt: bool
) -> tuple[_Run, tuple[Array, Array, Array, float]]:
    """The averages, with a shorter interval where volumes do not add up.

    Where directions grow so far apart that one is lost in rounding, the sum of all exponents misses the divergence.
    """
    found = _averaged(run, state, time, length, seed, report)
    for _ in range(4):
        _, value, _, volume = found
        if not adapt or run.count < run.system.dimension or not abs(value.sum() - volume) > 1e-6 * abs(volume):
            break
        run = _Run(run.system, run.count, run.interval / 4, run.tolerance)
        found = _averaged(run, state, time, length, seed, report)
    return run, found


def _averaged(
    run: _Run, state: Array, time: float, length: float, seed: int, report: Report | None
) -> tuple[Array, Array, Array, float]:
    """Growth rates `(interval, count)`, means and errors `(count,)`, the largest first, and the mean divergence."""
    intervals = max(2 * BATCHES, round(length / run.interval))
    settle = max(10, intervals // 50)  # the vectors turn into the directions of fastest growth first
    rates = run.growth(state, time, intervals + settle, seed, report)[settle:] / run.interval
    logs = rates[:, :-1]
    means = np.array([part.mean(axis=0) for part in np.array_split(logs, BATCHES)])
    order = np.argsort(-logs.mean(axis=0), kind="stable")
    error = np.asarray(means.std(axis=0, ddof=1) / np.sqrt(BATCHES))
    return logs[:, order], np.asarray(logs.mean(axis=0))[order], error[order], float(rates[:, -1].mean())


def kaplan_yorke_dimension(spectrum: ArrayLike) -> float:
    """The Kaplan-Yorke (Lyapunov) dimension D = k + sum_(i <= k) lambda_i / |lambda_(k+1)| of a full spectrum.

    k is the largest number of exponents, largest first, whose sum is not negative; 0 if the first is negative, the
    number of exponents if all sums are not negative. Raises `SettingError` for an empty spectrum. Source: Kaplan &
    Yorke, Lecture Notes in Mathematics 730, 204 (1979).
    """
    exponents = np.sort(np.ravel(np.asarray(spectrum, dtype=np.float64)))[::-1]
    if len(exponents) == 0 or np.isnan(exponents).any():
        raise SettingError("a dimension needs exponents that are numbers")
    sums = np.cumsum(exponents)
    if sums[0] < 0:
        return 0.0
    k = int(np.flatnonzero(sums >= 0)[-1]) + 1
    return float(k) if k == len(exponents) else float(k + sums[k - 1] / abs(exponents[k]))


def _settings(
    system: System,
    duration: float | None,
    count: int | None,
    interval: float | None,
    transient: float | None,
    tolerance: float,
) -> tuple[_Run, float, float]:
    """The run, the duration and the transient, checked and with defaults filled in."""
    flow = not system.stepwise
    if duration is None:
        duration = 50_000.0 if not flow else 1000.0 if system.period is None else 500 * system.period
    if interval is None:
        interval = min(4.0 if not flow else 1.0 if system.period is None else system.period / 3, duration)
    transient = duration / 10 if transient is None else float(transient)
    count = system.dimension if count is None else int(count)
    rules = [
        (0 < duration < np.inf, f"duration is {duration}"), (0 < interval <= duration, f"interval is {interval}"),
        (0 <= transient < np.inf, f"transient is {transient}"), (1 <= count <= system.dimension, f"count is {count}"),
        (1e-14 <= tolerance <= 1e-3, f"tolerance is {tolerance}"),
    ]  # fmt: skip
    for sound, what in rules:
        if not sound:
            raise SettingError(what, place=system.name, remedy=f"The system has {system.dimension} states.")
    if not flow:
        interval, transient = float(max(1, round(interval))), float(round(transient))
    return _Run(system, count, float(interval), tolerance), float(duration), transient


def _fitted(run: _Run, state: Array, time: float, seed: int, longest: float) -> _Run:
    """The run with an interval in which directions grow or shrink by e^4 to e^12: few reductions, none of them lost."""
    for _ in range(20):
        logs = run.growth(state, time, 3, seed)[:, :-1]
        reach = float(np.abs(logs).max()) if np.isfinite(logs).all() else np.inf
        if 4 <= reach <= 12 or (reach < 4 and 2 * run.interval > longest):
            break
        interval = run.interval * (2 if reach < 4 else 0.5)
        if run.system.stepwise:
            interval = float(max(1, round(interval)))
        if interval == run.interval:
            break
        run = _Run(run.system, run.count, interval, run.tolerance)
    return run


def _mean_divergence(run: _Run, state: Array, time: float, length: float) -> float:
    """The mean of log |det J| over at most 20,000 iterations of a map; exact where it is constant."""
    times = np.arange(min(length, 20_000.0))
    assert isinstance(run.system, Map)
    return float(run.system.divergence(time + times, orbit(run.system, state, times)).mean())
