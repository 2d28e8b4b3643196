"""Symbolic dynamics: entropies of maps whose regions are Markov partitions are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from takens.dynamics.itineraries import Itinerary, _radius, itinerary
from takens.dynamics.piecewise_linear import PiecewiseLinear
from takens.errors import DataError, InsufficientData

GOLDEN = (1 + np.sqrt(5)) / 2


def tent(left: float, right: float, peak: float) -> PiecewiseLinear:
    """x -> left x below the peak, right (1 - x) from there."""
    return PiecewiseLinear([[left]], [[-left - right]], [[1.0]], [-peak], [0.0])


def test_skew_tent_map_is_a_bernoulli_shift() -> None:
    peak = 0.37
    made = tent(1 / peak, 1 / (1 - peak), peak)
    found = itinerary(made, made.orbit([0.2345], 100_000))
    entropy = -peak * np.log(peak) - (1 - peak) * np.log(1 - peak)
    assert len(found) == 2
    assert found.regions.tolist() == [[True], [False]]  # the larger side first
    assert found.visits.sum() == 100_000
    assert found.visits[1] / 100_000 == pytest.approx(peak, abs=0.006)
    assert found.topological_entropy == pytest.approx(np.log(2), abs=1e-12)
    assert found.markov_entropy == pytest.approx(entropy, abs=0.003)
    assert np.allclose(found.word_entropies()[:6], entropy, atol=0.004)
    assert np.allclose(found.probabilities.sum(axis=1), 1)
    assert found.once == 0
    assert found.links.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_golden_mean_tent_map() -> None:
    """Slope (1 + sqrt 5) / 2: left is always followed by right, and all entropies are the logarithm of the slope."""
    made = tent(GOLDEN, GOLDEN, 0.5)
    found = itinerary(made, made.orbit([0.41], 100_000)[10:])
    low = int(np.flatnonzero(~found.regions[:, 0])[0])
    assert found.probabilities[low, low] == 0
    assert found.topological_entropy == pytest.approx(np.log(GOLDEN), abs=1e-12)
    assert found.markov_entropy == pytest.approx(np.log(GOLDEN), abs=0.005)
    words = found.word_entropies()
    assert np.allclose(words[1:6], np.log(GOLDEN), atol=0.005)
    assert words[0] > words[1] + 0.1  # one symbol alone does not know what cannot follow


def test_entropies_of_a_cycle_are_zero_and_of_coins_ln_2() -> None:
    turning = Itinerary(np.eye(3, dtype=bool), np.arange(3000) % 3)
    assert turning.topological_entropy == pytest.approx(0, abs=1e-12)
    assert turning.markov_entropy == 0
    assert np.allclose(turning.word_entropies()[1:], 0, atol=1e-3)
    assert turning.word_entropies()[0] == pytest.approx(np.log(3))
    coins = Itinerary(np.array([[False], [True]]), np.random.default_rng(0).integers(0, 2, 50_000))
    words = coins.word_entropies()
    assert len(words) == 12
    assert np.allclose(words[:8], np.log(2), atol=0.003)
    assert coins.staying == pytest.approx(0.5, abs=0.01)


def test_words_are_not_trusted_beyond_the_data() -> None:
    coins = Itinerary(np.array([[False], [True]]), np.random.default_rng(0).integers(0, 2, 700))
    assert len(coins.word_entropies()) == 6  # 64 words are seen 11 times, 128 only 5 times
    with pytest.raises(InsufficientData):
        Itinerary(np.array([[False], [True]]), np.arange(50) % 2).word_entropies()


def test_large_graphs_by_powers() -> None:
    rng = np.random.default_rng(0)
    size = 700
    whole = (rng.random((size, size)) < 0.004).astype(float)
    whole[np.arange(size), (np.arange(size) + 1) % size] = 1  # a ring, so that all nodes are connected
    assert _radius(csr_array(whole)) == pytest.approx(np.abs(np.linalg.eigvals(whole)).max(), rel=1e-8)
    turn = csr_array(np.roll(np.eye(size), 1, axis=1))  # periodic: powers of the graph itself would not settle
    assert _radius(turn) == pytest.approx(1.0, abs=1e-8)


def test_unfit_orbits() -> None:
    made = tent(2.0, 2.0, 0.5)
    for wrong in (np.zeros((10, 2)), np.zeros(10), np.full((10, 1), np.nan), np.zeros((1, 1))):
        with pytest.raises(DataError):
            itinerary(made, wrong)
