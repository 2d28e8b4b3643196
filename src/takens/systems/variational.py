"""Small displacements from the orbits of a system: carried along, and made orthonormal after each interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InsufficientData, SettingError, SimulationError
from .base import Report, System
from .equations import Equations
from .lattice.rule import Lattice
from .rule import Array, ArrayRule

if TYPE_CHECKING:
    from .native.emit import Program
    from .native.tangent import Tangent
    from .native.tangent_run import Pace

MOST = 40_000
"""Most numbers of a state and its vectors together, of which an integration holds twenty copies."""
BLOCK = 16
"""Intervals of array code after which progress is reported."""


@dataclass(frozen=True)
class Reduction:
    """What became of a frame of displacements in successive intervals, V_k = J(interval k) Q_(k-1) = Q_k R_k.

    `states (interval, phase)` and `frames (interval, phase, vector)`, the orthonormal Q_k, are those at the end of each
    interval, `triangles (interval, vector, vector)` the upper triangular R_k with diagonals >= 0, and `volumes
    (interval,)` the logarithms of the growth of all volumes: the integral of the divergence of a flow, log |det J| of a
    map; NaN where that is not known. A vector that depends on those before it becomes 0.
    """

    states: Array
    frames: Array
    triangles: Array
    volumes: Array

    @property
    def growth(self) -> Array:
        """log R_ii `(interval, vector)`: by how much each orthogonal direction grew; -inf where one vanished."""
        with np.errstate(divide="ignore"):
            return np.log(np.diagonal(self.triangles, axis1=-2, axis2=-1))


def reductions(
    system: System,
    phase: Array,
    vectors: Array,
    start: float,
    interval: float,
    intervals: int,
    *,
    tolerance: float = 1e-9,
    step: float | None = None,
) -> Iterator[Reduction]:
    """The reductions of `vectors (phase, vector)` along the orbit from `phase` at `start`, in parts one after another.

    Flows and maps with equations go by machine code: flows by DOP853 to the tolerance or, with `step`, by RK4 with
    steps of at most that length. Everything else goes by `System.carried`. Raises `SimulationError` where the orbit
    cannot be continued and `InsufficientData` for more than 40,000 numbers.
    """
    tangent = compiled(system, vectors.shape[1])
    if tangent is None:
        if step is not None:
            raise SettingError("has no fixed steps", place=system.name, remedy="Leave step out.")
        yield from _in_arrays(system, phase, vectors, start, interval, intervals, tolerance)
        return
    from .native.tangent_run import reduce

    pace = _pace(system, start, interval, tolerance, step, first_steps(system, phase[None], start, interval)[0])
    for rows in reduce(tangent, phase, vectors, system.values_of_parameters(), pace, intervals):
        yield _parted(tangent, rows)


def reductions_of_many(
    system: System,
    phases: Array,
    vectors: Array,
    start: float,
    interval: float,
    intervals: int,
    *,
    tolerance: float = 1e-9,
    step: float | None = None,
    parameters: Mapping[str, Array] | None = None,
    report: Report | None = None,
) -> Reduction:
    """The reductions of the same `vectors` along orbits from `phases (member, phase)`: all arrays gain that axis.

    Members whose orbit cannot be continued are NaN. Maps in array code take `parameters` by name, `(member,)`.
    """
    tangent = compiled(system, vectors.shape[1])
    if tangent is not None:
        from .native.tangent_run import reduce_many

        first = first_steps(system, phases, start, interval)
        pace = _pace(system, start, interval, tolerance, step, 0.0)
        rows = reduce_many(tangent, phases, vectors, system.values_of_parameters(), pace, first, intervals)
        return _parted(tangent, rows)
    if together(system) and step is None:
        try:
            return _together(system, phases, vectors, start, interval, intervals, tolerance, parameters, report)
        except SimulationError:
            if len(phases) == 1:
                raise  # each member alone, to see which of them cannot be continued
    size, count = vectors.shape
    shapes = ((size,), (size, count), (count, count), ())
    found = [np.full((len(phases), intervals, *shape), np.nan) for shape in shapes]
    for member, phase in enumerate(phases):
        try:
            parts = list(reductions(system, phase, vectors, start, interval, intervals, tolerance=tolerance, step=step))
        except SimulationError:
            continue
        whole = joined(parts)
        for array, value in zip(found, (whole.states, whole.frames, whole.triangles, whole.volumes), strict=True):
            array[member] = value
    return Reduction(*found)


def together(system: System) -> bool:
    """Whether many members cost little more than one: a flow or map in array code."""
    from .kinds import Flow, Map

    return isinstance(system.rule, ArrayRule) and isinstance(system, Flow | Map)


def _together(
    system: System,
    phases: Array,
    vectors: Array,
    start: float,
    interval: float,
    intervals: int,
    tolerance: float,
    parameters: Mapping[str, Array] | None,
    report: Report | None,
) -> Reduction:
    """The reductions of all members of a system in array code, one interval after the other."""
    from .arrays import flow_carried, map_carried

    frames = np.repeat(vectors[None], len(phases), axis=0)
    parts: list[tuple[Array, Array, Array, Array]] = []
    for k in range(intervals):
        begin = start + k * interval
        if system.stepwise:
            phases, moved, volumes = map_carried(system, phases, frames, begin, interval, parameters)
        else:
            phases, moved, volumes = flow_carried(system, phases, frames, begin, interval, tolerance)
        frames, triangles = _factors(moved)
        parts.append((phases, frames, triangles, volumes))
        if report is not None:
            report((k + 1) / intervals)
    return Reduction(*(np.stack(kind, axis=1) for kind in zip(*parts, strict=True)))


def joined(parts: list[Reduction]) -> Reduction:
    """Consecutive parts as one."""
    return Reduction(
        np.concatenate([p.states for p in parts]), np.concatenate([p.frames for p in parts]),
        np.concatenate([p.triangles for p in parts]), np.concatenate([p.volumes for p in parts]),
    )  # fmt: skip


def carried(
    system: System, phase: Array, vectors: Array, start: float, duration: float, tolerance: float
) -> tuple[Array, Array, float] | None:
    """`System.carried` by machine code, V = Q R after one interval; None for a system without equations."""
    lattice = isinstance(system.rule, Lattice)
    if not lattice and compiled(system, vectors.shape[1]) is None:
        return None
    if not 0 <= duration < np.inf:
        raise SettingError(f"displacements cannot be carried for {duration}", place=system.name)
    if duration == 0:
        return phase.copy(), np.array(vectors, dtype=np.float64), 0.0
    if lattice:
        return _along_lattice(system, phase, vectors, start, duration, tolerance)
    (part,) = reductions(system, phase, vectors, start, duration, 1, tolerance=tolerance)
    return part.states[0], part.frames[0] @ part.triangles[0], float(part.volumes[0])


def _along_lattice(
    system: System, phase: Array, vectors: Array, start: float, duration: float, tolerance: float
) -> tuple[Array, Array, float]:
    """States and displacements of a lattice, which are a lattice again: one vector after the other, then the volume."""
    from .native.integrate import integrate, march

    assert isinstance(system.rule, Lattice)
    size, count = vectors.shape
    program, values = _lattice_program(system.rule, count), system.values_of_parameters()
    state = np.concatenate([phase, vectors.T.ravel(), [0.0]])
    if system.stepwise:
        end = march(program, state, values, 1, start=start, skipped=round(duration)).states[0]
    else:
        moment = np.array([start + duration])
        end = integrate(program, state, values, moment, start=start, tolerance=tolerance).states[0]
    volume = float("nan") if system.stepwise else float(end[-1])
    return end[:size], end[size:-1].reshape(count, size).T, volume


@lru_cache(maxsize=16)
def _lattice_program(rule: Lattice, count: int) -> Program:
    from .lattice.tangent import tangent

    return tangent(rule, count).program


def compiled(system: System, count: int) -> Tangent | None:
    """What machine code for a flow or map and `count` vectors is made from; None for rules without equations."""
    from .kinds import Flow, Map

    rule = system.rule
    if not isinstance(rule, Equations) or not isinstance(system, Flow | Map):
        return None
    numbers = system.dimension * (1 + count)
    if numbers > MOST:
        raise InsufficientData(
            f"{system.dimension} states with {count} displacements are too many: {numbers:,} numbers of {MOST:,}",
            place=system.name,
            remedy="Ask for fewer exponents with count=.",
        )
    from .native.tangent import Tangent

    definitions, rows = rule.jacobian
    return Tangent(rule.program, definitions, rows, count, isinstance(system, Flow))


def first_steps(system: System, phases: Array, start: float, interval: float) -> Array:
    """First steps `(member,)` for the adaptive loop: a hundredth of the time in which states or displacements change.

    It depends on nothing but the member's own state, so that a member's result is the same in every company.
    """
    if system.stepwise:
        return np.full(len(phases), interval)
    with np.errstate(all="ignore"):
        speed = np.sqrt(np.mean((system.rhs(start, phases) / (1 + np.abs(phases))) ** 2, axis=-1))
        turn = np.sqrt(np.sum(system.jacobian(start, phases) ** 2, axis=(-2, -1)))
        step = 0.01 / np.maximum(speed, turn)
    return np.where(np.isfinite(step), np.minimum(step, interval), 1e-3 * interval)


def _pace(
    system: System, start: float, interval: float, tolerance: float, step: float | None, first_step: float
) -> Pace:
    from .native.tangent_run import Pace

    if system.stepwise:
        if step is not None:
            raise SettingError("a map has no steps to choose", place=system.name, remedy="Leave step out.")
        return Pace(start, float(round(interval)), round(interval))
    if step is not None:
        return Pace(start, interval, max(1, int(np.ceil(interval / step - 1e-9))))
    return Pace(start, interval, None, tolerance, first_step)


def _parted(tangent: Tangent, rows: Array) -> Reduction:
    """The numbers of rows `(..., width)` by what they are."""
    size, count, leading = tangent.size, tangent.count, rows.shape[:-1]
    frames = rows[..., tangent.first : tangent.dimension].reshape(*leading, size, count)
    triangles = rows[..., tangent.dimension :].reshape(*leading, count, count)
    return Reduction(rows[..., :size], frames, triangles, _volume(tangent, rows[..., size]))


def _volume(tangent: Tangent, values: Array) -> Array:
    """Logarithms; a product that left the range of numbers is not known."""
    if tangent.flow:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(values)
        return np.where(((size > 1e-290) & (size < 1e290)) | (size == 0), np.log(size), np.nan)


def _in_arrays(
    system: System, phase: Array, vectors: Array, start: float, interval: float, intervals: int, tolerance: float
) -> Iterator[Reduction]:
    parts: list[tuple[Array, Array, Array, float]] = []
    for k in range(intervals):
        phase, moved, volume = system.carried(phase, vectors, start + k * interval, interval, tolerance=tolerance)
        vectors, triangle = _factors(moved)
        parts.append((phase, vectors, triangle, volume))
        if len(parts) == BLOCK or k == intervals - 1:
            yield Reduction(*(np.array(kind) for kind in zip(*parts, strict=True)))
            parts = []


def _factors(moved: Array) -> tuple[Array, Array]:
    """Q and R with a diagonal >= 0."""
    vectors, triangle = np.linalg.qr(moved)
    sign = np.where(np.diagonal(triangle, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return vectors * sign[..., None, :], triangle * sign[..., None]
