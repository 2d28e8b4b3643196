"""Decay rates from free weights: linear recurrences that stay stable whatever the optimiser does."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ...errors import SettingError
from ..base import Array

Stable = Literal["exp", "best"]
FLOOR = 0.05
"""b of the best reparameterisation: rates stay below 1/b, so a state lasts a twentieth of its unit of time at least."""


def rate(weight: Any, kind: Stable, xp: Any = np) -> Any:
    """The positive decay rate r of a mode exp(-r t) from a free weight w.

    `exp`: r = exp(w), so that the eigenvalue of a step is exp(-exp(w)) (Orvieto et al., ICML 2023, arXiv 2303.06349).
    `best`: r = 1/(w^2 + b), for which |dr/dw| / r^2 = 2 |w|: the gradient of the memory 1/r is proportional to the
    weight, so a step of the optimiser is as sensible for a long memory as for a short one, while for `exp` it grows
    like 1/r (Wang & Li, ICML 2024, arXiv 2311.14495).
    """
    if kind == "exp":
        return xp.exp(weight)
    if kind == "best":
        return 1 / (weight**2 + FLOOR)
    raise SettingError(f"no reparameterisation {kind!r}", place="rate", remedy="Choose exp or best.")


def weight_of(wanted: Array, kind: Stable) -> Array:
    """The free weight that gives a decay rate; for `best` rates are cut off just below 1/b."""
    if kind == "exp":
        return np.log(wanted)
    return np.sqrt(1 / np.minimum(wanted, 0.99 / FLOOR) - FLOOR)
