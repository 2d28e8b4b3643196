"""The dominant period of a system: where the spectrum of its motion is highest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.evolve import orbit

Array = NDArray[np.float64]

PARTS = 16
"""Consecutive parts of the orbit whose spectra are averaged, and whose peaks give the error."""
LENGTH = 4096
"""Samples in a part."""
FLAT = 4.0
"""A spectrum whose highest peak is less than this many times its mean has no dominant period."""


def dominant_period(
    system: System,
    *,
    dt: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """The period 1/f, in units of time or iterations, at the highest peak of the power spectrum of the motion.

    The spectrum is the mean of the periodograms of all states, each divided by its variance, over 16 consecutive parts
    of 4,096 samples `dt` apart (None: the system's own) after `transient` (None: a part), with a Hann window; the peak
    is refined by a parabola through its logarithm. The interval at `level` comes from the peaks of the parts near it,
    and is never narrower than a tenth of the spacing of frequencies. Not admissible where the orbit comes to rest, or
    where no peak is four times the mean, as in the logistic map at r = 4.
    Raises `SettingError` and `SimulationError` as `orbit` does. Cost: an orbit of 70,000 samples.
    Source: Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967).
    """
    interval = system.default_dt() if dt is None else float(dt)
    if not 0 < interval < np.inf:
        raise SettingError(f"dt is {interval}", place=system.name)
    wait = LENGTH * interval if transient is None else float(transient)
    times = wait + interval * np.arange(PARTS * LENGTH)
    start = system.phase(initial)[: system.dimension]
    states = orbit(system, start, times)
    unit = "iterations" if system.stepwise else "time units"
    about = {"level": level, "method": "spectral peak", "channel": system.name,
             "settings": {"dt": interval, "parts": PARTS, "length": LENGTH, "transient": wait},
             "reference": "Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967)"}  # fmt: skip
    spread = states.std(axis=0)
    moving = spread > 1e-9 * max(np.abs(start).max(), np.abs(states).max())
    if not moving.any():
        reason = "the orbit comes to rest"
        return Estimate("dominant_period", None, unit, admissible=False, reason=reason, **about)  # type: ignore[arg-type]
    spectra = _spectra(states[:, moving] / spread[moving])
    mean = spectra.mean(axis=0)
    peak = 2 + int(np.argmax(mean[2:]))  # the lowest frequency is trend, and the window reaches one bin further
    frequencies = np.array([_refined(row, peak) for row in spectra]) / (LENGTH * interval)
    value = _refined(mean, peak) / (LENGTH * interval)
    from scipy.stats import t as student

    error = float(frequencies.std(ddof=1) / np.sqrt(PARTS))
    wide = max(float(student.ppf((1 + level) / 2, PARTS - 1)) * error, 0.1 / (LENGTH * interval))
    ends = (1 / (value + wide), 1 / max(value - wide, 1e-3 * value))
    flat = not mean[peak] > FLAT * mean[2:].mean()
    reason = "no peak of the spectrum stands out" if flat else ""
    return Estimate(
        "dominant_period", 1 / value, unit, ends, admissible=not flat, reason=reason,
        details={"frequencies": np.arange(len(mean)) / (LENGTH * interval), "spectrum": mean}, **about,  # type: ignore[arg-type]
    )  # fmt: skip


def _spectra(states: Array) -> Array:
    """Power spectra `(part, frequency)`, summed over states."""
    from scipy.signal.windows import hann

    parts = states.reshape(PARTS, LENGTH, -1)
    parts = (parts - parts.mean(axis=1, keepdims=True)) * hann(LENGTH, sym=False)[:, None]
    return np.asarray((np.abs(np.fft.rfft(parts, axis=1)) ** 2).sum(axis=2))


def _refined(spectrum: Array, peak: int) -> float:
    """The peak's place between bins: the highest within two bins, moved to the top of a parabola through logarithms."""
    low = max(1, peak - 2)
    at = low + int(np.argmax(spectrum[low : peak + 3]))
    if at == len(spectrum) - 1:  # alternation: nothing is faster
        return float(at)
    with np.errstate(divide="ignore", invalid="ignore"):
        left, middle, right = np.log(spectrum[at - 1 : at + 2])
        shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(at + (shift if np.isfinite(shift) and abs(shift) <= 0.5 else 0.0))
