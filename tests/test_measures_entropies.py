"""Entropies of symbols: definitions, estimators, spaces and their products; spectra, delay space, words, densities."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from systems import autoregressive, logistic

import takens
from takens.checks import check_measure
from takens.errors import DataError, SettingError
from takens.measures import REGISTRY
from takens.measures import entropies as en
from takens.measures.base import Refused
from takens.measures.entropies.algebra import DEFINITIONS
from takens.measures.entropies.estimators import ESTIMATORS
from takens.measures.entropies.spaces import SPACES
from takens.measures.entropy_definitions import largest
from takens.measures.entropy_inference import Table, entropy_interval, entropy_spread

QUICK = [
    name for name, one in REGISTRY.items()
    if one.family == "entropies" and "multiscale" not in name and "fuzzy" not in name
]  # fmt: skip
NOISE = np.random.default_rng(0).normal(size=3000)


@pytest.mark.parametrize("name", QUICK)
def test_contract(name):
    assert check_measure(REGISTRY[name])


@pytest.mark.parametrize("definition", [*DEFINITIONS.values(), en.Renyi(0.5), en.Tsallis(3.0)], ids=repr)
def test_derivatives_and_extremes_of_definitions(definition):
    p = np.array([0.02, 0.3, 0.68])
    h = 1e-5
    slope = (definition.term(p + h) - definition.term(p - h)) / (2 * h)
    curvature = (definition.slope(p + h) - definition.slope(p - h)) / (2 * h)
    np.testing.assert_allclose(definition.slope(p), slope, rtol=1e-5)
    np.testing.assert_allclose(definition.curvature(p), curvature, rtol=1e-5)
    certain, equal = (float(definition.finish(definition.term(np.array(q)).sum())) for q in ([1.0], [0.25] * 4))
    assert certain == pytest.approx(0, abs=1e-12)
    assert equal == pytest.approx(largest(definition, 4))


def test_values_of_definitions():
    p = np.array([0.5, 0.25, 0.25])
    value = {name: float(d.finish(d.term(p).sum())) for name, d in DEFINITIONS.items()}
    assert value["Shannon"] == pytest.approx(1.5 * np.log(2))
    assert value["Renyi"] == pytest.approx(-np.log(0.375))
    assert value["Tsallis"] == pytest.approx(0.625)
    assert value["extropy"] == pytest.approx(-(0.5 * np.log(0.5) + 1.5 * np.log(0.75)))
    close = en.Renyi(1 + 1e-6)
    assert float(close.finish(close.term(p).sum())) == pytest.approx(value["Shannon"], abs=1e-5)
    for q in (1.0, 0.0, -2.0):
        with pytest.raises(SettingError):
            en.Renyi(q)


def test_estimators_on_a_count_by_hand():
    counts, shannon = np.array([4.0, 2, 1, 1, 0, 0]), en.Shannon()
    p = counts[:4] / 8
    plugin = -np.sum(p * np.log(p))
    assert en.RelativeFrequency().total(counts, shannon) == pytest.approx(plugin)
    assert en.MillerMadow().total(counts, shannon) == pytest.approx(plugin + 3 / 16)
    laplace = (counts + 1) / 14
    assert en.AddConstant(1).total(counts, shannon) == pytest.approx(-np.sum(laplace * np.log(laplace)))
    coverage = 1 - 2 / 8
    q = coverage * p
    assert en.ChaoShen().total(counts, shannon) == pytest.approx(-np.sum(q * np.log(q) / (1 - (1 - q) ** 8)))
    sample = np.repeat(np.arange(6), counts.astype(int))
    without = [
        en.RelativeFrequency().total(np.bincount(np.delete(sample, i), minlength=6).astype(float), shannon)
        for i in range(8)
    ]
    assert en.Jackknife().total(counts, shannon) == pytest.approx(8 * plugin - 7 * np.mean(without))
    assert np.isfinite(en.ChaoShen().total(np.ones(5), shannon))


def test_corrections_remove_bias():
    rng = np.random.default_rng(0)
    draws = rng.multinomial(60, np.full(20, 0.05), size=400).astype(float)
    error = {
        name: np.mean([one.total(counts, en.Shannon()) for counts in draws]) - np.log(20)
        for name, one in ESTIMATORS.items()
    }
    assert error["relative frequency"] < -0.14
    assert abs(error["Miller-Madow"]) < 0.04
    assert abs(error["jackknife"]) < 0.03
    assert abs(error["Chao-Shen"]) < 0.03
    # For power sums the second-order correction is exact: sum p^2 has no higher derivatives.
    power = np.mean([en.MillerMadow().total(counts, en.Tsallis(2.0)) for counts in draws])
    assert power == pytest.approx(0.05, abs=1e-3)


def test_bias_and_variance_of_the_delta_method():
    rng = np.random.default_rng(1)
    for p in (np.array([0.5, 0.2, 0.2, 0.1]), np.full(30, 1 / 30)):
        plugin, bias, variance = [], [], []
        for _ in range(400):
            table = Table(rng.multinomial(25, p, size=40).astype(float))
            spread = entropy_spread(table, en.Shannon())
            plugin.append(en.RelativeFrequency().total(table.total, en.Shannon()))
            bias.append(spread.bias[0])
            variance.append(spread.covariance[0, 0])
        assert np.mean(bias) == pytest.approx(-(len(p) - 1) / 2000, rel=0.05)  # Miller and Madow
        assert np.sqrt(np.mean(variance)) == pytest.approx(np.std(plugin), rel=0.25)


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda d: d.name)
def test_intervals_of_every_definition_cover(definition):
    rng = np.random.default_rng(2)
    p = np.array([0.4, 0.3, 0.2, 0.08, 0.02])
    exact = float(definition.finish(definition.term(p).sum()))
    hits = []
    for _ in range(400):
        low, high = entropy_interval(Table(rng.multinomial(20, p, size=50).astype(float)), definition, 0.95)
        hits.append(low <= exact <= high)
    assert 0.92 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize(("space", "estimator", "definition"), list(product(SPACES, ESTIMATORS, DEFINITIONS)))
def test_every_product_is_finite_and_small_for_order(space, estimator, definition):
    settings = {"space": space, "estimator": estimator, "definition": definition}
    noise = takens.discrete_entropy(NOISE, **settings)
    assert np.isfinite(noise.value)
    plain = en.entropy(NOISE, SPACES[space], ESTIMATORS[estimator], DEFINITIONS[definition])
    assert takens.discrete_entropy(NOISE, normalised=False, **settings).value == pytest.approx(plain)
    assert takens.discrete_entropy(np.exp(np.arange(3000) / 100), **settings).value < noise.value


def test_unknown_names_are_listed():
    with pytest.raises(SettingError, match="Chao-Shen"):
        takens.discrete_entropy(NOISE, estimator="magic")
    with pytest.raises(SettingError):
        takens.dispersion_entropy(NOISE, classes=1)
    assert not takens.dispersion_entropy(NOISE[:100]).admissible


def test_spaces():
    rng = np.random.default_rng(0)
    x = np.array([0.0, 1, 2, 3, 10])
    assert en.ValueHistogram(5).encode(x, rng).code.tolist() == [0, 0, 1, 1, 4]
    assert en.Quantiles(2, 2).encode(np.array([1.0, 4, 2, 3]), rng).code.tolist() == [1, 2, 1]
    assert en.Swaps(3).encode(np.array([3.0, 2, 1, 2]), rng).code.tolist() == [3, 1]
    # Thirds of the normal distribution lie 0.43 standard deviations (2.02) from the mean (4.15): 3.28 and 5.02.
    y = np.array([3.6, 4.2, 1.2, 3.1, 4.2, 2.1, 3.3, 4.6, 6.8, 8.4])
    words = en.Dispersion(3, 2).encode(y, rng)
    assert words.size == 9
    classes = [words.code[0] // 3, *(word % 3 for word in words.code)]
    assert classes == [1, 1, 0, 0, 1, 0, 1, 1, 2, 2]
    assert takens.discrete_entropy(y, space=en.Dispersion(3, 2), normalised=False).value is None  # ten values only
    by_hand = -(3 * 2 / 9 * np.log(2 / 9) + 3 / 9 * np.log(1 / 9))  # three words twice, three once
    assert en.entropy(y, en.Dispersion(3, 2)) == pytest.approx(by_hand)
    with pytest.raises(Refused, match="word"):
        en.Quantiles(2, 20).encode(x, rng)


def test_delay_is_obeyed():
    # Elsewhere dispersion and bubble entropies have ignored their delay.
    wave = np.sin(2 * np.pi * np.arange(3000) / 40) + 0.1 * NOISE
    assert takens.bubble_entropy(wave, delay=5).value != takens.bubble_entropy(wave).value
    assert takens.dispersion_entropy(wave, delay=10).value > takens.dispersion_entropy(wave).value + 0.05


def test_bubble_entropy_by_its_definition():
    x = NOISE[:600]

    def renyi(length):
        swaps = [sum(w[i] > w[j] for i in range(length) for j in range(i + 1, length))
                 for w in (x[t : t + length] for t in range(len(x) - 6))]  # fmt: skip
        return -np.log(np.sum((np.bincount(swaps) / len(swaps)) ** 2))

    want = (renyi(7) - renyi(6)) / np.log(7 / 5)
    assert takens.bubble_entropy(x, length=6).value == pytest.approx(want)


def test_spectral_and_svd_entropy_of_known_signals():
    assert takens.spectral_entropy(np.random.default_rng(1).normal(size=100_000)).value > 0.995
    t = np.arange(4096)
    # A Hann window puts a sine on the grid into three frequencies with power 1 : 4 : 1.
    p = np.array([1, 4, 1]) / 6
    want = -np.sum(p * np.log(p)) / np.log(128)
    assert takens.spectral_entropy(np.sin(2 * np.pi * t / 8)).value == pytest.approx(want, abs=1e-3)
    # The delay vectors of a long sine have Gram matrix cos(w (i - j)): two directions only.
    w = 2 * np.pi / 8
    s = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cos(w * np.subtract.outer(np.arange(3), np.arange(3)))), 0))
    p = s[s > 1e-6] / s.sum()
    assert takens.svd_entropy(np.sin(w * t)).value == pytest.approx(-np.sum(p * np.log(p)) / np.log(3), abs=1e-3)


def slow_phrases(symbols):
    text, count, start = "".join(map(str, symbols)), 0, 0
    while start < len(text):
        end = start + 1
        while end <= len(text) and text[start:end] in text[: end - 1]:
            end += 1
        count, start = count + 1, end
    return count


def test_lempel_ziv():
    symbols = [int(c) for c in "01111000011001"]
    assert en.lempel_ziv_phrases(symbols) * np.log2(14) / 14 == pytest.approx(1.35977, abs=1e-5)
    assert en.lempel_ziv_phrases([0] * 50) == 2
    assert en.lempel_ziv_phrases([7]) == 1
    for seed in range(150):
        rng = np.random.default_rng(seed)
        symbols = rng.integers(0, 1 + seed % 4 + 1, 1 + seed % 61)
        assert en.lempel_ziv_phrases(symbols) == slow_phrases(symbols)
    with pytest.raises(DataError):
        en.lempel_ziv_phrases([])
    noise, sine = takens.lempel_ziv_complexity(NOISE), takens.lempel_ziv_complexity(np.sin(np.arange(3000) / 9))
    assert noise.value == pytest.approx(1.04, abs=0.03)
    assert noise.details["p_value"] > 0.05
    assert sine.value < 0.1
    assert sine.details["p_value"] == 0.05


@pytest.mark.parametrize(
    ("draw", "exact"),
    [
        (lambda r: r.normal(size=5000) * 3, np.log(2 * np.pi * np.e * 9) / 2),
        (lambda r: r.random(5000), 0.0),
        (lambda r: r.exponential(size=5000), 1.0),
    ],
    ids=["normal", "uniform", "exponential"],
)
def test_differential_entropy(draw, exact):
    hits, values = [], []
    for seed in range(100):
        estimate = takens.differential_entropy(draw(np.random.default_rng(seed)), level=0.95)
        values.append(estimate.value)
        hits.append(estimate.interval[0] <= exact <= estimate.interval[1])
    assert np.mean(values) == pytest.approx(exact, abs=0.01)
    assert 0.88 <= np.mean(hits) <= 1


def test_differential_entropy_of_delay_vectors_and_of_rounded_values():
    phi = 0.8
    x = autoregressive(20_000, phi)
    exact = np.log((2 * np.pi * np.e) ** 2 / (1 - phi**2)) / 2  # covariance determinant 1 / (1 - phi^2)
    assert takens.differential_entropy(x, dimension=2).value == pytest.approx(exact, abs=0.05)
    rounded = takens.differential_entropy(np.round(NOISE, 1))
    assert not rounded.admissible
    assert "rounded" in rounded.reason


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "settings", "kind", "least"),
    [
        ("bubble_entropy", {}, "noise", 0.90),
        ("spectral_entropy", {"segment": 64}, "noise", 0.90),
        ("spectral_entropy", {"segment": 64}, "slow", 0.88),
        ("svd_entropy", {}, "slow", 0.88),
        ("discrete_entropy", {"space": "quantiles"}, "noise", 0.90),
        ("discrete_entropy", {"space": "swaps"}, "chaos", 0.90),
        ("differential_entropy", {}, "slow", 0.85),
    ],
)
def test_coverage(name, settings, kind, least):
    def make(n, seed):
        if kind == "chaos":
            return logistic(n, seed=seed)
        return autoregressive(n, {"slow": 0.9, "noise": 0.0}[kind], seed=seed)

    one = REGISTRY[name]
    truth = np.mean([one(make(100_000, 700 + s), **settings).value for s in range(5)])
    ends = [one(make(2000, s), level=0.95, **settings).interval for s in range(200)]
    assert least <= np.mean([low <= truth <= high for low, high in ends]) <= 0.995
