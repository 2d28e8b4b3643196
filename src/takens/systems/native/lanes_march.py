"""Machine code of fixed steps and of maps for many members: blocks of vectors, one lane a member."""

from __future__ import annotations

from .emit import ONE, ZERO, Program
from .ir import Code, literal
from .steps import Stages, rule_text
from .tableau import Row, Tableau
from .widen import gather, scatter, splat, vector, widened

WIDTH = 8
"""Members in a vector: one register of AVX-512, two of AVX2, four of NEON."""
BLOCK = 4
"""Vectors that go side by side, so that the additions of one need not wait for one another."""
_SHORT = 1500
"""The most operations of the steps of a block that are written out."""

MARCH_LANES = "march_lanes"
MARCH_LANES_ARGUMENTS = (
    "ptr noalias readonly %initial", "ptr noalias readonly %parameters", "i64 %first", "i64 %last", "double %start",
    "double %h", "i64 %skipped", "i64 %substeps", "i64 %rows", "ptr noalias %out",
)  # fmt: skip


def march_lanes(program: Program, tableau: Tableau | None) -> tuple[list[str], set[str]]:
    """`void @march_lanes(initial, parameters, first, last, start, h, skipped, substeps, rows, out)`.

    For the members from `first` to `last`, of `initial (member, state)` and `parameters (member, parameter)`: a row of
    `out (member, row, state)` after `skipped` steps, then one each `substeps`; NaN from the first row with a state that
    is not finite. Steps are those of a tableau or, without, iterations of a map, which are not fused. The last block
    is filled up with copies of the last member.
    """
    contract = tableau is not None
    stages = 1 if tableau is None else len(tableau.stages)
    text, rule_code = rule_text(program, contract=contract, uses=stages)
    advance = _advance(program, tableau, contract)
    show = _show(len(program.states))
    functions, declared = widened([text, advance, show, _copy(len(program.states))], WIDTH)
    vectors = max(1, min(BLOCK, _SHORT // max(1, stages * rule_code.operations)))
    driver = _Driver(len(program.states), len(program.parameters), vectors)
    return [*functions, driver.text()], declared | driver.code.used


def _inlined(code: Code, name: str, *arguments: str) -> str:
    code.emit("ret void")
    return code.function(name, arguments, attributes="alwaysinline nounwind")


def _advance(program: Program, tableau: Tableau | None, contract: bool) -> str:
    """`@advance(time, h, x, p, next)`: one step of each lane."""
    code = Code(contract=contract)
    slots = Stages(code, len(program.states), 1 if tableau is None else len(tableau.stages))
    slots.state, slots.next = "%x", "%next"
    if tableau is None:
        slots.rate("%time", slots.state, slots.next)
    else:
        slots.rate("%time", slots.state, slots.rates[0])
        for index, (node, row) in enumerate(tableau.stages[1:], start=1):
            _move(slots, row, slots.next)
            slots.rate(code.add("%time", code.multiply(literal(node), "%h")), slots.next, slots.rates[index])
        _move(slots, tableau.weights, slots.next)
    return _inlined(code, "advance", "double %time", "double %h", "ptr noalias %x", "ptr noalias %p",
                    "ptr noalias %next")  # fmt: skip


def _move(slots: Stages, row: Row, out: str) -> None:
    """out = state + sum_j (h row_j) k_j: the factors are the same in all steps, and each term is one operation."""
    code = slots.code

    def one(index: str) -> None:
        total = code.load(slots.state, index)
        for stage in sorted(row):
            factor = code.multiply(literal(row[stage]), "%h")
            total = code.add(total, code.multiply(factor, code.load(slots.rates[stage], index)))
        code.store(total, out, index)

    code.each(slots.dimension, one)


def _show(dimension: int) -> str:
    """`@show(x, alive, shown)`: the state, NaN in lanes that have not been finite all the time."""
    code = Code(contract=False)
    total = code.slot()
    code.store(ZERO, total)

    def check(index: str) -> None:
        code.store(code.add(code.load(total), code.multiply(code.load("%x", index), ZERO)), total)

    code.each(dimension, check)
    sound = code.select(code.compare("oeq", code.load(total), ZERO), code.load("%alive"), ZERO)
    code.store(sound, "%alive")
    nan = literal(float("nan"))

    def write(index: str) -> None:
        kept = code.compare("oeq", code.load("%alive"), ONE)
        code.store(code.select(kept, code.load("%x", index), nan), "%shown", index)

    code.each(dimension, write)
    return _inlined(code, "show", "ptr noalias %x", "ptr noalias %alive", "ptr noalias %shown")


def _copy(dimension: int) -> str:
    """`@copy(from, to)`: a state."""
    code = Code(contract=False)
    code.each(dimension, lambda i: code.store(code.load("%from", i), "%to", i))
    return _inlined(code, "copy", "ptr noalias %from", "ptr noalias %to")


class _Driver:
    """The loops over blocks, rows and steps."""

    def __init__(self, dimension: int, parameters: int, vectors: int) -> None:
        self.code = code = Code(contract=False)
        self._dimension, self._parameters, self._vectors = dimension, parameters, vectors
        real = vector(WIDTH)
        slot = [[code.slot(real, max(1, n)) for _ in range(vectors)] for n in (dimension, dimension, dimension)]
        self._state, self._next, self._shown = slot
        self._given = [code.slot(real, max(1, parameters)) for _ in range(vectors)]
        self._packed = [code.slot(real, dimension) for _ in range(vectors)]
        self._alive = [code.slot(real) for _ in range(vectors)]
        self._block, self._row, self._left, self._index, self._lane = (code.slot("i64") for _ in range(5))

    def text(self) -> str:
        """The whole function."""
        code = self.code
        blocks, rows, steps, step, write, after, stop = (code.label() for _ in range(7))
        code.store("%first", self._block, kind="i64")
        code.jump(blocks)
        code.begin(blocks)
        self._members(self._pack)
        for packed, state, alive in zip(self._packed, self._state, self._alive, strict=True):
            code.emit(f"call void @copy(ptr {packed}, ptr {state})")
            code.emit(f"store {vector(WIDTH)} splat (double {ONE}), ptr {alive}")
        for place, value in ((self._row, "0"), (self._index, "0"), (self._left, "%skipped")):
            code.store(value, place, kind="i64")
        code.jump(rows)
        code.begin(rows)
        code.jump(steps)
        code.begin(steps)
        left = code.load(self._left, kind="i64")
        code.branch(code.value(f"icmp sgt i64 {left}, 0"), step, write)
        code.begin(step)
        self._advance()
        code.store(code.value(f"sub i64 {left}, 1"), self._left, kind="i64")
        code.jump(steps)
        code.begin(write)
        for state, alive, shown in zip(self._state, self._alive, self._shown, strict=True):
            code.emit(f"call void @show(ptr {state}, ptr {alive}, ptr {shown})")
        self._members(self._unpack)
        row = code.value(f"add i64 {code.load(self._row, kind='i64')}, 1")
        code.store(row, self._row, kind="i64")
        code.store("%substeps", self._left, kind="i64")
        code.branch(code.value(f"icmp slt i64 {row}, %rows"), rows, after)
        code.begin(after)
        block = code.value(f"add i64 {code.load(self._block, kind='i64')}, {WIDTH * self._vectors}")
        code.store(block, self._block, kind="i64")
        code.branch(code.value(f"icmp slt i64 {block}, %last"), blocks, stop)
        code.begin(stop)
        code.emit("ret void")
        return code.function(MARCH_LANES, MARCH_LANES_ARGUMENTS, attributes="nounwind")

    def _advance(self) -> None:
        code = self.code
        index = code.load(self._index, kind="i64")
        time = code.add("%start", code.multiply("%h", code.value(f"sitofp i64 {index} to double")))
        times, steps = splat(code, time, WIDTH), splat(code, "%h", WIDTH)
        real = vector(WIDTH)
        for state, given, target in zip(self._state, self._given, self._next, strict=True):
            code.emit(f"call void @advance({real} {times}, {real} {steps}, ptr {state}, ptr {given}, ptr {target})")
        for state, target in zip(self._state, self._next, strict=True):
            code.emit(f"call void @copy(ptr {target}, ptr {state})")
        code.store(code.value(f"add i64 {index}, 1"), self._index, kind="i64")

    def _members(self, body: object) -> None:
        """For each lane of the block: its member, at most the last, and where in its vector it is."""
        code = self.code
        assert callable(body)
        for number in range(self._vectors):
            begin, end = code.label(), code.label()
            code.store("0", self._lane, kind="i64")
            code.jump(begin)
            code.begin(begin)
            lane = code.load(self._lane, kind="i64")
            member = code.value(f"add i64 {code.load(self._block, kind='i64')}, {number * WIDTH}")
            member = code.value(f"add i64 {member}, {lane}")
            final = code.value("sub i64 %last, 1")
            inside = code.value(f"icmp slt i64 {member}, {final}")
            body(number, lane, code.value(f"select i1 {inside}, i64 {member}, i64 {final}"))
            after = code.value(f"add i64 {lane}, 1")
            code.store(after, self._lane, kind="i64")
            code.branch(code.value(f"icmp slt i64 {after}, {WIDTH}"), begin, end)
            code.begin(end)

    def _pack(self, number: int, lane: str, member: str) -> None:
        code = self.code
        gather(code, "%initial", member, self._dimension, self._packed[number], lane, WIDTH)
        gather(code, "%parameters", member, self._parameters, self._given[number], lane, WIDTH)

    def _unpack(self, number: int, lane: str, member: str) -> None:
        code = self.code
        row = code.value(f"add i64 {code.value(f'mul i64 {member}, %rows')}, {code.load(self._row, kind='i64')}")
        scatter(code, self._shown[number], lane, "%out", row, self._dimension, WIDTH)
