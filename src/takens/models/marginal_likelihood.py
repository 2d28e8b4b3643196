"""Gaussian kernels with a lengthscale for each input: their marginal likelihood, and regression with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Array
from .delayed import squared_distances

JITTER = 1e-10
"""Added to the diagonal of every kernel matrix: rounding makes the smallest eigenvalues negative."""
SHORTEST, LONGEST = 1e-2, 1e4
CLEANEST, NOISIEST = 1e-10, 1e2
"""Bounds of the lengthscales in standard units and of the noise relative to the variance of the process."""
STEPS = 60


@dataclass(frozen=True)
class Kernel:
    """k(z, z') = exp(-sum_d (z_d - z'_d)^2 / (2 l_d^2)), observed with variance `noise` relative to it.

    `lengthscales (variable,)` l_d; `amplitudes (output,)` are the variances of the processes.
    """

    lengthscales: Array
    noise: float
    amplitudes: Array

    def __call__(self, a: Array, b: Array) -> Array:
        """k(a_i, b_j) `(i, j)`."""
        return np.exp(-0.5 * squared_distances(a / self.lengthscales, b / self.lengthscales))

    def exact(self, points: Array, values: Array) -> Array:
        """Weights `(sample, output)` of the kernels at `points` in the exact mean; cost O(N^3)."""
        from scipy.linalg import cho_factor, cho_solve

        own = self(points, points)
        own[np.diag_indices_from(own)] += self.noise + JITTER
        return np.asarray(cho_solve(cho_factor(own, lower=True), values))

    def projected(self, places: Array, points: Array, values: Array) -> tuple[Array, Array]:
        """Weights `(place, output)` for inducing `places`, and the factor of noise + V V' that gives the variance.

        With K = L L' over the places and V = L^-1 k(places, points), the mean is k(z, places) L^-T (noise + V V')^-1
        V y (projected process, Rasmussen & Williams 8.3.4). Cost O(N places^2).
        """
        from scipy.linalg import cho_solve, solve_triangular

        own = self(places, places)
        factor = np.linalg.cholesky(own + JITTER * np.eye(len(own)))
        seen = solve_triangular(factor, self(places, points), lower=True)
        inner: Array = np.asarray(np.linalg.cholesky(seen @ seen.T + self.noise * np.eye(len(own))))
        return np.asarray(solve_triangular(factor.T, cho_solve((inner, True), seen @ values))), inner


def kernel_of(points: Array, values: Array) -> Kernel:
    """The kernel of maximal marginal likelihood for `points (sample, variable)` and `values (sample, output)`.

    By L-BFGS-B in the logarithms of lengthscales and noise, from lengthscales of the spread of the points; the
    amplitudes follow in closed form. Outputs that do not vary say nothing and get amplitude 0.
    """
    from scipy.optimize import minimize

    varying = values.std(axis=0) > 1e-12
    amplitudes = np.zeros(values.shape[1])
    spread = np.sqrt(2 * points.shape[1]) * np.maximum(points.std(axis=0), 1e-3)
    start = np.log(np.concatenate([spread, [1e-3]]))
    if not varying.any():
        return Kernel(np.exp(start[:-1]), NOISIEST, amplitudes)
    limits = [(np.log(SHORTEST), np.log(LONGEST))] * points.shape[1] + [(np.log(CLEANEST), np.log(NOISIEST))]
    found = minimize(
        negative_likelihood, start, (points, values[:, varying]), "L-BFGS-B", jac=True, bounds=limits,
        options={"maxiter": STEPS},
    )  # fmt: skip
    best = Kernel(np.exp(found.x[:-1]), float(np.exp(found.x[-1])), amplitudes)
    amplitudes[varying] = (values * best.exact(points, values)).sum(axis=0)[varying] / len(points)
    return best


def negative_likelihood(theta: Array, points: Array, values: Array) -> tuple[float, Array]:
    """Minus the log marginal likelihood, up to a constant, with the amplitudes at their best; and its gradient.

    `theta` are the logarithms of the lengthscales and of the noise. With C outputs, K = k + noise and w_c = K^-1 y_c:
    sum_c (n / 2) log(y_c' w_c) + (C / 2) log |K|. Cost O(n^3).
    """
    from scipy.linalg import cho_solve, lapack

    count, outputs = values.shape
    scaled, noise = points / np.exp(theta[:-1]), np.exp(theta[-1])
    smooth = np.exp(-0.5 * squared_distances(scaled, scaled))
    whole = smooth.copy()
    whole[np.diag_indices(count)] += noise + JITTER
    factor = np.linalg.cholesky(whole)
    weights = cho_solve((factor, True), values)
    power = (values * weights).sum(axis=0)
    value = 0.5 * count * np.log(power).sum() + outputs * np.log(np.diag(factor)).sum()
    inverse = lapack.dpotri(factor, lower=1)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    # d value = sum_ij pull_ij dK_ij
    pull = 0.5 * outputs * inverse - 0.5 * count * (weights / power) @ weights.T
    linked = pull * smooth
    # sum_ij linked_ij (s_i - s_j)^2 for each variable, without the differences themselves
    bent = 2 * ((scaled**2 * linked.sum(axis=1)[:, None]).sum(axis=0) - (scaled * (linked @ scaled)).sum(axis=0))
    return float(value), np.concatenate([bent, [noise * np.trace(pull)]])
