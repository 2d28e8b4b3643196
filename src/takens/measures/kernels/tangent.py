"""Local linear maps from neighbours, and the growth of tangent vectors that they carry along a record."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def solve_in_place(gram, moment):  # type: ignore[no-untyped-def]
    """Overwrite `moment (p,)` by the solution of gram x = moment, and the lower half of gram by its Cholesky factor."""
    p = len(moment)
    for c in range(p):
        for d in range(c + 1):
            s = gram[c, d]
            for e in range(d):
                s -= gram[c, e] * gram[d, e]
            if c == d:
                gram[c, c] = np.sqrt(s)
            else:
                gram[c, d] = s / gram[d, d]
    for c in range(p):
        s = moment[c]
        for e in range(c):
            s -= gram[c, e] * moment[e]
        moment[c] = s / gram[c, c]
    for c in range(p - 1, -1, -1):
        s = moment[c]
        for e in range(c + 1, p):
            s -= gram[e, c] * moment[e]
        moment[c] = s / gram[c, c]


@njit(cache=True, nogil=True, error_model="numpy")
def local_maps(points, ahead, own, near, ridge):  # type: ignore[no-untyped-def]
    """Coefficients `(step, m)` of the regularised local linear predictors, and their errors `(step,)` at the point.

    The predictor at row i of `own` is fitted to the displacements of its neighbours `near[i]` with tricube-like weights
    that fall to 0 at the furthest; `ridge` is the square root of the penalty as a share of the largest variance.
    """
    n, k = near.shape
    m = points.shape[1]
    p = m + 1
    maps = np.empty((n, m))
    errors = np.empty(n)
    gram = np.empty((p, p))
    moment = np.empty(p)
    row = np.empty(p)
    distance = np.empty(k)
    for i in range(n):
        a = own[i]
        furthest = 0.0
        for q in range(k):
            s = 0.0
            for c in range(m):
                u = points[near[i, q], c] - points[a, c]
                s += u * u
            distance[q] = np.sqrt(s)
            furthest = max(furthest, distance[q])
        gram[:] = 0.0
        moment[:] = 0.0
        if furthest == 0.0:
            maps[i] = 0.0
            errors[i] = 0.0
            continue
        for q in range(k):
            r = 0.999 * distance[q] / furthest
            w = (1.0 - r * r * r) ** 3
            row[0] = 1.0
            for c in range(m):
                row[c + 1] = (points[near[i, q], c] - points[a, c]) / furthest
            y = ahead[near[i, q]] - ahead[a]
            for c in range(p):
                moment[c] += w * row[c] * y
                for d in range(c + 1):
                    gram[c, d] += w * row[c] * row[d]
        trace = 0.0
        for c in range(p):
            trace += gram[c, c]
        for c in range(p):
            gram[c, c] += ridge * ridge * trace
        solve_in_place(gram, moment)
        errors[i] = moment[0]
        for c in range(m):
            maps[i, c] = moment[c + 1] / furthest
    return maps, errors


@njit(cache=True, nogil=True, error_model="numpy")
def tangent_growth(maps):  # type: ignore[no-untyped-def]
    """Logarithmic growth `(step, m)` of orthonormal tangent vectors under delay maps with these last rows."""
    n, m = maps.shape
    frame = np.eye(m)
    moved = np.empty((m, m))
    growth = np.empty((n, m))
    for t in range(n):
        for c in range(m):
            s = 0.0
            for r in range(m):
                s += maps[t, r] * frame[r, c]
            for r in range(m - 1):
                moved[r, c] = frame[r + 1, c]
            moved[m - 1, c] = s
        for c in range(m):
            for b in range(c):
                s = 0.0
                for r in range(m):
                    s += frame[r, b] * moved[r, c]
                for r in range(m):
                    moved[r, c] -= s * frame[r, b]
            s = 0.0
            for r in range(m):
                s += moved[r, c] * moved[r, c]
            s = max(np.sqrt(s), 1e-300)
            growth[t, c] = np.log(s)
            for r in range(m):
                frame[r, c] = moved[r, c] / s
    return growth
