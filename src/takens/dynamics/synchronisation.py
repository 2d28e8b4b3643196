"""Synchronisation: phases of signals, how far they agree, and whether a driven subsystem follows its drive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData, SettingError
from ..estimate import Estimate
from ..random import generator
from ..systems.base import System
from ..systems.evolve import orbit

Array = NDArray[np.float64]
BATCHES = 25
"""Consecutive parts of an orbit whose exponents are compared for the standard error."""
TOGETHER = 8
"""Steps of a flow between which differences are made orthogonal again."""


def order_parameter(phases: ArrayLike, axis: int = -1) -> NDArray[np.complex128]:
    """The Kuramoto order parameter Z = R exp(i psi) = mean of exp(i phase) over the oscillators along `axis`.

    `phases` are in radians; for `(time, oscillator)` the result is `(time,)`: its modulus R is 1 where all phases are
    equal and about 1/sqrt(N) for N independent ones, its angle psi is the mean phase. NaN gives NaN. Source: Kuramoto,
    Chemical Oscillations, Waves, and Turbulence (1984).
    """
    angles = np.asarray(phases, dtype=np.float64)
    if angles.ndim == 0 or angles.shape[axis] == 0:
        raise DataError(f"phases of shape {angles.shape}", remedy="Give at least one oscillator.")
    return np.asarray(np.exp(1j * angles).mean(axis=axis))


def hilbert_phase(values: ArrayLike) -> Array:
    """The phases `(time, channel)` or `(time,)` of oscillating signals of the same shape, in radians, continuous.

    phase = arg(x - mean + i H[x - mean]) with the Hilbert transform H. It means something for signals that turn around
    one centre: narrow in frequency. The first and last few oscillations are wrong because the transform takes the
    signal for periodic; leave them out. Raises `DataError` for NaN or a constant signal. Cost: O(n log n). Source:
    Pikovsky, Rosenblum & Kurths, Synchronization (2001), appendix A2.
    """
    from scipy.signal import hilbert

    x = np.asarray(values, dtype=np.float64)
    if x.ndim not in (1, 2) or len(x) < 4 or not np.isfinite(x).all():
        raise DataError(f"signals of shape {x.shape} or with gaps", remedy="Give finite values, times along the rows.")
    if (np.ptp(x, axis=0) == 0).any():
        raise DataError("a constant signal has no phase")
    return np.asarray(np.unwrap(np.angle(hilbert(x - x.mean(axis=0), axis=0)), axis=0))


def phase_locking(
    first: ArrayLike, second: ArrayLike, n: int = 1, m: int = 1, *, surrogates: int = 199, seed: int = 0
) -> Estimate:
    """The n:m phase-locking value |mean exp(i (n a - m b))| of two phases `(time,)` in radians: 1 locked, 0 free.

    `details` holds the mean `difference` n a - m b in radians and the `p_value` (k + 1) / (surrogates + 1) against
    phases whose advance is shifted in time around a circle, by at least a twentieth of the record: it keeps how each
    oscillator's speed varies and breaks the relation. Two clocks of equal and constant speed are locked by the value,
    but no test can tell that from chance, and the p-value says so. Raises `DataError` for phases of different length.
    Source: Lachaux et al., Human Brain Mapping 8, 194 (1999).
    """
    a, b = _pair(first, second)

    def locked(b: Array) -> complex:
        return complex(np.exp(1j * (n * a - m * b)).mean())

    found = locked(b)
    mean_speed = (b[-1] - b[0]) / (len(b) - 1)
    wander = b - b[0] - mean_speed * np.arange(len(b))
    others = []
    for shift in _shifts(len(b), surrogates, seed, "phase locking"):
        others.append(abs(locked(b[0] + mean_speed * np.arange(len(b)) + np.roll(wander, shift))))
    p = (1 + int(np.sum(np.array(others) >= abs(found) - 1e-12))) / (surrogates + 1)
    return Estimate(
        "phase_locking", float(abs(found)), method="mean resultant length", settings={"n": n, "m": m, "seed": seed},
        reference="Lachaux et al., Human Brain Mapping 8, 194 (1999)",
        details={"difference": float(np.angle(found)), "p_value": p, "surrogates": np.array(others)},
    )  # fmt: skip


def cross_correlation(
    first: ArrayLike, second: ArrayLike, longest: int | None = None, *, surrogates: int = 199, seed: int = 0
) -> Estimate:
    """The cross-correlation of two signals `(time,)` with the largest modulus, and the lag where it is.

    r(k) = the correlation of first[t] with second[t + k], over the times both have, for |k| <= `longest` (None: a
    quarter of the record); a positive lag means that the second follows the first. `details` holds `lag`, `lags`,
    `correlations (lag,)` and the `p_value` (k + 1) / (surrogates + 1) of the largest modulus against circular shifts of
    the second signal by more than `longest` where the record allows it; the maximum over lags is thus accounted for,
    and so is the memory of each signal. Raises `DataError` for signals with gaps, constant ones or unequal lengths.
    Cost: O(surrogates n log n). Not a sign of influence: a common cause correlates signals too.
    """
    a, b = _pair(first, second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise DataError("a constant signal has no correlation")
    reach = len(a) // 4 if longest is None else int(longest)
    if not 0 <= reach < len(a) - 2:
        raise SettingError(f"longest is {longest}", remedy=f"Choose from 0 to {len(a) - 3}.")
    lags = np.arange(-reach, reach + 1)
    values = _correlations(a, b, reach)
    best = int(np.argmax(np.abs(values)))
    shifts = _shifts(len(b), surrogates, seed, "cross correlation", reach)
    others = np.array([np.abs(_correlations(a, np.roll(b, shift), reach)).max() for shift in shifts])
    p = (1 + int(np.sum(others >= abs(values[best]) - 1e-12))) / (surrogates + 1)
    return Estimate(
        "cross_correlation", float(values[best]), method="largest over lags", settings={"longest": reach, "seed": seed},
        details={"lag": int(lags[best]), "lags": lags, "correlations": values, "p_value": p, "surrogates": others},
    )  # fmt: skip


def conditional_exponents(
    system: System,
    response: Sequence[str],
    *,
    dt: float | None = None,
    duration: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The conditional Lyapunov exponents of the states `response` of a system driven by its other states.

    The growth of small differences w between two copies of the response under the same drive: dw/dt = D_rr(x(t)) w, or
    w' = D_rr w for a map, with the block D_rr of the Jacobian. All negative: the copies synchronise. An array, largest
    first, per unit of time or iteration, with the interval of 25 consecutive parts. Flows are integrated by the
    classical method of order 4 with steps `dt` (None: a two-hundredth of the period) along an accurate orbit of
    `duration` (None: 300 periods, or 20,000 iterations) after `transient` (None: a tenth of it). Raises `SettingError`
    for settings that do not fit, `SimulationError` where the orbit diverges. Cost: two Jacobians a step, vectorised.
    Source: Pecora & Carroll, Phys. Rev. Lett. 64, 821 (1990).
    """
    names = list(response)
    unknown = [name for name in names if name not in system.states]
    if unknown or not names or len(set(names)) < len(names):
        raise SettingError(f"the response is {names}", place=system.name, remedy=f"States: {', '.join(system.states)}.")
    unit = 1.0 if system.stepwise else system.period
    if unit is None and (dt is None or duration is None):
        raise SettingError("the system has no typical period", place=system.name, remedy="Give dt and duration.")
    step = 1.0 if system.stepwise else float(dt or (unit or 1.0) / 200)
    span = float(duration or (20_000 if system.stepwise else 300) * (unit or 1.0))
    wait = span / 10 if transient is None else float(transient)
    steps = round(span / step)
    if not step > 0 or steps < 10 * BATCHES or wait < 0:
        raise SettingError(
            f"{steps} steps of {step:g} after {wait:g}", place=system.name, remedy="Use a longer duration."
        )
    rows = [system.states.index(name) for name in names]
    rates = _conditional_growth(system, rows, step, steps, wait, initial, seed)
    settle = len(rates) // 50
    parts = np.array([part.mean(axis=0) for part in np.array_split(rates[settle:], BATCHES)])
    order = np.argsort(-parts.mean(axis=0))
    value, error = parts.mean(axis=0)[order], (parts.std(axis=0, ddof=1) / np.sqrt(BATCHES))[order]
    from scipy.stats import t as student

    wide = student.ppf((1 + level) / 2, BATCHES - 1) * error
    return Estimate(
        "conditional_exponents", value, "1/iteration" if system.stepwise else "1/time unit",
        (value - wide, value + wide), level, "tangent vectors of the response, QR",
        {"response": tuple(names), "dt": step, "duration": steps * step, "transient": wait, "seed": seed},
        reference="Pecora & Carroll, Phys. Rev. Lett. 64, 821 (1990)", channel=system.name,
        details={"standard_error": error},
    )  # fmt: skip


def _conditional_growth(
    system: System, rows: list[int], step: float, steps: int, wait: float, initial: ArrayLike | None, seed: int
) -> Array:
    """The rates `(interval, response)` at which orthogonal differences grow."""
    start = system.phase(initial)[: system.dimension]
    half = 1.0 if system.stepwise else step / 2
    first = half * round(wait / half)
    size, count = len(rows), steps if system.stepwise else 2 * steps + 1
    vectors = np.linalg.qr(generator(seed, "conditional exponents").normal(size=(size, size)))[0]
    times = first + half * np.arange(count, dtype=np.float64)
    slopes = system.jacobian(times, orbit(system, start, times))[:, rows][:, :, rows]
    if not system.stepwise:
        slopes = _steps_of_order_four(slopes, step)
        # Differences hardly turn in a few steps: orthogonal directions are taken only after them.
        slopes = slopes[: steps // TOGETHER * TOGETHER].reshape(-1, TOGETHER, size, size)
        product = slopes[:, 0]
        for k in range(1, TOGETHER):
            product = slopes[:, k] @ product
        slopes = product
    logs = np.empty((len(slopes), size))
    for k, slope in enumerate(slopes):
        vectors, triangle = np.linalg.qr(slope @ vectors)
        with np.errstate(divide="ignore"):
            logs[k] = np.log(np.abs(np.diag(triangle)))
    return logs / (1 if system.stepwise else TOGETHER * step)


def _steps_of_order_four(slopes: Array, step: float) -> Array:
    """The matrices `(step, n, n)` of one Runge-Kutta step of dw/dt = D w, from D at the ends and middles of steps."""
    one = np.eye(slopes.shape[1])
    before, middle, after = slopes[:-1:2], slopes[1::2], slopes[2::2]
    a = before
    b = middle @ (one + step / 2 * a)
    c = middle @ (one + step / 2 * b)
    d = after @ (one + step * c)
    return np.asarray(one + step / 6 * (a + 2 * b + 2 * c + d))


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError(f"signals of shapes {a.shape} and {b.shape}, or with gaps", remedy="Give two finite rows.")
    if len(a) < 20:
        raise InsufficientData(f"{len(a)} values are too few", remedy="Use at least 20.")
    return a, b


def _shifts(length: int, count: int, seed: int, name: str, reach: int = 0) -> NDArray[np.int64]:
    """Random shifts around a circle of `length`, away from 0 by more than `reach` as far as there is room."""
    nearest = min(max(length // 20, reach + 1), length // 3)
    return generator(seed, name).integers(nearest, length - nearest + 1, size=count)


def _correlations(a: Array, b: Array, reach: int) -> Array:
    """The correlation of a[t] with b[t + k] over the times both have, for k from -reach to reach."""
    from scipy.signal import correlate

    n = len(a)
    a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    lags = np.arange(-reach, reach + 1)
    centre = slice(n - 1 - reach, n + reach)
    products = correlate(b, a, "full", "fft")[centre]

    def sums(x: Array, first: NDArray[np.int64], last: NDArray[np.int64]) -> Array:
        total = np.concatenate([[0.0], np.cumsum(x)])
        return total[last] - total[first]

    begin, end = np.maximum(0, -lags), n - np.maximum(0, lags)  # of a; b is read k later
    counts = end - begin
    means = [sums(a, begin, end) / counts, sums(b, begin + lags, end + lags) / counts]
    variances = [
        sums(a * a, begin, end) / counts - means[0] ** 2,
        sums(b * b, begin + lags, end + lags) / counts - means[1] ** 2,
    ]
    scale = np.sqrt(np.maximum(variances[0] * variances[1], 1e-300))
    return np.asarray(np.clip((products / counts - means[0] * means[1]) / scale, -1.0, 1.0))
