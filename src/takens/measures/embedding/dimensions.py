"""Embedding dimension: Kennel's and Cao's false nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...random import generator
from ..base import Channel, measure
from .search import bootstrap_weights, prepared_channel, prepared_search, weighted_means

Array = NDArray[np.float64]


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
    x, delay, theiler, left_out, chosen = prepared_channel(channel, delay, theiler)
    search = prepared_search(x, delay, theiler, max_dimension + 1)
    weights = bootstrap_weights(generator(seed, "embedding_dimension_cao"), resamples, len(search.own))
    growth, beyond, near = [], [], None
    for m in range(1, max_dimension + 2):
        d, further, kept, near = search.pairs(m, False, near)
        means = weighted_means(weights, np.array([np.maximum(d, further) / d, further]), kept)
        growth.append(means[:, 0])
        beyond.append(means[:, 1])
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
    x, delay, theiler, left_out, chosen = prepared_channel(channel, delay, theiler)
    search = prepared_search(x, delay, theiler, max_dimension)
    weights = bootstrap_weights(generator(seed, "false_nearest_neighbours"), resamples, len(search.own))
    shares, near = [], None
    for m in range(1, max_dimension + 1):
        d, further, kept, near = search.pairs(m, True, near)
        false = (further > distance_ratio * d) | (np.hypot(d, further) > attractor_ratio * np.std(x))
        shares.append(weighted_means(weights, false[None].astype(float), kept)[:, 0])
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
