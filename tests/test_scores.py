"""Scores against closed forms, scoringrules and slow transcriptions of the published formulas."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from takens.clock import Clock
from takens.errors import DataError, InsufficientData, SettingError
from takens.forecast import Forecast
from takens.scores import (
    REGISTRY,
    coverage,
    crps,
    crps_samples,
    energy_samples,
    energy_score,
    interval_width,
    mae,
    nrmse,
    pit,
    pit_values,
    rmse,
    score,
    skill,
    smape,
    valid_time,
)
from takens.series import Series


def forecast_of(samples: np.ndarray, start: float = 0.0, **known) -> Forecast:
    _, horizon, channels = samples.shape
    names = tuple("abcdefgh"[:channels])
    return Forecast(samples, start + np.arange(horizon, dtype=float), names, ("m",) * channels, **known)


# --- samples


def test_crps_agrees_with_scoringrules_and_with_the_gaussian_closed_form():
    rng = np.random.default_rng(1)
    samples, truth = rng.normal(size=(23, 4, 5)), rng.normal(size=(4, 5))
    oracle = scoringrules.crps_ensemble(truth, samples, m_axis=0, estimator="fair")
    assert np.allclose(crps_samples(samples, truth), oracle, atol=1e-12)
    x = 0.7
    closed = x * (2 * norm.cdf(x) - 1) + 2 * norm.pdf(x) - 1 / np.sqrt(np.pi)
    many = crps_samples(rng.normal(size=(5, 200_000)), np.full(200_000, x))
    assert abs(many.mean() - closed) < 4 * many.std() / np.sqrt(len(many))  # unbiased already with 5 members


def test_crps_of_one_member_is_the_absolute_error_and_missing_truth_stays_missing():
    assert np.allclose(crps_samples(np.array([[1.0, 5.0, 2.0]]), np.array([3.0, 4.0, 2.0])), [2, 1, 0])
    result = crps_samples(np.zeros((3, 2)), np.array([np.nan, 1.0]))
    assert np.isnan(result[0])
    assert result[1] == 1.0
    with pytest.raises(DataError, match="do not fit"):
        crps_samples(np.zeros((3, 2)), np.zeros(3))


@given(st.integers(2, 12), st.floats(-50, 50), st.floats(0.1, 20), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_crps_shifts_and_scales_with_the_data(members, shift, factor, seed):
    rng = np.random.default_rng(seed)
    samples, truth = rng.normal(size=(members, 6)), rng.normal(size=6)
    moved = crps_samples(samples * factor + shift, truth * factor + shift)
    assert np.allclose(moved, factor * crps_samples(samples, truth), atol=1e-9)
    assert np.allclose(crps_samples(samples[::-1], truth), crps_samples(samples, truth), atol=1e-12)


def test_energy_score_agrees_with_the_double_loop_is_the_crps_in_one_dimension_and_ignores_rotation():
    rng = np.random.default_rng(2)
    samples, truth = rng.normal(size=(9, 3, 4)) + 1e6, rng.normal(size=(3, 4)) + 1e6
    slow = np.empty(3)
    for cell in range(3):
        x = samples[:, cell]
        pairs = [np.linalg.norm(a - b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
        slow[cell] = np.mean([np.linalg.norm(a - truth[cell]) for a in x]) - np.mean(pairs) / 2
    assert np.allclose(energy_samples(samples, truth), slow, atol=1e-7)
    oracle = scoringrules.es_ensemble(truth, np.moveaxis(samples, 0, 1), estimator="fair")
    assert np.allclose(energy_samples(samples, truth), oracle, atol=1e-7)
    assert np.allclose(energy_samples(samples[..., :1], truth[..., :1]), crps_samples(samples[..., 0], truth[..., 0]))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert np.allclose(energy_samples(samples @ turn, truth @ turn), slow, atol=1e-6)


def test_the_energy_score_does_not_depend_on_chunks(monkeypatch):
    rng = np.random.default_rng(3)
    samples, truth = rng.normal(size=(6, 50, 2)), rng.normal(size=(50, 2))
    whole = energy_samples(samples, truth)
    monkeypatch.setattr("takens.scores.ensembles.CHUNK", 7 * 36)
    assert np.allclose(energy_samples(samples, truth), whole, atol=1e-14)


def test_pit_values_are_uniform_for_exchangeable_truth_even_with_ties():
    rng = np.random.default_rng(4)
    for draw in (rng.normal, lambda size: rng.integers(0, 3, size=size).astype(float)):
        values = pit_values(draw(size=(9, 20_000)), draw(size=20_000), seed=5)
        shares = np.histogram(values, bins=13, range=(0, 1))[0] / 20_000
        assert np.abs(shares - 1 / 13).max() < 4 * np.sqrt(1 / 13 / 20_000)


def test_pit_sees_bias_and_knows_its_floor():
    rng = np.random.default_rng(6)
    samples, truth = rng.normal(size=(99, 400, 1)), rng.normal(size=(400, 1))
    fair, biased = pit(samples, truth), pit(samples, truth + 1)
    assert fair.value < 3 * fair.floor
    # sup |F(u) - u| of a shift by 1 between unit normals is 2 Phi(1/2) - 1
    assert biased.value == pytest.approx(2 * norm.cdf(0.5) - 1, abs=0.06)


# --- forecasts


def test_scores_of_a_small_forecast_by_hand():
    samples = np.array([[[0.0], [2.0]], [[2.0], [4.0]], [[4.0], [12.0]]])  # medians 2, 4; means 2, 6
    truth = np.array([[3.0], [8.0]])
    assert mae(samples, truth).value == pytest.approx((1 + 4) / 2)
    assert rmse(samples, truth).value == pytest.approx(np.sqrt((1 + 4) / 2))
    history = np.array([0.0, 4.0, 0.0, 4.0])  # standard deviation 2
    assert nrmse(samples, truth, history=history).value == pytest.approx(np.sqrt((1 + 4) / 2) / 2)
    assert smape(samples, truth).value == pytest.approx((200 * 1 / 5 + 200 * 4 / 12) / 2)
    first = (3 + 1 + 1) / 3 - (2 + 4 + 2) / 3 / 2
    second = (6 + 4 + 4) / 3 - (2 + 10 + 8) / 3 / 2
    result = crps(samples, truth)
    assert result.value == pytest.approx((first + second) / 2)
    assert np.allclose(result.details["by_horizon"][:, 0], [first, second])
    assert energy_score(samples, truth).value == pytest.approx(result.value)
    assert coverage(samples, truth, level=0.5).value == 1.0  # intervals [1, 3] and [3, 8]
    assert interval_width(samples, truth, level=0.5).value == pytest.approx((2 + 5) / 2)


def test_missing_truth_is_left_out_of_every_score():
    rng = np.random.default_rng(7)
    samples, truth = rng.normal(size=(20, 30, 2)), rng.normal(size=(30, 2))
    holed = truth.copy()
    holed[10:] = np.nan
    history = rng.normal(size=(500, 2))
    part = score(samples[:, :10], truth[:10], history=history)
    for name, made in score(samples, holed, history=history).items():
        if name not in ("interval_width", "pit", "valid_time"):
            assert made.value == pytest.approx(part[name].value), name


def test_coverage_reaches_what_a_perfect_ensemble_can_reach_and_agrees_with_the_forecast():
    rng = np.random.default_rng(8)
    samples, truth = rng.normal(size=(19, 20_000, 1)), rng.normal(size=(20_000, 1))
    made = coverage(samples, truth, level=0.9)
    assert made.settings["perfect"] == pytest.approx(0.9 * 18 / 20)
    assert made.value == pytest.approx(made.settings["perfect"], abs=0.01)
    low, high = forecast_of(samples[:, :50]).interval(0.8)
    assert interval_width(samples[:, :50], truth[:50], level=0.8).value == pytest.approx(float(np.mean(high - low)))


def test_one_member_has_no_interval_and_constant_channels_have_no_nrmse():
    made = score(np.ones((1, 4, 1)), np.full((4, 1), 3.0))
    assert made["mae"].value == 2.0 == made["crps"].value
    for name in ("coverage", "interval_width", "pit", "nrmse", "valid_time"):
        assert made[name].value is None
        assert made[name].reason
    with pytest.raises(InsufficientData, match="undefined"):
        float(made["nrmse"])
    mixed = nrmse(np.zeros((2, 3, 2)), np.array([[1.0, 5.0], [-1.0, 5.0], [0.0, 5.0]]))
    assert mixed.value == pytest.approx(1.0)
    assert "x2" in mixed.reason


def test_truth_as_series_is_matched_by_time_stamp_and_channel_name():
    zero, later = np.datetime64("2026-01-01T00:00"), np.datetime64("2026-01-01T06:00")
    forecast = Forecast(np.zeros((2, 3, 1)), np.array([6.0, 7.0, 8.0]), ("b",), ("K",), Clock("h", zero))
    values = np.column_stack([np.arange(10.0), np.arange(10.0) * 10])
    truth = Series(np.arange(10) * 60.0 - 60, values, ("a", "b"), ("K", "K"), Clock("min", later))
    assert mae(forecast, truth).value == pytest.approx((10 + 20 + 30) / 3)
    assert mae(forecast, truth.rows(0, 3)).value == pytest.approx((10 + 20) / 2)  # the last step is not known yet
    with pytest.raises(InsufficientData, match="no true value"):
        mae(forecast, truth.rows(5))
    with pytest.raises(SettingError, match="no channel 'b'"):
        mae(forecast, truth.select("a"))
    with pytest.raises(DataError, match="calendar"):
        mae(forecast, Series(np.arange(9.0), values[:9], ("a", "b")))


def test_list_of_forecasts_is_one_score_over_origins():
    rng = np.random.default_rng(9)
    samples, truth = rng.normal(size=(3, 5, 4, 2)), rng.normal(size=(3, 4, 2))
    forecasts = [forecast_of(s, start=float(i)) for i, s in enumerate(samples)]
    for name, made in score(forecasts, truth).items():
        assert made.value == pytest.approx(score(samples, truth)[name].value), name
    series = Series(np.arange(4.0), truth[0], ("a", "b"))
    assert mae([forecasts[0]], series).value == pytest.approx(mae(samples[:1], truth[:1]).value)


def test_bad_forecasts_are_refused_with_their_place():
    broken = np.zeros((2, 3, 1))
    broken[1, 2, 0] = np.inf
    with pytest.raises(DataError, match="member 2, step 3"):
        crps(broken, np.zeros((3, 1)))
    with pytest.raises(DataError, match="shape"):
        crps(np.zeros((2, 3, 1)), np.zeros((4, 1)))
    with pytest.raises(SettingError, match="level"):
        coverage(np.zeros((2, 3, 1)), np.zeros((3, 1)), level=90)


def test_every_score_becomes_json_and_leaves_its_input_unchanged():
    rng = np.random.default_rng(10)
    samples, truth = rng.normal(size=(5, 6, 2)), rng.normal(size=(6, 2))
    before = samples.copy(), truth.copy()
    made = score(samples, truth)
    assert list(made) == list(REGISTRY)
    assert np.array_equal(samples, before[0])
    assert np.array_equal(truth, before[1])
    text = json.dumps({name: s.to_dict(details=True) for name, s in made.items()}, allow_nan=False)
    assert json.loads(text)["crps"]["better"] == "low"
    assert all(made[name].better == entry.better for name, entry in REGISTRY.items())
    assert str(score(samples, truth, seed=0)) == str(made)


# --- valid time


def test_valid_time_counts_the_steps_before_the_crossing():
    truth = np.zeros((3, 10, 2))
    path = np.zeros_like(truth)
    path[0, 4:, 0] = 1.0  # sqrt(mean(1, 0)) = 0.71 > 0.4 from the fifth step on
    path[1, 7, 1] = np.nan  # a broken run ends there
    made = valid_time(path, truth, np.ones(2), 0.5)
    assert np.allclose(made.details["values"], [2.0, 3.5, 5.0])
    assert made.details["censored"].tolist() == [False, False, True]
    assert made.value == 3.5
    assert made.settings["censored"] == pytest.approx(1 / 3)
    lyapunov = valid_time(path, truth, np.ones(2), 0.5, lyapunov_exponent=2.0)
    assert lyapunov.value == 7.0
    assert lyapunov.unit == "Lyapunov times"
    assert "lower bound" in valid_time(truth, truth, 1.0, 0.5).reason
    assert valid_time(path[0], truth[0], np.ones(2), 1.0, threshold=0.8).value == 10
    with pytest.raises(SettingError, match="positive"):
        valid_time(path, truth, np.array([1.0, 0.0]), 1.0)


def test_valid_time_skips_missing_truth_and_grows_by_log_e_over_the_exponent():
    error = 1e-6 * np.exp(0.9 * 0.1 * np.arange(1, 300))
    truth = np.zeros(299)
    truth[50] = np.nan
    expected = np.flatnonzero(error > 0.4)[0] * 0.1 * 0.9
    made = valid_time(error, truth, 1.0, 0.1, lyapunov_exponent=0.9)
    assert made.value == pytest.approx(expected)
    assert made.value == pytest.approx(np.log(0.4e6), abs=0.1)


def test_valid_time_of_the_zero_shot_literature_agrees_with_a_transcription():
    rng = np.random.default_rng(11)
    truth = 5 + rng.normal(size=(40, 3))
    path = truth * np.exp(0.03 * np.arange(40))[:, None]
    for k in range(1, 41):
        part = np.mean(200 * np.abs(path[:k] - truth[:k]) / (np.abs(path[:k]) + np.abs(truth[:k])))
        if part > 30:
            break
    assert 5 < k < 35
    assert valid_time(path, truth, 1.0, 1.0, kind="smape30").value == k - 1


# --- skill


def test_skill_of_known_scores_and_its_edges():
    value, (low, high) = skill([1.0] * 10, [2.0] * 10)
    assert value == low == high == 0.5
    assert skill([1.0, 1, 1], [2.0, 2, 2])[1] == (-np.inf, 1.0)
    assert skill([np.inf, 1, 1], [2.0, 2, 2])[0] == -np.inf
    assert skill([1.0, np.nan, 3], [2.0, np.nan, 6])[0] == 0.5
    with pytest.raises(DataError, match="origin 2"):
        skill([1.0, np.nan], [2.0, 2.0])
    with pytest.raises(DataError, match="positive mean"):
        skill([0.0, 0.0], [0.0, 0.0])
    rng = np.random.default_rng(13)
    model, reference = rng.random(30), rng.random(30)
    assert skill(model, reference, seed=3) == skill(model, reference, seed=3)


@pytest.mark.parametrize(("count", "memory"), [(20, 0.0), (50, 0.0), (50, 0.5)])
def test_the_interval_of_skill_covers_the_truth(count, memory):
    rng = np.random.default_rng(14)
    inside = below = 0
    runs = 400
    for k in range(runs):
        shocks = rng.normal(size=(count + 50, 3))
        for i in range(1, len(shocks)):
            shocks[i] = memory * shocks[i - 1] + np.sqrt(1 - memory**2) * shocks[i]
        common, own, other = np.exp(0.4 * shocks[50:]).T
        _, (low, high) = skill(0.8 * common * own, common * other, seed=k, draws=500)
        inside += low <= 0.2 <= high
        below += low > 0.2
    assert 0.84 < inside / runs < 0.97
    assert below / runs < 0.10
