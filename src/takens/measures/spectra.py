"""Spectra of regular and irregular samples, and the red noise that peaks must stand out of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .base import Refused

Array = NDArray[np.float64]

LONGEST = 65_536
"""Grid cells at most; a longer record is averaged in blocks, which hides periods below two blocks."""


@dataclass(frozen=True)
class Grid:
    """Values on a regular grid `x (cell,)`, 0 where none was observed, and the weights of their spectrum.

    `weights (taper, cell)`: several sine tapers where every cell is filled (multitaper, Riedel and Sidorenko 1995), the
    mask alone where not (the periodogram of Lomb and Scargle). `half_width` is the half bandwidth in cycles a cell.
    """

    x: Array
    weights: Array
    step: float
    half_width: float
    highest: float

    @classmethod
    def of(cls, t: Array, x: Array, tapers: int) -> Grid:
        """The grid of values at times `t`: cells of one interval, an eighth of it where the times are irregular."""
        intervals = np.diff(t)
        steps = intervals / intervals.min()
        regular = bool(np.abs(steps - np.round(steps)).max() < 0.02 and steps.mean() < 8)
        interval = float(np.median(intervals / np.round(steps)) if regular else np.median(intervals))
        step = max(interval if regular else interval / 8, (t[-1] - t[0]) / LONGEST)
        if regular:
            step = interval * np.ceil(step / interval * (1 - 1e-9))
        cell = np.floor((t - t[0]) / step + (0.5 if step <= interval else 1e-6)).astype(int)
        count = np.bincount(cell).astype(float)
        z = t - t.mean()
        total = np.bincount(cell, x - np.polyval(np.polyfit(z, x, 1), z))
        filled = count > 0
        grid = np.where(filled, total / np.maximum(count, 1), 0.0)
        weights, half_width = _weights(filled, tapers)
        return cls(grid, weights, float(step), half_width, 0.5 * min(1.0, float(step) / interval))

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Which cells hold a value."""
        return np.asarray(self.weights[0] > 0)

    def cut(self, cells: int, tapers: int) -> Grid:
        """The grid of the first `cells` cells."""
        weights, half_width = _weights(self.filled[:cells], tapers)
        return replace(self, x=self.x[:cells], weights=weights, half_width=half_width)

    @property
    def size(self) -> int:
        """Length of the zero-padded Fourier transforms: twice the grid at least."""
        from scipy.fft import next_fast_len

        return int(next_fast_len(2 * len(self.x), real=True))

    @property
    def frequency(self) -> Array:
        """Frequencies `(frequency,)` of the spectrum in cycles a cell, up to the highest."""
        return np.arange(int(self.highest * self.size) + 1) / self.size

    def power(self, x: Array) -> Array:
        """Spectrum `(..., frequency)` of `x (..., cell)`, averaged over tapers; white noise has its variance."""
        from scipy.fft import rfft

        count = len(self.frequency)
        if len(self.weights) > 1:
            return np.mean(
                [np.abs(rfft(x * taper, self.size, axis=-1)[..., :count]) ** 2 for taper in self.weights], axis=0
            )
        # Lomb (1976): the time offset makes the sine and cosine sums of irregular times independent.
        n = int(self.filled.sum())
        wave = rfft(x, self.size, axis=-1)[..., :count]
        mask = rfft(self.filled.astype(float), self.size)
        twice = 2 * np.arange(count)
        folded = np.where(twice < len(mask), mask[twice % len(mask)], np.conj(mask[(-twice) % self.size % len(mask)]))
        turn = np.exp(0.5j * -np.angle(folded))
        wave = wave * turn
        share = np.abs(folded)
        low = np.maximum(n - share, 1e-9 * n)
        return wave.real**2 / (n + share) + wave.imag**2 / low

    def backgrounds(self, phi: Array) -> Array:
        """Expected spectra `(phi, frequency)` of unit-variance AR(1) with coefficients `phi` a cell on this grid.

        E P(f) = sum_l phi^|l| A(l) cos(2 pi f l), A the autocorrelation of the weights: leakage and gaps included.
        """
        from scipy.fft import irfft, rfft

        n, size = len(self.x), self.size
        overlap = irfft(np.mean(np.abs(rfft(self.weights, size, axis=1)) ** 2, axis=0), size)
        lag = np.minimum(np.arange(size), size - np.arange(size))
        out = np.empty((len(phi), len(self.frequency)))
        for i, value in enumerate(phi):
            correlation = np.where(lag < n, np.abs(value) ** lag, 0.0) * np.where((lag % 2 == 1) & (value < 0), -1, 1)
            out[i] = rfft(overlap * correlation, size).real[: out.shape[1]]
        return np.maximum(out, 1e-12)


def _weights(filled: NDArray[np.bool_], tapers: int) -> tuple[Array, float]:
    n = len(filled)
    if filled.all():
        k = np.arange(1, tapers + 1)[:, None]
        weights = np.sin(np.pi * k * np.arange(1, n + 1) / (n + 1)) * np.sqrt(2 / (n + 1))
        return weights, (tapers + 1) / (2 * (n + 1))
    return filled[None] / np.sqrt(filled.sum()), 1.0 / n


@dataclass(frozen=True)
class RedNoise:
    """The fitted AR(1) background of one grid: candidate coefficients, their spectra, and the bands of the fit."""

    grid: Grid
    phi: Array
    spectra: Array
    bands: tuple[NDArray[np.int64], ...]
    usable: NDArray[np.bool_]

    @classmethod
    def on(cls, grid: Grid, cycles: float) -> RedNoise:
        """Prepare the fit for frequencies of at least `cycles` cycles in the record."""
        per_interval = np.concatenate([np.linspace(-0.9, 0.85, 36), 1 - np.geomspace(0.13, 0.001, 24)])
        fine = 2 * grid.highest
        phi = per_interval if fine == 1 else per_interval[per_interval > 0] ** fine
        usable = grid.frequency >= max(cycles / len(grid.x), 1.5 * grid.half_width)
        index = np.flatnonzero(usable)
        if len(index) < 40:
            raise Refused(f"the record holds too few frequencies above {cycles:g} cycles; a longer one is needed")
        edges = np.unique(np.geomspace(index[0], index[-1] + 1, 48).round().astype(int))
        bands = tuple(np.arange(a, b) for a, b in pairwise(edges))
        return cls(grid, phi, grid.backgrounds(phi), bands, usable)

    def without(self, taken: NDArray[np.bool_]) -> RedNoise:
        """The same fit without the frequencies `taken` by lines that were found."""
        bands = tuple(kept for band in self.bands if len(kept := band[~taken[band]]))
        return replace(self, bands=bands, usable=self.usable & ~taken)

    def fit(self, power: Array) -> tuple[NDArray[np.int64], Array]:
        """Index into `phi` and the background `(series, frequency)` of spectra `power (series, frequency)`.

        Medians in logarithmic bands, compared by absolute log deviation: lines and peaks hardly move it (in the spirit
        of Mann and Lees 1996).
        """
        from scipy.special import chdtri

        dof = 2 * len(self.grid.weights)
        middle = float(chdtri(dof, 0.5)) / dof
        seen = np.stack([np.log(np.median(power[:, band], axis=1) / middle) for band in self.bands], axis=1)
        model = np.stack([np.log(self.spectra[:, band]).mean(axis=1) for band in self.bands], axis=1)
        weight = np.sqrt([len(band) for band in self.bands])
        best, level = np.empty(len(power), dtype=np.int64), np.empty(len(power))
        for i, row in enumerate(seen):
            gap = row - model
            order = np.argsort(gap, axis=1)
            total = np.cumsum(weight[order], axis=1)
            at = (total >= total[:, -1:] / 2).argmax(axis=1)
            scale = np.take_along_axis(gap, np.take_along_axis(order, at[:, None], axis=1), axis=1)
            best[i] = np.argmin((np.abs(gap - scale) * weight).sum(axis=1))
            level[i] = scale[best[i], 0]
        return best, np.exp(level)[:, None] * self.spectra[best]

    def p_values(self, power: Array, background: Array) -> Array:
        """Probability of so much power at each frequency `(series, frequency)`: chi-squared, 2 degrees a taper."""
        from scipy.special import chdtrc

        dof = 2 * len(self.grid.weights)
        return np.where(self.usable, chdtrc(dof, dof * power / background), 1.0)

    def independent_share(self, phi: float, simulations: int, rng: np.random.Generator) -> float:
        """Independent frequencies a spectral value, from simulated red noise that is fitted like the data.

        Chosen such that 5 % of the simulations exceed the 5 % threshold, so that leakage, overlap of the tapers, zero
        padding and the error of the fit are all accounted for.
        """
        from scipy.signal import lfilter

        n = len(self.grid.x)
        noise = rng.normal(size=(simulations, n)) * np.sqrt(1 - phi**2)
        noise[:, 0] /= np.sqrt(1 - phi**2)
        x = lfilter([1.0], [1.0, -phi], noise, axis=1) * self.grid.filled
        power = self.grid.power(x)
        _, background = self.fit(power)
        smallest = self.p_values(power, background).min(axis=1)
        # The smallest p is below q with probability 1 - (1 - q)^m: the median and the 5 % quantile each give an m.
        low, middle = np.quantile(smallest, [0.05, 0.5])
        count = max(np.log(0.95) / np.log1p(-low), np.log(0.5) / np.log1p(-middle))
        return float(count / self.usable.sum())
