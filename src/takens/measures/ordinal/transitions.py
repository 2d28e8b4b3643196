"""What comes after what: the network of ordinal patterns, and the local order of their probabilities."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ..base import Channel, measure
from ..entropy_inference import Table, conditional_entropy, jackknife_interval
from .patterns import Patterns, Ties, block_number, take_patterns
from .permutation import HOW
from .plane import entropy_complexity

Array = NDArray[np.float64]


def _links(patterns: Patterns) -> tuple[Table, NDArray[np.int64]]:
    """Counts of the links of successive patterns in blocks, `(blocks, links seen)`, and the source of each link."""
    size = factorial(patterns.order)
    code = patterns.code.astype(np.int64)
    links, place = np.unique(code[:-1] * size + code[1:], return_inverse=True)
    blocks = block_number(len(code), patterns.order, patterns.delay)
    label = np.arange(len(place)) * blocks // len(place)
    counts = np.bincount(label * len(links) + place, minlength=blocks * len(links)).reshape(blocks, len(links))
    return Table(counts.astype(float)), links // size


@measure(family="ordinal patterns", reference="Pessa and Ribeiro, Phys. Rev. E 100, 042304 (2019)", minimum=50)
def global_node_entropy(
    channel: Channel, *, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Global node entropy of the ordinal network, in bits: how uncertain the next pattern is, given the present one.

    G = sum_i P_i (-sum_j p(j | i) log2 p(j | i)), P_i the share of pattern i, j the patterns one sample later. 0 for
    periodic series, and for white noise at delay 1, exactly, log2(m + 1) - 2 / (m + 1), m the order: 1.5 at order 3.
    Settings as in `permutation_entropy`; admissible from 5 order! order patterns, the number of links that are
    possible at delay 1. Cost: O(N (order^2 + log N)).
    """
    if order is None:
        order = max((m for m in (3, 4, 5) if len(channel.x) >= 5 * factorial(m) * m), default=3)
        chosen = {"order": "5, or the largest with 5 order! order values"}
    else:
        chosen = {}
    patterns = take_patterns(channel, order, delay, ties, seed)
    table, source = _links(patterns)
    value, spread = conditional_entropy(table, source, base=2.0)
    low, high = (max(end, 0.0) for end in spread.interval(value, level))
    needed = 5 * factorial(order) * order
    reason = patterns.reason
    if not reason and len(patterns.code) < needed:
        reason = f"{len(patterns.code)} patterns; the links of order {order} need 5 x {order}! x {order} = {needed}"
    return Estimate(
        "", value, "bit", (low, high), level, f"conditional entropy of successive ordinal patterns; {HOW}",
        patterns.settings, {**patterns.chosen, **chosen}, not reason, reason,
        details={"links": len(source), "nodes": len(np.unique(source)), "corrected": value - float(spread.bias[0])},
    )  # fmt: skip


@lru_cache
def lexicographic(order: int) -> NDArray[np.int64]:
    """The code of each sorting permutation (argsort of a pattern's values) in lexicographic order: `(order!,)`."""
    code = []
    for sorting in permutations(range(order)):
        rank = np.argsort(sorting)
        digits = [int(np.sum(rank[i + 1 :] < rank[i])) for i in range(order)]
        code.append(sum(digit * factorial(order - 1 - i) for i, digit in enumerate(digits)))
    return np.array(code)


def fisher_information(p: Array) -> Array:
    """F = F0 sum (sqrt p_(i+1) - sqrt p_i)^2 of ordered probabilities `(..., outcomes)`, 0 to 1.

    F0 is 1 where all probability is in the first or the last outcome, otherwise 1/2 (Sanchez-Moreno et al. 2009).
    """
    steps = np.sum(np.diff(np.sqrt(p), axis=-1) ** 2, axis=-1)
    certain = (p[..., 0] == 1) | (p[..., -1] == 1)
    return np.asarray(np.where(certain, 1.0, 0.5) * steps)


@measure(family="ordinal patterns", reference="Olivares, Plastino and Rosso, Phys. Lett. A 376, 1577 (2012)")
def ordinal_fisher_information(
    channel: Channel, *, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Fisher information of the ordinal distribution: how sharply probabilities differ between neighbouring patterns.

    F = F0 sum (sqrt p_(i+1) - sqrt p_i)^2 over the sorting permutations in lexicographic order; 0 for equal
    probabilities, largest for one pattern. With the entropy it is the Fisher-Shannon plane: `details["entropy"]`. The
    order of the patterns is a convention, on which the value depends. The interval is a jackknife over blocks.
    Settings and admissibility as in `permutation_entropy`. Cost: O(N order^2).
    """
    patterns = take_patterns(channel, order, delay, ties, seed)
    counts = patterns.table.counts[:, lexicographic(patterns.order)]
    whole = counts.sum(axis=0)
    value = float(fisher_information(whole / whole.sum()))
    without = whole - counts
    parts = fisher_information(without / without.sum(axis=1, keepdims=True))
    low, high, centre = jackknife_interval(value, parts, level)
    return Estimate(
        "", value, "", (min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)), level,
        "discrete Fisher information of lexicographic ordinal patterns, jackknife over blocks", patterns.settings,
        patterns.chosen, not patterns.reason, patterns.reason,
        details={"entropy": float(entropy_complexity(whole)[0]), "corrected": centre},
    )  # fmt: skip
