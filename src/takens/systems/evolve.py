"""Orbits for the analysis of systems: plain arrays, one orbit or many at once, of anything deterministic."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from .base import Report, Request, System

Array = NDArray[np.float64]


def orbit(
    system: System, initial: ArrayLike, times: ArrayLike, *, tolerance: float = 1e-9, report: Report | None = None
) -> Array:
    """The states `(time, state)` of the orbit from `initial (state,)` at time 0, at evenly spaced `times (time,)` >= 0.

    For a map the times are whole numbers. Raises `SimulationError`, with time and state, where it cannot be continued.
    """
    moments = np.asarray(times, dtype=np.float64)
    dt = float(moments[1] - moments[0]) if len(moments) > 1 else 1.0
    if not np.allclose(np.diff(moments), dt, rtol=1e-9, atol=0) or not dt > 0 or not moments[0] >= 0:
        raise SettingError("the times are not evenly spaced", place=system.name, remedy="Use start + dt k.")
    request = Request(len(moments), dt, float(moments[0]), tolerance=tolerance)
    return system.trajectory(request, system.phase(initial)[: system.dimension], report)[1]


def evolve(
    system: System,
    initial: ArrayLike,
    times: ArrayLike,
    *,
    parameters: Mapping[str, ArrayLike] | None = None,
    tolerance: float = 1e-9,
    threads: int | None = None,
    report: Report | None = None,
) -> Array:
    """The states `(member, time, state)` of many orbits from `initial (member, state)` at time 0, at even `times`.

    `parameters` override the system's: numbers, or `(member,)`. An orbit that cannot be continued, because it diverges
    or leaves the domain of the equations, is NaN in all its rows: callers that ask where many orbits go need that as an
    answer, not as an exception. Cost: that of `orbit` for each member, shared by `threads` (None: one a processor).
    """
    from concurrent.futures import ThreadPoolExecutor

    states = np.asarray(initial, dtype=np.float64)
    moments = np.asarray(times, dtype=np.float64)
    if states.ndim != 2 or states.shape[1] != system.dimension:
        raise SettingError(
            f"initial has shape {states.shape} instead of (member, {system.dimension})", place=system.name
        )
    given = {name: np.broadcast_to(np.asarray(v, float), (len(states),)) for name, v in (parameters or {}).items()}
    out = np.full((len(states), len(moments), system.dimension), np.nan)

    def member(index: int) -> None:
        one = system.with_parameters(**{name: float(v[index]) for name, v in given.items()}) if given else system
        try:
            out[index] = orbit(one, states[index], moments, tolerance=tolerance)
        except SimulationError:
            return

    if len(states):
        member(0)  # compiles, once
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(member, range(1, len(states))), start=2):
            if report is not None:
                report(done / len(states))
    return out
