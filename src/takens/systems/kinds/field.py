"""Partial differential equations on a periodic line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import EquationError, SettingError
from ..base import Report, Request, System
from ..rule import Array
from ..spectral.rule import FEWEST, MOST, Spectral
from ..spectral.terms import SPACE, Terms

if TYPE_CHECKING:
    from ..reading import Reading

POINTS = 128
"""The size of a grid whose definition does not say."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Field(System):
    """Partial differential equations du/dt = linear - d(flux)/dx + reaction, periodic in 0 <= x < domain.

    The states are the values of the fields at evenly spaced points, `rhs` and `jacobian` those of the pseudo-spectral
    grid (see `Spectral`). Time goes by ETDRK4, of order 4 with the linear part solved exactly, in steps of at most
    `step` (None: `dt`): errors of the steps are not controlled, so compare with half the step where they matter. With
    points that are a power of two the steps are machine code. Where the equations do not hold x, shifts along x have
    the exponent 0, besides that of time; where the mean of a field cannot change (only fluxes and derivatives), it has
    one too, though no orbit ever shows it. Not for fronts thinner than a few points: their modes are cut off.
    Source: Kassam & Trefethen, SIAM J. Sci. Comput. 26, 1214 (2005).
    """

    step: float | None = None

    kind: ClassVar[str] = "field"
    methods: ClassVar[tuple[str, ...]] = ("ETDRK4",)
    keys: ClassVar[tuple[str, ...]] = ("linear", "flux", "reaction", "auxiliary", "domain", "points", "step")
    sizes: ClassVar[tuple[str, ...]] = ("points",)

    @classmethod
    def read(cls, reading: Reading) -> Field:
        """A field from its definition; `x` is the place and `t` the time.

        An initial state in x is evaluated once, for the parameters of the definition or those given with its name; a
        later change of parameters keeps the values at the points.
        """
        parts = {key: reading.texts(key) for key in ("linear", "flux", "reaction")}
        if not any(parts.values()):
            reading.fail("no equations", "linear", 'Write linear.u = "u_xx", and flux.u or reaction.u as needed.')
        points = reading.number(reading.table.get("points", POINTS), "points")
        if points != round(points) or not FEWEST <= points <= MOST:
            reading.fail(f"is {points:g}", "points", f"Give a whole number from {FEWEST} to {MOST:,}.")
        domain = reading.table.get("domain")
        if isinstance(domain, int | float) and not isinstance(domain, bool):
            domain = repr(domain)
        if not isinstance(domain, str):
            reading.fail("no length of the domain", "domain", 'Write a number, or a text such as "L" or "2*pi".')
        values = reading.numbers("parameters")
        terms = Terms.parse(parts, tuple(values), domain, auxiliary=reading.texts("auxiliary"), place=reading.place)
        rule = Spectral(terms, int(points))
        given = reading.table.get("initial")
        initial = _initial(reading, rule, values) if isinstance(given, Mapping) else None
        found = cls(rule=rule, step=reading.positive("step"), **reading.common(rule.states, initial))
        if not np.isfinite(found.rhs(0.0, found.initial)).all():
            remedy = "Choose another initial state, or parameters for which the equations have a value."
            raise EquationError("the rates are not finite at the initial state", place=reading.place, remedy=remedy)
        return found

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return self._spectral.terms.fields

    @property
    def points(self) -> Array:
        """The places `(point,)` of the values of each field."""
        return self._spectral.grid(self.parameters).x

    def text(self) -> str:
        """The equations as plain text, `du/dt = ...`, a line each, then the domain."""
        return self.rule.lines("d{}/dt")

    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment, with subscripts for derivatives."""
        return self.rule.latex(kind="field")

    def divergence(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The trace of the Jacobian `(...)`, the rate at which volumes grow, per unit of time."""
        return self.rule.trace(t, self._states(x), self._given(parameters))

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Rows at the ends of fixed steps; the tolerance is not used."""
        from ..spectral.steps import march

        grid = self._spectral.grid(self.parameters)
        spectra, values = grid.spectra(np.asarray(initial, dtype=np.float64))[None], tuple(self.parameters.values())
        if request.transient > 0:
            count, step = self._split(request.transient, request.step)
            spectra, _ = march(self._spectral, values, spectra, 0.0, step, rows=1, substeps=count, report=None)
        states = np.empty((request.length, self.dimension))
        states[0] = grid.states(spectra[0]) if request.transient > 0 else initial
        if request.length > 1:
            count, step = self._split(request.dt, request.step)
            _, rows = march(
                self._spectral, values, spectra, request.transient, step, rows=request.length - 1, substeps=count,
                report=report,
            )  # fmt: skip
            states[1:] = grid.states(rows)
        return request.times, states

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """By the derivative of each ETDRK4 step; the growth of volumes is the integral of the divergence.

        That is known where the divergence is the same everywhere, and NaN elsewhere.
        """
        from ..spectral.steps import march

        grid = self._spectral.grid(self.parameters)
        count, step = self._split(duration, None)
        spectra = grid.spectra(np.concatenate([phase[None], vectors.T]))
        values = tuple(self.parameters.values())
        spectra, _ = march(self._spectral, values, spectra, start, step, rows=1, substeps=count)
        states = grid.states(spectra)
        return states[0], states[1:].T, duration * grid.contraction()

    def _split(self, duration: float, longest: float | None) -> tuple[int, float]:
        """The number of equal steps in a duration, none longer than is asked for, and their length."""
        longest = self.step or self.default_dt() if longest is None else longest
        count = max(1, int(np.ceil(duration / longest - 1e-9)))
        return count, duration / count

    @property
    def _spectral(self) -> Spectral:
        if not isinstance(self.rule, Spectral):
            raise SettingError("a field needs equations on a grid", place=self.name, remedy="Use a definition.")
        return self.rule


def _initial(reading: Reading, rule: Spectral, parameters: Mapping[str, float]) -> Sequence[float]:
    """Values at the points from an expression in x, or a list, for each field."""
    from ..symbols.evaluate import program
    from ..symbols.expression import parse

    grid, given, found = rule.grid(parameters), reading.table["initial"], []
    definitions = rule.terms.constant_definitions
    names = dict.fromkeys((SPACE, *parameters, *(name for name, _ in definitions)))
    for field in (*given, *rule.terms.fields):
        if field not in rule.terms.fields or field not in given:
            listed = ", ".join(rule.terms.fields)
            reading.fail(f"the fields are {listed}", "initial", f'Write initial.{rule.terms.fields[0]} = "cos(x)".')
    for field in rule.terms.fields:
        value, key = given[field], f"initial.{field}"
        if isinstance(value, list | tuple | np.ndarray):
            if len(value) != rule.points:
                reading.fail(f"{len(value)} numbers for {rule.points} points", key)
            found += [reading.number(v, key) for v in value]
            continue
        text = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if not isinstance(text, str):
            reading.fail(f"is {value!r}", key, f'Write {key} = "cos(2*pi*x/L)".')
        tree = parse(text, names, place=f"{reading.place}: {key}" if reading.place else key)
        values = program([tree], (SPACE, *parameters), definitions)([grid.x, *parameters.values()])[0]
        found += np.broadcast_to(np.asarray(values, dtype=np.float64), (rule.points,)).tolist()
    return found
