"""Ordinal patterns: permutation entropy, statistical complexity, and the sampling rule that makes them comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Channel, Refused, measure

Array = NDArray[np.float64]
Ties = Literal["random", "order"]

TARGET = 0.4
"""Pattern time over natural time: the middle of PECCARY's range 0.3 to 0.5 (Hyman et al. 2025)."""


def ordinal_patterns(x: Array, order: int, delay: int = 1) -> NDArray[np.int64]:
    """Pattern numbers `(time - (order - 1) delay,)` in 0 ... order! - 1: the Lehmer code of each delay vector.

    The code counts, for each entry, the later ones that are smaller; equal values count as rising. Cost:
    order (order - 1) / 2 comparisons a sample, no sorting.
    """
    if not 2 <= order <= 8:
        raise SettingError(f"order must be 2 to 8, got {order}", place="order")
    if delay < 1:
        raise SettingError(f"delay must be at least 1, got {delay}", place="delay")
    length = len(x) - (order - 1) * delay
    if length < 1:
        raise Refused(f"{len(x)} values hold no pattern of order {order} at delay {delay}")
    columns = [x[i * delay : i * delay + length] for i in range(order)]
    code = np.zeros(length, dtype=np.int64)
    for i in range(order - 1):
        digit = np.zeros(length, dtype=np.int8)
        for j in range(i + 1, order):
            digit += columns[j] < columns[i]
        code *= order - i
        code += digit
    return code


def break_ties(x: Array, rng: np.random.Generator) -> Array:
    """Ranks `(time,)` of `x` in which equal values stand in random order (Zunino et al. 2017)."""
    order = np.lexsort((rng.random(len(x)), x))
    ranks = np.empty(len(x))
    ranks[order] = np.arange(len(x))
    return ranks


def entropy_complexity(counts: Array, repeats: Array | float = 1.0) -> tuple[Array, Array]:
    """Normalised entropy H and Jensen-Shannon complexity C `(...,)` of pattern `counts (..., patterns)`.

    H = S(p) / ln M; C = Q0 [S((p + u) / 2) - S(p) / 2 - S(u) / 2] H with u uniform and Q0 such that the bracket is at
    most 1 (Rosso et al. 2007). M is the number of columns, each counted `repeats` times.
    """
    repeats = np.broadcast_to(repeats, counts.shape)
    size = repeats.sum(axis=-1)
    p = counts / (counts * repeats).sum(axis=-1, keepdims=True)
    entropy = _shannon(p, repeats)
    divergence = _shannon((p + 1 / size[..., None]) / 2, repeats) - entropy / 2 - np.log(size) / 2
    largest = -0.5 * ((size + 1) / size * np.log(size + 1) - 2 * np.log(2 * size) + np.log(size))
    h = entropy / np.log(size)
    return h, divergence / largest * h


def _shannon(p: Array, repeats: Array) -> Array:
    return -np.sum(repeats * p * np.log(np.where(p > 0, p, 1.0)), axis=-1)


def complexity_limits(order: int, points: int = 200) -> tuple[Array, Array]:
    """The smallest and largest complexity at each entropy: two curves `(points, 2)` of (H, C), H rising.

    Martin, Plastino and Rosso (2006): the lower limit has one pattern more probable than the others, which are equal;
    the upper one has k patterns of probability 0, one of p <= 1 / (M - k), and the others equal. The curves are
    interpolated onto even steps of H. Cost: milliseconds.
    """
    size = factorial(order)
    grid = np.linspace(0, 1, points)
    excess = np.concatenate([[0], np.geomspace(1e-8, 1, 20 * points)]) * (1 - 1 / size)
    p = 1 / size + excess
    h, c = entropy_complexity(np.stack([p, (1 - p) / (size - 1)], axis=1), np.array([1.0, size - 1]))
    low = np.interp(grid, h[::-1], c[::-1])
    kept, share = np.meshgrid(np.arange(2.0, size + 1), np.linspace(0, 1, 33), indexing="ij")
    p = share / kept
    groups = np.stack([p, (1 - p) / (kept - 1), np.zeros_like(p)], axis=-1)
    h, c = entropy_complexity(groups, np.stack([np.ones_like(p), kept - 1, size - kept], axis=-1))
    high = np.interp(grid, np.append(0, h), np.append(0, c))
    return np.stack([grid, low], axis=1), np.stack([grid, high], axis=1)


def natural_steps(x: Array) -> float:
    """Natural time in samples: 2 x (length - 1) / number of mean crossings; NaN without a crossing."""
    above = x > x.mean()
    crossings = int(np.count_nonzero(above[1:] != above[:-1]))
    return 2 * (len(x) - 1) / crossings if crossings else float("nan")


@dataclass(frozen=True)
class Patterns:
    """Ordinal patterns of one channel and how they were taken: counts, bootstrap counts, settings and their origin."""

    counts: Array
    resampled: Array
    settings: Mapping[str, object]
    chosen: Mapping[str, str]
    reason: str
    ratio: float

    def estimate(self, which: int, level: float, method: str) -> Estimate:
        """The entropy (`which` 0) or the complexity (1) with its bootstrap interval."""
        pair = np.array(entropy_complexity(self.counts))
        cloud = np.array(entropy_complexity(self.resampled))
        # Plug-in entropies of resampled data are lower than the value by about their bias; centring removes that.
        centred = cloud - cloud.mean(axis=1, keepdims=True) + pair[:, None]
        low, high = np.clip(np.quantile(centred[which], [0.5 - level / 2, 0.5 + level / 2]), 0, 1)
        return Estimate(
            "",
            float(pair[which]),
            "",
            (float(low), float(high)),
            level,
            method,
            self.settings,
            self.chosen,
            not self.reason,
            self.reason,
            details={
                "entropy": float(pair[0]),
                "complexity": float(pair[1]),
                "covariance": np.cov(cloud),
                "counts": self.counts,
                "missing_patterns": int(np.sum(self.counts == 0)),
                "pattern_time_ratio": self.ratio,
            },
        )


def count_patterns(
    channel: Channel, order: int | None, delay: int | None, ties: Ties, resamples: int, seed: int
) -> Patterns:
    """Count ordinal patterns; choose `order` by the length and `delay` by the sampling rule where they are None."""
    if ties not in ("random", "order"):
        raise SettingError(f"ties must be 'random' or 'order', got {ties!r}", place="ties")
    n = len(channel.x)
    chosen: dict[str, str] = {}
    if order is None:
        order = max((m for m in (3, 4, 5) if n >= 5 * factorial(m)), default=3)
        chosen["order"] = "5, or the largest with 5 order! values"
    natural = natural_steps(channel.x)
    if delay is None:
        delay = 1 if np.isnan(natural) else max(1, round(TARGET * natural / (order - 1)))
        delay = min(delay, max(1, (n - 1) // (2 * (order - 1))))
        chosen["delay"] = f"pattern time / natural time = {delay * (order - 1) / natural:.2f} (rule: 0.3 to 0.5)"
        if delay == 1 and (order - 1) / natural > 0.5:
            chosen["delay"] += "; the sampling allows no shorter pattern, as for maps and noise"
    tied = 1 - len(np.unique(channel.x)) / n
    x = break_ties(channel.x, generator(seed, "ordinal", "ties")) if tied and ties == "random" else channel.x
    code = ordinal_patterns(x, order, delay)
    size = factorial(order)
    reason = ""
    if len(code) < 5 * size:
        reason = f"{len(code)} patterns; order {order} needs 5 x {order}! = {5 * size}"
    elif np.isnan(natural) or n < 1.5 * natural:
        reason = f"the record holds {n / natural:.2g} natural times; 1.5 are needed"
    elif tied > 0.5:
        reason = f"{tied:.0%} of the values repeat an earlier one; finer resolution is needed"
    settings = {"order": order, "delay": delay, "ties": ties, "tied": round(float(tied), 6), "resamples": resamples}
    counts = np.bincount(code, minlength=size).astype(float)
    cloud = _resample(code, size, resamples, max(10 * delay * order, n // 200), generator(seed, "ordinal", "blocks"))
    return Patterns(counts, cloud, settings, chosen, reason, delay * (order - 1) / natural)


def _resample(code: NDArray[np.int64], size: int, resamples: int, block: int, rng: np.random.Generator) -> Array:
    """Pattern counts `(resamples, size)` of block-bootstrap samples: whole blocks are drawn, so dependence is kept."""
    blocks = max(len(code) // block, 2)
    label = np.minimum(np.arange(len(code)) * blocks // len(code), blocks - 1)
    table = np.bincount(label * size + code, minlength=blocks * size).reshape(blocks, size)
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples) @ table.astype(float)


@measure(family="ordinal patterns", reference="Bandt and Pompe, Phys. Rev. Lett. 88, 174102 (2002)")
def permutation_entropy(
    channel: Channel, *, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Permutation entropy, 0 (monotone) to 1 (all orders equally frequent).

    H = -sum_pi p(pi) ln p(pi) / ln(order!), p the shares of the ordinal patterns of `order` values `delay` samples
    apart. Where `delay` is None it makes the pattern time delay (order - 1) 0.4 natural times (PECCARY: 0.3 to 0.5; the
    natural time is twice the mean time between crossings of the mean), so that series of different sampling compare.
    Equal values are put in random order (`ties="random"`, seeded) or count as rising (`"order"`). The interval is a
    block bootstrap. Admissible from 5 order! patterns and 1.5 natural times, with at most half of the values tied.
    Noise on an oversampled signal raises H: choose `delay` by hand then. Cost: O(N order^2).
    """
    patterns = count_patterns(channel, order, delay, ties, resamples, seed)
    return patterns.estimate(0, level, "plug-in Shannon entropy of ordinal patterns, block bootstrap")


@measure(family="ordinal patterns", reference="Rosso et al., Phys. Rev. Lett. 99, 154102 (2007)")
def statistical_complexity(
    channel: Channel, *, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Statistical complexity, 0 for perfect order and for white noise, largest in between.

    C = Q0 JS(p, u) H: Jensen-Shannon divergence of the ordinal distribution from the uniform one, normalised, times
    the permutation entropy. Settings, interval and admissibility as in `permutation_entropy`; `complexity_limits`
    gives the range that C can have at each H, and `details["covariance"]` the bootstrap ellipse of (H, C). There is no
    border between "complex" and "stochastic" in this plane: do not classify by eye. Cost: O(N order^2).
    """
    patterns = count_patterns(channel, order, delay, ties, resamples, seed)
    return patterns.estimate(1, level, "Jensen-Shannon complexity of ordinal patterns, block bootstrap")
