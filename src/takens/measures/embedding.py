"""State-space reconstruction: how far apart and how many delays unfold the dynamics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..neighbours import delay_vectors, nearest
from ..random import generator
from .base import Channel, Refused, measure
from .timescales import autocorrelation_function, correlation_steps, crossing

Array = NDArray[np.float64]

LONGEST = 20_000
"""Samples in which the embedding measures look for neighbours at most."""

REFERENCES = 2000
"""Points whose neighbours are looked at; evenly spread over the channel."""


def binned(x: Array, bins: int) -> NDArray[np.int64]:
    """Bin numbers `(time,)` of equally filled bins; equal values share a bin."""
    edges = np.quantile(x, np.arange(1, bins) / bins)
    return np.searchsorted(np.unique(edges), x, side="right")


def _joint_counts(codes: NDArray[np.int64], lag: int, bins: int, blocks: int) -> Array:
    """Joint counts `(block, bins, bins)` of a code and the one `lag` later, in consecutive blocks of time."""
    pairs = len(codes) - lag
    block = np.arange(pairs) * blocks // pairs
    cell = (block * bins + codes[:-lag]) * bins + codes[lag:]
    return np.bincount(cell, minlength=blocks * bins * bins).reshape(blocks, bins, bins).astype(float)


def mutual_information(joint: Array) -> Array:
    """Mutual information in nats `(...,)` of joint counts `(..., a, b)`: sum p ln(p / (p_a p_b))."""
    p = joint / joint.sum(axis=(-2, -1), keepdims=True)
    independent = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    return np.sum(p * np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, independent, 1.0)), axis=(-2, -1))


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
    `mutual_information` (nats), `independent` (95 % level of independence), `samples` (the delay in samples). A delay
    is a convenience, not a property of the system: do not compare it between series. Cost: O(N) a lag.
    """
    x, stride, left_out = channel.portion(200_000, 20)
    n = len(x)
    bins = bins or int(np.clip(np.sqrt(n / 20), 4, 32))
    scale = correlation_steps(x)
    max_lag = max_lag or int(min(max(10, 4 * scale), n // 4))
    lags = np.unique(np.linspace(1, max_lag, min(max_lag, 200)).round().astype(int))
    codes = binned(x, bins)
    rng = generator(seed, "delay_mutual_information")
    draws = np.concatenate([np.ones((1, 20)), rng.multinomial(20, np.full(20, 0.05), size=resamples)])
    curves = np.empty((len(draws), len(lags)))
    for i, lag in enumerate(lags):
        joint = _joint_counts(codes, lag, bins, 20)
        curves[:, i] = mutual_information(np.tensordot(draws, joint, 1))
    from scipy.special import chdtri

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


def _ready(channel: Channel, delay: int | None, theiler: int | None) -> tuple[Array, int, int, str, dict[str, str]]:
    x, _, left_out = channel.portion(LONGEST, 10)
    chosen = {}
    if delay is None:
        delay = delay_steps(x)
        chosen["delay"] = "first minimum of the mutual information"
    if theiler is None:
        theiler = theiler_steps(x)
        chosen["theiler"] = "larger of the first zero of the autocorrelation and the mean period"
    return x, delay, theiler, left_out, chosen


def _pairs(
    x: Array, m: int, delay: int, theiler: int, metric: str
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64], Array]:
    """Distances, points and neighbours in `m` dimensions, and how far apart the next coordinate of each pair is.

    Neighbours at distance 0 carry no scale, so the nearest one at a positive distance is taken.
    """
    points = delay_vectors(x[: len(x) - delay], m, delay)
    if len(points) < 10 * (theiler + 1):
        raise Refused(
            f"{len(x)} values are too few for {m} delays of {delay} with a Theiler window of {theiler}: "
            f"{10 * (theiler + 1) + m * delay} are needed"
        )
    own = np.unique(np.linspace(0, len(points) - 1, min(REFERENCES, len(points))).astype(int))
    if m == 3 and np.mean(nearest(points, points[own], theiler=theiler, exclude=own)[0] == 0) > 0.5:
        raise Refused("most states recur exactly: the data are periodic or coarse, and have no scale to embed at")
    d, j = nearest(points, points[own], theiler=theiler, exclude=own, distinct=True, metric=metric)  # type: ignore[arg-type]
    kept = j[:, 0] >= 0
    if kept.sum() < 50:
        raise Refused("fewer than 50 points have a neighbour at a positive distance: the data are periodic or coarse")
    own, j, d = own[kept], j[kept, 0], d[kept, 0]
    return d, own, j, np.abs(x[own + m * delay] - x[j + m * delay])


@measure(family="embedding", reference="Cao, Physica D 110, 43 (1997)", minimum=200)
def embedding_dimension_cao(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 10,
    tolerance: float = 0.05, resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding dimension by Cao's averaged false neighbours.

    E(m) is the mean growth of the (maximum-norm) distance of nearest neighbours from m to m + 1 dimensions,
    E1(m) = E(m + 1) / E(m); the value is the first m with E1(m) above 1 - 2 `tolerance` and E1(m + 1) within
    `tolerance` of it. E*(m) is the mean distance of their next coordinates, E2(m) = E*(m + 1) / E*(m), about 1 at
    every m for noise. Not admissible where E1 does not settle up to `max_dimension`, or where every E2 lies within 0.1
    of 1 (then the data look like noise and have no dimension). The interval comes from a bootstrap of points. Details:
    `dimension`, `e1`, `e2`, `stochastic`. Fails on perfectly periodic data. Cost: `max_dimension` neighbour searches.
    """
    x, delay, theiler, left_out, chosen = _ready(channel, delay, theiler)
    rng = generator(seed, "embedding_dimension_cao")
    growth, beyond = [], []
    for m in range(1, max_dimension + 2):
        d, _, _, further = _pairs(x, m, delay, theiler, "maximum")
        draws = np.concatenate([[np.arange(len(d))], rng.integers(len(d), size=(resamples, len(d)))])
        growth.append((np.maximum(d, further) / d)[draws].mean(axis=1))
        beyond.append(further[draws].mean(axis=1))
    e1, e2 = (np.diff(np.log(np.array(curve).T), axis=1) for curve in (growth, beyond))
    e1, e2 = np.exp(e1), np.exp(e2)
    found = [_settled(curve, tolerance) for curve in e1]
    stochastic = bool(np.abs(e2[0] - 1).max() < 0.1)
    reason = ""
    if found[0] is None:
        reason = f"E1 does not settle up to dimension {max_dimension}; longer or less noisy data might"
    elif stochastic:
        reason = "E2 is about 1 at every dimension, as for noise"
    known = [value for value in found[1:] if value is not None]
    interval = None
    if found[0] is not None and known:
        low, high = np.quantile(known, [0.5 - level / 2, 0.5 + level / 2], method="nearest")
        interval = (min(int(low), found[0]), max(int(high), found[0]))
    return Estimate(
        "", found[0], "", interval, level, "E1 settles (maximum norm, nearest neighbour at a positive distance)",
        {"delay": delay, "theiler": theiler, "max_dimension": max_dimension, "tolerance": tolerance,
         "used": left_out or "all"},
        chosen, not reason, reason,
        details={"dimension": np.arange(1, max_dimension + 1), "e1": e1[0], "e2": e2[0], "stochastic": stochastic},
    )  # fmt: skip


def _settled(e1: Array, tolerance: float) -> int | None:
    for m in range(len(e1) - 1):
        if e1[m] > 1 - 2 * tolerance and abs(e1[m + 1] - e1[m]) < tolerance:
            return m + 1
    return None


@measure(family="embedding", reference="Kennel, Brown and Abarbanel, Phys. Rev. A 45, 3403 (1992)", minimum=200)
def false_nearest_neighbours(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 10,
    distance_ratio: float = 10.0, attractor_ratio: float = 2.0, threshold: float = 0.05, resamples: int = 100,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding dimension by Kennel's false nearest neighbours.

    A nearest neighbour at distance R in m dimensions is false if its next coordinate is further away than
    `distance_ratio` R, or if the distance in m + 1 dimensions exceeds `attractor_ratio` standard deviations of the
    channel. The value is the first m with a share of false neighbours below `threshold`. Not admissible where none has
    one, as for noise. The interval comes from a bootstrap of points. Details: `dimension`, `false_share`. With
    observation noise the share stays above a floor: raise `threshold` knowingly. Cost: `max_dimension` searches.
    """
    x, delay, theiler, left_out, chosen = _ready(channel, delay, theiler)
    rng = generator(seed, "false_nearest_neighbours")
    shares = []
    for m in range(1, max_dimension + 1):
        d, _, _, further = _pairs(x, m, delay, theiler, "euclidean")
        false = (further > distance_ratio * d) | (np.hypot(d, further) > attractor_ratio * np.std(x))
        share = false.mean()
        shares.append(np.append(share, rng.binomial(len(d), share, size=resamples) / len(d)))
    below = np.transpose(shares) < threshold
    dimension = np.where(below.any(axis=1), below.argmax(axis=1) + 1, max_dimension + 1)
    found = int(dimension[0]) if below[0].any() else None
    low, high = np.quantile(dimension, [0.5 - level / 2, 0.5 + level / 2], method="nearest")
    lowest = min(float(share[0]) for share in shares)
    reason = "" if found else f"false neighbours never fall below {threshold:.0%} (lowest {lowest:.1%}), as for noise"
    return Estimate(
        "", found, "", (int(low), int(high)) if found else None, level, "share of false nearest neighbours",
        {"delay": delay, "theiler": theiler, "max_dimension": max_dimension, "distance_ratio": distance_ratio,
         "attractor_ratio": attractor_ratio, "threshold": threshold, "used": left_out or "all"},
        chosen, not reason, reason,
        details={"dimension": np.arange(1, max_dimension + 1), "false_share": np.array([s[0] for s in shares])},
    )  # fmt: skip
