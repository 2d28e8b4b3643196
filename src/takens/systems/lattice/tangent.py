"""Small displacements from the orbit of a lattice: a lattice again, at linear cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..equations import Definitions
from ..symbols.differentiate import ZERO, add, differentiate, multiply
from ..symbols.tree import Expression, Name, Number
from .rule import Lattice, Neighbour
from .values import shifted


def tangent(rule: Lattice, count: int) -> Lattice:
    """The states of a lattice, `count` small displacements dx' = J dx one after the other, and the trace of J.

    The averages and sums of the displacements are averages and sums over the nodes again, so that J is never formed.
    """
    return _Tangent(rule.bare).lattice(count)


def _part(name: str, vector: int) -> str:
    """The name of a displacement, or of the change of a mean, under which no text can hold another."""
    return f"{name} along {vector}"


class _Tangent:
    """Derivatives of every part of a lattice, each computed once for all displacements."""

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._common = tuple(dict(lattice.common))
        self._local = (*lattice.variables, *self._common)
        self._inner = (*(n.name for n in lattice.neighbours), *dict(lattice.means), *dict(lattice.couplings))
        ends = tuple(f"{name}_{end}" for name in lattice.variables for end in "ij")
        self._neighbours = [_slopes(n.of, self._local) for n in lattice.neighbours]
        self._means = [_slopes(tree, self._local) for _, tree in lattice.means]
        self._couplings = [_slopes(tree, (*ends, *self._common)) for _, tree in lattice.couplings]
        self._nodes = [_slopes(tree, (*self._local, *self._inner)) for _, tree in lattice.equations]
        self._shared = [_slopes(tree, (*self._common, *dict(lattice.means))) for _, tree in lattice.common]

    def lattice(self, count: int) -> Lattice:
        """The whole lattice; see `tangent`."""
        base = self._lattice
        equations, neighbours, common = list(base.equations), list(base.neighbours), list(base.common)
        means, couplings, order = list(base.means), list(base.couplings), list(base.order)
        for vector in range(count):
            moved = [_along(slopes, vector) for slopes in self._neighbours]
            neighbours += [
                Neighbour(_part(n.name, vector), tree, n.offset)
                for n, tree in zip(base.neighbours, moved, strict=True)
            ]  # fmt: skip
            means += self._moved(base.means, self._means, vector)
            couplings += self._moved(base.couplings, self._couplings, vector, _end)
            equations += self._moved(base.equations, self._nodes, vector)
            common += self._moved(base.common, self._shared, vector)
            order += [_part(block, vector) for block in base.order]
        arrays, extra, total = self._trace()
        averages, rate = self._rate()
        return Lattice(
            base.size, tuple(equations), base.parameters, (), tuple(neighbours), base.boundary, (*means, *averages),
            (*couplings, *extra), base.graph, {**base.arrays, **arrays}, (*common, ("divergence", rate)),
            (("total divergence", total),), (*order, "divergence"), base.time,
        )  # fmt: skip

    @staticmethod
    def _moved(
        definitions: Definitions,
        slopes: Iterable[dict[str, Expression]],
        vector: int,
        name: Callable[[str, int], str] = _part,
    ) -> list[tuple[str, Expression]]:
        pairs = zip(definitions, slopes, strict=True)
        return [(_part(defined, vector), _along(change, vector, name)) for (defined, _), change in pairs]

    def _trace(self) -> tuple[dict[str, np.ndarray], Definitions, Expression]:
        """Arrays and couplings that the trace needs, and its share of a node."""
        base = self._lattice
        total: Expression = ZERO
        arrays: dict[str, np.ndarray] = {}
        extra: dict[str, Expression] = {}
        for (variable, _), slopes in zip(base.equations, self._nodes, strict=True):
            total = add(total, slopes.get(variable, ZERO))
            for neighbour, inner in zip(base.neighbours, self._neighbours, strict=True):
                places, outside = shifted(base, neighbour.offset)
                itself = (places == np.arange(base.size)) & ~outside
                if itself.any() and variable in inner and neighbour.name in slopes:
                    name = f"{neighbour.name} is itself"
                    arrays[name] = itself.astype(np.float64)
                    total = add(total, multiply(multiply(slopes[neighbour.name], inner[variable]), Name(name)))
            for (mean, _), inner in zip(base.means, self._means, strict=True):
                product = multiply(slopes.get(mean, ZERO), inner.get(variable, ZERO))
                total = add(total, multiply(product, Number(1.0 / base.size)))
            for (coupling, _), inner in zip(base.couplings, self._couplings, strict=True):
                if coupling in slopes and f"{variable}_i" in inner:
                    name = f"{coupling} by {variable}"
                    extra[name] = inner[f"{variable}_i"]
                    total = add(total, multiply(slopes[coupling], Name(name)))
        return arrays, tuple(extra.items()), total

    def _rate(self) -> tuple[Definitions, Expression]:
        """Means that the trace needs, and the trace: the sum over the nodes and what the common states add."""
        total: Expression = Name("total divergence")
        averages: dict[str, Expression] = {}
        for (state, _), slopes in zip(self._lattice.common, self._shared, strict=True):
            total = add(total, slopes.get(state, ZERO))
            for (mean, _), inner in zip(self._lattice.means, self._means, strict=True):
                if mean in slopes and state in inner:
                    averages[f"{mean} by {state}"] = inner[state]
                    total = add(total, multiply(slopes[mean], Name(f"{mean} by {state}")))
        return tuple(averages.items()), total


def _slopes(tree: Expression, names: Iterable[str]) -> dict[str, Expression]:
    """The derivatives of an expression by some names, but for those that are 0."""
    found = {name: differentiate(tree, name) for name in names}
    return {name: slope for name, slope in found.items() if slope != ZERO}


def _end(name: str, vector: int) -> str:
    """The displacement of one end of an edge, x_i or x_j, or of a common state."""
    return f"{_part(name[:-2], vector)}{name[-2:]}" if name.endswith(("_i", "_j")) else _part(name, vector)


def _along(slopes: dict[str, Expression], vector: int, name: Callable[[str, int], str] = _part) -> Expression:
    total: Expression = ZERO
    for by, slope in slopes.items():
        total = add(total, multiply(slope, Name(name(by, vector))))
    return total
