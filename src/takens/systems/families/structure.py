"""Structural arguments: whole numbers, sums as text, and random graphs from a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError
from ...random import generator

Edges = NDArray[np.int64]


def whole(value: float, name: str, least: int, most: int = 1_000_000) -> int:
    """A structural argument as a whole number. Raises `SettingError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or value != round(float(value)):
        raise SettingError(f"is {value!r}", place=name, remedy="Give a whole number.")
    if not least <= value <= most:
        raise SettingError(f"is {value:g}", place=name, remedy=f"Give {least} to {most:,}.")
    return int(value)


def total(terms: Sequence[str]) -> str:
    """The sum of many terms as text, bracketed in halves, so that it is not nested as deep as it is long."""
    if len(terms) <= 8:
        return " + ".join(terms)
    half = len(terms) // 2
    return f"({total(terms[:half])}) + ({total(terms[half:])})"


GRAPHS = ("ring", "erdos-renyi", "watts-strogatz")


def edges_of(graph: str | ArrayLike, size: int, degree: float, rewiring: float, seed: int) -> Edges:
    """The undirected edges `(edge, 2)`, from 1, of a graph of so many nodes: pairs as given, or one of `GRAPHS`.

    "ring": every node with the `degree` nearest (an even number). "erdos-renyi": every pair with the probability that
    makes the mean degree `degree`. "watts-strogatz": the ring, each edge of which goes with probability `rewiring` to
    another node instead (Watts and Strogatz 1998). Cost: linear in the number of edges.
    """
    if not isinstance(graph, str):
        return np.asarray(graph)
    if graph not in GRAPHS:
        raise SettingError(f"is {graph!r}", place="graph", remedy=f"Choose {', '.join(GRAPHS)}, or give pairs.")
    if not 0 <= degree < size:
        raise SettingError(f"is {degree:g}", place="degree", remedy=f"Give a number from 0 to {size - 1}.")
    if graph == "erdos-renyi":
        return _random_pairs(size, degree / max(size - 1, 1), generator(seed, "Erdos-Renyi", size)) + 1
    half = whole(degree / 2, "degree/2", 1, max(1, (size - 1) // 2))
    first = np.repeat(np.arange(size), half)
    second = (first + np.tile(np.arange(1, half + 1), size)) % size
    if graph == "watts-strogatz":
        if not 0 <= rewiring <= 1:
            raise SettingError(f"is {rewiring:g}", place="rewiring", remedy="Give a probability.")
        second = _rewired(first, second, size, rewiring, generator(seed, "Watts-Strogatz", size))
    return np.stack([first, second], axis=1) + 1


def _random_pairs(size: int, share: float, random: np.random.Generator) -> Edges:
    """Each of the n (n - 1) / 2 pairs with one probability: their number first, then which."""
    count = size * (size - 1) // 2
    chosen = np.sort(random.choice(count, random.binomial(count, share), replace=False, shuffle=False))
    # Pair k of row i: rows i < j of a triangle, of which i (i - 1) / 2 come before row i.
    row = np.floor((1 + np.sqrt(1 + 8.0 * chosen)) / 2).astype(np.int64)
    row -= row * (row - 1) // 2 > chosen
    row += (row + 1) * row // 2 <= chosen
    return np.stack([row, chosen - row * (row - 1) // 2], axis=1)


def _rewired(first: Edges, second: Edges, size: int, rewiring: float, random: np.random.Generator) -> Edges:
    """Other ends for some edges, never the node itself nor one it is already joined to."""
    joined = {(min(a, b), max(a, b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)}
    out = second.copy()
    degrees = np.bincount(np.concatenate([first, second]), minlength=size)
    for k in np.flatnonzero(random.random(len(first)) < rewiring):
        a, b = int(first[k]), int(out[k])
        if degrees[a] >= size - 1:
            continue  # it is joined to all others
        while True:
            c = int(random.integers(size))
            if c != a and (min(a, c), max(a, c)) not in joined:
                break
        joined.remove((min(a, b), max(a, b)))
        joined.add((min(a, c), max(a, c)))
        degrees[b] -= 1
        degrees[c] += 1
        out[k] = c
    return out
