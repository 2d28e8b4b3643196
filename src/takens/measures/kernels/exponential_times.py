"""Exact likelihood of a sum of Ornstein-Uhlenbeck processes with an unknown mean, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

DIFFUSE = 1e6
"""Variance of the mean before the first value, in variances of the process: so large that it does not matter."""


@njit(cache=True, nogil=True, error_model="numpy")
def innovations(x: Array, phi: Array, share: Array, noise: float, out: Array) -> float:  # pragma: no cover
    """Sum of the logarithms of the variances of the one-step errors of `x (time,)`; `out (time,)` gets the scaled ones.

    Kalman filter of the states s_k with s_k(t+1) = phi_k s_k(t) + e, stationary variance `share`, of a constant mean,
    and of x = mean + sum s_k + white noise of variance `noise`. The first value only sets the mean: out[0] = 0.
    """
    states = len(phi)
    size = states + 1
    mean = np.zeros(size)
    cover = np.zeros((size, size))
    decay = np.ones(size)
    fresh = np.zeros(size)
    for k in range(states):
        decay[k] = phi[k]
        cover[k, k] = share[k]
        fresh[k] = share[k] * (1 - phi[k] * phi[k])
    cover[states, states] = DIFFUSE
    gain = np.empty(size)
    total = 0.0
    for t in range(len(x)):
        error = x[t]
        variance = noise
        for i in range(size):
            error -= mean[i]
            gain[i] = 0.0
            for j in range(size):
                gain[i] += cover[i, j]
            variance += gain[i]
        out[t] = error / np.sqrt(variance)
        if t:
            total += np.log(variance)
        scale = 1 / variance
        for i in range(size):
            mean[i] = decay[i] * (mean[i] + gain[i] * scale * error)
            for j in range(i + 1):
                moved = decay[i] * decay[j] * (cover[i, j] - gain[i] * gain[j] * scale)
                cover[i, j] = moved
                cover[j, i] = moved
            cover[i, i] += fresh[i]
    out[0] = 0.0
    return total
