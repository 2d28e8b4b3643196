"""Linear Gaussian processes given by their spectrum, by their memory, or in continuous time."""

from __future__ import annotations

import numpy as np

from ..observing import MONOTONE
from .base import Array, Range, Registry
from .linear import arma, circulant, fractional, roots, shaped

SOURCES = Registry()
TRUTH = "linear noise"
SEEN = tuple(MONOTONE)
Random = np.random.Generator
process = SOURCES.process


@process("ARFIMA persistent", TRUTH, "long memory", observables=SEEN, d=Range(0.05, 0.45))
def persistent(random: Random, length: int, d: float) -> Array:
    """Long memory."""
    return fractional(random, length, d)


@process("ARFIMA antipersistent", TRUTH, "long memory", observables=SEEN, d=Range(-0.45, -0.05))
def antipersistent(random: Random, length: int, d: float) -> Array:
    """Fluctuations that compensate each other."""
    return fractional(random, length, d)


@process("ARFIMA(1,d,0)", TRUTH, "long memory", observables=SEEN, d=Range(0.05, 0.4), phi=Range(-0.6, 0.7))
def persistent_ar(random: Random, length: int, d: float, phi: float) -> Array:
    """Long memory with a short one."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -phi], fractional(random, length + 200, d))[200:])


@process("fractional Gaussian noise", TRUTH, "long memory", observables=SEEN, hurst=Range(0.1, 0.95))
def gaussian(random: Random, length: int, hurst: float) -> Array:
    """The increments of fractional Brownian motion, 2 gamma(k) = |k+1|^2H - 2 |k|^2H + |k-1|^2H."""
    lag = np.arange(max(length, 16), dtype=float)
    power = 2 * hurst
    return circulant(random, 0.5 * ((lag + 1) ** power - 2 * lag**power + np.abs(lag - 1) ** power))[:length]


@process("power-law noise", TRUTH, "long memory", observables=SEEN, beta=Range(0.1, 0.9))
def pink(random: Random, length: int, beta: float) -> Array:
    """A spectrum f^-beta."""
    return shaped(random, length, lambda f: np.maximum(f, 1e-9) ** (-beta / 2))


@process("blue noise", TRUTH, "long memory", observables=SEEN, beta=Range(-1.5, -0.1))
def blue(random: Random, length: int, beta: float) -> Array:
    """A spectrum that grows with frequency."""
    return shaped(random, length, lambda f: np.maximum(f, 1e-9) ** (-beta / 2))


@process("Ornstein-Uhlenbeck", TRUTH, "continuous", observables=SEEN, time=Range(1, 60, logarithmic=True))
def relaxation(random: Random, length: int, time: float) -> Array:
    """Sampled exactly, with a relaxation time in samples."""
    return arma(random, length, [np.exp(-1 / time)], burn=int(20 * time) + 50)


@process("two relaxation times", TRUTH, "continuous", observables=SEEN, fast=Range(0.5, 5), slow=Range(8, 60),
         share=Range(0.2, 2))  # fmt: skip
def two_times(random: Random, length: int, fast: float, slow: float, share: float) -> Array:
    """The sum of two Ornstein-Uhlenbeck processes."""
    pair = [arma(random, length, [np.exp(-1 / time)]) for time in (fast, slow)]
    return pair[0] / pair[0].std() + share * pair[1] / pair[1].std()


@process("many relaxation times", TRUTH, "continuous", observables=SEEN, longest=Range(20, 80))
def many_times(random: Random, length: int, longest: float) -> Array:
    """Five Ornstein-Uhlenbeck processes with times in a geometric series."""
    times = np.geomspace(1, longest, 5)
    return np.sum([arma(random, length, [np.exp(-1 / t)]) * np.sqrt(1 - np.exp(-2 / t)) for t in times], axis=0)


@process("thermal oscillator", TRUTH, "continuous", observables=SEEN, period=Range(5, 60), quality=Range(1, 12))
def thermal(random: Random, length: int, period: float, quality: float) -> Array:
    """The position of a damped oscillator in thermal noise, by its spectrum 1 / ((f0^2 - f^2)^2 + (f0 f / Q)^2)."""
    f0 = 1 / period
    return shaped(random, length, lambda f: 1 / np.hypot(f0**2 - f**2, f0 * f / quality))


@process("smooth noise", TRUTH, "spectrum", observables=SEEN, scale=Range(1, 15))
def smooth(random: Random, length: int, scale: float) -> Array:
    """White noise through a Gaussian window: all derivatives exist."""
    return shaped(random, length, lambda f: np.exp(-0.5 * (2 * np.pi * f * scale) ** 2))


@process("Matern 3/2", TRUTH, "spectrum", observables=SEEN, scale=Range(1, 25))
def matern(random: Random, length: int, scale: float) -> Array:
    """Differentiable once: a spectrum (1 + (2 pi f s)^2)^-2."""
    return shaped(random, length, lambda f: 1 / (1 + (2 * np.pi * f * scale) ** 2))


@process("low-pass noise", TRUTH, "spectrum", observables=SEEN, cut=Range(0.04, 0.4), order=Range(2, 8, whole=True))
def low_pass(random: Random, length: int, cut: float, order: int) -> Array:
    """White noise through a Butterworth filter."""
    return shaped(random, length, lambda f: 1 / np.sqrt(1 + (f / cut) ** (2 * order)))


@process("high-pass noise", TRUTH, "spectrum", observables=SEEN, cut=Range(0.03, 0.3), order=Range(1, 6, whole=True))
def high_pass(random: Random, length: int, cut: float, order: int) -> Array:
    """White noise without its slow part."""
    return shaped(random, length, lambda f: 1 / np.sqrt(1 + (cut / np.maximum(f, 1e-9)) ** (2 * order)))


@process("band noise", TRUTH, "spectrum", observables=SEEN, centre=Range(0.04, 0.35), width=Range(0.15, 0.8))
def band(random: Random, length: int, centre: float, width: float) -> Array:
    """A band with soft edges, `width` as a share of its centre."""
    return shaped(random, length, lambda f: np.exp(-0.5 * ((f - centre) / (0.5 * width * centre)) ** 2))


@process("comb noise", TRUTH, "spectrum", observables=SEEN, base=Range(0.02, 0.1), width=Range(0.08, 0.3))
def comb(random: Random, length: int, base: float, width: float) -> Array:
    """Bands at a frequency and its multiples: noise that nearly repeats."""
    return shaped(
        random, length, lambda f: sum(np.exp(-0.5 * ((f - k * base) / (width * base)) ** 2) / k for k in (1, 2, 3, 4))
    )


@process("notched noise", TRUTH, "spectrum", observables=SEEN, centre=Range(0.08, 0.4), depth=Range(0.8, 0.99))
def notched(random: Random, length: int, centre: float, depth: float) -> Array:
    """White noise with a gap in its spectrum."""
    return shaped(random, length, lambda f: 1 - depth * np.exp(-0.5 * ((f - centre) / 0.04) ** 2))


@process("component of VAR(1)", TRUTH, "linear", observables=SEEN, radius=Range(0.6, 0.97), turn=Range(0.01, 0.2),
         leak=Range(0.1, 0.9))  # fmt: skip
def component(random: Random, length: int, radius: float, turn: float, leak: float) -> Array:
    """One of three coupled linear processes: a rotation that leaks into a relaxation."""
    oscillation = arma(random, length + 300, roots((radius, turn)))
    from scipy.signal import lfilter

    driven = 0.5 * random.normal(size=length + 300) * oscillation.std() + oscillation
    return np.asarray(lfilter([1.0], [1.0, -leak], driven)[300:])
