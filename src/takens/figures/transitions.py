"""Figures of transitions: where the rules of a series change, and what rises before they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, in_time, named, styled, thinned

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def change_points_figure(estimate: Estimate) -> Figure:
    """The series, the level and spread of its stretches, and each change with its interval.

    Reads `details` time, values, level and spread of `change_points`. Raises `InsufficientData` where there are none.
    """
    if "level" not in estimate.details:
        raise InsufficientData(f"no curves to draw: {estimate.reason}", place=estimate.channel)
    time, values, level, spread = (
        thinned(np.asarray(estimate.details[key]), 2000) for key in ("time", "values", "level", "spread")
    )
    figure, axes = canvas(2.8)
    ax = axes[0, 0]
    ax.plot(time, values, color=COLOURS["soft"], linewidth=0.7)
    ax.fill_between(time, level - spread, level + spread, color=COLOURS["accent"], alpha=0.15, linewidth=0)
    ax.plot(time, level, color=COLOURS["accent"], linewidth=1.6, drawstyle="steps-post")
    low, high = estimate.interval if estimate.interval is not None else (estimate.value, estimate.value)
    for at, a, b in zip(estimate.value, low, high, strict=True):
        ax.axvspan(a, b, color=COLOURS["late"], alpha=0.25, linewidth=0)
        ax.axvline(at, color=COLOURS["late"], linewidth=1.0)
    count = len(estimate.value)
    ax.set(xlabel=in_time("time", estimate), ylabel=named(estimate.channel or "value", ""))
    ax.set_title(f"{count or 'no'} change{'' if count == 1 else 's'} of {estimate.settings['model']}"
                 f" (p = {estimate.details['p_value']:.2g})")  # fmt: skip
    return figure


@styled
def early_warning_figure(estimate: Estimate) -> Figure:
    """The series with its trend, and below it the four indicators with their Kendall tau and p-value.

    Reads `details` of `early_warning`. Raises `InsufficientData` where there are none.
    """
    found = estimate.details
    if "indicators" not in found:
        raise InsufficientData(f"no curves to draw: {estimate.reason}", place=estimate.channel)
    figure, axes = canvas(6.0, rows=5, sharex=True)
    top = axes[0, 0]
    time = np.asarray(found["time"])
    top.plot(thinned(time, 2000), thinned(np.asarray(found["values"]), 2000), color=COLOURS["soft"], linewidth=0.7)
    top.plot(thinned(time, 500), thinned(np.asarray(found["trend"]), 500), color=COLOURS["ink"])
    top.set_ylabel(named(estimate.channel or "value", "", 12))
    top.set_title(f"p = {float(estimate.value):.2g} for all four together")
    rows = zip(found["names"], found["indicators"], found["taus"], found["adjusted"], strict=True)
    for ax, (name, curve, tau, p) in zip(axes[1:, 0], rows, strict=True):
        strong = p <= 0.05
        colour = COLOURS["late"] if strong else COLOURS["accent"]
        ax.plot(thinned(np.asarray(found["indicator_time"]), 500), thinned(np.asarray(curve), 500), color=colour)
        ax.set_title(f"{name}: tau = {tau:.2f}, p = {p:.2g}")
    axes[-1, 0].set_xlabel(in_time("time", estimate))
    return figure
