"""What follows from ordinal patterns: weights, definitions, missing patterns, networks, distances."""

from __future__ import annotations

from math import factorial

import numpy as np
import ordpy
import pytest
from systems import autoregressive, henon, logistic, lorenz63

import takens
from takens.checks import check_measure
from takens.errors import DataError, SettingError
from takens.measures import REGISTRY
from takens.measures.base import Channel
from takens.measures.entropy_inference import Table, jackknife_interval
from takens.measures.ordinal import fisher_information, jensen_shannon, ordinal_patterns, take_patterns
from takens.measures.ordinal.patterns import pattern_weights
from takens.measures.ordinal.plane import confidence_region, entropy_complexity, plane_spread
from takens.measures.ordinal.transitions import lexicographic

NAMES = [name for name, one in REGISTRY.items() if one.family == "ordinal patterns"]


@pytest.mark.parametrize("name", NAMES)
def test_contract(name):
    assert check_measure(REGISTRY[name])


def slow_codes(x, order, delay):
    found = []
    for t in range(len(x) - (order - 1) * delay):
        window = x[t : t + (order - 1) * delay + 1 : delay]
        code = 0
        for i in range(order):
            code = code * (order - i) + sum(window[j] < window[i] for j in range(i + 1, order))
        found.append(code)
    return found


@pytest.mark.parametrize(("order", "delay"), [(2, 1), (3, 7), (5, 1), (8, 2)])
def test_codes_agree_with_the_definition_beyond_one_strip_and_with_ties(order, delay):
    x = np.round(np.random.default_rng(0).normal(size=2200), 1)
    assert ordinal_patterns(x, order, delay).tolist() == slow_codes(x, order, delay)
    wide = np.column_stack([x, x])[:, 0]  # not contiguous
    assert ordinal_patterns(wide, order, delay).tolist() == slow_codes(x, order, delay)


def test_quantised_noise_has_no_forbidden_patterns():
    # Counting ties by order of appearance makes most patterns of coarse noise seem forbidden.
    coarse = np.random.default_rng(0).integers(0, 2, 20_000).astype(float)
    assert takens.missing_patterns(coarse, order=4, delay=1, surrogates=9).value == 0
    assert takens.missing_patterns(coarse, order=4, delay=1, ties="order", surrogates=9).value > 8
    by_seed = [takens.permutation_entropy(coarse, order=4, delay=1, seed=s).details["counts"] for s in (1, 1, 2)]
    assert np.array_equal(by_seed[0], by_seed[1])
    assert not np.array_equal(by_seed[0], by_seed[2])


def test_a_plain_array_is_read_as_the_series_that_it_stands_for():
    x = np.round(np.random.default_rng(0).normal(size=700).cumsum(), 1)
    wide = np.column_stack([x, x])[:, 0]
    want = takens.permutation_entropy(takens.Series.from_array(x))
    for data in (x, wide, x.tolist(), x[:, None]):
        got = takens.permutation_entropy(data)
        assert got.to_dict(details=True) == want.to_dict(details=True)
    for base_case in (np.full(700, 2.0), np.array([]), np.full(700, np.nan), x[:5]):
        want = takens.permutation_entropy(takens.Series.from_array(base_case))
        assert takens.permutation_entropy(base_case).to_dict() == want.to_dict()
        assert not want.admissible
    x[300] = np.nan
    assert takens.permutation_entropy(x).settings["rows"] == "longest gap-free stretch, 399 of 700"
    x[300] = np.inf
    with pytest.raises(DataError, match="row 301"):
        takens.permutation_entropy(x)


def test_order_and_delay_are_obeyed():
    x = np.sin(2 * np.pi * np.arange(4000) / 20 + 0.1)
    assert (
        takens.permutation_entropy(x, order=3, delay=5).value != takens.permutation_entropy(x, order=3, delay=2).value
    )
    assert len(takens.permutation_entropy(x, order=6, delay=1).details["counts"]) == factorial(6)


@pytest.mark.parametrize("delay", [1, 3])
def test_weighted_entropy_agrees_with_ordpy(delay):
    x = np.random.default_rng(1).normal(size=3000).cumsum()
    want = ordpy.weighted_permutation_entropy(x, dx=4, taux=delay)
    assert takens.weighted_permutation_entropy(x, order=4, delay=delay).value == pytest.approx(want, abs=1e-12)


def test_amplitude_weights_are_those_of_the_paper():
    x = np.random.default_rng(2).normal(size=200)
    got = pattern_weights(x, 4, 2, "amplitude")
    window = x[17:24:2]
    want = 0.5 * np.sum(np.abs(window)) / 4 + 0.5 * np.sum(np.abs(np.diff(window))) / 3
    assert got[17] == pytest.approx(want)
    spiked = np.concatenate([x, [1e6], x])
    assert takens.amplitude_aware_permutation_entropy(spiked, order=3, delay=1).value < 0.8


@pytest.mark.parametrize("q", [0.5, 2.0, 3.0])
def test_renyi_and_tsallis_agree_with_ordpy(q):
    x = np.random.default_rng(1).normal(size=4000).cumsum()
    h, _ = ordpy.renyi_complexity_entropy(x, alpha=q, dx=4)
    assert takens.renyi_permutation_entropy(x, q=q, order=4, delay=1).value == pytest.approx(h, abs=1e-10)
    h, _ = ordpy.tsallis_complexity_entropy(x, q=q, dx=4)
    assert takens.tsallis_permutation_entropy(x, q=q, order=4, delay=1).value == pytest.approx(h, abs=1e-10)
    with pytest.raises(SettingError, match="Shannon"):
        takens.renyi_permutation_entropy(x, q=1.0)


def test_missing_patterns_of_maps_and_noise():
    chaos = takens.missing_patterns(logistic(5000), order=4, delay=1, surrogates=39)
    assert chaos.value == 12  # of 24 (12 occur)
    assert chaos.interval == (12.0, 12.0)
    assert chaos.details["p_value"] == 1 / 40
    noise = takens.missing_patterns(autoregressive(5000), order=4, delay=1, surrogates=39)
    assert noise.value == 0
    assert noise.details["p_value"] == 1
    few = takens.missing_patterns(np.random.default_rng(0).normal(size=700), order=5, delay=1, surrogates=39)
    assert few.details["expected_white_noise"] == pytest.approx(120 * (119 / 120) ** 696)
    assert few.interval[0] == 0


@pytest.mark.parametrize("order", [3, 4])
def test_global_node_entropy(order):
    noise = np.random.default_rng(0).normal(size=50_000)
    exact = np.log2(order + 1) - 2 / (order + 1)
    estimate = takens.global_node_entropy(noise, order=order, delay=1, level=0.99)
    assert estimate.interval[0] <= exact <= estimate.interval[1]
    assert estimate.value == pytest.approx(exact, abs=4e-3)
    walk = noise[:3000].cumsum()
    nats = ordpy.global_node_entropy(walk, dx=order)
    assert takens.global_node_entropy(walk, order=order, delay=1).value == pytest.approx(nats / np.log(2), rel=1e-3)
    wave = np.sin(2 * np.pi * np.arange(2000) / 4 + 0.3)
    assert takens.global_node_entropy(wave, order=3, delay=1).value == pytest.approx(0, abs=0.02)


def test_fisher_information():
    assert lexicographic(3).tolist() == [0, 1, 2, 4, 3, 5]  # sorting 120 belongs to ranks 201 and back
    assert fisher_information(np.eye(6)[0]) == 1
    assert fisher_information(np.full(6, 1 / 6)) == 0
    x = np.random.default_rng(0).normal(size=3000).cumsum()
    h, f = ordpy.fisher_shannon(x, dx=4)
    estimate = takens.ordinal_fisher_information(x, order=4, delay=1)
    assert estimate.value == pytest.approx(f, abs=1e-12)
    assert estimate.details["entropy"] == pytest.approx(h, abs=1e-12)


def test_jackknife_of_a_mean_is_students_interval():
    from scipy.stats import t

    x = np.random.default_rng(0).normal(size=30)
    without = (x.sum() - x) / 29
    low, high, centre = jackknife_interval(float(x.mean()), without, 0.95)
    assert centre == pytest.approx(x.mean())
    assert (low, high) == pytest.approx(t.interval(0.95, 29, x.mean(), x.std(ddof=1) / np.sqrt(30)))


def test_the_pattern_time_of_largest_complexity():
    estimate = takens.complexity_time(lorenz63(10_000)[:, 0], order=5)
    assert estimate.admissible
    assert 0.1 < estimate.value / estimate.details["natural_time"] < 0.5
    assert estimate.interval[0] <= estimate.value <= estimate.interval[1]
    delays, h = estimate.details["delays"], estimate.details["entropy"]
    for i in (0, 5, len(delays) - 1):
        want = takens.permutation_entropy(lorenz63(10_000)[:, 0], order=5, delay=int(delays[i]))
        assert h[i] == want.value
        assert estimate.details["entropy_interval"][i] == pytest.approx(want.interval)
    assert not takens.complexity_time(np.random.default_rng(0).normal(size=5000)).admissible
    assert not takens.complexity_time(henon(5000)[:, 0]).admissible


def test_distance_of_two_channels():
    assert jensen_shannon(np.eye(4)[0], np.eye(4)[1]) == pytest.approx(1)
    x, y = np.random.default_rng(0).normal(size=(2, 4000))
    same = takens.permutation_jensen_shannon_distance(np.stack([x, y], 1), order=4, delay=1)
    assert same.value < 0.1
    assert same.interval[0] == 0
    other = takens.permutation_jensen_shannon_distance(np.stack([x, logistic(4000)], 1), order=4, delay=1)
    assert other.details["p_value"] == 0.001
    assert other.interval[0] <= other.value <= other.interval[1]
    want = ordpy.permutation_entropy  # the divergence by its definition, from entropies of the patterns
    p, q = (np.bincount(ordinal_patterns(z, 4), minlength=24) / 3997 for z in (x, logistic(4000)))
    mixed = want((p + q) / 2, base=2, normalized=False, probs=True)
    apart = (want(p, base=2, normalized=False, probs=True) + want(q, base=2, normalized=False, probs=True)) / 2
    assert other.value**2 == pytest.approx(mixed - apart, abs=1e-12)
    found = takens.relate(np.stack([x, y], 1), only="permutation_jensen_shannon_distance")
    assert len(found) == 1
    assert next(iter(found.values())).admissible


def test_size_of_the_test_of_equal_distributions():
    p = [
        takens.permutation_jensen_shannon_distance(
            np.stack([autoregressive(600, 0.7, seed=2 * s), autoregressive(600, 0.7, seed=2 * s + 1)], 1),
            order=3, delay=1, resamples=99,
        ).details["p_value"]
        for s in range(300)
    ]  # fmt: skip
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.085


def truth_and_runs(kind, order, n, runs):
    size = factorial(order)

    def make(length, seed):
        if kind == "logistic":
            return logistic(length, seed=seed)
        return autoregressive(length, {"noise": 0.0}.get(kind, 0.5), seed=seed)

    counts = sum(np.bincount(ordinal_patterns(make(300_000, 900 + s), order), minlength=size) for s in range(3))
    truth = (1.0, 0.0) if kind == "noise" else tuple(map(float, entropy_complexity(counts.astype(float))))
    for seed in range(runs):
        x = make(n, seed)
        channel = Channel(x, np.arange(float(n)), 1.0, "s", "", "all")
        yield truth, take_patterns(channel, order, 1, "order", seed).table


@pytest.mark.parametrize(
    ("kind", "order", "least", "most"),
    [("logistic", 4, 0.90, 0.98), ("autoregressive", 4, 0.90, 0.985), ("noise", 5, 0.93, 1.0)],
)
def test_coverage_of_the_plane(kind, order, least, most):
    inside, on_h, on_c = [], [], []
    for truth, table in truth_and_runs(kind, order, 3000, 300):
        inside.append(confidence_region(table, 0.95).contains(*truth))
        spread = plane_spread(table)
        for hits, which in ((on_h, 0), (on_c, 1)):
            low, high = spread.interval(float(entropy_complexity(table.total)[which]), 0.95, which)
            hits.append(low <= truth[which] <= high)
    for hits in (inside, on_h, on_c):
        assert least <= np.mean(hits) <= most


@pytest.mark.parametrize(("kind", "least"), [("logistic", 0.85), ("autoregressive", 0.88), ("noise", 0.90)])
def test_intervals_cover_at_five_values_a_pattern(kind, least):
    # A first-order correction of the bias alone covers 67 to 75 % here for the autoregressive process.
    hits = []
    for truth, table in truth_and_runs(kind, 5, 604, 200):
        spread, values = plane_spread(table), entropy_complexity(table.total)
        ends = [spread.interval(float(values[which]), 0.9, which) for which in (0, 1)]
        hits.append([low <= value <= high for value, (low, high) in zip(truth, ends, strict=True)])
    assert (np.mean(hits, axis=0) >= least).all()


def test_the_region_is_an_ellipse_about_the_corrected_point():
    counts = np.random.default_rng(0).multinomial(100, np.arange(1, 7) / 21, size=40).astype(float)
    region = confidence_region(Table(counts), 0.9)
    edge = region.centre + 0.999 * (region.outline() - region.centre)
    assert all(region.contains(*point) for point in edge)
    assert not any(region.contains(*(region.centre + 1.01 * (point - region.centre))) for point in region.outline())
    # Miller and Madow: (outcomes - 1) / (2 N) for independent counts.
    bias = plane_spread(Table(counts)).bias[0]
    assert bias == pytest.approx(-5 / (2 * 4000) / np.log(6), rel=0.35)
