"""Hurst exponents by other roads: rescaled range, structure functions, local Whittle; and the slope of the spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, measure
from ..scaling_region import jackknife_error
from ..timescales import normal_quantile
from .fluctuation import BLOCKS, default_scales

Array = NDArray[np.float64]


def rescaled_ranges(x: Array, size: int) -> Array:
    """R/S `(window,)` of consecutive windows of `size` samples of `x (time,)`; NaN where a window is constant.

    R is the range of the window's running sum, its mean removed, from 0 on; S its standard deviation (divisor n).
    """
    windows = x[: len(x) // size * size].reshape(-1, size)
    sums = np.cumsum(windows - windows.mean(axis=1, keepdims=True), axis=1)
    spread = windows.std(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.maximum(sums.max(axis=1), 0) - np.minimum(sums.min(axis=1), 0)) / np.where(
            spread > 0, spread, np.nan
        )


def expected_rescaled_range(size: int) -> float:
    """E(R/S) of independent normal values in windows of `size` samples, exactly.

    Gamma((n - 1)/2) / (sqrt(pi) Gamma(n/2)) sum_{r=1}^{n-1} sqrt((n - r)/r). Anis and Lloyd, Biometrika 63, 111 (1976).
    """
    from scipy.special import gammaln

    r = np.arange(1, size)
    return float(np.exp(gammaln((size - 1) / 2) - gammaln(size / 2)) / np.sqrt(np.pi) * np.sum(np.sqrt((size - r) / r)))


@measure(family="scaling", reference="Anis and Lloyd, Biometrika 63, 111 (1976)", minimum=320)
def hurst_rescaled_range(
    channel: Channel, *, smallest: int | None = None, largest: int | None = None, level: float = 0.95, seed: int = 0
) -> Estimate:  # fmt: skip
    """Hurst exponent of a noise by the rescaled range: R/S ~ n^H, corrected for short windows.

    H = 1/2 + slope of ln <R/S>_n - ln E(R/S)_n over ln n, where E is Anis and Lloyd's exact expectation for independent
    values; without it white noise of any practical length gives about 0.55. The interval is a jackknife over ten blocks
    of time. The method leans towards 1/2 (0.34 at 0.3, 0.79 at 0.9 in 4,000 values): an interval that does not hold 1/2
    says that there is memory, but not how much, and the value is not admissible; `hurst_whittle` and
    `detrended_fluctuation_exponent` say how much. For noises, not for their sums. Details: `scale` (time),
    `rescaled_range`, `expected`. Cost: O(N) a window size.
    """
    del seed
    x = channel.x
    scales, chosen = default_scales(x, 1, smallest, largest)
    expected = np.log([expected_rescaled_range(int(s)) for s in scales])
    curves = np.empty((1 + BLOCKS, len(scales)))
    for i, size in enumerate(scales.tolist()):
        ranges = rescaled_ranges(x, size)
        block = (np.arange(len(ranges)) + 0.5) * size * BLOCKS / len(x)
        for leave in range(-1, BLOCKS):
            curves[leave + 1, i] = np.log(np.nanmean(ranges[block.astype(int) != leave]))
    slopes = 0.5 + np.polyfit(np.log(scales), (curves - expected).T, 1)[0]
    from scipy.special import stdtrit

    half = float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * jackknife_error(slopes[1:])
    value = float(slopes[0])
    reason = "" if abs(value - 0.5) <= half else (
        f"H = {value:.2f} is away from 1/2, where the rescaled range leans towards it: hurst_whittle says how far"
    )  # fmt: skip
    return Estimate(
        "", value, "", (value - half, value + half), level, "rescaled range, Anis and Lloyd's correction, jackknife",
        {"smallest": int(scales[0]), "largest": int(scales[-1])}, chosen, not reason, reason,
        details={"scale": scales * channel.interval, "rescaled_range": np.exp(curves[0]),
                 "expected": np.exp(expected)},
    )  # fmt: skip


@measure(family="scaling", reference="Di Matteo, Quantitative Finance 7, 21 (2007)", minimum=200)
def generalised_hurst_exponents(
    channel: Channel, *, powers: Sequence[float] = (1.0, 2.0, 3.0), largest: int = 19, level: float = 0.95,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Generalised Hurst exponents H(q) `(power,)` of a motion: <|x(t + s) - x(t)|^q> ~ s^(q H(q)).

    Lags s from 1 to `largest` samples; `powers` are positive. Fractional Brownian motion has H(q) = H; H that falls
    with q is multifractal. For motions (prices, positions, sums); a stationary record has H near 0, and its sum is what
    is meant. The interval is a jackknife over ten blocks of time; above 0.8 the steps remember too long for that (it
    held the truth in 70 % at 0.9) and the values are not admissible. Details: `lag` (time), `moment (power, lag)`.
    Cost: O(N) a lag and power.
    """
    del seed
    q = np.asarray(powers, dtype=float)
    if q.ndim != 1 or not len(q) or not (q > 0).all():
        raise SettingError("powers must be positive", place="powers")
    x = channel.x
    if not 4 <= largest <= len(x) // BLOCKS:
        raise SettingError(f"largest is {largest} for {len(x)} values", remedy=f"From 4 to {len(x) // BLOCKS}.")
    lags = np.arange(1, largest + 1)
    curves = np.empty((1 + BLOCKS, len(q), len(lags)))
    for i, lag in enumerate(lags):
        steps = np.abs(x[lag:] - x[:-lag])
        block = np.arange(len(steps)) * BLOCKS // len(steps)
        number = np.bincount(block, minlength=BLOCKS)
        for k, power in enumerate(q):
            sums = np.bincount(block, steps**power, minlength=BLOCKS)
            curves[0, k, i] = sums.sum() / number.sum()
            curves[1:, k, i] = (sums.sum() - sums) / (number.sum() - number)
    logs = np.log(curves).reshape(-1, len(lags))
    slopes = np.polyfit(np.log(lags), logs.T, 1)[0].reshape(1 + BLOCKS, len(q)) / q
    from scipy.special import stdtrit

    error = np.array([jackknife_error(column) for column in slopes[1:].T])
    half = float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * error
    reason = "" if slopes[0].max() <= 0.8 else (
        f"H = {slopes[0].max():.2f}: above 0.8 steps remember longer than a tenth of the record: use hurst_whittle"
    )  # fmt: skip
    return Estimate(
        "", slopes[0], "", (slopes[0] - half, slopes[0] + half), level, "structure functions, jackknife",
        {"powers": q, "largest": largest}, {}, not reason, reason,
        details={"lag": lags * channel.interval, "moment": curves[0]},
    )  # fmt: skip


@measure(family="scaling", reference="Robinson, Annals of Statistics 23, 1630 (1995)", minimum=200)
def hurst_whittle(
    channel: Channel, *, frequencies: int | None = None, level: float = 0.95, seed: int = 0
) -> Estimate:  # fmt: skip
    """Hurst exponent of a noise by the local Whittle estimator, which only looks at its lowest frequencies.

    H minimises ln <w^(2H - 1) I(w)> - (2H - 1) <ln w> over the first m Fourier frequencies w (default m = N^0.65), I
    the periodogram. Asymptotically normal with standard error 1 / (2 sqrt(m)), which is the interval. Short memory does
    not matter as long as it ends before the period of frequency m, unlike in fluctuation analysis. For noises, 0 < H <
    1; a value at either end means that the record is a motion, or a difference of one, and is not admissible. Details:
    `frequency` (1/time), `power`. Cost: one FFT.
    """
    del seed
    from scipy.optimize import minimize_scalar

    x = channel.x
    m = frequencies or int(len(x) ** 0.65)
    if not 10 <= m < len(x) // 2:
        raise SettingError(f"frequencies is {m} for {len(x)} values", remedy=f"From 10 to {len(x) // 2 - 1}.")
    power = np.abs(np.fft.rfft(x - x.mean())[1 : m + 1]) ** 2 / len(x)
    logs = np.log(np.arange(1, m + 1) / len(x))

    def misfit(hurst: float) -> float:
        return float(np.log(np.mean(np.exp((2 * hurst - 1) * logs) * power)) - (2 * hurst - 1) * logs.mean())

    value = float(minimize_scalar(misfit, bounds=(-0.5, 1.5), method="bounded", options={"xatol": 1e-6}).x)
    half = normal_quantile(level) / (2 * np.sqrt(m))
    reason = "" if 0 < value < 1 else f"H = {value:.2f} is not that of a noise: difference or sum the record first"
    return Estimate(
        "", value, "", (value - half, value + half), level, "local Whittle",
        {"frequencies": m}, {} if frequencies else {"frequencies": "N^0.65"}, not reason, reason,
        details={"frequency": np.arange(1, m + 1) / (len(x) * channel.interval), "power": power},
    )  # fmt: skip


@measure(family="scaling", reference="Riedel and Sidorenko, IEEE Trans. Signal Process. 43, 188 (1995)", minimum=200)
def spectral_slope(
    channel: Channel, *, lowest: float | None = None, highest: float | None = None, tapers: int = 3,
    level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """The exponent beta of a power-law spectrum S(f) ~ f^-beta: 0 white, 1 pink, 2 Brownian.

    Least squares of ln S over ln f between frequencies `lowest` and `highest` (1/time; defaults the
    2 (tapers + 1)-th and the N^0.7-th), S the mean over `tapers` sine tapers, whose leakage falls like f^-4, so that
    beta up to 2.5 is seen; above, the answer is not admissible. ln S of k tapers has variance trigamma(k); bins closer
    than the tapers' width depend on one another and only every `tapers`-th is taken: that is the interval. Fractional
    Gaussian noise has beta = 2 H - 1, its sum 2 H + 1. Not admissible where the curve is no straight line (lack of fit,
    chi^2 at 0.1 %), as with peaks: subtract them or choose a range. Details: `frequency` (1/time), `power`. Cost:
    `tapers` FFTs.
    """
    del seed
    from scipy.special import chdtrc, polygamma

    x, step = channel.x - channel.x.mean(), channel.interval
    n, spacing = len(x), tapers
    time = np.arange(1, n + 1)
    spectra = [
        np.abs(np.fft.rfft(np.sqrt(2 / (n + 1)) * np.sin(np.pi * k * time / (n + 1)) * x)) ** 2
        for k in range(1, tapers + 1)
    ]
    power = np.mean(spectra, axis=0) * step
    f = np.fft.rfftfreq(n, step)
    low = 2 * (tapers + 1) / (n * step) if lowest is None else lowest
    high = n**0.7 / (n * step) if highest is None else highest
    taken = np.flatnonzero((f >= low) & (f <= high) & (f > 0) & (f < 0.5 / step))[::spacing]
    if len(taken) < 8:
        raise SettingError(
            f"{len(taken)} independent frequencies between {low:.3g} and {high:.3g}", place="lowest, highest",
            remedy="At least 8 are needed: widen the range or give a longer record.",
        )  # fmt: skip
    at, y = np.log(f[taken]), np.log(power[taken])
    slope, offset = np.polyfit(at, y, 1)
    variance = float(polygamma(1, tapers))
    error = np.sqrt(variance / np.sum((at - at.mean()) ** 2))
    half, value = normal_quantile(level) * error, -float(slope)
    misfit = float(np.sum((y - slope * at - offset) ** 2) / variance)
    p = float(chdtrc(len(taken) - 2, misfit))
    if value + half > 2.5:
        reason = f"beta = {value:.2f}: spectra steeper than f^-2.5 leak; difference the record and add 2"
    else:
        reason = "" if p >= 0.001 else f"no power law between {low:.3g} and {high:.3g} (p = {p:.1g})"
    return Estimate(
        "", value, "", (value - half, value + half), level, "least squares of the log multitaper spectrum",
        {"lowest": float(low), "highest": float(high), "tapers": tapers},
        {} if highest else {"highest": "the N^0.7-th frequency"}, not reason, reason,
        details={"frequency": f[taken], "power": power[taken], "p_value": p},
    )  # fmt: skip
