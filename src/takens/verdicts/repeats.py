"""How closely a record repeats itself after its best return, however late that is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LATEST = 0.7
"""Latest return looked for, as a share of the record: the rest is what still can be compared."""
LEAST = 1e-5
NAMES = (
    "repeat_miss", "repeat_miss_half", "repeat_miss_late", "repeat_fade", "repeat_lag", "repeat_cycles",
    "repeat_median", "repeat_worst", "repeat_trend",
)  # fmt: skip


def repeats(x: Array, period: float) -> dict[str, float]:
    """By how much `x (time,)`, of variance 1 and mean 0, misses itself after its best returns.

    r(L) = sum x_t x_{t+L} / sqrt(sum x_t^2 sum x_{t+L}^2) over the overlap, at lags L beyond the first at which r is
    below 0.05: ln(1 - r) at the best lag of all, of the first half, and between a third and a half of the record; how
    much it grows from early lags to late ones; where the best one is; and the differences |x_{t+L} - x_t| there. A
    cycle of many humps that was seen a few times repeats itself up to its noise; weak chaos that stays near a cycle
    does not, and less the later. Empty where r does not fall. Cost: O(N log N).
    """
    n = len(x)
    r = overlap(x)[: int(n * LATEST)]
    down = np.flatnonzero(r < 0.05)
    if len(down) == 0 or down[0] > n // 3:
        return {}
    first = int(down[0])
    lag = first + int(r[first:].argmax())
    off = np.abs(x[lag:] - x[:-lag])
    part = max(1, len(off) // 4)
    early, late = r[first : max(first + 2, int(0.15 * n))], r[int(0.45 * n) :]
    return {
        "repeat_miss": _miss(r[first:]), "repeat_miss_half": _miss(r[first : n // 2]),
        "repeat_miss_late": _miss(r[n // 3 : n // 2]), "repeat_fade": _miss(late) - _miss(early),
        "repeat_lag": float(np.log(lag / n)), "repeat_cycles": float(np.log(lag / period)),
        "repeat_median": _log(float(np.median(off))), "repeat_worst": _log(float(np.quantile(off, 0.95))),
        "repeat_trend": _log(float(off[-part:].mean()) + 1e-4) - _log(float(off[:part].mean()) + 1e-4),
    }  # fmt: skip


def overlap(x: Array) -> Array:
    """r(L) `(lag,)` at every lag: the correlation of `x (time,)` with itself, each lag over its own overlap."""
    n = len(x)
    products = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * n)) ** 2, 2 * n)[:n]
    energy = np.concatenate([[0.0], np.cumsum(x**2)])
    lag = np.arange(n)
    return np.asarray(products / np.sqrt(np.maximum(energy[n - lag] * (energy[n] - energy[lag]), 1e-12)))


def _miss(r: Array) -> float:
    return float(np.log(max(1.0 - float(r.max(initial=0.0)), LEAST)))


def _log(value: float) -> float:
    return float(np.log(max(value, LEAST)))
