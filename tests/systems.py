"""Reference trajectories for tests: classical RK4 and iterated maps, slow and obvious."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache
def lorenz63(length: int, dt: float = 0.02, seed: int = 0, substeps: int = 10) -> Array:
    """Lorenz-63 `(length, 3)` on its attractor (sigma 10, rho 28, beta 8/3); largest exponent 0.9056."""

    def rule(x: Array) -> Array:
        return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])

    return _flow(rule, np.random.default_rng(seed).normal([0, 0, 25], 1.0), length, dt, substeps)


@lru_cache
def roessler(length: int, dt: float = 0.1, seed: int = 0, substeps: int = 5) -> Array:
    """Roessler `(length, 3)` (a 0.2, b 0.2, c 5.7); largest exponent 0.0714, period about 5.9."""

    def rule(x: Array) -> Array:
        return np.array([-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)])

    return _flow(rule, np.random.default_rng(seed).normal([1, 1, 0], 0.1), length, dt, substeps)


def _flow(rule, x: Array, length: int, dt: float, substeps: int) -> Array:  # type: ignore[no-untyped-def]
    h = dt / substeps
    out = np.empty((length, len(x)))
    for i in range(-int(50 / dt), length):
        for _ in range(substeps):
            a = rule(x)
            b = rule(x + h / 2 * a)
            c = rule(x + h / 2 * b)
            d = rule(x + h * c)
            x = x + h / 6 * (a + 2 * b + 2 * c + d)
        if i >= 0:
            out[i] = x
    out.setflags(write=False)
    return out


def henon(length: int, seed: int = 0) -> Array:
    """Henon map `(length, 2)`, a 1.4, b 0.3; largest exponent 0.4192."""
    x, y = 0.1 + 0.05 * np.random.default_rng(seed).random(2)
    out = np.empty((length + 100, 2))
    for i in range(length + 100):
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
        out[i] = x, y
    return out[100:]


def logistic(length: int, r: float = 4.0, seed: int = 0) -> Array:
    """Logistic map `(length,)`; largest exponent ln 2 at r = 4."""
    x = 0.1 + 0.8 * np.random.default_rng(seed).random()
    out = np.empty(length + 100)
    for i in range(length + 100):
        x = r * x * (1 - x)
        out[i] = x
    return out[100:]


def autoregressive(length: int, phi: float = 0.7, seed: int = 0) -> Array:
    """AR(1) `(length,)`: x_t = phi x_(t-1) + e_t, e standard normal."""
    noise = np.random.default_rng(seed).normal(size=length + 200)
    out = np.empty(length + 200)
    x = 0.0
    for i, e in enumerate(noise):
        x = phi * x + e
        out[i] = x
    return out[200:]
