"""Markov jump processes: reactions that change whole numbers at random times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import EquationError, SettingError
from ...random import generator
from ..base import Report, Request, System
from ..equations import Equations, check_names
from ..rule import Array
from ..symbols.differentiate import ZERO, add, multiply
from ..symbols.expression import parse
from ..symbols.tree import Call, Expression, Name, Number
from ..symbols.walk import names_in, substituted
from .diffusion import Diffusion
from .flow import Flow

if TYPE_CHECKING:
    from ..native.emit import Program
    from ..reading import Reading


@final
@dataclass(frozen=True, eq=False, repr=False)
class Jump(System):
    """A Markov jump process: reaction r happens at the rate a_r(x, p) and adds the whole numbers c_r to the state x.

    `rates` are the propensities a_r, `changes (reaction, state)` the c_r. `rule` is the rate equation of the mean
    field, dx/dt = sum_r c_r a_r(x, p), exact for the mean only where all rates are linear: `rhs` and `jacobian` are
    its. A trajectory is exact (Gillespie, J. Comput. Phys. 22, 403 (1976)): every event is drawn, and rows hold the
    state at their times, which stays the same between events and for ever where all rates are 0. Cost: some 50
    nanoseconds an event, of which there are as many as the rates add up to; with millions of events a unit of time use
    `langevin` instead. Raises `SettingError` for reactions that do not fit the states or depend on time.
    """

    rates: tuple[Expression, ...] = ()
    changes: tuple[tuple[int, ...], ...] = ()

    kind: ClassVar[str] = "jump"
    methods: ClassVar[tuple[str, ...]] = ("Gillespie",)
    keys: ClassVar[tuple[str, ...]] = ("auxiliary", "reactions")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.rule, Equations):
            raise SettingError("a jump process needs equations, not array code", place=self.name)
        if not self.rates or len(self.rates) != len(self.changes):
            raise SettingError(f"{len(self.rates)} rates for {len(self.changes)} changes", place=self.name)
        if any(len(change) != self.dimension or not any(change) for change in self.changes):
            raise SettingError("a change does not fit the states or changes nothing", place=self.name)
        self._check_whole(self.initial)
        if not self.rule.autonomous or self.rule.time in self._names():
            raise SettingError(
                "a rate depends on time", place=self.name,
                remedy="Events are drawn from constant rates: add a state that counts phases, or use a diffusion.",
            )  # fmt: skip

    @classmethod
    def read(cls, reading: Reading) -> Jump:
        """A jump process from its definition.

        `reactions = [{ rate = "beta*S*I/N", change = { S = -1, I = 1 } }, ...]`; the states are those of `initial`.
        """
        initial = reading.mapping("initial", "initial = { S = 990, I = 10 }")
        states, parameters = tuple(initial), tuple(reading.numbers("parameters"))
        if not states:
            reading.fail("no initial state", "initial", "Write initial = { S = 990, I = 10 }.")
        definitions = reading.texts("auxiliary")
        check_names(states, parameters, tuple(definitions), place=reading.place)
        names: dict[str, None] = dict.fromkeys((*states, *parameters))
        auxiliary = []
        for name, text in definitions.items():
            auxiliary.append((name, parse(text, names, place=_place(reading, f"auxiliary.{name}"))))
            names[name] = None
        found = [_reaction(reading, entry, states, names, r) for r, entry in enumerate(_entries(reading), start=1)]
        rates, changes = tuple(rate for rate, _ in found), tuple(change for _, change in found)
        rule = Equations(states, parameters, _sums(rates, changes, len(states)), tuple(auxiliary))
        system = cls(rule=rule, **reading.common(states), rates=rates, changes=changes)
        values = system.propensities(system.initial)
        for r, value in enumerate(values, start=1):
            if not (np.isfinite(value) and value >= 0):
                cause = f"the rate is {value:g} at the initial state"
                raise EquationError(cause, place=_place(reading, f"reactions[{r}]"), remedy="A rate is not negative.")
        return system

    def propensities(self, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The rates `(..., reaction)` at states `x (..., state)`, events per unit of time."""
        from ..symbols.evaluate import program

        assert isinstance(self.rule, Equations)
        states = self._states(x)
        named = {self.rule.time: 0.0, **self._given(parameters)}
        named |= {name: states[..., i] for i, name in enumerate(self.states)}
        values = {name: np.asarray(named[name], dtype=np.float64) for name in self.rule.inputs}
        shape = np.broadcast_shapes(*(value.shape for value in values.values()))
        found = program(self.rates, self.rule.inputs, self.rule.auxiliary)(list(values.values()))
        return np.stack([np.broadcast_to(value, shape) for value in found], axis=-1)

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """The state just before the first event after each time; events from the seed and the stream."""
        from ..native.gillespie import Reactions, react

        if request.step is not None:
            remedy = "Leave step out."
            raise SettingError("events come when they come, not in steps", place=self.name, remedy=remedy)
        self._check_whole(initial)
        *stream, last = request.stream or (0,)
        if not isinstance(last, int):
            stream, last = [*stream, last], 0
        key = int(generator(request.seed, "reactions", *stream).integers(2**63))
        plan = Reactions(self._program, np.array(self.changes, dtype=np.float64), key, last, self.name)
        return request.times, react(plan, initial, self.values_of_parameters(), request.times, report=report)

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """Not defined: states are whole numbers, and there are no small displacements."""
        raise SettingError(
            "a jump process has no small displacements", place=self.name,
            remedy="Ask for those of its rate equation: system.mean_field().",
        )  # fmt: skip

    def text(self) -> str:
        """The reactions as plain text, `S -> S - 1, I -> I + 1  at rate beta*S*I/N`, a line each."""
        from ..symbols.reactions import lines

        assert isinstance(self.rule, Equations)
        return lines(self.rule, self.rates, self.changes)

    def latex(self) -> str:
        """The reactions as a LaTeX `aligned` environment."""
        from ..symbols.reactions import aligned

        assert isinstance(self.rule, Equations)
        return aligned(self.rule, self.rates, self.changes)

    def mean_field(self) -> Flow:
        """The rate equation dx/dt = sum_r c_r a_r(x), as a flow."""
        return Flow(f"{self.name} mean field", self.rule, **self._common())

    def langevin(self) -> Diffusion:
        """The chemical Langevin equation dx = sum_r c_r (a_r dt + sqrt(a_r) dW_r), in Ito's sense.

        Mean and covariance of the changes in a short time are those of the jump process; good where many events change
        the rates little. Negative rates, which fluctuations near 0 can reach, count as 0 under the root. Source:
        Gillespie, J. Chem. Phys. 113, 297 (2000).
        """
        assert isinstance(self.rule, Equations)
        rule, noise = self.rule, []
        for rate, change in zip(self.rates, self.changes, strict=True):
            root = Call("sqrt", (Call("max", (rate, ZERO)),))
            column = tuple(multiply(Number(float(c)), root) for c in change)
            noise.append(Equations(rule.states, rule.parameters, column, rule.auxiliary, rule.time))
        return Diffusion(f"{self.name} Langevin", rule, **self._common(), noise=tuple(noise))

    def linear_noise(self) -> Diffusion:
        """The linear noise approximation: the rate equation of x, and the small fluctuations about it.

        dx/dt = sum_r c_r a_r(x), d(x_noise) = J(x) x_noise dt + sum_r c_r sqrt(a_r(x)) dW_r, with the Jacobian J of the
        rate equation; the state of the process is about x + x_noise, which starts at 0. For one stable state and large
        numbers; near a bifurcation fluctuations are not small. Source: van Kampen, Stochastic Processes in Physics and
        Chemistry, chapter X.
        """
        rates = self._inlined()
        plain = Equations(self.states, self.rule.parameters, _sums(rates, self.changes, self.dimension))
        names = tuple(f"{state}_noise" for state in self.states)
        pulls = []
        for row in plain.jacobian[1]:
            total: Expression = ZERO
            for slope, name in zip(row, names, strict=True):
                total = add(total, multiply(slope, Name(name)))
            pulls.append(total)
        states, still = (*self.states, *names), (ZERO,) * self.dimension
        noise = []
        for rate, change in zip(rates, self.changes, strict=True):
            root = Call("sqrt", (Call("max", (rate, ZERO)),))
            column = (*still, *(multiply(Number(float(c)), root) for c in change))
            noise.append(Equations(states, self.rule.parameters, column))
        rule = Equations(states, self.rule.parameters, (*plain.expressions, *pulls))
        common = self._common() | {"initial": np.concatenate([self.initial, np.zeros(self.dimension)])}
        return Diffusion(f"{self.name} linear noise", rule, **common, noise=tuple(noise))

    @cached_property
    def _program(self) -> Program:
        """What machine code is made from: the rate of each reaction."""
        from ..native.emit import Program

        assert isinstance(self.rule, Equations)
        return Program(self.states, self.rule.parameters, self.rates, self.rule.auxiliary, self.rule.time)

    def _inlined(self) -> tuple[Expression, ...]:
        """The rates without auxiliary definitions."""
        assert isinstance(self.rule, Equations)
        defined: dict[str, Expression] = {}
        for name, tree in self.rule.auxiliary:
            defined[name] = substituted(tree, defined)
        return tuple(substituted(rate, defined) for rate in self.rates)

    def _common(self) -> dict[str, Any]:
        """What other kinds of the same law share with it."""
        return {
            "parameters": self.parameters, "initial": self.initial, "period": self.period, "dt": self.dt,
            "reference": self.reference,
        }  # fmt: skip

    def _names(self) -> set[str]:
        """Names that rates use and that are neither states, parameters nor definitions."""
        assert isinstance(self.rule, Equations)
        return {*names_in(*self.rates)} - {*self.states, *self.rule.parameters, *dict(self.rule.auxiliary)}

    def _check_whole(self, state: Array) -> None:
        if not np.array_equal(state, np.round(state)):
            shown = ", ".join(f"{value:g}" for value in state[:8])
            raise SettingError(f"the state {shown} is not of whole numbers", place=self.name)


def _place(reading: Reading, key: str) -> str:
    return ": ".join(part for part in (reading.place, key) if part)


def _sums(rates: tuple[Expression, ...], changes: tuple[tuple[int, ...], ...], states: int) -> tuple[Expression, ...]:
    """sum_r c_r a_r for each state."""
    found = []
    for i in range(states):
        total: Expression = ZERO
        for rate, change in zip(rates, changes, strict=True):
            total = add(total, multiply(Number(float(change[i])), rate))
        found.append(total)
    return tuple(found)


EXAMPLE = 'reactions = [{ rate = "beta*S*I/N", change = { S = -1, I = 1 } }]'


def _entries(reading: Reading) -> list[Any]:
    entries = reading.table.get("reactions")
    if not isinstance(entries, list | tuple) or not entries:
        reading.fail(
            "no reactions" if entries in (None, [], ()) else f"is {entries!r}", "reactions", f"Write {EXAMPLE}."
        )
    return list(entries)


def _reaction(
    reading: Reading, entry: Any, states: tuple[str, ...], names: Mapping[str, None], number: int
) -> tuple[Expression, tuple[int, ...]]:
    """The rate and the change of one reaction."""
    key = f"reactions[{number}]"
    if not isinstance(entry, Mapping) or set(entry) != {"rate", "change"} or not isinstance(entry["change"], Mapping):
        reading.fail(f"is {entry!r}", key, f"Write {EXAMPLE}.")
    rate, change = entry["rate"], entry["change"]
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        rate = repr(rate)
    if not isinstance(rate, str):
        reading.fail(f"the rate is {rate!r}, not text", key, f"Write {EXAMPLE}.")
    for state, value in change.items():
        if state not in states:
            near = get_close_matches(str(state), states, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            reading.fail(f"{state!r} is not a state", f"{key}.change", f"{hint}The states are {', '.join(states)}.")
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31:
            reading.fail(f"{state} changes by {value!r}", f"{key}.change", "Give a whole number.")
    if not any(change.values()):
        reading.fail("changes nothing", key, "Leave it out.")
    return parse(rate, names, place=_place(reading, f"{key}.rate")), tuple(int(change.get(s, 0)) for s in states)
