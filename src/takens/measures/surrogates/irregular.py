"""Surrogates of irregularly sampled values: the exact values at the exact times, with the Lomb-Scargle spectrum."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError

Array = NDArray[np.float64]

STUCK, ATTEMPTS = 0.25, 4
"""A surrogate with a larger misfit than this is annealed anew, so many times at most, and the best is kept: strong
lines have arrangements that no single swap improves."""


def lomb_scargle_waves(t: Array, frequency: Array) -> tuple[Array, Array]:
    """Cosines and sines `(time, frequency)` over their norms, orthogonal at the times `t (time,)` for each frequency.

    P(f) = (sum c x)^2 + (sum s x)^2 is then the periodogram of Lomb (1976) and Scargle (1982), twice normalised.
    """
    phase = 2 * np.pi * np.outer(t - t.mean(), frequency)
    phase -= 0.5 * np.arctan2(np.sin(2 * phase).sum(axis=0), np.cos(2 * phase).sum(axis=0))
    cosine, sine = np.cos(phase), np.sin(phase)
    return cosine / np.linalg.norm(cosine, axis=0), sine / np.maximum(np.linalg.norm(sine, axis=0), 1e-12)


def lomb_scargle(
    t: Array, x: Array, count: int, rng: np.random.Generator, *, sweeps: int = 1500, most: int = 1000
) -> tuple[Array, Array]:
    """Surrogates `(count, time)` of values `x (time,)` at irregular times `t (time,)`, and their misfits `(count,)`.

    The values are swapped at random, downhill by simulated annealing, until the Lomb-Scargle periodogram at up to
    `most` frequencies is that of the data (Schmitz and Schreiber, PRE 59, 4044, 1999). They reach from 1/T to N/2T,
    times up to 3 where times cluster (the mean interval over the lower quartile): else nothing would keep close
    samples alike, and a test would reject 13 % at 5 % for times of a Poisson process. The misfit is
    sum |P - P0| / sum P0; below 0.15 is good. Null: linear noise, seen through a monotone function, sampled at
    these times. A swap updates the spectrum in O(frequencies). Raises `SettingError` for times that do not increase or
    fewer than 20 values. Cost: `sweeps` N swaps of O(N) each; 0.2 s a surrogate of 300 values. Not for more
    than some thousand values.
    """
    from ..kernels.surrogates import swap_to_spectrum

    n = len(x)
    if n < 20 or len(t) != n or count < 1 or np.any(np.diff(t) <= 0) or not np.isfinite(x).all():
        raise SettingError("needs 20 finite values or more at increasing times, and a count of at least 1", place="x")
    z = x - x.mean()
    clustering = np.clip((t[-1] - t[0]) / (n - 1) / np.quantile(np.diff(t), 0.25), 1.0, 3.0)
    top = int(clustering * n / 2)
    high = min(top, most)
    frequency = np.arange(1, high + 1) * top / high / (t[-1] - t[0])
    cosine, sine = lomb_scargle_waves(t, frequency)
    goal = (z @ cosine) ** 2 + (z @ sine) ** 2
    out, misfit = np.empty((count, n)), np.empty(count)
    steps = sweeps * n
    misfit[:] = np.inf
    for row, _ in product(range(count), range(ATTEMPTS)):
        if misfit[row] < STUCK:
            continue
        values = rng.permutation(z)
        first = rng.integers(n, size=steps)
        second = (first + rng.integers(1, n, size=steps)) % n
        left = swap_to_spectrum(values, cosine, sine, goal, first, second, rng.random(steps), 0.01, 1e-3 ** (1 / steps))
        if left < misfit[row] * goal.sum():
            out[row], misfit[row] = _with_values(values, x), left / goal.sum()
    return out, misfit


def _with_values(order_of: Array, x: Array) -> Array:
    """The exact values of `x` in the ranks of `order_of`."""
    out = np.empty(len(x))
    out[np.argsort(order_of, kind="stable")] = np.sort(x)
    return out
