"""Folding a record on one period: what no cycle explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BINS = 24
"""Phases of a cycle told apart."""
MULTIPLES = (1, 2, 3, 4)
"""The return may be a part of the cycle, as after each doubling of its period."""


def fundamental(rho: Array, lag: int) -> tuple[float, int]:
    """The period near `lag`, sharpened by following its returns to ever later lags of `rho`; and cycles followed."""
    period, cycles = _top(rho, lag), 1
    while 2 * cycles * period < len(rho) - 2:
        cycles *= 2
        reach = max(1, round(0.1 * period))
        at = round(cycles * period)
        first = max(1, at - reach)
        place = first + int(np.argmax(rho[first : min(at + reach + 1, len(rho) - 1)]))
        period = _top(rho, place) / cycles
    return period, cycles


def _top(rho: Array, at: int) -> float:
    """Where the parabola through a lag and its neighbours is highest."""
    if not 0 < at < len(rho) - 1:
        return float(at)
    before, here, after = rho[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(at + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else float(at)


def unexplained(x: Array, period: float) -> float:
    """The share of the variance of `x (time,)` that its mean cycle of `period` samples leaves. Cost: O(N)."""
    phase = ((np.arange(len(x)) / period) % 1.0 * BINS).astype(np.int64)
    counts = np.bincount(phase, minlength=BINS)
    sums = np.bincount(phase, x, BINS)
    between = float((sums[counts > 0] ** 2 / counts[counts > 0]).sum())
    free = len(x) - int((counts > 0).sum())
    return max(0.0, (float(x @ x) - between) / max(free, 1) / float(x.var()))


def best_fold(x: Array, rho: Array, lag: int) -> float:
    """The least share of the variance that one cycle leaves unexplained, of periods near multiples of a return."""
    period, cycles = fundamental(rho, lag)
    trials = [
        unexplained(x, multiple * (period + shift / cycles))
        for multiple in MULTIPLES
        for shift in np.linspace(-0.5, 0.5, 9)
        if multiple * period < len(x) / 4
    ]
    return min(trials, default=1.0)
