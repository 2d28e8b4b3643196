"""Scores of the mean or median forecast: absolute, squared, normalised and symmetric percentage errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Score
from .cases import Case, forecast_score


@forecast_score(better="low")
def mae(case: Case) -> Score:
    """Mean absolute error of the median forecast: mean |median - x| over origins, steps and channels.

    In the unit of the data; missing truth is left out. The median is the point forecast that this score rewards. With
    channels of different units look at `details["by_channel"]`. Cost: one sort of the samples.
    """
    return case.average("mae", np.abs(case.median - case.truth), settings={"point": "median"})


@forecast_score(better="low")
def rmse(case: Case) -> Score:
    """Root mean squared error of the mean forecast: sqrt(mean (mean - x)^2) over origins, steps and channels.

    In the unit of the data; missing truth is left out. The mean is the point forecast that this score rewards.
    """
    return case.average("rmse", (case.mean - case.truth) ** 2, root=True, settings={"point": "mean"})


@forecast_score(better="low")
def nrmse(case: Case) -> Score:
    """RMSE of the mean forecast in climatological standard deviations: sqrt(mean ((mean - x) / sigma)^2).

    sigma is the standard deviation of each channel of `history`, or of the truth where no history is given. 1 is as
    good as the climatological mean; a perfect ensemble without skill has 1, one of its members 1.41. Channels that are
    constant in the reference are left out and named; if all are, the score is undefined.
    """
    constant = [name for name, scale in zip(case.channels, case.scale, strict=True) if np.isnan(scale)]
    reason = f"constant in the {case.scale_from}, left out: {', '.join(constant)}" if constant else ""
    errors = ((case.mean - case.truth) / case.scale) ** 2
    settings = {"point": "mean", "scale": f"standard deviation of the {case.scale_from}"}
    return case.average("nrmse", errors, root=True, unit="standard deviations", reason=reason, settings=settings)


@forecast_score(better="low")
def smape(case: Case) -> Score:
    """Symmetric mean absolute percentage error on the scale 0 to 200: mean 200 |m - x| / (|m| + |x|), m the median.

    0 / 0 counts as 0. Depends on the offset of the data and rewards neither mean nor median: for comparison with the
    literature only. dysts has halved it since 2025, to a scale of 0 to 100: `details["dysts"]`.
    """
    made = case.average("smape", smape_terms(case.median, case.truth), unit="%", settings={"scale": "0 to 200"})
    half = None if made.value is None else made.value / 2
    return replace(made, details={**made.details, "dysts": half})


def smape_terms(forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """200 |forecast - truth| / (|forecast| + |truth|) element by element; 0 where both are 0."""
    size = np.abs(forecast) + np.abs(truth)
    return np.where(size == 0, 0.0, 200 * np.abs(forecast - truth) / np.where(size == 0, 1.0, size))
