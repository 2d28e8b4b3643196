"""Ordinal patterns that never occur: more than chance leaves out, and more than linear noise would."""

from __future__ import annotations

from math import factorial

import numpy as np

from ...estimate import Estimate
from ...random import generator
from ..base import Channel, measure
from .patterns import Ties, choose_order, ordinal_patterns, take_patterns


@measure(family="ordinal patterns", reference="Amigo, Zambrano and Sanjuan, EPL 79, 50001 (2007)", minimum=100)
def missing_patterns(
    channel: Channel, *, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    surrogates: int = 99, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """How many of the order! ordinal patterns never occur: forbidden by the dynamics, or missed by chance.

    `details["p_value"]` is the share (k + 1) / (n + 1) of IAAFT surrogates - linear noise with the same spectrum and
    values - with at least as many missing; `expected_white_noise` is order! (1 - 1 / order!)^N for independent values;
    `unseen` is Chao's estimate f1^2 / (2 f2) of possible patterns not yet seen, from those seen once and twice. The
    interval runs from the missing less twice the unseen to all missing: what the dynamics forbid. Settings and
    admissibility as in `permutation_entropy`; noise on the data makes forbidden patterns occur. Long channels use a
    stated part. Cost: `surrogates` times that of a surrogate.
    """
    from ..surrogates import iaaft

    x, stride, used = channel.portion(10_000)
    part = Channel(x, channel.t[: len(x)], channel.interval * stride, channel.time_unit, channel.unit, channel.used)
    patterns = take_patterns(part, choose_order(len(x)) if order is None else order, delay, ties, seed)
    size = factorial(patterns.order)
    counts = patterns.table.total
    missing = int(np.sum(counts == 0))
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    unseen = once**2 / (2 * twice) if twice else once * (once - 1) / 2
    rows = iaaft(x, surrogates, generator(seed, "ordinal", "missing"))
    others = np.array([
        size - len(np.unique(ordinal_patterns(row, patterns.order, patterns.delay))) for row in rows
    ])  # fmt: skip
    p_value = (1 + int(np.sum(others >= missing))) / (1 + len(others))
    least = float(max(0.0, missing - 2 * unseen))
    return Estimate(
        "", float(missing), "", (least, float(missing)), level,
        "count of absent patterns; from what Chao's estimate leaves as forbidden up to all",
        {**patterns.settings, "surrogates": surrogates, "used": used or "all"},
        {**patterns.chosen, **({} if order is not None else {"order": "5, or the largest with 5 order! values"})},
        not patterns.reason, patterns.reason,
        details={
            "p_value": p_value, "surrogates": others, "of": size, "unseen": float(unseen), "counts": counts,
            "expected_white_noise": size * (1 - 1 / size) ** len(patterns.code),
        },
    )  # fmt: skip
