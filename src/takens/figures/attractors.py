"""States: an orbit in projection, and the states of a free run beside those of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData
from ..scores.geometry import decorrelation
from ..series import Series, as_series
from .style import COLOURS, canvas, dots, named, styled, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
SPAN, LIFT = np.deg2rad(-28), np.deg2rad(22)
"""Viewing direction of the projections: azimuth and elevation."""
LEAP = 0.25
"""Median step, in standard deviations, above which points are dots: the series jumps, a line would draw nonsense."""


@styled
def attractor_figure(
    points: ArrayLike, labels: tuple[str, str, str] = ("x", "y", "z"), *, lines: bool | None = None
) -> Figure:
    """Static parallel projection of an orbit `points (n, 3)` with its three axes; the far half is drawn paler.

    Consecutive points are joined if `lines`, by default where the median step is short. At most 5,000 points are drawn:
    the first ones where they are joined (thinning a curve would cut its corners), evenly spaced ones otherwise. NaN
    breaks the line. Raises `DataError` for another shape.
    """
    cloud = np.asarray(points, dtype=float)
    if cloud.ndim != 2 or cloud.shape[1] != 3 or len(cloud) < 2:
        raise DataError(f"an orbit in three dimensions has shape (n, 3), this one {cloud.shape}")
    joined = smooth(cloud) if lines is None else lines
    cloud = cloud[:5000] if joined else thinned(cloud, 4000)
    low, high = np.nanmin(cloud, axis=0), np.nanmax(cloud, axis=0)
    flat, depth = projected(2 * (cloud - low) / np.where(high > low, high - low, 1.0) - 1)
    figure, axes = canvas(4.0)
    ax = axes[0, 0]
    ax.set_axis_off()
    ax.set_aspect("equal")
    framed(ax, labels, low, high)
    middle = np.nanmedian(depth)
    for far in (True, False):
        part = np.where(((depth > middle) == far)[:, None], flat, np.nan)
        colour, alpha = (COLOURS["soft"], 0.9) if far else (COLOURS["accent"], 0.9)
        if joined:
            if far:  # the whole curve first, so that the two halves meet without a hole
                part = flat
            ax.plot(part[:, 0], part[:, 1], color=colour, linewidth=0.6, alpha=alpha)
        else:
            dots(ax, part[:, 0], part[:, 1], colour, 1.3, alpha=alpha)
    return figure


def smooth(points: Array) -> bool:
    """Whether consecutive points lie close together: the median step is under a quarter of a standard deviation."""
    scale = np.nanstd(points, axis=0)
    step = np.diff(points, axis=0) / np.where(scale > 0, scale, 1.0)
    length = np.sqrt((step**2).mean(axis=1))
    return bool(np.nanmedian(length) < LEAP) if np.isfinite(length).any() else False


def projected(points: Array, azimuth: float = SPAN) -> tuple[Array, Array]:
    """Parallel projection `(n, 2)` of `points (n, 3)` and their distance from the viewer `(n,)`."""
    x, y, z = points.T
    right = x * np.cos(azimuth) + y * np.sin(azimuth)
    away = -x * np.sin(azimuth) + y * np.cos(azimuth)
    return np.column_stack([right, z * np.cos(LIFT) + away * np.sin(LIFT)]), away * np.cos(LIFT) - z * np.sin(LIFT)


def framed(ax: Axes, labels: tuple[str, ...], low: Array, high: Array, azimuth: float = SPAN) -> None:
    """Draw the three axes through the lowest corner of the box, each with its name and the ends of its range."""
    for axis, name in enumerate(labels):
        # of the four edges of the box along this axis: the lowest on paper, or for the upright axis the leftmost
        corners = np.array([[a, b] for a in (-1.08, 1.08) for b in (-1.08, 1.08)])
        edges = [np.insert(np.repeat(corner[None], 2, axis=0), axis, [-1, 1], axis=1) for corner in corners]
        start, stop = min(
            (projected(edge, azimuth)[0] for edge in edges), key=lambda e: e.mean(axis=0)[0 if axis == 2 else 1]
        )
        ax.plot([start[0], stop[0]], [start[1], stop[1]], color=COLOURS["grid"], linewidth=1)
        normal = np.array([-(stop - start)[1], (stop - start)[0]])
        normal = normal / np.hypot(*normal)
        normal = normal if normal @ (start + stop) > 0 else -normal
        for place, text, colour, gap in (
            ((start + stop) / 2, name, "ink", 20.0), (start, f"{low[axis]:.3g}", "muted", 6.0),
            (stop, f"{high[axis]:.3g}", "muted", 6.0),
        ):  # fmt: skip
            ax.annotate(
                text, place, xytext=normal * gap, textcoords="offset points", color=COLOURS[colour], fontsize=9,
                ha="right" if normal[0] < -0.35 else "left" if normal[0] > 0.35 else "center",
                va="top" if normal[1] < -0.35 else "bottom" if normal[1] > 0.35 else "center",
            )  # fmt: skip


@styled
def climate_figure(observed: Series | ArrayLike, generated: Series | ArrayLike) -> Figure:
    """States of the data and of a free run `(time, channel)` side by side, and the distribution of each channel below.

    One channel is drawn against its own past (a delay where its autocorrelation falls below 1/e), two against each
    other, three in parallel projection, more on the first two principal components of the data. Both portraits have the
    same axes, set by the data; up to four distributions. Raises `InsufficientData` where the run is not finite.
    """
    data = as_series(observed)
    run = np.asarray(generated.values if isinstance(generated, Series) else generated, dtype=float)
    run = run[:, None] if run.ndim == 1 else run
    if run.shape[1] != data.shape[1]:
        raise DataError(f"the run has {run.shape[1]} channels, the data {data.shape[1]}")
    if not np.isfinite(run).all():
        raise InsufficientData("the free run is not finite")
    left, right, axis_names = _portraits(data, run)
    shown = min(data.shape[1], 4)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.9), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=[1.75, 1])
    top, bottom = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    pair = top.subplots(1, 2, sharex=True, sharey=True)
    for ax, cloud, name, colour in ((pair[0], left, "data", "ink"), (pair[1], right, "free run", "late")):
        if smooth(cloud):
            ax.plot(*cloud[:4000].T, color=COLOURS[colour], linewidth=0.5)
        else:
            part = thinned(cloud, 2500)
            dots(ax, part[:, 0], part[:, 1], COLOURS[colour], 1.3)
        ax.set_title(name, color=COLOURS[colour])
        ax.locator_params(nbins=4, prune="both")
    limited(pair[0], left)
    top.supxlabel(axis_names[0], fontsize=9.5)
    pair[0].set_ylabel(axis_names[1])
    for c, ax in enumerate(np.atleast_1d(bottom.subplots(1, shown))):
        distribution(ax, data.values[:, c], run[:, c])
        ax.set_xlabel(named(data.channels[c], data.units[c], 18))
    return figure


def _portraits(data: Series, run: Array) -> tuple[Array, Array, tuple[str, str]]:
    """Both clouds in the plane, and what its axes are."""
    project, names = plane(data, len(run))
    return project(data.values), project(run), names


def plane(data: Series, rows: int) -> tuple[Callable[[Array], Array], tuple[str, str]]:
    """How `(time, channel)` becomes points `(time, 2)` of a portrait, and what the axes are: a view that the data set.

    `rows` are those of the shortest run that is shown in the same view.
    """
    values, channels = data.values, data.shape[1]
    if channels == 1:
        delay = min(decorrelation(values[:, 0]), max(min(len(values), rows) // 4, 1))
        names = ("x(t)", f"x(t + {delay * data.interval:.3g} {data.clock.unit})")
        return lambda x: np.column_stack([x[:-delay, 0], x[delay:, 0]]), names
    if channels == 2:
        first, second = (named(n, u, 18) for n, u in zip(data.channels, data.units, strict=True))
        return lambda x: x, (first, second)
    centre, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    if channels == 3:
        return lambda x: projected((x - centre) / scale)[0], ("projection of the three channels", "")
    standard = (values - centre) / scale
    axes = np.linalg.svd(standard[np.isfinite(standard).all(axis=1)], full_matrices=False)[2][:2].T
    return lambda x: ((x - centre) / scale) @ axes, ("first principal component", "second")


def limited(ax: Axes, cloud: Array) -> None:
    """Limits of both axes somewhat wider than a cloud `(point, 2)`."""
    low, high = np.nanmin(cloud, axis=0), np.nanmax(cloud, axis=0)
    margin = 0.12 * np.where(high > low, high - low, 1.0)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])


def distribution(ax: Axes, data: Array, run: Array) -> None:
    """Histograms on common bins: the data filled, the free run as a line."""
    data = data[np.isfinite(data)]
    low, high = data.min(), data.max()
    margin = 0.12 * (high - low) if high > low else 1.0
    edges = np.linspace(low - margin, high + margin, 41)
    for values, known in ((data, {"fill": True, "color": "faint"}), (run, {"fill": False, "color": "late"})):
        share = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values)
        if known["fill"]:
            ax.stairs(share, edges, fill=True, color=COLOURS["faint"])
            ax.stairs(share, edges, color=COLOURS["ink"], linewidth=0.9)
        else:
            ax.stairs(share, edges, color=COLOURS["late"], linewidth=1.3)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", nbins=4, prune="both")
