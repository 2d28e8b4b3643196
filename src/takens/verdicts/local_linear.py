"""Local linear predictions from few neighbours to many: what is gained by looking close tells a law from noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import TakensError
from ..neighbours import delay_vectors, nearest

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

SIZES = (8, 16, 32, 64, 128, 256)
"""Neighbours of a fit."""
RANKS = (0, 1, 3, 7, 15, 31, 63, 127)
"""Neighbours whose distances are compared, now and later."""
STATES = 250
LONGEST = 8192
"""Samples looked at."""
FINE = (1, 2, 4, 8)
"""Samples ahead for the growth of errors at the finest scale."""
NAMES = (
    "local_cycle", "local_three_cycles", "local_gain_cycle", "few_delay", "few_cycle", "closeness_delay",
    "closeness_cycle", "fine_error", "fine_growth", "fine_gain_1", "fine_gain_8",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """States, each with its neighbours and what follows: `offset (state, neighbour, coordinate)` from the state,
    `distance (state, neighbour)`, nearest first, `later (state, neighbour, horizon)` what the neighbours became and
    `truth (state, horizon)` the state itself. `linear (horizon,)` are errors of one linear prediction for all, and all
    errors are in standard deviations, `spread`, of the series."""

    offset: Array
    distance: Array
    later: Array
    truth: Array
    linear: Array
    spread: float

    @classmethod
    def of(cls, x: Array, dimension: int, delay: int, theiler: int, horizons: Sequence[int]) -> Neighbourhoods | None:
        """Those of `x (time,)`; None where there are too few values. Cost: one neighbour search."""
        span = (dimension - 1) * delay
        usable = len(x) - span - max(horizons)
        if usable < 100:
            return None
        points = delay_vectors(x, dimension, delay)[:usable]
        ahead = np.stack([x[span + h : span + h + usable] for h in horizons], axis=1)
        own = np.unique(np.linspace(0, usable - 1, min(STATES, usable)).astype(int))
        most = max(k for k in SIZES if k <= max(SIZES[0], usable // 4))
        try:
            distance, near = nearest(points, points[own], k=most, theiler=theiler, exclude=own)
        except TakensError:
            return None
        known = (near >= 0).all(axis=1)
        if known.sum() < 40:
            return None
        own, distance, near = own[known], distance[known], near[known]
        design = np.column_stack([np.ones(usable), points])
        rest = ahead - design @ np.linalg.lstsq(design, ahead, rcond=None)[0]
        spread = float(x.std())
        offset = points[near] - points[own][:, None, :]
        return cls(offset, distance, ahead[near], ahead[own], rest.std(axis=0) / spread, spread)

    def errors(self) -> Array:
        """Errors `(size, horizon)` of linear fits to the nearest 8, 16, 32 ... neighbours of each state.

        A fit has a slight ridge (1e-6 of the neighbours' spread) and is kept within the range of its neighbours,
        widened by half of it on both sides.
        """
        states, most, dimension = self.offset.shape
        design = np.concatenate([np.ones((states, most, 1)), self.offset], axis=2)
        gram = np.zeros((states, dimension + 1, dimension + 1))
        moment = np.zeros((states, dimension + 1, self.later.shape[2]))
        penalty = np.diag([0.0] + [1.0] * dimension)
        rows, begin = [], 0
        for size in (k for k in SIZES if k <= most):
            added = design[:, begin:size]
            gram += added.transpose(0, 2, 1) @ added
            moment += added.transpose(0, 2, 1) @ self.later[:, begin:size]
            begin = size
            ridge = 1e-6 * np.trace(gram[:, 1:, 1:], axis1=1, axis2=2) / dimension + 1e-14
            fit = np.linalg.solve(gram + ridge[:, None, None] * penalty, moment)[:, 0]
            low, high = self.later[:, :size].min(axis=1), self.later[:, :size].max(axis=1)
            fit = np.clip(fit, low - (high - low) / 2, high + (high - low) / 2)
            rows.append(np.sqrt(np.mean((fit - self.truth) ** 2, axis=0)) / self.spread)
        return np.array(rows)

    def closeness(self) -> Array:
        """The slope `(horizon,)` of the log distance later over the log distance now, over ranks of neighbours.

        1 where what follows is a smooth function of the state, 0 where noise decides; NaN where distances are equal.
        """
        ranks = [rank for rank in RANKS if rank < self.distance.shape[1]]
        now = np.median(np.log(self.distance[:, ranks] + 1e-9), axis=0)
        later = np.median(np.log(np.abs(self.later[:, ranks] - self.truth[:, None]) + 1e-9), axis=0)
        if np.ptp(now) < 1e-3:
            return np.full(later.shape[1], np.nan)
        return np.asarray(np.polyfit(now, later, 1)[0])


def local_linear(x: Array, period: float, delay: int, theiler: int) -> dict[str, float]:
    """What close neighbours foretell of `x (time,)`, one delay, one cycle and three ahead, and sample by sample.

    Logarithms of the least error over the size of the neighbourhood (Casdagli, J. R. Stat. Soc. B 54, 303, 1992); of
    it over that of one linear prediction; of the error from the 8 nearest over the least; how closely near states lead
    to near states; and how fast errors grow over the first samples, which for noise in the motion is the power of a
    diffusion. Cost: two neighbour searches among at most 8,192 values.
    """
    x = x[:LONGEST]
    found: dict[str, float] = {}
    cycle = max(1, round(period))
    coarse = Neighbourhoods.of(x, 5, delay, theiler, [min(h, len(x) // 4) for h in (delay, cycle, 3 * cycle)])
    if coarse is not None:
        error, close = coarse.errors(), coarse.closeness()
        least = error.min(axis=0)
        found |= {
            "local_cycle": _log(least[1]), "local_three_cycles": _log(least[2]),
            "local_gain_cycle": _log(least[1]) - _log(coarse.linear[1]),
            "few_delay": _log(error[0, 0]) - _log(least[0]), "few_cycle": _log(error[0, 1]) - _log(least[1]),
            "closeness_delay": float(close[0]), "closeness_cycle": float(close[1]),
        }  # fmt: skip
    fine = Neighbourhoods.of(x, 4, 1, max(theiler, 5), FINE)
    if fine is not None:
        least = fine.errors().min(axis=0)
        found |= {
            "fine_error": _log(least[0]), "fine_growth": float(np.polyfit(np.log(FINE), np.log(least + 1e-6), 1)[0]),
            "fine_gain_1": _log(least[0]) - _log(fine.linear[0]), "fine_gain_8": _log(least[3]) - _log(fine.linear[3]),
        }  # fmt: skip
    return found


def _log(value: float) -> float:
    return float(np.log(max(float(value), 1e-5)))
