"""The time that the knee of a power spectrum tells: where it turns from flat to falling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from .base import Channel, measure
from .profile_likelihood import Maximum

Array = NDArray[np.float64]

ALIASES = 8
"""Multiples of the sampling frequency on each side from which power is folded back one by one."""


def independent_spectrum(x: Array, tapers: int) -> tuple[Array, Array]:
    """Frequencies `(f,)` in cycles a sample and multitaper power `(f,)` of `x (time,)`, all but independent.

    The mean over `tapers` sine tapers (Riedel and Sidorenko 1995) at frequencies one bandwidth, (tapers + 1) / (N + 1),
    apart: each is chi-squared with 2 `tapers` degrees of freedom. Cost: O(N log N).
    """
    n = len(x)
    spacing = (tapers + 1) / (n + 1)
    frequency = np.arange(1, int(0.5 / spacing)) * spacing
    turns = np.arange(1, n + 1) / (n + 1)
    size = n + 1
    bins = np.round(frequency * size).astype(int)
    power = np.zeros(len(bins))
    for k in range(1, tapers + 1):
        taper = np.sin(np.pi * k * turns) * np.sqrt(2 / (n + 1))
        power += np.abs(np.fft.rfft((x - x.mean()) * taper, size)[bins]) ** 2
    return bins / size, power / tapers


def knee_spectrum(frequency: Array, knee: float, exponent: float) -> Array:
    """The sampled spectrum `(f,)` of power 1 / (1 + (f / knee)^exponent), frequencies in cycles a sample.

    Power above the highest frequency is folded back: `ALIASES` multiples on each side, the rest by its integral.
    """
    shifts = np.arange(-ALIASES, ALIASES + 1)[:, None]
    total = (1 / (1 + (np.abs(frequency + shifts) / knee) ** exponent)).sum(axis=0)
    edge = ALIASES + 0.5
    if exponent > 1.05:
        total = total + 2 * edge / (exponent - 1) * (edge / knee) ** -exponent
    return np.asarray(total)


def fit_p_value(ratio: Array, tapers: int) -> float:
    """Whether power over fitted power `(f,)` is chance: Kolmogorov's distance of its running sum from a straight line
    (Bartlett's test), and the largest ratio as chi-squared, the smaller p of the two doubled."""
    from scipy.special import chdtrc, kolmogorov

    count = len(ratio)
    running = np.cumsum(ratio) / ratio.sum() - np.arange(1, count + 1) / count
    drift = float(kolmogorov(np.sqrt(count * tapers) * np.abs(running).max()))
    peak = -float(np.expm1(count * np.log1p(-chdtrc(2 * tapers, 2 * tapers * ratio.max()))))
    return min(1.0, 2 * min(drift, peak))


def fit_knee(frequency: Array, power: Array, tapers: int, exponent: float | None) -> Maximum:
    """The most likely knee (its logarithm) and, unless `exponent` is given, exponent (likewise), level at its best.

    Whittle's likelihood (1953) for gamma-distributed power.
    """

    def deviance(parameters: Array) -> float:
        slope = exponent if exponent is not None else float(np.exp(parameters[1]))
        shape = knee_spectrum(frequency, float(np.exp(parameters[0])), slope)
        level = float(np.mean(power / shape))
        return 2 * tapers * float(len(power) * np.log(level) + np.log(shape).sum())

    bounds = ((float(np.log(frequency[0] / 20)), float(np.log(5.0))), (float(np.log(0.3)), float(np.log(8.0))))
    used = bounds if exponent is None else bounds[:1]
    starts = np.geomspace(2 * frequency[0], 0.3, 4)
    fits = [Maximum(deviance, used, np.log([start, 2.0][: len(used)])).best() for start in starts]
    return min(fits, key=lambda one: one.lowest)


@measure(family="time scales", reference="Gao et al., eLife 9, e61277 (2020)", minimum=200)
def spectral_time_scale(
    channel: Channel, *, exponent: float | None = 2.0, tapers: int = 4, level: float = 0.9, seed: int = 0
) -> Estimate:
    """The time scale of the knee of the power spectrum, tau = 1 / (2 pi f_k).

    S(f) = A / (1 + (f / f_k)^exponent), folded at the highest frequency as sampling does. Exponent 2 is the Lorentzian
    of one exponential decay, whose time tau is; None lets the data choose, and tau then marks the bend only. The
    spectrum is that of sine tapers at frequencies one bandwidth apart, the fit Whittle's likelihood, the interval its
    profile (coverage for AR(1) at nominal 90 %: 90 to 91 %). Details: `frequency`, `power`, `fitted`, `exponent`,
    `p_value` of the fit. Not admissible where the spectrum is no such curve (p below 0.1 %: peaks, several decays,
    white noise on top; `exponential_times` takes those apart), and where the knee is not inside the range of
    frequencies: white noise is all flat, drift all slope. Cost: O(N log N).
    """
    del seed
    if exponent is not None and not 0.3 <= exponent <= 8:
        raise SettingError(f"exponent must be 0.3 to 8 or None, got {exponent}", place="exponent")
    if not 1 <= tapers <= 50:
        raise SettingError(f"tapers must be 1 to 50, got {tapers}", place="tapers")
    x = channel.x / channel.x.std()
    frequency, power = independent_spectrum(x, tapers)
    if len(frequency) < 10:
        raise SettingError(f"{tapers} tapers leave {len(frequency)} frequencies", remedy="Take fewer tapers.")
    best = fit_knee(frequency, power, tapers, exponent)
    knee = float(np.exp(best.parameters[0]))
    slope = float(np.exp(best.parameters[1])) if exponent is None else exponent
    low, high = (1 / (2 * np.pi * np.exp(best.end(0, side, level))) for side in (1, -1))
    shape = knee_spectrum(frequency, knee, slope)
    fitted = shape * float(np.mean(power / shape))
    p_value = fit_p_value(power / fitted, tapers)
    reason = ""
    if 1 / (2 * np.pi * low) > 0.5:
        reason = "the spectrum may be flat up to the highest frequency; finer sampling would show where it falls"
    elif 1 / (2 * np.pi * high) < frequency[0]:
        reason = "the spectrum may fall from the lowest frequency on; a longer record would show where it is flat"
    elif p_value < 1e-3:
        reason = f"the spectrum is no single knee (p = {p_value:.1g}): try exponential_times or dominant_periods"
    step = channel.interval
    return Estimate(
        "", step / (2 * np.pi * knee), channel.time_unit, (low * step, high * step), level,
        "Whittle likelihood of a spectrum with a knee; profile likelihood",
        {"exponent": exponent, "tapers": tapers}, {}, not reason, reason,
        details={
            "frequency": frequency / step, "power": power, "fitted": fitted, "exponent": slope, "p_value": p_value,
        },
    )  # fmt: skip
