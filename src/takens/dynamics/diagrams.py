"""Orbit (bifurcation) diagrams: where the motion settles for each value of one parameter or of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from ..random import generator
from ..systems.arrays import MOST_SLOPES, by_directions
from ..systems.base import Report, System
from ..systems.variational import reductions_of_many, together
from ..wording import printed
from .exponents import lyapunov_spectrum
from .record import Kept, Record, period_of, recording

Array = NDArray[np.float64]
DIVERGED = -1
"""In the place of a period: the orbit cannot be continued."""


@dataclass(frozen=True, eq=False)
class OrbitDiagram:
    """Where orbits settle over one parameter.

    `values (value,)` of the `parameter`; `points`, for each value, the states `(point, state)` that were kept (none
    where the orbit diverges); `shown` the number of the state a picture shows; `what` was kept ("states", "maxima",
    "crossings"); `periods (value,)` the number of points after which they repeat, 0 where they do not and -1 where the
    orbit diverges; `resting (value,)` whether a flow stands still, its equilibrium is then the only point; `exponents
    (value,)` the largest Lyapunov exponents, NaN where the orbit diverges, or None; `follow` as in `orbit_diagram`.
    """

    system: str
    states: tuple[str, ...]
    parameter: str
    values: Array
    points: tuple[Array, ...]
    shown: int
    what: str
    periods: NDArray[np.int64]
    resting: NDArray[np.bool_]
    exponents: Array | None
    follow: str | None

    __repr__ = printed

    def pairs(self) -> tuple[Array, Array]:
        """Values of the parameter and of the shown state, `(point,)` each, for all points."""
        counts = [len(part) for part in self.points]
        shown = [part[:, self.shown] for part in self.points]
        return np.repeat(self.values, counts), np.concatenate(shown)


@dataclass(frozen=True, eq=False)
class ParameterPlane:
    """A quantity over two parameters: `values (first, second)` over `first` and `second`, (name, values) each.

    `quantity` is "lyapunov", the largest exponent (NaN where the orbit diverges), or "period" (0: none, -1: diverged).
    """

    system: str
    first: tuple[str, Array]
    second: tuple[str, Array]
    quantity: str
    values: Array

    __repr__ = printed


def orbit_diagram(
    system: System,
    parameter: str,
    values: ArrayLike,
    *,
    state: str | None = None,
    section: Mapping[str, float] | None = None,
    interval: float | None = None,
    length: float | None = None,
    transient: float | None = None,
    dt: float | None = None,
    follow: Literal["up", "down"] | None = None,
    initial: ArrayLike | None = None,
    longest: int = 64,
    closeness: float = 1e-4,
    lyapunov: bool = False,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> OrbitDiagram:
    """The bifurcation diagram of `system` over `values (value,)` of one of its parameters.

    For a map the states after a transient are kept; for a flow the states at maxima of `state` (None: the first), at
    upward crossings of a `section` such as {"z": 27.0}, or every `interval`, which for a forced flow is the period of
    the forcing. `length` is the time that is kept (None: 200 iterations or 100 periods), `transient` the time before it
    (None: 1,000 iterations or 100 periods), `dt` the interval of a flow's samples between which events are found by
    cubics (None: a hundredth of its period). Each value starts from `initial (state,)` (None: the system's own); with
    `follow="up"` or "down" it starts where the orbit of the next smaller or larger value ended, so that the difference
    of the two shows hysteresis.

    Points repeat if they come within `closeness` times the width of all orbits of the diagram, after at most `longest`
    of them. Just at a bifurcation orbits settle slowly, and the period found there depends on the transient. With
    `lyapunov` the largest exponent is computed for each value, from where the orbit ended. Raises `SettingError` for
    settings that do not fit. Cost: that of the orbits, all at once without `follow`; an exponent costs as much again.
    """
    swept = _sweep(system, parameter, values)
    if follow not in (None, "up", "down"):
        raise SettingError(f"follow is {follow!r}", place=system.name, remedy='Give "up", "down" or None.')
    record = recording(system, state=state, section=section, interval=interval, dt=dt, length=length,
                       transient=transient, tolerance=tolerance)  # fmt: skip
    if follow is not None and not system.autonomous and record.kind != "states":
        raise SettingError("an orbit of a law that depends on time is followed from period to period",
                           place=system.name, remedy="Give interval=, the period of the forcing.")  # fmt: skip
    start = system.phase(initial)[: system.dimension]
    if follow is None:
        found = record.of(np.tile(start, (len(swept), 1)), {parameter: swept})
    else:
        found = _followed(record, parameter, swept, start, follow, report)
    periods = _periods(found, longest, closeness)
    exponents = None
    if lyapunov:
        cells = [{parameter: float(value)} for value in swept]
        exponents = _exponents(system, cells, found, record, seed, report)
    points, resting = tuple(kept.points for kept in found), np.array([kept.resting for kept in found])
    return OrbitDiagram(system.name, system.states, parameter, swept, points, record.state, record.kind, periods,
                        resting, exponents, follow)  # fmt: skip


def parameter_plane(
    system: System,
    first: tuple[str, ArrayLike],
    second: tuple[str, ArrayLike],
    quantity: Literal["lyapunov", "period"] = "lyapunov",
    *,
    state: str | None = None,
    section: Mapping[str, float] | None = None,
    interval: float | None = None,
    length: float | None = None,
    transient: float | None = None,
    dt: float | None = None,
    initial: ArrayLike | None = None,
    longest: int = 64,
    closeness: float = 1e-4,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> ParameterPlane:
    """The largest Lyapunov exponent, or the period, over a grid of two parameters, (name, values) each.

    All orbits start from `initial (state,)`; the other arguments are those of `orbit_diagram`. Raises `SettingError`
    for settings that do not fit. Cost: that of an orbit for each cell of the grid.
    """
    names = first[0], second[0]
    axes = tuple(_sweep(system, name, values) for name, values in (first, second))
    if names[0] == names[1] or quantity not in ("lyapunov", "period"):
        remedy = 'Give two parameters, and "lyapunov" or "period".'
        raise SettingError(f"{quantity!r} over {names[0]} and {names[1]}", place=system.name, remedy=remedy)
    record = recording(system, state=state, section=section, interval=interval, dt=dt, length=length,
                       transient=transient, tolerance=tolerance)  # fmt: skip
    a, b = (grid.ravel() for grid in np.meshgrid(*axes, indexing="ij"))
    start = np.tile(system.phase(initial)[: system.dimension], (len(a), 1))
    found = record.of(start, {names[0]: a, names[1]: b})
    if quantity == "period":
        values = _periods(found, longest, closeness).astype(np.float64)
    else:
        cells = [{names[0]: float(p), names[1]: float(q)} for p, q in zip(a, b, strict=True)]
        values = _exponents(system, cells, found, record, seed, report)
    shape = len(axes[0]), len(axes[1])
    return ParameterPlane(system.name, (names[0], axes[0]), (names[1], axes[1]), quantity, values.reshape(shape))


def _sweep(system: System, parameter: str, values: ArrayLike) -> Array:
    """The values of a parameter, checked."""
    swept = np.array(values, dtype=np.float64)
    if swept.ndim != 1 or len(swept) == 0 or not np.isfinite(swept).all():
        raise SettingError(f"{parameter} has values of shape {swept.shape}", place=system.name,
                           remedy="Give finite numbers in one row.")  # fmt: skip
    system.with_parameters(**{parameter: float(swept[0])})
    return swept


def _followed(
    record: Record, parameter: str, swept: Array, start: Array, follow: str, report: Report | None
) -> list[Kept]:
    """The record for each value, each orbit started where the one before it ended."""
    order = np.argsort(swept if follow == "up" else -swept, kind="stable")
    found: dict[int, Kept] = {}
    state = start
    for done, i in enumerate(order):
        found[i] = record.of(state[None], {parameter: swept[i : i + 1]})[0]
        state = found[i].last if found[i].sound else start
        if report is not None:
            report((done + 1) / len(swept))
    return [found[i] for i in range(len(swept))]


def _periods(found: Sequence[Kept], longest: int, closeness: float) -> NDArray[np.int64]:
    """The period of each part; distances are in units of the spread of all points and orbits."""
    every = np.concatenate([kept.points for kept in found])
    spread = np.ptp(every, axis=0).max() if len(every) else 0.0
    widest = max((kept.extent for kept in found if kept.sound), default=0.0)
    size = max(float(spread), widest, 1e-3 * float(np.abs(every).max(initial=0.0)), 1e-300)
    return np.array([
        DIVERGED if not kept.sound else 1 if kept.resting else period_of(kept.points, longest, closeness * size)
        for kept in found
    ])  # fmt: skip


def _exponents(
    system: System,
    cells: Sequence[Mapping[str, float]],
    found: Sequence[Kept],
    record: Record,
    seed: int,
    report: Report | None,
) -> Array:
    """The largest exponent for each choice of parameters, along the orbit that goes on from its last state."""
    duration = max(record.dt * record.count, 1000.0 if system.stepwise else 0.0)
    if together(system) and system.stepwise and system.autonomous:
        return _together(system, cells, found, round(duration), seed, report)
    values = np.full(len(cells), np.nan)
    for i, (given, kept) in enumerate(zip(cells, found, strict=True)):
        if kept.sound:
            try:
                with np.errstate(invalid="ignore", divide="ignore"):  # minus infinity on a superstable orbit
                    estimate = lyapunov_spectrum(
                        system.with_parameters(**given), count=1, duration=duration, transient=0.0, initial=kept.last,
                        tolerance=record.tolerance, seed=seed,
                    )  # fmt: skip
                values[i] = estimate.value[0]
            except SimulationError:
                continue
        if report is not None:
            report((i + 1) / len(cells))
    return values


def _together(
    system: System,
    cells: Sequence[Mapping[str, float]],
    found: Sequence[Kept],
    iterations: int,
    seed: int,
    report: Report | None,
) -> Array:
    """The same for a map in array code: the displacements of many cells in one call."""
    values = np.full(len(cells), np.nan)
    frame = np.linalg.qr(generator(seed, "tangent vectors").normal(size=(system.dimension, 1)))[0]
    sound = np.array([i for i, kept in enumerate(found) if kept.sound], dtype=np.int64)
    width = 1 if by_directions(system, 1) else system.dimension
    block, settle = max(1, MOST_SLOPES // (system.dimension * width)), 50
    for start in range(0, len(sound), block):
        part = sound[start : start + block]
        given = {name: np.array([cells[i][name] for i in part]) for name in cells[0]}
        grown = reductions_of_many(
            system, np.stack([found[i].last for i in part]), frame, 0.0, 4.0, (settle + iterations) // 4,
            parameters=given,
        ).growth[:, settle // 4 :, 0]  # fmt: skip
        values[part] = grown.mean(axis=1) / 4
        if report is not None:
            report((start + len(part)) / len(sound))
    return values
