"""The one neighbour search: exact k nearest points outside a Theiler window, in a k-d tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DataError, SettingError

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Metric = Literal["euclidean", "maximum"]

BATCH = 2_000_000
"""Neighbour slots fetched at once; bounds the memory of a search to some tens of megabytes."""


def delay_vectors(x: ArrayLike, embedding_dimension: int, delay: int) -> Array:
    """Delay vectors `(time - (m - 1) delay, m)`: row i is x[i], x[i + delay], ..., x[i + (m - 1) delay].

    Takens (1981). Raises `SettingError` unless both settings are at least 1 and `DataError` where `x (time,)` is too
    short. Cost: one copy.
    """
    if embedding_dimension < 1 or delay < 1:
        raise SettingError(f"embedding_dimension and delay must be at least 1, got {embedding_dimension} and {delay}")
    x = np.asarray(x, dtype=np.float64)
    span = (embedding_dimension - 1) * delay
    if len(x) <= span:
        raise DataError(f"{len(x)} values are too few for {embedding_dimension} delays of {delay}")
    return np.stack([x[i * delay : len(x) - span + i * delay] for i in range(embedding_dimension)], axis=1)


def nearest(
    points: ArrayLike | cKDTree,
    queries: ArrayLike | None = None,
    *,
    k: int = 1,
    theiler: int = 0,
    exclude: ArrayLike | None = None,
    distinct: bool = False,
    metric: Metric = "euclidean",
) -> tuple[Array, NDArray[np.int64]]:
    """The `k` nearest of `points (n, d)` to each of `queries (q, d)`: distances and indices `(q, k)`, nearest first.

    `exclude (q,)` gives for each query the point that it is, and points j with |j - exclude| <= `theiler` do not count
    (Theiler 1986); without `queries` every point is a query and excludes itself. Without `exclude` nothing is left out.
    `distinct` leaves out points at distance 0. Where fewer than `k` points remain, distance is inf and index -1.
    `points` may be a `cKDTree` that was made before. Exact: the search fetches more neighbours until enough lie outside
    the window. Raises `DataError` for NaN and for shapes that do not fit. Cost: O((n + q (k + theiler)) log n) in few
    dimensions; beyond about 15 dimensions a k-d tree is no faster than comparing all pairs.
    """
    if k < 1 or theiler < 0:
        raise SettingError(f"k must be at least 1 and theiler at least 0, got {k} and {theiler}")
    tree: cKDTree = cast("cKDTree", points) if hasattr(points, "query") else _tree(points)
    if queries is None:
        targets = np.asarray(tree.data)
        own: NDArray[np.int64] | None = (
            np.arange(len(targets)) if exclude is None else np.asarray(exclude, dtype=np.int64)
        )
    else:
        targets = _rows(queries)
        own = None if exclude is None else np.asarray(exclude, dtype=np.int64)
    if targets.shape[1] != tree.m:
        raise DataError(f"queries have {targets.shape[1]} dimensions, the points {tree.m}")
    if own is not None and own.shape != (len(targets),):
        raise SettingError(f"exclude has shape {own.shape} for {len(targets)} queries")
    distances = np.full((len(targets), k), np.inf)
    indices = np.full((len(targets), k), -1, dtype=np.int64)
    todo = np.arange(len(targets))
    fetch = min(tree.n, k + (0 if own is None else min(2 * theiler + 1, 8)))
    while len(todo):
        step = max(1, BATCH // fetch)
        left = []
        for start in range(0, len(todo), step):
            rows = todo[start : start + step]
            found, where, enough = _query(tree, targets[rows], k, fetch, None if own is None else own[rows], theiler,
                                          distinct, 2.0 if metric == "euclidean" else np.inf)  # fmt: skip
            distances[rows], indices[rows] = found, where
            left.append(rows[~enough])
        todo = np.concatenate(left) if fetch < tree.n else todo[:0]
        fetch = min(tree.n, 3 * fetch)
    return distances, indices


def _query(
    tree: cKDTree, targets: Array, k: int, fetch: int, own: NDArray[np.int64] | None, theiler: int, distinct: bool,
    p: float,
) -> tuple[Array, NDArray[np.int64], NDArray[np.bool_]]:  # fmt: skip
    """The first `k` admissible of the `fetch` nearest, and whether there were `k`."""
    d, i = tree.query(targets, k=np.arange(1, fetch + 1), p=p)
    ok = np.isfinite(d)
    if own is not None:
        ok &= np.abs(i - own[:, None]) > theiler
    if distinct:
        ok &= d > 0
    first = np.argsort(~ok, axis=1, kind="stable")[:, :k]
    ok, d, i = (np.take_along_axis(array, first, axis=1) for array in (ok, d, i))
    found, where = np.full((len(targets), k), np.inf), np.full((len(targets), k), -1, dtype=np.int64)
    found[:, : ok.shape[1]] = np.where(ok, d, np.inf)
    where[:, : ok.shape[1]] = np.where(ok, i, -1)
    return found, where, ok.all(axis=1) & (ok.shape[1] == k)


def _tree(points: ArrayLike) -> cKDTree:
    from scipy.spatial import cKDTree

    # Sliding midpoint without compaction builds several times faster and answers smooth trajectories as fast.
    return cKDTree(_rows(points), balanced_tree=False, compact_nodes=False)


def _rows(points: ArrayLike) -> Array:
    rows = np.ascontiguousarray(points, dtype=np.float64)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or len(rows) == 0:
        raise DataError(f"expected points (n, d) with n > 0, got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise DataError("the neighbour search needs finite points", remedy="Leave rows with missing values out.")
    return rows
