"""Trajectories of many members through machine code that goes vectors of them, in threads over ranges of members."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dop853 import DOP853
from .emit import Program
from .integrate import MOST_STEPS, Method, Report
from .lanes_loop import INTEGRATE_LANES, integrate_lanes
from .lanes_loop import WIDTH as INTEGRATED
from .lanes_march import BLOCK, MARCH_LANES, march_lanes
from .lanes_march import WIDTH as MARCHED
from .loop import DONE
from .machine import POINTER, REAL, WHOLE, Machine
from .recurrence import NotAnalytic
from .tableau import Tableau
from .taylor import Taylor

Array = NDArray[np.float64]

MOST_STATES = 20
"""Most states of systems that go in lanes: vectors of more fill the caches and take long to compile."""
KEPT = 64
_SHARES = 8
"""Ranges of members for each thread: fewer leave one waiting for another."""


def suits(program: Program | None) -> bool:
    """Whether there are lanes for a program."""
    return program is not None and program.loops is None and len(program.states) <= MOST_STATES


def march_members(
    program: Program,
    initial: Array,
    parameters: Array,
    rows: int,
    *,
    start: float = 0.0,
    step: float = 1.0,
    substeps: int = 1,
    skipped: int = 0,
    tableau: Tableau | None = None,
    threads: int | None = None,
    report: Report | None = None,
) -> Array:
    """The states `(member, row, state)` of members from `initial (member, state)`, `parameters (member, parameter)`.

    As `integrate.march` for each: a row after `skipped` steps, then one each `substeps`. A member is NaN from its first
    row that is not finite on. What a member gets depends neither on the others nor on the number of threads. Cost: a
    nanosecond a step and member and thread for three states with AVX-512, after a tenth of a second to compile.
    """
    function = _march(program, tableau)[1]
    initial, parameters = _contiguous(initial), _contiguous(parameters)
    out = np.empty((len(initial), rows, initial.shape[1]))

    def part(first: int, last: int) -> None:
        function(
            initial.ctypes.data, parameters.ctypes.data, first, last, start, step, skipped, substeps, rows,
            out.ctypes.data,
        )  # fmt: skip

    _shared(part, len(initial), MARCHED * BLOCK, threads, report)
    return out


def integrate_members(
    program: Program,
    initial: Array,
    parameters: Array,
    times: Array,
    *,
    method: Method | None = None,
    tolerance: float = 1e-9,
    threads: int | None = None,
    report: Report | None = None,
) -> Array:
    """The states `(member, time, state)` at increasing `times` of members from `initial (member, state)` at time 0.

    As `integrate.integrate` for each, with `parameters (member, parameter)`; every member has steps of its own. By
    default Taylor steps and, where they have no series or cannot go on, those of DOP853. A member is NaN from the first
    time on that it does not reach. Its errors are those of `integrate`, but it is not the same to the last digit: its
    Taylor steps are longer, of more terms. What a member gets depends neither on the others nor on the number of
    threads. Cost: 3.5 microseconds a member and thread for Lorenz-63 to t = 10 at 1e-9 with AVX-512, after 0.2 s to
    compile. Raises `NotAnalytic` where Taylor steps are asked for and have no series.
    """
    initial, parameters, times = _contiguous(initial), _contiguous(parameters), _contiguous(times)
    out = np.full((len(initial), len(times), initial.shape[1]), np.nan)
    out[:, : np.searchsorted(times, 0.0, side="right")] = initial[:, None]
    if method is not None:
        _integrated(program, method, (initial, parameters, times, out), tolerance, threads, report)
        return out
    try:
        failed = _integrated(program, Taylor(), (initial, parameters, times, out), tolerance, threads, report)
    except NotAnalytic:
        _integrated(program, DOP853, (initial, parameters, times, out), tolerance, threads, report)
        return out
    if len(failed):
        again = out[failed]
        again[:, np.searchsorted(times, 0.0, side="right") :] = np.nan
        given = (initial[failed], parameters[failed], times, again)
        _integrated(program, DOP853, given, tolerance, threads, None)
        out[failed] = again
    return out


def _integrated(
    program: Program,
    method: Method,
    arrays: tuple[Array, Array, Array, Array],
    tolerance: float,
    threads: int | None,
    report: Report | None,
) -> NDArray[np.int64]:
    """Fill the last of (initial, parameters, times, out); the numbers of the members that could not go on."""
    initial, parameters, times, out = arrays
    function = _integrate(program, method.order(tolerance) if isinstance(method, Taylor) else method)[1]
    begun = int(np.searchsorted(times, 0.0, side="right"))
    status = np.full(len(initial), DONE, dtype=np.int64)

    def part(first: int, last: int) -> None:
        function(
            initial.ctypes.data, parameters.ctypes.data, first, last, 0.0, tolerance, float(MOST_STEPS),
            times.ctypes.data, begun, len(times), out.ctypes.data, status.ctypes.data,
        )  # fmt: skip

    if begun < len(times):
        _shared(part, len(initial), INTEGRATED, threads, report)
    return np.flatnonzero(status != DONE)


def _shared(
    part: Callable[[int, int], None], members: int, width: int, threads: int | None, report: Report | None
) -> None:
    """`part(first, last)` for ranges that cover all members, whole vectors each, in threads."""
    workers = threads or os.cpu_count() or 1
    size = width * max(1, -(-members // (width * workers * _SHARES)))
    starts = range(0, members, size)
    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(lambda at: part(at, min(at + size, members)), starts), start=1):
            if report is not None:
                report(done / len(starts))


def _contiguous(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


@lru_cache(maxsize=KEPT)
def _march(program: Program, tableau: Tableau | None) -> tuple[Machine, Callable[..., Any]]:
    machine = Machine(*march_lanes(program, tableau))
    kinds = (POINTER, POINTER, WHOLE, WHOLE, REAL, REAL, WHOLE, WHOLE, WHOLE, POINTER)
    return machine, machine.function(MARCH_LANES, None, *kinds)


def _integrate(program: Program, method: Tableau | int) -> tuple[Machine, Callable[..., Any]]:
    found = _lanes(program, method)
    if isinstance(found, NotAnalytic):
        raise NotAnalytic(found.cause, remedy=found.remedy)
    return found


@lru_cache(maxsize=KEPT)
def _lanes(program: Program, method: Tableau | int) -> tuple[Machine, Callable[..., Any]] | NotAnalytic:
    try:
        parts = integrate_lanes(program, method)
    except NotAnalytic as error:
        return error  # kept, so that it is found out once
    machine = Machine(*parts)
    kinds = (POINTER, POINTER, WHOLE, WHOLE, REAL, REAL, REAL, POINTER, WHOLE, WHOLE, POINTER, POINTER)
    return machine, machine.function(INTEGRATE_LANES, None, *kinds)
