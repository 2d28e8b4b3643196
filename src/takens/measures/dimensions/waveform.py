"""Indices of how rough a waveform is, which their authors call fractal dimensions: Katz, Petrosian and Sevcik."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure

Array = NDArray[np.float64]

BATCHES = 20
"""Groups of consecutive stretches, at most, whose means give the interval."""


def katz(x: Array) -> Array:
    """Katz' index `(...,)` of `x (..., time)`: ln n / (ln n + ln(d / L)) of n steps.

    L is the sum of the sizes of the steps, d the largest distance from the first value. 1 for a monotone curve; NaN
    where d <= L / n, as for a curve that comes back with each step, where the formula has no value.
    """
    steps = x.shape[-1] - 1
    length = np.abs(np.diff(x, axis=-1)).sum(axis=-1)
    reach = np.abs(x - x[..., :1]).max(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.log(steps) + np.log(reach / length)
        return np.asarray(np.where(below > 1e-12, np.log(steps) / below, np.nan))


def petrosian(x: Array) -> Array:
    """Petrosian's index `(...,)` of `x (..., time)`: ln N / (ln N + ln(N / (N + 0.4 M))), M the turning points.

    A turning point is where the sign of the steps changes; steps of 0 count with the sign before them.
    """
    n = x.shape[-1]
    steps = np.diff(x, axis=-1)
    last = np.where(steps != 0, np.arange(n - 1), 0)
    sign = np.take_along_axis(np.sign(steps), np.maximum.accumulate(last, axis=-1), axis=-1)
    turns = (sign[..., 1:] * sign[..., :-1] < 0).sum(axis=-1)
    return np.asarray(np.log(n) / (np.log(n) + np.log(n / (n + 0.4 * turns))))


def sevcik(x: Array) -> Array:
    """Sevcik's index `(...,)` of `x (..., time)`: 1 + ln L / ln(2 n) of n steps, L the length of the curve in the plane
    when it is scaled to the unit square; NaN for a constant curve."""
    n = x.shape[-1] - 1
    extent = x.max(axis=-1) - x.min(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.sqrt((np.diff(x, axis=-1) / extent[..., None]) ** 2 + 1 / n**2).sum(axis=-1)
    return np.asarray(1 + np.log(length) / np.log(2 * n))


def _mean_over_stretches(
    channel: Channel, index: Callable[[Array], Array], window: int, level: float, method: str
) -> Estimate:
    """The mean of an index over consecutive stretches of `window` values."""
    from scipy.special import stdtrit

    n = len(channel.x)
    if window < 10:
        raise SettingError(f"window must be at least 10, got {window}", place="window")
    count = n // window
    if count < 2:
        raise Refused(f"{n} values hold {count} stretches of {window}; at least 2 are needed")
    values = index(channel.x[: count * window].reshape(count, window))
    good = np.isfinite(values)
    whole = float(index(channel.x))
    if not good.all():
        raise Refused(
            f"{np.mean(~good):.0%} of the stretches are constant or return with each step, where the index has no value"
        )
    batches = min(count, BATCHES)
    label = np.arange(count) * batches // count
    means = np.bincount(label, values) / np.bincount(label)
    half = float(stdtrit(batches - 1, 0.5 + level / 2) * means.std(ddof=1) / np.sqrt(batches))
    value = float(values.mean())
    reason = "" if count >= 10 else f"{count} stretches of {window} values; 10 are needed: {10 * window} values"
    return Estimate(
        "", value, "", (value - half, value + half), level,
        f"{method}, mean over stretches; Student's t over {batches} groups of them", {"window": window}, {},
        not reason, reason, details={"stretches": values, "whole": whole},
    )  # fmt: skip


@measure(family="dimensions", reference="Katz, Comput. Biol. Med. 18, 145 (1988)", minimum=50)
def katz_dimension(channel: Channel, *, window: int = 100, level: float = 0.9, seed: int = 0) -> Estimate:
    """Katz' index of a waveform, mean over stretches: 1 for a monotone curve, larger the more it goes to and fro.

    ln n / (ln n + ln(d / L)) of n steps, L the sum of their sizes and d the largest distance from the first value. It
    is no dimension: for white noise it grows with n without bound, so that the mean over stretches of `window` values
    is given and only equal windows compare; `details["whole"]` is that of the whole record. Interval: Student's t over
    groups of stretches, right where these are longer than the memory. Admissible from 10 stretches. For a dimension of
    the graph use `higuchi_dimension`. Cost: O(N).
    """
    del seed
    return _mean_over_stretches(channel, katz, window, level, "Katz' index")


@measure(family="dimensions", reference="Petrosian, Proc. IEEE Symp. Comput.-Based Med. Syst., 212 (1995)", minimum=50)
def petrosian_dimension(channel: Channel, *, window: int = 100, level: float = 0.9, seed: int = 0) -> Estimate:
    """Petrosian's index of a waveform, mean over stretches: how often it turns, 1 for a monotone curve.

    ln N / (ln N + ln(N / (N + 0.4 M))), M the turning points among N values: a function of the rate of turning points
    alone (2 / 3 for any white noise), which falls to 1 as N grows. Settings, interval and admissibility as in
    `katz_dimension`. Cost: O(N).
    """
    del seed
    return _mean_over_stretches(channel, petrosian, window, level, "Petrosian's index")


@measure(family="dimensions", reference="Sevcik, Complexity Int. 5 (1998)", minimum=50)
def sevcik_dimension(channel: Channel, *, window: int = 100, level: float = 0.9, seed: int = 0) -> Estimate:
    """Sevcik's index of a waveform, mean over stretches: its length in the unit square, 1 for a straight line.

    1 + ln L / ln(2 n), n steps, which nears the dimension of the graph only like 1 / ln n: white noise has 1.8 at 100
    values. Settings, interval and admissibility as in `katz_dimension`. Cost: O(N).
    """
    del seed
    return _mean_over_stretches(channel, sevcik, window, level, "Sevcik's index")
