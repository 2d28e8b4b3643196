"""The right-hand side of a system as equations: trees in the order of the states, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import EquationError
from .rule import Rule
from .symbols.differentiate import ZERO, add, differentiate
from .symbols.evaluate import Program, program
from .symbols.expression import KEYWORDS, NAME, parse
from .symbols.tree import CONSTANTS, FUNCTIONS, Expression, Name
from .symbols.walk import names_in

if TYPE_CHECKING:
    from .native.emit import Program as Compilable

Array = NDArray[np.float64]
Definitions = tuple[tuple[str, Expression], ...]


@final
@dataclass(frozen=True)
class Equations(Rule):
    """y_i = g_i(states, parameters, auxiliary, time): one expression for each state, in the order of `states`.

    `auxiliary` holds (name, expression) pairs, evaluated first and in order; each may use the ones before it. `time`
    is the name of the independent variable; a state, parameter or auxiliary of that name takes precedence. Raises
    `EquationError` for unknown, doubled or reserved names and for a number of expressions other than that of states.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    expressions: tuple[Expression, ...]
    auxiliary: Definitions = ()
    time: str = "t"

    def __post_init__(self) -> None:
        check_names(self.states, self.parameters, [name for name, _ in self.auxiliary])
        if len(self.expressions) != len(self.states):
            raise EquationError(f"{len(self.expressions)} equations for {len(self.states)} states")
        known = {self.time, *self.states, *self.parameters, *CONSTANTS}
        for name, expression in self.auxiliary:
            _check_known(expression, known, f"auxiliary {name}")
            known.add(name)
        for state, expression in zip(self.states, self.expressions, strict=True):
            _check_known(expression, known, f"equation of {state}")

    @classmethod
    def parse(
        cls,
        equations: Mapping[str, str],
        parameters: Sequence[str] = (),
        auxiliary: Mapping[str, str] | None = None,
        *,
        time: str = "t",
        place: str = "",
    ) -> Equations:
        """Equations from text: state -> right-hand side, and auxiliary name -> definition.

        The grammar is that of `takens.systems.expression`. Raises `EquationError` with `place`, the name of the
        equation, and the character.
        """
        names = dict.fromkeys((*equations, *parameters))
        check_names(tuple(equations), tuple(parameters), tuple(auxiliary or ()), place=place)
        names.setdefault(time)
        where = f"{place}: " if place else ""
        defined = []
        for name, text in (auxiliary or {}).items():
            defined.append((name, parse(text, names, place=f"{where}auxiliary.{name}")))
            names[name] = None
        trees = tuple(parse(text, names, place=f"{where}equations.{state}") for state, text in equations.items())
        return cls(tuple(equations), tuple(parameters), trees, tuple(defined), time)

    @property
    def autonomous(self) -> bool:
        """Whether no equation uses the time."""
        if self.time in (*self.states, *self.parameters):
            return True
        used = names_in(*self.expressions, *(e for _, e in self.auxiliary))
        return self.time not in used or self.time in dict(self.auxiliary)

    @cached_property
    def program(self) -> Compilable:
        """What machine code is made from: the same trees."""
        from .native.emit import Program as Compilable

        return Compilable(self.states, self.parameters, self.expressions, self.auxiliary, self.time)

    def function(
        self, namespace: Any, *, erf: Callable[[Any], Any] | None = None
    ) -> Callable[[Any, Any, Mapping[str, Any]], Any]:
        """f(t, x, p) with the functions of a namespace such as `jax.numpy`: to differentiate, compile and batch there.

        `x (..., state)` -> `(..., state)`; `p` maps all parameters to values; see `symbols.namespace.function`.
        """
        from .symbols.namespace import function

        return function(self.states, self.expressions, self.auxiliary, self.time, namespace, erf)

    def lines(self, left: str) -> str:
        """The equations as plain text, auxiliary definitions first, a line each; `left` holds {} for the state."""
        from .symbols.printing import lines

        return lines(self, left)

    def latex(self, *, kind: str) -> str:
        """The equations as a LaTeX `aligned` environment; a "flow" has dots, a "map" the step as an index."""
        from .symbols.latex import aligned

        return aligned(self, kind=kind)

    @cached_property
    def jacobian(self) -> tuple[Definitions, tuple[tuple[Expression, ...], ...]]:
        """(definitions, rows): trees of dg_i/dx_j, and what to evaluate before them.

        The definitions are those of `auxiliary`, then their derivatives, under names no text can hold, `d(a)/d(x)`, so
        that the chain rule through many definitions stays linear in size.
        """
        return partials(self.expressions, self.auxiliary, self.states)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that values must be given for: time (unless hidden), states, parameters."""
        names = (*self.states, *self.parameters)
        return names if self.time in names else (self.time, *names)

    @cached_property
    def _values(self) -> Program:
        return program(self.expressions, self.inputs, self.auxiliary)

    @cached_property
    def _slopes(self) -> Program:
        definitions, rows = self.jacobian
        return program([entry for row in rows for entry in row], self.inputs, definitions)

    @cached_property
    def _trace(self) -> Program:
        definitions, rows = self.jacobian
        total: Expression = ZERO
        for i in range(len(rows)):
            total = add(total, rows[i][i])
        return program([total], self.inputs, definitions)

    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The right-hand sides `(..., state)` at states `x (..., state)`; time and parameters broadcast to `(...)`."""
        return self._run(self._values, time, x, parameters, (len(self.states),))

    def slopes(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The Jacobian `(..., state, state)` at states `x (..., state)`: row i holds the derivatives of equation i."""
        return self._run(self._slopes, time, x, parameters, (len(self.states), len(self.states)))

    def trace(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The trace `(...)` of the Jacobian at states `x (..., state)`."""
        return self._run(self._trace, time, x, parameters, ())

    def _run(
        self, form: Program, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike], tail: tuple[int, ...]
    ) -> Array:
        x = np.asarray(x, dtype=np.float64)
        if x.ndim == 0 or x.shape[-1] != len(self.states):
            raise ValueError(f"states have shape {x.shape}; the last axis holds {len(self.states)} states")
        named: dict[str, Any] = {self.time: np.asarray(time, dtype=np.float64)}
        named |= {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
        leading = np.broadcast_shapes(x.shape[:-1], *(value.shape for value in named.values()))
        named |= {name: x[..., i] for i, name in enumerate(self.states)}
        found = form([named[name] for name in self.inputs])
        out = np.empty((*leading, len(found)))
        for i, value in enumerate(found):
            out[..., i] = value
        return out.reshape((*leading, *tail))


def partials(
    expressions: Sequence[Expression], auxiliary: Definitions, names: Sequence[str]
) -> tuple[Definitions, tuple[tuple[Expression, ...], ...]]:
    """(definitions, rows): trees of the derivatives of some expressions by some names; see `Equations.jacobian`."""
    definitions = list(auxiliary)
    columns = []
    for name in names:
        inner: dict[str, Expression] = {}
        for defined, expression in auxiliary:
            slope = differentiate(expression, name, inner)
            if slope == ZERO:
                continue
            inner[defined] = Name(f"d({defined})/d({name})")
            definitions.append((f"d({defined})/d({name})", slope))
        columns.append([differentiate(e, name, inner) for e in expressions])
    return tuple(definitions), tuple(zip(*columns, strict=True))


def check_names(
    states: Sequence[str], parameters: Sequence[str], auxiliary: Sequence[str] = (), *, place: str = ""
) -> None:
    """Raise `EquationError` unless all names are plain, free and different."""
    kinds = [*((n, "a state") for n in states), *((n, "a parameter") for n in parameters)]
    seen: dict[str, str] = {}
    for name, kind in [*kinds, *((n, "an auxiliary definition") for n in auxiliary)]:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise EquationError(
                f"{name!r} cannot name {kind}",
                place=place,
                remedy="A name is a letter and up to 30 letters, digits or underscores.",
            )
        if name in FUNCTIONS or name in KEYWORDS:
            what = "a function" if name in FUNCTIONS else "a word of the grammar"
            raise EquationError(f"{name!r}, {kind}, has the name of {what}", place=place, remedy="Rename it.")
        if name in seen:
            raise EquationError(f"{name!r} is both {seen[name]} and {kind}", place=place, remedy="Rename one of them.")
        seen[name] = kind


def _check_known(expression: Expression, known: set[str], place: str) -> None:
    for name in names_in(expression):
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"Did you mean {near[0]}? " if near else ""
            raise EquationError(
                f"unknown name {name!r}", place=place, remedy=f"{remedy}Known: {', '.join(sorted(known)[:30])}."
            )
