"""Nonlinear stochastic processes in discrete time: thresholds, changing variance, products, counts, pulses."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, exp, sqrt, tanh

import numpy as np

from .base import Array, Range, Registry
from .linear import arma, roots

SOURCES = Registry()
TRUTH = "nonlinear noise"
BURN = 500
Random = np.random.Generator
process = SOURCES.process


def stepped(random: Random, length: int, law: Callable[[float, float], float], start: float = 0.0) -> Array:
    """x_(n+1) = law(x_n, e_n) with normal e, after 500 steps."""
    values, x = [], start
    for shock in random.normal(size=length + BURN).tolist():
        x = law(x, shock)
        values.append(x)
    return np.asarray(values[BURN:])


@process("SETAR two regimes", TRUTH, "threshold", low=Range(0.4, 0.9), high=Range(-0.9, -0.2), push=Range(0.0, 1.0))
def setar(random: Random, length: int, low: float, high: float, push: float) -> Array:
    """Two linear laws on the sides of a threshold."""
    return stepped(random, length, lambda x, e: low * x + push + e if x < 0 else high * x + 0.5 * e)


@process("SETAR delay 2", TRUTH, "threshold", a=Range(1.0, 1.25), b=Range(-0.7, -0.35), c=Range(-0.6, 0.6))
def setar_delayed(random: Random, length: int, a: float, b: float, c: float) -> Array:
    """The side is that of the value two steps ago."""
    values, x, y = [], 0.0, 0.0
    for shock in random.normal(size=length + BURN).tolist():
        x, y = ((a * x + b * y) if y <= 0 else (c * x - 1.0)) + shock, x
        values.append(x)
    return np.asarray(values[BURN:])


@process("SETAR three regimes", TRUTH, "threshold", edge=Range(0.8, 2.0), pull=Range(-0.8, 0.2))
def band_threshold(random: Random, length: int, edge: float, pull: float) -> Array:
    """A random walk between two edges and a pull beyond them."""
    return stepped(random, length, lambda x, e: x + 0.7 * e if abs(x) < edge else pull * x + 0.7 * e)


@process("logistic STAR", TRUTH, "threshold", steep=Range(2, 10), low=Range(0.5, 0.95), high=Range(-0.9, 0.0))
def smooth_threshold(random: Random, length: int, steep: float, low: float, high: float) -> Array:
    """A smooth passage between two linear laws."""
    return stepped(
        random, length, lambda x, e: x * (low + (high - low) / (1 + exp(-max(-50.0, min(50.0, steep * x))))) + e
    )


@process("exponential AR", TRUTH, "threshold", a=Range(0.3, 0.8), b=Range(-1.9, -1.0), c=Range(0.5, 1.5))
def exponential_ar(random: Random, length: int, a: float, b: float, c: float) -> Array:
    """x' = (a + b exp(-c x^2)) x + e."""
    return stepped(random, length, lambda x, e: (a + b * exp(-c * x * x)) * x + e)


@process("ARCH", TRUTH, "changing variance", a=Range(0.3, 0.9))
def arch(random: Random, length: int, a: float) -> Array:
    """A variance that remembers one step."""
    return stepped(random, length, lambda x, e: e * sqrt(0.5 + a * x * x))


@process("GARCH", TRUTH, "changing variance", a=Range(0.08, 0.35), b=Range(0.4, 0.63))
def garch(random: Random, length: int, a: float, b: float) -> Array:
    """A variance that remembers."""
    values, x, variance = [], 0.0, 1.0
    for shock in random.normal(size=length + BURN).tolist():
        variance = 0.1 + a * x * x + b * variance
        x = shock * sqrt(variance)
        values.append(x)
    return np.asarray(values[BURN:])


@process("AR-GARCH", TRUTH, "changing variance", phi=Range(0.3, 0.9), a=Range(0.1, 0.35), b=Range(0.4, 0.63))
def ar_garch(random: Random, length: int, phi: float, a: float, b: float) -> Array:
    """Red noise whose shocks have a variance that remembers."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -phi], garch(random, length + 200, a, b))[200:])


@process(
    "EGARCH", TRUTH, "changing variance", memory=Range(0.7, 0.97), leverage=Range(-0.4, -0.1), size=Range(0.1, 0.4)
)
def egarch(random: Random, length: int, memory: float, leverage: float, size: float) -> Array:
    """A variance that grows more after falls than after rises."""
    values, state = [], 0.0
    for shock in random.normal(size=length + BURN).tolist():
        values.append(shock * exp(state / 2))
        state = memory * state + leverage * shock + size * (abs(shock) - 0.7979)
    return np.asarray(values[BURN:])


@process("stochastic volatility", TRUTH, "changing variance", memory=Range(0.8, 0.97), size=Range(0.5, 1.2))
def volatility(random: Random, length: int, memory: float, size: float) -> Array:
    """A log variance that is red noise of its own."""
    state = arma(random, length, [memory]) * sqrt(1 - memory**2)
    return np.exp(size * state) * random.normal(size=length)


@process("volatile AR(2)", TRUTH, "changing variance", memory=Range(0.9, 0.98), frequency=Range(0.05, 0.2))
def volatile_oscillation(random: Random, length: int, memory: float, frequency: float) -> Array:
    """A noise-driven oscillator times a random envelope."""
    state = arma(random, length, [memory]) * sqrt(1 - memory**2)
    return np.exp(0.8 * state) * arma(random, length, roots((0.95, frequency)))


@process("bilinear", TRUTH, "products", a=Range(0.2, 0.6), b=Range(0.3, 0.6))
def bilinear(random: Random, length: int, a: float, b: float) -> Array:
    """x' = a x + b x e + e'."""
    values, x, last = [], 0.0, 0.0
    for shock in random.normal(size=length + BURN).tolist():
        x = a * x + b * x * last + shock
        last = shock
        values.append(x)
    return np.asarray(values[BURN:])


@process("superdiagonal bilinear", TRUTH, "products", b=Range(0.4, 0.7))
def bilinear_white(random: Random, length: int, b: float) -> Array:
    """x_n = b x_(n-2) e_(n-1) + e_n: no autocorrelation, yet predictable."""
    values, x, y, last = [], 0.0, 0.0, 0.0
    for shock in random.normal(size=length + BURN).tolist():
        x, y = b * y * last + shock, x
        last = shock
        values.append(x)
    return np.asarray(values[BURN:])


@process("random coefficient AR", TRUTH, "products", phi=Range(0.2, 0.7), spread=Range(0.3, 0.6))
def random_coefficient(random: Random, length: int, phi: float, spread: float) -> Array:
    """x' = (phi + spread u) x + e."""
    factors = (phi + spread * random.normal(size=length + BURN)).tolist()
    values, x = [], 0.0
    for factor, shock in zip(factors, random.normal(size=length + BURN).tolist(), strict=True):
        x = factor * x + shock
        values.append(x)
    return np.asarray(values[BURN:])


@process("Kesten", TRUTH, "products", mean=Range(-0.5, -0.2), spread=Range(0.4, 0.7))
def kesten(random: Random, length: int, mean: float, spread: float) -> Array:
    """x' = a x + 1 with log-normal a: bursts with a power law."""
    return stepped(random, length, lambda x, e: exp(mean + spread * e) * x + 1.0, 1.0)


@process("nonlinear MA", TRUTH, "products", b=Range(0.5, 1.0))
def nonlinear_moving_average(random: Random, length: int, b: float) -> Array:
    """x_n = e_n + b e_(n-1) e_(n-2)."""
    e = random.normal(size=length + 2)
    return e[2:] + b * e[1:-1] * e[:-2]


@process(
    "square of AR(2)", TRUTH, "products", radius=Range(0.85, 0.97), frequency=Range(0.03, 0.2), shift=Range(0.0, 0.4)
)
def squared(random: Random, length: int, radius: float, frequency: float, shift: float) -> Array:
    """A function of a noise-driven oscillator that is not monotone."""
    x = arma(random, length, roots((radius, frequency)))
    return (x / x.std() + shift) ** 2


@process("product of noises", TRUTH, "products", one=Range(0.5, 0.95), two=Range(0.5, 0.95))
def product(random: Random, length: int, one: float, two: float) -> Array:
    """Two independent red noises multiplied."""
    return arma(random, length, [one]) * arma(random, length, [two])


@process("sine map in noise", TRUTH, "noisy maps", a=Range(1.0, 2.0), spread=Range(0.5, 1.0))
def sine_in_noise(random: Random, length: int, a: float, spread: float) -> Array:
    """x' = a cos(x) + noise larger than its fine structure; without noise it rests or alternates."""
    return stepped(random, length, lambda x, e: 0.6 * a * cos(x) + spread * e)


@process("stable Ricker in noise", TRUTH, "noisy maps", r=Range(0.8, 1.9), spread=Range(0.2, 0.5))
def ricker(random: Random, length: int, r: float, spread: float) -> Array:
    """A population that would settle, with random growth: x' = x exp(r (1 - x) + e)."""
    return stepped(random, length, lambda x, e: max(x * exp(min(r * (1 - x) + spread * e, 20.0)), 1e-6), 1.0)


@process("bistable map", TRUTH, "noisy maps", a=Range(1.4, 2.2), spread=Range(0.35, 0.7))
def bistable(random: Random, length: int, a: float, spread: float) -> Array:
    """x' = a tanh(x) + e: two resting points, jumps between them."""
    return stepped(random, length, lambda x, e: a * tanh(x) + spread * e)


@process("count AR", TRUTH, "counts and pulses", phi=Range(0.3, 0.85), rate=Range(0.3, 3.0))
def counts(random: Random, length: int, phi: float, rate: float) -> Array:
    """Survivors and newcomers: x' = binomial(x, phi) + Poisson(rate)."""
    new = random.poisson(rate, size=length + 100)
    values, x = [], 0
    for arrivals in new.tolist():
        x = int(random.binomial(x, phi)) + arrivals
        values.append(x)
    return np.asarray(values[100:], dtype=float)


@process("shot noise", TRUTH, "counts and pulses", rate=Range(0.02, 0.3), decay=Range(2, 20))
def shots(random: Random, length: int, rate: float, decay: float) -> Array:
    """Pulses at random times that decay exponentially; their heights are exponential too."""
    from scipy.signal import lfilter

    size = length + int(20 * decay)
    heights = random.exponential(size=size) * random.poisson(rate, size=size)
    return np.asarray(lfilter([1.0], [1.0, -exp(-1 / decay)], heights)[-length:])


@process("ringing shots", TRUTH, "counts and pulses", rate=Range(0.01, 0.06), period=Range(6, 25))
def ringing(random: Random, length: int, rate: float, period: float) -> Array:
    """Pulses at random times that ring."""
    from scipy.signal import lfilter

    size = length + int(20 * period)
    kicks = random.exponential(size=size) * random.poisson(rate, size=size)
    return np.asarray(lfilter([1.0], np.r_[1.0, -roots((exp(-0.7 / period), 1 / period))], kicks)[-length:])


@process("Hawkes counts", TRUTH, "counts and pulses", branching=Range(0.5, 0.9), decay=Range(2, 10))
def hawkes(random: Random, length: int, branching: float, decay: float) -> Array:
    """Events that cause events: counts with a rate that remembers them."""
    fade, values, memory = exp(-1 / decay), [], 0.0
    for _ in range(length + BURN):
        count = int(random.poisson(0.3 + branching * (1 - fade) * memory))
        memory = fade * memory + count
        values.append(count)
    return np.asarray(values[BURN:], dtype=float)


@process("random telegraph", TRUTH, "switching", up=Range(0.01, 0.15), down=Range(0.01, 0.15), noise=Range(0.1, 0.5))
def telegraph(random: Random, length: int, up: float, down: float, noise: float) -> Array:
    """Two levels with random stays, and noise."""
    values, state = [], 0
    for chance in random.random(size=length + 200).tolist():
        state = state ^ (chance < (down if state else up))
        values.append(state)
    return np.asarray(values[200:], dtype=float) + noise * random.normal(size=length)


@process("Markov levels", TRUTH, "switching", stay=Range(0.85, 0.97), noise=Range(0.1, 0.35))
def levels(random: Random, length: int, stay: float, noise: float) -> Array:
    """Four levels visited at random, and noise."""
    fresh = random.random(size=length) > stay
    fresh[0] = True
    drawn = random.integers(0, 4, size=int(fresh.sum()))
    return drawn[np.cumsum(fresh) - 1] + noise * random.normal(size=length)


@process(
    "Markov-switching AR", TRUTH, "switching", stay=Range(0.95, 0.99), slow=Range(0.7, 0.95), fast=Range(-0.8, 0.0)
)
def switching(random: Random, length: int, stay: float, slow: float, fast: float) -> Array:
    """A linear law that changes at random between two, again and again."""
    turns = (random.random(size=length + BURN) > stay).tolist()
    values, x, state = [], 0.0, 0
    for shock, turn in zip(random.normal(size=length + BURN).tolist(), turns, strict=True):
        state = state ^ turn
        x = (slow if state else fast) * x + shock
        values.append(x)
    return np.asarray(values[BURN:])
