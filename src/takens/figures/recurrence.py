"""The recurrence plot of a channel: which pairs of its states recur."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 600
"""States along each side at most; of a longer record the first stretch is shown, as thinning would break lines."""


@styled
def recurrence_figure(estimate: Estimate) -> Figure:
    """Recurrent pairs of the first states, with what their lines say, of `recurrence_determinism`.

    Reads `details` points, radius, theiler and the quantities of `RecurrenceQuantification`; pairs within the Theiler
    window, which are not counted, are shaded. Raises `InsufficientData` where there is no value.
    """
    if estimate.value is None:
        raise InsufficientData(estimate.reason, place=estimate.channel)
    details = estimate.details
    points = np.asarray(details["points"], dtype=float)[:SHOWN]
    apart = np.abs(points[:, None] - points[None]).max(axis=2)
    i, j = np.nonzero(apart <= float(details["radius"]))
    n, window = len(points), int(details["theiler"])
    figure, axes = canvas(4.2)
    ax = axes[0, 0]
    ax.plot(i, j, "s", color=COLOURS["accent"], markersize=max(0.4, 240 / n), markeredgewidth=0)
    along = np.arange(n)
    ax.fill_between(along, along - window, along + window, color=COLOURS["faint"], alpha=0.8, linewidth=0, zorder=0)
    words = f"determinism {details['determinism']:.2f}, laminarity {details['laminarity']:.2f}, "
    words += f"mean diagonal line {details['diagonal_length']:.1f} states"
    ax.set_title(words + ("" if estimate.admissible else " (not admissible)"), loc="left")
    ax.set(xlabel="state i (samples)", ylabel="state j (samples)", xlim=(0, n - 1), ylim=(0, n - 1))
    ax.set_aspect("equal")
    return figure
