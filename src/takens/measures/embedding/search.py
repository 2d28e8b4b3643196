"""Nearest neighbours of the delay vectors of one channel in any dimension, and bootstrap means over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base import Channel, Refused
from .delays import delay_steps, theiler_steps

Array = NDArray[np.float64]

LONGEST = 20_000
"""Samples in which the embedding measures look for neighbours at most."""

REFERENCES = 5000
"""Points whose neighbours are looked at; evenly spread over the channel."""

COINCIDENT = 1e-10
"""Distance, in standard deviations, up to which states count as the same: what rounding leaves of a recurrence."""


def prepared_channel(
    channel: Channel, delay: int | None, theiler: int | None
) -> tuple[Array, int, int, str, dict[str, str]]:
    """Values, delay, Theiler window, what was left out, and how the settings that were not given were chosen."""
    x, _, left_out = channel.portion(LONGEST, 10)
    chosen = {}
    if delay is None:
        delay = delay_steps(x)
        chosen["delay"] = "first minimum of the mutual information"
    if theiler is None:
        theiler = theiler_steps(x)
        chosen["theiler"] = "larger of the first zero of the autocorrelation and the mean period"
    return x, delay, theiler, left_out, chosen


@dataclass(frozen=True)
class Search:
    """A channel sorted once for the neighbours of its delay vectors in any dimension, from fixed reference points."""

    x: Array
    order: NDArray[np.int64]
    rank: NDArray[np.int64]
    columns: Array
    own: NDArray[np.int64]
    delay: int
    theiler: int

    def pairs(
        self, m: int, euclidean: bool, guess: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.int64]]:
        """Distances in `m` dimensions, how far apart the next coordinates are, which references have a neighbour, and
        the neighbour of each reference, a good `guess` of that in one dimension more.

        Neighbours at distance 0 carry no scale, so the nearest one at a positive distance is taken.
        """
        from ..kernels.embedding import nearest_delayed

        count = len(self.x) - m * self.delay
        if count < 10 * (self.theiler + 1):
            raise Refused(
                f"{len(self.x)} values are too few for {m} delays of {self.delay} with a Theiler window of "
                f"{self.theiler}: {10 * (self.theiler + 1) + m * self.delay} are needed"
            )
        inside = self.own < count
        near = np.full(len(self.own), -1) if guess is None else guess
        d, j, same = nearest_delayed(
            self.x, self.order, self.rank, self.columns, self.own[inside], near[inside], self.delay * np.arange(m),
            count, self.theiler, euclidean, COINCIDENT * np.std(self.x),
        )  # fmt: skip
        if m == 3 and np.mean(same > 0) > 0.5:
            raise Refused("most states recur exactly: the data are periodic or coarse, and have no scale to embed at")
        found = j >= 0
        if found.sum() < 50:
            raise Refused(
                "fewer than 50 points have a neighbour at a positive distance: the data are periodic or coarse"
            )
        kept = inside.copy()
        kept[inside] = found
        near = np.full(len(self.own), -1)
        near[inside] = j
        i, j = self.own[kept], j[found]
        return d[found], np.abs(self.x[i + m * self.delay] - self.x[j + m * self.delay]), kept, near


def prepared_search(x: Array, delay: int, theiler: int, most: int, references: int = REFERENCES) -> Search:
    """Ready for the neighbours of `references` delay vectors of up to `most` coordinates."""
    order = np.argsort(x, kind="stable")
    rank = np.empty(len(x), dtype=np.int64)
    rank[order] = np.arange(len(x))
    columns = np.full((most, -(-len(x) // 64) * 64), np.nan)
    for k in range(most):
        at = order + k * delay
        columns[k, : len(x)] = np.where(at < len(x), x[np.minimum(at, len(x) - 1)], np.nan)
    last = max(len(x) - delay, 1)
    own = np.unique(np.linspace(0, last - 1, min(references, last)).astype(np.int64))
    return Search(np.ascontiguousarray(x), order, rank, columns, own, delay, theiler)


def bootstrap_weights(rng: np.random.Generator, resamples: int, points: int) -> Array:
    """How often each point is drawn `(1 + resample, point)`; first once each. The same draws serve every dimension."""
    drawn = rng.integers(points, size=(resamples, points)) + points * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * points).reshape(resamples, points)
    return np.concatenate([np.ones((1, points)), counts])


def weighted_means(weights: Array, values: Array, kept: NDArray[np.bool_]) -> Array:
    """Weighted means `(draw, kind)` of `values (kind, kept point)`."""
    table = np.zeros((len(kept), len(values) + 1))
    table[kept, :-1], table[kept, -1] = values.T, 1
    sums = weights @ table
    return sums[:, :-1] / sums[:, -1:]
