"""Models against closed forms and against systems whose law they can represent exactly."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens.models import MODELS, Training, model
from takens.models.fourier import pursue
from takens.models.nvar import products
from takens.models.ridge import Factors, monomials
from takens.models.seasonal import candidate_periods
from takens.models.selection import choose, free_runs, hold_out


def test_ridge_solves_the_normal_equations():
    rng = np.random.default_rng(0)
    features = rng.normal([3, -1, 0, 5], [1, 4, 0.1, 2], (200, 4))
    targets = rng.normal(size=(200, 2)) + features[:, :2]
    factors = Factors.of(features, targets)
    z = (features - features.mean(0)) / features.std(0)
    for ridge in (0.0, 1e-3, 1.0):
        weights = np.linalg.solve(z.T @ z + 200 * ridge * np.eye(4), z.T @ (targets - targets.mean(0)))
        np.testing.assert_allclose(factors.solve(ridge)(features), z @ weights + targets.mean(0), atol=1e-10)


def test_ridge_with_more_features_than_samples_interpolates():
    rng = np.random.default_rng(1)
    features, targets = rng.normal(size=(10, 30)), rng.normal(size=(10, 1))
    np.testing.assert_allclose(Factors.of(features, targets).solve(1e-13)(features), targets, atol=1e-6)


def test_monomials_are_all_and_once():
    table = monomials(3, 3)
    assert len(table) == 19  # C(6, 3) - 1
    x = np.array([[2.0, 3.0, 5.0]])
    expected = sorted(
        2.0**a * 3.0**b * 5.0**c for a in range(4) for b in range(4) for c in range(4) if 0 < a + b + c <= 3
    )
    np.testing.assert_allclose(np.sort(products(x, table)[0]), expected)


def test_persistence_spread_is_that_of_past_changes():
    walk = np.cumsum(np.random.default_rng(0).normal(size=20_000))
    forecast = model("persistence").fit(walk).forecast(64, members=2000)
    spread = forecast.samples[..., 0].std(axis=0)
    np.testing.assert_allclose(spread[[0, 15, 63]], [1, 4, 8], rtol=0.1)
    assert abs(forecast.mean[63, 0] - walk[-1]) < 0.6
    np.testing.assert_array_equal(model("persistence").fit(walk).forecast(5, members=1).samples[0], walk[-1])


def test_persistence_goes_on_beyond_the_length_of_the_record():
    walk = np.cumsum(np.random.default_rng(0).normal(size=60))
    spread = model("persistence").fit(walk).forecast(300, members=400).samples[..., 0].std(axis=0)
    assert spread[299] > 2 * spread[30]


def test_drift_follows_the_mean_slope():
    x = 5 + 0.25 * np.arange(100.0)
    path = model("drift").fit(x).forecast(8, members=1).samples[0, :, 0]
    np.testing.assert_allclose(path, x[-1] + 0.25 * np.arange(1, 9))
    np.testing.assert_allclose(model("drift").fit(x).forecast(8, members=9).samples[3, :, 0], path)


def test_climatology_draws_rows_of_the_past():
    rows = np.random.default_rng(0).exponential(size=(3000, 2))
    law = model("climatology").fit(rows)
    samples = law.forecast(50, members=200).samples.reshape(-1, 2)
    assert {tuple(row) for row in samples[:100]} <= {tuple(row) for row in rows}
    np.testing.assert_allclose(np.quantile(samples, [0.1, 0.5, 0.9]), np.quantile(rows, [0.1, 0.5, 0.9]), rtol=0.08)
    np.testing.assert_allclose(law.forecast(2, members=1).samples[0, 0], rows.mean(axis=0))


def test_seasonal_naive_finds_the_week_behind_the_day():
    hours = np.arange(24 * 7 * 12)
    shape = np.sin(2 * np.pi * hours / 24) * np.where(hours // 24 % 7 >= 5, 0.2, 1.0)
    x = shape + 0.05 * np.random.default_rng(0).normal(size=len(hours))
    assert {24, 168} <= set(candidate_periods(Training.of(x)))
    law = model("seasonal_naive").fit(x)
    assert law.period % 168 == 0
    forecast = law.forecast(24, members=1000)
    # The error of repeating a noisy period has sqrt(2) times the standard deviation of the noise.
    np.testing.assert_allclose(forecast.samples[..., 0].std(axis=0).mean(), 0.05 * np.sqrt(2), rtol=0.1)


def test_seasonal_naive_repeats_and_is_persistence_without_a_season():
    x = np.tile([1.0, 5.0, 2.0], 20)
    path = model("seasonal_naive", period=3).fit(x).forecast(7, members=1).samples[0, :, 0]
    np.testing.assert_array_equal(path, [1, 5, 2, 1, 5, 2, 1])
    noise = np.random.default_rng(0).normal(size=400)
    assert model("seasonal_naive").fit(noise).period == 1


def test_autoregression_is_least_squares_and_forecasts_the_closed_form():
    x = autoregressive(3000, phi=0.7)
    law = model("autoregression", lags=1, ridge=0.0).fit(x)
    design = np.stack([np.ones(2999), x[:-1]], axis=1)
    (b, phi), *_ = np.linalg.lstsq(design, x[1:], rcond=None)
    path = law.forecast(6, members=1).samples[0, :, 0]
    expected = [b * (1 - phi**h) / (1 - phi) + phi**h * x[-1] for h in range(1, 7)]
    np.testing.assert_allclose(path, expected, rtol=1e-9)
    spread = law.forecast(6, members=4000).samples[..., 0].std(axis=0)
    residual = (x[1:] - design @ [b, phi]).std()
    np.testing.assert_allclose(spread, residual * np.sqrt([(1 - phi ** (2 * h)) / (1 - phi**2) for h in range(1, 7)]), rtol=0.05)  # fmt: skip  # noqa: E501


def test_vector_autoregression_recovers_the_coupling():
    rng = np.random.default_rng(2)
    matrix = np.array([[0.5, 0.3], [-0.2, 0.6]])
    x = np.zeros((5000, 2))
    for t in range(1, 5000):
        x[t] = matrix @ x[t - 1] + rng.normal(size=2)
    readout = model("autoregression", lags=1, ridge=0.0).fit(x).readout
    np.testing.assert_allclose((readout.weights / readout.scale[:, None]).T, matrix, atol=0.04)


def test_autoregression_uses_a_long_season():
    rng = np.random.default_rng(3)
    week = rng.normal(size=168)
    x = np.tile(week, 14) + 0.2 * rng.normal(size=168 * 14)
    law = model("autoregression").fit(x[: 168 * 13])
    path = law.forecast(168, members=1).samples[0, :, 0]
    assert law.memory >= 168
    assert np.sqrt(np.mean((path - week) ** 2)) < 0.25


def test_fourier_finds_frequencies_between_bins_and_extends_them():
    t = np.arange(1000.0)
    x = 2 + 0.003 * t + np.sin(2 * np.pi * t / 37.3) + 0.4 * np.cos(2 * np.pi * t / 11.7 + 1)
    np.testing.assert_allclose(1 / pursue(x[:800, None], 2, 1), [37.3, 11.7], rtol=2e-3)
    path = model("fourier_extension", frequencies=2, trend=1).fit(x[:800]).forecast(100, members=1).samples[0, :, 0]
    assert np.abs(path - x[800:900]).max() < 0.1


def test_parroting_repeats_a_periodic_series_exactly_and_for_ever():
    x = np.tile(np.random.default_rng(0).normal(size=17), 10)
    path = model("context_parroting").fit(x).forecast(200, members=1).samples[0, :, 0]
    np.testing.assert_array_equal(path, np.resize(np.tile(x[:17], 20), 200))


def test_parroting_copies_what_followed_the_nearest_vector():
    x = henon(500)
    law = model("context_parroting", embedding_dimension=3, neighbours=1).fit(x)
    scale = x.std(axis=0)
    query = (x[-3:] / scale).ravel()
    ends = np.arange(2, 500 - 5)
    best = min(ends, key=lambda i: float(((x[i - 2 : i + 1] / scale).ravel() - query) @ ((x[i - 2 : i + 1] / scale).ravel() - query)))  # fmt: skip  # noqa: E501
    np.testing.assert_array_equal(law.forecast(5, members=1).samples[0], x[best + 1 : best + 6])


def test_nearest_neighbour_correction_is_the_least_squares_value():
    # x_(t+1) = 0.8 x_t + noise: following neighbours, differences shrink by 0.8.
    law = model("nearest_neighbour", delays=1, spacing=1, neighbours=4).fit(autoregressive(4000, phi=0.8))
    assert law.correction == 0.0 or law.correction == pytest.approx(0.8, abs=0.25)
    x = lorenz63(3000)
    one = model("nearest_neighbour", delays=1, spacing=1, neighbours=1, correction=1.0).fit(x[:2900])
    i = int(((x[:2899] - x[2899]) ** 2 / x[:2900].var(axis=0)).sum(axis=1).argmin())
    np.testing.assert_allclose(one.forecast(1, members=1).samples[0, 0], x[i + 1] + x[2899] - x[i], atol=1e-9)


def test_nvar_is_exact_where_the_law_is_a_polynomial():
    x = henon(1200)
    law = model("nvar", delays=1, degree=2, ridge=1e-14).fit(x[:1000])
    path = law.forecast(25, members=1).samples[0]
    np.testing.assert_allclose(path[:10], x[1000:1010], atol=1e-8)
    # From one channel through two delays: x_(t+1) = 1 - 1.4 x_t^2 + 0.3 x_(t-1).
    one = model("nvar", delays=2, spacing=1, degree=2, ridge=1e-14).fit(x[:1000, 0])
    np.testing.assert_allclose(one.forecast(10, members=1).samples[0, :, 0], x[1000:1010, 0], atol=1e-7)


def test_nvar_chooses_the_degree_of_the_map():
    law = model("nvar").fit(henon(2000)[:, 0])
    assert law.degree >= 2
    truth = henon(2020)[2000:, 0]
    np.testing.assert_allclose(law.forecast(8, members=1).samples[0, :, 0], truth[:8], atol=1e-3)


def valid_times(law, truth: np.ndarray, observed: np.ndarray, start: int, origins: int, horizon: int) -> np.ndarray:
    """Lyapunov times until the normalised error exceeds 0.4, of runs that start from what was observed."""
    times = []
    for origin in np.linspace(start, len(truth) - horizon, origins).astype(int):
        path = law.sample(observed[:origin], horizon, 1, None)[0]
        error = np.sqrt((((path - truth[origin : origin + horizon]) / truth.std(axis=0)) ** 2).mean(axis=1))
        times.append((np.append(np.flatnonzero(error > 0.4), horizon)[0]) * 0.02 * 0.9056)
    return np.array(times)


def test_lorenz_valid_prediction_times():
    truth = lorenz63(6000)
    assert np.median(valid_times(model("nvar").fit(truth[:4500]), truth, truth, 4500, 12, 700)) >= 8
    small = model("echo_state_network", units=200, trials=6).fit(truth[:4500])
    assert np.median(valid_times(small, truth, truth, 4500, 12, 500)) >= 5


@pytest.mark.long
@pytest.mark.timeout(900)
def test_lorenz_valid_prediction_times_with_default_settings():
    truth = lorenz63(10_000)
    for name, bar in (("nvar", 8), ("echo_state_network", 5)):
        law = model(name).fit(truth[:8000])
        assert np.median(valid_times(law, truth, truth, 8000, 50, 1200)) >= bar


@pytest.mark.long
@pytest.mark.timeout(900)
def test_reservoirs_beat_the_baselines_on_noisy_lorenz():
    truth = lorenz63(10_000)
    observed = truth + 0.05 * truth.std(axis=0) * np.random.default_rng(1).normal(size=truth.shape)

    def median(name: str) -> float:
        return float(np.median(valid_times(model(name).fit(observed[:8000]), truth, observed, 8000, 50, 600)))

    best = max(median(name) for name, kind in MODELS.items() if kind.baseline)
    assert best > 0
    assert max(median("nvar"), median("echo_state_network")) >= 1.2 * best


def test_echo_state_network_forgets_where_it_started():
    truth = lorenz63(3000)
    law = model("echo_state_network", units=100, spectral_radius=0.7, leak=0.8, input_scale=0.3, ridge=1e-6).fit(truth)
    short = law.forecast(5, history=truth[-law.memory :], members=1).samples
    shifted = law.init(truth[None, -2 * law.memory :])
    np.testing.assert_allclose(law.init(truth[None, -law.memory :]), shifted, atol=1e-9)
    np.testing.assert_allclose(short, law.forecast(5, members=1).samples, atol=1e-12)
    dense = np.zeros((100, 100))
    np.put_along_axis(dense, law.links, law.weights, axis=1)
    assert np.abs(np.linalg.eigvals(dense)).max() == pytest.approx(0.7)


def test_selection_prefers_the_law_that_made_the_data():
    training = Training.of(autoregressive(1500, phi=0.9) * np.array(1.0))
    head, probe = hold_out(training, 5)
    assert probe is not None
    laws = [model("autoregression", lags=1, ridge=ridge).learn(head, 0) for ridge in (100.0, 1e-6, 10.0)]
    choice = choose(laws, probe)
    assert choice.best == 1
    # The score is the mean error of free runs, done here the long way round.
    before, after = probe.take(32, probe.horizon)
    runs = free_runs(laws[1], before, probe.horizon, probe.known(32, probe.horizon))
    slow = np.stack([laws[1].sample(rows, probe.horizon, 1, None)[0] for rows in before])
    np.testing.assert_allclose(runs, slow)
    errors = np.minimum(np.abs(slow - after)[..., 0] / training.stacked.std(), 2.0)
    last = [row for row in choice.table if row[0] == 1][-1]
    if last[3] == probe.horizon:
        assert last[1] == pytest.approx(errors.mean())


def test_hold_out_never_shows_the_future_to_the_fit():
    x = np.arange(100.0)
    head, probe = hold_out(Training.of(x), 10)
    assert head.stacked.max() == 79
    before, after = probe.take(5, 3)
    assert before.shape == (5, 10, 1)
    assert after.min() >= 80
    np.testing.assert_array_equal(after[:, 0], before[:, -1] + 1)
