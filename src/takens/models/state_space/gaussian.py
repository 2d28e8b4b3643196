"""A linear Gaussian state space model with known matrices: likelihood, filter, smoother, samples of the future."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np

from ..base import Array

STEADY = 1e-9
"""Relative change of the covariance in a step below which the filter keeps its gain."""


@final
@dataclass(frozen=True)
class LinearGaussian:
    """a_(t+1) = T a_t + w, w ~ N(0, Q); y_t = Z a_t + v, v ~ N(0, diag(h)); a_1 ~ N(m, P + infinity D).

    `transition (m, m)`, `design (channel, m)`, `noise (m, m)`, `error (channel,)`, `mean (m,)`, `spread (m, m)`,
    `diffuse (m,)` with 1 where nothing is known of the state before the first row, else 0. Errors of several channels
    that belong together are states. Values may be missing (NaN) in any channel and row. Cost of all that goes over
    `n` rows: O(n (e m + c m^2)) for c channels and e entries of T; O(n (e + c m)) while no value is missing and the
    gain has settled.
    """

    transition: Array
    design: Array
    noise: Array
    error: Array
    mean: Array
    spread: Array
    diffuse: Array

    def __post_init__(self) -> None:
        for one in fields(self):
            # One memory layout, so that kernels compile once and a model read from disk gives the same bits.
            object.__setattr__(self, one.name, np.ascontiguousarray(getattr(self, one.name), dtype=np.float64))

    @property
    def compressed(self) -> tuple[Any, Any, Array]:
        """The transition by rows: where each row starts, columns, entries."""
        rows, columns = np.nonzero(self.transition)
        starts = np.searchsorted(rows, np.arange(len(self.transition) + 1)).astype(np.int64)
        return starts, columns.astype(np.int64), self.transition[rows, columns]

    def filtered(self, values: Array) -> tuple[Any, ...]:
        """What the filter finds on `values (time, channel)`, see `kernels.forward`."""
        from .kernels import forward

        return forward(
            np.ascontiguousarray(values), *self.compressed, self.design, self.noise, self.error, self.mean, self.spread,
            np.diag(self.diffuse), int(self.diffuse.sum()), STEADY,
        )  # fmt: skip

    def likelihood(self, values: Array) -> float:
        """The log likelihood; for a diffuse start the limit of log L + q/2 log k for q unknown states of variance k."""
        return float(self.filtered(values)[0].sum())

    def innovations(self, values: Array) -> Array:
        """One-step errors over their standard deviation `(time, channel)`; NaN for missing and diffuse ones."""
        _, found, _, slots, by_slot, *_ = self.filtered(values)
        spread, endless = by_slot[4][slots], by_slot[5][slots]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((spread > 0) & (endless == 0), found / np.sqrt(spread), np.nan)

    def latest(self, values: Array) -> tuple[Array, Array, int]:
        """Mean and covariance of the state after the last row, and how many directions of it are still unknown."""
        _, _, means, slots, by_slot, _, unknown = self.filtered(values)
        return means[-1], by_slot[0][slots[-1]], int(unknown)

    def smoothed(self, values: Array) -> tuple[Array, Array]:
        """Mean and standard deviation `(time, channel)` of the values without their error, given all rows."""
        from .backward import smooth

        states, variances, *_ = smooth(self.compressed, self.design, self.noise, self.filtered(values))
        return states @ self.design.T, np.sqrt(np.maximum(variances, 0.0))

    def paths(self, values: Array, horizon: int, members: int, rng: np.random.Generator | None) -> Array:
        """Futures `(member, horizon, channel)` after `values`: exact draws of their joint distribution, or its mean."""
        mean, covariance, _ = self.latest(values)
        state = np.repeat(mean[None], members, axis=0)
        path = np.empty((members, horizon, len(self.design)))
        if rng is None:
            for t in range(horizon):
                state = state @ self.transition.T
                path[:, t] = state @ self.design.T
            return path
        state = state + rng.normal(size=state.shape) @ root(covariance).T
        kick = root(self.noise)
        kick = kick[:, np.any(kick != 0, axis=0)]
        for t in range(horizon):
            state = state @ self.transition.T + rng.normal(size=(members, kick.shape[1])) @ kick.T
            path[:, t] = state @ self.design.T + rng.normal(size=(members, len(self.error))) * np.sqrt(self.error)
        return path


def root(covariance: Array) -> Array:
    """A matrix R with R R' = `covariance`, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))
