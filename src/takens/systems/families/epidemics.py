"""Epidemics in several places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .structure import edges_of, whole


def metapopulation(
    size: float = 20, graph: str | ArrayLike = "ring", degree: float = 2, rewiring: float = 0.1, seed: float = 0
) -> dict[str, Any]:
    """Susceptible, infected and recovered shares of `size` places, whose infected travel along a graph.

    ds/dt = -beta s i, di/dt = beta s i - gamma i + travel sum_j (i_j - i), dr/dt = gamma i (Kermack and McKendrick
    1927; places coupled by travel as in Keeling and Rohani 2008, chapter 7). The disease begins in the first place.
    """
    n = whole(size, "size", 2)
    start = np.zeros(n)
    start[0] = 0.01
    return {
        "equations": {"s": "-beta*s*i", "i": "beta*s*i - gamma*i + travel*flow", "r": "gamma*i"},
        "lattice": {
            "size": n, "coupling": {"flow": "i_j - i_i"},
            "edges": edges_of(graph, n, degree, rewiring, whole(seed, "seed", 0)),
        },
        "initial": {"s": 1.0 - start, "i": start, "r": 0.0},
    }  # fmt: skip
