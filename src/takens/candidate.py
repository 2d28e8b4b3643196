"""One model in a study: its calibrated backtest, reduced to the numbers that choose and judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backtest import Backtest, Outpaced, Plan, backtest
from .errors import TakensError
from .estimate import plain
from .models.base import Law, Model
from .models.recalibration import Recalibration
from .random import generator
from .scores import CLIMATE, Case, Runs, crps_samples
from .scores import REGISTRY as SCORES
from .series import Series, as_trajectories

Array = NDArray[np.float64]

RECALIBRATIONS = 6
"""How often, during the judging part of a backtest, the calibration is renewed with the errors seen by then."""
STEP = 0.25
"""How strongly one forecast that missed, or was too wide, changes the width of the next."""
CLIMATE_ROWS = 5000
"""Most rows of a free run that is compared with the observed climate."""
CLIMATE_LEAST = 200
"""Fewest rows of truth with which a climate is compared; two halves of fewer say nothing about one another."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Nominal levels at which the coverage is recorded."""
PIT_VALUES = 3000
"""Most probability integral transforms that are kept for the figure."""


@dataclass(frozen=True)
class Candidate:
    """What a study knows of one model.

    `choosing` and `judging` hold the CRPS of each origin of the first and the second half of the plan, in standard
    deviations of the channels, averaged over horizon and channels; `scores` all scores over all origins and `floors`
    their noise floors. A model that failed or was skipped says why in `reason` and has no scores.
    """

    model: str
    baseline: bool
    status: str = "ok"
    reason: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    choosing: tuple[float, ...] = ()
    judging: tuple[float, ...] = ()
    crps_by_step: tuple[float, ...] = ()
    nrmse_by_step: tuple[float, ...] = ()
    coverage_by_step: tuple[float, ...] = ()
    coverage_by_level: Mapping[str, float] = field(default_factory=dict)
    pit: tuple[float, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    floors: Mapping[str, float | None] = field(default_factory=dict)
    diverged: float = 0.0
    fit_seconds: float = 0.0
    forecast_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the model was fitted and scored."""
        return self.status == "ok"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return plain(asdict(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """The candidate that `to_dict` wrote."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known}
        return cls(**values)


def evaluate(
    key: str,
    model: Model,
    data: Series | Sequence[Series],
    plan: Plan,
    *,
    members: int = 100,
    seed: int = 0,
    advance: Callable[[float], Any] | None = None,
    outpaced: Callable[[Sequence[Array], Sequence[Array]], str] | None = None,
) -> tuple[Candidate, Backtest | None]:
    """Backtest, calibrate and score `model`; a failure becomes a candidate with its reason, not an exception.

    `outpaced` may stop the backtest (see there). Cost: one backtest, one free run of at most 5,000 rows, and the
    scores.
    """
    try:
        tested = backtest(model, data, plan=plan, members=members, seed=seed, advance=advance, outpaced=outpaced)
    except Outpaced as stop:
        return Candidate(key, model.baseline, status="stopped", reason=stop.cause), None
    except (TakensError, ArithmeticError, ValueError, np.linalg.LinAlgError, MemoryError) as error:
        cause = error.cause if isinstance(error, TakensError) else f"{type(error).__name__}: {error}"
        return Candidate(key, model.baseline, status="failed", reason=cause), None
    found = judged(key, tested, data, plan, baseline=model.baseline, seed=seed, settings=described(tested.model))
    return found, tested


def judged(
    key: str,
    tested: Backtest,
    data: Series | Sequence[Series],
    plan: Plan,
    *,
    baseline: bool,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> Candidate:
    """The candidate that a finished backtest makes: calibrated, scored, its law set free."""
    whole = as_trajectories(data)[-1].gridded().inputs_last
    series = whole.observed
    scale = channel_scale(series, plan)
    samples, truth = calibrated(tested) / scale, tested.truth / scale
    per_origin = np.array([np.nanmean(crps_samples(s, t)) for s, t in zip(samples, truth, strict=True)])
    case = Case.of(samples, truth, history=series.values[: plan.origins[0]] / scale, level=0.9, seed=seed)
    case = replace(case, interval=series.interval, time_unit=series.clock.unit)
    raw = Case.of(samples * scale, tested.truth, level=0.9, seed=seed)
    found = {name: score.function(raw if name in IN_UNITS else case) for name, score in SCORES.items()}
    climate, floors = _long_range(tested, whole, plan, seed)
    pit = found["pit"].details["values"]
    return Candidate(
        key,
        baseline,
        settings=plain(settings or {}),
        choosing=tuple(per_origin[~plan.testing]),
        judging=tuple(per_origin[plan.testing]),
        crps_by_step=_by_step(found["crps"]),
        nrmse_by_step=_by_step(found["nrmse"]),
        coverage_by_step=_by_step(found["coverage"]),
        coverage_by_level={f"{level:.2f}": _coverage(case, level) for level in LEVELS},
        pit=_sampled(pit[~np.isnan(pit)], generator(seed, "kept pit")),
        scores={name: score.value for name, score in found.items()} | climate,
        floors={name: score.floor for name, score in found.items() if score.floor is not None} | floors,
        diverged=tested.diverged,
        fit_seconds=tested.fit_seconds,
        forecast_seconds=tested.forecast_seconds,
    )


IN_UNITS = frozenset({"mae", "rmse", "smape"})
"""Scores that are reported in the units of the data; the others are of data in standard deviations."""


def channel_scale(series: Series, plan: Plan) -> Array:
    """Standard deviation `(channel,)` of the rows before the first origin; 1 for a constant channel."""
    deviation = np.nanstd(series.values[: plan.origins[0]], axis=0)
    return np.where(deviation > 0, deviation, 1.0)


def described(model: Model) -> dict[str, Any]:
    """The hyper-parameters of a model, those of what it wraps included; runs of whole numbers as `1-24, 336-360`."""
    found: dict[str, Any] = {}
    for f in fields(model):
        value = getattr(model, f.name)
        if isinstance(value, Model):
            found |= described(value)
        elif isinstance(value, tuple) and value and all(isinstance(item, int) for item in value):
            found[f.name] = _runs(value)
        elif isinstance(value, bool | int | float | str):
            found[f.name] = value
    return found


def _runs(numbers: tuple[int, ...]) -> str:
    """Increasing whole numbers as text, consecutive ones joined."""
    edges = [0, *(i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1), len(numbers)]
    parts = [(numbers[a], numbers[b - 1]) for a, b in pairwise(edges)]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def calibrated(tested: Backtest) -> Array:
    """The samples of a backtest after recalibration, each from errors that were known at its origin.

    Judging origins use all errors seen before them, renewed on the way, and are widened or narrowed by how the earlier
    ones fared (`widening`). Choosing origins have too little before them, so each half is calibrated with the errors of
    the other half: the same small favour to every model.
    """
    plan, samples, truth = tested.plan, tested.samples, tested.truth
    out = np.empty_like(samples)
    choose = np.flatnonzero(~plan.testing)
    for mine, other in ((choose[::2], choose[1::2]), (choose[1::2], choose[::2])):
        recalibration = Recalibration.fit(samples[other], truth[other])
        for k in mine:
            out[k] = recalibration.apply(samples[k])
    for block in np.array_split(np.flatnonzero(plan.testing), RECALIBRATIONS):
        if len(block) == 0:
            continue
        seen = known_before(tested, plan.origins[block[0]])
        recalibration = Recalibration.fit(samples[: len(seen)], seen)
        for k in block:
            factor = widening(tested, out, plan.origins[k])
            out[k] = recalibration.widened(factor).apply(samples[k])
    return out


def widening(tested: Backtest, issued: Array, row: int) -> Array:
    """Factor `(channel,)` by which the intervals of a forecast from `row` are widened, from how earlier ones fared.

    log f = STEP sum over judged origins, whose truth was known by then, of (0.9 - share of it inside the 90 % interval
    that was `issued`). Where errors grow over time the past alone calibrates too narrow; this feedback keeps the
    long-run coverage. Source: Gibbs & Candes, Adaptive conformal inference under distribution shift, NeurIPS 2021.
    """
    plan = tested.plan
    done = [k for k in np.flatnonzero(plan.testing) if plan.origins[k] + plan.horizon <= row]
    if not done:
        return np.ones(tested.truth.shape[-1])
    low, high = np.quantile(issued[done], [0.05, 0.95], axis=1)
    truth = tested.truth[done]
    inside = np.where(np.isnan(truth), np.nan, (low <= truth) & (truth <= high))
    known = ~np.isnan(inside)
    share = np.where(known, inside, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    missed = np.where(known.any(axis=1), 0.9 - share, 0.0).sum(axis=0)
    return np.exp(np.clip(STEP * missed, -0.5, 1.5))


def known_before(tested: Backtest, row: int) -> Array:
    """Truth `(origin, horizon, channel)` of the origins before `row`, with NaN for what was not yet known there."""
    origins = np.asarray(tested.plan.origins)
    earlier = np.flatnonzero(origins < row)
    truth = tested.truth[earlier].copy()
    rows = origins[earlier][:, None] + np.arange(tested.plan.horizon)
    truth[rows >= row] = np.nan
    return truth


def free_run(law: Law, observed: Series, seed: int) -> Series:
    """A free run as long as the observed rows, driven by their known inputs where there are any."""
    return law.generate(max(len(observed), 2), inputs=observed if observed.inputs else None, seed=seed)


def climate_rows(series: Series, plan: Plan) -> Series:
    """The rows with which a free run is compared: the longest gap-free stretch, the latest 5,000 rows of it.

    The judging part alone where it is long enough, so that the law has not seen what it is compared with.
    """
    for part in (series.rows(plan.test), series):
        piece = max(part.stretches(), key=len, default=part.rows(0, 0))
        if len(piece) >= 4 * CLIMATE_LEAST:
            break
    return piece.rows(-CLIMATE_ROWS)


def _long_range(
    tested: Backtest, series: Series, plan: Plan, seed: int
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """The scores of a free run against the observed rows, and their noise floors; empty where these are too few."""
    observed = climate_rows(series, plan)
    if len(observed) < CLIMATE_LEAST:
        return {}, {}
    runs = Runs.of(free_run(tested.law, observed, seed), observed.observed)
    found = {name: score.function(runs) for name, score in CLIMATE.items()}
    return {name: score.value for name, score in found.items()}, {name: score.floor for name, score in found.items()}


def _by_step(score: Any) -> tuple[float, ...]:
    """A score by step of the horizon, averaged over channels."""
    return tuple(np.nanmean(score.details["by_horizon"], axis=-1))


def _coverage(case: Case, level: float) -> float:
    """Share of true values inside the central interval at `level`."""
    low, high = case.quantile((1 - level) / 2), case.quantile((1 + level) / 2)
    known = ~np.isnan(case.truth)
    return float(((low <= case.truth) & (case.truth <= high))[known].mean())


def _sampled(values: Array, rng: np.random.Generator) -> tuple[float, ...]:
    """At most `PIT_VALUES` of `values`, drawn without replacement."""
    kept = values if len(values) <= PIT_VALUES else rng.choice(values, PIT_VALUES, replace=False)
    return tuple(np.round(kept, 4))
