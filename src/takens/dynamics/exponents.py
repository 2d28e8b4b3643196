"""Lyapunov exponents of a system from its equations: tangent vectors carried along and made orthogonal now and then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..systems.base import Report, System
from ..systems.variational import together
from .averages import BATCHES, Averages, averaged, checked, cycle, settled

Array = NDArray[np.float64]

MOST_CYCLE, MOST_ITERATED = 2_000_000, 2_000
"""Cycles of rounded numbers are looked for up to this length, of equations and of array code."""


def lyapunov_spectrum(
    system: System,
    *,
    duration: float | None = None,
    count: int | None = None,
    interval: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    report: Report | None = None,
) -> Estimate:
    """The `count` largest Lyapunov exponents of a system (None: all), per unit of time or iteration.

    lambda_i = lim 1/T sum log R_ii, where QR = the tangent vectors carried along the orbit for one `interval` by the
    variational equations dv/dt = J(x, t) v. The value is an array, largest first; the interval at `level` comes from
    the spread over 25 consecutive parts of the orbit. `duration` of the average (None: 500 periods, 1,000 time units
    or 50,000 iterations), `transient` before it (None: a tenth of that), `interval` between orthonormalisations (None:
    such that directions grow apart by e^6 to e^12 in it), `initial (state,)` (None: the system's own). Flows go to the
    `tolerance`, or with `step` by fixed steps of RK4 of at most that length, whose exponents have its error of order 4.

    `details` holds `standard_error`, `kaplan_yorke_dimension` (of a full spectrum), the `sum` of a full spectrum and
    the mean `divergence` along the orbit, which must agree, and the running averages `convergence (interval, count)`.
    A flow that does not settle on a fixed point has one exponent 0, up to its error. A direction that vanishes, as at
    the turning point of a map, has -inf. Where the orbit of a chaotic map fell into a cycle of rounded numbers, which
    the map itself does not have, the value is not admissible.

    Raises `SettingError` for settings out of range, `SimulationError` where the orbit diverges. Cost: that of
    integrating states x (1 + count) equations: milliseconds for 1,000 time units of a small flow, seconds for 50,000
    iterations of a learned law. Not for orbits that have not settled: a slow transient biases all exponents.
    Source: Benettin et al., Meccanica 15, 9 (1980); Geist, Parlitz & Lauterborn, Prog. Theor. Phys. 83, 875 (1990).
    """
    run, length, wait = checked(system, duration, count, interval, transient, tolerance, step, seed)
    origin = system.phase(initial)
    phase = settled(system, origin, wait, tolerance)
    if interval is None:
        run = run.fitted(phase, wait, length / (4 * BATCHES))
    found = averaged(run, phase, wait, length, report, adapt=interval is None)
    run, value, error = found.run, found.value, found.error
    passed = np.arange(1, len(found.rates) + 1)[:, None]
    details: dict[str, Any] = {"standard_error": error, "convergence": np.cumsum(found.rates, axis=0) / passed}
    if run.count == len(phase):
        details |= {"sum": value.sum(), "divergence": found.divergence}
        # An exponent that is zero up to its error counts as zero: its sign is chance, and decides the dimension.
        counted = np.where(np.abs(value) <= 3 * error + 1e-6, 0.0, value)
        details["kaplan_yorke_dimension"] = kaplan_yorke_dimension(counted)
    from scipy.special import stdtrit  # the quantile of Student's distribution, without the 80 microseconds of stats

    wide = stdtrit(BATCHES - 1, (1 + level) / 2) * error
    reason = _rounded(found, origin)
    return Estimate(
        "lyapunov_spectrum", value, "1/iteration" if system.stepwise else "1/time unit", (value - wide, value + wide),
        level, "tangent vectors, QR",
        {"duration": len(found.rates) * run.interval, "transient": wait, "interval": run.interval, "count": run.count,
         "tolerance": tolerance, "step": step, "parameters": dict(system.parameters), "seed": seed},
        admissible=not reason, reason=reason,
        reference="Benettin et al., Meccanica 15, 9 (1980)", channel=system.name, details=details,
    )  # fmt: skip


def largest_lyapunov_exponent(
    system: System,
    *,
    duration: float | None = None,
    interval: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    report: Report | None = None,
) -> Estimate:
    """The largest Lyapunov exponent of a system, per unit of time or iteration: one tangent vector instead of all.

    lambda_1 = lim 1/T log |v(T)| / |v(0)|. Settings, errors and sources are those of `lyapunov_spectrum`; the value and
    the ends of the interval are numbers, `details` holds `standard_error` and the running average `convergence
    (interval,)`. Cost: that of integrating two copies of the states, whatever their number. Not the measure of the same
    name, which estimates it from a series.
    """
    found = lyapunov_spectrum(
        system, duration=duration, count=1, interval=interval, transient=transient, initial=initial,
        tolerance=tolerance, step=step, level=level, seed=seed, report=report,
    )  # fmt: skip
    assert found.interval is not None
    low, high = found.interval
    details = {
        "standard_error": float(found.details["standard_error"][0]), "convergence": found.details["convergence"][:, 0]
    }  # fmt: skip
    return replace(
        found, name="largest_lyapunov_exponent", value=float(found.value[0]), method="tangent vector",
        interval=(float(low[0]), float(high[0])), details=details,
    )  # fmt: skip


def _rounded(found: Averages, origin: Array) -> str:
    """What is wrong where the orbit of a chaotic map repeats itself exactly; nothing where it began on that cycle."""
    system, run = found.run.system, found.run
    if not found.value[0] > max(3 * found.error[0], 1e-6):
        return ""
    # Array code goes a thousand times more slowly than equations: only the short cycles that end an orbit are seen.
    iterations = min(MOST_ITERATED if together(system) else MOST_CYCLE, round(len(found.rates) * run.interval))
    length = cycle(system, found.last, iterations)
    if length is None or cycle(system, origin, length) is not None:
        return ""
    return (
        f"the orbit fell into a cycle of {length:,} rounded numbers, which a chaotic map does not keep: "
        "take a shorter duration or another initial state"
    )


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
