"""Measures through windows that move along a series: how what one measures changes, for many channels at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate, plain
from ..series import Series, as_series
from .base import REGISTRY, Channel, Refused, prepared

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WindowTable:
    """One number for each measure, channel and window.

    `value`, `low`, `high (measure, channel, window)` are the estimates and the ends of their intervals, NaN where there
    is none; `p_value` likewise for measures that test; `admissible` says which to believe and `reasons` why not.
    `start` and `stop (window,)` are the times of the first and last row of each window.
    """

    measures: tuple[str, ...]
    channels: tuple[str, ...]
    start: Array
    stop: Array
    value: Array
    low: Array
    high: Array
    p_value: Array
    admissible: NDArray[np.bool_]
    reasons: NDArray[np.object_]
    time_unit: str

    def to_frame(self) -> pd.DataFrame:
        """A pandas frame with one row a measure, channel and window."""
        import pandas as pd

        shape = self.value.shape
        which, channel, window = (index.ravel() for index in np.indices(shape))
        return pd.DataFrame(
            {
                "measure": np.array(self.measures, dtype=object)[which],
                "channel": np.array(self.channels, dtype=object)[channel],
                "start": self.start[window],
                "stop": self.stop[window],
                **{
                    name: getattr(self, name).ravel()
                    for name in ("value", "low", "high", "p_value", "admissible", "reasons")
                },
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values, by measure and channel."""
        numbers = ("value", "low", "high", "p_value", "admissible", "reasons")
        return {
            "start": plain(self.start), "stop": plain(self.stop), "time_unit": self.time_unit,
            "measures": {
                f"{name}[{channel}]": {key: plain(getattr(self, key)[m, c]) for key in numbers}
                for (m, name), (c, channel) in product(enumerate(self.measures), enumerate(self.channels))
            },
        }  # fmt: skip


def _in_rows(grid: Series, window: float, step: float) -> tuple[int, int]:
    """Length and step of windows in rows of `grid`. Raises `SettingError` where they do not fit."""
    lengths = np.array([window, step], dtype=float) / grid.interval
    if not (np.isfinite(lengths).all() and 1.5 < lengths[0] < len(grid) + 0.5 and lengths[1] > 0.5):
        raise SettingError(
            f"a window of {lengths[0]:.6g} rows and a step of {lengths[1]:.6g} do not fit a series of {len(grid)} rows",
            place="window",
            remedy=f"One row lasts {grid.interval:.4g} {grid.clock.unit}; windows need 2 rows, steps 1.",
        )
    return round(lengths[0]), round(lengths[1])


def measure_windows(
    data: Series | ArrayLike,
    window: float,
    step: float | None = None,
    *,
    only: Sequence[str],
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> WindowTable:
    """Measures of every channel in windows of length `window` that move by `step` (default: half a window).

    Both are in the unit of the clock (samples for an array); the last incomplete window is left out. `only` names the
    measures; those that give several numbers have none here, and say so. Each window is read once for all measures of
    a channel. Windows run in `threads` threads (default: one a processor), which pays where a measure spends its time
    in compiled loops, for these let other threads run; the result does not depend on it. `progress(name, done, total)`
    is called after each window. Neighbouring windows overlap, so that neighbouring values are not independent: test a
    trend against surrogates of the whole series. Raises `SettingError` for windows that do not fit, unknown measures
    and `threads` below 1, and `DataError` for irregular times. Cost: that of the measures, windows times.
    """
    series = as_series(data)
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in REGISTRY:
            raise SettingError(f"no measure {name!r}", place="only", remedy=f"Measures are: {', '.join(REGISTRY)}.")
    if threads is not None and threads < 1:
        raise SettingError(f"threads must be at least 1, got {threads}", place="threads")
    if len(series) < 2:
        raise SettingError(f"{len(series)} rows hold no window", place="window")
    grid = series.gridded()
    rows, stride = _in_rows(grid, window, window / 2 if step is None else step)
    starts = np.arange(0, len(grid) - rows + 1, stride)
    jobs = list(product(range(series.shape[1]), range(len(starts))))
    columns = [grid.select(channel) for channel in grid.channels]

    def work(job: tuple[int, int]) -> list[Estimate]:
        channel, at = job
        return _estimates(columns[channel].rows(int(starts[at]), int(starts[at]) + rows), names, seed)

    table = np.empty((len(names), series.shape[1], len(starts)), dtype=object)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for done, ((channel, at), found) in enumerate(zip(jobs, pool.map(work, jobs), strict=True), 1):
            table[:, channel, at] = found
            if progress is not None:
                progress(f"{grid.channels[channel]}, window {at + 1}", done, len(jobs))
    ends = grid.times[starts + rows - 1]
    return _table(tuple(names), grid, grid.times[starts], ends, table)


def _estimates(piece: Series, names: Sequence[str], seed: int) -> list[Estimate]:
    """The estimates of one channel in one window; what several measures need is prepared once."""
    ready: dict[bool, Channel | Refused] = {}
    found = []
    for name in names:
        measure = REGISTRY[name]
        if measure.regular not in ready:
            try:
                ready[measure.regular] = prepared(piece, regular=measure.regular, name=name)
            except Refused as refusal:
                ready[measure.regular] = refusal
        channel = ready[measure.regular]
        if isinstance(channel, Refused):
            found.append(Estimate(name, None, admissible=False, reason=str(channel)))
            continue
        try:
            found.append(measure.on(channel, piece.channels[0], seed=seed))
        except Exception as error:
            found.append(Estimate(name, None, admissible=False, reason=f"{type(error).__name__}: {error}"))
    return found


def _table(
    names: tuple[str, ...], grid: Series, start: Array, stop: Array, estimates: NDArray[np.object_]
) -> WindowTable:
    shape = estimates.shape
    value, low, high, p = (np.full(shape, np.nan) for _ in range(4))
    admissible, reasons = np.zeros(shape, dtype=bool), np.full(shape, "", dtype=object)
    for at in np.ndindex(shape):
        one = cast(Estimate, estimates[at])
        admissible[at], reasons[at] = one.admissible, one.reason
        found = one.details.get("p_value", np.nan)
        p[at] = found if np.ndim(found) == 0 else np.nan
        if one.value is None:
            continue
        if np.ndim(one.value) > 0:
            admissible[at], reasons[at] = False, "several numbers: measure each window by itself"
            continue
        value[at] = float(one.value)
        if one.interval is not None:
            low[at], high[at] = map(float, one.interval)
    return WindowTable(
        names, grid.channels, start, stop, value, low, high, p, admissible, reasons, grid.clock.unit
    )  # fmt: skip
