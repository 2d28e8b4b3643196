"""Fields on a periodic grid by NumPy: derivatives, nonlinear terms and Jacobians of the trigonometric polynomial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError
from ..rule import Array
from .terms import Terms

Spectra = NDArray[np.complex128]


@final
class Grid:
    """Terms on `points` points for given parameters, whose values `(...)` broadcast to the leading axes.

    `waves (..., mode)` are the wave numbers 2 pi j / domain, `symbol (..., field, field, mode)` the linear part there;
    `mask (mode,)` is 1 on the modes below N/3 that enter and leave nonlinear terms. A derivative of odd order has no
    mode N/2: it vanishes on the grid. Raises `SettingError` where the domain has no length.
    """

    def __init__(self, terms: Terms, points: int, parameters: Mapping[str, ArrayLike]) -> None:
        self.terms, self.points = terms, points
        values = [np.asarray(parameters[name], dtype=np.float64) for name in terms.parameters]
        shape = np.broadcast_shapes(*(value.shape for value in values))
        domain, *factors = [np.broadcast_to(v, shape)[..., None] for v in terms.constants(values)]
        if not (np.all(domain > 0) and np.isfinite(domain).all() and all(np.isfinite(f).all() for f in factors)):
            remedy = "The length of the domain must be positive and all factors of linear parts finite."
            raise SettingError("the parameters do not fit the equations", remedy=remedy)
        self._parameters = [value[..., None] for value in values]
        number = np.arange(points // 2 + 1)
        self.mask = (3 * number < points).astype(np.float64)
        self.waves = 2 * np.pi * number / domain
        self._odd = np.where(2 * number == points, 0.0, self.waves)
        self.x = domain * (np.arange(points) / points)
        fields = len(terms.fields)
        self.symbol = np.zeros((*shape, fields, fields, len(number)), dtype=np.complex128)
        for (row, field, order, _), factor in zip(terms.coefficients, factors, strict=True):
            self.symbol[..., row, field, :] += factor * self.power(order)

    def power(self, order: int) -> Spectra:
        """The symbol (i k)^order of a derivative."""
        return np.asarray((1j**order) * (self._odd if order % 2 else self.waves) ** order)

    def spectra(self, states: Array) -> Spectra:
        """The modes `(..., field, mode)` of states `(..., state)`."""
        return np.fft.rfft(states.reshape(*states.shape[:-1], len(self.terms.fields), self.points))

    def states(self, spectra: Spectra) -> Array:
        """The states `(..., state)` of modes `(..., field, mode)`."""
        return np.fft.irfft(spectra, self.points).reshape(*spectra.shape[:-2], -1)

    def inputs(self, spectra: Spectra) -> list[Array]:
        """The grids `(..., point)` of what enters the nonlinear terms, without the modes that are masked."""
        orders = [self.terms.derivatives[name] for name in self.terms.inputs]
        return [np.fft.irfft(self.mask * self.power(d) * spectra[..., f, :], self.points) for f, d in orders]

    def nonlinear(self, time: ArrayLike, inputs: list[Array]) -> Spectra:
        """The modes `(..., field, mode)` of the nonlinear terms."""
        values = self.terms.rates([*inputs, *self._fixed(time)])
        shape = np.broadcast_shapes(*(v.shape for v in inputs), self.x.shape, (*np.shape(time), 1))
        return self._gathered([np.broadcast_to(value, shape) for value in values], shape[:-1])

    def slopes(self, time: ArrayLike, inputs: list[Array]) -> list[Array]:
        """The derivatives `(..., point)` of outputs by inputs, in the order of the terms."""
        return [np.asarray(v) for v in self.terms.slopes([*inputs, *self._fixed(time)])]

    def moved(self, slopes: list[Array], vectors: Spectra) -> Spectra:
        """The nonlinear terms' derivative along `vectors (..., field, mode)`, at the states of the slopes."""
        inputs = self.inputs(vectors)
        shape = (*vectors.shape[:-2], self.points)
        sums: list[Array] = [np.zeros(shape) for _ in self.terms.outputs]
        for (output, source, _), slope in zip(self.terms.slope_terms[0], slopes, strict=True):
            sums[output] += slope * inputs[source]
        return self._gathered(sums, shape[:-1])

    def linear(self, spectra: Spectra) -> Spectra:
        """The linear part of the rates `(..., field, mode)`."""
        return np.asarray(np.einsum("...fgm,...gm->...fm", self.symbol, spectra))

    def values(self, time: ArrayLike, states: Array) -> Array:
        """The rates `(..., state)`."""
        with np.errstate(all="ignore"):
            spectra = self.spectra(states)
            return self.states(self.linear(spectra) + self.nonlinear(time, self.inputs(spectra)))

    def jacobian(self, time: ArrayLike, states: Array) -> Array:
        """The derivatives `(..., state, state)` of the rates."""
        size = states.shape[-1]
        slopes = self.slopes(time, self.inputs(self.spectra(states)))
        leading = np.broadcast_shapes(states.shape[:-1], self.symbol.shape[:-3], np.shape(time))
        unit = np.broadcast_to(np.eye(size).reshape(size, *([1] * len(leading)), size), (size, *leading, size))
        vectors = self.spectra(np.ascontiguousarray(unit))
        with np.errstate(all="ignore"):
            return np.moveaxis(self.states(self.linear(vectors) + self.moved(slopes, vectors)), 0, -1)

    def trace(self, time: ArrayLike, states: Array) -> Array:
        """The trace `(...)` of the Jacobian: of the symbol, and of circulant matrices times slopes at the points."""
        total = self._linear_trace()
        slopes = self.slopes(time, self.inputs(self.spectra(states)))
        for entry, slope in zip(self.terms.slope_terms[0], slopes, strict=True):
            mean = self._diagonal(*entry[:2])
            points = np.broadcast_shapes(slope.shape, self.x.shape)
            total = total + mean * np.sum(np.broadcast_to(slope, points), axis=-1)
        return np.broadcast_to(total, np.broadcast_shapes(total.shape, states.shape[:-1], np.shape(time))).copy()

    def contraction(self) -> float:
        """The trace where it is the same at all states, else NaN."""
        varies = any(np.any(self._diagonal(o, i) != 0) for o, i, _ in self.terms.slope_terms[0])
        return float("nan") if varies else float(self._linear_trace())

    def _linear_trace(self) -> Array:
        return np.asarray(np.einsum("...ffm,m->...", self.symbol.real, self._weights()))

    def _diagonal(self, output: int, source: int) -> Array:
        """What stands on the diagonal of the circulant matrix on both sides of a slope."""
        field, flux, _ = self.terms.outputs[output]
        other, order = self.terms.derivatives[self.terms.inputs[source]]
        if field != other:
            return np.zeros(())
        power = -self.power(1) * self.power(order) if flux else self.power(order)
        return np.asarray(np.sum(self._weights() * self.mask * power.real, axis=-1) / self.points)

    def _weights(self) -> Array:
        """How often each mode counts: twice, but for the first, and for the last of an even number."""
        weights = np.full(len(self.mask), 2.0)
        weights[0] = 1.0
        if self.points % 2 == 0:
            weights[-1] = 1.0
        return weights

    def _fixed(self, time: ArrayLike) -> list[Array]:
        return [self.x, np.asarray(time, dtype=np.float64)[..., None], *self._parameters]

    def _gathered(self, values: list[Array], leading: tuple[int, ...]) -> Spectra:
        """Reactions less the derivatives of fluxes, added up for each field."""
        out = np.zeros((*leading, len(self.terms.fields), len(self.mask)), dtype=np.complex128)
        for (field, flux, _), value in zip(self.terms.outputs, values, strict=True):
            out[..., field, :] += self.mask * (-self.power(1) if flux else 1.0) * np.fft.rfft(value)
        return out
