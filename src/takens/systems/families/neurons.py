"""Networks of neuron maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...random import generator
from .structure import whole


def ring_star_chialvo(size: float = 3, seed: float = 0) -> dict[str, Any]:
    """A hub and a ring of `size` Chialvo neurons, with pairwise and three-body linear diffusive coupling.

    The ring is coupled to the hub by mu and to both neighbours by sigma, x_j - x_i; triangles of the hub and two
    neighbours on the ring act on all three by tau, x_j + x_k - 2 x_i. Each neuron is x' = x^2 exp(y - x) + k0 + ...,
    y' = a y - b x + c (Chialvo 1995). With three neurons on the ring, every neuron is joined to every other, as in the
    smallest ring-star network of Nair, Ghosh, Fatoyinbo and Muni (2024).
    """
    n = whole(size, "size", 3)
    # Node i is in the triangles (i - 1, i, hub) and (i, i + 1, hub): their sum is left + right + 2 hub - 4 x. The hub
    # is in all n triangles: sum (x_i + x_(i+1) - 2 hub) = 2 n (mean - hub).
    random = generator(whole(seed, "seed", 0), "ring-star", n)
    return {
        "kind": "map",
        "equations": {
            "x": "x**2*exp(y - x) + k0 + mu*(hubx - x) + sigma*(left + right - 2*x)"
            " + tau*(left + right + 2*hubx - 4*x)",
            "y": "a*y - b*x + c",
        },
        "lattice": {
            "size": n,
            "neighbours": {"left": {"of": "x", "offset": -1}, "right": {"of": "x", "offset": 1}},
            "mean": {"m": "x"},
            "common": {
                "hubx": f"hubx**2*exp(huby - hubx) + k0 + (mu + 2*tau)*{n}*(m - hubx)",
                "huby": "a*huby - b*hubx + c",
            },
        },
        "initial": {"x": random.uniform(0, 1, n), "y": random.uniform(0, 1, n), "hubx": 0.5, "huby": 0.5},
    }  # fmt: skip


def chialvo_rulkov_chain(size: float = 3, seed: float = 0) -> dict[str, Any]:
    """An open chain of neurons, Chialvo and Rulkov maps in turn, with linear diffusive coupling of neighbours.

    Odd nodes are Chialvo's x' = x^2 exp(y - x) + k0, y' = a y - b x + c (1995); even ones Rulkov's chaotic map
    x' = alpha / (1 + x^2) + y, y' = y - beta (x - rho) (2001). Each gains sigma (left + right - 2 x), where the ends
    have one neighbour: a form of the heterogeneous chains of Ghosh, Nair, Fatoyinbo and Muni (2024).
    """
    n = whole(size, "size", 2)
    kind = (np.arange(n) % 2 == 0).astype(np.float64)
    random = generator(whole(seed, "seed", 0), "chain of neurons", n)
    return {
        "kind": "map",
        "equations": {
            "x": "(x**2*exp(y - x) + k0 if chialvo > 0 else alpha/(1 + x**2) + y) + sigma*(left + right - 2*x)",
            "y": "a*y - b*x + c if chialvo > 0 else y - beta*(x - rho)",
        },
        "lattice": {
            "size": n, "boundary": "edge", "arrays": {"chialvo": kind},
            "neighbours": {"left": {"of": "x", "offset": -1}, "right": {"of": "x", "offset": 1}},
        },
        "initial": {"x": random.uniform(0, 0.5, n), "y": np.where(kind > 0, 0.5, -3.0)},
    }  # fmt: skip
