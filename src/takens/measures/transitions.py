"""Early warnings: does a channel come back ever more slowly from what disturbs it, as before a tipping point?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Channel, Refused, measure
from .surrogates import end_matched, iaaft, significance
from .surrogates.significance import binomial_interval

Array = NDArray[np.float64]

INDICATORS = ("variance", "autocorrelation", "skewness", "low-frequency share")

LONGEST = 4000
"""Samples that the test uses at most; indicators change slowly, so that more would not say more."""


def detrended(x: Array, bandwidth: float) -> tuple[Array, Array]:
    """The smooth trend of `x (..., time)` and what is left of x, by a Gaussian kernel of `bandwidth` samples.

    Weights beyond the ends are left out and the rest normalised, so that the trend follows x to its ends. Cost: O(N).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n = x.shape[-1]
    size = next_fast_len(2 * n, real=True)
    lag = np.minimum(np.arange(size), size - np.arange(size))
    kernel = rfft(np.exp(-0.5 * (lag / bandwidth) ** 2)).real
    weight = irfft(rfft(np.ones(n), size) * kernel, size)[:n]
    trend = irfft(rfft(x, size, axis=-1) * kernel, size, axis=-1)[..., :n] / weight
    return trend, x - trend


def rolling_indicators(x: Array, window: int, low: float = 0.1) -> Array:
    """Indicators `(4, ..., time - window + 1)` in every window of `x (..., time)`, each about the window's own mean.

    Variance; autocorrelation at lag 1; skewness; and the share of the variance at frequencies below `low` cycles a
    sample, mean excluded, which rises as the spectrum reddens. The first three come from running sums. Cost: O(N), and
    O(N window) for the last.
    """
    x = x - x.mean(axis=-1, keepdims=True)

    def summed(values: Array, length: int) -> Array:
        total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
        return np.asarray(total[..., length:] - total[..., :-length])

    mean = summed(x, window) / window
    second, third = summed(x**2, window) / window, summed(x**3, window) / window
    variance = np.maximum(second - mean**2, 1e-300)
    skewness = (third - 3 * mean * second + 2 * mean**3) / variance**1.5
    product = summed(x[..., 1:] * x[..., :-1], window - 1)
    ends = 2 * window * mean - x[..., : x.shape[-1] - window + 1] - x[..., window - 1 :]
    covariance = (product - mean * ends + (window - 1) * mean**2) / window
    return np.stack([variance, covariance / variance, skewness, _low_share(x, window, low, variance)])


def _low_share(x: Array, window: int, low: float, variance: Array) -> Array:
    """Share of the variance of each window at its frequencies 1/window ... `low`."""
    count = x.shape[-1] - window + 1
    total = np.zeros((*x.shape[:-1], count))
    for k in range(1, max(1, int(low * window)) + 1):
        wave = x * np.exp(-2j * np.pi * k / window * np.arange(x.shape[-1]))
        running = np.concatenate([np.zeros((*x.shape[:-1], 1)), np.cumsum(wave, axis=-1)], axis=-1)
        total += np.abs(running[..., window:] - running[..., :-window]) ** 2
    return np.asarray(2 * total / window**2 / variance)


def kendall_trend(curves: Array) -> Array:
    """Kendall's tau-b `(...,)` of `curves (..., time)` with time: 1 rises throughout, -1 falls. Cost: O(N^2)."""
    n = curves.shape[-1]
    total, ties = np.zeros(curves.shape[:-1]), np.zeros(curves.shape[:-1])
    for lag in range(1, n):
        sign = np.sign(curves[..., lag:] - curves[..., :-lag])
        total += sign.sum(axis=-1)
        ties += (sign == 0).sum(axis=-1)
    pairs = n * (n - 1) / 2
    return np.asarray(total / np.sqrt(pairs * np.maximum(pairs - ties, 1)))


@measure(family="transitions", reference="Dakos et al., PLoS ONE 7, e41010 (2012)", minimum=100)
def early_warning(
    channel: Channel, *, window: float = 0.5, bandwidth: float = 0.1, surrogates: int = 199, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Signs of critical slowing down: the p-value of rising variance, memory, asymmetry and redness together.

    A Gaussian trend of `bandwidth` (share of the record) is taken off; in rolling windows of `window` (share of the
    record) four indicators are computed: variance, lag-1 autocorrelation, skewness and the share of frequencies below
    0.1 cycles a sample. Their trends are Kendall's tau with time. Windows overlap, so tau has no p-value of its own: it
    is ranked among `surrogates` IAAFT surrogates of the detrended channel, which have its spectrum and values and no
    change, detrended and windowed alike. Rises count (for skewness: any trend); the value is the p of the four together
    and `adjusted` those of each among four. A small p says that something rose, not that a tipping point is near: a
    louder disturbance raises the variance too. Details: `names`, `taus`, `p_values`, `adjusted`, `indicators
    (4, window)`, `indicator_time` (ends of windows), `trend`, `time`, `values`. At most 4000 samples. Raises
    `SettingError` for shares outside (0, 1). Cost: some seconds.
    """
    if not 0 < window < 1 or not 0 < bandwidth < 1 or surrogates < 19:
        raise SettingError("window and bandwidth lie between 0 and 1 and surrogates are at least 19", place="window")
    x, stride, left_out = channel.portion(LONGEST)
    width = round(window * len(x))
    if width < 30 or len(x) - width < 20:
        raise Refused(f"a window has {width} of {len(x)} samples; 30 samples and 20 windows are needed")
    trend, rest = detrended(x, bandwidth * len(x))
    start, stop = end_matched(rest)
    copies = iaaft(rest[start:stop], surrogates, generator(seed, "early_warning"))
    # Detrending the data took their slow part away; the copies lose theirs in the same way.
    families = [rest[start:stop][None], detrended(copies, bandwidth * len(x))[1]]
    curves = rolling_indicators(np.concatenate(families), min(width, stop - start - 20))
    step = max(1, curves.shape[-1] // 100)
    taus = kendall_trend(curves[..., ::step])
    compared = taus.copy()
    compared[2] = np.abs(compared[2])
    found = significance(compared.T)
    shown = rolling_indicators(rest, width)
    interval = stride * channel.interval
    time = channel.t[0] + interval * np.arange(len(x))
    return Estimate(
        "", found.p_value, "p-value", binomial_interval(found.p_value, surrogates + 1, level), level,
        "Kendall's tau of four rolling indicators among IAAFT surrogates",
        {"window": width * interval, "bandwidth": bandwidth * len(x) * interval, "surrogates": surrogates,
         "thinned": stride, "used": left_out or "all"},
        details={
            "names": list(INDICATORS), "taus": taus[:, 0], "p_values": found.p_values, "adjusted": found.adjusted,
            "indicators": shown, "indicator_time": time[width - 1 :], "trend": trend, "time": time, "values": x,
            "surrogate_taus": taus[:, 1:],
        },
    )  # fmt: skip
