"""Entropy and complexity against the time that a pattern spans."""

from __future__ import annotations

import numpy as np

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure
from .patterns import Ties, choose_order, natural_steps, take_patterns
from .plane import entropy_complexity, plane_spread


def _delays(n: int, order: int, natural: float, points: int) -> list[int]:
    """About `points` delays, evenly spaced in their logarithm, up to patterns of two natural times."""
    longest = (n - 1) // (2 * (order - 1)) if np.isnan(natural) else round(2 * natural / (order - 1))
    longest = max(1, min(longest, (n - 1) // (2 * (order - 1))))
    grid = np.unique(np.round(np.geomspace(1, max(longest, 8), points)).astype(int))
    return [int(delay) for delay in grid if delay <= max(longest, 8) and n - (order - 1) * delay >= n / 2]


@measure(family="ordinal patterns", reference="Hyman, Daniel and Schaffner, ApJ 987, 195 (2025)", minimum=50)
def complexity_time(
    channel: Channel, *, order: int | None = None, points: int = 24, ties: Ties = "random", level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """The pattern time at which the statistical complexity is largest, in time units, with the curves H(l) and C(l).

    The pattern time of delay l is l (order - 1) sampling intervals. `details` holds delays, pattern times, pattern time
    over natural time, entropy, complexity and the ends of their intervals, for about `points` delays up to patterns of
    two natural times; the best delay of `permutation_entropy` lies where the ratio is 0.3 to 0.5. The interval of the
    value holds every delay whose complexity could be the largest: whose interval reaches into that of the largest.
    Admissible where the patterns at the chosen delay are, and where the interval lies inside the range of delays: maps
    and white noise single out no time. Cost: O(points N order^2).
    """
    if points < 4:
        raise SettingError(f"points must be at least 4, got {points}", place="points")
    n = len(channel.x)
    chosen = {} if order is not None else {"order": "5, or the largest with 5 order! values"}
    order = choose_order(n) if order is None else order
    natural = natural_steps(channel.x)
    delays = _delays(n, order, natural, points)
    if not delays:
        raise Refused(f"{n} values hold no curve of patterns of order {order}")
    rows, reason = [], ""
    for delay in delays:
        patterns = take_patterns(channel, order, delay, ties, seed)
        reason = reason or patterns.reason
        spread = plane_spread(patterns.table)
        h, c = (float(v) for v in entropy_complexity(patterns.table.total))
        rows.append((h, c, *np.clip(spread.interval(h, level, 0), 0, 1), *np.clip(spread.interval(c, level, 1), 0, 1)))
    table = np.array(rows)
    times = np.array(delays) * (order - 1) * channel.interval
    best = int(np.argmax(table[:, 1]))
    rivals = times[table[:, 5] >= table[best, 4]]
    if not reason and (rivals.min() == times[0] or rivals.max() == times[-1]):
        reason = "the complexity may be largest at the end of the range of delays, so that no time is singled out"
    return Estimate(
        "", float(times[best]), channel.time_unit, (float(rivals.min()), float(rivals.max())), level,
        "largest Jensen-Shannon complexity over delays; interval of the delays that could be the best",
        {"order": order, "ties": ties, "points": points}, chosen, not reason, reason,
        details={
            "delays": np.array(delays), "pattern_times": times, "natural_time": natural * channel.interval,
            "ratio": np.array(delays) * (order - 1) / natural, "entropy": table[:, 0], "complexity": table[:, 1],
            "entropy_interval": table[:, 2:4], "complexity_interval": table[:, 4:6],
        },
    )  # fmt: skip
