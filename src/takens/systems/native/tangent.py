"""Machine code of a rule and of small displacements from its orbit: v' = J v for many vectors at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any

from ..symbols.differentiate import ZERO as NOTHING
from ..symbols.tree import Expression
from ..symbols.walk import names_in, postorder
from .emit import ONE, RULE, RULE_ARGUMENTS, ZERO, Lowering, Program, names_of
from .ir import UNROLLED, Code
from .packed import Packed

LONGEST = 8
"""The numbers in a register of AVX-512."""
PACKED = 120
"""A flow's rows are packed while a stage takes about so many operations at most; more would take long to compile."""
STRAIGHT = 16
"""Up to so many numbers in all, everything is written out and stays in registers; beyond, vectors go in loops."""
LARGEST_DETERMINANT = 4
"""Maps of more states have no determinant in their code, whose terms would be too many."""


@dataclass(frozen=True, eq=False)
class Tangent:
    """A rule, its exact derivatives, and how many displacements are carried along its orbit.

    `definitions` are evaluated before the `rows` of the Jacobian. The numbers carried are the state `(state,)`, the
    volume, and the vectors `(state, count)`, vector by vector next to each other: what is done to all of them runs
    through memory in order. The volume of a flow is the integral of the divergence, that of a map the product of the
    determinants (NaN for more than 4 states).

    Machine code holds them so, or packed: state i and row i of the vectors in one vector of numbers, [x_i, v_i1, v_i2,
    ..., zeros], and after all rows [volume, zeros]. Then what is done to the vectors is done to the state with the same
    instruction, and few numbers leave the registers.
    """

    program: Program
    definitions: tuple[tuple[str, Expression], ...]
    rows: tuple[tuple[Expression, ...], ...]
    count: int
    flow: bool

    @cached_property
    def size(self) -> int:
        """The number of states."""
        return len(self.program.states)

    @property
    def first(self) -> int:
        """The place of the vectors among the numbers carried."""
        return self.size + 1

    @cached_property
    def dimension(self) -> int:
        """How many numbers are carried."""
        return self.first + self.size * self.count

    @cached_property
    def width(self) -> int:
        """The numbers in a packed row, 1 where rows are not packed."""
        entries = sum(tree != NOTHING for row in self.rows for tree in row)
        wide = 2 ** int(self.count).bit_length()  # the next power of 2 above the count
        vectors = max(1, wide // LONGEST)
        fits = self.program.loops is None and (entries + 8 * self.size) * vectors <= PACKED and self.size < UNROLLED
        return wide if self.flow and fits else 1

    @property
    def stride(self) -> int:
        """From one row of the vectors to the next."""
        return self.count if self.width == 1 else self.width

    @cached_property
    def parts(self) -> int:
        """The vectors of `width` numbers that are carried."""
        return self.dimension if self.width == 1 else self.size + 1

    @cached_property
    def places(self) -> list[int]:
        """Where machine code holds the numbers carried: states, volume, rows."""
        if self.width == 1:
            return list(range(self.dimension))
        heads = [self.width * i for i in range(self.size + 1)]
        return heads + [head + 1 + j for head in heads[:-1] for j in range(self.count)]

    @property
    def unrolled(self) -> int:
        """Loops of up to so many are written out."""
        return STRAIGHT if self.width > 1 or self.dimension <= STRAIGHT else 4

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return self.program, self.count, self.flow  # equal programs have equal derivatives

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tangent) and self._key == other._key


def tangent_rule(tangent: Tangent) -> tuple[str, Code]:
    """The function `void @rule(double t, ptr x, ptr p, ptr out)` of all numbers carried, and its code.

    The entries of the Jacobian that are not 0 are computed once and applied to all vectors. That of a map rounds the
    states as the map alone does, so that both have one orbit.
    """
    program, size = tangent.program, tangent.size
    code = Code(contract=tangent.flow, unrolled=tangent.unrolled)
    packed = Packed(code, tangent.width)
    numbers = [packed.load("%x", str(i)) for i in range(size)]
    names = names_of(program, code, "%t")
    for name, value in zip(program.states, numbers, strict=True):
        names[name] = packed.first(value)
    lowering = Lowering(code, names)
    for name, tree in tangent.definitions:
        names[name] = lowering.number(tree)
    rates = [lowering.number(tree) for tree in program.expressions]
    entries = [
        {j: lowering.number(tree) for j, tree in sorted(enumerate(row), key=_lateness(tangent)) if tree != NOTHING}
        for row in tangent.rows
    ]
    volume = _divergence(code, entries) if tangent.flow else _determinant(code, entries)
    if not tangent.flow:
        volume = code.multiply(volume, code.load("%x", str(size)))
    if tangent.width > 1:
        _packed_rows(packed, numbers, entries, [*rates, volume])
    else:
        _rows(tangent, code, entries, [*rates, volume])
    code.emit("ret void")
    attributes = "alwaysinline nounwind" if tangent.width > 1 or tangent.unrolled == STRAIGHT else "noinline nounwind"
    return code.function(RULE, RULE_ARGUMENTS, attributes=attributes), code


def _lateness(tangent: Tangent) -> Callable[[tuple[int, Expression]], tuple[bool, int]]:
    """A key that puts entries last which are known last, so that sums wait for them only."""
    fixed = frozenset(tangent.program.parameters)

    def key(entry: tuple[int, Expression]) -> tuple[bool, int]:
        return not fixed.issuperset(names_in(entry[1])), sum(1 for _ in postorder([entry[1]]))

    return key if tangent.flow else lambda entry: (False, 0)


def _packed_rows(packed: Packed, numbers: list[str], entries: list[dict[int, str]], rates: list[str]) -> None:
    """Row i: its rate, then (J V)_i."""
    zero = packed.splat(ZERO)
    for i, row in enumerate(entries):
        total = zero
        for j, slope in row.items():
            term = numbers[j] if slope == ONE else packed.multiply(packed.splat(slope), numbers[j])
            total = term if total == zero else packed.add(total, term)
        packed.store(packed.with_first(total, rates[i]), "%out", str(i))
    packed.store(packed.with_first(zero, rates[-1]), "%out", str(len(entries)))


def _rows(tangent: Tangent, code: Code, entries: list[dict[int, str]], rates: list[str]) -> None:
    """The rates, then J V row by row."""
    sources = [code.element("%x", str(tangent.first + i * tangent.count)) for i in range(tangent.size)]
    targets = [code.element("%out", str(tangent.first + i * tangent.count)) for i in range(tangent.size)]
    for index, value in enumerate(rates):
        code.store(value, "%out", str(index))
    for row, target in zip(entries, targets, strict=True):

        def one(index: str, row: dict[int, str] = row, target: str = target) -> None:
            total = ZERO
            for j, slope in row.items():
                part = code.load(sources[j], index)
                term = part if slope == ONE else code.multiply(slope, part)
                total = term if total == ZERO else code.add(total, term)
            code.store(total, target, index)

        code.each(tangent.count, one)


def _divergence(code: Code, entries: list[dict[int, str]]) -> str:
    """The trace of a matrix of few entries."""
    total = ZERO
    for i, row in enumerate(entries):
        if i in row:
            total = row[i] if total == ZERO else code.add(total, row[i])
    return total


def _determinant(code: Code, entries: list[dict[int, str]]) -> str:
    """The determinant of a matrix of few entries, NaN for a large one."""
    size = len(entries)
    if size > LARGEST_DETERMINANT:
        return code.divide(ZERO, ZERO)
    total = ZERO
    for columns in permutations(range(size)):
        if not all(j in row for j, row in zip(columns, entries, strict=True)):
            continue
        term = entries[0][columns[0]]
        for i in range(1, size):
            term = code.multiply(term, entries[i][columns[i]])
        odd = sum(a > b for k, a in enumerate(columns) for b in columns[k:]) % 2
        total = code.subtract(total, term) if odd else code.add(total, term)
    return total
