"""The contract of relations."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from ..measures.base import Refused
from ..measures.relations import Relation
from ..series import Series
from .measures import sound
from .rules import CheckFailed, comparable, global_random_state, rule, same
from .samples import awkward_series, sample_series


def check_relation(relation: Relation, *, series: Series | None = None) -> tuple[str, ...]:
    """Hold a registered relation to the contract of relations on `series`, or on a sample of 1000 rows.

    Raises `CheckFailed` naming the broken rule. Cost: about eighteen calls of the relation on at most 1000 rows.
    """
    data = sample_series(1000, channels=2) if series is None else series
    held: list[str] = []
    with rule(held, "documented", relation):
        for part in ("name", "family", "reference", "__doc__"):
            if not getattr(relation, part):
                raise CheckFailed(f"has no {part.strip('_')}")
    with rule(held, "input unchanged", relation):
        pair = relation._pair(data)
        before = pair.x.copy(), pair.y.copy()
        with suppress(Refused):
            relation.function(pair)
        same([pair.x, pair.y], list(before), "the relation changed its input")
    with rule(held, "same seed, same result", relation), global_random_state():
        first = relation(data, seed=1)
        if comparable(first) != comparable(relation(data, seed=1)):
            raise CheckFailed("two calls with the same seed differ")
    with rule(held, "an estimate", relation):
        sound(first)
        named = (first.name, first.channel)
        sign = "->" if relation.directed else "~"
        if named != (relation.name, f"{data.channels[0]} {sign} {data.channels[1]}"):
            raise CheckFailed("the estimate does not name its relation and channels")
        p = first.details.get("p_value")
        if first.admissible and (first.interval is None if p is None else not 0 <= p <= 1):
            raise CheckFailed(f"an admissible relation has the p-value {p} and the interval {first.interval}")
    with rule(held, "one direction or none", relation):
        back = relation(data.select(*reversed(data.channels)), seed=1)
        if not relation.directed and first.value is not None and back.value is not None:
            size = max(abs(float(np.mean(first.value))), 1e-3)
            if abs(float(np.mean(first.value)) - float(np.mean(back.value))) > 0.05 * size:
                raise CheckFailed(f"undirected, but {first.value} one way and {back.value} the other")
    with rule(held, "units do not matter", relation):
        scaled = replace(data, values=data.values * [1e6, 1e-3] + [1e4, 1.0])
        other = relation(scaled, seed=1)
        if first.value is not None and other.value is not None and not np.allclose(
            np.asarray(first.value, dtype=float), np.asarray(other.value, dtype=float), rtol=1e-4, atol=1e-6
        ):  # fmt: skip
            raise CheckFailed(f"{first.value} becomes {other.value} in other units")
    for name, awkward in awkward_series(channels=2).items():
        with rule(held, f"defined answer to {name}", relation):
            sound(relation(awkward))
    with rule(held, "refuses what says nothing", relation):
        for name in ("a constant channel", "only constant channels", "a channel without values", "2 rows"):
            if relation(awkward_series(channels=2)[name]).admissible:
                raise CheckFailed(f"gives an admissible answer to {name}")
    return tuple(held)
