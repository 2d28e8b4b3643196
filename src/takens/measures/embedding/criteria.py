"""What each established criterion says about the embedding of one channel, in one form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..base import Channel, Measure, Refused
from .dimensions import embedding_dimension_cao, false_nearest_neighbours
from .false_neighbours import embedding_dimension_hegger_kantz, embedding_dimension_krakovska
from .progressive import garcia_almeida, mdop
from .unified import Embedding, cost_horizon, embedded, pecuzal, uzal_cost

Array = NDArray[np.float64]

UNIFORM: dict[str, Measure] = {
    "false neighbours (Kennel)": false_nearest_neighbours,
    "false neighbours (Hegger, Kantz)": embedding_dimension_hegger_kantz,
    "averaged neighbours (Cao)": embedding_dimension_cao,
    "first neighbours (Krakovska)": embedding_dimension_krakovska,
}
"""Criteria that count equal delays."""


@dataclass(frozen=True)
class Vote:
    """What one criterion says: a `dimension` with its interval, or None and the reason. Delays if it chose its own."""

    name: str
    dimension: int | None
    interval: tuple[int, int] | None = None
    reason: str = ""
    delays: tuple[int, ...] = ()


def uniform_votes(x: Array, delay: int, theiler: int, max_dimension: int, level: float, seed: int) -> list[Vote]:
    """The votes of the criteria for equal delays of `delay` samples."""
    channel = Channel(x, np.arange(float(len(x))), 1.0, "step", "", "all")
    votes = []
    for name, criterion in UNIFORM.items():
        try:
            found = criterion.function(
                channel, delay=delay, theiler=theiler, max_dimension=max_dimension, level=level, seed=seed
            )
        except Refused as refusal:
            votes.append(Vote(name, None, reason=str(refusal)))
            continue
        value = found.value if found.admissible else None
        votes.append(Vote(name, value, found.interval if value else None, found.reason))
    return votes


def progressive_votes(x: Array, delay: int, theiler: int, max_dimension: int) -> list[Vote]:
    """The votes of the methods that choose every delay: up to two `delay`, PECUZAL, which needs maxima, up to four."""
    stride = max(1, delay // 8)
    shared = {"theiler": theiler, "max_dimension": max_dimension, "stride": stride}
    return [
        _progressive("PECUZAL", lambda: pecuzal(x, max_delay=max(4 * delay, 2), **shared)),
        _progressive("MDOP", lambda: mdop(x, max_delay=2 * delay, **shared)),
        _progressive(
            "Garcia and Almeida", lambda: garcia_almeida(x, max_delay=2 * delay, horizon=delay, **shared)
        ),
    ]  # fmt: skip


def _progressive(name: str, method) -> Vote:  # type: ignore[no-untyped-def]
    try:
        found: Embedding = method()
    except DataError as error:
        return Vote(name, None, reason=error.cause)
    size = len(found.delays)
    if name == "PECUZAL" and size == 1:
        return Vote(name, None, reason="no coordinate lowers Uzal's cost")
    if not found.settled:
        return Vote(name, None, reason=f"false neighbours remain in {size} dimensions")
    return Vote(name, size, (size, size), delays=found.delays)


def candidates(votes: list[Vote], dimension: int, delays: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Embeddings with `dimension` coordinates by name: equal `delays`, and the first steps of each method's own."""
    found = {f"equal delays ({name})": tuple(k * delay for k in range(dimension)) for name, delay in delays.items()}
    for vote in votes:
        if len(vote.delays) >= dimension:
            first = vote.delays[:dimension]
            found[vote.name] = tuple(sorted(delay - min(first) for delay in first))
    return found


def costs(x: Array, embeddings: dict[str, tuple[int, ...]], theiler: int) -> dict[str, float]:
    """Uzal's cost of each embedding of `x`, of the same rows; NaN where the data do not suffice for it."""
    table = ((x - x.mean()) / x.std())[:, None]
    first = max(max(delays) for delays in embeddings.values())
    found = {}
    for name, delays in embeddings.items():
        try:
            points = embedded(table, delays, (0,) * len(delays), first)
            found[name] = float(uzal_cost(points, horizon=cost_horizon(theiler), theiler=theiler)[-1])
        except DataError:
            found[name] = float("nan")
    return found
