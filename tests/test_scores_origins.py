"""Point errors by step, valid times with their flags, and what many origins say together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from takens.errors import DataError, InsufficientData, SettingError
from takens.scores import (
    cumulative_maximum,
    cumulative_maximum_error,
    mase,
    over_origins,
    prediction_error,
    scaled_error,
    smape,
    valid_time,
)

RNG = np.random.default_rng(0)
PATH, TRUTH = RNG.normal(size=(7, 30, 3)), RNG.normal(size=(7, 30, 3))


def test_prediction_error_is_the_mean_square_at_one_step_from_every_origin():
    slow = np.mean([(PATH[k, 19, c] - TRUTH[k, 19, c]) ** 2 for k in range(7) for c in range(3)])
    assert prediction_error(PATH, TRUTH).value == pytest.approx(slow)
    legacy = prediction_error(PATH[0], TRUTH[0], step=10, legacy="DynaMix")
    assert legacy.value == pytest.approx(sum(abs(PATH[0, 9, c] - TRUTH[0, 9, c]) for c in range(3)))
    with pytest.raises(SettingError, match="step"):
        prediction_error(PATH, TRUTH, step=31)
    with pytest.raises(DataError, match="differ"):
        prediction_error(PATH, TRUTH[:, :20])


def test_a_run_that_failed_is_no_good_prediction_and_missing_truth_is_none():
    broken = PATH.copy()
    broken[2, 5:] = np.nan
    made = prediction_error(broken, TRUTH)
    assert made.value == np.inf
    assert "1 of 7 runs failed" in made.reason
    assert np.isfinite(made.details["by_origin"]).sum() == 6
    assert prediction_error(broken, TRUTH, step=3).value == prediction_error(PATH, TRUTH, step=3).value
    holed = TRUTH.copy()
    holed[:4, 19] = np.nan
    assert prediction_error(PATH, holed).value == pytest.approx(prediction_error(PATH[4:], TRUTH[4:]).value)
    assert scaled_error(broken, TRUTH).value == np.inf
    with pytest.raises(InsufficientData):
        prediction_error(PATH, np.full_like(TRUTH, np.nan))


def test_scaled_error_by_hand_from_history_and_from_the_truth():
    path, truth, history = np.array([1.0, 3.0, 6.0]), np.array([2.0, 2.0, 2.5]), np.array([0.0, 2.0, 1.0, 4.0])
    assert scaled_error(path, truth, history=history).value == pytest.approx((1 + 1 + 3.5) / 3 / 2)
    assert scaled_error(path, truth, history=history, lag=2).value == pytest.approx((1 + 1 + 3.5) / 3 / 1.5)
    assert scaled_error(path, truth).value == pytest.approx((1 + 1 + 3.5) / 3 / 0.25)
    assert scaled_error(path, truth, steps=2).value == pytest.approx(1 / 0.25)
    assert mase(path[None, :, None], truth, history=history).value == pytest.approx((1 + 1 + 3.5) / 3 / 2)
    assert "history" in mase(path[None, :, None], truth, history=history).settings["naive"]
    assert mase(path[None, :, None], truth).value == pytest.approx((1 + 1 + 3.5) / 3 / 0.25)


def test_scaled_error_averages_over_channels_and_ignores_units():
    factor = np.array([1.0, 100.0, 1e-3])
    assert scaled_error(PATH * factor, TRUTH * factor).value == pytest.approx(scaled_error(PATH, TRUTH).value)
    flat = TRUTH.copy()
    flat[..., 1] = 5.0
    made = scaled_error(PATH, flat)
    assert made.value == pytest.approx(scaled_error(PATH[..., [0, 2]], TRUTH[..., [0, 2]]).value)
    assert "1 channels" in made.reason


def test_legacy_scaled_error_takes_its_denominator_from_the_generated_run():
    run, true = np.cumsum(RNG.normal(size=(200, 3)), axis=0), np.cumsum(RNG.normal(size=(200, 3)), axis=0)
    ratios = []
    for c in range(3):
        error = np.mean([abs(run[t, c] - true[t, c]) for t in range(10)])
        naive = np.mean([abs(run[t, c] - run[t - 1, c]) for t in range(1, 200)])
        ratios.append(error / (naive + 1e-8))
    assert scaled_error(run, true, legacy="DynaMix").value == pytest.approx(np.mean(ratios))
    # Why it is not the default: twice the swings after the first steps, half the error.
    wild = run.copy()
    wild[10:] = run[10] + 10 * (run[10:] - run[10])
    assert scaled_error(wild, true, legacy="DynaMix").value < 0.2 * scaled_error(run, true, legacy="DynaMix").value


def test_cumulative_maximum_error_never_forgets():
    truth = np.zeros((1, 8, 2))
    path = np.zeros((1, 8, 2))
    path[0, 2], path[0, 5] = [0.3, 0.4], [3.0, 4.0]
    curve = cumulative_maximum(path, truth, [0.6, 0.8])
    np.testing.assert_allclose(curve[0], [0, 0, 0.5, 0.5, 0.5, 5, 5, 5])
    history = np.array([[0.6, 0.8], [-0.6, -0.8]])
    made = cumulative_maximum_error(path, truth[0], history=history)
    assert made.value == pytest.approx((0 + 0 + 3 * 0.5 + 3 * 1) / 8)
    slow = [max(np.linalg.norm(PATH[0, s] - TRUTH[0, s]) for s in range(t + 1)) / 2 for t in range(30)]
    np.testing.assert_allclose(cumulative_maximum(PATH, TRUTH, np.sqrt([1, 1, 2]))[0], slow)
    broken = path.copy()
    broken[0, 1] = np.nan
    assert np.isinf(cumulative_maximum(broken, truth, 1.0)[0, 1:]).all()


def slow_valid_steps(path: np.ndarray, truth: np.ndarray, limit: float, factor: float) -> int:
    """Steps before the mean of all terms so far first exceeds the limit."""
    for k in range(1, len(truth) + 1):
        terms = factor * np.abs(path[:k] - truth[:k]) / (np.abs(path[:k]) + np.abs(truth[:k]))
        if terms.mean() > limit:
            return k - 1
    return len(truth)


def test_valid_time_on_the_scale_of_0_to_100_is_longer():
    truth = 5 + RNG.normal(size=(60, 3))
    path = truth * np.exp(0.03 * np.arange(60))[:, None]
    published = valid_time(path, truth, 1.0, 1.0, kind="smape30").value
    halved = valid_time(path, truth, 1.0, 1.0, kind="smape30", legacy="dysts").value
    assert published == slow_valid_steps(path, truth, 30, 200)
    assert halved == slow_valid_steps(path, truth, 30, 100)
    assert 1.7 < halved / published < 2.3
    made = smape(path[None], truth)
    assert made.details["dysts"] == pytest.approx(made.value / 2)
    with pytest.raises(SettingError, match="kind"):
        valid_time(path, truth, 1.0, 1.0, legacy="dysts")
    with pytest.raises(SettingError, match="kind"):
        valid_time(path, truth, 1.0, 1.0, kind="smape30", threshold=20)


@pytest.mark.parametrize("threshold", [0.3, 0.4, 0.5])
def test_valid_time_at_each_threshold_of_the_literature(threshold):
    exponent, interval = 0.9, 0.02
    error = 1e-5 * np.exp(exponent * interval * np.arange(1, 1000))
    made = valid_time(error, np.zeros(999), 1.0, interval, lyapunov_exponent=exponent, threshold=threshold)
    assert made.value == pytest.approx(np.log(threshold / 1e-5), abs=exponent * interval)


def test_failures_and_early_ends_of_the_truth_are_counted():
    truth = np.zeros((24, 50, 1))
    path = np.zeros_like(truth)
    path[:10, 20:] = 1.0
    path[10:13, 30:] = np.nan
    path[13:, 45] = 1.0
    truth[20:, 40:] = np.nan
    made = valid_time(path, truth, 1.0, 1.0)
    assert made.details["failed"].sum() == 3 == made.settings["failures"]
    assert made.details["values"].tolist() == [20] * 10 + [30] * 3 + [45] * 7 + [40] * 4
    assert made.settings["censored"] == pytest.approx(4 / 24)
    assert "3 of 24 runs failed" in made.reason
    assert "lower bound" not in made.reason
    spread = made.details["spread"]
    assert spread["quartiles"] == [20, 45]
    json.dumps(made.to_dict(details=True), allow_nan=False)


def test_spread_over_origins_by_hand():
    values = np.array([1.0, 2, 3, 4, 100])
    made = over_origins(values, censored=[False] * 4 + [True], failed=[True] + [False] * 4)
    assert (made.median, made.quartiles) == (3.0, (2.0, 4.0))
    assert (made.censored, made.failures, made.bound, made.origins) == (0.2, 1, False, 5)
    assert "20% censored" in str(made)
    assert "1 failed" in str(made)
    assert over_origins(values, censored=values >= 3).bound
    assert over_origins([1.0, np.nan, 3.0]).origins == 2
    assert over_origins([1.0, 3.0]).interval is None
    assert over_origins([1.0, 2.0, np.inf, np.inf, np.inf]).median == np.inf
    mixed = np.random.default_rng(3).permutation(np.append(np.arange(20.0), np.inf))
    low, high = over_origins(mixed).interval
    assert low in (4, 5, 6)
    assert high == 20 - low
    with pytest.raises(InsufficientData):
        over_origins([np.nan])
    with pytest.raises(DataError):
        over_origins([1.0, 2.0], failed=[True])


@pytest.mark.parametrize(("count", "memory", "least"), [(20, 0.0, 0.88), (50, 0.0, 0.88), (60, 0.5, 0.85)])
def test_the_interval_of_the_median_covers_the_median_of_exponential_times(count, memory, least):
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        walk = np.empty(count)
        x = rng.normal()
        for i in range(count):
            x = memory * x + np.sqrt(1 - memory**2) * rng.normal()
            walk[i] = x
        low, high = over_origins(np.exp(walk)).interval
        inside += low <= 1 <= high
    assert least < inside / 300 <= 0.985
