"""Change points: exact partitions, known changes, intervals that cover, and no changes where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens import Series
from takens.errors import DataError, SettingError
from takens.measures.change_points import LEAST, MODELS, change_points, find_changes, noise_autocorrelation, segment
from takens.measures.kernels.change_points import largest_penalty, partition_cost, pelt, running_sums


def cost_by_hand(part, before, model):
    n = len(part)
    if model == "mean":
        return np.sum((part - part.mean()) ** 2)
    if model == "variance":
        return n * np.log(np.mean(part**2))
    if model == "mean and variance":
        return n * np.log(np.var(part))
    design = np.stack([np.ones(n), before], axis=1)
    rest = part - design @ np.linalg.lstsq(design, part, rcond=None)[0]
    return n * np.log(np.mean(rest**2))


@pytest.mark.parametrize("model", MODELS)
def test_pelt_is_the_exact_optimum(model):
    rng = np.random.default_rng(1)
    x = rng.normal(size=90)
    x[40:] *= 2
    x[60:] += 2
    before = np.concatenate([x[:1], x[:-1]])
    n, least, penalty = 90, LEAST[model] // 2, 6.0
    best, last = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    best[0] = -penalty
    for stop in range(1, n + 1):
        for start in range(stop - least + 1):
            value = best[start] + cost_by_hand(x[start:stop], before[start:stop], model) + penalty
            if value < best[stop]:
                best[stop], last[stop] = value, start
    expected, at = [], n
    while last[at] > 0:
        at = last[at]
        expected.append(at)
    found = pelt(running_sums(x[:, None]), np.arange(n + 1), penalty, least, MODELS.index(model))
    assert found.tolist() == expected[::-1]
    bounds = np.array([0, *found, n])
    total = partition_cost(running_sums(x[:, None]), bounds, MODELS.index(model)) + penalty * len(found)
    assert total == pytest.approx(best[n], rel=1e-9)


def test_the_largest_penalty_is_where_changes_end():
    x = np.random.default_rng(2).normal(size=(120, 1))
    x[50:70] += 2
    sums, grid = running_sums(x), np.arange(121)
    limit = largest_penalty(sums, grid, 5, 0)
    assert len(pelt(sums, grid, limit * 1.001, 5, 0)) == 0
    # A bump is two changes at once: it holds to a larger penalty than the best single change.
    assert len(pelt(sums, grid, limit * 0.999, 5, 0)) == 2


def test_known_changes_of_the_mean_in_correlated_noise():
    x = autoregressive(900, 0.5, 1)
    x[300:] += 4
    x[600:] -= 5
    estimate = change_points(Series.from_array(x, interval=0.5, unit="s"))
    assert estimate.unit == "s"
    np.testing.assert_allclose(estimate.value, [150, 300], atol=3)
    assert (estimate.interval[0] <= estimate.value).all()
    assert (estimate.value <= estimate.interval[1]).all()
    assert estimate.details["p_value"] <= 0.01
    assert estimate.details["autocorrelation"] == pytest.approx(0.5, abs=0.1)
    assert estimate.details["level"][450] == pytest.approx(4, abs=1)


@pytest.mark.parametrize("model", ["variance", "mean and variance", "autoregression"])
def test_other_changes(model):
    x = np.random.default_rng(3).normal(size=700)
    if model == "autoregression":
        x = np.concatenate([autoregressive(350, 0.0, 3), autoregressive(350, 0.85, 4)])
    else:
        x[350:] *= 2.2
    found = find_changes(x, model=model, copies=99)
    assert len(found.positions) == 1
    assert abs(found.positions[0] - 350) < 25
    assert found.low[0] <= 350 <= found.high[0]


def test_many_channels_find_what_one_does_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 80))
    x[170:] += 0.25
    found = find_changes(x, copies=39)
    assert len(found.positions) == 1
    assert abs(found.positions[0] - 170) <= 10
    alone = [len(find_changes(x[:, c], copies=39).positions) for c in range(5)]
    assert sum(alone) <= 3


def test_a_long_series_is_cut_at_every_sample():
    x = np.random.default_rng(0).normal(size=30_000)
    x[12_345:] += 1.5
    positions, gains = segment(x[:, None], "mean", 40.0)
    assert len(positions) == 1
    assert abs(positions[0] - 12_345) <= 5
    assert gains[0] > 1000


def test_memory_is_estimated_in_spite_of_steps():
    for phi in (0.0, 0.5, 0.8):
        x = autoregressive(20_000, phi)
        x += 5 * (np.arange(20_000) // 2000 % 2)
        assert noise_autocorrelation(x[:, None])[0] == pytest.approx(phi, abs=0.03)


def false_alarms(model, runs, length, phi, noise=None):
    made = (autoregressive(length, phi, seed) if noise is None else noise(seed) for seed in range(runs))
    return np.mean([find_changes(x, model=model, copies=19, seed=s).p_value <= 0.05 for s, x in enumerate(made)])


def test_false_alarms_in_a_few_runs():
    # 5 % nominal: more than 9 of 60 has probability 0.1 %.
    assert false_alarms("mean", 60, 250, 0.6) <= 9 / 60


@pytest.mark.long
@pytest.mark.parametrize(("length", "phi"), [(300, 0.0), (300, 0.5), (300, 0.8), (1000, 0.9)])
def test_false_alarms_of_the_mean(length, phi):
    # 5 % nominal; the standard error of 1000 runs is 0.7 %, and the memory that is estimated costs up to 1.5 %.
    assert 0.03 <= false_alarms("mean", 1000 if length == 300 else 400, length, phi) <= 0.085


def heavy_tailed(seed):
    return np.random.default_rng(seed).standard_t(4, size=300)


@pytest.mark.long
@pytest.mark.parametrize("model", ["mean", "variance", "mean and variance"])
def test_heavy_tails_make_no_changes(model):
    # 5 % nominal; the standard error of 600 runs is 0.9 %.
    assert 0.02 <= false_alarms(model, 600, 300, 0, heavy_tailed) <= 0.08


def test_heavy_tails_in_a_few_runs():
    # 5 % nominal: more than 8 of 50 has probability 0.1 %.
    assert false_alarms("variance", 50, 300, 0, heavy_tailed) <= 8 / 50


@pytest.mark.parametrize("seed", range(5))
def test_changes_of_the_variance_are_found_beside_their_own_outliers(seed):
    x = heavy_tailed(seed) * np.repeat([1.0, 5.0], 150)
    found = find_changes(x, model="variance", copies=39, seed=seed)
    assert any(abs(position - 150) < 35 for position in found.positions)


@pytest.mark.parametrize(
    ("runs", "size"), [(40, 2.0), pytest.param(200, 1.5, marks=pytest.mark.long),
                       pytest.param(200, 2.5, marks=pytest.mark.long)]
)  # fmt: skip
def test_intervals_of_the_location_cover(runs, size):
    inside = []
    for seed in range(runs):
        x = autoregressive(300, 0.4, seed)
        x[170:] += size
        found = find_changes(x, copies=39, seed=seed)
        near = np.flatnonzero(np.abs(found.positions - 170) < 40)
        inside += [found.low[i] <= 170 <= found.high[i] for i in near[:1]]
    assert len(inside) > 0.8 * runs
    # Nominal 0.9; the standard error of 200 runs is 2 %.
    assert np.mean(inside) >= (0.83 if runs > 100 else 0.78)


def test_what_cannot_be_said_is_refused():
    walk = np.cumsum(np.random.default_rng(0).normal(size=400))
    assert "independent samples" in change_points(walk).reason
    assert "repeat" in change_points(np.repeat(np.random.default_rng(0).normal(size=50), 10)).reason
    with pytest.raises(SettingError, match="no model"):
        find_changes(np.ones(100), model="magic")
    with pytest.raises(SettingError, match="copies"):
        find_changes(autoregressive(100), alpha=0.01, copies=39)
    with pytest.raises(DataError, match="finite"):
        find_changes(np.full(100, np.nan))
