"""Delay and embedding dimension: closed forms, known systems, noise, duplicates."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63, roessler

from takens import Series
from takens.errors import DataError
from takens.measures.embedding import (
    delay_mutual_information,
    embedding_dimension_cao,
    false_nearest_neighbours,
    first_minimum,
    mean_period_steps,
    mutual_information,
    mutual_information_curve,
    neighbour_information,
    theiler_steps,
)
from takens.measures.embedding.delays import binned
from takens.measures.embedding.search import prepared_search


def test_mutual_information_of_known_tables():
    assert mutual_information(np.outer([1.0, 2, 3], [4.0, 5])) == pytest.approx(0, abs=1e-12)
    assert mutual_information(np.eye(4)) == pytest.approx(np.log(4))


def test_mutual_information_of_gaussian_noise():
    # AR(1): I(l) = -ln(1 - phi^(2 l)) / 2; equally filled bins lose a little of it.
    estimate = delay_mutual_information(autoregressive(100_000, 0.9), max_lag=5, bins=32)
    expected = -np.log(1 - 0.9 ** (2 * np.arange(1, 6))) / 2
    np.testing.assert_allclose(estimate.details["mutual_information"], expected, rtol=0.06)


def test_first_minimum_skips_ripples():
    assert first_minimum(np.array([5, 4, 3, 2, 3, 4, 5.0]), 0.0) == 3
    assert first_minimum(np.array([5, 4, 4.1, 3.5, 2, 3, 4, 5]), 0.0) == 4
    assert first_minimum(np.array([5, 1, 0.1, 0.2, 0.3]), 0.15) == 2
    assert first_minimum(np.array([5, 4, 3, 2, 1.0]), 0.0) is None


def test_delay_of_lorenz():
    # The published range is 0.15 to 0.20 time units (15 to 20 samples at dt 0.01).
    estimate = delay_mutual_information(Series.from_array(lorenz63(10_000)[:, 0], interval=0.02, unit="s"))
    assert 0.15 <= float(estimate) <= 0.20
    assert estimate.chosen["delay"] == "first minimum"
    assert estimate.interval[0] <= float(estimate) <= estimate.interval[1]


def test_delay_of_maps_and_of_a_sine():
    assert float(delay_mutual_information(henon(3000)[:, 0])) == 1
    assert "one sample" in delay_mutual_information(logistic(3000)).chosen["delay"]
    sine = delay_mutual_information(np.sin(2 * np.pi * np.arange(4000) / 101.3))
    assert 5 <= float(sine) <= 51


@pytest.mark.parametrize(
    ("system", "cao", "kennel"),
    [("lorenz", (3, 4), 3), ("roessler", (3, 4), 3), ("henon", (2, 2), 2), ("logistic", (1, 2), 1)],
)
def test_dimension_of_known_systems(system, cao, kennel):
    x = {
        "lorenz": lambda: lorenz63(10_000)[:, 0],
        "roessler": lambda: roessler(10_000)[:, 0],
        "henon": lambda: henon(3000)[:, 0],
        "logistic": lambda: logistic(3000),
    }[system]()
    assert cao[0] <= float(embedding_dimension_cao(x)) <= cao[1]
    neighbours = false_nearest_neighbours(x)
    assert float(neighbours) == kennel
    assert neighbours.details["false_share"][kennel - 1] < 0.02


def test_noise_has_no_dimension():
    x = np.random.default_rng(0).normal(size=3000)
    cao, kennel = embedding_dimension_cao(x), false_nearest_neighbours(x)
    assert not cao.admissible
    assert cao.details["stochastic"]
    assert np.abs(cao.details["e2"] - 1).max() < 0.1
    assert not kennel.admissible
    assert kennel.details["false_share"].min() > 0.1


def test_duplicates_and_coarse_values_do_not_divide_by_zero():
    coarse = np.round(lorenz63(10_000)[:4000, 0])
    for measure in (embedding_dimension_cao, false_nearest_neighbours):
        estimate = measure(coarse)
        assert all(np.isfinite(curve).all() for curve in estimate.details.values())
    periodic = np.tile(np.sin(2 * np.pi * np.arange(8) / 8), 200)
    assert "recur exactly" in embedding_dimension_cao(periodic).reason


def test_period_and_theiler_window_of_a_sine():
    x = np.sin(2 * np.pi * np.arange(5000) / 50)
    assert mean_period_steps(x) == pytest.approx(50, rel=1e-6)
    assert theiler_steps(x) in (50, 51)


def test_too_few_values_for_the_theiler_window():
    assert "needed" in embedding_dimension_cao(np.sin(np.arange(250) / 20)).reason


@pytest.mark.parametrize("euclidean", [False, True])
def test_neighbours_agree_with_all_distances(euclidean):
    rng = np.random.default_rng(1)
    for x, delay, theiler in (
        (lorenz63(10_000)[:900, 0], 5, 20), (rng.normal(size=500), 1, 0), (np.round(rng.normal(size=700), 1), 2, 3),
    ):  # fmt: skip
        search, near = prepared_search(x, delay, theiler, 5), None
        for m in range(1, 6):
            count = len(x) - m * delay
            found, further, kept, near = search.pairs(m, euclidean, near)
            points = np.stack([x[k * delay : k * delay + count] for k in range(m)], axis=1)
            apart = np.linalg.norm(points[:, None] - points[None], ord=2 if euclidean else np.inf, axis=2)
            i, j = np.indices(apart.shape)
            apart[(np.abs(i - j) <= theiler) | (apart == 0)] = np.inf
            own = search.own[kept]
            np.testing.assert_allclose(found, apart[own].min(axis=1), rtol=1e-12)
            np.testing.assert_allclose(apart[own, near[kept]], found, rtol=1e-12)
            np.testing.assert_array_equal(further, np.abs(x[own + m * delay] - x[near[kept] + m * delay]))


def test_mutual_information_curve_and_that_of_neighbours():
    x = autoregressive(50_000, 0.9)
    exact = -np.log(1 - 0.9 ** (2 * np.arange(1, 4))) / 2
    np.testing.assert_allclose(mutual_information_curve(x, [1, 2, 3], bins=32), exact, rtol=0.08)
    codes = binned(x, 8)
    joint = np.histogram2d(codes[:-2], codes[2:], bins=(8, 8))[0]
    assert mutual_information_curve(x, 2, bins=8)[0] == pytest.approx(mutual_information(joint), rel=1e-10)
    rng = np.random.default_rng(2)
    values = []
    for _ in range(5):
        first, noise = rng.normal(size=(2, 4000))
        values.append(neighbour_information(first, 0.9 * first + np.sqrt(1 - 0.81) * noise))
    assert np.mean(values) == pytest.approx(exact[0], rel=0.02)
    with pytest.raises(DataError, match="coarse"):
        neighbour_information(np.round(x[:1000]), np.round(x[1:1001]))
    for lag in (-1, 49_999):
        with pytest.raises(DataError):
            mutual_information_curve(x, lag)


def test_delay_is_refined_between_samples():
    series = Series.from_array(lorenz63(10_000)[:, 0], interval=0.02, unit="s")
    found = delay_mutual_information(series)
    assert 0 < abs(found.details["refined"] - float(found)) <= 0.02
