"""Neighbours of delay vectors by sorted strips, and how far they are apart as they are followed."""

from __future__ import annotations

import numpy as np
from numba import njit

TINY = np.finfo(np.float64).tiny
ONE = np.int64(1023) << np.int64(52)
"""The bits of 1.0."""
FRACTION = (np.int64(1) << np.int64(52)) - np.int64(1)
"""The bits of a number behind its binary point."""


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_in_strips(points, across, along, order, starts, theiler):  # type: ignore[no-untyped-def]
    """Nearest point at a positive distance, more than `theiler` rows away: squared distances and indices (-1: none).

    `across (n,)` and `along (n,)` are projections of `points (n, m)` on two orthogonal unit vectors (or twice the same
    one). `order` sorts the points by strips of the first, which begin at `starts` (with n at its end), and within a
    strip by the second: no point farther away than the best so far in either projection can be nearer. The point
    after the last one's neighbour is close in a flow and is tried first.
    """
    n, strips = len(points), len(starts) - 1
    best = np.full(n, np.inf)
    where = np.full(n, -1, dtype=np.int64)
    # Rows in sorted order lie side by side in memory, which is most of the speed.
    rows, first, second = points[order], across[order], along[order]
    place, strip = np.empty((2, n), dtype=np.int64)
    low, high = np.empty((2, strips))
    for s in range(strips):
        low[s] = first[starts[s] : starts[s + 1]].min()
        high[s] = first[starts[s] : starts[s + 1]].max()
        for q in range(starts[s], starts[s + 1]):
            place[order[q]], strip[q] = q, s
    for i in range(n):
        p = place[i]
        nearest, at = np.inf, -1
        if i > 0 and 0 <= where[i - 1] < n - 1:
            d = _square(rows, p, place[where[i - 1] + 1])
            if d > 0.0:
                nearest, at = d, where[i - 1] + 1
        own = strip[p]
        nearest, at = _outwards(rows, second, order, p, starts[own], starts[own + 1], theiler, nearest, at)
        for side in (-1, 1):
            s = own + side
            while 0 <= s < strips:
                gap = first[p] - high[s] if side < 0 else low[s] - first[p]
                if gap > 0.0 and gap * gap >= nearest:
                    break
                nearest, at = _between(rows, second, order, p, starts[s], starts[s + 1], theiler, nearest, at)
                s += side
        best[i], where[i] = nearest, at
    return best, where


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _square(rows, a, b):  # type: ignore[no-untyped-def]
    """Squared distance of two of `rows (n, m)`."""
    d = 0.0
    for c in range(rows.shape[1]):
        u = rows[a, c] - rows[b, c]
        d += u * u
    return d


@njit(cache=True, nogil=True, error_model="numpy")
def _outwards(rows, key, order, p, begin, end, theiler, nearest, at):  # type: ignore[no-untyped-def]
    """`nearest` and `at` improved by rows `begin` to `end`, from `p` among them to both sides."""
    i = order[p]
    left, right = p - 1, p + 1
    while left >= begin or right < end:
        if left >= begin:
            gap = key[p] - key[left]
            if gap * gap >= nearest:
                left = -1
            else:
                if abs(i - order[left]) > theiler:
                    d = _square(rows, p, left)
                    if 0.0 < d < nearest:
                        nearest, at = d, order[left]
                left -= 1
        if right < end:
            gap = key[right] - key[p]
            if gap * gap >= nearest:
                right = end
            else:
                if abs(i - order[right]) > theiler:
                    d = _square(rows, p, right)
                    if 0.0 < d < nearest:
                        nearest, at = d, order[right]
                right += 1
    return nearest, at


@njit(cache=True, nogil=True, error_model="numpy")
def _between(rows, key, order, p, begin, end, theiler, nearest, at):  # type: ignore[no-untyped-def]
    """`nearest` and `at` improved by those of rows `begin` to `end` whose key is close enough to that of `p`."""
    i, here = order[p], key[p]
    bottom, top = here - np.sqrt(nearest), here + np.sqrt(nearest)
    last = end
    while begin < last:
        middle = (begin + last) >> 1
        if key[middle] < bottom:
            begin = middle + 1
        else:
            last = middle
    for q in range(begin, end):
        if key[q] > top:
            break
        if abs(i - order[q]) > theiler:
            d = _square(rows, p, q)
            if 0.0 < d < nearest:
                nearest, at = d, order[q]
                top = here + np.sqrt(nearest)
    return nearest, at


@njit(cache=True, nogil=True, error_model="numpy")
def follow_pairs(points, own, near, lags, label, blocks):  # type: ignore[no-untyped-def]
    """Sums and counts `(block, lag)` of ln |X_{i+k} - X_{j+k}| over the pairs (i, j); distances of 0 are left out.

    `points` are `(axis, time)` and `label` ascends. The logarithm of a product is the sum of logarithms: fractions of
    up to 1000 squared distances, each between 1 and 2, are multiplied and their exponents added before one is taken.
    """
    size = len(lags)
    sums, counts = np.zeros((2, blocks, size))
    product, exponent = np.ones(size), np.zeros(size, dtype=np.int64)
    square = np.empty(size)
    bits = square.view(np.int64)
    together = 0
    for p in range(len(own)):
        b = label[p]
        _squares(points, own[p], near[p], lags, square)
        small = 0
        for a in range(size):
            small += square[a] < TINY
        if small:
            for a in range(size):
                if square[a] > 0.0:
                    sums[b, a] += 0.5 * np.log(square[a])
                    counts[b, a] += 1.0
        else:
            for a in range(size):
                exponent[a] += (bits[a] >> 52) - 1023
                bits[a] = (bits[a] & FRACTION) | ONE
            for a in range(size):
                product[a] *= square[a]
            together += 1
        if together == 1000 or p + 1 == len(own) or label[p + 1] != b:
            for a in range(size):
                sums[b, a] += 0.5 * (np.log(product[a]) + exponent[a] * np.log(2.0))
                counts[b, a] += together
            product[:] = 1.0
            exponent[:] = 0
            together = 0
    return sums, counts


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _squares(points, i, j, lags, square):  # type: ignore[no-untyped-def]
    """Write squared distances `(lag,)` of `points (axis, time)` i + lag and j + lag."""
    size = len(lags)
    if lags[-1] - lags[0] == size - 1:
        i, j = i + lags[0], j + lags[0]
        one, other = points[0, i : i + size], points[0, j : j + size]
        for a in range(size):
            square[a] = (one[a] - other[a]) ** 2
        for c in range(1, len(points)):
            one, other = points[c, i : i + size], points[c, j : j + size]
            for a in range(size):
                square[a] += (one[a] - other[a]) ** 2
    else:
        square[:] = 0.0
        for c in range(len(points)):
            for a in range(size):
                square[a] += (points[c, i + lags[a]] - points[c, j + lags[a]]) ** 2


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
