"""Expectation maximisation for a linear state space model, started from canonical variates of past and future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..base import Array
from .gaussian import LinearGaussian

LEAST = 1e-6
"""Least variance of an error, in units of the channel's variance: below it the likelihood has no bound."""


@dataclass(frozen=True)
class Estimate:
    """A model, the effects `(input, channel)` of the inputs, and the log likelihood before each step of EM."""

    space: LinearGaussian
    effects: Array
    likelihoods: tuple[float, ...] = ()


def begin(pieces: Sequence[Array], inputs: Sequence[Array], states: int) -> Estimate:
    """First guess: the state is what of the last rows best predicts the next ones (Akaike, Technometrics 1975).

    `pieces (time, channel)` without missing values, standardised. Past and future are `k` rows each; the state are the
    leading singular vectors of the regression of the future on the past. Cost O(N (k c)^2).
    """
    known, flat = np.concatenate(inputs), np.concatenate(pieces)
    effects: Array = np.zeros((known.shape[1], flat.shape[1]))
    if len(effects):
        effects = np.asarray(np.linalg.lstsq(known, flat, rcond=None)[0])
    rest = [piece - given @ effects for piece, given in zip(pieces, inputs, strict=True)]
    channels = flat.shape[1]
    longest = max(map(len, pieces))
    k = int(np.clip(-(-2 * states // channels), 2, max(2, longest // 8)))
    past = np.concatenate([_windows(piece[:-k], k) for piece in rest if len(piece) > 2 * k])
    future = np.concatenate([_windows(piece[k:], k) for piece in rest if len(piece) > 2 * k])
    ridge = 1e-6 * len(past) * np.eye(past.shape[1])
    weights = np.linalg.solve(past.T @ past + ridge, past.T @ future)
    predicted = past @ weights
    right = np.linalg.svd(predicted.T @ predicted)[2]
    basis = weights @ right[:states].T
    track = [_windows(piece, k) @ basis for piece in rest if len(piece) > 2 * k]
    scale = np.maximum(np.concatenate(track).std(axis=0), 1e-8)
    track = [one / scale for one in track]
    before, after = (np.concatenate([one[cut] for one in track]) for cut in (slice(None, -1), slice(1, None)))
    transition = np.linalg.lstsq(before, after, rcond=None)[0].T
    noise = np.cov((after - before @ transition.T).T).reshape(states, states) + 1e-6 * np.eye(states)
    now = np.concatenate(track)
    ends = np.concatenate([piece[k - 1 :] for piece in rest if len(piece) > 2 * k])
    design = np.linalg.lstsq(now, ends, rcond=None)[0].T
    error = np.maximum((ends - now @ design.T).var(axis=0), 0.01)
    space = LinearGaussian(tamed(transition), design, noise, error, np.zeros(states), np.eye(states), np.zeros(states))
    return Estimate(space, effects)


def _windows(piece: Array, k: int) -> Array:
    """The rows t, t-1, ..., t-k+1 side by side for each t from k-1 on."""
    return np.concatenate([piece[k - 1 - lag : len(piece) - lag] for lag in range(k)], axis=1)


def tamed(transition: Array) -> Array:
    """The transition shrunk to a spectral radius of at most 1, so that forecasts do not explode."""
    return transition / max(1.0, float(np.abs(np.linalg.eigvals(transition)).max()))


def maximise(
    pieces: Sequence[Array], inputs: Sequence[Array], start: Estimate, iterations: int, tolerance: float = 1e-5
) -> Estimate:
    """EM from `start` until the log likelihood rises by less than `tolerance` a value, or `iterations` steps.

    Each step raises the likelihood (Shumway & Stoffer, J. Time Series Analysis 3, 1982), apart from the bound on the
    errors. Missing values are NaN. Cost of a step: a pass of the filter and the smoother.
    """
    count = sum(int(np.isfinite(piece).sum()) for piece in pieces)
    now, course = start, list(start.likelihoods)
    for _ in range(iterations):
        after, likelihood = improved(pieces, inputs, now)
        course.append(likelihood)
        if len(course) > 1 and course[-1] - course[-2] < tolerance * count:
            break
        now = after
    return replace(now, likelihoods=tuple(course))


def improved(pieces: Sequence[Array], inputs: Sequence[Array], now: Estimate) -> tuple[Estimate, float]:
    """One step of EM, and the log likelihood of what it started from."""
    from .backward import smooth

    space, likelihood = now.space, 0.0
    tracks: list[tuple[Any, ...]] = []
    for piece, given in zip(pieces, inputs, strict=True):
        filtered = space.filtered(piece - given @ now.effects)
        likelihood += float(filtered[0].sum())
        states, _, squares, steps, missing, first = smooth(space.compressed, space.design, space.noise, filtered)
        last = filtered[4][0][filtered[3][-1]] + np.outer(states[-1], states[-1])
        tracks.append((states, squares, steps, missing, first, last))
    before = sum(t[1] - t[5] for t in tracks)
    after = sum(t[1] - t[4] - np.outer(t[0][0], t[0][0]) for t in tracks)
    cross = sum(t[2] for t in tracks)
    transition = np.linalg.solve(before, cross.T).T
    noise = (after - transition @ cross.T) / sum(len(t[0]) - 1 for t in tracks)
    mean = np.mean([t[0][0] for t in tracks], axis=0)
    spread = np.mean([t[4] + np.outer(t[0][0] - mean, t[0][0] - mean) for t in tracks], axis=0)
    design, error, effects = _observation(pieces, inputs, tracks)
    better = replace(
        space, transition=transition, design=design, noise=0.5 * (noise + noise.T), error=error, mean=mean,
        spread=0.5 * (spread + spread.T),
    )  # fmt: skip
    return Estimate(better, effects), likelihood


def _observation(
    pieces: Sequence[Array], inputs: Sequence[Array], tracks: Sequence[tuple[Any, ...]]
) -> tuple[Array, Array, Array]:
    """Design, error variances and effects: each channel regressed on the state and the inputs where it was observed."""
    states, known = np.concatenate([t[0] for t in tracks]), np.concatenate(inputs)
    values = np.concatenate(pieces)
    size, channels, width = states.shape[1], values.shape[1], known.shape[1]
    both = np.concatenate([states, known], axis=1)
    squares = sum(t[1] for t in tracks)
    design, error, effects = np.zeros((channels, size)), np.zeros(channels), np.zeros((width, channels))
    for c in range(channels):
        there = np.isfinite(values[:, c])
        y, features = values[there, c], both[there]
        normal = features.T @ features
        normal[:size, :size] = squares - sum(t[3][c] for t in tracks)
        right = features.T @ y
        found = np.linalg.solve(normal + 1e-12 * np.trace(normal) * np.eye(len(normal)), right)
        design[c], effects[:, c] = found[:size], found[size:]
        error[c] = max((y @ y - 2 * found @ right + found @ normal @ found) / len(y), LEAST)
    return design, error, effects
