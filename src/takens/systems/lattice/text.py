"""Lattices as text and LaTeX: the equations of a node, with an index, and what they use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..symbols import latex as formulas
from ..symbols import printing
from ..symbols.tree import Expression, Name
from ..symbols.walk import substituted
from .rule import Lattice


def lines(rule: Lattice, left: str) -> str:
    """Averages, sums over edges, auxiliary definitions, nodes, common states: a line each."""
    names = {name: Name(f"{name}[i]") for name in _indexed(rule)}
    names |= {n.name: Name(f"{n.name}[i]") for n in rule.neighbours}

    def text(tree: Expression, at: str = "i") -> str:
        shown = {name: Name(held.name.replace("[i]", f"[{at}]")) for name, held in names.items()}
        return printing.text(substituted(tree, shown))

    rows = [f"{n.name}[i] = {text(n.of, _shift(n.offset))}" for n in rule.neighbours]
    rows += [f"{name} = mean over i of {text(tree)}" for name, tree in rule.means]
    pairs = {f"{name}_{end}": Name(f"{name}[{end}]") for name in _indexed(rule) for end in "ij"}
    weight = "w[i, j]*" if rule.graph is not None and rule.graph.weights is not None else ""
    rows += [
        f"{name}[i] = sum over j -> i of {weight}({printing.text(substituted(tree, pairs))})"
        for name, tree in rule.couplings
    ]
    rows += [f"{name}{'[i]' if name in names else ''} = {text(tree)}" for name, tree in rule.auxiliary]
    rows += [f"{left.format(f'{name}[i]')} = {text(tree)}" for name, tree in rule.equations]
    rows += [f"{left.format(name)} = {text(tree)}" for name, tree in rule.common]
    return "\n".join([*rows, _range(rule)])


def _indexed(rule: Lattice) -> tuple[str, ...]:
    """The names with a value for each node."""
    return (*rule.own, *dict(rule.auxiliary), *dict(rule.couplings))


def _shift(offset: int) -> str:
    return f"i {'-' if offset < 0 else '+'} {abs(offset)}"


_BEYOND = {"ring": "on a ring", "zero": "0 beyond the ends", "edge": "the ends repeated beyond them"}


def _range(rule: Lattice) -> str:
    where = f", {_BEYOND[rule.boundary]}" if rule.neighbours else ""
    edges = f", {len(rule.graph.sources):,} directed edges" if rule.graph is not None else ""
    return f"i = 1 ... {rule.size:,}{where}{edges}"


@dataclass(frozen=True)
class _Symbols:
    """LaTeX of the names at an index of the node and, for a map, of the step."""

    rule: Lattice
    step: str

    def of(self, index: str) -> dict[str, str]:
        """All names; `index` is that of the node."""
        rule = self.rule
        after = f"{index}, {self.step}" if self.step else index
        found = {name: formulas.symbol(name, index=after) for name in rule.variables}
        found |= {name: formulas.symbol(name, index=index) for name in _indexed(rule) if name not in found}
        found |= {n.name: formulas.symbol(n.name, index=index) for n in rule.neighbours}
        if self.step:
            found |= {name: formulas.symbol(name, index=self.step) for name in dict(rule.common)}
        return found

    def pair(self) -> Mapping[str, str]:
        """Names at both ends of an edge."""
        both = {end: self.of(end) for end in "ij"}
        ends = {f"{name}_{end}": both[end][name] for end in both for name in _indexed(self.rule)}
        return ends | {name: both["i"][name] for name in dict(self.rule.common) if self.step}


def aligned(rule: Lattice, *, kind: str) -> str:
    """The same as an `aligned` environment; a "flow" has dots on the left, a "map" the step as a last index."""
    is_map = kind == "map"
    symbols = _Symbols(rule, "n" if is_map else "")
    here = symbols.of("i")
    rows = [
        f"{here[n.name]} &= {formulas.latex(n.of, symbols.of(_shift(n.offset).replace(' ', '')))}"
        for n in rule.neighbours
    ]  # fmt: skip
    for name, tree in rule.means:
        inner = formulas.latex(tree, here)
        rows.append(rf"{formulas.symbol(name)} &= \frac{{1}}{{{rule.size}}} \sum_{{i}} {_bracketed(inner)}")
    weight = "w_{i, j} " if rule.graph is not None and rule.graph.weights is not None else ""
    for name, tree in rule.couplings:
        inner = formulas.latex(tree, symbols.pair())
        rows.append(rf"{here[name]} &= \sum_{{j \to i}} {weight}{_bracketed(inner)}")
    rows += [f"{here[name]} &= {formulas.latex(tree, here)}" for name, tree in rule.auxiliary]
    left: Callable[[str, str], str] = (
        (lambda name, index: formulas.symbol(name, index=f"{index}, n+1" if index else "n+1"))
        if is_map
        else (lambda name, index: formulas.symbol(name, dot=True, index=index))
    )
    rows += [f"{left(name, 'i')} &= {formulas.latex(tree, here)}" for name, tree in rule.equations]
    rows += [f"{left(name, '')} &= {formulas.latex(tree, here)}" for name, tree in rule.common]
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _bracketed(inner: str) -> str:
    return rf"\left({inner}\right)"
