"""Neighbours of delay vectors by a sorted sweep, and how far they are apart as they are followed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def sweep_nearest(points, key, order, theiler):  # type: ignore[no-untyped-def]
    """Nearest point at a positive distance, more than `theiler` rows away: squared distances and indices (-1: none).

    `key (n,)` is a projection of `points (n, m)` on a unit vector and `order` sorts it: no point whose key differs by
    more than the best distance so far can be nearer, so each search ends after a few steps to either side.
    """
    n, m = points.shape
    best = np.full(n, np.inf)
    where = np.full(n, -1, dtype=np.int64)
    # Rows in sorted order lie side by side in memory, which is most of the speed.
    rows = points[order]
    keys = key[order]
    for s in range(n):
        i = order[s]
        nearest, at = np.inf, -1
        left, right = s - 1, s + 1
        while left >= 0 or right < n:
            if left >= 0:
                gap = keys[s] - keys[left]
                if gap * gap >= nearest:
                    left = -1
                else:
                    j = order[left]
                    if abs(i - j) > theiler:
                        d = 0.0
                        for c in range(m):
                            u = rows[s, c] - rows[left, c]
                            d += u * u
                        if 0.0 < d < nearest:
                            nearest, at = d, j
                    left -= 1
            if right < n:
                gap = keys[right] - keys[s]
                if gap * gap >= nearest:
                    right = n
                else:
                    j = order[right]
                    if abs(i - j) > theiler:
                        d = 0.0
                        for c in range(m):
                            u = rows[s, c] - rows[right, c]
                            d += u * u
                        if 0.0 < d < nearest:
                            nearest, at = d, j
                    right += 1
        best[i], where[i] = nearest, at
    return best, where


@njit(cache=True, nogil=True, error_model="numpy")
def follow_pairs(points, own, near, lags, label, blocks):  # type: ignore[no-untyped-def]
    """Sums and counts `(block, lag)` of ln |X_{i+k} - X_{j+k}| over the pairs (i, j); distances of 0 are left out."""
    m = points.shape[1]
    sums = np.zeros((blocks, len(lags)))
    counts = np.zeros((blocks, len(lags)))
    for p in range(len(own)):
        b = label[p]
        for a in range(len(lags)):
            i, j = own[p] + lags[a], near[p] + lags[a]
            d = 0.0
            for c in range(m):
                u = points[i, c] - points[j, c]
                d += u * u
            if d > 0.0:
                sums[b, a] += 0.5 * np.log(d)
                counts[b, a] += 1.0
    return sums, counts


@njit(cache=True, nogil=True, error_model="numpy")
def follow_balls(points, key, order, place, own, radius, theiler, least, most, lags, label, blocks):  # type: ignore[no-untyped-def]
    """Sums and counts `(block, lag)` of mean_j ln |X_{i+k} - X_{j+k}| over the points j within `radius` of i.

    Points i with fewer than `least` neighbours are left out; the first `most` in
    the sweep are taken. `place[i]` is the position of i in `order`. Also the number of points i used.
    """
    n, m = points.shape
    sums = np.zeros((blocks, len(lags)))
    counts = np.zeros((blocks, len(lags)))
    found = np.empty(most, dtype=np.int64)
    used = 0
    for p in range(len(own)):
        i = own[p]
        s = place[i]
        number = 0
        for side in (-1, 1):
            # Half of the room for each side, so that the ball is not cut on one of them.
            room = most // 2 if side == -1 else most
            q = s + side
            while 0 <= q < n and number < room and abs(key[order[q]] - key[i]) <= radius:
                j = order[q]
                q += side
                if abs(i - j) <= theiler or j + lags[-1] >= n:
                    continue
                d = 0.0
                for c in range(m):
                    u = points[i, c] - points[j, c]
                    d += u * u
                if d <= radius * radius:
                    found[number] = j
                    number += 1
        if number < least:
            continue
        used += 1
        b = label[p]
        for a in range(len(lags)):
            total, positive = 0.0, 0
            for q in range(number):
                d = 0.0
                for c in range(m):
                    u = points[i + lags[a], c] - points[found[q] + lags[a], c]
                    d += u * u
                if d > 0.0:
                    total += 0.5 * np.log(d)
                    positive += 1
            if positive > 0:
                sums[b, a] += total / positive
                counts[b, a] += 1.0
    return sums, counts, used
