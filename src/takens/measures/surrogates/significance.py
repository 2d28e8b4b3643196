"""Valid p-values from surrogates: one statistic or many, one-sided or two-sided, and what a family may claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError

Array = NDArray[np.float64]
Side = Literal["larger", "smaller", "both"]


@dataclass(frozen=True)
class Significance:
    """How extreme the data are among their surrogates.

    `p_values (statistic,)` are those of each statistic by itself; `p_value` that of all together (min-p, ties told
    apart by the next smallest). Where several statistics are looked at, `adjusted (statistic,)` are the step-down min-p
    values of Westfall and Young (1993), valid for each statistic whatever the dependence between them, and
    `holm (statistic,)` those of Holm (1979), which need no joint distribution.
    """

    p_values: Array
    p_value: float
    adjusted: Array
    holm: Array


def ranked(statistics: Array, side: Side = "larger") -> Array:
    """p-values `(row, statistic)` of every row of `statistics (row, statistic)` among all rows, itself included.

    p = (1 + number of other rows at least as extreme) / rows: never 0, and exact if the rows are exchangeable. With
    `side` "both" the smaller of the two one-sided p-values is the statistic that is ranked. Cost: one sort a statistic.
    """
    if side not in ("larger", "smaller", "both"):
        raise SettingError(f"side must be larger, smaller or both, got {side!r}", place="side")
    if not np.isfinite(statistics).all():
        raise SettingError("a statistic is missing or infinite", place="statistics")
    rows = len(statistics)
    p = np.empty(statistics.shape)
    for s in range(statistics.shape[1]):
        column = np.sort(statistics[:, s])
        larger = rows - np.searchsorted(column, statistics[:, s], side="left")
        smaller = np.searchsorted(column, statistics[:, s], side="right")
        if side == "both":
            least = np.minimum(larger, smaller)
            p[:, s] = np.searchsorted(np.sort(least), least, side="right") / rows
        else:
            p[:, s] = (larger if side == "larger" else smaller) / rows
    return p


def significance(statistics: Array, side: Side = "larger") -> Significance:
    """The significance of row 0 of `statistics (1 + surrogates, statistic)` among the others.

    The family's p ranks the sorted p-values of row 0, the smallest first, among those of all rows: exact if the rows
    are exchangeable, whatever the dependence between the statistics. Raises `SettingError` for
    values that are not finite.
    """
    p = ranked(np.asarray(statistics, dtype=float), side)
    order = np.argsort(p[0], kind="stable")
    # From the largest p down: the smallest p of the hypotheses that are still open, in every row.
    open_rows = np.minimum.accumulate(p[:, order[::-1]], axis=1)[:, ::-1]
    stepped = np.maximum.accumulate(np.mean(open_rows <= p[0, order], axis=0))
    factors = np.arange(len(order), 0, -1)
    holm = np.maximum.accumulate(np.minimum(p[0, order] * factors, 1.0))
    adjusted, plain = np.empty_like(stepped), np.empty_like(holm)
    adjusted[order], plain[order] = stepped, holm
    return Significance(p[0], _family(p), adjusted, plain)


def _family(p: Array) -> float:
    """The share of rows of `p (row, statistic)` whose sorted p-values come before those of row 0, or equal them.

    Ranks tie often, so rows with the same smallest p are told apart by the next: any order of rows that treats them
    alike gives an exact test, and one without ties does not lose its level.
    """
    lists = np.sort(p, axis=1)
    before, same = np.zeros(len(p), dtype=bool), np.ones(len(p), dtype=bool)
    for column in lists.T:
        before |= same & (column < column[0])
        same &= column == column[0]
    return float(np.mean(before | same))


def family_p_values(statistics: Array) -> tuple[Array, float]:
    """p-values of row 0 of `statistics (1 + surrogates, statistic)`, larger being more extreme, and of the family."""
    found = significance(statistics)
    return found.p_values, found.p_value


def binomial_interval(p: float, trials: int, level: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share `p` of `trials` at `level`."""
    from scipy.special import betaincinv

    hits, tail = round(p * trials), 0.5 - level / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    return low, float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
