"""Lines of a spectrum: the peaks that stay as high, however long the record, and whether one cycle explains them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST = 12
"""Peaks looked at."""
REACH = 2
"""Bins on each side that a line under a Hann taper fills."""


@dataclass(frozen=True, eq=False)
class Lines:
    """The Hann periodogram of a record: `frequency` and `power (bin,)`, its highest `peaks` (bins), lowest first.

    `quarters (4, bin)` are the periodograms of its quarters.
    """

    frequency: Array
    power: Array
    quarters: Array
    peaks: NDArray[np.int64]

    @classmethod
    def of(cls, x: Array) -> Lines:
        """Those of `x (time,)`. Cost: O(N log N)."""
        power = _periodogram(x[None])[0]
        quarter = len(x) // 4
        quarters = _periodogram(x[: 4 * quarter].reshape(4, quarter))
        return cls(np.asarray(np.fft.rfftfreq(len(x)), dtype=np.float64), power, quarters, _peaks(power))

    @cached_property
    def share(self) -> float:
        """The share of the power within the peaks."""
        return _share(self.power, self.peaks)

    @cached_property
    def weights(self) -> Array:
        """The power of each peak."""
        return np.array([self.power[max(0, p - REACH) : p + REACH + 1].sum() for p in self.peaks])

    @cached_property
    def centres(self) -> Array:
        """The place of each peak in bins, by the centre of mass of its power."""
        at = np.arange(len(self.power))
        return np.array([
            np.average(at[p - 1 : p + 2], weights=self.power[p - 1 : p + 2]) for p in self.peaks
        ])  # fmt: skip

    @cached_property
    def harmonic(self) -> float:
        """The largest share of the peaks' power at multiples of one frequency."""
        if len(self.peaks) == 0:
            return 0.0
        trials = np.concatenate([self.centres / k for k in (1, 2, 3, 4)] + [np.diff(np.sort(self.centres))])
        trials = trials[trials > 6]
        return max((self._explained(one) for one in trials), default=0.0)

    def _explained(self, fundamental: float) -> float:
        """The share of power of peaks that lie within a bin of a multiple, less what chance would put there."""
        off = np.abs(self.centres / fundamental - np.round(self.centres / fundamental)) * fundamental
        width = np.maximum(0.75, 0.01 * fundamental)
        share = float(self.weights[off < width].sum() / self.weights.sum())
        chance = min(1.0, 2 * float(width) / fundamental)
        return max(0.0, share - chance)

    @cached_property
    def lattice(self) -> float:
        """The largest share of the peaks' power at sums of multiples of two of their frequencies."""
        if len(self.peaks) < 2:
            return 0.0
        order = np.argsort(-self.weights)
        first = self.centres[order[0]]
        best = 0.0
        for other in order[1:5]:
            second = self.centres[other]
            near = abs(second / first - round(second / first)) * first
            if near < 1:
                continue
            k = np.arange(-3, 4)
            grid = np.abs(k[:, None] * first + k[None, :] * second).ravel()
            off = np.abs(self.centres[:, None] - grid).min(axis=1)
            best = max(best, float(self.weights[off < 1].sum() / self.weights.sum()))
        return best

    def statistics(self) -> dict[str, float]:
        """Numbers for the calibration."""
        total = max(float(self.power[1:].sum()), 1e-300)
        strongest = float(self.weights.max() / total) if len(self.peaks) else 0.0
        quarters = float(np.mean([_share(row, _peaks(row)) for row in self.quarters]))
        body = self.power[1:] / total
        flat = -float((body[body > 0] * np.log(body[body > 0])).sum() / np.log(len(body)))
        upper = slice(len(self.power) // 4, len(self.power) - 1)
        slope = np.polyfit(np.log(np.arange(len(self.power))[upper]), np.log(np.maximum(self.power[upper], 1e-24)), 1)[
            0
        ]
        return {
            "line_share": self.share, "first_line": strongest, "line_growth": self.share - quarters,
            "harmonic_share": self.harmonic, "lattice_share": self.lattice,
            "line_count": float(np.sum(self.weights > 0.02 * total)), "spectral_flatness": flat,
            "high_frequency_slope": float(slope),
        }  # fmt: skip


def _periodogram(rows: Array) -> Array:
    taper = np.hanning(rows.shape[1])
    return np.abs(np.fft.rfft((rows - rows.mean(axis=1, keepdims=True)) * taper, axis=1)) ** 2


def _peaks(power: Array) -> NDArray[np.int64]:
    """The bins of the highest local maxima, none within the reach of a higher one."""
    inner = np.flatnonzero((power[1:-1] >= power[:-2]) & (power[1:-1] > power[2:])) + 1
    inner = inner[inner > REACH]
    kept: list[int] = []
    for bin_ in inner[np.argsort(-power[inner])]:
        if all(abs(bin_ - other) > 2 * REACH for other in kept):
            kept.append(int(bin_))
        if len(kept) == MOST:
            break
    return np.sort(np.array(kept, dtype=np.int64))


def _share(power: Array, peaks: NDArray[np.int64]) -> float:
    inside = sum(float(power[max(0, p - REACH) : p + REACH + 1].sum()) for p in peaks)
    return inside / max(float(power[1:].sum()), 1e-300)
