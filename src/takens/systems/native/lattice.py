"""Machine code of lattices: loops over the nodes, several at a time where the processor can, and over the edges.

The passes: functions of a node that others need (`lattice_plan`) and the averages; the sums over the edges; the
equations of the nodes; the common states. Numbers of the nodes and the graph are constants of the module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..lattice.rule import Lattice, Neighbour
from ..symbols.tree import Expression, Name
from ..symbols.walk import substituted
from .emit import ZERO, Loops, Lowering, Program, names_of
from .ir import UNROLLED, Code, literal
from .lattice_plan import plan

FEW = 4
"""Nodes of more equations are never written out one by one, which would take long to compile."""


@final
@dataclass(frozen=True, eq=False)
class LatticeLoops(Loops):
    """The right-hand sides of a lattice without auxiliary definitions."""

    lattice: Lattice

    def code(self, program: Program, *, contract: bool) -> Code:
        """The body of `@rule`; its time grows with nodes and edges, its length does not."""
        return _Passes(self.lattice, program, contract).code

    def blocks(self) -> tuple[Program, tuple[tuple[int, int], ...]]:
        """Each variable of all nodes is a block, and so is each common state."""
        lattice = self.lattice
        ends = {f"{name}_{end}": Name(name) for name in lattice.own for end in "ij"}
        inner = {n.name: n.of for n in lattice.neighbours} | dict(lattice.means)
        inner |= {name: substituted(tree, ends) for name, tree in lattice.couplings}
        trees = {name: substituted(tree, inner) for name, tree in (*lattice.equations, *lattice.common)}
        parameters = (*lattice.parameters, *lattice.arrays)
        small = Program(lattice.order, parameters, tuple(trees[name] for name in lattice.order), (), lattice.time)
        counts = (lattice.size if name in lattice.variables else 1 for name in lattice.order)
        return small, tuple((lattice.offsets[n], count) for n, count in zip(lattice.order, counts, strict=True))


class _Passes:
    """The code of one lattice, pass by pass."""

    def __init__(self, lattice: Lattice, program: Program, contract: bool) -> None:
        written_out = UNROLLED if len(lattice.equations) <= FEW else 1
        self.code = code = Code(contract=contract, inlined=True, unrolled=written_out)
        # A rule returns nothing: a rate that is no number tells that there was no memory for it.
        code.without_memory = ["store double 0x7FF8000000000000, ptr %out", "ret void"]
        self._lattice, self._plan = lattice, plan(lattice)
        self._shared = names_of(program, code, "%t")
        for name, _ in lattice.common:
            self._shared[name] = code.load("%x", str(lattice.offsets[name]))
        self._arrays = {name: constant(code, f"array{k}", v) for k, (name, v) in enumerate(lattice.arrays.items())}
        self._kept = {name: code.slot(size=lattice.size) for name, _ in self._plan.kept}
        self._sums = {name: code.slot(size=lattice.size) for name, _ in lattice.couplings}
        self._local()
        if lattice.couplings:
            self._edges()
        self._nodes()
        self._common()
        code.emit("ret void")

    def _place(self, name: str, index: str) -> tuple[str, str]:
        """The array that holds a node's value of a name, and where."""
        if name in self._arrays:
            return self._arrays[name], index
        first = self._lattice.offsets[name]
        if index.isdigit():
            return "%x", str(int(index) + first)
        return "%x", self.code.value(f"add nuw nsw i64 {index}, {first}") if first else index

    def _own(self, index: str) -> dict[str, str]:
        """The values of the names that a node has of its own."""
        return {name: self.code.load(*self._place(name, index)) for name in self._lattice.own}

    def _local(self) -> None:
        """What is kept for each node, and the averages."""
        code, chosen, size = self.code, self._plan, self._lattice.size
        if not chosen.kept and not chosen.means:
            return
        totals = [self._zero() for _ in chosen.means]

        def one(index: str) -> None:
            names = self._shared | self._own(index)
            lowering = Lowering(code, names)
            for name, tree in chosen.kept:
                names[name] = lowering.number(tree)
                code.store(names[name], self._kept[name], index)
            for (_, tree), total in zip(chosen.means, totals, strict=True):
                code.accumulate(lowering.number(tree), total)

        code.each(size, one)
        for (name, _), total in zip(chosen.means, totals, strict=True):
            self._shared[name] = code.divide(code.load(total), literal(float(size)))

    def _zero(self) -> str:
        place = self.code.slot()
        self.code.store(ZERO, place)
        return place

    def _edges(self) -> None:
        """The sums over the edges to each node."""
        code, graph, chosen = self.code, self._lattice.graph, self._plan
        assert graph is not None
        starts, sources = constant(code, "starts", graph.starts), constant(code, "sources", graph.sources)
        weights = None if graph.weights is None else constant(code, "weights", graph.weights)
        totals = [code.slot() for _ in chosen.couplings]

        def node(i: str) -> None:
            names = self._shared | self._end(i, "i")
            for total in totals:
                code.store(ZERO, total)
            first, last = (code.load(starts, k, "i64") for k in (i, code.value(f"add nuw nsw i64 {i}, 1")))

            def edge(e: str) -> None:
                place = code.value(f"getelementptr inbounds i32, ptr {sources}, i64 {e}")
                source = code.value(f"zext i32 {code.fresh_value(f'load i32, ptr {place}, align 4')} to i64")
                lowering = Lowering(code, names | self._end(source, "j"))
                weight = None if weights is None else code.load(weights, e)
                for (_, tree), total in zip(chosen.couplings, totals, strict=True):
                    value = lowering.number(tree)
                    value = value if weight is None else code.multiply(weight, value)
                    # In order: what is gathered is faster one by one.
                    code.store(code.add(code.load(total), value), total)

            _between(code, first, last, edge)
            for (name, _), total in zip(chosen.couplings, totals, strict=True):
                code.store(code.load(total), self._sums[name], i)

        _every(code, self._lattice.size, node)

    def _end(self, index: str, end: str) -> dict[str, str]:
        """The values at one end of an edge of what the couplings use."""
        code, found = self.code, {}
        used = _used(self._plan.couplings)
        for name in self._lattice.own:
            if f"{name}_{end}" in used:
                found[f"{name}_{end}"] = code.load(*self._place(name, index))
        for name, place in self._kept.items():
            if f"{name}_{end}" in used:
                found[f"{name}_{end}"] = code.load(place, index)
        return found

    def _nodes(self) -> None:
        """The equations of the nodes: those in the middle, then those whose neighbours are beyond an end."""
        code, lattice = self.code, self._lattice
        totals = {name: self._zero() for name, _ in lattice.totals}
        before = min(lattice.size, max([0, *(-n.offset for n in lattice.neighbours)]))
        after = min(lattice.size - before, max([0, *(n.offset for n in lattice.neighbours)]))

        def one(index: str, *, inside: bool) -> None:
            names = self._shared | self._own(index)
            names |= {name: code.load(place, index) for name, place in (self._kept | self._sums).items()}
            for neighbour in lattice.neighbours:
                names[neighbour.name] = self._neighbour(neighbour, index, inside)
            lowering = Lowering(code, names)
            rates = [(name, lowering.number(tree)) for name, tree in self._plan.nodes]
            for name, value in rates:
                if name in totals:
                    code.accumulate(value, totals[name])
                else:
                    place = _moved(code, index, lattice.offsets[name])
                    code.store(value, "%out", place)

        middle = lattice.size - before - after
        code.each(middle, lambda i: one(_moved(code, i, before), inside=True))
        code.each(before + after, lambda i: one(_skipping(code, i, before, middle), inside=False))
        self._shared |= {name: code.load(place) for name, place in totals.items()}

    def _neighbour(self, neighbour: Neighbour, index: str, inside: bool) -> str:
        """The value of a neighbour's expression."""
        code, lattice = self.code, self._lattice
        place, outside = _moved(code, index, neighbour.offset), None
        if not inside:
            place, outside = _bounded(code, place, lattice)
        names = self._shared | {
            name: code.load(*self._place(name, place)) for name in lattice.own if name in _used((("", neighbour.of),))
        }
        value = Lowering(code, names).number(neighbour.of)
        return value if outside is None else code.select(outside, ZERO, value)

    def _common(self) -> None:
        lowering = Lowering(self.code, self._shared)
        rates = [(name, lowering.number(tree)) for name, tree in self._lattice.common]
        for name, value in rates:
            self.code.store(value, "%out", str(self._lattice.offsets[name]))


def _used(definitions: tuple[tuple[str, Expression], ...]) -> set[str]:
    from ..symbols.walk import names_in

    return set(names_in(*(tree for _, tree in definitions)))


def _moved(code: Code, index: str, offset: int) -> str:
    """The index `offset` places further."""
    if index.lstrip("-").isdigit():
        return str(int(index) + offset)
    return code.value(f"add nsw i64 {index}, {offset}") if offset else index


def _skipping(code: Code, index: str, before: int, middle: int) -> str:
    """The index among the nodes at both ends as that among all."""
    if index.isdigit():
        return str(int(index) + (middle if int(index) >= before else 0))
    first = code.value(f"icmp slt i64 {index}, {before}")
    return code.value(f"select i1 {first}, i64 {index}, i64 {_moved(code, index, middle)}")


def _bounded(code: Code, place: str, lattice: Lattice) -> tuple[str, str | None]:
    """An index moved to where a node beyond an end is, and whether it is to count as 0."""
    size = lattice.size
    if lattice.boundary == "ring":
        rest = code.value(f"srem i64 {place}, {size}")
        negative = code.value(f"icmp slt i64 {rest}, 0")
        return code.value(f"select i1 {negative}, i64 {code.value(f'add i64 {rest}, {size}')}, i64 {rest}"), None
    below, above = code.value(f"icmp slt i64 {place}, 0"), code.value(f"icmp sge i64 {place}, {size}")
    clipped = code.value(f"select i1 {below}, i64 0, i64 {place}")
    clipped = code.value(f"select i1 {above}, i64 {size - 1}, i64 {clipped}")
    outside = code.value(f"or i1 {below}, {above}")
    return clipped, outside if lattice.boundary == "zero" else None


def _every(code: Code, count: int, body: Callable[[str], None]) -> None:
    """A loop over 0 ... count - 1 whose body may hold blocks of its own."""
    _between(code, "0", str(count), body)


def _between(code: Code, first: str, last: str, body: Callable[[str], None]) -> None:
    """A loop from `first` to `last` - 1, none where that is before the first."""
    place = code.slot("i64")
    code.store(first, place, kind="i64")
    test, inner, end = code.label(), code.label(), code.label()
    code.jump(test)
    code.begin(test)
    index = code.load(place, kind="i64")
    code.branch(code.value(f"icmp slt i64 {index}, {last}"), inner, end)
    code.begin(inner)
    body(index)
    code.store(code.value(f"add nuw nsw i64 {index}, 1"), place, kind="i64")
    code.jump(test)
    code.begin(end)


def constant(code: Code, name: str, values: NDArray[Any]) -> str:
    """An array of the module with these values, as its bytes: quick to read, however long."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    data = little.tobytes() or bytes(8)
    text = "\\" + data.hex("\\")
    code.used.add(f'@{name} = private unnamed_addr constant [{len(data)} x i8] c"{text}", align 64')
    return f"@{name}"
