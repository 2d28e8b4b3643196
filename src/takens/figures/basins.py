"""Basins of attraction and invariant densities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .diagrams import ABSENT, AREAS
from .style import COLOURS, WIDTH, dots, named, styled, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..dynamics.attractors import Attractor
    from ..dynamics.basins import Basins
    from ..dynamics.density import Density

LISTED = 8
"""Attractors that get a colour and a line in the legend of their own."""


@styled
def basins_figure(basins: Basins) -> Figure:
    """Basins on a grid of two states: a colour for each attractor, drawn on top, with its share of the grid below.

    Light grey where orbits escape, dark grey where they have not settled. Attractors after the eighth share colours.
    Raises `DataError` for a grid of another number of states.
    """
    from matplotlib.figure import Figure

    if len(basins.axes) != 2:
        raise DataError(f"basins over {len(basins.axes)} states", remedy="Take a slice over two for a picture.")
    (x_name, x), (y_name, y) = basins.axes
    lines = _legend(basins)
    ends = [(float(v[0] - h), float(v[-1] + h)) for v in (x, y) for h in [0.5 * (v[-1] - v[0]) / max(len(v) - 1, 1)]]
    wide, tall = (ends[0][1] - ends[0][0]), (ends[1][1] - ends[1][0])
    alike = 0.5 < tall / wide < 2  # of the same kind, as places are: then with equal scales
    height = (WIDTH - 1.0) * (tall / wide if alike else 0.8)
    figure = Figure(figsize=(WIDTH, min(max(height, 2.5), 6.0) + 1.0 + 0.21 * len(lines)), layout="constrained")
    ax: Axes = figure.subplots()
    ax.imshow(_coloured(basins.labels).transpose(1, 0, 2), origin="lower", extent=(*ends[0], *ends[1]),
              aspect="equal" if alike else "auto", interpolation="antialiased")  # fmt: skip
    columns = [basins.system.states.index(name) for name in (x_name, y_name)]
    for attractor in basins.attractors:
        _drawn(ax, attractor, columns)
    ax.set(xlim=ends[0], ylim=ends[1], xlabel=named(x_name, ""), ylabel=named(y_name, ""))
    ax.set_title(named(basins.system.name, ""))
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=colour, edgecolor=COLOURS["grid"], linewidth=0.5) for colour, _ in lines]
    figure.legend(handles, [text for _, text in lines], loc="outside lower left", fontsize=9, handlelength=1.0,
                  handleheight=1.0, labelspacing=0.35)  # fmt: skip
    return figure


def _coloured(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    table = np.array([to_rgb(colour) for colour in (*AREAS, ABSENT, COLOURS["muted"])])
    return table[np.where(labels >= 0, labels % len(AREAS), len(AREAS) - 1 - labels)]


def _drawn(ax: Axes, attractor: Attractor, columns: list[int]) -> None:
    points = attractor.points[:, columns]
    if len(points) <= 64:
        ax.plot(points[:, 0], points[:, 1], "o", color=COLOURS["ink"], markeredgecolor=COLOURS["paper"],
                markersize=6 if len(points) == 1 else 4.5, markeredgewidth=1, linestyle="none")  # fmt: skip
    else:
        part = thinned(points, 6000)
        dots(ax, part[:, 0], part[:, 1], COLOURS["ink"], 0.9, alpha=0.9)


def _legend(basins: Basins) -> list[tuple[str, str]]:
    """Colour and text of each line of the legend: what it is and its share of the grid."""
    made = []
    for label, share in basins.fractions.items():
        percent = f"{100 * share.value:.1f} %"
        if label >= LISTED:
            continue
        if label >= 0:
            made.append((AREAS[label], f"{basins.attractors[label]}: {percent}"))
        else:
            made.append(
                (ABSENT, f"escapes: {percent}") if label == -1 else (COLOURS["muted"], f"not settled: {percent}")
            )
    more = sum(share.value for label, share in basins.fractions.items() if label >= LISTED)
    if more:
        made.append((AREAS[0], f"{len(basins.attractors) - LISTED} more attractors: {100 * more:.1f} %"))
    return made


@styled
def density_figure(density: Density) -> Figure:
    """An invariant density over one state with a band of two standard errors, or over two as a picture.

    Raises `DataError` for more than two states.
    """
    from matplotlib.figure import Figure

    if len(density.axes) > 2:
        raise DataError(f"a density over {len(density.axes)} states", remedy="Take one or two for a picture.")
    figure = Figure(figsize=(WIDTH, 3.2 if len(density.axes) == 1 else 4.2), layout="constrained")
    ax: Axes = figure.subplots()
    if len(density.axes) == 1:
        edges = density.edges[0]
        ax.stairs(density.values, edges, fill=True, color=COLOURS["soft"], alpha=0.5)
        ax.stairs(density.values, edges, color=COLOURS["accent"], linewidth=1)
        if np.isfinite(density.error).all():
            band = 2 * density.error
            ax.stairs(density.values + band, edges, baseline=np.maximum(density.values - band, 0), fill=True,
                      color=COLOURS["accent"], alpha=0.35)  # fmt: skip
        ax.set(ylim=(0, 1.06 * float(density.values.max())), ylabel="density", xlabel=named(density.axes[0], ""))
    else:
        from matplotlib.colors import LinearSegmentedColormap, PowerNorm

        shades = LinearSegmentedColormap.from_list(
            "density", ["#fdfdfb", COLOURS["soft"], COLOURS["accent"], "#0d2b4a"]
        )
        (x, y), values = density.edges, np.where(density.values > 0, density.values, np.nan)
        image = ax.pcolormesh(x, y, values.T, cmap=shades, norm=PowerNorm(0.4, 0), rasterized=True)
        bar = figure.colorbar(image, ax=ax, label="density", pad=0.02)
        bar.outline.set_visible(False)
        ax.set(xlabel=named(density.axes[0], ""), ylabel=named(density.axes[1], ""))
    ax.set_title(named(density.system, ""))
    return figure
