"""Recurrent cells whose state moves on for any length of time; the same lines serve NumPy and JAX."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Self, final

import numpy as np

from .base import Array

UNFOLDS = 6
"""Implicit steps in which a liquid time-constant cell goes through one sampling interval (its authors' number)."""


@dataclass(frozen=True)
class Cell(ABC):
    """h(t + d) from h(t), the values `x` that came in at t, and the elapsed time d; all fields are weights."""

    @classmethod
    def of(cls, parameters: dict[str, Any]) -> Self:
        """The cell with the weights of these names; other names are left alone."""
        return cls(**{field.name: parameters[field.name] for field in fields(cls)})

    @property
    def parameters(self) -> dict[str, Array]:
        """The weights by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    @abstractmethod
    def random(cls, channels: int, units: int, step: float, rng: np.random.Generator) -> Self:
        """A cell with random weights for standardised channels and a typical `step` of time."""

    @property
    @abstractmethod
    def units(self) -> int:
        """How many numbers the state has."""

    @abstractmethod
    def advance(self, h: Any, x: Any, step: Any, xp: Any = np) -> Any:
        """The state `(..., unit)` after `step (..., 1)` of time."""

    @abstractmethod
    def slopes(self, h: Array, x: Array, step: float) -> tuple[Array, Array]:
        """Jacobians `(member, unit, unit)` and `(member, unit, channel)` of `advance` by `h` and by `x`."""


@final
@dataclass(frozen=True)
class ClosedFormCell(Cell):
    """h' = s tanh(g) + (1 - s) tanh(k) with s = sigmoid(-f d), where f, g, k are linear in b = tanh([x, h] W + c).

    Sources: Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 4, 992 (2022).
    """

    inward: Array
    bias: Array
    pace: Array
    pace_bias: Array
    soon: Array
    soon_bias: Array
    late: Array
    late_bias: Array

    @classmethod
    def random(cls, channels: int, units: int, step: float, rng: np.random.Generator) -> Self:
        inward = np.concatenate([rng.normal(size=(channels, units)), 0.9 * rng.normal(size=(units, units))])
        inward[:channels] /= np.sqrt(channels)
        inward[channels:] /= np.sqrt(units)
        heads = [rng.normal(size=(units, units)) / np.sqrt(units) for _ in range(3)]
        return cls(
            inward, rng.uniform(-1, 1, units), heads[0], rng.normal(size=units), heads[1], np.zeros(units), heads[2],
            np.zeros(units),
        )  # fmt: skip

    @property
    def units(self) -> int:
        return len(self.bias)

    def advance(self, h: Any, x: Any, step: Any, xp: Any = np) -> Any:
        b = xp.tanh(xp.concatenate([x, h], axis=-1) @ self.inward + self.bias)
        gate = sigmoid(-(b @ self.pace + self.pace_bias) * step, xp)
        soon, late = xp.tanh(b @ self.soon + self.soon_bias), xp.tanh(b @ self.late + self.late_bias)
        return gate * soon + (1 - gate) * late

    def slopes(self, h: Array, x: Array, step: float) -> tuple[Array, Array]:
        b = np.tanh(np.concatenate([x, h], axis=-1) @ self.inward + self.bias)
        gate = sigmoid(-(b @ self.pace + self.pace_bias) * step, np)
        soon, late = np.tanh(b @ self.soon + self.soon_bias), np.tanh(b @ self.late + self.late_bias)
        by_b = (
            (-step * gate * (1 - gate) * (soon - late))[..., None] * self.pace.T
            + (gate * (1 - soon**2))[..., None] * self.soon.T
            + ((1 - gate) * (1 - late**2))[..., None] * self.late.T
        )
        found = by_b @ ((1 - b**2)[..., None] * self.inward.T)
        channels = x.shape[-1]
        return found[..., channels:], found[..., :channels]


@final
@dataclass(frozen=True)
class LiquidCell(Cell):
    """dh/dt = -(1 / tau + f) h + f A with f = w sigmoid([x, h] W + c): inputs set the time constant of each unit.

    Six implicit steps of length d / 6 in which f stays: h' = (h + d f A) / (1 + d (1 / tau + f)), bounded whatever the
    step. `leak` and `strength` are the logarithms of 1 / tau and w.
    Source: Hasani, Lechner, Amini, Rus & Grosu, Liquid time-constant networks, AAAI 35 (2021).
    """

    inward: Array
    bias: Array
    leak: Array
    strength: Array
    target: Array

    @classmethod
    def random(cls, channels: int, units: int, step: float, rng: np.random.Generator) -> Self:
        inward = np.concatenate([2 * rng.normal(size=(channels, units)), 2 * rng.normal(size=(units, units))])
        inward[:channels] /= np.sqrt(channels)
        inward[channels:] /= np.sqrt(units)
        # Time constants from a third of a sampling interval to twenty of them.
        leak, strength = (rng.uniform(-3, 1, units) - np.log(step) for _ in range(2))
        return cls(inward, rng.uniform(-2, 2, units), leak, strength, rng.normal(size=units))

    @property
    def units(self) -> int:
        return len(self.bias)

    def advance(self, h: Any, x: Any, step: Any, xp: Any = np) -> Any:
        part, leak, strength = step / UNFOLDS, xp.exp(self.leak), xp.exp(self.strength)
        for _ in range(UNFOLDS):
            f = strength * sigmoid(xp.concatenate([x, h], axis=-1) @ self.inward + self.bias, xp)
            h = (h + part * f * self.target) / (1 + part * (leak + f))
        return h

    def slopes(self, h: Array, x: Array, step: float) -> tuple[Array, Array]:
        part, leak, strength, channels = step / UNFOLDS, np.exp(self.leak), np.exp(self.strength), x.shape[-1]
        by_h = np.broadcast_to(np.eye(self.units), (*h.shape, self.units))
        by_x = np.zeros((*h.shape, channels))
        for _ in range(UNFOLDS):
            s = sigmoid(np.concatenate([x, h], axis=-1) @ self.inward + self.bias, np)
            f = strength * s
            below = 1 + part * (leak + f)
            after = (h + part * f * self.target) / below
            by_f = (part * (self.target - after) / below * f * (1 - s))[..., None]
            own = by_f * self.inward[channels:].T + np.eye(self.units) / below[..., None]
            by_x = own @ by_x + by_f * self.inward[:channels].T
            by_h = own @ by_h
            h = after
        return by_h, by_x


def sigmoid(x: Any, xp: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + xp.tanh(0.5 * x))
