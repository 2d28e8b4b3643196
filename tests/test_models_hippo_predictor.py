"""The HiPPO predictor: explicit weights, the memory as it is defined, and what it reaches on known systems."""

from __future__ import annotations

import numpy as np
import pytest
from systems import lorenz63
from test_models_numbers import valid_times

from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models.hippo_predictor import HippoPredictor, _extrapolation


def test_extrapolation_continues_every_polynomial_of_the_basis():
    # Exact coefficients of f(t - window a) for a polynomial f of degree 3; the read-out must give f(t + 1) - f(t).
    nodes, weights = np.polynomial.legendre.leggauss(20)
    age, window, t = (nodes + 1) / 2, 6.0, 4.0

    def f(t):
        return 0.2 * t**3 - t**2 + 3

    legendre = [np.polynomial.legendre.Legendre.basis(n)(1 - 2 * age) * np.sqrt(2 * n + 1) for n in range(4)]
    c = [(weights / 2 * g * f(t - window * age)).sum() for g in legendre]
    readout = _extrapolation("legt", 4, window, 1)
    np.testing.assert_allclose(readout(np.array([f(t), *c])[None]), f(t + 1) - f(t), rtol=1e-12)


def test_explicit_weights_know_nothing_of_the_data():
    one, other = np.sin(np.arange(200) / 9), lorenz63(300)[:, 0]
    model = HippoPredictor(order=4, window=5.0, readout="extrapolation")
    np.testing.assert_array_equal(model.fit(one).readout.weights, model.fit(other).readout.weights)
    # One step of a smooth signal is known far better than by persistence, without having been learned.
    law = model.fit(other)
    assert law.residuals.std() < 0.25 * np.diff(other).std()


def test_a_period_of_the_window_is_continued_by_the_fourier_memory():
    t = np.arange(800)
    x = np.sin(2 * np.pi * t / 24) + 0.3 * np.cos(4 * np.pi * t / 24)
    path = HippoPredictor(measure="fout", order=7, window=24.0, readout="extrapolation").fit(x[:700])
    assert np.abs(path.forecast(48, members=1).samples[0, :, 0] - x[700:748]).max() < 0.15


@pytest.mark.parametrize("measure", ["legt", "legs", "fout"])
def test_the_history_unrolled_is_the_recurrence(measure):
    x = lorenz63(400)
    law = HippoPredictor(measure=measure, order=3, window=6.0, degree=2).fit(x)
    history = x[None, 300 : 300 + law.memory]
    state = law.init(np.repeat(history[:, :1], law.memory, axis=1))
    np.testing.assert_allclose(state[0, 1:], [state[0, 0], 0 * x[0], 0 * x[0]], atol=1e-12)  # a constant is at rest
    for t in range(1, law.memory):
        state = law.feed(state, history[:, t])
    np.testing.assert_allclose(law.init(history), state, atol=1e-12)


@pytest.mark.parametrize("readout", ["regression", "extrapolation"])
def test_slopes_are_the_differences_of_a_step(readout):
    x = lorenz63(600)
    law = HippoPredictor(order=2, window=4.0, readout=readout, ridge=1e-6).fit(x)
    state = law.init(np.stack([x[: law.memory], x[300 : 300 + law.memory]]))
    slopes, size = law.slopes(state), state[0].size
    for k in range(size):
        off = np.zeros(size)
        off[k] = 1e-6
        ahead, behind = (
            law.feed(s, law.step(s)) for s in (state + off.reshape(state[0].shape), state - off.reshape(state[0].shape))
        )
        np.testing.assert_allclose(slopes[:, :, k], (ahead - behind).reshape(2, -1) / 2e-6, rtol=1e-6, atol=1e-7)


def test_regression_is_least_squares_on_the_memory():
    # Two tones obey a linear recurrence that memory and present row span, but for the 1e-4 that history leaves out.
    t = np.arange(700)
    x = np.sin(t / 5) + 0.5 * np.cos(t / 3.3)
    law = HippoPredictor(order=4, window=12.0, degree=1, readout="regression", ridge=1e-13).fit(x[:600])
    np.testing.assert_allclose(law.forecast(100, members=1).samples[0, :, 0], x[600:], atol=4e-3)


def test_lorenz_in_context():
    truth = lorenz63(6000)
    law = HippoPredictor().fit(truth[:4500])
    assert law.degree >= 2
    assert np.median(valid_times(law, truth, truth, 4500, 12, 700)) >= 7


def test_settings_and_short_series_are_refused():
    for wrong in ({"measure": "lagt"}, {"order": 0}, {"window": 0.5}, {"degree": 4}, {"readout": "mean"}):
        with pytest.raises(SettingError):
            HippoPredictor(**wrong).fit(np.sin(np.arange(50)))
    with pytest.raises(SettingError, match="monomials"):
        HippoPredictor(order=50, degree=3).fit(np.random.default_rng(0).normal(size=(50, 3)))
    with pytest.raises(InsufficientData):
        HippoPredictor().fit(np.arange(3.0))


@pytest.mark.parametrize("model", [HippoPredictor(), HippoPredictor(measure="fout", readout="extrapolation")])
def test_the_contract_holds(model):
    check_model(model)
