"""Residual variances of polynomial fits in windows, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


# Sums may be taken in any order, so that they run in vector registers.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def window_variances(profile: Floats, basis: Floats, start: int, out: Floats) -> None:
    """Mean square residual of `profile (time,)` about its fit by `basis (order, time in window)` in each window.

    Windows follow one another from `start`, as many as `out` has room for. `basis` holds the orthonormal polynomials of
    degree 1 and more; the constant is taken off by the mean. Sums are of differences to the window's first value, and
    where the fit leaves less than a millionth they are taken again of the residuals themselves.
    """
    orders, size = basis.shape
    coefficients = np.empty(orders)
    line = basis[0]
    for w in range(len(out)):
        at = start + w * size
        first = profile[at]
        total, square, linear = 0.0, 0.0, 0.0
        for i in range(size):
            d = profile[at + i] - first
            total += d
            square += d * d
            linear += line[i] * d
        square -= total * total / size
        left = square - linear * linear
        for k in range(1, orders):
            c = 0.0
            for i in range(size):
                c += basis[k, i] * (profile[at + i] - first)
            coefficients[k] = c
            left -= c * c
        if left < 1e-6 * square:
            mean = total / size
            coefficients[0] = linear
            left = 0.0
            for i in range(size):
                d = profile[at + i] - first - mean
                for k in range(orders):
                    d -= coefficients[k] * basis[k, i]
                left += d * d
        out[w] = left / size
