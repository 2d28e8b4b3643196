"""Pairs of points, dimensions of sets and of channels: brute force, exact measures, known attractors, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import autoregressive, henon, lorenz63

from takens.errors import DataError, SettingError
from takens.measures.dimensions import (
    correlation_dimension,
    correlation_sum,
    count_pairs,
    dimension_of,
    extremal_index,
    fixed_mass_dimension,
    generalised_dimensions,
    generalised_fit,
    higuchi_dimension,
    local_dimension,
    takens_dimension,
)
from takens.measures.dimensions.correlation import plateau
from takens.measures.dimensions.fixed_mass import mean_log_distances
from takens.measures.dimensions.local import local_extremes
from takens.measures.dimensions.pairs import DENSE, _share
from takens.measures.dimensions.slopes import slow_approach
from takens.measures.dimensions.takens_estimator import takens_estimate


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 4), st.sampled_from(["euclidean", "maximum"]), st.integers(0, 7),
    st.sampled_from([1, 3]),
)  # fmt: skip
def test_pairs_are_those_of_all_comparisons(seed, axes, metric, theiler, blocks):
    rng = np.random.default_rng(seed)
    points = np.round(rng.normal(size=(60, axes)), int(rng.integers(1, 6))) + 5 * (rng.random((60, 1)) < 0.3)
    radii = np.sort(rng.uniform(0.05, 3, 5))
    found = count_pairs(points, radii, theiler=theiler, metric=metric, blocks=blocks, logs=True, each=True)
    difference = np.abs(points[:, None] - points[None])
    distance = difference.max(axis=2) if metric == "maximum" else np.sqrt((difference**2).sum(axis=2))
    i, j = np.triu_indices(60, 1)
    taken = j - i > theiler
    close = distance[i, j][:, None] <= radii
    assert found.close.sum(axis=(0, 1)).tolist() == (close & taken[:, None]).sum(axis=0).tolist()
    assert found.possible.sum() == taken.sum()
    for b in range(blocks):
        kept = taken & (i * blocks // 60 != b) & (j * blocks // 60 != b)
        assert found.without(found.close)[b].tolist() == (close & kept[:, None]).sum(axis=0).tolist()
        assert found.without(found.possible)[b] == kept.sum()
    positive = np.where(distance[i, j] > 0, distance[i, j], 1)
    logs = (np.log(positive)[:, None] * (close & taken[:, None])).sum(axis=0)
    np.testing.assert_allclose(found.logs.sum(axis=(0, 1)), logs, atol=1e-9)
    apart = np.abs(np.subtract.outer(np.arange(60), np.arange(60))) > theiler
    assert (found.each == ((distance[:, :, None] <= radii) & apart[:, :, None]).sum(axis=1)).all()


@pytest.mark.parametrize("metric", ["euclidean", "maximum"])
@pytest.mark.parametrize("blocks", [1, 3, 20])
@pytest.mark.parametrize("theiler", [0, 1, 40, 500])
def test_tiles_count_what_strips_count(metric, blocks, theiler):
    # Rounding puts many distances on a limit; sums of logarithms are only made in strips.
    rng = np.random.default_rng(theiler)
    for axes in (1, 2, 5):
        points = np.round(rng.normal(size=(701, axes)).cumsum(axis=0) / 10, 1) + rng.integers(0, 2, (701, axes))
        radii = np.array([0.1, 0.3, 0.5, 1.0, 2.0, 5.0])
        assert _share(np.roll(points, 1, axis=1), radii[-1]) > DENSE
        tiles = count_pairs(points, radii, theiler=theiler, metric=metric, blocks=blocks)
        strips = count_pairs(points, radii, theiler=theiler, metric=metric, blocks=blocks, logs=True)
        assert tiles.close.sum(axis=(0, 1)).tolist() == strips.close.sum(axis=(0, 1)).tolist()
        assert tiles.without(tiles.close).tolist() == strips.without(strips.close).tolist()
        assert tiles.close[:, :, -1].sum() > 0


def test_correlation_sum_of_a_circle_in_closed_form():
    # 100 equidistant points: |sin(pi k / 100)| 2 is the distance of 100 pairs for k < 50, of 50 for k = 50.
    angle = 2 * np.pi * np.arange(100) / 100
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    radii = 2 * np.sin(np.pi * (np.array([1, 5, 20]) + 0.5) / 100)
    np.testing.assert_allclose(correlation_sum(points, radii), np.array([100, 500, 2000]) / 4950)


def test_theiler_window_takes_neighbours_in_time_out():
    # A slow straight line: without the window its neighbours in time are all there is.
    line = np.arange(1000.0)
    assert correlation_sum(line, [3.5])[0] > 0
    assert correlation_sum(line, [3.5], theiler=3)[0] == 0


def test_wrong_points_and_radii_are_refused():
    with pytest.raises(DataError, match="finite"):
        count_pairs([1.0, np.nan], [1.0])
    for radii in ([0.0, 1.0], [2.0, 1.0]):
        with pytest.raises(SettingError, match="ascend"):
            count_pairs(np.arange(5.0), radii)
    with pytest.raises(SettingError, match="theiler"):
        count_pairs(np.arange(5.0), [1.0], theiler=4)


SETS = {
    "line": (lambda rng: rng.random((5000, 1)), 1.0),
    "square": (lambda rng: rng.random((5000, 2)), 2.0),
    "cube": (lambda rng: rng.random((5000, 3)), 3.0),
    "Cantor set": (lambda rng: (2 * rng.integers(0, 2, (5000, 30))) @ (3.0 ** -np.arange(1, 31))[:, None],
                   np.log(2) / np.log(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("estimator", [dimension_of, takens_estimate])
def test_dimension_of_sets_is_covered(name, estimator):
    make, truth = SETS[name]
    found = [estimator(make(np.random.default_rng(seed)), seed=seed) for seed in range(8)]
    assert np.mean([f.value for f in found]) == pytest.approx(truth, rel=0.04)
    # Nominal 0.95: of 8 at most one may miss but once in 20 runs, two once in 200.
    assert sum(abs(f.value - truth) <= f.half_width(0.95) for f in found) >= 6
    assert all(f.half_width(0.95) < 0.25 * truth for f in found)


@pytest.mark.parametrize("measure", [correlation_dimension, takens_dimension])
def test_known_attractors_from_one_channel(measure):
    for channel, truth, width in (
        (henon(5000)[:, 0], 1.22, 0.12), (lorenz63(10_000, 0.05, substeps=5)[:, 0], 2.05, 0.3),
        (np.sin(0.31 * np.arange(5000)), 1.0, 0.1),
    ):  # fmt: skip
        estimate = measure(channel)
        assert estimate.admissible, estimate.reason
        low, high = estimate.interval
        assert low <= truth <= high
        assert high - low < 2 * width


def test_noise_has_no_dimension():
    rng = np.random.default_rng(1)
    for x in (rng.normal(size=2000), rng.random(5000), autoregressive(5000, 0.9)):
        for measure in (correlation_dimension, takens_dimension, fixed_mass_dimension):
            estimate = measure(x)
            assert estimate.value is None
            assert not estimate.admissible
            assert "no saturation" in estimate.reason


def test_coarse_and_periodic_records_are_refused():
    for x in (np.round(henon(3000)[:, 0], 1), np.sin(2 * np.pi * np.arange(3000) / 20)):
        estimate = correlation_dimension(x)
        assert not estimate.admissible
        assert "coincide" in estimate.reason


def test_logarithmic_approach_is_seen_and_the_edge_is_not():
    x = np.log(2.0) * np.arange(-9, -2, 1 / 6)
    poles = 2 * x + np.log(-x)
    assert slow_approach(x, poles, 0.0) == pytest.approx(1 / -x[0])  # slope 2 - 1/ln(1/r) at the smallest radius
    assert slow_approach(x, 2 * x, 0.0) == 0
    assert slow_approach(x, 2 * x + np.log1p(-0.5 * np.exp(x)), 0.0) == 0


def test_a_plateau_needs_three_that_agree():
    assert plateau([1.0, 2.0, 3.0, 4.0]) is None
    assert plateau([1.0, 1.9, 2.05, 2.06, 2.05]) == 2
    assert plateau([0.99, 1.2, 1.2, 1.21]) == 1
    assert plateau([1.0, 1.0]) is None


@pytest.mark.parametrize("method", ["radius", "boxes"])
def test_generalised_dimensions_of_a_binomial_measure(method):
    # Independent binary digits, 1 with probability p: D_q = log2(p^q + (1 - p)^q) / (1 - q), D_1 the entropy.
    p, q = 0.7, np.array([0.0, 1.0, 2.0, 3.0])
    x = (np.random.default_rng(0).random((20_000, 40)) < p) @ (0.5 ** np.arange(1, 41))
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    exact = np.where(q == 1, entropy, np.log2(p**q + (1 - p) ** q) / np.where(q == 1, 1, 1 - q))
    value, error, _, _ = generalised_fit(x[:, None], q, method=method)
    np.testing.assert_allclose(value, exact, atol=0.03)
    assert (np.abs(value - exact) < 2.5 * error).all()


def test_generalised_dimensions_of_henon_fall_with_q():
    estimate = generalised_dimensions(henon(10_000)[:, 0], embedding_dimension=2)
    assert estimate.admissible
    np.testing.assert_allclose(estimate.value[:3], [1.28, 1.26, 1.22], atol=0.06)
    noise = generalised_dimensions(np.random.default_rng(0).normal(size=5000), embedding_dimension=2)
    assert not noise.admissible
    with pytest.raises(SettingError, match="method"):
        generalised_dimensions(henon(2000)[:, 0], method="balls")


def test_fixed_mass_counts_the_window_from_each_point():
    # Slow motion on a line, the same way each time round: with the window of the point itself neighbours come from
    # other rounds only. A window that forgot whose it is (FractalDimensions.jl) would let the neighbours in time in.
    points = (np.arange(3000) % 100 + np.random.default_rng(0).random(3000))[:, None]
    masses = np.array([1, 2])
    logs, mass = mean_log_distances(points, masses, 20)
    own = np.unique(np.linspace(0, 2999, 2000).astype(int))
    slow = []
    for i in own:
        distance = np.abs(points[:, 0] - points[i, 0])
        slow.append(np.sort(distance[np.abs(np.arange(3000) - i) > 20])[:2])
    assert logs.shape == (17, 2)
    np.testing.assert_allclose(np.log(slow).mean(axis=0), logs[0], rtol=1e-9)
    assert mass[1] - mass[0] == pytest.approx(1.0)  # psi(2) - psi(1)


def test_fixed_mass_dimension_of_henon():
    estimate = fixed_mass_dimension(henon(10_000)[:, 0])
    assert estimate.admissible
    low, high = estimate.interval
    assert low <= 1.26 <= high
    assert high - low < 0.3


def test_extremal_index_of_a_moving_maximum():
    # Z_t = max(a Z_(t-1), (1 - a) W_t) with Frechet W has index 1 - a.
    rng = np.random.default_rng(0)
    for a in (0.0, 0.6):
        w = -1 / np.log(rng.random(100_000))
        z = np.empty_like(w)
        z[0] = w[0]
        for i in range(1, len(w)):
            z[i] = max(a * z[i - 1], (1 - a) * w[i])
        times = np.flatnonzero(z > np.quantile(z, 0.98))
        assert extremal_index(times, len(times) / len(z)) == pytest.approx(1 - a, abs=0.04)


def test_local_dimension_and_persistence_of_the_doubling_map():
    # At its fixed point the doubling map leaves slowly, with index 1/2; elsewhere the index is 1; d is 1.
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, 60_000)
    x = np.convolve(bits, 0.5 ** np.arange(1, 41), "valid")[:, None]
    points = np.concatenate([[[1e-9]], x[::-1]])  # time runs so that x -> 2 x mod 1
    at_fixed = local_extremes(points, 0, 0.99, 0)
    assert at_fixed[1] == pytest.approx(0.5, abs=0.08)
    assert at_fixed[0] == pytest.approx(1, abs=0.2)
    others = np.array([local_extremes(points, i, 0.99, 0) for i in range(100, 50_000, 1000)])
    assert np.mean(others[:, 1]) == pytest.approx(0.97, abs=0.04)
    assert np.mean(others[:, 0]) == pytest.approx(1, abs=0.04)


def test_local_dimension_of_lorenz_and_noise():
    estimate = local_dimension(lorenz63(10_000, 0.05, substeps=5)[:, 0])
    assert estimate.admissible
    assert float(estimate) == pytest.approx(2.06, abs=0.12)
    assert len(estimate.details["persistence"]) == 500
    assert "nearly fills" in local_dimension(np.random.default_rng(0).normal(size=6000)).reason


def test_higuchi_of_smooth_brownian_and_white():
    rng = np.random.default_rng(0)
    assert float(higuchi_dimension(np.sin(0.01 * np.arange(5000)))) == pytest.approx(1, abs=0.005)
    for make, truth in ((lambda: np.cumsum(rng.normal(size=2000)), 1.5), (lambda: rng.normal(size=2000), 2.0)):
        found = [higuchi_dimension(make()) for _ in range(40)]
        assert np.mean([e.value for e in found]) == pytest.approx(truth, abs=0.015)
        assert np.mean([e.interval[0] <= truth <= e.interval[1] for e in found]) >= 0.85
    assert not higuchi_dimension(np.sin(np.arange(5000))).admissible


@pytest.mark.long
@pytest.mark.parametrize("name", ["henon", "lorenz", "circle", "square"])
def test_intervals_cover_at_their_level(name):
    hits, runs = 0, 60
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        if name == "square":
            fit = dimension_of(rng.random((2000, 2)), seed=seed)
            hits += abs(fit.value - 2) <= fit.half_width(0.95)
            continue
        if name == "henon":
            channel, truth = henon(2000, seed)[:, 0], 1.22
        elif name == "lorenz":
            channel, truth = lorenz63(3000, 0.1, seed, 5)[:, 0], 2.05
        else:
            channel, truth = np.sin(rng.uniform(0.25, 0.4) * np.arange(5000)), 1.0
        estimate = correlation_dimension(channel, seed=seed)
        hits += estimate.value is not None and estimate.interval[0] <= truth <= estimate.interval[1]
    # Samples of a sine are a lattice, whose steps the jackknife does not see: 80 %, as the docstring says.
    assert hits / runs >= (0.7 if name == "circle" else 0.88)
