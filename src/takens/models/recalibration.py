"""Conformal recalibration of samples: errors seen before say how wide, and where, the next forecast must lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InsufficientData
from .base import Array

LEVELS = np.concatenate([[0.0025, 0.005], np.arange(1, 100) / 100, [0.995, 0.9975]])
COARSE = np.linspace(0.05, 0.95, 7)
"""Levels of the quantile loss by which the ways are compared."""
POWERS = (0.0, 0.5, 1.0)
"""Trust in the spread of the ensemble: none (constant width), half, full."""
STRETCHED = 2 * len(POWERS)
"""Ways: signed errors with each power, symmetric errors with each power, and the ensemble's own shape, stretched."""


@final
@dataclass(frozen=True)
class Recalibration:
    """A map of samples that makes their quantiles agree with past errors; ranks, and so dependence, stay.

    With centre m (median over members) and width w = s^power, s the 10-90 % range of the members, a past error is
    e = (truth - m) / w, and the member with rank r of M becomes m + w Q(r / (M - 1)), Q the quantile function of e, or
    of +-e where a bias does not last, for its horizon and channel. Or the ensemble keeps its shape and member x becomes
    m + f (x - m), f the 90 % quantile of |truth - m| over the half of the 90 % interval on its side. The way is chosen
    channel by channel: by quantile loss on each half of the origins of what the other half taught.

    `edges (bin + 1,)` are the first horizons of the bins over which errors are pooled, `quantiles (bin, level,
    channel)` is Q at `levels`, `stretch (bin, channel)` is f, `way (channel,)` the choice (see `STRETCHED`) and
    `floor (bin, channel)` the least spread. Horizons beyond the last calibrated use its errors.

    Q and f have the finite-sample correction of conformal prediction: with n origins the i-th smallest error stands at
    level i / (n + 1), so that 90 % intervals cover at least 90 % of new values, provided that origins are exchangeable
    and the density of the errors falls off in its tails. Beyond the largest error the tail is exponential.
    Source: Vovk et al., Conformal predictive distributions, 2019; Romano et al. 2019; Schefzik et al. 2013 (ranks).
    """

    edges: NDArray[np.int64]
    levels: Array
    quantiles: Array
    stretch: Array
    way: NDArray[np.int64]
    floor: Array

    @classmethod
    def fit(cls, samples: Array, truth: Array) -> Recalibration:
        """From forecasts `samples (origin, member, horizon, channel)` and `truth (origin, horizon, channel)`.

        Origins in time order; NaN in `truth` is left out. Raises `DataError` for shapes that do not fit,
        `InsufficientData` for fewer than 3 origins or a channel without truth. Cost: one sort of the samples.
        """
        if samples.ndim != 4 or truth.shape != (samples.shape[0], *samples.shape[2:]):
            raise DataError(f"samples {samples.shape} and truth {truth.shape} do not fit one another")
        origins, _, horizon, channels = samples.shape
        if origins < 3:
            raise InsufficientData(f"recalibration needs at least 3 origins, got {origins}")
        if (np.isfinite(truth).sum(axis=(0, 1)) < 2).any():
            raise InsufficientData("recalibration needs at least two known values in every channel")
        # One origin at a time: what is sorted stays in the cache.
        parts = [_summary(one) for one in samples]
        centre, spread = np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])
        inner = np.stack([p[2] for p in parts], axis=1)
        error = np.where(np.isfinite(truth), truth, np.nan) - centre
        edges = _bins(horizon)
        halves = [np.arange(origins)] * 2 if origins < 8 else np.array_split(np.arange(origins), 2)
        quantiles = np.empty((len(edges) - 1, STRETCHED, len(LEVELS), channels))
        stretch, floor = np.empty((2, len(edges) - 1, channels))
        loss = np.zeros((STRETCHED + 1, channels))
        for b, (start, stop) in enumerate(pairwise(edges)):
            part = slice(start, stop)
            least = 0.1 * np.median(spread[:, part], axis=(0, 1))
            floor[b] = np.where(least > 0, least, 1.0)
            lesson = _Lesson(error[:, part], np.maximum(spread[:, part], floor[b]), inner[:, :, part], floor[b])
            quantiles[b], stretch[b] = lesson.quantiles(slice(None), LEVELS), lesson.stretch(slice(None))
            for learn, test in ((halves[0], halves[1]), (halves[1], halves[0])):
                loss += lesson.loss(learn, test)
        way = loss.argmin(axis=0)
        chosen = np.stack([quantiles[:, min(way[c], STRETCHED - 1), :, c] for c in range(channels)], axis=-1)
        known = np.asarray(np.isfinite(chosen).all(axis=1))
        return cls(edges, LEVELS.copy(), _carried(chosen, known), _carried(stretch, known), way, floor)

    def widened(self, factor: Array) -> Recalibration:
        """The recalibration with all deviations from the median multiplied by `factor (channel,)`."""
        return replace(self, quantiles=self.quantiles * factor, stretch=self.stretch * factor)

    def apply(self, samples: Array) -> Array:
        """The recalibrated `samples (member, horizon, channel)`. Cost: one sort over members."""
        members, horizon, channels = samples.shape
        if channels != len(self.way):
            raise DataError(f"samples have {channels} channels, the calibration {len(self.way)}")
        centre, spread, _ = _summary(samples)
        bins = np.minimum(np.searchsorted(self.edges, np.arange(horizon), side="right") - 1, len(self.edges) - 2)
        power = np.array(POWERS)[self.way % len(POWERS)]
        width = np.maximum(spread, self.floor[bins]) ** power
        # Level r / (M - 1) is where `numpy.quantile` sees rank r; the outermost members stop half a rank short of 0, 1.
        level = np.clip(np.arange(members) / max(members - 1, 1), 0.25 / members, 1 - 0.25 / members)
        level = np.clip(level if members > 1 else np.array([0.5]), self.levels[0], self.levels[-1])
        right = np.clip(np.searchsorted(self.levels, level), 1, len(self.levels) - 1)
        share = ((level - self.levels[right - 1]) / (self.levels[right] - self.levels[right - 1]))[:, None, None]
        table = self.quantiles.transpose(1, 0, 2)
        shape = ((1 - share) * table[right - 1] + share * table[right])[:, bins]
        ranks = np.argsort(np.argsort(samples, axis=0, kind="stable"), axis=0, kind="stable")
        remapped = np.take_along_axis(centre + width * shape, ranks, axis=0)
        return np.where(self.way == STRETCHED, centre + self.stretch[bins] * (samples - centre), remapped)


@dataclass(frozen=True)
class _Lesson:
    """The errors of one bin of horizons `(origin, horizon, channel)` and the spread and shape of their ensembles."""

    error: Array
    spread: Array
    inner: Array
    floor: Array

    def quantiles(self, origins: NDArray[np.int64] | slice, levels: Array) -> Array:
        """Quantiles `(way, level, channel)` of signed and symmetric errors with each power."""
        error = np.stack([self.error[origins] / self.spread[origins] ** power for power in POWERS], axis=2)
        count, channels = len(error), error.shape[-1]
        flat = error.reshape(-1, len(POWERS) * channels)
        # Mirrored errors count twice: 2 n values in the correction for n.
        both = [_quantiles(flat, count, levels), _quantiles(np.concatenate([flat, -flat]), 2 * count, levels)]
        return np.concatenate([q.reshape(-1, len(POWERS), channels).swapaxes(0, 1) for q in both])

    def stretch(self, origins: NDArray[np.int64] | slice) -> Array:
        """Factors `(channel,)` that make the ensemble's own 90 % interval hold."""
        error = self.error[origins]
        low, high = self.inner[0][origins], self.inner[-1][origins]
        side = np.where(error > 0, high, -low)
        ratio = np.abs(error) / np.maximum(side, self.floor / 10)
        return _quantiles(ratio.reshape(-1, error.shape[-1]), len(error), np.array([0.9]))[0]

    def loss(self, learn: NDArray[np.int64], test: NDArray[np.int64]) -> Array:
        """Quantile loss `(way, channel)` on the origins `test` of what the origins `learn` teach."""
        error = self.error[test]
        taught = self.quantiles(learn, COARSE)
        found = []
        for way in range(STRETCHED):
            width = self.spread[test] ** POWERS[way % len(POWERS)]
            found.append(sum(_pinball(error - width * q, p) for q, p in zip(taught[way], COARSE, strict=True)))
        factor = self.stretch(learn)
        own = sum(_pinball(error - factor * q[test], p) for q, p in zip(self.inner, COARSE, strict=True))
        return np.array([*found, own])


def _summary(samples: Array) -> tuple[Array, Array, Array]:
    """Median, 10-90 % range, and quantiles at `COARSE` less the median, over the members of `(member, ...)`."""
    ordered = np.sort(np.ascontiguousarray(np.moveaxis(samples, 0, -1)), axis=-1)
    members = ordered.shape[-1]
    low, high = int(0.1 * (members - 1)), members - 1 - int(0.1 * (members - 1))
    centre = (ordered[..., (members - 1) // 2] + ordered[..., members // 2]) / 2
    place = COARSE * (members - 1)
    below = np.floor(place).astype(int)
    inner = [
        ordered[..., b] + (p - b) * (ordered[..., min(b + 1, members - 1)] - ordered[..., b]) - centre
        for p, b in zip(place, below, strict=True)
    ]
    return centre, ordered[..., high] - ordered[..., low], np.stack(inner)


def _bins(horizon: int) -> NDArray[np.int64]:
    """First horizons of bins as wide as an eighth of the horizon: errors hardly grow within one."""
    edges = [0]
    while edges[-1] < horizon:
        edges.append(min(horizon, edges[-1] + max(1, edges[-1] // 8)))
    return np.array(edges, dtype=np.int64)


def _quantiles(errors: Array, origins: int, levels: Array) -> Array:
    """Quantiles `(level, column)` of pooled `errors (sample, column)`, corrected for few origins; NaN is left out.

    Errors of neighbouring horizons from one origin count as one for the correction, since they are nearly copies.
    NaN in a column with fewer than two errors.
    """
    ordered = np.sort(errors, axis=0)
    count = np.asarray(np.isfinite(errors).sum(axis=0))
    known = np.maximum(count, 2)
    if len(ordered) < 2:
        return np.full((len(levels), errors.shape[1]), np.nan)
    effective = np.minimum(origins, known)
    levels = levels[:, None]
    # The i-th of n stands at level i / (n + 1); on the pooled errors that is Hazen's level (i - 1/2) / n.
    place: Array = np.clip((levels * (effective + 1) - 0.5) / effective * known - 0.5, 0, known - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, known - 1)
    share = place - below
    result = (1 - share) * np.take_along_axis(ordered, below, 0) + share * np.take_along_axis(ordered, above, 0)
    # Beyond the outermost error: an exponential tail with the mean excess of the outer fifth, of three at least.
    tail = np.clip(known // 5, np.minimum(3, known - 1), known - 1)
    sums = np.concatenate([np.zeros((1, errors.shape[1])), np.nancumsum(ordered, axis=0)])
    columns = np.arange(errors.shape[1])
    lower = ordered[tail, columns] - sums[tail, columns] / tail
    upper = (sums[known, columns] - sums[known - tail, columns]) / tail - ordered[known - 1 - tail, columns]
    left, right = levels * (effective + 1), (1 - levels) * (effective + 1)
    result = np.where(left < 1, ordered[0] + lower * np.log(np.minimum(left, 1)), result)
    result = np.where(right < 1, ordered[known - 1, columns] - upper * np.log(np.minimum(right, 1)), result)
    return np.where(count >= 2, np.maximum.accumulate(result, axis=0), np.nan)


def _pinball(off: Array, level: float) -> Array:
    """Quantile loss `(channel,)` of values that lie `off` above the quantile at `level`; NaN counts nothing."""
    return np.asarray(np.nansum(np.where(off > 0, level * off, (level - 1) * off), axis=(0, 1)))


def _carried(table: Array, known: NDArray[np.bool_]) -> Array:
    """`table (bin, ..., channel)` where bins without truth take over the nearest before (or, first, after) them."""
    result = table.copy()
    for c in range(table.shape[-1]):
        whole = np.flatnonzero(known[:, c])
        if len(whole) == 0:
            raise InsufficientData("recalibration needs two known values at the same horizon in every channel")
        source = whole[np.clip(np.searchsorted(whole, np.arange(len(table)), side="right") - 1, 0, None)]
        result[..., c] = table[source][..., c]
    return result
