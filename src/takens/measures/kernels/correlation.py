"""Counts of close pairs, compiled: points sorted into strips, each pair met once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def close_pairs(
    points: Floats, strips: Integers, time: Integers, block: Integers, limits: Floats, table: Integers, lowest: int,
    theiler: int, maximum: bool, counts: Integers, each: Integers, logs: Floats,
) -> None:  # fmt: skip
    """Add every pair closer than the last limit to the bin of the first of `limits` that is not below its distance.

    `points (axis, point)` are sorted by strip of the first axis, each as wide as the reach, and within it by the second
    axis (the first where there is one); `strips` holds where each begins and the end. `limits` are distances for the
    maximum norm, else their squares. `table` gives for the leading bits of a number, less `lowest`, the first limit
    that can hold it. Pairs at most `theiler` apart in `time` are left out. Written to: `counts (block, block, limit)`;
    `each (point, limit)` for both points and `logs` (sums of the logarithm of limits' kind) where they have a size.
    """
    axes, n = points.shape
    swept = min(1, axes - 1)
    last = limits[-1]
    reach = last if maximum else np.sqrt(last)
    buffer = np.empty(n)
    bits = buffer.view(np.int64)
    for s in range(len(strips) - 1):
        low = strips[s + 1]
        end = strips[s + 2] if s + 2 < len(strips) else low
        high = low
        run = strips[s]
        for i in range(strips[s], strips[s + 1]):
            here = points[swept, i]
            run = max(run, i + 1)
            while run < strips[s + 1] and points[swept, run] - here <= reach:
                run += 1
            while low < end and here - points[swept, low] > reach:
                low += 1
            high = max(high, low)
            while high < end and points[swept, high] - here <= reach:
                high += 1
            for part in range(2):
                first, stop = (i + 1, run) if part == 0 else (low, high)
                _distances(points, i, first, stop, maximum, buffer)
                for j in range(stop - first):
                    d = buffer[j]
                    if d > last or abs(time[first + j] - time[i]) <= theiler:
                        continue
                    bin = 0
                    if d > limits[0]:
                        bin = table[(bits[j] >> 49) - lowest]
                        while d > limits[bin]:
                            bin += 1
                    counts[block[i], block[first + j], bin] += 1
                    if each.size:
                        each[i, bin] += 1
                        each[first + j, bin] += 1
                    if logs.size and d > 0:
                        logs[block[i], block[first + j], bin] += np.log(d)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _distances(points: Floats, i: int, first: int, stop: int, maximum: bool, out: Floats) -> None:
    """Distances (squares unless `maximum`) of point `i` from points `first` to `stop`."""
    for j in range(stop - first):
        out[j] = 0.0
    for axis in range(len(points)):
        x = points[axis, i]
        row = points[axis, first:stop]
        if maximum:
            for j in range(stop - first):
                out[j] = max(out[j], abs(row[j] - x))
        else:
            for j in range(stop - first):
                out[j] += (row[j] - x) ** 2


def first_limits(limits: Floats) -> tuple[Any, int]:
    """`table` and `lowest` of `close_pairs` for ascending positive `limits`: eight entries an octave."""
    keys = limits.view(np.int64) >> 49
    lowest = int(keys[0])
    starts = (np.arange(lowest, int(keys[-1]) + 1) << 49).view(np.float64)
    return np.searchsorted(limits, starts, side="left").astype(np.int64), lowest
