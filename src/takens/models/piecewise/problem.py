"""The loss of a forced network, its gradient, and its held-out statistic: what the gradient driver trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..base import Array
from ..training import Compiled, Moment, Parameters
from .judging import climate_distance
from .networks import Forced, Network, Record, flat
from .teaching import EVERY, MOST, Teaching, condition_penalty, pseudo_inverse, pseudo_inverse_slopes

MEMBERS = 8
"""Free runs that are judged, by the last quarter of each: attractors that a run leaves late are no attractors."""
PORTION = 1000
"""Rows of a free run that are held in memory with all that is inside the network."""

Batch = tuple[Array, Array]
"""Rows `(time + 1, batch, channel)`, and the same targets with input noise `(time + 1, batch, target)`."""


@final
@dataclass(frozen=True)
class Task(Compiled):
    """Mean squared error of a network that runs through sequences of the data and is drawn to them.

    `rows (time, channel)` are standardised, targets first, known inputs last; a sequence of `length` steps begins at
    one of `starts`. `principal (target, unit)` is the first guess of the read-out where that is learned; otherwise it
    has no columns and the first units are the targets. `noise` is the standard deviation of what is added to the data
    that the network is drawn to. `penalty` weighs (1 - decay)^2 and the squares of the other parameters,
    `conditioning` the condition of the read-out. `held` is a stretch of data that free runs are judged on after
    `warm_up` rows.
    """

    network: Network
    rows: Array
    starts: NDArray[np.int64]
    length: int
    batch_size: int
    targets: int
    principal: Array
    teaching: Teaching
    noise: float
    penalty: float
    conditioning: float
    held: Array
    warm_up: int

    @property
    def affine(self) -> bool:
        """Whether the read-out is learned."""
        return self.principal.shape[1] > 0

    def initial(self, rng: np.random.Generator) -> Parameters:
        parameters = self.network.initial(rng)
        if self.affine:
            return {**parameters, "observation": self.principal.copy()}
        hidden = self.network.latent - self.targets
        return {**parameters, "start": 0.1 * rng.normal(size=(hidden, self.targets))}

    def values(self) -> dict[str, float]:
        return {"strength": 1.0} if self.teaching.kind == "adaptive" else {}

    def batch(self, rng: np.random.Generator, moment: Moment) -> Batch:
        rows = self.sequences(self.starts[rng.integers(len(self.starts), size=self.batch_size)])
        targets = rows[..., : self.targets]
        return rows, targets + self.noise * rng.normal(size=targets.shape) if self.noise else targets

    def sequences(self, starts: NDArray[np.int64]) -> Array:
        """Rows `(length + 1, sequence, channel)` from each start."""
        from .kernels import gathered

        return np.asarray(gathered(self.rows, starts, self.length + 1))

    def adapt(self, parameters: Parameters, batch: Batch, moment: Moment) -> Mapping[str, float]:
        if self.teaching.kind != "adaptive" or moment.update % EVERY:
            return moment.values
        _, record = self._run(parameters, batch, moment.values["strength"])
        slopes = self.network.map(parameters).slopes(record.states[:: max(1, len(record.states) // MOST)])
        return {"strength": self.teaching.follow(moment.values["strength"], slopes)}

    def gradient(self, parameters: Parameters, batch: Batch, moment: Moment) -> tuple[float, Parameters]:
        rows, noisy = batch
        given, record = self._run(parameters, batch, moment.values.get("strength", 0.0))
        after = record.priors[1:]
        shown = after @ parameters["observation"].T if self.affine else after[..., : self.targets]
        error = shown - rows[1:, :, : self.targets]
        loss = float(np.vdot(error, error)) / error.size
        error *= 2 / error.size
        adjoints = np.zeros_like(record.priors)
        if self.affine:
            np.matmul(error, parameters["observation"], out=adjoints[1:])
        else:
            adjoints[1:, :, : self.targets] = error
        slopes, toward = self.network.back(parameters, given, record, adjoints)
        if self.affine:
            matrix = parameters["observation"]
            through = flat(toward).T @ flat(noisy[:-1]) + adjoints[0].T @ noisy[0]
            slopes["observation"] = flat(error).T @ flat(after) + pseudo_inverse_slopes(
                matrix, pseudo_inverse(matrix), through
            )
        else:
            slopes["start"] = adjoints[0, :, self.targets :].T @ noisy[0]
        return loss + self._penalise(parameters, slopes), slopes

    def judge(self, parameters: Parameters) -> float:
        count, length = min(MEMBERS, len(self.held) - self.warm_up), len(self.held)
        starts = np.linspace(0, len(self.held) - self.warm_up, count).astype(int)
        runs = self.free(parameters, starts, length)[-max(8, length // 4) :]
        return climate_distance(np.concatenate(list(np.swapaxes(runs, 0, 1))), self.held[:, : self.targets])

    def free(self, parameters: Parameters, starts: NDArray[np.int64], length: int) -> Array:
        """Free runs `(time, start, target)` of `length` rows, each after a warm-up on the held-out rows from its start.

        Known inputs are those of the held-out rows, over and over.
        """
        signals = self.held[:, self.targets :]
        first = self.held[(starts[None, :] + np.arange(self.warm_up + 1)[:, None]) % len(self.held)]
        given = self._given(parameters, first, first[..., : self.targets], np.ones(self.warm_up))
        after = self.network.run(parameters, given).priors[-1]
        found = []
        for begin in range(0, length, PORTION):
            found.append(after[None])
            count = min(PORTION, length - begin)
            rows = starts[None, :] + self.warm_up + begin + np.arange(count)[:, None]
            given = Forced(
                after, np.zeros((count, len(starts), self.network.latent)), np.zeros(count),
                np.ascontiguousarray(signals[rows % len(self.held)]),
            )  # fmt: skip
            priors = self.network.run(parameters, given).priors
            found.append(priors[1:-1])
            after = priors[-1]
        units = np.concatenate(found)
        return units @ parameters["observation"].T if self.affine else units[..., : self.targets]

    def innovations(self, parameters: Parameters, rows: Array, gain: float) -> Array:
        """One-step errors `(time, batch, target)` on `rows (time + 1, batch, channel)` of a run drawn to them."""
        targets = rows[..., : self.targets]
        given = self._given(parameters, rows, targets, np.full(len(rows) - 1, gain))
        priors = self.network.run(parameters, given).priors[1:]
        shown = priors @ parameters["observation"].T if self.affine else priors[..., : self.targets]
        return targets[1:] - shown

    def jacobians(self, parameters: Parameters, batch: Batch) -> Array:
        """Jacobians `(sequence, time, unit, unit)` of the forced steps, for the driver's warning."""
        strength = 1.0 if self.teaching.kind == "adaptive" else self.teaching.strength
        given, record = self._run(parameters, batch, strength)
        slopes = self.network.map(parameters).slopes(record.states)
        kept = np.ones((len(given.strength), self.network.latent))
        kept[:, : given.targets.shape[2]] = 1 - given.strength[:, None]
        found: Array = np.swapaxes(slopes * kept[:, None, None, :], 0, 1)
        return found

    def _run(self, parameters: Parameters, batch: Batch, strength: float) -> tuple[Forced, Record]:
        rows, noisy = batch
        given = self._given(parameters, rows, noisy, self.teaching.shares(len(rows) - 1, strength))
        return given, self.network.run(parameters, given)

    def _given(self, parameters: Parameters, rows: Array, noisy: Array, strength: Array) -> Forced:
        signals = np.ascontiguousarray(rows[:-1, :, self.targets :])
        if self.affine:
            forced = noisy[:-1] @ pseudo_inverse(parameters["observation"]).T
            return Forced(forced[0], forced, strength, signals)
        first = np.concatenate([noisy[0], noisy[0] @ parameters["start"].T], axis=1)
        return Forced(first, np.ascontiguousarray(noisy[:-1]), strength, signals)

    def _penalise(self, parameters: Parameters, slopes: Parameters) -> float:
        """The penalties; their slopes are added to `slopes`."""
        total = 0.0
        if self.penalty:
            for name in ("decay", "weights", "outer", "inner", "bias", "thresholds"):
                if name in parameters:
                    off: Any = parameters[name] - 1 if name == "decay" else parameters[name]
                    total += self.penalty * float(np.vdot(off, off))
                    slopes[name] = slopes[name] + 2 * self.penalty * off
        if self.affine and self.conditioning:
            value, slope = condition_penalty(parameters["observation"])
            total += self.conditioning * value
            slopes["observation"] = slopes["observation"] + self.conditioning * slope
        return total
