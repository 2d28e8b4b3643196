"""Kernels of ordinal patterns: codes, ties, weights and tables of blocks, all in one pass over the samples."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.uint16]

STRIP = 1024
"""Patterns coded at a time, at least: their comparisons stay in the cache until they are added up."""


@njit(cache=True, nogil=True, error_model="numpy")
def lehmer_codes(x: Array, order: int, delay: int, factors: NDArray[np.int64]) -> tuple[Codes, int]:  # pragma: no cover
    """Codes `(time - (order - 1) delay,)`, and how many patterns hold equal values.

    Entry i of a pattern adds `factors[i]` for every later entry that is smaller: factorials give the Lehmer code, ones
    the number of inversions. Neighbouring patterns share their comparisons: each value is compared once with each of
    the order - 1 that follow it, and the running sums serve every pattern that it is in.
    """
    length = len(x) - (order - 1) * delay
    code = np.empty(length, dtype=np.uint16)  # two bytes: fresh memory costs more than the comparisons
    strip = max(STRIP, 4 * order * delay)
    smaller = np.empty(strip + order * delay, dtype=np.uint16)
    same = 0
    for start in range(0, length, strip):
        size = min(strip, length - start)
        part = code[start : start + size]
        part[:] = 0
        smaller[:] = 0
        for later in range(1, order):
            # Of the `later` values that follow each, how many are smaller; entry order - 1 - later needs just these.
            reach = size + (order - 1 - later) * delay
            first = x[start : start + reach]
            second = x[start + later * delay : start + later * delay + reach]
            for s in range(reach):
                smaller[s] += np.uint16(second[s] < first[s])
                same += second[s] == first[s]
            entry = order - 1 - later
            factor = np.uint16(factors[entry])
            counted = smaller[entry * delay : entry * delay + size]
            for t in range(size):
                part[t] += factor * counted[t]
    return code, _tied(x, order, delay) if same else 0


@njit(cache=True, nogil=True, error_model="numpy")
def _tied(x: Array, order: int, delay: int) -> int:  # pragma: no cover
    """How many patterns hold equal values."""
    tied = 0
    for t in range(len(x) - (order - 1) * delay):
        found = False
        for i in range(order - 1):
            for j in range(i + 1, order):
                found |= x[t + j * delay] == x[t + i * delay]
        tied += found
    return tied


@njit(cache=True, nogil=True, error_model="numpy")
def block_counts(code: Codes, size: int, blocks: int) -> Array:  # pragma: no cover
    """How often each code occurs in each of `blocks` equal parts: `(blocks, size)`."""
    table = np.zeros((blocks, size))
    n = len(code)
    # Four rows of counters in turn: runs of one pattern would otherwise wait for the counter they have just written.
    lanes = np.zeros((4, size), dtype=np.int64)
    first, second, third, fourth = lanes[0], lanes[1], lanes[2], lanes[3]
    for b in range(blocks):
        lanes[:] = 0
        part = code[b * n // blocks : (b + 1) * n // blocks]
        quarters = len(part) // 4
        for t in range(quarters):
            first[np.uint64(part[4 * t])] += 1  # unsigned: no check for counting from the end
            second[np.uint64(part[4 * t + 1])] += 1
            third[np.uint64(part[4 * t + 2])] += 1
            fourth[np.uint64(part[4 * t + 3])] += 1
        for t in range(4 * quarters, len(part)):
            first[np.uint64(part[t])] += 1
        for k in range(size):
            table[b, k] = first[k] + second[k] + third[k] + fourth[k]
    return table


@njit(cache=True, nogil=True, error_model="numpy")
def block_weights(code: Codes, weight: Array, size: int, blocks: int) -> Array:  # pragma: no cover
    """The sum of the weights of each code in each of `blocks` equal parts: `(blocks, size)`."""
    table = np.zeros((blocks, size))
    n = len(code)
    for b in range(blocks):
        for t in range(b * n // blocks, (b + 1) * n // blocks):
            table[b, code[t]] += weight[t]
    return table
