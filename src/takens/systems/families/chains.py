"""Chains of masses and of maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...random import generator
from .structure import whole


def fput(size: float = 32, mode: float = 1, amplitude: float = 1.0) -> dict[str, Any]:
    """`size` masses between fixed walls, with springs d + alpha d^2 + beta d^3 (Fermi, Pasta, Ulam, Tsingou 1955).

    H = sum p_i^2 / 2 + sum d_i^2 / 2 + alpha d_i^3 / 3 + beta d_i^4 / 4 with d_i = q_(i+1) - q_i and q_0 = q_(N+1) = 0.
    It starts at rest in the normal mode of number `mode`, with an `amplitude`.
    """
    n = whole(size, "size", 2)
    shape = amplitude * np.sin(np.pi * whole(mode, "mode", 1, n) * np.arange(1, n + 1) / (n + 1))
    return {
        "equations": {"q": "p", "p": "(u - d) + alpha*(u**2 - d**2) + beta*(u**3 - d**3)"},
        "auxiliary": {"u": "right - q", "d": "q - left"},
        "lattice": {
            "size": n, "boundary": "zero",
            "neighbours": {"right": {"of": "q", "offset": 1}, "left": {"of": "q", "offset": -1}},
        },
        "initial": {"q": shape, "p": 0.0},
    }  # fmt: skip


def coupled_maps(size: float = 100, seed: float = 0) -> dict[str, Any]:
    """x_i' = (1 - eps) f(x_i) + eps / 2 (f(x_(i-1)) + f(x_(i+1))), f(x) = 1 - a x^2, on a ring (Kaneko 1984)."""
    n = whole(size, "size", 3, 10_000_000)
    return {
        "kind": "map",
        "equations": {"x": "(1 - eps)*f + eps/2*(left + right)"},
        "auxiliary": {"f": "1 - a*x**2"},
        "lattice": {
            "size": n, "neighbours": {"left": {"of": "f", "offset": -1}, "right": {"of": "f", "offset": 1}},
        },
        "initial": {"x": generator(whole(seed, "seed", 0), "coupled maps", n).uniform(-0.5, 0.9, n)},
    }  # fmt: skip


def globally_coupled_maps(size: float = 100, seed: float = 0) -> dict[str, Any]:
    """x_i' = (1 - eps) f(x_i) + eps <f(x)>, f(x) = 1 - a x^2 (Kaneko 1990)."""
    n = whole(size, "size", 2, 10_000_000)
    return {
        "kind": "map",
        "equations": {"x": "(1 - eps)*f + eps*m"},
        "auxiliary": {"f": "1 - a*x**2"},
        "lattice": {"size": n, "mean": {"m": "f"}},
        "initial": {"x": generator(whole(seed, "seed", 0), "coupled maps", n).uniform(-0.5, 0.9, n)},
    }
