"""The Kalman filter in machine code: exact diffuse start, one channel at a time, gains held once they stand still.

The transition T comes as compressed rows (`starts`, `columns`, `entries`), since structural models have a nonzero or
two a row. Channels are taken one after the other (their errors are independent), so that missing values are only left
out. Covariances are updated in Joseph's form. Notation and formulas: Durbin & Koopman, Time Series Analysis by State
Space Methods, 2012, chapters 4 to 6; the diffuse start is the limit of an infinite initial variance.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NOTHING = 1e-13
"""Predicted variance, in standardised units, below which a value tells nothing."""
UNKNOWN = 1e-8
"""Predicted diffuse variance below which a value says nothing about what is still unknown."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def dot(a, b):  # type: ignore[no-untyped-def]
    """The scalar product; for a few numbers a call of the linear algebra library costs more than the sum."""
    out = 0.0
    for i in range(len(a)):
        out += a[i] * b[i]
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def times(matrix, x):  # type: ignore[no-untyped-def]
    """The product of a matrix with a vector."""
    out = np.empty(matrix.shape[0])
    for i in range(matrix.shape[0]):
        out[i] = dot(matrix[i], x)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def sandwich(starts, columns, entries, inner, work):  # type: ignore[no-untyped-def]
    """`inner` becomes T inner T'; `work` is scratch of the same shape."""
    m = inner.shape[0]
    work[:] = 0.0
    for i in range(m):
        for e in range(starts[i], starts[i + 1]):
            for k in range(m):
                work[i, k] += entries[e] * inner[columns[e], k]
    inner[:] = 0.0
    for i in range(m):
        for e in range(starts[i], starts[i + 1]):
            for k in range(m):
                inner[k, i] += entries[e] * work[k, columns[e]]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def reverse_sandwich(starts, columns, entries, inner, work):  # type: ignore[no-untyped-def]
    """`inner` becomes T' inner T; `work` is scratch of the same shape."""
    m = inner.shape[0]
    work[:] = 0.0
    for i in range(m):
        for e in range(starts[i], starts[i + 1]):
            for k in range(m):
                work[columns[e], k] += entries[e] * inner[i, k]
    inner[:] = 0.0
    for i in range(m):
        for e in range(starts[i], starts[i + 1]):
            for k in range(m):
                inner[k, columns[e]] += entries[e] * work[k, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def absorb(spread, z, error, gain):  # type: ignore[no-untyped-def]
    """One value with design `z` and error variance: `spread` becomes (I - K z) P (I - K z)' + K h K'; gives F, K."""
    m = len(z)
    cross = times(spread, z)
    variance = dot(z, cross) + error
    if variance <= NOTHING:
        gain[:] = 0.0
        return 0.0
    gain[:] = cross / variance
    for i in range(m):
        for j in range(m):
            spread[i, j] -= gain[i] * cross[j]
    left = times(spread, z)
    for i in range(m):
        for j in range(m):
            spread[i, j] += (error * gain[i] - left[i]) * gain[j]
    for i in range(m):
        for j in range(i):
            middle = 0.5 * (spread[i, j] + spread[j, i])
            spread[i, j] = middle
            spread[j, i] = middle
    return variance


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def absorb_diffuse(spread, diffuse, z, error, gain, second):  # type: ignore[no-untyped-def]
    """The same in the limit of an infinite variance `diffuse` beside the finite `spread`.

    Gives (diffuse variance or 0, finite variance) of the predicted value; `gain` and `second` are the terms of order 0
    and 1 of the gain in the inverse of the infinite variance.
    """
    m = len(z)
    endless, finite = times(diffuse, z), times(spread, z)
    infinite, variance = dot(z, endless), dot(z, finite) + error
    if infinite <= UNKNOWN:
        second[:] = 0.0
        return 0.0, absorb(spread, z, error, gain)
    gain[:] = endless / infinite
    second[:] = finite / infinite - endless * (variance / infinite**2)
    for i in range(m):
        for j in range(m):
            spread[i, j] += gain[i] * gain[j] * variance - finite[i] * gain[j] - gain[i] * finite[j]
            diffuse[i, j] -= gain[i] * endless[j]
    return infinite, variance


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def absorb_row(y, design, error, spread, diffuse, rank, gains, seconds, variances, infinite):  # type: ignore[no-untyped-def]
    """The values of a row; the last four get what `absorb_diffuse` finds. Gives the rank that is left."""
    for i in range(len(y)):
        if np.isnan(y[i]):
            continue
        if rank > 0:
            found = absorb_diffuse(spread, diffuse, design[i], error[i], gains[i], seconds[i])
            infinite[i], variances[i] = found
            rank -= found[0] > 0.0
            if rank == 0:
                diffuse[:] = 0.0
        else:
            variances[i] = absorb(spread, design[i], error[i], gains[i])
    return rank


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def advance(starts, columns, entries, x):  # type: ignore[no-untyped-def]
    """T x."""
    out = np.zeros(len(x))
    for i in range(len(x)):
        for e in range(starts[i], starts[i + 1]):
            out[i] += entries[e] * x[columns[e]]
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def retreat(starts, columns, entries, x):  # type: ignore[no-untyped-def]
    """T' x."""
    out = np.zeros(len(x))
    for i in range(len(x)):
        for e in range(starts[i], starts[i + 1]):
            out[columns[e]] += entries[e] * x[i]
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def far_apart(a, b, tolerance):  # type: ignore[no-untyped-def]
    """Whether two matrices differ by more than `tolerance` of the largest entry."""
    largest, difference = 0.0, 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            largest = max(largest, abs(b[i, j]))
            difference = max(difference, abs(a[i, j] - b[i, j]))
    return difference > tolerance * largest


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def forward(y, starts, columns, entries, design, noise, error, mean, spread, diffuse, unknown, tolerance):  # type: ignore[no-untyped-def]
    """The filter over `y (time, channel)` with NaN where a value is missing.

    `mean`, `spread` and `diffuse` describe the state before the first row, `unknown` is the rank of `diffuse`. Rows
    share a slot of gains and covariances while these stand still to within `tolerance`. Gives, after each row: log
    likelihood, innovations and means, then slots of each row, and by slot: covariances (finite, diffuse), gains of
    order 0 and 1, variances (finite, diffuse) of the predicted values; last the number of rows that began with a
    diffuse state and the rank that is left after the last.
    """
    n, p = y.shape
    m = len(mean)
    likelihood, innovations, means = np.zeros(n), np.full((n, p), np.nan), np.empty((n, m))
    slots = np.zeros(n, np.int64)
    # Memory that is never written to costs nothing: long series without gaps use a few slots.
    spreads, vague = np.empty((n, m, m)), np.empty((n if unknown > 0 else 0, m, m))
    gains, seconds = np.zeros((n, p, m)), np.zeros((n if unknown > 0 else 0, p, m))
    variances, infinite = np.zeros((n, p)), np.zeros((n, p))
    mean, spread, diffuse = mean.copy(), spread.copy(), diffuse.copy()
    before, work, unused = np.empty((m, m)), np.empty((m, m)), np.zeros((p, m))
    slot, steady, resolved = -1, False, 0
    for t in range(n):
        full = True
        for i in range(p):
            full = full and not np.isnan(y[t, i])
        if not (steady and full):
            slot += 1
            before[:] = spread
            fuzzy = unknown > 0
            second = seconds[slot] if fuzzy else unused
            unknown = absorb_row(
                y[t], design, error, spread, diffuse, unknown, gains[slot], second, variances[slot], infinite[slot]
            )
            spreads[slot] = spread
            if fuzzy:
                vague[slot] = diffuse
                sandwich(starts, columns, entries, diffuse, work)
            sandwich(starts, columns, entries, spread, work)
            spread += noise
            steady = full and not fuzzy and not far_apart(spread, before, tolerance)
            resolved += fuzzy
        slots[t] = slot
        for i in range(p):
            if not np.isnan(y[t, i]):
                v = y[t, i] - dot(design[i], mean)
                innovations[t, i] = v
                if infinite[slot, i] > 0.0:
                    likelihood[t] -= 0.5 * (np.log(2 * np.pi) + np.log(infinite[slot, i]))
                elif variances[slot, i] > 0.0:
                    f = variances[slot, i]
                    likelihood[t] -= 0.5 * (np.log(2 * np.pi * f) + v * v / f)
                mean += gains[slot, i] * v
        means[t] = mean
        mean = advance(starts, columns, entries, mean)
    by_slot = (spreads, vague, gains, seconds, variances, infinite)
    return likelihood, innovations, means, slots, by_slot, resolved, unknown
