"""Several models mixed into one distribution, with the weights that minimise the CRPS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backtest import Backtest
from .candidate import Candidate, calibrated
from .models.base import Law
from .models.mixture import MixtureLaw, shares
from .random import generator

Array = NDArray[np.float64]

STEPS = 40
"""Most steps of the horizon, evenly spread, that the weights are fitted on."""


@dataclass(frozen=True)
class Stack:
    """The names of the models that are mixed, and their weights before they are made to add up to 1."""

    names: tuple[str, ...]
    weights: tuple[float, ...]

    def law(self, laws: Sequence[Law]) -> MixtureLaw:
        """The mixture of the laws of these models."""
        first, weights = laws[0], np.asarray(self.weights)
        longest = max(laws, key=lambda law: len(law.history))
        return MixtureLaw(first.signature, longest.history, first.end, tuple(laws), weights / weights.sum())


@dataclass(frozen=True)
class Mixed:
    """A stack that was tried: how it did, what it is made of, and its backtest."""

    candidate: Candidate
    stack: Stack
    tested: Backtest


def stacked(tests: Sequence[Backtest], stack: Stack, scale: Array, seed: int) -> Backtest:
    """The backtest of the mixture: its weights for each half of the choosing origins are fitted on the other half.

    Judging origins take the weights of all choosing ones.
    """
    plan = tests[0].plan
    issued = [calibrated(test) for test in tests]
    choose, judge = np.flatnonzero(~plan.testing), np.flatnonzero(plan.testing)
    samples = np.empty_like(issued[0])
    for mine, others in ((choose[::2], choose[1::2]), (choose[1::2], choose[::2]), (judge, choose)):
        weights = crps_weights([one[others] for one in issued], tests[0].truth[others], scale)
        for k in mine:
            counts = shares(weights, samples.shape[1], generator(seed, "stack", int(k)))
            parts = [one[k][:n] for one, n in zip(issued, counts, strict=True)]
            samples[k] = np.concatenate(parts)
    seconds = [sum(part) for part in zip(*((t.fit_seconds, t.forecast_seconds) for t in tests), strict=True)]
    share = float(np.mean([test.diverged for test in tests]))
    return replace(
        tests[0],
        samples=samples,
        law=stack.law([test.law for test in tests]),
        fit_seconds=seconds[0],
        forecast_seconds=seconds[1],
        diverged=share,
    )


def weights_of(tests: Sequence[Backtest], scale: Array) -> Array:
    """The weights of the models by all choosing origins."""
    choose = ~tests[0].plan.testing
    return crps_weights([calibrated(test)[choose] for test in tests], tests[0].truth[choose], scale)


def crps_weights(samples: Sequence[Array], truth: Array, scale: Array) -> Array:
    """The weights `(model,)` on the simplex that minimise the mean CRPS of the mixture of ensembles.

    `samples` holds `(origin, member, horizon, channel)` for each model. With e_i = E|X_i - y| and d_ij = E|X_i - X_j|
    the CRPS of the mixture is w e - w d w / 2, convex in w: -d is positive definite on the simplex. Cost:
    O(K^2 M log M) for each origin, step (at most 40) and channel.
    """
    from scipy import optimize

    steps = np.unique(np.linspace(0, truth.shape[1] - 1, STEPS).round().astype(int))
    known = np.isfinite(truth[:, steps])
    sorted_samples = [np.sort(one[:, :, steps] / scale, axis=1) for one in samples]
    errors = np.array(
        [np.abs(one - (truth[:, steps] / scale)[:, None]).mean(axis=1)[known].mean() for one in sorted_samples]
    )
    count = len(samples)
    distances = np.zeros((count, count))
    for i in range(count):
        for j in range(i, count):
            distances[i, j] = distances[j, i] = _distance(sorted_samples[i], sorted_samples[j], i == j)[known].mean()

    begin = np.full(count, 1 / count)
    solve: Any = optimize.minimize  # its overloads do not cover SLSQP with bounds and constraints
    found = solve(
        lambda w: float(errors @ w - w @ distances @ w / 2), begin, jac=lambda w: errors - distances @ w,
        bounds=optimize.Bounds(0.0, 1.0), method="SLSQP",
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(count)}],
    )  # fmt: skip
    weights = np.clip(found.x if np.isfinite(found.x).all() else begin, 0, None)
    return np.asarray(weights / weights.sum())


def _distance(a: Array, b: Array, same: bool) -> Array:
    """E|X - Y| `(origin, step, channel)` of two ensembles sorted along axis 1; over different members if `same`."""
    members = a.shape[1]
    if same:
        weights = (2.0 * np.arange(members) - members + 1) * 2 / (members * max(members - 1, 1))
        return np.tensordot(weights, a, axes=(0, 1))
    both = np.concatenate([a, b], axis=1)
    order = np.argsort(both, axis=1, kind="stable")
    ranked = np.take_along_axis(both, order, axis=1)
    # E|X - Y| is the area between the two distribution functions taken with F (1 - G) + G (1 - F).
    first = np.cumsum(order < members, axis=1)[:, :-1] / members
    second = np.cumsum(order >= members, axis=1)[:, :-1] / b.shape[1]
    return (np.diff(ranked, axis=1) * (first * (1 - second) + second * (1 - first))).sum(axis=1)
