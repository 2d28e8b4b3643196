"""When two states recur: within a radius, at a rate of recurrence, or among the nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from ...neighbours import Metric, nearest

Array = NDArray[np.float64]

PAIRS = 4_000_000
"""Distances looked at for a rate of recurrence; up to 2000 states these are all."""


@dataclass(frozen=True)
class Threshold:
    """The rule by which states recur; exactly one of the first three is given.

    `radius`: states no further apart recur (a distance equal to it counts). `rate`: the radius is the quantile of the
    distances outside the Theiler window at this share of pairs, from all pairs of up to 2000 states and else from
    evenly spread rows of the matrix. `neighbours`: from each state its own radius, the distance of the neighbour of
    this rank; the matrix is then not symmetric. `metric`: maximum or euclidean. Raises `SettingError`.
    """

    radius: float | None = None
    rate: float | None = None
    neighbours: int | None = None
    metric: Metric = "maximum"

    def __post_init__(self) -> None:
        given = [name for name in ("radius", "rate", "neighbours") if getattr(self, name) is not None]
        if len(given) != 1:
            raise SettingError(f"give one of radius, rate and neighbours, not {' and '.join(given) or 'none'}")
        if self.radius is not None and not (np.isfinite(self.radius) and self.radius >= 0):
            raise SettingError(f"radius must be finite and not negative, got {self.radius}")
        if self.rate is not None and not 0 < self.rate < 1:
            raise SettingError(f"rate is a share of pairs between 0 and 1, got {self.rate}")
        if self.neighbours is not None and self.neighbours < 1:
            raise SettingError(f"neighbours must be at least 1, got {self.neighbours}")
        if self.metric not in ("maximum", "euclidean"):
            raise SettingError(f"metric must be maximum or euclidean, got {self.metric!r}")

    def radii(self, rows: Array, columns: Array, theiler: int) -> Array:
        """The radius `(n,)` of each of the `rows (n, d)`; pairs with |i - j| <= `theiler` do not count (-1: all do)."""
        if self.radius is not None:
            return np.full(len(rows), float(self.radius))
        if self.rate is not None:
            return np.full(len(rows), _quantile(rows, columns, self.rate, self.metric, theiler))
        assert self.neighbours is not None
        own = np.arange(len(rows)) if theiler >= 0 else None
        distance, _ = nearest(
            columns, rows, k=self.neighbours, theiler=max(theiler, 0), exclude=own, metric=self.metric
        )
        if not np.isfinite(distance[:, -1]).all():
            raise DataError(
                f"{len(columns)} states are too few for {self.neighbours} neighbours outside a window of {theiler}"
            )
        # A k-d tree may round otherwise than the comparison does.
        return distance[:, -1] * (1 + 1e-14)


def _quantile(rows: Array, columns: Array, rate: float, metric: Metric, theiler: int) -> float:
    n = len(rows)
    chosen = np.unique(np.linspace(0, n - 1, max(1, min(n, PAIRS // len(columns)))).round().astype(int))
    found = []
    for i in chosen:
        apart = np.abs(columns - rows[i])
        distance = apart.max(axis=1) if metric == "maximum" else np.sqrt(np.sum(apart**2, axis=1))
        outside = [distance[: max(i - theiler, 0)], distance[i + theiler + 1 :]] if theiler >= 0 else [distance]
        found += outside
    distances = np.concatenate(found)
    if len(distances) == 0:
        raise DataError(f"no pair of {n} states lies outside a Theiler window of {theiler}")
    rank = max(int(np.ceil(rate * len(distances))) - 1, 0)
    return float(np.partition(distances, rank)[rank])


def states(points: ArrayLike) -> Array:
    """`points` as finite states `(time, d)`. Raises `DataError` for other shapes, fewer than two states and NaN."""
    found = np.asarray(points, dtype=np.float64)
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or len(found) < 2 or found.shape[1] < 1:
        raise DataError(f"recurrence needs states (time, d), at least two, got shape {found.shape}")
    if not np.isfinite(found).all():
        raise DataError("recurrence needs finite states", remedy="Use a gap-free stretch, or leave rows out knowingly.")
    return found
