"""Compiled loops of couplings: nearest neighbours and counts of Kraskov's estimators by sweeps over a sorted axis."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def pair_counts(x, y, order, k):  # type: ignore[no-untyped-def]
    """Points strictly nearer than the `k`-th joint neighbour, in x and in y alone: two arrays `(n,)`.

    Maximum norm; `order` sorts x. The sweep leaves i in both directions of the sorted x until the distance in x alone
    exceeds that of the k-th neighbour found so far. Cost: O(n sqrt(n k)) for data that fill the plane.
    """
    n = len(x)
    xs, ys = x[order], y[order]
    by_y = np.sort(y)
    nx, ny = np.empty(n, np.int64), np.empty(n, np.int64)
    best = np.empty(k)
    for i in range(n):
        best[:] = np.inf
        left, right = i - 1, i + 1
        while True:
            dl = xs[i] - xs[left] if left >= 0 else np.inf
            dr = xs[right] - xs[i] if right < n else np.inf
            if dl <= dr:
                d, j = dl, left
                left -= 1
            else:
                d, j = dr, right
                right += 1
            if d >= best[k - 1] or d == np.inf:
                break
            d = max(d, abs(ys[j] - ys[i]))
            if d < best[k - 1]:
                p = k - 1
                while p > 0 and best[p - 1] > d:
                    best[p] = best[p - 1]
                    p -= 1
                best[p] = d
        radius, where = best[k - 1], order[i]
        nx[where] = _strictly_within(xs, xs[i], radius)
        ny[where] = _strictly_within(by_y, ys[i], radius)
    return nx, ny


@njit(cache=True, nogil=True, error_model="numpy")
def _strictly_within(values, centre, radius):  # type: ignore[no-untyped-def]
    """How many of the sorted `values`, `centre` itself left out, differ from it by less than `radius`."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if centre - values[middle] >= radius:
            low = middle + 1
        else:
            high = middle
    start, high = low, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] - centre < radius:
            low = middle + 1
        else:
            high = middle
    return low - start - 1


@njit(cache=True, nogil=True, error_model="numpy")
def conditional_counts(x, y, z, order, k):  # type: ignore[no-untyped-def]
    """Points strictly nearer than the `k`-th neighbour in (x, y, z): in (x, z), (y, z) and z, three arrays `(n,)`.

    `x (n, a)`, `y (n,)`, `z (n, b)`, maximum norm; `order` sorts the first column of z, along which both sweeps go.
    Cost: O(n^2) at worst; a sweep stops where that column alone exceeds the distance of the k-th neighbour.
    """
    n = len(y)
    a, b = x.shape[1], z.shape[1]
    xs, ys, zs = x[order], y[order], z[order]
    nxz, nyz, nz = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    best = np.empty(k)
    for i in range(n):
        best[:] = np.inf
        left, right = i - 1, i + 1
        while True:
            dl = zs[i, 0] - zs[left, 0] if left >= 0 else np.inf
            dr = zs[right, 0] - zs[i, 0] if right < n else np.inf
            if dl <= dr:
                d, j = dl, left
                left -= 1
            else:
                d, j = dr, right
                right += 1
            if d >= best[k - 1] or d == np.inf:
                break
            d = max(d, abs(ys[j] - ys[i]))
            for c in range(a):
                d = max(d, abs(xs[j, c] - xs[i, c]))
            for c in range(1, b):
                d = max(d, abs(zs[j, c] - zs[i, c]))
            if d < best[k - 1]:
                p = k - 1
                while p > 0 and best[p - 1] > d:
                    best[p] = best[p - 1]
                    p -= 1
                best[p] = d
        radius, where = best[k - 1], order[i]
        in_xz, in_yz, in_z = 0, 0, 0
        for side in (-1, 1):
            j = i + side
            while 0 <= j < n and abs(zs[j, 0] - zs[i, 0]) < radius:
                d = 0.0
                for c in range(1, b):
                    d = max(d, abs(zs[j, c] - zs[i, c]))
                if d < radius:
                    in_z += 1
                    if abs(ys[j] - ys[i]) < radius:
                        in_yz += 1
                    d = 0.0
                    for c in range(a):
                        d = max(d, abs(xs[j, c] - xs[i, c]))
                    if d < radius:
                        in_xz += 1
                j += side
        nxz[where], nyz[where], nz[where] = in_xz, in_yz, in_z
    return nxz, nyz, nz


@njit(cache=True, nogil=True, error_model="numpy")
def visibility_degrees(x):  # type: ignore[no-untyped-def]
    """Numbers of earlier and of later points that each of `x (n,)` sees horizontally: two arrays `(n,)`.

    Points i < j see one another if all between them are smaller than both (Luque et al. 2009). Cost: O(n), a stack.
    """
    n = len(x)
    before, after = np.zeros(n, np.int64), np.zeros(n, np.int64)
    stack = np.empty(n, np.int64)
    top = 0
    for j in range(n):
        while top > 0:
            i = stack[top - 1]
            before[j] += 1
            after[i] += 1
            if x[i] > x[j]:
                break
            top -= 1
            if x[i] == x[j]:
                break
        stack[top] = j
        top += 1
    return before, after
