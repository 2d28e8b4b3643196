"""Kalman filter, smoother and gradient against the joint normal distribution of all values, and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from takens.models.state_space.backward import gradient, smooth
from takens.models.state_space.gaussian import LinearGaussian


def random_space(seed: int, states: int = 4, channels: int = 2, diffuse: int = 2) -> LinearGaussian:
    rng = np.random.default_rng(seed)
    transition = rng.normal(size=(states, states))
    transition *= 0.95 / np.abs(np.linalg.eigvals(transition)).max()
    half, first = rng.normal(size=(2, states, states))
    known = np.diag((np.arange(states) >= diffuse).astype(float))
    return LinearGaussian(
        transition, rng.normal(size=(channels, states)), half @ half.T / 5, rng.uniform(0.1, 1, channels),
        known @ rng.normal(size=states), known @ first @ first.T @ known, 1 - np.diag(known),
    )  # fmt: skip


def holed(seed: int, length: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(length, channels))
    values[rng.uniform(size=values.shape) < 0.3] = np.nan
    values[length // 2 : length // 2 + 3] = np.nan
    return values


def joint(space: LinearGaussian, values: np.ndarray):
    """The oracle, one big normal distribution: log likelihood, smoothed states `(time, m)` and their covariance."""
    n, m = len(values), len(space.mean)
    state_mean, loading = np.empty((n, m)), np.empty((n, m, int(space.diffuse.sum())))
    state_mean[0], loading[0] = space.mean, np.eye(m)[:, space.diffuse == 1]
    covariance = np.zeros((n, n, m, m))
    covariance[0, 0] = space.spread
    for t in range(1, n):
        state_mean[t], loading[t] = space.transition @ state_mean[t - 1], space.transition @ loading[t - 1]
        for s in range(t):
            covariance[t, s] = space.transition @ covariance[t - 1, s]
            covariance[s, t] = covariance[t, s].T
        covariance[t, t] = space.transition @ covariance[t - 1, t - 1] @ space.transition.T + space.noise
    whole = covariance.transpose(0, 2, 1, 3).reshape(n * m, n * m)
    seen = np.isfinite(values).ravel()
    design = np.kron(np.eye(n), space.design)[seen]
    sigma = design @ whole @ design.T + np.diag(np.tile(space.error, n)[seen])
    off = values.ravel()[seen] - design @ state_mean.ravel()
    inverse = np.linalg.inv(sigma)
    across = whole @ design.T @ inverse
    mean, spread = state_mean.ravel() + across @ off, whole - across @ design @ whole
    quadratic, logs = off @ inverse @ off, np.linalg.slogdet(sigma)[1]
    if space.diffuse.any():
        basis = loading.reshape(n * m, -1)
        seen_basis = design @ basis
        fisher = seen_basis.T @ inverse @ seen_basis
        start = np.linalg.solve(fisher, seen_basis.T @ inverse @ off)
        rest = basis - across @ seen_basis
        mean, spread = mean + rest @ start, spread + rest @ np.linalg.inv(fisher) @ rest.T
        quadratic -= start @ fisher @ start
        logs += np.linalg.slogdet(fisher)[1]
    return -0.5 * (len(off) * np.log(2 * np.pi) + logs + quadratic), mean.reshape(n, m), spread


@pytest.mark.parametrize(("seed", "diffuse", "channels"), [(0, 0, 2), (1, 2, 2), (2, 4, 3), (3, 3, 1), (4, 1, 5)])
def test_likelihood_and_smoother_are_those_of_the_joint_distribution(seed, diffuse, channels):
    space, values = random_space(seed, channels=channels, diffuse=diffuse), holed(seed, 30, channels)
    likelihood, mean, spread = joint(space, values)
    assert space.likelihood(values) == pytest.approx(likelihood, abs=1e-7)
    states, variances, squares, steps, missing, first = smooth(
        space.compressed, space.design, space.noise, space.filtered(values)
    )
    np.testing.assert_allclose(states, mean, atol=1e-7)
    blocks = spread.reshape(30, 4, 30, 4)
    own = np.stack([blocks[t, :, t] for t in range(30)])
    np.testing.assert_allclose(variances, np.einsum("ci,tij,cj->tc", space.design, own, space.design), atol=1e-7)
    np.testing.assert_allclose(first, own[0], atol=1e-7)
    moments = own + mean[:, :, None] * mean[:, None, :]
    np.testing.assert_allclose(squares, moments.sum(axis=0), atol=1e-6)
    for c in range(channels):
        np.testing.assert_allclose(missing[c], moments[np.isnan(values[:, c])].sum(axis=0), atol=1e-6)
    if diffuse == 0:
        lagged = sum(blocks[t + 1, :, t] + np.outer(mean[t + 1], mean[t]) for t in range(29))
        np.testing.assert_allclose(steps, lagged, atol=1e-7)


def test_long_series_without_gaps_get_the_same_answers_by_the_steady_gain():
    space = random_space(7, channels=2, diffuse=1)
    values = np.random.default_rng(0).normal(size=(120, 2))
    values[70, 0] = np.nan
    likelihood, mean, spread = joint(space, values)
    filtered = space.filtered(values)
    assert filtered[3].max() < 80  # the gain was kept for many rows, left at the gap, and kept again
    assert filtered[0].sum() == pytest.approx(likelihood, abs=1e-6)
    states, variances, squares, *_ = smooth(space.compressed, space.design, space.noise, filtered)
    np.testing.assert_allclose(states, mean, atol=1e-6)
    own = np.stack([spread.reshape(120, 4, 120, 4)[t, :, t] for t in range(120)])
    np.testing.assert_allclose(variances, np.einsum("ci,tij,cj->tc", space.design, own, space.design), atol=1e-6)
    np.testing.assert_allclose(squares, (own + mean[:, :, None] * mean[:, None, :]).sum(axis=0), atol=1e-5)


@pytest.mark.parametrize(("seed", "diffuse"), [(0, 0), (1, 2), (2, 4)])
@pytest.mark.parametrize("gaps", [True, False])
def test_the_gradient_is_that_of_finite_differences(seed, diffuse, gaps):
    space = random_space(seed, diffuse=diffuse)
    values = holed(seed, 150, 2) if gaps else np.random.default_rng(seed).normal(size=(150, 2))
    to_noise, to_entries, to_error, to_mean, to_spread, shifts = gradient(
        space.compressed, space.design, space.filtered(values), np.ones(16, dtype=bool)
    )
    rng = np.random.default_rng(seed)

    def slope(**direction: np.ndarray) -> float:
        name, by = next(iter(direction.items()))
        step = 1e-5
        up, down = (replace(space, **{name: getattr(space, name) + s * by}) for s in (step, -step))
        return (up.likelihood(values) - down.likelihood(values)) / (2 * step)

    symmetric = rng.normal(size=(4, 4))
    symmetric = symmetric + symmetric.T
    assert slope(noise=symmetric) == pytest.approx((to_noise * symmetric).sum(), rel=1e-5, abs=1e-4)
    direction = rng.normal(size=(4, 4))
    assert slope(transition=direction) == pytest.approx(to_entries @ direction.ravel(), rel=1e-5, abs=1e-4)
    by = rng.normal(size=2) * space.error
    assert slope(error=by) == pytest.approx(to_error @ by, rel=1e-5, abs=1e-4)
    known = 1 - space.diffuse
    assert slope(mean=known) == pytest.approx(to_mean @ known, rel=1e-5, abs=1e-4)
    inner = np.outer(known, known) * symmetric
    assert slope(spread=inner) == pytest.approx((to_spread * inner).sum(), rel=1e-5, abs=1e-4)
    shape = rng.normal(size=values.shape)
    moved = [space.likelihood(values + s * shape) for s in (1e-5, -1e-5)]
    assert (moved[0] - moved[1]) / 2e-5 == pytest.approx(-(shifts * shape).sum(), rel=1e-5, abs=1e-4)


def test_the_gain_settles_at_the_solution_of_the_riccati_equation():
    space = random_space(3, diffuse=0)
    filtered = space.filtered(np.zeros((400, 2)))
    expected = solve_discrete_are(space.transition.T, space.design.T, space.noise, np.diag(space.error))
    settled = filtered[4][0][filtered[3][-1]]
    predicted = space.transition @ settled @ space.transition.T + space.noise
    np.testing.assert_allclose(predicted, expected, rtol=1e-6, atol=1e-8)


def test_paths_have_the_mean_and_covariance_of_the_future():
    space, values = random_space(5, diffuse=1), holed(5, 25, 2)
    longer = np.concatenate([values, np.full((6, 2), np.nan)])
    _, mean, spread = joint(space, longer)
    design = np.kron(np.eye(6), space.design)
    expected = design @ spread[-24:, -24:] @ design.T + np.diag(np.tile(space.error, 6))
    paths = space.paths(values, 6, 40_000, np.random.default_rng(0)).reshape(40_000, -1)
    np.testing.assert_allclose(np.cov(paths.T), expected, atol=0.05 * np.diag(expected).max())
    np.testing.assert_allclose(paths.mean(axis=0), design @ mean[-6:].ravel(), atol=0.05)
    np.testing.assert_allclose(space.paths(values, 6, 1, None)[0], mean[-6:] @ space.design.T, atol=1e-8)
