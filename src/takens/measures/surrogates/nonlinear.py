"""Surrogates of nonlinear nulls: cycles in random order, noisy copies of a cycle, and other orbits of one attractor."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, SettingError
from ...neighbours import delay_vectors
from .cycles import cycle_starts

Array = NDArray[np.float64]


def cycle_shuffle(x: Array, count: int, rng: np.random.Generator, *, period: float) -> Array:
    """`count` copies `(count, time)` of `x (time,)` with its cycles in random order, ends before and after kept.

    Cycles run from upward crossing to upward crossing of the median (`cycle_starts`). Null:
    no dynamics beyond one cycle of about `period` samples (Theiler, Phys. Lett. A 196, 335, 1995). Raises `DataError`
    for fewer than 4 cycles. Not for data without cycles. Cost: O(N) each.
    """
    starts = cycle_starts(x, period)
    if len(starts) < 5:
        raise DataError(f"{max(len(starts) - 1, 0)} whole cycles; at least 4 are needed to shuffle them")
    cycles = [x[a:b] for a, b in pairwise(starts)]
    out = np.empty((count, len(x)))
    for row in range(count):
        order = rng.permutation(len(cycles))
        out[row] = np.concatenate([x[: starts[0]], *[cycles[c] for c in order], x[starts[-1] :]])
    return out


def pseudo_periodic(
    x: Array, count: int, rng: np.random.Generator, *, embedding_dimension: int, delay: int,
    radius: float | None = None,
) -> Array:  # fmt: skip
    """Noisy copies `(count, time)` of the cycle in `x (time,)`: walks that step to the successor of a near point.

    From delay vector z_i a point j is drawn with weight exp(-|z_i - z_j| / `radius`) and the walk goes on at j + 1
    (Small, Yu and Harrison, PRL 87, 188101, 2001). Null: a periodic orbit with uncorrelated noise; the walk keeps
    the cycle and forgets what lasts longer. `radius` None takes the one with most runs of exactly two points that are
    successive in the data, as the authors advise. Not for data without cycles. Cost: O(N^2 m) each. Raises
    `SettingError` for a radius that is not positive.
    """
    from ..kernels.surrogates import noisy_walk

    if count < 1 or (radius is not None and not radius > 0):
        raise SettingError(f"count must be at least 1 and radius positive, got {count} and {radius}", place="radius")
    points = delay_vectors(x, embedding_dimension, delay)
    radius = _best_radius(points, rng) if radius is None else radius
    out = np.empty((count, len(x)))
    path = np.empty(len(x), dtype=np.int64)
    for row in range(count):
        noisy_walk(points, radius, int(rng.integers(len(points))), rng.random(len(x)), path)
        out[row] = points[path, 0]
    return out


def _best_radius(points: Array, rng: np.random.Generator) -> float:
    """The radius with most runs of exactly two successive points, among 16 on a logarithmic scale."""
    from ..kernels.surrogates import noisy_walk

    n = len(points)
    scale = float(np.sqrt(np.var(points, axis=0).sum()))
    path = np.empty(min(n, 1000), dtype=np.int64)
    best, most = scale, -1
    for radius in scale * np.geomspace(1e-3, 1.0, 16):
        noisy_walk(points, radius, int(rng.integers(n)), rng.random(len(path)), path)
        follows = np.concatenate([[False], np.diff(path) == 1, [False]])
        # A run of two is one step of the data between two jumps.
        runs = int(np.sum(follows[1:-1] & ~follows[:-2] & ~follows[2:]))
        if runs > most:
            best, most = float(radius), runs
    return best


def twin(
    x: Array, count: int, rng: np.random.Generator, *, embedding_dimension: int, delay: int,
    recurrence_rate: float = 0.1,
) -> Array:  # fmt: skip
    """Other orbits `(count, time)` of the attractor of `x (time,)`: at twins the walk may go on from either.

    Twins are points whose columns of the recurrence matrix are equal (maximum norm, radius of the given
    `recurrence_rate`): the data cannot tell them apart, so either may be the present (Thiel et al., EPL 75, 535, 2006).
    Null: an independent copy of the same system; use it to test synchronisation. Walks that reach the end of the data
    jump to a random twin of an earlier point, or begin anew. Raises `DataError` where fewer than 1 % of the points have
    a twin: then copies would repeat the data. Cost: O(N^2) once, O(N) each.
    """
    from ..kernels.surrogates import recurrence_signatures

    if count < 1 or not 0 < recurrence_rate < 1:
        raise SettingError(f"recurrence_rate must be between 0 and 1, got {recurrence_rate}", place="recurrence_rate")
    points = delay_vectors(x, embedding_dimension, delay)
    n = len(points)
    pairs = rng.integers(n, size=(2, 20_000))
    radius = float(np.quantile(np.abs(points[pairs[0]] - points[pairs[1]]).max(axis=1), recurrence_rate))
    words = rng.integers(0, 2**64, size=n, dtype=np.uint64)
    _, group, size = np.unique(recurrence_signatures(points, radius, words), return_inverse=True, return_counts=True)
    members = np.argsort(group, kind="stable")
    begin = np.concatenate([[0], np.cumsum(size)])
    share = float(np.mean(size[group] > 1))
    if share < 0.01:
        raise DataError(
            f"{share:.1%} of the points have a twin; at least 1 % are needed",
            remedy="Raise recurrence_rate, lower embedding_dimension, or use a longer record.",
        )
    out = np.empty((count, len(x)))
    for row in range(count):
        here = int(rng.integers(n - 1))
        for t in range(len(x)):
            out[row, t] = points[here, 0]
            ahead = members[begin[group[here]] : begin[group[here] + 1]]
            ahead = ahead[ahead < n - 1]
            here = int(ahead[rng.integers(len(ahead))] + 1 if len(ahead) else rng.integers(n - 1))
    return out
