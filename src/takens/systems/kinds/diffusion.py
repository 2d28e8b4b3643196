"""Stochastic differential equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from ...random import generator
from ..base import Report, Request, System
from ..equations import Definitions, Equations
from ..rule import Array
from ..stochastic import Stochastic
from ..symbols.differentiate import ZERO
from ..symbols.expression import parse
from ..symbols.tree import Expression
from .flow import Flow

if TYPE_CHECKING:
    from ..native.emit import Program
    from ..reading import Reading

SENSES = ("ito", "stratonovich")
SUBSTEPS = 16
"""Steps in a sampling interval where none is asked for."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Diffusion(System):
    """A system of stochastic differential equations, dx = f(x, t, p) dt + sum_k g_k(x, t, p) dW_k.

    `rule` is the drift f as written, `noise` the columns g_k, one for each independent Wiener process, with the same
    states, parameters and auxiliary definitions; `interpretation` is "ito" or "stratonovich". In the second case the
    drift in Ito's sense is f + 1/2 sum_k (g_k . d/dx) g_k, with exact derivatives.

    The methods go fixed steps: a sampling interval dt in 1, 2, 4, ... equal ones, no longer than `step` (default:
    dt/16); a transient is rounded up to whole intervals. For one seed, member and dt, shorter steps see the same Wiener
    path more closely, so that the difference between two steps is the error of the longer one.

    - Euler-Maruyama: strong order 1/2 (1 where g does not depend on x), weak order 1. Asks nothing of f
      and g; the default where g depends on x.
    - Milstein: strong order 1; for noise that commutes, sum_m g_j^m dg_k/dx_m = sum_m g_k^m dg_j/dx_m, as one process,
      one for each state, or constant g do.
    - Heun: strong order 1 for noise that commutes, else 1/2; weak order 1 (2 where g is constant); where noise is weak
      the errors are nearly those of a deterministic method of order 2. Needs smooth g. The default where g does not
      depend on x.

    Raises `SettingError` for noise that does not fit the equations.
    """

    noise: tuple[Equations, ...] = ()
    interpretation: str = "ito"

    kind: ClassVar[str] = "diffusion"
    methods: ClassVar[tuple[str, ...]] = ("Euler-Maruyama", "Milstein", "Heun")
    keys: ClassVar[tuple[str, ...]] = ("equations", "auxiliary", "noise", "interpretation")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.rule, Equations):
            raise SettingError("a diffusion needs equations, not array code", place=self.name)
        if not self.noise:
            raise SettingError("there is no noise", place=self.name, remedy='Write noise.x = "sigma", or use a flow.')
        shared = (self.rule.states, self.rule.parameters, self.rule.auxiliary, self.rule.time)
        if any((g.states, g.parameters, g.auxiliary, g.time) != shared for g in self.noise):
            raise SettingError("the noise has other states, parameters or definitions than the drift", place=self.name)
        if self.interpretation not in SENSES:
            remedy = 'Write "ito" or "stratonovich".'
            raise SettingError(f"interpretation is {self.interpretation!r}", place=self.name, remedy=remedy)

    @classmethod
    def read(cls, reading: Reading) -> Diffusion:
        """A diffusion from its definition.

        `noise.x = "g"` gives the state x a Wiener process of its own; `noise.x = ["a", "b"]` names its coefficients of
        processes that all states with a list share, by position. Processes of lists come first.
        """
        rule = reading.equations(time="t")
        noise = tuple(_columns(reading, rule))
        sense = reading.text("interpretation", "ito")
        if sense not in SENSES:
            reading.fail(f"is {sense!r}", "interpretation", 'Write "ito" or "stratonovich".')
        found = cls(rule=rule, **reading.common(rule.states), noise=noise, interpretation=sense)
        reading.check_values(rule, found.rhs(0.0, found.initial).tolist())
        if not np.isfinite(found.coefficients(0.0, found.initial)).all():
            reading.fail("has no finite value at the initial state", "noise", "Choose another state or parameters.")
        return found

    @property
    def processes(self) -> int:
        """The number of independent Wiener processes."""
        return len(self.noise)

    @property
    def autonomous(self) -> bool:
        """Whether neither drift nor noise depends on time."""
        return self.rule.autonomous and all(g.autonomous for g in self.noise)

    def coefficients(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The coefficients `(..., state, process)` of the noise at time t and states `x (..., state)`."""
        states, given = self._states(x), self._given(parameters)
        return np.stack([g.values(t, states, given) for g in self.noise], axis=-1)

    def ito_drift(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The drift `(..., state)` in Ito's sense: `rhs`, and in Stratonovich's what the noise adds to it."""
        definitions, rates = self._law.converted(stratonovich=False)
        return self._evaluated(tuple(definitions.items()), rates, t, self._states(x), self._given(parameters))

    def divergence(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The trace of the Jacobian of the drift as written `(...)`, per unit of time."""
        return self.rule.trace(t, self._states(x), self._given(parameters))

    def text(self) -> str:
        """The equations as plain text, `dx = (f) dt + (g) dW1`, a line each; `o dW1` in Stratonovich's sense."""
        from ..symbols.noise import lines

        return lines(self._law)

    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment of differentials."""
        from ..symbols.noise import aligned

        return aligned(self._law)

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Fixed steps along the Wiener path that the seed and the last number of the stream determine."""
        *stream, last = request.stream or (0,)
        if not isinstance(last, int):
            stream, last = [*stream, last], 0
        parameters = self.values_of_parameters()[None]
        times, states = self._walked(request, initial[None], parameters, tuple(stream), last, None, report)
        return times, states[0]

    def trajectories(
        self,
        request: Request,
        initial: Array,
        parameters: Mapping[str, Array],
        *,
        threads: int | None = None,
        report: Report | None = None,
    ) -> tuple[Array, Array]:
        """All members at once in vector registers; member i has the Wiener path of the stream (i,)."""
        given = self._given(parameters)
        values = np.stack([np.broadcast_to(given[name], (len(initial),)) for name in self.parameters], axis=-1) if (
            self.parameters
        ) else np.empty((len(initial), 0))  # fmt: skip
        if not np.isfinite(values).all():
            raise SettingError("a parameter is not finite", place=self.name, remedy="Give finite numbers.")
        return self._walked(request, initial, values, request.stream, 0, threads, report)

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """Not defined: displacements depend on the noise, and those of the drift alone would be of another system."""
        raise SettingError(
            "small displacements of a diffusion depend on its noise", place=self.name,
            remedy="Ask for those of its drift without noise: system.deterministic().",
        )  # fmt: skip

    def deterministic(self) -> Flow:
        """The flow of the drift as written, without the noise and what is known with it."""
        return Flow(
            f"{self.name} without noise", self.rule, self.parameters, self.initial, self.period, self.dt,
            reference=self.reference,
        )  # fmt: skip

    @cached_property
    def _law(self) -> Stochastic:
        assert isinstance(self.rule, Equations)
        return Stochastic(self.rule, self.noise, self.interpretation == "stratonovich")

    @cached_property
    def _steps(self) -> dict[str, Program]:
        """The steps that were asked for, by method."""
        return {}

    @property
    def _usual(self) -> str:
        """The method where none is asked for."""
        additive = all(slope == ZERO for g in self.noise for row in g.jacobian[1] for slope in row)
        return "Heun" if additive else "Euler-Maruyama"

    def _step(self, method: str) -> Program:
        if method not in self._steps:
            if method == "Milstein":
                self._check_commuting()
            makers = {"Euler-Maruyama": self._law.euler, "Milstein": self._law.milstein, "Heun": self._law.heun}
            self._steps[method] = makers[method]()
        return self._steps[method]

    def _check_commuting(self) -> None:
        """Refuse noise that does not commute at states about the initial one."""
        definitions, one, other = self._law.exchanged()
        if not one:
            return
        draws = generator(0, "commutation", self.name).standard_normal((16, self.dimension))
        states = self.initial + 0.1 * (0.1 + np.abs(self.initial)) * np.vstack([np.zeros(self.dimension), draws])
        first, second = (self._evaluated(definitions, trees, 0.3, states, self.parameters) for trees in (one, other))
        if not np.allclose(first, second, rtol=1e-9, atol=1e-12 * np.nanmax(np.abs(first), initial=0), equal_nan=True):
            raise SettingError(
                "the noise does not commute, so that Milstein's step is not of order 1", place=self.name,
                remedy="Choose Euler-Maruyama or Heun.",
            )  # fmt: skip

    def _evaluated(
        self, definitions: Definitions, trees: Sequence[Expression], t: ArrayLike, x: Array, given: Mapping[str, Any]
    ) -> Array:
        """The values `(..., tree)` of some trees over the names of the equations."""
        from ..symbols.evaluate import program

        assert isinstance(self.rule, Equations)
        named = {self.rule.time: t, **given, **{name: x[..., i] for i, name in enumerate(self.states)}}
        values = {name: np.asarray(named[name], dtype=np.float64) for name in self.rule.inputs}
        shape = np.broadcast_shapes(*(value.shape for value in values.values()))
        found = program(trees, self.rule.inputs, definitions)(list(values.values()))
        return np.stack([np.broadcast_to(value, shape) for value in found], axis=-1)

    def _walked(
        self, request: Request, initial: Array, parameters: Array, stream: tuple[str | int, ...], first: int,
        threads: int | None, report: Report | None,
    ) -> tuple[Array, Array]:  # fmt: skip
        """Times, and states `(member, time, state)` of members whose numbers start at `first`."""
        from ..native.diffuse import Walk, walk
        from ..native.noise import MOST_LEVELS

        shortest = request.dt / SUBSTEPS if request.step is None else request.step
        levels = max(0, int(np.ceil(np.log2(request.dt / shortest) - 1e-9)))
        if levels > MOST_LEVELS:
            raise SettingError(
                f"step {shortest:g} is too short for dt = {request.dt:g}", place=self.name,
                remedy=f"A sampling interval has at most 2^{MOST_LEVELS} steps: give a shorter dt.",
            )  # fmt: skip
        skipped = int(np.ceil(request.transient / request.dt - 1e-9))
        key = int(generator(request.seed, "Wiener process", *stream).integers(2**63))
        plan = Walk(
            self._step(request.method or self._usual), self.processes, request.length, request.dt, levels, skipped,
            key, first, self.name,
        )  # fmt: skip
        states = walk(plan, initial, parameters, threads=threads, report=report)
        return request.dt * (skipped + np.arange(request.length, dtype=np.float64)), states


def _columns(reading: Reading, rule: Equations) -> list[Equations]:
    """The columns of the noise: those that lists share by position, then one for each state with one of its own."""
    table = reading.mapping("noise", 'noise.x = "sigma"')
    for state in table:
        if state not in rule.states:
            near = get_close_matches(str(state), rule.states, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            reading.fail(f"{state!r} is not a state", "noise", f"{hint}The states are {', '.join(rule.states)}.")
    lists = {state: list(value) for state, value in table.items() if isinstance(value, list | tuple)}
    if len({len(value) for value in lists.values()}) > 1:
        counts = ", ".join(f"{len(value)} of {state}" for state, value in lists.items())
        remedy = 'The k-th entry belongs to the k-th process: write "0" where a state has none of it.'
        reading.fail(f"the lists have different lengths: {counts}", "noise", remedy)
    shared = max((len(value) for value in lists.values()), default=0)
    rows = [{state: value[k] for state, value in lists.items()} for k in range(shared)]
    rows += [{state: value} for state, value in table.items() if state not in lists]
    if not rows:
        reading.fail("no noise", "noise", 'Write noise.x = "sigma" for a state with a Wiener process of its own.')
    return [_column(reading, rule, row, k) for k, row in enumerate(rows)]


def _column(reading: Reading, rule: Equations, row: Mapping[str, Any], process: int) -> Equations:
    names = dict.fromkeys((*rule.inputs, *(name for name, _ in rule.auxiliary)))
    trees: dict[str, Expression] = {}
    for state, value in row.items():
        place = f"{reading.place}: noise.{state}" if reading.place else f"noise.{state}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = repr(value)
        if not isinstance(value, str):
            reading.fail(f"is {value!r}, not text", f"noise.{state}", 'Write noise.x = "g", or a list of such texts.')
        trees[state] = parse(value, names, place=place)
    if all(tree == ZERO for tree in trees.values()):
        reading.fail(f"process {process + 1} acts on nothing", "noise", "Leave it out.")
    expressions = tuple(trees.get(state, ZERO) for state in rule.states)
    return Equations(rule.states, rule.parameters, expressions, rule.auxiliary, rule.time)
