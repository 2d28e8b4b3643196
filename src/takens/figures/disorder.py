"""The entropy-complexity plane."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from ..measures.ordinal import complexity_limits, entropy_complexity, ordinal_patterns
from ..random import generator
from .style import COLOURS, canvas, named, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def complexity_plane(
    entropy: Estimate,
    complexity: Estimate,
    *,
    others: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Statistical complexity against permutation entropy, with limits, landmarks and a confidence region.

    Takes the two estimates of one channel, with the same order. The landmarks, computed at the same order, are white
    noise, a random walk and the logistic map at r = 4; `others` replaces them by {name: (entropy, complexity)}. The
    region is that of the estimate (`details["region"]`). Raises `InsufficientData` where a value is missing.
    """
    if entropy.value is None or complexity.value is None:
        raise InsufficientData(entropy.reason or complexity.reason or "there is no entropy", place=entropy.channel)
    order = int(entropy.settings["order"])
    h, c = float(entropy.value), float(complexity.value)
    figure, axes = canvas(3.4)
    ax = axes[0, 0]
    low, high = complexity_limits(order)
    ax.fill(
        np.concatenate([low[:, 0], high[::-1, 0]]), np.concatenate([low[:, 1], high[::-1, 1]]),
        color=COLOURS["faint"], linewidth=0, alpha=0.55,
    )  # fmt: skip
    for curve in (low, high):
        ax.plot(curve[:, 0], curve[:, 1], color=COLOURS["grid"], linewidth=1)
    top = float(high[:, 1].max())
    known = landmarks(order) if others is None else others
    for name, (x, y) in known.items():
        ax.plot(x, y, "o", color=COLOURS["paper"], markeredgecolor=COLOURS["muted"], markersize=5)
        right = x < 0.7
        above = y < 0.05 * top
        ax.annotate(
            name, (x, y), xytext=(7 if right else -7, 3 if above else 0), textcoords="offset points",
            ha="left" if right else "right", va="bottom" if above else "center", fontsize=9,
            color=COLOURS["muted"],
        )  # fmt: skip
    ellipse = np.asarray(entropy.details["region"])
    ax.fill(ellipse[:, 0], ellipse[:, 1], color=COLOURS["accent"], alpha=0.25, linewidth=0)
    doubtful = "" if entropy.admissible else " (doubtful)"
    lift = 7 if c > 0.1 * top else 16  # near the bottom stands the name of white noise
    # Where the name of a landmark would lie under it, the name of the series stands below its dot.
    crowded = any(abs(x - h) < 0.35 and 0.02 * top < y - c < 0.25 * top for x, y in known.values())
    ax.plot(h, c, "o", color=COLOURS["accent"], markersize=7)
    ax.annotate(
        named(entropy.channel or "this series", "") + doubtful, (h, c), textcoords="offset points",
        xytext=(-8 if h > 0.6 else 8, -lift if crowded else lift), ha="right" if h > 0.6 else "left",
        va="top" if crowded else "bottom", color=COLOURS["accent"], fontweight="bold",
    )  # fmt: skip
    ax.set(xlim=(-0.02, 1.03), ylim=(0, 1.1 * max(top, c)), xlabel="permutation entropy: order → disorder")
    ax.set_ylabel("statistical complexity")
    delay = entropy.settings.get("delay")
    ax.set_title(f"patterns of {order} values, {delay} samples apart" if delay else f"patterns of {order} values")
    return figure


@functools.lru_cache
def landmarks(order: int) -> dict[str, tuple[float, float]]:
    """(entropy, complexity) of white noise, a random walk and the logistic map at r = 4, from 50,000 values each."""
    noise = generator(0, "figures", "landmarks").normal(size=50_000)
    chaos = np.empty(50_000)
    x = 0.3
    for i in range(len(chaos)):
        x = 4 * x * (1 - x)
        chaos[i] = x
    made = {}
    for name, values in (("white noise", noise), ("random walk", np.cumsum(noise)), ("logistic map", chaos)):
        counts = np.bincount(ordinal_patterns(values, order), minlength=int(np.prod(np.arange(1, order + 1))))
        h, c = entropy_complexity(counts.astype(float))
        made[name] = float(h), float(c)
    return made


@styled
def complexity_time_figure(estimate: Estimate) -> Figure:
    """Entropy and complexity against the time that a pattern spans, with intervals; grey: the sampling rule.

    Takes an estimate of `complexity_time`. A dashed line marks the pattern time of largest complexity. Raises
    `InsufficientData` where there is no curve.
    """
    details = estimate.details
    if "pattern_times" not in details:
        raise InsufficientData(estimate.reason or "there is no curve", place=estimate.channel)
    times, natural = np.asarray(details["pattern_times"]), float(details["natural_time"])
    figure, axes = canvas(3.0)
    ax = axes[0, 0]
    if np.isfinite(natural):
        ax.axvspan(0.3 * natural, 0.5 * natural, color=COLOURS["faint"], alpha=0.55, linewidth=0)
    for key, colour, name in (("entropy", "ink", "entropy"), ("complexity", "accent", "complexity")):
        low, high = np.asarray(details[f"{key}_interval"]).T
        ax.fill_between(times, low, high, color=COLOURS[colour], alpha=0.2, linewidth=0)
        ax.plot(times, details[key], color=COLOURS[colour], label=name)
    if estimate.admissible:
        ax.axvline(float(estimate.value), color=COLOURS["late"], linewidth=1, linestyle=(0, (4, 2)))
    ax.set(xscale="log", ylim=(0, 1.03), xlabel=f"time that a pattern spans ({estimate.unit})", xlim=times[[0, -1]])
    ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.01))
    return figure


@styled
def multiscale_figure(estimate: Estimate) -> Figure:
    """Sample entropy against the time over which values are averaged, with the interval of each scale.

    Takes an estimate of `multiscale_entropy` or one of its composite forms. Raises `InsufficientData` where there is
    no curve.
    """
    if estimate.value is None or estimate.interval is None:
        raise InsufficientData(estimate.reason or "there is no curve", place=estimate.channel)
    scales = np.asarray(estimate.details["scales"])
    figure, axes = canvas(3.0)
    ax = axes[0, 0]
    low, high = (np.asarray(end) for end in estimate.interval)
    ax.fill_between(scales, low, high, color=COLOURS["accent"], alpha=0.2, linewidth=0)
    ax.plot(scales, estimate.value, "o-", color=COLOURS["accent"], markersize=3.5)
    ax.set(xlabel="values averaged", ylabel="sample entropy (nats)", xlim=(0.5, scales[-1] + 0.5), ylim=(0, None))
    return figure
