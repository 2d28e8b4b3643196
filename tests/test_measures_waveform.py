"""Indices of waveforms, transfer operators and generalised complexity: closed forms, oracles, coverage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import ordpy
import pytest
from systems import autoregressive, logistic

import takens
from takens.checks import check_measure
from takens.errors import SettingError
from takens.measures import REGISTRY
from takens.measures.dimensions import katz, petrosian, sevcik
from takens.measures.entropies import Renyi, Tsallis, transfer_operator
from takens.measures.ordinal import generalised_plane

CHAIN = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3]])


@pytest.mark.parametrize(
    "name",
    ["katz_dimension", "petrosian_dimension", "sevcik_dimension", "transfer_operator_entropy", "renyi_complexity",
     "tsallis_complexity"],
)  # fmt: skip
def test_contract(name):
    assert check_measure(REGISTRY[name])


def test_indices_of_curves_by_hand():
    line = np.arange(50.0)
    assert katz(line) == petrosian(line) == 1
    assert sevcik(line) == pytest.approx(1 + np.log(np.sqrt(2)) / np.log(98))
    x = np.array([0.0, 3, 1, 2, 2, 5])  # steps 3, -2, 1, 0, 3: length 9, reach 5, two turns
    assert katz(x) == pytest.approx(np.log(5) / (np.log(5) + np.log(5 / 9)))
    assert petrosian(x) == pytest.approx(np.log(6) / (np.log(6) + np.log(6 / 6.8)))
    assert sevcik(x) == pytest.approx(1 + np.log(sum(np.hypot(s / 5, 0.2) for s in (3, 2, 1, 0, 3))) / np.log(10))
    assert np.isnan(katz(np.tile([0.0, 1.0], 20)))
    assert petrosian(np.array([0.0, 1, 1, 0, 0, 1])) == petrosian(np.array([0.0, 1, 2, 0, -1, 1]))  # plateaus
    rows = np.random.default_rng(0).normal(size=(3, 40))
    for index in (katz, petrosian, sevcik):
        np.testing.assert_allclose(index(rows), [index(row) for row in rows])


def test_indices_do_not_depend_on_scale_and_shift_and_order_roughness():
    walk = np.random.default_rng(1).normal(size=5000).cumsum()
    for name in ("katz_dimension", "petrosian_dimension", "sevcik_dimension"):
        one = getattr(takens, name)
        assert one(walk).value == pytest.approx(one(3.7 * walk - 12).value, rel=1e-9)
        smooth, rough = one(np.sin(np.arange(5000) / 70)), one(np.diff(walk))
        assert 1 <= smooth.value < one(walk).value < rough.value
        assert not one(walk[:300]).admissible
        assert "10 are needed" in one(walk[:300]).reason
        with pytest.raises(SettingError, match="window"):
            one(walk, window=3)
    assert "no value" in takens.katz_dimension(np.tile([0.0, 1.0], 500)).reason


def test_petrosian_index_of_noise_has_its_exact_rate_and_intervals_cover():
    # White noise turns at 2 / 3 of the inner values; the index of a stretch is all but linear in the rate.
    turns = 2 / 3 * 98
    exact = np.log(100) / (np.log(100) + np.log(100 / (100 + 0.4 * turns)))
    truth = {"petrosian_dimension": exact}
    for name in ("katz_dimension", "sevcik_dimension"):
        truth[name] = getattr(takens, name)(autoregressive(2_000_000, 0.0, seed=99)).value
    assert truth["katz_dimension"] > 2.5
    for name, want in truth.items():
        ends = [getattr(takens, name)(autoregressive(3000, 0.0, seed=s)).interval for s in range(200)]
        assert 0.84 <= np.mean([low <= want <= high for low, high in ends]) <= 0.96


def chain(n, seed):
    rng = np.random.default_rng(seed)
    draws, out = rng.random(n), np.empty(n, dtype=int)
    sums, state = CHAIN.cumsum(axis=1), 0
    for i in range(n):
        state = int(np.searchsorted(sums[state], draws[i]))
        out[i] = state
    return out


def test_transfer_operator_of_a_markov_chain():
    code = chain(200_000, 0)
    operator = transfer_operator(code)
    np.testing.assert_allclose(operator.probability, CHAIN, atol=0.01)
    values, vectors = np.linalg.eig(CHAIN.T)
    exact = vectors[:, np.argmax(values.real)].real
    np.testing.assert_allclose(operator.invariant(), exact / exact.sum(), atol=5e-3)
    np.testing.assert_allclose(operator.invariant() @ operator.probability, operator.invariant(), atol=1e-10)
    second = np.sort(np.abs(values))[-2]
    assert operator.relaxation() == pytest.approx(-1 / np.log(second), rel=0.05)
    by_hand = transfer_operator(np.array([5, 9, 5, 5, 9, 5, 2]))  # 2 is never left
    np.testing.assert_allclose(by_hand.probability, [[1 / 3, 2 / 3], [1, 0]])


def entropy_rate():
    values, vectors = np.linalg.eig(CHAIN.T)
    p = vectors[:, np.argmax(values.real)].real
    return float(-(p / p.sum()) @ (CHAIN * np.log(CHAIN)).sum(axis=1))


def test_entropy_rate_of_a_markov_chain_and_its_coverage():
    hits = []
    for seed in range(200):
        estimate = takens.transfer_operator_entropy(chain(1500, seed).astype(float), bins=3, level=0.95)
        hits.append(estimate.interval[0] <= entropy_rate() <= estimate.interval[1])
    assert 0.91 <= np.mean(hits) <= 0.985
    longer = takens.transfer_operator_entropy(chain(20_000, 3).astype(float), bins=3, dimension=3)
    assert longer.value == pytest.approx(entropy_rate(), abs=0.01)  # a first-order chain forgets the rest


def test_entropy_rate_of_maps_and_noise():
    x = logistic(50_000)
    assert takens.transfer_operator_entropy(x, bins=2).value == pytest.approx(np.log(2), abs=2e-3)
    for dimension in (1, 3):  # quarters are a Markov partition that generates
        assert takens.transfer_operator_entropy(x, bins=4, dimension=dimension).value == pytest.approx(
            np.log(2), abs=2e-3
        )
    rates = [takens.transfer_operator_entropy(x, bins=5, dimension=d).value for d in (1, 2, 3, 4)]
    assert all(before > after for before, after in pairwise(rates))
    assert rates[-1] < np.log(2)  # fifths do not hold the critical point: they miss some of the uncertainty
    noise = np.random.default_rng(0).random(50_000)
    assert takens.transfer_operator_entropy(noise, bins=5).value == pytest.approx(np.log(5), abs=2e-3)
    wave = takens.transfer_operator_entropy(np.tile([0.0, 1, 2, 3], 500), bins=4)
    assert wave.value == 0
    assert wave.details["invariant_entropy"] == pytest.approx(np.log(4))
    assert wave.details["relaxation"] == np.inf
    few = takens.transfer_operator_entropy(noise[:300], bins=20)
    assert not few.admissible
    assert "5 a link" in few.reason


@pytest.mark.parametrize("q", [0.5, 2.0, 3.0])
def test_generalised_complexity_agrees_with_ordpy(q):
    x = np.random.default_rng(1).normal(size=4000).cumsum()
    for name, peer in (("renyi", ordpy.renyi_complexity_entropy), ("tsallis", ordpy.tsallis_complexity_entropy)):
        h, c = peer(x, q, dx=4)
        estimate = getattr(takens, f"{name}_complexity")(x, q=q, order=4, delay=1)
        assert estimate.value == pytest.approx(c, abs=1e-10)
        assert estimate.details["entropy"] == pytest.approx(h, abs=1e-10)
    with pytest.raises(SettingError, match="Shannon"):
        takens.tsallis_complexity(x, q=1.0)


def test_generalised_complexity_has_shannons_as_its_limit_and_vanishes_at_both_ends():
    p = np.array([1 / 3, 1 / 15, 4 / 15, 2 / 15, 1 / 5, 0])
    for definition in (Renyi(1 + 1e-6), Tsallis(1 + 1e-6)):
        np.testing.assert_allclose(generalised_plane(p, definition), (0.831445, 0.165767), atol=1e-5)
        for end in (np.eye(6)[2], np.full(6, 1 / 6)):
            assert generalised_plane(end, definition)[1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["renyi_complexity", "tsallis_complexity"])
def test_intervals_of_generalised_complexity_cover(name):
    one = REGISTRY[name]
    truth = one(autoregressive(400_000, 0.5, seed=77), order=4, delay=1).value
    ends = [one(autoregressive(3000, 0.5, seed=s), order=4, delay=1).interval for s in range(200)]
    assert 0.84 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.96
