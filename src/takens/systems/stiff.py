"""Stiff flows: SciPy's implicit Runge-Kutta method with compiled right-hand sides and exact compiled Jacobians."""

from __future__ import annotations

import numpy as np

from ..errors import SimulationError
from .base import Report, Request, System
from .equations import Equations
from .rule import Array

MOST_STEPS = 1_000_000
"""Steps after which an integration is given up; each takes a fraction of a millisecond."""


def radau(system: System, request: Request, initial: Array, report: Report | None = None) -> Array:
    """The states `(time, state)` at the request's times by Radau IIA, order 5 with steps of its choice.

    The estimated error of each step, divided by tolerance (1 + |x|), is at most 1 in the root mean square over the
    states. Steps end at the samples: between them the method's polynomial is of order 3 only, and on stiff systems
    wrong by far more than the tolerance. The Jacobian is exact for equations, by differences for array code.
    Raises `SimulationError`, with time and state, where the state or its rate stops being finite, the step falls to
    the rounding error of the time, or it takes more than 1,000,000 steps. Cost: about 0.5 ms a step, and at least one
    step a sample, however fast the fastest time scale is. Not for systems that are not stiff, nor for many samples.
    Source: Hairer & Wanner, Solving Ordinary Differential Equations II (1996), section IV.8.
    """
    from scipy.integrate import Radau

    rate, slopes = _functions(system)
    times, state = request.times, np.array(initial)
    out = np.empty((len(times), len(state)))
    done = int(np.searchsorted(times, 0.0, side="right"))
    out[:done] = state
    if done == len(times):
        return out
    if not np.isfinite(rate(0.0, state)).all():
        raise _failure("the rate is not finite", 0.0, state, system)
    solver = Radau(
        rate, 0.0, state, times[done], jac=slopes, rtol=max(request.tolerance, 1e-13), atol=request.tolerance
    )
    for count in range(MOST_STEPS):
        before, at = solver.y, solver.t
        try:
            solver.step()
        except ValueError:  # SciPy refuses to factor a Jacobian that is not finite
            raise _failure("the Jacobian is not finite", at, before, system) from None
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            raise _failure("the step fell to the rounding error of the time", at, before, system)
        if report is not None and count % 100 == 0:
            report(solver.t / times[-1])
        if solver.status == "finished":
            out[done] = solver.y
            done += 1
            if done == len(times):
                return out
            solver.t_bound, solver.status = times[done], "running"
    raise _failure(f"more than {MOST_STEPS:,} steps", solver.t, solver.y, system)


def _functions(system: System):  # type: ignore[no-untyped-def]
    """The right-hand side and its Jacobian as functions of time and one state."""
    rule, parameters = system.rule, system.values_of_parameters()
    if not isinstance(rule, Equations):
        return system.rhs, system.jacobian
    from .native.compile import compile_rule
    from .native.emit import Program

    definitions, rows = rule.jacobian
    flat = tuple(entry for row in rows for entry in row)
    value = compile_rule(rule.program)
    slope = compile_rule(Program(rule.states, rule.parameters, flat, definitions, rule.time))
    size = len(rule.states)
    return (
        lambda t, x: value(t, x, parameters),
        lambda t, x: slope(t, x, parameters).reshape(size, size),
    )


def _failure(cause: str, time: float, state: Array, system: System) -> SimulationError:
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in zip(system.states[:8], state, strict=False))
    return SimulationError(
        f"{cause} at {system.rule.time} = {time:.10g}, {shown}", time=float(time), state=tuple(map(float, state)),
        place=system.name, remedy="Check parameters and initial state, or stop earlier.",
    )  # fmt: skip
