"""Recurrence matrices, networks, visibility graphs and windows against slow counts and exact laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from takens.errors import DataError, SettingError
from takens.measures.recurrence import (
    recurrence_matrix,
    recurrence_network,
    recurrence_quantification,
    visibility_degrees,
    windowed_recurrence,
)


@pytest.mark.parametrize("metric", ["maximum", "euclidean"])
def test_the_matrix_is_that_of_all_distances(metric):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(130, 2)), rng.normal(size=(64, 2))
    for other in (x, y):
        apart = np.linalg.norm(x[:, None] - other[None], ord=np.inf if metric == "maximum" else 2, axis=2)
        found = recurrence_matrix(x, None if other is x else y, radius=0.5, metric=metric)
        np.testing.assert_array_equal(found.toarray(), apart <= 0.5)
    i, j = np.indices((130, 130))
    near = np.abs(i - j) <= 3
    assert not recurrence_matrix(x, radius=9, metric=metric, theiler=3).toarray()[near].any()


def test_networks_agree_with_slow_counts():
    x = np.random.default_rng(1).normal(size=(150, 2))
    network = recurrence_network(x, radius=0.45)
    a = np.abs(x[:, None] - x[None]).max(axis=2) <= 0.45
    np.fill_diagonal(a, False)
    a = a.astype(float)
    k, triangles = a.sum(axis=1), np.diagonal(a @ a @ a) / 2
    steps = shortest_path(a, unweighted=True)
    steps = steps[np.isfinite(steps) & (steps > 0)]
    np.testing.assert_array_equal(network.degree, k)
    np.testing.assert_array_equal(network.triangles, triangles)
    assert network.transitivity == pytest.approx(triangles.sum() / (k * (k - 1) / 2).sum())
    local = [t / (q * (q - 1) / 2) if q > 1 else 0 for t, q in zip(triangles, k, strict=True)]
    assert network.clustering == pytest.approx(np.mean(local))
    assert network.average_path_length == pytest.approx(steps.mean())
    assert network.joined == pytest.approx(len(steps) / (150 * 149))
    assert network.link_density == pytest.approx(k.sum() / (150 * 149))


def test_transitivity_is_that_of_the_dimension():
    # In the maximum norm, transitivity far from borders is (3/4)^d: a circle has dimension 1, a torus 2.
    angle = np.random.default_rng(2).uniform(0, 1, (4000, 2))
    one = np.column_stack([np.cos(2 * np.pi * angle[:, 0]), np.sin(2 * np.pi * angle[:, 0])])
    found = recurrence_network(one, radius=0.05, metric="euclidean", paths=False)
    assert found.transitivity == pytest.approx(0.75, rel=0.01)
    assert found.transitivity_dimension == pytest.approx(1, abs=0.05)
    square = recurrence_network(angle, radius=0.02, paths=False)
    assert square.transitivity_dimension == pytest.approx(2, abs=0.1)


def test_sampled_paths_agree_with_all():
    angle = np.sort(np.random.default_rng(3).uniform(0, 2 * np.pi, 2400))
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    some = recurrence_network(ring, radius=0.3).average_path_length
    fewer = recurrence_network(ring[::2], radius=0.3).average_path_length
    assert some == pytest.approx(fewer, rel=0.03)


def slow_visibility(x, kind):
    n = len(x)
    degree = np.zeros(n, dtype=int)
    for i in range(n):
        for j in range(i + 1, n):
            between = np.arange(i + 1, j)
            if kind == "horizontal":
                seen = np.all(x[between] < min(x[i], x[j]))
            else:
                seen = np.all(x[between] < x[i] + (x[j] - x[i]) * (between - i) / (j - i))
            degree[[i, j]] += seen
    return degree


@pytest.mark.parametrize("kind", ["horizontal", "natural"])
def test_visibility_agrees_with_the_definition(kind):
    rng = np.random.default_rng(4)
    for x in (rng.normal(size=120), np.round(rng.normal(size=120)), np.arange(20.0) ** 2, np.zeros(20)):
        np.testing.assert_array_equal(visibility_degrees(x, kind), slow_visibility(x, kind))


def test_horizontal_visibility_of_noise_is_known_for_any_distribution():
    rng = np.random.default_rng(5)
    for x in (rng.normal(size=200_000), rng.pareto(1, size=200_000)):
        share = np.bincount(visibility_degrees(x), minlength=12)[2:12] / len(x)
        np.testing.assert_allclose(share, (2 / 3) ** np.arange(10) / 3, atol=0.003)


def test_windows_are_those_of_their_states():
    x = np.random.default_rng(6).normal(size=(600, 2)).cumsum(axis=0)
    found = windowed_recurrence(x, width=200, step=100, radius=1.5, theiler=2)
    assert list(found.start) == [0, 100, 200, 300, 400]
    for window, at in enumerate(found.start):
        whole = recurrence_quantification(x[at : at + 200], radius=1.5, theiler=2, resamples=0)
        for name, curve in found.values.items():
            np.testing.assert_allclose(curve[window], getattr(whole, name), rtol=1e-12)


def test_bands_of_windows_hold_for_noise_and_show_a_change():
    rng = np.random.default_rng(7)
    outside = total = 0
    for seed in range(10):
        found = windowed_recurrence(rng.normal(size=(3000, 1)), width=200, step=200, rate=0.1, seed=seed)
        outside += found.unusual("determinism").sum() + found.unusual("diagonal_length").sum()
        total += 2 * len(found.start)
    # Lines through one time share that time, so that a little more than 5 % lie outside.
    assert 0.01 < outside / total < 0.35
    x = rng.normal(size=3000)
    x[1400:1600] = np.sin(np.arange(200) / 3)
    found = windowed_recurrence(x, width=200, step=200, rate=0.1)
    assert found.unusual("determinism")[7]
    assert np.argmax(found.values["determinism"]) == 7


def test_refusals():
    x = np.arange(100.0)
    for call in (
        lambda: windowed_recurrence(x, width=101, radius=1), lambda: recurrence_network(x, radius=1, theiler=-1),
        lambda: visibility_degrees(x, "vertical"),
    ):  # fmt: skip
        with pytest.raises(SettingError):
            call()
    with pytest.raises(DataError):
        visibility_degrees(np.array([1.0, np.nan]))
    lonely = recurrence_network(x, radius=0.1)
    assert np.isnan(lonely.transitivity)
    assert np.isnan(lonely.average_path_length)
    assert lonely.joined == 0
