"""Delay differential equations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from ..base import Report, Request, System, Table
from ..equations import Equations, partials
from ..history import Grid, from_function
from ..rule import Array
from ..symbols.differentiate import ZERO, add, multiply
from ..symbols.tree import Expression, Name

if TYPE_CHECKING:
    from ..native.delay import DelayProgram
    from ..reading import Reading

DEGREE = 7
"""Degree of the polynomials that hold a past on a grid: that of the dense output of DOP853."""


class Delay(NamedTuple):
    """The state `of` as it was `lag` before: a parameter's name or a number."""

    of: str
    lag: str | float


@final
@dataclass(frozen=True, eq=False, repr=False)
class Delayed(System):
    """A system of delay differential equations with constant lags, dx/dt = f(x(t), x(t - lag), ..., t, p).

    `delays` names the delayed states that the equations use. Before time 0 a state is what its expression in `history`
    says, or constant and equal to its initial value. `rhs` and `jacobian` are those of a state that never changes: each
    delayed state is the present one, so that fixed points are zeros of `rhs`; stability needs `carried`.

    The state in full, of `phase` and `carried`, is the past on a grid, newest first: `(point * state,)`, for a past of
    the longest lag in at least 16 panels, and 8 a typical period, of 8 Chebyshev points each; see `history.Grid`.
    Raises `SettingError` for lags that are not positive.
    """

    delays: Mapping[str, Delay] = field(default_factory=dict)
    history: Mapping[str, Expression] = field(default_factory=dict)

    kind: ClassVar[str] = "delayed"
    keys: ClassVar[tuple[str, ...]] = ("equations", "auxiliary", "delays", "history")
    methods: ClassVar[tuple[str, ...]] = ("DOP853", "Tsit5")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "delays", Table(self.delays))
        object.__setattr__(self, "history", Table(self.history))
        for name, lag in zip(self.delays, self._each_lag(), strict=True):
            if not lag > 0:
                raise SettingError(
                    f"{name} has the lag {lag:g}",
                    place=self.name,
                    remedy="A lag is positive; without one, use the state.",
                )

    @classmethod
    def read(cls, reading: Reading) -> Delayed:
        """A delay equation from its definition; `t` is the time."""
        delays = _delays(reading)
        full = reading.equations(time="t", inputs=tuple(delays))
        for name, delay in delays.items():
            if delay.of not in full.states:
                reading.fail(f"{delay.of!r} is not a state", f"delays.{name}.of", f"States: {', '.join(full.states)}.")
        plain = tuple(name for name in full.parameters if name not in delays)
        still = tuple((name, Name(delay.of)) for name, delay in delays.items())
        rule = Equations(full.states, plain, full.expressions, (*still, *full.auxiliary), full.time)
        history = _history(reading, rule)
        found = cls(rule=rule, delays=delays, history=history, **reading.common(rule.states))
        reading.check_values(rule, found.rhs(0.0, found.initial).tolist())
        return found

    def lags(self) -> Array:
        """The different lags `(lag,)`, in the order of the delays."""
        return np.array(list(dict.fromkeys(self._each_lag())))

    def _each_lag(self) -> list[float]:
        return [float(self.parameters[d.lag] if isinstance(d.lag, str) else d.lag) for d in self.delays.values()]

    def _full(self) -> Equations:
        """The equations with the delayed states as further parameters."""
        assert isinstance(self.rule, Equations)
        rule = self.rule
        names = (*rule.parameters, *self.delays)
        return Equations(rule.states, names, rule.expressions, rule.auxiliary[len(self.delays) :], rule.time)

    def text(self) -> str:
        """The equations as plain text, with x(t - lag) for delayed states, then the history where one is given."""
        from ..symbols.printing import text

        lines, time = self._full().lines("d{}/dt"), self.rule.time
        for name, delay in self.delays.items():
            lines = re.sub(rf"\b{name}\b", f"{delay.of}({time} - {_shown(delay.lag)})", lines)
        before = [f"{state} = {text(tree)} for {time} < 0" for state, tree in self.history.items()]
        return "\n".join([lines, *before])

    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment, with x(t - lag) for delayed states."""
        from ..symbols.latex import latex, symbol

        full, time = self._full(), symbol(self.rule.time)
        forms = {}
        for name, delay in self.delays.items():
            lag = symbol(delay.lag) if isinstance(delay.lag, str) else _shown(delay.lag)
            forms[name] = rf"{symbol(delay.of)}\left({time} - {lag}\right)"
        rows = [f"{symbol(name)} &= {latex(tree, forms)}" for name, tree in full.auxiliary]
        for state, tree in zip(full.states, full.expressions, strict=True):
            rows.append(f"{symbol(state, dot=True)} &= {latex(tree, forms)}")
        body = " \\\\\n".join(rows)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Steps no longer than the shortest lag, chosen by the method or fixed; samples from their dense output."""
        from ..native.delay_run import METHODS, integrate_delayed

        method, times = METHODS[request.method or self.methods[0]], request.times
        past = from_function(self._past(initial), float(self.lags().max()), len(method.dense[0]), request.tolerance)
        course, _ = integrate_delayed(
            _program(self._full(), self._lookups(), 0), past, initial, self.values_of_parameters(), self.lags(), times,
            method=method, tolerance=request.tolerance, step=request.step, report=report,
        )  # fmt: skip
        return times, course.states

    def _lookups(self) -> tuple[tuple[int, int], ...]:
        """(number of its lag, position of its state) for each delay."""
        lags = self.lags().tolist()
        states = [self.states.index(delay.of) for delay in self.delays.values()]
        return tuple((lags.index(lag), state) for lag, state in zip(self._each_lag(), states, strict=True))

    def _past(self, initial: Array):  # type: ignore[no-untyped-def]
        """States `(time, state)` before 0 as a function of times."""
        from ..symbols.evaluate import program

        forms = {
            state: program([tree], (self.rule.time, *self.rule.parameters)) for state, tree in self.history.items()
        }
        values = [np.asarray(value) for value in self.parameters.values()]

        def past(times: Array) -> Array:
            found = np.tile(initial, (len(times), 1))
            for state, form in forms.items():
                found[:, self.states.index(state)] = form([times, *values])[0]
            if not np.isfinite(found).all():
                worst = self.states[int(np.flatnonzero(~np.isfinite(found).all(axis=0))[0])]
                raise SettingError(f"the history of {worst} is not finite", place=self.name)
            return found

        return past

    def grid(self) -> Grid:
        """The times at which the state in full holds the past."""
        return Grid.suited(float(self.lags().max()), self.period, DEGREE)

    def phase(self, initial: ArrayLike | None = None) -> Array:
        """The past on the grid `(point * state,)`, from an initial state `(state,)` and the history, or as it is."""
        grid = self.grid()
        found = np.array(self.initial if initial is None else initial, dtype=np.float64)
        if found.shape == (grid.points * self.dimension,) and np.isfinite(found).all():
            return found
        state = super().phase(initial)
        values = self._past(state)(grid.times)
        values[0] = state
        return values.ravel()

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """By the variational equations, whose delayed terms use the displacement's own past; no volume (NaN)."""
        from ..native.delay_run import integrate_delayed, looked_up

        grid, size, count = self.grid(), self.dimension, vectors.shape[1]
        moved = vectors.reshape(grid.points, size, count).transpose(0, 2, 1).reshape(grid.points, count * size)
        values = np.concatenate([phase.reshape(grid.points, size), moved], axis=1)
        end = start + duration
        _, held = integrate_delayed(
            _program(self._full(), self._lookups(), count), grid.pieces(values, start), values[0],
            self.values_of_parameters(), self.lags(), np.array([end]), start=start, tolerance=tolerance,
        )  # fmt: skip
        found = looked_up(held, end + grid.times, values.shape[1])
        after = found[:, size:].reshape(grid.points, count, size).transpose(0, 2, 1).reshape(vectors.shape)
        return found[:, :size].ravel(), after, float("nan")


@lru_cache(maxsize=64)
def _program(full: Equations, lookups: tuple[tuple[int, int], ...], count: int) -> DelayProgram:
    """The equations and those of `count` displacements: dv_i/dt = sum_k J_ik v_k + sum_d D_id v_of(d)(t - lag_d)."""
    from ..native.delay import DelayProgram
    from ..native.emit import Program

    size, delayed = len(full.states), full.parameters[len(full.parameters) - len(lookups) :]
    definitions, rows = partials(full.expressions, full.auxiliary, (*full.states, *delayed))
    tangents = [f"tangent {j} of {state}" for j in range(count) for state in full.states]
    pasts = [f"tangent {j} of {name}" for j in range(count) for name in delayed]
    expressions, places = list(full.expressions), list(lookups)
    for j in range(count):
        now, then = tangents[j * size : (j + 1) * size], pasts[j * len(delayed) : (j + 1) * len(delayed)]
        for row in rows:
            total: Expression = ZERO
            for slope, name in zip(row, (*now, *then), strict=True):
                total = add(total, multiply(slope, Name(name)))
            expressions.append(total)
        places += [(lag, (j + 1) * size + state) for lag, state in lookups]
    program = Program(
        (*full.states, *tangents), (*full.parameters, *pasts), tuple(expressions),
        definitions if count else full.auxiliary, full.time,
    )  # fmt: skip
    return DelayProgram(program, tuple(places))


def _shown(lag: str | float) -> str:
    return lag if isinstance(lag, str) else f"{lag:g}"


def _delays(reading: Reading) -> dict[str, Delay]:
    """The table `delays`."""
    example = 'delays.x_tau = { of = "x", lag = "tau" }'
    parameters, found = reading.numbers("parameters"), {}
    for name, entry in reading.mapping("delays", example).items():
        key = f"delays.{name}"
        if not isinstance(entry, Mapping) or set(entry) != {"of", "lag"}:
            reading.fail(f"is {entry!r}", key, f"Write {example}.")
        lag: Any = entry["lag"]
        if isinstance(lag, str):
            if lag not in parameters:
                reading.fail(f"{lag!r} is not a parameter", f"{key}.lag", "A lag is a parameter's name or a number.")
        else:
            lag = reading.number(lag, f"{key}.lag")
        found[name] = Delay(str(entry["of"]), lag)
    if not found:
        reading.fail("no delays", "delays", f"Write {example}, and x_tau in the equations.")
    return found


def _history(reading: Reading, rule: Equations) -> dict[str, Expression]:
    """The table `history`: expressions in the time and the parameters."""
    from ..symbols.expression import parse

    found = {}
    for state, text in reading.texts("history").items():
        key = f"history.{state}"
        if state not in rule.states:
            reading.fail(f"{state!r} is not a state", key, f"The states are {', '.join(rule.states)}.")
        place = f"{reading.place}: {key}" if reading.place else key
        found[state] = parse(text, dict.fromkeys((rule.time, *rule.parameters)), place=place)
    return found
