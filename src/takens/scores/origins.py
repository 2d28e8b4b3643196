"""What many origins say together: median, spread, an interval for the median, and how many runs failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData, SettingError
from ..estimate import plain
from .base import Array
from .comparison import FEWEST


@dataclass(frozen=True)
class Spread:
    """A score over `origins`: `median`, `quartiles`, and the `interval` of the median at `level` (None: too few).

    `censored` is the share of origins whose true value is at least the one given, such as a valid time that reached the
    horizon, and `bound` says whether the median itself is only a lower bound. `failures` counts the runs that broke
    down; they count in all of this with the value they were given.
    """

    median: float
    quartiles: tuple[float, float]
    interval: tuple[float, float] | None
    level: float
    origins: int
    censored: float
    bound: bool
    failures: int

    def __str__(self) -> str:
        low, high = self.quartiles
        words = [f"half of {self.origins} origins between {low:.3g} and {high:.3g}"]
        if self.interval is not None:
            words.append(f"{self.level:.0%} interval of the median {self.interval[0]:.3g} to {self.interval[1]:.3g}")
        words += [f"{self.censored:.0%} censored"] * (self.censored > 0)
        words += [f"{self.failures} failed"] * (self.failures > 0)
        return f"{'at least ' if self.bound else ''}{self.median:.4g} ({', '.join(words)})"

    def to_dict(self) -> Mapping[str, Any]:
        """Everything as plain JSON values."""
        return plain(asdict(self))  # type: ignore[no-any-return]


def over_origins(
    values: ArrayLike,
    *,
    censored: ArrayLike | None = None,
    failed: ArrayLike | None = None,
    level: float = 0.9,
) -> Spread:
    """Median and spread of one score's `values (origin,)`, origins in time order.

    The interval of the median lies between two order statistics, which holds for every distribution, infinite values
    included: ranks (n -+ z sqrt(n f)) / 2, with f = (1 + r) / (1 - r) for the lag-one correlation r of the ranks, since
    forecasts from near origins err together. None with fewer than 5 origins. Measured coverage at level 0.9: 0.98,
    0.97, 0.95 with 10, 20, 50 independent origins, and 0.93 and 0.89 with 50 of lag-one correlation 0.5 and 0.8; the
    block bootstrap of the median had 0.78 where this has 0.93.

    NaN marks an origin without truth and is left out. A failed run keeps the value it has (infinity for errors, the
    time until it broke for valid times) and is counted. Scores vary much between origins (valid times have about
    exponential tails): take 20 or more.
    Raises `DataError` for flags of another length, `InsufficientData` without any value.
    """
    scores = np.asarray(values, dtype=np.float64).ravel()
    flags = []
    for given in (censored, failed):
        flag = np.zeros(len(scores), dtype=bool) if given is None else np.asarray(given, dtype=bool).ravel()
        if flag.shape != scores.shape:
            raise DataError(f"{len(flag)} flags for {len(scores)} values")
        flags.append(flag[~np.isnan(scores)])
    if not 0 < level < 1:
        raise SettingError(f"level must be between 0 and 1, got {level}")
    scores = scores[~np.isnan(scores)]
    if len(scores) == 0:
        raise InsufficientData("no origin has a value")
    median = quantile(scores, 0.5)
    return Spread(
        median, (quantile(scores, 0.25), quantile(scores, 0.75)), _interval(scores, level), level,
        len(scores), float(flags[0].mean()), bool((flags[0] & (scores <= median)).any()), int(flags[1].sum()),
    )  # fmt: skip


def quantile(values: Array, q: float) -> float:
    """The `q` quantile; infinite where it falls between a finite and an infinite value."""
    ordered = np.sort(values)
    position = q * (len(ordered) - 1)
    below, above = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    if below == above or position == np.floor(position):
        return float(below)
    return float(below + (position - np.floor(position)) * (above - below))


def _interval(scores: Array, level: float) -> tuple[float, float] | None:
    from scipy.special import ndtri

    count = len(scores)
    if count < FEWEST:
        return None
    ranks = np.argsort(np.argsort(scores, kind="stable"), kind="stable") - (count - 1) / 2
    r = float(np.clip((ranks[1:] * ranks[:-1]).sum() / (ranks**2).sum(), 0.0, 0.9))
    reach = ndtri((1 + level) / 2) * np.sqrt(count * (1 + r) / (1 - r))
    low = max(int(np.floor((count - reach) / 2)), 1)
    ordered = np.sort(scores)
    return float(ordered[low - 1]), float(ordered[count - low])
