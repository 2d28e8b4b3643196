"""Radial basis function network: Gaussian bumps where the data are, and a ridge read-out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, thinned
from .delayed import Delayed, DelayedLaw, check_settings, delay_shapes, farthest_points, search, squared_distances
from .ridge import Factors, Readout

RIDGES = (1e-10, 1e-7, 1e-4, 1e-2)
FACTORS = (2.0, 4.0, 8.0)
"""Widths that are tried, in distances of a centre to its neighbours."""
ROWS, TRIED = 20_000, 2_500
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""
ROUNDS = 10
"""Iterations of k-means; centres need not be optimal, only spread like the data."""

Setting = tuple[int, int, float]
"""Delays, spacing, width in distances to neighbouring centres."""


@final
@dataclass(frozen=True)
class RadialLaw(DelayedLaw):
    """x_(t+1) = x_t + s A [z, exp(-|z - c_k|^2 / (2 w_k^2))], z the standardised present and delayed rows.

    `places (centre, delay x channel)` are the c_k, `widths (centre,)` the w_k, `factor` times the distance to the
    neighbouring centres.
    """

    ridge: float
    factor: float
    places: Array
    widths: Array
    readout: Readout

    def increments(self, points: Array) -> Array:
        return self.readout(bumps(points, self.places, self.widths))

    def gradients(self, points: Array) -> Array:
        variables = points.shape[1]
        gains = self.readout.gains
        pull = bumps(points, self.places, self.widths)[:, variables:] / self.widths**2
        weighted = pull[:, None, :] * gains[variables:].T
        # Each bump contributes weight x (c - z) / w^2.
        return weighted @ self.places - weighted.sum(axis=2)[..., None] * points[:, None] + gains[:variables].T


@final
@dataclass(frozen=True)
class RadialBasis(Model):
    """Ridge regression of increments on Gaussian bumps around centres among the delay vectors.

    x_(t+1) = x_t + s A [z, exp(-|z - c_k|^2 / (2 w_k^2))]. `units` centres c_k are the means of k-means ("kmeans",
    dense where the data are) or the points farthest from one another ("farthest", evenly spread); a width w_k is
    `factor` times the mean distance to the nearest centres, two for each dimension of z. `delays` rows enter, `spacing`
    steps apart; `ridge` in units of the features' variance. What is None is chosen by free runs (of `horizon` steps,
    None: from the data). Raises `SettingError` for settings out of range, `InsufficientData` where the delays do not
    fit. Cost O(N units^2), N at most 20,000 (evenly spread). Not for more than about ten dimensions: bumps then touch
    nothing.
    Source: Broomhead & Lowe, Complex Systems 2, 321 (1988); Casdagli, Physica D 35, 335 (1989).
    """

    units: int = 300
    centres: Literal["kmeans", "farthest"] = "kmeans"
    delays: int | None = None
    spacing: int | None = None
    factor: float | None = None
    ridge: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(
            self,
            {
                "units": (1, 5000), "delays": (1, 1000), "spacing": (1, 100_000), "factor": (1e-3, 1e3),
                "ridge": (0, 1e12),
            },
        )  # fmt: skip
        if self.centres not in ("kmeans", "farthest"):
            raise SettingError(f"centres is 'kmeans' or 'farthest', got {self.centres!r}", place="RadialBasis")
        ridges = RIDGES if self.ridge is None else (self.ridge,)
        factors = FACTORS if self.factor is None else (self.factor,)
        shapes = delay_shapes(training, self.delays, self.spacing, single=(1, 3, 5, 8), several=(1, 3))
        settings = [(d, s, f) for d, s in shapes for f in factors]
        memory = max((d - 1) * s + 1 for d, s in shapes)

        def tried(head: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[RadialLaw]:
            for setting in settings:
                yield from self._laws(head, setting, ridges, TRIED)

        def final(setting: Setting, ridge: float) -> RadialLaw:
            return next(self._laws(training, setting, (ridge,), ROWS))

        return search(training, settings, ridges, tried, final, memory=memory, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, RadialLaw)
        spacing = int(law.delays[1]) if len(law.delays) > 1 else 1
        return replace(self, delays=len(law.delays), spacing=spacing, factor=law.factor, ridge=law.ridge)

    def _laws(self, training: Training, setting: Setting, ridges: Sequence[float], limit: int) -> Iterator[RadialLaw]:
        delays, spacing, factor = setting
        given = Delayed.of(training, (delays, spacing), "a network of radial functions", limit=limit)
        some = thinned(given.points, TRIED)
        units = min(self.units, max(1, len(some) // 4))
        places = some[farthest_points(some, units)] if self.centres == "farthest" else clusters(some, units)
        widths = factor * spacings(places)
        features = bumps(given.points, places, widths)
        factors = Factors.of(features, given.increments)
        for ridge in ridges:
            readout = factors.solve(ridge)
            residuals = thinned((given.increments - readout(features)) * given.scale)
            yield RadialLaw(
                training.signature, *training.closing(given.reach), residuals=residuals, low=given.low,
                high=given.high, delays=given.delays, mean=given.mean, scale=given.scale, ridge=ridge, factor=factor,
                places=places, widths=widths, readout=readout,
            )  # fmt: skip


def bumps(points: Array, places: Array, widths: Array) -> Array:
    """The points themselves and the bumps around `places` at them `(sample, variable + centre)`."""
    return np.concatenate([points, np.exp(squared_distances(points, places) / (-2 * widths**2))], axis=1)


def clusters(points: Array, count: int) -> Array:
    """Means `(cluster, variable)` of `count` groups of like points by Lloyd's iteration from spread-out points.

    Points that repeat give fewer groups. Cost O(N log count) an iteration.
    """
    from scipy.spatial import cKDTree

    means = points[farthest_points(points, count)]
    for _ in range(ROUNDS):
        nearest = cKDTree(means).query(points)[1]
        members = np.bincount(nearest, minlength=len(means))
        sums = np.stack([np.bincount(nearest, column, minlength=len(means)) for column in points.T], axis=1)
        means = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], means)
    return means


def spacings(places: Array) -> Array:
    """The mean distance `(centre,)` to the nearest other centres, two for each dimension; 1 for a single centre."""
    if len(places) == 1:
        return np.ones(1)
    away = np.sqrt(squared_distances(places, places))
    np.fill_diagonal(away, np.inf)
    count = min(2 * places.shape[1], len(places) - 1)
    mean = np.sort(away, axis=1)[:, :count].mean(axis=1)
    return np.where(mean > 1e-9, mean, 1.0)
