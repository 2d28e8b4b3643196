"""How delay, embedding dimension and largest exponent were read off their curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..durations import in_words
from ..estimate import Estimate
from .style import COLOURS, canvas, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def delay_figure(estimate: Estimate) -> Figure:
    """Mutual information against lag, the level of independence, and the chosen delay, of `delay_mutual_information`.

    Reads `details` lag, mutual_information (nats) and independent. Raises `KeyError` where one is missing.
    """
    lag, information, floor = (np.asarray(estimate.details[k]) for k in ("lag", "mutual_information", "independent"))
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    ax.plot(lag, information, color=COLOURS["accent"], marker="." if len(lag) < 60 else None)
    ax.axhline(float(floor), color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
    ax.annotate(
        "independent", (1, float(floor)), xycoords=("axes fraction", "data"), xytext=(0, 3), ha="right",
        textcoords="offset points", color=COLOURS["muted"], fontsize=9,
    )  # fmt: skip
    ax.set(xlabel=f"lag ({estimate.unit or 'step'})", ylabel="mutual information (nats)", ylim=(0, None))
    if estimate.value is not None:
        _chosen(ax, float(estimate.value), f"delay {in_words(float(estimate.value), estimate.unit or 'step')}")
    return figure


@styled
def embedding_figure(estimate: Estimate) -> Figure:
    """E1 and E2 of Cao's method, or the share of false neighbours, against dimension, and the chosen dimension.

    Reads `details` dimension with e1 and e2, or with false_share. Raises `KeyError` where they are missing.
    """
    dimension = np.asarray(estimate.details["dimension"])
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    if "e1" in estimate.details:
        for key, colour, dash, name in (
            ("e1", "accent", "-", "E1: levels off when unfolded"),
            ("e2", "late", (0, (4, 2)), "E2: 1 everywhere for noise"),
        ):
            curve = np.asarray(estimate.details[key], dtype=float)
            ax.plot(
                dimension[: len(curve)], curve, "o", linestyle=dash, color=COLOURS[colour], markersize=4, label=name
            )
        ax.axhline(1, color=COLOURS["grid"], linewidth=1, zorder=0)
        ax.set(ylim=(0, None), ylabel="ratio")
        ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.01))
    else:
        share = 100 * np.asarray(estimate.details["false_share"], dtype=float)
        ax.plot(dimension, share, "o-", color=COLOURS["accent"], markersize=4)
        ax.set(ylim=(0, None), ylabel="false neighbours (%)")
    ax.set_xlabel("embedding dimension")
    ax.set_xticks(dimension)
    if estimate.value is not None:
        ax.axvline(float(estimate.value), color=COLOURS["muted"], linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
        ax.get_xticklabels()[int(np.argmin(np.abs(dimension - float(estimate.value))))].set(
            fontweight="bold", color=COLOURS["ink"]
        )
    return figure


@styled
def criteria_figure(estimate: Estimate) -> Figure:
    """The dimension that each criterion of `optimal_embedding` gives, with its own bootstrap, and their median.

    Reads `details` criteria (names), dimensions, lowest and highest (NaN where a criterion does not settle, which is
    written at its place). Raises `KeyError` where one is missing.
    """
    names = [str(name) for name in estimate.details["criteria"]]
    found, low, high = (
        np.asarray(estimate.details[key], dtype=float) for key in ("dimensions", "lowest", "highest")
    )  # fmt: skip
    figure, axes = canvas(0.8 + 0.3 * len(names))
    ax = axes[0, 0]
    settled = np.isfinite(found)
    most = float(np.nanmax(high[settled])) if settled.any() else 1.0
    rows = np.arange(len(names), dtype=float)
    if estimate.interval is not None:
        ax.axvspan(estimate.interval[0], estimate.interval[1], color=COLOURS["faint"], alpha=0.6, linewidth=0, zorder=0)
    if estimate.value is not None:
        ax.axvline(float(estimate.value), color=COLOURS["late"], linewidth=1.1, zorder=1)
    ax.hlines(rows[settled], low[settled], high[settled], color=COLOURS["accent"], linewidth=2)
    ax.plot(found[settled], rows[settled], "o", color=COLOURS["accent"], markersize=6, zorder=3)
    for row in rows[~settled]:
        ax.annotate("does not settle", (0.6, row), va="center", color=COLOURS["muted"], fontsize=9)
    ax.set(xlabel="embedding dimension", xlim=(0.5, max(most, 4) + 0.5), ylim=(len(names) - 0.5, -0.5))
    ax.set_xticks(np.arange(1, max(most, 4) + 1))
    ax.set_yticks(rows, labels=names)
    ax.grid(axis="y", visible=False)
    return figure


@styled
def divergence_figure(estimate: Estimate) -> Figure:
    """Mean log distance of neighbours against time with the fitted line, of `largest_lyapunov_exponent` (Rosenstein).

    Reads `details` lag, divergence, region (first and last time of the fit) and saturation (the level at which the
    curve ends). The line has the slope `estimate.value` and passes through the mean of the curve in the region. Raises
    `KeyError` where one is missing.
    """
    lag, curve = (np.asarray(estimate.details[key], dtype=float) for key in ("lag", "divergence"))
    first, last = estimate.details["region"]
    saturation = float(estimate.details["saturation"])
    figure, axes = canvas(2.8)
    ax = axes[0, 0]
    ax.axhline(saturation, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
    ax.annotate(
        "size of the attractor", (1, saturation), xycoords=("axes fraction", "data"), xytext=(0, 3), ha="right",
        va="bottom", textcoords="offset points", color=COLOURS["muted"], fontsize=9,
    )  # fmt: skip
    ax.plot(lag, curve, color=COLOURS["accent"], marker="." if len(lag) < 40 else None)
    inside = (lag >= first) & (lag <= last)
    if estimate.value is not None and inside.any():
        ax.axvspan(first, last, color=COLOURS["faint"], alpha=0.6, linewidth=0, zorder=0)
        middle, height = lag[inside].mean(), curve[inside].mean()
        slope = float(estimate.value)
        ends = np.array([first, last])
        text = f"slope {slope:.3g} {estimate.unit}".rstrip() + ("" if estimate.admissible else " (not admissible)")
        ax.plot(ends, height + slope * (ends - middle), color=COLOURS["late"], linewidth=2, label=text)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01))
    unit = estimate.unit.removeprefix("1/") or "step"
    ax.set(xlabel=f"time ({unit})", ylabel="log distance")
    ax.margins(y=0.14)  # room for the words above the upper line
    return figure


def _chosen(ax, at: float, text: str) -> None:  # type: ignore[no-untyped-def]
    """A vertical line at the chosen value, with its name beside the top."""
    ax.axvline(at, color=COLOURS["late"], linewidth=1.1)
    low, high = ax.get_xlim()
    left = at < low + 0.6 * (high - low)
    ax.annotate(
        text, (at, 1), xycoords=("data", "axes fraction"), xytext=(4 if left else -4, -2), textcoords="offset points",
        ha="left" if left else "right", va="top", color=COLOURS["late"], fontsize=9,
    )  # fmt: skip
