"""Periods of events: are the times of a point process locked to a cycle?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, SettingError
from ..estimate import Estimate
from .timescales import normal_quantile

Array = NDArray[np.float64]

CHUNK = 4_000_000
"""Phases computed at once."""


def z_squared(times: Array, frequency: Array, harmonics: int) -> Array:
    """Z_n^2 `(frequency,)` of event `times (event,)`: Rayleigh's statistic summed over `harmonics`.

    Z_n^2 = (2 / N) sum_{k=1}^{n} |sum_j exp(2 pi i k f t_j)|^2, chi-squared with 2 n degrees of freedom for events at
    random phases (Buccheri et al., Astron. Astrophys. 128, 245, 1983). n = 1 is the Rayleigh test, best for broad
    pulses. Cost: O(N) a frequency and harmonic.
    """
    out = np.zeros(len(frequency))
    step = max(1, CHUNK // max(len(times), 1))
    for start in range(0, len(frequency), step):
        wave = np.exp(2j * np.pi * np.outer(frequency[start : start + step], times))
        power = wave.copy()
        for _ in range(harmonics):
            out[start : start + step] += np.abs(power.sum(axis=1)) ** 2
            power *= wave
    return 2 / len(times) * out


def phase_fold(times: ArrayLike, period: float, bins: int = 16) -> tuple[Array, NDArray[np.int64]]:
    """Phases `(event,)` in [0, 1) of event `times (event,)` in a `period`, and their counts in equal `bins`.

    Phase 0 is at time 0. Raises `SettingError` unless `period` is positive and `bins` at least 2. Cost: O(N).
    """
    if not period > 0 or bins < 2:
        raise SettingError(f"period must be positive and bins at least 2, got {period} and {bins}", place="period")
    phase = np.asarray(times, dtype=float) / period % 1.0
    phase = np.where(phase >= 1.0, 0.0, phase)
    return phase, np.bincount((phase * bins).astype(int), minlength=bins)


def event_period(
    times: ArrayLike, *, shortest: float | None = None, longest: float | None = None, harmonics: int = 1,
    alpha: float = 0.05, level: float = 0.9, unit: str = "",
) -> Estimate:  # fmt: skip
    """The period to which events at `times (event,)` are locked, with its p-value over all periods that were tried.

    Z_n^2 (`z_squared`) is computed at frequencies a tenth of a resolution cell apart between 1/`longest` (default a
    fifth of the record) and 1/`shortest` (default twice the mean distance of events). The p-value is 1 - (1 - q)^m, q
    the chi-squared tail of the largest Z^2 and m three times the number of resolution cells and harmonics, which
    allows for peaks between them: events of a Poisson process give a period with probability `alpha` or less.
    Admissible where p <= `alpha`. The interval is that of a sinusoidal rate: the frequency has standard error
    sqrt(3 / Z^2) / (pi T), T the length of the record; sharper pulses are known better than it says. Null: Poisson
    events; clustered and regular (refractory) events need surrogates of their own. Details: `frequency`, `z_squared`,
    `p_value`, `phase`, `counts`.
    Raises `DataError` for fewer than 10 events, times that do not increase or are not finite. Cost: O(N T / shortest).
    """
    from scipy.special import chdtrc

    t = np.asarray(times, dtype=float)
    if t.ndim != 1 or len(t) < 10 or not np.isfinite(t).all() or np.any(np.diff(t) < 0) or t[-1] == t[0]:
        raise DataError(f"needs 10 events or more at finite, increasing times, got shape {t.shape}", place="times")
    if harmonics < 1 or not 0 < alpha < 1:
        raise SettingError(f"harmonics must be at least 1, got {harmonics}", place="harmonics")
    span = float(t[-1] - t[0])
    shortest = 2 * span / (len(t) - 1) if shortest is None else shortest
    longest = span / 5 if longest is None else longest
    if not 0 < shortest < longest:
        raise SettingError(f"shortest {shortest:g} must be positive and below longest {longest:g}", place="shortest")
    cells = max(1.0, span * (1 / shortest - 1 / longest))
    frequency = np.linspace(1 / longest, 1 / shortest, int(10 * cells * harmonics) + 2)
    z = z_squared(t - t[0], frequency, harmonics)
    best = int(z.argmax())
    near = np.linspace(frequency[max(best - 1, 0)], frequency[min(best + 1, len(frequency) - 1)], 201)
    fine = z_squared(t - t[0], near, harmonics)
    f, largest = float(near[fine.argmax()]), float(fine.max())
    single = float(chdtrc(2 * harmonics, largest))
    trials = 3 * cells * harmonics + 1
    p_value = float(-np.expm1(trials * np.log1p(-min(single, 1 - 1e-15))))
    # The information on f of a sinusoidal rate; higher harmonics only sharpen it.
    error = normal_quantile(level) * np.sqrt(3 / largest) / (np.pi * span)
    phase, counts = phase_fold(t - t[0], 1 / f)
    sure = p_value <= alpha
    return Estimate(
        "event_period", 1 / f, unit, (1 / (f + error), 1 / max(f - error, 1e-3 / span)), level,
        f"largest Z^2 of {harmonics} harmonics" if harmonics > 1 else "largest Rayleigh statistic",
        {"shortest": shortest, "longest": longest, "harmonics": harmonics, "alpha": alpha, "trials": trials},
        {"shortest": "twice the mean distance of events", "longest": "a fifth of the record"}, sure,
        "" if sure else f"events at random times would show as strong a period with probability {p_value:.2g}",
        "Buccheri et al., Astron. Astrophys. 128, 245 (1983)",
        details={"frequency": frequency, "z_squared": z, "p_value": p_value, "phase": phase, "counts": counts,
                 "largest": largest},
    )  # fmt: skip


def phase_locking(times: ArrayLike, period: float, *, harmonics: int = 1) -> Estimate:
    """Are events at `times (event,)` locked to a `period` known beforehand: the p-value of Z_n^2 at it.

    The value is the chi-squared tail, for one harmonic with the term of order 1/N of the Rayleigh test (Mardia and
    Jupp, Directional Statistics, 2000, eq. 6.3.5), so that it holds for ten events. `details["strength"]` is the
    length of the mean phase vector, 0 to 1. Not where the
    period was read off the same events: use `event_period`. Raises `DataError` for fewer than 5 events. Cost: O(N).
    """
    from scipy.special import chdtrc

    t = np.asarray(times, dtype=float)
    if t.ndim != 1 or len(t) < 5 or not np.isfinite(t).all():
        raise DataError(f"needs 5 events or more at finite times, got shape {t.shape}", place="times")
    phase, counts = phase_fold(t, period)
    z = float(z_squared(t, np.array([1 / period]), harmonics)[0])
    p = float(chdtrc(2 * harmonics, z))
    if harmonics == 1:
        k = z / 2
        p = float(np.clip(np.exp(-k) * (1 + (2 * k - k**2) / (4 * len(t))), 0.0, 1.0))
    vector = complex(np.exp(2j * np.pi * phase).mean())
    return Estimate(
        "phase_locking", p, "p-value", None, 0.9, f"Z^2 of {harmonics} harmonics",
        {"period": period, "harmonics": harmonics}, {}, True, "", "Mardia and Jupp, Directional Statistics (2000)",
        details={"z_squared": z, "strength": abs(vector), "preferred_phase": float(np.angle(vector) / (2 * np.pi) % 1),
                 "phase": phase, "counts": counts},
    )  # fmt: skip
