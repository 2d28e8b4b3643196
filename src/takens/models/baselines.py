"""The simplest hypotheses, which every other model has to beat: persistence, drift, climatology."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from .base import Array, Known, Law, Model, Training, thinned

RECORD = 20_000
"""Rows of training data that a law keeps to draw past changes or past values from."""


@final
@dataclass(frozen=True)
class WalkLaw(Law):
    """The last value plus `slope (channel,)` a step; spread from changes over the same number of steps in the past.

    A member follows one stretch of the `record (row, channel)`: x_T + h slope +- (r_(s+h) - r_s - h slope), with a
    start `s` and a sign drawn at random, so that its spread at h is that of h-step changes, whatever their
    distribution and memory. `edges` are the rows where the stretches of the record begin and end.
    """

    slope: Array
    record: Array
    edges: NDArray[np.int64]

    @property
    def memory(self) -> int:
        return 1

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        trend = np.arange(1, horizon + 1)[:, None] * self.slope
        path = np.repeat((history[-1] + trend)[None], members, axis=0)
        if rng is None:
            return path
        block = min(horizon, max(1, int(np.diff(self.edges).max() - 1) * 2 // 3))
        steps = np.arange(1, block + 1)
        starts = block_starts(self.edges, block)
        for first in range(0, horizon, block):
            begin = starts[rng.integers(len(starts), size=members)]
            change = self.record[begin[:, None] + steps] - self.record[begin][:, None] - steps[:, None] * self.slope
            change *= rng.choice([-1.0, 1.0], size=(members, 1, 1))
            path[:, first : first + block] += change[:, : horizon - first]
            # Beyond the length of the record another stretch of changes follows on where the last one ended.
            path[:, first + block :] += change[:, -1:]
        return path


@final
@dataclass(frozen=True)
class Persistence(Model):
    """The future is the last value: x_(T+h) = x_T; spread from past changes over h steps.

    Use it as the reference at short range. Not for series with a strong cycle. Cost O(N) to fit, O(members x horizon)
    to forecast.
    """

    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> Law:
        record, edges = recorded(training)
        slope = np.zeros(record.shape[1])
        return WalkLaw(training.signature, *training.closing(1), slope=slope, record=record, edges=edges)


@final
@dataclass(frozen=True)
class Drift(Model):
    """The future goes on along the mean slope of the past: x_(T+h) = x_T + h mean(x_(t+1) - x_t).

    The random walk with drift (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 5.2). Cost as for
    `Persistence`. Not for stationary series at long range.
    """

    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> Law:
        record, edges = recorded(training)
        steps = sum(len(piece) - 1 for piece in training.stretches)
        slope = sum((piece[-1] - piece[0] for piece in training.stretches), np.zeros(record.shape[1])) / steps
        return WalkLaw(training.signature, *training.closing(1), slope=slope, record=record, edges=edges)


@final
@dataclass(frozen=True)
class ClimatologyLaw(Law):
    """Independent draws of whole rows from `record (row, channel)`; noise-free: `mean (channel,)`."""

    mean: Array
    record: Array

    @property
    def memory(self) -> int:
        return 1

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        if rng is None:
            return np.broadcast_to(self.mean, (members, horizon, len(self.mean))).copy()
        return self.record[rng.integers(len(self.record), size=(members, horizon))]


@final
@dataclass(frozen=True)
class Climatology(Model):
    """The future is a draw from everything seen before, whatever the present; noise-free it is the mean.

    Rows are drawn whole, so channels keep their dependence, and independently, so members have no memory: sums over
    time come out too narrow. Use it as the reference at long range. Cost O(N) to fit.
    """

    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> Law:
        rows = training.stacked
        return ClimatologyLaw(
            training.signature, *training.closing(1), mean=rows.mean(axis=0), record=thinned(rows, RECORD)
        )


def recorded(training: Training) -> tuple[Array, NDArray[np.int64]]:
    """The last rows of the training data one after the other, and where its stretches begin and end."""
    kept = training.latest(RECORD)
    return kept.stacked, np.concatenate([[0], np.cumsum([len(piece) for piece in kept.stretches])]).astype(np.int64)


def block_starts(edges: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Rows of a record after which `block` more rows follow without a gap."""
    return np.concatenate([np.arange(a, b - block) for a, b in itertools.pairwise(edges)])
