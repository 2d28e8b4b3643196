"""Orbits of known systems: phase portraits, sections, and how exponents converge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..estimate import Estimate
from .attractors import SPAN, framed, projected, smooth
from .style import COLOURS, WIDTH, canvas, dots, named, styled, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..dynamics.sections import Section

Array = NDArray[np.float64]
POINTS = 20_000
"""Most points of a picture of dots."""
SIDES = (SPAN, SPAN + np.pi / 4, SPAN - np.pi / 4, SPAN + np.pi / 2)
"""Directions to look from, best first; the one from which an orbit spreads widest is taken."""
SHADES = ("#0d2b4a", "#1d5c9e", "#4f93b8", "#8fb58a", "#d9a441", "#c2571a")
"""From slow to fast: blue over green to orange, ever lighter and then warmer, told apart with any colour vision."""


@styled
def portrait_figure(
    states: ArrayLike, names: Sequence[str] = ("x", "y", "z"), *, title: str = "", equations: str = ""
) -> Figure:
    """The phase portrait of an orbit `states (time, state)`: points of a map, a line of a flow coloured by its speed.

    One state is drawn against its next value, two in the plane, of more the first three in parallel projection.
    `equations`, plain text, stand under the title if they have at most four lines that fit. Raises `DataError` for
    fewer than three points or values that are not finite.
    """
    orbit = np.asarray(states, dtype=float)
    orbit = orbit[:, None] if orbit.ndim == 1 else orbit
    if orbit.ndim != 2 or len(orbit) < 3 or not np.isfinite(orbit).all():
        raise DataError(f"an orbit has shape (time, state) and is finite, this one is {orbit.shape}")
    joined = orbit.shape[1] > 1 and smooth(orbit)
    labels = [named(name, "", 18) for name in names]
    if orbit.shape[1] == 1:
        orbit, labels = np.column_stack([orbit[:-1], orbit[1:]]), [labels[0], f"next {labels[0]}"]
    solid = orbit.shape[1] > 2
    lines = fitting(equations)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, (4.6 if solid else 4.0) + 0.17 * len(lines)), layout="constrained")
    ax: Axes = figure.subplots()
    if solid:
        low, high = orbit[:, :3].min(axis=0), orbit[:, :3].max(axis=0)
        cube = 2 * (orbit[:, :3] - low) / np.where(high > low, high - low, 1.0) - 1
        side = max(SIDES, key=lambda one: float(np.linalg.det(np.cov(projected(cube, one)[0].T))))
        flat = projected(cube, side)[0]
        ax.set_axis_off()
        ax.set_aspect("equal")
        framed(ax, (labels[0], labels[1], labels[2]), low, high, side)
    else:
        flat = orbit
        ax.set(xlabel=labels[0], ylabel=labels[1])
    if joined:
        _coloured(ax, flat, orbit)
    else:
        part = thinned(flat, POINTS)
        dots(ax, part[:, 0], part[:, 1], COLOURS["accent"], 2.2 if len(part) < 1000 else 0.9, alpha=0.8)
    under_title(ax, title, lines)
    return figure


@styled
def section_figure(section: Section, coordinates: tuple[str, str] | None = None) -> Figure:
    """The points of a section in two of the states (None: the two that vary most), and one against its next value."""
    spread = section.states.std(axis=0) / np.maximum(np.abs(section.states).max(axis=0), 1e-300)
    chosen = coordinates or tuple(section.names[i] for i in np.sort(np.argsort(-spread, kind="stable")[:2]))
    for name in chosen:
        if name not in section.names:
            raise DataError(f"no state {name!r}", remedy=f"The states are {', '.join(section.names)}.")
    if len(section) < 2 or len(chosen) < 2:
        raise DataError(f"a section with {len(section)} points of {len(section.names)} states")
    figure, axes = canvas(2.9, 1, 2)
    points = thinned(section.states[:, [section.names.index(name) for name in chosen]], POINTS)
    now, following = section.first_return(chosen[0])
    size = 2.5 if len(points) < 1000 else 1.1
    dots(axes[0, 0], points[:, 0], points[:, 1], COLOURS["accent"], size)
    axes[0, 0].set(xlabel=named(chosen[0], "", 18), ylabel=named(chosen[1], "", 18))
    axes[0, 0].set_title(named(section.what, "", 30))
    low, high = float(now.min()), float(now.max())
    axes[0, 1].plot([low, high], [low, high], color=COLOURS["grid"], linewidth=0.8)
    dots(axes[0, 1], now[:POINTS], following[:POINTS], COLOURS["late"], size)
    axes[0, 1].set(xlabel=named(chosen[0], "", 18), ylabel=f"next {named(chosen[0], '', 18)}")
    axes[0, 1].set_title("first return")
    return figure


@styled
def convergence_figure(spectrum: Estimate) -> Figure:
    """The running averages of Lyapunov exponents, and their last values with intervals at the right.

    Takes what `lyapunov_spectrum` returns. Raises `DataError` for an estimate without running averages.
    """
    running = spectrum.details.get("convergence")
    if running is None or spectrum.value is None:
        raise DataError(f"{spectrum.name} has no running averages", place=spectrum.channel)
    course = np.asarray(running, dtype=float)
    course = course[:, None] if course.ndim == 1 else course
    values = np.ravel(np.asarray(spectrum.value, dtype=float))
    times = float(spectrum.settings.get("interval", 1.0)) * np.arange(1, len(course) + 1)
    keep = np.unique(np.round(np.geomspace(1, len(course), 600)).astype(int)) - 1
    figure, axes = canvas(3.4)
    ax = axes[0, 0]
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    strong = [COLOURS["accent"], COLOURS["late"], COLOURS["good"], COLOURS["ink"]]
    few = course.shape[1] <= 6
    for i, column in enumerate(course.T):
        ax.plot(
            times[keep], column[keep], color=strong[i % 4] if few else COLOURS["accent"], linewidth=1.1 if few else 0.6
        )
    ax.set_xscale("log")
    settled = course[len(course) // 20 :]
    low, high = float(settled.min()), float(settled.max())
    margin = 0.15 * (high - low) or 0.1
    ax.set_ylim(min(low - margin, 0.0 - margin / 3), max(high + margin, margin / 3))
    if few:
        error = np.ravel(np.asarray(spectrum.details.get("standard_error", np.full(len(values), 1e-3)), dtype=float))
        _names_of_values(ax, values, error, strong)
    unit = spectrum.unit.removeprefix("1/")
    ax.set(xlabel=f"time averaged over ({unit})", ylabel=f"exponent ({spectrum.unit})")
    ax.set_title(named(spectrum.channel, ""))
    return figure


def _names_of_values(ax: Axes, values: Array, error: Array, colours: Sequence[str]) -> None:
    """Each value, to two digits of its error, at the right end of its line; pushed apart where they would overlap."""
    low, high = ax.get_ylim()
    places = (values - low) / (high - low)
    for i in range(1, len(places)):
        places[i] = min(places[i], places[i - 1] - 0.065)
    for i, (value, place) in enumerate(zip(values, places, strict=True)):
        digits = int(np.clip(1 - np.floor(np.log10(max(error[i], 1e-12))), 0, 6))
        text = f"{value:.{digits}f}".replace("-", "−")
        ax.annotate(text, (1.01, place), xycoords="axes fraction", color=colours[i % 4], va="center",
                    fontsize=9, annotation_clip=False)  # fmt: skip


def _coloured(ax: Axes, flat: Array, orbit: Array) -> None:
    """A line whose colour says how fast the state moves there, in ranks so that all colours are used."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    part = flat[:POINTS]
    spread = np.where(np.std(orbit, axis=0) > 0, np.std(orbit, axis=0), 1.0)
    speed = np.linalg.norm(np.diff(orbit[: len(part)], axis=0) / spread, axis=1)
    rank = np.argsort(np.argsort(speed)) / max(len(speed) - 1, 1)
    shades = LinearSegmentedColormap.from_list("speed", SHADES)
    # Runs of a few steps in one colour draw the same line with fewer pieces.
    step = max(1, len(speed) // 2500)
    starts = np.arange(0, len(speed), step)
    pieces = [part[k : k + step + 1] for k in starts]
    width = 0.5 if len(part) > 8000 else 0.8
    ax.add_collection(
        LineCollection(pieces, colors=shades(rank[starts]), linewidths=width, alpha=0.9, capstyle="round")
    )
    ax.update_datalim(part)
    ax.autoscale_view()


def under_title(ax: Axes, title: str, lines: Sequence[str]) -> None:
    """A title with the lines of equations between it and the axes."""
    ax.set_title(named(title, ""), pad=8 + 12 * len(lines))
    if lines:
        text = ax.annotate("\n".join(lines).replace("$", r"\$"), (0, 1), xycoords="axes fraction", xytext=(0, 5),
                           textcoords="offset points", va="bottom", fontsize=8, color=COLOURS["muted"],
                           family="monospace")  # fmt: skip
        text.set_in_layout(False)  # the title's distance has room for it


def fitting(equations: str) -> list[str]:
    """The lines of the equations, or none where they are too many or too long for a picture."""
    lines = equations.splitlines()
    return lines if 0 < len(lines) <= 4 and max(map(len, lines)) <= 68 else []
