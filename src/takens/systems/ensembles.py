"""Many members of one flow or map at once: vectors of them in machine code, or arrays of them in array code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import SimulationError
from .base import Report, Request, System
from .rule import Array


def many(
    system: System,
    request: Request,
    initial: Array,
    values: Mapping[str, Array],
    *,
    threads: int | None = None,
    report: Report | None = None,
) -> Array | None:
    """The states `(member, time, state)` that `request` asks for, or None where there is no way to go many at once.

    From `initial (member, state)` with `values (member,)` of parameters. Members that cannot go on are NaN from the
    first time that they do not reach. There is a way for flows and maps of few states with equations, by the methods
    Taylor and DOP853 and by fixed steps of RK4, and for maps and fixed steps of flows in array code. Rows after fixed
    steps are at `request.times`: the transient is a number of equal steps of its own.
    """
    if system.kind not in ("flow", "map") or request.method not in (None, "Taylor", "DOP853", "RK4", "iteration"):
        return None
    if system.rule.program is None:
        from . import arrays

        if system.kind == "map":
            return arrays.map_orbits(system, request, initial, values, report)
        fixed = request.step is not None and request.method in (None, "RK4")
        return arrays.fixed_orbits(system, request, initial, values, report) if fixed else None
    from .native.batch import suits

    if not suits(system.rule.program):
        return None
    given = np.broadcast_to(system.values_of_parameters(), (len(initial), len(system.rule.parameters))).copy()
    for name, value in values.items():
        given[:, system.rule.parameters.index(name)] = value
    if system.kind == "map":
        return _iterated(system, request, initial, given, threads, report)
    if request.step is None and request.method != "RK4":
        return _sampled(system, request, initial, given, threads, report)
    return _stepped(system, request, initial, given, threads, report) if request.method in (None, "RK4") else None


MANY = 64
"""From so many members on, `simulate_ensemble` goes many at once; fewer are the same digits as one by one."""


def trajectories(
    system: System,
    request: Request,
    initial: Array,
    values: Mapping[str, Array],
    *,
    threads: int | None = None,
    report: Report | None = None,
) -> Array | None:
    """As `many`, for at least `MANY` members, None where it is not for them; every member goes on to the end.

    Raises `SimulationError` that names the first member that cannot be continued.
    """
    fixed = request.step is not None or request.method == "RK4"
    if len(initial) < MANY or (fixed and request.transient) or (request.step is not None and system.kind == "map"):
        return None
    found = many(system, request, initial, values, threads=threads, report=report)
    if found is None:
        return None
    for index in np.flatnonzero(~np.isfinite(found[:, -1]).all(axis=1)):
        one = system.with_parameters(**{name: float(value[index]) for name, value in values.items()})
        try:
            found[index] = one.trajectory(request, initial[index])[1]  # usually raises, with time and state
        except SimulationError as error:
            place = f"{system.name}[{index}]"
            raise SimulationError(
                error.cause, time=error.time, state=error.state, place=place, remedy=error.remedy
            ) from None
    return found


def fixed_steps(request: Request) -> tuple[int, float, int, float]:
    """Numbers and lengths of fixed steps: before the first row, and from one row to the next."""
    longest = request.dt if request.step is None else request.step
    before, between = (int(np.ceil(span / longest - 1e-9)) for span in (request.transient, request.dt))
    return before, request.transient / before if before else 0.0, between, request.dt / between


def _iterated(
    system: System, request: Request, initial: Array, given: Array, threads: int | None, report: Report | None
) -> Array:
    from .native.batch import march_members

    assert system.rule.program is not None
    return march_members(
        system.rule.program, initial, given, request.length, substeps=int(request.dt), skipped=int(request.transient),
        threads=threads, report=report,
    )  # fmt: skip


def _sampled(
    system: System, request: Request, initial: Array, given: Array, threads: int | None, report: Report | None
) -> Array:
    from .native.batch import integrate_members
    from .native.integrate import METHODS

    assert system.rule.program is not None
    method = None if request.method is None else METHODS[request.method]
    return integrate_members(
        system.rule.program, initial, given, request.times, method=method, tolerance=request.tolerance,
        threads=threads, report=report,
    )  # fmt: skip


def _stepped(
    system: System, request: Request, initial: Array, given: Array, threads: int | None, report: Report | None
) -> Array:
    from .native.batch import march_members
    from .native.tableau import RK4

    program = system.rule.program
    assert program is not None
    before, first, between, step = fixed_steps(request)
    if before:
        initial = march_members(
            program, initial, given, 1, step=first, skipped=before, tableau=RK4, threads=threads
        )[:, 0]  # fmt: skip
    return march_members(
        program, initial, given, request.length, start=request.transient, step=step, substeps=between, tableau=RK4,
        threads=threads, report=report,
    )  # fmt: skip
