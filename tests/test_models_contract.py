"""What every model promises, whatever it is: defined answers for awkward data, and no surprises."""

from __future__ import annotations

import numpy as np
import pytest
from quick import EVERY, quick
from systems import autoregressive, lorenz63

from takens import Series
from takens.errors import DataError, InsufficientData, LawError, SettingError
from takens.models import MODELS, Conformal, EchoStateNetwork, Ensemble, Standardised, Training, model

WRAPPED = {
    "standardised": Standardised(quick("autoregression")),
    "ensemble": Ensemble(EchoStateNetwork(units=40, trials=2), 3),
    "conformal": Conformal(quick("persistence"), origins=20, horizon=10),
}
ALL = {name: quick(name) for name in MODELS} | WRAPPED


@pytest.fixture(params=[*EVERY, *WRAPPED])
def any_model(request):
    return ALL[request.param]


def noisy_cycle(length: int = 400, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(5)
    phase = 2 * np.pi * np.arange(length)[:, None] / 25 + np.arange(channels)
    return 3 + np.sin(phase) + 0.1 * rng.normal(size=(length, channels))


def test_forecast_has_names_times_and_reproducible_samples(any_model):
    values = noisy_cycle()
    before = values.copy()
    series = Series.from_array(values, interval=0.5, unit="h", channels=("a", "b"), units=("m", "s"))
    law, again = any_model.fit(series, seed=3), any_model.fit(series, seed=3)
    forecast = law.forecast(12, members=20, seed=1)
    assert forecast.channels == ("a", "b")
    assert forecast.units == ("m", "s")
    np.testing.assert_allclose(forecast.times, series.times[-1] + 0.5 * np.arange(1, 13))
    np.testing.assert_array_equal(forecast.samples, again.forecast(12, members=20, seed=1).samples)
    assert not np.array_equal(forecast.samples, law.forecast(12, members=20, seed=2).samples)
    assert np.isfinite(forecast.samples).all()
    # The law looks like the data: no level, unit or channel is lost on the way.
    assert np.abs(forecast.samples.mean(axis=(0, 1)) - 3).max() < 1
    np.testing.assert_array_equal(values, before)


def test_a_settled_model_refits_to_the_same_law(any_model):
    values = noisy_cycle()
    law = any_model.fit(values, seed=2)
    again = any_model.settled(law).fit(values, seed=2)
    np.testing.assert_array_equal(
        law.forecast(5, members=8, seed=1).samples, again.forecast(5, members=8, seed=1).samples
    )


def test_history_given_explicitly_equals_the_end_of_the_training_data(any_model):
    values = noisy_cycle()
    law = any_model.fit(values, seed=0)
    implied = law.forecast(7, members=10, seed=4).samples
    np.testing.assert_allclose(law.forecast(7, history=values, members=10, seed=4).samples, implied, atol=1e-9)


def test_constant_channel_is_predicted_as_constant(any_model):
    values = noisy_cycle()
    values[:, 1] = 7.25
    forecast = any_model.fit(values, seed=0).forecast(10, members=15)
    np.testing.assert_allclose(forecast.samples[..., 1], 7.25, atol=1e-6)


def test_all_constant_series_is_predicted_as_constant(any_model):
    forecast = any_model.fit(np.full(200, 4.0), seed=0).forecast(10, members=15)
    np.testing.assert_allclose(forecast.samples, 4.0, atol=1e-6)


def test_gaps_and_several_trajectories(any_model):
    whole = noisy_cycle(500)
    holed = whole.copy()
    holed[120] = np.nan
    holed[200:205, 0] = np.nan
    series = [Series.from_array(whole[:300]), Series.from_array(holed)]
    law = any_model.fit(series, seed=0)
    forecast = law.forecast(10, members=10)
    assert forecast.times[0] == 500
    assert np.isfinite(forecast.samples).all()


def test_ties_are_no_problem(any_model):
    values = np.round(noisy_cycle(300, 1))
    assert np.isfinite(any_model.fit(values, seed=0).forecast(5, members=10).samples).all()


@pytest.mark.parametrize("length", [2, 3, 5, 8, 12, 20, 40])
def test_short_series_end_in_a_forecast_or_a_clear_refusal(any_model, length):
    values = noisy_cycle(length, 1)
    try:
        forecast = any_model.fit(values, seed=0).forecast(3, members=5)
    except InsufficientData:
        assert length < 40 or "onformal" in any_model.name
    else:
        assert np.isfinite(forecast.samples).all()


def test_one_complete_row_is_insufficient(any_model):
    with pytest.raises(InsufficientData):
        any_model.fit(np.array([1.0, np.nan, 2.0, np.nan]))


def test_history_must_fit_the_law():
    law = quick("autoregression").fit(Series.from_array(noisy_cycle(), channels=("a", "b")))
    with pytest.raises(LawError, match="channels"):
        law.forecast(3, history=Series.from_array(noisy_cycle(), channels=("a", "c")))
    with pytest.raises(LawError, match="interval"):
        law.forecast(3, history=Series.from_array(noisy_cycle(), interval=2.0, channels=("a", "b")))
    with pytest.raises(SettingError):
        law.forecast(0)


def test_trailing_gap_moves_the_start_of_the_forecast_to_the_last_complete_row():
    values = noisy_cycle(200, 1)
    values[190:] = np.nan
    law = quick("persistence").fit(values)
    assert law.forecast(2).times[0] == 190


def test_irregular_sampling_is_refused():
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 50))
    with pytest.raises(DataError, match="irregular"):
        quick("persistence").fit(Series(times, np.sin(times)))


def test_unknown_names_are_listed():
    with pytest.raises(SettingError, match="persistence"):
        model("persistance")
    with pytest.raises(SettingError, match="degree"):
        model("nvar", order=3)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nvar", {"degree": 5}), ("nvar", {"delays": 0}), ("nvar", {"ridge": -1.0}), ("autoregression", {"lags": 0}),
        ("autoregression", {"lags": ()}), ("echo_state_network", {"leak": 0.0}), ("seasonal_naive", {"period": 0}),
        ("fourier_extension", {"trend": 3}), ("context_parroting", {"embedding_dimension": 0}),
        ("nearest_neighbour", {"delays": 0}), ("nvar", {"delays": 40, "degree": 4}),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(name, settings):
    with pytest.raises(SettingError):
        model(name, **settings).fit(noisy_cycle())


def test_training_latest_lagged_and_closing():
    series = Series.from_array(np.array([0, 1, 2, np.nan, 4, 5, 6, 7, np.nan, 9, 10.0]))
    training = Training.of(series)
    assert [len(piece) for piece in training.stretches] == [3, 4, 2]
    assert training.ends == (2.0, 7.0, 10.0)
    inputs, targets = training.lagged([0, 1])
    np.testing.assert_array_equal(inputs[..., 0], [[1, 0], [5, 4], [6, 5]])
    np.testing.assert_array_equal(targets[:, 0], [2, 6, 7])
    rows, end = training.closing(3)
    np.testing.assert_array_equal(rows[:, 0], [5, 6, 7])
    assert end == 7
    assert [piece[:, 0].tolist() for piece in training.latest(5).stretches] == [[5, 6, 7], [9, 10]]


def test_members_of_recursive_laws_differ_and_grow_apart():
    law = model("autoregression", lags=1, ridge=0.0).fit(autoregressive(2000, phi=0.9))
    spread = law.forecast(30, members=500).samples[..., 0].std(axis=0)
    assert spread[0] == pytest.approx(1.0, rel=0.1)
    assert spread[-1] == pytest.approx(1 / np.sqrt(1 - 0.81), rel=0.12)


def test_guard_box_counts_runs_that_leave_it():
    law = model("nvar", delays=1, degree=3, ridge=1e-8).fit(lorenz63(600))
    far = np.full((1, 3), 1e3) + law.history[-1:]
    forecast = law.forecast(50, history=far, members=8)
    assert forecast.diverged == 8
    assert (forecast.samples >= law.low).all()
    assert (forecast.samples <= law.high).all()
