"""What models learn from and laws remember of it: the signature of the data and gap-free arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import InsufficientData, LawError
from ..series import TOLERANCE, Series, as_trajectories

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Signature:
    """What a law was fitted on: channels, units, sampling interval, clock and name of the data.

    `inputs` names the known inputs, always the last of the channels; `start` is the time of the first row.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: float
    clock: Clock
    name: str
    inputs: tuple[str, ...] = ()
    start: float = 0.0

    @classmethod
    def of(cls, series: Series) -> Signature:
        """The signature of a series."""
        known = series.inputs_last
        start = float(series.times[0]) if len(series) else 0.0
        return cls(known.channels, known.units, series.interval, series.clock, series.name, known.inputs, start)

    @property
    def targets(self) -> int:
        """How many of the channels, the first ones, are forecast; the others are known inputs."""
        return len(self.channels) - len(self.inputs)

    def row(self, time: float) -> int:
        """How many sampling intervals `time` lies after the first row of the training data, rounded."""
        return round((time - self.start) / self.interval)

    def check(self, series: Series, *, irregular: bool = False) -> None:
        """Raise `LawError` unless `series` has the channels and the interval the law was fitted on."""
        if series.channels != self.channels:
            raise LawError(
                f"the law was fitted on channels {', '.join(self.channels)}; these data have "
                f"{', '.join(series.channels)}",
                place=series.source or series.name,
                remedy="Select the same channels in the same order, or fit anew.",
            )
        if not irregular and len(series) > 1 and abs(series.interval / self.interval - 1) > TOLERANCE:
            raise LawError(
                f"the law was fitted on an interval of {self.interval:g} {self.clock.unit}; these data have "
                f"{series.interval:g} {series.clock.unit}",
                place=series.source or series.name,
                remedy="Resample the data to the interval of the law, or fit anew.",
            )


@dataclass(frozen=True)
class Known:
    """What is known of the time that a forecast covers.

    `row` counts the first future row from the first row of the training data, in sampling intervals, so that laws with
    a cycle know its phase. `values (horizon, input)`, or `(member, horizon, input)` in the driver of recursive laws,
    are the known inputs, NaN where one is not known, or None where the law has none or they are left to the law itself.
    """

    row: int
    values: Array | None = None


@dataclass(frozen=True)
class Training:
    """What a model learns from: gap-free arrays `(time, channel)` with a common sampling, in time order.

    Known inputs are the last channels. `ends` holds the time of the last row of each stretch, `trajectories` the series
    as they came, inputs last. For models that live with gaps the stretches are whole trajectories with NaN.
    """

    signature: Signature
    stretches: tuple[Array, ...]
    ends: tuple[float, ...]
    trajectories: tuple[Series, ...] = ()

    @classmethod
    def of(
        cls, data: Series | Sequence[Series] | ArrayLike, *, gaps: bool = False, irregular: bool = False
    ) -> Training:
        """Check the trajectories against one another and cut them at their gaps, unless the model lives with `gaps`.

        Raises `DataError` for sampling that is irregular, unless the model allows it, and for channels without a value,
        `LawError` for trajectories that do not fit one another, `InsufficientData` where no two consecutive complete
        rows exist.
        """
        trajectories = [series.inputs_last for series in as_trajectories(data)]
        signature = Signature.of(trajectories[0])
        for series in trajectories:
            signature.check(series, irregular=irregular)
            for c, channel in enumerate(series.channels):
                if not np.isfinite(series.values[:, c]).any():
                    raise InsufficientData(f"channel {channel!r} has no value", place=series.source or series.name)
        loose = irregular and any(series.sampling.kind == "irregular" for series in trajectories)
        if loose or gaps:
            pieces = [series if loose else series.gridded() for series in trajectories if len(series) > 1]
        else:
            pieces = [piece for series in trajectories for piece in series.stretches(2)]
        if not pieces:
            raise InsufficientData(
                "no two consecutive rows have all channels present", place=trajectories[0].source or signature.name
            )
        ends = tuple(float(p.times[-1]) for p in pieces)
        return cls(signature, tuple(p.values for p in pieces), ends, tuple(trajectories))

    @property
    def targets(self) -> int:
        """How many of the channels, the first ones, are forecast; the others are known inputs."""
        return self.signature.targets

    @property
    def starts(self) -> tuple[int, ...]:
        """The row of the first value of each stretch, counted like `Known.row`."""
        return tuple(
            self.signature.row(end) - len(piece) + 1 for piece, end in zip(self.stretches, self.ends, strict=True)
        )

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
        stretches = tuple(map(function, self.stretches))
        if stretches[0].shape[1] != self.stretches[0].shape[1]:  # other channels: no longer the series that came
            return replace(self, stretches=stretches, trajectories=())
        trajectories = tuple(replace(series, values=function(series.values)) for series in self.trajectories)
        return replace(self, stretches=stretches, trajectories=trajectories)

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
