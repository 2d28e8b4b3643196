"""Embedding dimension by false neighbours without Kennel's two weaknesses: Hegger and Kantz's, and Krakovska's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...random import generator
from ..base import Channel, measure
from .search import Search, bootstrap_weights, prepared_channel, prepared_search, weighted_means

Array = NDArray[np.float64]

RATIOS = (10.0, 8.0, 6.0, 5.0, 4.0, 3.0)
"""Ratios of distances that `noise_robust_ratio` may take."""

FEWEST = 50
"""Pairs close enough to be judged, below which a share of false neighbours says nothing."""


def noise_robust_ratio(search: Search) -> float:
    """The largest ratio for which half of the neighbours in three dimensions are close enough to be judged.

    A pair at distance R can be told false by a ratio r only where R < sigma / r. Observation noise makes true
    neighbours part by a few times their distance, so the larger r, the less noise counts as false.
    """
    near = np.median(search.pairs(3, False)[0]) / np.std(search.x)
    return next((ratio for ratio in RATIOS if near < 1 / ratio), RATIOS[-1])


@measure(family="embedding", reference="Hegger and Kantz, Phys. Rev. E 60, 4970 (1999)", minimum=200)
def embedding_dimension_hegger_kantz(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 10,
    ratio: float | None = None, threshold: float = 0.05, resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding dimension by the false neighbours of Hegger and Kantz.

    X(m) = share of pairs with R_(m+1) / R_m > r among those nearest neighbours in m dimensions (maximum norm) whose
    distance R_m is below sigma / r, the others being too far apart to be told false: this is what keeps X of noise from
    falling as m grows. The value is the first m with X below `threshold`. `ratio` r by default is the largest of 10 to
    3 that half of the pairs in three dimensions can be judged by, which is least disturbed by noise; it must exceed
    what true neighbours part by in one delay. Not admissible where no m with at least 50 judged pairs has a share below
    the threshold, as for noise. The interval comes from a bootstrap of points. Details: `dimension`, `false_share`
    (NaN where fewer than 50 pairs can be judged), `judged` (their number). Cost: `max_dimension` searches.
    """
    x, delay, theiler, left_out, chosen = prepared_channel(channel, delay, theiler)
    search = prepared_search(x, delay, theiler, max(max_dimension, 3))
    if ratio is None:
        ratio = noise_robust_ratio(search)
        chosen["ratio"] = "the largest that half of the pairs in three dimensions can be judged by"
    weights = bootstrap_weights(generator(seed, "embedding_dimension_hegger_kantz"), resamples, len(search.own))
    shares, judged, near = [], [], None
    for m in range(1, max_dimension + 1):
        d, further, kept, near = search.pairs(m, False, near)
        close = d < np.std(x) / ratio
        judged.append(int(close.sum()))
        kept[kept] = close
        false = (further > ratio * d)[close]
        shares.append(
            weighted_means(weights, false[None].astype(float), kept)[:, 0]
            if judged[-1] >= FEWEST else np.full(len(weights), np.nan)
        )  # fmt: skip
    table = np.transpose(shares)
    found, interval = _first(table < threshold, level)
    lowest = float(np.nanmin(table[0])) if np.isfinite(table[0]).any() else np.nan
    reason = f"false neighbours never fall below {threshold:.0%} (lowest {lowest:.1%}), as for noise"
    if np.isnan(lowest):
        reason = f"fewer than {FEWEST} neighbours are closer than sigma / {ratio:g}: the record is too short"
    return Estimate(
        "", found, "", interval, level, "share of false neighbours among those close enough to be judged",
        {"delay": delay, "theiler": theiler, "max_dimension": max_dimension, "ratio": ratio, "threshold": threshold,
         "used": left_out or "all"},
        chosen, found is not None, "" if found else reason,
        details={"dimension": np.arange(1, max_dimension + 1), "false_share": table[0], "judged": np.array(judged)},
    )  # fmt: skip


@measure(family="embedding", reference="Krakovska, Mezeiova and Budacova, J. Complex Syst. 932750 (2015)", minimum=200)
def embedding_dimension_krakovska(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 10,
    highest: float = 0.4, settled: float = 0.75, resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Embedding dimension by Krakovska's false first nearest neighbours.

    F(m) is the share of points whose nearest neighbour in m dimensions (maximum norm) is another one in m + 1. There is
    no threshold on distances. In a finite record F stays above 0 because true neighbours compete, so that the value is
    the first m at which F has stopped falling fast, F(m + 1) >= `settled` F(m), below `highest`, or is below 0.05. Not
    admissible where that is nowhere, as for noise, whose F falls slowly from 1, nor above 2 log10 N dimensions, where
    N points are too few to have near neighbours (Eckmann and Ruelle 1992). Noise of a few percent on a
    deterministic series raises the value by one or more: of the criteria here it is the most sensitive to noise. The
    interval comes from a bootstrap of points. Details: `dimension`, `false_share`. Cost: `max_dimension` searches.
    """
    x, delay, theiler, left_out, chosen = prepared_channel(channel, delay, theiler)
    search = prepared_search(x, delay, theiler, max_dimension + 2)
    weights = bootstrap_weights(generator(seed, "embedding_dimension_krakovska"), resamples, len(search.own))
    before = search.pairs(1, False)[3]
    shares = []
    for m in range(1, max_dimension + 2):
        _, _, kept, near = search.pairs(m + 1, False, before)
        kept &= before >= 0
        shares.append(weighted_means(weights, (before != near)[None, kept].astype(float), kept)[:, 0])
        before = near
    table = np.transpose(shares)
    stopped = (table[:, 1:] >= settled * table[:, :-1]) & (table[:, :-1] < highest)
    found, interval = _first(stopped | (table[:, :-1] < 0.05), level)
    reason = "" if found else f"first neighbours change too often (at best {table[0].min():.0%}), as for noise"
    if found and found > 2 * np.log10(len(x)):
        reason = f"{found} dimensions need {10 ** (found / 2):.0f} values; these are {len(x)}"
    return Estimate(
        "", found, "", interval, level, "first nearest neighbours that stay nearest",
        {"delay": delay, "theiler": theiler, "max_dimension": max_dimension, "highest": highest, "settled": settled,
         "used": left_out or "all"},
        chosen, not reason, reason,
        details={"dimension": np.arange(1, max_dimension + 1), "false_share": table[0, :-1]},
    )  # fmt: skip


def _first(true: NDArray[np.bool_], level: float) -> tuple[int | None, tuple[int, int] | None]:
    """The first dimension that is `true (draw, dimension)` in the first draw, and the interval from the others."""
    found = np.where(true.any(axis=1), true.argmax(axis=1) + 1, true.shape[1] + 1)
    if not true[0].any():
        return None, None
    low, high = np.quantile(found[1:], [0.5 - level / 2, 0.5 + level / 2], method="nearest")
    return int(found[0]), (min(int(low), int(found[0])), max(int(high), int(found[0])))
