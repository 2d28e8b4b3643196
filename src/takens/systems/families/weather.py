"""Lorenz's models of a circle of latitude."""

from __future__ import annotations

from typing import Any

from ...random import generator
from .structure import whole


def lorenz96(size: float = 40) -> dict[str, Any]:
    """dx_i/dt = (x_(i+1) - x_(i-2)) x_(i-1) - x_i + f on a ring of `size` sites, at least 4 (Lorenz 1996).

    It starts from random numbers with the mean and spread of its attractor at f = 8.
    """
    n = whole(size, "size", 4)
    return {
        "equations": {"x": "(right - left2)*left - x + f"},
        "lattice": {
            "size": n,
            "neighbours": {
                "right": {"of": "x", "offset": 1}, "left": {"of": "x", "offset": -1},
                "left2": {"of": "x", "offset": -2},
            },
        },
        "initial": {"x": generator(0, "Lorenz96", n).normal(2.3, 3.6, n)},
    }  # fmt: skip


def lorenz96_two_scale(slow: float = 36, fast: float = 10) -> dict[str, Any]:
    """Lorenz-96 of `slow` sites x_k, each with `fast` quicker ones y_j,k, which form one ring of slow x fast sites.

    dx_k/dt = (x_(k+1) - x_(k-2)) x_(k-1) - x_k + f - (h c / b) sum_j y_(j,k),
    dy_(j,k)/dt = c b (y_(j-1,k) - y_(j+2,k)) y_(j+1,k) - c y_(j,k) + (h c / b) x_k, with y_(J+1,k) = y_(1,k+1)
    (Lorenz 1996, section 3): c is how much quicker, b how much smaller the second scale is, h couples them. The states
    are x1 ... xK, then the first of each group y1_1 ... y1_K, the second y2_1 ... and so on.
    """
    k, j = whole(slow, "slow", 4), whole(fast, "fast", 3, 100)
    neighbours: dict[str, Any] = {
        "right": {"of": "x", "offset": 1}, "left": {"of": "x", "offset": -1}, "left2": {"of": "x", "offset": -2},
        "beforefirst": {"of": f"y{j}", "offset": -1}, "afterlast": {"of": "y1", "offset": 1},
        "secondafterlast": {"of": "y2", "offset": 1},
    }  # fmt: skip
    names = {0: "beforefirst", j + 1: "afterlast", j + 2: "secondafterlast"} | {i: f"y{i}" for i in range(1, j + 1)}
    small = " + ".join(f"y{i}" for i in range(1, j + 1))
    equations = {"x": f"(right - left2)*left - x + f - h*c/b*({small})"}
    for i in range(1, j + 1):
        before, after, beyond = names[i - 1], names[i + 1], names[i + 2]
        equations[f"y{i}"] = f"c*b*({before} - {beyond})*{after} - c*y{i} + h*c/b*x"
    random = generator(0, "Lorenz96TwoScale", k, j)
    initial = {"x": random.normal(2.5, 3.5, k)} | {f"y{i}": random.normal(0.1, 0.3, k) for i in range(1, j + 1)}
    return {"equations": equations, "lattice": {"size": k, "neighbours": neighbours}, "initial": initial}
