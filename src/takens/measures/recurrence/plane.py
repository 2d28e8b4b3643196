"""The plane of all pairs of times, and the lines in it, counted without the matrix."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .threshold import Threshold

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

WORD = 64
SERIAL = 4000
"""States up to which one thread is as fast as several."""


@dataclass(frozen=True)
class Lines:
    """Numbers of lines `(block, length)`, half of each counted at the time of its row and half at that of its column.

    `diagonal` lines, `vertical` lines (runs in a row: one state and the times near it), `white` vertical lines (gaps
    between runs) and `returns` (time from the beginning of a run to that of the next); `per_diagonal (n + m - 1,)`
    recurrences by j - i + n - 1; `pairs` is how many pairs of times lie outside the Theiler window, on one side of the
    diagonal where `symmetric`.
    """

    diagonal: Array
    vertical: Array
    white: Array
    returns: Array
    per_diagonal: Counts
    pairs: int
    symmetric: bool


@dataclass(frozen=True)
class Plane:
    """Which pairs of times recur, as the kernels take it: coordinates `rows (d, n)` against `columns (d, words * 64)`.

    Group g of coordinates ends before `ends[g]` and has the radius `radius[g, i]` from row i. Made by `plane`.
    """

    rows: Array
    columns: Array
    width: int
    ends: Counts
    radius: Array
    theiler: int
    symmetric: bool

    def lines(self, blocks: int = 1, threads: int | None = None) -> Lines:
        """All lines, in `blocks` stretches of time. Cost: all pairs, 0.2 to 0.5 ns each in three dimensions, and some
        10 ns a line; memory 32 bytes a state, block and thread. Integers are summed: threads do not change them."""
        from ..kernels.recurrence import count_lines

        n = self.rows.shape[1]
        longest = max(n, self.width)
        step = -(-longest // blocks)
        workers = 1 if n < SERIAL else threads or min(os.cpu_count() or 1, 8)
        edges = np.linspace(0, n, workers + 1).astype(int)
        low, high = self._boxes()
        tables = [
            [np.zeros((-(-longest // step), longest + 1), dtype=np.int64) for _ in range(4)]
            + [np.zeros(n + self.columns.shape[1], dtype=np.int64)]
            for _ in range(workers)
        ]
        job = partial(
            count_lines, self.rows, self.columns, self.width, self.ends, self.radius, low, high, self.theiler,
            self.symmetric,
        )  # fmt: skip
        if workers == 1:
            job(0, n, step, *tables[0])
        else:
            with ThreadPoolExecutor(workers) as pool:
                waiting = [pool.submit(job, edges[k], edges[k + 1], step, *tables[k]) for k in range(workers)]
                for one in waiting:
                    one.result()
        *found, per_diagonal = (sum(column[1:], start=column[0]) for column in zip(*tables, strict=True))
        used = [table[:, : max(int(np.flatnonzero(table.any(axis=0)).max(initial=1)) + 1, 2)] / 2 for table in found]
        diagonal, vertical, white, returns = used
        return Lines(
            diagonal, vertical, white, returns, per_diagonal[: n + self.width - 1], self._pairs(), self.symmetric
        )

    def bits(self) -> NDArray[np.uint64]:
        """The matrix itself, one bit a pair, `(n, words)`. Cost: n^2 / 8 bytes."""
        from ..kernels.recurrence import fill_matrix

        low, high = self._boxes()
        bits = np.zeros((self.rows.shape[1], low.shape[1]), dtype=np.uint64)
        fill_matrix(self.rows, self.columns, self.ends, self.radius, low, high, self.theiler, bits)
        return bits

    def _boxes(self) -> tuple[Array, Array]:
        """The boxes `(d, words)` around each 64 columns; one that holds no column is inverted: nothing is near."""
        blocks = self.columns.reshape(len(self.columns), -1, WORD)
        missing = np.isnan(blocks)
        low, high = np.where(missing, np.inf, blocks).min(axis=2), np.where(missing, -np.inf, blocks).max(axis=2)
        return low, high

    def _pairs(self) -> int:
        n, m, w = self.rows.shape[1], self.width, self.theiler
        if self.symmetric:
            return (n - w) * (n - w - 1) // 2 if n > w else 0
        i = np.arange(n)
        banned = np.minimum(i + w + 1, m) - np.clip(i - w, 0, m)
        return int(n * m - np.maximum(banned, 0).sum())


def plane(rows: Array, columns: Array | None, threshold: Threshold, theiler: int) -> Plane:
    """Recurrences of the states `rows (n, d)` with themselves, or with `columns (m, d)` (cross recurrence)."""
    other = rows if columns is None else columns
    if other.shape[1] != rows.shape[1]:
        raise DataError(f"states of {rows.shape[1]} and {other.shape[1]} coordinates cannot recur with one another")
    radius = threshold.radii(rows, other, theiler)
    d = rows.shape[1]
    if d == 2:  # a third coordinate, 0 everywhere, changes no distance and takes the fast way
        rows, other, d = (*(np.column_stack([a, np.zeros(len(a))]) for a in (rows, other)), 3)
    ends = np.arange(1, d + 1) if threshold.metric == "maximum" else np.array([d])
    symmetric = columns is None and threshold.neighbours is None
    return _made(rows, other, ends, np.tile(radius, (len(ends), 1)), theiler, symmetric)


def joint_plane(first: Array, second: Array, thresholds: tuple[Threshold, Threshold], theiler: int) -> Plane:
    """Times at which both `first (n, d)` and `second (n, e)` recur, each by its own threshold."""
    ends: list[int] = []
    radius: list[Array] = []
    begin = 0
    for points, threshold in zip((first, second), thresholds, strict=True):
        size = points.shape[1]
        groups = range(begin + 1, begin + size + 1) if threshold.metric == "maximum" else [begin + size]
        ends += groups
        radius += [threshold.radii(points, points, theiler)] * len(groups)
        begin += size
    both = np.hstack([first, second])
    symmetric = all(threshold.neighbours is None for threshold in thresholds)
    return _made(both, both, np.array(ends), np.array(radius), theiler, symmetric)


def _made(rows: Array, columns: Array, ends: Counts, radius: Array, theiler: int, symmetric: bool) -> Plane:
    # One column more than there are, so that a line that reaches the last one is seen to end.
    room = np.full((columns.shape[1], (len(columns) // WORD + 1) * WORD), np.nan)
    room[:, : len(columns)] = columns.T
    return Plane(
        np.ascontiguousarray(rows.T), room, len(columns), ends.astype(np.int64), np.ascontiguousarray(radius), theiler,
        symmetric,
    )  # fmt: skip
