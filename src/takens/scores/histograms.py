"""Histograms of states that hold only the occupied cells, and the divergence between two of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array

COUNTER = 65_536
"""The counters of the GTF code have 16 bits: a cell that is visited more often starts again at 0."""


def divergence(
    p_cells: NDArray[np.int64], q_cells: NDArray[np.int64], count: int, smoothing: float, *, counter: int | None = None
) -> float:
    """KL divergence in nats of two Laplace-smoothed histograms, given the cell of every point and the number of cells.

    sum p log(p / q), p_k = (n_k + smoothing) / (N + smoothing count). Only occupied cells are held; the empty ones all
    add the same term. With a `counter` the counts are taken modulo it.
    """
    occupied, inverse = np.unique(np.concatenate([p_cells, q_cells]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(occupied)) for part in (inverse[: len(p_cells)], inverse[len(p_cells) :])]
    if counter is not None:
        counts = [n % counter for n in counts]
    p, q = ((n + smoothing) / (n.sum() + smoothing * count) for n in counts)
    p_empty, q_empty = (smoothing / (n.sum() + smoothing * count) for n in counts)
    empty = (count - len(occupied)) * p_empty * np.log(p_empty / q_empty)
    return float(np.sum(p * np.log(p / q)) + empty)


class Cells:
    """A grid of `bins` cells per dimension between `low` and `high`, and one cell, -1, for everything outside.

    The grid of a published code is not `closed`: it has no outside cell, and points below cell `lowest` are dropped.
    """

    def __init__(self, low: Array, high: Array, bins: int, *, lowest: int = 0, closed: bool = True) -> None:
        self.low, self.high, self.bins, self.lowest, self.closed = low, high, bins, lowest, closed
        self.count = bins ** len(low) + closed
        self.counter: int | None = None

    @classmethod
    def published(cls, true: Array, bins: int, legacy: str) -> Cells:
        """The grid of a published code over the `true` states: "DynaMix", "GTF" or "dendPLRNN"."""
        low, high = true.min(axis=0), true.max(axis=0)
        spread = true.std(axis=0, ddof=1)
        if legacy == "DynaMix":
            return cls(low, high, bins, lowest=1, closed=False)
        if legacy == "dendPLRNN":
            return cls(-2 * spread, 2 * spread, bins, lowest=1, closed=False)
        if legacy == "GTF":
            made = cls(low - 0.1 * spread, high + 0.1 * spread, bins, closed=False)
            made.counter = COUNTER
            return made
        raise SettingError(f"no legacy binning {legacy!r}", remedy="Use 'DynaMix', 'GTF' or 'dendPLRNN'.")

    def of(self, points: Array) -> NDArray[np.int64]:
        """The cell of each point; without an outside cell (not `closed`) points outside are left out."""
        width = self.high - self.low
        safe = np.where(width > 0, width, 1.0)
        # clipped before the cast: a run may leave by more than an integer holds
        index = np.floor(np.clip(self.bins * ((points - self.low) / safe), -1, self.bins + 1)).astype(np.int64)
        if self.closed:  # the maximum belongs to the last cell, and a channel without width has one cell
            index = np.where(points <= self.high, np.minimum(index, self.bins - 1), self.bins)
        outside = ((index < self.lowest) | (index >= self.bins) | (points < self.low)).any(axis=1)
        code = index @ (self.bins ** np.arange(len(self.low), dtype=np.int64))
        return np.where(outside, -1, code) if self.closed else code[~outside]

    def divergence(self, p_cells: NDArray[np.int64], q_cells: NDArray[np.int64], smoothing: float) -> float:
        """`divergence` of two sets of cells of this grid."""
        return divergence(p_cells, q_cells, self.count, smoothing, counter=self.counter)
