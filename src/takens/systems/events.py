"""Events along trajectories of flows: when and where they cross a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from .base import Report, Request, System
from .equations import Equations
from .kinds import Flow
from .symbols.differentiate import ONE, ZERO, add, differentiate, multiply
from .symbols.evaluate import program
from .symbols.expression import parse
from .symbols.tree import Expression, Name, Number

if TYPE_CHECKING:
    from .native.emit import Program

Array = NDArray[np.float64]

PATIENCE = 1000.0
"""Periods a crossing (time units, where no period is known) after which a search without a duration is given up."""
PARTS = 8
"""Parts of a step of array code whose ends are compared."""


@dataclass(frozen=True)
class Crossings:
    """`times (crossing,)`, since the initial state, and `states (crossing, state)` on the surface."""

    times: Array
    states: Array


def crossings(
    system: System,
    surface: str | tuple[ArrayLike, float],
    *,
    initial: ArrayLike | None = None,
    duration: float | None = None,
    count: int | None = None,
    direction: int = 0,
    tolerance: float = 1e-10,
    transient: float = 0.0,
    report: Report | None = None,
) -> Crossings:
    """Where the trajectory of a flow from `initial (state,)` crosses a surface g(x, t) = 0, located to rounding.

    `surface` is the text of g in states, parameters, auxiliary names and the time ("z - 27"), or a plane (normal
    (state,), offset): normal . x = offset. `direction` 1 keeps crossings with growing g, -1 with falling g, 0 both.
    The search starts after `transient` and ends after `count` crossings or `duration` more time units, whichever is
    first; give one of them. A start on the surface is not a crossing.

    Sign changes are looked for at nine points of the polynomial of each step, and extremes of g between them that reach
    beyond the surface are searched, so that grazing pairs are found; then Newton's method on that polynomial. The
    error of a crossing is that of the trajectory, whose steps keep to `tolerance`, divided by the rate of g.
    Raises `SettingError` for what is no flow or arguments that do not fit, `EquationError` for the text, and
    `SimulationError`, with time and state, where the trajectory cannot go on or crosses fewer than `count` times within
    1,000 periods each. Cost: about twice that of the trajectory; array code runs in Python, about 1 ms a step.
    Source: Shampine & Thompson, Comput. Math. Appl. 39, 43 (2000), for events on continuous extensions.
    """
    if not isinstance(system, Flow):
        raise SettingError(f"crossings of a {system.kind}", place=system.name, remedy="Only flows move continuously.")
    for wrong, what, remedy in (
        (direction not in (-1, 0, 1), f"direction is {direction!r}", "Give -1, 0 or 1."),
        (duration is None and count is None, "nothing says where to end", "Give count= or duration=."),
        (duration is not None and not 0 < duration < np.inf, f"duration is {duration}", "Give a positive time."),
        (count is not None and not count >= 1, f"count is {count}", "Ask for at least one."),
        (not 0 <= transient < np.inf, f"transient is {transient}", ""),
        (not 1e-14 <= tolerance <= 1e-3, f"tolerance is {tolerance}", "Choose between 1e-14 and 0.001."),
    ):
        if wrong:
            raise SettingError(what, place=system.name, remedy=remedy)
    state = system.phase(initial)
    tree = _tree(system, surface)
    limit = duration if duration is not None else PATIENCE * (count or 1) * (system.period or 1.0)
    search = _compiled if isinstance(system.rule, Equations) else _interpreted
    asked = None if count is None else int(count) + 1  # one more, for a start on the surface
    rows = search(system, tree, state, (float(transient), float(limit)), direction, asked, tolerance, report)
    if count is not None and duration is None and len(rows) < count:
        raise SimulationError(
            f"{len(rows)} of {count} crossings by {system.rule.time} = {transient + limit:g}",
            time=transient + limit, state=tuple(rows[-1, 1:]) if len(rows) else tuple(state), place=system.name,
            remedy="Does the trajectory reach the surface? Give duration= for those in a time.",
        )  # fmt: skip
    rows = rows[:count]
    return Crossings(rows[:, 0].copy(), rows[:, 1:].copy())


def _tree(system: System, surface: str | tuple[ArrayLike, float]) -> Expression:
    """g as a tree."""
    if isinstance(surface, str):
        auxiliary = [name for name, _ in system.rule.auxiliary] if isinstance(system.rule, Equations) else []
        names = dict.fromkeys((*system.states, *system.rule.parameters, *auxiliary, system.rule.time))
        return parse(surface, names, place=f"{system.name}: surface")
    try:
        normal, offset = np.asarray(surface[0], dtype=np.float64), float(surface[1])
    except (TypeError, ValueError, IndexError, KeyError):
        raise SettingError(
            f"surface is {surface!r}", place=system.name, remedy='Write "z - 27" or (normal, offset).'
        ) from None
    if normal.shape != (system.dimension,) or not np.isfinite(normal).all() or not normal.any():
        raise SettingError(f"the normal is {normal.tolist()}", place=system.name, remedy="A number for each state.")
    total: Expression = Number(-offset)
    for state, weight in zip(system.states, normal, strict=True):
        total = add(total, multiply(Number(float(weight)), Name(state)))
    return total


def _program(rule: Equations, tree: Expression) -> Program:
    """g and its rate of change along the trajectory, to be compiled."""
    from .native.emit import Program

    names = (*rule.states, *rule.parameters)
    rates: dict[str, Expression] = {} if rule.time in names else {rule.time: ONE}
    rates |= {state: Name(f"d({state})/d({rule.time})") for state in rule.states}
    definitions = [*rule.auxiliary]
    definitions += [(f"d({s})/d({rule.time})", e) for s, e in zip(rule.states, rule.expressions, strict=True)]
    for name, expression in rule.auxiliary:
        slope = differentiate(expression, "", rates)
        rates[name] = ZERO
        if slope != ZERO:
            rates[name] = Name(f"d({name})/d({rule.time})")
            definitions.append((f"d({name})/d({rule.time})", slope))
    slope = differentiate(tree, "", rates)
    return Program(rule.states, rule.parameters, (tree, slope), tuple(definitions), rule.time)


def _compiled(
    system: Flow, tree: Expression, state: Array, span: tuple[float, float], direction: int, count: int | None,
    tolerance: float, report: Report | None,
) -> Array:  # fmt: skip
    """Rows (time, state) of crossings, by machine code: Taylor steps, or DOP853 where they have no series or fail."""
    from .native.compile import compile_rule
    from .native.integrate import METHODS, STIFF, cross
    from .native.recurrence import NotAnalytic

    assert isinstance(system.rule, Equations)
    parameters, (start, length) = system.values_of_parameters(), span
    if start:
        state = system.trajectory(Request(1, 1.0, start, tolerance=tolerance), state)[1][0]
    surface = _program(system.rule, tree)
    at_start = compile_rule(surface)(start, state, parameters)
    for name in system.methods[:2]:
        try:
            rows = cross(
                system.rule.program, surface, state, parameters, start, start + length, direction=direction,
                count=count, method=METHODS[name], tolerance=tolerance, report=report,
            ).states  # fmt: skip
            break
        except (NotAnalytic, SimulationError) as error:
            if name == system.methods[1] or error.remedy == STIFF:
                raise
    return _without_start(rows, start, state, at_start)


def _without_start(rows: Array, start: float, state: Array, surface: Array) -> Array:
    """The rows but for a first one that is the start itself, which rounding put just before the surface."""
    value, rate = (abs(float(v)) for v in surface)
    rounding = 1e-12 * (1 + float(np.abs(state).max()))
    if len(rows) and value <= rounding and (rows[0, 0] - start) * rate <= 10 * rounding:
        return rows[1:]
    return rows


def _interpreted(
    system: Flow, tree: Expression, state: Array, span: tuple[float, float], direction: int, count: int | None,
    tolerance: float, report: Report | None,
) -> Array:  # fmt: skip
    """Rows (time, state) of crossings for array code, on the polynomials of SciPy's DOP853."""
    from scipy.integrate import DOP853
    from scipy.optimize import brentq

    rule, (start, length) = system.rule, span
    if start:
        state = system.trajectory(Request(1, 1.0, start, tolerance=tolerance), state)[1][0]
    given = system.parameters
    form = program([tree], (rule.time, *rule.states, *rule.parameters))

    def surface(t: float, x: Array) -> float:
        return float(form([np.asarray(v) for v in (t, *x, *given.values())])[0])

    solver = DOP853(lambda t, x: system.rhs(t, x), start, state, start + length, rtol=max(tolerance, 3e-14),
                    atol=tolerance)  # fmt: skip
    rows: list[Array] = []
    while solver.status == "running" and (count is None or len(rows) < count):
        solver.step()
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            raise SimulationError(
                f"the integration stopped at {rule.time} = {solver.t:.10g}", time=float(solver.t),
                state=tuple(map(float, solver.y)), place=system.name,
            )  # fmt: skip
        dense = solver.dense_output()
        along = partial(_along, surface, dense)
        moments = _with_extremes(along, np.linspace(solver.t_old, solver.t, PARTS + 1))
        values = [along(t) for t in moments]
        for (a, b), (before, after) in zip(pairwise(moments), pairwise(values), strict=True):
            sense = 1 if before < 0 <= after else -1 if before > 0 >= after else 0
            if sense and direction * sense >= 0:
                root = b if after == 0 else brentq(along, a, b, xtol=1e-15, rtol=1e-15)
                rows.append(np.array([root, *dense(root)]))
        if report is not None:
            report((solver.t - start) / length)
    found = np.array(rows).reshape(len(rows), 1 + len(state))
    value = surface(start, state)
    ahead = surface(start + 1e-6, state + 1e-6 * system.rhs(start, state))
    return _without_start(found, start, state, np.array([value, (ahead - value) / 1e-6]))


def _along(surface: Callable[[float, Array], float], states: Callable[[float], Array], time: float) -> float:
    return surface(time, states(time))


def _with_extremes(surface: Callable[[float], float], moments: Array) -> Array:
    """The times, and those of extremes between two of them from which g turns towards the surface and away."""
    from scipy.optimize import minimize_scalar

    found = list(moments)
    for a, b in pairwise(moments):
        small = 1e-6 * (b - a)
        before, after = surface(a), surface(b)
        towards, away = surface(a + small) - before, after - surface(b - small)
        if before * after > 0 and before * towards < 0 < after * away:
            lowest = minimize_scalar(
                partial(_towards, surface, float(np.sign(before))), bounds=(a, b), method="bounded",
                options={"xatol": 1e-12 * max(1.0, abs(a))},
            )  # fmt: skip
            found.append(float(lowest.x))
    return np.unique(found)


def _towards(surface: Callable[[float], float], sign: float, time: float) -> float:
    return sign * surface(time)
