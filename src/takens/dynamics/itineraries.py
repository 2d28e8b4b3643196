"""Symbolic dynamics of piecewise-linear maps: the regions an orbit goes through, their graph, and its entropies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData
from ..wording import printed
from .piecewise_linear import PiecewiseLinear, Regions

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[np.float64]
LONGEST = 12
"""Most symbols of the words whose entropies are computed."""
SEEN = 10
"""A word must be seen so often on average for the entropy of words of its length to be trusted."""


@final
@dataclass(frozen=True, eq=False)
class Itinerary:
    """The regions that an orbit goes through, as symbols, and the graph of the steps between them.

    `regions (region, unit)` are those that were visited, the most often visited first, with the units that are on;
    `codes (time,)` their numbers along the orbit. Entropies are in nats a step.
    """

    regions: Regions
    codes: NDArray[np.int64]

    __repr__ = printed

    def __len__(self) -> int:
        return len(self.regions)

    @property
    def visits(self) -> NDArray[np.int64]:
        """How often each region was visited `(region,)`."""
        return np.bincount(self.codes, minlength=len(self.regions))

    @cached_property
    def counts(self) -> csr_array:
        """How often each step from a region to a region was made `(region, region)`, as a sparse matrix."""
        from scipy.sparse import coo_array

        size = len(self.regions)
        ones = np.ones(len(self.codes) - 1)
        return coo_array((ones, (self.codes[:-1], self.codes[1:])), shape=(size, size)).tocsr()

    @property
    def links(self) -> NDArray[np.int64]:
        """The steps that were made, `(link, 2)` numbers of regions."""
        return np.column_stack(self.counts.nonzero()).astype(np.int64)

    @property
    def probabilities(self) -> Array:
        """The share of steps from each region that lead to each other one `(region, region)`; 0 where none was made."""
        whole = self.counts.toarray()
        return np.asarray(whole / np.maximum(whole.sum(axis=1, keepdims=True), 1.0))

    @property
    def staying(self) -> float:
        """The share of steps that stay in their region: near 1 for a flow sampled finely."""
        return float(np.mean(self.codes[1:] == self.codes[:-1]))

    @property
    def once(self) -> float:
        """The share of the steps between regions seen only once: where it is not small the graph is not yet known."""
        return float(np.mean(self.counts.data == 1))

    @property
    def topological_entropy(self) -> float:
        """The logarithm of the largest eigenvalue of the graph: how fast the number of its paths grows.

        No motion along the graph has a larger entropy; where the regions are a Markov partition it is the topological
        entropy of the map.
        """
        from scipy.sparse.csgraph import connected_components

        graph = self.counts.copy()
        graph.data = np.ones_like(graph.data)
        parts, label = connected_components(graph, directed=True, connection="strong")
        largest = 1.0
        for part in np.flatnonzero(np.bincount(label, minlength=parts) > 1):
            inside = np.flatnonzero(label == part)
            largest = max(largest, _radius(graph[inside][:, inside]))
        return float(np.log(largest))

    @property
    def markov_entropy(self) -> float:
        """-sum_i p_i sum_j P_ij ln P_ij, the entropy rate of a chain that makes the same steps without memory."""
        total = np.asarray(self.counts.sum(axis=1)).ravel()
        source = np.repeat(np.arange(len(total)), np.diff(self.counts.indptr))
        share = self.counts.data / total[source]
        return float(-np.sum(self.counts.data * np.log(share)) / total.sum())

    def word_entropies(self, longest: int = LONGEST) -> Array:
        """The entropy `(length,)` of the next symbol given the 0, 1, ... before it, H(n) - H(n - 1) of words of n.

        They fall towards the entropy rate of the symbols (the second is `markov_entropy`, up to its ends). It stops
        before words that are seen fewer than 10 times on average, whose entropies would be too small. Raises
        `InsufficientData` for fewer than 100 symbols.
        """
        if len(self.codes) < 100:
            raise InsufficientData(f"{len(self.codes)} symbols; 100 are needed for entropies of words")
        found: list[float] = []
        before = 0.0
        word = np.zeros(len(self.codes), dtype=np.int64)
        for length in range(1, longest + 1):
            rows = len(self.codes) - length + 1
            # A word is its beginning and one symbol more; beginnings are numbered anew so that numbers stay small.
            word = np.unique(word[:rows] * len(self.regions) + self.codes[length - 1 :], return_inverse=True)[1]
            counts = np.bincount(word)
            if found and rows < SEEN * len(counts):
                break
            share = counts / rows
            entropy = float(-np.sum(share * np.log(share)))
            found.append(max(entropy - before, 0.0))
            before = entropy
        return np.array(found)


def itinerary(pieces: PiecewiseLinear, states: ArrayLike) -> Itinerary:
    """The symbols of an orbit `states (time, state)`: which region of the map each state is in.

    Raises `DataError` for another shape or states that are not finite. Cost: O(time x units).
    """
    orbit = np.asarray(states, dtype=np.float64)
    if orbit.ndim != 2 or orbit.shape[1] != pieces.dimension or len(orbit) < 2 or not np.isfinite(orbit).all():
        raise DataError(f"an orbit is finite with shape (time, {pieces.dimension}), this one has {orbit.shape}")
    on = pieces.regions(orbit)
    packed = np.packbits(on, axis=1) if pieces.units else np.zeros((len(on), 1), dtype=np.uint8)
    _, first, codes, visits = np.unique(packed, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(-visits, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Itinerary(on[first[order]], place[codes.ravel()].astype(np.int64))


def _radius(graph: csr_array) -> float:
    """The largest eigenvalue of a strongly connected graph."""
    size = graph.shape[0]
    if size <= 500:
        return float(np.abs(np.linalg.eigvals(graph.toarray())).max())
    # By powers of the graph with one more step from each node to itself, whose largest eigenvalue stands alone.
    vector, radius = np.ones(size), 1.0
    for _ in range(10_000):
        after = graph @ vector + vector
        low, high = float((after / vector).min()), float((after / vector).max())
        vector, radius = after / after.sum(), (low + high) / 2
        if high - low < 1e-10 * high:
            break
    return radius - 1.0
