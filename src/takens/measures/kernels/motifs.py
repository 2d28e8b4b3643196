"""The matrix profile: the nearest neighbour of every subsequence by z-normalised distance, diagonal by diagonal."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def profile(x, window, exclusion, mean, scale):  # type: ignore[no-untyped-def]
    """Largest correlation `(time - window + 1,)` of each subsequence with another, and where that other begins.

    `mean` and `scale` are those of the subsequences (scale 0: constant). Pairs less than `exclusion` apart do not
    count. Along a diagonal the covariance is updated by one term a step (Zhu et al. 2016; the centred update of
    Zimmerman et al. 2019), so that a pair costs O(1).
    """
    n = len(mean)
    best, where = np.full(n, -2.0), np.full(n, -1, np.int64)
    # Differences that turn the covariance of one pair into that of the next.
    fall, rise, inverse = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        inverse[i] = 1.0 / (scale[i] * window) if scale[i] > 0 else 0.0
        if i > 0:
            fall[i] = (x[i + window - 1] - x[i - 1]) / 2
            rise[i] = (x[i + window - 1] - mean[i]) + (x[i - 1] - mean[i - 1])
    for lag in range(exclusion, n):
        covariance = 0.0
        for k in range(window):
            covariance += (x[k] - mean[0]) * (x[k + lag] - mean[lag])
        for i in range(n - lag):
            j = i + lag
            covariance += fall[i] * rise[j] + fall[j] * rise[i]
            if inverse[i] > 0 and inverse[j] > 0:
                correlation = covariance * inverse[i] * inverse[j] * window
            else:
                # Two constant stretches are alike, a constant one and another half alike: distances 0 and sqrt(window).
                correlation = 1.0 if inverse[i] == inverse[j] else 0.5
            if correlation > best[i]:
                best[i], where[i] = correlation, j
            if correlation > best[j]:
                best[j], where[j] = correlation, i
    return best, where
