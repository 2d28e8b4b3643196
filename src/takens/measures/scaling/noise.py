"""Fractional Gaussian noise, exactly: the noise whose memory every scaling exponent is tested on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError

Array = NDArray[np.float64]


def fractional_gaussian_noise(rng: np.random.Generator, length: int, hurst: float, count: int = 1) -> Array:
    """`count` records `(count, length)` of fractional Gaussian noise of unit variance, 0 < `hurst` < 1.

    Its autocovariance is gamma(k) = (|k + 1|^2H - 2 |k|^2H + |k - 1|^2H) / 2; its sum is fractional Brownian motion.
    Exact: the covariance is embedded in a circulant one, whose eigenvalues, a Fourier transform, are never negative for
    this noise. Raises `SettingError` for settings out of range. Cost: one FFT of twice the length a record. Source:
    Davies and Harte, Biometrika 74, 95 (1987).
    """
    if not 0 < hurst < 1 or length < 1 or count < 1:
        raise SettingError(f"hurst is {hurst}, length {length}, count {count}; hurst lies between 0 and 1")
    lag = np.arange(length + 1, dtype=float)
    gamma = ((lag + 1) ** (2 * hurst) - 2 * lag ** (2 * hurst) + np.abs(lag - 1) ** (2 * hurst)) / 2
    eigenvalues = np.fft.rfft(np.concatenate([gamma, gamma[-2:0:-1]])).real
    size = 2 * length
    white = rng.normal(size=(count, size))
    return np.fft.irfft(np.fft.rfft(white) * np.sqrt(np.maximum(eigenvalues, 0.0)), size)[:, :length]
