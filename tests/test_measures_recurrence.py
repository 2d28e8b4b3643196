"""Recurrence quantification: matrices counted by hand and by brute force, exact laws of noise, published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from systems import _flow

from takens.errors import DataError, SettingError
from takens.measures.recurrence import (
    Threshold,
    cross_recurrence_quantification,
    joint_recurrence_quantification,
    recurrence_quantification,
)
from takens.neighbours import delay_vectors


def matrix_of(x, y, radius, metric="maximum"):
    apart = np.abs(x[:, None, :] - y[None, :, :])
    return (apart.max(axis=2) if metric == "maximum" else np.sqrt((apart**2).sum(axis=2))) <= np.reshape(
        radius, (-1, 1)
    )


def runs(line):
    """Lengths of the runs of True, one after another."""
    lengths, open_ = [], 0
    for value in [*line, False]:
        if value:
            open_ += 1
        elif open_:
            lengths.append(open_)
            open_ = 0
    return lengths


def slow(matrix, theiler, symmetric):
    """Every quantity from the whole matrix, the slow and obvious way."""
    n, m = matrix.shape
    i, j = np.indices(matrix.shape)
    outside = np.abs(i - j) > theiler
    kept = matrix & outside
    offsets = range(theiler + 1, m) if symmetric else range(1 - n, m)
    diagonal = [length for k in offsets for length in runs(np.diagonal(kept, k))]
    vertical, white, first, second = [], [], [], []
    for row in range(n):
        sides = [slice(0, row), slice(row + 1, m)] if theiler >= 0 else [slice(0, m)]
        for side in sides:
            at = np.flatnonzero(kept[row, side])
            vertical += runs(kept[row, side])
            starts = [t for t in at if t == 0 or not kept[row, side][t - 1]]
            first += list(np.diff(at))
            second += list(np.diff(starts))
            white += [gap - 1 for gap in np.diff(at) if gap > 1]
    long, tall = [v for v in diagonal if v >= 2], [v for v in vertical if v >= 2]

    def entropy(lengths):
        p = np.unique(lengths, return_counts=True)[1] / len(lengths)
        return -np.sum(p * np.log(p))

    return {
        "recurrence_rate": kept.sum() / outside.sum(), "determinism": sum(long) / sum(diagonal),
        "diagonal_length": np.mean(long), "longest_diagonal": max(diagonal), "diagonal_entropy": entropy(long),
        "laminarity": sum(tall) / sum(vertical), "trapping_time": np.mean(tall), "longest_vertical": max(vertical),
        "vertical_entropy": entropy(tall), "recurrence_time_1": np.mean(first), "recurrence_time_2": np.mean(second),
        "white_vertical_length": np.mean(white),
    }  # fmt: skip


def walk(n, d, seed):
    """Smooth enough for lines of all kinds, and rounded, so that many distances are equal."""
    return np.round(np.cumsum(np.random.default_rng(seed).normal(size=(n, d)), axis=0) / 2, 1)


@pytest.mark.parametrize("metric", ["maximum", "euclidean"])
@pytest.mark.parametrize(("n", "d", "theiler"), [(50, 1, 0), (64, 2, 0), (127, 3, 5), (200, 3, 0), (300, 5, 17)])
def test_every_quantity_agrees_with_the_whole_matrix(metric, n, d, theiler):
    x = walk(n, d, n)
    # Between the tenths on which distances in the maximum norm lie, and on one of them.
    for radius in (1.05, 1.0) if metric == "maximum" and d == 1 else (1.05 * d**0.5,):
        expected = slow(matrix_of(x, x, radius + 1e-9, metric), theiler, True)
        found = recurrence_quantification(x, radius=radius + 1e-9, metric=metric, theiler=theiler)
        for name, value in expected.items():
            assert getattr(found, name) == pytest.approx(value, rel=1e-12), name
        assert found.divergence == 1 / expected["longest_diagonal"]
        assert found.ratio == pytest.approx(expected["determinism"] / expected["recurrence_rate"])


def test_a_matrix_counted_by_hand():
    # Recurrent pairs above the diagonal: 0-2, 1-3, 2-4 (a line of 3), 0-4 and 5-6. In rows: 2, 4 | 3 | 0, 4 | 1 | 0,
    # 2 | 6 | 5: ten single points, gaps of 1 (0: 2 to 4; 4: 0 to 2), none across the diagonal.
    x = np.array([0.0, 10, 0, 10, 0, 50, 50])
    found = recurrence_quantification(x, radius=1, resamples=0)
    assert found.recurrence_rate == 5 / 21
    assert found.determinism == 3 / 5
    assert (found.diagonal_length, found.longest_diagonal, found.diagonal_entropy) == (3, 3, 0)
    assert (found.laminarity, found.longest_vertical) == (0, 1)
    assert np.isnan(found.trapping_time)
    assert (found.white_vertical_length, found.recurrence_time_1, found.recurrence_time_2) == (1, 2, 2)
    assert recurrence_quantification(x, radius=1, theiler=2, resamples=0).recurrence_rate == 1 / 10


def test_cross_recurrence_agrees_with_the_whole_matrix():
    x, y = walk(150, 2, 1), walk(220, 2, 2)
    found = cross_recurrence_quantification(x, y, radius=1.55)
    for name, value in slow(matrix_of(x, y, 1.55), -1, False).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-12), name
    assert np.isnan(found.trend)


@pytest.mark.parametrize("metrics", [("maximum", "maximum"), ("euclidean", "maximum"), ("euclidean", "euclidean")])
def test_joint_recurrence_agrees_with_the_whole_matrices(metrics):
    x, y = walk(200, 3, 3), walk(200, 2, 4)
    rules = Threshold(radius=2.05, metric=metrics[0]), Threshold(radius=3.05, metric=metrics[1])
    both = matrix_of(x, x, 2.05, metrics[0]) & matrix_of(y, y, 3.05, metrics[1])
    found = joint_recurrence_quantification(x, y, thresholds=rules, theiler=3)
    for name, value in slow(both, 3, True).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-12), name


def test_fixed_number_of_neighbours_agrees_with_the_whole_matrix():
    x = np.random.default_rng(5).normal(size=(200, 2)).cumsum(axis=0)
    apart = np.abs(x[:, None] - x[None]).max(axis=2)
    i, j = np.indices(apart.shape)
    radius = np.sort(np.where(np.abs(i - j) > 4, apart, np.inf), axis=1)[:, 6]
    found = recurrence_quantification(x, neighbours=7, theiler=4)
    for name, value in slow(apart <= radius[:, None], 4, False).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-12), name
    assert found.recurrence_rate == pytest.approx(7 * 200 / (np.abs(i - j) > 4).sum())


def test_fixed_rate_is_met():
    x = np.random.default_rng(6).normal(size=(900, 3))
    pairs = 900 * 899 / 2
    for rate in (0.01, 0.1, 0.5):
        found = recurrence_quantification(x, rate=rate, resamples=0)
        assert 0 <= found.recurrence_rate - rate < 2 / pairs  # distances come in pairs i, j and j, i
    longer = np.random.default_rng(7).normal(size=(5000, 3))
    assert recurrence_quantification(longer, rate=0.05, resamples=0).recurrence_rate == pytest.approx(0.05, rel=0.03)


def test_threads_change_nothing():
    x = np.random.default_rng(8).normal(size=(5000, 2)).cumsum(axis=0)
    one, three = (recurrence_quantification(x, rate=0.02, theiler=3, threads=k) for k in (1, 3))
    assert one == three


def test_lines_of_noise_follow_their_law():
    # Independent values on a circle (cos and sin of a uniform angle): pairs on a diagonal are independent, so that with
    # rate p runs are geometric: DET = 1 - (1 - p)^2, L = (2 - p) / (1 - p), ENT = -ln(1 - p) - p ln p / (1 - p). On a
    # circle every state has the same p, so that vertical lines and gaps follow the same law, with mean gap 1 / p.
    angle = np.random.default_rng(9).uniform(0, 2 * np.pi, 4000)
    p = 0.2
    radius = 2 * np.sin(np.pi * p / 2)
    found = recurrence_quantification(
        np.column_stack([np.cos(angle), np.sin(angle)]), radius=radius, metric="euclidean", resamples=0
    )
    assert found.recurrence_rate == pytest.approx(p, rel=0.01)
    expected = 1 - (1 - p) ** 2, (2 - p) / (1 - p), -np.log(1 - p) - p * np.log(p) / (1 - p)
    # Vertical lines at the same two times are all alike, so that they tell less than diagonal ones.
    for names, rel in (
        (("determinism", "diagonal_length", "diagonal_entropy"), 0.01),
        (("laminarity", "trapping_time", "vertical_entropy"), 0.08),
    ):
        for name, value in zip(names, expected, strict=True):
            assert getattr(found, name) == pytest.approx(value, rel=rel), name
    assert found.white_vertical_length == pytest.approx(1 / p, rel=0.02)
    assert found.recurrence_time_1 == pytest.approx(1 / p, rel=0.02)
    assert found.recurrence_time_2 == pytest.approx(1 / p + 1 / (1 - p), rel=0.02)
    assert abs(found.trend) < 1e-5


def test_published_values_of_the_roessler_system():
    # a = b = 0.25, c = 4, dt = 0.05, m = 3, tau = 6, Euclidean, radius 1.2, 12,619 states: crqa, the CRP toolbox and
    # RecurrenceAnalysis.jl agree on these to 1e-6 for one orbit; ours is another orbit of the same system.
    def rule(x):
        return np.array([-x[1] - x[2], x[0] + 0.25 * x[1], 0.25 + x[2] * (x[0] - 4)])

    orbit = _flow(rule, np.array([1.0, 1.1, 0]), 12_631, 0.05, 2)[:, 0]
    found = recurrence_quantification(delay_vectors(orbit, 3, 6), radius=1.2, metric="euclidean")
    for name, value, rel in (
        ("recurrence_rate", 0.0342727, 0.03), ("determinism", 0.9990989, 1e-4), ("diagonal_length", 19.52974, 0.04),
        ("diagonal_entropy", 3.639179, 0.01), ("laminarity", 0.9961810, 4e-4), ("trapping_time", 6.446174, 0.02),
    ):  # fmt: skip
        assert getattr(found, name) == pytest.approx(value, rel=rel), name
        low, high = found.intervals[name]
        assert low < value < high, name


def test_a_period_is_all_lines():
    x = np.column_stack([f(2 * np.pi * np.arange(1000) / 50) for f in (np.cos, np.sin)])
    found = recurrence_quantification(x, radius=1e-6, theiler=10)
    assert found.determinism == 1
    assert found.longest_diagonal == 950
    assert found.recurrence_time_2 == 50
    assert found.recurrence_rate == pytest.approx(1 / 50, rel=0.06)


@pytest.mark.parametrize("process", ["noise", "autoregressive"])
def test_intervals_cover(process):
    # The mean over runs stands for the truth; rare vertical lines are covered a little too rarely (see below).
    runs = []
    for seed in range(150):
        x = np.random.default_rng(seed).normal(size=800)
        x = x if process == "noise" else lfilter([1], [1, -0.8], x)[100:]
        runs.append(recurrence_quantification(x, radius=0.4, theiler=0 if process == "noise" else 10, seed=seed))
    for name in runs[0].intervals:
        truth = np.mean([getattr(run, name) for run in runs])
        covered = np.mean([run.intervals[name][0] <= truth <= run.intervals[name][1] for run in runs])
        assert (0.75 if name in ("laminarity", "trapping_time", "vertical_entropy") else 0.81) <= covered <= 0.98, name


def test_drift_has_a_trend():
    x = np.random.default_rng(10).normal(size=2000) + np.linspace(0, 5, 2000)
    assert recurrence_quantification(x, radius=0.5, resamples=0).trend < -1e-4


def test_defined_answers_and_refusals():
    apart = recurrence_quantification(np.arange(100.0), radius=0.5)
    assert apart.recurrence_rate == 0
    assert np.isnan([apart.determinism, apart.diagonal_length, apart.divergence, apart.recurrence_time_2]).all()
    constant = recurrence_quantification(np.zeros(100), radius=0)
    # All but the two corners of the plane, whose lines have one point.
    assert (constant.recurrence_rate, constant.determinism, constant.laminarity) == (1, 4949 / 4950, 4949 / 4950)
    unfit = [{}, {"radius": 1, "rate": 0.1}, {"radius": -1}, {"rate": 1}, {"neighbours": 0}]
    unfit += [{"radius": 1, **more} for more in ({"metric": "l1"}, {"theiler": -1}, {"shortest_diagonal": 1})]
    for bad in unfit:
        with pytest.raises(SettingError):
            recurrence_quantification(np.arange(10.0), **bad)
    for data in (np.array([1.0, np.nan, 2]), np.zeros((3, 3, 3)), np.zeros(1)):
        with pytest.raises(DataError):
            recurrence_quantification(data, radius=1)
    with pytest.raises(DataError):
        recurrence_quantification(np.arange(10.0), rate=0.5, theiler=20)
