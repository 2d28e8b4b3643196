"""The law that a piecewise-linear recurrent network has learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from ..base import Array, RecursiveLaw
from .maps import AlmostLinearMap, ShallowMap


@final
@dataclass(frozen=True)
class PiecewiseLinearLaw(RecursiveLaw):
    """z_(t+1) = F(z_t + gain P (x_t - B z_t), s_t): a piecewise-linear map F that is corrected by what was observed.

    x are the channels, standardised by `mean` and `scale (channel,)`, s the known inputs among them. `observation
    (channel, unit)` is B and `inverse (unit, channel)` its pseudo-inverse P. With gain 1 what was observed replaces
    what was predicted; a smaller one, for noisy data, makes a filter of it. Before the first of `warm_up` rows the
    units are `start (unit, channel)` times that row. In a free run nothing corrects, and z_(t+1) = F(z_t, s_t).

    The state of the recursion is F's last value and the inputs. Units that are channels (the first, unless `hidden`)
    and inputs are in units of the data there. `score` is sqrt(D_stsp D_H) of a free run against held-out data.
    """

    map: AlmostLinearMap | ShallowMap
    observation: Array
    inverse: Array
    start: Array
    mean: Array
    scale: Array
    hidden: bool
    gain: float
    warm_up: int
    score: float

    @property
    def memory(self) -> int:
        return self.warm_up

    @property
    def size(self) -> int:
        """The number of fitted numbers: of the map, of B and of the start where they were learned."""
        units, channels = len(self.map.decay), len(self.observation)
        return self.map.size + (self.observation.size if self.hidden else (units - channels) * channels)

    def init(self, history: Array) -> Array:
        rows = (history[:, -self.warm_up :] - self.mean) / self.scale
        known = len(self.observation)
        state = self._shown(rows[:, 0, :known] @ self.start.T, rows[:, 0, known:])
        for t in range(self.warm_up):
            state = self.feed(state, history[:, history.shape[1] - self.warm_up + t])
        return state

    def step(self, state: Array) -> Array:
        units, inputs = self.parted(state)
        return np.concatenate([units @ self.observation.T, inputs], axis=1) * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        units, _ = self.parted(state)
        standard = (values - self.mean) / self.scale
        known = len(self.observation)
        error = standard[:, :known] - units @ self.observation.T
        inputs = standard[:, known:]
        return self._shown(self.map(units + self.gain * (error @ self.inverse.T), inputs), inputs)

    def slopes(self, state: Array) -> Array:
        units, _ = self.parted(state)
        count, inputs = len(self.map.decay), len(self.mean) - len(self.observation)
        slopes = np.zeros((len(state), count + inputs, count + inputs))
        slopes[:, :count, :count] = self.map.slopes(units)
        slopes[:, :count, count:] = self.map.drive
        slopes[:, count:, count:] = np.eye(inputs)
        spread = self._frame[1]
        return slopes * spread[:, None] / spread

    def parted(self, state: Array) -> tuple[Array, Array]:
        """The units `(member, unit)` on which F acts and the standardised inputs `(member, input)` of states."""
        centre, spread = self._frame
        standard = (state - centre) / spread
        return standard[:, : len(self.map.decay)], standard[:, len(self.map.decay) :]

    def values(self, units: Array) -> Array:
        """The channels `(..., channel)`, without inputs, that units `(..., unit)` stand for."""
        known = len(self.observation)
        return units @ self.observation.T * self.scale[:known] + self.mean[:known]

    @cached_property
    def _frame(self) -> tuple[Array, Array]:
        """Centre and spread by which the state is standardised."""
        known = 0 if self.hidden else len(self.observation)
        inner = len(self.map.decay) - known
        target = len(self.observation)
        centre = np.concatenate([self.mean[:known], np.zeros(inner), self.mean[target:]])
        return centre, np.concatenate([self.scale[:known], np.ones(inner), self.scale[target:]])

    def _shown(self, units: Array, inputs: Array) -> Array:
        centre, spread = self._frame
        return np.concatenate([units, inputs], axis=1) * spread + centre
