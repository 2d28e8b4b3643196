"""Machine code of adaptive Runge-Kutta steps: stages, error control, refusal, dense output."""

from __future__ import annotations

from .control import FLOOR, after_refusal, after_step, dense, logarithm, squared_error
from .emit import ONE, ZERO, Program
from .ir import UNROLLED, literal
from .loop import SAMPLES, UNDERFLOW, Loop, Output
from .steps import rule_text
from .tableau import Tableau


def adaptive_steps(program: Program, tableau: Tableau, output: Output = SAMPLES) -> tuple[list[str], set[str]]:
    """The loop of `loop.Loop` with the steps of a tableau, and the functions it calls.

    The estimated error of a step, relative to tolerance (1 + |y|), is at most 1 in the root mean square over the
    states. The step control remembers log2 of the squared error before.
    """
    text, rule_code = rule_text(program, contract=True, uses=len(tableau.all_stages))
    return RungeKutta(len(program.states), tableau, output).functions([text], rule_code.used)


class RungeKutta(Loop):
    """The steps of one tableau around a function @rule of so many states; written out up to `unrolled` of them.

    States may be vectors of `width` numbers where the output asks for none of them.

    With `ahead`, the length of a step comes from the errors before the last one. Then a step need not wait for the
    error of the one before it, which the processor takes for granted, and begins while that is still computed. More
    steps are refused for it; it pays where the stages of a step are a chain of few operations. The length so planned
    is kept in a fourth number of `progress`.
    """

    def __init__(
        self, dimension: int, tableau: Tableau, output: Output = SAMPLES, unrolled: int = UNROLLED, width: int = 1,
        *, ahead: bool = False,
    ) -> None:  # fmt: skip
        stages, degree = len(tableau.all_stages), len(tableau.dense[0])
        super().__init__(dimension, stages, degree, output, unrolled=unrolled, width=width)
        self._tableau, self._ahead = tableau, ahead
        self._logarithm = ZERO
        self._planned = self._keep() if ahead else self._length

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
        error = squared_error(slots, tableau, self._h)
        self._logarithm = logarithm(code, code.maximum(error, literal(FLOOR)), rough=self._ahead)
        code.branch(code.compare("ole", error, ONE), self._label["accept"], self._label["refuse"])
        self._refuse()
        self._accept()

    def _refuse(self) -> None:
        code = self.code
        code.begin(self._label["refuse"])
        step = after_refusal(code, self._tableau, self._h, self._logarithm, rough=self._ahead)
        code.store(step, self._length)
        code.store(step, self._planned)
        self._count(self._refused)
        code.branch(self._sound(step), self._label["next"], self._exit[UNDERFLOW])

    def _accept(self) -> None:
        code = self.code
        code.begin(self._label["accept"])
        asked, before, planned = code.load(self._length), code.load(self._memory), code.load(self._planned)
        length = after_step(code, self._tableau, self._h, self._logarithm, before, rough=self._ahead)
        clipped = code.compare("olt", self._h, asked)  # such a step says little of the next, in another interval
        length = code.select(clipped, code.maximum(length, asked), length)
        code.store(planned, self._length)
        code.store(length, self._planned)
        code.store(code.select(clipped, before, self._logarithm), self._memory)
        self._accepted()

    def _dense(self) -> tuple[str, str]:
        """The polynomial is in units of the step."""
        dense(self._slots, self._tableau, self._t, self._h, self._polynomial)
        return self.code.divide(ONE, self._h), ONE
