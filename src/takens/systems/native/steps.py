"""Machine code of one explicit Runge-Kutta step, and of loops of fixed steps and of maps."""

from __future__ import annotations

from collections.abc import Callable

from .emit import RULE, RULE_ARGUMENTS, ZERO, Program, rule
from .ir import UNROLLED, Code, literal
from .packed import Packed
from .tableau import Row, Tableau

INLINED = 8000
"""A rule is written into every stage of a step while that makes at most this many operations, else it is called."""

MARCH = "march"
MARCH_ARGUMENTS = (
    "ptr noalias %y", "ptr noalias readonly %p", "double %start", "double %h", "i64 %first", "i64 %substeps",
    "i64 %rows", "ptr noalias %out",
)  # fmt: skip


def rule_text(program: Program, *, contract: bool, uses: int) -> tuple[str, Code]:
    """The rule as a function that is written into its `uses` callers where it is short."""
    name, code = rule(program, contract=contract)
    # States beyond UNROLLED live in memory anyway, so that a call costs nothing and saves most of the compilation.
    inline = len(program.states) <= UNROLLED and code.operations * uses <= INLINED
    attributes = "alwaysinline nounwind" if inline else "noinline nounwind"
    return code.function(name, RULE_ARGUMENTS, attributes=attributes), code


class Stages:
    """Slots of state and stage rates, and the code that fills them; states may be vectors of `width` numbers."""

    def __init__(self, code: Code, dimension: int, stages: int, width: int = 1) -> None:
        self.code, self.dimension = code, dimension
        self.packed = Packed(code, width)
        self.state = self.packed.slot(dimension)
        self.next = self.packed.slot(dimension)
        self._trial = self.packed.slot(dimension)
        self.rates = [self.packed.slot(dimension) for _ in range(stages)]

    def copy(self, source: str, target: str) -> None:
        """target = source, state by state."""
        packed = self.packed
        self.code.each(self.dimension, lambda i: packed.store(packed.load(source, i), target, i))

    def rate(self, time: str, state: str, out: str) -> None:
        """out = f(time, state, p)"""
        self.code.emit(f"call void @{RULE}(double {time}, ptr {state}, ptr %p, ptr {out})")

    def weighted(self, row: Row, index: str) -> str | None:
        """The sum of row_j k_j of one state; the newest stage last, so that the sum waits for nothing else."""
        packed, total = self.packed, None
        for stage in sorted(row):
            term = packed.multiply(packed.splat(literal(row[stage])), packed.load(self.rates[stage], index))
            total = term if total is None else packed.add(total, term)
        return total

    def move(self, row: Row, h: str, out: str) -> None:
        """out = state + h sum_j row_j k_j; one fused operation after the newest k_j is known."""
        code, packed = self.code, self.packed
        newest = max(row)
        older = {stage: weight for stage, weight in row.items() if stage != newest}
        share = packed.splat(code.multiply(literal(row[newest]), h))

        def one(index: str) -> None:
            moved, change = packed.load(self.state, index), self.weighted(older, index)
            if change is not None:
                moved = packed.add(moved, packed.multiply(packed.splat(h), change))
            newest_rate = packed.load(self.rates[newest], index)
            packed.store(packed.add(moved, packed.multiply(share, newest_rate)), out, index)

        self.code.each(self.dimension, one)

    def stage(self, time: str, h: str, node: float, row: Row, out: str) -> None:
        """out = f(time + node h, state + h sum_j row_j k_j)"""
        code = self.code
        self.move(row, h, self._trial)
        self.rate(code.add(time, code.multiply(literal(node), h)), self._trial, out)


def fixed_steps(program: Program, tableau: Tableau) -> tuple[list[str], set[str]]:
    """Functions for a flow that go steps of a fixed length; see `marching`."""

    def step(stages: Stages, time: str) -> None:
        stages.rate(time, stages.state, stages.rates[0])
        for index, (node, row) in enumerate(tableau.stages[1:], start=1):
            stages.stage(time, "%h", node, row, stages.rates[index])
        stages.move(tableau.weights, "%h", stages.next)

    return marching(program, step, stages=len(tableau.stages), contract=True)


def map_steps(program: Program) -> tuple[list[str], set[str]]:
    """Functions for a map that iterate it, rounding as plain double arithmetic does."""
    return marching(program, lambda s, time: s.rate(time, s.state, s.next), stages=1, contract=False)


def marching(
    program: Program, step: Callable[[Stages, str], None], *, stages: int, contract: bool
) -> tuple[list[str], set[str]]:
    """`i64 @march(y, p, start, h, first, substeps, rows, out)`: `rows` times `substeps` steps; a state for each row.

    The time of step i is start + h (first + i), without accumulated rounding. Returns the number of rows completed
    with finite states; `y` is left at the last state.
    """
    dimension = len(program.states)
    text, rule_code = rule_text(program, contract=contract, uses=stages)
    code = Code(contract=contract)
    slots = Stages(code, dimension, stages)
    slots.copy("%y", slots.state)
    row, step_index, left = code.slot("i64"), code.slot("i64"), code.slot("i64")
    code.store("0", row, kind="i64")
    code.store("%first", step_index, kind="i64")
    rows, steps, done, stop = (code.label() for _ in range(4))
    code.jump(rows)
    code.begin(rows)
    code.store("%substeps", left, kind="i64")
    code.jump(steps)
    code.begin(steps)
    index = code.load(step_index, kind="i64")
    time = code.add("%start", code.multiply("%h", code.value(f"sitofp i64 {index} to double")))
    step(slots, time)
    slots.copy(slots.next, slots.state)
    code.store(code.value(f"add i64 {index}, 1"), step_index, kind="i64")
    remaining = code.value(f"sub i64 {code.load(left, kind='i64')}, 1")
    code.store(remaining, left, kind="i64")
    code.branch(code.value(f"icmp sgt i64 {remaining}, 0"), steps, done)
    code.begin(done)
    _finish_row(code, slots, row, (rows, stop))
    code.begin(stop)
    slots.copy(slots.state, "%y")
    code.emit(f"ret i64 {code.load(row, kind='i64')}")
    body = code.function(MARCH, MARCH_ARGUMENTS, result="i64", attributes="nounwind")
    return [text, body], rule_code.used | code.used


def _finish_row(code: Code, slots: Stages, row: str, targets: tuple[str, str]) -> None:
    """Write the state as a row; go on where all of it is finite and rows are left."""
    again, stop = targets
    done = code.load(row, kind="i64")
    place = row_of("%out", done, slots.dimension, code)
    total = code.slot()
    code.store(ZERO, total)

    def one(index: str) -> None:
        value = code.load(slots.state, index)
        code.store(value, place, index)
        code.accumulate(code.multiply(value, ZERO), total)

    code.each(slots.dimension, one)
    sound, finished = code.label(), code.value(f"add i64 {done}, 1")
    code.branch(code.compare("oeq", code.load(total), ZERO), sound, stop)
    code.begin(sound)
    code.store(finished, row, kind="i64")
    code.branch(code.value(f"icmp slt i64 {finished}, %rows"), again, stop)


def row_of(array: str, row: str, dimension: int, code: Code) -> str:
    """The place of a row of an array (row, dimension) of doubles."""
    return code.element(array, code.value(f"mul i64 {row}, {dimension}"))
