"""Gaussian process regression of increments on delay vectors, whose uncertainty drives noisy runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from .base import Array, Law, Model, RecursiveLaw, Training, thinned
from .delayed import Delayed, DelayedLaw, Shape, check_settings, delay_shapes, search, squared_distances
from .marginal_likelihood import JITTER, kernel_of
from .radial import clusters

ROWS, TRIED = 10_000, 400
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""
SEARCHED = 300
"""Samples whose marginal likelihood sets lengthscales and noise: their number enters to the third power."""


@final
@dataclass(frozen=True)
class GaussianProcessLaw(DelayedLaw):
    """x_(t+1) = x_t + s m(z) + s sqrt(v(z)) e, with the mean m and the variance v of a Gaussian process.

    m_c(z) = sum_k k(z, z_k) weights_kc over `places (point, delay x channel)` z_k, in units of `lengthscales`;
    `amplitudes (channel,)` are the variances of the process, `noise` that of the observations relative to them. `inner
    (point, point)` is the factor of noise + V V' for inducing points, and empty where the places are all the data.
    """

    lengthscales: Array
    amplitudes: Array
    noise_ratio: float
    places: Array
    weights: Array
    inner: Array

    def increments(self, points: Array) -> Array:
        return self._kernel(points) @ self.weights

    def gradients(self, points: Array) -> Array:
        scaled = points / self.lengthscales
        weighted = self._kernel(points)[:, None, :] * self.weights.T
        pulled = weighted @ (self.places / self.lengthscales) - weighted.sum(axis=2)[..., None] * scaled[:, None]
        return pulled / self.lengthscales

    def variances(self, points: Array) -> Array:
        """The predictive variances `(sample, channel)` at `points` in standard units, noise included."""
        from scipy.linalg import solve_triangular

        covered = solve_triangular(self._factor, self._kernel(points).T, lower=True)
        free = 1.0 - (covered**2).sum(axis=0)
        if self.inner.size:
            free += self.noise_ratio * (solve_triangular(self.inner, covered, lower=True) ** 2).sum(axis=0)
        return (np.maximum(free, 0.0) + self.noise_ratio)[:, None] * self.amplitudes

    def noise(self, state: Array, rng: np.random.Generator) -> Array:
        deviation = np.sqrt(self.variances(self.points(state))) * self.scale
        return rng.normal(size=deviation.shape) * deviation

    def _kernel(self, points: Array) -> Array:
        return np.exp(-0.5 * squared_distances(points / self.lengthscales, self.places / self.lengthscales))

    @cached_property
    def _factor(self) -> Array:
        own = self._kernel(self.places)
        nugget = JITTER if self.inner.size else JITTER + self.noise_ratio
        return np.asarray(np.linalg.cholesky(own + nugget * np.eye(len(own))))


@final
@dataclass(frozen=True)
class GaussianProcess(Model):
    """Gaussian process regression of increments on the present and delayed rows, with predictive uncertainty.

    x_(t+1) - x_t ~ GP(0, a_c [exp(-sum_d (z_d - z'_d)^2 / (2 l_d^2)) + noise]): one lengthscale l_d for each input,
    shared by the channels, and the noise ratio by maximal marginal likelihood (on 300 samples, exact gradients); each
    channel has its variance a_c. Noisy runs draw from the predictive distribution of each step, so that they spread
    where data are few. Up to `exact` samples the regression is exact; of more, `inducing` points carry it (projected
    process, on at most 10,000 samples). `delays` rows enter, `spacing` steps apart; what is None is chosen by free
    runs (of `horizon` steps, None: from the data). Raises `SettingError` for settings out of range,
    `InsufficientData` where the delays do not fit. Cost O(N^3) exact, O(N inducing^2) else; a step and member costs
    O(points), with noise O(points^2). Not for many dimensions or long records of fast dynamics: a few hundred points
    then leave holes.
    Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), 2.2, 5.4 and 8.3.4.
    """

    delays: int | None = None
    spacing: int | None = None
    inducing: int = 400
    exact: int = 2000
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(self, {"delays": (1, 1000), "spacing": (1, 100_000), "inducing": (2, 2000), "exact": (2, 5000)})
        shapes = delay_shapes(training, self.delays, self.spacing, single=(1, 2, 3, 5, 8), several=(1, 3))
        memory = max((d - 1) * s + 1 for d, s in shapes)

        def final(shape: Shape, ridge: float) -> GaussianProcessLaw:
            given = Delayed.of(training, shape, "a Gaussian process", limit=ROWS)
            return self._law(training, given, exact=len(given.points) <= self.exact)

        return search(training, shapes, (0.0,), self._tried, final, memory=memory, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, GaussianProcessLaw)
        return replace(self, delays=len(law.delays), spacing=int(law.delays[1]) if len(law.delays) > 1 else 1)

    def _tried(
        self, training: Training, shapes: Sequence[Shape], ridges: Sequence[float]
    ) -> Iterator[GaussianProcessLaw]:
        for shape in shapes:
            yield self._law(training, Delayed.of(training, shape, "a Gaussian process", limit=TRIED), exact=True)

    def _law(self, training: Training, given: Delayed, *, exact: bool) -> GaussianProcessLaw:
        # Known inputs follow no law: their noise must not be mistaken for that of the others.
        learned = given.increments.copy()
        learned[:, training.signature.targets :] = 0.0
        kernel = kernel_of(thinned(given.points, SEARCHED), thinned(learned, SEARCHED))
        if exact:
            places, inner = given.points, np.empty((0, 0))
            weights = kernel.exact(places, learned)
        else:
            places = clusters(thinned(given.points / kernel.lengthscales, 2500), self.inducing) * kernel.lengthscales
            weights, inner = kernel.projected(places, given.points, learned)
        fitted = kernel(given.points, places) @ weights
        return GaussianProcessLaw(
            training.signature, *training.closing(given.reach), low=given.low, high=given.high,
            residuals=thinned((given.increments - fitted) * given.scale), delays=given.delays, mean=given.mean,
            scale=given.scale, lengthscales=kernel.lengthscales, amplitudes=kernel.amplitudes,
            noise_ratio=kernel.noise, places=places, weights=np.ascontiguousarray(weights),
            inner=np.ascontiguousarray(inner),
        )  # fmt: skip
