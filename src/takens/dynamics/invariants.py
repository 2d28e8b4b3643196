"""The invariants of a system in one place: exponents, dimensions, divergence, period, each with its error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TakensError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.definition import system as defined
from ..tasks import Task
from .dimension import correlation_dimension
from .exponents import kaplan_yorke_dimension, lyapunov_spectrum
from .period import dominant_period

Array = NDArray[np.float64]
Report = Callable[[float], object]

REVISION = 2
"""Counts changes of this file, or of what it uses, that change its numbers."""
PERIODS, ITERATIONS = 4_000, 1_000_000
"""Length of the average of exponents: of flows of three states in periods, of maps in iterations."""
LEAST = 100
"""The fewest periods, or iterations, of an average."""
FULL, SOME = 40, 10
"""Systems of up to `FULL` numbers have their whole spectrum computed, larger ones the largest `SOME` exponents."""
PARTS = 25
"""Consecutive parts of the orbit that give the error of the Kaplan-Yorke dimension."""
SETTLED = 4.0
"""Standard errors by which the exponents of the two halves of an orbit may differ."""


def invariants(
    system: System, *, duration: float | None = None, count: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """The invariants of a deterministic system as plain data: name -> {value, error, ...}.

    `lyapunov_spectrum` (`count` exponents, None: all of up to 40, else 10) with `standard_error`s from an orbit of
    `duration` (None: 4,000 periods of a flow of three states, fewer of larger ones, or a million iterations); of a
    full spectrum also its `sum`, the mean `divergence` along the same orbit, which must agree, and
    `kaplan_yorke_dimension` with the error that those of the exponents cause; the `correlation_dimension`, and the
    `dominant_period`. Each has `reason` where it is not admissible. `settled` tells whether both halves of the orbit
    have the same exponents within four standard errors: where not, the orbit was a
    transient or is intermittent, and no number here should be trusted. Raises what `lyapunov_spectrum` raises. Cost:
    seconds for a few states.
    """
    size = len(system.phase())
    if count is None:
        count = size if size <= FULL else SOME
    if duration is None:
        share = 12 / (size * (count + 1))  # the work, beside that of three states with three vectors
        rounds = max(LEAST, ITERATIONS * min(1.0, share)) if system.stepwise else max(LEAST, PERIODS * min(1.0, share))
        duration = rounds if system.stepwise else rounds * (system.period or 1.0)
    spectrum = _spectrum(system, duration, count, seed)
    error = np.asarray(spectrum.details["standard_error"])
    convergence = np.asarray(spectrum.details["convergence"])
    found: dict[str, Any] = {
        "lyapunov_spectrum": {
            "value": spectrum.value, "standard_error": error, "unit": spectrum.unit,
            "duration": spectrum.settings["duration"], "tolerance": spectrum.settings.get("tolerance"),
            "reason": spectrum.reason,
        },
        "settled": spectrum.admissible and _settled(convergence, error),
    }  # fmt: skip
    if "kaplan_yorke_dimension" in spectrum.details:
        found["sum"] = float(spectrum.details["sum"])
        found["divergence"] = float(spectrum.details["divergence"])
        value = float(spectrum.details["kaplan_yorke_dimension"])
        found["kaplan_yorke_dimension"] = {
            "value": value,
            "standard_error": _carried(spectrum.value, error, convergence),
        }
    if size > FULL:
        found["correlation_dimension"] = {"value": None, "reason": f"not attempted for {size} numbers"}
    elif size == system.dimension:
        found["correlation_dimension"] = _estimate(lambda: correlation_dimension(system))
    else:
        reason = "the state is a function; its present value alone does not fill the attractor"
        found["correlation_dimension"] = {"value": None, "reason": reason}
    found["dominant_period"] = _estimate(lambda: dominant_period(system))
    return found


def invariants_task(name: str, table: Mapping[str, Any] | None = None, **settings: Any) -> Task:
    """The task that computes the invariants of a system of the catalogue, or of a definition as a table."""
    if table is None:
        from ..systems.catalogue_index import definition

        # The definition is part of the work, so that a changed equation or parameter is a new task.
        table, _ = definition(name)
    work = {"definition": dict(table), **settings}
    return Task("takens.dynamics.invariants:invariants_of", work, REVISION, label=name)


def invariants_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The job behind `invariants_task`."""
    return invariants(defined(settings["definition"]), **{k: v for k, v in settings.items() if k != "definition"})


def _spectrum(system: System, duration: float, count: int, seed: int) -> Estimate:
    """The exponents, over a shorter orbit where a chaotic map ends in a cycle of rounded numbers."""
    spectrum = lyapunov_spectrum(system, duration=duration, count=count, seed=seed)
    while not spectrum.admissible and system.stepwise and duration / 20 > 10 * LEAST:
        duration = float(round(duration / 20))
        spectrum = lyapunov_spectrum(system, duration=duration, count=count, seed=seed)
    return spectrum


def _settled(convergence: Array, error: Array) -> bool:
    """Whether the second half of the running average continues the first."""
    half, whole = convergence[len(convergence) // 2 - 1], convergence[-1]
    # The halves' difference is twice that between the first half and the whole, and has twice the error of the whole.
    return bool(np.all(np.abs(half - whole) <= SETTLED * error + 1e-4 * np.abs(whole).max()))


def _carried(value: Array, error: Array, convergence: Array) -> float:
    """The standard error of the Kaplan-Yorke dimension to first order, from consecutive parts of the orbit.

    The exponents' errors are far from independent: where volumes shrink evenly, what one gains another loses.
    """
    gradient = np.empty(len(error))
    for i, width in enumerate(np.maximum(error, 1e-9)):
        sides = [kaplan_yorke_dimension(np.asarray(value) + sign * width * np.eye(len(error))[i]) for sign in (1, -1)]
        gradient[i] = (sides[0] - sides[1]) / (2 * width)
    rows = np.linspace(0, len(convergence), PARTS + 1).astype(int)
    sums = np.vstack([np.zeros(len(error)), convergence[rows[1:] - 1] * rows[1:, None]])
    parts = np.diff(sums, axis=0) / np.diff(rows)[:, None]
    return float((parts @ gradient).std(ddof=1) / np.sqrt(PARTS))


def _estimate(measure: Callable[[], Estimate]) -> dict[str, Any]:
    """An estimate as plain data, or the reason why there is none."""
    try:
        found = measure()
    except TakensError as failure:
        return {"value": None, "reason": str(failure)}
    low, high = found.interval or (None, None)
    return {"value": found.value, "interval": [low, high], "level": found.level, "reason": found.reason}
