"""Large systems of like parts: one set of equations for every node, on a ring, a graph or in a mean field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import EquationError, SettingError
from ..equations import Definitions
from ..rule import Rule
from ..symbols.tree import CONSTANTS, Expression, Name
from ..symbols.walk import names_in, substituted
from .graph import Graph

if TYPE_CHECKING:
    from ..native.emit import Program
    from .values import Forms

Array = NDArray[np.float64]
Boundary = Literal["ring", "zero", "edge"]
BOUNDARIES: tuple[Boundary, ...] = ("ring", "zero", "edge")
"""What is beyond the ends: the other end, zeros, or the end itself."""


@dataclass(frozen=True)
class Neighbour:
    """A name for the value of an expression at the node `offset` places further."""

    name: str
    of: Expression
    offset: int


@final
@dataclass(frozen=True, eq=False)
class Lattice(Rule):
    """dx_i/dt = f(x_i, x_(i+k), <m>, sum_j w_ij h(x_i, x_j), t, p) for nodes i = 1 ... N, or x_i' = f(...) for a map.

    `equations` holds (variable, expression) for a node, `common` those of states that all nodes share, such as a hub.
    What the expressions of a node may use: its variables, `arrays` (a number for each node), common states, parameters,
    the time (what is so far called local), `neighbours`, `means` (averages over the nodes of local expressions),
    `couplings` (sums over the edges of `graph` of expressions in x_i and x_j, for any local name x of a node), and
    `auxiliary` definitions before it. Means, neighbours and couplings use local auxiliaries only; common equations use
    common states, parameters, time, means, and `totals` (sums over the nodes of what a node may use).

    The states are x1 ... xN of each variable in turn, then the common ones; `order` names these blocks in another
    order. Cost of a right-hand side: linear in the numbers of nodes and edges, compiled to loops over several nodes at
    a time, where sums are in an order of the machine's choice, and sines and cosines of angles beyond 1.3e8 are NaN, so
    that a simulation stops there. The Jacobian is dense: do not ask for it at N = 10,000.
    Raises `EquationError` for unknown names and `SettingError` for sizes that do not fit.
    """

    size: int
    equations: Definitions
    parameters: tuple[str, ...] = ()
    auxiliary: Definitions = ()
    neighbours: tuple[Neighbour, ...] = ()
    boundary: Boundary = "ring"
    means: Definitions = ()
    couplings: Definitions = ()
    graph: Graph | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)
    common: Definitions = ()
    totals: Definitions = ()
    order: tuple[str, ...] = ()
    time: str = "t"
    states: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SettingError(f"a lattice of {self.size} nodes", remedy="Give size = 2 or more.")
        arrays = {name: np.ascontiguousarray(values, dtype=np.float64) for name, values in self.arrays.items()}
        for name, values in arrays.items():
            if values.shape != (self.size,) or not np.isfinite(values).all():
                cause = f"array {name} has shape {values.shape} for {self.size} nodes, or is not finite"
                raise SettingError(cause, remedy="Give a finite number for each node.")
        object.__setattr__(self, "arrays", arrays)
        if self.couplings and (self.graph is None or len(self.graph.starts) != self.size + 1):
            raise SettingError("couplings need a graph of as many nodes", remedy="Give edges.")
        object.__setattr__(self, "order", self.order or (*self.variables, *dict(self.common)))
        names = [n for block in self.order for n in (self._numbered(block) if block in self.variables else [block])]
        object.__setattr__(self, "states", tuple(names))
        self._check_known()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of a node's variables."""
        return tuple(name for name, _ in self.equations)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Where in the state each variable, and each common state, begins."""
        found, place = {}, 0
        for block in self.order:
            found[block] = place
            place += self.size if block in self.variables else 1
        return found

    @property
    def shared(self) -> tuple[str, ...]:
        """Names with one value for all nodes: common states, parameters, time."""
        return (*dict(self.common), *self.parameters, self.time)

    @property
    def own(self) -> tuple[str, ...]:
        """Names with a value for each node: variables and arrays."""
        return (*self.variables, *self.arrays)

    def _numbered(self, name: str) -> list[str]:
        between = "_" if name[-1].isdigit() else ""
        return [f"{name}{between}{i + 1}" for i in range(self.size)]

    def _check_known(self) -> None:
        local = {*self.own, *self.shared, *CONSTANTS}
        inner = [*(n.name for n in self.neighbours), *dict(self.means), *dict(self.couplings)]
        pair = {f"{name}_{end}" for name in self.own for end in "ij"}
        bare, everything = self.bare, local | set(inner)
        for what, definitions, known in (
            ("neighbour", [(n.name, n.of) for n in bare.neighbours], local), ("mean", bare.means, local),
            ("coupling", bare.couplings, pair | {*self.shared, *CONSTANTS}),
            ("equation of", bare.equations, everything),
            ("common state", bare.common, {*self.shared, *CONSTANTS, *dict(self.means), *dict(self.totals)}),
            ("total", bare.totals, everything),
        ):  # fmt: skip
            for name, tree in definitions:
                for used in names_in(tree):
                    if used not in known:
                        raise EquationError(
                            f"uses {used!r}, which it cannot", place=f"{what} {name}",
                            remedy=f"It may use {', '.join(sorted(known)[:30])}, and what follows from them.",
                        )  # fmt: skip

    @cached_property
    def bare(self) -> Lattice:
        """The same lattice with the auxiliary definitions put where they are used."""
        if not self.auxiliary:
            return self
        known: dict[str, Expression] = {}
        paired: dict[str, Expression] = {}
        ends = {end: {name: Name(f"{name}_{end}") for name in self.own} for end in "ij"}
        for name, tree in self.auxiliary:
            known[name] = substituted(tree, known)
            paired |= {f"{name}_{end}": substituted(known[name], ends[end]) for end in "ij"}
        return replace(
            self, auxiliary=(), couplings=_each(self.couplings, {**known, **paired}),
            neighbours=tuple(replace(n, of=substituted(n.of, known)) for n in self.neighbours),
            equations=_each(self.equations, known), means=_each(self.means, known),
            common=_each(self.common, known), totals=_each(self.totals, known),
        )  # fmt: skip

    @property
    def autonomous(self) -> bool:
        """Whether no equation uses the time."""
        bare = self.bare
        definitions = (*bare.equations, *bare.means, *bare.couplings, *bare.common)
        used = names_in(*(tree for _, tree in definitions), *(n.of for n in bare.neighbours))
        return self.time not in used or self.time in (*self.own, *self.parameters, *dict(self.common))

    @cached_property
    def program(self) -> Program:
        """What machine code is made from: loops over the nodes."""
        from ..native.emit import Program
        from ..native.lattice import LatticeLoops

        return Program(self.states, self.parameters, (), (), self.time, LatticeLoops(self.bare))

    @cached_property
    def _forms(self) -> Forms:
        from .values import Forms

        return Forms(self.bare)

    @cached_property
    def _tangent(self) -> Lattice:
        from .tangent import tangent

        return tangent(self, 1)

    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The right-hand sides `(..., state)` at states `x (..., state)`; time and parameters broadcast to `(...)`."""
        return self._forms.values(time, x, parameters)

    def slopes(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The Jacobian `(..., state, state)`, exact and dense: the rates of small displacements along each axis."""
        count = len(self.states)
        states = np.asarray(x, dtype=np.float64)[..., None, :]
        shape = (*states.shape[:-2], count, count)
        units = np.broadcast_to(np.eye(count), shape)
        extended = np.concatenate([np.broadcast_to(states, shape), units, np.zeros((*shape[:-1], 1))], axis=-1)
        given = {name: np.asarray(value)[..., None] for name, value in parameters.items()}
        found = self._tangent.values(np.asarray(time)[..., None], extended, given)
        return np.ascontiguousarray(np.swapaxes(found[..., count:-1], -1, -2))

    def trace(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The trace `(...)` of the Jacobian, in linear time."""
        states = np.asarray(x, dtype=np.float64)
        extended = np.concatenate([states, np.zeros((*states.shape[:-1], len(self.states) + 1))], axis=-1)
        return np.asarray(self._tangent.values(time, extended, parameters)[..., -1])

    def lines(self, left: str) -> str:
        """The equations of a node as plain text, with i for the node, after what they use."""
        from .text import lines

        return lines(self, left)

    def latex(self, *, kind: str) -> str:
        """The equations of a node as a LaTeX `aligned` environment, with i for the node, after what they use."""
        from .text import aligned

        return aligned(self, kind=kind)


def _each(definitions: Definitions, names: Mapping[str, Expression]) -> Definitions:
    return tuple((name, substituted(tree, names)) for name, tree in definitions)
