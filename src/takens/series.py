"""One observed trajectory: times, values, names, units, and what is known about its sampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .clock import Clock
from .errors import DataError, InsufficientData, SettingError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .io.reading import Reading

TOLERANCE = 0.01
"""Sampling intervals that differ by less than this share of the interval count as equal."""


@dataclass(frozen=True)
class Sampling:
    """How a series is sampled: the median `interval`, its `spread`, and where rows are missing.

    `kind` is `regular` (all intervals equal within 1 %), `gappy` (all are whole multiples of one interval, so rows are
    missing) or `irregular`. `spread` is (largest - smallest interval) / median. `gaps` lists, for each gap, the row
    before it and the number of missing rows.
    """

    interval: float
    spread: float
    kind: Literal["regular", "gappy", "irregular"]
    gaps: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, times: NDArray[np.float64]) -> Sampling:
        """The sampling of strictly increasing `times (time,)`."""
        if len(times) < 2:
            return cls(1.0, 0.0, "regular")
        steps = np.diff(times)
        low, high = float(steps.min()), float(steps.max())
        interval = low if low == high else float(np.median(steps))
        spread = (high - low) / interval
        if high <= (1 + TOLERANCE) * low:  # most series: nothing to round to multiples
            return cls(float((times[-1] - times[0]) / len(steps)), spread, "regular")
        multiples = np.round(steps / interval)
        if np.any(np.abs(steps / interval - multiples) > TOLERANCE * np.maximum(multiples, 1)) or multiples.min() < 1:
            return cls(interval, spread, "irregular")
        holes = np.flatnonzero(multiples > 1)
        gaps = tuple((int(row), int(multiples[row]) - 1) for row in holes)
        if not gaps:
            interval = float((times[-1] - times[0]) / (len(times) - 1))
        return cls(interval, spread, "gappy" if gaps else "regular", gaps)


@dataclass(frozen=True, eq=False)
class Series:
    """One observed trajectory of one or many channels; frozen, and equal only to itself.

    `values (time, channel)` is float64 with NaN where a value is missing; `times (time,)` is strictly increasing, in
    units of `clock`. `channels` and `units` name the columns. `reading` holds what the reader understood of the file.
    `inputs` names those channels whose future is known (a forcing, the weather of a scenario): models learn from them
    but do not forecast them, measures leave them out. Many trajectories are a list of `Series`, never a padded array.
    Raises `DataError` for times that are not strictly increasing or not finite, for infinite values and for shapes that
    do not fit, `SettingError` for inputs that are no channels or leave none.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    clock: Clock = Clock()
    name: str = "series"
    source: str = ""
    reading: Reading | None = field(default=None, repr=False)
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64, ndmin=1)
        values = values[:, None] if values.ndim == 1 else values
        times = np.array(self.times, dtype=np.float64)
        channels = tuple(self.channels) or _default_channels(values.shape[-1])
        units = tuple(self.units) or ("",) * values.shape[-1]
        place = self.source or self.name
        if values.ndim != 2 or values.shape[1] != len(channels) or len(units) != len(channels):
            raise DataError(f"values have shape {values.shape} for {len(channels)} channels", place=place)
        if times.shape != (len(values),):
            raise DataError(f"{len(times)} times for {len(values)} rows", place=place)
        if len(set(channels)) < len(channels):
            raise DataError(f"two channels have the same name: {', '.join(channels)}", place=place)
        inputs = tuple(self.inputs)
        unknown = [name for name in inputs if name not in channels]
        if unknown or (inputs and set(inputs) >= set(channels)):
            cause = f"input {unknown[0]!r} is no channel" if unknown else "every channel is an input"
            raise SettingError(cause, place=place, remedy=f"Channels are: {', '.join(channels)}.")
        _check_times(times, place)
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise DataError(
                f"infinite value in channel {channels[column]!r}, row {row + 1}",
                place=place,
                remedy="Mark missing values as NaN or leave the cell empty.",
            )
        for array in (times, values):
            array.setflags(write=False)
        settled = {"times": times, "values": values, "channels": channels, "units": units, "inputs": inputs}
        for key, value in settled.items():
            object.__setattr__(self, key, value)

    @classmethod
    def from_array(cls, values: ArrayLike, *, interval: float = 1.0, unit: str = "step", **known: Any) -> Series:
        """A regular series from `values (time,)` or `(time, channel)`, one row every `interval` of time `unit`."""
        array = np.asarray(values, dtype=np.float64)
        return cls(np.arange(len(array), dtype=np.float64) * float(interval), array, clock=Clock(unit), **known)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def shape(self) -> tuple[int, int]:
        """(number of rows, number of channels)."""
        return self.values.shape[0], self.values.shape[1]

    @cached_property
    def sampling(self) -> Sampling:
        """Interval, spread, gaps and kind of the sampling."""
        return Sampling.of(self.times)

    @property
    def interval(self) -> float:
        """The sampling interval (median, in units of the clock)."""
        return self.sampling.interval

    @property
    def duration(self) -> float:
        """Time from the first row to the last, in units of the clock."""
        return float(self.times[-1] - self.times[0]) if len(self) else 0.0

    @property
    def stamps(self) -> NDArray[np.datetime64] | None:
        """Calendar moments (UTC) of the rows, or None without a calendar."""
        return self.clock.stamps(self.times)

    def select(self, *names: str) -> Series:
        """The series with only the channels `names`, in that order. Raises `SettingError` for an unknown name."""
        for name in names:
            if name not in self.channels:
                raise SettingError(
                    f"no channel {name!r}",
                    place=self.source or self.name,
                    remedy=f"Channels are: {', '.join(self.channels)}.",
                )
        columns = [self.channels.index(name) for name in names]
        inputs = tuple(name for name in self.inputs if name in names)
        return replace(
            self, values=self.values[:, columns], channels=tuple(names), units=tuple(self.units[c] for c in columns),
            inputs=inputs if len(inputs) < len(names) else (),
        )  # fmt: skip

    @property
    def observed(self) -> Series:
        """The series without its known inputs."""
        return self.select(*(name for name in self.channels if name not in self.inputs)) if self.inputs else self

    @property
    def inputs_last(self) -> Series:
        """The same series with the known inputs as its last channels: the order in which models see them."""
        return self.select(*self.observed.channels, *self.inputs) if self.inputs else self

    def rows(self, start: int | None = None, stop: int | None = None) -> Series:
        """Rows `start` to `stop` (exclusive), counted as in a Python slice."""
        return replace(self, times=self.times[start:stop], values=self.values[start:stop])

    def window(self, start: float | str | None = None, stop: float | str | None = None) -> Series:
        """Rows with start <= time < stop; numbers in units of the clock, or time stamps where there is a calendar."""
        low = -np.inf if start is None else self.time_of(start)
        high = np.inf if stop is None else self.time_of(stop)
        inside = (self.times >= low) & (self.times < high)
        if not inside.any():
            raise InsufficientData(f"no row between {start} and {stop}", place=self.source or self.name)
        return replace(self, times=self.times[inside], values=self.values[inside])

    def time_of(self, moment: float | str) -> float:
        """The number on this series' time axis of a number or a time stamp."""
        if not isinstance(moment, str):
            return float(moment)
        if self.clock.origin is None:
            try:
                return float(moment)
            except ValueError:
                raise SettingError(
                    f"{moment!r} is a time stamp, but this series has no calendar", place=self.source or self.name
                ) from None
        from .io.stamps import to_times

        return float(to_times([moment], self.clock)[0])

    def split(self, *at: float | str) -> list[Series]:
        """The consecutive parts of the series, cut at times `at`; a number in (0, 1) is a share of the rows."""
        cuts = [
            round(a * len(self))
            if isinstance(a, float) and 0 < a < 1
            else int(np.searchsorted(self.times, self.time_of(a)))
            for a in at
        ]
        edges = [0, *sorted(cuts), len(self)]
        return [self.rows(a, b) for a, b in pairwise(edges) if b > a]

    def gridded(self) -> Series:
        """The same rows on the full regular grid: missing rows become rows of NaN, nothing is interpolated.

        Raises `DataError` where the sampling is irregular.
        """
        sampling = self.sampling
        if sampling.kind == "regular":
            return self
        if sampling.kind == "irregular":
            raise DataError(
                f"sampling is irregular (intervals vary by {sampling.spread:.0%} of the median)",
                place=self.source or self.name,
                remedy=f"Resample explicitly, for instance series.resample({sampling.interval:.3g}, method='linear') "
                f"(--resample {sampling.interval:.3g} --resample-method linear).",
            )
        index = np.concatenate([[0], np.cumsum(np.round(np.diff(self.times) / sampling.interval).astype(int))])
        if index[-1] > max(100 * len(self), 1_000_000):
            raise DataError(
                f"the full grid would have {int(index[-1]) + 1:,} rows for {len(self):,} observed ones",
                place=self.source or self.name,
                remedy="Cut the series at its largest gap (series.split) or resample to a longer interval.",
            )
        values = np.full((int(index[-1]) + 1, self.shape[1]), np.nan)
        values[index] = self.values
        times = np.interp(np.arange(len(values)), index, self.times)
        return replace(self, times=times, values=values)

    def stretches(self, minimum: int = 1) -> list[Series]:
        """The gap-free pieces, in order: consecutive grid rows in which every channel is present, `minimum` long."""
        grid = self.gridded()
        filled = np.isfinite(grid.values).all(axis=1)
        if filled.all():
            return [grid] if len(grid) >= max(minimum, 1) else []
        present = np.concatenate([[False], filled, [False]])
        edges = np.flatnonzero(np.diff(present.astype(int)))
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [grid.rows(int(a), int(b)) for a, b in pairs if b - a >= max(minimum, 1)]

    def resample(self, interval: float, *, method: str) -> Series:
        """The series on a regular grid of `interval` by the named `method`; see `takens.transform.resample`."""
        from .transform import resample

        return resample(self, interval, method=method)

    def detrend(self, *, method: str = "linear") -> Series:
        """The series without its trend; see `takens.transform.detrend`."""
        from .transform import detrend

        return detrend(self, method=method)

    def standardise(self) -> Series:
        """The series with mean 0 and standard deviation 1 in each channel; see `takens.transform.standardise`."""
        from .transform import standardise

        return standardise(self)

    def to_frame(self) -> pd.DataFrame:
        """A pandas frame, one column a channel, indexed by time stamp (or number)."""
        from .io.frames import series_to_frame

        return series_to_frame(self)

    def to_xarray(self) -> xr.Dataset:
        """An xarray data set with dimension time and one variable a channel; units and clock as attributes."""
        from .io.grids import series_to_xarray

        return series_to_xarray(self)

    def save(self, path: str) -> None:
        """Write to `.csv` or `.nc`; `takens.open` reads either back without loss."""
        from .io.writing import write_series

        write_series(self, path)

    def _repr_html_(self) -> str:
        rows, columns = self.shape
        return f"<b>{self.name}</b>: {rows} rows x {columns} channels ({', '.join(self.channels[:8])})"


def as_series(data: Series | ArrayLike, *, name: str = "array") -> Series:
    """`data` itself if it is a `Series`, else a regular series with one row a step made from the array."""
    if isinstance(data, Series):
        return data
    array = np.asarray(data, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise DataError(f"expected an array (time,) or (time, channel), got shape {array.shape}", place=name)
    return Series.from_array(array, name=name)


def as_trajectories(data: Series | Sequence[Series] | ArrayLike) -> list[Series]:
    """A list of series from one series, an array, or a sequence of series."""
    if isinstance(data, list | tuple) and data and all(isinstance(item, Series) for item in data):
        return list(data)
    return [as_series(data)]  # type: ignore[arg-type]


def _default_channels(count: int) -> tuple[str, ...]:
    return ("x",) if count == 1 else tuple(f"x{i + 1}" for i in range(count))


def _check_times(times: NDArray[np.float64], place: str) -> None:
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0])
        raise DataError(f"the time of row {row + 1} is missing or not finite", place=place)
    if len(times) > 1 and np.diff(times).min() <= 0:
        row = int(np.flatnonzero(np.diff(times) <= 0)[0])
        word = "the same time as" if times[row + 1] == times[row] else "an earlier time than"
        raise DataError(
            f"row {row + 2} has {word} the row before it",
            place=place,
            remedy="Sort the rows and remove duplicates, or let the reader do it: unsorted='sort', duplicates='mean'.",
        )
