"""Nonlinear stochastic differential equations that rest without noise: wells, excitable systems, growth, jumps."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, sqrt

import numpy as np

from .base import Array, Range, Registry

SOURCES = Registry()
TRUTH = "nonlinear noise"
STEPS = 12
"""Steps of Euler-Maruyama in a sampling interval."""
BURN = 100
Random = np.random.Generator
process = SOURCES.process
Law = Callable[[float], tuple[float, float]]
Force = Callable[[float, float], float]


def line(random: Random, length: int, law: Law, start: float, dt: float) -> Array:
    """dx = f(x) dt + g(x) dW by Euler-Maruyama, sampled every `dt` after 100 samples; `law` gives (f, g)."""
    step = dt / STEPS
    root, values, x = sqrt(step), [], start
    for row in random.normal(size=(length + BURN, STEPS)).tolist():
        for shock in row:
            drift, spread = law(x)
            x += drift * step + spread * root * shock
        values.append(x)
    return np.asarray(values[BURN:])


def swing(random: Random, length: int, force: Force, start: tuple[float, float], dt: float, spread: float) -> Array:
    """The position of d2x/dt2 = force(x, v) + noise of strength `spread`; the velocity steps first, so energy keeps."""
    step = dt / STEPS
    root, values, (x, v) = spread * sqrt(step), [], start
    for row in random.normal(size=(length + BURN, STEPS)).tolist():
        for shock in row:
            v += force(x, v) * step + root * shock
            x += v * step
        values.append(x)
    return np.asarray(values[BURN:])


@process("double well", TRUTH, "wells", spread=Range(0.45, 0.9), dt=Range(0.1, 0.6), system="NoisyDoubleWell")
def double_well(random: Random, length: int, spread: float, dt: float) -> Array:
    """An overdamped particle between two wells."""
    return line(random, length, lambda x: (x - x**3, spread), 1.0, dt)


@process("tilted double well", TRUTH, "wells", spread=Range(0.5, 0.9), tilt=Range(0.08, 0.25), dt=Range(0.1, 0.6))
def tilted_well(random: Random, length: int, spread: float, tilt: float, dt: float) -> Array:
    """One well deeper than the other."""
    return line(random, length, lambda x: (x - x**3 + tilt, spread), 1.0, dt)


@process("swinging double well", TRUTH, "wells", damping=Range(0.2, 1.0), heat=Range(0.1, 0.3), dt=Range(0.2, 0.6),
         system="LangevinDoubleWell")  # fmt: skip
def swinging_well(random: Random, length: int, damping: float, heat: float, dt: float) -> Array:
    """A particle with mass between two wells."""
    spread = sqrt(2 * damping * heat)
    return swing(random, length, lambda x, v: x - x**3 - damping * v, (1.0, 0.0), dt, spread)


@process("quartic well", TRUTH, "wells", spread=Range(0.8, 2.0), dt=Range(0.1, 0.5))
def quartic(random: Random, length: int, spread: float, dt: float) -> Array:
    """A flat well with steep walls."""
    return line(random, length, lambda x: (-(x**3), spread), 0.0, dt)


@process("anharmonic oscillator in noise", TRUTH, "wells", damping=Range(0.1, 0.5), heat=Range(1.0, 4.0),
         dt=Range(0.2, 0.5))  # fmt: skip
def anharmonic(random: Random, length: int, damping: float, heat: float, dt: float) -> Array:
    """Noise-driven oscillations whose frequency depends on their size."""
    spread = sqrt(2 * damping * heat)
    return swing(random, length, lambda x, v: -(x**3) - damping * v, (1.0, 0.0), dt, spread)


@process("excitable FitzHugh-Nagumo", TRUTH, "excitable", a=Range(1.03, 1.12), spread=Range(0.15, 0.4),
         dt=Range(0.08, 0.2), system="NoisyFitzHughNagumo")  # fmt: skip
def excitable(random: Random, length: int, a: float, spread: float, dt: float) -> Array:
    """Spikes that noise releases from a state of rest."""
    step, values = dt / 40, []
    root, v, w = spread * sqrt(step), -1.0, -0.6
    for row in random.normal(size=(length + BURN, 40)).tolist():
        for shock in row:
            v, w = v + (v - v**3 / 3 - w) * step / 0.05, w + (v + a) * step + root * shock
        values.append(v)
    return np.asarray(values[BURN:])


@process("excitable rotor", TRUTH, "excitable", drive=Range(0.75, 0.96), spread=Range(0.3, 0.7), dt=Range(0.2, 0.8))
def rotor(random: Random, length: int, drive: float, spread: float, dt: float) -> Array:
    """The cosine of an angle that noise lifts over a barrier, dq = (drive - sin q) dt + noise."""
    from math import sin

    return np.cos(line(random, length, lambda q: (drive - sin(q), spread), 0.5, dt))


@process(
    "leaky integrate-and-fire", TRUTH, "excitable", drive=Range(0.6, 0.92), spread=Range(0.2, 0.4), dt=Range(0.05, 0.3)
)
def fire(random: Random, length: int, drive: float, spread: float, dt: float) -> Array:
    """A potential that leaks, wanders and is reset at a threshold."""
    step, values, x = dt / STEPS, [], 0.0
    root = spread * sqrt(step)
    for row in random.normal(size=(length + BURN, STEPS)).tolist():
        for shock in row:
            x += (drive - x) * step + root * shock
            x = 0.0 if x > 1 else x
        values.append(x)
    return np.asarray(values[BURN:])


@process(
    "square-root diffusion", TRUTH, "growth", spread=Range(0.9, 1.8), dt=Range(0.05, 0.4), system="CoxIngersollRoss"
)
def square_root(random: Random, length: int, spread: float, dt: float) -> Array:
    """dx = (1 - x) dt + s sqrt(x) dW, by its exact transition, a non-central chi square: far from Gaussian."""
    fade = exp(-dt)
    scale = spread**2 * (1 - fade) / 4
    freedom, values, x = 4 / spread**2, [], 1.0
    for _ in range(length + BURN):
        x = scale * float(random.noncentral_chisquare(freedom, max(x * fade / scale, 1e-12)))
        values.append(x)
    return np.asarray(values[BURN:])


@process(
    "logistic growth in noise", TRUTH, "growth", spread=Range(0.6, 1.2), dt=Range(0.1, 0.6), system="NoisyLogistic"
)
def growth(random: Random, length: int, spread: float, dt: float) -> Array:
    """dx = x (1 - x) dt + s x dW, in log x: a population of changing luck."""
    shift = 1 - spread**2 / 2
    return np.exp(line(random, length, lambda u: (shift - exp(min(u, 20.0)), spread), 0.0, dt))


@process("additive and multiplicative noise", TRUTH, "growth", spread=Range(0.6, 1.1), floor=Range(0.2, 0.6),
         dt=Range(0.1, 0.5))  # fmt: skip
def two_noises(random: Random, length: int, spread: float, floor: float, dt: float) -> Array:
    """dx = -x dt + sqrt(a^2 + s^2 x^2) dW: quiet times and bursts, with tails of a power law."""
    return line(random, length, lambda x: (-x, sqrt(floor**2 + spread**2 * x * x)), 0.0, dt)


@process("Jacobi diffusion", TRUTH, "growth", spread=Range(0.9, 1.8), mean=Range(0.3, 0.7), dt=Range(0.05, 0.4))
def jacobi(random: Random, length: int, spread: float, mean: float, dt: float) -> Array:
    """A share between 0 and 1 that prefers its ends: dx = (m - x) dt + s sqrt(x (1 - x)) dW."""

    def law(x: float) -> tuple[float, float]:
        inside = min(max(x, 0.0), 1.0)
        return mean - x, spread * sqrt(inside * (1 - inside))

    return np.clip(line(random, length, law, mean, dt), 0.0, 1.0)


@process("relaxation with jumps", TRUTH, "jumps", rate=Range(0.01, 0.08), size=Range(3, 8), time=Range(3, 20))
def jumps(random: Random, length: int, rate: float, size: float, time: float) -> Array:
    """An Ornstein-Uhlenbeck process with rare jumps of both signs."""
    from scipy.signal import lfilter

    total = length + int(20 * time)
    kicks = random.normal(size=total) + size * random.laplace(size=total) * (random.random(total) < rate)
    return np.asarray(lfilter([1.0], [1.0, -exp(-1 / time)], kicks)[-length:])


@process("stick and slip", TRUTH, "jumps", speed=Range(0.02, 0.1), noise=Range(0.05, 0.2))
def slips(random: Random, length: int, speed: float, noise: float) -> Array:
    """Stress that builds up evenly and drops by random shares at random thresholds."""
    levels, shares = random.uniform(0.6, 1.4, size=length + BURN), random.uniform(0.2, 1.0, size=length + BURN)
    steps = (speed * (1 + noise * 5 * random.normal(size=length + BURN))).tolist()
    values, x = [], 0.0
    for level, share, step in zip(levels.tolist(), shares.tolist(), steps, strict=True):
        x = x + abs(step)
        x = x * (1 - share) if x > level else x
        values.append(x)
    return np.asarray(values[BURN:])
