"""The data of a cell: what the models may learn from, and the record that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dynamics import dominant_period, lyapunov_spectrum
from ..errors import InsufficientData, SettingError
from ..random import generator
from ..series import Series
from ..systems.base import System
from ..systems.invariants import stored
from ..systems.simulate import simulate
from .regimes import Regime

Array = NDArray[np.float64]

FINER = 8
"""Rows of the finer grid, on which irregular times lie, for each sampling interval."""


@dataclass(frozen=True)
class Record:
    """One record in two parts: `training`, and the rows after it as they were `observed` and as they were `true`.

    `exponent` is the largest Lyapunov exponent of the system per unit of time, None where it is not positive or not
    known; `states (row, state)` all states of the record that follows, None for measured series. `interval` is the
    sampling interval and `horizon` the steps that forecasts cover.
    """

    training: Series
    observed: Series
    true: Series
    interval: float
    horizon: int
    exponent: float | None
    system: System | None = None
    states: Array | None = None


def of_system(system: System, regime: Regime, seed: int) -> Record:
    """The record of a system in a regime; the same seed gives the same trajectory for every model.

    Raises `SettingError` for a sampling by Lyapunov times where there is no positive exponent.
    """
    exponent, period = _times(system)
    dt = 1.0 if system.stepwise else _interval(system, regime, exponent, period)
    ahead = regime.lyapunov_times / exponent if exponent else regime.periods * (period or 20 * dt)
    horizon = int(np.clip(round(ahead / dt), 2, max(2, regime.test // 2)))
    rng = generator(seed, "benchmark", system.name)
    transient = float(round((1000 if system.stepwise else 100 * (period or 10 * dt)) * (1 + rng.random())))
    jitter = 0.0 if system.stepwise else regime.jitter
    # Irregular times are rows of a finer grid, so that nothing is interpolated.
    finer = FINER if jitter else 1
    total = regime.rows + regime.test
    run = simulate(system, length=total * finer, dt=dt / finer, transient=transient, seed=seed)
    moved = finer * np.arange(total)
    if jitter:
        moved[1 : regime.rows] += np.round(finer * jitter * rng.uniform(-1, 1, regime.rows - 1)).astype(np.int64)
    states, times = run.values[moved], run.times[moved] - run.times[0]
    shown = states.shape[1] if regime.observed == "all" else min(int(regime.observed), states.shape[1])
    clean, names = states[:, :shown], run.channels[:shown]
    spread = clean[: regime.rows].std(axis=0)
    noisy = clean + regime.noise * spread * generator(seed, "benchmark", system.name, "noise").normal(size=clean.shape)
    cut = regime.rows
    training = Series(times[:cut], noisy[:cut], names, clock=run.clock, name=system.name)
    observed, true = (Series(times[cut:], x[cut:], names, clock=run.clock, name=system.name) for x in (noisy, clean))
    return Record(training, observed, true, dt, horizon, exponent, system, states[cut:])


def of_series(entry: Mapping[str, Any], regime: Regime) -> Record:
    """The record of a measured series: the last third, at most `regime.test` rows, follows the training rows."""
    from ..io.reading import open_data

    options = {key: value for key, value in entry.items() if key not in ("file", "horizon")}
    opened = open_data(entry["file"], **options)
    whole = (opened[-1] if isinstance(opened, list) else opened).gridded()
    test = min(regime.test, len(whole) // 3)
    if test < 50:
        raise InsufficientData(f"{len(whole)} rows are too few to learn from and to judge by", place=entry["file"])
    cut = len(whole) - test
    training, later = whole.rows(max(0, cut - regime.rows), cut), whole.rows(cut)
    horizon = max(2, min(test // 4, int(entry.get("horizon", 50))))
    return Record(training, later, later, whole.interval, horizon, None)


def _interval(system: System, regime: Regime, exponent: float | None, period: float | None) -> float:
    """The sampling interval of a system of continuous time."""
    if regime.points_per_lyapunov_time is not None:
        if exponent is None:
            raise SettingError("has no positive exponent, so no points per Lyapunov time", place=system.name)
        return 1 / (exponent * regime.points_per_lyapunov_time)
    if period is None:
        raise SettingError("has no period that is known, so no points per period", place=system.name)
    assert regime.points_per_period is not None
    return period / regime.points_per_period


def _times(system: System) -> tuple[float | None, float | None]:
    """The largest exponent where it is positive, and the typical period, in the unit of time of the system."""
    kept = stored(system.name)
    if kept is not None:
        spectrum, period = kept.get("lyapunov_spectrum", {}).get("value"), kept.get("dominant_period", {}).get("value")
        first = None if not spectrum else float(spectrum[0])
        error = 0.0 if not spectrum else float(kept["lyapunov_spectrum"]["standard_error"][0])
    else:
        found = lyapunov_spectrum(system, count=1)
        first, error = float(found.value[0]), float(found.details["standard_error"][0])
        period = None
    if period is None and not system.stepwise:
        period = system.period or dominant_period(system).value
    positive = first is not None and first > 3 * error and first > 1e-4
    return (first if positive else None), (None if period is None else float(period))
