"""Figures of two and more channels, and of measures through windows: each with what chance alone would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from ..measures.graphs import Graph
from ..measures.windows import WindowTable
from .style import COLOURS, canvas, dots, named, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _curves(estimate: Estimate, *names: str) -> list[np.ndarray]:
    """The named details, or `InsufficientData` where the estimate has none."""
    if any(name not in estimate.details for name in names):
        reason = estimate.reason or f"it keeps no {', '.join(names)}"
        raise InsufficientData(f"{estimate.name} cannot be drawn: {reason}", place=estimate.channel)
    return [np.asarray(estimate.details[name], dtype=float) for name in names]


@styled
def correlation_figure(estimate: Estimate) -> Figure:
    """Correlation against lag of a `cross_correlation`, with the band that chance stays in (5 % for all lags at once).

    Raises `InsufficientData` where the estimate has no curve.
    """
    lag, curve, threshold = _curves(estimate, "lag", "correlation", "threshold")
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    ax.axhspan(-float(threshold), float(threshold), color=COLOURS["faint"], linewidth=0)
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    ax.plot(lag, curve, color=COLOURS["accent"])
    best = int(np.argmax(np.abs(curve)))
    ax.plot(lag[best], curve[best], "o", color=COLOURS["late"], markersize=5)
    first = estimate.channel.split(" ~ ")[0]
    ax.set(xlabel=f"lag (positive: {named(first, '')} leads)", ylabel="correlation")
    ax.set_title(f"{named(estimate.channel, '')}: p = {estimate.details['p_value']:.3g}")
    return figure


@styled
def null_figure(estimate: Estimate) -> Figure:
    """What a measure finds (line) among its copies without the relation (bars), for measures that keep `null`.

    Raises `InsufficientData` where the estimate has no copies.
    """
    (null,) = _curves(estimate, "null")
    null = null.ravel()
    found = float(estimate.value) + float(estimate.details.get("bias", 0.0) if "less" in estimate.method else 0.0)
    figure, axes = canvas(2.4)
    ax = axes[0, 0]
    ax.hist(null, bins=min(30, max(5, len(null) // 5)), color=COLOURS["soft"])
    ax.axvline(found, color=COLOURS["late"], linewidth=1.6)
    words = f"{estimate.name.replace('_', ' ')}{f' ({estimate.unit})' if estimate.unit else ''}"
    ax.set(xlabel=words, ylabel=f"of {len(null)} copies")
    ax.set_title(f"{named(estimate.channel, '')}: p = {estimate.details['p_value']:.3g}")
    return figure


@styled
def cross_map_figure(estimate: Estimate) -> Figure:
    """Cross-map skill against the size of the library, with the 5 to 95 % range of shifted copies, and against lag.

    Takes a `convergent_cross_mapping`. Raises `InsufficientData` where it has no curve.
    """
    library, skill, null, lag, by_lag = _curves(estimate, "library", "skill", "null", "lag", "skill_by_lag")
    figure, axes = canvas(2.8, 1, 2, sharey=True)
    left, right = axes[0]
    low, high = np.quantile(null, [0.05, 0.95], axis=1)
    left.fill_between(library, low, high, color=COLOURS["faint"], linewidth=0)
    left.plot(library, skill, "o-", color=COLOURS["accent"], markersize=4)
    left.set(xlabel="rows in the library", ylabel="skill", xscale="log")
    left.set_xticks(
        library[[0, len(library) // 2, -1]], [f"{size:.0f}" for size in library[[0, len(library) // 2, -1]]]
    )
    left.minorticks_off()
    left.set_title(f"{named(estimate.channel, '')}: p = {estimate.details['p_value']:.3g}")
    right.axvline(0, color=COLOURS["grid"], linewidth=0.8)
    right.plot(lag, by_lag, "o-", color=COLOURS["accent"], markersize=4)
    right.set(xlabel="lag of the cause")
    right.set_title("causes come before")
    return figure


@styled
def graph_figure(graph: Graph) -> Figure:
    """Strength of each link from row to column, faded where it is not significant, crossed out on the diagonal."""
    count = len(graph.channels)
    figure, axes = canvas(min(2.0 + 0.28 * count, 7.0))
    ax = axes[0, 0]
    off = ~np.eye(count, dtype=bool)
    top = max(float(np.abs(graph.strength[off]).max()), 1e-12)
    rows, columns = np.nonzero(off & np.isfinite(graph.strength))
    for i, j in zip(rows, columns, strict=True):
        share = abs(graph.strength[i, j]) / top
        colour = COLOURS["accent"] if graph.strength[i, j] >= 0 else COLOURS["late"]
        shown = colour if graph.links[i, j] else COLOURS["soft"]
        dots(ax, np.array([j]), np.array([i]), shown, 2 + 14 * np.sqrt(share))
    labels = [named(name, "", 14) for name in graph.channels]
    ax.set_xticks(range(count), labels, rotation=45 if count > 4 else 0)
    ax.set_yticks(range(count), labels)
    ax.set(xlim=(-0.6, count - 0.4), ylim=(count - 0.4, -0.6), aspect="equal")
    ax.set_title("who drives whom: from row to column" if graph.directed else "who is correlated with whom")
    return figure


@styled
def windows_figure(table: WindowTable, measure: str) -> Figure:
    """One measure of every channel through moving windows, with intervals; hollow where it is not admissible.

    At most six channels. Raises `InsufficientData` where the table has no number of this measure.
    """
    m = table.measures.index(measure) if measure in table.measures else -1
    if m < 0 or not np.isfinite(table.value[m]).any():
        raise InsufficientData(f"the table has no value of {measure}", place=measure)
    middle = (table.start + table.stop) / 2
    shown = range(min(len(table.channels), 6))
    figure, axes = canvas(0.6 + 1.4 * len(shown), len(shown), 1, sharex=True)
    for c in shown:
        ax = axes[c, 0]
        value, good = table.value[m, c], table.admissible[m, c]
        ax.fill_between(middle, table.low[m, c], table.high[m, c], color=COLOURS["faint"], linewidth=0)
        ax.plot(middle, value, color=COLOURS["accent"])
        ax.plot(
            middle[~good], value[~good], "o", color=COLOURS["paper"], markeredgecolor=COLOURS["muted"], markersize=4
        )
        ax.set_ylabel(named(table.channels[c], "", 14))
    axes[0, 0].set_title(measure.replace("_", " "))
    axes[-1, 0].set_xlabel(f"middle of the window ({table.time_unit})")
    return figure
