"""The figure of a transfer operator: which box follows which, and where that settles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData
from ..estimate import Estimate
from ..wording import number
from .style import COLOURS, canvas, dots, in_time, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ((0.5, 1.0), (0.2, 0.65), (0.05, 0.35), (0.0, 0.15))
"""Least probability of a step and how opaque it is drawn."""


@styled
def transfer_operator_figure(estimate: Estimate) -> Figure:
    """Steps from box to box, darker where more probable, and the invariant distribution over the shares of visits.

    Of `transfer_operator_entropy`: reads `details` probability, invariant, visits and relaxation. The relaxation time
    is in the title. Raises `InsufficientData` without them.
    """
    found = estimate.details
    if "probability" not in found or estimate.value is None:
        raise InsufficientData(f"no operator to draw: {estimate.reason}", place=estimate.channel)
    share = np.asarray(found["probability"], dtype=float)
    size = len(share)
    figure, axes = canvas(3.0, columns=2)
    left, right = axes[0]
    across, up = np.nonzero(share)
    for (least, alpha), below in zip(SHADES, (np.inf, 0.5, 0.2, 0.05), strict=True):
        taken = (share[across, up] >= least) & (share[across, up] < below)
        dots(left, across[taken], up[taken], COLOURS["accent"], max(1.0, 130 / size), alpha=alpha)
    left.set(xlabel="box", ylabel="next box", xlim=(-0.7, size - 0.3), ylim=(-0.7, size - 0.3))
    left.set_aspect("equal")
    doubt = "" if estimate.admissible else " (not admissible)"
    left.set_title(f"{number(float(estimate.value), 3)} nats a sample{doubt}")
    box = np.arange(size)
    right.fill_between(box, np.asarray(found["visits"]), step="mid", color=COLOURS["soft"], linewidth=0, label="visits")
    right.step(box, np.asarray(found["invariant"]), where="mid", color=COLOURS["late"], label="invariant")
    right.set(xlabel="box", ylabel="share", ylim=(0, None))
    right.locator_params(axis="y", nbins=5)
    right.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.01))
    settles = in_time(f"settles in {number(float(found['relaxation']), 2)}", estimate)
    figure.supxlabel(settles.replace("(", "").replace(")", ""), size=9, color=COLOURS["muted"])
    return figure
