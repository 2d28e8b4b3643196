"""How long orbits take to come back to a set, and how that follows from the measure of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.events import crossings
from ..systems.evolve import orbit

Array = NDArray[np.float64]

BATCHES = 20
"""Consecutive parts whose mean return times are compared for the standard error."""
FEWEST = 5 * BATCHES
"""Returns below which an error cannot be told."""


def return_times(
    source: System | ArrayLike,
    centre: ArrayLike,
    radius: float,
    *,
    duration: float = 100_000,
    transient: float = 0.0,
    initial: ArrayLike | None = None,
    level: float = 0.95,
    tolerance: float = 1e-9,
) -> Estimate:
    """The mean time between visits of an orbit to the ball |x - centre| < radius, with all of them in `details`.

    `source` is a map, a flow, or states `(time, state)` of an orbit in equal steps. Of maps and states every moment
    inside is a visit, and times count steps: by Kac's lemma their mean is 1 / (measure of the ball). Of a flow a visit
    begins when the orbit enters, and times are from entrance to entrance. The orbit of a system starts from `initial`
    and has the `duration` given, in steps or time units, after `transient`.

    `details` holds "times (return,)", "visits", and the "measure", the share of time spent inside. In small balls of a
    mixing system times are nearly exponential. The interval at `level` is from 20 consecutive parts of the returns;
    with fewer than 100 returns the estimate is not admissible. Raises `SettingError` for unfit arguments and
    `SimulationError` where the orbit diverges. Cost: that of the orbit. Source: Kac, Bull. Am. Math. Soc. 53, 1002
    (1947); Hirata, Saussol & Vaienti, Commun. Math. Phys. 206, 33 (1999), for the distribution.
    """
    middle = np.asarray(centre, dtype=np.float64)
    name = source.name if isinstance(source, System) else ""
    if not 0 < radius < np.inf or not np.isfinite(middle).all() or not 0 < level < 1:
        raise SettingError(f"a ball of radius {radius} around {middle.tolist()}, level {level}", place=name)
    if isinstance(source, System):
        if middle.shape != (source.dimension,):
            raise SettingError(f"the centre has shape {middle.shape} for {source.dimension} states", place=name)
        if not 0 < duration < np.inf or not 0 <= transient < np.inf:
            raise SettingError(f"duration is {duration}, transient {transient}", place=name)
    settings: dict[str, Any] = {"centre": middle.tolist(), "radius": radius}
    if isinstance(source, System) and not source.stepwise:
        times, measure = _entrances(source, middle, radius, (duration, transient), initial, tolerance)
        unit = "time units"
    else:
        states = np.asarray(source, dtype=np.float64) if not isinstance(source, System) else orbit(
            source, source.phase(initial), np.round(transient) + np.arange(int(duration))
        )  # fmt: skip
        times, measure = _visits(states, middle, radius)
        unit = "steps"
    if isinstance(source, System):
        settings |= {"duration": duration, "transient": transient, "parameters": dict(source.parameters)}
    return _estimate(times, measure, unit, level, settings, name)


def _visits(states: Array, centre: Array, radius: float) -> tuple[Array, float]:
    """Steps between moments inside a ball, and the share of such moments."""
    if states.ndim != 2 or states.shape[1:] != centre.shape or len(states) < 2:
        raise SettingError(f"states have shape {states.shape}, the centre {centre.shape}")
    inside = np.linalg.norm(states - centre, axis=1) < radius
    return np.diff(np.flatnonzero(inside)).astype(np.float64), float(inside.mean())


def _entrances(
    system: System, centre: Array, radius: float, span: tuple[float, float], initial: ArrayLike | None, tolerance: float
) -> tuple[Array, float]:
    """Times between entrances of a flow into a ball, and the share of time inside, between the first and the last."""
    squares = " + ".join(f"({name} - ({float(c)!r}))**2" for name, c in zip(system.states, centre, strict=True))
    found = crossings(
        system, f"{squares} - {float(radius) ** 2!r}", initial=initial, duration=span[0], transient=span[1],
        tolerance=tolerance,
    )  # fmt: skip
    if not len(found.times):
        return np.empty(0), 0.0
    rates = system.rhs(found.times, found.states)
    entering = ((found.states - centre) * rates).sum(axis=1) < 0
    starts = np.flatnonzero(entering)
    if len(starts) < 2:
        return np.empty(0), 0.0
    # Crossings alternate, so that each entrance but the last is followed by its exit.
    stays = found.times[starts[:-1] + 1] - found.times[starts[:-1]]
    times = np.diff(found.times[starts])
    return times, float(stays.sum() / times.sum())


def _estimate(
    times: Array, measure: float, unit: str, level: float, settings: dict[str, Any], name: str
) -> Estimate:  # fmt: skip
    details = {"times": times, "visits": len(times) + 1 if len(times) else 0, "measure": measure}
    enough = len(times) >= FEWEST
    value, interval = (float(times.mean()) if len(times) else None), None
    if enough:
        from scipy.stats import t as student

        means = np.array([part.mean() for part in np.array_split(times, BATCHES)])
        wide = float(student.ppf((1 + level) / 2, BATCHES - 1) * means.std(ddof=1) / np.sqrt(BATCHES))
        assert value is not None
        interval = (value - wide, value + wide)
    return Estimate(
        "return_time", value, unit, interval, level, "visits to a ball", settings, admissible=enough,
        reason="" if enough else f"{len(times)} returns; {FEWEST} are needed: take a longer orbit or a larger ball",
        reference="Kac, Bull. Am. Math. Soc. 53, 1002 (1947)", channel=name, details=details,
    )  # fmt: skip
