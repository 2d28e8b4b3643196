"""Games that populations play."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from .structure import total

ROCK_PAPER_SCISSORS = ((0.0, -1.0, 1.0), (1.0, 0.0, -1.0), (-1.0, 1.0, 0.0))


def replicator(payoff: ArrayLike = ROCK_PAPER_SCISSORS, initial: ArrayLike | None = None) -> dict[str, Any]:
    """dx_i/dt = x_i ((A x)_i - x A x) for the shares x of strategies with the `payoff` A (Taylor and Jonker 1978).

    The sum of the shares stays what it is. By default the game is rock, paper, scissors, where x1 x2 x3 stays too.
    """
    matrix = np.asarray(payoff, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 2 <= len(matrix) <= 50:
        raise SettingError(f"has shape {matrix.shape}", place="payoff", remedy="Give a square matrix, 2 to 50 wide.")
    if not np.isfinite(matrix).all():
        raise SettingError("is not finite", place="payoff")
    n = len(matrix)
    start = np.arange(n, 0, -1.0) / np.arange(n, 0, -1.0).sum() if initial is None else np.asarray(initial, float)
    if start.shape != (n,) or not (start >= 0).all() or abs(start.sum() - 1) > 1e-9:
        raise SettingError("is no distribution over the strategies", place="initial", remedy="Give shares of sum 1.")
    gains = {}
    for i, row in enumerate(matrix.tolist(), start=1):
        terms = [f"({value!r})*x{j}" for j, value in enumerate(row, start=1) if value]
        gains[f"gain{i}"] = total(terms) if terms else "0"
    mean = total([f"x{i}*gain{i}" for i in range(1, n + 1)])
    return {
        "equations": {f"x{i}": f"x{i}*(gain{i} - mean)" for i in range(1, n + 1)},
        "auxiliary": {**gains, "mean": mean},
        "initial": start.tolist(),
    }
