"""Recalibration: coverage on exchangeable data, dependence kept, and the model wrapper."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens.errors import DataError, InsufficientData
from takens.models import Conformal, Recalibration, model


def coverage(samples: np.ndarray, truth: np.ndarray) -> float:
    return float(((np.quantile(samples, 0.05, axis=0) <= truth) & (truth <= np.quantile(samples, 0.95, axis=0))).mean())


@pytest.mark.parametrize("origins", [15, 50])
@pytest.mark.parametrize("kind", ["too narrow", "too wide", "biased", "heteroscedastic", "skewed"])
def test_intervals_cover_on_exchangeable_data(kind, origins):
    rng = np.random.default_rng(7)
    found = []
    for _ in range(60):
        total = origins + 15
        size = np.exp(rng.normal(size=(total, 1, 1, 1))) if kind == "heteroscedastic" else np.ones((total, 1, 1, 1))
        width = {"too narrow": 0.3, "too wide": 3.0}.get(kind, 0.7)
        samples = rng.normal(size=(total, 60, 6, 1)) * size * width
        noise = rng.exponential(size=(total, 6, 1)) - 1 if kind == "skewed" else rng.normal(size=(total, 6, 1))
        truth = noise * size[:, 0] + (1.5 if kind == "biased" else 0.0)
        fitted = Recalibration.fit(samples[:origins], truth[:origins])
        found += [coverage(fitted.apply(samples[k]), truth[k]) for k in range(origins, total)]
    assert 0.885 <= np.mean(found) <= 0.95


def test_correction_for_few_origins_with_dependent_horizons():
    # All horizons of an origin share one error, so pooling them must not be taken for more data.
    rng = np.random.default_rng(8)
    found = []
    for _ in range(150):
        samples = rng.normal(size=(13, 60, 40, 1)) * 0.5
        truth = np.repeat(rng.normal(size=(13, 1, 1)), 40, axis=1)
        fitted = Recalibration.fit(samples[:12], truth[:12])
        found.append(coverage(fitted.apply(samples[12])[:, 30:], truth[12, 30:]))
    assert np.mean(found) >= 0.85


def test_ranks_and_so_dependence_stay():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(30, 50, 8, 2)).cumsum(axis=2)
    fitted = Recalibration.fit(samples, rng.normal(size=(30, 8, 2)))
    after = fitted.apply(samples[0])
    np.testing.assert_array_equal(np.argsort(after, axis=0), np.argsort(samples[0], axis=0))


def test_missing_truth_is_left_out():
    rng = np.random.default_rng(1)
    samples, truth = rng.normal(size=(40, 50, 6, 1)), rng.normal(size=(40, 6, 1))
    holed = np.concatenate([truth, np.full((5, 6, 1), np.nan)])
    more = np.concatenate([samples, rng.normal(size=(5, 50, 6, 1))])
    a, b = Recalibration.fit(samples, truth), Recalibration.fit(more, holed)
    # The halves of the origins differ, so the way may; what each way would do may not.
    one = [np.sort(r.apply(samples[0]), axis=0) for r in (a, b)]
    np.testing.assert_allclose(one[0], one[1], atol=0.5)
    truth[:, 3:] = np.nan
    late = Recalibration.fit(samples, truth).apply(samples[0])
    assert np.isfinite(late).all()


def test_horizons_beyond_the_calibrated_ones_use_the_last():
    rng = np.random.default_rng(2)
    samples, truth = rng.normal(size=(30, 50, 4, 1)), 3 * rng.normal(size=(30, 4, 1))
    fitted = Recalibration.fit(samples, truth)
    longer = fitted.apply(np.concatenate([samples[0], samples[0][:, -1:]], axis=1))
    np.testing.assert_array_equal(longer[:, 4], longer[:, 3])


def test_identical_members_get_a_width():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(60, 5, 1))
    samples = np.zeros((60, 80, 5, 1))
    after = Recalibration.fit(samples, truth).apply(samples[0])
    np.testing.assert_allclose(np.quantile(after, 0.95, axis=0) - np.quantile(after, 0.05, axis=0), 3.29, atol=0.9)


def test_constant_channel_stays_constant():
    samples = np.full((20, 30, 5, 1), 2.0)
    fitted = Recalibration.fit(samples, np.full((20, 5, 1), 2.0))
    np.testing.assert_allclose(fitted.apply(samples[0]), 2.0)


def test_refusals():
    with pytest.raises(InsufficientData):
        Recalibration.fit(np.zeros((2, 9, 3, 1)), np.zeros((2, 3, 1)))
    with pytest.raises(InsufficientData):
        Recalibration.fit(np.zeros((5, 9, 3, 1)), np.full((5, 3, 1), np.nan))
    with pytest.raises(DataError):
        Recalibration.fit(np.zeros((5, 9, 3, 1)), np.zeros((5, 4, 1)))


def test_conformal_model_covers_where_the_plain_one_does_not():
    # Climatology of a slow process from a short past is too sure of its level; held-out errors say so.
    inside = []
    for seed in range(12):
        x = autoregressive(1500, phi=0.95, seed=seed)
        law = Conformal(model("persistence"), origins=40, horizon=20).fit(x[:1200])
        for origin in range(1200, 1480, 40):
            forecast = law.forecast(20, history=x[:origin], members=100, seed=origin)
            inside.append(coverage(forecast.samples[..., 0], x[origin : origin + 20]))
    assert 0.86 <= np.mean(inside) <= 0.96
