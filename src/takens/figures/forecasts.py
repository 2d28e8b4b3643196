"""Forecasts: the fan of what may come, skill against horizon, and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData
from ..forecast import Forecast
from ..series import Series
from .observations import decimated
from .style import COLOURS, canvas, moments, named, styled, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLED = 5
"""Models drawn in colour and named in the figure of skill; the others are thin grey lines."""
WORST = -1.0
"""Lowest skill drawn: twice the error of the baseline; below it only the fact matters."""


@styled
def forecast_fan(forecast: Forecast, history: Series | None = None, truth: Series | None = None) -> Figure:
    """Median and central 50 % and 90 % bands of a forecast after `history`, with `truth` where it is known.

    One panel a channel. History is shown for at most three horizons (at least 50 rows) before the forecast; truth only
    within the forecast. A forecast of one member has no bands. Cost: quantiles of the samples.
    """
    count = len(forecast.channels)
    figure, axes = canvas(1.1 + (1.9 if count == 1 else 1.3 * count), rows=count, sharex=True)
    when = moments(forecast.clock, forecast.times)
    for c, ax in enumerate(axes[:, 0]):
        if history is not None:
            past = history.select(forecast.channels[c])
            past = past.rows(-min(len(past), max(3 * forecast.horizon, 50)), None)
            past = past if past.sampling.kind == "irregular" else past.gridded()
            times, values = decimated(past.times, past.values[:, 0])
            shown = moments(past.clock, times)
            ax.plot(shown, values, color=COLOURS["muted"], linewidth=1, label="history")
        if len(forecast.samples) > 1:
            for level, alpha in ((0.9, 0.45), (0.5, 0.75)):
                low, high = forecast.interval(level)
                ax.fill_between(
                    when, low[:, c], high[:, c], color=COLOURS["soft"], alpha=alpha, linewidth=0, label=f"{level:.0%}"
                )
        single = "." if forecast.horizon == 1 else None
        ax.plot(when, forecast.median[:, c], color=COLOURS["accent"], linewidth=1.6, marker=single, label="median")
        if truth is not None:
            came = truth.select(forecast.channels[c])
            shown = moments(came.clock, came.times)
            keep = (shown >= when[0]) & (shown <= when[-1])
            ax.plot(
                shown[keep], came.values[keep, 0], color=COLOURS["ink"], linewidth=1.1,
                marker=single, label="what came true",
            )  # fmt: skip
        ax.set_title(named(forecast.channels[c], forecast.units[c]))
        ax.locator_params(axis="y", nbins=5)
    time_axis(axes[-1, 0], forecast.clock)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=5)
    return figure


@styled
def skill_figure(curves: Mapping[str, ArrayLike], times: ArrayLike, *, unit: str = "") -> Figure:
    """Skill `(horizon,)` of each model against the best baseline at the lead `times (horizon,)`; zero is the baseline.

    The five models of highest mean skill are drawn in colour and named at the end of their lines, the others thin and
    grey. Skill below -1 is cut off. Raises `InsufficientData` without any curve.
    """
    if not curves:
        raise InsufficientData("there is no model beside the baseline to compare")
    lead = np.asarray(times, dtype=float)
    values = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    ranked = sorted(values, key=lambda name: -_mean(np.clip(values[name], WORST, 1)))
    colours = ["accent", "late", "good", "ink", "muted"]
    dashes = ["-", "-", "-", (0, (5, 2)), (0, (2, 2))]
    figure, axes = canvas(3.2)
    ax = axes[0, 0]
    ax.axhline(0, color=COLOURS["grid"], linewidth=1.2)
    ends: list[tuple[float, str, str]] = []
    for rank, name in reversed(list(enumerate(ranked))):
        curve = np.clip(values[name], WORST - 0.5, 1)
        marker = "o" if len(lead) == 1 else None
        if rank < LABELLED:
            ax.plot(
                lead, curve, color=COLOURS[colours[rank]], linestyle=dashes[rank], marker=marker,
                linewidth=1.8 if rank == 0 else 1.2,
            )  # fmt: skip
            known = curve[np.isfinite(curve)]
            ends.append((float(known[-1]) if len(known) else 0.0, name, colours[rank]))
        else:
            ax.plot(lead, curve, color=COLOURS["grid"], linewidth=0.8, marker=marker)
    low = min([-0.1, *(float(np.nanmin(v)) for v in values.values() if np.isfinite(v).any())])
    top = max([0.2, *(float(np.nanmax(v)) for v in values.values() if np.isfinite(v).any())])
    low = max(low, WORST)
    ax.set_ylim(low - 0.03, min(top + 0.08, 1.02))
    _name_ends(ax, ends)
    ax.set_xlabel(f"time ahead ({unit})" if unit else "time ahead")
    cut = " (below -1 not shown)" if low == WORST else ""
    ax.set_ylabel("skill against\nthe best baseline")
    hidden = len(ranked) - LABELLED
    note = f"grey: {hidden} more" if hidden > 0 else ""
    ax.set_title(f"zero: the best baseline{cut}{'; ' if note else ''}{note}", color=COLOURS["muted"], fontsize=9)
    return figure


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else -np.inf


def _name_ends(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names right of the lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = 0.075
    places = sorted((float(np.clip((y - low) / (high - low), 0.0, 1.0)), name, colour) for y, name, colour in ends)
    heights: list[float] = []
    for y, _, _ in places:
        heights.append(max(y, heights[-1] + gap) if heights else y)
    over = max(heights[-1] - 1.0, 0.0)
    for k in range(len(heights) - 1, -1, -1):  # push down what was pushed out at the top
        limit = 1.0 if k == len(heights) - 1 else heights[k + 1] - gap
        heights[k] = min(heights[k], limit) if over else heights[k]
    for height, (_, name, colour) in zip(heights, places, strict=True):
        ax.annotate(
            name, (1.015, height), xycoords="axes fraction", va="center", ha="left", color=COLOURS[colour], fontsize=9,
            annotation_clip=False,
        )  # fmt: skip


@styled
def calibration_figure(pit: ArrayLike, levels: ArrayLike, covered: ArrayLike) -> Figure:
    """PIT histogram of ten bins with the flat line of a calibrated forecast, and coverage against nominal level.

    `pit` are the PIT values (NaN left out), `levels` and `covered` shares in [0, 1]. Raises `InsufficientData` without
    values.
    """
    values = np.ravel(np.asarray(pit, dtype=float))
    values = values[np.isfinite(values)]
    if len(values) == 0:
        raise InsufficientData("there is no PIT value")
    figure, axes = canvas(2.8, columns=2)
    left, right = axes[0]
    share, edges = np.histogram(values, bins=10, range=(0, 1))
    left.stairs(share / len(values) * 10, edges, fill=True, color=COLOURS["soft"])
    left.stairs(share / len(values) * 10, edges, color=COLOURS["paper"], linewidth=0.8)
    left.axhline(1, color=COLOURS["ink"], linewidth=1.1, linestyle=(0, (4, 2)))
    left.set(xlim=(0, 1), xlabel="rank of truth in forecast", ylabel="frequency (flat = 1)")
    left.set_xticks([0, 0.5, 1], ["lowest", "middle", "highest"])
    left.get_xticklabels()[0].set_ha("left")
    left.get_xticklabels()[-1].set_ha("right")
    order = np.argsort(np.asarray(levels, dtype=float))
    nominal, found = 100 * np.asarray(levels, dtype=float)[order], 100 * np.asarray(covered, dtype=float)[order]
    right.plot([0, 100], [0, 100], color=COLOURS["ink"], linewidth=1.1, linestyle=(0, (4, 2)))
    right.plot(nominal, found, "o-", color=COLOURS["accent"], markersize=4)
    right.set(xlim=(0, 102), ylim=(0, 102), xlabel="promised coverage (%)", ylabel="found coverage (%)")
    right.set_xticks([0, 50, 90], ["0", "50", "90"])
    right.set_yticks([0, 50, 90], ["0", "50", "90"])
    right.set_aspect("equal")
    return figure
