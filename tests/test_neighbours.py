"""The neighbour search against a comparison of all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import lorenz63

from takens.errors import DataError, SettingError
from takens.neighbours import delay_vectors, nearest


def brute(points, queries, own, k, theiler, distinct, metric):
    """All pairs, sorted by distance: slow and obvious."""
    distances = np.full((len(queries), k), np.inf)
    for q, query in enumerate(queries):
        gaps = np.abs(points - query)
        d = gaps.max(axis=1) if metric == "maximum" else np.sqrt((gaps**2).sum(axis=1))
        if own is not None:
            d = d[np.abs(np.arange(len(points)) - own[q]) > theiler]
        if distinct:
            d = d[d > 0]
        d = np.sort(d)[:k]
        distances[q, : len(d)] = d
    return distances


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    d=st.integers(1, 4),
    k=st.integers(1, 6),
    theiler=st.integers(0, 40),
    coarse=st.booleans(),
    distinct=st.booleans(),
    metric=st.sampled_from(["euclidean", "maximum"]),
)
def test_agrees_with_all_pairs(seed, n, d, k, theiler, coarse, distinct, metric):
    rng = np.random.default_rng(seed)
    points = np.cumsum(rng.normal(size=(n, d)), axis=0)
    if coarse:
        points = np.round(points)
    distances, indices = nearest(points, k=k, theiler=theiler, distinct=distinct, metric=metric)
    expected = brute(points, points, np.arange(n), k, theiler, distinct, metric)
    np.testing.assert_allclose(distances, expected, rtol=1e-12, atol=1e-12)
    for q in range(n):
        found = indices[q][indices[q] >= 0]
        assert len(set(found)) == len(found) == np.isfinite(expected[q]).sum()
        assert (np.abs(found - q) > theiler).all()


def test_queries_without_and_with_exclusion():
    x = lorenz63(2000)[:, 0]
    points = delay_vectors(x, 3, 8)
    own = np.arange(0, len(points), 7)
    distances, indices = nearest(points, points[own], k=3)
    assert (indices[:, 0] == own).all()
    assert (distances[:, 0] == 0).all()
    distances, indices = nearest(points, points[own], k=3, theiler=60, exclude=own)
    np.testing.assert_allclose(distances, brute(points, points[own], own, 3, 60, False, "euclidean"))
    np.testing.assert_allclose(distances, np.linalg.norm(points[indices] - points[own][:, None], axis=2))


def test_a_tree_made_before_gives_the_same():
    from scipy.spatial import cKDTree

    points = np.random.default_rng(0).normal(size=(300, 2))
    first, second = nearest(points, k=2, theiler=5), nearest(cKDTree(points), k=2, theiler=5)
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(first[0], second[0])


def test_delay_vectors_are_shifted_copies():
    np.testing.assert_array_equal(delay_vectors(np.arange(6.0), 3, 2), [[0, 2, 4], [1, 3, 5]])
    with pytest.raises(DataError, match="too few"):
        delay_vectors(np.arange(4.0), 3, 2)
    with pytest.raises(SettingError, match="at least 1"):
        delay_vectors(np.arange(4.0), 0, 2)


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="finite"):
        nearest(np.array([[0.0], [np.nan]]))
    with pytest.raises(DataError, match="dimensions"):
        nearest(np.zeros((4, 2)), np.zeros((1, 3)))
    with pytest.raises(SettingError, match="k must be"):
        nearest(np.zeros((4, 2)), k=0)
    with pytest.raises(SettingError, match="exclude"):
        nearest(np.zeros((4, 2)), np.zeros((2, 2)), exclude=[1])
