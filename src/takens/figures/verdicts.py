"""Figures of a verdict: what is possible, and one small figure for each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InsufficientData
from ..verdicts.base import Step
from ..verdicts.classes import CLASSES
from ..verdicts.result import Verdict
from .observations import decimated
from .style import COLOURS, canvas, dots, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 2.1
CYCLES = 8
"""Mean cycles in the close view of the record."""
CURVE = 600
"""Most points of a curve."""


@styled
def verdict_figure(verdict: Verdict) -> Figure:
    """The probability of each kind as a bar; those that cannot be excluded at the verdict's level stand out.

    Raises `InsufficientData` where the data did not allow a verdict.
    """
    if not verdict.probabilities:
        raise InsufficientData(verdict.sentence, place=verdict.channel)
    figure, axes = canvas(1.9)
    ax = axes[0, 0]
    for row, name in enumerate(CLASSES):
        share, kept = verdict.probabilities[name], name in verdict.classes
        ax.barh(row, 1, height=0.62, color=COLOURS["faint"], alpha=0.45, linewidth=0)
        ax.barh(row, share, height=0.62, color=COLOURS["accent" if kept else "grid"], linewidth=0)
        ax.text(
            1.02, row, f"{share:.0%}" if share >= 0.005 else "< 1%", va="center", fontsize=9,
            color=COLOURS["ink" if kept else "muted"], fontweight="bold" if kept else "normal",
        )  # fmt: skip
    ax.set_yticks(range(len(CLASSES)), CLASSES)
    for tick, name in zip(ax.get_yticklabels(), CLASSES, strict=True):
        kept = name in verdict.classes
        tick.set(color=COLOURS["ink" if kept else "muted"], fontweight="bold" if kept else "normal")
    ax.set(xlim=(0, 1.1), ylim=(len(CLASSES) - 0.5, -0.5), xticks=[])
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    return figure


def step_figure(step: Step) -> Figure:
    """The figure of one step of a verdict, from its `details`.

    Raises `InsufficientData` where the step kept no curve, as one does that could not be answered, and for steps of
    one's own.
    """
    draw = FIGURES.get(step.name)
    if draw is None or not step.details:
        raise InsufficientData(f"the step kept nothing to draw: {step.evidence.rstrip('.')}", place=step.name)
    try:
        return draw(step.details, step)
    except KeyError as missing:
        raise InsufficientData(f"the step kept no {missing.args[0]}", place=step.name) from None


@styled
def _record(details: Mapping[str, Any], step: Step) -> Figure:
    """The record as it is looked at, a few cycles of it, and a band as wide as what cannot be predicted."""
    x, period = np.asarray(details["record"]), float(details["period"])
    noise = step.statistics.get("noise_level", float("nan"))
    figure, axes = canvas(HEIGHT, columns=2, sharey=True, width_ratios=(1.3, 1))
    whole, near = axes[0]
    at, shown = decimated(np.arange(float(len(x))), x)
    whole.plot(at, shown, color=COLOURS["accent"], linewidth=0.7)
    count = int(np.clip(CYCLES * period, 30, min(len(x), 400)))
    start = (len(x) - count) // 2
    rows = np.arange(start, start + count)
    if np.isfinite(noise) and noise > 0.005:
        near.fill_between(rows, x[rows] - noise, x[rows] + noise, color=COLOURS["soft"], alpha=0.5, linewidth=0)
    near.plot(rows, x[rows], color=COLOURS["accent"], linewidth=0.9, marker="." if count < 90 else "", markersize=3)
    whole.set_title("as it is looked at", fontweight="normal")
    whole.set(xlabel="sample", ylabel="standard deviations")
    near.set_title(f"{count} samples of it", fontweight="normal")
    near.set_xlabel("sample")
    return figure


@styled
def _blocks(details: Mapping[str, Any], step: Step) -> Figure:
    """Mean and spread of parts of the record."""
    blocks = np.asarray(details["blocks"])
    figure, axes = canvas(HEIGHT)
    ax = axes[0, 0]
    at = (np.arange(len(blocks)) + 0.5) / len(blocks)
    ax.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    ax.vlines(at, *(blocks[:, 0] + sign * blocks[:, 1] for sign in (-1, 1)), color=COLOURS["soft"], linewidth=6)
    ax.plot(at, blocks[:, 0], "o-", color=COLOURS["accent"], markersize=4, linewidth=0.9)
    ax.set(xlim=(0, 1), xlabel="part of the record", ylabel="standard deviations")
    ax.set_title("mean (dots) and mean ± spread (bars) of its parts", fontweight="normal")
    return figure


@styled
def _surrogates(details: Mapping[str, Any], step: Step) -> Figure:
    """Each statistic of the record among those of its surrogates, in their standard deviations."""
    values, names = np.asarray(details["values"], dtype=float), list(details["names"])
    spread = np.maximum(values[1:].std(axis=0), 1e-9)
    z = (values - values[1:].mean(axis=0)) / spread
    scaled = np.arcsinh(z)
    figure, axes = canvas(2.5)
    ax = axes[0, 0]
    for row in range(len(names)):
        jitter = row + 0.26 * np.sin(7.3 * np.arange(len(z) - 1))
        dots(ax, scaled[1:, row], jitter, COLOURS["soft"], 2.4)
        ax.plot(scaled[0, row], row, "o", color=COLOURS["late"], markersize=6)
    ticks = np.array([-100, -30, -10, -3, 0, 3, 10, 30, 100])
    edge = max(3.5, float(np.abs(z).max()) * 1.15)
    ticks = ticks[np.abs(ticks) <= edge]
    ax.set_xticks(np.arcsinh(ticks), [str(tick) for tick in ticks])
    ax.set(xlim=(-np.arcsinh(edge), np.arcsinh(edge)), ylim=(len(names) - 0.5, -0.5))
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("standard deviations of the surrogates")
    figure.suptitle("the record (large dots) among linear noise", x=0.02, ha="left", fontsize=9.5)
    return figure


@styled
def _returns(details: Mapping[str, Any], step: Step) -> Figure:
    """Autocorrelation against lag, and the spectrum with its lines."""
    rho, frequency = np.asarray(details["autocorrelation"]), np.asarray(details["frequency"])
    power, peaks = np.asarray(details["power"]), np.asarray(details["peaks"], dtype=int)
    figure, axes = canvas(HEIGHT, columns=2)
    left, right = axes[0]
    lag, shown = decimated(np.arange(float(len(rho))), rho)
    left.axhline(0, color=COLOURS["grid"], linewidth=0.8)
    left.plot(lag, shown, color=COLOURS["accent"], linewidth=0.7)
    left.set(xlabel="lag (samples)", ylim=(-1.05, 1.05))
    left.set_title("autocorrelation", fontweight="normal")
    scaled = power / max(float(power[1:].max()), 1e-300)
    low = max(float(np.quantile(scaled[1:], 0.02)), 1e-9)
    keep = _kept(frequency, scaled)
    right.plot(frequency[keep], np.maximum(scaled[keep], low), color=COLOURS["accent"], linewidth=0.7)
    right.plot(frequency[peaks], scaled[peaks], "o", color=COLOURS["late"], markersize=3)
    right.set(yscale="log", ylim=(low / 2, 3), xlabel="frequency (cycles a sample)")
    right.set_title("spectrum and its highest peaks", fontweight="normal")
    return figure


def _kept(frequency: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Indices of the highest value of each of many parts of a long curve, without frequency 0."""
    rows = np.arange(1, len(frequency))
    if len(rows) <= CURVE:
        return rows
    return np.array([part[np.argmax(power[part])] for part in np.array_split(rows, CURVE)])


@styled
def _determinism(details: Mapping[str, Any], step: Step) -> Figure:
    """Error of prediction and share of false neighbours against the dimension."""
    dimension, error = np.asarray(details["dimension"]), np.asarray(details["error"], dtype=float)
    figure, axes = canvas(HEIGHT, columns=2)
    left, right = axes[0]
    left.axhline(1, color=COLOURS["grid"], linewidth=0.8)
    left.plot(dimension, error, "o-", color=COLOURS["accent"], markersize=4)
    left.set(ylim=(0, max(1.15, 1.1 * float(np.nanmax(error)))), xlim=(0.5, dimension[-1] + 0.5), xlabel="dimension")
    left.set_xticks(dimension)
    left.set_title("error one delay ahead", fontweight="normal")
    known = {m: step.statistics.get(f"false_{m}", float("nan")) for m in (1, 2, 3, 4, 6)}
    right.axhline(0.05, color=COLOURS["late"], linewidth=1, linestyle=(0, (4, 2)))
    right.plot(list(known), list(known.values()), "o-", color=COLOURS["accent"], markersize=4)
    right.set(ylim=(-0.03, 1.05), xlabel="dimension", xlim=(0.7, 6.3))
    right.set_title("share of false neighbours", fontweight="normal")
    if not np.isfinite(list(known.values())).any():
        right.text(3.5, 0.5, "not known", ha="center", va="center", color=COLOURS["muted"])
    return figure


@styled
def _growth(details: Mapping[str, Any], step: Step) -> Figure:
    """Mean logarithmic distance of neighbours against time, and error of prediction against the horizon."""
    figure, axes = canvas(HEIGHT, columns=2)
    left, right = axes[0]
    _divergence(left, details)
    ahead, error = np.asarray(details["ahead"], dtype=float), np.asarray(details["error"], dtype=float)
    right.axhline(1, color=COLOURS["grid"], linewidth=0.8)
    right.plot(ahead, error, "o-", color=COLOURS["accent"], markersize=4)
    top = float(np.nanmax(error)) if np.isfinite(error).any() else 1.0
    right.set(
        xscale="log", ylim=(0, max(1.15, 1.1 * top)), xlabel="samples ahead", xlim=(ahead[0] / 1.2, ahead[-1] * 1.2)
    )
    right.set_xticks(ahead, [f"{one:g}" for one in ahead])
    right.minorticks_off()
    right.set_title("error of prediction", fontweight="normal")
    return figure


def _divergence(ax: Axes, details: Mapping[str, Any]) -> None:
    if "lag" not in details or "divergence" not in details:
        ax.text(0.5, 0.5, "no exponent", ha="center", va="center", transform=ax.transAxes, color=COLOURS["muted"])
        ax.set_xticks([])
        ax.set_yticks([])
    else:
        lag, curve = np.asarray(details["lag"], dtype=float), np.asarray(details["divergence"], dtype=float)
        if "region" in details:
            ax.axvspan(*(float(end) for end in details["region"]), color=COLOURS["faint"], alpha=0.7, linewidth=0)
        ax.plot(lag, curve, color=COLOURS["accent"])
        ax.set_xlabel("samples later")
    ax.set_title("log distance of neighbours", fontweight="normal")


FIGURES: Mapping[str, Callable[[Mapping[str, Any], Step], Figure]] = {
    "enough": _record, "stationary": _blocks, "linear noise": _surrogates, "cycle": _returns,
    "deterministic": _determinism, "chaotic": _growth,
}  # fmt: skip
"""By the name of the step."""
