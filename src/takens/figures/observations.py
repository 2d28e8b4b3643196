"""The observations over time, with gaps and events."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..series import Series
from .style import COLOURS, canvas, moments, named, styled, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BUCKETS = 700
"""Stretches of a long series; the smallest and largest value of each are drawn, so that no spike is lost."""


@styled
def series_figure(series: Series, events: Sequence[tuple[float | str, str]] = ()) -> Figure:
    """Channels stacked over a common time axis; missing rows and values shaded, `events` (time, label) marked.

    Series longer than 1,400 rows are drawn through the smallest and the largest value of 700 stretches. Meant for up to
    about six channels. Cost: O(N).
    """
    grid = series if series.sampling.kind == "irregular" else series.gridded()
    count = series.shape[1]
    figure, axes = canvas(0.75 + (1.75 if count == 1 else 1.15 * count), rows=count, sharex=True)
    for c, ax in enumerate(axes[:, 0]):
        values = grid.values[:, c]
        _shade(ax, series, grid.times, np.isnan(values))
        times, shown = decimated(grid.times, values)
        alone = np.isfinite(shown) & ~np.isfinite(np.roll(shown, 1)) & ~np.isfinite(np.roll(shown, -1))
        ax.plot(moments(series.clock, times), shown, color=COLOURS["accent"], linewidth=0.9)
        if alone.any():  # a value between two gaps has no line to lie on
            ax.plot(moments(series.clock, times[alone]), shown[alone], ".", color=COLOURS["accent"], markersize=3)
        ax.set_title(named(series.channels[c], series.units[c]), fontweight="normal")
        ax.margins(x=0.005)
        if np.nanmin(values, initial=np.inf) == np.nanmax(values, initial=-np.inf):
            ax.set_yticks([values[np.isfinite(values)][0]])  # a constant channel has one tick, not an invented range
        else:
            ax.locator_params(axis="y", nbins=4)
    _mark(axes[:, 0], series, events)
    time_axis(axes[-1, 0], series.clock)
    return figure


def decimated(times: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Times and values of the smallest and the largest value of each of 700 stretches, in order; NaN where none is."""
    if len(values) <= 2 * BUCKETS:
        return times, values
    edges = np.linspace(0, len(values), BUCKETS + 1).astype(int)
    keep: list[int] = []
    for start, stop in pairwise(edges):
        part = values[start:stop]
        if np.isnan(part).all():
            keep.append(start)
        else:
            keep += sorted({start + int(np.nanargmin(part)), start + int(np.nanargmax(part))})
    return times[keep], values[keep]


def _shade(ax: Axes, series: Series, times: NDArray[np.float64], missing: NDArray[np.bool_]) -> None:
    """Shade the spans of missing values, each from the value before to the value after; close spans are one."""
    padded = np.concatenate([[False], missing, [False]]).astype(int)
    edges = np.flatnonzero(np.diff(padded))
    spans: list[list[float]] = []
    blur = (times[-1] - times[0]) / 600 if len(times) > 1 else 0.0
    for start, stop in edges.reshape(-1, 2):
        left, right = float(times[max(start - 1, 0)]), float(times[min(stop, len(times) - 1)])
        if spans and left - spans[-1][1] < blur:
            spans[-1][1] = right
        else:
            spans.append([left, right])
    for left, right in spans:
        low, high = moments(series.clock, np.array([left, max(right, left + blur)]))
        ax.axvspan(low, high, color=COLOURS["faint"], linewidth=0)


def _mark(axes: NDArray, series: Series, events: Sequence[tuple[float | str, str]]) -> None:  # type: ignore[type-arg]
    """Dashed lines at the events in all panels, named at the top in as many rows as keep the names apart."""
    rows: list[list[tuple[float, float]]] = []
    span = max(series.duration, 1e-12)
    for moment, label in sorted(((series.time_of(m), text) for m, text in events), key=lambda e: e[0]):
        at = moments(series.clock, np.array([moment]))[0]
        for ax in axes:
            ax.axvline(at, color=COLOURS["late"], linewidth=0.9, linestyle=(0, (3, 2)))
        place, width = (moment - series.times[0]) / span, 0.017 * len(label) + 0.02
        right = place + width > 1  # no room on the right of its line
        taken = (place - width, place) if right else (place, place + width)
        row = next((r for r, row in enumerate(rows) if all(taken[0] >= b or taken[1] <= a for a, b in row)), len(rows))
        rows[row:] = [[*rows[row], taken], *rows[row + 1 :]] if row < len(rows) else [[taken]]
        axes[0].annotate(
            label, (at, 1), xycoords=("data", "axes fraction"), xytext=(-3 if right else 3, -2 - 11 * row),
            textcoords="offset points", ha="right" if right else "left", va="top", color=COLOURS["late"], fontsize=8.5,
            bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
        )  # fmt: skip
