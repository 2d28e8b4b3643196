"""Scores against closed forms, scoringrules and slow transcriptions of the published formulas."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.stats import norm
from systems import lorenz63, roessler

from takens.clock import Clock
from takens.errors import DataError, InsufficientData, SettingError
from takens.forecast import Forecast
from takens.scores import (
    REGISTRY,
    climate,
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
    spectral_hellinger,
    state_space_divergence,
    valid_time,
)
from takens.scores.geometry import divergence
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


# --- long runs


def dense_divergence(p: np.ndarray, q: np.ndarray, alpha: float) -> float:
    p, q = (((h + alpha) / (h.sum() + alpha * h.size)).ravel() for h in (p, q))
    return float(np.sum(p * np.log(p / q)))


def test_divergence_of_known_histograms():
    p, q = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [10, 30])
    assert divergence(p, q, 2, 1e-9) == pytest.approx(0.5 * np.log(3))
    dense = dense_divergence(np.array([30, 10, 0, 0, 0.0]), np.array([10, 30, 0, 0, 0.0]), 0.3)
    assert divergence(p, q, 5, 0.3) == pytest.approx(dense)
    assert divergence(p[:8], q, 5, 0.3) == pytest.approx(
        dense_divergence(np.array([8, 0, 0, 0, 0.0]), np.array([10, 30, 0, 0, 0.0]), 0.3)
    )


def test_state_space_divergence_agrees_with_a_dense_histogram_and_an_outside_cell():
    true, other = lorenz63(3000), lorenz63(2500, seed=1) * 1.1
    low, high = true.min(axis=0), true.max(axis=0)
    edges = [np.linspace(a, b, 11) for a, b in zip(low, high, strict=True)]
    counts = []
    for x in (true, other):
        h = np.histogramdd(x, bins=edges)[0].ravel()
        counts.append(np.append(h, len(x) - h.sum()))
    made = state_space_divergence(other, true, bins=10)
    assert made.value == pytest.approx(dense_divergence(*counts, 1e-5), rel=1e-9)
    assert made.details["outside"] == pytest.approx(counts[1][-1] / 2500)
    assert state_space_divergence(true, true).value == pytest.approx(0, abs=1e-12)


def slow_dynamix(true: np.ndarray, run: np.ndarray, bins: int) -> float:
    low, high = true.min(axis=0), true.max(axis=0)
    counts = []
    for x in (true, run):
        h = np.zeros((bins,) * true.shape[1])
        for row in x:
            cell = np.trunc(bins * (row - low) / (high - low)).astype(int)
            if (cell > 0).all() and (cell < bins).all():
                h[tuple(cell)] += 1
        counts.append(h)
    return dense_divergence(*counts, 10e-6)


def slow_gtf(true: np.ndarray, run: np.ndarray, bins: int) -> float:
    margin = 0.1 * true.std(axis=0, ddof=1)
    low, high = true.min(axis=0) - margin, true.max(axis=0) + margin
    edges = [np.linspace(a, b, bins + 1) for a, b in zip(low, high, strict=True)]
    counts = [np.histogramdd(x, bins=edges)[0] for x in (true, run)]
    return dense_divergence(*counts, 1e-5)


@pytest.mark.parametrize(("legacy", "slow"), [("DynaMix", slow_dynamix), ("GTF", slow_gtf)])
def test_legacy_divergence_reproduces_the_published_binning(legacy, slow):
    true, run = lorenz63(1500), lorenz63(1200, seed=2) * 1.15
    made = state_space_divergence(run, true, legacy=legacy)
    assert made.value == pytest.approx(slow(true, run, 30), rel=1e-9)
    assert made.value != pytest.approx(state_space_divergence(run, true).value, rel=1e-3)
    assert state_space_divergence(run + 1e3, true, legacy=legacy).value == np.inf
    with pytest.raises(SettingError, match="at most 5"):
        state_space_divergence(np.ones((20, 6)), np.random.default_rng(0).random((20, 6)), legacy=legacy)


def test_a_bad_climate_scores_badly_and_another_run_of_the_same_system_scores_near_the_floor():
    true, same = lorenz63(6000), lorenz63(6000, seed=3)
    near = state_space_divergence(same, true)
    assert near.value < 1.5 * near.floor
    for bad in (np.zeros_like(true), np.tile(true[:60], (100, 1)), true * 1e12, true[:, [1, 0, 2]] + [0, 0, 9]):
        assert state_space_divergence(bad, true).value > 3 * near.floor


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_run_that_is_not_finite_is_a_failure_and_not_a_good_score(value):
    run = lorenz63(1000).copy()
    run[700, 1] = value
    made = climate(run, lorenz63(1000, seed=4))
    assert made["state_space_divergence"].value == np.inf
    assert made["spectral_hellinger"].value == 1.0
    for result in made.values():
        assert "row 701" in result.reason
    assert made["state_space_divergence"].to_dict()["value"] is None


def test_one_channel_is_unfolded_so_that_shuffled_values_do_not_pass():
    x = lorenz63(5000)[:, 0]
    shuffled = np.random.default_rng(0).permutation(x)
    made = state_space_divergence(shuffled, x, delay=8)
    again = state_space_divergence(lorenz63(5000, seed=5)[:, 0], x, delay=8)
    assert made.value > 5 * again.value
    assert made.settings["space"] == "3 delays of 8 rows"
    slow = state_space_divergence(*(np.column_stack([y[:-16], y[8:-8], y[16:]]) for y in (shuffled, x)))
    assert made.value == pytest.approx(slow.value)
    correlation = [np.corrcoef(x[: len(x) - k], x[k:])[0, 1] for k in range(1, 60)]
    chosen = state_space_divergence(x, x).settings["space"]
    assert abs(int(chosen.split()[3]) - (1 + int(np.argmax(np.array(correlation) < 1 / np.e)))) <= 1
    with pytest.raises(InsufficientData, match="delay of 3000"):
        state_space_divergence(x, x, delay=3000)


def test_many_channels_are_compared_in_three_principal_components():
    mix = np.random.default_rng(1).normal(size=(3, 12))
    true, same = lorenz63(5000) @ mix, lorenz63(5000, seed=6) @ mix
    made = state_space_divergence(same, true)
    assert "first 3 principal components of 12 channels (100%" in made.settings["space"]
    assert made.value < 2 * made.floor
    assert state_space_divergence(roessler(5000) @ mix, true).value > 5 * made.floor


def test_missing_truth_is_left_out_of_the_geometry_and_a_constant_channel_is_one_cell():
    true = lorenz63(2000).copy()
    holed = Series.from_array(np.where(np.arange(2000)[:, None] % 9 == 0, np.nan, true))
    kept = true[np.arange(2000) % 9 != 0]
    assert state_space_divergence(true, holed).value == pytest.approx(state_space_divergence(true, kept).value)
    flat = np.column_stack([true[:, 0], np.ones(2000)])
    assert state_space_divergence(flat, flat).value == pytest.approx(0, abs=1e-12)
    assert state_space_divergence(flat + np.array([0, 0.5]), flat).details["outside"] == 1.0


def test_spectral_hellinger_is_zero_for_equal_and_one_for_disjoint_spectra():
    t = np.arange(20_000)
    slow, fast = np.sin(2 * np.pi * 0.01 * t), np.sin(2 * np.pi * 0.3 * t)
    assert spectral_hellinger(slow, slow).value == 0.0
    assert spectral_hellinger(fast, slow).value > 0.999
    x = lorenz63(4000)
    made = spectral_hellinger(x * [2, -3, 0.5] + [1, 2, 3], x)
    assert made.value == pytest.approx(0, abs=1e-6)  # shift, scale and sign do not matter
    assert made.details["truth"].sum(axis=0) == pytest.approx(1.0)


def test_spectral_hellinger_of_known_spectra():
    # white noise against an AR(1): normalised densities 1 and (1 - a^2) / |1 - a e^(i w)|^2 on (0, pi)
    a, rng = 0.6, np.random.default_rng(12)
    white = rng.normal(size=400_000)
    red = np.empty_like(white)
    x = 0.0
    for i, e in enumerate(rng.normal(size=len(red))):
        x = a * x + e
        red[i] = x
    w = (np.arange(100_000) + 0.5) * np.pi / 100_000
    density = (1 - a**2) / np.abs(1 - a * np.exp(1j * w)) ** 2
    expected = np.sqrt(1 - np.mean(np.sqrt(density)))
    assert spectral_hellinger(red, white).value == pytest.approx(expected, abs=0.005)
    assert spectral_hellinger(red[:150_000], white).value == pytest.approx(expected, abs=0.01)


def test_legacy_hellinger_reproduces_a_transcription():
    true, run = lorenz63(3000), lorenz63(3000, seed=7)
    distances = []
    for c in range(3):
        spectra = []
        for x in (true[:, c], run[:, c]):
            z = (x - x.mean()) / x.std()
            s = gaussian_filter1d(np.abs(np.fft.rfft(z)) ** 2, 20)
            spectra.append(s / s.sum())
        distances.append(np.sqrt(np.sum((np.sqrt(spectra[0]) - np.sqrt(spectra[1])) ** 2)) / np.sqrt(2))
    assert spectral_hellinger(run, true, legacy="GTF").value == pytest.approx(np.mean(distances), rel=1e-8)
    with pytest.raises(SettingError, match="equal lengths"):
        spectral_hellinger(run[:2000], true, legacy="DynaMix")


def test_the_bandwidth_is_in_frequency_and_not_in_bins():
    long = Series.from_array(lorenz63(20_000), interval=0.02)
    short = long.rows(0, 5_000)
    other = Series.from_array(roessler(20_000), interval=0.02, channels=long.channels)
    values = [spectral_hellinger(other.rows(0, n), s).value for n, s in ((20_000, long), (5_000, short))]
    assert values[0] == pytest.approx(values[1], abs=0.02)
    assert spectral_hellinger(other, long).settings["bandwidth"] == pytest.approx(0.1)
    near = spectral_hellinger(lorenz63(5_000, seed=8), short)
    assert near.value < 1.3 * near.floor < 0.2


def test_dead_runs_and_constant_truth_have_a_defined_spectrum_score():
    x = lorenz63(1000)
    flat = x.copy()
    flat[:, 1] = 3.0
    made = spectral_hellinger(flat, x)
    assert made.value == pytest.approx(1 / 3, abs=1e-6)
    assert "constant" in made.reason
    assert spectral_hellinger(x, flat).settings["channels"] == 2
    with pytest.raises(InsufficientData, match="constant"):
        spectral_hellinger(x, np.ones((1000, 3)))
    with pytest.raises(DataError, match="shape"):
        spectral_hellinger(x[:, :2], x)


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
