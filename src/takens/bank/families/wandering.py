"""Processes whose level or variance changes during the record: walks, trends, breaks, bursts."""

from __future__ import annotations

import numpy as np

from .base import Array, Range, Registry
from .linear import arma, fractional, roots, shaped

SOURCES = Registry()
TRUTH = "non-stationary"
Random = np.random.Generator
process = SOURCES.process


def unit(values: Array) -> Array:
    """Values with standard deviation 1."""
    return values / values.std()


def red(random: Random, length: int, phi: float) -> Array:
    """Red noise of standard deviation 1."""
    return unit(arma(random, length, [phi]))


def past(length: int, when: float) -> Array:
    """0 before the share `when` of the record, 1 after."""
    return (np.arange(length) >= when * length).astype(float)


@process("random walk", TRUTH, "walks")
def walk(random: Random, length: int) -> Array:
    """The sum of white noise."""
    return np.cumsum(random.normal(size=length))


@process("random walk with drift", TRUTH, "walks", drift=Range(0.05, 0.5))
def drifting_walk(random: Random, length: int, drift: float) -> Array:
    """A walk that mostly rises."""
    return np.cumsum(drift + random.normal(size=length))


@process("ARIMA(1,1,0)", TRUTH, "walks", phi=Range(-0.6, 0.85))
def arima(random: Random, length: int, phi: float) -> Array:
    """The sum of red noise."""
    return np.cumsum(arma(random, length, [phi]))


@process("ARIMA(0,1,1)", TRUTH, "walks", theta=Range(-0.6, 0.8))
def smoothing(random: Random, length: int, theta: float) -> Array:
    """The sum of a moving average."""
    return np.cumsum(arma(random, length, (), [theta]))


@process("twice integrated noise", TRUTH, "walks")
def twice(random: Random, length: int) -> Array:
    """The sum of the sum of white noise."""
    return np.cumsum(np.cumsum(random.normal(size=length)))


@process("fractional Brownian motion", TRUTH, "walks", hurst=Range(0.25, 0.9))
def brownian(random: Random, length: int, hurst: float) -> Array:
    """The sum of fractional noise."""
    return np.cumsum(fractional(random, length, min(hurst - 0.5, 0.45)))


@process("integrated power-law noise", TRUTH, "walks", beta=Range(1.3, 2.8))
def brown(random: Random, length: int, beta: float) -> Array:
    """A spectrum f^-beta with beta above 1."""
    return shaped(random, length, lambda f: np.maximum(f, 1e-9) ** (-beta / 2))


@process("oscillating walk", TRUTH, "walks", frequency=Range(0.03, 0.25), share=Range(0.3, 2.0))
def oscillating_walk(random: Random, length: int, frequency: float, share: float) -> Array:
    """A walk and a noise-driven oscillation."""
    steps = np.cumsum(random.normal(size=length))
    return steps + share * unit(arma(random, length, roots((0.95, frequency)))) * steps.std() / 2


@process("geometric Brownian motion", TRUTH, "walks", spread=Range(0.5, 2.0), drift=Range(-1, 2),
         system="GeometricBrownianMotion")  # fmt: skip
def geometric(random: Random, length: int, spread: float, drift: float) -> Array:
    """The exponential of a walk; spread and drift of its logarithm over the whole record."""
    return np.exp(np.cumsum(drift / length + spread / np.sqrt(length) * random.normal(size=length)))


@process("seasonal walk", TRUTH, "walks", season=Range(4, 24, whole=True))
def seasonal_walk(random: Random, length: int, season: int) -> Array:
    """Each season adds to the one before."""
    rows = np.cumsum(random.normal(size=(length // season + 1, season)), axis=0)
    return rows.ravel()[:length]


@process("linear trend", TRUTH, "trends", rise=Range(3, 10), phi=Range(0.0, 0.8))
def linear_trend(random: Random, length: int, rise: float, phi: float) -> Array:
    """Red noise on a line."""
    return rise * np.linspace(0, 1, length) + red(random, length, phi)


@process("curved trend", TRUTH, "trends", rise=Range(3, 10), top=Range(0.2, 0.8), phi=Range(0.0, 0.8))
def curved_trend(random: Random, length: int, rise: float, top: float, phi: float) -> Array:
    """Red noise on a parabola."""
    return 4 * rise * (np.linspace(0, 1, length) - top) ** 2 + red(random, length, phi)


@process("exponential growth", TRUTH, "trends", rate=Range(2, 5), phi=Range(0.0, 0.8), noise=Range(0.05, 0.3))
def exponential_growth(random: Random, length: int, rate: float, phi: float, noise: float) -> Array:
    """Growth with relative errors."""
    return np.exp(rate * np.linspace(0, 1, length)) * np.exp(noise * red(random, length, phi))


@process("cycle on a trend", TRUTH, "trends", rise=Range(4, 12), cycles=Range(8, 60), noise=Range(0.05, 0.6))
def cycle_on_trend(random: Random, length: int, rise: float, cycles: float, noise: float) -> Array:
    """A sine, a line and noise."""
    share = np.linspace(0, 1, length)
    return rise * share + np.sin(2 * np.pi * cycles * share) + noise * random.normal(size=length)


@process(
    "broken trend",
    TRUTH,
    "trends",
    first=Range(-8, 8),
    second=Range(4, 10),
    when=Range(0.25, 0.75),
    phi=Range(0.0, 0.8),
)
def broken_trend(random: Random, length: int, first: float, second: float, when: float, phi: float) -> Array:
    """Two lines that meet."""
    share = np.linspace(0, 1, length)
    sign = -1.0 if first > 0 else 1.0
    return first * share + sign * second * np.maximum(share - when, 0) * 2 + red(random, length, phi)


@process("one jump of the mean", TRUTH, "breaks", jump=Range(2, 6), when=Range(0.2, 0.8), phi=Range(-0.3, 0.8))
def jump_of_mean(random: Random, length: int, jump: float, when: float, phi: float) -> Array:
    """Red noise with another level from some moment on."""
    return jump * past(length, when) + red(random, length, phi)


@process(
    "several jumps of the mean",
    TRUTH,
    "breaks",
    jumps=Range(2, 4, whole=True),
    spread=Range(2, 5),
    phi=Range(-0.3, 0.7),
)
def jumps_of_mean(random: Random, length: int, jumps: int, spread: float, phi: float) -> Array:
    """Red noise with new levels, three to five in all."""
    ends = np.sort(random.uniform(0.1, 0.9, size=jumps))
    steps = spread * (1 + np.abs(random.normal(size=jumps))) * random.choice([-1, 1], size=jumps) / 1.5
    return sum((step * past(length, end) for step, end in zip(steps, ends, strict=True)), red(random, length, phi))


@process("jump of the variance", TRUTH, "breaks", ratio=Range(2, 5), when=Range(0.25, 0.75), phi=Range(-0.5, 0.9))
def jump_of_variance(random: Random, length: int, ratio: float, when: float, phi: float) -> Array:
    """Red noise that is larger before or after some moment."""
    late = past(length, when)
    late = late if random.random() < 0.5 else 1 - late
    return (1 + (ratio - 1) * late) * red(random, length, phi)


@process("growing variance", TRUTH, "breaks", ratio=Range(3, 10), phi=Range(-0.5, 0.9))
def growing_variance(random: Random, length: int, ratio: float, phi: float) -> Array:
    """Red noise that grows."""
    return ratio ** np.linspace(0, 1, length) * red(random, length, phi)


@process("a few bursts", TRUTH, "breaks", bursts=Range(1, 3, whole=True), ratio=Range(3, 8), phi=Range(-0.3, 0.8))
def bursts(random: Random, length: int, bursts: int, ratio: float, phi: float) -> Array:
    """Red noise with one to three times of large variance, a tenth of the record each."""
    envelope = np.ones(length)
    for start in random.uniform(0, 0.9, size=bursts):
        envelope[int(start * length) : int((start + 0.1) * length) + 1] = ratio
    return envelope * red(random, length, phi)


@process(
    "one pulse", TRUTH, "breaks", size=Range(4, 12), width=Range(0.02, 0.1), when=Range(0.15, 0.85), phi=Range(0.0, 0.8)
)
def pulse(random: Random, length: int, size: float, width: float, when: float, phi: float) -> Array:
    """Red noise with one slow bump."""
    share = np.linspace(0, 1, length)
    return size * np.exp(-0.5 * ((share - when) / width) ** 2) + red(random, length, phi)
