"""Machine code of delay equations: the adaptive loop around a rule that looks delayed states up in the history."""

from __future__ import annotations

from dataclasses import dataclass

from .adaptive import RungeKutta
from .emit import RULE, RULE_ARGUMENTS, Program, rule
from .ir import Code, literal
from .loop import SAMPLES, Output, Step
from .tableau import Tableau

HEAD = 3
"""Numbers of a piece of history before its coefficients: its start, 1 / length, its stop."""
ROUNDING = 1e-14
"""Share of the time by which a look-up keeps to its side of a border between pieces."""


@dataclass(frozen=True)
class DelayProgram:
    """A program whose last parameters are delayed states, and where they are found.

    `lookups` holds for each of them (number of its lag, position of its state). At run time the parameters `%p` are:
    those of the program but for the delayed ones; the addresses, as doubles of the same bits, of the `header` and of
    the `pieces` of the history; the longest step; the lags. `header` holds whole numbers: how many pieces there are,
    and for each lag the piece last used. A piece is a row of `pieces`: start, 1 / length, stop, and the polynomial of
    the state in theta = (time - start) / length, power after power.
    """

    program: Program
    lookups: tuple[tuple[int, int], ...]

    @property
    def plain(self) -> int:
        """How many parameters are not delayed states."""
        return len(self.program.parameters) - len(self.lookups)

    @property
    def lags(self) -> int:
        """How many lags there are."""
        return 1 + max(lag for lag, _ in self.lookups)

    def width(self, degree: int) -> int:
        """Numbers in a piece."""
        return HEAD + (degree + 1) * len(self.program.states)


def delay_steps(delayed: DelayProgram, tableau: Tableau) -> tuple[list[str], set[str]]:
    """The loop of `loop.Loop` that records each step as a piece of history, and the functions it calls."""
    degree = len(tableau.dense[0])
    code = rule(delayed.program, contract=True)[1]
    rates = code.function("rates", RULE_ARGUMENTS, attributes="alwaysinline nounwind")
    looking = _looking_up(delayed, degree)
    found = looking.function(RULE, RULE_ARGUMENTS, attributes="noinline nounwind")
    loop = RungeKutta(len(delayed.program.states), tableau, _Recorded(delayed, degree))
    return loop.functions([rates, found], code.used | looking.used)


def _address(code: Code, index: int) -> str:
    """The pointer that a parameter holds."""
    bits = code.fresh_value(f"load i64, ptr {code.element('%p', str(index))}, align 8")
    return code.fresh_value(f"inttoptr i64 {bits} to ptr")


def _piece(code: Code, pieces: str, index: str, width: int) -> str:
    return code.element(pieces, code.value(f"mul i64 {index}, {width}"))


def _looking_up(delayed: DelayProgram, degree: int) -> Code:
    """`@rule(t, x, p, out)`: delayed states from the history, then the rates."""
    code, plain, width = Code(contract=True), delayed.plain, delayed.width(degree)
    full = code.slot(size=len(delayed.program.parameters))
    for index in range(plain):
        code.store(code.load("%p", str(index)), full, str(index))
    header, pieces = _address(code, plain), _address(code, plain + 1)
    count = code.load(header, kind="i64")
    for lag in range(delayed.lags):
        length = code.load("%p", str(plain + 3 + lag))
        moment = code.subtract("%t", length)
        cursor = code.element(header, str(1 + lag))
        _find(code, cursor, (pieces, count, width), moment, length)
        piece = _piece(code, pieces, code.load(cursor, kind="i64"), width)
        theta = code.multiply(code.subtract(moment, code.load(piece)), code.load(piece, "1"))
        for position, (of, state) in enumerate(delayed.lookups):
            if of == lag:
                powers = [str(HEAD + k * len(delayed.program.states) + state) for k in range(degree + 1)]
                value = code.load(piece, powers[-1])
                for power in reversed(powers[:-1]):
                    value = code.add(code.load(piece, power), code.multiply(theta, value))
                code.store(value, full, str(plain + position))
    code.emit(f"call void @rates(double %t, ptr %x, ptr {full}, ptr %out)")
    code.emit("ret void")
    return code


def _find(code: Code, cursor: str, history: tuple[str, str, int], moment: str, lag: str) -> None:
    """Move the cursor to the piece that holds a moment, from where it was.

    On the border of two pieces, where the history may jump, it is the later one at the start of a step and the earlier
    one within it.
    """
    pieces, count, width = history
    last = code.value(f"sub i64 {count}, 1")
    stop = code.load(_piece(code, pieces, last, width), "2")
    small = code.multiply(literal(ROUNDING), code.add(code.call("fabs", "%t"), lag))
    starting = code.compare("ole", "%t", stop)
    sought = code.select(starting, code.add(moment, small), code.subtract(moment, small))
    forth, step_forth, back, step_back, found = (code.label() for _ in range(5))
    code.jump(forth)
    code.begin(forth)
    here = code.load(cursor, kind="i64")
    following = code.value(f"add i64 {here}, 1")
    bounded = code.value(f"icmp slt i64 {following}, {count}")
    safe = code.value(f"select i1 {bounded}, i64 {following}, i64 {here}")
    begun = code.compare("ole", code.load(_piece(code, pieces, safe, width)), sought)
    code.branch(code.value(f"and i1 {bounded}, {begun}"), step_forth, back)
    code.begin(step_forth)
    code.store(following, cursor, kind="i64")
    code.jump(forth)
    code.begin(back)
    here = code.load(cursor, kind="i64")
    late = code.compare("ogt", code.load(_piece(code, pieces, here, width)), sought)
    some = code.value(f"icmp sgt i64 {here}, 0")
    code.branch(code.value(f"and i1 {late}, {some}"), step_back, found)
    code.begin(step_back)
    code.store(code.value(f"sub i64 {here}, 1"), cursor, kind="i64")
    code.jump(back)
    code.begin(found)


class _Recorded(Output):
    """Samples, and each step as a piece of history; the next step is no longer than the longest allowed."""

    def __init__(self, delayed: DelayProgram, degree: int) -> None:
        self._delayed, self._degree = delayed, degree

    def last(self, code: Code) -> str:
        """As for samples."""
        return SAMPLES.last(code)

    def due(self, step: Step) -> str:
        """Every step is recorded."""
        return "true"

    def unfinished(self, step: Step) -> str:
        """As for samples."""
        return SAMPLES.unfinished(step)

    def write(self, step: Step, done: str) -> None:
        """Append a piece, limit the next step, write samples."""
        code, plain, width = step.code, self._delayed.plain, self._delayed.width(self._degree)
        header, pieces = _address(code, plain), _address(code, plain + 1)
        count = code.load(header, kind="i64")
        piece = _piece(code, pieces, count, width)
        for index, value in enumerate((step.start, step.inverse, step.stop)):
            code.store(value, piece, str(index))
        dimension = step.slots.dimension
        for power, source in enumerate((step.slots.state, *step.polynomial)):
            target = code.element(piece, str(HEAD + power * dimension))
            code.each(dimension, lambda i, s=source, t=target: code.store(code.load(s, i), t, i))  # type: ignore[misc]
        code.store(code.value(f"add i64 {count}, 1"), header, kind="i64")
        longest = code.load("%p", str(plain + 2))
        code.store(code.minimum(code.load(step.length), longest), step.length)
        samples = code.label()
        code.branch(SAMPLES.due(step), samples, done)
        code.begin(samples)
        SAMPLES.write(step, done)
