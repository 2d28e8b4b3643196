"""One embedding of one channel from all criteria, how far they agree, and whether there is anything to embed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...neighbours import delay_vectors, nearest
from ...random import generator
from ..base import Channel, Refused, measure
from ..timescales import correlation_steps
from .criteria import Vote, candidates, costs, progressive_votes, uniform_votes
from .delays import delay_steps, theiler_steps
from .search import LONGEST, prepared_search

Array = NDArray[np.float64]

METHOD = "median of the criteria that settle; the interval is their range"

FEWEST = 4
"""Criteria that must settle, of seven."""

BETTER = 0.05
"""Fall of Uzal's cost (decades) for which equal delays are given up, the threshold of `pecuzal`."""

PREDICTABLE = 0.1
"""Error of neighbours, in standard deviations, below which data are taken as deterministic whatever surrogates say."""

CLEARLY = 0.8
"""Share of the least error among surrogates below which neighbours predict clearly better. Lines that are narrower than
the record resolves come to 0.85 by themselves, chaos with noise of a fifth of its spread to 0.6."""

FURTHER = 2.0
"""Ratio of distances to neighbours in the other and in the own half above which a record is not stationary."""

REFERENCES = 1000
"""Points whose neighbours are compared with those of surrogates and between the halves of the record."""


@measure(
    family="embedding", reference="Kantz and Schreiber, Nonlinear Time Series Analysis, 2nd ed. (2004)", minimum=200
)
def optimal_embedding(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 10,
    surrogates: int = 39, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding of a channel: dimension and delays by seven criteria, and how far they agree.

    Kennel's, Hegger and Kantz's, Cao's and Krakovska's criteria for equal delays (`delay` samples, by default the first
    minimum of the mutual information), and PECUZAL, MDOP and Garcia and Almeida's method, which choose each delay. The
    value is the (upper) median of the dimensions of those that settle, the interval their range: it says how far the
    criteria disagree and has no level of confidence. The delays are equal unless others with as many coordinates, those
    of the other methods or multiples of the 1/e time of the autocorrelation, lower Uzal's cost by more than 0.05.

    Refused where the autocorrelation does not vanish within a tenth of the record, as with a trend. Not admissible
    where fewer than four criteria settle; where less than two thirds of these lie within 1 of the value; where the
    value exceeds 2 log10 N; where the nearest neighbour in the other half of the record is, in the median, more than
    twice as far away as that in the same half (not stationary, or too short); and where nearest neighbours predict the
    next coordinate with more than 0.1 standard deviations of error and more than 0.8 times the least error in
    `surrogates` with random phases (all in normal scores), as for linear noise, whose false neighbours may vanish all
    the same. Noise of a few percent raises the value by about one.

    Details: `delays` (time), `samples` (delays in samples), `criteria` (names), `dimensions`, `lowest` and `highest` of
    each with its own bootstrap (NaN where it does not settle), `reasons`, `agreement` (share of the settled criteria
    that give the value), `candidates` (names), `cost` (Uzal's, of each), `delay_candidates` (samples by name),
    `prediction_error` and `surrogate_errors` (standard deviations), `recurrence` (that ratio of distances, about 1 for
    stationary data). Cost: one or two seconds for 10,000 values; at most 20,000, thinned first, are used.
    """
    x, stride, left_out = channel.portion(LONGEST, 10)
    delays, theiler, chosen = _chosen(x, delay, theiler)
    step = next(iter(delays.values()))
    votes = uniform_votes(x, step, theiler, max_dimension, level, seed)
    votes += progressive_votes(x, step, theiler, max_dimension)
    settings = {"delay": step * stride, "theiler": theiler * stride, "max_dimension": max_dimension,
                "surrogates": surrogates, "used": left_out or "all"}  # fmt: skip
    known = sorted(vote.dimension for vote in votes if vote.dimension is not None)
    details = _listed(votes, delays, stride)
    if len(known) < FEWEST:
        return Estimate("", None, "", None, level, METHOD, settings, chosen, False, _unsettled(votes), details=details)
    dimension = known[len(known) // 2]
    options = candidates(votes, dimension, delays)
    cost = costs(x, options, theiler)
    name = _cheapest(cost)
    chosen["delays"] = f"{name}: " + ("lowest cost" if name != next(iter(cost)) else "no others cost much less")
    evidence = _evidence(x, step, theiler, dimension, surrogates, seed)
    reason = _objection(known, dimension, len(x), evidence)
    samples = np.array(options[name]) * stride
    details |= {
        "samples": samples, "delays": samples * channel.interval, "candidates": list(options),
        "cost": np.array(list(cost.values())), "agreement": known.count(dimension) / len(known),
        "prediction_error": evidence.error, "surrogate_errors": evidence.null, "recurrence": evidence.recurrence,
    }  # fmt: skip
    interval = (known[0], known[-1])
    return Estimate("", dimension, "", interval, level, METHOD, settings, chosen, not reason, reason, details=details)


def _chosen(x: Array, delay: int | None, theiler: int | None) -> tuple[dict[str, int], int, dict[str, str]]:
    """Delays to compare, by name, the first of them for the criteria; the Theiler window; and how both were chosen."""
    delays, chosen = {"given": delay} if delay is not None else {}, {}
    if delay is None:
        delays = {"mutual information": delay_steps(x), "autocorrelation": correlation_steps(x)}
        chosen["delay"] = "first minimum of the mutual information"
    if theiler is None:
        theiler = theiler_steps(x)
        chosen["theiler"] = "larger of the first zero of the autocorrelation and the mean period"
        if theiler == len(x) // 10:
            raise Refused(
                "the autocorrelation takes more than a tenth of the record to vanish: take out trends and jumps, or "
                f"give a record longer than {len(x)} values"
            )
    return delays, theiler, chosen


def _listed(votes: list[Vote], delays: dict[str, int], stride: int) -> dict[str, Any]:
    def number(value: int | None) -> float:
        return float("nan") if value is None else float(value)

    ends = [vote.interval or (None, None) for vote in votes]
    return {
        "criteria": [vote.name for vote in votes],
        "dimensions": np.array([number(vote.dimension) for vote in votes]),
        "lowest": np.array([number(low) for low, _ in ends]),
        "highest": np.array([number(high) for _, high in ends]),
        "reasons": [vote.reason for vote in votes],
        "delay_candidates": {name: delay * stride for name, delay in delays.items()},
    }


def _cheapest(cost: dict[str, float]) -> str:
    """The embedding of lowest cost, or the first one where none is much cheaper."""
    first = next(iter(cost))
    best = min(cost, key=lambda name: np.inf if np.isnan(cost[name]) else cost[name])
    return best if cost[best] < cost[first] - BETTER else first


@dataclass(frozen=True)
class _Evidence:
    """Prediction error of neighbours here and in surrogates, and how far away the other half of the record is."""

    error: float
    null: Array
    recurrence: float


def _evidence(x: Array, delay: int, theiler: int, dimension: int, count: int, seed: int) -> _Evidence:
    from ..surrogates.linear import end_matched, fourier, normal_scores

    # Normal scores are the linear process again, whatever monotone function it was seen through.
    scores = normal_scores(x)
    start, stop = end_matched(scores)
    others = fourier(scores[start:stop], count, generator(seed, "optimal_embedding", "surrogates"))
    null = [_error(row, delay, theiler, dimension) for row in others]
    return _Evidence(
        _error(scores[start:stop], delay, theiler, dimension), np.array(null), _recurrence(x, delay, theiler, dimension)
    )


def _error(x: Array, delay: int, theiler: int, dimension: int) -> float:
    """Root mean square error of nearest neighbours for the next coordinate, 1 for independent values."""
    search = prepared_search(x, delay, theiler, dimension, REFERENCES)
    return float(np.sqrt(np.mean(search.pairs(dimension, False)[1] ** 2) / 2) / np.std(x))


def _recurrence(x: Array, delay: int, theiler: int, dimension: int) -> float:
    """How much further away the nearest neighbour in the other half of the record is than that in the own half."""
    points = delay_vectors(x, dimension, delay)
    half = len(points) // 2
    own = np.unique(np.linspace(0, len(points) - 1, REFERENCES // 2).astype(np.int64))
    first = nearest(points[:half], points[own], exclude=own, theiler=theiler, distinct=True)[0][:, 0]
    second = nearest(points[half:], points[own], exclude=own - half, theiler=theiler, distinct=True)[0][:, 0]
    found = np.isfinite(first) & np.isfinite(second)
    if not found.any():
        raise Refused("no point has distinct neighbours in both halves of the record: the data are coarse or too few")
    ratio = np.log(second[found] / first[found]) * np.where(own[found] < half, 1, -1)
    return float(np.exp(np.median(ratio)))


def _unsettled(votes: list[Vote]) -> str:
    settled = sum(vote.dimension is not None for vote in votes)
    first = next(f"{vote.name}: {vote.reason}" for vote in votes if vote.dimension is None)
    return f"{settled} of {len(votes)} criteria settle, {FEWEST} are needed ({first})"


def _objection(known: list[int], dimension: int, n: int, evidence: _Evidence) -> str:
    """Why the dimension should not be believed; empty where it may."""
    near = sum(abs(value - dimension) <= 1 for value in known)
    if 3 * near < 2 * len(known):
        return f"the criteria disagree: from {known[0]} to {known[-1]}; less noise or a longer record might help"
    if dimension > 2 * np.log10(n):
        return f"{dimension} dimensions need {10 ** (dimension / 2):.0f} values; these are {n}"
    if evidence.recurrence > FURTHER:
        return (
            f"neighbours in the other half of the record are {evidence.recurrence:.1f} times as far away as those in "
            "the same half: not stationary, or too short"
        )
    if evidence.error > max(CLEARLY * evidence.null.min(), PREDICTABLE):
        return (
            f"neighbours predict hardly better than in linear surrogates (error {evidence.error:.2f} standard "
            "deviations): linear noise has no dimension"
        )
    return ""
