"""Waveforms of one phase or of several incommensurate ones: periodic, phase-diffusing and quasi-periodic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from .base import Array, Range, Registry, Settings, Source

SOURCES = Registry()
GOLDEN = (1 + np.sqrt(5)) / 2
SILVER = 1 + np.sqrt(2)
TAU = 2 * np.pi
Random = np.random.Generator


@final
@dataclass(frozen=True)
class Wave(Source):
    """A function of a phase, in cycles, that grows evenly, or that diffuses.

    With `jitter` the phase makes independent normal steps of that standard deviation over a cycle.
    """

    function: Callable[..., Array]
    ranges: Mapping[str, Range]
    jitter: Range | None = None

    @property
    def sampled(self) -> bool:
        """The period is in samples."""
        return True

    def draw(self, random: Random) -> dict[str, Any]:
        """Each parameter from its range, and the phase at the start."""
        drawn: dict[str, Any] = {name: choice.draw(random) for name, choice in self.ranges.items()}
        diffusion = {"jitter": self.jitter.draw(random)} if self.jitter else {}
        return drawn | diffusion | {"start": float(random.uniform(0, 1000)), "observable": "x"}

    def signal(self, settings: Settings, length: int, sampling: float, noise: float, random: Random) -> Array:
        """The wave at each step."""
        phase = settings["start"] + np.arange(length) / sampling
        if self.jitter:
            phase = phase + settings["jitter"] / np.sqrt(sampling) * np.cumsum(random.normal(size=length))
        return np.asarray(self.function(phase, **{name: settings[name] for name in self.ranges}))


def wave(name: str, truth: str, jitter: Range | None = None, **ranges: Range) -> Callable[..., Callable[..., Array]]:
    """Register a function `(phase (time,), **parameters) -> (time,)`."""

    def register(function: Callable[..., Array]) -> Callable[..., Array]:
        SOURCES.add(Wave(name, name, "waves" if jitter is None else "noisy cycles", truth, function, ranges, jitter))
        return function

    return register


PERIODIC, TORUS = "periodic", "quasi-periodic"
DIFFUSION = Range(0.005, 0.06, logarithmic=True)
"""Phases diffuse by that share of a cycle in one cycle: by a whole cycle in 280 to 40,000 of them."""


@wave("harmonics", PERIODIC, two=Range(-0.8, 0.8), three=Range(-0.6, 0.6), turn=Range(0, 6.28))
def harmonics(phase: Array, two: float, three: float, turn: float) -> Array:
    """A sine with two overtones."""
    return np.sin(TAU * phase) + two * np.sin(2 * TAU * phase + turn) + three * np.cos(3 * TAU * phase)


@wave("sawtooth", PERIODIC, width=Range(0.05, 0.95))
def sawtooth(phase: Array, width: float) -> Array:
    """A rise and a fall along lines."""
    place = phase % 1
    return np.where(place < width, place / width, (1 - place) / (1 - width))


@wave("pulse train", PERIODIC, width=Range(0.06, 0.15))
def pulses(phase: Array, width: float) -> Array:
    """Bell-shaped pulses."""
    return np.exp(-0.5 * ((phase % 1 - 0.5) / width) ** 2)


@wave("commensurate lines", PERIODIC, share=Range(0.4, 1.0), number=Range(3, 5, whole=True))
def commensurate(phase: Array, share: float, number: int) -> Array:
    """Two lines whose frequencies are whole multiples of that of a longer period, k and k + 1."""
    return np.sin(TAU * phase) + share * np.sin(TAU * phase * (number + 1) / number)


@wave("modulated in step", PERIODIC, depth=Range(0.3, 0.9), bend=Range(0.2, 1.0), number=Range(4, 7, whole=True))
def modulated(phase: Array, depth: float, bend: float, number: int) -> Array:
    """A carrier whose amplitude and frequency are modulated once in a whole number of cycles."""
    slow = TAU * phase / number
    return (1 + depth * np.sin(slow)) * np.sin(TAU * phase + bend * np.cos(slow))


@wave("diffusing sine", PERIODIC, DIFFUSION)
def diffusing_sine(phase: Array) -> Array:
    """A sine whose phase diffuses."""
    return np.sin(TAU * phase)


@wave("diffusing pulses", PERIODIC, DIFFUSION, width=Range(0.06, 0.15))
def diffusing_pulses(phase: Array, width: float) -> Array:
    """A train of pulses that is late or early at random."""
    return pulses(phase, width)


@wave("diffusing overtones", PERIODIC, DIFFUSION, two=Range(0.2, 0.9), three=Range(-0.6, 0.6))
def diffusing_overtones(phase: Array, two: float, three: float) -> Array:
    """A sine with overtones whose phase diffuses."""
    return harmonics(phase, two, three, 1.0)


@wave("two lines", TORUS, share=Range(0.3, 1.0))
def two_lines(phase: Array, share: float) -> Array:
    """Two sines, their frequencies in the golden ratio."""
    return np.sin(TAU * phase) + share * np.sin(TAU * phase / GOLDEN)


@wave("three lines", TORUS, one=Range(0.4, 1.0), two=Range(0.4, 1.0))
def three_lines(phase: Array, one: float, two: float) -> Array:
    """Three incommensurate sines."""
    return np.sin(TAU * phase) + one * np.sin(TAU * phase / SILVER) + two * np.sin(TAU * phase / np.sqrt(3))


@wave("modulated out of step", TORUS, depth=Range(0.3, 0.9), bend=Range(0.2, 1.5))
def modulated_torus(phase: Array, depth: float, bend: float) -> Array:
    """A carrier with an incommensurate modulation of amplitude and frequency."""
    slow = TAU * phase / (3 + np.sqrt(7))
    return (1 + depth * np.sin(slow)) * np.sin(TAU * phase + bend * np.cos(slow))


@wave("folded lines", TORUS, gain=Range(0.8, 2.5), shift=Range(-0.5, 0.5))
def folded(phase: Array, gain: float, shift: float) -> Array:
    """A saturating function of two incommensurate sines: many combination lines."""
    return np.tanh(gain * (np.sin(TAU * phase) + 0.8 * np.sin(TAU * phase / GOLDEN) + shift))


@wave("two pulse trains", TORUS, width=Range(0.08, 0.15), share=Range(0.5, 1.0))
def two_trains(phase: Array, width: float, share: float) -> Array:
    """Pulses at two incommensurate rates."""
    return pulses(phase, width) + share * pulses(phase / SILVER, width)
