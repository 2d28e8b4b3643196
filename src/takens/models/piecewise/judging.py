"""How far a free run is from held-out data in what it does over a long time."""

from __future__ import annotations

import numpy as np

from ..base import Array

BOUND = 1e3
"""Standard deviations beyond which a run has broken down."""


def climate_distance(generated: Array, true: Array) -> float:
    """State-space divergence plus spectral Hellinger distance of standardised rows `(time, channel)`.

    Infinite for a run that is not finite, leaves for good or stands still; see `takens.scores` for both. Cost:
    milliseconds for ten thousand rows.
    """
    from ...scores import spectral_hellinger, state_space_divergence

    if not np.isfinite(generated).all() or np.abs(generated).max() > BOUND:
        return float("inf")
    scores = state_space_divergence(generated, true), spectral_hellinger(generated, true)
    return float("inf") if scores[1].reason else float(scores[0].value + scores[1].value)
