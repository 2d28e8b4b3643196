"""A score: how far a forecast or a free run is from the truth, and how small that distance can be at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from ..estimate import plain

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One number that compares a forecast or a free run with the truth.

    `value` is None where the score is undefined and infinite where a run failed; `reason` says why. `floor` is the
    noise floor: what the truth scores against itself (two halves), so that a value near it cannot be improved. `better`
    says whether low or high values are good, or values near `settings["target"]`. `details` holds what is behind the
    value: `by_horizon (horizon, channel)` and `by_channel (channel,)` where they exist, and the curves for figures.
    """

    name: str
    value: float | None
    unit: str = ""
    floor: float | None = None
    better: Literal["low", "high", "target"] = "low"
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __float__(self) -> float:
        """The value as a number. Raises `InsufficientData` where the score is undefined."""
        if self.value is None:
            raise InsufficientData(f"{self.name} is undefined: {self.reason}")
        return float(self.value)

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: undefined ({self.reason})"
        floor = "" if self.floor is None else f" (noise floor {self.floor:.3g})"
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.name} = {self.value:.4g} {self.unit}".rstrip() + floor + reason

    def to_dict(self, *, details: bool = False) -> dict[str, Any]:
        """Everything as plain JSON values (infinity as None, with its reason); the curves too if `details`."""
        names = ["name", "value", "unit", "floor", "better", "settings", "reference", "reason"]
        return {name: plain(getattr(self, name)) for name in names + (["details"] if details else [])}


def mean_present(array: Array, axis: int | tuple[int, ...] | None = None) -> Any:
    """Mean of the values that are not NaN along `axis`; NaN where there is none."""
    present = ~np.isnan(array)
    count = present.sum(axis=axis)
    total = np.where(present, array, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)[()]


def common_unit(units: tuple[str, ...]) -> str:
    """The unit of all channels, or `mixed units`: an average over such channels only compares like with like."""
    return units[0] if len(set(units)) == 1 else "mixed units"
