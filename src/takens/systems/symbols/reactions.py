"""Reactions as plain text and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from ..equations import Equations
from .latex import latex, symbol
from .printing import text
from .tree import Expression


def lines(rule: Equations, rates: Sequence[Expression], changes: Sequence[Sequence[int]]) -> str:
    """A line for each reaction, auxiliary definitions first: `S -> S - 1, I -> I + 1  at rate beta*S*I/N`."""
    rows = [f"{name} = {text(tree)}" for name, tree in rule.auxiliary]
    for rate, change in zip(rates, changes, strict=True):
        moves = [f"{name} -> {name} {_signed(c)}" for name, c in zip(rule.states, change, strict=True) if c]
        rows.append(f"{', '.join(moves)}  at rate {text(rate)}")
    return "\n".join(rows)


def aligned(rule: Equations, rates: Sequence[Expression], changes: Sequence[Sequence[int]]) -> str:
    """All reactions as a LaTeX `aligned` environment, auxiliary definitions first."""
    rows = [f"{symbol(name)} &= {latex(tree)}" for name, tree in rule.auxiliary]
    for rate, change in zip(rates, changes, strict=True):
        changed = [(symbol(name), c) for name, c in zip(rule.states, change, strict=True) if c]
        before, after = ", ".join(name for name, _ in changed), ", ".join(f"{n} {_signed(c)}" for n, c in changed)
        if len(changed) > 1:
            before, after = f"({before})", f"({after})"
        rows.append(rf"{before} &\to {after} && \text{{at rate }} {latex(rate)}")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _signed(change: int) -> str:
    return f"{'+' if change > 0 else '-'} {abs(change)}"
