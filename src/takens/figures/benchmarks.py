"""Figures of benchmarks: ranks with their critical difference, and how each model does over systems."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InsufficientData
from .style import COLOURS, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def rank_figure(models: Sequence[str], ranks: ArrayLike, critical_difference: float) -> Figure:
    """Mean ranks over systems, the best on top; bars join neighbours whose difference may be chance.

    `models` and `ranks (model,)` from the best to the worst. Raises `InsufficientData` for fewer than two.
    Source: Demsar, J. Mach. Learn. Res. 7, 1 (2006).
    """
    from matplotlib.figure import Figure

    means = np.asarray(ranks, dtype=np.float64)
    if len(means) < 2:
        raise InsufficientData("one model has no rank")
    groups = _groups(means, critical_difference)
    figure = Figure(figsize=(WIDTH, 0.9 + 0.24 * len(means)), layout="constrained")
    ax = figure.add_subplot()
    rows = np.arange(len(means))
    ax.plot(means, rows, "o", color=COLOURS["accent"], markersize=5, zorder=3)
    for k, (first, last) in enumerate(groups):
        at = means.max() + 0.25 + 0.18 * k
        ax.plot([at, at], [first - 0.2, last + 0.2], color=COLOURS["muted"], linewidth=3, solid_capstyle="butt")
    ax.set_yticks(rows, list(models))
    ax.set_ylim(len(means) - 0.4, -0.6)
    ax.set_xlabel(f"mean rank over systems (1 is best); bars: less than {critical_difference:.2f} apart")
    ax.grid(axis="y", color=COLOURS["faint"], linewidth=0.6)
    return figure


def _groups(means: np.ndarray, width: float) -> list[tuple[int, int]]:
    """Ranges (first, last) of models within `width` of one another, none inside another, of two models at least."""
    ends = [int(np.searchsorted(means, mean + width, side="right")) - 1 for mean in means]
    found = [(first, last) for first, last in enumerate(ends) if last > first]
    return [span for i, span in enumerate(found) if i == 0 or span[1] > found[i - 1][1]]


@styled
def spread_figure(models: Sequence[str], values: ArrayLike, unit: str, *, higher: bool = True) -> Figure:
    """The score of each model on every system: a dot a system, a line for the median; failures in a row of their own.

    `values (system, model)`; infinite ones are failures. The best median is on top. Raises `InsufficientData` where
    nothing is finite.
    """
    from matplotlib.figure import Figure

    table = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(table)
    if not finite.any():
        raise InsufficientData("no cell has finished")
    medians = np.median(table, axis=0)
    order = np.argsort(-medians if higher else medians, kind="stable")
    logarithmic = bool((table[finite] > 0).all() and table[finite].max() > 30 * table[finite].min())
    figure = Figure(figsize=(WIDTH, 0.9 + 0.26 * len(models)), layout="constrained")
    ax = figure.add_subplot()
    for row, k in enumerate(order):
        shown = np.sort(table[finite[:, k], k])
        spots = row + 0.28 * (np.arange(len(shown)) % 5 - 2) / 2.5
        ax.plot(shown, spots, ".", color=COLOURS["soft"], markersize=4)
        if np.isfinite(medians[k]):
            ax.plot([medians[k]] * 2, [row - 0.34, row + 0.34], color=COLOURS["accent"], linewidth=2)
        if lost := int((~finite[:, k]).sum()):
            ax.annotate(f"{lost} failed", (1.0, row), xycoords=("axes fraction", "data"), ha="right", va="center",
                        color=COLOURS["late"], fontsize=8)  # fmt: skip
    if logarithmic:
        ax.set_xscale("log")
    ax.set_yticks(np.arange(len(order)), [models[k] for k in order])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlabel(unit)
    return figure


@styled
def cost_figure(models: Sequence[str], seconds: ArrayLike, scores: ArrayLike, unit: str) -> Figure:
    """The median score of each model against the median seconds of a fit: what time buys.

    The line joins those that none is both faster and better than. `scores` with more is better. Raises
    `InsufficientData` where nothing is finite.
    """
    from matplotlib.figure import Figure

    x, y = np.maximum(np.asarray(seconds, dtype=np.float64), 1e-4), np.asarray(scores, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise InsufficientData("no cell has finished")
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.add_subplot()
    order = [int(k) for k in np.argsort(x, kind="stable") if known[k]]
    front = [k for n, k in enumerate(order) if all(y[k] > y[other] for other in order[:n])]
    for a, b in pairwise(front):
        ax.plot([x[a], x[b], x[b]], [y[a], y[a], y[b]], color=COLOURS["grid"], linewidth=1, zorder=1)
    ax.plot(x[known], y[known], "o", color=COLOURS["accent"], markersize=4)
    for k in order:
        ax.annotate(models[k], (x[k], y[k]), xytext=(4, 3), textcoords="offset points", fontsize=7.5,
                    color=COLOURS["ink"] if k in front else COLOURS["muted"])  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlabel("seconds to fit (median)")
    ax.set_ylabel(unit)
    ax.margins(x=0.15, y=0.12)
    return figure
