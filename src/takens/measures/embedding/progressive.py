"""Non-uniform embedding of one or many channels by neighbours: MDOP, and Garcia and Almeida's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from .delays import delay_steps, first_minimum
from .search import COINCIDENT
from .unified import Embedding, embedded, standardised

Array = NDArray[np.float64]
Places = tuple[tuple[int, int], ...]
"""Coordinates of a vector, each a channel and a lag: vector i holds its value lag samples after row i."""

REFERENCES = 2000
"""Points whose nearest neighbours are looked at, evenly spread."""

FEWEST = 50
"""Pairs without which nothing is said about false neighbours."""


@dataclass(frozen=True)
class _Rows:
    """The first `count` rows of standardised channels `table (time, channel)`, and which of them, `own`, are judged."""

    table: Array
    count: int
    theiler: int
    own: NDArray[np.int64]

    def values(self, places: Places, rows: NDArray[np.int64]) -> Array:
        """Coordinates `(row, place)` of vectors `rows`."""
        return self.table[rows[:, None] + np.array([lag for _, lag in places]), np.array([c for c, _ in places])]

    def sorted(self, channel: int) -> _Sorted:
        """Ready for the neighbours of vectors that begin with the value of `channel` at their row."""
        order = np.argsort(self.table[: self.count, channel], kind="stable")
        rank = np.empty(self.count, dtype=np.int64)
        rank[order] = np.arange(self.count)
        return _Sorted(self, np.ascontiguousarray(self.table.T).ravel(), order, rank)


@dataclass(frozen=True)
class _Sorted:
    """Rows in the order of one channel. `flat` holds the channels one after another."""

    rows: _Rows
    flat: Array
    order: NDArray[np.int64]
    rank: NDArray[np.int64]

    def column(self, place: tuple[int, int]) -> Array:
        """Coordinate `place` of all vectors in the order of their first ones, filled up to whole words."""
        padded = np.full(-(-self.rows.count // 64) * 64, np.nan)
        padded[: self.rows.count] = self.flat[self.order + place[0] * len(self.rows.table) + place[1]]
        return padded

    def nearest(self, places: Places, columns: Array, guess: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        """Distance and number of the nearest vector of each of `rows.own`; infinite and -1 where there is none."""
        from ..kernels.embedding import nearest_delayed

        rows = self.rows
        offsets = np.array([channel * len(rows.table) + lag for channel, lag in places])
        return nearest_delayed(
            self.flat, self.order, self.rank, columns, rows.own, guess, offsets, rows.count, rows.theiler, True,
            COINCIDENT,
        )[:2]  # fmt: skip


def mdop(
    data: ArrayLike, *, max_delay: int | None = None, theiler: int = 0, ratio: float = 10.0, threshold: float = 0.05,
    max_dimension: int = 10, stride: int = 1,
) -> Embedding:  # fmt: skip
    """Delays and channels of `data (time,)` or `(time, channel)` by maximal derivatives on projection (MDOP).

    With d the distance of nearest neighbours (Euclidean) and g(tau) that of a channel tau samples later, every step
    adds the tau, every `stride`-th up to `max_delay`, and the channel with the highest beta(tau) = <log10(g(tau) / d)>:
    it separates most neighbours that were near by projection only. Values that coincide count as half the smallest
    difference. It ends where no candidate tells more than `threshold` of the neighbours false: pairs with sqrt(d^2 +
    g^2) > `ratio` d among those nearer than 1 / `ratio` standard deviations (Hegger and Kantz 1999). `settled` is False
    where that never happens, up to `max_dimension`, to the last candidate, or while 50 pairs are that near, as for
    noise. `max_delay` by default is two delays of the mutual information, the longest of the channels; long delays of a
    chaotic system look false whatever the embedding. With several channels all pairs of a first and a second coordinate
    are tried, and the highest beta taken. Coordinates stand in the order found, so that the present value need not be
    the first. Raises `DataError` for NaN, constant channels and too few rows, `SettingError` for settings that do not
    fit. Cost: one neighbour search of 2000 points a step. Nichkawde, Phys. Rev. E 87, 022905 (2013).
    """

    def curve(near: _Near, candidates: Places) -> tuple[Array, int]:
        parted = near.parted(candidates)
        coarse = parted[parted > 0].min(initial=np.inf) / 2
        beta = np.mean(np.log10(np.maximum(parted, coarse) / near.distance[:, None]), axis=0)
        return -beta, int(np.argmax(beta))

    return _progressive(data, max_delay, stride, theiler, 0, ratio, threshold, max_dimension, curve)


def garcia_almeida(
    data: ArrayLike, *, max_delay: int | None = None, theiler: int = 0, horizon: int = 1, stretch: float = 10.0,
    ratio: float = 10.0, threshold: float = 0.05, max_dimension: int = 10, stride: int = 1,
) -> Embedding:  # fmt: skip
    """Delays and channels of `data (time,)` or `(time, channel)` by Garcia and Almeida's nearest neighbours.

    N(tau) is the share of nearest neighbours (Euclidean, at distance d) of the vectors with one coordinate more, tau
    samples later, whose distance after `horizon` samples exceeds `stretch` d. Every step adds the delay of the first
    local minimum of N, or the first where N is 0, of the channel whose minimum is lowest. A `horizon` of 1 is the
    papers'; for finely sampled flows it sees little, and the delay of the mutual information does better. All else is
    as for `mdop`. Raises `DataError` for NaN, constant channels and too few rows, `SettingError` for settings that do
    not fit. Cost: a neighbour search of 2000 points a delay, channel and step.
    Garcia and Almeida, Phys. Rev. E 71, 037204 and 72, 027205 (2005).
    """

    def curve(near: _Near, candidates: Places) -> tuple[Array, int]:
        shares = np.array([near.stretched(place, horizon, stretch) for place in candidates])
        lowest = first_minimum(shares, 0.0)
        return shares, int(np.argmin(shares)) if lowest is None else lowest

    if horizon < 1:
        raise SettingError(f"horizon must be at least 1, got {horizon}")
    return _progressive(data, max_delay, stride, theiler, horizon, ratio, threshold, max_dimension, curve)


@dataclass(frozen=True)
class _Near:
    """The nearest neighbours `other` of vectors `own` with coordinates `places`."""

    ready: _Sorted
    places: Places
    columns: Array
    own: NDArray[np.int64]
    other: NDArray[np.int64]
    distance: Array
    guess: NDArray[np.int64]

    def parted(self, candidates: Places) -> Array:
        """How far apart each candidate coordinate of the neighbours is, `(pair, candidate)`."""
        rows = self.ready.rows
        return np.abs(rows.values(candidates, self.own) - rows.values(candidates, self.other))

    def stretched(self, place: tuple[int, int], horizon: int, stretch: float) -> float:
        """Share of neighbours that part by more than `stretch` within `horizon`, with the coordinate `place` added."""
        places, rows = (*self.places, place), self.ready.rows
        columns = np.vstack([self.columns, self.ready.column(place)])
        d, j = self.ready.nearest(places, columns, self.guess)
        found = j >= 0
        later = rows.values(places, rows.own[found] + horizon) - rows.values(places, j[found] + horizon)
        return float(np.mean(np.linalg.norm(later, axis=1) > stretch * d[found])) if found.any() else 1.0

    def false_share(self, candidates: Places, ratio: float) -> float:
        """The largest share of neighbours that a candidate tells false; NaN where too few are near enough to say."""
        close = self.distance < 1 / ratio
        if close.sum() < FEWEST or not candidates:
            return float("nan")
        d = self.distance[close][:, None]
        return float(np.mean(np.hypot(d, self.parted(candidates)[close]) > ratio * d, axis=0).max())


def _near(ready: _Sorted, places: Places, guess: NDArray[np.int64]) -> _Near:
    columns = np.stack([ready.column(place) for place in places])
    d, j = ready.nearest(places, columns, guess)
    found = j >= 0
    if found.sum() < FEWEST:
        raise DataError(f"fewer than {FEWEST} points have a neighbour at a positive distance: the data are coarse")
    return _Near(ready, places, columns, ready.rows.own[found], j[found], d[found], j)


Curve = Callable[[_Near, Places], tuple[Array, int]]
"""A statistic of candidate coordinates (lower is better) and the one to take among them."""


def _progressive(
    data: ArrayLike, max_delay: int | None, stride: int, theiler: int, horizon: int, ratio: float, threshold: float,
    max_dimension: int, curve: Curve,
) -> Embedding:  # fmt: skip
    table = standardised(data)
    if max_delay is None:
        max_delay = max(2 * max(delay_steps(channel) for channel in table.T), stride)
    if max_dimension < 1 or theiler < 0 or threshold < 0 or ratio <= 1 or not 1 <= stride <= max_delay:
        raise SettingError(
            f"unfit settings: {max_delay=}, {max_dimension=}, {theiler=}, {threshold=}, {ratio=}, {stride=}"
        )
    count = len(table) - max_delay - horizon
    if count < max(10 * (theiler + 1), 2 * FEWEST):
        raise DataError(f"{len(table)} rows are too few for delays up to {max_delay} and a Theiler window of {theiler}")
    own = np.unique(np.linspace(0, count - 1, min(REFERENCES, count)).astype(np.int64))
    rows = _Rows(table, count, theiler, own)
    every = tuple((c, lag) for c in range(table.shape[1]) for lag in range(0, max_delay + 1, stride))
    starts = [_near(rows.sorted(c), ((c, 0),), np.full(len(own), -1)) for c in range(table.shape[1])]
    near = min(starts, key=lambda start: _best(start, every, curve)[0]) if len(starts) > 1 else starts[0]
    shares: list[float] = []
    while True:
        free = tuple(place for place in every if place not in near.places)
        shares.append(near.false_share(free, ratio))
        if not shares[-1] > threshold or len(near.places) == max_dimension:
            break
        near = _near(near.ready, (*near.places, _best(near, free, curve)[1]), near.guess)
    newest = max(lag for _, lag in near.places)
    delays, channels = tuple(newest - lag for _, lag in near.places), tuple(c for c, _ in near.places)
    return Embedding(
        embedded(table, delays, channels), delays, channels, max(delays), shares[-1] <= threshold, (), tuple(shares)
    )


def _best(near: _Near, every: Places, curve: Curve) -> tuple[float, tuple[int, int]]:
    """The lowest statistic and its coordinate, among those of every channel that are not in use."""
    best = (np.inf, (0, 0))
    for channel in range(near.ready.rows.table.shape[1]):
        free = tuple(place for place in every if place[0] == channel and place not in near.places)
        if free:
            values, at = curve(near, free)
            best = min(best, (float(values[at]), free[at]))
    return best
