"""Figures of time scales: the decays that an autocorrelation is the sum of, and units against their network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from ..wording import number
from .style import COLOURS, canvas, in_time, named, plain_decades, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..measures.network_times import NetworkTimes

UNITS = 40
"""Units of a network that are drawn one by one; of more, the slowest, the fastest and as many between."""


@styled
def decays_figure(estimate: Estimate) -> Figure:
    """The autocorrelation, the fitted sum of decays, and each of their times with its interval.

    Of `exponential_times`: reads `details` lag, autocorrelation, fitted and weights. Raises `InsufficientData` without
    them.
    """
    if "fitted" not in estimate.details or estimate.value is None or estimate.interval is None:
        raise InsufficientData(f"no curves to draw: {estimate.reason}", place=estimate.channel)
    found = estimate.details
    lag, rho, fitted = (np.asarray(found[name], dtype=float) for name in ("lag", "autocorrelation", "fitted"))
    figure, axes = canvas(2.8)
    ax = axes[0, 0]
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    ax.plot(lag, rho, color=COLOURS["accent"], label="autocorrelation", marker="." if len(lag) < 60 else None)
    # The fit is one at lag 0 and leaves out noise from there on; between the two there is nothing.
    ax.plot(lag[1:], fitted[1:], color=COLOURS["late"], linestyle=(0, (4, 2)), label="sum of decays")
    ends = zip(np.ravel(estimate.value), *map(np.ravel, estimate.interval), found["weights"], strict=True)
    words: list[str] = []
    for tau, low, high, share in ends:
        if low < lag[-1]:
            ax.axvspan(low, min(high, lag[-1]), color=COLOURS["late"], alpha=0.15, linewidth=0, zorder=0)
        ax.axvline(tau, color=COLOURS["late"], linewidth=1.0)
        part = f"{share:.0%}" if words else f"{share:.0%} of the variance"
        words.append(f"{number(float(tau), 3)} {estimate.unit}".rstrip() + f" ({part})")
    words += [f"noise ({found['noise']:.0%})"] if found["noise"] > 0 else []
    doubt = "" if estimate.admissible else " (not admissible)"
    ax.set_title(f"{', '.join(words)}{doubt}")
    ax.set(xlabel=in_time("lag", estimate), ylabel="autocorrelation", xlim=(0, lag[-1]))
    ax.legend(loc="upper right")
    return figure


@styled
def network_times_figure(found: NetworkTimes) -> Figure:
    """The integral time scale of each unit with its interval, fastest first, and that of their mean as a line.

    Takes what `network_times` found. Raises `InsufficientData` where no unit or not the network has a time.
    """
    units = sorted((one for one in found.units if one.value is not None), key=lambda one: float(one.value))
    if not units or found.network.value is None:
        raise InsufficientData(f"no times to draw: {found.network.reason}")
    total = len(units)
    if total > UNITS:
        units = [units[k] for k in np.unique(np.linspace(0, total - 1, UNITS).round().astype(int))]
    figure, axes = canvas(1.2 + 0.19 * len(units))
    ax = axes[0, 0]
    rows = np.arange(len(units))
    low, high = np.array([one.interval for one in units], dtype=float).T
    ax.hlines(rows, low, high, color=COLOURS["accent"], linewidth=2)
    ax.plot([float(one.value) for one in units], rows, "o", color=COLOURS["accent"], markersize=4)
    if found.network.interval is not None:
        ax.axvspan(*map(float, found.network.interval), color=COLOURS["late"], alpha=0.15, linewidth=0, zorder=0)
    ax.axvline(float(found.network.value), color=COLOURS["late"], linewidth=1.2, label="mean of all")
    if found.ratio.value is not None and found.ratio.interval is not None:
        a, b = (number(float(end), 3) for end in found.ratio.interval)
        doubt = "" if found.ratio.admissible else " (not admissible)"
        ax.set_title(f"network / units: {number(float(found.ratio.value), 3)} [{a}, {b}]{doubt}")
    shown = "" if len(units) == total else f", {len(units)} of {total} units"
    unit = f" ({found.network.unit})" if found.network.unit not in ("", "time") else ""
    ax.set(xscale="log", xlabel=f"integral time scale{unit}{shown}", ylim=(len(units) - 0.4, -0.6))
    plain_decades(ax.xaxis)
    ax.set_yticks(rows, [named(one.channel, "", 18) for one in units])
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.01))
    return figure
