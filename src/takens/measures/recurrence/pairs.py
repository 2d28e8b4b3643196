"""Relations of two channels from their recurrences: cross recurrence and joint recurrence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ...estimate import Estimate
from ...neighbours import delay_vectors
from ...random import generator
from ..base import Refused
from ..embedding import delay_steps, theiler_steps
from ..relations import Pair, relation
from ..timescales import correlation_steps
from .plane import joint_plane, plane
from .quantification import cross_recurrence_quantification
from .threshold import Array, Threshold

LONGEST = 2000
"""States of each channel at most."""


def _states(
    pair: Pair, embedding_dimension: int, delay: int | None, theiler: int | None
) -> tuple[Array, Array, dict[str, Any], dict[str, str]]:
    """Delay vectors of both standardised channels, alike, with the settings and how those from the data were found."""
    n = len(pair.x)
    slow = min(correlation_steps(pair.x), correlation_steps(pair.y))
    stride = int(min(-(-n // LONGEST), max(1, slow // 10)))
    start = max(0, (len(pair.x[::stride]) - LONGEST) // 2)
    x, y = (channel[::stride][start : start + LONGEST] for channel in (pair.x, pair.y))
    if min(np.ptp(x), np.ptp(y)) == 0:
        raise Refused(f"a channel is constant in the middle {len(x)} samples, the part that is used")
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = max(delay_steps(x), delay_steps(y)), "larger of the two of the mutual information"
    if theiler is None:
        theiler, chosen["theiler"] = max(theiler_steps(x), theiler_steps(y)), "larger of the two of the channels"
    states = len(x) - (embedding_dimension - 1) * delay
    needed = max(100, 10 * (theiler + 1))
    if states < needed:
        raise Refused(
            f"{max(states, 0)} states with a Theiler window of {theiler}; "
            f"{needed + (embedding_dimension - 1) * delay} rows are needed"
        )
    used = "all" if len(x) == n else f"the middle {len(x)} samples, one in {stride} of {n} rows"
    settings = {"embedding_dimension": embedding_dimension, "delay": delay, "theiler": theiler, "used": used}
    x, y = ((channel - channel.mean()) / channel.std() for channel in (x, y))
    return (
        delay_vectors(x, embedding_dimension, delay), delay_vectors(y, embedding_dimension, delay), settings, chosen,
    )  # fmt: skip


@relation(family="recurrence", reference="Marwan and Kurths, Phys. Lett. A 302, 299 (2002)", minimum=200)
def cross_recurrence(
    pair: Pair, *, rate: float = 0.05, embedding_dimension: int = 3, delay: int | None = None,
    theiler: int | None = None, shortest: int = 2, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Determinism of the cross recurrence plot [|x_i - y_j| <= radius]: how long both stay on like paths.

    Both channels are standardised and embedded alike; the radius lets `rate` of all pairs recur. It asks whether the
    channels do the same things, at whatever times, and so is high for independent runs of one system: for coupling use
    `joint_recurrence`. Smooth channels have long lines in any case. Interval: stretches of time resampled. Details:
    every quantity, and `lag` with `profile`: the share of recurrences by the time that y is later. Cost: the square of
    at most 2000 states.
    """
    first, second, settings, chosen = _states(pair, embedding_dimension, delay, theiler)
    found = cross_recurrence_quantification(
        first, second, rate=rate, shortest_diagonal=shortest, shortest_vertical=shortest, resamples=resamples,
        level=level, seed=seed,
    )  # fmt: skip
    if not np.isfinite(found.determinism):
        raise Refused(f"no cross recurrence at a rate of {rate:.0%}")
    n = len(first)
    lag = np.arange(-(n // 4), n // 4 + 1)
    lines = plane(first, second, Threshold(radius=found.radius), -1).lines()
    profile = lines.per_diagonal[lag + n - 1] / (n - np.abs(lag))
    return Estimate(
        "", found.determinism, "", found.intervals["determinism"], level,
        "determinism of the cross recurrence plot at a fixed rate, maximum norm",
        {"rate": rate, "shortest": shortest, "resamples": resamples, "radius": found.radius, **settings}, chosen,
        details={**asdict(found), "lag": lag, "profile": profile},
    )  # fmt: skip


@relation(family="recurrence", reference="Romano et al., Phys. Lett. A 330, 214 (2004)", minimum=200)
def joint_recurrence(
    pair: Pair, *, rate: float = 0.05, embedding_dimension: int = 3, delay: int | None = None,
    theiler: int | None = None, surrogates: int = 99, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Joint probability of recurrence: how much more often than by chance both channels recur at the same two times.

    JPR = (S - rate) / (1 - rate), S = (share of pairs that recur in both) / (share that recurs in each); 0 for
    independent and 1 for generally synchronised channels, whose recurrences are the same though their values may not
    be. Not directed. No interval; `details["p_value"]` is (k + 1) / (n + 1) of `surrogates` in which the second channel
    is shifted in time around its end, and `details["independent"]` the 95 % level of these. Not admissible where fewer
    shifts beyond the Theiler window exist. Cost: `surrogates` times the square of at most 2000 states.
    """
    first, second, settings, chosen = _states(pair, embedding_dimension, delay, theiler)
    n, w = len(first), settings["theiler"]
    if n - 2 * w - 1 < surrogates:
        raise Refused(f"{n} states have fewer than {surrogates} shifts beyond a Theiler window of {w}")
    rules = tuple(
        Threshold(radius=float(Threshold(rate=rate).radii(points, points, w)[0])) for points in (first, second)
    )
    alone = [_share(plane(points, None, rule, w)) for points, rule in zip((first, second), rules, strict=True)]
    chance = float(np.sqrt(alone[0] * alone[1]))
    if chance > 2 * rate:
        raise Refused(f"{chance:.0%} of pairs recur at the least radius for {rate:.0%}: the data are coarse")
    shifts = generator(seed, "joint_recurrence").choice(np.arange(w + 1, n - w), size=surrogates, replace=False)
    both = [_share(joint_plane(first, np.roll(second, shift, axis=0), rules, w)) for shift in (0, *shifts)]  # type: ignore[arg-type]
    value = (np.array(both) / chance - chance) / (1 - chance)
    return Estimate(
        "", float(value[0]), "", None, level, "joint probability of recurrence at a fixed rate, maximum norm",
        {"rate": rate, "surrogates": surrogates, **settings}, chosen,
        details={
            "p_value": float((1 + np.sum(value[1:] >= value[0])) / (surrogates + 1)),
            "independent": float(np.quantile(value[1:], 0.95)), "surrogates": value[1:],
        },
    )  # fmt: skip


def _share(made: Any) -> float:
    lines = made.lines()
    return float(lines.per_diagonal.sum() / lines.pairs)
