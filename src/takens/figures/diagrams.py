"""Orbit diagrams, planes of two parameters, and attractors over one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from .style import COLOURS, WIDTH, canvas, dots, named, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..dynamics.attractor_continuation import AttractorContinuation
    from ..dynamics.diagrams import OrbitDiagram, ParameterPlane

Array = NDArray[np.float64]
ROWS = 450
"""Rows of the picture of a diagram with many points; about as many as are shown."""
FEW = 4000
"""Up to so many points are drawn as dots."""
AREAS = ("#9dbad6", "#e9b690", "#a5cbb0", "#cbb5dc", "#e4d193", "#9fd0cf", "#dba9b0", "#c2c2ac")
"""Soft colours for areas on which something else is drawn: blue, orange, green first."""
ABSENT = "#ecebe6"
"""The colour where there is no attractor: orbits escape or diverge."""


@styled
def orbit_diagram_figure(diagram: OrbitDiagram) -> Figure:
    """An orbit diagram: the states an orbit keeps to over the parameter, and below them the largest exponent.

    Many points become a picture whose darkness says how often an orbit comes there. Above stand the periods of the
    wider windows. Exponents above zero, of chaos, are filled in orange, those below in blue. Raises `InsufficientData`
    where every orbit diverges.
    """
    x, y = diagram.pairs()
    if not len(x):
        raise InsufficientData("every orbit diverges", place=diagram.system)
    strip = diagram.exponents is not None and bool(np.isfinite(diagram.exponents).any())
    ratios = {"height_ratios": [3, 1]} if strip else {}
    figure, axes = canvas(4.6 if strip else 3.6, 2 if strip else 1, sharex=True, gridspec_kw=ratios)
    top = axes[0, 0]
    if len(x) <= FEW:
        dots(top, x, y, COLOURS["ink"], 1.1, alpha=0.8)
    else:
        _darkness(top, diagram.values, x, y)
    name = named(diagram.states[diagram.shown], "")
    what = {"maxima": f"maxima of {name}", "crossings": f"{name} on the section"}.get(diagram.what, name)
    top.set_ylabel(what)
    low, high = float(diagram.values.min()), float(diagram.values.max())
    margin = 0.01 * (high - low) or 0.5
    top.set_xlim(low - margin, high + margin)
    _windows(top, diagram.values, diagram.periods)
    if strip:
        assert diagram.exponents is not None
        _exponents(axes[1, 0], diagram.values, diagram.exponents)
    arrow = {"up": " →", "down": " ←"}.get(diagram.follow or "", "")
    axes[-1, 0].set_xlabel(named(diagram.parameter, "") + arrow)
    top.set_title(named(diagram.system, ""), pad=16)
    return figure


def _darkness(ax: Axes, values: Array, x: Array, y: Array) -> None:
    """The points as a picture, the darker the more of them; a column for each value of the parameter."""
    from matplotlib.colors import to_rgb

    columns = min(len(np.unique(values)), 1500)
    low, high = float(values.min()), float(values.max())
    half = 0.5 * (high - low) / max(columns - 1, 1)
    bottom, top = float(y.min()), float(y.max())
    edge = 0.01 * (top - bottom) or 0.5
    box = [[low - half, high + half], [bottom - edge, top + edge]]
    counts = np.histogram2d(x, y, bins=(columns, ROWS), range=box)[0].T
    share = counts / np.maximum(counts.sum(axis=0), 1)
    image = np.empty((*share.shape, 4))
    image[..., :3] = to_rgb(COLOURS["ink"])
    # A state visited once in a thousand times must still be seen beside one visited every time.
    image[..., 3] = np.where(share > 0, np.clip(0.25 + 1.6 * share**0.45, 0, 1), 0)
    extent = (box[0][0], box[0][1], box[1][0], box[1][1])
    ax.imshow(image, extent=extent, origin="lower", aspect="auto", interpolation="antialiased")
    ax.set_ylim(*box[1])


def _windows(ax: Axes, values: Array, periods: NDArray[np.int64]) -> None:
    """The period above each window that is wide enough for its number."""
    order = np.argsort(values)
    swept, found = values[order], periods[order]
    width = float(swept[-1] - swept[0])
    start, free = 0, -np.inf
    for period, run in groupby(found.tolist()):
        count = len(list(run))
        first, last = swept[start], swept[min(start + count, len(swept) - 1)]
        start += count
        if period <= 0 or not last - first > 0.012 * width:
            continue
        above = ax.get_xaxis_transform()
        ax.plot(
            [first + 0.003 * width, last - 0.003 * width],
            [1.015, 1.015],
            transform=above,
            color=COLOURS["accent"],
            linewidth=1.5,
            clip_on=False,
        )
        if (first + last) / 2 - free < 0.03 * width:  # the number would cover the one before
            continue
        free = (first + last) / 2
        words = f"period {period}" if last - first > 0.14 * width else str(period)
        ax.annotate(words, ((first + last) / 2, 1.015), xycoords=ax.get_xaxis_transform(), xytext=(0, 2.5),
                    textcoords="offset points", ha="center", va="bottom", fontsize=8, color=COLOURS["accent"],
                    annotation_clip=False)  # fmt: skip


def _exponents(ax: Axes, values: Array, exponents: Array) -> None:
    order = np.argsort(values)
    x, y = values[order], exponents[order]
    shown = y[np.isfinite(y)]
    high = max(float(shown.max()), 0.0)
    # Superstable orbits have exponents of minus infinity: the strip ends where most of the others lie.
    low = max(float(shown.min()), -2.5 * high if high > 0.05 * abs(float(shown.min())) else float(shown.min()))
    y = np.where(np.isnan(y), np.nan, np.maximum(y, 10 * low - 1))
    ax.fill_between(x, 0, y, where=y > 0, color=COLOURS["late"], alpha=0.35, linewidth=0, interpolate=True)
    ax.fill_between(x, 0, y, where=y < 0, color=COLOURS["soft"], alpha=0.6, linewidth=0, interpolate=True)
    ax.axhline(0, color=COLOURS["muted"], linewidth=0.7)
    ax.plot(x, y, color=COLOURS["ink"], linewidth=0.7)
    ax.set_ylim(low - 0.05 * (high - low or 1), high + 0.12 * (high - low or 1))
    ax.set_ylabel("exponent")


@styled
def parameter_plane_figure(plane: ParameterPlane) -> Figure:
    """The largest exponent, or the period, over two parameters: the first along, the second up.

    Exponents: orange above zero, blue below, white at zero. Periods: a colour each up to 8, then longer ones and none.
    Grey where orbits diverge.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    ax: Axes = figure.subplots()
    (x_name, x), (y_name, y) = plane.first, plane.second
    extent = (*_ends(x), *_ends(y))
    known: dict[str, Any] = {"origin": "lower", "aspect": "auto", "extent": extent, "interpolation": "nearest"}
    ax.set_facecolor(ABSENT)
    if plane.quantity == "lyapunov":
        _exponent_plane(figure, ax, plane.values, known)
    else:
        _period_plane(figure, ax, plane.values, known)
    ax.set(xlabel=named(x_name, ""), ylabel=named(y_name, ""), title=named(plane.system, ""))
    return figure


def _exponent_plane(figure: Figure, ax: Axes, values: Array, known: dict[str, Any]) -> None:
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    colours = ["#123c69", COLOURS["accent"], COLOURS["soft"], "#f7f6f2", "#f0b27f", COLOURS["late"], "#7a2f06"]
    shown = values[np.isfinite(values)]
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (-1.0, 1.0)
    # A few superstable cells must not take all the blue; where there is no chaos orange is not used.
    low = min(max(low, float(np.quantile(shown, 0.02)) if len(shown) else low), -1e-6)
    high = max(high, -0.02 * low)
    image = ax.imshow(values.T, cmap=LinearSegmentedColormap.from_list("exponent", colours),
                      norm=TwoSlopeNorm(0, low, high), **known)  # fmt: skip
    bar = figure.colorbar(image, ax=ax, label="largest Lyapunov exponent", extend="min", pad=0.02)
    bar.outline.set_visible(False)


def _period_plane(figure: Figure, ax: Axes, values: Array, known: dict[str, Any]) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = [COLOURS["ink"], "#12406f", COLOURS["accent"], COLOURS["good"], "#5f95c6", "#b08a1e", "#7a5aa6",
               "#c98aa0", "#a9cbe6", "#e0c9a8"]  # fmt: skip
    names = ["none", *(str(k) for k in range(1, 9)), "more"]
    kept = np.where(values > 8, 9.0, values)
    kept = np.where(kept < 0, np.nan, kept)
    image = ax.imshow(kept.T, cmap=ListedColormap(colours), norm=BoundaryNorm(np.arange(-0.5, 10), 10), **known)
    bar = figure.colorbar(image, ax=ax, ticks=range(10), label="period", pad=0.02)
    bar.ax.set_yticklabels(names)
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def _ends(values: Array) -> tuple[float, float]:
    """The outer edges of cells around evenly spaced values."""
    half = 0.5 * float(values[-1] - values[0]) / max(len(values) - 1, 1) or 0.5
    return float(values[0]) - half, float(values[-1]) + half


@styled
def continuation_figure(continuation: AttractorContinuation, state: int = 0) -> Figure:
    """Attractors over a parameter: their values of one state above, and below what share of the box each attracts."""
    figure, axes = canvas(4.4, 2, sharex=True, gridspec_kw={"height_ratios": [1.5, 1]})
    above, below = axes[:, 0]
    count = continuation.fractions.shape[1]
    strong = [
        COLOURS["accent"],
        COLOURS["late"],
        COLOURS["good"],
        "#7a5aa6",
        "#b08a1e",
        "#3f8f8d",
        "#b0505f",
        "#77775c",
    ]
    for number in range(count):
        pairs = zip(continuation.values, continuation.attractors, strict=True)
        points = [(value, each[number].points[:400, state]) for value, each in pairs if number in each]
        for large in (True, False):  # points and short cycles are drawn larger, and on top
            kept = [(value, part) for value, part in points if (len(part) > 64) == large]
            if kept:
                x = np.concatenate([np.full(len(part), value) for value, part in kept])
                dots(above, x, np.concatenate([part for _, part in kept]), strong[number % 8], 1.5 if large else 4,
                     zorder=1 if large else 2)  # fmt: skip
    areas = [*continuation.fractions.T, continuation.escaped + continuation.undecided]
    colours = [*(AREAS[k % len(AREAS)] for k in range(count)), ABSENT]
    below.stackplot(continuation.values, *areas, colors=colours, linewidth=0)
    below.set(ylim=(0, 1), ylabel="share of the box", xlabel=named(continuation.parameter, ""))
    above.set_ylabel("attractors")
    above.set_title(named(continuation.system, ""))
    return figure
