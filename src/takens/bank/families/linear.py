"""Linear Gaussian processes, stationary, and monotone distortions of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..observing import MONOTONE
from .base import Array, Range, Registry

SOURCES = Registry()
TRUTH = "linear noise"
SEEN = tuple(MONOTONE)
BURN = 1000
Random = np.random.Generator


def arma(random: Random, length: int, ar: ArrayLike = (), ma: ArrayLike = (), burn: int = BURN) -> Array:
    """x_t = sum ar_i x_(t-i) + e_t + sum ma_j e_(t-j) with normal e, after `burn` steps from rest."""
    from scipy.signal import lfilter

    shocks = random.normal(size=length + burn)
    return np.asarray(lfilter(np.r_[1.0, ma], np.r_[1.0, -np.asarray(ar, float)], shocks)[burn:])


def roots(*pairs: tuple[float, float]) -> Array:
    """The AR coefficients of poles: (radius, frequency in cycles a step), conjugate pairs unless 0 or 1/2."""
    poles: list[complex] = []
    for radius, frequency in pairs:
        pole = radius * np.exp(2j * np.pi * frequency)
        poles += [pole] if frequency in (0.0, 0.5) else [pole, np.conj(pole)]
    return np.asarray(-np.real(np.poly(poles))[1:])


def circulant(random: Random, covariance: Array) -> Array:
    """A Gaussian series with autocovariances `covariance (lag,)`, exact where its circle has no negative spectrum.

    Source: Davies & Harte, Biometrika 74, 95 (1987).
    """
    length = len(covariance)
    circle = np.concatenate([covariance, covariance[-2:0:-1]])
    power = np.maximum(np.fft.rfft(circle).real, 0.0)
    waves = random.normal(size=len(power)) + 1j * random.normal(size=len(power))
    waves[[0, -1]] = np.sqrt(2) * waves[[0, -1]].real
    return np.asarray(np.fft.irfft(waves * np.sqrt(power * len(circle) / 2), len(circle))[:length])


def fractional(random: Random, length: int, d: float) -> Array:
    """ARFIMA(0, d, 0), (1 - B)^d x = e, -1/2 < d < 1/2."""
    from scipy.special import gamma

    lags = np.arange(1, max(length, 16))
    first = gamma(1 - 2 * d) / gamma(1 - d) ** 2
    return circulant(random, first * np.concatenate([[1.0], np.cumprod((lags - 1 + d) / (lags - d))]))[:length]


def shaped(random: Random, length: int, amplitude: object) -> Array:
    """Gaussian noise with the given `amplitude(frequency)` of its spectrum, cut from a record four times as long."""
    size = 4 * max(length, 256)
    frequency = np.fft.rfftfreq(size)
    waves = random.normal(size=len(frequency)) + 1j * random.normal(size=len(frequency))
    waves[0] = 0.0
    return np.asarray(np.fft.irfft(waves * amplitude(frequency), size)[:length] * np.sqrt(size))  # type: ignore[operator]


process = SOURCES.process


@process("white noise", TRUTH, "linear", observables=SEEN)
def white(random: Random, length: int) -> Array:
    """Independent normal values."""
    return random.normal(size=length)


@process("AR(1) positive", TRUTH, "linear", observables=SEEN, phi=Range(0.1, 0.97))
def ar1(random: Random, length: int, phi: float) -> Array:
    """Red noise."""
    return arma(random, length, [phi])


@process("AR(1) negative", TRUTH, "linear", observables=SEEN, phi=Range(-0.95, -0.1))
def ar1_negative(random: Random, length: int, phi: float) -> Array:
    """Noise that alternates."""
    return arma(random, length, [phi])


@process("AR(2) oscillating", TRUTH, "linear", observables=SEEN, radius=Range(0.8, 0.97), frequency=Range(0.03, 0.3))
def ar2(random: Random, length: int, radius: float, frequency: float) -> Array:
    """A damped oscillator driven by noise."""
    return arma(random, length, roots((radius, frequency)))


@process("AR(2) narrow", TRUTH, "linear", observables=SEEN, radius=Range(0.97, 0.992), frequency=Range(0.02, 0.25))
def ar2_narrow(random: Random, length: int, radius: float, frequency: float) -> Array:
    """A weakly damped oscillator driven by noise, coherent over some tens of cycles at most."""
    return arma(random, length, roots((radius, frequency)), burn=4 * BURN)


@process("AR(2) overdamped", TRUTH, "linear", observables=SEEN, a=Range(0.5, 0.97), b=Range(-0.6, 0.8))
def ar2_real(random: Random, length: int, a: float, b: float) -> Array:
    """Two real poles."""
    return arma(random, length, roots((a, 0.0), (b, 0.0)))


@process(
    "AR(3)", TRUTH, "linear", observables=SEEN, radius=Range(0.7, 0.95), frequency=Range(0.05, 0.4), a=Range(-0.8, 0.9)
)
def ar3(random: Random, length: int, radius: float, frequency: float, a: float) -> Array:
    """An oscillation and a relaxation."""
    return arma(random, length, roots((radius, frequency), (a, 0.0)))


@process("AR(4) two lines", TRUTH, "linear", observables=SEEN, one=Range(0.85, 0.98), two=Range(0.85, 0.98),
         slow=Range(0.02, 0.12), fast=Range(0.15, 0.45))  # fmt: skip
def ar4(random: Random, length: int, one: float, two: float, slow: float, fast: float) -> Array:
    """Two oscillations."""
    return arma(random, length, roots((one, slow), (two, fast)), burn=2 * BURN)


@process("AR(5)", TRUTH, "linear", observables=SEEN, one=Range(0.6, 0.95), two=Range(0.6, 0.95), slow=Range(0.03, 0.2),
         fast=Range(0.2, 0.45), a=Range(-0.9, 0.95))  # fmt: skip
def ar5(random: Random, length: int, one: float, two: float, slow: float, fast: float, a: float) -> Array:
    """Two oscillations and a relaxation."""
    return arma(random, length, roots((one, slow), (two, fast), (a, 0.0)))


@process("AR(10)", TRUTH, "linear", observables=SEEN, radius=Range(0.6, 0.9), turn=Range(0.0, 0.08))
def ar10(random: Random, length: int, radius: float, turn: float) -> Array:
    """Five oscillations."""
    return arma(random, length, roots(*((radius, 0.02 + turn + 0.08 * k) for k in range(5))))


@process("seasonal AR", TRUTH, "linear", observables=SEEN, phi=Range(0.5, 0.93), season=Range(4, 24, whole=True),
         a=Range(0.0, 0.7))  # fmt: skip
def seasonal(random: Random, length: int, phi: float, season: int, a: float) -> Array:
    """(1 - a B)(1 - phi B^s) x = e."""
    return arma(random, length, -np.convolve([1.0, -a], np.r_[1.0, np.zeros(season - 1), -phi])[1:], burn=2 * BURN)


@process("ARMA(1,1)", TRUTH, "linear", observables=SEEN, phi=Range(-0.9, 0.95), theta=Range(-0.9, 0.9))
def arma11(random: Random, length: int, phi: float, theta: float) -> Array:
    """One pole and one zero."""
    return arma(random, length, [phi], [theta])


@process("ARMA(2,1)", TRUTH, "linear", observables=SEEN, radius=Range(0.7, 0.97), frequency=Range(0.02, 0.4),
         theta=Range(-0.9, 0.9))  # fmt: skip
def arma21(random: Random, length: int, radius: float, frequency: float, theta: float) -> Array:
    """A sampled damped oscillator."""
    return arma(random, length, roots((radius, frequency)), [theta])


@process(
    "ARMA(4,2)", TRUTH, "linear", observables=SEEN, one=Range(0.6, 0.95), two=Range(0.6, 0.95), zero=Range(0.3, 0.9)
)
def arma42(random: Random, length: int, one: float, two: float, zero: float) -> Array:
    """Two oscillations with a notch between."""
    return arma(random, length, roots((one, 0.08), (two, 0.31)), -roots((zero, 0.2)))


@process("MA(1)", TRUTH, "linear", observables=SEEN, theta=Range(-0.95, 0.95))
def ma1(random: Random, length: int, theta: float) -> Array:
    """A memory of one step."""
    return arma(random, length, (), [theta])


@process("MA(5)", TRUTH, "linear", observables=SEEN, a=Range(-1, 1), b=Range(-1, 1), c=Range(-1, 1), d=Range(-1, 1),
         e=Range(-1, 1))  # fmt: skip
def ma5(random: Random, length: int, a: float, b: float, c: float, d: float, e: float) -> Array:
    """A memory of five steps."""
    return arma(random, length, (), [a, b, c, d, e])


@process("moving average", TRUTH, "linear", observables=SEEN, width=Range(3, 25, whole=True))
def boxcar(random: Random, length: int, width: int) -> Array:
    """White noise smoothed by a window with even weights."""
    return arma(random, length, (), np.ones(width - 1))
