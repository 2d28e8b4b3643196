"""Recurrence matrices for those who ask for them, recurrence networks and visibility graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from ...neighbours import Metric
from .plane import plane
from .threshold import Threshold, states

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[np.float64]

SOURCES = 500
"""States from which paths are looked for, evenly spread, in networks of more than 2000."""


def recurrence_matrix(
    points: ArrayLike, other: ArrayLike | None = None, *, radius: float | None = None, rate: float | None = None,
    neighbours: int | None = None, metric: Metric = "maximum", theiler: int = -1,
) -> csr_array:  # fmt: skip
    """The recurrence matrix R_ij = [|x_i - x_j| <= radius] as a sparse array of True `(n, m)`.

    With `other` the cross recurrence matrix. Pairs with |i - j| <= `theiler` are left out; by default none is, not even
    the line of identity. Raises as `recurrence_quantification`, which needs no matrix: ask for one to draw it. Cost:
    n m / 8 bytes on the way and 4 bytes a recurrence.
    """
    from scipy.sparse import csr_array

    found = states(points)
    made = plane(found, None if other is None else states(other), Threshold(radius, rate, neighbours, metric), theiler)
    bits = made.bits()
    columns, counts = [], []
    for row in bits:
        at = np.flatnonzero(np.unpackbits(row.astype("<u8").view(np.uint8), bitorder="little"))
        columns.append(at.astype(np.int32))
        counts.append(len(at))
    indices = np.concatenate(columns)
    start = np.concatenate([[0], np.cumsum(counts)])
    return csr_array((np.ones(len(indices), dtype=bool), indices, start), shape=(len(bits), made.width))


@dataclass(frozen=True)
class RecurrenceNetwork:
    """The network whose nodes are states and whose links join states that recur (no state with itself).

    `degree`, `triangles` (links among a node's neighbours) and `local_clustering` (their share; 0 below two neighbours)
    `(time,)`; `transitivity` (share of connected triples that close), `clustering` (mean of the local ones),
    `average_path_length` over the pairs that are joined, `joined` their share, `link_density`.
    """

    degree: NDArray[np.int64]
    triangles: NDArray[np.int64]
    local_clustering: Array
    transitivity: float
    clustering: float
    average_path_length: float
    joined: float
    link_density: float

    @property
    def transitivity_dimension(self) -> float:
        """ln(transitivity) / ln(3/4), a dimension of the set of states in the maximum norm (Donner et al. 2011)."""
        return float(np.log(self.transitivity) / np.log(0.75))


def recurrence_network(
    points: ArrayLike, *, radius: float | None = None, rate: float | None = None, metric: Metric = "maximum",
    theiler: int = 0, paths: bool = True,
) -> RecurrenceNetwork:  # fmt: skip
    """The recurrence network of `points (time, d)` with links where |x_i - x_j| <= radius, i != j.

    Path lengths are exact up to 2000 states and come from 500 evenly spread ones beyond; without `paths` they are NaN.
    Raises as `recurrence_quantification`. Cost: n^2 / 8 bytes; O(links n / 64) for triangles and as much for each 64
    sources of paths. Not for data whose neighbourhoods are smaller than the sampling: links then follow time only,
    which `theiler` shows. Donner et al., New J. Phys. 12, 033025 (2010).
    """
    from ..kernels.recurrence import degrees_and_triangles, path_lengths

    if theiler < 0:
        raise SettingError("a state is no neighbour of itself: theiler must be at least 0")
    found = states(points)
    bits = plane(found, None, Threshold(radius, rate, None, metric), theiler).bits()
    degree, triangles = degrees_and_triangles(bits)
    n = len(found)
    triples = degree * (degree - 1) / 2
    local = np.divide(triangles, triples, out=np.zeros(n), where=triples > 0)
    length, joined = np.nan, np.nan
    if paths:
        sources = np.arange(n) if n <= 2000 else np.linspace(0, n - 1, SOURCES).round().astype(np.int64)
        steps, reached = path_lengths(bits, sources)
        joined = float(reached.sum() / (len(sources) * (n - 1)))
        length = float(steps.sum() / reached.sum()) if reached.sum() else np.nan
    transitivity = float(triangles.sum() / triples.sum()) if triples.sum() else np.nan
    density = float(degree.sum() / (n * (n - 1)))
    return RecurrenceNetwork(degree, triangles, local, transitivity, float(local.mean()), length, joined, density)


def visibility_degrees(x: ArrayLike, kind: Literal["horizontal", "natural"] = "horizontal") -> NDArray[np.int64]:
    """Degrees `(time,)` of the visibility graph of `x (time,)`.

    Horizontal: i sees j if all values between are smaller than both (Luque et al. 2009); values of an uncorrelated
    series have P(k) = (2/3)^(k - 2) / 3, whatever their distribution. Natural: i sees j if all values between lie below
    the straight line from one to the other (Lacasa et al. 2008). Raises `DataError` for NaN. Cost: O(time) and
    O(time^2).
    """
    from ..kernels.recurrence import horizontal_visibility, natural_visibility

    values = np.ascontiguousarray(x, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(f"a visibility graph needs finite values (time,), got shape {values.shape}")
    if kind not in ("horizontal", "natural"):
        raise SettingError(f"kind must be horizontal or natural, got {kind!r}")
    return horizontal_visibility(values) if kind == "horizontal" else natural_visibility(values)
