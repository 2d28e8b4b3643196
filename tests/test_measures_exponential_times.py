"""Times of exponential decays: the likelihood against its dense definition, known processes, coverage, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from systems import autoregressive, logistic, lorenz63

import takens
from takens.checks import check_measure
from takens.errors import SettingError
from takens.measures import REGISTRY
from takens.measures.exponential_times import errors, fit_decays, white_p_value
from takens.measures.profile_likelihood import Maximum


def decays(n, times, weights, noise=0.0, seed=0):
    """A sum of Ornstein-Uhlenbeck processes with these times in samples and variances, and white noise."""
    rng = np.random.default_rng(seed)
    x = np.sqrt(noise) * rng.normal(size=n)
    for time, weight in zip(times, weights, strict=True):
        phi = np.exp(-1 / time)
        drive = rng.normal(size=n) * np.sqrt(weight * (1 - phi**2))
        drive[0] /= np.sqrt(1 - phi**2)
        x += lfilter([1.0], [1.0, -phi], drive)
    return x


def test_contract():
    assert check_measure(REGISTRY["exponential_times"])


def test_likelihood_is_that_of_the_increments_of_a_normal_vector():
    x = decays(60, [2.0, 15.0], [0.3, 0.5], 0.2)
    lag = np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    away = np.diff(np.eye(60), axis=0)  # an unknown mean leaves the differences to speak

    def dense(times, ratios):
        w = np.array([1.0, *ratios])
        w = w / w.sum()
        cover = w[0] * np.exp(-lag / times[0]) + w[1] * np.exp(-lag / times[1]) + w[2] * np.eye(60)
        moved = away @ cover @ away.T
        inner = away @ x @ np.linalg.solve(moved, away @ x)
        return np.linalg.slogdet(moved)[1] + 59 * np.log(inner / 59)

    points = [((2.0, 15.0), (1.5, 0.6)), ((5.0, 40.0), (0.2, 2.0)), ((0.7, 8.0), (1.0, 0.01))]
    ours = [errors(x, 2, True, np.log([*times, *ratios]))[0] for times, ratios in points]
    exact = [dense(*point) for point in points]
    np.testing.assert_allclose(np.diff(ours), np.diff(exact), atol=2e-4)  # equal up to a constant


def test_profile_of_a_normal_mean_and_deviation_is_students():
    x = np.random.default_rng(0).normal(3, 2, size=40)

    def deviance(p):
        return 40 * 2 * p[1] + float(np.sum((x - p[0]) ** 2)) * np.exp(-2 * p[1])

    found = Maximum(deviance, ((-50.0, 50.0), (-5.0, 5.0)), np.array([1.0, 0.0])).best()
    np.testing.assert_allclose(found.parameters, (x.mean(), np.log(x.std())), atol=1e-3)
    # -2 ln L rises by N ln(1 + (mean - m)^2 / s^2): the ends are in closed form.
    away = x.std() * np.sqrt(np.expm1(3.841459 / 40))
    assert found.end(0, 1, 0.95) == pytest.approx(x.mean() + away, rel=2e-3)
    assert found.end(0, -1, 0.95) == pytest.approx(x.mean() - away, rel=2e-3)
    tight = Maximum(deviance, ((-50.0, x.mean() + 0.1), (-5.0, 5.0)), found.parameters).best()
    assert tight.end(0, 1, 0.95) == x.mean() + 0.1


def test_times_and_weights_of_a_known_sum():
    x = decays(5000, [40.0, 2.0], [0.5, 0.5], seed=3)
    estimate = takens.exponential_times(takens.Series.from_array(3 + 7 * x, interval=0.5, unit="s"))
    assert estimate.unit == "s"
    assert estimate.settings["decays"] == 2
    for low, exact, high in zip(*estimate.interval[:1], (20, 1), *estimate.interval[1:], strict=True):
        assert low <= exact <= high
    np.testing.assert_allclose(estimate.details["weights"], 0.5, atol=0.15)
    curve = 0.5 * np.exp(-np.arange(20) / 40) + 0.5 * np.exp(-np.arange(20) / 2)
    np.testing.assert_allclose(estimate.details["fitted"][:20], curve, atol=0.1)
    noisy = takens.exponential_times(decays(4000, [10.0], [0.6], 0.4, seed=1))
    assert noisy.settings["noise"]
    assert noisy.details["noise"] == pytest.approx(0.4, abs=0.08)


def test_one_decay_is_not_taken_for_two():
    counts = [
        fit_decays((x - x.mean()) / x.std(), 2)[0].count for x in (autoregressive(600, 0.8, s) for s in range(40))
    ]
    assert np.mean(np.array(counts) > 1) <= 0.05


@pytest.mark.parametrize(("phi", "n", "runs"), [(0.9, 1000, 100), (0.7, 300, 100)])
def test_intervals_of_one_decay_cover(phi, n, runs):
    ends = [takens.exponential_times(autoregressive(n, phi, s), most=1) for s in range(runs)]
    hits = [e.interval[0][0] <= -1 / np.log(phi) <= e.interval[1][0] for e in ends if e.admissible]
    assert len(hits) > 0.95 * runs
    assert 0.81 <= np.mean(hits) <= 0.97


@pytest.mark.long
def test_intervals_of_two_decays_cover():
    hits, found = [], []
    for seed in range(60):
        estimate = takens.exponential_times(decays(5000, [40.0, 2.0], [0.5, 0.5], seed=seed))
        found.append(estimate.settings["decays"] == 2)
        if found[-1]:
            hits.append([low <= time <= high for time, low, high in zip((40, 2), *estimate.interval, strict=True)])
    assert np.mean(found) > 0.9
    assert (np.mean(hits, axis=0) >= 0.81).all()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.random.default_rng(0).normal(size=1000), "not correlated"),
        (logistic(1000), "not correlated"),
        (autoregressive(1000, -0.6), "not correlated"),
        (lorenz63(4000)[:, 0], "oscillations"),
        (np.random.default_rng(0).normal(size=1000).cumsum(), "lengths of the record"),
    ],
    ids=["noise", "map", "anti-persistent", "flow", "walk"],
)
def test_what_is_no_sum_of_decays_is_refused(x, words):
    estimate = takens.exponential_times(x)
    assert not estimate.admissible
    assert words in estimate.reason


def test_test_of_white_errors_has_its_size():
    p = [white_p_value(np.random.default_rng(s).normal(size=500), 20, 0) for s in range(400)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09
    with pytest.raises(SettingError, match="most"):
        takens.exponential_times(autoregressive(500), most=0)
