"""The 0-1 test for chaos: whether the motion driven by the data drifts like noise or stays bounded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..random import generator
from .base import Channel, measure
from .embedding import delay_steps

Array = NDArray[np.float64]

OVERSAMPLED = 10
"""Range over mean absolute step above which successive samples say nearly the same."""

LEAST = 200
"""Samples that must remain after thinning."""


def translation_growth(x: Array, frequencies: Array, damping: float = 0.0) -> Array:
    """K `(frequency,)` of `x (time,)`: correlation with time of the mean square displacement of the translation.

    p_c(n) = sum_{j <= n} x_j exp(i c j); D_c(n) = <|p_c(j + n) - p_c(j)|^2> - <x>^2 (1 - cos n c) / (1 - cos c), the
    second term removing the oscillation; K = corr(n, D_c(n)) for n up to a tenth of the record (Gottwald and Melbourne
    2009). `damping` a adds a var(x) sin(sqrt(2) n), which hides growth as slow as weak noise drives it (Dawes and
    Freeland 2008; they use the squared mean, which depends on the offset). Cost: two FFTs a frequency.
    """
    from scipy.fft import fft, ifft, next_fast_len

    n, steps = len(x), len(x) // 10
    j, size = np.arange(1, n + 1), next_fast_len(2 * n)
    out = np.empty(len(frequencies))
    lag = np.arange(1, steps + 1)
    ripple = damping * x.var() * np.sin(np.sqrt(2) * lag)
    for i, c in enumerate(frequencies):
        p = np.cumsum(x * np.exp(1j * c * j))
        p -= p.mean()
        square = np.cumsum(np.abs(p) ** 2)
        product = ifft(np.abs(fft(p, size)) ** 2)[1 : steps + 1].real
        displacement = (square[n - lag - 1] + square[-1] - square[lag - 1] - 2 * product) / (n - lag) + ripple
        displacement -= x.mean() ** 2 * (1 - np.cos(lag * c)) / (1 - np.cos(c))
        out[i] = np.corrcoef(lag, displacement)[0, 1] if np.ptp(displacement) > 0 else 0.0
    return out


def oversampling(x: Array) -> float:
    """Range over mean absolute step: above 10 the sampling is finer than the test can use (Toker et al. 2020)."""
    return float(np.ptp(x) / np.mean(np.abs(np.diff(x))))


def sampling_stride(x: Array) -> tuple[int, str]:
    """One in how many samples the test takes, and why: the first minimum of the mutual information if oversampled."""
    eta = oversampling(x)
    if eta <= OVERSAMPLED:
        return 1, f"every sample: range / mean |step| is {eta:.2g}, at most {OVERSAMPLED}"
    return delay_steps(x), f"first minimum of the mutual information, because range / mean |step| is {eta:.3g}"


@measure(family="chaos", reference="Gottwald and Melbourne, SIAM J. Appl. Dyn. Syst. 8, 129 (2009)", minimum=200)
def zero_one_test(
    channel: Channel, *, frequencies: int = 100, stride: int | None = None, damping: float = 0.0, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """The 0-1 test: K near 0 for regular motion, near 1 for chaos - and for noise.

    K is the median over `frequencies` random c in (pi/5, 4 pi/5) of the correlation between n and the mean square
    displacement of p_c(n) = sum x_j exp(i c j). Oversampled data look regular, so one sample in `stride` is kept:
    where range / mean |step| exceeds 10, one per delay of the first minimum of the mutual information. `damping` (0 to
    about 3, Dawes and Freeland 2008) makes K less sensitive to weak noise on regular motion, and to weak chaos. The
    interval is that of the median under resampling of c; it does not contain the error of a short record, which lowers
    K of weak chaos. Any noise gives K near 1: rule noise out first (`surrogate_test`, `takens.verdict`). At most 5000
    samples after thinning; at least 200. Details: `frequency`, `growth`. Cost: 0.1 s.
    """
    chosen = {}
    if stride is None:
        stride, chosen["stride"] = sampling_stride(channel.x)
    thinned = channel.x[::stride]
    kept = thinned[max(0, (len(thinned) - 5000) // 2) :][:5000]
    settings = {"frequencies": frequencies, "stride": stride, "damping": damping, "used": len(kept)}
    if len(kept) < 20:
        return Estimate("", None, "", None, level, settings=settings, chosen=chosen, admissible=False,
                        reason=_too_few(len(kept), stride))  # fmt: skip
    rng = generator(seed, "zero_one_test")
    c = rng.uniform(np.pi / 5, 4 * np.pi / 5, frequencies)
    growth = translation_growth(kept, c, damping)
    medians = np.median(rng.choice(growth, size=(500, frequencies)), axis=1)
    low, high = np.quantile(medians, [0.5 - level / 2, 0.5 + level / 2])
    value = float(np.median(growth))
    reason = "" if len(kept) >= LEAST else _too_few(len(kept), stride)
    return Estimate(
        "", value, "", (min(float(low), value), max(float(high), value)), level,
        "median correlation of the mean square displacement with time", settings, chosen, not reason, reason,
        details={"frequency": c, "growth": growth},
    )  # fmt: skip


def _too_few(kept: int, stride: int) -> str:
    return f"{kept} samples remain of one in {stride}; {LEAST} are needed, that is {LEAST * stride} rows"
