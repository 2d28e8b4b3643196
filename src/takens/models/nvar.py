"""Nonlinear vector autoregression: the next-generation reservoir computer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, thinned
from .delayed import Delayed, DelayedLaw, check_settings, delay_shapes, search
from .ridge import Factors, Readout, monomials

if TYPE_CHECKING:
    from ..systems.base import System

RIDGES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1e-1)
FEATURES = 300
"""Most monomials that are tried when delays and degree are chosen from the data."""
ROWS, TRIED = 20_000, 6_000
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""


@final
@dataclass(frozen=True)
class PolynomialLaw(DelayedLaw):
    """x_(t+1) = x_t + s W g(z), z the standardised present and delayed rows, g all monomials up to a degree.

    `table (monomial, degree)` indexes z, with 0 for the constant 1.
    """

    degree: int
    ridge: float
    table: NDArray[np.int64]
    readout: Readout

    def increments(self, points: Array) -> Array:
        return self.readout(products(points, self.table))

    def gradients(self, points: Array) -> Array:
        return product_slopes(points, self.table, self.readout.gains)

    def motion(self) -> System | None:
        from .motion import recursion
        from .polynomial_map import polynomial_map

        found = recursion(self)
        return polynomial_map(self, found) or found


@final
@dataclass(frozen=True)
class NVAR(Model):
    """A polynomial map of present and delayed rows, fitted by ridge regression: x_(t+1) = x_t + W g(x_t, x_(t-s), ...).

    `delays` rows enter, `spacing` steps apart; `degree` (1-4) of the polynomial; `ridge` in units of the features'
    variance. What is None is chosen by free runs (of `horizon` steps, None: from the data) among at most 300 monomials.
    Raises `SettingError` for settings out of range or with more than 3000 monomials, `InsufficientData` where the
    delays do not fit. Cost O(N p^2) for p = C(channels delays + degree, degree) - 1 monomials, N at most 20,000 (evenly
    spread). Not for very noisy data or laws far from polynomial: prefer an echo state network or analogues.
    Source: Gauthier, Bollt, Griffith & Barbosa, Nature Communications 12, 5564 (2021); conditioning: arXiv 2505.00846.
    """

    delays: int | None = None
    spacing: int | None = None
    degree: int | None = None
    ridge: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check(len(training.signature.channels))
        ridges: tuple[float, ...] = RIDGES if self.ridge is None else (self.ridge,)
        shapes = self._shapes(training)
        memory = max((d - 1) * s + 1 for d, s, _ in shapes)

        def final(shape: tuple[int, int, int], ridge: float) -> PolynomialLaw:
            return next(_laws(training, shape, (ridge,)))

        return search(training, shapes, ridges, _tried, final, memory=memory, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, PolynomialLaw)
        spacing = int(law.delays[1]) if len(law.delays) > 1 else 1
        return replace(self, delays=len(law.delays), spacing=spacing, degree=law.degree, ridge=law.ridge)

    def _check(self, channels: int) -> None:
        check_settings(self, {"delays": (1, 1000), "spacing": (1, 100_000), "degree": (1, 4), "ridge": (0, 1e12)})
        count = _count(channels, self.delays or 1, self.degree or 1)
        if count > 3000:
            raise SettingError(
                f"{count} monomials of {channels} channels are too many (at most 3000)",
                place="NVAR",
                remedy="Lower the degree or the delays, or select fewer channels.",
            )

    def _shapes(self, training: Training) -> list[tuple[int, int, int]]:
        """(delays, spacing, degree) to try, the simplest first."""
        channels = len(training.signature.channels)
        room = min(FEATURES, training.rows // 4)
        degrees = (self.degree,) if self.degree else (1, 2, 3, 4)
        shapes = [(d, s, g) for g in degrees for d, s in delay_shapes(training, self.delays, self.spacing)]
        small = [shape for shape in shapes if _count(channels, shape[0], shape[2]) <= room]
        return small or [min(shapes, key=lambda shape: _count(channels, shape[0], shape[2]))]


def products(points: Array, table: NDArray[np.int64]) -> Array:
    """Monomials `(sample, monomial)` of `points (sample, variable)` by an index `table` (0 is constant 1)."""
    padded = np.concatenate([np.ones((len(points), 1)), points], axis=1)
    result = padded.take(table[:, 0], axis=1)
    for column in table.T[1:]:
        result *= padded.take(column, axis=1)
    return result


def product_slopes(points: Array, table: NDArray[np.int64], gains: Array) -> Array:
    """The derivatives `(sample, output, variable)` of `gains (monomial, output)` times the monomials of `points`.

    By the product rule: each factor in turn is left out, and what remains belongs to the variable of that factor.
    """
    padded = np.concatenate([np.ones((len(points), 1)), points], axis=1)
    slopes = np.zeros((len(points), gains.shape[1], points.shape[1]))
    for place in range(table.shape[1]):
        others = padded[:, np.delete(table, place, axis=1)].prod(axis=2)
        belongs = table[:, place, None] == np.arange(1, padded.shape[1])
        slopes += (others[:, None, :] * gains.T) @ belongs.astype(float)
    return slopes


def _count(channels: int, delays: int, degree: int) -> int:
    return comb(channels * delays + degree, degree) - 1


def _laws(
    training: Training, shape: tuple[int, int, int], ridges: Sequence[float], limit: int = ROWS
) -> Iterator[PolynomialLaw]:
    """One law a ridge, from one factorisation."""
    delays, spacing, degree = shape
    given = Delayed.of(training, (delays, spacing), "NVAR", limit=limit)
    table = monomials(given.points.shape[1], degree)
    features = products(given.points, table)
    factors = Factors.of(features, given.increments)
    for ridge in ridges:
        readout = factors.solve(ridge)
        residuals = thinned((given.increments - readout(features)) * given.scale)
        yield PolynomialLaw(
            training.signature, *training.closing(given.reach), residuals=residuals, low=given.low, high=given.high,
            delays=given.delays, mean=given.mean, scale=given.scale, degree=degree, ridge=ridge, table=table,
            readout=readout,
        )  # fmt: skip


def _tried(
    training: Training, shapes: Sequence[tuple[int, int, int]], ridges: Sequence[float]
) -> Iterator[PolynomialLaw]:
    for shape in shapes:
        yield from _laws(training, shape, ridges, TRIED)
