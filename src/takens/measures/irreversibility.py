"""Irreversibility: can one tell from the series in which direction time runs, and what does that cost at least?"""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Channel, Refused, measure
from .coupling_null import p_value, tied
from .ordinal import ordinal_patterns
from .surrogates import end_matched, iaaft, normal_scores, time_reversal_asymmetry
from .timescales import correlation_steps

Array = NDArray[np.float64]

FAMILY = "irreversibility"
LONGEST = 10_000
"""Samples that the tests use at most."""


def divergence_of(forward: Array, backward: Array) -> float:
    """Kullback-Leibler divergence sum p ln(p / q), in nats, of two lists of counts, half a count added to each.

    The half (Krichevsky and Trofimov 1981) keeps it finite where something happens in one direction only. Cost: O(K).
    """
    seen = (forward > 0) | (backward > 0)
    p, q = forward[seen] + 0.5, backward[seen] + 0.5
    return float(np.sum(p / p.sum() * np.log((p / p.sum()) / (q / q.sum()))))


def reversed_patterns(order: int) -> NDArray[np.int64]:
    """For each pattern number of `order` values the number of the same values read backwards `(order!,)`."""
    from itertools import permutations

    every = np.array(list(permutations(range(order))), dtype=np.float64)
    forward = np.array([int(ordinal_patterns(row, order)[0]) for row in every])
    backward = np.array([int(ordinal_patterns(row[::-1].copy(), order)[0]) for row in every])
    out = np.empty(len(every), dtype=np.int64)
    out[forward] = backward
    return out


def ordinal_divergence(x: Array, order: int, delay: int) -> float:
    """Divergence, in nats, of the order patterns of `x (time,)` from those of the series read backwards."""
    counts = np.bincount(ordinal_patterns(x, order, delay), minlength=factorial(order)).astype(np.float64)
    return divergence_of(counts, counts[reversed_patterns(order)])


def visibility_divergence(x: Array) -> float:
    """Divergence, in nats, of the numbers of later from those of earlier points that each of `x (time,)` sees."""
    from .kernels.coupling import visibility_degrees

    before, after = visibility_degrees(x)
    most = int(max(before.max(), after.max())) + 1
    inner = slice(1, -1)
    return divergence_of(
        *(np.bincount(side[inner], minlength=most).astype(np.float64) for side in (after, before))
    )  # fmt: skip


def _prepared(channel: Channel) -> tuple[Array, int, str]:
    x, stride, left_out = channel.portion(LONGEST)
    start, stop = end_matched(x)
    return np.ascontiguousarray(x[start:stop]), stride, left_out or "all"


@measure(family=FAMILY, reference="Schreiber and Schmitz, Physica D 142, 346 (2000)", minimum=100)
def time_irreversibility(
    channel: Channel, *, delays: int = 5, surrogates: int = 99, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Time-reversal asymmetry: skewness of increments at the delay where it is most significant.

    A(d) = <(x_{t+d} - x_t)^3> / <(x_{t+d} - x_t)^2>^(3/2), 0 for every reversible process, at `delays` delays from one
    sample to the correlation time. The p-value is that of the largest |A(d)| of the channel's normal scores, in units
    of its spread among IAAFT surrogates: looking at several delays and monotone instruments are allowed for. The
    interval is a moving-block bootstrap at that delay. Rejection means: not a stationary linear Gaussian process seen
    through a monotone instrument. Details:
    `p_value`, `delay` (times), `asymmetry`, `spread`. At most 10,000 samples. Cost: `surrogates` IAAFT surrogates.
    """
    x, stride, used = _prepared(channel)
    most = min(correlation_steps(x), len(x) // 10)
    steps = np.unique(np.geomspace(1, max(most, 1), delays).round().astype(int))
    rng = generator(seed, "time_irreversibility")
    scores = normal_scores(x)
    rows = np.concatenate([scores[None], iaaft(scores, surrogates, rng)])
    asymmetry = np.stack([time_reversal_asymmetry(rows, int(d)) for d in steps], axis=1)
    spread = np.maximum(asymmetry.std(axis=0), 1e-300)
    score = np.abs(asymmetry / spread).max(axis=1)
    best = int(np.argmax(np.abs(asymmetry[0] / spread)))
    value = float(time_reversal_asymmetry(x, int(steps[best])))
    low, high = np.quantile(_resampled(x, int(steps[best]), rng), [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        "", value, "", (min(float(low), value), max(float(high), value)), level,
        "skewness of increments, IAAFT surrogates",
        {"delay": int(steps[best]), "surrogates": surrogates, "thinned": stride, "used": used},
        {"delay": "most significant from one sample to the correlation time"}, not tied(x), tied(x),
        details={"p_value": p_value(float(score[0]), score[1:]), "delay": steps * stride * channel.interval,
                 "asymmetry": asymmetry[0], "spread": spread},
    )  # fmt: skip


def _resampled(x: Array, delay: int, rng: np.random.Generator, count: int = 200) -> Array:
    """Asymmetries `(count,)` of moving blocks of increments, drawn with replacement, a block the root of N long."""
    d = x[delay:] - x[:-delay]
    size = int(max(np.sqrt(len(d)), min(5 * correlation_steps(x), len(d) // 10)))
    cubes, squares = (np.concatenate([[0.0], np.cumsum(d**power)]) for power in (3, 2))
    starts = rng.integers(0, len(d) - size + 1, size=(count, max(len(d) // size, 1)))
    third, second = ((sums[starts + size] - sums[starts]).mean(axis=1) / size for sums in (cubes, squares))
    return np.asarray(third / np.maximum(second, 1e-300) ** 1.5)


def _divergence_estimate(
    channel: Channel, statistic: object, name: str, method: str, settings: dict[str, object], surrogates: int,
    level: float, seed: int,
) -> Estimate:  # fmt: skip
    """An estimate of a divergence between both directions of time, less its mean over reversible surrogates."""
    assert callable(statistic)
    x, stride, used = _prepared(channel)
    plain = float(statistic(x))
    # Ranks are all that the statistic sees; surrogates of normal scores keep their spectrum better than skewed ones.
    copies = iaaft(normal_scores(x), surrogates, generator(seed, name))
    null = np.array([statistic(row) for row in copies])
    bias = float(null.mean())
    # The statistic of each block has the bias of a short record, so its spread is taken about the mean of blocks.
    parts = np.array([statistic(part) for part in np.array_split(x, 10)])
    from scipy.special import stdtrit

    half = float(stdtrit(9, 0.5 + level / 2) * parts.std(ddof=1) / np.sqrt(10))
    value = max(plain - bias, 0.0)
    return Estimate(
        "", value, "nat", (max(value - half, 0.0), value + half), level, method,
        {**settings, "surrogates": surrogates, "thinned": stride, "used": used}, {}, not tied(x), tied(x),
        details={"p_value": p_value(plain, null), "bias": bias, "null": null},
    )  # fmt: skip


@measure(family=FAMILY, reference="Martinez, Herrera-Diestra and Chavez, Chaos 28, 123111 (2018)", minimum=200)
def ordinal_irreversibility(
    channel: Channel, *, order: int = 3, delay: int = 1, surrogates: int = 99, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Irreversibility seen by order patterns: divergence of their frequencies from those of the reversed series.

    D = sum p(pi) ln(p(pi) / p(pi backwards)) over patterns of `order` values `delay` samples apart, half a count added
    to each; 0 for reversible processes, in nats a pattern. The mean over IAAFT surrogates, which are reversible, is
    taken off as bias, and they give the p-value. The interval comes from the spread over 10 blocks. Patterns that never
    occur backwards make D grow with ln N: then it is a lower bound. Order 3 sees more than steps up and down; amplitude
    does not count. At most 10,000 samples. Details: `p_value`, `bias`, `null`. Cost: `surrogates` IAAFT surrogates.
    """
    if not 2 <= order <= 6:
        raise SettingError(f"order must be 2 to 6, got {order}", place="order")
    if len(channel.x) < 10 * (order - 1) * delay + 5 * factorial(order):
        raise Refused(
            f"{len(channel.x)} values are too few for patterns of {order} values {delay} apart; "
            f"{10 * (order - 1) * delay + 5 * factorial(order)} are needed"
        )
    return _divergence_estimate(
        channel, lambda x: ordinal_divergence(x, order, delay), "ordinal_irreversibility",
        "divergence of order patterns forwards and backwards less its bias, IAAFT surrogates",
        {"order": order, "delay": delay}, surrogates, level, seed,
    )  # fmt: skip


@measure(family=FAMILY, reference="Lacasa et al., Eur. Phys. J. B 85, 217 (2012)", minimum=200)
def visibility_irreversibility(
    channel: Channel, *, surrogates: int = 99, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Irreversibility seen by the horizontal visibility graph: divergence of its out-degrees from its in-degrees.

    A point sees a later one if all between are smaller than both; D = sum P_out(k) ln(P_out(k) / P_in(k)) over the
    numbers k of later and of earlier points seen, half a count added to each, in nats; 0 for reversible processes,
    0.377 for the logistic map at r = 4. The mean over IAAFT surrogates is taken off as bias, and they give the
    p-value; the interval comes from the spread over 10 blocks. No setting to choose, no embedding; blind to amplitude.
    At most 10,000 samples. Details: `p_value`, `bias`, `null`. Cost: `surrogates` IAAFT surrogates, O(N) each graph.
    """
    return _divergence_estimate(
        channel, visibility_divergence, "visibility_irreversibility",
        "divergence of out-degrees and in-degrees of the horizontal visibility graph less its bias, IAAFT surrogates",
        {}, surrogates, level, seed,
    )  # fmt: skip
