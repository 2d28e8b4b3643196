"""State-space divergence: whether a free run visits the same places as the truth, equally often."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData, SettingError
from .base import Array, Score
from .climate import Runs, climate_score

REFERENCE = "Koppe et al., PLoS Comput. Biol. 15, e1007263 (2019); Hess et al., ICML 2023 (arXiv 2306.04406)"
MOST_BINS = 30
MOST = 5
"""Most dimensions that are binned as they are; the leading three principal components stand for more."""


@climate_score
def state_space_divergence(
    runs: Runs,
    *,
    bins: int | None = None,
    smoothing: float = 1e-5,
    legacy: Literal["DynaMix", "GTF"] | None = None,
) -> Score:
    """State-space divergence D_stsp = sum_k p_k log(p_k / q_k) in nats, p the true and q the generated histogram.

    Called as `state_space_divergence(generated, true, delay=...)` with runs `(time, channel)` of any lengths. `bins`
    cells per dimension span the range of the truth (None: as many as leave ten points of truth to a cell, at least 4,
    at most 30, the number of the literature); one more cell holds whatever lies outside. Counts are smoothed
    by Laplace, (n_k + a) / (N + a K) with a = `smoothing` and K cells. A single channel is unfolded with 3 delays of
    `delay` rows, more than 5 channels are projected on the first 3 principal components of the standardised truth:
    `settings["space"]`. The floor is the divergence between the two halves of the truth, mean of both directions; with
    half the rows each it is higher than two full runs would give.

    A run with NaN or infinity has the value infinity and a reason. Rows with missing truth are left out. `legacy`
    reproduces published binning, which has no outside cell: "DynaMix" (range of the truth, the first bin and the
    maximum dropped on every axis) and "GTF" (range widened by 0.1 standard deviations); both use the channels as they
    are. Raises `SettingError` for a single channel without delay. Not for short runs: with fewer rows than occupied
    cells the floor is high. Cost: O(T log T), no dense histogram.
    """
    if (bins is not None and bins < 2) or not smoothing > 0:
        raise SettingError(f"bins must be at least 2 and smoothing positive, got {bins} and {smoothing}")
    settings: dict[str, Any] = {"bins": bins, "smoothing": smoothing, "legacy": legacy}
    label: dict[str, Any] = {"name": "state_space_divergence", "unit": "nats", "reference": REFERENCE}
    if runs.broken is not None:
        return Score(value=np.inf, reason=runs.failure, settings=settings, **label)
    true, generated, settings["space"] = _space(runs, legacy)
    if len(true) < 8:
        raise InsufficientData(f"{len(true)} complete points of truth; at least 8 are needed")
    if bins is None:
        bins = MOST_BINS if legacy else int(np.clip((len(true) / 10) ** (1 / true.shape[1]), 4, MOST_BINS))
        settings["bins"] = bins
    cells = _legacy_cells(true, bins, legacy) if legacy else _Cells(true.min(axis=0), true.max(axis=0), bins)
    p, q = cells.of(true), cells.of(generated)
    half = len(true) // 2
    first, second = cells.of(true[:half]), cells.of(true[half:])
    floor = (divergence(first, second, cells.count, smoothing) + divergence(second, first, cells.count, smoothing)) / 2
    if len(q) == 0 or len(p) == 0:
        return Score(value=np.inf, floor=floor, reason="no point lies in the binned range", settings=settings, **label)
    outside = float(np.mean(q == -1)) if legacy is None else 1 - len(q) / len(generated)
    return Score(
        value=divergence(p, q, cells.count, smoothing), floor=floor, settings=settings,
        details={"outside": outside}, **label,
    )  # fmt: skip


def divergence(p_cells: NDArray[np.int64], q_cells: NDArray[np.int64], count: int, smoothing: float) -> float:
    """KL divergence in nats of two Laplace-smoothed histograms, given the cell of every point and the number of cells.

    Only occupied cells are held; the empty ones all add the same term.
    """
    occupied, inverse = np.unique(np.concatenate([p_cells, q_cells]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(occupied)) for part in (inverse[: len(p_cells)], inverse[len(p_cells) :])]
    p, q = ((n + smoothing) / (n.sum() + smoothing * count) for n in counts)
    p_empty, q_empty = (smoothing / (n.sum() + smoothing * count) for n in counts)
    empty = (count - len(occupied)) * p_empty * np.log(p_empty / q_empty)
    return float(np.sum(p * np.log(p / q)) + empty)


class _Cells:
    """A grid of `bins` cells per dimension between `low` and `high`, and one cell, -1, for everything outside."""

    def __init__(self, low: Array, high: Array, bins: int, *, lowest: int = 0, closed: bool = True) -> None:
        self.low, self.high, self.bins, self.lowest, self.closed = low, high, bins, lowest, closed
        self.count = bins ** len(low) + closed

    def of(self, points: Array) -> NDArray[np.int64]:
        """The cell of each point; without an outside cell (not `closed`) points outside are left out."""
        width = self.high - self.low
        safe = np.where(width > 0, width, 1.0)
        # clipped before the cast: a run may leave by more than an integer holds
        index = np.floor(np.clip(self.bins * ((points - self.low) / safe), -1, self.bins + 1)).astype(np.int64)
        if self.closed:  # the maximum belongs to the last cell, and a channel without width has one cell
            index = np.where(points <= self.high, np.minimum(index, self.bins - 1), self.bins)
        outside = ((index < self.lowest) | (index >= self.bins) | (points < self.low)).any(axis=1)
        code = index @ (self.bins ** np.arange(len(self.low), dtype=np.int64))
        return np.where(outside, -1, code) if self.closed else code[~outside]


def _legacy_cells(true: Array, bins: int, legacy: str) -> _Cells:
    low, high = true.min(axis=0), true.max(axis=0)
    if legacy == "DynaMix":
        return _Cells(low, high, bins, lowest=1, closed=False)
    if legacy == "GTF":
        margin = 0.1 * true.std(axis=0, ddof=1)
        return _Cells(low - margin, high + margin, bins, closed=False)
    raise SettingError(f"no legacy binning {legacy!r}", remedy="Use 'DynaMix' or 'GTF'.")


def _space(runs: Runs, legacy: str | None) -> tuple[Array, Array, str]:
    """True and generated points `(point, dimension)` in which the runs are compared, and what this space is."""
    true, generated = runs.true, runs.generated
    channels = true.shape[1]
    if legacy is not None and channels > MOST:
        raise SettingError(f"legacy binning is defined for at most {MOST} channels, not {channels}")
    if legacy is not None or 1 < channels <= MOST:
        return _complete(true), generated, "channels"
    if channels == 1:
        delay = decorrelation(true[:, 0]) if runs.delay is None else runs.delay
        if delay < 1:
            raise SettingError(f"delay must be at least 1 row, got {delay}")
        if min(len(true), len(generated)) < 8 + 2 * delay:
            raise InsufficientData(f"a delay of {delay} rows needs at least {8 + 2 * delay} rows")
        unfolded = [
            np.column_stack([x[: len(x) - 2 * delay], x[delay : len(x) - delay], x[2 * delay :]])
            for x in (true[:, 0], generated[:, 0])
        ]
        return _complete(unfolded[0]), unfolded[1], f"3 delays of {delay} rows"
    known = _complete(true)
    spread = known.std(axis=0)
    centre, scale = known.mean(axis=0), np.where(spread > 0, spread, 1.0)
    standard = (known - centre) / scale
    _, strength, axes = np.linalg.svd(standard, full_matrices=False)
    share = (strength[:3] ** 2).sum() / (strength**2).sum()
    space = f"first 3 principal components of {channels} channels ({share:.0%} of the variance)"
    return standard @ axes[:3].T, ((generated - centre) / scale) @ axes[:3].T, space


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
