"""Measures of one channel from its recurrences: determinism, laminarity, entropy, times, transitivity, visibility."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...estimate import Estimate
from ...neighbours import delay_vectors
from ...random import generator
from ..base import Channel, Refused, measure
from ..embedding import delay_steps, false_nearest_neighbours, theiler_steps
from .networks import recurrence_network, visibility_degrees
from .quantification import recurrence_quantification
from .threshold import Array

LONGEST = 5000
"""States whose lines are counted at most."""

NETWORK = 2000
"""States of a recurrence network at most."""

RARE = 0.1
"""Laminarity below which its interval does not hold what it says."""

TANGENTIAL = 0.4
"""Laminarity from which recurrences may be mostly of slow wandering along the orbit (tangential motion)."""

MARWAN = "Marwan, Romano, Thiel and Kurths, Phys. Rep. 438, 237 (2007)"


def reconstructed(
    channel: Channel, most: int, embedding_dimension: int | None, delay: int | None, theiler: int | None
) -> tuple[Array, int, dict[str, Any], dict[str, str]]:
    """Delay vectors, the stride between samples, the settings used, and how those taken from the data were found."""
    x, stride, left_out = channel.portion(most, 10)
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = delay_steps(x), "first minimum of the mutual information"
    if theiler is None:
        theiler = theiler_steps(x)
        chosen["theiler"] = "larger of the first zero of the autocorrelation and the mean period"
    if embedding_dimension is None:
        embedding_dimension, chosen["embedding_dimension"] = 3, "3, as false nearest neighbours give no dimension"
        try:
            kennel = false_nearest_neighbours.function(
                Channel(x, np.arange(float(len(x))), 1.0, "step", "", "all"), delay=delay, theiler=theiler
            )
            if kennel.value is not None:
                embedding_dimension, chosen["embedding_dimension"] = int(kennel.value), "false nearest neighbours"
        except Refused:
            pass
    states = len(x) - (embedding_dimension - 1) * delay
    needed = max(50, 4 * (theiler + 1))
    if states < needed:
        raise Refused(
            f"{max(states, 0)} states with a Theiler window of {theiler}; "
            f"{needed + (embedding_dimension - 1) * delay} samples are needed"
        )
    settings = {"embedding_dimension": embedding_dimension, "delay": delay, "theiler": theiler,
                "used": left_out or "all"}  # fmt: skip
    return delay_vectors(x, embedding_dimension, delay), stride, settings, chosen


def _lines(
    channel: Channel, name: str, scale: float, unit: str, *, rate: float, embedding_dimension: int | None,
    delay: int | None, theiler: int | None, shortest: int, resamples: int, level: float, seed: int,
) -> Estimate:  # fmt: skip
    """The quantity `name` of the recurrence plot at a fixed rate, as an estimate."""
    points, stride, settings, chosen = reconstructed(channel, LONGEST, embedding_dimension, delay, theiler)
    found = recurrence_quantification(
        points, rate=rate, theiler=settings["theiler"], shortest_diagonal=shortest, shortest_vertical=shortest,
        resamples=resamples, level=level, seed=seed,
    )  # fmt: skip
    value = getattr(found, name)
    scale = scale * stride if unit else 1.0
    if not np.isfinite(value):
        raise Refused(f"no line of {shortest} recurrences at a rate of {rate:.0%}; a higher rate might show some")
    interval = tuple(scale * end for end in found.intervals[name])
    # At twice the rate, ties in coarse data have made most distances equal, and lines tell of them.
    coarse = found.recurrence_rate > 2 * rate
    reason = f"{found.recurrence_rate:.0%} of pairs recur at the least radius for {rate:.0%}: the data are coarse"
    return Estimate(
        "", scale * value, unit, interval if np.isfinite(interval).all() else None, level,  # type: ignore[arg-type]
        f"{name.replace('_', ' ')} of the recurrence plot at a fixed rate, maximum norm",
        {"rate": rate, "shortest": shortest, "resamples": resamples, "radius": found.radius, **settings}, chosen,
        not coarse, reason if coarse else "", details={**asdict(found), "points": points},
    )  # fmt: skip


@measure(family="recurrence", reference=MARWAN, minimum=200)
def recurrence_determinism(
    channel: Channel, *, rate: float = 0.05, embedding_dimension: int | None = None, delay: int | None = None,
    theiler: int | None = None, shortest: int = 2, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Determinism: the share of recurrences that lie in diagonal lines, DET = sum_{l >= shortest} l P(l) / sum l P(l).

    Delay vectors recur at a radius at which `rate` of the pairs outside the Theiler window do, so that series can be
    compared. High for all smooth data, noisy or not, and overlapping coordinates make lines even of noise: compare
    with surrogates, not with 1. Not admissible where values are so coarse that more than twice the rate recur, and
    where laminarity is above 0.4 and above determinism and vertical lines are also longer than diagonal ones: there
    the state lingers or wanders slowly rather than repeats a course (tangential motion), and the interval is too
    narrow. Interval: stretches of time resampled. At nominal 90 %, in 40 records of 800 values at the embedding of the
    first, it held the mean in 93 % for Henon, 97 to 100 % for noise, Lorenz 63 and Roessler, 88 % for the logistic
    map, 95 % for AR(1) with 0.5; 78, 50 and 33 % for AR(1) with 0.8, 0.9 and 0.97, which the rule refuses. Details:
    every quantity of `RecurrenceQuantification`. Cost: the square of at most 5000 states, and one search for the
    embedding.
    """
    found = _lines(
        channel, "determinism", 1.0, "", rate=rate, embedding_dimension=embedding_dimension, delay=delay,
        theiler=theiler, shortest=shortest, resamples=resamples, level=level, seed=seed,
    )  # fmt: skip
    laminarity = float(found.details["laminarity"])
    longer = found.details["trapping_time"] > found.details["diagonal_length"]
    if found.admissible and longer and laminarity > max(TANGENTIAL, found.value):
        reason = (
            f"{laminarity:.0%} of recurrences lie in vertical lines, more and longer than diagonal ones: the state "
            "wanders slowly, and intervals are too narrow; one sample a correlation time would do, or differences"
        )
        return replace(found, admissible=False, reason=reason)
    return found


@measure(family="recurrence", reference=MARWAN, minimum=200)
def recurrence_laminarity(
    channel: Channel, *, rate: float = 0.05, embedding_dimension: int | None = None, delay: int | None = None,
    theiler: int | None = None, shortest: int = 2, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Laminarity: the share of recurrences that lie in vertical lines, where the state changes little for a while.

    Settings and details as `recurrence_determinism`; the interval is widened by 1.3. Oversampled data are laminar by
    themselves. Not admissible below 0.1, where lines are rare and the interval covers less than it says. Cost: the
    same.
    """
    found = _lines(
        channel, "laminarity", 1.0, "", rate=rate, embedding_dimension=embedding_dimension, delay=delay,
        theiler=theiler, shortest=shortest, resamples=resamples, level=level, seed=seed,
    )  # fmt: skip
    if found.admissible and found.value < RARE:
        reason = f"{found.value:.0%} of recurrences lie in vertical lines; {RARE:.0%} are needed for an interval"
        return replace(found, admissible=False, reason=f"{reason}: give a higher rate")
    return found


@measure(family="recurrence", reference=MARWAN, minimum=200)
def recurrence_entropy(
    channel: Channel, *, rate: float = 0.05, embedding_dimension: int | None = None, delay: int | None = None,
    theiler: int | None = None, shortest: int = 2, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Entropy in nats of the lengths of diagonal lines, -sum p(l) ln p(l) over l >= `shortest`.

    Settings, interval and details as `recurrence_determinism`. It grows with the sampling rate, as lines get longer:
    compare series sampled alike. Cost: the same.
    """
    return _lines(
        channel, "diagonal_entropy", 1.0, "", rate=rate, embedding_dimension=embedding_dimension, delay=delay,
        theiler=theiler, shortest=shortest, resamples=resamples, level=level, seed=seed,
    )  # fmt: skip


@measure(family="recurrence", reference="Gao, Phys. Rev. Lett. 83, 3178 (1999)", minimum=200)
def recurrence_time(
    channel: Channel, *, rate: float = 0.05, embedding_dimension: int | None = None, delay: int | None = None,
    theiler: int | None = None, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Mean recurrence time of the second type: from when the orbit enters a neighbourhood to when it does so again.

    A time, the period where there is one. Settings, interval and details as `recurrence_determinism`; it depends on
    the `rate`: smaller neighbourhoods are met less often. Cost: the same.
    """
    return _lines(
        channel, "recurrence_time_2", channel.interval, channel.time_unit or "step", rate=rate,
        embedding_dimension=embedding_dimension, delay=delay, theiler=theiler, shortest=2, resamples=resamples,
        level=level, seed=seed,
    )  # fmt: skip


@measure(family="recurrence", reference="Donner et al., New J. Phys. 12, 033025 (2010)", minimum=200)
def recurrence_transitivity(
    channel: Channel, *, rate: float = 0.05, embedding_dimension: int | None = None, delay: int | None = None,
    theiler: int | None = None, resamples: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Transitivity of the recurrence network: the share of connected triples of states that are all near each other.

    T = sum_i triangles_i / sum_i k_i (k_i - 1) / 2; high for periodic, lower for chaotic dynamics. Interval: stretches
    of time resampled, deviations tripled, as a triple has three times. Details: the network's degrees, clustering, mean
    path length and transitivity dimension. Cost: some tenths of a second for 2000 states, the most that are used.
    """
    points, _, settings, chosen = reconstructed(channel, NETWORK, embedding_dimension, delay, theiler)
    network = recurrence_network(points, rate=rate, theiler=settings["theiler"])
    if not np.isfinite(network.transitivity):
        raise Refused(f"no three states are joined at a rate of {rate:.0%}")
    blocks = 20
    edges = np.linspace(0, len(points), blocks + 1).astype(int)[:-1]
    triangles = np.add.reduceat(network.triangles.astype(float), edges)
    triples = np.add.reduceat(network.degree * (network.degree - 1) / 2, edges)
    draws = generator(seed, "recurrence_transitivity").multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    drawn = (draws @ triangles) / np.maximum(draws @ triples, 1.0)
    value = network.transitivity
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    widening = 3 * np.sqrt(blocks / (blocks - 1))
    interval = max(value - widening * max(value - low, 0), 0.0), min(value + widening * max(high - value, 0), 1.0)
    return Estimate(
        "", value, "", interval, level, "transitivity of the recurrence network at a fixed rate, maximum norm",
        {"rate": rate, "resamples": resamples, **settings}, chosen,
        details={**asdict(network), "transitivity_dimension": network.transitivity_dimension},
    )  # fmt: skip


@measure(family="recurrence", reference="Luque, Lacasa, Ballesteros and Luque, Phys. Rev. E 80, 046103 (2009)")
def visibility_entropy(
    channel: Channel, *, blocks: int = 20, resamples: int = 200, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Entropy in nats of the degrees of the horizontal visibility graph, -sum P(k) ln P(k), corrected for bias.

    Exactly ln(27/4) = 1.9095 for uncorrelated values of any distribution, lower for ordered ones. Interval: `blocks`
    stretches of time resampled. Ties hide values behind equal ones: coarse data look ordered.
    Details: `degree`, `share`, `uncorrelated`. Cost: O(time).
    """
    degrees = visibility_degrees(channel.x)
    n = len(degrees)
    block = np.arange(n) * blocks // n
    width = int(degrees.max()) + 1
    tables = np.bincount(block * width + degrees, minlength=blocks * width).reshape(blocks, width)
    draws = generator(seed, "visibility_entropy").multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    counts = np.vstack([tables.sum(axis=0), draws @ tables]).astype(float)
    p = counts / counts.sum(axis=1, keepdims=True)
    entropy = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=1) + ((counts > 0).sum(axis=1) - 1) / (2 * n)
    low, high = np.quantile(entropy[1:], [0.5 - level / 2, 0.5 + level / 2]) - np.mean(entropy[1:]) + entropy[0]
    return Estimate(
        "", float(entropy[0]), "nat", (max(float(low), 0.0), float(high)), level,
        "entropy of the degrees of the horizontal visibility graph, Miller-Madow correction",
        {"blocks": blocks, "resamples": resamples},
        details={"degree": np.arange(width), "share": p[0], "uncorrelated": float(np.log(27 / 4))},
    )  # fmt: skip
