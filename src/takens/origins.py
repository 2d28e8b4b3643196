"""Laws set free from many origins of a test series: valid times and the error at a step, with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InsufficientData, SettingError
from .models.base import Law, RecursiveLaw
from .models.selection import free_runs
from .models.trajectories import Known
from .scores import Score, prediction_error, valid_time
from .series import Series, as_series

Array = NDArray[np.float64]

BATCH = 2_000_000
"""Numbers that runs from many origins hold at once (16 MB)."""


@dataclass(frozen=True)
class FreeRuns:
    """Noise-free runs of a law from `rows` of a test series: `paths` and `truths (origin, horizon, channel)`.

    A run starts after row - 1 and its first step belongs to the row. `std (channel,)` is that of the whole test series.
    """

    rows: NDArray[np.int64]
    paths: Array
    truths: Array
    std: Array
    interval: float
    unit: str


def run_from(
    law: Law, series: Series | ArrayLike, horizon: int, *, origins: int | Sequence[int] | None = 20
) -> FreeRuns:
    """Noise-free runs of `horizon` steps from `origins` evenly spread rows of the test `series`, or from given rows.

    None is every row with room. The rows before each origin, as many as the law remembers, are its history; known
    inputs are taken from the series. Of the truth within the horizon values may be missing, of the history none. A run
    that leaves the law's guard box has failed: it is NaN from there on. Raises `LawError` where the series does not fit
    the law, `InsufficientData` where there is room for fewer origins than asked for. Cost: horizon steps of all
    origins together for laws that are maps, else a run each.
    """
    if horizon < 1:
        raise SettingError(f"horizon must be at least 1, got {horizon}")
    grid = _grid_of(law, series)
    values, targets = grid.values, law.signature.targets
    rows = _rows(grid, law.memory, horizon, origins)
    std = np.nanstd(values[:, :targets], axis=0)
    truths = np.stack([values[row : row + horizon, :targets] for row in rows])
    return FreeRuns(rows, _paths(law, grid, rows, horizon), truths, std, grid.interval, grid.clock.unit)


def _grid_of(law: Law, series: Series | ArrayLike) -> Series:
    given = as_series(series)
    if not isinstance(series, Series):
        given = Series.from_array(
            given.values, interval=law.signature.interval, unit=law.signature.clock.unit,
            channels=law.signature.channels, units=law.signature.units,
        )  # fmt: skip
    grid = (given.inputs_last if law.signature.inputs else given).gridded()
    law.signature.check(grid)
    return grid


def _rows(grid: Series, memory: int, horizon: int, origins: int | Sequence[int] | None) -> NDArray[np.int64]:
    """Rows with `memory` complete rows before them and `horizon` rows from them on."""
    whole: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(grid.values), axis=1)
    complete = np.convolve(whole, np.ones(memory, dtype=int))[: len(whole)] == memory
    possible = np.flatnonzero(complete[: max(0, len(whole) - horizon)]) + 1
    wanted = 1 if origins is None else origins
    if isinstance(wanted, int):
        if wanted < 1 or len(possible) < wanted:
            raise InsufficientData(
                f"{len(whole)} rows have room for {len(possible)} origins with {memory} complete rows before and "
                f"{horizon} after; {wanted} are asked for",
                place=grid.name,
                remedy="Lower the horizon or the number of origins, or give a longer series.",
            )
        if origins is None:
            return possible
        return possible[np.linspace(0, len(possible) - 1, wanted).round().astype(int)]
    rows = np.asarray(wanted, dtype=np.int64)
    for row in rows[~np.isin(rows, possible)]:
        raise SettingError(f"row {row} has no {memory} complete rows before it and {horizon} from it on")
    return rows


def _paths(law: Law, grid: Series, rows: NDArray[np.int64], horizon: int) -> Array:
    values, targets = grid.values, law.signature.targets
    found = []
    size = max(1, BATCH // (horizon * values.shape[1] + law.memory * values.shape[1]))
    for part in np.array_split(rows, -(-len(rows) // size)):
        before = np.stack([values[row - law.memory : row] for row in part])
        known = [
            Known(
                law.signature.row(float(grid.times[row])),
                values[row : row + horizon, targets:] if law.signature.inputs else None,
            )
            for row in part
        ]
        path = free_runs(law, before, horizon, known)[..., :targets]
        if isinstance(law, RecursiveLaw):
            out = ((path <= law.low[:targets]) | (path >= law.high[:targets])).any(axis=2)
            path = np.where(np.logical_or.accumulate(out, axis=1)[..., None], np.nan, path)
        found.append(path)
    return np.concatenate(found)


def valid_times(
    law: Law,
    series: Series | ArrayLike,
    *,
    horizon: int,
    origins: int | Sequence[int] = 20,
    lyapunov_exponent: float | None = None,
    threshold: float | None = None,
    kind: Literal["nrmse", "smape30"] = "nrmse",
    legacy: Literal["dysts"] | None = None,
) -> Score:
    """Valid prediction time of `law` over the `origins` of a test `series`: median, with quartiles, interval, flags.

    See `takens.scores.valid_time` for the definition and `Spread` for `details["spread"]`; one origin says little:
    valid times vary about exponentially between them. A run that leaves the guard box ends there and counts as failed.
    Channels that are constant in the series are left out. Cost: see `run_from`.
    """
    runs = run_from(law, series, horizon, origins=origins)
    varying = runs.std > 0
    if not varying.any():
        raise InsufficientData("every channel of the test series is constant")
    made = valid_time(
        runs.paths[..., varying], runs.truths[..., varying], runs.std[varying], runs.interval,
        lyapunov_exponent=lyapunov_exponent, threshold=threshold, kind=kind, legacy=legacy,
    )  # fmt: skip
    details = {**made.details, "rows": runs.rows}
    return replace(made, details=details, unit=made.unit if lyapunov_exponent else runs.unit)


def step_error(
    law: Law, series: Series | ArrayLike, *, step: int = 20, standardised: bool = False, origins: int | None = None
) -> Score:
    """PE(n): mean squared error of free runs at step n = `step`, started from every row of the test `series`.

    From all rows that have room, or from `origins` evenly spread ones. In the squared unit of the data, or in standard
    deviations of the series if `standardised`. See `takens.scores.prediction_error`. Source: Hess et al. (2023).
    """
    runs = run_from(law, series, step, origins=origins)
    scale = np.where(runs.std > 0, runs.std, 1.0) if standardised else 1.0
    made = prediction_error(runs.paths / scale, runs.truths / scale, step=step)
    return replace(made, details={**made.details, "rows": runs.rows})
