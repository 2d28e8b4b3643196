"""What couplings share: shifted copies as the null of independence, p-values, intervals of averages in time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .base import Refused
from .timescales import autocorrelation_function, correlation_steps, integral_steps

Array = NDArray[np.float64]


def spaced_shifts(x: Array, y: Array, count: int) -> tuple[NDArray[np.int64], int]:
    """Evenly spaced circular shifts, at most `count` of them, and the number of rows that they go round in.

    Turning one of two channels round keeps all that each is by itself, nonlinear and non-Gaussian too, and breaks what
    they have to do with one another. Shifts by 0, d, 2 d, ... on a circle of m d rows form a group, so that data and
    copies are exchangeable where both channels are stationary, however long their memory; leaving out a neighbourhood
    of 0 would lose that. d is two correlation times of the slower channel or more, so that few copies still hold some
    of the relation. Raises `Refused` for fewer than 19 shifts, with which no p-value reaches 0.05.
    """
    n, least = len(x), 2 * max(correlation_steps(x), correlation_steps(y))
    spacing = max(least, n // (count + 1))
    turns = min(n // spacing, count + 1)
    if turns < 20:
        raise Refused(
            f"the record holds {2 * n / least:.3g} correlation times of the slower channel; 40 are needed to test it"
        )
    return spacing * np.arange(1, turns), spacing * turns


def p_value(observed: float, null: Array) -> float:
    """(1 + number of the `null` at least as large as the observed) / (1 + number of the null), never 0."""
    return float((1 + np.count_nonzero(null >= observed)) / (1 + len(null)))


def effective_size(x: Array, y: Array) -> float:
    """Independent pairs in two autocorrelated channels: N / (1 + 2 sum_l rho_x(l) rho_y(l)) (Bartlett 1935).

    The sum ends where either channel's integral time scale is cut off. The result lies between 3 and N. Cost:
    O(N log N).
    """
    n = len(x)
    lags = min(integral_steps(x)[1], integral_steps(y)[1])
    product = autocorrelation_function(x, lags)[1:] * autocorrelation_function(y, lags)[1:]
    return float(np.clip(n / max(1 + 2 * product.sum(), 1.0), 3.0, n))


def mean_interval(terms: Array, level: float, blocks: int = 20) -> tuple[float, float]:
    """Interval of the mean of `terms (time,)` from the spread of the means of `blocks` consecutive blocks (t).

    Holds where a block is several correlation times long. Cost: O(N).
    """
    from scipy.special import stdtrit

    blocks = min(blocks, len(terms) // 5)
    size = len(terms) // blocks
    means = terms[: size * blocks].reshape(blocks, size).mean(axis=1)
    half = float(stdtrit(blocks - 1, 0.5 + level / 2)) * float(means.std(ddof=1)) / np.sqrt(blocks)
    centre = float(terms.mean())
    return centre - half, centre + half


def jackknife_interval(statistic: Callable[[NDArray[np.bool_]], float], n: int, level: float) -> tuple[float, float]:
    """Interval of `statistic(rows kept (n,))` from leaving out each of 20 consecutive blocks of rows (t).

    Kuensch (1989). For estimators from neighbours it is too wide rather than too narrow. Cost: 21 calls.
    """
    from scipy.special import stdtrit

    values = np.empty(20)
    for i, block in enumerate(np.array_split(np.arange(n), 20)):
        kept = np.ones(n, dtype=np.bool_)
        kept[block] = False
        values[i] = statistic(kept)
    centre = statistic(np.ones(n, dtype=np.bool_))
    half = float(stdtrit(19, 0.5 + level / 2)) * float(np.sqrt(19 / 20 * ((values - values.mean()) ** 2).sum()))
    return centre - half, centre + half


def distinct_normal_scores(x: Array, rng: np.random.Generator) -> Array:
    """`x (time,)` with its values replaced by the normal quantiles of their ranks, equal values ranked at random.

    Mutual information does not change under monotone functions of a channel; estimators from neighbours are the better
    for light tails, and need values that differ.
    """
    from scipy.special import ndtri

    order = np.lexsort((rng.random(len(x)), x))
    ranks = np.empty(len(x))
    ranks[order] = np.arange(len(x))
    return np.asarray(ndtri((ranks + 0.5) / len(x)), dtype=np.float64)


def tied(x: Array) -> str:
    """Why values that mostly repeat are no continuous channel; '' where at least half are new."""
    share = 1 - len(np.unique(x)) / len(x)
    return f"{share:.0%} of the values repeat an earlier one; finer resolution is needed" if share > 0.5 else ""


def middle(x: Array, y: Array, most: int) -> tuple[Array, Array, str]:
    """The middle `most` rows of both channels and, where rows are left out, what is used."""
    n = len(x)
    if n <= most:
        return x, y, "all"
    start = (n - most) // 2
    return x[start : start + most], y[start : start + most], f"the middle {most} of {n} rows"
