"""The network around a linear recurrence: encoder, blocks of norm, recurrence and gate, and a head for increments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ..base import Array
from ..training import Parameters
from .backbones import Backbone


@final
@dataclass(frozen=True)
class RecurrentNetwork:
    """h = x E + e; in each block h += gate(recurrence(norm(h))); increments = h W + b.

    norm(h) = g h / root mean square of h; gate(y) = (v V + a) sigmoid(v G + c) with v = gelu(y). All but the recurrence
    acts on one time at once, so the same lines serve a step in NumPy and a sequence in JAX.
    """

    backbone: Backbone
    layers: int
    channels: int

    @property
    def size(self) -> int:
        """Real numbers in the state of all blocks."""
        return self.layers * self.backbone.size

    def initial(self, rng: np.random.Generator) -> Parameters:
        """Weights before training; the head starts small, so that a run starts as persistence."""
        width = self.backbone.width
        p: Parameters = {
            "encode": rng.normal(size=(self.channels, width)) / np.sqrt(self.channels), "shift": np.zeros(width),
            "head": 0.1 * rng.normal(size=(width, self.channels)) / np.sqrt(width), "offset": np.zeros(self.channels),
        }  # fmt: skip
        for layer in range(self.layers):
            gate = {
                "norm": np.ones(width), "value": rng.normal(size=(width, width)) / np.sqrt(width),
                "base": np.zeros(width), "gate": rng.normal(size=(width, width)) / np.sqrt(width),
                "open": np.zeros(width),
            }  # fmt: skip
            block = gate | self.backbone.initial(rng)
            p |= {f"{layer}.{name}": np.asarray(value, dtype=np.float64) for name, value in block.items()}
        return p

    def ready(self, p: Parameters, xp: Any) -> Parameters:
        """What `step` and `sequence` take: the weights with the recurrences discretised."""
        q = dict(p)
        for layer in range(self.layers):
            begin = f"{layer}."
            own = {name.removeprefix(begin): value for name, value in p.items() if name.startswith(begin)}
            q[begin] = own | self.backbone.ready(own, xp)
        return q

    def rest(self, q: Parameters, x: Any, xp: Any) -> Any:
        """The state `(batch, size)` after rows that have always been `x (batch, channel)`."""
        h, states = x @ q["encode"] + q["shift"], []
        for layer in range(self.layers):
            block = q[f"{layer}."]
            u = _norm(block, h, xp)
            states.append(self.backbone.rest(block, u, xp))
            h = h + _gated(block, self.backbone.step(block, states[-1], u, xp)[1], xp)
        return xp.concatenate(states, axis=-1)

    def step(self, q: Parameters, state: Any, x: Any, xp: Any) -> tuple[Any, Any]:
        """The state `(batch, size)` after a row `(batch, channel)` of standardised values, and the increments."""
        h, size, states = x @ q["encode"] + q["shift"], self.backbone.size, []
        for layer in range(self.layers):
            block = q[f"{layer}."]
            new, y = self.backbone.step(block, state[:, layer * size : (layer + 1) * size], _norm(block, h, xp), xp)
            states.append(new)
            h = h + _gated(block, y, xp)
        return xp.concatenate(states, axis=-1), h @ q["head"] + q["offset"]

    def tangent(self, q: Parameters, state: Array, x: Array, moved: Array, dx: Array) -> tuple[Array, Array]:
        """What a step does to displacements `moved (batch, direction, size)` and `dx (batch, direction, channel)`."""
        h, dh, size, found = x @ q["encode"] + q["shift"], dx @ q["encode"], self.backbone.size, []
        for layer in range(self.layers):
            block, own = q[f"{layer}."], slice(layer * size, (layer + 1) * size)
            u = _norm(block, h, np)
            root = np.sqrt((h**2).mean(axis=-1, keepdims=True) + 1e-6)[:, None]
            along = (h[:, None] * dh).mean(axis=-1, keepdims=True) / root**2
            du = block["norm"] * (dh - h[:, None] * along) / root
            y = self.backbone.step(block, state[:, own], u, np)[1]
            new, dy = self.backbone.tangent(block, state[:, own], u, moved[..., own], du)
            found.append(new)
            h, dh = h + _gated(block, y, np), dh + _gate_tangent(block, y, dy)
        return np.concatenate(found, axis=-1), dh @ q["head"]

    def sequence(self, q: Parameters, x: Any, xp: Any) -> tuple[Any, Any]:
        """Increments `(batch, time, channel)` after each row `x` from rest, and the last state."""
        h, states = x @ q["encode"] + q["shift"], []
        for layer in range(self.layers):
            block = q[f"{layer}."]
            y, last = self.backbone.sequence(block, _norm(block, h, xp))
            states.append(last)
            h = h + _gated(block, y, xp)
        return h @ q["head"] + q["offset"], xp.concatenate(states, axis=-1)


def _norm(q: Parameters, h: Any, xp: Any) -> Any:
    return q["norm"] * h / xp.sqrt((h**2).mean(axis=-1, keepdims=True) + 1e-6)


def _gated(q: Parameters, y: Any, xp: Any) -> Any:
    """The gated linear unit after gelu in its tanh form (Hendrycks & Gimpel, arXiv 1606.08415)."""
    v = 0.5 * y * (1 + xp.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    # The sigmoid by tanh, which does not overflow.
    return (v @ q["value"] + q["base"]) * 0.5 * (1 + xp.tanh(0.5 * (v @ q["gate"] + q["open"])))


def _gate_tangent(q: Parameters, y: Array, dy: Array) -> Array:
    bend = np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3))
    v = 0.5 * y * (1 + bend)
    steep = 0.5 * (1 + bend) + 0.5 * y * (1 - bend**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * y**2)
    dv, share = steep[:, None] * dy, 0.5 * (1 + np.tanh(0.5 * (v @ q["gate"] + q["open"])))[:, None]
    value = (v @ q["value"] + q["base"])[:, None]
    return dv @ q["value"] * share + value * share * (1 - share) * (dv @ q["gate"])
