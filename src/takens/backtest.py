"""Rolling-origin forecasts without look-ahead: the one place where models meet data they have not seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InsufficientData, SettingError, TakensError
from .models.base import Known, Law, Model
from .random import generator
from .series import Series, as_trajectories
from .wording import counted

Array = NDArray[np.float64]
LEAST = 6
"""Origins to choose and to judge by; each half of those that choose calibrates the other, which takes three."""


class Outpaced(TakensError):
    """A backtest was stopped because its forecasts were clearly worse than those of another model."""


@dataclass(frozen=True)
class Plan:
    """Where a backtest starts its forecasts: grid rows of the last trajectory.

    A forecast from origin `o` may use rows before `o` and is compared with rows `o` to `o + horizon - 1`. `refits` are
    the rows at which the model is fitted anew, on the rows before. Origins before `test` choose the model and calibrate
    it; origins from `test` on judge it.
    """

    horizon: int
    origins: tuple[int, ...]
    refits: tuple[int, ...]
    test: int

    @property
    def testing(self) -> NDArray[np.bool_]:
        """Which origins judge (True) and which choose (False)."""
        return np.asarray(self.origins) >= self.test


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one model from every origin of a plan, beside what came true.

    `samples (origin, member, horizon, channel)`, `truth (origin, horizon, channel)` with NaN where it is missing,
    `law` the last law that was fitted and `model` with the hyper-parameters chosen for it, seconds for all fits and all
    forecasts, and the share of diverged members.
    """

    plan: Plan
    samples: Array
    truth: Array
    law: Law
    model: Model
    fit_seconds: float
    forecast_seconds: float
    diverged: float


def plan_origins(
    data: Series | Sequence[Series], horizon: int, *, choosing: int = 40, judging: int = 40, first: float = 0.6
) -> Plan:
    """Origins spread evenly over the last `1 - first` of the last trajectory, half of them to choose, half to judge.

    Origins are placed only where the row before is present and at least half of the truth is. Raises
    `InsufficientData` where fewer than 6 origins of each kind fit. Cost: O(rows).
    """
    series = as_trajectories(data)[-1].observed
    grid = series.gridded()
    present: NDArray[np.bool_] = np.asarray(np.isfinite(grid.values).all(axis=1))
    rows = len(present)
    if horizon < 1:
        raise SettingError(f"horizon must be at least 1, got {horizon}", place="horizon")
    start, middle = int(first * rows), int((first + (1 - first) / 2) * rows)
    known = np.concatenate([[0], np.cumsum(present)])

    def usable(a: int, b: int) -> list[int]:
        return [o for o in range(a, b - horizon + 1) if present[o - 1] and known[o + horizon] - known[o] >= horizon / 2]

    # Forecasts that choose end before `middle`, so that nothing the judges use has been seen.
    choose, judge = usable(max(start, 2), middle), usable(middle, rows)
    if min(len(choose), len(judge)) < LEAST:
        raise _too_few(horizon, rows, int(present.sum()), min(middle - max(start, 2), rows - middle), series)
    origins = _spread(choose, choosing) + _spread(judge, judging)
    return Plan(horizon, tuple(origins), (start, middle), middle)


def _too_few(horizon: int, rows: int, present: int, part: int, series: Series) -> InsufficientData:
    """Why there is no plan, and the longest horizon for which there is one in `part` rows without gaps."""
    place, largest = series.source or series.name, part + 1 - LEAST
    if present == 0:
        return InsufficientData("no row has a value in every channel", place=place, remedy="Leave out empty channels.")
    if largest < 1:
        return InsufficientData(
            f"{counted(rows, 'row')} are too few to compare forecasts" if rows > 1 else "one row is no series",
            place=place, remedy="At least 28 rows are needed, for a horizon of one step.",
        )  # fmt: skip
    remedy = f"Use a horizon of at most {counted(largest, 'step')}, or more data."
    if largest >= horizon:
        remedy = f"{counted(rows - present, 'row')} lack a value: fill them explicitly, or leave out gappy channels."
    cause = f"a horizon of {counted(horizon, 'step')} leaves too few forecasts to compare in {counted(rows, 'row')}"
    return InsufficientData(cause, place=place, remedy=remedy)


def _spread(rows: list[int], count: int) -> list[int]:
    """At most `count` of `rows`, evenly spaced."""
    if len(rows) <= count:
        return rows
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, count).round().astype(int))]


def backtest(
    model: Model,
    data: Series | Sequence[Series],
    *,
    horizon: int | None = None,
    plan: Plan | None = None,
    members: int = 100,
    seed: int = 0,
    advance: Callable[[float], Any] | None = None,
    outpaced: Callable[[Sequence[Array], Sequence[Array]], str] | None = None,
) -> Backtest:
    """Fit `model` at each refit of the plan and forecast from each origin with the history known there.

    Give a `plan`, or a `horizon` to have one made. Earlier trajectories are training data; the last one is forecast.
    Hyper-parameters are chosen at the first fit. `advance` is called with the finished share of the work, `outpaced`
    with the samples and truths so far: a text from it ends the backtest by `Outpaced`. Raises what the model raises.
    Cost: a fit a refit, and origins x horizon steps.
    """
    trajectories = [series.inputs_last for series in as_trajectories(data)]
    if plan is None:
        if horizon is None:
            raise SettingError("backtest needs a horizon or a plan")
        plan = plan_origins(trajectories, horizon)
    last = trajectories[-1].gridded()
    samples, truth, fit_seconds, forecast_seconds, diverged = [], [], 0.0, 0.0, 0
    law: Law | None = None
    fitted = -1
    for k, origin in enumerate(plan.origins):
        due = max((row for row in plan.refits if row <= origin), default=origin)
        if law is None or due != fitted:
            began = time.perf_counter()
            law, fitted = model.fit([*trajectories[:-1], last.rows(0, due)], seed=seed), due
            model = model.settled(law)  # later refits learn from more data, with the hyper-parameters of the first
            fit_seconds += time.perf_counter() - began
        began = time.perf_counter()
        rng = generator(seed, "backtest", origin)
        shown = law.signature.targets
        future = last.values[origin : origin + plan.horizon, shown:]
        known = Known(law.signature.row(float(last.times[origin - 1])) + 1, future if future.size else None)
        path = law.sample(_history(last.values, origin, law), plan.horizon, members, rng, known)
        forecast_seconds += time.perf_counter() - began
        if not np.isfinite(path).all():
            raise TakensError(f"{model.name} forecast values that are not finite from row {origin}")
        diverged += law.diverged(path)
        samples.append(path[..., :shown])
        truth.append(last.values[origin : origin + plan.horizon, :shown])
        if outpaced is not None and (reason := outpaced(samples, truth)):
            raise Outpaced(reason)
        if advance is not None:
            advance((k + 1) / len(plan.origins))
    assert law is not None
    share = diverged / (len(samples) * members)
    return Backtest(plan, np.stack(samples), np.stack(truth), law, model, fit_seconds, forecast_seconds, share)


def _history(values: Array, origin: int, law: Law) -> Array:
    """The complete rows that end just before `origin`, all of them for a law that lives with gaps.

    Raises `InsufficientData` where they are fewer than the law needs.
    """
    known, memory = values[:origin], law.memory
    if law.gaps and len(known) >= memory:
        return known
    holes = np.flatnonzero(~np.isfinite(known).all(axis=1))
    rows = known[holes[-1] + 1 :] if len(holes) else known
    if len(rows) < memory:
        raise InsufficientData(f"{memory} complete rows before row {origin + 1} are needed, {len(rows)} are there")
    return rows
