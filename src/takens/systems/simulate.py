"""Systems to series: trajectories of laws of any kind, one or many, at given times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clock import Clock
from ..errors import SettingError, SimulationError
from ..random import generator
from ..series import Series
from .base import Report, Request, System

Array = NDArray[np.float64]
S = TypeVar("S", bound=System)

TIGHTEST = 1e-14
"""Tolerances below this ask for more than double precision holds."""


@dataclass(frozen=True)
class _Plan:
    """What every member of a simulation shares."""

    system: System
    request: Request
    noise: float

    def __post_init__(self) -> None:
        system, asked = self.system, self.request
        for what, wrong, remedy in (
            (f"length is {asked.length}", asked.length < 1, "Ask for at least one row."),
            (f"dt is {asked.dt}", not (np.isfinite(asked.dt) and asked.dt > 0), "Give a positive sampling interval."),
            (f"transient is {asked.transient}", not (np.isfinite(asked.transient) and asked.transient >= 0), ""),
            (f"noise is {self.noise}", not (np.isfinite(self.noise) and self.noise >= 0), "Give a share, say 0.05."),
            (
                f"tolerance is {asked.tolerance}",
                not TIGHTEST <= asked.tolerance <= 0.1,
                f"Choose between {TIGHTEST:g} and 0.1.",
            ),
            (f"step is {asked.step}", asked.step is not None and not asked.step > 0, "Give a positive step."),
            (
                f"unknown method {asked.method!r}",
                asked.method not in (None, *system.methods),
                f"Methods of a {system.kind}: {', '.join(system.methods)}.",
            ),
        ):
            if wrong:
                raise SettingError(what, place=system.name, remedy=remedy)
        if system.stepwise and (asked.dt != round(asked.dt) or asked.transient != round(asked.transient)):
            raise SettingError(
                f"a {system.kind} goes whole steps", place=system.name,
                remedy="Give whole numbers for dt and transient.",
            )  # fmt: skip

    def series(self, times: Array, values: Array, name: str, stream: tuple[str | int, ...]) -> Series:
        """A trajectory as a series, with its observation noise."""
        if self.noise:
            draws = generator(self.request.seed, "observation noise", *stream).normal(size=values.shape)
            values = values + self.noise * values.std(axis=0) * draws
        clock = Clock("step" if self.system.stepwise else "time unit")
        return Series(times, values, channels=self.system.states, clock=clock, name=name)


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
    steps. Radau is for stiff flows; Leapfrog, Yoshida4 and KahanLi8 (fixed steps, order 2, 4, 8) for separable
    Hamiltonians, Midpoint and Gauss4 (2, 4) for others: they keep the error of the energy bounded. Diffusions go
    fixed steps along Wiener paths drawn for `seed`, by Euler-Maruyama, Milstein or Heun; jump processes draw their
    events for it: see `Diffusion` and `Jump`. Neither has a tolerance.

    The tolerance is absolute for states below 1: give a smaller one where states are small. An input that is 0 but for
    moments much shorter than the steps before it can be missed, as by any adaptive method: give `step` then.
    On a chaotic system the numbers follow the exact trajectory for about ln(1 / tolerance) / lambda time units, after
    that they are a typical trajectory of the same attractor. Raises `SettingError` for arguments that do not fit and
    `SimulationError`, with time and state, where the trajectory diverges or needs too many steps; stiff flows do
    without Radau. Cost: about 0.1 s to compile a system once in a process, then about 0.1 microseconds a step for three
    states.
    """
    system = _with(system, parameters)
    interval = system.default_dt() if dt is None else float(dt)
    plan = _Plan(system, Request(length, interval, transient, method, tolerance, step, seed), noise)
    try:
        times, values = system.trajectory(plan.request, _initial(system, initial, 1), report)
    except SimulationError as error:
        raise SimulationError(
            error.cause, time=error.time, state=error.state, place=system.name, remedy=error.remedy
        ) from None
    return plan.series(times, values, system.name, ())


def simulate_ensemble(
    system: System,
    initial: ArrayLike | None = None,
    *,
    length: int,
    members: int | None = None,
    dt: float | None = None,
    transient: float = 0.0,
    parameters: Mapping[str, ArrayLike] | None = None,
    method: str | None = None,
    tolerance: float = 1e-9,
    step: float | None = None,
    noise: float = 0.0,
    seed: int = 0,
    threads: int | None = None,
    report: Report | None = None,
) -> list[Series]:
    """A series for each member: over initial states, parameters and noise; see `simulate` for the other arguments.

    `initial` is `(member, state)`, or `(state,)` or None for one state that all share; values of `parameters` are
    numbers or `(member,)`. `members` says how many where neither does, as for the noise of a stochastic system. Members
    run in `threads` (one a processor by default); the result does not depend on how many. Each member has noise of its
    own. Raises `SettingError` where the numbers of members differ, and `SimulationError` that names the first member
    that cannot be continued.
    """
    states, given = _members(system, initial, parameters or {}, members)
    interval = system.default_dt() if dt is None else float(dt)
    plan = _Plan(system, Request(length, interval, transient, method, tolerance, step, seed), noise)
    if not len(states):
        return []
    times, found = system.trajectories(plan.request, states, given, threads=threads, report=report)
    return [plan.series(times, values, f"{system.name}[{i}]", (i,)) for i, values in enumerate(found)]


def _members(
    system: System, initial: ArrayLike | None, parameters: Mapping[str, ArrayLike], members: int | None
) -> tuple[Array, dict[str, Array]]:
    """Initial states `(member, state)` and values `(member,)` of parameters, one for each member."""
    start = np.array(system.initial if initial is None else initial, dtype=np.float64)
    values = {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
    counts = {"initial": len(start)} if start.ndim == 2 else {}
    counts |= {name: len(value) for name, value in values.items() if value.ndim}
    counts |= {"members": members} if members is not None else {}
    if not counts or len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SettingError(
            f"the numbers of members differ: {listed}" if counts else "nothing says how many members",
            place=system.name, remedy="Give members=, or initial states or parameters with a row for each member.",
        )  # fmt: skip
    count = next(iter(counts.values()))
    if start.ndim == 1:
        start = np.broadcast_to(_initial(system, start, 1), (count, system.dimension))
    return _initial(system, start, 2), {name: np.broadcast_to(value, (count,)) for name, value in values.items()}


def _with(system: S, parameters: Mapping[str, float] | None) -> S:
    return system.with_parameters(**parameters) if parameters else system


def _initial(system: System, initial: ArrayLike | None, axes: int) -> Array:
    states = np.array(system.initial if initial is None else initial, dtype=np.float64)
    if states.ndim != axes or states.shape[-1] != system.dimension:
        expected = f"({system.dimension},)" if axes == 1 else f"(member, {system.dimension})"
        raise SettingError(f"initial has shape {states.shape} instead of {expected}", place=system.name)
    if not np.isfinite(states).all():
        raise SettingError("initial is not finite", place=system.name)
    return states
