"""What a forecast score works on: samples beside the truth that came true, aligned in time and channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData, SettingError
from ..forecast import Forecast
from ..series import TOLERANCE, Series, as_series
from .base import Array, Score, common_unit, mean_present

REGISTRY: dict[str, ForecastScore] = {}
"""Every forecast score by name, in the order in which the modules define them."""

Forecasts = Forecast | Sequence[Forecast] | ArrayLike
Truth = Series | Sequence[Series] | ArrayLike


@dataclass(frozen=True)
class Case:
    """Samples `(origin, member, horizon, channel)`, truth `(origin, horizon, channel)` with NaN where it is missing.

    `scale (channel,)` is the climatological standard deviation, NaN for a constant channel, and `scale_from` says of
    which data; `naive (channel,)` is the mean absolute change from one row of these to the next. `level`, `seed` and
    `lyapunov_exponent` are for the scores that need them.
    """

    samples: Array
    truth: Array
    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: float
    time_unit: str
    scale: Array
    scale_from: str
    naive: Array
    level: float = 0.9
    seed: int = 0
    lyapunov_exponent: float | None = None

    @classmethod
    def of(cls, forecast: Forecasts, truth: Truth, *, history: Series | ArrayLike | None = None, **known: Any) -> Case:
        """The case of one forecast or a list of them, one an origin; arrays are `(member, horizon, channel)` or
        `(origin, member, horizon, channel)` with truth `(horizon, channel)` or `(origin, horizon, channel)`.

        A `Series` as truth is matched by time stamp and channel name. Raises `DataError` for shapes that do not fit and
        samples that are not finite, `InsufficientData` where no true value falls on a forecast.
        """
        first, samples = _stacked(forecast)
        true = _truth_of(forecast, truth, samples)
        if not np.isfinite(samples).all():
            where = np.argwhere(~np.isfinite(samples))[0]
            raise DataError(
                f"a forecast sample is not finite (member {where[1] + 1}, step {where[2] + 1})",
                place=first.channels[where[3]],
                remedy="Let the law set a guard box, or count the run as failed instead of scoring it.",
            )
        if np.isinf(true).any():
            raise DataError("a true value is infinite", remedy="Mark missing values as NaN.")
        if np.isnan(true).all():
            raise InsufficientData("no true value falls on a forecast time", place=first.name)
        level = known.get("level", 0.9)
        if not 0 < level < 1:
            raise SettingError(f"level must be between 0 and 1, got {level}")
        stretches, scale_from = true, "truth"
        if history is not None:
            stretches, scale_from = as_series(history).values[None], "history"
            if stretches.shape[2] != true.shape[2]:
                raise DataError(f"history has {stretches.shape[2]} channels, the forecast {true.shape[2]}")
        reference = stretches.reshape(-1, true.shape[2])
        spread = np.sqrt(mean_present((reference - mean_present(reference, axis=0)) ** 2, axis=0))
        interval = float(np.median(np.diff(first.times))) if first.horizon > 1 else 1.0
        return cls(
            samples, true, first.channels, first.units, interval, first.clock.unit,
            np.where(spread > 0, spread, np.nan), scale_from,
            np.asarray(mean_present(np.abs(np.diff(stretches, axis=1)), axis=(0, 1))), **known,
        )  # fmt: skip

    @property
    def members(self) -> int:
        """Number of samples."""
        return self.samples.shape[1]

    @property
    def unit(self) -> str:
        """The unit of all channels, or `mixed units`."""
        return common_unit(self.units)

    @cached_property
    def mean(self) -> Array:
        """Mean forecast `(origin, horizon, channel)`."""
        return self.samples.mean(axis=1)

    @cached_property
    def ordered(self) -> Array:
        """Samples sorted over members `(member, origin, horizon, channel)`; sorted once for all scores."""
        return np.sort(np.moveaxis(self.samples, 1, 0), axis=0)

    @cached_property
    def median(self) -> Array:
        """Median forecast `(origin, horizon, channel)`."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> Array:
        """The `q` quantile over members `(origin, horizon, channel)`; the same as `Forecast.quantile`."""
        position = q * (self.members - 1)
        below = int(np.floor(position))
        above = min(below + 1, self.members - 1)
        share = position - below
        return self.ordered[below] * (1 - share) + self.ordered[above] * share

    def average(
        self, name: str, errors: Array, *, root: bool = False, unit: str | None = None, reason: str = "", **known: Any
    ) -> Score:
        """The score that is the mean of `errors (origin, horizon, channel)`, or its square root, NaN left out."""
        finish = np.sqrt if root else np.asarray
        value = float(finish(mean_present(errors)))
        details = {
            "by_horizon": finish(mean_present(errors, axis=0)),
            "by_channel": finish(mean_present(errors, axis=(0, 1))),
            "by_origin": finish(mean_present(errors, axis=(1, 2))),
        }
        if np.isnan(value):
            reason = reason or "no value to average"
        return Score(
            name, None if np.isnan(value) else value, self.unit if unit is None else unit, reason=reason,
            details=details, **known,
        )  # fmt: skip


@dataclass(frozen=True)
class ForecastScore:
    """One registered score of forecasts, called as `score(forecast, truth, history=..., level=..., seed=...)`."""

    name: str
    better: Literal["low", "high", "target"]
    function: Callable[[Case], Score]

    def __call__(self, forecast: Forecasts, truth: Truth, *, history: Any = None, **known: Any) -> Score:
        return self.function(Case.of(forecast, truth, history=history, **known))


def forecast_score(better: Literal["low", "high", "target"]) -> Callable[[Callable[[Case], Score]], ForecastScore]:
    """Register a function `(case: Case) -> Score` as the forecast score of its name."""

    def register(function: Callable[[Case], Score]) -> ForecastScore:
        name = function.__name__.strip("_")
        made = ForecastScore(name, better, function)
        object.__setattr__(made, "__doc__", function.__doc__)
        REGISTRY[name] = made
        return made

    return register


def _stacked(forecast: Forecasts) -> tuple[Forecast, Array]:
    """The first forecast, for names and times, and all samples `(origin, member, horizon, channel)`."""
    if isinstance(forecast, Forecast):
        return forecast, forecast.samples[None]
    if isinstance(forecast, list | tuple) and forecast and all(isinstance(f, Forecast) for f in forecast):
        if len({(f.samples.shape, f.channels) for f in forecast}) > 1:
            raise DataError("the forecasts differ in members, horizon or channels")
        return forecast[0], np.stack([f.samples for f in forecast])
    array = np.asarray(forecast, dtype=np.float64)
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise DataError(
            f"samples have shape {array.shape}; "
            "expected (member, horizon, channel) or (origin, member, horizon, channel)"
        )
    array = array[None] if array.ndim == 3 else array
    names = tuple(f"x{i + 1}" for i in range(array.shape[3]))
    times = np.arange(array.shape[2], dtype=np.float64)
    return Forecast(array[0].copy(), times, names, ("",) * len(names)), array


def _truth_of(forecast: Forecasts, truth: Truth, samples: Array) -> Array:
    """Truth `(origin, horizon, channel)` that belongs to `samples (origin, member, horizon, channel)`."""
    origins, _, horizon, channels = samples.shape
    if isinstance(truth, Series) or (isinstance(truth, list | tuple) and any(isinstance(t, Series) for t in truth)):
        forecasts = [forecast] if isinstance(forecast, Forecast) else list(forecast)  # type: ignore[arg-type]
        if not all(isinstance(f, Forecast) for f in forecasts):
            raise DataError("an array of samples has no times to match with a Series; give the truth as an array")
        series = [truth] * origins if isinstance(truth, Series) else list(truth)  # type: ignore[arg-type]
        return np.stack([_aligned(f, t) for f, t in zip(forecasts, series, strict=True)])  # type: ignore[arg-type]
    array = np.asarray(truth, dtype=np.float64)
    if array.shape in ((horizon,), (origins, horizon)) and channels == 1:
        array = array[..., None]
    if array.ndim == 2:
        array = array[None]
    if array.shape != (origins, horizon, channels):
        raise DataError(f"truth has shape {array.shape} for {origins} origins, {horizon} steps, {channels} channels")
    return array


def _aligned(forecast: Forecast, truth: Series) -> Array:
    """Values of `truth` at the times of `forecast (horizon, channel)`, NaN where there is none."""
    wanted, times = forecast.times, truth.times
    if forecast.clock != truth.clock:
        left, right = forecast.stamps, truth.stamps
        if left is None or right is None:
            raise DataError(
                f"the forecast counts time in {forecast.clock.unit}, the truth in {truth.clock.unit}, "
                "and not both have a calendar",
                place=truth.source or truth.name,
            )
        wanted, times = left.astype("int64").astype(float), right.astype("int64").astype(float)
    values = truth.select(*forecast.channels).values
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    nearest = np.clip(np.searchsorted(times, wanted - step / 2), 0, len(times) - 1)
    close = np.abs(times[nearest] - wanted) <= TOLERANCE * step
    return np.where(close[:, None], values[nearest], np.nan)
