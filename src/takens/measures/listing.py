"""The list of all measures and relations by family, for the command line and the page about measures."""

from __future__ import annotations

from collections.abc import Iterator

from ..wording import first_sentence
from .base import REGISTRY, Measure
from .relations import RELATIONS, Relation


def by_family() -> dict[str, list[Measure | Relation]]:
    """Every measure and relation by family, in the order in which they are defined."""
    found: dict[str, list[Measure | Relation]] = {}
    every: list[Measure | Relation] = [*REGISTRY.values(), *RELATIONS.values()]
    for one in every:
        found.setdefault(one.family, []).append(one)
    return found


def listing() -> Iterator[str]:
    """Lines for a terminal: each family, and indented its measures and relations with one sentence each."""
    width = max(len(name) for name in (*REGISTRY, *RELATIONS))
    for family, members in by_family().items():
        yield f"{family}:"
        for one in members:
            arrow = {True: " (a -> b)", False: " (a ~ b)"}[one.directed] if isinstance(one, Relation) else ""
            yield f"  {one.name:<{width}}  {first_sentence(one.__doc__)}{arrow}"


def markdown() -> str:
    """The table of all measures and relations for the documentation: family, name, what it is, source."""
    lines = ["| family | name | of | what it is | source |", "|---|---|---|---|---|"]
    for family, members in by_family().items():
        for one in members:
            of = "a channel"
            if isinstance(one, Relation):
                of = "a → b" if one.directed else "a ~ b"
            cells = (family, f"`{one.name}`", of, first_sentence(one.__doc__), one.reference)
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)
