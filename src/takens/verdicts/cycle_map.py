"""Does one cycle foretell the next? Maxima, minima and lengths of cycles, from those of the cycle before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import TakensError
from ..measures.surrogates import cycle_starts

Array = NDArray[np.float64]

FEWEST, MOST = 25, 3000
"""Cycles looked at."""
NEIGHBOURS = 3
NAMES = (
    "map_best", "map_top", "map_low", "map_low_of_all", "map_length", "map_length_of_all", "map_tops", "map_uneven",
    "map_skewness",
)  # fmt: skip


def cycle_map(x: Array, period: float) -> dict[str, float]:
    """Errors of predicting the next maximum, minimum and length of a cycle, in standard deviations of each.

    From the same number of this cycle, and ("of all") from all three; from the 3 nearest. Chaos has a map from one
    cycle to the next (Lorenz 1963): some of them are near 0. In excitable systems that noise drives, spikes are alike
    and the time to the next is not foretold: all are near 1. Also the spread of the maxima, and of the lengths over
    their mean (both log), and their skewness. Empty below 25 cycles. Cost: O(N).
    """
    try:
        starts = cycle_starts(x, max(period, 4.0))[: MOST + 1]
    except TakensError:
        return {}
    if len(starts) < FEWEST:
        return {}
    width = max(1, round(period / 10))
    smooth = np.convolve(x, np.ones(width) / width, "same")
    length = np.diff(starts).astype(float)
    top, low = (extreme.reduceat(smooth, starts)[:-1] for extreme in (np.maximum, np.minimum))
    every = np.column_stack([top, low, length])
    found = {
        "map_top": foretold(top[:, None], top), "map_low": foretold(low[:, None], low),
        "map_low_of_all": foretold(every, low), "map_length": foretold(length[:, None], length),
        "map_length_of_all": foretold(every, length),
    }  # fmt: skip
    best = min(*found.values(), foretold(every, top))
    ratio = length / length.mean()
    third = np.mean(((ratio - 1) / max(float(ratio.std()), 1e-9)) ** 3)
    return found | {
        "map_best": best, "map_tops": float(np.log(max(float(top.std() / x.std()), 1e-5))),
        "map_uneven": float(np.log(max(float(ratio.std()), 1e-5))), "map_skewness": float(np.cbrt(third)),
    }  # fmt: skip


def foretold(given: Array, wanted: Array) -> float:
    """Error of `wanted[i + 1]` from the three rows of `given (cycle, number)` nearest to row i, over its spread."""
    from scipy.spatial import cKDTree

    given, wanted = given[:-1], wanted[1:]
    spread = given.std(axis=0)
    points = given / np.where(spread > 1e-9, spread, 1.0)
    near = cKDTree(points).query(points, k=NEIGHBOURS + 1)[1]
    others = np.argsort(near == np.arange(len(points))[:, None], axis=1, kind="stable")[:, :NEIGHBOURS]
    error = wanted[np.take_along_axis(near, others, axis=1)].mean(axis=1) - wanted
    return float(np.sqrt(np.mean(error**2)) / max(float(wanted.std()), 1e-12))
