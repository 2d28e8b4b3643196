"""State-space divergence: whether a free run visits the same places as the truth, equally often."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..errors import InsufficientData, SettingError
from ..random import generator
from .base import Array, Score
from .climate import Runs, climate_score
from .histograms import Cells
from .mixtures import MOST, Mixture, kernel_variance, mixture_divergence

REFERENCE = "Koppe et al., PLoS Comput. Biol. 15, e1007263 (2019); Hess et al., ICML 2023 (arXiv 2306.04406)"
MOST_BINS = 30
WIDEST = {None: 5, "GTF": 5, "DynaMix": 10, "dendPLRNN": 10, "dysts": 0}
"""Most dimensions that are binned; the published codes count the cells of all of them in memory."""

Legacy = Literal["DynaMix", "GTF", "dendPLRNN", "dysts"]


@climate_score
def state_space_divergence(
    runs: Runs,
    *,
    method: Literal["bins", "mixture"] | None = None,
    bins: int | None = None,
    smoothing: float = 1e-5,
    variance: float | None = None,
    samples: int = 1000,
    legacy: Legacy | None = None,
    seed: int = 0,
) -> Score:
    """State-space divergence D_stsp = sum_k p_k log(p_k / q_k) in nats, p the true and q the generated distribution.

    Called as `state_space_divergence(generated, true, delay=...)` with runs `(time, channel)` of any lengths. Up to 5
    channels are binned: `bins` cells per dimension span the range of the truth (None: as many as leave ten points of
    truth to a cell, at least 4, at most 30, the number of the literature); one more cell holds whatever lies outside.
    Counts are smoothed by Laplace, (n_k + a) / (N + a K) with a = `smoothing` and K cells. A single channel is unfolded
    with 3 delays of `delay` rows: `settings["space"]`.

    More than 5 channels, or `method="mixture"`: p and q are mixtures of Gaussians of `variance`, one around each of at
    most 10,000 points in standard deviations of the truth (None: see `kernel_variance`), compared at `samples` draws
    from p; `details["error"]` is the Monte Carlo standard error.

    The floor is the divergence between the two halves of the truth, mean of both directions; with half the rows each it
    is higher than two full runs would give. A run with NaN or infinity has the value infinity and a reason. Rows with
    missing truth are left out. Cost: O(T log T) binned, samples x points distances otherwise.

    `legacy` reproduces published values; channels are taken as they are. Bins without an outside cell: "DynaMix" (range
    of the truth, the first bin and the maximum dropped on every axis), "GTF" (range widened by 0.1 standard deviations;
    from 6 channels on a mixture, variance 1), "dendPLRNN" (-2 to 2 standard deviations about 0, first bin dropped).
    Mixtures of variance 1 of the first 10,000 points, draws of zero likelihood in single precision dropped: "GTF",
    "dendPLRNN" (mean of both directions), and "dysts" (all points, infinite where a draw underflows).

    Raises `SettingError` for settings out of range. Not for short runs: with fewer rows than occupied cells the floor
    is high.
    """
    if (bins is not None and bins < 2) or not smoothing > 0 or (variance is not None and not variance > 0):
        raise SettingError(f"bins must be at least 2, smoothing and variance positive: {bins}, {smoothing}, {variance}")
    if legacy not in WIDEST or samples < 2 or method not in (None, "bins", "mixture"):
        raise SettingError(f"unknown legacy {legacy!r} or method {method!r}, or fewer than 2 samples: {samples}")
    if (legacy, method) in (("DynaMix", "mixture"), ("dysts", "bins")):
        raise SettingError(f"{legacy} has no such variant: method={method!r}")
    settings: dict[str, Any] = {"legacy": legacy}
    label: dict[str, Any] = {"name": "state_space_divergence", "unit": "nats", "reference": REFERENCE}
    if runs.broken is not None:
        return Score(value=np.inf, reason=runs.failure, settings=settings, **label)
    binned = (runs.true.shape[1] <= WIDEST[legacy] or legacy == "DynaMix") if method is None else method == "bins"
    true, generated, settings["space"] = _space(runs, binned, legacy)
    if len(true) < 8:
        raise InsufficientData(f"{len(true)} complete points of truth; at least 8 are needed")
    if binned:
        value, floor, known, details = _binned(true, generated, bins, smoothing, legacy)
    else:
        value, floor, known, details = _mixed(true, generated, variance, samples, legacy, seed)
    reason = "no point lies in the range where it is compared" if value == np.inf else ""
    return Score(value=value, floor=floor, reason=reason, settings=settings | known, details=details, **label)


Found = tuple[float, float, dict[str, Any], dict[str, Any]]
"""Value, floor, settings and details of a divergence."""


def _binned(true: Array, generated: Array, bins: int | None, smoothing: float, legacy: str | None) -> Found:
    if bins is None:
        bins = MOST_BINS if legacy else int(np.clip((len(true) / 10) ** (1 / true.shape[1]), 4, MOST_BINS))
    cells = Cells.published(true, bins, legacy) if legacy else Cells(true.min(axis=0), true.max(axis=0), bins)
    p, q = cells.of(true), cells.of(generated)
    half = len(true) // 2
    first, second = cells.of(true[:half]), cells.of(true[half:])
    floor = (cells.divergence(first, second, smoothing) + cells.divergence(second, first, smoothing)) / 2
    settings = {"method": "bins", "bins": bins, "smoothing": smoothing}
    if len(q) == 0 or len(p) == 0:
        return np.inf, floor, settings, {"outside": 1.0}
    outside = float(np.mean(q == -1)) if legacy is None else 1 - len(q) / len(generated)
    return cells.divergence(p, q, smoothing), floor, settings, {"outside": outside}


def _mixed(true: Array, generated: Array, variance: float | None, samples: int, legacy: str | None, seed: int) -> Found:
    if legacy is None:
        true, generated = (x[:: -(-len(x) // MOST)] for x in (true, generated))
    elif legacy != "dysts":
        true, generated = true[:MOST], generated[:MOST]
    if variance is None:
        variance = 1.0 if legacy else kernel_variance(true, seed)

    def compared(one: Array, other: Array) -> Mixture:
        return mixture_divergence(one, other, variance, samples, generator(seed, "state_space_divergence"), legacy)

    found = compared(true, generated)
    half = len(true) // 2
    floor = (compared(true[:half], true[half:]).value + compared(true[half:], true[:half]).value) / 2
    value = np.inf if np.isnan(found.value) else found.value
    settings = {"method": "mixture", "variance": variance, "samples": samples, "points": len(true), "seed": seed}
    return value, floor, settings, {"error": found.error, "dropped": found.dropped}


def _space(runs: Runs, binned: bool, legacy: str | None) -> tuple[Array, Array, str]:
    """True and generated points `(point, dimension)` in which the runs are compared, and what this space is."""
    channels = runs.true.shape[1]
    if binned and channels > WIDEST[legacy]:
        code = f"legacy binning {legacy!r}" if legacy else "binning"
        raise SettingError(f"{code} is for at most {WIDEST[legacy]} channels, not {channels}")
    if legacy is None and binned:
        return _unfolded(runs)
    return compared_states(runs, plain=legacy is not None)


def compared_states(runs: Runs, *, plain: bool) -> tuple[Array, Array, str]:
    """True and generated states `(point, dimension)` in standard deviations of the truth, and what this space is.

    A single channel is unfolded with 3 delays. `plain` states are the channels as they are.
    """
    if plain:
        return _complete(runs.true), runs.generated, "channels"
    known, generated, space = _unfolded(runs)
    if len(known) == 0:
        return known, generated, space
    spread = known.std(axis=0)
    centre, scale = known.mean(axis=0), np.where(spread > 0, spread, 1.0)
    return (known - centre) / scale, (generated - centre) / scale, f"{space} in standard deviations"


def _unfolded(runs: Runs) -> tuple[Array, Array, str]:
    true, generated = runs.true, runs.generated
    if true.shape[1] > 1:
        return _complete(true), generated, "channels"
    delay = decorrelation(true[:, 0]) if runs.delay is None else runs.delay
    if delay < 1:
        raise SettingError(f"delay must be at least 1 row, got {delay}")
    if min(len(true), len(generated)) < 8 + 2 * delay:
        raise InsufficientData(f"a delay of {delay} rows needs at least {8 + 2 * delay} rows")
    true, generated = (
        np.column_stack([x[: len(x) - 2 * delay, 0], x[delay : len(x) - delay, 0], x[2 * delay :, 0]])
        for x in (true, generated)
    )
    return _complete(true), generated, f"3 delays of {delay} rows"


def _complete(rows: Array) -> Array:
    return rows[np.isfinite(rows).all(axis=1)]


def decorrelation(x: Array) -> int:
    """The first lag at which the autocorrelation of `x` is below 1/e; missing values count as the mean."""
    present = np.isfinite(x)
    centred = np.where(present, x - x[present].mean(), 0.0) if present.any() else np.zeros(len(x))
    power = np.abs(np.fft.rfft(centred, 2 * len(x))) ** 2
    correlation = np.fft.irfft(power)[: len(x)]
    below = np.flatnonzero(correlation < correlation[0] / np.e)
    return max(int(below[0]), 1) if len(below) else 1
