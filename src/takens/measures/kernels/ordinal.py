"""Kernels of ordinal patterns: codes, ties, weights and tables of blocks, all in one pass over the samples."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.uint16]

STRIP = 1024
"""Patterns coded at a time: their codes stay in the first-level cache while every pair of entries is compared."""


@njit(cache=True, nogil=True, error_model="numpy")
def lehmer_codes(x: Array, order: int, delay: int, factors: NDArray[np.int64]) -> tuple[Codes, int]:  # pragma: no cover
    """Codes `(time - (order - 1) delay,)`, and how many patterns hold equal values.

    Entry i of a pattern adds `factors[i]` for every later entry that is smaller: factorials give the Lehmer code, ones
    the number of inversions. Whole strips are compared pair by pair, which the compiler turns into vector operations.
    """
    length = len(x) - (order - 1) * delay
    code = np.empty(length, dtype=np.uint16)  # two bytes: fresh memory costs more than the comparisons
    part = np.empty(STRIP, dtype=np.int64)
    equal = np.empty(STRIP, dtype=np.int64)
    tied = 0
    for start in range(0, length, STRIP):
        size = min(STRIP, length - start)
        part[:] = 0
        equal[:] = 0
        for i in range(order - 1):
            first = x[start + i * delay : start + i * delay + size]
            factor = factors[i]
            for j in range(i + 1, order):
                second = x[start + j * delay : start + j * delay + size]
                for t in range(size):
                    part[t] += factor if second[t] < first[t] else 0
                    equal[t] |= 1 if second[t] == first[t] else 0
        for t in range(size):
            tied += equal[t]
            code[start + t] = part[t]
    return code, tied


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
