"""What a linear autoregression leaves of a series: bursts, heavy tails and order that linear noise does not have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..measures.ordinal import entropy_complexity, ordinal_patterns

Array = NDArray[np.float64]


def residual_statistics(x: Array) -> dict[str, float]:
    """What a linear autoregression of up to 20 lags (Akaike's choice) leaves of `x (time,)`."""
    rest = innovations(x)
    scaled = rest / max(rest.std(), 1e-12)
    square = np.minimum(scaled**2, 25.0)
    square = square - square.mean()
    total = max(float((square**2).sum()), 1e-12)
    clustered = sum(float((square[k:] * square[:-k]).sum()) for k in range(1, 6)) / total * np.sqrt(len(square) / 5)
    counts = np.bincount(ordinal_patterns(rest, 4), minlength=24).astype(float)
    return {
        "residual_kurtosis": float(np.log(np.mean(scaled**4) / 3)), "residual_bursts": float(np.arcsinh(clustered)),
        "residual_skewness": float(np.cbrt(np.mean(scaled**3))),
        "residual_order": float(np.log(1e-4 + entropy_complexity(counts)[1])),
        "linear_error": float(np.log(max(rest.std(), 1e-6))),
    }  # fmt: skip


def innovations(x: Array) -> Array:
    """What is left of `x (time,)` after a least-squares autoregression, its order by Akaike's criterion."""
    most = int(min(20, len(x) // 20))
    columns = np.stack([x[most - k : len(x) - k] for k in range(1, most + 1)], axis=1)
    target, best, rest = x[most:], np.inf, x[most:]
    for order in (1, 2, 3, 4, 6, 8, 12, 16, 20):
        if order > most:
            break
        fit = np.linalg.lstsq(columns[:, :order], target, rcond=None)[0]
        left = target - columns[:, :order] @ fit
        score = len(target) * np.log(max(float(left.var()), 1e-24)) + 2 * order
        if score < best:
            best, rest = score, left
    return rest
