"""Pairs of points by distance: the correlation sum, and what leaving out a block of time changes in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from ...neighbours import Metric

Array = NDArray[np.float64]


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
    positive and ascending. Cost: the pairs within max(radii) in the two axes that vary together least; of the order of
    the number of pairs found, and at worst of all pairs.
    """
    from ..kernels.correlation import close_pairs, first_limits

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
    # Strips of the first axis and a sweep along the last: in delay vectors these two have the least in common.
    turned = points[:, np.roll(np.arange(axes), 1)] if axes > 1 else points
    width = float(radii[-1]) * (1 + 1e-12)
    strip = np.floor(np.minimum((turned[:, 0] - turned[:, 0].min()) / width, 2**40)).astype(np.int64)
    if axes == 1:
        strip[:] = 0
    order = np.lexsort((turned[:, min(1, axes - 1)], strip))
    occupied, number = np.unique(strip[order], return_inverse=True)
    # An empty strip between two of points is kept, once, so that only neighbouring strips are compared.
    number = np.concatenate([[0], np.cumsum(np.minimum(np.diff(occupied), 2))])[number]
    starts = np.searchsorted(number, np.arange(number[-1] + 2)).astype(np.int64)
    label = np.arange(n) * blocks // n
    limits = radii if metric == "maximum" else radii**2
    table, lowest = first_limits(limits)
    counts = np.zeros((blocks, blocks, len(radii)), dtype=np.int64)
    sums = np.zeros(counts.shape if logs else (0, 0, 0))
    neighbours = np.zeros((n, len(radii)) if each else (0, 0), dtype=np.int64)
    close_pairs(np.ascontiguousarray(turned[order].T), starts, order, label[order], limits, table, lowest, theiler,
                metric == "maximum", counts, neighbours, sums)  # fmt: skip
    own = np.empty_like(neighbours)
    if each:
        own[order] = np.cumsum(neighbours, axis=1)
    scale = 1.0 if metric == "maximum" else 0.5
    return Pairs(
        radii,
        np.cumsum(counts, axis=2),
        _possible(n, label, theiler, blocks),
        np.cumsum(sums, axis=2) * scale if logs else None,
        own if each else None,
    )


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
