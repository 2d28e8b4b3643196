"""Teacher forcing: how strongly, and when, a running network is drawn to the data while it is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base import Array

EVERY = 5
"""Updates between two estimates of an adaptive strength."""
MEMORY = 0.999
"""Share of the old strength that is kept where the estimate is smaller."""
MOST = 64
"""Rows of each sequence on which the growth of gradients is estimated; evenly spread."""


@dataclass(frozen=True)
class Teaching:
    """z_t is drawn to the data's z by a share a_t: z_t <- (1 - a_t) z_t + a_t data.

    "sparse": a_t = 1 at every `interval`-th row and 0 between (Brenner et al., ICML 2022). "generalised": a_t =
    `strength` at every row (Hess et al., ICML 2023). "adaptive": the same, with a strength that starts at 1 and follows
    1 - 1 / N, the smallest that keeps gradients from exploding, N the growth of Jacobians of a step along the data.
    """

    kind: str
    interval: int
    strength: float

    def shares(self, rows: int, strength: float) -> Array:
        """The shares a_t `(time,)` of a sequence; `strength` is the adaptive one."""
        if self.kind == "sparse":
            return (np.arange(rows) % self.interval == 0).astype(np.float64)
        return np.full(rows, strength if self.kind == "adaptive" else self.strength)

    def follow(self, strength: float, jacobians: Array) -> float:
        """The adaptive strength after an estimate: at once where it must be larger, slowly where it may be smaller."""
        if not np.isfinite(jacobians).all():
            return strength
        needed = max(0.0, 1.0 - 1.0 / growth(jacobians))
        return needed if needed > strength else MEMORY * strength + (1 - MEMORY) * needed


def growth(jacobians: Array) -> float:
    """Largest over sequences of the geometric mean over rows of the spectral norms, `jacobians (time, batch, n, n)`."""
    norms = np.linalg.norm(jacobians, ord=2, axis=(2, 3))
    return float(np.exp(np.log(np.maximum(norms, 1e-300)).mean(axis=0)).max())


def pseudo_inverse(matrix: Array) -> Array:
    """The Moore-Penrose inverse, NaN where the training has diverged."""
    if not np.isfinite(matrix).all():
        return np.full(matrix.T.shape, np.nan)
    return np.asarray(np.linalg.pinv(matrix))


def pseudo_inverse_slopes(matrix: Array, inverse: Array, slopes: Array) -> Array:
    """The slopes by a matrix B `(row, column)` of full rank, given those by its pseudo-inverse P `(column, row)`.

    From dP = -P dB P + P P' dB' (1 - B P) + (1 - P B) dB' P' P (Golub & Pereyra, SIAM J. Numer. Anal. 10, 413, 1973).
    """
    rows, columns = matrix.shape
    first = -inverse.T @ slopes @ inverse.T
    second = (np.eye(rows) - matrix @ inverse) @ slopes.T @ inverse @ inverse.T
    third = inverse.T @ inverse @ slopes.T @ (np.eye(columns) - inverse @ matrix)
    result: Array = first + second + third
    return result


def condition_penalty(matrix: Array) -> tuple[float, Array]:
    """(1 - smallest / largest singular value)^2 of a matrix and its slopes: read-outs that can be inverted safely."""
    if not np.isfinite(matrix).all():
        return float("nan"), np.full(matrix.shape, np.nan)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    ratio = values[-1] / values[0]
    slopes = np.outer(left[:, -1], right[-1]) / values[0] - ratio * np.outer(left[:, 0], right[0]) / values[0]
    return float((1 - ratio) ** 2), -2 * (1 - ratio) * slopes
