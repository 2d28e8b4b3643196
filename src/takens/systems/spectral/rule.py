"""Partial differential equations on a periodic grid, as the rule of a system: states are values at points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from ..rule import Array, Rule
from ..symbols.differentiate import ZERO
from ..symbols.printing import text
from .grid import Grid
from .terms import TIME, Terms

if TYPE_CHECKING:
    from ..native.fourier_scheme import Scheme

FEWEST, MOST = 8, 65_536
"""The sizes of grids."""


@final
@dataclass(frozen=True, eq=False)
class Spectral(Rule):
    """The rates of the fields of `terms` at `points` points x = 0, domain / N, ... of a period.

    States are u1 ... uN, v1 ... vN. Derivatives are those of the trigonometric polynomial through the points. What
    enters fluxes and reactions and what comes out of them keeps the modes below N/3 only (2/3 rule): products of two
    fields are then free of aliasing, higher powers nearly so where the modes above N/4 are small. The linear part acts
    on all modes. Raises `SettingError` for a number of points below 8 or above 65,536.
    Source: Canuto, Hussaini, Quarteroni & Zang, Spectral Methods (2006), sections 2.1 and 3.3.
    """

    terms: Terms
    points: int

    def __post_init__(self) -> None:
        if not FEWEST <= self.points <= MOST:
            raise SettingError(f"points is {self.points}", remedy=f"Choose from {FEWEST} to {MOST:,}.")

    @cached_property
    def states(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the values at the points: u1 ... uN, then those of the next field."""
        return tuple(f"{field}{i + 1}" for field in self.terms.fields for i in range(self.points))

    @property
    def parameters(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the parameters."""
        return self.terms.parameters

    @property
    def time(self) -> str:  # type: ignore[override]
        """The name of the time."""
        return TIME

    @property
    def autonomous(self) -> bool:
        """Whether no term uses the time."""
        return self.terms.autonomous

    @property
    def program(self) -> None:
        """Grids have machine code of their own: see `spectral.steps`."""
        return

    @cached_property
    def scheme(self) -> Scheme:
        """What the machine code of steps is made from."""
        from ..native.fourier_scheme import Scheme

        terms = self.terms
        slopes, definitions = terms.slope_terms
        return Scheme(
            self.points, len(terms.fields), tuple(terms.derivatives[name] for name in terms.inputs),
            tuple((field, flux) for field, flux, _ in terms.outputs), terms.inputs, terms.parameters,
            tuple(tree for *_, tree in terms.outputs), slopes, terms.auxiliary, definitions, terms.coupled, terms.even,
        )  # fmt: skip

    def grid(self, parameters: Mapping[str, ArrayLike]) -> Grid:
        """The rule for given values of parameters."""
        return Grid(self.terms, self.points, parameters)

    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The rates `(..., state)` at states `x (..., state)`; time and parameters broadcast to `(...)`."""
        return self.grid(parameters).values(time, np.asarray(x, dtype=np.float64))

    def slopes(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The Jacobian `(..., state, state)`, exact for the equations on the grid."""
        return self.grid(parameters).jacobian(time, np.asarray(x, dtype=np.float64))

    def trace(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The trace `(...)` of the Jacobian."""
        return self.grid(parameters).trace(time, np.asarray(x, dtype=np.float64))

    def lines(self, left: str) -> str:
        """The equations of the fields as plain text, auxiliary definitions first."""
        rows = [f"{name} = {text(tree)}" for name, tree in self.terms.auxiliary]
        for i, field in enumerate(self.terms.fields):
            linear, flux, reaction = (part[i] for part in (self.terms.linear, self.terms.flux, self.terms.reaction))
            right = "" if linear == ZERO else text(linear)
            right += "" if flux == ZERO else f" - d({text(flux)})/dx"
            right += "" if reaction == ZERO else f" + ({text(reaction)})" if right else text(reaction)
            rows.append(f"{left.format(field)} = {right.strip() or '0'}")
        return "\n".join([*rows, f"0 <= x < {text(self.terms.domain)}, periodic, {self.points} points"])

    def latex(self, *, kind: str) -> str:
        """The equations of the fields as a LaTeX `aligned` environment, with subscripts for derivatives."""
        from ..symbols.latex import latex, symbol

        names = {
            name: f"{symbol(self.terms.fields[i])}_{{{'x' * order}}}" if order else symbol(self.terms.fields[i])
            for name, (i, order) in self.terms.derivatives.items()
        }
        rows = [f"{symbol(name)} &= {latex(tree, names)}" for name, tree in self.terms.auxiliary]
        for i, field in enumerate(self.terms.fields):
            linear, flux, reaction = (part[i] for part in (self.terms.linear, self.terms.flux, self.terms.reaction))
            right = "" if linear == ZERO else latex(linear, names)
            right += "" if flux == ZERO else rf" - \partial_x \left({latex(flux, names)}\right)"
            shown = "" if reaction == ZERO else latex(reaction, names)
            right += rf" + \left({shown}\right)" if shown and right else shown
            rows.append(rf"\partial_t {symbol(field)} &= {right.strip() or '0'}")
        body = " \\\\\n".join(rows)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
