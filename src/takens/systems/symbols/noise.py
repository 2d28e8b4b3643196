"""Stochastic differential equations as plain text and as LaTeX."""

from __future__ import annotations

from ..stochastic import Stochastic
from .differentiate import ONE, ZERO
from .latex import latex, symbol
from .printing import PRODUCT, level, text
from .tree import Expression


def lines(law: Stochastic) -> str:
    """All equations, auxiliary definitions first, a line each: `dx = (f) dt + (g) dW1`."""
    circle = "o " if law.stratonovich else ""
    rows = [f"{name} = {text(tree)}" for name, tree in law.drift.auxiliary]
    for i, state in enumerate(law.drift.states):
        terms = [f"({text(law.drift.expressions[i])}) dt"] if law.drift.expressions[i] != ZERO else []
        for k, column in enumerate(law.columns, start=1):
            tree = column.expressions[i]
            if tree != ZERO:
                factor = "" if tree == ONE else f"({text(tree)}) "
                terms.append(f"{factor}{circle}dW{k}")
        rows.append(f"d{state} = {' + '.join(terms) or '0'}")
    return "\n".join(rows)


def aligned(law: Stochastic) -> str:
    """All equations as a LaTeX `aligned` environment of differentials, auxiliary definitions first."""
    circle = r"\circ " if law.stratonovich else ""
    rows = [f"{symbol(name)} &= {latex(tree)}" for name, tree in law.drift.auxiliary]
    for i, state in enumerate(law.drift.states):
        terms = [f"{_factor(law.drift.expressions[i])}dt"] if law.drift.expressions[i] != ZERO else []
        for k, column in enumerate(law.columns, start=1):
            if column.expressions[i] != ZERO:
                terms.append(rf"{_factor(column.expressions[i])}{circle}dW_{{{k}}}")
        rows.append(f"d{symbol(state)} &= {' + '.join(terms) or '0'}")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _factor(tree: Expression) -> str:
    if tree == ONE:
        return ""
    return rf"{latex(tree)}\, " if level(tree) > PRODUCT else rf"\left({latex(tree)}\right) "
