"""The 0-1 test by frequency, exponents of a spectrum with what speaks for each, and the dimension they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def growth_figure(estimate: Estimate) -> Figure:
    """K of the 0-1 test at each frequency c, with the median and its interval, of `zero_one_test`.

    Reads `details` frequency and growth. Raises `InsufficientData` where there is no value.
    """
    if estimate.value is None:
        raise InsufficientData(estimate.reason, place=estimate.channel)
    frequency, growth = (np.asarray(estimate.details[key], dtype=float) for key in ("frequency", "growth"))
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    for level, words in ((0.0, "regular"), (1.0, "chaos or noise")):
        ax.axhline(level, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
        ax.annotate(
            words, (1, level), xycoords=("axes fraction", "data"), xytext=(0, 3), ha="right", va="bottom",
            textcoords="offset points", color=COLOURS["muted"], fontsize=9,
        )  # fmt: skip
    ax.plot(frequency, growth, "o", color=COLOURS["accent"], markersize=3)
    if estimate.interval is not None:
        ax.axhspan(*map(float, estimate.interval), color=COLOURS["faint"], alpha=0.8, linewidth=0, zorder=0)
    text = f"median {float(estimate.value):.2f}" + ("" if estimate.admissible else " (not admissible)")
    ax.axhline(float(estimate.value), color=COLOURS["late"], linewidth=1.5, label=text)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01))
    ax.set(xlabel="frequency c (rad/sample)", ylabel="growth K", ylim=(min(-0.3, growth.min()) - 0.05, 1.2))
    return figure


@styled
def exponent_spectrum_figure(estimate: Estimate) -> Figure:
    """Exponents with their intervals, filled where one delay more gives them again, of `lyapunov_spectrum_from_data`.

    Reads `details` persistent, reversed and kaplan_yorke; a ring marks exponents that the reversed record returns.
    Raises `InsufficientData` where there is no value.
    """
    if estimate.value is None or estimate.interval is None:
        raise InsufficientData(estimate.reason, place=estimate.channel)
    values = np.asarray(estimate.value, dtype=float)
    low, high = (np.asarray(end, dtype=float) for end in estimate.interval)
    number = np.arange(1, len(values) + 1)
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    ax.axhline(0, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
    ax.vlines(number, low, high, color=COLOURS["accent"], linewidth=1.5)
    again = np.asarray(estimate.details["persistent"], dtype=bool)
    back = np.asarray(estimate.details["reversed"], dtype=bool)
    for mask, fill, words in ((again, COLOURS["accent"], "the same with one delay more"),
                              (~again, COLOURS["paper"], "not the same")):  # fmt: skip
        if mask.any():
            ax.plot(number[mask], values[mask], "o", color=fill, markeredgecolor=COLOURS["accent"], label=words)
    if back.any():
        ax.plot(
            number[back], values[back], "o", color="none", markeredgecolor=COLOURS["late"], markersize=12,
            label="opposite sign backwards",
        )  # fmt: skip
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3)
    ax.set_xticks(number)
    dimension = estimate.details["kaplan_yorke"]
    ax.set(xlabel="exponent" if dimension is None else f"exponent (Kaplan-Yorke dimension {dimension:.2f})")
    ax.set_ylabel(f"exponent ({estimate.unit})")
    ax.margins(x=0.1, y=0.1)
    return figure


@styled
def lyapunov_dimension_figure(estimate: Estimate) -> Figure:
    """Sums of the largest exponents against their number: where the line crosses zero is the Kaplan-Yorke dimension.

    Of `lyapunov_dimension`: reads `details` exponents. The band is the interval. Raises `InsufficientData` where there
    is no value.
    """
    if estimate.value is None or "exponents" not in estimate.details:
        raise InsufficientData(estimate.reason or "there are no exponents", place=estimate.channel)
    exponents = np.asarray(estimate.details["exponents"], dtype=float)
    sums = np.concatenate([[0.0], np.cumsum(exponents)])
    figure, axes = canvas(2.6)
    ax = axes[0, 0]
    ax.axhline(0, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
    if estimate.interval is not None:
        ax.axvspan(*map(float, estimate.interval), color=COLOURS["faint"], alpha=0.8, linewidth=0, zorder=0)
    ax.plot(np.arange(len(sums)), sums, "o-", color=COLOURS["accent"], markersize=4)
    value = float(estimate.value)
    doubt = "" if estimate.admissible else " (not admissible)"
    ax.axvline(value, color=COLOURS["late"], linewidth=1.2, label=f"dimension {value:.3g}{doubt}")
    ax.set_xticks(np.arange(len(sums)))
    unit = str(estimate.details.get("time_unit", ""))
    ax.set(xlabel="exponents added, largest first", ylabel=f"their sum (1/{unit})" if unit else "their sum")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01))
    return figure
