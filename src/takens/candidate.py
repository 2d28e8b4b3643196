"""One model in a study: its calibrated backtest, reduced to the numbers that choose and judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backtest import Backtest, Plan, backtest
from .errors import TakensError
from .estimate import plain
from .forecast import Forecast
from .models.base import Model
from .models.recalibration import Recalibration
from .random import generator
from .scores import crps_samples, energy_score, smape, spectral_hellinger, state_space_divergence, valid_time
from .series import Series, as_trajectories

Array = NDArray[np.float64]

RECALIBRATIONS = 5
"""How often, during the judging part of a backtest, the calibration is renewed with the errors seen by then."""
CLIMATE_ROWS = 5000
"""Most rows of a free run that is compared with the observed climate."""


@dataclass(frozen=True)
class Candidate:
    """What a study knows of one model.

    `choosing` and `judging` hold the CRPS of each origin, in standard deviations of the channels, averaged over horizon
    and channels; `scores` the other scores over the judging origins and `floors` their noise floors. A model that
    failed or was skipped says why in `reason` and has no scores.
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
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known})


def evaluate(
    key: str,
    model: Model,
    data: Series | Sequence[Series],
    plan: Plan,
    *,
    members: int = 100,
    seed: int = 0,
    lyapunov_exponent: float | None = None,
    advance: Callable[[float], Any] | None = None,
) -> Candidate:
    """Backtest, calibrate and score `model`; a failure becomes a candidate with its reason, not an exception.

    Cost: one backtest, one free run of at most 5,000 rows, and the scores.
    """
    try:
        tested = backtest(model, data, plan=plan, members=members, seed=seed, advance=advance)
    except (TakensError, ArithmeticError, ValueError, np.linalg.LinAlgError, MemoryError) as error:
        cause = error.cause if isinstance(error, TakensError) else f"{type(error).__name__}: {error}"
        return Candidate(key, model.baseline, status="failed", reason=cause)
    series = as_trajectories(data)[-1].gridded()
    scale = channel_scale(series, plan)
    samples = calibrated(tested)
    crps = np.stack([crps_samples(s, t) for s, t in zip(samples, tested.truth, strict=True)]) / scale
    per_origin = np.nanmean(crps, axis=(1, 2))
    judge = plan.testing
    scores = _short_range(samples[judge], tested.truth[judge], scale, series, lyapunov_exponent)
    climate, floors = _long_range(tested, series, plan, seed)
    pit = _pit(samples[judge], tested.truth[judge], generator(seed, "pit", key))
    errors = (samples[judge].mean(axis=1) - tested.truth[judge]) / scale
    return Candidate(
        key,
        model.baseline,
        settings=plain(described(tested.law)),
        choosing=tuple(per_origin[~judge]),
        judging=tuple(per_origin[judge]),
        crps_by_step=tuple(np.nanmean(crps[judge], axis=(0, 2))),
        nrmse_by_step=tuple(np.sqrt(np.nanmean(errors**2, axis=(0, 2)))),
        coverage_by_step=tuple(_covered(samples[judge], tested.truth[judge], 0.9, axis=(0, 2))),
        coverage_by_level={
            f"{level:.2f}": float(_covered(samples[judge], tested.truth[judge], level)) for level in LEVELS
        },
        pit=tuple(pit),
        scores={"crps": float(per_origin[judge].mean()), **scores, **climate},
        floors=floors,
        diverged=tested.diverged,
        fit_seconds=tested.fit_seconds,
        forecast_seconds=tested.forecast_seconds,
    )


LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def channel_scale(series: Series, plan: Plan) -> Array:
    """Standard deviation `(channel,)` of the rows before the first origin; 1 for a constant channel."""
    deviation = np.nanstd(series.values[: plan.origins[0]], axis=0)
    return np.where(deviation > 0, deviation, 1.0)


def described(law: Any) -> dict[str, Any]:
    """The plain settings of a law, those of what it wraps included: what was chosen, without the weights."""
    found: dict[str, Any] = {}
    for f in fields(law):
        value = getattr(law, f.name)
        if isinstance(value, bool | int | float | str) and f.name != "end":
            found[f.name] = value
        elif hasattr(value, "sample"):
            found.update(described(value))
    return found


def calibrated(tested: Backtest) -> Array:
    """The samples of a backtest after recalibration, each from errors that were known at its origin.

    Judging origins use all errors seen before them, renewed a few times on the way. Choosing origins have too little
    before them, so each half is calibrated with the errors of the other half: the same small favour to every model.
    """
    plan, samples, truth = tested.plan, tested.samples, tested.truth
    out = np.empty_like(samples)
    origins = np.asarray(plan.origins)
    choose = np.flatnonzero(~plan.testing)
    for mine, other in ((choose[::2], choose[1::2]), (choose[1::2], choose[::2])):
        apply = Recalibration.fit(samples[other], truth[other])
        for k in mine:
            out[k] = apply.apply(samples[k])
    for block in np.array_split(np.flatnonzero(plan.testing), RECALIBRATIONS):
        if len(block) == 0:
            continue
        seen = known_before(tested, int(origins[block[0]]))
        apply = Recalibration.fit(samples[: len(seen)], seen)
        for k in block:
            out[k] = apply.apply(samples[k])
    return out


def known_before(tested: Backtest, row: int) -> Array:
    """Truth `(origin, horizon, channel)` of the origins before `row`, with NaN for what was not yet known there."""
    origins = np.asarray(tested.plan.origins)
    earlier = np.flatnonzero(origins < row)
    truth = tested.truth[earlier].copy()
    rows = origins[earlier][:, None] + np.arange(tested.plan.horizon)
    truth[rows >= row] = np.nan
    return truth


def _short_range(
    samples: Array, truth: Array, scale: Array, series: Series, lyapunov_exponent: float | None
) -> dict[str, float | None]:
    """MAE, RMSE, NRMSE, sMAPE, energy score, coverage, width and valid time over origins."""
    mean, median = samples.mean(axis=1), np.median(samples, axis=1)
    low, high = np.quantile(samples, [0.05, 0.95], axis=1)
    names = dict(channels=series.channels, units=series.units)
    energy = [
        energy_score(Forecast(s, np.arange(len(t), dtype=float), **names), t / scale).value
        for s, t in zip(samples / scale, truth, strict=True)
    ]
    valid = valid_time(mean, truth, scale, series.interval, lyapunov_exponent=lyapunov_exponent)
    return {
        "mae": float(np.nanmean(np.abs(median - truth))),
        "rmse": float(np.sqrt(np.nanmean((mean - truth) ** 2))),
        "nrmse": float(np.sqrt(np.nanmean(((mean - truth) / scale) ** 2))),
        "smape": float(np.nanmean([_smape(m, t) for m, t in zip(median, truth, strict=True)])),
        "energy": float(np.nanmean(energy)),
        "coverage": float(_covered(samples, truth, 0.9)),
        "width": float(np.mean((high - low) / scale)),
        "valid_time": None if valid.value is None else float(valid.value),
    }
