"""Kernels of state-space reconstruction: joint counts of a channel and its past, neighbours of delay vectors."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def joint_counts(codes, lags, bins, blocks):
    """Joint counts `(lag, block, bins, bins)` of `codes (time,)` and those `lags` later, in stretches of time."""
    table = np.zeros((len(lags), blocks, bins, bins), np.int64)
    for at in range(len(lags)):
        pairs = len(codes) - lags[at]
        for block in range(blocks):
            counts = table[at, block]
            for t in range(block * pairs // blocks, (block + 1) * pairs // blocks):
                counts[codes[t], codes[t + lags[at]]] += 1
    return table


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_delayed(x, order, rank, own, m, delay, count, theiler, euclidean):
    """Nearest delay vector at a positive distance of each of `own`, its distance, and how many lie at distance 0.

    Vectors of `m` coordinates begin at the first `count` times; those within `theiler` do not count. The search goes
    outward in the order of the first coordinates and ends where these alone are further apart than the best.
    """
    n = len(order)
    distance, index = np.full(len(own), np.inf), np.full(len(own), -1, np.int64)
    same = np.zeros(len(own), np.int64)
    for q in range(len(own)):
        i = own[q]
        left, right = rank[i] - 1, rank[i] + 1
        best, at, zeros = np.inf, -1, 0
        while left >= 0 or right < n:
            below = x[i] - x[order[left]] if left >= 0 else np.inf
            above = x[order[right]] - x[i] if right < n else np.inf
            if below <= above:
                gap, j, left = below, order[left], left - 1
            else:
                gap, j, right = above, order[right], right + 1
            if (gap * gap if euclidean else gap) >= best:
                break
            if j >= count or abs(i - j) <= theiler:
                continue
            apart = 0.0
            for k in range(m):
                gap = abs(x[i + k * delay] - x[j + k * delay])
                apart = apart + gap * gap if euclidean else max(apart, gap)
                if apart >= best:
                    break
            if apart == 0.0:
                zeros += 1
            elif apart < best:
                best, at = apart, j
        distance[q], index[q], same[q] = np.sqrt(best) if euclidean else best, at, zeros
    return distance, index, same
