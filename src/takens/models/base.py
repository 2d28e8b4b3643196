"""The contract of models and laws: a frozen hypothesis is fitted once and gives a frozen law."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import InsufficientData, LawError, SettingError
from ..forecast import Forecast
from ..random import generator
from ..series import TOLERANCE, Series, as_series, as_trajectories

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Signature:
    """What a law was fitted on: channels, units, sampling interval, clock and name of the data."""

    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: float
    clock: Clock
    name: str

    @classmethod
    def of(cls, series: Series) -> Signature:
        """The signature of a series."""
        return cls(series.channels, series.units, series.interval, series.clock, series.name)

    def check(self, series: Series) -> None:
        """Raise `LawError` unless `series` has the channels and the interval the law was fitted on."""
        if series.channels != self.channels:
            raise LawError(
                f"the law was fitted on channels {', '.join(self.channels)}; these data have "
                f"{', '.join(series.channels)}",
                place=series.source or series.name,
                remedy="Select the same channels in the same order, or fit anew.",
            )
        if len(series) > 1 and abs(series.interval / self.interval - 1) > TOLERANCE:
            raise LawError(
                f"the law was fitted on an interval of {self.interval:g} {self.clock.unit}; these data have "
                f"{series.interval:g} {series.clock.unit}",
                place=series.source or series.name,
                remedy="Resample the data to the interval of the law, or fit anew.",
            )


@dataclass(frozen=True)
class Training:
    """What a model learns from: gap-free arrays `(time, channel)` with a common sampling, in time order.

    `ends` holds the time of the last row of each stretch.
    """

    signature: Signature
    stretches: tuple[Array, ...]
    ends: tuple[float, ...]

    @classmethod
    def of(cls, data: Series | Sequence[Series] | ArrayLike) -> Training:
        """Check the trajectories against one another and cut them at their gaps.

        Raises `DataError` for irregular sampling and for channels without a value, `LawError` for trajectories that do
        not fit one another, `InsufficientData` where no two consecutive complete rows exist.
        """
        trajectories = as_trajectories(data)
        signature = Signature.of(trajectories[0])
        for series in trajectories:
            signature.check(series)
            for c, channel in enumerate(series.channels):
                if not np.isfinite(series.values[:, c]).any():
                    raise InsufficientData(f"channel {channel!r} has no value", place=series.source or series.name)
        pieces = [piece for series in trajectories for piece in series.stretches(2)]
        if not pieces:
            raise InsufficientData(
                "no two consecutive rows have all channels present", place=trajectories[0].source or signature.name
            )
        return cls(signature, tuple(p.values for p in pieces), tuple(float(p.times[-1]) for p in pieces))

    @property
    def rows(self) -> int:
        """Number of rows in all stretches."""
        return sum(map(len, self.stretches))

    @property
    def stacked(self) -> Array:
        """All rows of all stretches, one after the other `(time, channel)`."""
        return np.concatenate(self.stretches)

    @property
    def end(self) -> float:
        """Time of the last row of the last stretch."""
        return self.ends[-1]

    def closing(self, rows: int) -> tuple[Array, float]:
        """The last `rows` rows of the last stretch that has so many, and the time of the last of them.

        This is where forecasts start by default: the end of the data, unless a gap right before the end leaves a law
        without the history it needs. Raises `InsufficientData` where no stretch is long enough.
        """
        self.need(rows, "a forecast")
        index = max(i for i, piece in enumerate(self.stretches) if len(piece) >= rows)
        return self.stretches[index][-rows:], self.ends[index]

    def need(self, rows: int, who: str) -> None:
        """Raise `InsufficientData` unless one stretch has at least `rows` rows."""
        longest = max(map(len, self.stretches))
        if longest < rows:
            raise InsufficientData(
                f"{who} needs {rows} consecutive rows without a gap; the longest stretch has {longest}",
                place=self.signature.name,
                remedy="Use a simpler model or fewer delays, or fill the gaps explicitly with series.resample(...).",
            )

    def mapped(self, function: Callable[[Array], Array]) -> Training:
        """The same training with `function` applied to each stretch."""
        return replace(self, stretches=tuple(function(piece) for piece in self.stretches))

    def latest(self, rows: int) -> Training:
        """The last `rows` rows: whole stretches from the end, the first of them shortened."""
        kept: list[tuple[Array, float]] = []
        room = rows
        for piece, end in zip(reversed(self.stretches), reversed(self.ends), strict=True):
            if min(room, len(piece)) < 2:
                break
            kept.insert(0, (piece[-room:], end))
            room -= min(room, len(piece))
        return replace(self, stretches=tuple(p for p, _ in kept), ends=tuple(e for _, e in kept))

    def lagged(self, lags: Sequence[int], *, limit: int = 50_000) -> tuple[Array, Array]:
        """Rows at `lags` (0 is now) as `(sample, lag, channel)`, and the rows one step ahead `(sample, channel)`.

        Of more than `limit` samples every second, third, ... is used. No sample reaches across a gap.
        """
        reach = max(lags)
        total = sum(max(len(piece) - reach - 1, 0) for piece in self.stretches)
        stride = max(1, -(-total // limit))
        inputs, targets = [], []
        for piece in self.stretches:
            now = np.arange(reach, len(piece) - 1, stride)
            inputs.append(piece[now[:, None] - np.asarray(lags)])
            targets.append(piece[now + 1])
        return np.concatenate(inputs), np.concatenate(targets)


@dataclass(frozen=True)
class Model(ABC):
    """A hypothesis about the dynamics: frozen hyper-parameters and `fit`; it does not change when fitted.

    A concrete model is final and writes one method, `learn`. Hyper-parameters that are None are chosen from the data by
    free runs on a held-out part of the training data, never by one-step error. `baseline` marks the models that every
    other one has to beat.
    """

    baseline: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name that reports and the command line use; wrappers show what they wrap."""
        return type(self).__name__

    @final
    def fit(self, series: Series | Sequence[Series] | ArrayLike, *, seed: int = 0) -> Law:
        """The law learned from one trajectory or many; the same data and seed give the same law."""
        return self.learn(Training.of(series), seed)

    def settled(self, law: Law) -> Model:
        """The same model with the hyper-parameters that were chosen for `law`, so that a refit need not choose again.

        Models that choose from the data write this beside `learn`; for the others it is the model itself.
        """
        return self

    @abstractmethod
    def learn(self, training: Training, seed: int) -> Law:
        """The law learned from gap-free arrays; must not change them."""


@dataclass(frozen=True)
class Law(ABC):
    """What was learned; frozen. A concrete law is final, writes `memory` and `sample`, and inherits the rest.

    `history (time, channel)` are the last rows of the training data, from which forecasts start by default, and `end`
    the time of its last row (see `Training.closing`). All fields are arrays, plain values, or other
    registered laws, so that `save` needs no code of its own (see `takens.models.store`).
    """

    signature: Signature
    history: Array
    end: float

    @property
    @abstractmethod
    def memory(self) -> int:
        """How many rows of history a forecast needs."""

    @abstractmethod
    def sample(self, history: Array, horizon: int, members: int, rng: np.random.Generator | None) -> Array:
        """Futures `(member, horizon, channel)` that continue `history (time, channel)`; noise-free if rng is None."""

    @final
    def forecast(
        self, horizon: int, *, history: Series | ArrayLike | None = None, members: int = 100, seed: int = 0
    ) -> Forecast:
        """`members` samples of the `horizon` steps after the training data, or after `history` if given.

        One member is the noise-free run. `history` must have the channels and the interval of the training data and
        end in `memory` complete rows. Raises `LawError` or `InsufficientData` where it does not. Cost: horizon steps.
        """
        if horizon < 1 or members < 1:
            raise SettingError(f"horizon and members must be at least 1, got {horizon} and {members}")
        rows, end, clock = self.history, self.end, self.signature.clock
        if history is not None:
            rows, end, clock = self._history_of(history)
        rng = None if members == 1 else generator(seed, "forecast")
        samples = np.asarray(self.sample(rows, horizon, members, rng), dtype=np.float64)
        times = end + self.signature.interval * np.arange(1.0, horizon + 1)
        return Forecast(
            samples, times, self.signature.channels, self.signature.units, clock, self.signature.name,
            type(self).__name__, self.diverged(samples),
        )  # fmt: skip

    @final
    def generate(self, length: int, *, seed: int = 0, noise: bool = True) -> Series:
        """A free run of `length` rows from the end of the training data: the climate of the law.

        Without `noise` the run is deterministic. Cost: `length` steps.
        """
        if length < 2:
            raise SettingError(f"length must be at least 2, got {length}")
        rng = generator(seed, "generate") if noise else None
        values = self.sample(self.history, length, 1, rng)[0]
        times = self.end + self.signature.interval * np.arange(1.0, length + 1)
        return Series(
            times, values, self.signature.channels, self.signature.units, self.signature.clock,
            f"{self.signature.name} (generated)", type(self).__name__,
        )  # fmt: skip

    @final
    def save(self, path: str | PathLike[str]) -> None:
        """Write the law to the folder `path` as safetensors and JSON; `takens.load` reads it back."""
        from .store import save_law

        save_law(self, path)

    def diverged(self, samples: Array) -> int:
        """How many members of `samples` left the law's guard box; laws without one have none."""
        return 0

    def _history_of(self, history: Series | ArrayLike) -> tuple[Array, float, Clock]:
        series = as_series(history)
        if not isinstance(history, Series):
            series = Series.from_array(
                series.values, interval=self.signature.interval, unit=self.signature.clock.unit,
                channels=self.signature.channels, units=self.signature.units,
            )  # fmt: skip
        self.signature.check(series)
        grid = series.gridded()
        holes = np.flatnonzero(~np.isfinite(grid.values).all(axis=1))
        rows = grid.values[holes[-1] + 1 :] if len(holes) else grid.values
        if len(rows) < self.memory:
            raise InsufficientData(
                f"a forecast needs {self.memory} complete rows of history; the last {len(rows)} are complete",
                place=series.source or series.name,
                remedy="Give a longer history, or fill its gaps explicitly with series.resample(...).",
            )
        return rows, float(series.times[-1]), series.clock


@dataclass(frozen=True)
class RecursiveLaw(Law):
    """A law that predicts one step from a state and is fed its own output; one driver rolls all of them out.

    `residuals (k, channel)` are one-step errors on the training data; a noisy run adds one drawn at random to each
    step. `low` and `high (channel,)` are the guard box: three times the range of the training data around it. Values
    outside are set to its border, and the member counts as diverged.
    """

    residuals: Array
    low: Array
    high: Array

    @abstractmethod
    def init(self, history: Array) -> Array:
        """The states `(member, ...)` after the last `memory` rows of `history (member, time, channel)`."""

    @abstractmethod
    def step(self, state: Array) -> Array:
        """The next values `(member, channel)` predicted from the states."""

    @abstractmethod
    def feed(self, state: Array, values: Array) -> Array:
        """The states after `values (member, channel)` have come true; must not change `state`."""

    def noise(self, state: Array, rng: np.random.Generator) -> Array:
        """What is added to the next values `(member, channel)` of a noisy run: a residual drawn for each member.

        Laws with an uncertainty that depends on the state draw from that.
        """
        return self.residuals[rng.integers(len(self.residuals), size=len(state))]

    @final
    def sample(self, history: Array, horizon: int, members: int, rng: np.random.Generator | None) -> Array:
        return self.roll(np.repeat(self.init(history[None]), members, axis=0), horizon, rng)

    @final
    def roll(self, state: Array, horizon: int, rng: np.random.Generator | None) -> Array:
        """The one roll-out: `horizon` steps from `state`, with `noise` unless `rng` is None.

        Gives `(member, horizon, channel)`. Cost: `horizon` steps of all members together.
        """
        members = len(state)
        path = np.empty((members, horizon, len(self.signature.channels)))
        middle = (self.low + self.high) / 2
        for t in range(horizon):
            values = self.step(state)
            if rng is not None:
                values = values + self.noise(state, rng)
            values = np.clip(np.where(np.isfinite(values), values, middle), self.low, self.high)
            path[:, t] = values
            state = self.feed(state, values)
        return path

    @final
    def diverged(self, samples: Array) -> int:
        return int(((samples <= self.low) | (samples >= self.high)).any(axis=(1, 2)).sum())


def guard_box(rows: Array) -> tuple[Array, Array]:
    """Low and high end `(channel,)` of the box that is three ranges wider than `rows` on each side."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = 3 * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def thinned(rows: Array, limit: int = 2000) -> Array:
    """At most about `limit` of the rows, evenly spread: enough to draw residuals from, small enough to save."""
    return rows[:: max(1, -(-len(rows) // limit))]


def scale_of(rows: Array) -> tuple[Array, Array]:
    """Mean and standard deviation `(channel,)` of `rows`; a constant channel has scale 1, so that it stays defined."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    # The deviation of a constant column is not exactly zero in floating point.
    return mean, np.where(deviation > 1e-12 * (np.abs(mean) + np.abs(rows).max(axis=0)), deviation, 1.0)


def shifted(rows: Array, values: Array) -> Array:
    """The window `(member, time, channel)` one step later: without the oldest row, with `values (member, channel)`."""
    return np.concatenate([rows[:, 1:], values[:, None]], axis=1)
