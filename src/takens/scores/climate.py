"""What a score of long runs works on: a generated and a true trajectory, whole, without matching them in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData
from ..series import Series, as_series
from .base import Array, Score

CLIMATE: dict[str, ClimateScore] = {}
"""The scores of long runs that every study computes, by name."""

INVARIANTS: dict[str, ClimateScore] = {}
"""Further scores of long runs, of dynamical invariants: they need more data, cost more, and may be undefined."""


@dataclass(frozen=True)
class Runs:
    """A `generated (time, channel)` run beside the `true (time, channel)` one, sampled every `interval`.

    `true` lies on its full grid with NaN where values are missing; `broken` is the first row of the generated run that
    is not finite, None for a sound run. `delay` (rows) unfolds a single channel.
    """

    generated: Array
    true: Array
    interval: float
    broken: int | None
    delay: int | None

    @classmethod
    def of(cls, generated: Series | ArrayLike, true: Series | ArrayLike, delay: int | None = None) -> Runs:
        """Check the runs against each other. Raises `DataError` for differing channels or intervals and irregular
        truth, `InsufficientData` for runs of fewer than 8 rows."""
        truth = as_series(true, name="truth").gridded()
        interval, clock = truth.interval, truth.clock
        if isinstance(generated, Series):
            if generated.channels != truth.channels:
                raise DataError(f"the run has channels {', '.join(generated.channels)}, the truth {truth.channels}")
            same = generated.clock.unit == clock.unit and abs(generated.interval / interval - 1) < 0.01
            if isinstance(true, Series) and not same:
                raise DataError(
                    f"the run has an interval of {generated.interval:g} {generated.clock.unit}, the truth of "
                    f"{interval:g} {clock.unit}"
                )
            run = np.asarray(generated.values)
        else:
            run = np.asarray(generated, dtype=np.float64)
            run = run[:, None] if run.ndim == 1 else run
        if run.ndim != 2 or run.shape[1] != truth.shape[1]:
            raise DataError(f"the run has shape {run.shape}, the truth {truth.shape}")
        if min(len(run), len(truth)) < 8:
            raise InsufficientData(f"the runs have {len(run)} and {len(truth)} rows; at least 8 are needed")
        lost = np.flatnonzero(~np.isfinite(run).all(axis=1))
        return cls(run, truth.values, interval, int(lost[0]) if len(lost) else None, delay)

    @property
    def failure(self) -> str:
        """Why the run cannot be scored, empty for a sound run."""
        return "" if self.broken is None else f"the run failed: row {self.broken + 1} is not finite"


@dataclass(frozen=True)
class ClimateScore:
    """One registered score of long runs, called as `score(generated, true, delay=..., **settings)`."""

    name: str
    function: Callable[..., Score]

    def __call__(
        self, generated: Series | ArrayLike, true: Series | ArrayLike, *, delay: int | None = None, **settings: Any
    ) -> Score:
        return self.function(Runs.of(generated, true, delay), **settings)


def climate_score(function: Callable[..., Score]) -> ClimateScore:
    """Register a function `(runs: Runs, **settings) -> Score` as the score of long runs of its name."""
    return _registered(function, CLIMATE)


def invariant_score(function: Callable[..., Score]) -> ClimateScore:
    """The same for the error of an invariant, which is not for every day."""
    return _registered(function, INVARIANTS)


def _registered(function: Callable[..., Score], registry: dict[str, ClimateScore]) -> ClimateScore:
    made = ClimateScore(function.__name__, function)
    object.__setattr__(made, "__doc__", function.__doc__)
    registry[function.__name__] = made
    return made
