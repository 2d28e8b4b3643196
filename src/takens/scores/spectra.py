"""Spectral Hellinger distance: whether a free run oscillates like the truth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..errors import InsufficientData, SettingError
from .base import Array, Score
from .climate import Runs, climate_score

REFERENCE = "Mikhaeil et al., NeurIPS 2022 (arXiv 2110.07238); Hess et al., ICML 2023 (arXiv 2306.04406)"
LONGEST = 65_536
"""Rows of the longest segment; longer runs are averaged over segments (Bartlett), which bounds the smoothing cost."""
BANDWIDTH = 0.002
"""Default smoothing bandwidth in cycles per row: the published 20 bins at 10,000 rows."""
FEWEST = 5
"""The default bandwidth is at least this many bins, since a raw periodogram does not converge."""


@climate_score
def spectral_hellinger(
    runs: Runs,
    *,
    bandwidth: float | None = None,
    smoothing: float = 20.0,
    legacy: Literal["DynaMix", "GTF", "dysts"] | None = None,
) -> Score:
    """Spectral Hellinger distance D_H = sqrt(1 - sum_f sqrt(p_f q_f)), mean over channels: 0 equal, 1 disjoint.

    Called as `spectral_hellinger(generated, true)` with runs `(time, channel)`. p and q are the power spectra |rfft|^2
    of the standardised channels, smoothed by a Gaussian of standard deviation `bandwidth` in cycles per time unit
    (default 0.002 / interval, at least 5 bins) and normalised to 1. A run longer than the other, or than 65,536 rows,
    is averaged over consecutive segments of equal length. Of truth with gaps the longest gap-free stretch counts. The
    floor is the distance between the two halves of the truth, which is higher than that of two full runs.

    A run that is not finite, or constant where the truth is not, has the largest distance, 1, and a reason; channels
    constant in the truth are left out. `details` holds frequency and both spectra. Cost: O(T log T).

    `legacy` gives published values, which depend on the length of the runs; it must be equal. "DynaMix" and "GTF", the
    same here, smooth by `smoothing` bins (20; 1 for their fMRI data). "dysts" takes the first 100 bins of |fft|^2 of
    the channels as they are, the mean included, without smoothing, each normalised to 1 over these bins.
    """
    label: dict[str, Any] = {"name": "spectral_hellinger", "reference": REFERENCE}
    truth = longest_stretch(runs.true)
    varying = np.ptp(truth, axis=0) > 0
    if not varying.any():
        raise InsufficientData("every channel of the truth is constant; it has no spectrum")
    settings: dict[str, Any] = {"legacy": legacy, "channels": int(varying.sum())}
    if runs.broken is not None:
        return Score(value=1.0, reason=runs.failure, settings=settings, **label)
    truth, generated = truth[:, varying], runs.generated[:, varying]
    length = len(truth) if legacy else min(len(truth), len(generated), LONGEST)
    if legacy is None:
        width = max(BANDWIDTH, FEWEST / length) / runs.interval if bandwidth is None else float(bandwidth)
        if not width > 0:
            raise SettingError(f"bandwidth must be positive, got {bandwidth}")
        sigma = width * runs.interval * length
        settings["bandwidth"] = width
    else:
        sigma = settings["smoothing"] = _published_smoothing(legacy, smoothing, bandwidth)
        if len(truth) != len(generated):
            raise SettingError(f"the legacy distance needs equal lengths, got {len(generated)} and {len(truth)} rows")
    settings |= {"rows": length}
    half = len(truth) // 2
    part = min(half, LONGEST)
    if legacy == "dysts":
        p, q, *pieces = (first_bins(x) for x in (truth, generated, truth[:half], truth[half : 2 * half]))
    else:
        p, q = power_spectrum(truth, length, sigma), power_spectrum(generated, length, sigma)
        pieces = [power_spectrum(x, part, sigma * part / length) for x in (truth[:half], truth[half : 2 * half])]
    dead = np.isnan(q).any(axis=0)
    return Score(
        value=float(hellinger(p, np.where(np.isnan(q), 0.0, q)).mean()),
        floor=float(np.nanmean(hellinger(*pieces))),
        settings=settings,
        reason=f"{dead.sum()} channels of the run are constant" if dead.any() else "",
        details={"frequency": np.fft.rfftfreq(length, runs.interval)[: len(p)], "truth": p, "generated": q},
        **label,
    )


def _published_smoothing(legacy: str, smoothing: float, bandwidth: float | None) -> float:
    if legacy not in ("DynaMix", "GTF", "dysts") or bandwidth is not None or smoothing < 0:
        raise SettingError("legacy is 'DynaMix', 'GTF' or 'dysts', with smoothing in bins and without a bandwidth")
    return 0.0 if legacy == "dysts" else float(smoothing)


def hellinger(p: Array, q: Array) -> Array:
    """Hellinger distance of distributions in the columns of `p` and `q`, sqrt(1 - sum sqrt(p q)), within [0, 1]."""
    return np.sqrt(np.clip(1 - np.sqrt(p * q).sum(axis=0), 0.0, 1.0))


def first_bins(x: Array, bins: int = 100) -> Array:
    """|fft|^2 at the first `bins` frequencies `(frequency, channel)`, the mean's included, each column with sum 1.

    NaN for a channel that is 0. Of runs of fewer than twice as many rows negative frequencies are among them, as there.
    """
    power = np.abs(np.fft.fft(x, axis=0))[:bins] ** 2
    total = power.sum(axis=0)
    return np.where(total > 0, power / np.where(total > 0, total, 1.0), np.nan)


def power_spectrum(x: Array, length: int, sigma: float) -> Array:
    """Smoothed power spectrum `(frequency, channel)` of `x (time, channel)`, each column with sum 1.

    |rfft|^2 of standardised consecutive segments of `length` rows, averaged, and smoothed by a Gaussian of `sigma` bins
    (reflected at the ends, cut at 4 sigma). NaN for a constant channel.
    """
    from scipy.ndimage import gaussian_filter1d

    spread = x.std(axis=0)
    constant = spread <= 1e-12 * np.abs(x).max(axis=0)
    standard = (x - x.mean(axis=0)) / np.where(constant, 1.0, spread)
    segments = standard[: len(x) // length * length].reshape(-1, length, x.shape[1])
    segments = segments - segments.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(segments, axis=1)) ** 2).mean(axis=0)
    if sigma > 0:
        power = gaussian_filter1d(power, sigma, axis=0, mode="reflect", truncate=4.0)
    smooth = np.maximum(power, 0.0)
    total = smooth.sum(axis=0)
    lost = constant | (total <= 0)
    return np.where(lost, np.nan, smooth / np.where(lost, 1.0, total))


def longest_stretch(rows: Array) -> Array:
    """The longest part of `rows (time, channel)` without a missing value, at least 8 rows."""
    present = np.concatenate([[False], np.isfinite(rows).all(axis=1), [False]])
    edges = np.flatnonzero(np.diff(present.astype(int)))
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts)) if len(starts) else 0
    if len(starts) == 0 or stops[longest] - starts[longest] < 8:
        raise InsufficientData("the truth has no gap-free stretch of 8 rows")
    return rows[starts[longest] : stops[longest]]
