"""Orbits for the analysis of systems: plain arrays, one orbit or many at once, of anything deterministic."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from .base import Report, Request, System

Array = NDArray[np.float64]


def orbit(
    system: System,
    initial: ArrayLike,
    times: ArrayLike,
    *,
    tolerance: float = 1e-9,
    step: float | None = None,
    report: Report | None = None,
) -> Array:
    """The states `(time, state)` of the orbit from `initial (state,)` at time 0, at evenly spaced `times (time,)` >= 0.

    For a map the times are whole numbers. With `step` the steps of a flow are fixed, as for `simulate`. Raises
    `SimulationError`, with time and state, where it cannot be continued.
    """
    moments, dt = _even(system, times)
    request = Request(len(moments), dt, float(moments[0]), tolerance=tolerance, step=step)
    return system.trajectory(request, system.phase(initial)[: system.dimension], report)[1]


def evolve(
    system: System,
    initial: ArrayLike,
    times: ArrayLike,
    *,
    parameters: Mapping[str, ArrayLike] | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    threads: int | None = None,
    report: Report | None = None,
) -> Array:
    """The states `(member, time, state)` of many orbits from `initial (member, state)` at time 0, at even `times`.

    `parameters` override the system's: numbers, or `(member,)`. With `step` flows go fixed steps of RK4, as many equal
    ones no longer than `step` as fit between the times. An orbit that cannot be continued, because it diverges or
    leaves the domain of the equations, is NaN from the first time that it does not reach: callers that ask where many
    orbits go need that as an answer, not as an exception.

    Flows and maps of at most 20 states with equations go many at once in the vector units of the processor, with errors
    as those of `orbit`, though not the same digits; maps in array code too. Other systems cost what `orbit` does for
    each member. A member's result depends neither on the others nor on the number of `threads` (None: one a processor).
    Raises `SettingError` for arguments that do not fit.
    """
    states = np.array(initial, dtype=np.float64)
    if states.ndim != 2 or states.shape[1] != system.dimension:
        raise SettingError(
            f"initial has shape {states.shape} instead of (member, {system.dimension})", place=system.name
        )
    if not np.isfinite(states).all():
        raise SettingError("initial is not finite", place=system.name)
    if not (step is None or step > 0):
        raise SettingError(f"step is {step}", place=system.name, remedy="Give a positive step.")
    if not 1e-14 <= tolerance <= 0.1:
        raise SettingError(f"tolerance is {tolerance}", place=system.name, remedy="Choose between 1e-14 and 0.1.")
    moments, dt = _even(system, times)
    values = _values(system, parameters or {}, len(states))
    if not len(states):
        return np.empty((0, len(moments), system.dimension))
    request = Request(len(moments), dt, float(moments[0]), tolerance=tolerance, step=step)
    from .ensembles import many

    found = many(system, request, states, values, threads=threads, report=report)
    if found is not None:
        return found
    return _each(system, states, moments, values, request, threads, report)


def _even(system: System, times: ArrayLike) -> tuple[Array, float]:
    """The times and their distance."""
    moments = np.asarray(times, dtype=np.float64)
    if moments.ndim != 1 or not len(moments):
        raise SettingError(f"times has shape {moments.shape} instead of (time,)", place=system.name)
    dt = float(moments[1] - moments[0]) if len(moments) > 1 else 1.0
    if not np.allclose(np.diff(moments), dt, rtol=1e-9, atol=0) or not dt > 0 or not moments[0] >= 0:
        raise SettingError("the times are not evenly spaced", place=system.name, remedy="Use start + dt k.")
    if system.stepwise and (dt != round(dt) or moments[0] != round(moments[0])):
        raise SettingError(
            f"a {system.kind} goes whole steps", place=system.name, remedy="Give whole numbers for times."
        )
    return moments, dt


def _values(system: System, parameters: Mapping[str, ArrayLike], members: int) -> dict[str, Array]:
    """Values `(member,)` of the parameters that change."""
    found = {}
    for name, value in parameters.items():
        given = np.asarray(value, dtype=np.float64)
        if given.shape not in ((), (members,)):
            raise SettingError(f"{name} has shape {given.shape} for {members} members", place=system.name)
        bad = given[~np.isfinite(given)]
        system.with_parameters(**{name: float(bad.flat[0] if bad.size else given.flat[0] if given.size else 0.0)})
        found[name] = np.broadcast_to(given, (members,))
    return found


def _each(
    system: System,
    states: Array,
    moments: Array,
    values: Mapping[str, Array],
    request: Request,
    threads: int | None,
    report: Report | None,
) -> Array:
    """One member after the other."""
    from concurrent.futures import ThreadPoolExecutor

    out = np.full((len(states), len(moments), system.dimension), np.nan)

    def member(index: int) -> None:
        one = system.with_parameters(**{name: float(v[index]) for name, v in values.items()}) if values else system
        rows = len(moments)
        while rows:
            try:
                out[index, :rows] = orbit(
                    one, states[index], moments[:rows], tolerance=request.tolerance, step=request.step
                )
                return
            except SimulationError as error:
                rows = min(rows - 1, int(np.searchsorted(moments, error.time)))  # what comes before is sound

    member(0)  # compiles, once
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(member, range(1, len(states))), start=2):
            if report is not None:
                report(done / len(states))
    return out
