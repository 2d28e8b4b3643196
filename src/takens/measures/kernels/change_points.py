"""Optimal partitions of a series from running sums: costs of stretches, PELT, and the largest useful penalty."""

from __future__ import annotations

import numpy as np
from numba import njit

MEAN, VARIANCE, BOTH, AUTOREGRESSION = 0, 1, 2, 3
FLOOR = 1e-8
"""Least variance of a stretch, in units of the noise: ties must not make a stretch infinitely likely."""


@njit(cache=True, nogil=True, error_model="numpy")
def running_sums(z):  # type: ignore[no-untyped-def]
    """Sums `(time + 1, channel, 5)` of z, z^2, the value before, its square and the product, for `z (time, channel)`.

    The first value has none before it and counts as its own.
    """
    n, channels = z.shape
    out = np.zeros((n + 1, channels, 5))
    for t in range(n):
        for c in range(channels):
            value, before = z[t, c], z[max(t - 1, 0), c]
            out[t + 1, c, 0] = out[t, c, 0] + value
            out[t + 1, c, 1] = out[t, c, 1] + value * value
            out[t + 1, c, 2] = out[t, c, 2] + before
            out[t + 1, c, 3] = out[t, c, 3] + before * before
            out[t + 1, c, 4] = out[t, c, 4] + value * before
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def stretch_cost(sums, start, stop, model):  # type: ignore[no-untyped-def]
    """Twice the negative log likelihood of samples start..stop-1, apart from constants, summed over channels."""
    n = stop - start
    total = 0.0
    for c in range(sums.shape[1]):
        s = sums[stop, c, 0] - sums[start, c, 0]
        square = sums[stop, c, 1] - sums[start, c, 1]
        around = max(square - s * s / n, 0.0)
        if model == MEAN:
            total += around
        elif model == VARIANCE:
            total += n * np.log(max(square / n, FLOOR))
        elif model == BOTH:
            total += n * np.log(max(around / n, FLOOR))
        else:
            p = sums[stop, c, 2] - sums[start, c, 2]
            spread = sums[stop, c, 3] - sums[start, c, 3] - p * p / n
            product = sums[stop, c, 4] - sums[start, c, 4] - s * p / n
            left = around - (product * product / spread if spread > 0 else 0.0)
            total += n * np.log(max(left / n, FLOOR))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def pelt(sums, grid, penalty, least, model):  # type: ignore[no-untyped-def]
    """Indices into `grid` of the changes of the best partition: sum of costs plus `penalty` a change.

    `grid` holds the allowed boundaries, first 0 and last N; stretches have at least `least` samples. Killick, Fearnhead
    and Eckley (2012): starts that can no longer win are dropped, so that the result is exact.
    """
    size = len(grid)
    best = np.full(size, np.inf)
    last = np.zeros(size, np.int64)
    best[0] = -penalty
    candidates = np.empty(size, np.int64)
    costs = np.empty(size)
    count, entered = 0, 0
    for j in range(1, size):
        while entered < j and grid[j] - grid[entered] >= least:
            candidates[count] = entered
            count += 1
            entered += 1
        for c in range(count):
            i = candidates[c]
            costs[c] = best[i] + stretch_cost(sums, grid[i], grid[j], model)
            if costs[c] + penalty < best[j]:
                best[j] = costs[c] + penalty
                last[j] = i
        kept = 0
        for c in range(count):
            # A start may go only once every later end can be reached from j itself.
            if costs[c] <= best[j] or not np.isfinite(best[j]):
                candidates[kept] = candidates[c]
                kept += 1
        if grid[j] + least <= grid[size - 1]:
            count = kept
    changes = np.empty(size, np.int64)
    found, j = 0, size - 1
    while last[j] > 0:
        j = last[j]
        changes[found] = j
        found += 1
    return changes[:found][::-1].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def partition_cost(sums, bounds, model):  # type: ignore[no-untyped-def]
    """The cost of the stretches between `bounds`, first 0 and last N."""
    total = 0.0
    for i in range(len(bounds) - 1):
        total += stretch_cost(sums, bounds[i], bounds[i + 1], model)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def best_split(sums, start, stop, least, step, model):  # type: ignore[no-untyped-def]
    """The boundary between `start` and `stop`, in steps of `step`, that lowers the cost most; and that gain."""
    whole = stretch_cost(sums, start, stop, model)
    where, gain = -1, -np.inf
    for t in range(start + least, stop - least + 1, step):
        here = whole - stretch_cost(sums, start, t, model) - stretch_cost(sums, t, stop, model)
        if here > gain:
            where, gain = t, here
    return where, gain


@njit(cache=True, nogil=True, error_model="numpy")
def largest_penalty(sums, grid, least, model):  # type: ignore[no-untyped-def]
    """The penalty above which the best partition on `grid` has no change: the largest gain a change of any partition.

    Dinkelbach's iteration: a partition found at one penalty with a larger gain a change raises it, until none is found.
    """
    n = grid[-1]
    whole = stretch_cost(sums, 0, n, model)
    penalty = 0.0
    for t in grid:
        if t >= least and n - t >= least:
            gain = whole - stretch_cost(sums, 0, t, model) - stretch_cost(sums, t, n, model)
            penalty = max(penalty, gain)
    for _ in range(20):
        changes = pelt(sums, grid, penalty * (1 + 1e-9) + 1e-12, least, model)
        if len(changes) == 0:
            break
        bounds = np.empty(len(changes) + 2, np.int64)
        bounds[0], bounds[-1] = 0, n
        bounds[1:-1] = grid[changes]
        penalty = max(penalty, (whole - partition_cost(sums, bounds, model)) / len(changes))
    return penalty


@njit(cache=True, nogil=True, error_model="numpy")
def driven(offset, phi, scale, innovations):  # type: ignore[no-untyped-def]
    """y_t = offset_t + phi_t y_{t-1} + scale_t e_t `(time, channel)`, all arguments so; y before is 0."""
    out = np.empty_like(offset)
    for c in range(offset.shape[1]):
        value = 0.0
        for t in range(len(offset)):
            value = offset[t, c] + phi[t, c] * value + scale[t, c] * innovations[t, c]
            out[t, c] = value
    return out
