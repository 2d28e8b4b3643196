"""What of a network is fitted: first guesses, a forced run, and the gradient back through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ..base import Array
from ..training import Parameters
from .maps import AlmostLinearMap, ShallowMap


@dataclass(frozen=True)
class Forced:
    """What drives a run: `first (batch, unit)`, `targets (time, batch, forced unit)` to which the first units are drawn
    by `strength (time,)`, and known inputs `signals (time, batch, input)`."""

    first: Array
    targets: Array
    strength: Array
    signals: Array


@dataclass(frozen=True)
class Record:
    """A run: `priors (time + 1, batch, unit)`, the `states (time, batch, unit)` they were drawn to, inner arrays."""

    priors: Array
    states: Array
    inner: tuple[Array, ...]


@dataclass(frozen=True)
class Network(ABC):
    """A map with `latent` units that is to be fitted, and known `inputs` that drive it."""

    latent: int
    inputs: int

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> Parameters:
        """Parameters before the first update."""

    @abstractmethod
    def map(self, parameters: Parameters) -> Any:
        """The map that these parameters make."""

    @abstractmethod
    def run(self, parameters: Parameters, given: Forced) -> Record:
        """The forced run."""

    @abstractmethod
    def back(self, parameters: Parameters, given: Forced, record: Record, adjoints: Array) -> tuple[Parameters, Array]:
        """The slopes by the parameters, and `(time, batch, forced unit)` by the targets.

        `adjoints (time + 1, batch, unit)` are the slopes by the priors alone; they become the total ones, of which the
        first are those by `given.first`. The inner arrays of the record are used up.
        """

    def _start(self, given: Forced) -> Record:
        time, batch, _ = given.targets.shape
        priors = np.empty((time + 1, batch, self.latent))
        priors[0] = given.first
        return Record(priors, np.empty((time, batch, self.latent)), ())


def flat(rows: Array) -> Array:
    """`(time, batch, unit)` as `(time x batch, unit)`."""
    return rows.reshape(rows.shape[0] * rows.shape[1], rows.shape[2])


def decays(units: int, rng: np.random.Generator) -> Array:
    """Diagonal of a random positive definite matrix with largest eigenvalue 1: units that remember unequally long."""
    random = rng.normal(size=(units, units))
    matrix = random.T @ random / units + np.eye(units)
    return np.diag(matrix) / np.linalg.eigvalsh(matrix)[-1]


@final
@dataclass(frozen=True)
class AlmostLinear(Network):
    """An almost-linear network with `relus` rectified units."""

    relus: int

    def initial(self, rng: np.random.Generator) -> Parameters:
        return {
            "decay": decays(self.latent, rng),
            "weights": 0.01 * rng.normal(size=(self.latent, self.latent)),
            "bias": np.zeros(self.latent),
            "drive": 0.01 * rng.normal(size=(self.latent, self.inputs)),
        }

    def map(self, parameters: Parameters) -> AlmostLinearMap:
        p = {name: np.array(parameters[name]) for name in ("decay", "weights", "bias", "drive")}
        return AlmostLinearMap(**p, relus=self.relus)

    def run(self, parameters: Parameters, given: Forced) -> Record:
        from .kernels import almost_linear_run

        start = self._start(given)
        hidden = np.empty_like(start.states)
        almost_linear_run(
            parameters["decay"], np.ascontiguousarray(parameters["weights"].T), parameters["bias"],
            parameters["drive"], self.relus, given.targets, given.strength, given.signals,
            start.priors, start.states, hidden,
        )  # fmt: skip
        return Record(start.priors, start.states, (hidden,))

    def back(self, parameters: Parameters, given: Forced, record: Record, adjoints: Array) -> tuple[Parameters, Array]:
        from .kernels import almost_linear_back

        toward, decays, biases = np.empty(given.targets.shape), np.zeros(self.latent), np.zeros(self.latent)
        almost_linear_back(
            parameters["decay"], parameters["weights"], self.relus, given.strength, record.states, adjoints, toward,
            decays, biases,
        )  # fmt: skip
        after = flat(adjoints[1:])
        slopes = {
            "decay": decays,
            "bias": biases,
            "weights": after.T @ flat(record.inner[0]),
            "drive": after.T @ flat(given.signals),
        }
        return slopes, toward


@final
@dataclass(frozen=True)
class Shallow(Network):
    """A shallow network with one hidden layer of `hidden` units."""

    hidden: int
    clipped: bool

    def initial(self, rng: np.random.Generator) -> Parameters:
        wide, narrow = 1 / np.sqrt(self.hidden), 1 / np.sqrt(self.latent)
        return {
            "decay": decays(self.latent, rng),
            "outer": rng.uniform(-wide, wide, (self.latent, self.hidden)),
            "inner": rng.uniform(-narrow, narrow, (self.hidden, self.latent)),
            "bias": np.zeros(self.latent),
            "thresholds": rng.uniform(-1, 1, self.hidden) if self.clipped else np.zeros(self.hidden),
            "drive": 0.01 * rng.normal(size=(self.latent, self.inputs)),
        }

    def map(self, parameters: Parameters) -> ShallowMap:
        names = ("decay", "outer", "inner", "bias", "thresholds", "drive")
        return ShallowMap(**{name: np.array(parameters[name]) for name in names}, clipped=self.clipped)

    def run(self, parameters: Parameters, given: Forced) -> Record:
        from .kernels import shallow_run

        start = self._start(given)
        heard = np.empty((*start.states.shape[:2], self.hidden))
        hidden = np.empty_like(heard)
        shallow_run(
            parameters["decay"], np.ascontiguousarray(parameters["outer"].T),
            np.ascontiguousarray(parameters["inner"].T), parameters["bias"], parameters["thresholds"], self.clipped,
            parameters["drive"], given.targets, given.strength, given.signals, start.priors, start.states,
            heard, hidden,
        )  # fmt: skip
        return Record(start.priors, start.states, (heard, hidden))

    def back(self, parameters: Parameters, given: Forced, record: Record, adjoints: Array) -> tuple[Parameters, Array]:
        from .kernels import shallow_back

        toward, thresholds = np.empty(given.targets.shape), np.zeros(self.hidden)
        decays, biases = np.zeros(self.latent), np.zeros(self.latent)
        heard, hidden = record.inner
        shallow_back(
            parameters["decay"], parameters["outer"], parameters["inner"], parameters["thresholds"], self.clipped,
            given.strength, record.states, heard, adjoints, toward, decays, biases, thresholds,
        )  # fmt: skip
        after = flat(adjoints[1:])
        slopes = {
            "decay": decays,
            "bias": biases,
            "drive": after.T @ flat(given.signals),
            "outer": after.T @ flat(hidden),
            "inner": flat(heard).T @ flat(record.states),
            "thresholds": thresholds,
        }
        return slopes, toward
