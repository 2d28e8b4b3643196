"""Recurrence quantification in windows, and what range chance allows it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError
from ...neighbours import Metric
from ...random import generator
from .plane import plane
from .quantification import line_measures
from .threshold import Threshold, states

Array = NDArray[np.float64]

FROM_LINES = ("determinism", "diagonal_length", "diagonal_entropy", "laminarity", "trapping_time", "vertical_entropy")
"""Quantities that follow from the lengths of lines alone, in the order in which they are computed."""


@dataclass(frozen=True)
class WindowedRecurrence:
    """Recurrence quantities in windows: `start (window,)` in samples, `width`, `values` by name `(window,)`.

    `bands` holds for each quantity the lower and upper end of the range in which a window with lines like those of all
    windows together lies at `level`; `unusual(name)` says which windows lie outside. `radius` is that of all windows.
    """

    start: NDArray[np.int64]
    width: int
    values: Mapping[str, Array]
    bands: Mapping[str, tuple[float, float]]
    level: float
    radius: float

    def unusual(self, name: str) -> NDArray[np.bool_]:
        """The windows `(window,)` whose quantity `name` lies outside its band; NaN does not."""
        low, high = self.bands[name]
        return (self.values[name] < low) | (self.values[name] > high)


def windowed_recurrence(
    points: ArrayLike, *, width: int, step: int | None = None, radius: float | None = None, rate: float | None = None,
    metric: Metric = "maximum", theiler: int = 0, shortest_diagonal: int = 2, shortest_vertical: int = 2,
    resamples: int = 500, level: float = 0.95, seed: int = 0,
) -> WindowedRecurrence:  # fmt: skip
    """Recurrence quantities of `points (time, d)` in windows of `width` states, one every `step` (half a width).

    The radius is found once, from all states, so that windows can be compared. The band draws for each window as many
    lines as windows have on average from the lines of all windows (Schinkel et al., Phys. Lett. A 373, 2245, 2009). It
    takes lines as independent, which neighbouring diagonals of smooth data are not: there too many windows are unusual
    (compare with surrogates before you believe one). Raises `SettingError` where no window fits, `DataError` for NaN.
    Cost: `width`^2 pairs a window.
    """
    found = states(points)
    step = max(width // 2, 1) if step is None else step
    if not 10 <= width <= len(found) or step < 1 or theiler < 0:
        raise SettingError(f"a window of {width} states every {step} does not fit {len(found)} states")
    common = float(Threshold(radius, rate, None, metric).radii(found, found, theiler)[0])
    start = np.arange(0, len(found) - width + 1, step)
    tables: list[tuple[Array, Array]] = []
    rates = []
    for at in start:
        lines = plane(found[at : at + width], None, Threshold(radius=common, metric=metric), theiler).lines()
        tables.append((lines.diagonal[0], lines.vertical[0]))
        rates.append(lines.diagonal[0] @ np.arange(lines.diagonal.shape[1]) / lines.pairs if lines.pairs else np.nan)
    pooled = [_stacked([pair[side] for pair in tables]) for side in (0, 1)]
    shortest = (shortest_diagonal, shortest_vertical)
    curves = [curve for side in (0, 1) for curve in line_measures(pooled[side], shortest[side])]
    rng = generator(seed, "windowed_recurrence")
    drawn = [
        curve for side in (0, 1) for curve in line_measures(_redrawn(pooled[side], resamples, rng), shortest[side])
    ]
    ends = (0.5 - level / 2, 0.5 + level / 2)
    bands = {
        name: tuple(map(float, np.nanquantile(curve, ends))) if np.isfinite(curve).any() else (np.nan, np.nan)
        for name, curve in zip(FROM_LINES, drawn, strict=True)
    }
    values = {"recurrence_rate": np.array(rates), **dict(zip(FROM_LINES, curves, strict=True))}
    return WindowedRecurrence(start, width, values, bands, level, common)  # type: ignore[arg-type]


def _stacked(tables: list[Array]) -> Array:
    out = np.zeros((len(tables), max(map(len, tables))))
    for row, table in zip(out, tables, strict=True):
        row[: len(table)] = table
    return out


def _redrawn(tables: Array, resamples: int, rng: np.random.Generator) -> Array:
    """Tables `(resample, length)` with the mean number of lines of a window, drawn from those of all windows."""
    lines = tables.sum()
    if lines == 0:
        return np.zeros((resamples, tables.shape[1]))
    return rng.multinomial(round(lines / len(tables)), tables.sum(axis=0) / lines, size=resamples).astype(float)
