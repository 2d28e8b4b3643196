"""Partial differential equations in one dimension as trees: linear parts, fluxes, reactions, and their derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

from ...errors import EquationError
from ..equations import Definitions, check_names
from ..symbols.differentiate import ZERO, differentiate
from ..symbols.evaluate import Program, program
from ..symbols.expression import parse
from ..symbols.tree import CONSTANTS, Expression, Name
from ..symbols.walk import names_in

HIGHEST = 6
"""The highest derivative that equations may hold: u_xxxxxx."""
SPACE, TIME = "x", "t"
"""The independent variables."""


def derivative(field: str, order: int) -> str:
    """The name of a derivative of a field by x: u, u_x, u_xx."""
    return f"{field}_{'x' * order}" if order else field


@final
@dataclass(frozen=True, eq=False)
class Terms:
    """du/dt = linear - d(flux)/dx + reaction for each of `fields`, periodic in x with period `domain`.

    Expressions hold the fields and their derivatives u_x ... u_xxxxxx, parameters and `auxiliary` definitions; fluxes
    and reactions also x and t. Linear parts are sums of constants times fields and derivatives, of any of the fields;
    parts that are not there are 0. Raises `EquationError` for unknown names and for linear parts that are not linear.
    """

    fields: tuple[str, ...]
    parameters: tuple[str, ...]
    domain: Expression
    linear: tuple[Expression, ...]
    flux: tuple[Expression, ...]
    reaction: tuple[Expression, ...]
    auxiliary: Definitions = ()

    def __post_init__(self) -> None:
        self._check(self.domain, {}, "domain", "The length holds numbers and parameters only.")
        for field, tree in zip(self.fields, self.linear, strict=True):
            place, remedy = f"linear.{field}", f"Move what is not linear to flux.{field} or reaction.{field}."
            self._check(tree, self.derivatives, place, remedy)
            for slope in self._coefficients(tree).values():
                self._check(slope, {}, place, remedy)
        names = (*self.derivatives, *self.parameters)
        # At parameters that no equation was written for, so that a constant does not vanish by chance.
        at = [0.0] * len(self.derivatives) + [0.7390851 + 0.137 * i for i in range(len(self.parameters))]
        for field, value in zip(self.fields, program(self.linear, names, self.constant_definitions)(at), strict=True):
            if value != 0 and value == value:
                remedy = f"Move what holds no field to reaction.{field}."
                raise EquationError("is not 0 where the fields are", place=f"linear.{field}", remedy=remedy)

    def _check(self, tree: Expression, more: Mapping[str, object], place: str, remedy: str) -> None:
        allowed = {*self.parameters, *CONSTANTS, *more, *(name for name, _ in self.constant_definitions)}
        for name in names_in(tree):
            if name not in allowed:
                raise EquationError(f"depends on {name} in a way that it may not", place=place, remedy=remedy)

    @classmethod
    def parse(
        cls,
        parts: Mapping[str, Mapping[str, str]],
        parameters: tuple[str, ...],
        domain: str,
        *,
        auxiliary: Mapping[str, str] | None = None,
        place: str = "",
    ) -> Terms:
        """Terms from text: `parts` holds "linear", "flux" and "reaction", each field -> expression."""
        fields = tuple(dict.fromkeys(field for part in parts.values() for field in part))
        slopes = [derivative(field, order) for field in fields for order in range(1, HIGHEST + 1)]
        check_names((*fields, *slopes, SPACE, TIME), parameters, tuple(auxiliary or ()), place=place)
        where = f"{place}: " if place else ""
        names = dict.fromkeys((*fields, *parameters, SPACE, TIME, *slopes))
        defined: list[tuple[str, Expression]] = []
        for name, text in (auxiliary or {}).items():
            defined.append((name, parse(text, names, place=f"{where}auxiliary.{name}")))
            names[name] = None

        def trees(key: str) -> tuple[Expression, ...]:
            texts, place = parts.get(key, {}), f"{where}{key}"
            return tuple(parse(texts[f], names, place=f"{place}.{f}") if f in texts else ZERO for f in fields)

        length = parse(domain, names, place=f"{where}domain")
        linear, flux, reaction = (trees(key) for key in ("linear", "flux", "reaction"))
        try:
            return cls(fields, parameters, length, linear, flux, reaction, tuple(defined))
        except EquationError as error:
            raise EquationError(error.cause, place=f"{where}{error.place}", remedy=error.remedy) from None

    @property
    def autonomous(self) -> bool:
        """Whether no term uses the time."""
        return TIME not in names_in(*self.flux, *self.reaction, *(tree for _, tree in self.auxiliary))

    @cached_property
    def derivatives(self) -> dict[str, tuple[int, int]]:
        """The names of fields and derivatives: the number of the field and the order."""
        orders = range(HIGHEST + 1)
        return {derivative(field, order): (i, order) for i, field in enumerate(self.fields) for order in orders}

    @cached_property
    def constant_definitions(self) -> Definitions:
        """The auxiliary definitions that hold numbers and parameters only."""
        known, found = {*self.parameters, *CONSTANTS}, []
        for name, tree in self.auxiliary:
            if set(names_in(tree)) <= known:
                found.append((name, tree))
                known.add(name)
        return tuple(found)

    def _coefficients(self, tree: Expression) -> dict[str, Expression]:
        slopes = {name: differentiate(tree, name) for name in self.derivatives}
        return {name: slope for name, slope in slopes.items() if slope != ZERO}

    @cached_property
    def coefficients(self) -> tuple[tuple[int, int, int, Expression], ...]:
        """The linear part: (row, field, order of derivative, factor) where the factor does not vanish."""
        return tuple(
            (row, *self.derivatives[name], slope)
            for row, tree in enumerate(self.linear)
            for name, slope in self._coefficients(tree).items()
        )

    @property
    def even(self) -> bool:
        """Whether all derivatives of the linear part are of even order, so that its symbol is real."""
        return all(order % 2 == 0 for _, _, order, _ in self.coefficients)

    @cached_property
    def coupled(self) -> tuple[tuple[int, int], ...]:
        """The (row, field) where a function of the linear part does not vanish: a field itself, and what it reaches."""
        fields = range(len(self.fields))
        found = {(i, i) for i in fields} | {(row, field) for row, field, _, _ in self.coefficients}
        for k in fields:  # Warshall's transitive closure
            found |= {(i, j) for i in fields for j in fields if (i, k) in found and (k, j) in found}
        return tuple(sorted(found))

    @cached_property
    def constants(self) -> Program:
        """The program of the length of the domain, then of all coefficients, over the parameters."""
        trees = [self.domain, *(entry[3] for entry in self.coefficients)]
        return program(trees, self.parameters, self.constant_definitions)

    @cached_property
    def outputs(self) -> tuple[tuple[int, bool, Expression], ...]:
        """The nonlinear terms that are there: (field, whether it is a flux, expression)."""
        parts = [
            (i, flux, tree)
            for flux, trees in ((True, self.flux), (False, self.reaction))
            for i, tree in enumerate(trees)
        ]
        return tuple(part for part in parts if part[2] != ZERO)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The fields and derivatives that the nonlinear terms use."""
        used = set(names_in(*(tree for *_, tree in self.outputs), *(tree for _, tree in self.auxiliary)))
        return tuple(name for name in self.derivatives if name in used)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names that `rates` and `slopes` take values of: the inputs, x, t, the parameters."""
        return (*self.inputs, SPACE, TIME, *self.parameters)

    @cached_property
    def rates(self) -> Program:
        """The program of the outputs."""
        return program([tree for *_, tree in self.outputs], self.arguments, self.auxiliary)

    @cached_property
    def slope_terms(self) -> tuple[tuple[tuple[int, int, Expression], ...], Definitions]:
        """(output, input, derivative of one by the other) where it does not vanish, and what is evaluated before."""
        found, definitions = [], list(self.auxiliary)
        for i, name in enumerate(self.inputs):
            inner: dict[str, Expression] = {}
            for defined, tree in self.auxiliary:
                slope = differentiate(tree, name, inner)
                if slope != ZERO:
                    inner[defined] = Name(f"d({defined})/d({name})")
                    definitions.append((f"d({defined})/d({name})", slope))
            slopes = [(o, i, differentiate(tree, name, inner)) for o, (_, _, tree) in enumerate(self.outputs)]
            found += [entry for entry in slopes if entry[2] != ZERO]
        return tuple(found), tuple(definitions)

    @cached_property
    def slopes(self) -> Program:
        """The program of the derivatives in `slope_terms`."""
        terms, definitions = self.slope_terms
        return program([tree for *_, tree in terms], self.arguments, definitions)
