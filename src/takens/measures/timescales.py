"""Time scales of one channel: autocorrelation, and how long a sample takes to become a new one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from .base import Channel, measure

Array = NDArray[np.float64]


def autocorrelation_function(x: Array, max_lag: int) -> Array:
    """Autocorrelation `(..., max_lag + 1)` of `x (..., time)`, mean removed, normalised to 1 at lag 0.

    rho_l = sum_t (x_t - m)(x_{t+l} - m) / sum_t (x_t - m)^2, the biased estimator, whose spectrum is never negative.
    Cost: O(N log N).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n = x.shape[-1]
    size = next_fast_len(n + max_lag + 1, real=True)
    spectrum = rfft(x - x.mean(axis=-1, keepdims=True), size, axis=-1)
    covariance = irfft(spectrum.real**2 + spectrum.imag**2, size, axis=-1)[..., : max_lag + 1]
    return covariance / covariance[..., :1]


def crossing(curve: Array, level: float) -> float:
    """Where `curve` first falls to `level`, linearly interpolated between lags; NaN if it never does."""
    below = np.flatnonzero(curve <= level)
    if len(below) == 0:
        return float("nan")
    i = int(below[0])
    if i == 0:
        return 0.0
    return i - 1 + float((curve[i - 1] - level) / (curve[i - 1] - curve[i]))


def correlation_steps(x: Array) -> int:
    """Samples after which the autocorrelation has fallen to 1/e (at least 1; the length if it never does)."""
    lag = crossing(autocorrelation_function(x, len(x) - 1), 1 / np.e)
    return len(x) if np.isnan(lag) else max(1, round(lag))


def integral_steps(x: Array, window: float = 5.0) -> tuple[float, int]:
    """Integral time scale of `x (time,)` in samples, and the lag where its sum was cut.

    tau = 1 + 2 sum_{l=1}^{M} rho_l with the smallest M >= `window` tau / 2 (Sokal 1997; his tau is half of this one),
    at least 10 so that alternating sums settle. For AR(1) tau = (1 + phi) / (1 - phi). Sums that come out negative, as
    for anti-persistent data, are cut at 1/N.
    """
    n = len(x)
    lags = min(n - 1, 2000)
    while True:
        tau = 2 * np.cumsum(autocorrelation_function(x, lags)) - 1
        enough = np.flatnonzero(np.arange(lags + 1) >= np.maximum(window * tau / 2, 10))
        if len(enough) or lags == n - 1:
            break
        lags = min(n - 1, 8 * lags)
    cut = int(enough[0]) if len(enough) else n - 1
    return max(float(tau[cut]), 1 / n), cut


def normal_quantile(level: float) -> float:
    """The number of standard errors on each side of a two-sided interval at `level`."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


@measure(family="time scales", reference="Bartlett, J. R. Stat. Soc. Suppl. 8, 27 (1946)")
def autocorrelation(channel: Channel, *, max_lag: int | None = None, level: float = 0.9, seed: int = 0) -> Estimate:
    """Correlation time: the lag at which the autocorrelation has fallen to 1/e.

    rho_l = sum_t (x_t - m)(x_{t+l} - m) / sum_t (x_t - m)^2 (biased estimator, mean removed) up to `max_lag` samples
    (default: a quarter of the record). The value is a time. The interval is where rho -/+ z s_l crosses 1/e with
    Bartlett's large-lag error s_l^2 = (1 + 2 sum_{k<l} rho_k^2) / N. Details: `lag` (time), `autocorrelation`, `error`,
    `first_zero` (time). Not admissible where 1/e is not reached. Not for data with a trend: remove it first.
    Cost: O(N log N).
    """
    del seed
    n = len(channel.x)
    lags = min(n - 1, max_lag or max(n // 4, 10))
    rho = autocorrelation_function(channel.x, lags)
    error = np.sqrt((1 + 2 * np.concatenate([[0, 0], np.cumsum(rho[1:-1] ** 2)])) / n)
    error[0] = 0.0
    z = normal_quantile(level)
    value = crossing(rho, 1 / np.e)
    low, high = crossing(rho - z * error, 1 / np.e), crossing(rho + z * error, 1 / np.e)
    high = lags if np.isnan(high) else high
    reached = not np.isnan(value)
    return Estimate(
        "",
        value * channel.interval if reached else None,
        channel.time_unit,
        (low * channel.interval, high * channel.interval) if reached else None,
        level,
        "first 1/e of the biased autocorrelation, Bartlett errors",
        {"max_lag": lags},
        {} if max_lag else {"max_lag": "a quarter of the record"},
        reached,
        "" if reached else f"the autocorrelation stays above 1/e for {lags} lags; a longer record would show its decay",
        details={
            "lag": np.arange(lags + 1) * channel.interval,
            "autocorrelation": rho,
            "error": error,
            "first_zero": crossing(rho, 0.0) * channel.interval,
        },
    )


@measure(family="time scales", reference="Sokal, in Functional Integration, NATO ASI B 361, 131 (1997)")
def integral_time_scale(channel: Channel, *, window: float = 5.0, level: float = 0.9, seed: int = 0) -> Estimate:
    """Integral time scale: the time after which a sample counts as a new, independent one.

    tau = dt (1 + 2 sum_{l=1}^{M} rho_l), M the smallest lag with M >= `window` tau / (2 dt) (Sokal's automatic window;
    at least 10). The variance of a mean of N samples is var(x) tau / (N dt), so N dt / tau is the effective sample
    size. For AR(1) tau = dt (1 + phi) / (1 - phi). Interval: Madras and Sokal's var(tau) = 2 (2 M + 1) tau^2 / N with
    the removed mean's bias tau^2 / (N dt) added back to its upper end. Details: `effective_sample_size`, `window_lag`.
    Admissible from 20 effective samples. Not for periodic data, whose sum cancels to nearly 0: use the period. Cost:
    O(N log N).
    """
    del seed
    n = len(channel.x)
    tau, cut = integral_steps(channel.x, window)
    spread = normal_quantile(level) * tau * np.sqrt(2 * (2 * cut + 1) / n)
    low, high = max(tau - spread, 1 / n), tau + spread + tau**2 / n
    effective = n / tau
    enough = effective >= 20
    return Estimate(
        "",
        tau * channel.interval,
        channel.time_unit,
        (low * channel.interval, high * channel.interval),
        level,
        "sum of the autocorrelation in Sokal's automatic window",
        {"window": window},
        {},
        enough,
        "" if enough else f"the record holds {effective:.3g} independent samples; 20 are needed",
        details={"effective_sample_size": min(effective, float(n)), "window_lag": cut * channel.interval},
    )
