"""Spectra: the periods of a series above red noise, and the rhythms of a free run beside those of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..durations import in_words
from ..errors import InsufficientData
from ..estimate import Estimate
from ..scores import spectral_hellinger
from ..series import Series, as_series
from .style import COLOURS, canvas, named, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLED = 4
"""Most peaks that are named in the figure."""


@styled
def spectrum_figure(estimate: Estimate) -> Figure:
    """Power against frequency, both logarithmic, with the red-noise level and the named periods of `dominant_periods`.

    Reads `details` frequency, power, background (expected red noise) and threshold (the level that red noise exceeds
    anywhere with small probability). Raises `KeyError` where one is missing.
    """
    frequency, power, background, threshold = (
        np.asarray(estimate.details[key], dtype=float) for key in ("frequency", "power", "background", "threshold")
    )
    positive = (frequency > 0) & (power > 0)
    frequency, power = frequency[positive], power[positive]
    background, threshold = (np.broadcast_to(a, positive.shape)[positive] for a in (background, threshold))
    figure, axes = canvas(3.1)
    ax = axes[0, 0]
    keep = peaks_kept(frequency, power)
    ax.plot(frequency[keep], power[keep], color=COLOURS["accent"], linewidth=0.9, label="data")
    smooth = np.unique(np.geomspace(1, len(frequency), 200).astype(int) - 1)
    ax.plot(frequency[smooth], background[smooth], color=COLOURS["ink"], linewidth=1.3, label="red noise")
    ax.plot(
        frequency[smooth], threshold[smooth], color=COLOURS["late"], linewidth=1.1, linestyle=(0, (4, 2)),
        label="significance level",
    )  # fmt: skip
    ax.set(xscale="log", yscale="log", ylabel="power")
    floor = min(np.quantile(power, 0.02), background.min())
    ax.set_ylim(bottom=floor / 2, top=max(power.max(), threshold.max()) * 9)
    ax.set_xlabel(f"frequency (cycles per {estimate.unit or 'step'})")
    _sparse_ticks(ax)
    if estimate.value is not None and estimate.admissible:
        _name_peaks(ax, np.atleast_1d(np.asarray(estimate.value, dtype=float)), frequency, power, estimate.unit)
    ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1.01))
    return figure


def peaks_kept(frequency: NDArray[np.float64], power: NDArray[np.float64], buckets: int = 500) -> NDArray[np.int64]:
    """Indices of the smallest and largest power in logarithmic bands of frequency, so that no peak is lost."""
    if len(frequency) <= 2 * buckets:
        return np.arange(len(frequency))
    band = np.floor(np.interp(np.log(frequency), np.log(frequency[[0, -1]]), [0, buckets - 1e-9])).astype(int)
    starts = np.flatnonzero(np.diff(band, prepend=-1))
    keep = set()
    for start, stop in zip(starts, np.append(starts[1:], len(band)), strict=True):
        keep |= {start + int(power[start:stop].argmin()), start + int(power[start:stop].argmax())}
    return np.array(sorted(keep))


def _sparse_ticks(ax: Axes) -> None:
    """On a logarithmic axis of less than two decades: plain numbers at 1, 2 and 5 only, which do not run together."""
    from matplotlib.ticker import FuncFormatter

    low, high = ax.get_xlim()
    if high > 100 * low:
        return

    def label(value: float, _: object) -> str:
        return f"{value:g}" if f"{value:.0e}"[0] in "125" else ""

    ax.xaxis.set_major_formatter(FuncFormatter(label))
    ax.xaxis.set_minor_formatter(FuncFormatter(label))


def _name_peaks(ax, periods, frequency, power, unit) -> None:  # type: ignore[no-untyped-def]
    """Write the strongest periods above their peaks, without those that would cover a stronger one's name."""
    placed: list[float] = []
    span = np.log(frequency[-1] / frequency[0])
    for period in periods[np.isfinite(periods)][:LABELLED]:
        nearest = int(np.argmin(np.abs(np.log(frequency * period))))
        near = slice(max(nearest - 2, 0), nearest + 3)
        at = 1 / period
        place = np.log(at / frequency[0]) / span
        if any(abs(place - other) < 0.2 for other in placed):
            continue
        placed.append(place)
        ax.annotate(
            in_words(float(period), unit or "step"), (at, power[near].max()), xytext=(0, 5),
            textcoords="offset points", ha="left" if place < 0.1 else "right" if place > 0.9 else "center",
            va="bottom", fontsize=9, color=COLOURS["ink"],
        )  # fmt: skip


@styled
def climate_spectrum_figure(observed: Series | ArrayLike, generated: Series | ArrayLike) -> Figure:
    """Smoothed spectra of the data and of a free run `(time, channel)`, both logarithmic, one panel a channel (up to
    4).

    These are the spectra that `spectral_hellinger` compares; interval, names and units come from `observed` if it is a
    `Series`. Raises `InsufficientData` where the run is not finite.
    """
    data = as_series(observed)
    compared = spectral_hellinger(generated.values if isinstance(generated, Series) else generated, data)
    if not compared.details:
        raise InsufficientData(compared.reason)
    varying = [name for name, x in zip(data.channels, data.values.T, strict=True) if np.nanmax(x) > np.nanmin(x)][:4]
    columns = 2 if len(varying) == 4 else len(varying)
    rows = len(varying) // columns
    figure, axes = canvas(2.6 if rows == 1 else 4.0, rows=rows, columns=columns, sharex=True, sharey=True)
    frequency = compared.details["frequency"][1:]
    for c, name in enumerate(varying):
        ax = axes.flat[c]
        for curve, colour, width in (("truth", "ink", 1.8), ("generated", "late", 1.2)):
            power = compared.details[curve][1:, c]
            kept = peaks_kept(frequency, np.where(np.isnan(power), 0.0, power), 300)
            label = {"truth": "data", "generated": "free run"}[curve]
            ax.plot(frequency[kept], power[kept], color=COLOURS[colour], linewidth=width, label=label)
        ax.set(xscale="log", yscale="log")
        if len(varying) > 1:
            ax.set_title(named(name, "", 24))
    largest = float(compared.details["truth"][1:].max())
    if axes[0, 0].get_ylim()[0] < 1e-6 * largest:  # nobody compares what is a millionth of the power
        axes[0, 0].set_ylim(1e-6 * largest, 5 * largest)
    _sparse_ticks(axes[0, 0])  # the panels share their axes
    figure.supxlabel(f"frequency (cycles per {data.clock.unit})", fontsize=9.5)
    figure.supylabel("share of power", fontsize=9.5)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure
