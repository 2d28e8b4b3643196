"""Ulam's method: the motion of densities as a Markov chain between the cells of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import System
from ..systems.evolve import evolve
from ..wording import printed
from .density import Density, edges_of, volumes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TransferOperator:
    """The motion of densities over one `interval`, from cell to cell.

    `matrix (cell, cell)`, a SciPy sparse array, holds the share of each cell (row) that goes to each other; rows of
    cells from which orbits leave the box sum to less than 1. Cells are counted along the last of the `axes` fastest;
    `edges` are those of the cells along each. `eigenvalue` is the largest of the matrix, 1 for a closed system.
    `density` is the invariant density, or for an open system that of orbits which have not left after a long time
    (conditionally invariant); its error is NaN, for the method has none of its own.
    """

    system: str
    axes: tuple[str, ...]
    edges: tuple[Array, ...]
    interval: float
    matrix: Any
    eigenvalue: float
    density: Density

    __repr__ = printed

    @property
    def escape_rate(self) -> float:
        """-ln(eigenvalue) / interval: the rate at which orbits leave the box; 0 up to rounding for a closed system."""
        return float("inf") if self.eigenvalue == 0 else float(-np.log(self.eigenvalue) / self.interval) + 0.0


def transfer_operator(
    system: System,
    box: Mapping[str, tuple[float, float]],
    bins: int | tuple[int, ...] = 256,
    *,
    samples: int = 64,
    interval: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> TransferOperator:
    """The transfer operator of `system` on a grid over `box`, {state: (low, high)}, by Ulam's method.

    P_ij = the share of `samples` points, spread evenly over cell i, that lie in cell j one `interval` later (None: one
    iteration; to be given for a flow). States that the box leaves out are those of `initial (state,)` at the start, so
    the box should hold all states of the system. Unlike a histogram of orbits it has no noise and no rounding that
    leads orbits astray; it smooths over a cell. Raises `SettingError` for settings that do not fit. Cost: cells x
    samples steps; not for more than about three states. Source: Ulam, A Collection of Mathematical Problems (1960).
    """
    from scipy.sparse import csr_array

    if (interval is None and not system.stepwise) or (interval is not None and not interval > 0):
        raise SettingError(f"interval is {interval}", place=system.name, remedy="A flow needs one, above 0.")
    if samples < 1 or (system.stepwise and interval is not None and interval != round(interval)):
        raise SettingError(f"{samples} samples, interval {interval}", place=system.name, remedy="Use whole numbers.")
    names, edges = edges_of(system, box, bins)
    shape = tuple(len(edge) - 1 for edge in edges)
    along = max(1, round(samples ** (1 / len(shape))))
    offsets = (np.arange(along) + 0.5) / along
    points = [(edge[:-1, None] + np.diff(edge)[:, None] * offsets).ravel() for edge in edges]
    states = np.tile(system.phase(initial)[: system.dimension], (int(np.prod([len(p) for p in points])), 1))
    states[:, names] = np.stack(np.meshgrid(*points, indexing="ij"), axis=-1).reshape(-1, len(names))
    every = float(interval or 1.0)
    ends = evolve(system, states, [every], tolerance=tolerance)[:, 0]
    origin, target = _cells(states[:, names], edges), _cells(ends[:, names], edges)
    inside = target >= 0
    size, count = int(np.prod(shape)), along ** len(shape)
    ones = np.full(int(inside.sum()), 1.0 / count)
    matrix = csr_array((ones, (origin[inside], target[inside])), shape=(size, size))
    matrix.sum_duplicates()
    eigenvalue, vector = _leading(matrix)
    values = vector.reshape(shape) / volumes(edges)
    density = Density(system.name, tuple(box), edges, values, np.full(shape, np.nan), 0.0)
    return TransferOperator(system.name, tuple(box), edges, every, matrix, eigenvalue, density)


def _cells(points: Array, edges: tuple[Array, ...]) -> NDArray[np.int64]:
    """The number of the cell of each point, -1 outside. The upper edge belongs to the last cell."""
    number, inside = np.zeros(len(points), dtype=np.int64), np.ones(len(points), dtype=bool)
    for x, edge in zip(points.T, edges, strict=True):
        k = np.searchsorted(edge, x, "right") - 1
        k = np.where(x == edge[-1], len(edge) - 2, k)
        inside &= (k >= 0) & (k < len(edge) - 1) & np.isfinite(x)
        number = number * (len(edge) - 1) + k
    return np.where(inside, number, -1)


def _leading(matrix: Any) -> tuple[float, Array]:
    """The largest eigenvalue of a non-negative matrix and its left eigenvector, with sum 1; zeros where nothing stays.

    It is the eigenvalue of largest real part, which tells it from others of the same modulus.
    """
    size = matrix.shape[0]
    if size <= 600:
        values, vectors = np.linalg.eig(matrix.T.toarray())
        best = int(np.argmax(values.real))
        value, vector = float(values[best].real), vectors[:, best].real
    else:
        from scipy.sparse.linalg import eigs

        values, vectors = eigs(matrix.T, k=1, which="LR", v0=np.ones(size), tol=1e-12)
        value, vector = float(values[0].real), vectors[:, 0].real
    total = vector.sum()
    if not value > 1e-9 or total == 0:  # a nilpotent matrix: everything leaves
        return 0.0, np.zeros(size)
    # Rounding leaves small numbers of the wrong sign in cells that are never visited.
    vector = np.maximum(vector / total, 0.0)
    return value, vector / vector.sum()
