"""How far a free run is from held-out data in what it does over a long time."""

from __future__ import annotations

import numpy as np

from ...errors import InsufficientData
from ..base import Array

BOUND = 1e3
"""Standard deviations beyond which a run has broken down."""


def climate_distance(generated: Array, true: Array) -> float:
    """sqrt((D + d) (H + h)): state-space divergence D and spectral Hellinger distance H, with their noise floors d, h.

    A product weighs both alike whatever their units; what is below the floors is not told apart. Rows `(time,
    channel)`. Infinite for a run that is not finite, leaves for good or stands still; the root mean square distance
    from the mean of a truth that is constant or too short for both. See `takens.scores`. Cost: milliseconds for ten
    thousand rows.
    """
    from ...scores import spectral_hellinger, state_space_divergence

    if not np.isfinite(generated).all() or np.abs(generated).max() > BOUND:
        return float("inf")
    try:
        space, spectrum = state_space_divergence(generated, true), spectral_hellinger(generated, true)
    except InsufficientData:  # constant, or too few rows for a distribution
        return float(np.sqrt(((generated - true.mean(axis=0)) ** 2).mean()))
    numbers = (space.value, space.floor, spectrum.value, spectrum.floor)
    if spectrum.reason or any(number is None for number in numbers):
        return float("inf")
    first, second = (float(value) + float(floor) for value, floor in (numbers[:2], numbers[2:]))  # type: ignore[arg-type]
    return float(np.sqrt(max(first, 0.0) * second))
