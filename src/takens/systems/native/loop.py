"""Machine code of the adaptive loop that every method of flows shares: bookkeeping, samples, ends."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace

from .emit import ZERO
from .ir import UNROLLED, Code, literal
from .steps import Stages, row_of

INTEGRATE = "integrate"
INTEGRATE_ARGUMENTS = (
    "ptr noalias %y", "ptr noalias readonly %p", "ptr noalias %progress", "ptr noalias %counts", "double %tolerance",
    "i64 %budget", "ptr noalias readonly %times", "i64 %samples", "ptr noalias %out",
)  # fmt: skip
DONE, BUDGET, UNDERFLOW = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Step:
    """Code of an accepted step: x(time) = state + sum_j theta^j q_j, theta = (time - start) inverse.

    theta is `whole` at the end `stop` of the step, where the state is `slots.next`. `row` is the place of the number of
    rows written, `length` that of the length of the next step, `last` the time at which the loop ends.
    """

    code: Code
    slots: Stages
    polynomial: list[str]
    start: str
    stop: str
    last: str
    row: str
    length: str
    inverse: str = ""
    whole: str = ""

    def at(self, theta: str, out: str) -> None:
        """out = x at theta"""
        code = self.code

        def one(state: str) -> None:
            value = code.load(self.polynomial[-1], state)
            for power in reversed(self.polynomial[:-1]):
                value = code.add(code.load(power, state), code.multiply(theta, value))
            code.store(code.add(code.load(self.slots.state, state), code.multiply(theta, value)), out, state)

        code.each(self.slots.dimension, one)

    def written(self) -> None:
        """Count a row."""
        code = self.code
        code.store(code.value(f"add i64 {code.load(self.row, kind='i64')}, 1"), self.row, kind="i64")


class Output(abc.ABC):
    """What a loop writes into `out`, after each step, from the polynomial of the step."""

    functions: tuple[tuple[str, Code], ...] = ()
    """Texts of functions that `write` calls, and their code."""

    @abc.abstractmethod
    def last(self, code: Code) -> str:
        """The time at which the loop ends."""

    @abc.abstractmethod
    def due(self, step: Step) -> str:
        """Whether anything may have to be written of this step; if not, its polynomial is not computed."""

    @abc.abstractmethod
    def write(self, step: Step, done: str) -> None:
        """Write the rows of this step, in blocks of which the last goes on to `done`."""

    @abc.abstractmethod
    def unfinished(self, step: Step) -> str:
        """Whether the loop goes on after this step."""


class Samples(Output):
    """The states `(sample, state)` at `times`."""

    def last(self, code: Code) -> str:
        """The last of the times."""
        return code.load("%times", code.value("sub i64 %samples, 1"))

    def due(self, step: Step) -> str:
        """Whether a sample is left and its time is not after the step."""
        code = step.code
        index = code.load(step.row, kind="i64")
        bounded = code.value(f"icmp slt i64 {index}, %samples")
        safe = code.value(f"select i1 {bounded}, i64 {index}, i64 0")
        due = code.compare("ole", code.load("%times", safe), step.stop)
        return code.value(f"and i1 {bounded}, {due}")

    def write(self, step: Step, done: str) -> None:
        """One sample, and the next; at the end of the step theta is exactly what it should be."""
        code, again = step.code, step.code.label()
        code.jump(again)
        code.begin(again)
        index = code.load(step.row, kind="i64")
        moment = code.load("%times", index)
        share = code.multiply(code.subtract(moment, step.start), step.inverse)
        theta = code.select(code.compare("oeq", moment, step.stop), step.whole, share)
        step.at(theta, row_of("%out", index, step.slots.dimension, code))
        step.written()
        code.branch(self.due(step), again, done)

    def unfinished(self, step: Step) -> str:
        """While samples are left."""
        return step.code.value(f"icmp slt i64 {step.code.load(step.row, kind='i64')}, %samples")


SAMPLES = Samples()


class Loop(abc.ABC):
    """`i64 @integrate(y, p, progress, counts, tolerance, budget, times, samples, out)`, but for the steps themselves.

    Integrates from `progress = (t, h, what the step control remembers)` to the last of `times`, writing a row of `out`
    for each (other kinds of `Output` end and write as they say), in at most `budget` steps; `counts = (next row, steps
    taken, steps refused)`. Returns DONE, BUDGET (call again to go on: the result does not depend on the budget) or
    UNDERFLOW. A method adds the blocks of `_step`:
    they begin at `loop` with time and state in their slots; they leave the new state in `slots.next`, the polynomial of
    the step in `polynomial`, and go on to `dense` or `advance`, or to `next` after a refusal. Variables live in slots.
    """

    def __init__(
        self, dimension: int, stages: int, degree: int, output: Output, *, unrolled: int = UNROLLED, width: int = 1
    ) -> None:
        self.code = code = Code(contract=True, unrolled=unrolled)
        self._output = output
        self._slots = Stages(code, dimension, stages, width)
        self._time, self._length, self._memory = code.slot(), code.slot(), code.slot()
        self._sample, self._taken, self._refused, self._left = (code.slot("i64") for _ in range(4))
        blocks = ("loop", "try", "refuse", "accept", "dense", "advance", "next")
        self._label = {name: code.label() for name in blocks}
        self._exit = {status: code.label() for status in (DONE, BUDGET, UNDERFLOW)}
        self._polynomial = [self._slots.packed.slot(dimension) for _ in range(degree)]
        self._kept: list[str] = []
        self._t = self._h = self._new_time = self._end = ZERO

    @abc.abstractmethod
    def _start(self) -> None:
        """What is computed once before the first step."""

    @abc.abstractmethod
    def _step(self) -> None:
        """The blocks from `loop` to the choice between `dense` and `advance`."""

    @abc.abstractmethod
    def _dense(self) -> tuple[str, str]:
        """The polynomial of the step: (what a time difference is multiplied with, its value at the end)."""

    @abc.abstractmethod
    def _carry(self) -> None:
        """What goes from one step to the next besides time and state."""

    def _keep(self) -> str:
        """A slot for a number that the step control keeps in `progress` after the three of every method."""
        self._kept.append(self.code.slot())
        return self._kept[-1]

    def text(self) -> str:
        """The whole function."""
        code = self.code
        for slot, array, index, kind in self._variables():
            code.store(code.load(array, str(index), kind), slot, kind=kind)
        code.store("%budget", self._left, kind="i64")
        self._slots.copy("%y", self._slots.state)
        self._start()
        self._end = self._output.last(code)
        code.jump(self._label["loop"])
        code.begin(self._label["loop"])
        self._t = code.load(self._time)
        self._step()
        code.begin(self._label["dense"])
        inverse, whole = self._dense()
        self._output.write(replace(self._done(), inverse=inverse, whole=whole), self._label["advance"])
        self._advance()
        self._leave()
        return code.function(INTEGRATE, INTEGRATE_ARGUMENTS, result="i64", attributes="nounwind")

    def functions(self, texts: list[str], used: set[str]) -> tuple[list[str], set[str]]:
        """The texts of functions and the library functions they use: those given, the output's, and the loop."""
        loop = self.text()
        found = [*texts, *(text for text, _ in self._output.functions), loop]
        return found, used.union(self.code.used, *(code.used for _, code in self._output.functions))

    def _variables(self) -> list[tuple[str, str, int, str]]:
        return [
            (self._time, "%progress", 0, "double"), (self._length, "%progress", 1, "double"),
            (self._memory, "%progress", 2, "double"), (self._sample, "%counts", 0, "i64"),
            (self._taken, "%counts", 1, "i64"), (self._refused, "%counts", 2, "i64"),
            *((slot, "%progress", 3 + place, "double") for place, slot in enumerate(self._kept)),
        ]  # fmt: skip

    def _clip(self, length: str) -> None:
        """Take a step of this length, or to the end where that is nearer."""
        code = self.code
        rest = code.subtract(self._end, self._t)
        last = code.compare("oge", length, rest)
        self._h = code.select(last, rest, length)
        self._new_time = code.select(last, self._end, code.add(self._t, self._h))

    def _sound(self, length: str) -> str:
        """Whether a step length is a number above the rounding error of the time."""
        code = self.code
        smallest = code.add(literal(1e-300), code.multiply(literal(4e-16), code.call("fabs", self._t)))
        return code.compare("ogt", length, smallest)

    def _accepted(self) -> None:
        """Count the step and go on to its samples or, without any, to the next."""
        self._count(self._taken)
        self.code.branch(self._output.due(self._done()), self._label["dense"], self._label["advance"])

    def _done(self) -> Step:
        return Step(
            self.code, self._slots, self._polynomial, self._t, self._new_time, self._end, self._sample, self._length
        )

    def _count(self, place: str) -> None:
        code = self.code
        code.store(code.value(f"add i64 {code.load(place, kind='i64')}, 1"), place, kind="i64")

    def _advance(self) -> None:
        code, slots = self.code, self._slots
        code.begin(self._label["advance"])
        slots.copy(slots.next, slots.state)
        self._carry()
        code.store(self._new_time, self._time)
        code.branch(self._output.unfinished(self._done()), self._label["next"], self._exit[DONE])
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
