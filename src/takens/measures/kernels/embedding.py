"""Kernels of state-space reconstruction: joint counts of a channel and its past, neighbours of delay vectors."""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

from .recurrence import WORD, within


@njit(cache=True, nogil=True, error_model="numpy")
def joint_counts(codes, lags, bins, blocks):
    """Joint counts `(lag, block, bins, bins)` of `codes (time,)` and those `lags` later, in stretches of time."""
    table = np.zeros((len(lags), blocks, bins * bins), np.int64)
    # Two tables in turn: neighbours in time often fall into one cell, whose count would be waited for. Unsigned, as
    # signed numbers would be tested for being negative.
    odd = np.zeros(bins * bins, np.int64)
    column = codes.astype(np.uint32)
    row = column * np.uint32(bins)
    for at in range(len(lags)):
        lag = lags[at]
        pairs = len(codes) - lag
        for block in range(blocks):
            even = table[at, block]
            begin, end = block * pairs // blocks, (block + 1) * pairs // blocks
            first, second = row[begin:end], column[begin + lag : end + lag]
            for t in range(len(first) // 2):
                even[first[2 * t] + second[2 * t]] += 1
                odd[first[2 * t + 1] + second[2 * t + 1]] += 1
            if (end - begin) % 2:
                even[first[end - begin - 1] + second[end - begin - 1]] += 1
            for cell in range(bins * bins):
                even[cell] += odd[cell]
                odd[cell] = 0
    return table.reshape(len(lags), blocks, bins, bins)


@njit(cache=True, nogil=True, error_model="numpy")
def _distance(x, i, j, offsets, euclidean):
    apart = 0.0
    for k in range(len(offsets)):
        gap = abs(x[i + offsets[k]] - x[j + offsets[k]])
        apart = apart + gap * gap if euclidean else max(apart, gap)
    return np.sqrt(apart) if euclidean else apart


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_delayed(x, order, rank, columns, own, guess, offsets, count, theiler, euclidean, least):
    """Nearest delay vector further than `least` from each of `own`, its distance, and how many lie no further.

    Coordinate k of vector i is `x[i + offsets[k]]`; the first `count` are vectors, and those within `theiler` do not
    count. `columns` holds the k-th coordinates `(k, words * 64)` in the `order` of the first ones, NaN where there is
    none. 64 points at a time are compared with the best distance so far, coordinate by coordinate, outward from the
    point itself until the first coordinates alone are further apart. `guess` names a near vector of each, or -1.
    """
    words = columns.shape[1] // WORD
    m, head, tail = len(offsets), offsets[0], offsets[-1]
    distance, index = np.full(len(own), np.inf), np.full(len(own), -1, np.int64)
    same = np.zeros(len(own), np.int64)
    for q in range(len(own)):
        i, j = own[q], guess[q]
        best, at, zeros = np.inf, -1, 0
        if 0 <= j < count and abs(i - j) > theiler:
            apart = _distance(x, i, j, offsets, euclidean)
            if apart > least:
                best, at = apart, j
        left, right = rank[i] // WORD, rank[i] // WORD + 1
        while True:
            # The words end with the largest and begin with the smallest first coordinate.
            below = max(x[i + head] - columns[0, left * WORD + WORD - 1], 0.0) if left >= 0 else np.inf
            above = columns[0, right * WORD] - x[i + head] if right < words else np.inf
            if left >= 0 and not below > above:
                gap, w, left = below, left, left - 1
            elif right < words:
                gap, w, right = above, right, right + 1
            else:
                break
            if gap > best:
                break
            begin = w * WORD
            bits = within(x[i + tail], columns[m - 1, begin : begin + WORD], best)
            for k in range(m - 1):
                if bits == 0:
                    break
                bits &= within(x[i + offsets[k]], columns[k, begin : begin + WORD], best)
            while bits != 0:
                j = order[begin + np.int64(trailing_zeros(bits))]  # type: ignore[call-arg]
                bits &= bits - np.uint64(1)
                if j >= count or abs(i - j) <= theiler:
                    continue
                apart = _distance(x, i, j, offsets, euclidean)
                if apart <= least:
                    zeros += 1
                elif apart < best:
                    best, at = apart, j
        distance[q], index[q], same[q] = best, at, zeros
    return distance, index, same
