"""Crossovers: whether one power law is enough for a curve, or two with a kink between them are needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..scaling_region import jackknife_error

Array = NDArray[np.float64]

MARGIN = 4
"""Points of a curve on each side of a kink at least."""


@dataclass(frozen=True)
class Kink:
    """The best place for a kink: position in the curve, the slopes below and above it as (value, standard error).

    `statistic` is the change of slope there in standard errors.
    """

    position: int
    below: tuple[float, float]
    above: tuple[float, float]
    statistic: float


def find_kink(x: Array, curves: Array) -> Kink | None:
    """The kink of `curves (1 + group, point)`: the curve, and those without each group of the data.

    At each point but `MARGIN` at the ends a continuous line of two pieces is fitted by least squares, and the one with
    the smallest residual is taken. Errors are the jackknife's. None where the curve is too short. Cost: O(points^2).
    """
    least, found = np.inf, None
    for k in range(MARGIN, len(x) - MARGIN):
        design = np.stack([np.ones_like(x), np.minimum(x - x[k], 0), np.maximum(x - x[k], 0)], axis=1)
        fitted = np.linalg.lstsq(design, curves.T, rcond=None)[0]
        residual = float(np.sum((curves[0] - design @ fitted[:, 0]) ** 2))
        if residual < least:
            _, low, high = fitted
            below, above, change = (jackknife_error(s[1:]) for s in (low, high, high - low))
            statistic = abs(high[0] - low[0]) / max(change, 1e-12)
            least, found = residual, Kink(k, (float(low[0]), below), (float(high[0]), above), float(statistic))
    return found
