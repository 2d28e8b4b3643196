"""Laws of motion: what a `System` of any kind is and promises."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from .rule import Array, Rule

if TYPE_CHECKING:
    from .reading import Reading

S = TypeVar("S", bound="System")
Report = Callable[[float], object]


class Table(Mapping[str, Any]):
    """A mapping that cannot change, keeps its order, and can be copied and sent to other processes."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


@dataclass(frozen=True)
class Known:
    """A published invariant: a number, or several such as a spectrum, and where it is from."""

    value: float | tuple[float, ...]
    source: str


@dataclass(frozen=True)
class Request:
    """What a simulation asks of a system: `length` rows `dt` apart after `transient`, and how they are computed.

    `method` is one of the system's (None: its first choice), `tolerance` that of each step, `step` the longest fixed
    step (None: the method's choice). `seed` and `stream` name the random numbers of systems that need some.
    """

    length: int
    dt: float
    transient: float = 0.0
    method: str | None = None
    tolerance: float = 1e-9
    step: float | None = None
    seed: int = 0
    stream: tuple[str | int, ...] = ()

    @property
    def times(self) -> Array:
        """The times of the rows `(time,)`."""
        return self.transient + self.dt * np.arange(self.length, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class System(abc.ABC):
    """A law of motion with a finite state; frozen, equal only to itself.

    `rule` holds the equations; `parameters` their defaults; `initial (state,)` a state on the attractor or in its
    basin. `period` is the typical time of one oscillation and `dt` a sampling interval that resolves it, both in the
    unit of time of the equations, or None where unknown. `known` holds published invariants by the name of their
    measure. Raises `SettingError` for values that do not fit the equations.
    """

    name: str
    rule: Rule
    parameters: Mapping[str, float]
    initial: NDArray[np.float64]
    period: float | None = None
    dt: float | None = None
    tags: tuple[str, ...] = ()
    reference: str = ""
    description: str = ""
    known: Mapping[str, Known] = field(default_factory=dict)

    kind: ClassVar[str]
    """The word for this kind in definitions and listings."""
    methods: ClassVar[tuple[str, ...]]
    """The names of the methods that can simulate it, the default first."""
    stepwise: ClassVar[bool] = False
    """Whether time is counted in whole steps."""
    keys: ClassVar[tuple[str, ...]] = ("equations", "auxiliary")
    """The keys of a definition that this kind reads, besides those of every kind."""
    sizes: ClassVar[tuple[str, ...]] = ()
    """Those of its keys that set the number of states: they can be given where parameters are when it is made."""

    def __post_init__(self) -> None:
        initial = np.array(self.initial, dtype=np.float64)
        if initial.shape != (self.dimension,):
            cause = f"the initial state has shape {initial.shape} for {self.dimension} states"
            raise SettingError(cause, place=self.name)
        if set(self.parameters) != set(self.rule.parameters):
            given, needed = (", ".join(names) or "none" for names in (self.parameters, self.rule.parameters))
            raise SettingError(f"the parameters are {given}; the equations have {needed}", place=self.name)
        parameters = {name: float(self.parameters[name]) for name in self.rule.parameters}
        odd = np.flatnonzero(~np.isfinite(initial))[:1]
        for name, value in [*parameters.items(), *((self.states[i], initial[i]) for i in odd)]:
            if not np.isfinite(value):
                raise SettingError(f"{name} is {value}", place=self.name, remedy="Give a finite number.")
        initial.setflags(write=False)
        object.__setattr__(self, "initial", initial)
        object.__setattr__(self, "parameters", Table(parameters))
        object.__setattr__(self, "known", Table(self.known))
        object.__setattr__(self, "tags", tuple(self.tags))

    def __repr__(self) -> str:
        listed = ", ".join(f"{key}={value:.6g}" for key, value in self.parameters.items())
        states = ", ".join(self.states) if self.dimension <= 6 else f"{self.dimension} states"
        return f"{type(self).__name__}({self.name!r}: {states}{'; ' if listed else ''}{listed})"

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the state variables, in order."""
        return self.rule.states

    @property
    def dimension(self) -> int:
        """The number of state variables."""
        return len(self.rule.states)

    @property
    def autonomous(self) -> bool:
        """Whether the law does not depend on time."""
        return self.rule.autonomous

    def with_parameters(self: S, **changed: float) -> S:
        """The same system with other parameters: `lorenz.with_parameters(rho=24)`.

        Raises `SettingError` for an unknown parameter or a value that is not a finite number. What is `known` holds for
        the defaults only and is left out where a value changes.
        """
        given = self._given(changed)
        for name, value in changed.items():
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise SettingError(f"parameter {name} is {value!r}", place=self.name, remedy="Give a number.")
        same = all(given[name] == value for name, value in self.parameters.items())
        return replace(self, parameters=given, known=self.known if same else {})

    def rhs(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The right-hand side `(..., state)` at time `t` and states `x (..., state)`, vectorised over leading axes.

        dx/dt for a flow, the next state for a map. `parameters` override the defaults; they and `t` broadcast to the
        leading axes. Where an expression has no value (1/0, log(-1)) the result is infinite or NaN, without a warning.
        Raises `SettingError` for an unknown parameter.
        """
        return self.rule.values(t, self._states(x), self._given(parameters))

    def jacobian(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The exact derivatives `(..., state, state)` of `rhs`: element (i, j) is that of equation i by state j."""
        return self.rule.slopes(t, self._states(x), self._given(parameters))

    @classmethod
    @abc.abstractmethod
    def read(cls: type[S], reading: Reading) -> S:
        """The system that a definition describes; see `definition.system`."""

    @abc.abstractmethod
    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Times `(time,)` and states `(time, state)` of one trajectory from `initial` at time 0.

        Raises `SettingError` for a request that this kind cannot fulfil and `SimulationError`, with time and state,
        where the trajectory cannot be continued; it is never padded.
        """

    def trajectories(
        self,
        request: Request,
        initial: Array,
        parameters: Mapping[str, Array],
        *,
        threads: int | None = None,
        report: Report | None = None,
    ) -> tuple[Array, Array]:
        """Times `(time,)` and states `(member, time, state)` from `initial (member, state)`, parameters `(member,)`.

        Member i is the trajectory for the stream (i,). One after the other in `threads` (None: one a processor), which
        kinds that go many members at once do better. Raises as `trajectory` does, and names the first member that
        cannot be continued.
        """
        from concurrent.futures import ThreadPoolExecutor

        def member(index: int) -> tuple[Array, Array]:
            given = {name: float(values[index]) for name, values in parameters.items()}
            one = self.with_parameters(**given) if given else self
            try:
                return one.trajectory(replace(request, stream=(*request.stream, index)), initial[index])
            except SimulationError as error:
                place = f"{self.name}[{index}]"
                raise SimulationError(
                    error.cause, time=error.time, state=error.state, place=place, remedy=error.remedy
                ) from None

        times, first = member(0)  # compiles, once
        found = [first]
        with ThreadPoolExecutor(threads) as pool:
            for _, states in pool.map(member, range(1, len(initial))):
                found.append(states)
                if report is not None:
                    report(len(found) / len(initial))
        return times, np.stack(found)

    @abc.abstractmethod
    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """What becomes of a state in full and of small displacements `vectors (phase, vector)` after `duration`.

        Returns both and the logarithm of the growth of volumes along the way (NaN where it is not defined). Raises
        `SettingError` for kinds without a linearisation.
        """

    def phase(self, initial: ArrayLike | None = None) -> Array:
        """The state in full `(phase,)` that determines the future, from an initial state (None: the system's own)."""
        found = np.array(self.initial if initial is None else initial, dtype=np.float64)
        if found.shape != (self.dimension,) or not np.isfinite(found).all():
            raise SettingError(f"initial must be {self.dimension} finite numbers", place=self.name)
        return found

    def values_of_parameters(self) -> Array:
        """The parameters' values `(parameter,)` in the order of the rule."""
        return np.array([self.parameters[name] for name in self.rule.parameters])

    def default_dt(self) -> float:
        """The sampling interval of its own. Raises `SettingError` where it has none."""
        if self.dt is not None:
            return float(self.dt)
        if self.stepwise:
            return 1.0
        raise SettingError("the system has no sampling interval of its own", place=self.name,
                           remedy="Give dt, or write dt in its definition.")  # fmt: skip

    @abc.abstractmethod
    def text(self) -> str:
        """The equations as plain text, a line each, auxiliary definitions first."""

    @abc.abstractmethod
    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment, auxiliary definitions first."""

    def _given(self, changed: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, with some changed."""
        for name in changed:
            if name not in self.parameters:
                near = get_close_matches(name, self.parameters, 1)
                hint = f"Did you mean {near[0]}? " if near else ""
                listed = ", ".join(f"{key} = {value:g}" for key, value in self.parameters.items()) or "none"
                raise SettingError(
                    f"unknown parameter {name!r}", place=self.name, remedy=f"{hint}Parameters: {listed}."
                )
        return {**self.parameters, **changed}

    def _states(self, x: ArrayLike) -> Array:
        array = np.asarray(x, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != self.dimension:
            raise SettingError(
                f"the state has shape {array.shape}",
                place=self.name,
                remedy=f"The last axis holds {self.dimension} states: {', '.join(self.states)}.",
            )
        return array
