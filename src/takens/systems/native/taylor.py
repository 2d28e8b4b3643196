"""Machine code of Taylor-series steps: coefficients by recurrence, one step length, samples for free."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .emit import ONE, ZERO, Program
from .ir import literal
from .loop import SAMPLES, UNDERFLOW, Loop, Output
from .recurrence import NotAnalytic
from .series import coefficients, defect, reach, scales, share
from .steps import rule_text

GROW = 6.0
"""A step is at most this many times the one before."""
DEFECT = 2.0
"""The most that h |x' - f(x)| at the end of a step may be, times the tolerance; usual steps have a tenth of one."""


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
        code, slots = self.code, self._slots
        state = [code.load(slots.state, str(index)) for index in range(slots.dimension)]
        series = coefficients(code, self._program, state, self._t, self._order)
        sizes = scales(code, series)
        most = code.multiply(literal(GROW), code.load(self._length))
        length = code.minimum(reach(code, series, sizes, share(self._order)), most)
        code.store(length, self._length)
        code.branch(self._sound(length), self._label["try"], self._exit[UNDERFLOW])
        code.begin(self._label["try"])
        self._clip(code.load(self._length))
        gap = defect(slots, series, sizes, self._new_time, self._h)
        limit = code.multiply(literal(DEFECT), "%tolerance")
        code.branch(code.compare("ole", gap, limit), self._label["accept"], self._label["refuse"])
        code.begin(self._label["refuse"])
        shorter = code.multiply(self._h, literal(0.5))
        code.store(shorter, self._length)
        self._count(self._refused)
        code.branch(self._sound(shorter), self._label["try"], self._exit[UNDERFLOW])
        code.begin(self._label["accept"])
        for index, terms in enumerate(series):
            for place, value in zip(self._polynomial, terms[1:], strict=True):
                code.store(value or ZERO, place, str(index))
        self._accepted()

    def _dense(self) -> tuple[str, str]:
        """The polynomial is in units of time."""
        return ONE, self._h
