"""Kernels of template entropies: matches of delay vectors by a sorted sweep, fuzzy matches, Lempel-Ziv phrases."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(columns: Array, radius: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    """Matches of each template among the others with all entries but the last, and with all: `(templates,)` each.

    `columns (m + 1, templates)` holds the entries of the templates sorted by their first; two match where every entry
    differs by at most `radius` (maximum norm). Only templates whose first entries are near are compared, in rows of
    consecutive memory, which the compiler turns into vector operations.
    """
    length = columns.shape[0]
    n = columns.shape[1]
    shorter = np.zeros(n, dtype=np.int64)
    longer = np.zeros(n, dtype=np.int64)
    far = np.empty(n)
    first = columns[0]
    last = columns[length - 1]
    end = 0
    for i in range(n):
        end = max(end, i + 1)
        while end < n and first[end] - first[i] <= radius:
            end += 1
        size = end - i - 1
        b = 0
        a = 0
        short = shorter[i + 1 : end]
        long = longer[i + 1 : end]
        tail = last[i + 1 : end]
        own = last[i]
        if length == 3:
            middle = columns[1, i + 1 : end]
            centre = columns[1, i]
            for j in range(size):
                near = 1 if abs(middle[j] - centre) <= radius else 0
                both = near if abs(tail[j] - own) <= radius else 0
                b += near
                a += both
                short[j] += near
                long[j] += both
        else:
            distance = far[:size]
            distance[:] = 0.0
            for k in range(1, length - 1):
                other = columns[k, i + 1 : end]
                centre = columns[k, i]
                for j in range(size):
                    distance[j] = max(distance[j], abs(other[j] - centre))
            for j in range(size):
                near = 1 if distance[j] <= radius else 0
                both = near if abs(tail[j] - own) <= radius else 0
                b += near
                a += both
                short[j] += near
                long[j] += both
        shorter[i] += b
        longer[i] += a
    return shorter, longer


@njit(cache=True, nogil=True, error_model="numpy")
def fuzzy_matches(
    x: Array, dimension: int, delay: int, radius: float, power: float, count: int
) -> Array:  # pragma: no cover
    """Sums `(count,)` of exp(-(d / radius)^power) of each template with all others, d the maximum distance of templates
    whose means were taken away."""
    rows = np.empty((dimension, count))
    for i in range(count):
        mean = 0.0
        for k in range(dimension):
            mean += x[i + k * delay]
        mean /= dimension
        for k in range(dimension):
            rows[k, i] = x[i + k * delay] - mean
    sums = np.zeros(count)
    distance = np.empty(count)
    for i in range(count - 1):
        size = count - i - 1
        far = distance[:size]
        far[:] = 0.0
        for k in range(dimension):
            other = rows[k, i + 1 :]
            centre = rows[k, i]
            for j in range(size):
                far[j] = max(far[j], abs(other[j] - centre))
        own = 0.0
        if power == 2.0:
            for j in range(size):
                scaled = far[j] / radius
                likeness = np.exp(-scaled * scaled)
                own += likeness
                sums[i + 1 + j] += likeness
        else:
            for j in range(size):
                likeness = np.exp(-((far[j] / radius) ** power))
                own += likeness
                sums[i + 1 + j] += likeness
        sums[i] += own
    return sums


@njit(cache=True, nogil=True, error_model="numpy")
def phrases(symbols: NDArray[np.int64], alphabet: int) -> int:  # pragma: no cover
    """The number of phrases of Lempel and Ziv's 1976 parsing: each is the shortest word not found before its end.

    A suffix automaton of what was read answers whether a word occurred before (overlaps allowed) in constant time a
    symbol, so that the whole is linear. A phrase left unfinished at the end counts.
    """
    n = len(symbols)
    link = np.full(2 * n + 2, -1, dtype=np.int64)
    depth = np.zeros(2 * n + 2, dtype=np.int64)
    child = np.full((2 * n + 2, alphabet), -1, dtype=np.int32)
    states, last = 1, 0
    found, state, length = 0, 0, 0
    for t in range(n):
        symbol = symbols[t]
        following = child[state, symbol]
        # Extend the automaton by the symbol.
        new = states
        states += 1
        depth[new] = depth[last] + 1
        p = last
        while p >= 0 and child[p, symbol] < 0:
            child[p, symbol] = new
            p = link[p]
        if p < 0:
            link[new] = 0
        else:
            q = child[p, symbol]
            if depth[p] + 1 == depth[q]:
                link[new] = q
            else:
                clone = states
                states += 1
                depth[clone] = depth[p] + 1
                child[clone] = child[q]
                link[clone] = link[q]
                link[q] = clone
                link[new] = clone
                while p >= 0 and child[p, symbol] == q:
                    child[p, symbol] = clone
                    p = link[p]
        last = new
        if following < 0:
            found += 1
            state, length = 0, 0
        else:
            state = following
            length += 1
            # A state that was just divided may hold longer words only: the word read is then the clone's.
            while depth[link[state]] >= length:
                state = link[state]
    return found + (1 if length > 0 else 0)
