"""Laws set free from many origins: the same as forecasts one by one, with every failure counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens.errors import InsufficientData, LawError, SettingError
from takens.models import NVAR, Autoregression, ContextParroting
from takens.origins import run_from, step_error, valid_times
from takens.series import Series


def test_runs_are_the_forecasts_from_each_origin():
    x = lorenz63(1500)
    series = Series.from_array(x, interval=0.02)
    for model in (NVAR(delays=2, spacing=1, degree=2, ridge=1e-8), ContextParroting(3, 1)):
        law = model.fit(series.rows(0, 1000))
        runs = run_from(law, series.rows(1000), 40, origins=5)
        assert runs.paths.shape == runs.truths.shape == (5, 40, 3)
        for row, path, truth in zip(runs.rows, runs.paths, runs.truths, strict=True):
            history = series.rows(1000, 1000 + row)
            np.testing.assert_allclose(path, law.forecast(40, history=history, members=1).samples[0], atol=1e-9)
            np.testing.assert_array_equal(truth, x[1000 + row : 1040 + row])


def test_the_error_at_a_step_of_a_known_law_has_its_closed_form():
    phi, x = 0.8, autoregressive(6000, phi=0.8)
    law = Autoregression(lags=1, ridge=0.0).fit(x[:4000])
    for step in (1, 5):
        made = step_error(law, x[4000:], step=step)
        # The error h steps ahead of an AR(1) with unit noise has variance (1 - phi^2h) / (1 - phi^2).
        assert made.value == pytest.approx((1 - phi ** (2 * step)) / (1 - phi**2), rel=0.1)
        assert made.settings["origins"] == 2000 - step
    assert step_error(law, x[4000:], step=5, standardised=True).value == pytest.approx(
        step_error(law, x[4000:], step=5).value / x[4000:].var()
    )


def test_valid_times_of_a_law_that_is_exact_but_for_its_start():
    x = henon(3000)
    law = NVAR(delays=1, degree=2, ridge=1e-14).fit(x[:2000])
    noisy = x[2000:] + 1e-6 * np.random.default_rng(0).normal(size=(1000, 2))
    made = valid_times(law, noisy, horizon=80, origins=40, lyapunov_exponent=0.4192)
    # An error of 1e-6 grows to 0.4 standard deviations in about ln(0.4 / 1e-6) Lyapunov times.
    assert made.value == pytest.approx(np.log(0.4e6), rel=0.15)
    assert made.settings["origins"] == 40 == len(made.details["rows"])
    low, high = made.details["spread"]["interval"]
    assert low <= made.value <= high
    assert made.unit == "Lyapunov times"
    longer = valid_times(law, noisy, horizon=80, origins=40, threshold=0.5).value
    assert longer >= valid_times(law, noisy, horizon=80, origins=40, threshold=0.3).value


def test_a_run_that_leaves_the_guard_box_is_a_failure():
    x = lorenz63(1200)
    law = NVAR(delays=1, degree=3, ridge=1e-8).fit(x[:600])
    small = replace(law, low=x.min(axis=0) * 0.5, high=x.max(axis=0) * 0.5)
    made = valid_times(small, x[600:], horizon=150, origins=20)
    assert made.settings["failures"] > 10
    assert "runs failed" in made.reason
    assert step_error(small, x[600:], step=100).value == np.inf


def test_gaps_are_no_history_and_no_truth():
    x = autoregressive(800, phi=0.9)
    law = Autoregression(lags=3, ridge=1e-6).fit(x)
    holed = x.copy()
    holed[100:110] = np.nan
    runs = run_from(law, holed, 10, origins=None)
    assert not set(range(101, 113)) & set(runs.rows.tolist())
    assert {100, 113} <= set(runs.rows.tolist())
    assert np.isnan(runs.truths[runs.rows == 95]).sum() == 5
    assert np.isfinite(step_error(law, holed, step=10).value)


def test_known_inputs_come_from_the_series():
    drive = np.sin(np.arange(900) / 9)
    y = np.zeros(900)
    for t in range(1, 900):
        y[t] = 0.5 * y[t - 1] + drive[t - 1]
    series = replace(Series.from_array(np.column_stack([y, drive]), channels=("y", "u")), inputs=("u",))
    law = Autoregression(lags=1, ridge=0.0).fit(series.rows(0, 600))
    runs = run_from(law, series.rows(600), 30, origins=8)
    assert runs.paths.shape == (8, 30, 1)
    np.testing.assert_allclose(runs.paths, runs.truths, atol=1e-6)


def test_what_does_not_fit_is_refused():
    law = Autoregression(lags=2, ridge=1e-6).fit(Series.from_array(autoregressive(300), channels=("a",)))
    test = Series.from_array(autoregressive(100), channels=("a",))
    with pytest.raises(InsufficientData, match="room for"):
        run_from(law, test, 99)
    with pytest.raises(SettingError, match="row 1"):
        run_from(law, test, 10, origins=[1])
    with pytest.raises(LawError, match="channels"):
        run_from(law, Series.from_array(autoregressive(100), channels=("b",)), 10)
