"""Fluctuations by window size with their exponent and crossover, and the singularity spectrum of a multifractal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, in_time, plain_decades, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def fluctuation_figure(estimate: Estimate) -> Figure:
    """F(s) against window size on logarithmic axes, the fitted power law, and the crossover where there is one.

    Of `detrended_fluctuation_exponent`. Dots are the corrected fluctuations. A crossover is drawn where one exponent is
    not enough. Raises `InsufficientData` where nothing was computed.
    """
    if "corrected" not in estimate.details or estimate.value is None:
        raise InsufficientData(estimate.reason or "there are no fluctuations", place=estimate.channel)
    scale, curve = (np.asarray(estimate.details[k], dtype=float) for k in ("scale", "corrected"))
    figure, axes = canvas(2.8)
    ax = axes[0, 0]
    ax.plot(scale, curve, "o", color=COLOURS["accent"], markersize=4)
    crossover = estimate.details.get("crossover")
    middle = np.exp(np.log(scale).mean()), np.exp(np.log(curve).mean())
    if estimate.admissible or crossover is None:
        line = middle[1] * (scale / middle[0]) ** float(estimate.value)
        ax.plot(scale, line, color=COLOURS["late"], label=f"exponent {float(estimate.value):.3g}")
    else:
        at = float(crossover["scale"])
        height = curve[int(np.argmin(np.abs(np.log(scale / at))))]
        for name, part in (("below", scale <= at), ("above", scale >= at)):
            slope, error = crossover[name]
            line = height * (scale[part] / at) ** slope
            ax.plot(scale[part], line, color=COLOURS["late"], label=f"{slope:.2f} ± {error:.2f}")
        ax.axvline(at, color=COLOURS["muted"], linewidth=0.9, linestyle=(0, (2, 2)))
    ax.set(xscale="log", yscale="log", xlabel=in_time("window", estimate), ylabel="fluctuation")
    plain_decades(ax.xaxis)
    plain_decades(ax.yaxis)
    ax.legend(loc="upper left")
    return figure


@styled
def multifractal_figure(estimate: Estimate) -> Figure:
    """Generalised Hurst exponents against order with their interval, and the singularity spectrum f(alpha).

    Of `multifractal_exponents`. Raises `InsufficientData` where nothing was computed.
    """
    if "alpha" not in estimate.details or estimate.interval is None:
        raise InsufficientData(estimate.reason or "there is no spectrum", place=estimate.channel)
    power, alpha, f = (np.asarray(estimate.details[k], dtype=float) for k in ("power", "alpha", "f"))
    figure, axes = canvas(2.8, columns=2)
    left, right = axes[0]
    low, high = (np.asarray(end, dtype=float) for end in estimate.interval)
    left.fill_between(power, low, high, color=COLOURS["faint"], linewidth=0)
    left.plot(power, np.asarray(estimate.value, dtype=float), "o-", color=COLOURS["accent"], markersize=4)
    left.set(xlabel="order q", ylabel="exponent h(q)")
    right.plot(alpha, f, "o-", color=COLOURS["accent"], markersize=4)
    right.set(xlabel="singularity strength", ylabel="dimension")
    right.set_title(f"width {float(estimate.details['width']):.2g} ± {float(estimate.details['width_error']):.1g}")
    return figure
