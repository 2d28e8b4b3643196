"""How much of a series is noise: what nearest neighbours leave unexplained as they come closer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..neighbours import delay_vectors, nearest

Array = NDArray[np.float64]

REFERENCES = 1000
NEIGHBOURS = 10


def gamma_test(x: Array, dimension: int, delay: int, theiler: int) -> tuple[float, float]:
    """Standard deviation of the part of `x (time,)` that no smooth function of its past explains, and the slope.

    gamma(k) = <(y_i - y_{j_k(i)})^2> / 2 over k-th neighbours j_k of the `dimension` delays, of y one sample ahead,
    is noise variance + A delta(k), delta(k) their mean squared distance; the intercept of the line through k = 1 to 10
    is the variance, which is cut to 0 .. that of x. The slope A, per variance, says how rough the function is. Both
    NaN with too few values. Source: Evans & Jones, Proc. R. Soc. A 458, 2759 (2002). Cost: one neighbour search.
    """
    count = len(x) - (dimension - 1) * delay - 1
    if count < 50:
        return float("nan"), float("nan")
    points = delay_vectors(x[:-1], dimension, delay)
    ahead = x[(dimension - 1) * delay + 1 :]
    own = np.unique(np.linspace(0, count - 1, min(REFERENCES, count)).astype(int))
    try:
        distance, near = nearest(points, points[own], k=NEIGHBOURS, theiler=theiler, exclude=own)
    except DataError:
        return float("nan"), float("nan")
    whole = (near >= 0).all(axis=1)
    if whole.sum() < 20:
        return float("nan"), float("nan")
    delta = np.mean(distance[whole] ** 2, axis=0)
    gamma = np.mean((ahead[own[whole], None] - ahead[near[whole]]) ** 2, axis=0) / 2
    if np.ptp(delta) <= 0:
        return float(np.sqrt(min(gamma.mean(), x.var()) / x.var())), float("nan")
    slope, intercept = np.polyfit(delta, gamma, 1)
    return float(np.sqrt(np.clip(intercept / x.var(), 0.0, 1.0))), float(slope)
