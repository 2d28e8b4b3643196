"""Sections of flows: where trajectories cross a surface, or are at whole periods of a forcing, and the maps between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import System
from ..systems.events import crossings
from ..systems.evolve import orbit
from ..wording import printed

Array = NDArray[np.float64]
Report = Callable[[float], object]


@dataclass(frozen=True)
class Section:
    """Points of a trajectory on a section: `times (point,)` since the initial state and `states (point, state)`.

    `names` are those of the states, `what` says what the section is.
    """

    times: Array
    states: Array
    names: tuple[str, ...]
    what: str

    __repr__ = printed

    def __len__(self) -> int:
        return len(self.times)

    @property
    def intervals(self) -> Array:
        """The times `(point - 1,)` from each point to the next."""
        return np.diff(self.times)

    def first_return(self, coordinate: str) -> tuple[Array, Array]:
        """A coordinate at each point but the last, and at the next one: the data of the first-return map.

        Where the section of the attractor is nearly a curve, as of Lorenz63 and Rossler, they lie nearly on the graph
        of a map of one dimension. Raises `SettingError` for an unknown state.
        """
        if coordinate not in self.names:
            raise SettingError(f"no state {coordinate!r}", remedy=f"The states are {', '.join(self.names)}.")
        values = self.states[:, self.names.index(coordinate)]
        return values[:-1], values[1:]


def poincare_section(
    system: System,
    surface: str | tuple[ArrayLike, float],
    *,
    count: int = 1000,
    duration: float | None = None,
    direction: int = 1,
    initial: ArrayLike | None = None,
    transient: float = 0.0,
    tolerance: float = 1e-10,
    report: Report | None = None,
) -> Section:
    """Where the trajectory of a flow from `initial (state,)` crosses a surface: `count` points, fewer in a `duration`.

    `surface` is an equation in states, parameters and the time, "z = 27", or an expression that is 0 on it, "z - rho",
    or a plane (normal (state,), offset). `direction` 1 keeps the crossings where left less right side grows, -1 those
    where it falls, 0 both. `transient` is left out first. Crossings are located to the accuracy of the integration.
    For the maxima of a state take the section where its rate is 0, direction -1: "x*y - beta*z" for z of Lorenz63.

    Raises `SettingError` for what is no flow or unfit arguments, `EquationError` for the text, and `SimulationError`
    where the trajectory diverges or does not come back. Cost: about twice that of the trajectory; see
    `takens.systems.events.crossings`. Source: Henon, Physica D 5, 412 (1982), for the problem.
    """
    found = crossings(
        system, _expression(system, surface), initial=initial, duration=duration, count=count, direction=direction,
        tolerance=tolerance, transient=transient, report=report,
    )  # fmt: skip
    what = surface if isinstance(surface, str) else f"{np.asarray(surface[0]).tolist()} . x = {surface[1]:g}"
    return Section(found.times, found.states, system.states, what)


def _expression(system: System, surface: str | tuple[ArrayLike, float]) -> str | tuple[ArrayLike, float]:
    """An equation as the difference of its sides."""
    if not isinstance(surface, str) or "=" not in surface:
        return surface
    sides = surface.split("=")
    if len(sides) != 2 or not all(side.strip() for side in sides) or sides[0].rstrip()[-1] in "<>!":
        raise SettingError(
            f"surface {surface!r}", place=system.name, remedy='Write one equation, "z = 27", or what is 0, "z - 27".'
        )
    return f"({sides[0].strip()}) - ({sides[1].strip()})"


def stroboscopic_section(
    system: System,
    period: float,
    *,
    count: int = 1000,
    phase: float = 0.0,
    initial: ArrayLike | None = None,
    transient: int = 0,
    tolerance: float = 1e-10,
) -> Section:
    """The states of a forced flow once in each `period` of the forcing: at times (phase + transient + k) period.

    `period` is that of the equations in time, such as 2 pi / omega; `phase` from 0 up to 1 is where in it to look;
    `transient` whole periods are left out first. For an autonomous flow it is the map of time `period`. Raises
    `SettingError` for what is no flow or unfit arguments and `SimulationError` where the trajectory diverges. Cost:
    that of the trajectory.
    """
    sound = 0 < period < np.inf and count >= 1 and 0 <= phase < 1 and transient >= 0 and transient == int(transient)
    if system.kind != "flow" or not sound:
        raise SettingError(
            f"a stroboscopic section of a {system.kind} with period {period}, count {count}, phase {phase}, transient"
            f" {transient}", place=system.name, remedy="Give a flow, a positive period and whole numbers of periods.",
        )  # fmt: skip
    times = period * (phase + transient + np.arange(count, dtype=np.float64))
    states = orbit(system, system.phase(initial), times, tolerance=tolerance)
    return Section(times, states, system.states, f"time = {phase:g} mod {period:g}")
