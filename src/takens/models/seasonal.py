"""Seasonal naive: the future repeats the last period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Known, Law, Model, Training, scale_of
from .baselines import block_starts, recorded
from .selection import autocorrelation, choose, hold_out


@final
@dataclass(frozen=True)
class SeasonalLaw(Law):
    """x_(T+h) = x_(T+h-P ceil(h/P)) plus errors that this rule made in one stretch of the `record`, drawn at random.

    `edges` are the rows where the stretches of the record begin and end. The pool of errors is over all phases of the
    season, because a history carries no calendar.
    """

    period: int
    record: Array
    edges: NDArray[np.int64]

    @property
    def memory(self) -> int:
        return self.period

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        period = self.period
        ahead = np.arange(horizon)
        path = np.repeat(history[-period:][ahead % period][None], members, axis=0)
        if rng is None:
            return path
        longest = int(np.diff(self.edges).max())
        block = min(horizon, max(1, (longest - period) * 2 // 3))
        starts = block_starts(self.edges, period + block - 1) + period
        steps = np.arange(block)
        back = (steps // period + 1) * period
        for first in range(0, horizon, block):
            rows = starts[rng.integers(len(starts), size=members)][:, None] + steps
            error = self.record[rows] - self.record[rows - back]
            path[:, first : first + block] += error[:, : horizon - first]
        return path


@final
@dataclass(frozen=True)
class SeasonalNaive(Model):
    """The future repeats the last period, x_(T+h) = x_(T+h-P ceil(h/P)); spread from its errors in the past.

    `period` in steps; None tries the peaks of the autocorrelation, long ones such as a week of half-hours included, by
    free runs over the longest of them, and is 1 (persistence) where there is no cycle. Raises `SettingError` for a
    period below 1, `InsufficientData` for fewer than two periods. Cost O(N log N).
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 5.2.
    """

    period: int | None = None
    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> Law:
        if self.period is not None and self.period < 1:
            raise SettingError(f"period must be at least 1 step, got {self.period}", place="SeasonalNaive")
        periods = [self.period] if self.period is not None else candidate_periods(training) or [1]
        if len(periods) > 1:
            head, probe = hold_out(training, max(periods), horizon=max(periods))
            fit = [p for p in periods if 2 * p <= max(map(len, head.stretches))] or periods[:1]
            periods = [fit[choose([_law(head, p) for p in fit], probe).best]]
        return _law(training, periods[0])

    def settled(self, law: Law) -> Model:
        assert isinstance(law, SeasonalLaw)
        return replace(self, period=law.period)


def candidate_periods(training: Training, count: int = 8) -> list[int]:
    """Lags of the highest peaks of the mean autocorrelation, at most a quarter of the longest stretch; best first.

    Only peaks above the 99 % band of white noise and above 0.1 count; the linear trend is taken out before.
    """
    rows = max(training.stretches, key=len)[-50_000:]
    time = np.linspace(-1, 1, len(rows))[:, None]
    slope = (time * (rows - rows.mean(axis=0))).sum(axis=0) / (time**2).sum()
    rows = rows - time * slope
    mean, scale = scale_of(rows)
    standard = (rows - mean) / scale
    length = len(rows)
    if length < 8 or not standard.any():
        return []
    # Unbiased, so that a long season is not outdone by its own short part only for having fewer pairs.
    correlation = autocorrelation(standard)[: length // 4 + 1] * length / (length - np.arange(length // 4 + 1))
    inner = correlation[1:-1]
    peak = (inner > correlation[:-2]) & (inner >= correlation[2:]) & (inner > max(0.1, 2.58 / np.sqrt(length)))
    # A peak before the first zero crossing is noise on the initial decay, not a season.
    below = np.flatnonzero(correlation < 0)
    first = below[0] if len(below) else len(correlation)
    if len(below) == 0:
        trough = np.flatnonzero((inner < correlation[:-2]) & (inner <= correlation[2:])) + 1
        first = trough[0] if len(trough) else len(correlation)
    lags = np.flatnonzero(peak) + 1
    lags = lags[lags > first]
    return [int(lag) for lag in lags[np.argsort(-correlation[lags], kind="stable")][:count]]


def _law(training: Training, period: int) -> SeasonalLaw:
    training.need(max(2 * period, 2), f"seasonal naive with period {period}")
    record, edges = recorded(training)
    # The errors need two periods in one stretch of the record, which is kept short only for very long series.
    if np.diff(edges).max() < 2 * period:
        record = max(training.stretches, key=len)
        edges = np.array([0, len(record)], dtype=np.int64)
    return SeasonalLaw(training.signature, *training.closing(period), period=period, record=record, edges=edges)
