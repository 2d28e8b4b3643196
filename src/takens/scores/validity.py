"""How long a forecast stays close to the truth, in time or in Lyapunov times."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData, SettingError
from .accuracy import smape_terms
from .base import Array, Score, mean_present
from .cases import Case, forecast_score

REFERENCES = {
    "nrmse": "Vlachas et al., Neural Networks 126, 191 (2020)",
    "smape30": "Gilpin, Phys. Rev. Research 5, 043252 (2023)",
}


def valid_time(
    path: ArrayLike,
    truth: ArrayLike,
    std: ArrayLike,
    interval: float,
    *,
    lyapunov_exponent: float | None = None,
    threshold: float | None = None,
    kind: Literal["nrmse", "smape30"] = "nrmse",
) -> Score:
    """Valid prediction time: how long a point forecast stays close to the truth, median over origins.

    `path` and `truth` are `(origin, horizon, channel)`, or `(horizon, channel)`, or `(horizon,)`; `interval` is the
    time of one step and `std (channel,)` the climatological standard deviation. `kind="nrmse"`: the steps before
    sqrt(mean over channels ((path - truth) / std)^2) first exceeds `threshold` (0.4). `kind="smape30"`: the steps
    before the sMAPE (0 to 200) of all steps so far first exceeds 30, which the zero-shot literature uses (its codes
    count the crossing step too). In units of time, or in Lyapunov times if `lyapunov_exponent` (per unit of time) is
    given.

    An origin that never crosses is censored: its time is the horizon, `details["censored"]` marks it,
    `settings["censored"]` is the share, and `reason` says if the median itself is only a lower bound. Steps without
    truth are skipped; a path that is not finite ends there. Raises `SettingError` for a std, interval or exponent that
    is not positive, `InsufficientData` without any truth.
    """
    forecast, true = _three(path), _three(truth)
    if forecast.shape != true.shape:
        raise DataError(f"path {forecast.shape} and truth {true.shape} differ in shape")
    scale = np.broadcast_to(np.asarray(std, dtype=np.float64), true.shape[-1:])
    if not (scale > 0).all() or not interval > 0:
        raise SettingError("std and interval must be positive", remedy="Leave out constant channels.")
    if lyapunov_exponent is not None and not lyapunov_exponent > 0:
        raise SettingError(f"Lyapunov times need a positive exponent, got {lyapunov_exponent}")
    if kind not in REFERENCES or (kind == "smape30" and threshold is not None):
        raise SettingError("kind is 'nrmse' with a threshold, or 'smape30', whose threshold is 30")
    limit = 30.0 if kind == "smape30" else 0.4 if threshold is None else float(threshold)
    known = ~np.isnan(true).all(axis=(1, 2))
    if not known.any():
        raise InsufficientData("no true value falls on a forecast")
    exceeded = _exceeded(forecast[known], true[known], scale, limit, kind)
    horizon = true.shape[1]
    censored = ~exceeded.any(axis=1)
    steps = np.where(censored, horizon, exceeded.argmax(axis=1))
    factor = interval * (lyapunov_exponent or 1.0)
    value = float(np.median(steps * factor))
    at_end = bool(np.median(steps) >= horizon)
    return Score(
        "valid_time",
        value,
        unit="time" if lyapunov_exponent is None else "Lyapunov times",
        better="high",
        settings={"kind": kind, "threshold": limit, "censored": float(censored.mean()), "origins": int(known.sum()),
                  "lyapunov_exponent": lyapunov_exponent, "horizon": horizon * factor},
        reference=REFERENCES[kind],
        reason="a lower bound: most forecasts stay valid to the end of the horizon" if at_end else "",
        details={"values": steps * factor, "censored": censored},
    )  # fmt: skip


def _exceeded(forecast: Array, true: Array, scale: Array, limit: float, kind: str) -> np.ndarray:
    """Where `(origin, step)` the error exceeds the limit; a step without truth never does, a broken path always."""
    broken = ~np.isfinite(forecast).all(axis=2)
    forecast = np.where(np.isfinite(forecast), forecast, 0.0)
    if kind == "nrmse":
        error = np.sqrt(mean_present(((forecast - true) / scale) ** 2, axis=2))
    else:
        terms = smape_terms(forecast, true)
        known = ~np.isnan(terms)
        count = np.cumsum(known.sum(axis=2), axis=1)
        error = np.cumsum(np.where(known, terms, 0.0).sum(axis=2), axis=1) / np.maximum(count, 1)
    return np.asarray((error > limit) | broken)


def _three(array: ArrayLike) -> Array:
    made = np.asarray(array, dtype=np.float64)
    if made.ndim == 1:
        made = made[:, None]
    if made.ndim == 2:
        made = made[None]
    if made.ndim != 3 or 0 in made.shape:
        raise DataError(f"expected (origin, horizon, channel), got shape {made.shape}")
    return made


@forecast_score(better="high")
def _valid_time(case: Case) -> Score:
    """Valid prediction time of the mean forecast over the channels that vary; see `valid_time`."""
    varying = ~np.isnan(case.scale)
    path, truth = case.mean[..., varying], case.truth[..., varying]
    if not varying.any() or np.isnan(truth).all():
        return Score("valid_time", None, better="high", reason=f"every channel is constant in the {case.scale_from}")
    made = valid_time(path, truth, case.scale[varying], case.interval, lyapunov_exponent=case.lyapunov_exponent)
    return made if case.lyapunov_exponent else replace(made, unit=case.time_unit)
