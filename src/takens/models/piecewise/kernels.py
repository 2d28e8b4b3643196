"""Forced runs of piecewise-linear recurrent networks and their gradient through time, as compiled loops.

Arrays are `(time, batch, unit)` and contiguous, so that each step is one small matrix product, and the gradient of a
weight matrix one large one. Compiled code is kept on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _pulled(prior, forced, strength, state):
    """state = prior, its first units drawn to `forced` by the share `strength`."""
    batch, units = prior.shape
    count = forced.shape[1]
    for b in range(batch):
        for i in range(count):
            state[b, i] = (1.0 - strength) * prior[b, i] + strength * forced[b, i]
        for i in range(count, units):
            state[b, i] = prior[b, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _linear_part(state, decay, bias, signal, drive, prior):
    """prior += decay state + bias + drive signal."""
    batch, units = state.shape
    for b in range(batch):
        for i in range(units):
            prior[b, i] += decay[i] * state[b, i] + bias[i]
        for k in range(signal.shape[1]):
            for i in range(units):
                prior[b, i] += signal[b, k] * drive[i, k]


@njit(cache=True, nogil=True, error_model="numpy")
def _released(pull, decay, adjoint, state, strength, count, before, toward, decays, biases):
    """The slope with respect to the state is given to the prior and, by the share `strength`, to what forced it.

    pull + decay adjoint is the slope with respect to the state; `before` already holds the slope of the loss. The
    slopes by decay and bias are added up in `decays` and `biases (unit,)`.
    """
    batch, units = pull.shape
    for b in range(batch):
        for i in range(units):
            decays[i] += adjoint[b, i] * state[b, i]
            biases[i] += adjoint[b, i]
        for i in range(count):
            slope = pull[b, i] + decay[i] * adjoint[b, i]
            before[b, i] += (1.0 - strength) * slope
            toward[b, i] = strength * slope
        for i in range(count, units):
            before[b, i] += pull[b, i] + decay[i] * adjoint[b, i]


@njit(cache=True, nogil=True, error_model="numpy")
def almost_linear_run(decay, across, bias, drive, relus, forced, strength, signals, priors, states, hidden):
    """priors[t + 1] = decay z + f(z) across + bias + drive s, z = states[t] = priors[t] drawn to forced[t].

    f is the identity on all units but the last `relus`, where it is max(z, 0); hidden[t] = f(z). `priors[0]` is given;
    `across (unit, unit)` is the transposed weight matrix.
    """
    units = len(decay)
    for t in range(len(states)):
        _pulled(priors[t], forced[t], strength[t], states[t])
        for b in range(states.shape[1]):
            for i in range(units - relus):
                hidden[t, b, i] = states[t, b, i]
            for i in range(units - relus, units):
                hidden[t, b, i] = max(states[t, b, i], 0.0)
        np.dot(hidden[t], across, priors[t + 1])
        _linear_part(states[t], decay, bias, signals[t], drive, priors[t + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def almost_linear_back(decay, weights, relus, strength, states, adjoints, toward, decays, biases):
    """Slopes of the loss with respect to the priors, from the last back, and to what forced them (`toward`).

    `adjoints (time + 1, batch, unit)` holds the slopes with respect to the priors alone and becomes the total ones;
    the slopes by decay and bias are added to `decays` and `biases (unit,)`.
    """
    units = len(decay)
    pull = np.empty_like(states[0])
    for t in range(len(states) - 1, -1, -1):
        np.dot(adjoints[t + 1], weights, pull)
        for b in range(states.shape[1]):
            for i in range(units - relus, units):
                if states[t, b, i] <= 0.0:
                    pull[b, i] = 0.0
        _released(
            pull,
            decay,
            adjoints[t + 1],
            states[t],
            strength[t],
            toward.shape[2],
            adjoints[t],
            toward[t],
            decays,
            biases,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def shallow_run(
    decay, outer, inner, bias, thresholds, clipped, drive, forced, strength, signals, priors, states, inputs, hidden
):
    """priors[t + 1] = decay z + hidden[t] outer + bias + drive s, z = states[t] = priors[t] drawn to forced[t].

    hidden[t] = max(z inner + thresholds, 0) and, if `clipped`, less max(z inner, 0). `priors[0]` is given. The matrices
    `outer (hidden, unit)` and `inner (unit, hidden)` are transposed.
    """
    for t in range(len(states)):
        _pulled(priors[t], forced[t], strength[t], states[t])
        np.dot(states[t], inner, inputs[t])
        for b in range(states.shape[1]):
            if clipped:
                for k in range(len(thresholds)):
                    u = inputs[t, b, k]
                    hidden[t, b, k] = max(u + thresholds[k], 0.0) - max(u, 0.0)
            else:
                for k in range(len(thresholds)):
                    hidden[t, b, k] = max(inputs[t, b, k] + thresholds[k], 0.0)
        np.dot(hidden[t], outer, priors[t + 1])
        _linear_part(states[t], decay, bias, signals[t], drive, priors[t + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def shallow_back(
    decay, outer, inner, thresholds, clipped, strength, states, inputs, adjoints, toward, decays, biases, slopes
):
    """As `almost_linear_back`; `outer (unit, hidden)`, `inner (hidden, unit)`.

    `inputs` become the slopes with respect to inner z; those by the thresholds are added to `slopes (hidden,)`.
    """
    pull = np.empty_like(adjoints[0])
    back = np.empty_like(inputs[0])
    for t in range(len(inputs) - 1, -1, -1):
        np.dot(adjoints[t + 1], outer, back)
        for b in range(inputs.shape[1]):
            for k in range(len(thresholds)):
                u = inputs[t, b, k]
                slope = back[b, k] if u + thresholds[k] > 0.0 else 0.0
                slopes[k] += slope
                if clipped and u > 0.0:
                    slope -= back[b, k]
                inputs[t, b, k] = slope
        np.dot(inputs[t], inner, pull)
        _released(
            pull,
            decay,
            adjoints[t + 1],
            states[t],
            strength[t],
            toward.shape[2],
            adjoints[t],
            toward[t],
            decays,
            biases,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def gathered(rows, starts, length):
    """Sequences `(time, batch, channel)` of `length` consecutive rows of `rows (time, channel)`."""
    out = np.empty((length, len(starts), rows.shape[1]))
    for t in range(length):
        for b in range(len(starts)):
            for c in range(rows.shape[1]):
                out[t, b, c] = rows[starts[b] + t, c]
    return out
