"""HiPPO: how the coefficients of the past in an orthonormal basis move on when time does.

The past of a signal f at time t, seen at an age a >= 0 in units of a window theta, has coefficients
c_n(t) = integral of f(t - theta a) g_n(a) w(a) da in functions g_n that are orthonormal under the weight w. They obey
theta dc/dt = A c + B f(t). Source: Gu, Dao, Ermon, Rudra & Re, NeurIPS 2020 (arXiv 2008.07669); the readings as
time-invariant systems and the Fourier basis: Gu, Johnson, Timalsina, Rudra & Re, ICLR 2023 (arXiv 2206.12037).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ..base import Array

Measure = Literal["legt", "legs", "fout"]
MEASURES: tuple[Measure, ...] = ("legt", "legs", "fout")
"""Translated Legendre (the last window, evenly), Legendre in exp(-age) (older is dimmer), translated Fourier."""


def hippo(measure: Measure, order: int) -> tuple[Array, Array]:
    """A `(order, order)` and B `(order,)` of theta dc/dt = A c + B f for one of `MEASURES`.

    `legs` is exact for every signal; with theta = t, the age of the signal, it is the scaled measure of HiPPO-LegS.
    `legt` and `fout` need f(t - theta), which only the coefficients still know: exact for signals in the span of the
    basis (`fout`: for those with period theta). Raises `SettingError` for an unknown measure, an order below 1, or an
    even order of `fout`, which holds a constant and pairs of cosine and sine.
    """
    _check(measure, order)
    now = basis(measure, order, np.zeros(1))[0]
    if measure == "fout":
        # The Fourier sum at a jump is the mean of both sides: f(t - theta) = 2 g.c - f(t).
        turn = np.zeros((order, order))
        pair = np.arange(1, order, 2)
        turn[pair, pair + 1] = -np.pi * (pair + 1)
        turn[pair + 1, pair] = np.pi * (pair + 1)
        return turn - 2 * np.outer(now, now), 2 * now
    n, k = np.ogrid[:order, :order]
    if measure == "legt":
        return -np.outer(now, now) * np.where(n >= k, 1.0, (-1.0) ** (n - k)), now
    return -np.where(n > k, np.outer(now, now), np.where(n == k, n + 1.0, 0.0)), now


def basis(measure: Measure, order: int, age: Array) -> Array:
    """g_n(a) as `(age, order)` at ages in windows; 0 is now and negative ages are in the future."""
    _check(measure, order)
    if measure == "fout":
        turns = 2 * np.pi * age[:, None] * np.arange(1, (order + 1) // 2)
        waves = np.stack([np.cos(turns), np.sin(turns)], axis=2).reshape(len(age), order - 1)
        return np.concatenate([np.ones((len(age), 1)), np.sqrt(2) * waves], axis=1)
    position = 1 - 2 * age if measure == "legt" else 2 * np.exp(-age) - 1
    return np.polynomial.legendre.legvander(position, order - 1) * np.sqrt(2 * np.arange(order) + 1)


def held(a: Array, b: Array, step: float) -> tuple[Array, Array, Array]:
    """The exact recurrence c_(k+1) = T c_k + u f_k + v f_(k+1) of dc/dt = A c + B f for f linear between samples.

    `step` is the sampling interval in windows. One matrix exponential of the system with f and its slope appended.
    """
    from scipy.linalg import expm

    order = len(a)
    extended = np.zeros((order + 2, order + 2))
    extended[:order, :order], extended[:order, order] = a * step, b * step
    extended[order, order + 1] = 1.0
    flow = expm(extended)
    slope = flow[:order, order + 1]
    return flow[:order, :order], flow[:order, order] - slope, slope


def bilinear(a: Array, b: Array, step: Any, xp: Any = np) -> tuple[Any, Any]:
    """c_k = T c_(k-1) + v f_k by the trapezoidal rule with the sample held: `(step, order, order)`, `(step, order)`.

    Stable for every step if A is: the left half plane goes into the unit circle. `xp` is NumPy or `jax.numpy`.
    """
    half, one = step[:, None, None] / 2 * a, np.eye(len(a))
    both = xp.linalg.solve(one - half, xp.concatenate([one + half, (step[:, None] * b)[..., None]], axis=2))
    return both[..., :-1], both[..., -1]


def spectrum(kind: str, count: int) -> NDArray[np.complex128]:
    """The first `count` eigenvalues with positive imaginary part that S4D starts from, slowest first.

    `lin`: -1/2 + i pi n; `inv`: -1/2 + i N/pi (N/(2n + 1) - 1), N = 2 count; `legs`: those of the normal part of the
    LegS matrix of order N, A + p p' with p_n = sqrt(n + 1/2). Source: Gu, Gupta, Goel & Re, NeurIPS 2022
    (arXiv 2206.11893).
    """
    n, full = np.arange(count), 2 * count
    if kind == "lin":
        turns = np.pi * n
    elif kind == "inv":
        turns = (full / np.pi * (full / (2 * n + 1) - 1))[::-1]
    elif kind == "legs":
        a, b = hippo("legs", full)
        # A + b b'/2 is -1/2 plus a skew part, whose eigenvalues are those of a Hermitian matrix times i.
        skew = a + np.outer(b, b) / 2 + 0.5 * np.eye(full)
        turns = np.sort(np.linalg.eigvalsh(-1j * skew))[count:]
    else:
        raise SettingError(f"no initial spectrum {kind!r}", place="spectrum", remedy="Choose lin, inv or legs.")
    return np.asarray(-0.5 + 1j * turns, dtype=np.complex128)


def _check(measure: str, order: int) -> None:
    if measure not in MEASURES:
        raise SettingError(f"no measure {measure!r}", place="hippo", remedy=f"Choose one of {', '.join(MEASURES)}.")
    if order < 1 or (measure == "fout" and order % 2 == 0):
        asked = "an odd number from 1" if measure == "fout" else "at least 1"
        raise SettingError(f"order of {measure} must be {asked}, got {order}", place="hippo")
