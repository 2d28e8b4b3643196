"""Nonlinear vector autoregression: the next-generation reservoir computer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, scale_of, shifted, thinned
from .ridge import Factors, Readout, monomials
from .selection import choose, decorrelation, hold_out

RIDGES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1e-1)
FEATURES = 300
"""Most monomials that are tried when delays and degree are chosen from the data."""
ROWS, TRIED = 20_000, 6_000
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""


@final
@dataclass(frozen=True)
class PolynomialLaw(RecursiveLaw):
    """x_(t+1) = x_t + s W g(z), z the standardised present and delayed rows, g all monomials up to a degree.

    `table (monomial, degree)` indexes z, with 0 for the constant 1; `mean`, `scale (channel,)` standardise the rows.
    """

    degree: int
    ridge: float
    delays: NDArray[np.int64]
    table: NDArray[np.int64]
    mean: Array
    scale: Array
    readout: Readout

    @property
    def memory(self) -> int:
        return int(self.delays.max()) + 1

    def init(self, history: Array) -> Array:
        return history[:, -self.memory :]

    def step(self, state: Array) -> Array:
        delayed = (state[:, self.memory - 1 - self.delays] - self.mean) / self.scale
        return state[:, -1] + self.readout(products(delayed, self.table)) * self.scale

    def feed(self, state: Array, values: Array) -> Array:
        return shifted(state, values)


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
        if len(shapes) * len(ridges) > 1:
            head, probe = hold_out(training, max((d - 1) * s + 1 for d, s, _ in shapes), horizon=self.horizon)
            longest = max(map(len, head.stretches))
            shapes = [(d, s, g) for d, s, g in shapes if (d - 1) * s + 3 <= longest] or shapes[:1]
            if probe is None:
                shapes, ridges = shapes[:1], ridges[-3:-2]
            else:
                trials = [(shape, ridge) for shape in shapes for ridge in ridges]
                laws = [law for shape in shapes for law in _laws(head, shape, ridges, TRIED)]
                shape, ridge = trials[choose(laws, probe).best]
                shapes, ridges = [shape], (ridge,)
        return next(_laws(training, shapes[0], ridges))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, PolynomialLaw)
        spacing = int(law.delays[1]) if len(law.delays) > 1 else 1
        return replace(self, delays=len(law.delays), spacing=spacing, degree=law.degree, ridge=law.ridge)

    def _check(self, channels: int) -> None:
        ranges = {"delays": (1, 1000), "spacing": (1, 100_000), "degree": (1, 4)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low} to {high}, got {value}", place="NVAR")
        if self.ridge is not None and self.ridge < 0:
            raise SettingError(f"ridge must not be negative, got {self.ridge}", place="NVAR")
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
        far = max(1, decorrelation(training) // 3)
        # One channel shows a system only through its delays, so many are tried; several channels need few.
        numbers = (self.delays,) if self.delays else ((1, 2, 3, 4, 6, 8) if channels == 1 else (1, 2, 3, 4))
        spacings = (self.spacing,) if self.spacing else tuple(sorted({1, far}))
        degrees = (self.degree,) if self.degree else (1, 2, 3, 4)
        shapes = [(d, s, g) for g in degrees for d in numbers for s in (spacings if d > 1 else spacings[:1])]
        small = [shape for shape in shapes if _count(channels, shape[0], shape[2]) <= room]
        return small or [min(shapes, key=lambda shape: _count(channels, shape[0], shape[2]))]


def products(delayed: Array, table: NDArray[np.int64]) -> Array:
    """Monomials `(sample, monomial)` of `delayed (sample, delay, channel)` by an index `table` (0 is constant 1)."""
    flat = delayed.reshape(len(delayed), -1)
    padded = np.concatenate([np.ones((len(flat), 1)), flat], axis=1)
    result = padded[:, table[:, 0]]
    for column in table.T[1:]:
        result = result * padded[:, column]
    return result


def _count(channels: int, delays: int, degree: int) -> int:
    return comb(channels * delays + degree, degree) - 1


def _laws(
    training: Training, shape: tuple[int, int, int], ridges: Sequence[float], limit: int = ROWS
) -> Iterator[PolynomialLaw]:
    """One law a ridge, from one factorisation."""
    delays, spacing, degree = shape
    reach = (delays - 1) * spacing
    training.need(reach + 3, f"NVAR with {delays} delays {spacing} apart")
    steps = np.arange(delays, dtype=np.int64) * spacing
    inputs, targets = training.lagged(list(steps), limit=limit)
    rows = training.stacked
    mean, scale = scale_of(rows)
    table = monomials(inputs.shape[1] * inputs.shape[2], degree)
    features = products((inputs - mean) / scale, table)
    increments = (targets - inputs[:, 0]) / scale
    factors = Factors.of(features, increments)
    low, high = guard_box(rows)
    for ridge in ridges:
        readout = factors.solve(ridge)
        residuals = thinned((increments - readout(features)) * scale)
        yield PolynomialLaw(
            training.signature, *training.closing(reach + 1), residuals=residuals, low=low, high=high,
            degree=degree, ridge=ridge, delays=steps, table=table, mean=mean, scale=scale, readout=readout,
        )  # fmt: skip
