"""One model of all channels from one model a channel: their noise is correlated where the data say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base import Array
from .components import stationary
from .gaussian import LinearGaussian

LARGEST = 60
"""Most states of a joint model."""
SHARED = 30
"""Rows in which two channels must both have innovations for their correlation to count."""


def joined(spaces: Sequence[LinearGaussian], pieces: Sequence[Array]) -> tuple[LinearGaussian, ...]:
    """The joint model of all channels, or the models as they are.

    With R the correlation of the standardised innovations, each noise of a channel has correlation R with the same
    noise of the others (a seemingly unrelated time series model, Harvey 1989, section 8.2). The variances stay. The
    joint model is taken where its likelihood is higher by more than its correlations (AIC).
    """
    count, states = len(spaces), sum(len(space.mean) + 1 for space in spaces)
    if count == 1 or states > LARGEST:
        return tuple(spaces)
    correlation = correlations(spaces, pieces)
    if np.allclose(correlation, np.eye(count)):
        return tuple(spaces)
    joint = together(spaces, correlation)
    rows = max(300, int(3e6 / states**2))
    ends = [piece[-rows:] for piece in pieces][-3:]
    apart = sum(s.likelihood(end[:, c : c + 1]) for c, s in enumerate(spaces) for end in ends)
    gain = sum(joint.likelihood(end) for end in ends) - apart
    return (joint,) if gain > count * (count - 1) / 2 else tuple(spaces)


def correlations(spaces: Sequence[LinearGaussian], pieces: Sequence[Array]) -> Array:
    """Correlation of the standardised innovations of the channels `(channel, channel)`; 0 where too few are shared."""
    found = np.concatenate([
        np.concatenate([s.innovations(piece[:, c : c + 1]) for c, s in enumerate(spaces)], axis=1) for piece in pieces
    ])  # fmt: skip
    count = len(spaces)
    out = np.eye(count)
    for i in range(count):
        for j in range(i):
            both = found[np.isfinite(found[:, i]) & np.isfinite(found[:, j])][:, [i, j]]
            if len(both) >= SHARED and (both.std(axis=0) > 0).all():
                out[i, j] = out[j, i] = np.corrcoef(both.T)[0, 1]
    values, vectors = np.linalg.eigh(out)
    # Correlations of pairs need not fit together; and perfect ones would let one channel replace another.
    mended = vectors * np.maximum(values, 0.01) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return mended / scale[:, None] / scale


def together(spaces: Sequence[LinearGaussian], correlation: Array) -> LinearGaussian:
    """The joint model: states of all channels, then their errors, which are states because they are correlated.

    The models have the same components, and their noise is diagonal.
    """
    size, count = len(spaces[0].mean), len(spaces)
    transition = np.zeros((count * (size + 1),) * 2)
    noise, spread = np.zeros_like(transition), np.zeros_like(transition)
    design = np.zeros((count, len(transition)))
    spans = [slice(c * size, (c + 1) * size) for c in range(count)]
    for c, one in enumerate(spaces):
        transition[spans[c], spans[c]] = one.transition
        design[c, spans[c]] = one.design[0]
        design[c, count * size + c] = 1.0
        for d, other in enumerate(spaces):
            noise[spans[c], spans[d]] = correlation[c, d] * np.sqrt(one.noise * other.noise)
    errors = np.sqrt([space.error[0] for space in spaces])
    last = slice(count * size, None)
    noise[last, last] = spread[last, last] = correlation * np.outer(errors, errors)
    diffuse = np.concatenate([*(space.diffuse for space in spaces), np.zeros(count)])
    steady = np.flatnonzero(diffuse[: count * size] == 0)
    if len(steady):
        inner = np.ix_(steady, steady)
        spread[inner] = stationary(transition[inner], noise[inner])
    mean = np.zeros(len(transition))
    return LinearGaussian(transition, design, noise, np.zeros(count), mean, spread, diffuse)
