"""The contract of models and laws: a frozen hypothesis is fitted once and gives a frozen law."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import InsufficientData, LawError, SettingError
from ..forecast import Forecast
from ..random import generator
from ..series import Series, as_series
from .trajectories import Known, Signature, Training

if TYPE_CHECKING:
    from ..systems.base import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Model(ABC):
    """A hypothesis about the dynamics: frozen hyper-parameters and `fit`; it does not change when fitted.

    A concrete model is final and writes one method, `learn`. Hyper-parameters that are None are chosen from the data by
    free runs on a held-out part of the training data, never by one-step error.
    """

    baseline: ClassVar[bool] = False
    """Whether every other model has to beat it."""
    effort: ClassVar[int] = 0
    """What a fit to ten thousand rows costs: 0 for seconds, 1 for tens of seconds, 2 for minutes."""
    gaps: ClassVar[bool] = False
    """Whether it learns from rows with missing values: `training.stretches` are then whole trajectories with NaN."""
    irregular: ClassVar[bool] = False
    """Whether it learns from irregular times: it then reads `training.trajectories`."""

    @property
    def name(self) -> str:
        """The name that reports and the command line use; wrappers show what they wrap."""
        return type(self).__name__

    @final
    def fit(self, series: Series | Sequence[Series] | ArrayLike, *, seed: int = 0) -> Law:
        """The law learned from one trajectory or many; the same data and seed give the same law."""
        return self.learn(Training.of(series, gaps=self.gaps, irregular=self.irregular), seed)

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

    Known inputs are the last channels of the signature: histories and samples hold them, forecasts do not.

    `history (time, channel)` are the last rows of the training data, from which forecasts start by default, and `end`
    the time of its last row (see `Training.closing`). All fields are arrays, plain values, or other
    registered laws, so that `save` needs no code of its own (see `takens.models.store`).
    """

    signature: Signature
    history: Array
    end: float

    gaps: ClassVar[bool] = False
    """Whether histories may have missing values, as NaN."""

    @property
    @abstractmethod
    def memory(self) -> int:
        """How many rows of history a forecast needs."""

    @abstractmethod
    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        """Futures `(member, horizon, channel)` that continue `history (time, channel)`; noise-free if rng is None.

        `known` says when the future begins and holds the known inputs; without it they are the law's own guess.
        """

    @final
    def forecast(
        self,
        horizon: int,
        *,
        history: Series | ArrayLike | None = None,
        inputs: Series | ArrayLike | None = None,
        members: int = 100,
        seed: int = 0,
    ) -> Forecast:
        """`members` samples of the `horizon` steps after the training data, or after `history` if given.

        One member is the noise-free run. `history` must have the channels and the interval of the training data and
        end in `memory` complete rows. A law with known inputs needs their future, `inputs (horizon, input)`, as a
        series (its channels of these names) or an array. Raises `LawError` or `InsufficientData` where these do not
        fit. Cost: horizon steps.
        """
        if horizon < 1 or members < 1:
            raise SettingError(f"horizon and members must be at least 1, got {horizon} and {members}")
        rows, end, clock = self.history, self.end, self.signature.clock
        if history is not None:
            rows, end, clock = self._history_of(history)
        rng = None if members == 1 else generator(seed, "forecast")
        known = Known(self.signature.row(end) + 1, self._future(inputs, horizon))
        samples = np.asarray(self.sample(rows, horizon, members, rng, known), dtype=np.float64)
        times = end + self.signature.interval * np.arange(1.0, horizon + 1)
        shown = self.signature.targets
        return Forecast(
            samples[..., :shown], times, self.signature.channels[:shown], self.signature.units[:shown], clock,
            self.signature.name, type(self).__name__, self.diverged(samples),
        )  # fmt: skip

    @final
    def generate(
        self, length: int, *, inputs: Series | ArrayLike | None = None, seed: int = 0, noise: bool = True
    ) -> Series:
        """A free run of `length` rows from the end of the training data: the climate of the law.

        Without `noise` the run is deterministic. `inputs` as in `forecast`. Cost: `length` steps.
        """
        if length < 2:
            raise SettingError(f"length must be at least 2, got {length}")
        rng = generator(seed, "generate") if noise else None
        known = Known(self.signature.row(self.end) + 1, self._future(inputs, length))
        shown = self.signature.targets
        values = self.sample(self.history, length, 1, rng, known)[0][:, :shown]
        times = self.end + self.signature.interval * np.arange(1.0, length + 1)
        return Series(
            times, values, self.signature.channels[:shown], self.signature.units[:shown], self.signature.clock,
            f"{self.signature.name} (generated)", type(self).__name__,
        )  # fmt: skip

    @property
    @final
    def system(self) -> System:
        """The law as a system, of which everything can be asked that can be asked of known equations.

        Raises `LawError` where the law has no finite state of its own. See `motion`.
        """
        found = self.motion()
        if found is None:
            raise LawError(
                f"a {type(self).__name__} is no system: it has no state that its next state follows from",
                place=self.signature.name, remedy="Fit a recursive model such as nvar.",
            )  # fmt: skip
        return found

    def motion(self) -> System | None:
        """The hook behind `system`: laws of continuous time, or made of another law, write it."""
        return None

    @final
    def save(self, path: str | PathLike[str]) -> None:
        """Write the law to the folder `path` as safetensors and JSON; `takens.load` reads it back."""
        from .store import save_law

        save_law(self, path)

    def diverged(self, samples: Array) -> int:
        """How many members of `samples` left the law's guard box; laws without one have none."""
        return 0

    def _future(self, inputs: Series | ArrayLike | None, horizon: int) -> Array | None:
        """The known inputs of the future `(horizon, input)`; None for a law without any."""
        names = self.signature.inputs
        if not names:
            if inputs is not None:
                raise LawError("the law was fitted without known inputs", place=self.signature.name)
            return None
        if inputs is None:
            raise LawError(
                f"the law needs the future of its known inputs {', '.join(names)}", place=self.signature.name,
                remedy=f"Give inputs=... with {horizon} rows of {len(names)} columns.",
            )  # fmt: skip
        if isinstance(inputs, Series):
            inputs = inputs.select(*names).values
        values = np.asarray(inputs, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or values.shape[1] != len(names) or len(values) < horizon:
            raise LawError(
                f"inputs have shape {values.shape}; {horizon} rows of {len(names)} columns are needed",
                place=self.signature.name, remedy=f"The columns are {', '.join(names)}.",
            )  # fmt: skip
        if not np.isfinite(values[:horizon]).all():
            row = int(np.argwhere(~np.isfinite(values[:horizon]))[0, 0])
            raise LawError(f"row {row + 1} of the inputs is missing or not finite", place=self.signature.name)
        return values[:horizon]

    def _history_of(self, history: Series | ArrayLike) -> tuple[Array, float, Clock]:
        series = as_series(history)
        if not isinstance(history, Series):
            series = Series.from_array(
                series.values, interval=self.signature.interval, unit=self.signature.clock.unit,
                channels=self.signature.channels, units=self.signature.units,
            )  # fmt: skip
        elif self.signature.inputs:
            series = series.select(*self.signature.channels)
        self.signature.check(series)
        grid = series.gridded()
        if self.gaps and len(grid) >= self.memory:
            return grid.values, float(series.times[-1]), series.clock
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
    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        return self.roll(np.repeat(self.init(history[None]), members, axis=0), horizon, rng, known)

    def motion(self) -> System | None:
        from .motion import recursion

        return recursion(self)

    def slopes(self, state: Array) -> Array | None:
        """The Jacobian `(member, n, n)` of a step from `state (member, ...)` to the next, both flattened to n numbers.

        For laws that know it; None for central differences.
        """
        return None

    @final
    def roll(self, state: Array, horizon: int, rng: np.random.Generator | None, known: Known | None = None) -> Array:
        """The one roll-out: `horizon` steps from `state`, with `noise` unless `rng` is None.

        Known inputs take the place of what the law says of them. Gives `(member, horizon, channel)`. Cost: `horizon`
        steps of all members together.
        """
        members, targets = len(state), self.signature.targets
        given = None if known is None or known.values is None else known.values
        path = np.empty((members, horizon, len(self.signature.channels)))
        middle = (self.low + self.high) / 2
        for t in range(horizon):
            values = self.step(state)
            if rng is not None:
                values = values + self.noise(state, rng)
            values = np.clip(np.where(np.isfinite(values), values, middle), self.low, self.high)
            if given is not None:
                now = given[..., t, :]
                values[:, targets:] = np.where(np.isnan(now), values[:, targets:], now)
            path[:, t] = values
            state = self.feed(state, values)
        return path

    @final
    def diverged(self, samples: Array) -> int:
        shown = self.signature.targets
        out = (samples <= self.low) | (samples >= self.high)
        return int(out[..., :shown].any(axis=(1, 2)).sum())


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
