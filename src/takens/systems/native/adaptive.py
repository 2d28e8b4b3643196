"""Machine code of adaptive Runge-Kutta steps: stages, error control, refusal, dense output."""

from __future__ import annotations

import math

from .emit import ONE, ZERO, Program
from .ir import UNROLLED, literal
from .loop import SAMPLES, UNDERFLOW, Loop, Output
from .steps import rule_text
from .tableau import Tableau

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
"""The step aims at this share of the error's limit, and changes by no more than these factors at once."""
PROPORTIONAL, INTEGRAL = 0.7, 0.4
"""Exponents of the controller, times 1 / order (Gustafsson 1991): h' = h safety err^-0.7/q err_before^0.4/q."""
FLOOR = 1e-12
"""Squared errors below this count as this, so that one lucky step does not steer the next."""


def adaptive_steps(program: Program, tableau: Tableau, output: Output = SAMPLES) -> tuple[list[str], set[str]]:
    """The loop of `loop.Loop` with the steps of a tableau, and the functions it calls.

    The estimated error of a step, relative to tolerance (1 + |y|), is at most 1 in the root mean square over the
    states. The step control remembers log2 of the squared error before.
    """
    text, rule_code = rule_text(program, contract=True, uses=len(tableau.all_stages))
    return RungeKutta(len(program.states), tableau, output).functions([text], rule_code.used)


class RungeKutta(Loop):
    """The steps of one tableau around a function @rule of so many states; written out up to `unrolled` of them."""

    def __init__(self, dimension: int, tableau: Tableau, output: Output = SAMPLES, unrolled: int = UNROLLED) -> None:
        super().__init__(dimension, len(tableau.all_stages), len(tableau.dense[0]), output, unrolled=unrolled)
        self._tableau = tableau
        self._logarithm = ZERO

    def _start(self) -> None:
        slots = self._slots
        slots.rate(self.code.load(self._time), slots.state, slots.rates[0])

    def _carry(self) -> None:
        slots = self._slots
        slots.copy(slots.rates[len(self._tableau.stages)], slots.rates[0])

    def _step(self) -> None:
        """One trial step, no further than the end, and its squared error relative to the tolerance."""
        code, slots, tableau = self.code, self._slots, self._tableau
        self._clip(code.load(self._length))
        for index, (node, row) in enumerate(tableau.stages[1:], start=1):
            slots.stage(self._t, self._h, node, row, slots.rates[index])
        slots.move(tableau.weights, self._h, slots.next)
        slots.rate(self._new_time, slots.next, slots.rates[len(tableau.stages)])
        error = self._squared_error()
        self._logarithm = code.call("log2", code.maximum(error, literal(FLOOR)))
        code.branch(code.compare("ole", error, ONE), self._label["accept"], self._label["refuse"])
        self._refuse()
        self._accept()

    def _squared_error(self) -> str:
        """The mean squared error; two estimates e5, e3 combine to h^2 e5^4 / (e5^2 + 0.01 e3^2)."""
        code, slots = self.code, self._slots
        sums = [code.slot() for _ in self._tableau.errors]
        for place in sums:
            code.store(ZERO, place)

        def one(index: str) -> None:
            size = code.maximum(
                code.call("fabs", code.load(slots.state, index)), code.call("fabs", code.load(slots.next, index))
            )
            scale = code.divide(ONE, code.multiply("%tolerance", code.add(ONE, size)))
            for row, place in zip(self._tableau.errors, sums, strict=True):
                estimate = slots.weighted(row, index)
                assert estimate is not None
                share = code.multiply(estimate, scale)
                code.store(code.add(code.load(place), code.multiply(share, share)), place)

        code.each(slots.dimension, one)
        square = code.multiply(self._h, self._h)
        first, count = code.load(sums[0]), literal(1.0 / slots.dimension)
        if len(sums) == 1:
            return code.multiply(code.multiply(square, first), count)
        total = code.add(literal(1e-300), code.add(first, code.multiply(literal(0.01), code.load(sums[1]))))
        return code.multiply(code.multiply(square, count), code.divide(code.multiply(first, first), total))

    def _limited(self, exponent: str, most: float) -> str:
        """SAFETY 2^exponent within SHRINK and `most`; SHRINK where it is not a number."""
        code = self.code
        factor = code.call("exp2", code.add(literal(math.log2(SAFETY)), exponent))
        factor = code.select(code.compare("ogt", factor, literal(SHRINK)), factor, literal(SHRINK))
        return code.select(code.compare("olt", factor, literal(most)), factor, literal(most))

    def _refuse(self) -> None:
        code = self.code
        code.begin(self._label["refuse"])
        factor = self._limited(code.multiply(self._logarithm, literal(-0.5 / self._tableau.error_order)), 1.0)
        step = code.multiply(self._h, factor)
        code.store(step, self._length)
        self._count(self._refused)
        code.branch(self._sound(step), self._label["next"], self._exit[UNDERFLOW])

    def _accept(self) -> None:
        code, order = self.code, self._tableau.error_order
        code.begin(self._label["accept"])
        change = code.add(
            code.multiply(self._logarithm, literal(-0.5 * PROPORTIONAL / order)),
            code.multiply(code.load(self._memory), literal(0.5 * INTEGRAL / order)),
        )
        code.store(code.multiply(self._h, self._limited(change, GROW)), self._length)
        code.store(self._logarithm, self._memory)
        self._accepted()

    def _dense(self) -> tuple[str, str]:
        """The extra stages and the polynomial of this step: y + sum_j theta^j q_j, theta = (time - t) / h."""
        code, slots, tableau = self.code, self._slots, self._tableau
        first = len(tableau.stages) + 1
        for index, (node, row) in enumerate(tableau.extra, start=first):
            slots.stage(self._t, self._h, node, row, slots.rates[index])
        rows = [
            {stage: powers[power] for stage, powers in enumerate(tableau.dense) if powers[power]}
            for power in range(len(tableau.dense[0]))
        ]

        def one(index: str) -> None:
            for row, place in zip(rows, self._polynomial, strict=True):
                total = slots.weighted(row, index)
                assert total is not None
                code.store(code.multiply(self._h, total), place, index)

        code.each(slots.dimension, one)
        return code.divide(ONE, self._h), ONE
