"""How long a forecast stays close to the truth, in time or in Lyapunov times."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError
from .accuracy import smape_terms
from .base import Array, Score, mean_present
from .cases import Case, forecast_score
from .origins import over_origins
from .point_errors import paired

Flags = NDArray[np.bool_]

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
    legacy: Literal["dysts"] | None = None,
    level: float = 0.9,
) -> Score:
    """Valid prediction time: how long a point forecast stays close to the truth, median over origins.

    `path` and `truth` are `(origin, horizon, channel)`, or `(horizon, channel)`, or `(horizon,)`; `interval` is the
    time of one step and `std (channel,)` the climatological standard deviation. `kind="nrmse"`: the steps before
    sqrt(mean over channels ((path - truth) / std)^2) first exceeds `threshold` (0.4; the literature also has 0.3 and
    0.5). `kind="smape30"`: the steps before the sMAPE of all steps so far first exceeds 30 on the scale 0 to 200, which
    the zero-shot literature uses; with `legacy="dysts"` on the scale 0 to 100 of that package since 2025, which about
    doubles the times. In units of time, or in Lyapunov times if `lyapunov_exponent` (per unit of time) is given.

    An origin that never crosses is censored: its time is that of its last known step, `details["censored"]` marks it,
    `settings["censored"]` is the share, and `reason` says if the median itself is only a lower bound. Steps without
    truth are skipped; a path that is not finite ends there and counts as a failure. `details["spread"]` is the whole
    `Spread` over origins, with the interval of the median at `level`. Raises `SettingError` for a std, interval or
    exponent that is not positive, `InsufficientData` without any truth.
    """
    forecast, true = paired(path, truth)
    scale = np.broadcast_to(np.asarray(std, dtype=np.float64), true.shape[-1:])
    if not (scale > 0).all() or not interval > 0:
        raise SettingError("std and interval must be positive", remedy="Leave out constant channels.")
    if lyapunov_exponent is not None and not lyapunov_exponent > 0:
        raise SettingError(f"Lyapunov times need a positive exponent, got {lyapunov_exponent}")
    limit = _limit(kind, threshold, legacy)
    known = ~np.isnan(true).all(axis=(1, 2))
    if not known.any():
        raise InsufficientData("no true value falls on a forecast")
    exceeded, broken = _exceeded(forecast[known], true[known], scale, limit * (2 if legacy else 1), kind)
    censored = ~exceeded.any(axis=1)
    missing: Flags = np.logical_and.reduce(np.isnan(true[known]), axis=2)
    last = true.shape[1] - np.argmin(missing[:, ::-1], axis=1)
    steps = np.where(censored, last, exceeded.argmax(axis=1))
    failed = ~censored & broken[np.arange(len(broken)), exceeded.argmax(axis=1)]
    factor = interval * (lyapunov_exponent or 1.0)
    spread = over_origins(steps * factor, censored=censored, failed=failed, level=level)
    reasons = ["a lower bound: most forecasts stay valid to the end of the horizon"] * spread.bound
    reasons += [f"{spread.failures} of {spread.origins} runs failed: not finite"] * (spread.failures > 0)
    return Score(
        "valid_time",
        spread.median,
        unit="time" if lyapunov_exponent is None else "Lyapunov times",
        better="high",
        settings={"kind": kind, "threshold": limit, "legacy": legacy, "censored": spread.censored,
                  "origins": spread.origins, "failures": spread.failures, "lyapunov_exponent": lyapunov_exponent,
                  "horizon": true.shape[1] * factor},
        reference=REFERENCES[kind],
        reason="; ".join(reasons),
        details={"values": steps * factor, "censored": censored, "failed": failed, "spread": spread.to_dict()},
    )  # fmt: skip


def _limit(kind: str, threshold: float | None, legacy: str | None) -> float:
    if kind == "smape30" and threshold is None and legacy in (None, "dysts"):
        return 30.0
    if kind != "nrmse" or legacy is not None:
        raise SettingError("kind is 'nrmse' with a threshold, or 'smape30' (threshold 30) with legacy None or 'dysts'")
    if threshold is not None and not threshold > 0:
        raise SettingError(f"threshold must be positive, got {threshold}")
    return 0.4 if threshold is None else float(threshold)


def _exceeded(forecast: Array, true: Array, scale: Array, limit: float, kind: str) -> tuple[Flags, Flags]:
    """Where `(origin, step)` the error exceeds the limit, and where the path is broken, which always exceeds it.

    A step without truth never does.
    """
    broken: Flags = np.logical_not(np.isfinite(forecast).all(axis=2))
    forecast = np.where(np.isfinite(forecast), forecast, 0.0)
    if kind == "nrmse":
        error = np.sqrt(mean_present(((forecast - true) / scale) ** 2, axis=2))
    else:
        terms = smape_terms(forecast, true)
        known = ~np.isnan(terms)
        count = np.cumsum(known.sum(axis=2), axis=1)
        error = np.cumsum(np.where(known, terms, 0.0).sum(axis=2), axis=1) / np.maximum(count, 1)
    return (error > limit) | broken, broken  # type: ignore[no-any-return]


@forecast_score(better="high")
def _valid_time(case: Case) -> Score:
    """Valid prediction time of the mean forecast over the channels that vary; see `valid_time`."""
    varying = ~np.isnan(case.scale)
    path, truth = case.mean[..., varying], case.truth[..., varying]
    if not varying.any() or np.isnan(truth).all():
        return Score("valid_time", None, better="high", reason=f"every channel is constant in the {case.scale_from}")
    made = valid_time(path, truth, case.scale[varying], case.interval, lyapunov_exponent=case.lyapunov_exponent)
    return made if case.lyapunov_exponent else replace(made, unit=case.time_unit)
