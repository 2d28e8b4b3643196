"""What reservoir computers share: a fixed random network driven by the data, and a ridge read-out of its states."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .base import Array, RecursiveLaw, Training, guard_box, scale_of, thinned
from .ridge import Factors, Readout

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LINKS = 6
"""Units that each unit hears from."""
WARM_UP = 100
"""Rows that a network is driven with before a forecast, so that it forgets where it started."""


@dataclass(frozen=True)
class ReservoirLaw(RecursiveLaw):
    """u_t = F(u_(t-1), V x_t + b), x_(t+1) = x_t + scale A [x_t, u_t with every second unit squared].

    The state `(member, channel + unit)` holds the standardised row and the units. V is `inputs (channel, unit)`, b
    `bias (unit,)`. A concrete law gives F and its derivatives; the first `hidden` units are not read out.
    """

    warm_up: int
    ridge: float
    inputs: Array
    bias: Array
    mean: Array
    scale: Array
    readout: Readout

    @property
    @abstractmethod
    def hidden(self) -> int:
        """How many of the units, the first ones, the read-out does not see."""

    @abstractmethod
    def driven(self, units: Array, pushed: Array) -> Array:
        """The next units `(member, unit)` after `units`, with inputs and bias `pushed (member, unit)`."""

    @abstractmethod
    def driven_slopes(self, units: Array, pushed: Array) -> tuple[Array, Array]:
        """The derivatives of `driven` by the units and by what is pushed `(member, unit, unit)`, each."""

    @property
    def memory(self) -> int:
        return self.warm_up

    def init(self, history: Array) -> Array:
        standard = (history[:, -self.warm_up :] - self.mean) / self.scale
        pushed = standard @ self.inputs + self.bias
        units = np.zeros((len(history), len(self.bias)))
        for t in range(pushed.shape[1]):
            units = self.driven(units, pushed[:, t])
        return np.concatenate([standard[:, -1], units], axis=1)

    def step(self, state: Array) -> Array:
        channels = len(self.mean)
        increments = self.readout(features(state, channels, self.hidden))
        return (state[:, :channels] + increments) * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        standard = (values - self.mean) / self.scale
        units = self.driven(state[:, len(self.mean) :], standard @ self.inputs + self.bias)
        return np.concatenate([standard, units], axis=1)

    def slopes(self, state: Array) -> Array:
        """The Jacobian `(member, state, state)` of one step of row and units, exact."""
        channels = len(self.mean)
        seen = np.r_[:channels, channels + self.hidden : state.shape[1]]
        bent = np.ones((len(state), len(seen)))
        bent[:, channels::2] = 2 * state[:, seen[channels::2]]
        rows = np.zeros((len(state), channels, state.shape[1]))
        rows[:, :, seen] = bent[:, None, :] * self.readout.gains.T
        rows[:, :, :channels] += np.eye(channels)
        standard = (self.step(state) - self.mean) / self.scale
        by_units, by_push = self.driven_slopes(state[:, channels:], standard @ self.inputs + self.bias)
        units = by_push @ self.inputs.T @ rows
        units[:, :, channels:] += by_units
        return np.concatenate([rows, units], axis=1)


@dataclass(frozen=True)
class Driving:
    """The rows that drive a network and what follows them, standardised; the first rows of a stretch only warm up.

    `pieces` are the stretches, `keep` the rows of each that enter the regression, `now` and `increments (sample,
    channel)` these rows and the changes to the next ones.
    """

    pieces: tuple[Array, ...]
    keep: tuple[slice, ...]
    now: Array
    increments: Array
    mean: Array
    scale: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, training: Training, warm_up: int) -> Driving:
        """All rows of the training data."""
        rows = training.stacked
        mean, scale = scale_of(rows)
        pieces = tuple((piece - mean) / scale for piece in training.stretches)
        keep = tuple(slice(min(warm_up, len(piece) // 3), len(piece) - 1) for piece in pieces)
        now = np.concatenate([piece[k] for piece, k in zip(pieces, keep, strict=True)])
        after = np.concatenate([p[k.start + 1 : k.stop + 1] for p, k in zip(pieces, keep, strict=True)])
        return cls(pieces, keep, now, after - now, mean, scale, *guard_box(rows))

    def readouts(self, states: Sequence[Array], ridges: Sequence[float]) -> Iterator[tuple[float, Readout, Array]]:
        """(ridge, read-out, residuals) for the units `(time, unit)` of each piece that the read-out sees."""
        units = np.concatenate([piece[k] for piece, k in zip(states, self.keep, strict=True)])
        given = features(np.concatenate([self.now, units], axis=1), self.now.shape[1])
        factors = Factors.of(given, self.increments)
        for ridge in ridges:
            readout = factors.solve(ridge)
            yield ridge, readout, thinned((self.increments - readout(given)) * self.scale)


def features(state: Array, channels: int, hidden: int = 0) -> Array:
    """What the read-out sees of `state (sample, channel + unit)`: every second unit squared, the hidden ones left out.

    The squares break the symmetry of the network, f(-x) = -f(x) but for the bias (Lu et al., Chaos 27, 041102, 2017).
    """
    given = np.concatenate([state[:, :channels], state[:, channels + hidden :]], axis=1)
    given[:, channels::2] **= 2
    return given


def network(rng: np.random.Generator, units: int, heard: int | None = None) -> tuple[NDArray[np.int64], Array]:
    """`links (unit, k)` to the units that each hears from, and `weights (unit, k)`, uniform.

    Within one population the spectral radius is 1; of `heard` other units the weights have variance 1 / k.
    """
    links = np.stack([rng.permutation(heard or units)[: min(LINKS, heard or units)] for _ in range(units)])
    weights = rng.uniform(-1, 1, links.shape)
    if heard is not None:
        return links, weights * np.sqrt(3 / links.shape[1])
    dense = np.zeros((units, units))
    np.put_along_axis(dense, links, weights, axis=1)
    return links, weights / np.abs(np.linalg.eigvals(dense)).max()


def sparse(links: NDArray[np.int64], weights: Array, heard: int | None = None) -> csr_array:
    """The matrix `(unit, heard)` with `weights` from the units in `links` to each unit."""
    from scipy.sparse import csr_array

    units, count = links.shape
    edges = np.arange(0, units * count + 1, count)
    return csr_array((weights.ravel(), links.ravel(), edges), shape=(units, heard or units))
