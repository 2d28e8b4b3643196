"""Figures of tests of one channel: the data among their surrogates, features through time, memory, motifs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..durations import in_words
from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, dots, in_time, named, plain_decades, styled, thinned

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _needed(estimate: Estimate, *names: str) -> None:
    """Raise `InsufficientData` where the estimate lacks one of these details."""
    if any(name not in estimate.details for name in names):
        raise InsufficientData(f"no curves to draw: {estimate.reason}", place=estimate.channel)


@styled
def surrogate_figure(estimate: Estimate) -> Figure:
    """The statistics of the data (line) among those of the surrogates (bars), a panel a statistic.

    Reads `details` statistics, names and p_values of `surrogate_test`. Raises `InsufficientData` without them.
    """
    _needed(estimate, "statistics", "names", "p_values")
    found, names = np.asarray(estimate.details["statistics"]), estimate.details["names"]
    figure, axes = canvas(2.6, columns=len(names), sharey=True)
    for ax, name, column, p in zip(axes[0], names, found.T, estimate.details["p_values"], strict=True):
        ax.hist(column[1:], bins=min(30, max(8, len(column) // 6)), color=COLOURS["soft"])
        ax.axvline(column[0], color=COLOURS["late"], linewidth=1.6)
        ax.locator_params(axis="x", nbins=4)
        ax.set_xlabel("\n".join(_lines(name)))
        ax.set_title(f"p = {p:.2g}")
    axes[0, 0].set_ylabel(f"of {len(found) - 1} surrogates")
    channel = f"{named(estimate.channel, '', 20)}: " if estimate.channel else ""
    method = str(estimate.settings["method"]).replace("_", " ")
    figure.suptitle(f"{channel}p = {float(estimate.value):.2g} together ({method})", x=0.01, ha="left", size=9.5)
    return figure


def _lines(words: str, most: int = 26) -> list[str]:
    """`words` in lines of at most `most` letters."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


@styled
def stationarity_figure(estimate: Estimate) -> Figure:
    """Each feature of the blocks through time, with its p-value.

    Reads `details` features, names, p_values and block_time of `stationarity`. Raises `InsufficientData` without them.
    """
    _needed(estimate, "features", "names", "p_values", "block_time")
    found = estimate.details
    time, features = np.asarray(found["block_time"]), np.asarray(found["features"])
    figure, axes = canvas(5.2, rows=features.shape[1], sharex=True)
    for ax, name, column, p in zip(axes[:, 0], found["names"], features.T, found["p_values"], strict=True):
        colour = COLOURS["late"] if p <= 0.05 else COLOURS["accent"]
        ax.axhline(column.mean(), color=COLOURS["grid"], linewidth=0.8)
        ax.plot(time, column, color=colour)
        dots(ax, time, column, colour, 3.5)
        ax.locator_params(axis="y", nbins=4)
        ax.set_title(f"{name}: p = {p:.2g}")
    axes[-1, 0].set_xlabel(in_time("time of block", estimate))
    channel = f"{named(estimate.channel, '', 20)}: " if estimate.channel else ""
    figure.suptitle(f"{channel}p = {float(estimate.value):.2g} together", x=0.01, ha="left", size=9.5)
    return figure


@styled
def autocorrelation_figure(estimate: Estimate) -> Figure:
    """Autocorrelation against lag with its standard error under none, and the correlation time.

    Reads `details` lag, autocorrelation and error of `autocorrelation`. Raises `InsufficientData` without them.
    """
    _needed(estimate, "lag", "autocorrelation", "error")
    lag, rho, error = (np.asarray(estimate.details[name]) for name in ("lag", "autocorrelation", "error"))
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    band = thinned(np.column_stack([lag, 1.96 * error]), 100).T
    ax.fill_between(band[0], -band[1], band[1], color=COLOURS["faint"], linewidth=0, label="95 % of noise")
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    ax.plot(lag, rho, color=COLOURS["accent"], label="autocorrelation")
    if estimate.value is not None and np.isfinite(estimate.value):
        time = in_words(float(estimate.value), estimate.unit or "step")
        ax.axvline(float(estimate.value), color=COLOURS["late"], linewidth=1.2, label=f"1/e after {time}")
    ax.set(xlabel=in_time("lag", estimate), ylabel="autocorrelation")
    ax.legend(loc="upper right")
    return figure


@styled
def motif_figure(estimate: Estimate) -> Figure:
    """The series with the stretches that were found, and the distance of each stretch to its nearest other.

    Reads `details` time, values, profile, starts and window_time of `motif` and `discord`. Raises `InsufficientData`
    without them.
    """
    _needed(estimate, "time", "values", "profile", "starts", "window_time")
    found = estimate.details
    time, values, profile = (np.asarray(found[name], dtype=float) for name in ("time", "values", "profile"))
    figure, axes = canvas(3.6, rows=2, sharex=True)
    top, bottom = axes[:, 0]
    top.plot(thinned(time, 2000), thinned(values, 2000), color=COLOURS["soft"], linewidth=0.7)
    for start in time[np.asarray(found["starts"], dtype=int)]:
        inside = (time >= start) & (time <= start + found["window_time"])
        top.plot(time[inside], values[inside], color=COLOURS["late"], linewidth=1.4)
        bottom.axvline(start, color=COLOURS["late"], linewidth=1.0)
    top.set_ylabel(named(estimate.channel or "value", "", 16))
    top.set_title(f"{estimate.name}: p = {float(estimate.value):.2g}")
    bottom.plot(thinned(time[: len(profile)], 2000), thinned(profile, 2000), color=COLOURS["accent"], linewidth=0.8)
    bottom.set(xlabel=in_time("time", estimate), ylabel="distance to\nnearest other")
    return figure


LAWS = {
    "higuchi_dimension": ("ruler", "length"), "hurst_rescaled_range": ("scale", "rescaled_range"),
    "hurst_whittle": ("frequency", "power"), "spectral_slope": ("frequency", "power"),
    "spectral_time_scale": ("frequency", "power"),
}  # fmt: skip
"""Measures whose value is read off a curve on logarithmic scales: what stands on the two axes."""


SLOPES: dict[str, Callable[[float], float]] = {
    "higuchi_dimension": lambda value: -value, "hurst_whittle": lambda value: 1 - 2 * value,
    "spectral_slope": lambda value: -value,
}  # fmt: skip
"""The slope on logarithmic scales that a value of a measure means, where the estimate keeps no fitted curve."""


@styled
def power_law_figure(estimate: Estimate) -> Figure:
    """The curve on logarithmic scales whose slope or knee a measure is, with the fitted or expected one where kept.

    Reads the two `details` named in `LAWS` and "fitted" or "expected". Raises `InsufficientData` without them.
    """
    across, up = LAWS[estimate.name]
    _needed(estimate, across, up)
    x, y = (np.asarray(estimate.details[name], dtype=float) for name in (across, up))
    figure, axes = canvas(3.0)
    ax = axes[0, 0]
    dense = len(x) > 40
    style = {"linewidth": 0.8} if dense else {"marker": "o", "markersize": 3.5}
    ax.loglog(x, y, color=COLOURS["accent"], label="data", **style)
    if estimate.name in SLOPES and estimate.value is not None:
        # Through the mean of the logarithms, from which the noise of a spectrum keeps a constant distance.
        law = SLOPES[estimate.name](float(estimate.value)) * np.log(x)
        law += np.mean(np.log(y[y > 0]) - law[y > 0])
        ax.loglog(x, np.exp(law), color=COLOURS["late"], linestyle="--", label="power law")
        ax.legend()
    for name in ("fitted", "expected"):
        if name in estimate.details:
            words = "fit" if name == "fitted" else "independent values"
            ax.loglog(x, estimate.details[name], color=COLOURS["late"], linestyle="--", label=words)
            ax.legend()
    if estimate.name == "spectral_time_scale" and estimate.interval is not None:
        at, first, last = (1 / (2 * np.pi * float(tau)) for tau in (estimate.value, *estimate.interval[::-1]))
        ax.axvspan(first, last, color=COLOURS["late"], alpha=0.15, linewidth=0, zorder=0)
        ax.axvline(at, color=COLOURS["late"], linewidth=1.0, label="knee")
        ax.set_xlim(min(x[0], first), x[-1])
        ax.legend()
    ax.set(xlabel=in_time("window" if across == "scale" else across, estimate), ylabel=up.replace("_", " "))
    plain_decades(ax.xaxis)
    plain_decades(ax.yaxis)
    doubt = "" if estimate.admissible else " (not admissible)"
    value = f"{float(estimate.value):.3g} {estimate.unit}".rstrip()
    ax.set_title(f"{estimate.name.replace('_', ' ')} {value}{doubt}")
    return figure
