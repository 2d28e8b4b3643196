"""Learning rates over the course of a training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import final

import numpy as np

from ...errors import SettingError
from ..base import Array


@dataclass(frozen=True)
class Schedule(ABC):
    """The learning rate as a function of the share of the training that is over, 0 at the start and 1 at the end."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            share = field.name in ("warm", "decay")
            if not 0 <= value <= (1 if share else np.inf) or (value == 0 and not share):
                wanted = "in [0, 1]" if share else "positive"
                raise SettingError(f"{field.name} must be {wanted}, got {value}", place=type(self).__name__)

    @abstractmethod
    def rates(self, shares: Array) -> Array:
        """Learning rates `(update,)` at `shares (update,)` of the training."""


@final
@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    rate: float = 1e-3

    def rates(self, shares: Array) -> Array:
        return np.full(shares.shape, self.rate)


@final
@dataclass(frozen=True)
class Exponential(Schedule):
    """From `first` to `last` by the same factor in each update: r(s) = first (last / first)^s."""

    first: float = 1e-3
    last: float = 1e-5

    def rates(self, shares: Array) -> Array:
        return self.first * (self.last / self.first) ** shares


@final
@dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    """Linear from 0 to `peak` over the share `warm`, constant, then linear down to `last` over the share `decay`.

    The constant part may be prolonged at will, which suits trainings of unknown length.
    Source: Hu et al., MiniCPM, arXiv 2404.06395 (2024).
    """

    peak: float = 1e-3
    last: float = 1e-6
    warm: float = 0.02
    decay: float = 0.2

    def rates(self, shares: Array) -> Array:
        rise = shares / self.warm if self.warm else np.ones(shares.shape)
        fall = np.clip((1 - shares) / self.decay, 0, 1) if self.decay else np.ones(shares.shape)
        return np.where(rise < 1, self.peak * rise, self.last + (self.peak - self.last) * fall)
