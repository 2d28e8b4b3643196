"""Conformal recalibration of samples: errors seen before say how wide, and where, the next forecast must lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InsufficientData
from .base import Array

LEVELS = np.concatenate([[0.0025, 0.005], np.arange(1, 100) / 100, [0.995, 0.9975]])
POWERS = (0.0, 0.5, 1.0)
"""Trust in the spread of the ensemble: none (constant width), half, full."""
POOLED = 200
"""Errors wanted in one bin of horizons."""


@final
@dataclass(frozen=True)
class Recalibration:
    """A map of samples that makes their quantiles those of past errors; ranks, and so dependence, stay.

    With centre m (median over members) and width w = s^power, s the spread between the 10 % and the 90 % member, a past
    error is e = (truth - m) / w; member with rank r of M becomes m + w Q(r / (M - 1)), Q the quantile function of e for
    its horizon and channel. `edges (bin + 1,)` are the first horizons of the bins over which errors are pooled,
    `quantiles (bin, level, channel)` is Q at `levels`, `power (channel,)` the trust in the ensemble's spread, chosen by
    calibration score, and `floor (bin, channel)` the least spread. Horizons beyond the last calibrated use its errors.

    Q has the finite-sample correction of conformal prediction: with n origins the i-th smallest error stands at level
    i / (n + 1), so that a central interval at level a covers a share of at least a of new values, provided that origins
    are exchangeable and the density of the errors falls off in its tails. Beyond the largest error the tail is
    exponential. Source: Vovk et al., Conformal predictive distributions, 2019; Schefzik et al. 2013 (ranks).
    """

    edges: NDArray[np.int64]
    levels: Array
    quantiles: Array
    power: Array
    floor: Array

    @classmethod
    def fit(cls, samples: Array, truth: Array) -> Recalibration:
        """From forecasts `samples (origin, member, horizon, channel)` and `truth (origin, horizon, channel)`.

        NaN in `truth` is left out. Raises `DataError` for shapes that do not fit, `InsufficientData` for fewer than 3
        origins or a channel without truth. Cost: one sort of the samples over members.
        """
        if samples.ndim != 4 or truth.shape != (samples.shape[0], *samples.shape[2:]):
            raise DataError(f"samples {samples.shape} and truth {truth.shape} do not fit one another")
        origins, _, horizon, channels = samples.shape
        if origins < 3:
            raise InsufficientData(f"recalibration needs at least 3 origins, got {origins}")
        centre, spread = _centre_and_spread(samples, axis=1)
        error = np.where(np.isfinite(truth), truth, np.nan) - centre
        if np.isnan(error).all(axis=(0, 1)).any():
            raise InsufficientData("recalibration needs some truth in every channel")
        edges = _bins(horizon, origins)
        quantiles = np.empty((len(POWERS), len(edges) - 1, len(LEVELS), channels))
        floor = np.empty((len(edges) - 1, channels))
        loss = np.zeros((len(POWERS), channels))
        for b, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            least = 0.1 * np.median(spread[:, start:stop], axis=(0, 1))
            floor[b] = np.where(least > 0, least, 1.0)
            sized = np.maximum(spread[:, start:stop], floor[b]).reshape(-1, channels)
            pooled = error[:, start:stop].reshape(-1, channels)
            for p, power in enumerate(POWERS):
                width = sized**power
                quantiles[p, b] = _quantiles(pooled / width, origins)
                loss[p] += _pinball(pooled / width, quantiles[p, b], width)
        best = loss.argmin(axis=0)
        chosen = np.stack([quantiles[best[c], :, :, c] for c in range(channels)], axis=-1)
        if np.isnan(chosen).any():
            chosen = _carried(chosen)
        return cls(edges, LEVELS.copy(), chosen, np.array(POWERS)[best], floor)

    def apply(self, samples: Array) -> Array:
        """The recalibrated `samples (member, horizon, channel)`. Cost: one sort over members."""
        members, horizon, channels = samples.shape
        if channels != len(self.power):
            raise DataError(f"samples have {channels} channels, the calibration {len(self.power)}")
        centre, spread = _centre_and_spread(samples, axis=0)
        bins = np.minimum(np.searchsorted(self.edges, np.arange(horizon), side="right") - 1, len(self.edges) - 2)
        width = np.maximum(spread, self.floor[bins]) ** self.power
        # Level r / (M - 1) is where `numpy.quantile` sees rank r; the outermost members stop half a rank short of 0, 1.
        level = np.clip(np.arange(members) / max(members - 1, 1), 0.25 / members, 1 - 0.25 / members)
        level = np.clip(level if members > 1 else np.array([0.5]), self.levels[0], self.levels[-1])
        right = np.clip(np.searchsorted(self.levels, level), 1, len(self.levels) - 1)
        share = ((level - self.levels[right - 1]) / (self.levels[right] - self.levels[right - 1]))[:, None, None]
        table = self.quantiles.transpose(1, 0, 2)
        shape = ((1 - share) * table[right - 1] + share * table[right])[:, bins]
        ranked = centre + width * shape
        ranks = np.argsort(np.argsort(samples, axis=0, kind="stable"), axis=0, kind="stable")
        return np.take_along_axis(ranked, ranks, axis=0)


def _centre_and_spread(samples: Array, axis: int) -> tuple[Array, Array]:
    """Median and 10-90 % range over members, by one sort."""
    ordered = np.sort(np.moveaxis(samples, axis, -1), axis=-1)
    members = ordered.shape[-1]
    low, high = int(0.1 * (members - 1)), members - 1 - int(0.1 * (members - 1))
    centre = (ordered[..., (members - 1) // 2] + ordered[..., members // 2]) / 2
    return centre, ordered[..., high] - ordered[..., low]


def _bins(horizon: int, origins: int) -> NDArray[np.int64]:
    """First horizons of bins that grow to a quarter of the horizon, or less where the origins suffice."""
    most = max(1, -(-POOLED // origins))
    edges = [0]
    while edges[-1] < horizon:
        edges.append(min(horizon, edges[-1] + max(1, min(most, edges[-1] // 4))))
    return np.array(edges, dtype=np.int64)


def _quantiles(errors: Array, origins: int) -> Array:
    """Quantiles `(level, channel)` at `LEVELS` of pooled `errors (sample, channel)`, corrected for few origins.

    Errors of neighbouring horizons from one origin count as one for the correction, since they are nearly copies.
    NaN in a channel with fewer than two errors.
    """
    ordered = np.sort(errors, axis=0)
    count = (~np.isnan(errors)).sum(axis=0)
    known = np.maximum(count, 2)
    effective = np.minimum(origins, known)
    levels = LEVELS[:, None]
    # The i-th of n stands at level i / (n + 1); on the pooled errors that is Hazen's level (i - 1/2) / n.
    place = np.clip((levels * (effective + 1) - 0.5) / effective * known - 0.5, 0, known - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, known - 1)
    share = place - below
    result = (1 - share) * np.take_along_axis(ordered, below, 0) + share * np.take_along_axis(ordered, above, 0)
    # Beyond the outermost error: an exponential tail with the mean excess of the outer tenth.
    tail = np.clip(known // 10, 1, known - 1)
    sums = np.concatenate([np.zeros((1, errors.shape[1])), np.nancumsum(ordered, axis=0)])
    columns = np.arange(errors.shape[1])
    lower = ordered[tail, columns] - sums[tail, columns] / tail
    upper = (sums[known, columns] - sums[known - tail, columns]) / tail - ordered[known - 1 - tail, columns]
    left, right = levels * (effective + 1), (1 - levels) * (effective + 1)
    result = np.where(left < 1, ordered[0] + lower * np.log(np.minimum(left, 1)), result)
    result = np.where(right < 1, ordered[known - 1, columns] - upper * np.log(np.minimum(right, 1)), result)
    return np.where(count >= 2, np.maximum.accumulate(result, axis=0), np.nan)


def _pinball(errors: Array, quantiles: Array, width: Array) -> Array:
    """Mean quantile loss `(channel,)` in the units of the data, an approximation of the CRPS."""
    loss = np.zeros(errors.shape[1])
    for k in range(2, len(LEVELS) - 2, 6):
        off = errors - quantiles[k]
        loss += np.nansum(np.maximum(LEVELS[k] * off, (LEVELS[k] - 1) * off) * width, axis=0)
    return loss


def _carried(quantiles: Array) -> Array:
    """Bins without truth take over the errors of the nearest bin before (or, at the start, after) them."""
    result = quantiles.copy()
    for c in range(result.shape[2]):
        whole = ~np.isnan(result[:, :, c]).any(axis=1)
        if not whole.any():
            raise InsufficientData("recalibration needs at least two known errors in every channel")
        known = np.flatnonzero(whole)
        source = known[np.clip(np.searchsorted(known, np.arange(len(whole)), side="right") - 1, 0, None)]
        result[:, :, c] = result[source, :, c]
    return result
