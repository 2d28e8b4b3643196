"""How differently two channels order their values."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...random import generator
from ..base import Channel
from ..entropy_inference import Table, delta
from ..relations import Pair, relation
from .patterns import Ties, choose_order, natural_steps, take_patterns

Array = NDArray[np.float64]


def jensen_shannon(p: Array, q: Array) -> Array:
    """Jensen-Shannon divergence of distributions `(..., outcomes)` over ln 2: 0 equal, 1 without common outcome."""

    def shannon(r: Array) -> Array:
        return np.asarray(-np.sum(r * np.log(np.where(r > 0, r, 1.0)), axis=-1))

    return np.maximum(shannon((p + q) / 2) - (shannon(p) + shannon(q)) / 2, 0.0) / np.log(2)


def _divergence_interval(first: Array, second: Array, level: float) -> tuple[float, float]:
    """Ends of the interval of the divergence from counts `(blocks, patterns)` of both channels in the same blocks."""
    one, two = Table(first), Table(second)
    p, q = one.p, two.p
    blocks, size = first.shape
    rows = np.zeros((2, blocks, size))
    rows[0][:, one.seen], rows[1][:, two.seen] = one.scatter, two.scatter
    both = np.where(p + q > 0, p + q, 1.0)
    slopes, curves = [], np.zeros((blocks, blocks))
    for share, row in ((p, rows[0]), (q, rows[1])):
        seen = share > 0
        slopes.append(row[:, seen] @ (0.5 * np.log(2 * share[seen] / both[seen])))
        curves += (row[:, seen] / (2 * share[seen])) @ row[:, seen].T
    joint = rows[0] + rows[1]
    curves -= (joint / (2 * both)) @ joint.T
    spread = delta(np.sum(slopes, axis=0)[None] / np.log(2), curves[None] / np.log(2))
    low, high = spread.interval(float(jensen_shannon(p, q)), level)
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


@relation(family="ordinal patterns", reference="Zunino et al., Chaos, Solitons and Fractals 161, 112277 (2022)")
def permutation_jensen_shannon_distance(
    pair: Pair, *, order: int | None = None, delay: int | None = None, ties: Ties = "random", resamples: int = 999,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Distance of the ordinal distributions of two channels, 0 (the same) to 1 (no pattern in common).

    D = sqrt(JS(p, q) / ln 2), JS the Jensen-Shannon divergence of the shares of ordinal patterns; a metric. The same
    `order` and `delay` serve both; a `delay` of None follows the sampling rule of `permutation_entropy` for the shorter
    natural time. It compares how values are ordered, not whether the channels go together. `details["p_value"]` tests
    that both have one distribution: the patterns of both are exchanged in random blocks, so that dependence in and
    between the channels is kept. Interval: second-order delta method over the same blocks, for the divergence.
    Admissible as `permutation_entropy`. Cost: O(N order^2 + resamples blocks order!).
    """
    chosen: dict[str, str] = {}
    if order is None:
        order = choose_order(len(pair.x))
        chosen["order"] = "5, or the largest with 5 order! values"
    channels = [
        Channel(x, np.arange(len(x), dtype=np.float64) * pair.interval, pair.interval, pair.time_unit, "", pair.used)
        for x in (pair.x, pair.y)
    ]
    if delay is None:
        natural = [natural_steps(channel.x) for channel in channels]
        shorter = channels[int(np.nanargmin(natural))] if np.isfinite(natural).any() else channels[0]
        delay = take_patterns(shorter, order, None, ties, seed).delay
        chosen["delay"] = "pattern time 0.4 of the shorter natural time, as far as the sampling allows"
    taken = [take_patterns(channel, order, delay, ties, seed + i) for i, channel in enumerate(channels)]
    first, second = (patterns.table.counts for patterns in taken)
    divergence = float(jensen_shannon(taken[0].table.p, taken[1].table.p))
    swap = generator(seed, "ordinal", "exchange").integers(0, 2, (resamples, len(first))).astype(float)
    exchanged = [swap @ a + (1 - swap) @ b for a, b in ((first, second), (second, first))]
    size = factorial(order)
    null = jensen_shannon(*(counts.reshape(-1, size) / counts.sum(axis=1, keepdims=True) for counts in exchanged))
    p_value = (1 + int(np.sum(null >= divergence - 1e-15))) / (1 + resamples)
    low, high = _divergence_interval(first, second, level)
    reason = taken[0].reason or taken[1].reason
    return Estimate(
        "", float(np.sqrt(divergence)), "", (float(np.sqrt(low)), float(np.sqrt(high))), level,
        "root of the Jensen-Shannon divergence of ordinal patterns; second-order delta method over blocks",
        {**taken[0].settings, "resamples": resamples}, {**taken[0].chosen, **chosen}, not reason, reason,
        details={"p_value": p_value, "null": np.sqrt(null), "counts": np.stack([t.table.total for t in taken])},
    )  # fmt: skip
