"""Cycles of a channel: where they begin, how strong each is, and whether one tells anything about the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, SettingError
from .linear import normal_scores

Array = NDArray[np.float64]

FEWEST = 12
"""Cycles that statistics of successive cycles need."""


def strongest_period(x: Array) -> float:
    """The period of the highest value of the periodogram, in samples, between 4 samples and a fifth of the record."""
    power = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))) ** 2
    low, high = 5, len(x) // 4
    return len(x) / (low + float(np.argmax(power[low : high + 1])))


def cycle_starts(x: Array, period: float) -> NDArray[np.int64]:
    """Where cycles of about `period` samples of `x (time,)` begin: upward crossings of the median, smoothed.

    The mean over a quarter period hides the wiggles of noise, and crossings nearer than half a period to the last do
    not count. Raises `SettingError` unless 4 <= `period` <= N / 3. Cost: O(N).
    """
    n = len(x)
    if not 4 <= period <= n / 3:
        raise SettingError(f"period must be between 4 samples and a third of {n}, got {period:g}", place="period")
    width = max(1, round(period / 4))
    total = np.concatenate([[0.0], np.cumsum(x - x.mean())])
    low, high = (np.clip(np.arange(n) + shift, 0, n) for shift in (-(width // 2), width - width // 2))
    smooth = (total[high] - total[low]) / (high - low)
    above = smooth > np.median(smooth)
    starts: list[int] = []
    for crossing in np.flatnonzero(above[1:] & ~above[:-1]) + 1:
        if not starts or crossing - starts[-1] >= period / 2:
            starts.append(int(crossing))
    return np.array(starts, dtype=np.int64)


def cycle_strengths(x: Array, period: float) -> Array:
    """The sum of squares about the median `(cycle,)` of each cycle of `x (time,)`.

    Near its ends a cycle is near the median, so that where exactly it was cut hardly matters, nor that a period is no
    whole number of samples. Raises `DataError` for fewer than 12 cycles. Cost: O(N).
    """
    starts = cycle_starts(x, period)
    if len(starts) <= FEWEST:
        raise DataError(f"{max(len(starts) - 1, 0)} whole cycles of about {period:.3g} samples; {FEWEST} are needed")
    square = (x - np.median(x)) ** 2
    return np.array([square[a:b].sum() for a, b in pairwise(starts)])


def cycle_memory(strengths: Array) -> tuple[float, float]:
    """What a cycle tells about the next, of `strengths (cycle,)`: autocorrelation at lag 1, and error of prediction.

    Both of normal scores of the ranks. The error is that of the mean of what followed the sqrt(K) cycles most alike,
    over the standard deviation: small where the return map is a curve, as for chaos of Roessler's kind, though the
    autocorrelation may vanish. Cost: O(K^2).
    """
    z = normal_scores(strengths)
    before, after = z[:-1], z[1:]
    correlation = float(np.mean(before * after) / np.mean(z * z))
    distance = np.abs(before[:, None] - before[None])
    np.fill_diagonal(distance, np.inf)
    k = max(2, round(np.sqrt(len(before))))
    nearest = np.argpartition(distance, k, axis=1)[:, :k]
    error = float(np.sqrt(np.mean((after[nearest].mean(axis=1) - after) ** 2)) / z.std())
    return correlation, error
