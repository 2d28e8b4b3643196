"""Random Fourier features: a Gaussian kernel by a few hundred random cosines, and a ridge read-out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from ..random import generator
from .base import Array, Law, Model, RecursiveLaw, Training, thinned
from .delayed import Delayed, DelayedLaw, check_settings, delay_shapes, search, squared_distances
from .ridge import Factors, Readout

RIDGES = (1e-10, 1e-7, 1e-4, 1e-2)
FACTORS = (0.5, 1.0, 2.0)
"""Bandwidths that are tried, in median distances of two delay vectors."""
ROWS, TRIED = 20_000, 1_500
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""

Setting = tuple[int, int, float]
"""Delays, spacing, bandwidth in median distances."""


@final
@dataclass(frozen=True)
class FourierFeatureLaw(DelayedLaw):
    """x_(t+1) = x_t + s A [z, cos(z V + p)], z the standardised present and delayed rows.

    V is `frequencies (delay x channel, feature)`, p `phases (feature,)`; `bandwidth` is that of the kernel in standard
    units, `factor` times the median distance.
    """

    ridge: float
    factor: float
    bandwidth: float
    frequencies: Array
    phases: Array
    readout: Readout

    def increments(self, points: Array) -> Array:
        return self.readout(cosines(points, self.frequencies, self.phases))

    def gradients(self, points: Array) -> Array:
        variables = points.shape[1]
        gains = self.readout.gains
        bent = -np.sin(points @ self.frequencies + self.phases)
        return (bent[:, None, :] * gains[variables:].T) @ self.frequencies.T + gains[:variables].T


@final
@dataclass(frozen=True)
class RandomFourier(Model):
    """Ridge regression of increments on random cosines of the present and delayed rows.

    x_(t+1) = x_t + s A [z, cos(z V + p)], V normal with standard deviation 1 / bandwidth and p uniform: the more
    `features`, the closer to kernel ridge regression with the Gaussian kernel exp(-|z - z'|^2 / (2 bandwidth^2)).
    `delays` rows enter, `spacing` steps apart; `factor` is the bandwidth in median distances of two delay vectors;
    `ridge` in units of the features' variance. What is None is chosen by free runs (of `horizon` steps, None: from the
    data). Raises `SettingError` for settings out of range, `InsufficientData` where the delays do not fit. Cost
    O(N features^2), N at most 20,000 (evenly spread); O(features) a step. Not for many channels: random directions
    then miss the few that matter; nor for polynomial laws without noise, where NVAR is exact.
    Source: Rahimi & Recht, NIPS 20 (2007); for dynamics: Gottwald & Reich, Physica D 423, 132911 (2021).
    """

    features: int = 300
    delays: int | None = None
    spacing: int | None = None
    factor: float | None = None
    ridge: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(
            self,
            {
                "features": (1, 5000), "delays": (1, 1000), "spacing": (1, 100_000), "factor": (1e-3, 1e3),
                "ridge": (0, 1e12),
            },
        )  # fmt: skip
        ridges = RIDGES if self.ridge is None else (self.ridge,)
        factors = FACTORS if self.factor is None else (self.factor,)
        shapes = delay_shapes(training, self.delays, self.spacing, single=(1, 3, 5, 8), several=(1, 3))
        settings = [(d, s, f) for d, s in shapes for f in factors]
        memory = max((d - 1) * s + 1 for d, s in shapes)

        def tried(head: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[FourierFeatureLaw]:
            for setting in settings:
                yield from self._laws(head, setting, ridges, seed, TRIED)

        def final(setting: Setting, ridge: float) -> FourierFeatureLaw:
            return next(self._laws(training, setting, (ridge,), seed, ROWS))

        return search(training, settings, ridges, tried, final, memory=memory, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, FourierFeatureLaw)
        spacing = int(law.delays[1]) if len(law.delays) > 1 else 1
        return replace(self, delays=len(law.delays), spacing=spacing, factor=law.factor, ridge=law.ridge)

    def _laws(
        self, training: Training, setting: Setting, ridges: Sequence[float], seed: int, limit: int
    ) -> Iterator[FourierFeatureLaw]:
        delays, spacing, factor = setting
        given = Delayed.of(training, (delays, spacing), "random Fourier features", limit=limit)
        variables = given.points.shape[1]
        rng = generator(seed, "random features", self.features, variables)
        bandwidth = factor * median_distance(given.points)
        frequencies = rng.normal(size=(variables, self.features)) / bandwidth
        phases = rng.uniform(0, 2 * np.pi, self.features)
        features = cosines(given.points, frequencies, phases)
        factors = Factors.of(features, given.increments)
        for ridge in ridges:
            readout = factors.solve(ridge)
            residuals = thinned((given.increments - readout(features)) * given.scale)
            yield FourierFeatureLaw(
                training.signature, *training.closing(given.reach), residuals=residuals, low=given.low,
                high=given.high, delays=given.delays, mean=given.mean, scale=given.scale, ridge=ridge, factor=factor,
                bandwidth=bandwidth, frequencies=frequencies, phases=phases, readout=readout,
            )  # fmt: skip


def cosines(points: Array, frequencies: Array, phases: Array) -> Array:
    """The points themselves and their random cosines `(sample, variable + feature)`."""
    return np.concatenate([points, np.cos(points @ frequencies + phases)], axis=1)


def median_distance(points: Array, limit: int = 300) -> float:
    """Median distance of two of at most about `limit` evenly spread points; 1 where more than half of them agree."""
    some = thinned(points, limit)
    pairs = np.sqrt(squared_distances(some, some))[np.triu_indices(len(some), 1)]
    middle = float(np.median(pairs)) if len(pairs) else 0.0
    return middle if middle > 1e-9 else 1.0
