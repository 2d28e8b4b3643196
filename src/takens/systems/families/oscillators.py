"""Many oscillators: Kuramoto's model in its forms, and rotors in a mean field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError
from ...random import generator
from .structure import edges_of, total, whole

MEAN_FIELD = {"c": "cos(theta)", "s": "sin(theta)"}


def kuramoto(size: float = 100, frequencies: str | ArrayLike = "normal", seed: float = 0) -> dict[str, Any]:
    """dtheta_i/dt = spread w_i + (k / N) sum_j sin(theta_j - theta_i) (Kuramoto 1975), in linear time.

    `frequencies` w are "normal" (standard deviation 1), "lorentzian" (half width 1), both drawn for `seed`, or a number
    for each oscillator. The incoherent state loses its stability at k = 2 / (pi g(0)): 2 spread for Lorentzian, 1.596
    spread for normal frequencies.
    """
    n = whole(size, "size", 2, 10_000_000)
    return {
        "equations": {"theta": "spread*w + k*(s*cos(theta) - c*sin(theta))"},
        "lattice": {"size": n, "mean": MEAN_FIELD, "arrays": {"w": _frequencies(n, frequencies, seed)}},
        "initial": {"theta": _phases(n, seed)},
    }


def kuramoto_network(
    size: float = 100,
    graph: str | ArrayLike = "erdos-renyi",
    degree: float = 10,
    rewiring: float = 0.1,
    frequencies: str | ArrayLike = "normal",
    seed: float = 0,
) -> dict[str, Any]:
    """dtheta_i/dt = spread w_i + k sum_j a_ij sin(theta_j - theta_i) on an undirected graph.

    `graph` is "erdos-renyi", "ring" or "watts-strogatz" with a mean `degree` (and a share of `rewiring`), drawn for
    `seed`, or pairs of nodes `(edge, 2)` from 1. The coupling is not divided by the degree. (Reviewed by Rodrigues,
    Peron, Ji and Kurths 2016.)
    """
    n = whole(size, "size", 2)
    edges = edges_of(graph, n, degree, rewiring, whole(seed, "seed", 0))
    return {
        "equations": {"theta": "spread*w + k*pull"},
        "lattice": {
            "size": n, "coupling": {"pull": "sin(theta_j - theta_i)"}, "edges": edges,
            "arrays": {"w": _frequencies(n, frequencies, seed)},
        },
        "initial": {"theta": _phases(n, seed)},
    }  # fmt: skip


def noisy_kuramoto(size: float = 20, frequencies: str | ArrayLike = "normal", seed: float = 0) -> dict[str, Any]:
    """Kuramoto's model with independent white noise of strength sigma at every phase (Sakaguchi 1988).

    For equal frequencies the incoherent state loses its stability at k = sigma^2.
    """
    n = whole(size, "size", 2, 200)
    w = _frequencies(n, frequencies, seed)
    nodes = range(1, n + 1)
    auxiliary = {
        short: f"({total([f'{name}(theta{i})' for i in nodes])})/{n}" for short, name in (("c", "cos"), ("s", "sin"))
    }
    return {
        "kind": "diffusion",
        "auxiliary": auxiliary,
        "equations": {
            f"theta{i}": f"spread*({float(w[i - 1])!r}) + k*(s*cos(theta{i}) - c*sin(theta{i}))" for i in nodes
        },
        "noise": {f"theta{i}": "sigma" for i in nodes},
        "initial": _phases(n, seed),
    }


def hamiltonian_mean_field(size: float = 100, seed: float = 0, energy: float = 0.69) -> dict[str, Any]:
    """Rotors dtheta_i/dt = p_i, dp_i/dt = -(eps / N) sum_j sin(theta_i - theta_j): globally coupled XY spins.

    H = sum p_i^2 / 2 + eps / (2 N) sum_ij (1 - cos(theta_i - theta_j)) (Antoni and Ruffo 1995). It starts with all
    rotors aligned and random momenta without a mean, of the `energy` H / N (at eps = 1 the magnetised phase ends at
    0.75).
    """
    n = whole(size, "size", 2, 10_000_000)
    if not energy > 0:
        raise SettingError(f"is {energy!r}", place="energy", remedy="Give a positive energy per rotor.")
    p = generator(whole(seed, "seed", 0), "momenta", n).uniform(-1, 1, n)
    p -= p.mean()
    return {
        "equations": {"theta": "p", "p": "eps*(s*cos(theta) - c*sin(theta))"},
        "lattice": {"size": n, "mean": MEAN_FIELD},
        "initial": {"theta": 0.0, "p": p * np.sqrt(2 * energy / np.mean(p**2))},
    }


def _frequencies(size: int, frequencies: str | ArrayLike, seed: float) -> NDArray[np.float64]:
    if not isinstance(frequencies, str):
        return np.asarray(frequencies, dtype=np.float64)
    random = generator(whole(seed, "seed", 0), "frequencies", size)
    if frequencies == "normal":
        return random.normal(size=size)
    if frequencies == "lorentzian":
        return random.standard_cauchy(size)
    remedy = "Choose normal or lorentzian, or give a number for each oscillator."
    raise SettingError(f"is {frequencies!r}", place="frequencies", remedy=remedy)


def _phases(size: int, seed: float) -> NDArray[np.float64]:
    return generator(whole(seed, "seed", 0), "phases", size).uniform(-np.pi, np.pi, size)
