"""How far apart near states are after one cycle, after three and after ten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import TakensError
from ..neighbours import delay_vectors, nearest

Array = NDArray[np.float64]

DIMENSION = 5
STATES = 500
"""States whose nearest neighbours are followed."""
CYCLES = (1, 3, 10)
NAMES = tuple(f"{name}_{c}" for name in ("apart", "apart_most", "apart_growth") for c in CYCLES)


def spreading(x: Array, period: float, delay: int, theiler: int) -> dict[str, float]:
    """Distances of near states of `x (time,)` 1, 3 and 10 cycles later, over the distance of any two.

    Logarithms of the median and of the 9th decile, and the growth of the median since the time before (a quarter of a
    cycle at first). On a cycle near states stay near, up to noise; on a torus they part slowly; in weak chaos they part
    over many cycles, which the divergence over three cycles does not show; in noise they are apart at once. Only times
    up to a third of the record. Cost: one neighbour search.
    """
    whole = delay_vectors(x, DIMENSION, delay) if len(x) > (DIMENSION - 1) * delay else np.empty((0, DIMENSION))
    steps = {c: max(1, round(c * period)) for c in (0.25, *CYCLES)}
    steps = {c: step for c, step in steps.items() if step <= len(whole) // 3}
    if not steps:
        return {}
    start = len(whole) - max(steps.values())
    own = np.unique(np.linspace(0, start - 1, min(STATES, start)).astype(int))
    apart = int(max(theiler, min(2 * period, len(x) / 10)))
    try:
        _, near = nearest(whole[:start], whole[own], k=1, theiler=apart, exclude=own)
    except TakensError:
        return {}
    known = near[:, 0] >= 0
    if known.sum() < 40:
        return {}
    own, other = own[known], near[known, 0]
    found: dict[str, float] = {}
    before = 0.0
    for c, step in steps.items():
        distance = np.linalg.norm(whole[own + step] - whole[other + step], axis=1) / np.sqrt(2 * DIMENSION * x.var())
        logs = np.log(distance + 1e-5)
        middle = float(np.median(logs))
        if c in CYCLES:
            found |= {
                f"apart_{c}": middle, f"apart_most_{c}": float(np.quantile(logs, 0.9)),
                f"apart_growth_{c}": middle - before,
            }  # fmt: skip
        before = middle
    return found
