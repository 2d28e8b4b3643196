"""Linear autoregression of one or many channels with ridge, short and seasonal lags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, shifted, thinned
from .ridge import Factors, Readout
from .seasonal import candidate_periods
from .selection import choose, hold_out

RIDGES = (1e-8, 1e-4, 1e-2)
ORDERS = (1, 2, 3, 5, 8, 12, 24, 48)
FEATURES = 600
"""Most lagged values that may enter one regression."""


@final
@dataclass(frozen=True)
class LinearLaw(RecursiveLaw):
    """x_(t+1) = b + sum over `lags` of A_l x_(t+1-l), plus a drawn residual."""

    ridge: float
    lags: NDArray[np.int64]
    readout: Readout

    @property
    def memory(self) -> int:
        return int(self.lags.max())

    def init(self, history: Array) -> Array:
        return history[:, -self.memory :]

    def step(self, state: Array) -> Array:
        return self.readout(state[:, -self.lags].reshape(len(state), -1))

    def feed(self, state: Array, values: Array) -> Array:
        return shifted(state, values)


@final
@dataclass(frozen=True)
class Autoregression(Model):
    """A linear stochastic process: x_(t+1) = b + sum_l A_l x_(t+1-l) + e, fitted by ridge regression.

    `lags` are the steps back that enter (1 is the present row), `ridge` the penalty in units of the variance of the
    lagged values. None: lags 1..p with and without seasonal lags P..P+p of the strongest seasons (a week of half-hours
    included), and all lags up to a season where that is affordable, are tried by free runs. `horizon` sets the steps of
    these runs. At most 600 lagged values enter; with more channels than that only the present row does.
    Raises `SettingError` for lags below 1 or a negative ridge, `InsufficientData` where the lags do not fit.
    Cost O(N p^2) for p lagged values. Not for processes whose laws are nonlinear: the runs damp out or cycle.
    Source: Luetkepohl, New Introduction to Multiple Time Series Analysis, 2005; Hoerl & Kennard 1970.
    """

    lags: int | tuple[int, ...] | None = None
    ridge: float | None = None
    horizon: int | None = None
    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        if self.ridge is not None and self.ridge < 0:
            raise SettingError(f"ridge must not be negative, got {self.ridge}", place="Autoregression")
        ridges: tuple[float, ...] = RIDGES if self.ridge is None else (self.ridge,)
        tables = [self._given()] if self.lags is not None else list(_candidates(training))
        if len(tables) * len(ridges) > 1:
            head, probe = hold_out(training, max(t[-1] for t in tables), horizon=self.horizon)
            longest = max(map(len, head.stretches))
            tables = [t for t in tables if t[-1] + 2 <= longest] or tables[:1]
            if probe is None:
                tables, ridges = tables[:1], ridges[:1]
            else:
                trials = [(t, r) for t in tables for r in ridges]
                laws = [law for t in tables for law in _laws(head, t, ridges)]
                table, ridge = trials[choose(laws, probe).best]
                tables, ridges = [table], (ridge,)
        return next(_laws(training, tables[0], ridges))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, LinearLaw)
        return replace(self, lags=tuple(map(int, law.lags)), ridge=law.ridge)

    def _given(self) -> tuple[int, ...]:
        lags = tuple(range(1, self.lags + 1)) if isinstance(self.lags, int) else tuple(sorted(set(self.lags or ())))
        if not lags or lags[0] < 1:
            raise SettingError(f"lags must be at least 1, got {self.lags}", place="Autoregression")
        return lags


def _candidates(training: Training) -> Iterator[tuple[int, ...]]:
    channels = len(training.signature.channels)
    longest = max(map(len, training.stretches))
    room = min(FEATURES, training.rows // 3) // channels
    seasons = candidate_periods(training)
    # The best season and the longest good one: of a day and a week both are among the peaks.
    seasons = sorted({*seasons[:1], *([max(seasons[:4])] if seasons else [])})
    tables: dict[tuple[int, ...], None] = {}
    for order in ORDERS:
        short = tuple(range(1, order + 1))
        tables[short] = None
        for extra in ([s] for s in seasons):
            tables[tuple(sorted({*short, *(p + k for p in extra for k in range(order + 1))}))] = None
        if len(seasons) == 2 and order <= 8:
            tables[tuple(sorted({*short, *(p + k for p in seasons for k in range(order + 1))}))] = None
    for season in seasons:
        tables[tuple(range(1, season + 2))] = None
    fitting = [t for t in tables if len(t) <= max(room, 1) and t[-1] + 2 <= max(longest // 2, 3)]
    yield from fitting or [(1,)]


def _laws(training: Training, lags: Sequence[int], ridges: Sequence[float]) -> Iterator[LinearLaw]:
    """One law a ridge, from one factorisation."""
    training.need(lags[-1] + 2, f"autoregression with lag {lags[-1]}")
    # Lag 1 is the present row: lagged values of the row to come.
    inputs, targets = training.lagged([lag - 1 for lag in lags])
    features = inputs.reshape(len(inputs), -1)
    factors = Factors.of(features, targets)
    low, high = guard_box(training.stacked)
    for ridge in ridges:
        readout = factors.solve(ridge)
        residuals = thinned(targets - readout(features))
        yield LinearLaw(
            training.signature, *training.closing(lags[-1]), residuals=residuals, low=low, high=high,
            ridge=ridge, lags=np.array(lags, dtype=np.int64), readout=readout,
        )  # fmt: skip
