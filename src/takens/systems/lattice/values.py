"""Right-hand sides of lattices in NumPy, for many states at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..symbols.evaluate import program
from ..symbols.tree import Expression
from ..symbols.walk import names_in
from .rule import Lattice

Array = NDArray[np.float64]


class Forms:
    """The NumPy programs of a lattice without auxiliary definitions; see `Lattice` for what they compute."""

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._neighbours = _Form([n.of for n in lattice.neighbours], lattice)
        self._means = _Form([tree for _, tree in lattice.means], lattice)
        self._couplings = _Form([tree for _, tree in lattice.couplings], lattice)
        self._nodes = _Form([tree for _, tree in (*lattice.equations, *lattice.totals)], lattice)
        self._common = _Form([tree for _, tree in lattice.common], lattice)
        self._places = [shifted(lattice, n.offset) for n in lattice.neighbours]

    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The right-hand sides `(..., state)` at states `x (..., state)`."""
        lattice = self._lattice
        states = np.asarray(x, dtype=np.float64)
        if states.ndim == 0 or states.shape[-1] != len(lattice.states):
            raise ValueError(f"states have shape {states.shape}; the last axis holds {len(lattice.states)} states")
        scalars = {lattice.time: np.asarray(time, dtype=np.float64)}
        scalars |= {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
        leading = np.broadcast_shapes(states.shape[:-1], *(value.shape for value in scalars.values()))
        named = {name: value[..., None] for name, value in scalars.items()} | dict(lattice.arrays)
        for block, first in lattice.offsets.items():
            last = first + (lattice.size if block in lattice.variables else 1)
            named[block] = states[..., first:last]
        shape = (*leading, lattice.size)
        with np.errstate(all="ignore"):
            named |= self._gathered(named, shape)
            out = np.empty((*leading, len(lattice.states)))
            found = self._nodes(named, shape)
            for name, value in zip(lattice.variables, found, strict=False):
                first = lattice.offsets[name]
                out[..., first : first + lattice.size] = value
            sums = found[len(lattice.variables) :]
            named |= {n: v.sum(-1, keepdims=True) for (n, _), v in zip(lattice.totals, sums, strict=True)}
            for (name, _), value in zip(lattice.common, self._common(named, (*leading, 1)), strict=True):
                out[..., lattice.offsets[name]] = value[..., 0]
        return out

    def _gathered(self, named: Mapping[str, Array], shape: tuple[int, ...]) -> dict[str, Array]:
        """The values of neighbours, means and couplings."""
        lattice = self._lattice
        found = {}
        values = self._neighbours(named, shape)
        for neighbour, (places, outside), value in zip(lattice.neighbours, self._places, values, strict=True):
            found[neighbour.name] = np.where(outside, 0.0, value[..., places])
        for (name, _), value in zip(lattice.means, self._means(named, shape), strict=True):
            found[name] = value.mean(axis=-1, keepdims=True)
        if lattice.graph is not None and lattice.couplings:
            graph = lattice.graph
            ends = {f"{n}_i": named[n][..., graph.targets] for n in lattice.own}
            ends |= {f"{n}_j": named[n][..., graph.sources] for n in lattice.own}
            pairs = self._couplings({**named, **ends}, (*shape[:-1], len(graph.sources)))
            for (name, _), value in zip(lattice.couplings, pairs, strict=True):
                found[name] = graph.gathered(value)
        return found


def shifted(lattice: Lattice, offset: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The node `offset` places further from each `(node,)`, and whether there is none."""
    places = np.arange(lattice.size) + offset
    beyond = (places < 0) | (places >= lattice.size)
    inside = places % lattice.size if lattice.boundary == "ring" else np.clip(places, 0, lattice.size - 1)
    return inside, beyond & (lattice.boundary == "zero")


class _Form:
    """Expressions over the names that they use."""

    def __init__(self, trees: Sequence[Expression], lattice: Lattice) -> None:
        ends = [f"{name}_{end}" for name in lattice.own for end in "ij"]
        inner = [*(n.name for n in lattice.neighbours), *dict(lattice.means), *dict(lattice.couplings)]
        declared = {*lattice.own, *lattice.shared, *ends, *inner, *dict(lattice.totals)}
        self._names = [name for name in names_in(*trees) if name in declared]
        self._program = program(trees, self._names)

    def __call__(self, named: Mapping[str, Array], shape: tuple[int, ...]) -> list[Array]:
        found = self._program([named[name] for name in self._names])
        return [np.broadcast_to(np.asarray(value, dtype=np.float64), shape) for value in found]
