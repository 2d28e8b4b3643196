"""Non-uniform embedding of one or many channels: continuity statistic, Uzal's cost, and PECUZAL, which needs both."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError, SettingError
from ...neighbours import nearest

Array = NDArray[np.float64]

FIDUCIALS = 1000
"""Points whose neighbourhoods are looked at, evenly spread."""

MOST = 13
"""Neighbours of the continuity statistic; 5 to 13 are tried, as Pecora et al. do."""


@dataclass(frozen=True)
class Embedding:
    """Delay vectors and how they were chosen.

    Column k of `vectors (time, dimension)` is channel `channels[k]` `delays[k]` samples before the time of its row,
    which begins at row `first` of the data, standardised. `settled` says whether the method ended because nothing was
    left to add, and not because it ran out of dimensions or of neighbours. `gains` is the change of Uzal's cost by each
    step of `pecuzal`; `false_shares` the share of false neighbours in 1, 2, ... dimensions for `mdop` and
    `garcia_almeida`.
    """

    vectors: Array
    delays: tuple[int, ...]
    channels: tuple[int, ...]
    first: int
    settled: bool
    gains: tuple[float, ...] = ()
    false_shares: tuple[float, ...] = ()


def embedded(data: Array, delays: tuple[int, ...], channels: tuple[int, ...], first: int | None = None) -> Array:
    """Vectors `(time - first, dimension)` of the `channels` of `data (time, channel)`, each its delay in the past."""
    first = max(delays) if first is None else first
    if len(data) <= first or min(delays) < 0:
        raise DataError(f"{len(data)} rows are too few for delays of {delays}, which must not be negative")
    return np.stack([data[first - d : len(data) - d, c] for d, c in zip(delays, channels, strict=True)], axis=1)


def standardised(data: ArrayLike) -> Array:
    """`data (time,)` or `(time, channel)` as channels of mean 0 and variance 1; `DataError` where they have none."""
    table = np.asarray(data, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not np.isfinite(table).all() or (np.ptp(table, axis=0) == 0).any():
        raise DataError(f"an embedding needs finite channels (time, channel) that vary, got shape {table.shape}")
    return (table - table.mean(axis=0)) / table.std(axis=0)


def cost_horizon(theiler: int) -> int:
    """Samples ahead over which Uzal's cost is averaged where none are given: 4 Theiler windows, 10 to 100."""
    return int(np.clip(4 * theiler, 10, 100))


def uzal_cost(points: ArrayLike, *, k: int = 3, horizon: int = 40, theiler: int = 0) -> Array:
    """Uzal's cost L `(horizon,)` of the vectors `points (time, d)`; entry T - 1 looks up to T samples ahead.

    L = log10(sigma_k alpha_k), sigma_k^2 = <E_k^2 / eps_k^2>: E_k^2 is the variance of the futures of a point and its
    `k` nearest neighbours, averaged over the times ahead, eps_k^2 the mean square distance among them now; alpha_k^-2 =
    sum of eps_k^-2. Lower is better: noise is amplified and neighbours are spread less. Neighbours at distance 0 do
    not count. Raises `DataError` where fewer than ten remain. Cost: one neighbour search for 1000 points.
    Uzal et al., Phys. Rev. E 84, 016223 (2011).
    """
    x = np.asarray(points, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    count = len(x) - horizon
    if horizon < 1 or count < 10 * (theiler + k + 1):
        raise DataError(f"{len(x)} vectors are too few for a horizon of {horizon} and a Theiler window of {theiler}")
    own = np.unique(np.linspace(0, count - 1, min(FIDUCIALS, count)).astype(np.int64))
    _, j = nearest(x[:count], x[own], k=k, theiler=theiler, exclude=own, distinct=True)
    together = np.column_stack([own, j])[j[:, -1] >= 0]
    now = x[together]
    # The mean square distance of pairs is twice the sample variance.
    spread = 2 * now.var(axis=1, ddof=1).sum(axis=1)
    together, spread = together[spread > 0], spread[spread > 0]
    if len(together) < 10:
        raise DataError("fewer than ten points have neighbours at a positive distance: the data are coarse")
    ahead = np.stack([x[together + t].var(axis=1).sum(axis=1) for t in range(1, horizon + 1)], axis=1)
    mean = np.cumsum(ahead, axis=1) / np.arange(1, horizon + 1)
    sigma = np.mean(mean / spread[:, None], axis=0)
    with np.errstate(divide="ignore"):
        return 0.5 * np.log10(sigma / np.sum(1 / spread))


def continuity(
    points: ArrayLike, candidates: ArrayLike, *, theiler: int = 0, alpha: float = 0.05, probability: float = 0.5
) -> Array:
    """Pecora's continuity statistic <eps*> `(candidate,)`: how far `candidates` are from functions of `points`.

    For each of 1000 points eps* is the smallest eps at which, for some number of 5 to 13 nearest neighbours in `points
    (time, d)`, more of them than chance allows (binomial with `probability`, level `alpha`) lie within eps of the
    value of the candidate, a column of `candidates (time, n)`. Where it is large the candidate adds a direction, where
    it is small it says what `points` say. In units of the candidates: standardise them to compare. Raises `DataError`
    for too few rows. Pecora et al., Chaos 17, 013110 (2007). Cost: one neighbour search for 1000 points.
    """
    from scipy.stats import binom

    x, y = (np.asarray(a, dtype=np.float64) for a in (points, candidates))
    x, y = (a[:, None] if a.ndim == 1 else a for a in (x, y))
    if len(x) != len(y) or len(x) < 10 * (theiler + MOST):
        raise DataError(
            f"{len(x)} points and {len(y)} candidates; as many of both are needed, {10 * (theiler + MOST)} at least"
        )
    own = np.unique(np.linspace(0, len(x) - 1, min(FIDUCIALS, len(x))).astype(np.int64))
    _, j = nearest(x, x[own], k=MOST, theiler=theiler, exclude=own)
    whole = j[:, -1] >= 0
    apart = np.abs(y[j[whole]] - y[own[whole]][:, None])
    best = np.full((len(apart), y.shape[1]), np.inf)
    for size in range(5, MOST + 1):
        inside = next((n for n in range(1, size + 1) if binom.sf(n - 1, size, probability) <= alpha), None)
        if inside is not None:
            best = np.minimum(best, np.sort(apart[:, :size], axis=1)[:, inside - 1])
    if not np.isfinite(best).all():
        raise SettingError(f"no number of neighbours up to {MOST} reaches level {alpha} at probability {probability}")
    return best.mean(axis=0)


def pecuzal(
    data: ArrayLike, *, max_delay: int = 50, theiler: int = 0, horizon: int | None = None, threshold: float = 0.05,
    max_dimension: int = 10, stride: int = 1,
) -> Embedding:  # fmt: skip
    """Delays and channels of `data (time,)` or `(time, channel)` one after another, by continuity and Uzal's cost.

    Every step looks at the maxima of the continuity statistic over delays up to `max_delay` of each channel, every
    `stride`-th of them (finely sampled data need few), and takes
    the one that lowers Uzal's cost most, at the first horizon after which it lowers it less, up to `horizon` samples (4
    `theiler`, 10 to 100). It ends where none lowers it by more than `threshold` (0 in the paper; noise gains some 0.02
    by chance), or at `max_dimension`. One channel at its present value is the first; all are tried, and the one whose
    first step ends at the lowest cost is taken (the paper takes the greatest fall). A dimension of 1 says that nothing
    is worth adding, as for noise. Channels are standardised. Coarse data: neighbours that coincide do not count. Raises
    `DataError` for NaN, constant channels and too few rows. Cost: a neighbour search per maximum, some seconds in all.
    Kraemer et al., New J. Phys. 23, 033017 (2021).
    """
    table = standardised(data)
    if max_delay < 1 or max_dimension < 1 or theiler < 0 or threshold < 0 or not 1 <= stride <= max_delay:
        raise SettingError(f"unfit settings: {max_delay=}, {max_dimension=}, {theiler=}, {threshold=}, {stride=}")
    horizon = cost_horizon(theiler) if horizon is None else horizon
    lags = np.arange(0, max_delay + 1, stride)
    starts: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((0,), (c,)) for c in range(table.shape[1])]
    begun = [
        uzal_cost(embedded(table, *start, first=int(lags[-1])), horizon=horizon, theiler=theiler) for start in starts
    ]
    steps = [_step(table, *start, cost, lags, theiler) for start, cost in zip(starts, begun, strict=True)]
    # Costs of one dimension differ widely, so that the fall from them says less than where it ends.
    helpful = [step for step in steps if step[0] < -threshold]
    delays, channels = starts[int(np.argmin([cost.mean() for cost in begun]))]
    best = min(helpful, key=lambda step: step[3].mean()) if helpful and max_dimension > 1 else None
    gains: list[float] = []
    while best is not None and best[0] < -threshold and len(delays) < max_dimension:
        change, delays, channels, lowered = best
        gains.append(change)
        best = _step(table, delays, channels, lowered, lags, theiler)
    vectors = embedded(table, delays, channels)
    settled = not helpful if best is None else best[0] >= -threshold
    return Embedding(vectors, delays, channels, max(delays), settled, tuple(gains))


def _decrease(change: Array) -> float:
    """The change of cost at the first horizon after which a decrease gets less, or at the last one."""
    for before, after in pairwise(change):
        if before < 0 and after > before:
            return float(before)
    return float(change[-1])


Step = tuple[float, tuple[int, ...], tuple[int, ...], Array]


def _step(
    table: Array, delays: tuple[int, ...], channels: tuple[int, ...], cost: Array, lags: NDArray[np.int64],
    theiler: int,
) -> Step:  # fmt: skip
    """The best coordinate to add: change of the cost, delays and channels with it, and their cost."""
    first = int(lags[-1])
    points = embedded(table, delays, channels, first)
    best: Step = (np.inf, delays, channels, cost)
    for channel in range(table.shape[1]):
        candidates = embedded(table, tuple(lags), (channel,) * len(lags), first)
        curve = continuity(points, candidates, theiler=theiler)
        taken = {d for d, c in zip(delays, channels, strict=True) if c == channel}
        before = np.concatenate([[-np.inf], curve[:-2]])
        for delay in lags[:-1][(before < curve[:-1]) & (curve[:-1] >= curve[1:])].tolist():
            if delay in taken:
                continue
            new = (*delays, delay), (*channels, channel)
            found = uzal_cost(embedded(table, *new, first=first), horizon=len(cost), theiler=theiler)
            change = _decrease(found - cost)
            if change < best[0]:
                best = (change, *new, found)
    return best
