"""How a dimension was read: slopes of the correlation sum by radius and embedding, and local dimensions of states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, in_time, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def correlation_dimension_figure(estimate: Estimate) -> Figure:
    """Local slopes against radius, one curve an embedding dimension, and the dimension against embedding dimension.

    Of `correlation_dimension` or `takens_dimension`. Where the dimension saturates the curves fall together on a level
    stretch, and the value with its interval is drawn across both; noise climbs along the dashed line, where it fills
    every dimension. Raises `InsufficientData` where nothing was computed.
    """
    details = estimate.details
    if "dimension" not in details:
        raise InsufficientData(estimate.reason or "there is no dimension", place=estimate.channel)
    dimension = np.asarray(details["dimension"], dtype=float)
    values = np.asarray(details["correlation_dimension"], dtype=float)
    figure, axes = canvas(2.8, columns=2)
    left, right = axes[0]
    likelihood = estimate.name == "takens_dimension"
    for i, (radius, share) in enumerate(zip(details["radius"], details["correlation_sum"], strict=True)):
        x = np.asarray(radius, dtype=float)
        y = np.asarray(share, dtype=float)
        if not likelihood:
            # Over four radii, two thirds of an octave: single steps are noise.
            y = np.log(y[4:] / y[:-4]) / np.log(x[4:] / x[:-4])
            x = np.sqrt(x[4:] * x[:-4])
        chosen = dimension[i] == estimate.settings.get("embedding_dimension")
        left.plot(
            x, y, color=COLOURS["accent"], alpha=1.0 if chosen else 0.25 + 0.4 * i / len(dimension),
            linewidth=2 if chosen else 1,
        )  # fmt: skip
    left.set(xscale="log", xlabel="radius", ylabel="estimator" if likelihood else "local slope", ylim=(0, None))
    half = np.asarray(details["half_width"], dtype=float)
    right.errorbar(dimension, values, half, fmt="o-", color=COLOURS["accent"], markersize=4, linewidth=1)
    right.plot(dimension, dimension, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 2)))
    right.annotate(
        "noise", (dimension[-1], dimension[-1]), xytext=(-4, 0), textcoords="offset points", ha="right", va="bottom",
        color=COLOURS["muted"], fontsize=9,
    )  # fmt: skip
    right.set(xlabel="embedding dimension", ylabel="dimension", ylim=(0, None))
    right.set_xticks(dimension)
    if estimate.value is not None and estimate.interval is not None:
        doubtful = "" if estimate.admissible else " (not admissible)"
        for ax in (left, right):
            ax.axhspan(*map(float, estimate.interval), color=COLOURS["faint"], linewidth=0, zorder=0)
            ax.axhline(float(estimate.value), color=COLOURS["late"], linewidth=1.1, zorder=1)
        left.set_title(f"dimension {float(estimate.value):.3g}{doubtful}")
    else:
        left.set_title("no saturation")
    return figure


@styled
def local_dimension_figure(estimate: Estimate) -> Figure:
    """Local dimension against persistence, one dot a state, with their means, of `local_dimension`.

    Raises `InsufficientData` where nothing was computed.
    """
    if "local_dimension" not in estimate.details:
        raise InsufficientData(estimate.reason or "there is no local dimension", place=estimate.channel)
    local = np.asarray(estimate.details["local_dimension"], dtype=float)
    persistence = np.asarray(estimate.details["persistence"], dtype=float)
    figure, axes = canvas(2.8)
    ax = axes[0, 0]
    ax.plot(persistence, local, ".", color=COLOURS["accent"], markersize=4, alpha=0.5)
    ax.axhline(float(local.mean()), color=COLOURS["late"], linewidth=1.1)
    ax.annotate(
        f"mean {local.mean():.3g}", (1, float(local.mean())), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", ha="right", va="bottom", color=COLOURS["late"], fontsize=9,
    )  # fmt: skip
    ax.set(xlabel=in_time("persistence", estimate), ylabel="local dimension", ylim=(0, None))
    return figure
