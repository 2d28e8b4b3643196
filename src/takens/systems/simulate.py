"""Systems to series: trajectories of flows and maps, one or many, at given times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import SettingError, SimulationError
from ..random import generator
from ..series import Series
from .base import Flow, System
from .equations import Equations
from .native.dop853 import DOP853
from .native.emit import Program
from .native.integrate import METHODS, Course, Report, integrate, march
from .native.recurrence import NotAnalytic
from .native.tableau import RK4
from .native.taylor import Taylor

Array = NDArray[np.float64]
S = TypeVar("S", bound=System)

TAYLOR = METHODS["Taylor"]
TIGHTEST = 1e-14
"""Tolerances below this ask for more than double precision holds."""


@dataclass(frozen=True)
class _Plan:
    """What every member of a simulation shares."""

    system: System
    length: int
    dt: float
    transient: float
    method: str | None
    tolerance: float
    step: float | None
    noise: float
    seed: int

    def __post_init__(self) -> None:
        for what, wrong, remedy in (
            (f"length is {self.length}", self.length < 1, "Ask for at least one row."),
            (f"dt is {self.dt}", not (np.isfinite(self.dt) and self.dt > 0), "Give a positive sampling interval."),
            (f"transient is {self.transient}", not (np.isfinite(self.transient) and self.transient >= 0), ""),
            (f"noise is {self.noise}", not (np.isfinite(self.noise) and self.noise >= 0), "Give a share, say 0.05."),
            (
                f"tolerance is {self.tolerance}",
                not TIGHTEST <= self.tolerance <= 0.1,
                f"Choose between {TIGHTEST:g} and 0.1.",
            ),
            (f"step is {self.step}", self.step is not None and not self.step > 0, "Give a positive step."),
            (f"unknown method {self.method!r}", self.method not in (None, *METHODS), f"Methods: {', '.join(METHODS)}."),
        ):
            if wrong:
                raise SettingError(what, place=self.system.name, remedy=remedy)
        if not self.flow and (self.dt != round(self.dt) or self.transient != round(self.transient)):
            raise SettingError(
                "a map goes whole steps", place=self.system.name, remedy="Give whole numbers for dt and transient."
            )

    @property
    def flow(self) -> bool:
        return isinstance(self.system, Flow)

    def course(self, initial: Array, report: Report | None) -> tuple[Array, Course]:
        """Times and states of one trajectory."""
        if self.flow and self.step is None and self.method != RK4.name:
            return self._sampled(initial, report)
        return self._marched(initial, report)

    def _sampled(self, initial: Array, report: Report | None) -> tuple[Array, Course]:
        """Steps chosen by the method, samples between them."""
        program, parameters = self._program()
        times = self.transient + self.dt * np.arange(self.length, dtype=np.float64)
        methods = (TAYLOR, DOP853) if self.method is None else (METHODS[self.method],)
        for method in methods:
            try:
                return times, integrate(
                    program, initial, parameters, times, method=method, tolerance=self.tolerance, report=report
                )
            except (NotAnalytic, SimulationError):
                if method is methods[-1]:
                    raise
        raise AssertionError("unreachable")

    def _marched(self, initial: Array, report: Report | None) -> tuple[Array, Course]:
        """Fixed steps of a flow, or iterations of a map."""
        program, parameters = self._program()
        method = METHODS[self.method or RK4.name]
        if isinstance(method, Taylor):
            raise SettingError(
                f"{method.name} chooses its steps", place=self.system.name, remedy="Leave step out, or use RK4."
            )
        tableau = method if self.flow else None
        longest = self.dt if self.step is None else self.step
        substeps = int(np.ceil(self.dt / longest - 1e-9)) if self.flow else int(self.dt)
        step = self.dt / substeps
        skipped = int(np.ceil(self.transient / step - 1e-9))
        course = march(
            program, initial, parameters, self.length, step=step, substeps=substeps, skipped=skipped,
            tableau=tableau, report=report,
        )  # fmt: skip
        return step * skipped + self.dt * np.arange(self.length, dtype=np.float64), course

    def _program(self) -> tuple[Program, Array]:
        program = program_of(self.system.rule)
        return program, np.array([self.system.parameters[name] for name in program.parameters])

    def series(self, initial: Array, name: str, stream: tuple[str | int, ...], report: Report | None = None) -> Series:
        """One trajectory as a series, with its observation noise."""
        try:
            times, course = self.course(initial, report)
        except SimulationError as error:
            raise SimulationError(
                error.cause, time=error.time, state=error.state, place=name, remedy=error.remedy
            ) from None
        values = course.states
        if self.noise:
            draws = generator(self.seed, "observation noise", *stream).normal(size=values.shape)
            values = values + self.noise * values.std(axis=0) * draws
        return Series(
            times, values, channels=self.system.states, clock=Clock("time unit" if self.flow else "step"), name=name
        )


def simulate(
    system: System,
    *,
    length: int,
    dt: float | None = None,
    transient: float = 0.0,
    initial: ArrayLike | None = None,
    parameters: Mapping[str, float] | None = None,
    method: str | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    noise: float = 0.0,
    seed: int = 0,
    report: Report | None = None,
) -> Series:
    """A trajectory of `system` as a series: `length` rows, `dt` apart, one channel a state.

    A flow dx/dt = f(x, t, p) starts from `initial (state,)` (the system's own by default) at t = 0; rows are at
    transient + dt k, in the time unit of the equations. `dt` is the system's own by default, 1 for a map x' = f(x, n,
    p), whose `dt` and `transient` count iterations. `parameters` override the system's. `noise` adds Gaussian
    observation noise with that share of each channel's standard deviation, drawn for `seed`. `report(share)` is called
    now and then. The same arguments give the same series.

    Flows are integrated with errors of each step below `tolerance` (1 + |x|), sampled between steps, by `method`:
    Taylor (the most accurate for its time; for equations without jumps and kinks), DOP853 or Tsit5. By default it is
    Taylor, and DOP853 where Taylor has no series or fails. With `step` the steps are fixed and no longer than that, by
    RK4 unless another method is named (RK4 without `step` goes steps of dt); the transient is then rounded up to whole
    steps.

    The tolerance is absolute for states below 1: give a smaller one where states are small. An input that is 0 but for
    moments much shorter than the steps before it can be missed, as by any adaptive method: give `step` then.
    On a chaotic system the numbers follow the exact trajectory for about ln(1 / tolerance) / lambda time units, after
    that they are a typical trajectory of the same attractor. Raises `SettingError` for arguments that do not fit and
    `SimulationError`, with time and state, where the trajectory diverges or needs too many steps; stiff systems do.
    Cost: about 0.1 s to compile a system once in a process, then about 0.1 microseconds a step for three states.
    """
    system = _with(system, parameters)
    plan = _Plan(system, length, _interval(system, dt), transient, method, tolerance, step, noise, seed)
    return plan.series(_initial(system, initial, 1), system.name, (), report)


def simulate_ensemble(
    system: System,
    initial: ArrayLike,
    *,
    length: int,
    dt: float | None = None,
    transient: float = 0.0,
    parameters: Mapping[str, float] | None = None,
    method: str | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    noise: float = 0.0,
    seed: int = 0,
    threads: int | None = None,
) -> list[Series]:
    """A series for each row of `initial (member, state)`; see `simulate` for the other arguments.

    Members run in `threads` (one a processor by default); the result does not depend on how many. Each member has its
    own observation noise. Raises `SimulationError` that names the first member that cannot be continued.
    """
    from concurrent.futures import ThreadPoolExecutor

    system = _with(system, parameters)
    plan = _Plan(system, length, _interval(system, dt), transient, method, tolerance, step, noise, seed)
    states = _initial(system, initial, 2)

    def member(index: int) -> Series:
        return plan.series(states[index], f"{system.name}[{index}]", (index,))

    if not len(states):
        return []
    first = member(0)  # compiles, once
    with ThreadPoolExecutor(threads) as pool:
        return [first, *pool.map(member, range(1, len(states)))]


@lru_cache(maxsize=512)
def program_of(equations: Equations) -> Program:
    """The program of some equations; the same object for equal equations."""
    return Program(equations.states, equations.parameters, equations.expressions, equations.auxiliary, equations.time)


def _with(system: S, parameters: Mapping[str, float] | None) -> S:
    return system.with_parameters(**parameters) if parameters else system


def _interval(system: System, dt: float | None) -> float:
    if dt is not None:
        return float(dt)
    if not isinstance(system, Flow):
        return 1.0
    if system.dt is None:
        raise SettingError("the system has no sampling interval of its own", place=system.name, remedy="Give dt.")
    return float(system.dt)


def _initial(system: System, initial: ArrayLike | None, axes: int) -> Array:
    states = np.array(system.initial if initial is None else initial, dtype=np.float64)
    if states.ndim != axes or states.shape[-1] != system.dimension:
        expected = f"({system.dimension},)" if axes == 1 else f"(member, {system.dimension})"
        raise SettingError(f"initial has shape {states.shape} instead of {expected}", place=system.name)
    if not np.isfinite(states).all():
        raise SettingError("initial is not finite", place=system.name)
    return states
