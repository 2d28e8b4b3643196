"""Standardised targets and inputs of trajectories with gaps, and their last rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base import Array, Training, scale_of


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of targets and inputs, over the values that are there."""

    center: Array
    scale: Array
    input_center: Array
    input_scale: Array

    @classmethod
    def of(cls, training: Training) -> Scaling:
        """The scaling of all rows."""
        found = [scale_of(column[np.isfinite(column)][:, None]) for column in training.stacked.T]
        center, scale = (np.concatenate([pair[k] for pair in found]) for k in (0, 1))
        n = training.targets
        return cls(center[:n], scale[:n], center[n:], scale[n:])

    def targets(self, training: Training) -> list[Array]:
        """The standardised targets of each trajectory, with NaN where one is missing."""
        n = len(self.center)
        return [(piece[:, :n] - self.center) / self.scale for piece in training.stretches]

    def inputs(self, training: Training) -> list[Array]:
        """The standardised inputs of each trajectory; a missing one counts as the mean."""
        n = len(self.center)
        rest = [(piece[:, n:] - self.input_center) / self.input_scale for piece in training.stretches]
        return [np.where(np.isfinite(piece), piece, 0.0) for piece in rest]


def latest(pieces: Sequence[Array], inputs: Sequence[Array], rows: int) -> tuple[list[Array], list[Array]]:
    """The last `rows` rows of the trajectories and of their inputs; the first of them is shortened."""
    short: list[Array] = []
    given: list[Array] = []
    for piece, known in zip(reversed(pieces), reversed(inputs), strict=True):
        if rows < 2:
            break
        short.insert(0, piece[-rows:])
        given.insert(0, known[-rows:])
        rows -= len(piece)
    return short, given


def bridged(piece: Array) -> Array:
    """Missing values on straight lines between the others, for finding seasons only."""
    time = np.arange(len(piece))
    columns = []
    for column in piece.T:
        there = np.isfinite(column)
        columns.append(np.interp(time, time[there], column[there]) if there.any() else np.zeros(len(piece)))
    return np.stack(columns, axis=1)
