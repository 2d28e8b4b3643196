"""Scores of the whole predictive distribution: CRPS, energy score, coverage and width of intervals, PIT."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from ..random import generator
from .base import Array, Score, mean_present
from .cases import Case, forecast_score

CHUNK = 4_000_000
"""Most member pairs whose distances are held in memory at once (32 MB)."""

GNEITING = "Gneiting & Raftery, J. Am. Stat. Assoc. 102, 359 (2007)"
FAIR = "Ferro, Q. J. R. Meteorol. Soc. 140, 1917 (2014)"


def crps_samples(samples: Array, truth: Array) -> Array:
    """The fair CRPS of ensembles `samples (member, ...)` for `truth (...)`, element by element; NaN where truth is NaN.

    CRPS = E|X - x| - E|X - X'| / 2, with the second mean over pairs of different members, so that its expectation does
    not depend on the number of members; a single member has CRPS |X - x|. In the unit of the data; values may be
    slightly negative. Raises `DataError` for shapes that do not fit. Cost: O(M log M) per element. Source: Ferro
    (2014).
    """
    samples, truth = np.asarray(samples, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if samples.shape[1:] != truth.shape or len(samples) == 0:
        raise DataError(f"samples {samples.shape} do not fit truth {truth.shape}; expected (member, ...) and (...)")
    return _crps_sorted(np.sort(samples, axis=0), truth)


def _crps_sorted(ordered: Array, truth: Array) -> Array:
    members = len(ordered)
    error = np.abs(ordered - truth).mean(axis=0)
    if members == 1:
        return error
    # sum over pairs |x_i - x_j| = sum over ranks (2 i - M + 1) x_(i), which needs one sort instead of M^2 differences
    weights = (2.0 * np.arange(members) - members + 1) / (members * (members - 1))
    return error - np.tensordot(weights, ordered, axes=(0, 0))


def energy_samples(samples: Array, truth: Array) -> Array:
    """The fair energy score of ensembles `samples (member, ..., channel)` for `truth (..., channel)`; result `(...)`.

    ES = E||X - x|| - E||X - X'|| / 2 with the Euclidean norm over channels, the second mean over pairs of different
    members; the CRPS for one channel. NaN where any channel of the truth is. Cost: O(M^2) per element, in chunks.
    """
    samples, truth = np.asarray(samples, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if samples.shape[1:] != truth.shape or len(samples) == 0:
        raise DataError(f"samples {samples.shape} do not fit truth {truth.shape}; expected (member, ...) and (...)")
    if truth.shape[-1] == 1:
        return crps_samples(samples[..., 0], truth[..., 0])
    members, channels = len(samples), truth.shape[-1]
    cells = np.moveaxis(samples.reshape(members, -1, channels), 0, 1)
    error = np.linalg.norm(samples - truth, axis=-1).mean(axis=0)
    if members == 1:
        return error
    spread = np.empty(len(cells))
    step = max(1, CHUNK // members**2)
    for start in range(0, len(cells), step):
        part = cells[start : start + step]
        part = part - part.mean(axis=1, keepdims=True)  # centred, so that the differences of squares lose no digits
        square = (part**2).sum(axis=2)
        gram = part @ part.transpose(0, 2, 1)
        distance = np.sqrt(np.maximum(square[:, :, None] + square[:, None, :] - 2 * gram, 0.0))
        distance[:, np.arange(members), np.arange(members)] = 0.0
        spread[start : start + step] = distance.sum(axis=(1, 2)) / (members * (members - 1))
    return error - spread.reshape(truth.shape[:-1]) / 2


def pit_values(samples: Array, truth: Array, seed: int = 0) -> Array:
    """Randomised probability integral transform of `truth (...)` in ensembles `samples (member, ...)`.

    u = (members below + V (members equal + 1)) / (M + 1) with V uniform in (0, 1): exactly uniform where truth and
    members come from one distribution, ties included. NaN where truth is NaN. Source: Czado et al., Biometrics 65,
    1254 (2009).
    """
    below = (samples < truth).sum(axis=0)
    equal = (samples == truth).sum(axis=0)
    values = (below + generator(seed, "pit").random(truth.shape) * (equal + 1)) / (len(samples) + 1)
    return np.where(np.isnan(truth), np.nan, values)


@forecast_score(better="low")
def crps(case: Case) -> Score:
    """Continuous ranked probability score (fair), averaged over origins, steps and channels.

    CRPS = E|X - x| - E|X - X'| / 2, in the unit of the data: the absolute error of a forecast that has a distribution.
    `details` holds it by horizon and channel. With one member it is the absolute error. Source: Gneiting & Raftery
    (2007); Ferro (2014).
    """
    errors = _crps_sorted(case.ordered, case.truth)
    settings = {"estimator": "fair", "members": case.members}
    return case.average("crps", errors, settings=settings, reference=f"{GNEITING}; {FAIR}")


@forecast_score(better="low")
def energy_score(case: Case) -> Score:
    """Energy score (fair) over the channels, averaged over origins and steps: the CRPS of vectors.

    ES = E||X - x|| - E||X - X'|| / 2. In the unit of the data: channels of large spread dominate, so standardise
    channels of different kind first. Steps at which any channel is missing are left out. Cost: O(M^2) per step.
    """
    errors = energy_samples(np.moveaxis(case.samples, 1, 0), case.truth)
    return case.average(
        "energy_score",
        np.broadcast_to(errors[..., None], (*errors.shape, 1)),
        settings={"estimator": "fair", "members": case.members},
        reference=GNEITING,
        reason="at no step are all channels known" if np.isnan(errors).all() else "",
    )


@forecast_score(better="target")
def coverage(case: Case) -> Score:
    """Share of true values inside the central interval at `level`; it should equal the level.

    `settings["perfect"]` is what a perfect ensemble of this size reaches, level (M - 1) / (M + 1), since intervals
    between sample quantiles are a little narrow. Undefined for a single member.
    """
    settings = {"level": case.level, "target": case.level, "members": case.members}
    if case.members == 1:
        return Score("coverage", None, better="target", settings=settings, reason="one member has no interval")
    low, high = _ends(case)
    inside = np.where(np.isnan(case.truth), np.nan, (low <= case.truth) & (case.truth <= high))
    settings["perfect"] = case.level * (case.members - 1) / (case.members + 1)
    return case.average("coverage", inside, unit="", better="target", settings=settings)


@forecast_score(better="low")
def interval_width(case: Case) -> Score:
    """Mean width of the central interval at `level`, in the unit of the data; good only where coverage is.

    Averaged over all forecasts, whether or not the truth is known. Undefined for a single member.
    """
    settings: dict[str, Any] = {"level": case.level}
    if case.members == 1:
        return Score("interval_width", None, case.unit, settings=settings, reason="one member has no interval")
    low, high = _ends(case)
    return case.average("interval_width", high - low, settings=settings)


@forecast_score(better="low")
def pit(case: Case) -> Score:
    """Distance of the PIT values from uniform: sup |F(u) - u| (Kolmogorov-Smirnov), 0 for a calibrated forecast.

    `details["values"] (origin, horizon, channel)` are the randomised PIT values: a hump in their histogram means
    intervals too wide, a valley too narrow, a slope a bias. The floor, 0.87 / sqrt(n), is the expectation for n
    independent calibrated values; errors of neighbouring steps are dependent, which raises it. Undefined for a single
    member. Source: Czado et al. (2009).
    """
    reference = "Czado, Gneiting & Held, Biometrics 65, 1254 (2009)"
    if case.members == 1:
        return Score("pit", None, reference=reference, reason="one member is no distribution")
    values = pit_values(np.moveaxis(case.samples, 1, 0), case.truth, case.seed)
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    distance = max(np.max(np.arange(1, count + 1) / count - known), np.max(known - np.arange(count) / count))
    details = {"values": values, "mean": float(mean_present(values))}
    return Score(
        "pit", float(distance), floor=0.8687 / np.sqrt(count), settings={"seed": case.seed, "values": count},
        reference=reference, details=details,
    )  # fmt: skip


def _ends(case: Case) -> tuple[Array, Array]:
    tail = (1 - case.level) / 2
    return case.quantile(tail), case.quantile(1 - tail)
