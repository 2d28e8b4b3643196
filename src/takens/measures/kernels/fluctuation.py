"""Residual variances of polynomial fits in windows, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHORT = 16
"""Samples in the stretches of which long windows are put together."""

SPREAD = SHORT * (SHORT**2 - 1) / 12
"""Sum of the squared times of a stretch from its middle."""


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


@njit(cache=True, nogil=True, error_model="numpy")
def running_sum(x: Floats, mean: float) -> Floats:
    """The sums of `x (time,)` less its mean, up to each time."""
    out = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        total += x[i] - mean
        out[i] = total
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def short_fits(profile: Floats) -> Floats:
    """Mean, slope and sum of squared residuals `(3, stretch)` of straight lines through stretches of 16 samples.

    Stretches follow one another from the beginning of `profile (time,)`.
    """
    out = np.empty((3, len(profile) // SHORT))
    for b in range(out.shape[1]):
        at = b * SHORT
        total, linear, square = 0.0, 0.0, 0.0
        for i in range(SHORT):
            d = profile[at + i] - profile[at]
            total += d
            linear += (i - 0.5 * (SHORT - 1)) * d
        mean, slope = profile[at] + total / SHORT, linear / SPREAD
        for i in range(SHORT):
            d = profile[at + i] - mean - slope * (i - 0.5 * (SHORT - 1))
            square += d * d
        out[0, b], out[1, b], out[2, b] = mean, slope, square
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def long_window_variances(profile: Floats, fits: Floats, size: int, start: int, out: Floats) -> None:
    """As `window_variances` for straight lines, from `fits` of `short_fits` and the samples at a window's ends.

    The squared residuals of a window are those of its stretches from their own lines, and of these from that of the
    window: sums of squares only, which lose no digits. A window of s samples costs s / 16 steps and some 15 samples.
    """
    scale = 12.0 / (size * (size * size - 1.0))
    for w in range(len(out)):
        at = start + w * size
        end = at + size
        first, middle = profile[at], at + 0.5 * (size - 1)
        left, right = -(-at // SHORT), end // SHORT
        centre = left * SHORT + 0.5 * (SHORT - 1) - middle
        means, slopes, squares = fits[0, left:right], fits[1, left:right], fits[2, left:right]
        total, linear, inner = 0.0, 0.0, 0.0
        for b in range(right - left):
            d = means[b] - first
            total += d
            linear += (centre + b * SHORT) * d
            inner += slopes[b]
        total, linear = SHORT * total, SHORT * linear + SPREAD * inner
        for i in range(at, left * SHORT):
            total += profile[i] - first
            linear += (i - middle) * (profile[i] - first)
        for i in range(right * SHORT, end):
            total += profile[i] - first
            linear += (i - middle) * (profile[i] - first)
        mean, slope = first + total / size, linear * scale
        offsets, turns, rest = 0.0, 0.0, 0.0
        for b in range(right - left):
            d = means[b] - mean - slope * (centre + b * SHORT)
            offsets += d * d
            d = slopes[b] - slope
            turns += d * d
            rest += squares[b]
        rest += SHORT * offsets + SPREAD * turns
        for i in range(at, left * SHORT):
            d = profile[i] - mean - slope * (i - middle)
            rest += d * d
        for i in range(right * SHORT, end):
            d = profile[i] - mean - slope * (i - middle)
            rest += d * d
        out[w] = rest / size
