"""ETDRK4: steps of periodic fields that solve the linear part exactly, by machine code or NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import NoReturn, Protocol, final

import numpy as np

from ...errors import SimulationError
from ..base import Report
from .grid import Grid, Spectra
from .rule import Spectral

CIRCLE = 64
"""Points of the contour integrals."""
PORTION = 20_000
"""Steps in one call, after which Python can report progress or be interrupted."""
MOST_NUMBERS = 2_000_000
"""Numbers in the rows of one call."""


def factors(symbol: Spectra, step: float) -> dict[str, Spectra]:
    """The coefficients `(field, field, mode)` of a step h for a linear part A `(field, field, mode)`, with R = h A.

    "whole" is e^R, "half" e^(R/2), "first" h R^-1 (e^(R/2) - 1), "start" h R^-3 (-4 - R + e^R (4 - 3R + R^2)), "middle"
    h R^-3 (2 + R + e^R (R - 2)), "end" h R^-3 (-4 - 3R - R^2 + e^R (4 - R)). Each is the mean over R + z with z on a
    circle, whose radius keeps R + z away from singular matrices, where the formulas cancel.
    Source: Kassam & Trefethen, SIAM J. Sci. Comput. 26, 1214 (2005).
    """
    scaled = step * np.moveaxis(symbol, -1, 0)
    fields = scaled.shape[-1]
    if fields == 1:
        whole, half, sizes = np.exp(scaled), np.exp(scaled / 2), np.abs(scaled[:, 0])
    else:
        from scipy.linalg import expm

        whole, half, sizes = expm(scaled), expm(scaled / 2), np.abs(np.linalg.eigvals(scaled))
    radii = np.linspace(1.0, 3.0, 4 * fields + 1)
    gaps = np.abs(radii - sizes[..., None]).min(axis=1)
    radius = radii[np.argmax(gaps, axis=-1)]
    z = radius[:, None] * np.exp(2j * np.pi * (np.arange(CIRCLE) + 0.5) / CIRCLE)
    unit = np.eye(fields)
    r = scaled[:, None] + z[..., None, None] * unit
    big, small = (np.exp(share * z)[..., None, None] * power[:, None] for share, power in ((1.0, whole), (0.5, half)))
    inverse = np.linalg.inv(r)
    cube = inverse @ inverse @ inverse
    square = r @ r
    found = {
        "first": inverse @ (small - unit),
        "start": cube @ (-4 * unit - r + big @ (4 * unit - 3 * r + square)),
        "middle": cube @ (2 * unit + r + big @ (r - 2 * unit)),
        "end": cube @ (-4 * unit - 3 * r - square + big @ (4 * unit - r)),
    }
    means = {"whole": whole, "half": half} | {name: step * value.mean(axis=1) for name, value in found.items()}
    return {name: np.moveaxis(value, 0, -1) for name, value in means.items()}


class Steps(Protocol):
    """Steps of one length of a field and of tangent vectors."""

    def walk(self, spectra: Spectra, start: float, first: int, substeps: int, rows: int) -> tuple[Spectra, Spectra]:
        """Spectra `(1 + vector, field, mode)` after `rows` times `substeps` steps, and the field's at each row.

        Fewer rows where one is not finite. The time of step i is start + step (first + i).
        """


@final
class ArraySteps:
    """ETDRK4 by NumPy, for any number of points."""

    def __init__(self, grid: Grid, coefficients: dict[str, Spectra], step: float) -> None:
        self._grid, self._factors, self._step = grid, coefficients, step

    def walk(self, spectra: Spectra, start: float, first: int, substeps: int, rows: int) -> tuple[Spectra, Spectra]:
        """See `Steps`."""
        out = []
        with np.errstate(all="ignore"):
            for row in range(rows):
                for number in range(substeps):
                    spectra = self._next(spectra, start + self._step * (first + row * substeps + number))
                if not np.isfinite(spectra[0]).all():
                    break
                out.append(spectra[0])
        return spectra, np.array(out).reshape(-1, *spectra.shape[1:])

    def _next(self, now: Spectra, time: float) -> Spectra:
        half = time + 0.5 * self._step
        begin = self._nonlinear(now, time)
        rest = self._times("half", now)
        a = rest + self._times("first", begin)
        second = self._nonlinear(a, half)
        b = rest + self._times("first", second)
        third = self._nonlinear(b, half)
        c = self._times("half", a) + self._times("first", 2 * third - begin)
        last = self._nonlinear(c, time + self._step)
        return (
            self._times("whole", now) + self._times("start", begin) + 2 * self._times("middle", second + third)
            + self._times("end", last)
        )  # fmt: skip

    def _times(self, name: str, spectra: Spectra) -> Spectra:
        return np.asarray(np.einsum("fgm,...gm->...fm", self._factors[name], spectra))

    def _nonlinear(self, spectra: Spectra, time: float) -> Spectra:
        """The nonlinear terms of the field, and their derivatives along the tangent vectors."""
        inputs = self._grid.inputs(spectra[0])
        own = self._grid.nonlinear(time, inputs)[None]
        if len(spectra) == 1:
            return own
        return np.concatenate([own, self._grid.moved(self._grid.slopes(time, inputs), spectra[1:])])


@lru_cache(maxsize=64)
def steps(rule: Spectral, parameters: tuple[float, ...], step: float) -> Steps:
    """Steps of a length, by machine code where the points are a power of two. Cost: milliseconds, then kept."""
    grid = rule.grid(dict(zip(rule.parameters, parameters, strict=True)))
    coefficients = factors(grid.symbol, step)
    if rule.terms.even:
        coefficients = {name: value.real.astype(complex) for name, value in coefficients.items()}
    from ..native.fourier import transformable

    if not transformable(rule.points):
        return ArraySteps(grid, coefficients, step)
    from ..native.fourier_march import MachineSteps
    from ..native.fourier_scheme import tables

    numbers = tables(rule.scheme, grid.waves, grid.mask, coefficients)
    return MachineSteps(rule.scheme, numbers, grid.x, np.array(parameters), step)


def march(
    rule: Spectral,
    parameters: tuple[float, ...],
    spectra: Spectra,
    start: float,
    step: float,
    *,
    rows: int,
    substeps: int = 1,
    report: Report | None = None,
) -> tuple[Spectra, Spectra]:
    """Spectra `(1 + vector, field, mode)` after `rows` times `substeps` steps, and those of the field at each row.

    Raises `SimulationError`, with time and state, where the field stops being finite.
    """
    walker, found = steps(rule, parameters, step), []
    # A portion is some rows or, where rows are far apart, a part of one.
    parts = -(-substeps // PORTION)
    apart = [substeps * (i + 1) // parts - substeps * i // parts for i in range(parts)]
    some = max(1, min(PORTION // substeps, MOST_NUMBERS // (2 * spectra[0].size)))
    done = row = 0
    while row < rows:
        count = min(some, rows - row) if parts == 1 else 1
        for part in apart:
            before = spectra[0]
            spectra, written = walker.walk(spectra, start, done, part, count)
            if len(written) < count:
                last = written[-1] if len(written) else before
                _fail(rule, parameters, last, start + step * (done + part * len(written)), part)
            done += part * count
        found.append(written)
        row += count
        if report is not None:
            report(row / rows)
    return spectra, np.concatenate(found)


def _fail(rule: Spectral, parameters: tuple[float, ...], last: Spectra, time: float, within: int) -> NoReturn:
    state = rule.grid(dict(zip(rule.parameters, parameters, strict=True))).states(last)
    more = "" if within == 1 else f" within the {within:,} steps that follow"
    raise SimulationError(
        f"the next state is not finite{more} at t = {time:.10g}", time=float(time), state=tuple(map(float, state)),
        remedy="The solution diverges or the step is too long: give a smaller step, or check parameters and initial.",
    )  # fmt: skip
