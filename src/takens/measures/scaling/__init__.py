"""Scaling and long memory: fluctuations, Hurst exponents, multifractals, spectral slope."""

from .exponent import detrended_fluctuation_exponent
from .fluctuation import detrended_fluctuations, expected_fluctuations
from .hurst import generalised_hurst_exponents, hurst_rescaled_range, hurst_whittle, spectral_slope
from .multifractal import multifractal_exponents, singularity_spectrum
from .noise import fractional_gaussian_noise

__all__ = [
    "detrended_fluctuation_exponent", "detrended_fluctuations", "expected_fluctuations", "fractional_gaussian_noise",
    "generalised_hurst_exponents", "hurst_rescaled_range", "hurst_whittle", "multifractal_exponents",
    "singularity_spectrum", "spectral_slope",
]  # fmt: skip
