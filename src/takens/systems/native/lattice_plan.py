"""What the passes over a lattice share: functions of one node that several of them need are computed once a node."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..equations import Definitions
from ..lattice.rule import Lattice
from ..symbols.tree import Binary, Call, Expression, Name
from ..symbols.walk import names_in, parts, postorder, rebuilt, substituted


@dataclass(frozen=True)
class Plan:
    """`kept` holds local expressions by a name of their own; the others use those names.

    In `couplings` the names end in _i or _j, for the end of the edge that is meant.
    """

    kept: Definitions
    means: Definitions
    couplings: Definitions
    nodes: Definitions


def plan(lattice: Lattice) -> Plan:
    """The passes over a lattice without auxiliary definitions.

    Calls in couplings that depend on one end of an edge only are functions of a node, after sines and cosines of sums
    and differences of both ends are written as products; so are calls that both means and equations contain.
    """
    kept: dict[Expression, str] = {}
    couplings = []
    for name, tree in lattice.couplings:
        spread = _spread(tree, lattice)
        for end in "ij":
            spread = _taken(spread, lattice, end, kept)
        couplings.append((name, spread))
    nodes = (*lattice.equations, *lattice.totals)
    in_nodes = set(_calls(nodes, lattice))
    for call in dict.fromkeys(_calls(lattice.means, lattice)):
        if call in in_nodes and call not in kept:
            kept[call] = f"kept {len(kept)}"
    return Plan(
        tuple((name, tree) for tree, name in kept.items()),
        tuple((name, _replaced(tree, kept)) for name, tree in lattice.means),
        tuple(couplings),
        tuple((name, _replaced(tree, kept)) for name, tree in nodes),
    )


def _calls(definitions: Definitions, lattice: Lattice) -> list[Call]:
    """The calls of functions of a node in some definitions."""
    own = set(lattice.own)
    inner = {*(n.name for n in lattice.neighbours), *dict(lattice.means), *dict(lattice.couplings)}
    found = []
    for node in postorder([tree for _, tree in definitions]):
        if isinstance(node, Call):
            used = set(names_in(node))
            if used & own and not used & inner:
                found.append(node)
    return found


def _replaced(tree: Expression, kept: Mapping[Expression, str]) -> Expression:
    """A tree with names in the place of what is kept."""
    found: dict[int, Expression] = {}
    for node in postorder([tree]):
        if isinstance(node, Call) and node in kept:
            found[id(node)] = Name(kept[node])
        else:
            found[id(node)] = rebuilt(node, [found[id(part)] for part in parts(node)])
    return found[id(tree)]


def _ends(tree: Expression, lattice: Lattice) -> Collection[str]:
    """The ends of an edge that an expression depends on."""
    used = set(names_in(tree))
    return {end for end in "ij" if any(f"{name}_{end}" in used for name in lattice.own)}


def _spread(tree: Expression, lattice: Lattice) -> Expression:
    """sin(a + b) is sin(a) cos(b) + cos(a) sin(b) where a and b depend on different ends of an edge; so for cos."""
    found: dict[int, Expression] = {}
    for node in postorder([tree]):
        new = rebuilt(node, [found[id(part)] for part in parts(node)])
        match new:
            case Call("sin" | "cos" as function, (Binary("+" | "-" as sign, a, b),)):
                one, other = _ends(a, lattice), _ends(b, lattice)
                if one and other and set(one).isdisjoint(other):
                    new = _sum_of_angles(function, sign, a, b)
        found[id(node)] = new
    return found[id(tree)]


def _sum_of_angles(function: str, sign: str, a: Expression, b: Expression) -> Expression:
    sin_a, cos_a, sin_b, cos_b = (Call(f, (x,)) for x in (a, b) for f in ("sin", "cos"))
    if function == "sin":
        left, right = Binary("*", sin_a, cos_b), Binary("*", cos_a, sin_b)
        return Binary("+" if sign == "+" else "-", left, right)
    left, right = Binary("*", cos_a, cos_b), Binary("*", sin_a, sin_b)
    return Binary("-" if sign == "+" else "+", left, right)


def _taken(tree: Expression, lattice: Lattice, end: str, kept: dict[Expression, str]) -> Expression:
    """A coupling with names in the place of its calls that depend on one end; the calls go to `kept`."""
    back: dict[str, Expression] = {f"{name}_{end}": Name(name) for name in lattice.own}
    found: dict[int, Expression] = {}
    for node in postorder([tree]):
        if isinstance(node, Call) and set(_ends(node, lattice)) == {end}:
            local = substituted(node, back)
            kept.setdefault(local, f"kept {len(kept)}")
            found[id(node)] = Name(f"{kept[local]}_{end}")
        else:
            found[id(node)] = rebuilt(node, [found[id(part)] for part in parts(node)])
    return found[id(tree)]
