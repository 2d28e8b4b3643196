"""The contract of measures: a function on one channel that returns an `Estimate`, registered under its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import SettingError
from ..estimate import Estimate
from ..series import Sampling, Series, as_series

REGISTRY: dict[str, Measure] = {}
"""Every measure by name, in the order in which the modules define them."""


NOT_FINITE = "the computation gave no finite number"
"""Reason of an estimate whose function gave NaN or infinity: right on awkward data, a fault on ordinary ones."""


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

    def stretch(self, name: str) -> Channel:
        """The longest part without gaps, for measures that take irregular times but need regular ones for something.

        Raises `Refused`, naming the measure `name`, where the times are irregular.
        """
        if Sampling.of(self.t).kind == "regular":
            return self
        series = Series(self.t, self.x, ("x",), (self.unit,), Clock(self.time_unit))
        return prepared(series, regular=True, name=name)


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
    scale_free: bool = True

    def __call__(self, data: Series | ArrayLike, **settings: Any) -> Estimate:
        complete = _complete(data)
        if complete is not None:
            return self.on(complete, "x", **settings)
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
            channel, changed = representable(channel)
            if changed and "times" in changed and (not self.scale_free or settings.get("radius") is not None):
                what = "a radius in their unit" if self.scale_free else "a value that depends on their unit"
                raise Refused(f"values too large or small for arithmetic and {what}: express both in another unit")
            estimate = self.function(channel, **settings)
        except Refused as refusal:
            return self._refusal(refusal, name, rows=channel.used)
        used = {"rows": channel.used, **({"values": changed} if changed else {}), **estimate.settings}
        if estimate.admissible and not np.isfinite(np.asarray(estimate.value, dtype=float)).all():
            estimate = replace(estimate, admissible=False, reason=NOT_FINITE)
        # Figures label their axes of time and frequency with it, also where the value itself has another unit.
        details = {**estimate.details, "time_unit": channel.time_unit} if estimate.details else {}
        return replace(estimate, settings=used, name=self.name, reference=self.reference, channel=name, details=details)

    def _refusal(self, refusal: Refused, name: str, **settings: Any) -> Estimate:
        return Estimate(
            self.name, None, settings=settings, admissible=False, reason=str(refusal), reference=self.reference,
            channel=name,
        )  # fmt: skip


def representable(channel: Channel) -> tuple[Channel, str]:
    """The channel with values that arithmetic can hold, and in words what was done to them (nothing, as a rule).

    Where the middle of the range is more than 2^20 times its width, it is subtracted, which is exact; where values are
    beyond 10^50 or all within 10^-50, they are multiplied by a power of two, which is exact too: their squares and
    products would overflow, vanish or lose all digits. Raises `Refused` for a constant channel. Cost: two passes.
    """
    low, high = float(channel.x.min()), float(channel.x.max())
    if low == high:
        raise Refused("the channel is constant")
    x, words = channel.x, []
    middle, width = low / 2 + high / 2, high / 2 - low / 2
    if abs(middle) > 2.0**20 * width:
        x = x - middle
        words.append(f"less {middle:.17g}")
    else:
        width = max(abs(low), abs(high))
    if not 1e-50 <= width <= 1e50:
        power = -int(np.frexp(width)[1])
        # Two steps, for 2^1074 itself is no number.
        x = np.ldexp(np.ldexp(x, power // 2), power - power // 2)
        words.append(f"times 2^{power}")
    return (channel, "") if not words else (replace(channel, x=x), ", ".join(words))


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


def _complete(data: Series | ArrayLike) -> Channel | None:
    """The channel of a plain array of numbers without gaps, as `prepared` gives it too but after many more passes over
    the data; None for anything else."""
    if type(data) is not np.ndarray or data.dtype != np.float64 or data.ndim != 1 or len(data) < 2:
        return None
    if not np.isfinite(data).all():
        return None
    x = data.copy()
    x.setflags(write=False)
    return Channel(x, _steps(len(x)), 1.0, "step", "", "all")


@lru_cache(maxsize=1)
def _steps(count: int) -> NDArray[np.float64]:
    """Times `(count,)` one step apart, kept for the next channel of the same length: fresh memory is what costs."""
    t = np.arange(count, dtype=np.float64)
    t.setflags(write=False)
    return t


def measure(
    *, family: str, reference: str, minimum: int = 20, regular: bool = True, scale_free: bool = True
) -> Callable[[Function], Any]:
    """Register a function `(channel: Channel, **settings) -> Estimate` as the measure of its name.

    The registered object takes an array or a one-channel `Series`. It answers constant, empty and too short channels
    (fewer than `minimum` values), gaps and irregular sampling itself, so that the function sees clean values only, and
    values that arithmetic can hold (`representable`), which asks that the measure does not depend on the unit of the
    channel; with `scale_free` False it does, and refuses values beyond 10^50 instead.
    """

    def register(function: Function) -> Measure:
        name = function.__name__  # type: ignore[attr-defined]
        made = Measure(name, family, function, reference, minimum, regular, scale_free)
        object.__setattr__(made, "__doc__", function.__doc__)
        REGISTRY[name] = made
        return made

    return register
