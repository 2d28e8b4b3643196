"""Transport: how far orbits spread with time, and the coefficient of diffusion where they spread like random walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError, SimulationError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.evolve import evolve
from ..wording import printed
from .record import MOST_NUMBERS

Array = NDArray[np.float64]
GROUPS = 20
"""Groups of orbits whose displacements are compared for standard errors."""


@dataclass(frozen=True, eq=False)
class Displacement:
    """The mean-square displacement of many orbits.

    `values (time,)` = the mean over orbits of sum_i (x_i(t) - x_i(0))^2 over the `states` that count, at `times
    (time,)`; `error (time,)` its standard error; `groups (group, time)` the means over 20 groups of orbits.
    """

    system: str
    states: tuple[str, ...]
    times: Array
    values: Array
    error: Array
    groups: Array

    __repr__ = printed


def mean_square_displacement(
    system: System,
    initial: ArrayLike,
    times: ArrayLike,
    states: Sequence[str] | None = None,
    *,
    tolerance: float = 1e-9,
) -> Displacement:
    """The mean-square displacement of orbits from `initial (member, state)` at evenly spaced `times (time,)`.

    `states` names those that count (None: all). They must not wrap around: write the equations of a map on a cylinder
    without the modulo for them. Raises `SettingError` for settings that do not fit, `InsufficientData` for fewer than
    40 orbits and `SimulationError` where one diverges. Cost: that of the orbits.
    """
    names = tuple(system.states if states is None else states)
    unknown = [name for name in names if name not in system.states]
    if unknown or not names:
        raise SettingError(
            f"unknown states {unknown}", place=system.name, remedy=f"States: {', '.join(system.states)}."
        )
    start, moments = np.asarray(initial, dtype=np.float64), np.asarray(times, dtype=np.float64)
    if start.ndim != 2 or start.shape[1] != system.dimension:
        raise SettingError(f"initial has shape {start.shape} instead of (member, {system.dimension})",
                           place=system.name)  # fmt: skip
    if len(start) < 2 * GROUPS:
        raise InsufficientData(f"{len(start)} orbits are too few for an error", place=system.name,
                               remedy=f"Use at least {2 * GROUPS}.")  # fmt: skip
    columns = [system.states.index(name) for name in names]
    squares = np.empty((len(start), len(moments)))
    block = max(1, MOST_NUMBERS // (len(moments) * system.dimension))
    for first in range(0, len(start), block):
        part = slice(first, first + block)
        moved = evolve(system, start[part], moments, tolerance=tolerance)[..., columns] - start[part, None, columns]
        with np.errstate(over="ignore"):
            squares[part] = (moved**2).sum(axis=-1)
    if not np.isfinite(squares).all():
        lost = int((~np.isfinite(squares).all(axis=1)).sum())
        raise SimulationError(f"{lost} of {len(start)} orbits diverge", time=float(moments[-1]), state=(),
                              place=system.name, remedy="Choose initial states whose orbits exist.")  # fmt: skip
    # Neighbours in the list are often neighbours in the state space: each group takes every twentieth orbit.
    groups = np.array([squares[k::GROUPS].mean(axis=0) for k in range(GROUPS)])
    error = squares.std(axis=0, ddof=1) / np.sqrt(len(start))
    return Displacement(system.name, names, moments, squares.mean(axis=0), error, groups)


def diffusion_coefficient(displacement: Displacement, *, after: float | None = None, level: float = 0.95) -> Estimate:
    """The coefficient of diffusion D of a mean-square displacement: <|x(t) - x(0)|^2> ~ 2 d D t in d dimensions.

    The slope of the displacement over the times later than `after` (None: the second half); the error is that of the
    mean over 20 groups of orbits. `details` holds the `exponent` mu of <|x(t) - x(0)|^2> ~ t^mu over the same times,
    with `exponent_error`: 1 for diffusion, 2 for ballistic motion, between them or below 1 for anomalous transport. Not
    admissible where mu is not 1 within three standard errors and 0.1: D depends on the time then. Raises
    `InsufficientData` for fewer than four such times.
    """
    from scipy.stats import t as student

    times = displacement.times
    late = times > (times[-1] / 2 if after is None else after)
    if late.sum() < 4:
        raise InsufficientData(f"{late.sum()} times are too few for a slope", place=displacement.system,
                               remedy="Give more times, or a smaller after.")  # fmt: skip
    t = times[late]
    slopes = np.array([np.polyfit(t, group[late], 1)[0] for group in displacement.groups])
    slopes = slopes / (2 * len(displacement.states))
    value, error = float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(GROUPS))
    wide = float(student.ppf((1 + level) / 2, GROUPS - 1)) * error
    moving = (displacement.groups[:, late] > 0).all()
    powers = np.array([np.polyfit(np.log(t), np.log(group[late]), 1)[0] for group in displacement.groups if moving])
    mu = float(powers.mean()) if moving else 0.0
    spread = float(powers.std(ddof=1) / np.sqrt(GROUPS)) if moving else 0.0
    sound = abs(mu - 1) <= max(3 * spread, 0.1)
    return Estimate(
        "diffusion_coefficient", value, "", (value - wide, value + wide), level,
        "slope of the mean-square displacement", {"after": float(t[0]), "orbits_groups": GROUPS}, admissible=sound,
        reason="" if sound else f"the displacement grows as t^{mu:.2f}, not as t", channel=displacement.system,
        details={"standard_error": error, "exponent": mu, "exponent_error": spread},
    )  # fmt: skip
