"""The recurrence plot of a channel: which pairs of its states recur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from ..estimate import Estimate
from .style import COLOURS, canvas, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 360
"""States along each side at most; of a longer record the first stretch is shown, as thinning would break lines."""


@styled
def recurrence_figure(estimate: Estimate) -> Figure:
    """Recurrent pairs of the first states, with what their lines say, of `recurrence_determinism`.

    Reads `details` points, radius, theiler and the quantities of `RecurrenceQuantification`; pairs within the Theiler
    window, which are not counted, are shaded. Raises `InsufficientData` where there is no value.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if estimate.value is None:
        raise InsufficientData(estimate.reason, place=estimate.channel)
    details = estimate.details
    points = np.asarray(details["points"], dtype=float)[:SHOWN]
    near = np.abs(points[:, None] - points[None]).max(axis=2) <= float(details["radius"])
    n, window = len(points), int(details["theiler"])
    figure, axes = canvas(4.2)
    ax = axes[0, 0]
    along = np.arange(n)
    ax.fill_between(along, along - window, along + window, color=COLOURS["faint"], alpha=0.8, linewidth=0, zorder=0)
    first, last = diagonal_runs(near)
    ends = np.stack([first, last], axis=1).astype(float)
    ends[:, 1] += 1e-4  # drawn as pixels a single pair needs a length; in an SVG this one rounds to none
    path = Path(ends.reshape(-1, 2), np.tile([Path.MOVETO, Path.LINETO], len(first)))
    path.should_simplify = False
    # The two sides are 250 points long: a line is as wide as a state.
    ax.add_patch(PathPatch(path, fill=False, edgecolor=COLOURS["accent"], linewidth=max(0.45, 190 / n),
                           capstyle="round", snap=False))  # fmt: skip
    words = f"determinism {details['determinism']:.2f}, laminarity {details['laminarity']:.2f}, "
    words += f"mean diagonal line {details['diagonal_length']:.1f} states"
    ax.set_title(words + ("" if estimate.admissible else "\n(not admissible)"), loc="left")
    ax.set(xlabel="state i (samples)", ylabel="state j (samples)", xlim=(-0.5, n - 0.5), ylim=(-0.5, n - 0.5))
    ax.set_aspect("equal")
    return figure


def diagonal_runs(near: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """First and last pair `(line, 2)` of each unbroken diagonal line of the matrix `near (i, j)`, single pairs too."""
    padded = np.pad(near, 1)
    inside = padded[1:-1, 1:-1]
    first = np.argwhere(inside & ~padded[:-2, :-2])
    last = np.argwhere(inside & ~padded[2:, 2:])
    # Along one diagonal the ends come in the order of the beginnings.
    return tuple(pairs[np.lexsort((pairs[:, 0], pairs[:, 0] - pairs[:, 1]))] for pairs in (first, last))  # type: ignore[return-value]
