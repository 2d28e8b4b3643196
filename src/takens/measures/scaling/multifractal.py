"""Multifractal detrended fluctuations: whether small and large fluctuations scale alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure
from .fluctuation import BLOCKS, default_scales, detrended_fluctuations

Array = NDArray[np.float64]

POWERS = tuple(float(q) for q in np.arange(-5, 6))
"""Orders q of the moments where none are given."""

FLAT = 1e-20
"""Residual variance, relative to the mean one, below which a window counts as exactly straight."""


def singularity_spectrum(q: Array, hurst: Array) -> tuple[Array, Array, Array]:
    """Mass exponents tau(q) = q h(q) - 1 and the singularity spectrum (alpha, f) of `hurst (..., q)`.

    alpha = d tau / d q by central differences (one-sided at the ends), f = q alpha - tau: Legendre's transform.
    """
    tau = q * hurst - 1
    alpha = np.gradient(tau, q, axis=-1)
    return tau, alpha, q * alpha - tau


@measure(family="scaling", reference="Kantelhardt et al., Physica A 316, 87 (2002)", minimum=500)
def multifractal_exponents(
    channel: Channel, *, powers: Sequence[float] = POWERS, order: int = 1, smallest: int | None = None,
    largest: int | None = None, level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Generalised Hurst exponents h(q) `(power,)` of detrended fluctuations: F_q(s) ~ s^h(q).

    F_q(s) = <(F^2)^(q/2)>^(1/q) over windows of s samples, for q = 0 exp <ln F^2> / 2. Large q weighs large
    fluctuations. h(2) is the exponent of `detrended_fluctuation_exponent` without its correction; h that falls with q
    is multifractal. The intervals at `level` are jackknives over ten blocks of time, which know chance but not what
    finite windows do: on a binomial cascade they miss the exact h(q) by up to 0.07. Details: `power`, `scale` (time),
    `fluctuation (power, scale)`, `tau` (q h - 1), `alpha` and `f` (the singularity spectrum), `width` (largest less
    smallest alpha) and `width_error`.

    Windows in which the series is constant have no residual and make every q <= 0 meaningless: the smallest window is
    at least four times the longest run of equal values, and where flat windows remain the answer is refused. Finite
    records of monofractal noise have a width of some tenths: judge it against `surrogate_test`'s kind of surrogates.
    Moments of |q| > 5 rest on a handful of windows. `powers` must ascend. Cost: O(N) a scale and power.
    """
    del seed
    q = np.asarray(powers, dtype=float)
    if q.ndim != 1 or len(q) < 3 or not (np.diff(q) > 0).all():
        raise SettingError("powers must be at least three ascending numbers", place="powers")
    x = channel.x
    scales, chosen = default_scales(x, order, smallest, largest)
    found = detrended_fluctuations(x, scales, order)
    for size, variance in zip(scales, found.variances, strict=True):
        flat = int(np.sum(variance <= FLAT * variance.mean()))
        if flat and q[0] <= 0:
            raise Refused(
                f"{flat} windows of {size} samples are straight, as where values are equal: moments of q <= 0 do not "
                "exist; give a larger smallest window or only positive powers"
            )
    curves = found.moments(q)
    x_axis = np.log(scales)
    slopes = np.polyfit(x_axis, curves.reshape(-1, len(scales)).T, 1)[0].reshape(1 + BLOCKS, len(q))
    tau, alpha, f = singularity_spectrum(q, slopes)
    width = np.ptp(alpha, axis=-1)
    from scipy.special import stdtrit

    spread = np.sqrt((BLOCKS - 1) / BLOCKS * np.sum((slopes[1:] - slopes[1:].mean(axis=0)) ** 2, axis=0))
    half = float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * spread
    width_error = float(np.sqrt((BLOCKS - 1) / BLOCKS * np.sum((width[1:] - width[1:].mean()) ** 2)))
    return Estimate(
        "", slopes[0], "", (slopes[0] - half, slopes[0] + half), level, "slopes of the moments of fluctuations",
        {"powers": q, "order": order, "smallest": int(scales[0]), "largest": int(scales[-1])}, chosen,
        details={"power": q, "scale": scales * channel.interval, "fluctuation": np.exp(curves[0]), "tau": tau[0],
                 "alpha": alpha[0], "f": f[0], "width": float(width[0]), "width_error": width_error},
    )  # fmt: skip
