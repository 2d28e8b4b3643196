"""Delays: mutual information of a channel and its past, its first minimum, and the Theiler window."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError
from ...estimate import Estimate
from ...neighbours import nearest
from ...random import generator
from ..base import Channel, measure
from ..timescales import autocorrelation_function, correlation_steps, crossing

Array = NDArray[np.float64]


def binned(x: Array, bins: int) -> NDArray[np.int64]:
    """Bin numbers `(time,)` of equally filled bins; equal values share a bin."""
    edges = np.quantile(x, np.arange(1, bins) / bins)
    return np.searchsorted(np.unique(edges), x, side="right")


def mutual_information(joint: Array) -> Array:
    """Mutual information in nats `(...,)` of joint counts `(..., a, b)`: sum p ln(p / (p_a p_b))."""
    p = joint / joint.sum(axis=(-2, -1), keepdims=True)
    independent = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    return np.sum(p * np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, independent, 1.0)), axis=(-2, -1))


def mutual_information_curve(x: ArrayLike, lags: ArrayLike, bins: int | None = None) -> Array:
    """Mutual information in nats `(lag,)` of `x (time,)` and itself `lags` later, in equally filled `bins`.

    I(l) = sum_ij p_ij ln(p_ij / (p_i p_j)); (bins - 1)^2 / (2 time) of it is bias. By default sqrt(time / 20) bins, 4
    to 32. Raises `DataError` for NaN and for lags that leave fewer than two pairs. Cost: O(time) a lag.
    """
    from ..kernels.embedding import joint_counts

    values = np.asarray(x, dtype=np.float64)
    steps = np.atleast_1d(np.asarray(lags, dtype=np.int64))
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(f"mutual information needs finite values (time,), got shape {values.shape}")
    if steps.min() < 0 or steps.max() > len(values) - 2:
        raise DataError(f"lags from {steps.min()} to {steps.max()} do not fit {len(values)} values")
    bins = bins or _bins(len(values))
    return _from_counts(joint_counts(binned(values, bins), steps, bins, 1)[:, 0])


def _bins(n: int) -> int:
    return int(np.clip(np.sqrt(n / 20), 4, 32))


def _from_counts(joint: NDArray[np.int64]) -> Array:
    """Mutual information `(...,)` of whole counts `(..., a, b)`, by a table of k ln k."""
    k = np.arange(int(joint.sum(axis=(-2, -1)).max()) + 1, dtype=float)
    k[1:] *= np.log(k[1:])
    total = joint.sum(axis=(-2, -1))
    inner = k[joint].sum(axis=(-2, -1)) - k[joint.sum(axis=-1)].sum(axis=-1) - k[joint.sum(axis=-2)].sum(axis=-1)
    return (inner + k[total]) / total


def neighbour_information(x: ArrayLike, y: ArrayLike, k: int = 4) -> float:
    """Mutual information in nats of `x` and `y (time,)` from the distances of the k-th nearest neighbours, no bins.

    psi(k) + psi(n) - <psi(n_x + 1) + psi(n_y + 1)> (Kraskov, Stoegbauer and Grassberger, Phys. Rev. E 69, 066138,
    2004). Nearly free of bias for smooth densities; values must not be coarse: equal pairs make it infinite, so that
    more than 5 % of pairs with a k-th neighbour at distance 0 raise `DataError`. Cost: O(n log n), some 100 times that
    of bins.
    """
    from scipy.special import digamma

    pairs = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    radius = nearest(pairs, k=k, metric="maximum")[0][:, -1]
    if np.mean(radius == 0) > 0.05:
        raise DataError("many pairs are equal: the data are too coarse for neighbours", remedy="Use bins.")
    inner = radius * (1 - 1e-10)  # strictly inside, whatever the rounding of the sums below
    found = digamma(k) + digamma(len(pairs))
    for column in pairs.T:
        ordered = np.sort(column)
        inside = np.searchsorted(ordered, column + inner, "right") - np.searchsorted(ordered, column - inner, "left")
        found -= digamma(np.maximum(inside, 1)).mean()
    return float(found)


def first_minimum(curve: Array, floor: float, reach: int = 2) -> int | None:
    """Index of the first minimum of `curve`, or where it first falls to `floor`; None if it does neither.

    A minimum is lower than the `reach` values on each side, so that ripples do not count.
    """
    padded = np.concatenate([np.full(reach, np.inf), curve])
    for i in range(len(curve) - reach):
        if curve[i] <= floor:
            return i
        if i > 0 and curve[i] < np.delete(padded[i : i + 2 * reach + 1], reach).min():
            return i
    return None


@measure(family="embedding", reference="Fraser and Swinney, Phys. Rev. A 33, 1134 (1986)", minimum=100)
def delay_mutual_information(
    channel: Channel, *, max_lag: int | None = None, bins: int | None = None, resamples: int = 100, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding delay: the first minimum of the mutual information between the channel and its past.

    I(l) = sum_ij p_ij ln(p_ij / (p_i p_j)) over equally filled `bins`, lags 1 to `max_lag` samples (at most 200 of
    them). The value is a time. Where I falls to the level of independent data first, that lag is taken; where it has
    no minimum, the first 1/e of the autocorrelation; where the autocorrelation is below 1/e after one sample already,
    as for maps, the delay is one sample. `chosen` says which. The interval is a block bootstrap. Details: `lag`,
    `mutual_information` (nats), `independent` (95 % level of independence), `samples` (the delay in samples), `refined`
    (a time: the lowest point of the parabola through a minimum and the lags beside it). A delay is a convenience, not a
    property of the system: do not compare it between series. Cost: O(N) a lag.
    """
    from scipy.special import chdtri

    from ..kernels.embedding import joint_counts

    x, stride, left_out = channel.portion(200_000, 20)
    n = len(x)
    bins = bins or _bins(n)
    scale = correlation_steps(x)
    max_lag = max_lag or int(min(max(10, 4 * scale), n // 4))
    lags = np.unique(np.linspace(1, max_lag, min(max_lag, 200)).round().astype(int))
    joint = joint_counts(binned(x, bins), lags, bins, 20)
    rng = generator(seed, "delay_mutual_information")
    draws = np.concatenate([np.ones((1, 20)), rng.multinomial(20, np.full(20, 0.05), size=resamples)])
    curves = np.empty((len(draws), len(lags)))
    for i, counts in enumerate(joint):
        redrawn = (draws @ counts.reshape(20, -1).astype(float)).astype(np.int64)
        curves[:, i] = _from_counts(redrawn.reshape(-1, bins, bins))
    floor = float(chdtri((bins - 1) ** 2, 0.05) / (2 * n))
    at, how = _delay_of(curves[0], floor, lags, scale)
    others = [_delay_of(curve, floor, lags, scale)[0] for curve in curves[1:]]
    low, high = np.quantile(others, [0.5 - level / 2, 0.5 + level / 2])
    step = stride * channel.interval
    return Estimate(
        "",
        at * step,
        channel.time_unit,
        (float(min(low, at)) * step, float(max(high, at)) * step),
        level,
        "first minimum of the mutual information in equally filled bins",
        {"max_lag": max_lag * stride, "bins": bins, "resamples": resamples, "used": left_out or "all"},
        {"delay": how, "max_lag": "4 correlation times, at most a quarter of the record"},
        details={
            "lag": lags * step, "mutual_information": curves[0], "independent": floor, "samples": at * stride,
            "refined": _refined(lags, curves[0], at) * step,
        },
    )  # fmt: skip


def _delay_of(curve: Array, floor: float, lags: NDArray[np.int64], scale: int) -> tuple[int, str]:
    if scale <= 1:
        return 1, "one sample: the autocorrelation is below 1/e after it"
    # Ripples are narrower than a quarter of the correlation time.
    reach = max(2, round(scale / 4 / (lags[-1] / len(lags))))
    index = first_minimum(curve, floor, reach)
    if index is None:
        return scale, "first 1/e of the autocorrelation, because the mutual information has no minimum"
    reached = curve[index] <= floor
    return int(lags[index]), "mutual information at the level of independence" if reached else "first minimum"


def _refined(lags: NDArray[np.int64], curve: Array, at: int) -> float:
    """Where the parabola through lag `at` and those beside it is lowest; `at` where that is no minimum."""
    i = int(np.searchsorted(lags, at))
    if not 0 < i < len(lags) - 1 or not curve[i] < min(curve[i - 1], curve[i + 1]):
        return float(at)
    a, b, _ = np.polyfit((lags[i - 1 : i + 2] - at).astype(float), curve[i - 1 : i + 2], 2)
    return float(at - b / (2 * a))


def delay_steps(x: Array) -> int:
    """The embedding delay in samples that the measures here and in `chaos` use where none is given."""
    channel = Channel(x, np.arange(float(len(x))), 1.0, "step", "", "all")
    return int(delay_mutual_information.function(channel, resamples=1).details["samples"])


def mean_period_steps(x: Array) -> float:
    """Mean period in samples: the inverse of the mean frequency of the power spectrum (Rosenstein et al. 1993)."""
    from scipy.fft import rfft

    power = np.abs(rfft(x - x.mean())) ** 2
    return float(len(x) * power.sum() / np.sum(power * np.arange(len(power))))


def theiler_steps(x: Array) -> int:
    """Theiler window in samples: the larger of the first zero of the autocorrelation and the mean period."""
    zero = crossing(autocorrelation_function(x, len(x) // 4), 0.0)
    zero = len(x) // 10 if np.isnan(zero) else zero
    return int(min(np.ceil(max(zero, mean_period_steps(x))), len(x) // 10))
