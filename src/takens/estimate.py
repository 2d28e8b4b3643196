"""The answer of a measure: a value with its interval, how it was reached, and whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import InsufficientData


@dataclass(frozen=True)
class Estimate:
    """What a measure found in one channel.

    `value` is the number (an array for measures with several numbers, None where nothing could be computed), `interval`
    its lower and upper end at `level`, `unit` its unit. `settings` holds every setting that was used and `chosen` says,
    for those taken from the data, how. If the data do not suffice `admissible` is False and `reason` says what is
    missing and what would suffice: such a value is shown, if at all, as doubtful, and `float(estimate)` refuses it.
    `details` holds the curves behind the value (lags, radii, spectra) for figures and for people who want to check.
    """

    name: str
    value: Any
    unit: str = ""
    interval: tuple[Any, Any] | None = None
    level: float = 0.9
    method: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    admissible: bool = True
    reason: str = ""
    reference: str = ""
    channel: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __float__(self) -> float:
        """The value as a number. Raises `InsufficientData` where it is not admissible."""
        if not self.admissible or self.value is None:
            raise InsufficientData(f"{self.name} is not admissible: {self.reason}", place=self.channel)
        return float(self.value)

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: not available ({self.reason})"
        text = f"{self.name} = {np.array2string(np.asarray(self.value), precision=4)} {self.unit}".rstrip()
        if self.interval is not None:
            low, high = (np.array2string(np.asarray(end), precision=4) for end in self.interval)
            text += f" [{low}, {high}] at {self.level:.0%}"
        return text if self.admissible else f"{text} (not admissible: {self.reason})"

    def to_dict(self, *, details: bool = False) -> dict[str, Any]:
        """Everything as plain JSON values (NaN and infinity as None); the curves too if `details`."""
        names = ["name", "channel", "value", "unit", "interval", "level", "method", "settings", "chosen"]
        names += ["admissible", "reason", "reference"] + (["details"] if details else [])
        return {name: plain(getattr(self, name)) for name in names}


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: arrays become lists, NaN and infinity None, times ISO text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist()) if value.dtype.kind not in "mM" else [str(item) for item in value.ravel()]
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
