"""Processes whose law changes during the record, at once or slowly, and rates that grow."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt

import numpy as np

from .base import Array, Range, Registry
from .linear import arma, roots
from .wandering import past, red, unit

SOURCES = Registry()
TRUTH = "non-stationary"
Random = np.random.Generator
process = SOURCES.process


def joined(parts: Sequence[Array], when: float) -> Array:
    """The first of two series up to the share `when` of the record, then the second, with one mean and spread."""
    before, after = (unit(part - part.mean()) for part in parts)
    return np.where(past(len(before), when) > 0, after, before)


@process("AR(1) switches", TRUTH, "changing law", one=Range(0.6, 0.95), two=Range(-0.9, 0.1), when=Range(0.25, 0.75))
def switching_ar(random: Random, length: int, one: float, two: float, when: float) -> Array:
    """Slow noise becomes fast noise, or the other way round, with the same variance."""
    parts = [arma(random, length, [one]), arma(random, length, [two])]
    return joined(parts if random.random() < 0.5 else parts[::-1], when)


@process(
    "frequency switches", TRUTH, "changing law", low=Range(0.02, 0.08), high=Range(0.13, 0.3), when=Range(0.25, 0.75)
)
def switching_frequency(random: Random, length: int, low: float, high: float, when: float) -> Array:
    """A noise-driven oscillator with another frequency from some moment on."""
    return joined([arma(random, length, roots((0.96, f))) for f in (low, high)], when)


@process("memory grows", TRUTH, "changing law", early=Range(-0.4, 0.2), late=Range(0.85, 0.99))
def growing_memory(random: Random, length: int, early: float, late: float) -> Array:
    """An AR(1) coefficient that moves along a line; its shocks are scaled to keep the variance."""
    values, x = [], 0.0
    for phi, shock in zip(np.linspace(early, late, length).tolist(), random.normal(size=length).tolist(), strict=True):
        x = phi * x + sqrt(1 - phi * phi) * shock
        values.append(x)
    return np.asarray(values)


@process("oscillation speeds up", TRUTH, "changing law", start=Range(0.02, 0.06), end=Range(0.12, 0.3))
def speeding(random: Random, length: int, start: float, end: float) -> Array:
    """A noise-driven oscillator whose frequency grows."""
    values, x, y = [], 0.0, 0.0
    turns = np.exp(2j * np.pi * np.linspace(start, end, length)).tolist()
    for turn, a, b in zip(turns, *random.normal(size=(2, length)).tolist(), strict=True):
        z = 0.97 * turn * complex(x, y) + complex(a, b)
        x, y = z.real, z.imag
        values.append(x)
    return np.asarray(values)


@process("chirp", TRUTH, "changing law", cycles=Range(10, 80), bend=Range(1.0, 2.5), noise=Range(0.0, 0.4))
def chirp(random: Random, length: int, cycles: float, bend: float, noise: float) -> Array:
    """A sine whose frequency grows, phase t^(1 + bend), and noise."""
    phase = np.linspace(0, 1, length) ** (1 + bend)
    cycles = min(cycles, length / (6 * (1 + bend)))
    return np.sin(2 * np.pi * cycles * phase) + noise * random.normal(size=length)


@process("fading cycle", TRUTH, "changing law", cycles=Range(10, 60), decay=Range(2, 5), noise=Range(0.02, 0.2))
def fading(random: Random, length: int, cycles: float, decay: float, noise: float) -> Array:
    """A sine that dies out, or grows, and noise."""
    share = np.linspace(0, 1, length)
    share = share if random.random() < 0.5 else share[::-1]
    return np.exp(-decay * share) * np.sin(2 * np.pi * cycles * share) + noise * random.normal(size=length)


@process(
    "noise becomes a cycle",
    TRUTH,
    "changing law",
    frequency=Range(0.02, 0.15),
    spread=Range(0.05, 0.2),
    top=Range(0.1, 0.4),
)
def onset(random: Random, length: int, frequency: float, spread: float, top: float) -> Array:
    """A noise-driven oscillator whose damping becomes growth (Hopf), limited by |z|^2 z."""
    values, z = [], 0j
    turn = complex(np.exp(2j * np.pi * frequency))
    for push, a, b in zip(
        np.linspace(-top, top, length).tolist(), *random.normal(size=(2, length)).tolist(), strict=True
    ):
        z = turn * z * (1 + 0.5 * push - 0.5 * min(abs(z) ** 2, 2.0)) + spread * complex(a, b)
        values.append(z.real)
    return np.asarray(values)


@process("tipping", TRUTH, "changing law", spread=Range(0.1, 0.3), when=Range(0.4, 0.8))
def tipping(random: Random, length: int, spread: float, when: float) -> Array:
    """A particle in a well that vanishes (fold) at the share `when` of the record, and falls into another."""
    edge, values, x = 2 / (3 * sqrt(3)), [], -1.0
    for push, shock in zip(
        np.linspace(0, edge / when, length).tolist(), random.normal(size=length).tolist(), strict=True
    ):
        x += 0.2 * (x - x**3 + push) + spread * sqrt(0.2) * shock
        x = max(min(x, 3.0), -3.0)
        values.append(x)
    return np.asarray(values)


@process("rate of counts grows", TRUTH, "changing law", first=Range(0.5, 3.0), ratio=Range(3, 8))
def growing_counts(random: Random, length: int, first: float, ratio: float) -> Array:
    """Poisson counts whose rate grows by the factor `ratio`."""
    return random.poisson(first * ratio ** np.linspace(0, 1, length)).astype(float)


@process("GARCH breaks", TRUTH, "changing law", a=Range(0.1, 0.3), jump=Range(2.0, 4.0), when=Range(0.25, 0.75))
def breaking_garch(random: Random, length: int, a: float, jump: float, when: float) -> Array:
    """A remembering variance, larger from some moment on."""
    from .nonlinear import garch

    return garch(random, length, a, 0.5) * (1 + (jump - 1) * past(length, when))


@process("noise becomes chaos", TRUTH, "changing law", phi=Range(-0.5, 0.8), when=Range(0.25, 0.75), r=Range(3.7, 4.0))
def noise_then_chaos(random: Random, length: int, phi: float, when: float, r: float) -> Array:
    """Red noise, then the logistic map, or the other way round, with the same mean and variance."""
    values, x = [], float(random.uniform(0.2, 0.8))
    for _ in range(length):
        x = r * x * (1 - x)
        values.append(x)
    parts = [red(random, length, phi), np.asarray(values)]
    return joined(parts if random.random() < 0.5 else parts[::-1], when)


@process("cycle becomes noise", TRUTH, "changing law", period=Range(8, 40), when=Range(0.25, 0.75), phi=Range(0.0, 0.9),
         noise=Range(0.05, 0.4))  # fmt: skip
def cycle_then_noise(random: Random, length: int, period: float, when: float, phi: float, noise: float) -> Array:
    """A noisy sine, then red noise, or the other way round."""
    sine = np.sin(2 * np.pi * np.arange(length) / period) + noise * random.normal(size=length)
    parts = [sine, red(random, length, phi)]
    return joined(parts if random.random() < 0.5 else parts[::-1], when)


@process("cooling", TRUTH, "changing law", memory=Range(0.5, 0.95), fall=Range(3, 8))
def cooling(random: Random, length: int, memory: float, fall: float) -> Array:
    """Red noise around a level that relaxes to rest."""
    return fall * np.exp(-4 * np.linspace(0, 1, length)) + red(random, length, memory) * exp(-0.5)
