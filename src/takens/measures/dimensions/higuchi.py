"""Higuchi's dimension of a curve: how its length grows as the ruler shrinks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, measure
from ..scaling_region import jackknife_error

Array = NDArray[np.float64]

BLOCKS = 10
"""Consecutive blocks of time that the jackknife leaves out in turn."""


def curve_lengths(x: Array, rulers: NDArray[np.int64]) -> Array:
    """Mean length of the curve `x (time,)` seen with steps of each of `rulers`, `(1 + block, ruler)`.

    L(k) = mean |x_{i+k} - x_i| (N - 1) / k^2, the average of Higuchi's k curves, first of the whole record, then
    without the steps that begin in one block.
    """
    n = len(x)
    out = np.empty((1 + BLOCKS, len(rulers)))
    for i, k in enumerate(rulers.tolist()):
        steps = np.abs(x[k:] - x[:-k])
        block = np.arange(len(steps)) * BLOCKS // len(steps)
        sums, number = np.bincount(block, steps), np.bincount(block)
        mean = np.concatenate([[sums.sum() / len(steps)], (sums.sum() - sums) / (len(steps) - number)])
        out[:, i] = mean * (n - 1) / k**2
    return out


@measure(family="dimensions", reference="Higuchi, Physica D 31, 277 (1988)", minimum=100)
def higuchi_dimension(
    channel: Channel, *, longest: int | None = None, level: float = 0.95, seed: int = 0
) -> Estimate:  # fmt: skip
    """Higuchi's fractal dimension of the graph of a series: its length with steps of k samples goes like k^-D.

    1 for a smooth curve (sampled well within its shortest period), 2 - H for fractional Brownian motion (1.5 Brownian),
    2 for white noise. A property of the graph, not of an attractor. Slope of ln L(k) over ln k for k = 1 to `longest`
    (default 10, for records of less than 200 a twentieth); the interval is a jackknife over ten blocks of time.
    Details: `ruler` (time), `length`. Not admissible where the curve is not straight (residual above 0.1), as near a
    period of the series. Cost: O(N) a ruler.
    """
    del seed
    x = channel.x
    most = longest or max(5, min(10, len(x) // 20))
    if not 2 <= most <= len(x) // BLOCKS:
        raise SettingError(f"longest is {most} for {len(x)} values", remedy=f"From 2 to {len(x) // BLOCKS}.")
    rulers = np.arange(1, most + 1)
    curves = np.log(curve_lengths(x, rulers))
    fitted = np.polyfit(np.log(rulers), curves.T, 1)
    value = -float(fitted[0, 0])
    from scipy.special import stdtrit

    half = float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * jackknife_error(fitted[0, 1:])
    residual = float(np.abs(curves[0] - np.polyval(fitted[:, 0], np.log(rulers))).max())
    reason = "" if residual <= 0.1 else f"the length is no power law of the ruler (residual {residual:.2f})"
    return Estimate(
        "", value, "", (value - half, value + half), level, "length of the curve by ruler, jackknife",
        {"longest": most}, {} if longest else {"longest": "10"}, not reason, reason,
        details={"ruler": rulers * channel.interval, "length": np.exp(curves[0])},
    )  # fmt: skip
