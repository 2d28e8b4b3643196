"""Counts of close pairs, compiled: points sorted into strips, or into tiles where most pairs are close."""

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
    x = points[0, i]
    row = points[0, first:stop]
    if maximum:
        for j in range(stop - first):
            out[j] = abs(row[j] - x)
    else:
        for j in range(stop - first):
            out[j] = (row[j] - x) ** 2
    for axis in range(1, len(points)):
        x = points[axis, i]
        row = points[axis, first:stop]
        if maximum:
            for j in range(stop - first):
                out[j] = max(out[j], abs(row[j] - x))
        else:
            for j in range(stop - first):
                out[j] += (row[j] - x) ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def tiled_pairs(
    points: Floats, tiles: Integers, block: Integers, limits: Floats, maximum: bool, counts: Integers
) -> None:
    """Add to `counts (block, block, limit)` the pairs of points at most each of `limits` apart, without histogram.

    `points (axis, point)` lie in `tiles` (where each begins, and the end) of points of one block that are close to one
    another. Boxes around two tiles bound the distances between them, in the same arithmetic and so exactly: limits
    outside the bounds need no distance. Each other limit costs one comparison a pair, eight or so at a time, which is
    a third of what it costs to find the bin of every pair. `limits` as in `close_pairs`.
    """
    axes, number = len(points), len(limits)
    low, high = np.empty((2, len(tiles) - 1, axes))
    longest = 0
    for t in range(len(tiles) - 1):
        longest = max(longest, tiles[t + 1] - tiles[t])
        for axis in range(axes):
            low[t, axis] = points[axis, tiles[t] : tiles[t + 1]].min()
            high[t, axis] = points[axis, tiles[t] : tiles[t + 1]].max()
    buffer = np.empty(longest)
    for p in range(len(low)):
        for q in range(p, len(low)):
            near, far = _bounds(low[p], high[p], low[q], high[q], maximum)
            if near > limits[-1]:
                continue
            first, all = 0, 0
            while limits[first] < near:
                first += 1
            while all < number and limits[all] < far:
                all += 1
            found = counts[block[tiles[p]], block[tiles[q]]]
            for i in range(tiles[p], tiles[p + 1]):
                begin = max(tiles[q], i + 1)
                _count(points, i, begin, tiles[q + 1], limits, first, all, maximum, buffer, 1, found)
                for k in range(all, number):
                    found[k] += tiles[q + 1] - begin


@njit(cache=True, nogil=True, error_model="numpy")
def pairs_in_time(
    points: Floats, theiler: int, edges: Integers, limits: Floats, maximum: bool, counts: Integers
) -> None:  # fmt: skip
    """Take from `counts` of `tiled_pairs` the pairs at most `theiler` apart in time.

    `points (axis, time)` are in the order of time here, and blocks begin at `edges`, which end with the length.
    """
    buffer = np.empty(theiler)
    for a in range(len(edges) - 1):
        for i in range(edges[a], edges[a + 1]):
            for b in range(a, len(edges) - 1):
                first, stop = max(i + 1, edges[b]), min(i + theiler + 1, edges[b + 1])
                if edges[b] > i + theiler:
                    break
                if stop > first:
                    _count(points, i, first, stop, limits, 0, len(limits), maximum, buffer, -1, counts[a, b])


@njit(cache=True, nogil=True, error_model="numpy")
def _count(
    points: Floats, i: int, first: int, stop: int, limits: Floats, low: int, high: int, maximum: bool, buffer: Floats,
    sign: int, found: Integers,
) -> None:  # fmt: skip
    """Add `sign` to `found (limit,)` for each of the points `first` to `stop` within limits `low` to `high` of `i`."""
    size = stop - first
    if high > low:
        _distances(points, i, first, stop, maximum, buffer)
    for k in range(low, high):
        limit, total = limits[k], 0
        for j in range(size):
            total += buffer[j] <= limit
        found[k] += sign * total


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _bounds(low: Floats, high: Floats, other: Floats, top: Floats, maximum: bool) -> tuple[float, float]:
    """Least and largest distance (squares unless `maximum`) of points in boxes `low` to `high`, `other` to `top`."""
    near, far = 0.0, 0.0
    for axis in range(len(low)):
        gap = max(0.0, max(other[axis] - high[axis], low[axis] - top[axis]))
        span = max(top[axis] - low[axis], high[axis] - other[axis])
        if maximum:
            near, far = max(near, gap), max(far, span)
        else:
            near += gap**2
            far += span**2
    return near, far


def first_limits(limits: Floats) -> tuple[Any, int]:
    """`table` and `lowest` of `close_pairs` for ascending positive `limits`: eight entries an octave."""
    keys = limits.view(np.int64) >> 49
    lowest = int(keys[0])
    starts = (np.arange(lowest, int(keys[-1]) + 1) << 49).view(np.float64)
    return np.searchsorted(limits, starts, side="left").astype(np.int64), lowest
