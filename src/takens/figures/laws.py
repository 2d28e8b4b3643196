"""What a law has learned beside what was observed: portraits, spectrum, distribution, exponents and one-step map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from ..scores import spectral_hellinger
from ..series import Series
from .attractors import distribution, limited, plane, smooth
from .piecewise import NODES, graph, marked
from .style import COLOURS, WIDTH, dots, named, styled, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..inspection import Inspection

Array = NDArray[np.float64]
SHOWN = 6000
"""Rows of a portrait."""


@styled
def law_figure(found: Inspection) -> Figure:
    """Six panels: the data and the free run of a law with its fixed points, and of the first channel the spectrum, the
    distribution and the map to the next value, or the next maximum; and the law's Lyapunov exponents.

    Where the run comes to rest that with the law's own noise is shown. Of a piecewise-linear law with up to 12 regions
    the graph of their steps is in the place of that map. Without data the free run stands alone. Raises
    `InsufficientData` where there is no finite free run.
    """
    from matplotlib.figure import Figure

    run = found.with_noise if found.at_rest else found.generated
    if run is None or not np.isfinite(run.values).all():
        raise InsufficientData(found.reasons.get("comparison", "the free run is not finite"), place=found.kind)
    data = found.observed
    figure = Figure(figsize=(WIDTH, 6.9), layout="constrained")
    axes = figure.subplots(3, 2)
    project, names = plane(run if data is None else data, min(len(run), len(run) if data is None else len(data)))
    joined = smooth((run if data is None else data).values)
    if data is None:
        axes[0, 0].set_axis_off()
        axes[0, 0].annotate("no data to compare with", (0.5, 0.5), xycoords="axes fraction", ha="center",
                            color=COLOURS["muted"])  # fmt: skip
    else:
        _portrait(axes[0, 0], project(data.values), "data", "ink", joined)
        axes[0, 0].set(xlabel=names[0], ylabel=names[1])
    title = "free run with noise" if found.at_rest else "free run, and fixed points"
    _portrait(axes[0, 1], project(run.values), title, "late", joined)
    axes[0, 1].set(xlabel=names[0])
    limited(axes[0, 1], project(run.values if data is None else data.values))
    if data is not None:
        limited(axes[0, 0], project(data.values))
    for point in found.points:
        values = point.values[None] if len(point.values) > 1 else np.repeat(point.values, 2)[None]
        marked(axes[0, 1], project(values) if len(point.values) > 1 else values, point.stability)
    _spectrum(axes[1, 0], data, run)
    _values(axes[1, 1], data, run)
    _exponents(axes[2, 0], found)
    if found.symbols is not None and len(found.symbols) <= NODES:
        graph(axes[2, 1], found.symbols)
        axes[2, 1].set_title("regions and their steps")
    else:
        _next(axes[2, 1], data, run)
    return figure


def _portrait(ax: Axes, cloud: Array, title: str, colour: str, joined: bool) -> None:
    if joined:
        ax.plot(*cloud[:SHOWN].T, color=COLOURS[colour], linewidth=0.4)
    else:
        part = thinned(cloud, SHOWN)
        dots(ax, part[:, 0], part[:, 1], COLOURS[colour], 1.2)
    ax.set_title(title, color=COLOURS[colour])
    ax.locator_params(nbins=4, prune="both")


def _spectrum(ax: Axes, data: Series | None, run: Series) -> None:
    """The smoothed spectra of the first channel that varies."""
    other = run if data is None else data
    try:
        compared = spectral_hellinger(run.values, other)
    except InsufficientData:
        compared = None
    if compared is None or not compared.details:
        ax.set_axis_off()
        ax.annotate("no spectrum: a run at rest", (0.5, 0.5), xycoords="axes fraction", ha="center",
                    color=COLOURS["muted"])  # fmt: skip
        return
    frequency = compared.details["frequency"][1:]
    for curve, colour, width in (("truth", "ink", 1.8), ("generated", "late", 1.2)):
        if curve == "generated" or data is not None:
            power = compared.details[curve][1:, 0]
            ax.plot(frequency, np.where(power > 0, power, np.nan), color=COLOURS[colour], linewidth=width)
    largest = float(compared.details["truth"][1:, 0].max())
    ax.set(xscale="log", yscale="log", xlabel=f"frequency (cycles per {other.clock.unit})", ylabel="share of power")
    ax.set_ylim(bottom=max(ax.get_ylim()[0], 1e-7 * largest))
    varying = [name for name, x in zip(other.channels, other.values.T, strict=True) if np.nanmax(x) > np.nanmin(x)]
    ax.set_title(f"spectrum of {named(varying[0], '', 18)}")


def _values(ax: Axes, data: Series | None, run: Series) -> None:
    """The distribution of the first channel."""
    distribution(ax, (run if data is None else data).values[:, 0], run.values[:, 0])
    ax.set_xlabel(named(run.channels[0], run.units[0], 18))
    ax.set_title("distribution")


def _exponents(ax: Axes, found: Inspection) -> None:
    """The Lyapunov exponents that matter, with their intervals: those not far below the largest in size."""
    if found.spectrum is None:
        ax.set_axis_off()
        ax.annotate("no exponents", (0.5, 0.5), xycoords="axes fraction", ha="center", color=COLOURS["muted"])
        return
    value = np.asarray(found.spectrum.value, dtype=float)
    value = value[np.isfinite(value)][:6]
    if not len(value):
        ax.set_axis_off()
        ax.annotate("every direction vanishes:\nno finite exponent", (0.5, 0.5), xycoords="axes fraction", ha="center",
                    color=COLOURS["muted"])  # fmt: skip
        return
    error = np.asarray(found.spectrum.details["standard_error"], dtype=float)[: len(value)]
    place = np.arange(1, len(value) + 1)
    colours = [COLOURS["late"] if v > 3 * e else COLOURS["muted"] if v > -3 * e else COLOURS["accent"]
               for v, e in zip(value, error, strict=True)]  # fmt: skip
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    ax.bar(place, value, width=0.55, color=colours)
    ax.errorbar(place, value, 2 * error, fmt="none", ecolor=COLOURS["ink"], elinewidth=0.9)
    for k, v in zip(place, value, strict=True):
        ax.annotate(f"{v:.2g}", (k, v), xytext=(0, 3 if v >= 0 else -3), textcoords="offset points", ha="center",
                    va="bottom" if v >= 0 else "top", fontsize=7.5)  # fmt: skip
    ax.margins(x=0.05, y=0.18)
    if np.abs(value).max() > 20 * np.abs(value[0]) > 0:
        # Directions that shrink at once would leave no height for those that matter.
        ax.set_yscale("symlog", linthresh=float(2 * np.abs(value[0])))
        ax.set_yticks(sorted({0.0, float(f"{value[0]:.1g}"), float(f"{value[-1]:.1g}")}))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
    ax.set_xticks(place)
    ax.set(xlabel="Lyapunov exponent", ylabel=found.spectrum.unit)
    ax.set_title("exponents of the law")


def _next(ax: Axes, data: Series | None, run: Series) -> None:
    """The first channel against its next value, or the maxima of a smooth series against the next ones."""
    flowing = smooth((run if data is None else data).values[:, :1])
    for series, colour, size in ((data, "ink", 2.2), (run, "late", 1.2)):
        if series is not None:
            values = _maxima(series.values[:, 0]) if flowing else series.values[:, 0]
            now, then = values[:-1][:4000], values[1:][:4000]
            dots(ax, now, then, COLOURS[colour], size, alpha=0.8)
    name = named(run.channels[0], "", 14)
    ax.set(xlabel=f"maximum of {name}" if flowing else name, ylabel="next maximum" if flowing else f"next {name}")
    ax.set_title("return map" if flowing else "one-step map")


def _maxima(x: Array) -> Array:
    """The local maxima of samples, each at the top of the parabola through three of them."""
    before, at, after = x[:-2], x[1:-1], x[2:]
    top = np.flatnonzero((at > before) & (at >= after))
    bend = before[top] - 2 * at[top] + after[top]
    return np.asarray(at[top] - (after[top] - before[top]) ** 2 / (8 * np.where(bend < 0, bend, -1e-300)))
