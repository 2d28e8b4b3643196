"""Orbits of rules in array code: SciPy's integrator for flows, a loop for maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..errors import SettingError, SimulationError
from .base import Report, Request, System
from .rule import Array, ArrayRule

MOST_SLOPES = 2_000_000
"""Entries of Jacobians that are held at once."""


def flow_orbit(system: System, request: Request, initial: Array) -> tuple[Array, Array]:
    """Times and states of one trajectory, by an explicit method of order 8 with chosen steps."""
    if request.step is not None or request.method not in (None, "DOP853"):
        raise SettingError("array code is integrated by DOP853 with steps of its choice", place=system.name)
    times = request.times
    return times, _solve(lambda t, x: system.rhs(t, x), initial, 0.0, times, request.tolerance, system)


def map_orbit(system: System, request: Request, initial: Array) -> tuple[Array, Array]:
    """Times and states of one trajectory of a map."""
    every, wait = int(request.dt), int(request.transient)
    state, rows = np.array(initial), np.empty((request.length, len(initial)))
    given = {name: np.float64(value) for name, value in system.parameters.items()}
    # Straight to the array code: one state needs no checks of shapes, which cost as much as a small law.
    follow = system.rule.function if isinstance(system.rule, ArrayRule) else system.rule.values
    for n in range(wait + (request.length - 1) * every + 1):
        if n >= wait and (n - wait) % every == 0:
            rows[(n - wait) // every] = state
        if not np.isfinite(state).all():
            raise SimulationError("the state is not finite", time=float(n), state=tuple(state), place=system.name)
        with np.errstate(all="ignore"):
            state = follow(np.asarray(float(n)), state, given)
    return request.times, rows


def map_orbits(
    system: System, request: Request, initial: Array, values: Mapping[str, Array], report: Report | None = None
) -> Array:
    """The states `(member, time, state)` of many orbits of a map at once; NaN from the first that is not finite."""
    every, wait = int(request.dt), int(request.transient)
    last = wait + (request.length - 1) * every
    states, rows = np.array(initial), _Rows(len(initial), request.length, system.dimension)
    for n in range(last + 1):
        if n >= wait and (n - wait) % every == 0:
            rows.write(states)
        if n < last:
            with np.errstate(all="ignore"):
                states = system.rhs(float(n), states, **values)
        if report is not None:
            report((n + 1) / (last + 1))
    return rows.out


def fixed_orbits(
    system: System, request: Request, initial: Array, values: Mapping[str, Array], report: Report | None = None
) -> Array:
    """The states `(member, time, state)` of many orbits of a flow at once, by fixed steps of RK4; see `map_orbits`."""
    from .ensembles import fixed_steps

    before, first, between, step = fixed_steps(request)
    states, rows = np.array(initial), _Rows(len(initial), request.length, system.dimension)

    def go(x: Array, start: float, h: float, count: int) -> Array:
        for i in range(count):
            t = start + h * i
            a = system.rhs(t, x, **values)
            b = system.rhs(t + h / 2, x + h / 2 * a, **values)
            c = system.rhs(t + h / 2, x + h / 2 * b, **values)
            d = system.rhs(t + h, x + h * c, **values)
            x = x + h / 6 * (a + 2 * b + 2 * c + d)
        return x

    with np.errstate(all="ignore"):
        states = go(states, 0.0, first, before)
        for row in range(request.length):
            rows.write(states)
            if row + 1 < request.length:
                states = go(states, request.transient + row * request.dt, step, between)
            if report is not None:
                report((row + 1) / request.length)
    return rows.out


class _Rows:
    """Rows of many members; a member that was not finite once is NaN from there on."""

    def __init__(self, members: int, length: int, dimension: int) -> None:
        self.out = np.full((members, length, dimension), np.nan)
        self._alive = np.ones(members, dtype=bool)
        self._row = 0

    def write(self, states: Array) -> None:
        self._alive &= np.isfinite(states).all(axis=1)
        self.out[self._alive, self._row] = states[self._alive]
        self._row += 1


def flow_carried(
    system: System, phases: Array, vectors: Array, start: float, duration: float, tolerance: float
) -> tuple[Array, Array, Array]:
    """States `(member, state)`, small displacements `(member, state, vector)` and growth of volumes after `duration`.

    All members go together, by steps that are short enough for each of them.
    """
    members, size, count = vectors.shape

    def rates(t: float, x: Array) -> Array:
        rows = x.reshape(members, -1)
        slopes = system.jacobian(t, rows[:, :size])
        moved = slopes @ rows[:, size:-1].reshape(members, size, count)
        traces = np.trace(slopes, axis1=1, axis2=2)
        return np.column_stack([system.rhs(t, rows[:, :size]), moved.reshape(members, -1), traces]).ravel()

    state = np.column_stack([phases, vectors.reshape(members, -1), np.zeros(members)]).ravel()
    found = _solve(rates, state, start, np.array([start + duration]), tolerance, system)[0].reshape(members, -1)
    return found[:, :size], found[:, size:-1].reshape(members, size, count), found[:, -1]


def map_carried(
    system: System,
    phases: Array,
    vectors: Array,
    start: float,
    duration: float,
    parameters: Mapping[str, Array] | None = None,
) -> tuple[Array, Array, Array]:
    """The same after `duration` iterations, with parameters `(member,)`; volumes are known of a full frame only."""
    members, size, count = vectors.shape
    values, volumes = parameters or {}, np.full(members, 0.0 if count == size else np.nan)
    along = by_directions(system, count)
    block = round(duration) if along else max(1, MOST_SLOPES // (members * size**2))
    with np.errstate(all="ignore"):
        for first in range(0, round(duration), block):
            steps = min(block, round(duration) - first)
            rows = np.empty((steps, members, size))
            for k in range(steps):
                rows[k] = phases
                if along:
                    vectors = _moved(system, start + first + k, phases, vectors, values)
                phases = system.rhs(start + first + k, phases, **values)
            if along:
                continue
            # The Jacobians of many iterations at once: a call of array code costs more than its arithmetic.
            times = start + first + np.arange(steps, dtype=np.float64)[:, None]
            slopes = system.jacobian(times, rows, **values)
            for slope in slopes:
                vectors = slope @ vectors
            if count == size:
                volumes = volumes + np.linalg.slogdet(slopes)[1].sum(axis=0)
    return phases, vectors, volumes


def by_directions(system: System, count: int) -> bool:
    """Whether `count` displacements of a map go by differences along them rather than by the whole Jacobian.

    Of many states the Jacobian has far more entries than the few products with it that are needed.
    """
    known = isinstance(system.rule, ArrayRule) and system.rule.derivative is not None
    return system.stepwise and count * (8 if known else 2) <= system.dimension > (60 if known else 8)


def _moved(system: System, time: float, phases: Array, vectors: Array, values: Mapping[str, Array]) -> Array:
    """J v `(member, state, vector)` by central differences along each vector."""
    members, _, count = vectors.shape
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scale = float(np.linalg.norm(phases, axis=1).max()) or 1.0
    width = np.cbrt(np.finfo(float).eps) * scale / np.where(length > 0, length, 1.0)
    moves = np.moveaxis(width * vectors, 2, 0)
    both = np.concatenate([phases + moves, phases - moves])
    given = {name: np.broadcast_to(value, members) for name, value in values.items()}
    ends = system.rhs(time, both, **given)
    return np.moveaxis(ends[:count] - ends[count:], 0, 2) / (2 * width)


def _solve(
    rates: Callable[[float, Array], Array], initial: Array, start: float, times: Array, tolerance: float, system: System
) -> Array:
    from scipy.integrate import solve_ivp

    span = (start, float(times[-1]))
    found = solve_ivp(rates, span, initial, method="DOP853", t_eval=times, rtol=max(tolerance, 3e-14), atol=tolerance)
    if not found.success or not np.isfinite(found.y).all():
        time = float(found.t[-1]) if len(found.t) else start
        state = tuple(found.y[: system.dimension, -1]) if len(found.t) else ()
        raise SimulationError(f"the integration stopped at t = {time:.10g}", time=time, state=state, place=system.name)
    return np.asarray(found.y.T)
