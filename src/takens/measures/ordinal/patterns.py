"""Ordinal patterns of a channel: their codes, ties, weights, and the sampling rule that makes them comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import factorial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...random import generator
from ..base import Channel, Refused
from ..entropy_inference import Table

Array = NDArray[np.float64]
Ties = Literal["random", "order"]
Weights = Literal["none", "variance", "amplitude"]

TARGET = 0.4
"""Pattern time over natural time: the middle of PECCARY's range 0.3 to 0.5 (Hyman et al. 2025)."""


def ordinal_patterns(x: Array, order: int, delay: int = 1) -> NDArray[np.int64]:
    """Pattern numbers `(time - (order - 1) delay,)` in 0 ... order! - 1: the Lehmer code of each delay vector.

    The code counts, for each entry, the later ones that are smaller; equal values count as rising. Raises
    `SettingError` for settings out of range and `Refused` for too short `x`. Cost: order (order - 1) / 2 comparisons a
    sample, no sorting; 1,000,000 values at order 5 take some milliseconds.
    """
    return _codes(x, order, delay)[0].astype(np.int64)


def _codes(x: Array, order: int, delay: int) -> tuple[NDArray[np.uint16], int]:
    """Pattern codes, and how many patterns hold equal values."""
    if not 2 <= order <= 8:
        raise SettingError(f"order must be 2 to 8, got {order}", place="order")
    if delay < 1:
        raise SettingError(f"delay must be at least 1, got {delay}", place="delay")
    if len(x) - (order - 1) * delay < 1:
        raise Refused(f"{len(x)} values hold no pattern of order {order} at delay {delay}")
    from ..kernels.ordinal import lehmer_codes

    factors = np.array([factorial(order - 1 - i) for i in range(order)])
    return lehmer_codes(np.ascontiguousarray(x, dtype=np.float64), order, delay, factors)


def break_ties(x: Array, rng: np.random.Generator) -> Array:
    """Ranks `(time,)` of `x` in which equal values stand in random order (Zunino et al. 2017)."""
    order = np.lexsort((rng.random(len(x)), x))
    ranks = np.empty(len(x))
    ranks[order] = np.arange(len(x))
    return ranks


def natural_steps(x: Array) -> float:
    """Natural time in samples: 2 x (length - 1) / number of mean crossings; NaN without a crossing."""
    above = x > x.mean()
    crossings = int(np.count_nonzero(above[1:] != above[:-1]))
    return 2 * (len(x) - 1) / crossings if crossings else float("nan")


def pattern_weights(x: Array, order: int, delay: int, weights: Weights) -> Array:
    """Weights `(time - (order - 1) delay,)` of the patterns of `x`: the variance of each (Fadlallah et al. 2013), or
    its amplitude, half the mean size plus half the mean step (Azami and Escudero 2016, A = 1/2)."""
    length = len(x) - (order - 1) * delay
    columns = [x[i * delay : i * delay + length] for i in range(order)]
    if weights == "variance":
        mean = sum(columns) / order
        return np.asarray(sum((column - mean) ** 2 for column in columns) / order)
    size = sum(np.abs(column) for column in columns) / order
    steps = sum(np.abs(after - before) for before, after in pairwise(columns))
    return np.asarray(0.5 * size + 0.5 * steps / (order - 1))


@dataclass(frozen=True)
class Patterns:
    """Ordinal patterns of one channel: their codes, counts in blocks, settings, and why they may not suffice.

    `ratio` is the pattern time over the natural time; `reason` is empty where the patterns suffice.
    """

    code: NDArray[np.uint16]
    table: Table
    settings: Mapping[str, object]
    chosen: Mapping[str, str]
    reason: str
    ratio: float

    @property
    def order(self) -> int:
        """Values in a pattern."""
        return int(str(self.settings["order"]))

    @property
    def delay(self) -> int:
        """Samples between them."""
        return int(str(self.settings["delay"]))


def choose_order(n: int) -> int:
    """The largest order up to 5 for which `n` values are five times the patterns; at least 3."""
    return max((m for m in (3, 4, 5) if n >= 5 * factorial(m)), default=3)


def block_number(codes: int, order: int, delay: int) -> int:
    """Into how many blocks `codes` patterns are cut: each ten pattern times long or longer, 2 to 200 blocks."""
    return min(max(codes // max(10 * delay * order, codes // 200), 2), 200)


def take_patterns(
    channel: Channel, order: int | None, delay: int | None, ties: Ties, seed: int, weights: Weights = "none"
) -> Patterns:
    """Count ordinal patterns; choose `order` by the length and `delay` by the sampling rule where they are None."""
    if ties not in ("random", "order"):
        raise SettingError(f"ties must be 'random' or 'order', got {ties!r}", place="ties")
    n = len(channel.x)
    chosen: dict[str, str] = {}
    if order is None:
        order = choose_order(n)
        chosen["order"] = "5, or the largest with 5 order! values"
    natural = natural_steps(channel.x)
    if delay is None:
        delay = 1 if np.isnan(natural) else max(1, round(TARGET * natural / (order - 1)))
        delay = min(delay, max(1, (n - 1) // (2 * (order - 1))))
        chosen["delay"] = f"pattern time / natural time = {delay * (order - 1) / natural:.2f} (rule: 0.3 to 0.5)"
        if delay == 1 and (order - 1) / natural > 0.5:
            chosen["delay"] += "; the sampling allows no shorter pattern, as for maps and noise"
    code, equal = _codes(channel.x, order, delay)
    if equal and ties == "random":
        code, _ = _codes(break_ties(channel.x, generator(seed, "ordinal", "ties")), order, delay)
    tied = equal / len(code)
    size = factorial(order)
    reason = ""
    if len(code) < 5 * size:
        reason = f"{len(code)} patterns; order {order} needs 5 x {order}! = {5 * size}"
    elif np.isnan(natural) or n < 1.5 * natural:
        reason = f"the record holds {n / natural:.2g} natural times; 1.5 are needed"
    elif tied > 0.5:
        reason = f"{tied:.0%} of the patterns repeat a value within them; finer resolution is needed"
    from ..kernels.ordinal import block_counts, block_weights

    blocks = block_number(len(code), order, delay)
    settings: dict[str, object] = {
        "order": order,
        "delay": delay,
        "ties": ties,
        "tied": round(tied, 6),
        "blocks": blocks,
    }
    if weights == "none":
        table = block_counts(code, size, blocks)
    else:
        table = block_weights(code, pattern_weights(channel.x, order, delay, weights), size, blocks)
        settings["weights"] = weights
    return Patterns(code, Table(table), settings, chosen, reason, delay * (order - 1) / natural)
