"""Scores: forecasts against what came true, free runs against the climate, models against one another."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ..series import Series
from .accuracy import mae, nrmse, rmse, smape
from .base import Score
from .cases import REGISTRY, Case, Forecasts, ForecastScore, Truth, forecast_score
from .climate import CLIMATE, INVARIANTS, ClimateScore, Runs, climate_score
from .comparison import skill
from .ensembles import (
    coverage,
    crps,
    crps_samples,
    energy_samples,
    energy_score,
    interval_width,
    pit,
    pit_values,
)
from .geometry import state_space_divergence
from .invariants import correlation_dimension_error, largest_exponent_error
from .origins import Spread, over_origins
from .point_errors import cumulative_maximum, cumulative_maximum_error, mase, prediction_error, scaled_error
from .spectra import spectral_hellinger
from .transport import hausdorff, sliced_wasserstein, topological_error
from .validity import valid_time

__all__ = [
    "CLIMATE",
    "INVARIANTS",
    "REGISTRY",
    "Case",
    "ClimateScore",
    "ForecastScore",
    "Runs",
    "Score",
    "Spread",
    "climate",
    "climate_score",
    "correlation_dimension_error",
    "coverage",
    "crps",
    "crps_samples",
    "cumulative_maximum",
    "cumulative_maximum_error",
    "energy_samples",
    "energy_score",
    "forecast_score",
    "hausdorff",
    "interval_width",
    "largest_exponent_error",
    "mae",
    "mase",
    "nrmse",
    "over_origins",
    "pit",
    "pit_values",
    "prediction_error",
    "rmse",
    "scaled_error",
    "score",
    "skill",
    "sliced_wasserstein",
    "smape",
    "spectral_hellinger",
    "state_space_divergence",
    "topological_error",
    "valid_time",
]


def score(
    forecast: Forecasts,
    truth: Truth,
    *,
    history: Series | ArrayLike | None = None,
    level: float = 0.9,
    lyapunov_exponent: float | None = None,
    seed: int = 0,
) -> dict[str, Score]:
    """Every forecast score by name, of one forecast or a list of them (one an origin) against the truth.

    `truth` is a `Series`, matched by time and channel name, or an array `(horizon, channel)`; missing values are left
    out. `history` gives the climatological standard deviation for NRMSE and valid time (the truth itself otherwise),
    `level` is that of the intervals. Raises `DataError` and `InsufficientData` as `Case.of`. Cost: one sort of the
    samples, and O(members^2) per step for the energy score.
    """
    case = Case.of(
        forecast, truth, history=history, level=level, lyapunov_exponent=lyapunov_exponent, seed=seed
    )  # fmt: skip
    return {name: entry.function(case) for name, entry in REGISTRY.items()}


def climate(
    generated: Series | ArrayLike,
    true: Series | ArrayLike,
    *,
    delay: int | None = None,
    invariants: bool = False,
) -> dict[str, Score]:
    """Every score of a free run `(time, channel)` against the true trajectory; see `state_space_divergence`.

    With `invariants` also the errors of the correlation dimension and of the largest exponent, which cost more.
    """
    runs = Runs.of(generated, true, delay)
    chosen = CLIMATE | INVARIANTS if invariants else CLIMATE
    return {name: entry.function(runs) for name, entry in chosen.items()}
