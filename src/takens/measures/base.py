"""The contract of measures: a function on one channel that returns an `Estimate`, registered under its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..series import Series, as_series

REGISTRY: dict[str, Measure] = {}
"""Every measure by name, in the order in which the modules define them."""


@dataclass(frozen=True)
class Channel:
    """What a measure works on: the present values `x (time,)` of one channel at times `t (time,)`.

    For measures that need regular sampling `x` is the longest gap-free stretch, `interval` its sampling interval in
    `time_unit`, and `used` says which rows of how many these are. For the others all present values are given.
    """

    x: NDArray[np.float64]
    t: NDArray[np.float64]
    interval: float
    time_unit: str
    unit: str
    used: str

    def portion(self, most: int, samples_per_scale: int = 5) -> tuple[NDArray[np.float64], int, str]:
        """At most `most` consecutive samples for measures whose cost grows fast: `(values, stride, what was left out)`.

        A longer channel is thinned as long as its correlation time (first 1/e of the autocorrelation) keeps at least
        `samples_per_scale` samples, then cut to the middle `most`. The words are empty where everything is used.
        """
        n = len(self.x)
        if n <= most:
            return self.x, 1, ""
        from .timescales import correlation_steps

        stride = int(min(-(-n // most), max(1, correlation_steps(self.x[:most]) // samples_per_scale)))
        thinned = self.x[::stride]
        start = max(0, (len(thinned) - most) // 2)
        x = thinned[start : start + most]
        return x, stride, f"the middle {len(x)} of {len(thinned)} samples, one in {stride} of {n} rows"


class Refused(Exception):
    """Raised inside a measure whose data do not suffice; becomes an inadmissible `Estimate` with this reason."""


Function = Callable[..., Estimate]
"""A function `(channel: Channel, *, settings..., level, seed) -> Estimate`."""


@dataclass(frozen=True)
class Measure:
    """One registered measure: its `function`, what it `needs`, its `family` and the paper it comes from."""

    name: str
    family: str
    function: Function
    reference: str
    minimum: int
    regular: bool

    def __call__(self, data: Series | ArrayLike, **settings: Any) -> Estimate:
        series = as_series(data)
        if series.shape[1] != 1:
            raise SettingError(
                f"{self.name} measures one channel; these data have {series.shape[1]}",
                place=series.source or series.name,
                remedy=f"Select one, for instance series.select({series.channels[0]!r}), or takens.measure(series).",
            )
        try:
            channel = prepared(series, regular=self.regular, name=self.name)
        except Refused as refusal:
            return self._refusal(refusal, series.channels[0])
        return self.on(channel, series.channels[0], **settings)

    def on(self, channel: Channel, name: str, **settings: Any) -> Estimate:
        """The estimate for a channel called `name` that `prepared` gave, so that many measures can share it."""
        try:
            if len(channel.x) < self.minimum:
                raise Refused(f"{len(channel.x)} values; at least {self.minimum} are needed")
            if np.ptp(channel.x) == 0:
                raise Refused("the channel is constant")
            estimate = self.function(channel, **settings)
        except Refused as refusal:
            return self._refusal(refusal, name, rows=channel.used)
        used = {"rows": channel.used, **estimate.settings}
        return replace(estimate, settings=used, name=self.name, reference=self.reference, channel=name)

    def _refusal(self, refusal: Refused, name: str, **settings: Any) -> Estimate:
        return Estimate(
            self.name, None, settings=settings, admissible=False, reason=str(refusal), reference=self.reference,
            channel=name,
        )  # fmt: skip


def prepared(series: Series, *, regular: bool, name: str) -> Channel:
    """The values of a one-channel series as a measure called `name` works on them; raises `Refused` without any."""
    x = series.values[:, 0]
    present = np.isfinite(x)
    if not present.any():
        raise Refused("the channel has no value")
    if regular:
        if series.sampling.kind == "irregular":
            raise Refused(
                f"{name} needs regular sampling; intervals vary by {series.sampling.spread:.0%} "
                "of the median: resample explicitly first"
            )
        piece = max(series.stretches(), key=len)
        used = "all" if len(piece) == len(series) else f"longest gap-free stretch, {len(piece)} of {len(series)}"
    else:
        piece = replace(series, times=series.times[present], values=series.values[present])
        used = "all" if present.all() else f"the {len(piece)} present of {len(series)}"
    return Channel(piece.values[:, 0], piece.times, series.interval, series.clock.unit, series.units[0], used)


def measure(*, family: str, reference: str, minimum: int = 20, regular: bool = True) -> Callable[[Function], Any]:
    """Register a function `(channel: Channel, **settings) -> Estimate` as the measure of its name.

    The registered object takes an array or a one-channel `Series`. It answers constant, empty and too short channels
    (fewer than `minimum` values), gaps and irregular sampling itself, so that the function sees clean values only.
    """

    def register(function: Function) -> Measure:
        name = function.__name__  # type: ignore[attr-defined]
        made = Measure(name, family, function, reference, minimum, regular)
        object.__setattr__(made, "__doc__", function.__doc__)
        REGISTRY[name] = made
        return made

    return register
