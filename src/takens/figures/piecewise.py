"""Piecewise-linear maps: the orbit coloured by regions, their graph, fixed points and cycles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from .attractors import limited, plane
from .style import COLOURS, WIDTH, dots, styled, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..dynamics.itineraries import Itinerary

Array = NDArray[np.float64]
REGIONS = (COLOURS["accent"], COLOURS["late"], COLOURS["good"], "#7a5aa6", "#b08a1e", "#3f8f8d", "#b0505f", "#77775c")
"""Colours of the regions that are visited most often."""
NODES = 12
"""Regions up to which the graph is drawn with all of them; of more the most visited."""
FEWEST = 0.005
"""Steps rarer than this, among those from their region, are not drawn."""


@styled
def symbolic_figure(
    orbit: ArrayLike,
    symbols: Itinerary,
    names: Sequence[str],
    *,
    points: Sequence[tuple[ArrayLike, str]] = (),
    cycles: Sequence[ArrayLike] = (),
) -> Figure:
    """An orbit `(time, coordinate)` coloured by the regions it is in, and the graph of the steps between these.

    `symbols` is the itinerary of the same orbit, `names` are those of the coordinates; `points` are fixed points with
    their stability in words (filled where stable), `cycles` the points of cycles, in order. Up to 12 regions are drawn
    in the graph, sized by how often they are visited, and the others are grey. Raises `DataError` for an orbit of
    another length.
    """
    from matplotlib.figure import Figure

    from ..series import Series

    states = np.asarray(orbit, dtype=np.float64)
    if states.ndim != 2 or len(states) != len(symbols.codes) or states.shape[1] != len(names):
        raise DataError(f"an orbit of shape {states.shape} for {len(symbols.codes)} symbols and {len(names)} names")
    project, axis_names = plane(Series.from_array(states, channels=tuple(names)), len(states))
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    cloud = project(states)
    codes = symbols.codes[: len(cloud)]
    coloured(left, cloud, codes)
    limited(left, cloud)
    for cycle in cycles:
        closed = np.asarray(cycle, dtype=np.float64)
        place = _placed(project, np.concatenate([closed, closed[:1]]))
        left.plot(*place.T, "o-", color=COLOURS["ink"], markersize=2.5, linewidth=0.7)
    for value, words in points:
        marked(left, _placed(project, np.atleast_2d(np.asarray(value, dtype=np.float64))), words)
    left.set(xlabel=axis_names[0], ylabel=axis_names[1])
    left.set_title(f"{len(symbols)} regions visited")
    graph(right, symbols)
    right.set_title(
        f"entropy {symbols.topological_entropy:.3g} of the graph,\n{symbols.markov_entropy:.3g} of its steps"
    )
    return figure


def _placed(project: object, states: Array) -> Array:
    """States in the view of a portrait; those of one channel are on the diagonal, or pairs of successive ones."""
    if states.shape[1] == 1:
        return np.column_stack([states[:, 0], np.roll(states[:, 0], -1)])
    assert callable(project)
    return np.asarray(project(states))


def coloured(ax: Axes, cloud: Array, codes: NDArray[np.int64]) -> None:
    """Points `(time, 2)` in the colours of their regions `codes (time,)`."""
    keep = thinned(np.arange(len(cloud)), 6000)
    for region in range(min(int(codes.max()) + 1, len(REGIONS)), -1, -1):
        inside = keep[codes[keep] == region] if region < len(REGIONS) else keep[codes[keep] >= region]
        if len(inside):
            colour = REGIONS[region] if region < len(REGIONS) else COLOURS["grid"]
            dots(ax, cloud[inside, 0], cloud[inside, 1], colour, 1.2)


def marked(ax: Axes, place: Array, stability: str) -> None:
    """A fixed point: filled where it is stable, a diamond where it is a saddle."""
    face = COLOURS["ink"] if stability.startswith("stable") else COLOURS["paper"]
    ax.plot(*place.T, "D" if stability == "saddle" else "o", color=face, markeredgecolor=COLOURS["ink"], markersize=5,
            linestyle="none", zorder=5)  # fmt: skip


def graph(ax: Axes, symbols: Itinerary) -> None:
    """The regions on a circle and the steps between them, the wider the more likely; loops are left to the circles."""
    from matplotlib.patches import FancyArrowPatch

    count = min(len(symbols), NODES)
    angles = np.pi / 2 - 2 * np.pi * np.arange(count) / count
    place = np.column_stack([np.cos(angles), np.sin(angles)]) if count > 1 else np.zeros((1, 2))
    share = symbols.visits / len(symbols.codes)
    links = symbols.counts[:count, :count].toarray()
    leaving = links - np.diag(np.diag(links))
    total = np.maximum(leaving.sum(axis=1, keepdims=True), 1.0)
    for i, j in zip(*np.nonzero(leaving / total > FEWEST), strict=True):
        ax.add_patch(FancyArrowPatch(
            tuple(place[i]), tuple(place[j]), connectionstyle="arc3,rad=0.18", arrowstyle="-|>", mutation_scale=8,
            shrinkA=11, shrinkB=12, color=COLOURS["muted"], linewidth=0.5 + 2 * leaving[i, j] / total[i, 0], alpha=0.8,
        ))  # fmt: skip
    few = symbols.regions.shape[1] <= 6
    for k in range(count):
        colour = REGIONS[k] if k < len(REGIONS) else COLOURS["grid"]
        ax.plot(*place[k], "o", color=colour, markersize=10 + 14 * np.sqrt(share[k]), zorder=3)
        bits = "".join("1" if on else "0" for on in symbols.regions[k]) if few else f"{k + 1}"
        ax.annotate(bits or "all", tuple(place[k]), ha="center", va="center", fontsize=7.5, color=COLOURS["paper"],
                    zorder=4)  # fmt: skip
        ax.annotate(f"{share[k]:.0%}", tuple(1.5 * place[k]), ha="center", va="center", fontsize=8,
                    color=COLOURS["muted"])  # fmt: skip
    ax.set(xlim=(-1.9, 1.9), ylim=(-1.75, 1.75), aspect="equal")
    ax.set_axis_off()
