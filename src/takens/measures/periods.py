"""Periods: peaks of the spectrum that red noise does not explain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Channel, measure
from .spectra import LONGEST, Grid, RedNoise
from .timescales import normal_quantile

Array = NDArray[np.float64]

SIMULATED = 4096
"""Grid cells of the red-noise simulations that calibrate the number of independent frequencies."""

MOST = 12
"""Lines looked for at most, before harmonics are joined."""

LEAST = 0.002
"""Share of the variance below which a peak is not called a period, however significant: leakage, rounding."""


@dataclass(frozen=True)
class Line:
    """One period that was found: frequency (cycles a cell) and its error, p-values, and which harmonics it has.

    `narrow` says that sinusoids remove it and that it stands out of its own neighbours: a line, not a broad peak.
    `smooth_p` is the p-value of the latter over all frequencies. `share` is its part of the variance.
    """

    frequency: float
    error: float
    p_value: float
    line_p: float
    smooth_p: float
    share: float
    narrow: bool
    harmonics: tuple[int, ...]


def refine(grid: Grid, near: float, reach: float, harmonics: Array, lowest: float) -> float:
    """The frequency within `reach` of `near`, not below `lowest`, of the highest periodogram summed over `harmonics`.

    A multitaper line is a plateau two half bandwidths wide, so its highest point says little. One zoom of the Fourier
    transform a harmonic. Higher harmonics fix the frequency better, once it is known to their resolution.
    """
    from scipy.signal import zoom_fft

    low, high = max(near - reach, lowest), min(near + reach, 0.5)
    power = [np.abs(zoom_fft(grid.x, [h * low, h * high], m=101, fs=1.0, endpoint=True)) ** 2 for h in harmonics]
    return float(np.linspace(low, high, 101)[np.sum(power, axis=0).argmax()])


def remove(grid: Grid, frequencies: Array) -> tuple[Array, float]:
    """The grid's values without the least-squares sinusoids of `frequencies`; the squared amplitude of the first."""
    cells = np.flatnonzero(grid.filled)
    phase = 2 * np.pi * np.outer(cells, frequencies)
    waves = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    products = waves.T @ waves
    products[np.diag_indices_from(products)] += 1e-9 * len(cells)
    weights = np.linalg.solve(products, waves.T @ grid.x[cells])
    rest = grid.x.copy()
    rest[cells] -= waves @ weights
    return rest, float(weights[0] ** 2 + weights[len(frequencies)] ** 2)


def line_p_value(grid: Grid, frequency: float) -> float:
    """p-value of Thomson's (1982) harmonic F-test for a line at `frequency`; NaN with a single taper."""
    from scipy.special import fdtrc

    if len(grid.weights) < 2:
        return float("nan")
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(grid.x)))
    seen = (grid.weights * grid.x) @ wave
    flat = grid.weights.sum(axis=1)
    mean = (seen @ flat) / (flat @ flat)
    rest = np.sum(np.abs(seen - mean * flat) ** 2)
    dof = 2 * len(flat) - 2
    ratio = (len(flat) - 1) * np.abs(mean) ** 2 * (flat @ flat) / max(rest, 1e-300)
    return float(fdtrc(2, dof, ratio))


def neighbour_p_value(grid: Grid, frequency: float) -> float:
    """p-value of the power at `frequency` among that within 12 resolution cells of it, under a Hann taper.

    Noise of any smooth spectrum, with humps as broad as they like, has powers there that are alike and exponential, so
    that the ratio to their mean is F(2, 2 K): K two thirds of the 20 neighbours, which the taper correlates. A line
    stands out all the more the longer the record is.
    """
    from scipy.special import fdtrc

    n = len(grid.x)
    offsets = np.arange(-12, 13)
    at = frequency + offsets / n
    around = (np.abs(offsets) > 2) & (at > 1 / n) & (at < 0.5)
    taper = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 * grid.x
    power = np.abs(np.exp(-2j * np.pi * np.outer(at, np.arange(n))) @ taper) ** 2
    ratio = power[offsets == 0][0] / max(power[around].mean(), 1e-300)
    return float(fdtrc(2, 2 * around.sum() / 1.5, ratio))


def sharpened(grid: Grid, frequency: float, harmonics: Array, lowest: float) -> float:
    """`frequency` refined with more and more of its `harmonics`, each within what the one before it leaves open."""
    n, before = len(grid.x), 1
    for top in (1, 2, 3, 5, 10):
        used = harmonics[harmonics <= top]
        if top == 1 or used[-1] > before:
            frequency = refine(grid, frequency, 0.5 / n / before, used, lowest)
            before = int(used[-1])
    return frequency


def find_lines(noise: RedNoise, independent: float, alpha: float, broad: bool) -> list[Line]:
    """Significant lines, the most powerful first; each is removed with its harmonics before the next is looked for.

    A broad peak counts only if `broad`, and only the first: where there is one, the noise is not AR(1), and only what
    stands out of its own neighbours can still be told from it.
    """
    lines: list[Line] = []
    total = np.sum(noise.grid.x**2)
    frequency = noise.grid.frequency
    count = independent * noise.usable.sum()
    limit = -np.expm1(np.log1p(-alpha) / count)
    lowest = float(frequency[noise.usable][0])
    for _ in range(MOST + 4):
        grid = noise.grid
        power = grid.power(grid.x[None])
        _, background = noise.fit(power)
        p = noise.p_values(power, background)[0]
        excess = np.where(p <= limit, power[0] - background[0], 0.0)
        at = int(excess.argmax())
        if excess[at] <= 0:
            break
        n = len(grid.x)
        f = refine(grid, frequency[at], max(1.1 * grid.half_width, 0.75 / n), np.ones(1), lowest)
        multiples = np.arange(1, int(grid.highest / f) + 1)
        bins = np.minimum(np.round(multiples * f * grid.size).astype(int), len(frequency) - 1)
        strong = multiples[(p[bins] < 1e-3) | (multiples == 1)][:60]
        f = sharpened(grid, f, strong, lowest)
        rest, square = remove(grid, strong * f)
        near = np.abs(frequency - f) <= max(grid.half_width, 1 / n)
        after = grid.power(rest[None])[0]
        cells = n * (grid.highest - lowest)
        smooth_p = float(-np.expm1(cells * np.log1p(-min(neighbour_p_value(grid, f), 1 - 1e-12))))
        narrow = bool(after[near].mean() < 0.3 * power[0][near].mean()) and smooth_p <= alpha
        # Eight resolution cells around the line, of which the fit has emptied two.
        left = after[np.abs(frequency - f) <= 4 / n].mean() * 8 / 6
        error = np.sqrt(6 * left / max(square, 1e-300) / grid.filled.sum()) / (np.pi * n)
        taken = (np.abs(frequency[:, None] - strong * f) <= max(1.5 * grid.half_width, 1.5 / n)).any(axis=1)
        share = float((np.sum(grid.x**2) - np.sum(rest**2)) / total)
        if not narrow:
            # No sinusoid removes a broad peak: all of it is one period, with its width as the error. Its multiples are
            # not known well enough to be taken with it.
            taken = _run(_widened(excess > 0, int(np.ceil(grid.half_width * grid.size))), at)
            error = max(error, np.ptp(frequency[_run(power[0] > power[0][at] / 2, at)]) / 4)
            share = float(power[0][taken].sum() / power[0].sum() * np.sum(grid.x**2) / total)
        if share >= LEAST and (narrow or (broad and all(line.narrow for line in lines))):
            # Far multiples of a frequency known only roughly fall on anything.
            known = strong if narrow else strong[strong <= 10]
            found = tuple(int(h) for h in known[1:] if p[bins[h - 1]] <= limit)
            p_value = float(-np.expm1(count * np.log1p(-p[at])))
            lines.append(Line(f, float(error), p_value, line_p_value(grid, f), smooth_p, share, narrow, found))
        noise = replace(noise.without(taken), grid=replace(grid, x=rest if narrow else grid.x))
        if len(lines) == MOST or noise.usable.sum() < 40 or np.sum(rest**2) < 1e-10 * total:
            break
    return _fundamentals(lines, 1 / len(noise.grid.x))


def _widened(flags: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """True within `reach` indices of a true flag: bridges the random dips of a broad peak."""
    return np.convolve(flags, np.ones(2 * reach + 1), "same") > 0.5


def _run(flags: NDArray[np.bool_], at: int) -> NDArray[np.bool_]:
    """The run of true `flags` that contains index `at`."""
    edges = np.flatnonzero(~flags)
    before, after = edges[edges < at], edges[edges > at]
    run = np.zeros(len(flags), dtype=bool)
    run[(before[-1] + 1 if len(before) else 0) : (after[0] if len(after) else len(flags))] = True
    return run


def _fundamentals(lines: list[Line], tolerance: float) -> list[Line]:
    """Count lines at a multiple of the frequency of another line as its harmonics.

    Only where that frequency is known well enough to tell. Beyond the third multiple only lines without harmonics of
    their own, at most four times as strong: the day stays a period beside the week.
    """
    kept = list(lines)
    for line in lines:
        for low in [other for other in kept if other is not line and other.frequency < line.frequency]:
            multiple = round(line.frequency / low.frequency)
            near = abs(line.frequency - multiple * low.frequency) < max(1, 0.15 * multiple) * tolerance
            known = low.narrow and line.narrow and multiple * low.error < tolerance
            # A cycle of its own kind is strong and has harmonics; a harmonic belongs to a cycle that has several.
            own = len(line.harmonics) >= 2 and line.share > low.share / 2
            fits = line.share < 4 * low.share and len(low.harmonics) > 2 and not own
            if multiple > 1 and near and known and (multiple <= 3 or fits):
                joined = tuple(sorted({*low.harmonics, multiple, *(multiple * h for h in line.harmonics)}))
                merged = replace(low, harmonics=joined, share=low.share + line.share)
                kept = [merged if other is low else other for other in kept if other is not line]
                break
    return kept


def _threshold(tapers: int, alpha: float, count: float) -> float:
    """Power over background that `count` independent frequencies exceed anywhere with probability `alpha`."""
    from scipy.special import chdtri

    return float(chdtri(2 * tapers, -np.expm1(np.log1p(-alpha) / count))) / (2 * tapers)


@measure(
    family="periods", reference="Thomson, Proc. IEEE 70, 1055 (1982); Lomb, Astrophys. Space Sci. 39, 447 (1976)",
    minimum=60, regular=False,
)  # fmt: skip
def dominant_periods(
    channel: Channel, *, null: str = "red noise", alpha: float = 0.05, tapers: int = 7, cycles: float = 4.0,
    simulations: int = 200, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Periods that stand out of red noise, strongest first; an empty array where none does.

    The spectrum (multitaper with `tapers` sine tapers; Lomb-Scargle where times are irregular or values missing) is
    divided by that of AR(1) noise, fitted to medians of bands so that lines do not raise it, leakage and gaps included.
    A peak counts if red noise of this kind shows one as high, anywhere in the spectrum, with probability below `alpha`
    (calibrated by `simulations`). Each line is then removed with its harmonics and the search repeated, at most 12
    times; peaks below 0.2 % of the variance are not called periods. Periods longer than 1/`cycles` of the record are
    not looked for. The interval is that of the frequency of a sinusoid in the noise left around it. The first broad
    peak (noisy cycle, chaos) counts as a period too, with `narrow` False; once there is one the noise is not AR(1), and
    only lines count, which stand out of their own neighbours (`smooth_p`). `null` "smooth" counts only such lines from
    the start: noise of any smooth spectrum has none with probability 1 - `alpha`. Lines inside a broad peak are hidden
    by it. Details: `frequency`
    (1/time), `power`, `background`, `threshold`; for each period `p_value`, `line_p` (Thomson's F-test), `smooth_p`,
    `share` (of the variance, with
    harmonics), `narrow` (a line rather than a broad peak), `harmonics`. Cost: O(N log N), a second.
    """
    if null not in ("red noise", "smooth"):
        raise SettingError(f"null must be red noise or smooth, got {null!r}", place="null")
    grid = Grid.of(channel.t, channel.x, tapers)
    noise = RedNoise.on(grid, cycles)
    power = grid.power(grid.x[None])
    best, background = noise.fit(power)
    phi = float(noise.phi[best[0]])
    part = noise
    if len(grid.x) > SIMULATED:
        part = RedNoise.on(grid.cut(SIMULATED, tapers), cycles)
    share = part.independent_share(phi, simulations, generator(seed, "dominant_periods"))
    lines = find_lines(noise, share, alpha, null == "red noise")
    period = np.array([grid.step / line.frequency for line in lines])
    z = normal_quantile(level)
    low, high = (
        np.array([grid.step / max(line.frequency + sign * z * line.error, 1 / len(grid.x)) for line in lines])
        for sign in (1, -1)
    )
    usable, multitaper = noise.usable, len(grid.weights) > 1
    above = _threshold(len(grid.weights), alpha, share * usable.sum())
    return Estimate(
        "", period, channel.time_unit, (low, high), level,
        "multitaper spectrum against red noise" if multitaper else "Lomb-Scargle spectrum against red noise",
        {"null": null, "alpha": alpha, "tapers": len(grid.weights), "cycles": cycles, "simulations": simulations,
         "cell": grid.step, "red_noise_coefficient": phi},
        {"method": "all grid cells are filled" if multitaper else "times are irregular or values are missing",
         "cell": "sampling interval" if len(grid.x) < LONGEST else f"averaged to at most {LONGEST} cells"},
        details={
            "frequency": grid.frequency[usable] / grid.step, "power": power[0][usable],
            "background": background[0][usable], "threshold": background[0][usable] * above,
            "p_value": np.array([line.p_value for line in lines]), "line_p": np.array([line.line_p for line in lines]),
            "smooth_p": np.array([line.smooth_p for line in lines]),
            "share": np.array([line.share for line in lines]),
            "narrow": np.array([line.narrow for line in lines], dtype=bool),
            "harmonics": [list(line.harmonics) for line in lines],
        },
    )  # fmt: skip
