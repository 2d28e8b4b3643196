"""Graphs that couple the nodes of a lattice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError


@final
@dataclass(frozen=True, eq=False)
class Graph:
    """Edges j -> i between N nodes, kept by their targets: those of node i are starts[i] ... starts[i + 1] - 1.

    `sources (edge,)` holds j, `weights (edge,)` the weight of each, or None where all are 1. Nodes count from 0.
    """

    starts: NDArray[np.int64]
    sources: NDArray[np.int32]
    weights: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, size: int, edges: ArrayLike, weights: ArrayLike | None = None, *, directed: bool = False) -> Graph:
        """A graph of `size` nodes from `edges (edge, 2)`: (source, target), from 0; both ways unless `directed`.

        `weights (edge,)` multiply what goes along an edge. Raises `SettingError` for nodes that are not there, for
        edges from a node to itself, edges given twice, and weights that do not fit. Cost: that of sorting the edges.
        """
        pairs = np.asarray(edges)
        if not pairs.size:
            pairs = np.zeros((0, 2), dtype=np.int64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
            raise SettingError(f"edges have shape {pairs.shape}", remedy="Give pairs of nodes: whole numbers.")
        for wrong, what in (
            ((pairs < 0) | (pairs >= size), "names a node that is not there"),
            ((pairs[:, 0] == pairs[:, 1])[:, None], "goes from a node to itself"),
        ):
            if wrong.any():
                row = int(np.flatnonzero(wrong.any(axis=1))[0])
                raise SettingError(
                    f"edge {row + 1} {what}: ({pairs[row, 0] + 1}, {pairs[row, 1] + 1})",
                    remedy=f"The nodes are 1 to {size}.",
                )
        factors = None if weights is None else np.asarray(weights, dtype=np.float64)
        if factors is not None and (factors.shape != (len(pairs),) or not np.isfinite(factors).all()):
            raise SettingError(
                f"weights have shape {factors.shape} for {len(pairs)} edges", remedy="Give a finite number for each."
            )
        if not directed:
            pairs = np.concatenate([pairs, pairs[:, ::-1]])
            factors = None if factors is None else np.concatenate([factors, factors])
        order = np.lexsort((pairs[:, 0], pairs[:, 1]))
        pairs = pairs[order]
        if (np.diff(pairs, axis=0) == 0).all(axis=1).any():
            row = int(np.flatnonzero((np.diff(pairs, axis=0) == 0).all(axis=1))[0])
            raise SettingError(
                f"the edge ({pairs[row, 0] + 1}, {pairs[row, 1] + 1}) is given twice",
                remedy="Give each once; without directed = true an edge goes both ways.",
            )
        starts = np.searchsorted(pairs[:, 1], np.arange(size + 1)).astype(np.int64)
        return cls(starts, pairs[:, 0].astype(np.int32), None if factors is None else factors[order])

    @property
    def targets(self) -> NDArray[np.int64]:
        """The target `(edge,)` of each edge."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def gathered(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted sum `(..., node)` of `values (..., edge)` over the edges to each node."""
        weighted = values if self.weights is None else values * self.weights
        out = np.zeros((*values.shape[:-1], len(self.starts) - 1))
        reached = np.flatnonzero(np.diff(self.starts))
        if len(reached):
            out[..., reached] = np.add.reduceat(weighted, self.starts[reached], axis=-1)
        return out
