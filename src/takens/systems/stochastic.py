"""One step of a stochastic differential equation as expression trees: drift corrections and methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from .equations import Definitions, Equations
from .native.emit import Program
from .symbols.differentiate import ZERO, add, multiply, subtract
from .symbols.tree import Expression, Name, Number
from .symbols.walk import substituted

STEP = "the step"
HALF = Number(0.5)


def increment(process: int) -> str:
    """The name of the increment of a Wiener process in a step, which no text can hold."""
    return f"increment {process}"


@final
@dataclass(frozen=True, eq=False)
class Stochastic:
    """dx = f dt + sum_k g_k dW_k: the `drift` f and the columns g_k, which share states, parameters and auxiliary.

    In the sense of Ito, or of Stratonovich where `stratonovich`. Everything here is trees: what is computed with them
    is the same in NumPy and in machine code.
    """

    drift: Equations
    columns: tuple[Equations, ...]
    stratonovich: bool = False

    @cached_property
    def _slopes(self) -> tuple[dict[str, Expression], list[tuple[tuple[Expression, ...], ...]]]:
        """Definitions, and the Jacobian of each column by means of them."""
        definitions: dict[str, Expression] = dict(self.drift.auxiliary)
        slopes = []
        for column in self.columns:
            named, rows = column.jacobian
            definitions |= dict(named)
            slopes.append(rows)
        return definitions, slopes

    def product(self, j: int, k: int) -> tuple[Expression, ...]:
        """sum_m g_j^m dg_k^i/dx_m for each state i: how column k changes along column j."""
        return tuple(_dot(self.columns[j].expressions, row) for row in self._slopes[1][k])

    def converted(self, *, stratonovich: bool) -> tuple[dict[str, Expression], tuple[Expression, ...]]:
        """Definitions and rates of the drift in one sense: f_Ito = f_Stratonovich + 1/2 sum_k (g_k . d/dx) g_k."""
        if stratonovich == self.stratonovich:
            return dict(self.drift.auxiliary), self.drift.expressions
        sign = HALF if self.stratonovich else Number(-0.5)
        total: list[Expression] = [ZERO] * len(self.drift.states)
        for k in range(len(self.columns)):
            total = [add(sum_, part) for sum_, part in zip(total, self.product(k, k), strict=True)]
        rates = tuple(add(f, multiply(sign, part)) for f, part in zip(self.drift.expressions, total, strict=True))
        return self._slopes[0], rates

    def euler(self) -> Program:
        """x + f h + sum_k g_k dW_k with the Ito drift (Maruyama 1955)."""
        definitions, rates = self.converted(stratonovich=False)
        return self._program(self._moved(rates), definitions)

    def milstein(self) -> Program:
        """Euler's step + 1/2 sum_jk (g_j . d/dx) g_k (dW_j dW_k - h [j = k]) (Milstein 1974), for commuting columns."""
        definitions, rates = self.converted(stratonovich=False)
        total: list[Expression] = [ZERO] * len(rates)
        for j in range(len(self.columns)):
            for k in range(len(self.columns)):
                both = multiply(Name(increment(j)), Name(increment(k)))
                factor = subtract(both, Name(STEP)) if j == k else both
                total = [add(sum_, multiply(p, factor)) for sum_, p in zip(total, self.product(j, k), strict=True)]
        moved = self._moved(rates)
        expressions = [add(x, multiply(HALF, part)) for x, part in zip(moved, total, strict=True)]
        return self._program(expressions, definitions | self._slopes[0])

    def heun(self) -> Program:
        """The mean of the rates at both ends of a step, the end by Euler: Stratonovich's sense (Ruemelin 1982)."""
        definitions, rates = self.converted(stratonovich=True)
        time, states = self.drift.time, self.drift.states
        later: dict[str, Expression] = {}
        if time not in self.drift.parameters:
            later[time] = add(Name(time), Name(STEP))
        ends = [f"{state} at the end" for state in states]
        later |= {state: Name(end) for state, end in zip(states, ends, strict=True)}
        later |= {name: Name(f"{name} at the end") for name in definitions}
        both = dict(definitions) | dict(zip(ends, self._moved(rates), strict=True))
        both |= {f"{name} at the end": substituted(tree, later) for name, tree in definitions.items()}
        terms = [(rates, Name(STEP))]
        terms += [(column.expressions, Name(increment(k))) for k, column in enumerate(self.columns)]
        expressions: list[Expression] = [Name(state) for state in states]
        for trees, factor in terms:
            for i, tree in enumerate(trees):
                mean = multiply(HALF, add(tree, substituted(tree, later)))
                expressions[i] = add(expressions[i], multiply(mean, factor))
        return self._program(expressions, both)

    def exchanged(self) -> tuple[Definitions, list[Expression], list[Expression]]:
        """Definitions, and the products of all pairs of columns in both orders: equal where the noise commutes."""
        one: list[Expression] = []
        other: list[Expression] = []
        for j in range(len(self.columns)):
            for k in range(j):
                for first, second in zip(self.product(j, k), self.product(k, j), strict=True):
                    if not (first == ZERO and second == ZERO):
                        one.append(first)
                        other.append(second)
        return tuple(self._slopes[0].items()), one, other

    def _moved(self, rates: Sequence[Expression]) -> list[Expression]:
        """x + f h + sum_k g_k dW_k"""
        expressions: list[Expression] = []
        for i, state in enumerate(self.drift.states):
            total = add(Name(state), multiply(rates[i], Name(STEP)))
            for k, column in enumerate(self.columns):
                total = add(total, multiply(column.expressions[i], Name(increment(k))))
            expressions.append(total)
        return expressions

    def _program(self, expressions: Sequence[Expression], definitions: Mapping[str, Expression]) -> Program:
        drift = self.drift
        inputs = (*drift.parameters, STEP, *(increment(k) for k in range(len(self.columns))))
        return Program(drift.states, inputs, tuple(expressions), tuple(definitions.items()), drift.time)


def _dot(left: Sequence[Expression], right: Sequence[Expression]) -> Expression:
    total: Expression = ZERO
    for one, other in zip(left, right, strict=True):
        total = add(total, multiply(one, other))
    return total
