"""What linear Gaussian models have in common once fitted: exact forecasts, interpolation, the map of the state."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import InsufficientData, SettingError
from ...series import Series, as_series
from ..base import Array, Known, Law, Training
from .gaussian import LinearGaussian

if TYPE_CHECKING:
    from ...systems.base import System

WINDOW = 5000
"""Most rows of history that a forecast looks at; models of many states look at fewer, at least 500."""


@final
@dataclass(frozen=True)
class Smoothed:
    """Values given all rows: `series` with its gaps filled by their mean, and `deviation (time, channel)`.

    The deviation is that of the value itself, its error included; it is 0 where the value was observed.
    """

    series: Series
    deviation: Array

    def interval(self, coverage: float = 0.9) -> tuple[Array, Array]:
        """Low and high end `(time, channel)` of the central interval that holds a missing value with `coverage`."""
        if not 0 < coverage < 1:
            raise SettingError(f"coverage must lie between 0 and 1, got {coverage}", place="interval")
        reach = NormalDist().inv_cdf((1 + coverage) / 2) * self.deviation
        return self.series.values - reach, self.series.values + reach


@dataclass(frozen=True)
class GaussianLaw(Law):
    """y = center + scale (signal + error) + effect of the inputs, with signals from `spaces`, each of some channels.

    `spaces` take the channels in order; those of different spaces are independent. `weights (input, channel)` is the
    change of a channel, in its `scale`, for one `input_scale` of an input around `input_center`.
    """

    spaces: tuple[LinearGaussian, ...]
    center: Array
    scale: Array
    weights: Array
    input_center: Array
    input_scale: Array

    gaps: ClassVar[bool] = True

    @property
    @abstractmethod
    def text(self) -> str:
        """What was learned, in words."""

    @property
    @final
    def memory(self) -> int:
        return _memory(self.spaces)

    @staticmethod
    def ending(training: Training, spaces: tuple[LinearGaussian, ...]) -> tuple[Array, float]:
        """The last rows of the last trajectory that is long enough for `spaces`, and the time of the last of them."""
        memory = _memory(spaces)
        training.need(memory, "a forecast")
        index = max(i for i, piece in enumerate(training.stretches) if len(piece) >= memory)
        return training.stretches[index][-WINDOW:], training.ends[index]

    @property
    def window(self) -> int:
        """How many rows of history forecasts look at."""
        largest = max(len(space.mean) for space in self.spaces)
        return int(np.clip(2e6 / largest**2, max(500, 5 * self.memory), WINDOW))

    @final
    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        targets = self.signature.targets
        rows = history[-self.window :]
        last = _latest(rows[:, targets:])
        given = np.repeat(last[None], horizon, axis=0)
        if known is not None and known.values is not None:
            given = np.where(np.isfinite(known.values), known.values, given)
        standard = self._standard(rows)
        path = np.empty((members, horizon, history.shape[1]))
        path[..., targets:] = given
        at = 0
        for space in self.spaces:
            own = slice(at, at + len(space.design))
            at = own.stop
            self._enough(space, standard[:, own], own)
            path[..., own] = space.paths(standard[:, own], horizon, members, rng)
        effect = (given - self.input_center) / self.input_scale @ self.weights
        path[..., :targets] = self.center + self.scale * (path[..., :targets] + effect)
        return path

    @final
    def smooth(self, series: Series | ArrayLike) -> Smoothed:
        """`series` with its missing values filled by their mean given all others, and their standard deviations.

        Missing rows are filled too. Channels of slower sampling are those with a value now and then. Raises `LawError`
        for other channels or another interval than those of the training data, `InsufficientData` where too few values
        are there to know the state. Cost: one pass of the filter and the smoother.
        """
        observed = as_series(series)
        if not isinstance(series, Series):
            observed = replace(
                observed, times=self.signature.start + self.signature.interval * np.arange(float(len(observed))),
                channels=self.signature.channels, units=self.signature.units, clock=self.signature.clock,
                inputs=self.signature.inputs,
            )  # fmt: skip
        observed = observed.select(*self.signature.channels)
        self.signature.check(observed)
        grid = observed.gridded()
        values, targets = grid.values.copy(), self.signature.targets
        standard, deviation = self._standard(values), np.zeros(values.shape)
        effect = self._effect(values)
        at = 0
        for space in self.spaces:
            own = slice(at, at + len(space.design))
            at = own.stop
            self._enough(space, standard[:, own], own)
            mean, spread = space.smoothed(standard[:, own])
            filled = self.center[own] + self.scale[own] * (mean + effect[:, own])
            spread = self.scale[own] * np.sqrt(spread**2 + space.error)
            missing = np.isnan(values[:, own])
            deviation[:, own] = np.where(missing, spread, 0.0)
            values[:, own] = np.where(missing, filled, values[:, own])
        values[:, targets:] = np.where(np.isnan(values[:, targets:]), self.input_center, values[:, targets:])
        return Smoothed(replace(grid, values=values), deviation)

    def motion(self) -> System:
        """The linear map of the mean state, a -> T a, of all spaces one after the other."""
        from ...systems import Map
        from ...systems.rule import ArrayRule

        size = sum(len(space.mean) for space in self.spaces)
        matrix, initial, at, column = np.zeros((size, size)), np.zeros(size), 0, 0
        standard = self._standard(self.history[-self.window :])
        for space in self.spaces:
            span = slice(at, at + len(space.mean))
            matrix[span, span] = space.transition
            initial[span] = space.latest(standard[:, column : column + len(space.design)])[0]
            at, column = span.stop, column + len(space.design)
        rule = ArrayRule(
            tuple(f"s{i}" for i in range(size)), lambda n, x, _: x @ matrix.T, (),
            lambda n, x, _: np.broadcast_to(matrix, (*x.shape, size)), time="n",
            says=f"the mean state of {self.text}",
        )  # fmt: skip
        return Map(
            name=f"{type(self).__name__} of {self.signature.name}", rule=rule, parameters={}, initial=initial, dt=1.0,
            description=f"One step is {self.signature.interval:g} {self.signature.clock.unit}.",
        )  # fmt: skip

    def _effect(self, rows: Array) -> Array:
        """The effect of the inputs on the standardised channels; an input that is missing counts as its mean."""
        inputs = rows[:, self.signature.targets :]
        off = np.where(np.isfinite(inputs), inputs - self.input_center, 0.0) / self.input_scale
        return off @ self.weights

    def _standard(self, rows: Array) -> Array:
        return (rows[:, : self.signature.targets] - self.center) / self.scale - self._effect(rows)

    def _enough(self, space: LinearGaussian, standard: Array, own: slice) -> None:
        _, _, unknown = space.latest(standard)
        if unknown:
            names = ", ".join(self.signature.channels[own])
            raise InsufficientData(
                f"{int(np.isfinite(standard).sum())} values of {names} do not tell the state of the law",
                place=self.signature.name, remedy=f"Give at least {self.memory} rows with values.",
            )  # fmt: skip


def _memory(spaces: tuple[LinearGaussian, ...]) -> int:
    return 1 + max(int(space.diffuse.sum()) for space in spaces)


def _latest(rows: Array) -> Array:
    """The last value of each column that is there."""
    return np.array([column[np.isfinite(column)][-1] if np.isfinite(column).any() else 0.0 for column in rows.T])
