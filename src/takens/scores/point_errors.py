"""Errors of point forecasts by step: at one step from every origin, against the naive forecast, and the largest so far.

The functions take `path` and `truth` as arrays `(origin, horizon, channel)`, `(horizon, channel)` or `(horizon,)`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData, SettingError
from .base import Array, Score, mean_present
from .cases import Case, forecast_score

HYNDMAN = "Hyndman & Koehler, Int. J. Forecasting 22, 679 (2006)"
HESS = "Hess et al., ICML 2023 (arXiv 2306.04406)"
DYNAMIX = "Hemmer & Durstewitz, NeurIPS 2025 (arXiv 2505.13192)"
SCHOETZ = "Schoetz et al., Chaos 36, 053105 (2026), arXiv 2407.20158"


def prediction_error(
    path: ArrayLike, truth: ArrayLike, *, step: int = 20, legacy: Literal["DynaMix"] | None = None
) -> Score:
    """PE(n), the mean squared error of point forecasts at step n = `step`, over all origins and channels.

    In the squared unit of the data, which the literature standardises; one origin at every row of the test data is what
    it reports. `legacy="DynaMix"` is the sum over channels of the absolute errors at the step, mean over origins.

    An origin whose path is not finite at the step has failed: the value is infinite, `details["by_origin"]` holds the
    others. Raises `SettingError` where the path is shorter than `step`, `InsufficientData` without any truth there.
    """
    forecast, true = paired(path, truth)
    if not 1 <= step <= true.shape[1]:
        raise SettingError(f"step must be between 1 and the horizon, {true.shape[1]}; got {step}")
    off = forecast[:, step - 1] - true[:, step - 1]
    errors = np.abs(off) if legacy == "DynaMix" else off**2
    if legacy not in (None, "DynaMix"):
        raise SettingError(f"no legacy prediction error {legacy!r}", remedy="Use 'DynaMix'.")
    known = ~np.isnan(true[:, step - 1])
    if not known.any():
        raise InsufficientData(f"no true value falls on step {step}")
    failed = ~np.isfinite(forecast[:, step - 1]).all(axis=1) & known.any(axis=1)
    errors = np.where(known, np.where(np.isfinite(forecast[:, step - 1]), errors, np.inf), np.nan)
    whole = known.all(axis=1)
    per_origin = np.where(whole, errors.sum(axis=1), np.nan) if legacy else mean_present(errors, axis=1)
    if legacy and not whole.any():
        raise InsufficientData(f"at no origin is every channel known at step {step}")
    value = float(mean_present(per_origin if legacy else errors))
    return Score(
        "prediction_error", value, settings={"step": step, "origins": len(true), "legacy": legacy},
        reason=f"{failed.sum()} of {len(true)} runs failed: not finite" if failed.any() else "",
        reference=DYNAMIX if legacy else HESS, details={"by_origin": per_origin, "failed": failed},
    )  # fmt: skip


def scaled_error(
    path: ArrayLike,
    truth: ArrayLike,
    *,
    history: ArrayLike | None = None,
    steps: int | None = None,
    lag: int = 1,
    legacy: Literal["DynaMix"] | None = None,
) -> Score:
    """MASE, the mean absolute scaled error: mean |path - truth| / mean |x_(t+lag) - x_t|, averaged over channels.

    The denominator is the error of the naive forecast on the rows of `history (time, channel)`, or on the truth itself
    (each origin) without it: `settings["naive"]`. The first `steps` steps count, all by default. Below 1 is better than
    naive steps of `lag` rows on average over the horizon. Constant channels are left out.

    `legacy="DynaMix"` takes the first 10 steps and as denominator the changes of the *generated* path, all of it, since
    the published evaluation hands over the two series in the other order: a run that swings too wildly looks better.
    """
    forecast, true = paired(path, truth)
    horizon = true.shape[1]
    if legacy not in (None, "DynaMix"):
        raise SettingError(f"no legacy scaled error {legacy!r}", remedy="Use 'DynaMix'.")
    steps = (min(10, horizon) if legacy else horizon) if steps is None else steps
    rows, source = (true, "truth") if history is None else (np.asarray(history, dtype=np.float64), "history")
    if legacy:
        rows, source = forecast, "generated path"
    rows = rows[:, None] if rows.ndim == 1 else rows
    rows = rows[None] if rows.ndim == 2 else rows
    if rows.shape[2] != true.shape[2] or not 1 <= lag < rows.shape[1] or not 1 <= steps <= horizon:
        raise SettingError(f"{rows.shape[1]} rows of {rows.shape[2]} channels do not go with lag {lag}, {steps} steps")
    change = np.asarray(mean_present(np.abs(rows[:, lag:] - rows[:, :-lag]), axis=(0, 1)))
    errors = np.abs(forecast - true)[:, :steps]
    channels = np.asarray(mean_present(np.where(np.isnan(true[:, :steps]), np.nan, np.where(
        np.isfinite(forecast[:, :steps]), errors, np.inf)), axis=(0, 1)))  # fmt: skip
    settings = {"naive": f"mean absolute change over {lag} rows of the {source}", "steps": steps, "legacy": legacy}
    ratios = channels / (change + 1e-8 if legacy else np.where(change > 0, change, np.nan))
    return _scaled(ratios, settings, DYNAMIX if legacy else HYNDMAN)


def _scaled(ratios: Array, settings: dict[str, object], reference: str) -> Score:
    value = float(mean_present(ratios))
    constant = int(np.isnan(ratios).sum())
    reason = f"{constant} channels have no truth or do not change, left out" if constant else ""
    if np.isinf(value):
        reason = "a run failed: not finite"
    return Score(
        "mase", None if np.isnan(value) else value, settings=settings, reason=reason, reference=reference,
        details={"by_channel": ratios},
    )  # fmt: skip


@forecast_score(better="low")
def mase(case: Case) -> Score:
    """Mean absolute scaled error of the median forecast: mean |median - x| / mean |x_(t+1) - x_t|, mean over channels.

    The denominator comes from the history, or from the truth without one: `settings["naive"]`. Below 1 is better than
    naive forecasts of one row on average over the horizon. Channels that never change are left out. For other lags and
    for published values see `scaled_error`. Source: Hyndman & Koehler (2006).
    """
    errors = np.asarray(mean_present(np.abs(case.median - case.truth), axis=(0, 1)))
    ratios = errors / np.where(case.naive > 0, case.naive, np.nan)
    return _scaled(ratios, {"naive": f"mean absolute change over 1 row of the {case.scale_from}"}, HYNDMAN)


def cumulative_maximum(path: ArrayLike, truth: ArrayLike, std: ArrayLike) -> Array:
    """Largest error so far `(origin, horizon)`: max over s <= t of |path_s - truth_s| / sqrt(sum over channels std^2).

    The norm is that of the vector of all channels, so that 1 is the distance at which the climatological mean lies in
    the root mean square. Steps without truth are NaN; a path that is not finite is infinitely far from then on.
    """
    forecast, true = paired(path, truth)
    scale = np.broadcast_to(np.asarray(std, dtype=np.float64), true.shape[-1:])
    size = float(np.sqrt(np.nansum(scale**2)))
    if not size > 0:
        raise SettingError("std must be positive for some channel")
    off = np.where(np.isnan(true), 0.0, np.where(np.isfinite(forecast), forecast - true, np.inf))
    curves = np.maximum.accumulate(np.sqrt((off**2).sum(axis=2)) / size, axis=1)
    return np.where(np.isnan(true).all(axis=2), np.nan, curves)


@forecast_score(better="low")
def cumulative_maximum_error(case: Case) -> Score:
    """Cumulative maximum error of the mean forecast: mean over steps of min(1, largest normalised error so far).

    The error is the norm over channels in units of that of the standard deviations, see `cumulative_maximum`: 0 is
    perfect, 1 wrong from the first step on, and a forecast that returns to the truth by chance gains nothing. Grows
    with the horizon, so compare equal horizons. Source: Schoetz et al. (2024).
    """
    if np.isnan(case.scale).all():
        reason = f"every channel is constant in the {case.scale_from}"
        return Score("cumulative_maximum_error", None, reason=reason, reference=SCHOETZ)
    curves = cumulative_maximum(case.mean, case.truth, np.nan_to_num(case.scale))
    return Score(
        "cumulative_maximum_error", float(mean_present(np.minimum(curves, 1.0))), reference=SCHOETZ,
        settings={"point": "mean", "horizon": curves.shape[1], "scale": f"standard deviation of the {case.scale_from}"},
        details={
            "by_horizon": mean_present(curves, axis=0)[:, None],
            "by_origin": mean_present(np.minimum(curves, 1.0), axis=1),
        },
    )  # fmt: skip


def paired(path: ArrayLike, truth: ArrayLike) -> tuple[Array, Array]:
    """Both as `(origin, horizon, channel)`. Raises `DataError` for other or different shapes."""
    forecast, true = _three(path), _three(truth)
    if forecast.shape != true.shape:
        raise DataError(f"path {forecast.shape} and truth {true.shape} differ in shape")
    return forecast, true


def _three(array: ArrayLike) -> Array:
    made = np.asarray(array, dtype=np.float64)
    if made.ndim == 1:
        made = made[:, None]
    if made.ndim == 2:
        made = made[None]
    if made.ndim != 3 or 0 in made.shape:
        raise DataError(f"expected (origin, horizon, channel), got shape {made.shape}")
    return made
