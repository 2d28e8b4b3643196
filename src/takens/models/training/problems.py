"""What is trained: a loss with its gradient, and a held-out statistic by which the result is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from ..base import Array

Parameters = dict[str, Any]
"""Arrays of float64 by name; NumPy outside of JAX programs."""


@dataclass(frozen=True)
class Moment:
    """Where in the training an update stands: epochs and updates before it, and the share of the training before it.

    `values` are the problem's own adaptive numbers (a forcing strength, say), which checkpoints keep.
    """

    epoch: int
    update: int
    share: float
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


class Problem(ABC):
    """What both kinds share. Problems are frozen dataclasses of arrays and plain values, so that a checkpoint can tell
    whether it belongs to them. Everything random comes from the generator that is handed in."""

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> Parameters:
        """Parameters before the first update."""

    @abstractmethod
    def batch(self, rng: np.random.Generator, moment: Moment) -> Any:
        """What one update sees: windows of data or their start rows, noise, a strength that is annealed, ...

        The same generator draws all batches of an epoch, in order. `moment.values` are those after the last epoch.
        """

    @abstractmethod
    def judge(self, parameters: Parameters) -> float:
        """A statistic of free runs on held-out data, the lower the better; infinite for a run that breaks down.

        It chooses the epoch and the seed whose parameters are kept, and ends the training where it stops improving.
        """

    def after(self, parameters: Parameters) -> Parameters:
        """The parameters put back where they are allowed, after each update; unchanged if this is not written."""
        return parameters

    def jacobians(self, parameters: Parameters, batch: Any) -> Array | None:
        """Jacobians `(sequence, time, state, state)` of one step along the roll-outs of a batch, as they are forced.

        Where it is written the training warns when gradients through the roll-out carry no information.
        """
        return None


class Compiled(Problem):
    """A problem that computes its gradient itself, in compiled code over NumPy arrays that releases the GIL."""

    @abstractmethod
    def gradient(self, parameters: Parameters, batch: Any, moment: Moment) -> tuple[float, Parameters]:
        """The loss of a batch and its gradient by every parameter. Must not change `parameters`."""

    def values(self) -> dict[str, float]:
        """Adaptive numbers at the start, such as a forcing strength; none if this is not written."""
        return {}

    def adapt(self, parameters: Parameters, batch: Any, moment: Moment) -> Mapping[str, float]:
        """The adaptive numbers for this update, called before its gradient; unchanged if this is not written.

        To estimate anew at every k-th update, return `moment.values` unless `moment.update % k == 0`.
        """
        return moment.values


class Traced(Problem):
    """A problem whose loss is written in `jax.numpy`; gradient, compilation and seeds at once come from JAX.

    `batch` gives a dict or tuple of NumPy arrays whose shapes never change. `loss` and `after` are traced: they import
    `jax.numpy` inside, and depend on the fields of the problem only.
    """

    @abstractmethod
    def loss(self, parameters: Parameters, batch: Any) -> Any:
        """The loss of a batch, a scalar of `jax.numpy`."""

    def key(self) -> Hashable | None:
        """What `loss` and `after` depend on besides their arguments, so that trainings on other data compile nothing.

        A tuple of plain settings; None if this is not written: each training is compiled for itself (seconds).
        """
        return None
