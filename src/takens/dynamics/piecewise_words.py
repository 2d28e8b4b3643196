"""Closed words: the cycle that goes through given regions of a piecewise-linear map, and whether it is really there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cycles import PeriodicOrbit
from .fixed_points import eigenvalues, stability
from .piecewise_linear import PiecewiseLinear, Regions

Array = NDArray[np.float64]

CHUNK = 2_000_000
"""Entries of matrices that are handled at once."""
BORDER = 1e-9
"""A unit this near to 0, relative to the terms of its sum, may be on or off: the map is continuous there."""
SINGULAR = 1e-11
"""Reciprocal condition below which a word has no single cycle."""


@dataclass(frozen=True)
class Closed:
    """What words lead to: `points (word, step, state)` of their cycles, whether they are `single (word,)`, that is the
    equation has one solution, and where it has not, whether it may have a whole line of them, `many (word,)`."""

    points: Array
    single: NDArray[np.bool_]
    many: NDArray[np.bool_]


def closed(slopes: Array, shifts: Array) -> Closed:
    """The solutions of z_(j+1) = J_j z_j + b_j, z_(k+1) = z_1, for `slopes (word, step, state, state)` and `shifts
    (word, step, state)`."""
    words, steps, size = shifts.shape
    around, shift = np.broadcast_to(np.eye(size), (words, size, size)).copy(), np.zeros((words, size))
    for j in range(steps):
        around = slopes[:, j] @ around
        shift = (slopes[:, j] @ shift[..., None])[..., 0] + shifts[:, j]
    matrix = np.eye(size) - around
    # A second right-hand side shows how much the inverse stretches, and so where the matrix is singular.
    probe = np.cos(1.0 + 2.4 * np.arange(size))
    right = np.stack([shift, np.broadcast_to(probe, shift.shape)], axis=-1)
    try:
        solution = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        solution = np.stack([_solved(m, r) for m, r in zip(matrix, right, strict=True)])
    with np.errstate(all="ignore"):
        stretch = np.linalg.norm(solution[..., 1], axis=1) / np.linalg.norm(probe)
        single = np.isfinite(solution).all(axis=(1, 2)) & (stretch * np.abs(matrix).max(axis=(1, 2)) < 1 / SINGULAR)
    many = np.zeros(words, dtype=bool)
    for i in np.flatnonzero(~single):
        if np.isfinite(matrix[i]).all():
            nearest = np.linalg.pinv(matrix[i], rcond=SINGULAR) @ shift[i]
            many[i] = np.abs(matrix[i] @ nearest - shift[i]).max() <= 1e-7 * (1 + np.abs(shift[i]).max())
    points = np.empty((words, steps, size))
    points[:, 0] = np.where(single[:, None], solution[..., 0], np.nan)
    with np.errstate(all="ignore"):
        for j in range(1, steps):
            points[:, j] = (slopes[:, j - 1] @ points[:, j - 1, :, None])[..., 0] + shifts[:, j - 1]
    return Closed(points, single, many)


def _solved(matrix: Array, right: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)


def consistent(pieces: PiecewiseLinear, points: Array, words: Regions) -> NDArray[np.bool_]:
    """Whether `points (word, step, state)` lie in the regions `words (word, step, unit)`, borders included."""
    with np.errstate(invalid="ignore"):
        activation = pieces.activation(points)
        terms = np.abs(points) @ np.abs(pieces.inner.T) + np.abs(pieces.threshold)
        inside = np.where(words, activation >= -BORDER * terms, activation <= BORDER * terms)
    return np.asarray(inside.all(axis=(1, 2)) & np.isfinite(points).all(axis=(1, 2)))


def verified(pieces: PiecewiseLinear, points: Array, word: Regions) -> bool:
    """Whether the cycle with approximate `points (step, state)` is proved to exist in the regions `word (step, unit)`.

    The linear equation of the word has one solution where an approximate inverse X of its matrix N has |X N - I| < 1/2;
    it is no farther than 2 |X| r from the first point, r what the orbit of that point misses, rounding errors included
    (bounds of sums of n terms, n eps times the sum of moduli). The cycle exists if no unit can change its sign within
    these distances.
    """
    slopes, _ = pieces.affine(word)
    size, steps = pieces.dimension, len(points)
    unit = 2 * (size + 2 * pieces.units + 8) * np.finfo(float).eps
    around = np.eye(size)
    rounding, far = np.zeros(size), np.zeros((size, size))
    for j in range(steps):
        local = unit * (_terms(pieces, points[j]) + np.abs(points[(j + 1) % steps]))
        missed = np.abs(pieces.affine(word[j])[0] @ points[j] + pieces.affine(word[j])[1] - points[(j + 1) % steps])
        rounding = np.abs(slopes[j]) @ rounding + local + missed
        far = np.abs(slopes[j]) @ far + unit * np.abs(slopes[j]) @ np.abs(around)
        around = slopes[j] @ around
    matrix = np.eye(size) - around
    inverse = np.linalg.inv(matrix)
    defect = np.abs(inverse @ matrix - np.eye(size)) + unit * np.abs(inverse) @ np.abs(matrix) + np.abs(inverse) @ far
    if not defect.sum(axis=1).max() < 0.5:
        return False
    distance = 2 * float((np.abs(inverse) @ rounding).max()) * np.ones(size)
    for j in range(steps):
        activation = pieces.activation(points[j])
        terms = np.abs(pieces.inner) @ np.abs(points[j]) + np.abs(pieces.threshold)
        margin = np.abs(pieces.inner) @ distance + unit * terms
        if not (np.where(word[j], activation, -activation) > margin).all():
            return False
        missed = np.abs(pieces.affine(word[j])[0] @ points[j] + pieces.affine(word[j])[1] - points[(j + 1) % steps])
        distance = np.abs(slopes[j]) @ distance + unit * _terms(pieces, points[j]) + missed
    return True


def _terms(pieces: PiecewiseLinear, point: Array) -> Array:
    """The sum of the moduli of everything that is added up in one step `(state,)`."""
    within = np.abs(pieces.inner) @ np.abs(point) + np.abs(pieces.threshold)
    return np.asarray(np.abs(pieces.linear) @ np.abs(point) + np.abs(pieces.outer) @ within + np.abs(pieces.offset))


def described(pieces: PiecewiseLinear, points: Array, word: Regions) -> PeriodicOrbit:
    """A cycle with its multipliers, from its smallest point on."""
    first = int(np.lexsort(points.T[::-1])[0])
    points, word = np.roll(points, -first, axis=0), np.roll(word, -first, axis=0)
    around = np.eye(pieces.dimension)
    for slope in pieces.affine(word)[0]:
        around = slope @ around
    multipliers = eigenvalues(around, stepwise=True)
    missed = float(np.abs(pieces.values(points) - np.roll(points, -1, axis=0)).max())
    return PeriodicOrbit(
        float(len(points)), points, multipliers, stability(multipliers, stepwise=True), missed,
        verified(pieces, points, word),
    )  # fmt: skip
