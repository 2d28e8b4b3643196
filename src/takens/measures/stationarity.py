"""Stationarity: do mean, spread, spectrum and order of values stay what they are?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..random import generator
from .base import Channel, Refused, measure
from .ordinal import break_ties, entropy_complexity, ordinal_patterns
from .surrogates import family_p_values
from .timescales import autocorrelation_function, crossing, integral_steps

Array = NDArray[np.float64]

FEATURES = ("mean", "spread", "roughness", "ordinal entropy")


def recurring_lag(x: Array) -> int | None:
    """The lag of the highest autocorrelation after its first zero, if it is a clear one; None otherwise."""
    rho = autocorrelation_function(x, len(x) // 4)
    zero = crossing(rho, 0.0)
    if np.isnan(zero):
        return None
    start = int(np.ceil(zero))
    lag = start + int(np.argmax(rho[start:]))
    return lag if rho[lag] > max(0.3, 4 / np.sqrt(len(x))) and lag > start else None


def block_length(x: Array, time_scales: float) -> tuple[int, str]:
    """Length of blocks that count as independent: `time_scales` integral time scales, and whole periods.

    The time scale is the median of those of four quarters, each about its own mean, of the values and of their distance
    from the mean, so that a slow drift does not hide itself by lengthening the blocks.
    """
    quarters = [x[i * len(x) // 4 : (i + 1) * len(x) // 4] for i in range(4)]
    tau = max(
        float(np.median([integral_steps(part)[0] for part in quarters if np.ptp(part) > 0] or [1.0])),
        float(
            np.median([integral_steps(np.abs(part - part.mean()))[0] for part in quarters if np.ptp(part) > 0] or [1])
        ),
    )
    length = int(max(np.ceil(time_scales * tau), 16))
    period = recurring_lag(x)
    if period is None:
        return length, f"{time_scales:g} integral time scales of {tau:.3g} samples"
    return -(-length // period) * period, f"whole periods of {period} samples, at least {time_scales:g} time scales"


def block_features(blocks: Array, order: int) -> Array:
    """Features `(block, feature)` of `blocks (block, time)`: mean, log standard deviation, log ratio of the spread of
    the steps to that of the values (the second moment of the spectrum), and normalised permutation entropy."""
    spread = np.log(np.maximum(blocks.std(axis=1), 1e-300))
    steps = np.log(np.maximum(np.diff(blocks, axis=1).std(axis=1), 1e-300)) - spread
    size = int(np.prod(np.arange(1, order + 1)))
    patterns = np.stack([np.bincount(ordinal_patterns(row, order), minlength=size) for row in blocks]).astype(float)
    return np.stack([blocks.mean(axis=1), spread, steps, entropy_complexity(patterns)[0]], axis=1)


def slow_share(features: Array, orders: NDArray[np.int64], waves: int) -> Array:
    """Share of variance `(order, feature)` in the `waves` slowest cosines, for each of `orders (order, block)`.

    Trends, steps and slow changes all raise it; for exchangeable blocks its mean is waves / (blocks - 1).
    """
    count = len(features)
    centred = features - features.mean(axis=0)
    k = np.arange(1, waves + 1)[:, None]
    cosines = np.sqrt(2 / count) * np.cos(np.pi * k * (np.arange(count) + 0.5) / count)
    power = np.einsum("wb,obf->ofw", cosines, centred[orders], optimize=True) ** 2
    return power.sum(axis=2) / np.maximum((centred**2).sum(axis=0), 1e-300)


@measure(family="stationarity", reference="Good, Permutation, Parametric and Bootstrap Tests (2005)", minimum=200)
def stationarity(
    channel: Channel, *, time_scales: float = 10.0, waves: int = 3, order: int = 3, permutations: int = 999,
    resolution: float = 0.02, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Test of stationarity: the p-value of slow change in mean, spread, spectrum or ordinal patterns.

    The channel is cut into at least 12 and at most 64 blocks of `time_scales` integral time scales (and whole periods),
    long enough to be nearly independent. For each feature of the blocks - mean, log standard deviation, roughness of
    the spectrum, permutation entropy - the statistic is the share of its variance in the `waves` slowest cosines.
    Under stationarity all orders of the blocks are equally likely, so p = (1 + larger ones among `permutations` random
    orders) / (`permutations` + 1) is exact, and the value is the min-p of the family. Normal noise of `resolution` (in
    standard deviations of the channel, and as a share of the others) is added to the features, so that changes too
    small to matter, like the beat of a clean cycle with the blocks, do not count. Not admissible where the record
    holds too few independent blocks: then slow fluctuation and drift cannot be told apart. No rejection does not prove
    stationarity. Details: `features (block, feature)`, `names`, `p_values`, `block_time`. Cost: O(N log N).
    """
    x = channel.x
    length, how = block_length(x, time_scales)
    count = len(x) // length
    if count < 12:
        raise Refused(
            f"the record holds {count} blocks of {length} samples ({how}); 12 are needed to tell drift from slow "
            "fluctuation"
        )
    if count > 64:
        length = len(x) // 64 // (length if "periods" in how else 1) * (length if "periods" in how else 1)
        count = len(x) // length
    rng = generator(seed, "stationarity")
    x = break_ties(x, rng) if len(np.unique(x)) < len(x) // 2 else x
    features = block_features(x[: count * length].reshape(count, length), order)
    features += resolution * rng.normal(size=features.shape) * np.array([np.std(x), 1, 1, 1])
    orders = np.concatenate([[np.arange(count)], rng.permuted(np.tile(np.arange(count), (permutations, 1)), axis=1)])
    p_values, p = family_p_values(slow_share(features, orders, waves))
    return Estimate(
        "", p, "p-value", None, level, "permutation of nearly independent blocks, min-p over four features",
        {"time_scales": time_scales, "waves": waves, "order": order, "permutations": permutations,
            "resolution": resolution, "blocks": count,
         "block_length": length},
        {"block_length": how},
        details={"features": features, "names": list(FEATURES), "p_values": p_values,
                 "block_time": channel.t[0] + (np.arange(count) + 0.5) * length * channel.interval},
    )  # fmt: skip
