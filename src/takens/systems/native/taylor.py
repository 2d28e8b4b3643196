"""Machine code of Taylor-series steps: coefficients by recurrence, one step length, samples for free."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..symbols.walk import names_in
from .emit import ONE, ZERO, Lowering, Program, names_of
from .ir import literal
from .loop import SAMPLES, UNDERFLOW, Loop, Output
from .recurrence import NotAnalytic, Recurrences
from .steps import rule_text

LARGEST = 6_000
"""More operations a step than this take more than half a second to compile, which few runs win back."""
GROW = 6.0
"""A step is at most this many times the one before."""
DEFECT = 2.0
"""The most that h |x' - f(x)| at the end of a step may be, times the tolerance; usual steps have a tenth of one."""
SAFETY = 0.7
"""The share of the radius of convergence taken is exp(-2 - SAFETY / (order - 1)) (Jorba and Zou 2005)."""


@dataclass(frozen=True)
class Taylor:
    """The Taylor-series method, of the order that suits a tolerance, for equations without jumps and kinks.

    The order is ceil(1 - ln(tolerance) / 2), 12 for 1e-9; the step is a share of the radius of convergence estimated
    from the last two terms. That estimate misses what is too small at the start of a step to show in so few terms, such
    as a saturated tanh about to switch; so a step is refused, and halved, where at its end the polynomial does not
    fulfil the equations to the tolerance. The polynomial of a step is its dense output.
    """

    name: str = "Taylor"
    adaptive: bool = True

    @staticmethod
    def order(tolerance: float) -> int:
        """The order for a tolerance."""
        return max(4, math.ceil(1 - math.log(tolerance) / 2))


def taylor_steps(program: Program, order: int, output: Output = SAMPLES) -> tuple[list[str], set[str]]:
    """The loop of `loop.Loop` with Taylor steps, and the functions it calls.

    Raises `NotAnalytic` where an expression has no series or the steps would take more than `LARGEST` operations.
    """
    if program.loops is not None:
        raise NotAnalytic("equations that are loops have no series here", remedy="Use DOP853.")
    text, rule_code = rule_text(program, contract=True, uses=1)
    return _TaylorLoop(program, order, output).functions([text], rule_code.used)


class _TaylorLoop(Loop):
    """The steps of one program at one order."""

    def __init__(self, program: Program, order: int, output: Output) -> None:
        super().__init__(len(program.states), 1, order, output)
        self._program, self._order = program, order

    def _start(self) -> None:
        pass

    def _carry(self) -> None:
        pass

    def _step(self) -> None:
        """Coefficients and a length; then, as often as the length is refused, the end of the step and its defect."""
        code = self.code
        series = self._coefficients()
        scales = [code.divide(ONE, code.maximum(ONE, code.call("fabs", s[0] or ZERO))) for s in series]
        most = code.multiply(literal(GROW), code.load(self._length))
        length = code.minimum(self._radius(series, scales), most)
        code.store(length, self._length)
        code.branch(self._sound(length), self._label["try"], self._exit[UNDERFLOW])
        code.begin(self._label["try"])
        self._clip(code.load(self._length))
        defect = self._defect(series, scales)
        limit = code.multiply(literal(DEFECT), "%tolerance")
        code.branch(code.compare("ole", defect, limit), self._label["accept"], self._label["refuse"])
        code.begin(self._label["refuse"])
        shorter = code.multiply(self._h, literal(0.5))
        code.store(shorter, self._length)
        self._count(self._refused)
        code.branch(self._sound(shorter), self._label["try"], self._exit[UNDERFLOW])
        code.begin(self._label["accept"])
        for index, coefficients in enumerate(series):
            for place, value in zip(self._polynomial, coefficients[1:], strict=True):
                code.store(value or ZERO, place, str(index))
        self._accepted()

    def _defect(self, series: list[list[str | None]], scales: list[str]) -> str:
        """The largest h |x' - f(x)| / max(1, |x|) at the end of the step, which is left in `slots.next`."""
        code, slots = self.code, self._slots
        for index, coefficients in enumerate(series):
            code.store(self._at(coefficients, self._h), slots.next, str(index))
        slots.rate(self._new_time, slots.next, slots.rates[0])
        worst = ZERO
        for index, (coefficients, scale) in enumerate(zip(series, scales, strict=True)):
            slopes = [
                None if term is None else code.multiply(literal(float(power)), term)
                for power, term in enumerate(coefficients[1:], start=1)
            ]
            gap = code.subtract(self._at(slopes, self._h), code.load(slots.rates[0], str(index)))
            worst = code.maximum(code.multiply(code.call("fabs", gap), scale), worst)
        return code.multiply(self._h, worst)

    def _dense(self) -> tuple[str, str]:
        """The polynomial is in units of time."""
        return ONE, self._h

    def _coefficients(self) -> list[list[str | None]]:
        """The normalised coefficients of each state up to the order."""
        code, program = self.code, self._program
        series: list[list[str | None]] = [
            [code.load(self._slots.state, str(index))] for index in range(len(program.states))
        ]
        names, variables = names_of(program, code, self._t), {}
        lowering = Lowering(code, names)
        recurrences = Recurrences(code, lowering)
        time: list[str | None] = [self._t, ONE, *[None] * self._order]
        variables[program.time] = recurrences.variable(time)
        for name in program.parameters:
            variables.pop(name, None)
        for name, known in zip(program.states, series, strict=True):
            variables[name] = recurrences.variable(known)
        for name, tree in program.auxiliary:
            if any(used in variables for used in names_in(tree)):
                variables[name] = recurrences.place(tree, variables)
            else:
                names[name] = lowering.number(tree)
        rates = [recurrences.place(tree, variables) for tree in program.expressions]
        for k in range(self._order):
            recurrences.next_order()
            for known, place in zip(series, rates, strict=True):
                rate = recurrences.coefficient(place, k)
                known.append(None if rate is None else code.multiply(rate, literal(1.0 / (k + 1))))
            if code.operations > LARGEST:
                raise NotAnalytic("the equations are too long for Taylor steps", remedy="Choose another method.")
        return series

    def _radius(self, series: list[list[str | None]], scales: list[str]) -> str:
        """The step length: a share of min_i (max(1, |x_i|) / |x_i,k|)^(1/k) over the last two k."""
        code, order = self.code, self._order
        roots = []
        for k in (order, order - 1):
            most = literal(1e-300)
            for state, scale in zip(series, scales, strict=True):
                term = state[k]
                if term is not None:
                    most = code.maximum(code.multiply(code.call("fabs", term), scale), most)
            roots.append(code.multiply(code.call("log2", most), literal(-1.0 / k)))
        share = literal((-2 - SAFETY / (order - 1)) * math.log2(math.e))
        return code.call("exp2", code.add(code.minimum(*roots), share))

    def _at(self, coefficients: list[str | None], h: str) -> str:
        """The polynomial at h, by halves, so that additions need not wait for one another (Estrin)."""
        code, terms, power = self.code, [c or ZERO for c in coefficients], h
        while len(terms) > 1:
            pairs = [code.add(terms[i], code.multiply(power, terms[i + 1])) for i in range(0, len(terms) - 1, 2)]
            terms = pairs + terms[len(pairs) * 2 :]
            if len(terms) > 1:
                power = code.multiply(power, power)
        return terms[0]
