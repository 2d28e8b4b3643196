"""The census of regimes: what kind of motion a system has, from its equations, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dynamics.birkhoff import weighted_average
from ..dynamics.exponents import lyapunov_spectrum
from ..errors import SettingError, TakensError
from ..systems.base import System
from ..systems.simulate import simulate
from .regimes import Regime, named

Array = NDArray[np.float64]

CYCLES, FINE = 120, 150
"""A look at a motion takes that many cycles, at so many samples a cycle."""
DEFECT, MISS = 3e-4, 3e-3
"""A motion is periodic where it misses itself by less than the first share of its spread; aperiodic above the second"""
DIGITS = 6.0
"""Digits that halves of a quasi-periodic motion share in their Birkhoff averages at least; of a chaotic one: 2."""
LONGEST_PERIOD = 16
"""Cycles that a period may have."""
ZERO, CLEAR = 0.004, 0.02
"""Exponents per cycle: below the first one counts as zero, above the second as clearly different from zero."""


@dataclass(frozen=True)
class Motion:
    """A settled motion: `values (time, observable)` every `dt`, where it started, and the names of the observables."""

    values: Array
    dt: float
    initial: Array | None
    transient: float
    observables: tuple[str, ...]
    cycle: float
    whole: bool


def classified(name: str, parameters: dict[str, float] | None = None, initial: Array | None = None) -> Regime:
    """The regime of a system at `parameters`, from `initial`; `SettingError` where the kind of motion is not clear.

    Periodic: x(t + T) = x(t) to 0.03 % of the spread for some T, and no exponent clearly positive. Quasi-periodic: none
    within 0.3 % for T up to 30 cycles, a largest exponent of zero, and Birkhoff averages of two halves that agree to 6
    digits (not asked of a quasi-periodically driven map whose second exponent is negative: its averages may converge
    slowly, as on a strange non-chaotic attractor).
    Chaotic: a largest exponent above 5 standard errors and 0.02 a cycle. Cost: a tenth to ten seconds.
    """
    law = named(name).with_parameters(**(parameters or {}))
    motion = settled_motion(law, initial)
    period, defect = return_time(motion)
    maps = law.stepwise
    span = motion.cycle * (400 if not maps else max(1.0, 10_000 / motion.cycle))
    spectrum = lyapunov_spectrum(
        law, count=min(2, law.dimension), duration=span if not maps else float(round(span)),
        transient=motion.transient, initial=motion.initial,
    )  # fmt: skip
    value, error = np.asarray(spectrum.value) * motion.cycle, spectrum.details["standard_error"] * motion.cycle
    evidence: dict[str, Any] = {
        "exponents": rounded(spectrum.value), "errors": rounded(spectrum.details["standard_error"]),
        "defect": float(f"{defect:.3g}"),
    }  # fmt: skip
    driven = "driven" in law.tags and value[0] < (0.01 if maps else -CLEAR)
    if defect < DEFECT and value[0] < max(CLEAR, 5 * error[0]):
        truth = "periodic"
    elif defect > MISS and value[0] > max(CLEAR, 5 * error[0]):
        truth, period = "chaotic", 0.0
    elif defect > MISS and (driven or (abs(value[0]) < ZERO + 3 * error[0] and error[0] < CLEAR)):
        truth, period = "quasi-periodic", 0.0
        evidence["digits"] = round(digits(law, motion), 1)
        strange = driven and law.stepwise and value[-1] < -CLEAR
        if evidence["digits"] < DIGITS and not strange:
            raise SettingError(f"zero exponent, but {evidence['digits']} digits", place=name)
    else:
        raise SettingError(f"exponents {value} +- {error} a cycle, defect {defect:.2g}: not clear", place=name)
    start = None if motion.initial is None else tuple(motion.initial.tolist())
    return Regime(
        name, truth, dict(parameters or {}), start, motion.transient, float(f"{motion.cycle:.6g}"), period,
        motion.observables, evidence,
    )  # fmt: skip


def rounded(values: Any) -> list[float]:
    """Numbers with four digits."""
    return [float(f"{value:.4g}") for value in np.atleast_1d(np.asarray(values, dtype=float))]


def settled_motion(law: System, initial: Array | None = None) -> Motion:
    """The motion after 300 cycles of transient, 120 cycles at 150 samples each; maps: 20,000 iterations."""
    maps, own = law.stepwise, float(law.period or 1.0)
    guess = 1.0 if maps else own
    wait = 5000.0 if maps else 300 * guess
    start = law.initial if initial is None else np.asarray(initial, dtype=float)
    if not maps:
        rough = simulate(law, length=CYCLES * FINE, dt=guess / FINE, transient=wait, initial=start, tolerance=1e-8)
        guess *= cycle_of(observables(law.states, rough.values)[1]) / FINE
        if not (own / 50 < guess < own * 20):
            raise SettingError("no cycle near the period of the system", place=law.name)
        wait = max(wait, 300 * guess)
    free = law.autonomous and law.kind != "delayed"
    if free:
        first = simulate(law, length=1, dt=guess if not maps else 1.0, transient=wait, initial=start, tolerance=1e-10)
        start, wait = first.values[-1].copy(), 0.0
    found = simulate(
        law, length=20_000 if maps else CYCLES * FINE, dt=1.0 if maps else guess / FINE, transient=wait, initial=start,
        tolerance=1e-11,
    ).values  # fmt: skip
    kept, columns = observables(law.states, found)
    if maps:
        guess = cycle_of(columns)
    return Motion(columns, 1.0 if maps else guess / FINE, start, wait, kept, guess, maps)


def observables(states: tuple[str, ...], values: Array) -> tuple[tuple[str, ...], Array]:
    """Which of the states `values (time, state)` can be observed, at most 12: bounded, varying; of angles the sine."""
    kept, columns = [], []
    for index in np.unique(np.linspace(0, len(states) - 1, min(12, len(states))).astype(int)):
        for name, column in ((states[index], values[:, index]), (f"sin({states[index]})", np.sin(values[:, index]))):
            thirds = np.array_split(column, 3)
            spread = float(np.mean([part.std() for part in thirds]))
            if spread > 1e-5 * (abs(column.mean()) + 1e-3) and column.std() < 1.4 * spread:
                kept.append(name)
                columns.append(column)
                break
            if column.std() < 1.4 * spread or np.ptp(column) < 6:
                break
    if not kept:
        raise SettingError("no state that varies and stays bounded")
    return tuple(kept), np.stack(columns, axis=1)


def cycle_of(columns: Array) -> float:
    """The median over columns of the time between maxima, in samples; 0 where none has two."""
    times = [time_between_maxima(column) for column in columns.T]
    return float(np.median([time for time in times if np.isfinite(time)] or [0.0]))


def time_between_maxima(values: Array) -> float:
    """The mean number of samples between maxima that rise and fall by half a standard deviation; inf without two."""
    height = 0.5 * values.std()
    count, low, high, rising = 0, values[0], values[0], True
    for value in values.tolist():
        if rising:
            high = max(high, value)
            if value < high - height:
                rising, low, count = False, value, count + 1
        else:
            low = min(low, value)
            if value > low + height:
                rising, high = True, value
    return len(values) / count if count >= 2 else np.inf


def return_time(motion: Motion) -> tuple[float, float]:
    """The T up to 30 cycles after which x(t + T) is x(t), and the rms miss as a share of the spread.

    The shortest one that misses by less than `DEFECT`, else the one that misses least.

    Candidates are minima of mean |x(t + T) - x(t)|^2 over lags (by the Fourier transform); between samples x is a
    cubic spline. For maps lags are whole, up to 200.
    """
    spread = motion.values.std(axis=0)
    x = (motion.values - motion.values.mean(axis=0)) / spread
    if motion.whole:
        misses = [float(np.sqrt(np.mean((x[lag:] - x[:-lag]) ** 2))) for lag in range(1, 201)]
        close = np.flatnonzero(np.asarray(misses) < DEFECT)
        best = int(close[0]) if len(close) else int(np.argmin(misses))
        return best + 1.0, misses[best]
    return _between_samples(x, motion.dt)


def _between_samples(x: Array, dt: float) -> tuple[float, float]:
    from scipy.interpolate import CubicSpline
    from scipy.optimize import minimize_scalar

    half = 3 * len(x) // 4  # lags up to a quarter of the record
    power = np.concatenate([[0], np.cumsum((x**2).sum(axis=1))])
    kernel = np.fft.irfft(
        (np.fft.rfft(x, 2 * len(x), axis=0) * np.conj(np.fft.rfft(x[:half], 2 * len(x), axis=0))).sum(axis=1)
    )[: len(x) - half]  # fmt: skip
    lags = np.arange(len(x) - half)
    square = (power[half] + power[lags + half] - power[lags] - 2 * kernel) / half / x.shape[1]
    dips = 1 + np.flatnonzero((square[1:-1] <= square[:-2]) & (square[1:-1] < square[2:]))
    spline = CubicSpline(np.arange(len(x)), x)
    base = x[2 : half - 2]

    def miss(lag: float) -> float:
        return float(np.sqrt(np.mean((spline(np.arange(2, half - 2) + lag) - base) ** 2)))

    dips = dips[(dips >= 3) & (dips < len(x) - half - 3)]
    found = []
    for dip in np.unique(np.concatenate([dips[np.argsort(square[dips])[:30]], dips[:20]])):
        best = minimize_scalar(miss, bounds=(dip - 1.0, dip + 1.0), method="bounded", options={"xatol": 1e-7})
        found.append((float(best.x) * dt, float(best.fun)))
    least = min((defect for _, defect in found), default=np.inf)
    # Multiples of the period miss as little, up to the error of the spline.
    close = [(lag, defect) for lag, defect in found if defect < max(30 * least, DEFECT) or defect == least]
    return min(close, default=(0.0, np.inf))


def digits(law: System, motion: Motion) -> float:
    """Digits that the Birkhoff averages of two halves of the motion share, the fewest over three observables."""
    step = 1.0 if law.stepwise else motion.cycle * 0.1618033988749895
    found = simulate(
        law, length=20_000, dt=step, transient=motion.transient, initial=motion.initial, tolerance=1e-12
    ).values  # fmt: skip
    _, columns = observables(law.states, found)
    worst = 16.0
    for column in columns.T[:3]:
        scaled = (column - column.mean()) / column.std()
        worst = min(worst, weighted_average(np.cos(scaled)).digits)
    return worst


def refined(regime: Regime, cycles: float = 1000.0) -> Regime:
    """The regime with only the observables that alone show its kind of motion, which must not change in `cycles` more.

    The spread of an observable changes by less than 2 % (10 % for tori, 30 % for chaos), its return after a period and
    its Birkhoff averages are those of its kind. Raises `SettingError` where no observable is left, and for
    quasi-periodic motion of fewer dimensions than a torus needs. Cost: that of 1,200 cycles.
    """
    law, most = regime.law(), {"periodic": 0.02, "quasi-periodic": 0.1, "chaotic": 0.3}[regime.truth]
    flat = law.kind == "flow" and law.autonomous and law.dimension < 3 and "sin(" not in regime.observables[0]
    if regime.truth == "quasi-periodic" and flat:
        raise SettingError("no torus in the plane", place=regime.name)
    if regime.period > LONGEST_PERIOD * regime.cycle and regime.truth == "periodic" and not law.stepwise:
        raise SettingError("a period of many cycles", place=regime.name)
    parts = [_columns(regime, law, wait) for wait in (0.0, cycles * regime.cycle)]
    kept = []
    for index, name in enumerate(regime.observables):
        early, late = (part[:, index] for part in parts)
        steady = abs(np.log((early.std() + 1e-300) / (late.std() + 1e-300))) < most
        if steady and _shows(regime, late[:, None], law.stepwise):
            kept.append(name)
    if not kept:
        raise SettingError("no observable shows the motion", place=regime.name)
    return replace(regime, observables=tuple(kept))


def _columns(regime: Regime, law: System, wait: float) -> Array:
    from .families.motion import columns_of

    dt, length = (1.0, 20_000) if law.stepwise else (regime.cycle / FINE, CYCLES * FINE)
    wait = float(round(wait)) if law.stepwise else wait
    found = simulate(
        law, length=length, dt=dt, transient=regime.transient + wait, initial=regime.initial, tolerance=1e-11
    ).values  # fmt: skip
    return np.stack(list(columns_of(law, found, regime.observables).values()), axis=1)


def _shows(regime: Regime, column: Array, maps: bool) -> bool:
    """Whether one observable `(time, 1)` has the kind of motion of the regime."""
    dt = 1.0 if maps else regime.cycle / FINE
    _, defect = return_time(Motion(column, dt, None, 0.0, ("",), regime.cycle, maps))
    if regime.truth == "periodic":
        return defect < 3 * DEFECT
    share = weighted_average(np.cos((column[:, 0] - column.mean()) / column.std())).digits
    if regime.truth == "chaotic":
        return defect > MISS and share < DIGITS
    return defect > MISS and (share >= DIGITS - 2 or regime.evidence["digits"] < DIGITS)


def clear(name: str, parameters: dict[str, float], initial: Array | None = None) -> Regime | None:
    """`classified`, or None where the motion is not clear, diverges or cannot be observed."""
    try:
        return classified(name, parameters, initial)
    except (TakensError, FloatingPointError, np.linalg.LinAlgError):
        return None
