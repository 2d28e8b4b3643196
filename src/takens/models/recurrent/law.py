"""A trained linear recurrent network as a law: recurrent, in NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from ..base import Array, RecursiveLaw
from ..training import Parameters
from .network import RecurrentNetwork


@final
@dataclass(frozen=True)
class RecurrentLaw(RecursiveLaw):
    """x' = x + growth N(x, s), s' = L(x) s + B(x): a network N around a recurrence that is linear in its state.

    The state is [standardised row, predicted increments, states of the blocks], complex modes as real and imaginary
    parts; before the first of `context` rows of history it is at rest, as if that row had always been.
    `growth (channel,)` is the usual increment in standardised units, zero for a constant channel. `names` and `weights`
    are the parameters of `network`.
    """

    network: RecurrentNetwork
    context: int
    mean: Array
    scale: Array
    growth: Array
    names: tuple[str, ...]
    weights: tuple[Array, ...]

    @property
    def memory(self) -> int:
        return self.context

    @cached_property
    def _ready(self) -> Parameters:
        return self.network.ready(dict(zip(self.names, self.weights, strict=True)), np)

    def init(self, history: Array) -> Array:
        rows = history[:, -self.context :]
        state = self._at_rest(rows[:, 0])
        for t in range(self.context):
            state = self.feed(state, rows[:, t])
        return state

    def step(self, state: Array) -> Array:
        channels = len(self.mean)
        ahead = state[:, :channels] + self.growth * state[:, channels : 2 * channels]
        return ahead * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        standard = (values - self.mean) / self.scale
        inner, ahead = self.network.step(self._ready, state[:, 2 * len(self.mean) :], standard, np)
        return np.concatenate([standard, ahead, inner], axis=1)

    def slopes(self, state: Array) -> Array:
        members, size, channels = *state.shape, len(self.mean)
        # Displacements of the state, one a row, and what they do to the row that is predicted and fed back.
        one = np.broadcast_to(np.eye(size), (members, size, size))
        row = one[..., :channels] + self.growth * one[..., channels : 2 * channels]
        standard = (self.step(state) - self.mean) / self.scale
        inner, ahead = self.network.tangent(
            self._ready, state[:, 2 * channels :], standard, one[..., 2 * channels :], row
        )
        return np.concatenate([row, ahead, inner], axis=2).swapaxes(1, 2)

    def _at_rest(self, values: Array) -> Array:
        standard = (values - self.mean) / self.scale
        return np.concatenate([standard, 0 * standard, self.network.rest(self._ready, standard, np)], axis=1)

    def with_weights(self, parameters: Parameters) -> RecurrentLaw:
        """The same law with other weights of the network."""
        names = tuple(sorted(parameters))
        return replace(self, names=names, weights=tuple(np.array(parameters[name]) for name in names))

    def misfits(self, stretches: Sequence[Array]) -> tuple[Array, ...]:
        """Errors `(row, channel)` of one step along standardised stretches, the first `context` rows left out."""
        found = []
        for rows in stretches:
            values, path = rows * self.scale + self.mean, np.empty(rows.shape)
            state = self._at_rest(values[:1])
            for t in range(len(rows)):
                path[t] = (self.step(state)[0] - self.mean) / self.scale
                state = self.feed(state, values[t : t + 1])
            found.append((rows - path)[min(self.context, len(rows) - 1) :])
        return tuple(found)
