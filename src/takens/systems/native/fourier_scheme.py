"""What is compiled for a periodic field, where its numbers are, and the tables that its steps read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..symbols.tree import Expression
from .fourier import rows_of, table

Array = NDArray[np.float64]
Spectra = NDArray[np.complex128]

FACTORS = ("whole", "half", "first", "start", "middle", "end")
"""The coefficients of a step, in the order of their tables; see `spectral.steps.factors`."""


@dataclass(frozen=True, eq=False)
class Scheme:
    """What is compiled: which derivatives enter the nonlinear terms, and where those go.

    `inputs` are (field, order of derivative); `outputs` (field, whether it is a flux); `rates` the values of the
    outputs and `slopes` the (output, input, derivative) that do not vanish, over the names in `names` (of the inputs),
    `x`, the time and the parameters. `pairs` are the (row, column) of the linear part that do not vanish, `real`
    whether its symbol is real.
    """

    points: int
    fields: int
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, bool], ...]
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    rates: tuple[Expression, ...]
    slopes: tuple[tuple[int, int, Expression], ...]
    definitions: tuple[tuple[str, Expression], ...]
    slope_definitions: tuple[tuple[str, Expression], ...]
    pairs: tuple[tuple[int, int], ...]
    real: bool
    time: str = "t"

    @property
    def row(self) -> int:
        """The length of half a block."""
        return rows_of(self.points)

    @property
    def block(self) -> int:
        """The length of one grid or spectrum."""
        return 2 * self.row

    @property
    def work(self) -> int:
        """How many blocks of working memory a step needs; see `Places`."""
        return 2 + 2 * len(self.outputs) + 2 * len(self.inputs) + len(self.slopes)


class Places:
    """Where things are: blocks of working memory, and rows of the tables."""

    def __init__(self, scheme: Scheme) -> None:
        outputs, inputs = len(scheme.outputs), len(scheme.inputs)
        self.spectrum, self.scratch, self.values = 0, 1, 2
        self.modes = 2 + outputs
        self.moved = self.modes + outputs
        self.grids = self.moved + inputs
        self.slopes = self.grids + inputs
        self.derivatives = len(table(scheme.points))
        self.mask = self.derivatives + inputs * scheme.row
        self.flux = self.mask + scheme.row
        self._factors, self._each = self.flux + scheme.row, scheme.row * (1 if scheme.real else 2)
        self._pairs = scheme.pairs

    def factor(self, name: str, pair: tuple[int, int]) -> int:
        """Where the coefficients of a pair begin."""
        return self._factors + (FACTORS.index(name) * len(self._pairs) + self._pairs.index(pair)) * self._each


def tables(scheme: Scheme, waves: Array, mask: Array, factors: dict[str, Spectra]) -> Array:
    """The numbers that a step reads: turns, derivatives, the mask, and the coefficients `(field, field, mode)`."""
    row, parts = scheme.row, [table(scheme.points)]

    def padded(values: Array) -> Array:
        return np.concatenate([values, np.zeros(row - len(values))])

    odd = np.append(waves[:-1], 0.0)
    for _, order in scheme.inputs:
        sign = (1.0, 1.0, -1.0, -1.0)[order % 4]
        parts.append(padded(sign * mask * (odd if order % 2 else waves) ** order / scheme.points))
    parts += [padded(mask), padded(mask * odd)]
    for name in FACTORS:
        for i, j in scheme.pairs:
            parts.append(padded(factors[name][i, j].real))
            if not scheme.real:
                parts.append(padded(factors[name][i, j].imag))
    return np.concatenate(parts)


def packed(spectra: Spectra, scheme: Scheme) -> Array:
    """Spectra `(..., mode)` as blocks `(..., 2, row)`: real parts, imaginary parts, room that stays 0."""
    out = np.zeros((*spectra.shape[:-1], 2, scheme.row))
    out[..., 0, : spectra.shape[-1]], out[..., 1, : spectra.shape[-1]] = spectra.real, spectra.imag
    return out


def unpacked(blocks: Array, scheme: Scheme) -> Spectra:
    """Blocks `(..., 2, row)` as spectra `(..., mode)`."""
    modes = scheme.points // 2 + 1
    return np.asarray(blocks[..., 0, :modes] + 1j * blocks[..., 1, :modes])


def packed_grid(values: Array, scheme: Scheme) -> Array:
    """Values at the points of a grid as a block `(2, row)`: even points, odd points."""
    out = np.zeros((2, scheme.row))
    out[:, : scheme.points // 2] = values.reshape(-1, 2).T
    return out
