"""The way back through the filter in machine code: smoothed states, their moments, and the gradient of the likelihood.

r and N are the weighted sum of later innovations and its variance (Durbin & Koopman 2012, section 4.4). While the state
before is diffuse they are series in the inverse of the infinite variance: r = r0 + r1/k, N = N0 + N1/k + N2/k^2. The
gradient is exact: d log L / d Q = 1/2 sum (r r' - N), d log L / d T = sum (r E[a]' - N T P), with the smoothed mean
E[a] and the filtered covariance P of the row before (Koopman & Shephard, Biometrika 79, 1992).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .kernels import dot, far_apart, retreat, reverse_sandwich, times

SETTLED = 1e-10
"""Relative change of N below which it stands still."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def pull(form, gain, z):  # type: ignore[no-untyped-def]
    """`form` becomes L' form L for L = I - gain z'; gives gain' form gain as it was."""
    across = times(form, gain)
    inner = dot(gain, across)
    m = len(z)
    for i in range(m):
        for j in range(m):
            form[i, j] += inner * z[i] * z[j] - z[i] * across[j] - across[i] * z[j]
    return inner


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def twist(form, other, gain, second, z):  # type: ignore[no-untyped-def]
    """Adds L0' form L1 + L1' form L0 to `other`, for L0 = I - gain z' and L1 = - second z'."""
    aside = times(form, second)
    aside = aside - z * dot(gain, aside)
    m = len(z)
    for i in range(m):
        for j in range(m):
            other[i, j] -= aside[i] * z[j] + z[i] * aside[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def undo(innovation, slot, design, by_slot, fuzzy, moving, weight, form, u, d):  # type: ignore[no-untyped-def]
    """Take one row back: `weight (2, m)` and `form (3, m, m)` before its values from those after them.

    `u` gets the smoothed errors over their variance and `d` their variance; `form` is left alone unless `moving`.
    """
    gains, seconds, variances, infinite = by_slot[2], by_slot[3], by_slot[4], by_slot[5]
    for back in range(len(innovation)):
        i = len(innovation) - 1 - back
        u[i] = 0.0
        if moving:
            d[i] = 0.0
        v, gain, z = innovation[i], gains[slot, i], design[i]
        if np.isnan(v):
            continue
        total, endless = variances[slot, i], infinite[slot, i]
        if endless > 0.0:
            second = seconds[slot, i]
            u[i] = -dot(gain, weight[0])
            weight[1] += z * (v / endless - dot(gain, weight[1]) - dot(second, weight[0]))
            weight[0] -= z * dot(gain, weight[0])
            extra = dot(second, times(form[0], second)) - total / endless**2
            once, twice = form[0].copy(), form[1].copy()
            d[i] = pull(form[0], gain, z)
            pull(form[1], gain, z)
            pull(form[2], gain, z)
            twist(once, form[1], gain, second, z)
            twist(twice, form[2], gain, second, z)
            form[1] += np.outer(z, z) / endless
            form[2] += np.outer(z, z) * extra
        elif total > 0.0:
            u[i] = v / total - dot(gain, weight[0])
            weight[0] += z * u[i]
            if moving:
                d[i] = 1.0 / total + pull(form[0], gain, z)
                for j in range(len(z)):
                    for k in range(len(z)):
                        form[0, j, k] += z[j] * z[k] / total
            if fuzzy:
                weight[1] -= z * dot(gain, weight[1])
                pull(form[1], gain, z)
                pull(form[2], gain, z)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def smoothed_state(mean, slot, by_slot, fuzzy, weight):  # type: ignore[no-untyped-def]
    """E[state | all rows] from the filtered mean and the weights that later rows left."""
    out = mean + times(by_slot[0][slot], weight[0])
    return out + times(by_slot[1][slot], weight[1]) if fuzzy else out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def smoothed_spread(slot, by_slot, fuzzy, form):  # type: ignore[no-untyped-def]
    """Cov[state | all rows] from the filtered covariance and the forms that later rows left."""
    p = by_slot[0][slot]
    out = p - p @ form[0] @ p
    if fuzzy:
        q = by_slot[1][slot]
        cross = q @ form[1] @ p
        out = out - cross - cross.T - q @ form[2] @ q
    return 0.5 * (out + out.T)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def gradient(transition, design, filtered, wanted):  # type: ignore[no-untyped-def]
    """Gradients of the log likelihood.

    For noise covariance, the `wanted` entries of the transition, error variances and initial mean; half of
    (r r' - N) for the initial covariance; and `(time, channel)` for a shift of the values.
    """
    starts, columns, entries = transition
    _, innovations, means, slots, by_slot, resolved, _ = filtered
    (n, p), m = innovations.shape, means.shape[1]
    to_noise, to_entries, to_error = np.zeros((m, m)), np.zeros(len(entries)), np.zeros(p)
    shifts, d = np.zeros((n, p)), np.zeros(p)
    weight, form = np.zeros((2, m)), np.zeros((3, m, m))
    before, ahead, work = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
    product, shaped, shown = np.zeros(len(entries)), wanted.any(), np.empty((3, m, m))
    held = False
    for back in range(n):
        t = n - 1 - back
        fuzzy, slot = t < resolved, slots[t]
        if held and (slots[t + 1] != slot or fuzzy):
            held = False
        undo(innovations[t], slot, design, by_slot, fuzzy, not held, weight, form, shifts[t], d)
        for i in range(p):
            if not np.isnan(innovations[t, i]):
                to_error[i] += 0.5 * (shifts[t, i] ** 2 - d[i])
        if t == 0:
            break
        if not held:
            ahead[:] = form[0]
        early = t - 1 < resolved
        for i in range(m):
            for j in range(m):
                to_noise[i, j] += 0.5 * (weight[0, i] * weight[0, j] - ahead[i, j])
        first = weight[0].copy()
        weight[0] = retreat(starts, columns, entries, weight[0])
        if fuzzy:
            weight[1] = retreat(starts, columns, entries, weight[1])
        if shaped:
            state = smoothed_state(means[t - 1], slots[t - 1], by_slot, early, weight)
            if not held or slots[t - 1] != slot:
                shown[:] = form
                shown[0] = ahead
                correct(transition, by_slot, slots[t - 1], early, shown, wanted, product)
            for i in range(m):
                for e in range(starts[i], starts[i + 1]):
                    to_entries[e] += wanted[e] * first[i] * state[columns[e]] - product[e]
        if not held:
            for k in range(3 if fuzzy else 1):
                reverse_sandwich(starts, columns, entries, form[k], work)
            held = slots[t - 1] == slot and not early and not far_apart(form[0], before, SETTLED)
            before[:] = form[0]
    to_start = 0.5 * (np.outer(weight[0], weight[0]) - form[0])
    return to_noise, to_entries, to_error, weight[0].copy(), to_start, shifts


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def correct(transition, by_slot, slot, fuzzy, form, wanted, product):  # type: ignore[no-untyped-def]
    """`product` gets the `wanted` entries of N T P; in the diffuse part of N0 T P* + N1 T P_inf."""
    starts, columns, entries = transition
    m = len(starts) - 1
    row = np.empty(m)
    product[:] = 0.0
    for k in range(2 if fuzzy else 1):
        spread = by_slot[1][slot] if k else by_slot[0][slot]
        for i in range(m):
            if not wanted[starts[i] : starts[i + 1]].any():
                continue
            row[:] = 0.0
            for j in range(m):
                for e in range(starts[j], starts[j + 1]):
                    row[columns[e]] += form[k, i, j] * entries[e]
            for e in range(starts[i], starts[i + 1]):
                if wanted[e]:
                    for j in range(m):
                        product[e] += row[j] * spread[j, columns[e]]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def smooth(transition, design, noise, filtered):  # type: ignore[no-untyped-def]
    """Smoothed means of the states `(time, m)`, variances of the signals `(time, channel)`, and sums of moments.

    The sums are E[a a'] over all rows, E[a_(t+1) a_t'], and E[a a'] over the rows in which a channel is missing
    `(channel, m, m)`; last the covariance of the first row.
    """
    starts, columns, entries = transition
    _, innovations, means, slots, by_slot, resolved, _ = filtered
    (n, p), m = innovations.shape, means.shape[1]
    states, signals = np.empty((n, m)), np.empty((n, p))
    squares, steps, missing = np.zeros((m, m)), np.zeros((m, m)), np.zeros((p, m, m))
    weight, form = np.zeros((2, m)), np.zeros((3, m, m))
    before, work, ahead = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
    u, d, covariance, lagged = np.zeros(p), np.zeros(p), np.zeros((m, m)), np.zeros((m, m))
    dense = np.zeros((m, m))
    for i in range(m):
        for e in range(starts[i], starts[i + 1]):
            dense[i, columns[e]] = entries[e]
    held = False
    for back in range(n):
        t = n - 1 - back
        fuzzy, slot = t < resolved, slots[t]
        if held and (slots[t + 1] != slot or fuzzy):
            held = False
        states[t] = smoothed_state(means[t], slot, by_slot, fuzzy, weight)
        if not held:
            covariance[:] = smoothed_spread(slot, by_slot, fuzzy, form)
            # Cov[a_(t+1), a_t] = (I - P N) T P_t with the predicted P = T P_t T' + Q.
            along = dense @ by_slot[0][slot]
            lagged[:] = along - (along @ dense.T + noise) @ ahead @ along
        squares += covariance + np.outer(states[t], states[t])
        if t < n - 1:
            steps += lagged + np.outer(states[t + 1], states[t])
        for i in range(p):
            signals[t, i] = dot(design[i], times(covariance, design[i]))
            if np.isnan(innovations[t, i]):
                missing[i] += covariance + np.outer(states[t], states[t])
        undo(innovations[t], slot, design, by_slot, fuzzy, not held, weight, form, u, d)
        weight[0] = retreat(starts, columns, entries, weight[0])
        weight[1] = retreat(starts, columns, entries, weight[1])
        if not held and t > 0:
            ahead[:] = form[0]
            for k in range(3 if fuzzy else 1):
                reverse_sandwich(starts, columns, entries, form[k], work)
            # The row before is like this one only if it has the same gains, and if later rows leave it the same.
            held = slots[t - 1] == slot and t - 1 >= resolved and not far_apart(form[0], before, SETTLED)
            if held:
                covariance[:] = smoothed_spread(slot, by_slot, False, form)
                along = dense @ by_slot[0][slot]
                lagged[:] = along - (along @ dense.T + noise) @ ahead @ along
            before[:] = form[0]
    return states, signals, squares, steps, missing, covariance
