"""The two piecewise-linear maps: almost linear, and shallow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..base import Array


@final
@dataclass(frozen=True)
class AlmostLinearMap:
    """F(z, s) = decay z + weights f(z) + bias + drive s, f the identity on all units but the last `relus`.

    On those f is max(z, 0). `decay (unit,)` stands for a diagonal matrix, `weights (unit, unit)`, `bias (unit,)`,
    `drive (unit, input)` for known inputs s. There are 2^relus linear regions.
    """

    decay: Array
    weights: Array
    bias: Array
    drive: Array
    relus: int

    def __call__(self, states: Array, inputs: Array) -> Array:
        """The next states `(..., unit)` for `states (..., unit)` and `inputs (..., input)`."""
        shown = states.copy()
        linear = len(self.decay) - self.relus
        shown[..., linear:] = np.maximum(shown[..., linear:], 0.0)
        return self.decay * states + shown @ self.weights.T + self.bias + inputs @ self.drive.T

    def slopes(self, states: Array) -> Array:
        """The Jacobians `(..., unit, unit)` by the states."""
        factors = np.ones(states.shape)
        factors[..., len(self.decay) - self.relus :] = self.regions(states)
        return np.diag(self.decay) + self.weights * factors[..., None, :]

    def regions(self, states: Array) -> NDArray[np.bool_]:
        """Which of the rectified units `(..., relus)` are on."""
        return states[..., len(self.decay) - self.relus :] > 0

    @property
    def size(self) -> int:
        """The number of fitted numbers."""
        return self.decay.size + self.weights.size + self.bias.size + self.drive.size


@final
@dataclass(frozen=True)
class ShallowMap:
    """F(z, s) = decay z + outer [max(inner z + thresholds, 0) - max(inner z, 0)] + bias + drive s if `clipped`.

    Without `clipped` the second maximum is missing. `decay (unit,)` stands for a diagonal matrix, `outer (unit,
    hidden)`, `inner (hidden, unit)`, `thresholds (hidden,)`, `bias (unit,)`, `drive (unit, input)` for known inputs s.
    The clipped map is bounded where |decay| < 1.
    """

    decay: Array
    outer: Array
    inner: Array
    bias: Array
    thresholds: Array
    drive: Array
    clipped: bool

    def __call__(self, states: Array, inputs: Array) -> Array:
        """The next states `(..., unit)` for `states (..., unit)` and `inputs (..., input)`."""
        heard = states @ self.inner.T
        hidden = np.maximum(heard + self.thresholds, 0.0)
        if self.clipped:
            hidden -= np.maximum(heard, 0.0)
        return self.decay * states + hidden @ self.outer.T + self.bias + inputs @ self.drive.T

    def slopes(self, states: Array) -> Array:
        """The Jacobians `(..., unit, unit)` by the states."""
        heard = states @ self.inner.T
        gates = (heard + self.thresholds > 0).astype(np.float64)
        if self.clipped:
            gates -= heard > 0
        return np.diag(self.decay) + (self.outer * gates[..., None, :]) @ self.inner

    def regions(self, states: Array) -> NDArray[np.bool_]:
        """Which maxima `(..., hidden)`, or `(..., 2 hidden)` if clipped, are on: first those with thresholds."""
        heard = states @ self.inner.T
        on = heard + self.thresholds > 0
        return np.concatenate([on, heard > 0], axis=-1) if self.clipped else on

    @property
    def size(self) -> int:
        """The number of fitted numbers."""
        arrays = (self.decay, self.outer, self.inner, self.bias, self.thresholds, self.drive)
        return sum(array.size for array in arrays)
