"""Loops of surrogates in machine code: ranks of many rows, walks on recurrences, swaps of irregular samples."""

from __future__ import annotations

import numpy as np
from numba import njit

BITS = 11
"""Bits of a digit of the radix sort: its 2048 counters stay in the first-level cache."""


@njit(cache=True, nogil=True, error_model="numpy")
def argsort_rows(x, order, scratch):  # type: ignore[no-untyped-def]
    """Indices `order (row, time)` that sort each of the finite rows `x (row, time)`.

    Two passes of a radix sort (three for long rows) on the place of a value between the smallest and the largest of its
    row, in steps of 2^-22 (2^-32), then insertion for what these steps do not tell apart. A row with much of that, such
    as one with far outliers, is sorted by comparison instead: no row takes quadratic time. `scratch (2, time, 2)` of
    32-bit words is room to work in, kept between calls because fresh memory costs as much as a pass.
    """
    rows, n = x.shape
    passes = 2 if n <= 1 << 18 else 3
    top = 2.0**22 - 1 if passes == 2 else 2.0**32 - 1
    first, second = scratch[0], scratch[1]
    counts = np.empty((3, 1 << BITS), np.int64)
    mask = np.uint32((1 << BITS) - 1)
    for row in range(rows):
        values = x[row]
        low, high = values[0], values[0]
        for i in range(n):
            low, high = min(low, values[i]), max(high, values[i])
        scale = top / (high - low) if high > low else 0.0
        if not 0.0 < scale < np.inf:
            order[row] = np.argsort(values, kind="mergesort")
            continue
        counts[:] = 0
        for i in range(n):
            key = np.uint32(min((values[i] - low) * scale, top))
            first[i, 0], first[i, 1] = key, i
            counts[0, key & mask] += 1
            counts[1, (key >> np.uint32(BITS)) & mask] += 1
            counts[2, key >> np.uint32(2 * BITS)] += 1
        source, target = first, second
        for digit in range(passes):
            total = 0
            for value in range(1 << BITS):
                here = counts[digit, value]
                counts[digit, value] = total
                total += here
            shift = np.uint32(BITS * digit)
            for i in range(n):
                key = source[i, 0]
                value = (key >> shift) & mask
                place = counts[digit, value]
                counts[digit, value] = place + 1
                target[place, 0], target[place, 1] = key, source[i, 1]
            source, target = target, source
        if not _inserted(values, source, order[row]):
            order[row] = np.argsort(values, kind="mergesort")


@njit(cache=True, nogil=True, error_model="numpy")
def _inserted(values, source, order):  # type: ignore[no-untyped-def]
    """Put the nearly sorted indices `source[:, 1]` in `order (time,)`; False where that takes too many moves."""
    n, moved = len(values), 0
    order[0] = source[0, 1]
    before = values[order[0]]
    for i in range(1, n):
        index = np.int64(source[i, 1])
        value = values[index]
        if value >= before:
            order[i] = index
            before = value
            continue
        j = i - 1
        while j >= 0 and values[order[j]] > value:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = index
        moved += i - 1 - j
        if moved > 4 * n:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def impose_amplitude(spectrum, amplitude):  # type: ignore[no-untyped-def]
    """Scale each of `spectrum (row, frequency)` to `amplitude (frequency,)`, phases kept; in place."""
    for row in range(spectrum.shape[0]):
        for k in range(spectrum.shape[1]):
            value = spectrum[row, k]
            size = value.real * value.real + value.imag * value.imag
            spectrum[row, k] = value * (amplitude[k] / np.sqrt(size)) if size > 0 else amplitude[k]


@njit(cache=True, nogil=True, error_model="numpy")
def impose_values(order, values, current):  # type: ignore[no-untyped-def]
    """Give each row of `current (row, time)` the sorted `values (time,)` in the `order (row, time)` of its ranks."""
    for row in range(order.shape[0]):
        for rank in range(order.shape[1]):
            current[row, order[row, rank]] = values[rank]


@njit(cache=True, nogil=True, error_model="numpy")
def local_prediction(x, embedding_dimension, delay, horizon, k, own):  # type: ignore[no-untyped-def]
    """Mean squared error `(row,)` of predicting the value `horizon` after delay vectors `own` of each row of `x`.

    The mean of what followed the `k` nearest delay vectors, outside a Theiler window of one embedding window plus the
    horizon; every pair is compared.
    """
    rows, n = x.shape
    span = (embedding_dimension - 1) * delay
    count = n - span - horizon
    theiler = span + horizon
    out, squares = np.empty(rows), np.empty(count)
    distance, follower = np.empty(k), np.empty(k)
    for row in range(rows):
        values, ahead = x[row], x[row, span + horizon :]
        total, seen = 0.0, 0
        for i in own:
            squares[:] = 0.0
            for m in range(embedding_dimension):
                # One entry of all vectors at a time: the compiler makes vector operations of it.
                here, part = values[i + m * delay], values[m * delay : m * delay + count]
                for j in range(count):
                    squares[j] += (part[j] - here) * (part[j] - here)
            squares[max(0, i - theiler) : i + theiler + 1] = np.inf
            distance[:] = np.inf
            worst = np.inf
            for j in range(count):
                if squares[j] < worst:
                    place = k - 1
                    while place > 0 and distance[place - 1] > squares[j]:
                        distance[place], follower[place] = distance[place - 1], follower[place - 1]
                        place -= 1
                    distance[place], follower[place] = squares[j], ahead[j]
                    worst = distance[k - 1]
            if worst < np.inf:
                miss = follower.mean() - ahead[i]
                total += miss * miss
                seen += 1
        out[row] = total / seen if seen else np.nan
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def noisy_walk(points, radius, first, uniform, path):  # type: ignore[no-untyped-def]
    """Walk on `points (n, d)`: from each, to the successor of a point drawn with weight exp(-distance / `radius`).

    `path (time,)` receives indices, `uniform (time,)` holds the random numbers. Small et al. (2001).
    """
    n, d = points.shape
    weight = np.empty(n - 1)
    here = first
    for t in range(len(path)):
        path[t] = here
        total = 0.0
        for j in range(n - 1):
            square = 0.0
            for m in range(d):
                step = points[here, m] - points[j, m]
                square += step * step
            total += np.exp(-np.sqrt(square) / radius)
            weight[j] = total
        here = min(np.searchsorted(weight, uniform[t] * total), n - 2) + 1


@njit(cache=True, nogil=True, error_model="numpy")
def recurrence_signatures(points, radius, words):  # type: ignore[no-untyped-def]
    """A 64-bit signature `(n,)` of each column of the recurrence matrix of `points (n, d)` within `radius` (maximum
    norm): equal columns have equal signatures, others with probability 2^-64 (`words (n,)` are random)."""
    n, d = points.shape
    out = np.zeros(n, np.uint64)
    for i in range(n):
        out[i] ^= words[i]
        for j in range(i):
            near = True
            for m in range(d):
                if abs(points[i, m] - points[j, m]) > radius:
                    near = False
                    break
            if near:
                out[i] ^= words[j]
                out[j] ^= words[i]
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def swap_to_spectrum(x, cosine, sine, goal, first, second, uniform, start, cooling):  # type: ignore[no-untyped-def]
    """Anneal `x (time,)` in place by swaps until its Lomb-Scargle spectrum is that of `goal (frequency,)`.

    `cosine` and `sine (time, frequency)` are the orthogonal waves over their norms. A swap changes each sum by one
    term, so a step costs O(frequency) and the spectrum is never computed anew. Steps use `first`, `second` and
    `uniform`; the temperature is `start` times `cooling` to the number of steps. Returns the misfit that is left.
    """
    frequencies = cosine.shape[1]
    c, s = np.zeros(frequencies), np.zeros(frequencies)
    for i in range(len(x)):
        for k in range(frequencies):
            c[k] += cosine[i, k] * x[i]
            s[k] += sine[i, k] * x[i]
    cost = 0.0
    for k in range(frequencies):
        cost += abs(c[k] * c[k] + s[k] * s[k] - goal[k])
    temperature = start * cost
    for t in range(len(first)):
        i, j = first[t], second[t]
        step = x[j] - x[i]
        temperature *= cooling
        if step == 0:
            continue
        limit = cost - temperature * np.log(uniform[t])
        new = 0.0
        for k in range(frequencies):
            a = c[k] + step * (cosine[i, k] - cosine[j, k])
            b = s[k] + step * (sine[i, k] - sine[j, k])
            new += abs(a * a + b * b - goal[k])
        if new < limit:
            for k in range(frequencies):
                c[k] += step * (cosine[i, k] - cosine[j, k])
                s[k] += step * (sine[i, k] - sine[j, k])
            x[i], x[j] = x[j], x[i]
            cost = new
    return cost
