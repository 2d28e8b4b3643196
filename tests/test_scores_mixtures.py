"""The divergence of many channels, by Gaussian mixtures: closed forms, slow transcriptions, and what it can tell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from systems import lorenz63, roessler

from takens.errors import SettingError
from takens.random import generator
from takens.scores import state_space_divergence
from takens.scores.mixtures import kernel_variance, log_likelihood, mixture_divergence


def gaussian_divergence(mean0, cov0, mean1, cov1) -> float:
    inverse, off = np.linalg.inv(cov1), mean1 - mean0
    logs = np.linalg.slogdet(cov1)[1] - np.linalg.slogdet(cov0)[1]
    return 0.5 * (np.trace(inverse @ cov0) + off @ inverse @ off - len(off) + logs)


def test_mixtures_around_gaussian_points_have_the_divergence_of_gaussians():
    rng = np.random.default_rng(0)
    cov0, cov1 = np.array([[1.0, 0.3], [0.3, 0.5]]), np.array([[0.7, -0.2], [-0.2, 1.2]])
    mean0, mean1 = np.zeros(2), np.array([0.8, -0.5])
    true, run = rng.multivariate_normal(mean0, cov0, 10_000), rng.multivariate_normal(mean1, cov1, 10_000)
    variance = 0.2
    found = mixture_divergence(true, run, variance, 4000, generator(1))
    # A mixture around points of N(m, C) is N(m, C + variance I).
    expected = gaussian_divergence(mean0, cov0 + variance * np.eye(2), mean1, cov1 + variance * np.eye(2))
    assert abs(found.value - expected) < 4 * found.error + 0.01
    assert found.error < 0.05
    assert found.dropped == 0


def test_log_likelihood_agrees_with_a_sum_over_components_far_from_the_origin():
    rng = np.random.default_rng(1)
    points, drawn = 1e4 + rng.normal(size=(300, 7)), 1e4 + 3 * rng.normal(size=(40, 7))
    exponent = -((drawn[:, None] - points) ** 2).sum(axis=2) / (2 * 0.3)
    assert np.allclose(log_likelihood(drawn, points, 0.3), logsumexp(exponent, axis=1) - np.log(300), atol=1e-5)
    # Far outside, where the density itself is 0, its logarithm is that of the nearest point.
    far = np.full((1, 7), 2e4)
    nearest = ((far - points) ** 2).sum(axis=1).min()
    assert log_likelihood(far, points, 0.3)[0] == pytest.approx(-nearest / 0.6 - np.log(300), rel=1e-9)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    points, drawn = rng.normal(size=(101, 4)), rng.normal(size=(57, 4))
    whole = log_likelihood(drawn, points, 1.0)
    monkeypatch.setattr("takens.scores.mixtures.CHUNK", 500)
    np.testing.assert_allclose(log_likelihood(drawn, points, 1.0), whole, atol=1e-12)


def drawn_from(true: np.ndarray, samples: int, variance: float, rng: np.random.Generator) -> np.ndarray:
    drawn = true[rng.integers(len(true), size=samples)]
    return drawn + np.sqrt(variance) * rng.normal(size=drawn.shape)


def slow_gtf(true: np.ndarray, run: np.ndarray, samples: int, rng: np.random.Generator, *, both: bool = False):
    """Component by component in single precision; draws without likelihood are dropped."""
    drawn = drawn_from(true, samples, 1.0, rng)
    likelihoods = []
    for points in (true, run):
        exponent = ((drawn[:, None] - points) ** 2).sum(axis=2)
        likelihoods.append(np.exp(np.float32(-0.5) * exponent.astype(np.float32)).sum(axis=1) / len(points))
    p, q = likelihoods
    kept = (p > 0) & (q > 0) if both else q > 0
    return float(np.mean(np.log(p[kept]) - np.log(q[kept]))), 1 - kept.mean()


def many_channels(length: int, seed: int, channels: int = 12) -> np.ndarray:
    mixed = lorenz63(length, seed=seed) @ np.random.default_rng(1).normal(size=(3, channels))
    return (mixed - mixed.mean(axis=0)) / mixed.std(axis=0)


def test_legacy_mixtures_reproduce_transcriptions_and_drop_what_underflows():
    true, run = many_channels(900, 0), many_channels(900, 2).copy()
    run[:, 0] += 13.0  # far enough that most draws have no likelihood in single precision, and some have
    found = state_space_divergence(run, true, legacy="GTF", seed=3)
    expected, dropped = slow_gtf(true, run, 1000, generator(3, "state_space_divergence"), both=True)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert 0.05 < dropped < 0.95
    assert found.details["dropped"] == pytest.approx(dropped)
    rng = generator(3, "state_space_divergence")
    both = [slow_gtf(a, b, 1000, rng)[0] for a, b in ((true, run), (run, true))]
    made = state_space_divergence(run, true, legacy="dendPLRNN", method="mixture", seed=3)
    assert made.value == pytest.approx(np.mean(both), rel=1e-4)
    # Nothing dropped, the run is worse than the published number says.
    honest = state_space_divergence(run, true, variance=1.0, seed=3)
    assert honest.value > found.value + 1
    far = many_channels(900, 2) + 1e3
    assert state_space_divergence(far, true, legacy="GTF").value == np.inf
    assert np.isfinite(state_space_divergence(far, true).value)


def test_legacy_dysts_agrees_with_scipy_and_is_infinite_where_the_density_underflows():
    true, run = lorenz63(150), lorenz63(130, seed=2)
    drawn = drawn_from(true, 60, 1.0, generator(0, "state_space_divergence"))
    p, q = (np.mean([multivariate_normal(x, np.eye(3)).pdf(drawn) for x in points], axis=0) for points in (true, run))
    made = state_space_divergence(run, true, legacy="dysts", samples=60)
    assert made.value == pytest.approx(float(np.mean(np.log(p / q))), rel=1e-9)
    assert state_space_divergence(run + 100, true, legacy="dysts", samples=60).value == np.inf


def test_at_most_ten_thousand_points_the_first_of_them_in_the_published_codes():
    rng = np.random.default_rng(5)
    true = rng.normal(size=(25_000, 6))
    shifted = true.copy()
    shifted[10_000:] += 5
    assert state_space_divergence(shifted, true, legacy="GTF").value == pytest.approx(0.0, abs=1e-12)
    assert state_space_divergence(shifted, true).value > 0.3
    assert state_space_divergence(shifted, true).settings["points"] <= 10_000


def test_many_channels_tell_wrong_runs_from_another_run_of_the_same_system():
    true, same = many_channels(5000, 0), many_channels(5000, 6)
    made = state_space_divergence(same, true)
    assert made.settings["method"] == "mixture"
    assert made.value < made.floor < 0.2
    assert made.details["error"] < 0.02
    rng = np.random.default_rng(7)
    mix = np.random.default_rng(1).normal(size=(3, 12))
    other = roessler(5000) @ mix
    wrong = {
        "gaussian": rng.multivariate_normal(true.mean(axis=0), np.cov(true.T), 5000),
        "shrunk": 0.8 * same,
        "cycle": np.tile(same[:100], (50, 1)),
        "turned": np.roll(same, 1, axis=1),
        "still": np.zeros_like(true),
        "other": (other - other.mean(axis=0)) / other.std(axis=0),
    }
    for name, run in wrong.items():
        assert state_space_divergence(run, true).value > 2.5 * made.floor, name
    again = state_space_divergence(same, true)
    assert again.value == made.value
    assert state_space_divergence(same, true, seed=1).value != made.value


def test_the_kernel_is_as_wide_as_the_truth_is_sampled():
    rng = np.random.default_rng(8)
    sparse = rng.normal(size=(2000, 40))
    halves = [sparse[:1000], sparse[1000:]]
    nearest = [((a[:, None] - b) ** 2).sum(axis=2).min(axis=1) for a, b in (halves, halves[::-1])]
    assert kernel_variance(sparse, 0) == pytest.approx(0.25 * np.median(np.concatenate(nearest)), rel=0.05)
    assert kernel_variance(many_channels(5000, 0), 0) == pytest.approx(0.02 * 12)
    # With variance 1 a run that is too small scores better than the truth; with the default it does not.
    other, small = rng.normal(size=(2000, 40)), 0.7 * rng.normal(size=(2000, 40))
    narrow, wide = ([state_space_divergence(x, sparse, variance=v).value for x in (other, small)] for v in (1.0, None))
    assert narrow[1] < narrow[0]
    assert wide[1] > wide[0]


def test_mixtures_refuse_what_they_are_not_defined_for():
    true = many_channels(300, 0)
    assert state_space_divergence(true, np.ones_like(true)).value > 0
    with pytest.raises(SettingError, match="variance"):
        state_space_divergence(true, true, variance=0.0)
    with pytest.raises(SettingError, match="no such variant"):
        state_space_divergence(true, true, legacy="dysts", method="bins")
    with pytest.raises(SettingError, match="unknown legacy"):
        state_space_divergence(true, true, legacy="Chronos")
