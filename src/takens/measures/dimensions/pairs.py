"""Pairs of points by distance: the correlation sum, and what leaving out a block of time changes in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from ...neighbours import Metric

Array = NDArray[np.float64]

DENSE = 0.3
"""Share of pairs within the largest radius in two axes above which all are compared, in tiles."""

TILE = 128
"""Points in a tile."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of points within each of `radii (radius,)`, by blocks of time.

    `close (block, block, radius)` counts the pairs at most so far apart whose points lie in the two blocks (each pair
    once, in one of the two orders), `possible (block, block)` all pairs outside the Theiler window. `logs` are sums of
    ln distance like `close`, `each (point, radius)` the neighbours of every point; both None unless asked for.
    """

    radii: Array
    close: NDArray[np.int64]
    possible: Array
    logs: Array | None
    each: NDArray[np.int64] | None

    @property
    def correlation_sum(self) -> Array:
        """C(r) `(radius,)`: the share of pairs at most r apart."""
        return self.close.sum(axis=(0, 1)) / self.possible.sum()

    def without(self, array: NDArray) -> Array:
        """Totals of `array (block, block, ...)` without the pairs of one block `(block left out, ...)`."""
        both = array.sum(axis=0) + array.sum(axis=1) - np.einsum("bb...->b...", array)
        return np.asarray(array.sum(axis=(0, 1)) - both, dtype=float)


def count_pairs(
    points: ArrayLike, radii: ArrayLike, *, theiler: int = 0, metric: Metric = "euclidean", blocks: int = 1,
    logs: bool = False, each: bool = False,
) -> Pairs:  # fmt: skip
    """All pairs of `points (time, axis)` at most max(`radii`) apart, more than `theiler` steps apart in time.

    C(r) = #{i < j: |x_i - x_j| <= r, j - i > w} / #{i < j: j - i > w} (Grassberger and Procaccia 1983; w: Theiler
    1986). `blocks` cuts time into equal parts and tells the pairs apart by theirs. Exact: the counts are those of the
    comparison of all pairs. Raises `DataError` for points that are not finite and `SettingError` for radii that are not
    positive and ascending. Cost: the pairs within max(radii) in the two axes that vary together least, some 3 ns each;
    where these are more than a third of all, 0.7 to 2 ns for every pair and 16 radii instead (`logs` and `each`
    cost the 3 ns then too).
    """
    points = np.asarray(points, dtype=np.float64)
    points = points[:, None] if points.ndim == 1 else points
    radii = np.atleast_1d(np.asarray(radii, dtype=np.float64))
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        raise DataError(f"pairs need finite points (time, axis), got shape {points.shape}")
    if not (radii > 0).all() or not (np.diff(radii) > 0).all() or not np.isfinite(radii).all():
        raise SettingError("radii must be positive and ascend", remedy="For instance np.geomspace(0.01, 1, 16).")
    if not 0 <= theiler < len(points) - 1 or not 1 <= blocks <= len(points):
        raise SettingError(f"theiler is {theiler} and blocks {blocks} for {len(points)} points")
    n, axes = points.shape
    # The first axis and the last lead: in delay vectors these two have the least in common.
    turned = points[:, np.roll(np.arange(axes), 1)] if axes > 1 else points
    label = np.arange(n) * blocks // n
    limits = radii if metric == "maximum" else radii**2
    possible = _possible(n, label, theiler, blocks)
    if not logs and not each and _share(turned, radii[-1]) > DENSE:
        counts = _in_tiles(turned, label, limits, theiler, metric == "maximum", blocks)
        return Pairs(radii, counts, possible, None, None)
    close, sums, neighbours = _in_strips(turned, label, radii, limits, theiler, metric == "maximum", blocks, logs, each)
    scale = 1.0 if metric == "maximum" else 0.5
    return Pairs(radii, close, possible, sums * scale if logs else None, neighbours if each else None)


def _share(turned: Array, reach: float) -> float:
    """About the share of pairs that are within `reach` in the two leading axes, from 100 points."""
    some = turned[:: -(-len(turned) // 100), :2].T
    near = np.abs(some[:, :, None] - some[:, None]) <= reach
    return float(near.all(axis=0).mean())


def _in_tiles(
    turned: Array, label: NDArray[np.int64], limits: Array, theiler: int, maximum: bool, blocks: int
) -> NDArray[np.int64]:
    """`Pairs.close` by comparing all pairs, but for tiles of points that lie between two limits from one another."""
    from ..kernels.correlation import pairs_in_time, tiled_pairs

    n, axes = turned.shape
    edges = np.searchsorted(label, np.arange(blocks + 1))
    # Slabs of the first axis in each block, as many as a slab holds tiles along the other axis.
    number = np.diff(edges)
    slabs = np.maximum(1, np.sqrt(number / TILE).round().astype(np.int64))
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((turned[:, 0], label))] = np.arange(n) - edges[label]
    order = np.lexsort((turned[:, min(1, axes - 1)], rank * slabs[label] // number[label], label))
    tiles = np.concatenate([np.arange(edges[b], edges[b + 1], TILE) for b in range(blocks)] + [[n]])
    counts = np.zeros((blocks, blocks, len(limits)), dtype=np.int64)
    tiled_pairs(np.ascontiguousarray(turned[order].T), tiles, label[order], limits, maximum, counts)
    if theiler:
        pairs_in_time(np.ascontiguousarray(turned.T), theiler, edges, limits, maximum, counts)
    return counts


def _in_strips(
    turned: Array, label: NDArray[np.int64], radii: Array, limits: Array, theiler: int, maximum: bool, blocks: int,
    logs: bool, each: bool,
) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:  # fmt: skip
    """`Pairs.close`, sums of the logarithm of the limits' kind and `Pairs.each`, by a sweep through strips."""
    from ..kernels.correlation import close_pairs, first_limits

    n, axes = turned.shape
    width = float(radii[-1]) * (1 + 1e-12)
    strip = np.floor(np.minimum((turned[:, 0] - turned[:, 0].min()) / width, 2**40)).astype(np.int64)
    if axes == 1:
        strip[:] = 0
    order = np.lexsort((turned[:, min(1, axes - 1)], strip))
    occupied, number = np.unique(strip[order], return_inverse=True)
    # An empty strip between two of points is kept, once, so that only neighbouring strips are compared.
    number = np.concatenate([[0], np.cumsum(np.minimum(np.diff(occupied), 2))])[number]
    starts = np.searchsorted(number, np.arange(number[-1] + 2)).astype(np.int64)
    table, lowest = first_limits(limits)
    counts = np.zeros((blocks, blocks, len(radii)), dtype=np.int64)
    sums = np.zeros(counts.shape if logs else (0, 0, 0))
    neighbours = np.zeros((n, len(radii)) if each else (0, 0), dtype=np.int64)
    close_pairs(np.ascontiguousarray(turned[order].T), starts, order, label[order], limits, table, lowest, theiler,
                maximum, counts, neighbours, sums)  # fmt: skip
    own = np.empty_like(neighbours)
    if each:
        own[order] = np.cumsum(neighbours, axis=1)
    return np.cumsum(counts, axis=2), np.cumsum(sums, axis=2), own


def _possible(n: int, label: NDArray[np.int64], theiler: int, blocks: int) -> Array:
    """Pairs `(block, block)` of `n` points that are more than `theiler` steps apart: earlier block, later block."""
    edges = np.searchsorted(label, np.arange(blocks + 1))
    index = np.arange(n)
    out = np.zeros((blocks, blocks))
    for b in range(blocks):
        later = np.maximum(0, edges[b + 1] - np.maximum(edges[b], index + theiler + 1))
        out[:, b] = np.bincount(label, later, minlength=blocks)
    return out


def correlation_sum(points: ArrayLike, radii: ArrayLike, *, theiler: int = 0, metric: Metric = "euclidean") -> Array:
    """The correlation sum C(r) `(radius,)` of `points (time, axis)`: the share of pairs at most r apart.

    See `count_pairs`, whose errors and cost it has.
    """
    return count_pairs(points, radii, theiler=theiler, metric=metric).correlation_sum
