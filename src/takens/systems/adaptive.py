"""Machine code of the adaptive loop: steps, error control, rejection and samples in one function."""

from __future__ import annotations

import math

from .emit import ONE, ZERO, Program
from .ir import Code, literal
from .steps import Stages, row_of, rule_text
from .tableau import Tableau

INTEGRATE = "integrate"
INTEGRATE_ARGUMENTS = (
    "ptr noalias %y", "ptr noalias readonly %p", "ptr noalias %progress", "ptr noalias %counts", "double %tolerance",
    "i64 %budget", "ptr noalias readonly %times", "i64 %samples", "ptr noalias %out",
)  # fmt: skip
DONE, BUDGET, UNDERFLOW = 0, 1, 2

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
"""The step aims at this share of the error's limit, and changes by no more than these factors at once."""
PROPORTIONAL, INTEGRAL = 0.7, 0.4
"""Exponents of the controller, times 1 / order (Gustafsson 1991): h' = h safety err^-0.7/q err_before^0.4/q."""
FLOOR = 1e-12
"""Squared errors below this count as this, so that one lucky step does not steer the next."""


def adaptive_steps(program: Program, tableau: Tableau) -> tuple[list[str], set[str]]:
    """`i64 @integrate(y, p, progress, counts, tolerance, budget, times, samples, out)` and the rule it calls.

    Integrates from `progress = (t, h, log2 of the squared error before)` to the last of `times`, writing a row of
    `out` for each by dense output, in at most `budget` steps; `counts = (next sample, steps taken, steps refused)`.
    Returns DONE, BUDGET (call again to go on: the result does not depend on the budget) or UNDERFLOW. The error of a
    step, relative to tolerance (1 + |y|), is at most 1 in the root mean square over the states.
    """
    text, rule_code = rule_text(program, contract=True, uses=len(tableau.all_stages))
    body = _Adaptive(len(program.states), tableau)
    return [text, body.text()], rule_code.used | body.code.used


class _Adaptive:
    """The blocks of the loop; variables live in slots, blocks are named after what they do."""

    def __init__(self, dimension: int, tableau: Tableau) -> None:
        self.code = code = Code(contract=True)
        self._tableau = tableau
        self._slots = Stages(code, dimension, len(tableau.all_stages))
        self._time, self._step, self._memory = code.slot(), code.slot(), code.slot()
        self._sample, self._taken, self._refused, self._left = (code.slot("i64") for _ in range(4))
        self._label = {name: code.label() for name in ("loop", "refuse", "accept", "dense", "write", "advance", "next")}
        self._exit = {status: code.label() for status in (DONE, BUDGET, UNDERFLOW)}
        self._polynomial = [code.slot(size=dimension) for _ in tableau.dense[0]]

    def text(self) -> str:
        """The whole function."""
        self._enter()
        self._attempt()
        self._refuse()
        self._accept()
        self._dense()
        self._write()
        self._advance()
        self._leave()
        return self.code.function(INTEGRATE, INTEGRATE_ARGUMENTS, result="i64", attributes="nounwind")

    def _variables(self) -> list[tuple[str, str, int, str]]:
        return [
            (self._time, "%progress", 0, "double"), (self._step, "%progress", 1, "double"),
            (self._memory, "%progress", 2, "double"), (self._sample, "%counts", 0, "i64"),
            (self._taken, "%counts", 1, "i64"), (self._refused, "%counts", 2, "i64"),
        ]  # fmt: skip

    def _enter(self) -> None:
        code, slots = self.code, self._slots
        for slot, array, index, kind in self._variables():
            code.store(code.load(array, str(index), kind), slot, kind=kind)
        code.store("%budget", self._left, kind="i64")
        slots.copy("%y", slots.state)
        slots.rate(code.load(self._time), slots.state, slots.rates[0])
        self._end = code.load("%times", code.value("sub i64 %samples, 1"))
        code.jump(self._label["loop"])

    def _attempt(self) -> None:
        """One trial step, no further than the end, and its squared error relative to the tolerance."""
        code, slots, tableau = self.code, self._slots, self._tableau
        code.begin(self._label["loop"])
        self._t, step = code.load(self._time), code.load(self._step)
        rest = code.subtract(self._end, self._t)
        last = code.compare("oge", step, rest)
        self._h = code.select(last, rest, step)
        self._new_time = code.select(last, self._end, code.add(self._t, self._h))
        for index, (node, row) in enumerate(tableau.stages[1:], start=1):
            slots.stage(self._t, self._h, node, row, slots.rates[index])
        slots.move(tableau.weights, self._h, slots.next)
        slots.rate(self._new_time, slots.next, slots.rates[len(tableau.stages)])
        self._error = self._squared_error()
        self._logarithm = code.call("log2", code.maximum(self._error, literal(FLOOR)))
        accepted = code.compare("ole", self._error, ONE)
        code.branch(accepted, self._label["accept"], self._label["refuse"])

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
        code.store(step, self._step)
        self._count(self._refused)
        smallest = code.add(literal(1e-300), code.multiply(literal(4e-16), code.call("fabs", self._t)))
        code.branch(code.compare("ogt", step, smallest), self._label["next"], self._exit[UNDERFLOW])

    def _count(self, place: str) -> str:
        code = self.code
        more = code.value(f"add i64 {code.load(place, kind='i64')}, 1")
        code.store(more, place, kind="i64")
        return more

    def _due(self) -> str:
        """Whether a sample is left and its time is not after the step."""
        code = self.code
        index = code.load(self._sample, kind="i64")
        bounded = code.value(f"icmp slt i64 {index}, %samples")
        safe = code.value(f"select i1 {bounded}, i64 {index}, i64 0")
        due = code.compare("ole", code.load("%times", safe), self._new_time)
        return code.value(f"and i1 {bounded}, {due}")

    def _accept(self) -> None:
        code, order = self.code, self._tableau.error_order
        code.begin(self._label["accept"])
        change = code.add(
            code.multiply(self._logarithm, literal(-0.5 * PROPORTIONAL / order)),
            code.multiply(code.load(self._memory), literal(0.5 * INTEGRAL / order)),
        )
        code.store(code.multiply(self._h, self._limited(change, GROW)), self._step)
        code.store(self._logarithm, self._memory)
        self._count(self._taken)
        code.branch(self._due(), self._label["dense"], self._label["advance"])

    def _dense(self) -> None:
        """The extra stages and the polynomial of this step: y + sum_j theta^j q_j."""
        code, slots, tableau = self.code, self._slots, self._tableau
        code.begin(self._label["dense"])
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
        self._inverse = code.divide(ONE, self._h)
        code.jump(self._label["write"])

    def _write(self) -> None:
        """One sample; at the end of the step theta is exactly 1."""
        code, slots = self.code, self._slots
        code.begin(self._label["write"])
        index = code.load(self._sample, kind="i64")
        moment = code.load("%times", index)
        share = code.multiply(code.subtract(moment, self._t), self._inverse)
        theta = code.select(code.compare("oeq", moment, self._new_time), ONE, share)
        place = row_of("%out", index, slots.dimension, code)

        def one(state: str) -> None:
            value = code.load(self._polynomial[-1], state)
            for power in reversed(self._polynomial[:-1]):
                value = code.add(code.load(power, state), code.multiply(theta, value))
            code.store(code.add(code.load(slots.state, state), code.multiply(theta, value)), place, state)

        code.each(slots.dimension, one)
        self._count(self._sample)
        code.branch(self._due(), self._label["write"], self._label["advance"])

    def _advance(self) -> None:
        code, slots = self.code, self._slots
        code.begin(self._label["advance"])
        slots.copy(slots.next, slots.state)
        slots.copy(slots.rates[len(self._tableau.stages)], slots.rates[0])
        code.store(self._new_time, self._time)
        left = code.load(self._sample, kind="i64")
        code.branch(code.value(f"icmp slt i64 {left}, %samples"), self._label["next"], self._exit[DONE])
        code.begin(self._label["next"])
        budget = code.value(f"sub i64 {code.load(self._left, kind='i64')}, 1")
        code.store(budget, self._left, kind="i64")
        code.branch(code.value(f"icmp sgt i64 {budget}, 0"), self._label["loop"], self._exit[BUDGET])

    def _leave(self) -> None:
        code, slots = self.code, self._slots
        for status, label in self._exit.items():
            code.begin(label)
            for slot, array, index, kind in self._variables():
                code.store(code.load(slot, kind=kind), array, str(index), kind)
            slots.copy(slots.state, "%y")
            code.emit(f"ret i64 {status}")
