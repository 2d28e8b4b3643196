"""The contract of relations: a function on two channels that returns an `Estimate`, registered under its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..series import Series, as_series
from .base import Refused

RELATIONS: dict[str, Relation] = {}
"""Every relation by name, in the order in which the modules define them."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Pair:
    """What a relation works on: `x` and `y (time,)`, the longest stretch in which both channels have values.

    `interval` is the sampling interval in `time_unit`; `names` are the channels'; `used` says which rows these are.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    interval: float
    time_unit: str
    names: tuple[str, str]
    used: str


Function = Callable[..., Estimate]
"""A function `(pair: Pair, *, settings..., level, seed) -> Estimate`."""


@dataclass(frozen=True)
class Relation:
    """One registered relation: from the first channel to the second where it is `directed`."""

    name: str
    family: str
    function: Function
    reference: str
    minimum: int
    directed: bool

    def __call__(self, data: Series | ArrayLike, **settings: Any) -> Estimate:
        series = as_series(data)
        if series.shape[1] != 2:
            raise SettingError(
                f"{self.name} relates two channels; these data have {series.shape[1]}",
                place=series.source or series.name,
                remedy="Select two, for instance series.select('x', 'y'), or use takens.relate(series).",
            )
        label: dict[str, Any] = {
            "name": self.name, "reference": self.reference, "channel": " -> ".join(series.channels)
            if self.directed else " ~ ".join(series.channels),
        }  # fmt: skip
        try:
            pair = self._pair(series)
            estimate = self.function(pair, **settings)
        except Refused as refusal:
            return Estimate(value=None, admissible=False, reason=str(refusal), **label)
        return replace(estimate, settings={"rows": pair.used, **estimate.settings}, **label)

    def _pair(self, series: Series) -> Pair:
        if not np.isfinite(series.values).any(axis=0).all():
            raise Refused("a channel has no value")
        if series.sampling.kind == "irregular":
            raise Refused(f"{self.name} needs regular sampling: resample explicitly first")
        piece = max(series.stretches(), key=len)
        used = "all" if len(piece) == len(series) else f"longest gap-free stretch, {len(piece)} of {len(series)}"
        if len(piece) < self.minimum:
            raise Refused(f"{len(piece)} rows with both channels; at least {self.minimum} are needed")
        for index, name in enumerate(series.channels):
            if np.ptp(piece.values[:, index]) == 0:
                raise Refused(f"channel {name} is constant")
        first, second = series.channels
        x, y = piece.values.T
        return Pair(x.copy(), y.copy(), series.interval, series.clock.unit, (first, second), used)


def relation(*, family: str, reference: str, minimum: int = 50, directed: bool = False) -> Callable[[Function], Any]:
    """Register a function `(pair: Pair, **settings) -> Estimate` as the relation of its name.

    The registered object takes an array `(time, 2)` or a two-channel `Series`; constant, empty and too short channels,
    gaps and irregular sampling are answered for it.
    """

    def register(function: Function) -> Relation:
        name = function.__name__  # type: ignore[attr-defined]
        made = Relation(name, family, function, reference, minimum, directed)
        object.__setattr__(made, "__doc__", function.__doc__)
        RELATIONS[name] = made
        return made

    return register


def relate(
    data: Series | ArrayLike,
    *,
    only: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Estimate]:
    """Every relation of every pair of channels: estimates by `name[a ~ b]`, or `name[a -> b]` and back where directed.

    `only` names the relations wanted. A relation that fails gives an inadmissible estimate with the reason. Raises
    `SettingError` for an unknown name and for fewer than two channels. Cost: grows as the square of the number of
    channels.
    """
    series = as_series(data)
    names = list(RELATIONS) if only is None else [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in RELATIONS:
            raise SettingError(f"no relation {name!r}", place="only", remedy=f"Relations are: {', '.join(RELATIONS)}.")
    channels = series.channels
    if len(channels) < 2:
        raise SettingError("a relation needs two channels", place=series.source or series.name)
    jobs = [
        (RELATIONS[name], first, second)
        for i, first in enumerate(channels)
        for j, second in enumerate(channels)
        for name in names
        if i != j and (i < j or RELATIONS[name].directed)
    ]
    found: dict[str, Estimate] = {}
    for done, (one, first, second) in enumerate(jobs):
        key = f"{one.name}[{first} {'->' if one.directed else '~'} {second}]"
        if progress is not None:
            progress(key, done, len(jobs))
        try:
            found[key] = one(series.select(first, second), seed=seed)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            found[key] = Estimate(one.name, None, admissible=False, reason=reason, reference=one.reference)
    return found
