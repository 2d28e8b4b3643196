"""Polynomial flows: the weak form, the equations that are written out, and what is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import lorenz63, roessler

import takens
from takens import Series
from takens.errors import InsufficientData, SettingError
from takens.models import PolynomialFlow, Training
from takens.models.polynomial_equations import expanded, text
from takens.models.polynomial_flow import bump_function, weak_form
from takens.models.ridge import monomials


def clean(length: int = 3000) -> Series:
    return Series.from_array(lorenz63(length), interval=0.02, channels=("x", "y", "z"))


def test_bumps_turn_a_series_into_its_derivative_by_parts():
    t = 0.02 * np.arange(400)
    off = []
    for window in (8, 16, 32):
        bump, slope = bump_function(window, 0.02)
        assert bump.sum() == pytest.approx(1.0)
        left = np.convolve(np.cos(3 * t), bump, "valid")
        right = np.convolve(np.sin(3 * t) / 3, slope, "valid")
        off.append(np.abs(left - right).max())
    # The error falls with the eighth power of the window.
    np.testing.assert_allclose(np.log2(off[:-1]) - np.log2(off[1:]), 8, atol=1.5)


def test_the_weak_form_of_a_linear_law_is_solved_by_its_matrix():
    t = 0.05 * np.arange(300)
    x = np.stack([np.cos(2 * t), -2 * np.sin(2 * t)], 1)
    left, right = weak_form([x[:150], x[150:]], monomials(2, 1), 20, 0.05, 10_000)
    assert len(left) == 300 - 2 * 40
    np.testing.assert_allclose(np.linalg.lstsq(left, right, rcond=None)[0].T, [[0, 1], [-4, 0]], atol=1e-8)


def test_the_equations_of_lorenz_come_back():
    law = PolynomialFlow(degree=2, window=16, ridge=1e-12).fit(clean())
    terms = [{powers: value for powers, value in one.items() if abs(value) > 1e-4} for one in expanded(law)]
    assert [set(one) for one in terms] == [{(0,), (1,)}, {(0,), (1,), (0, 2)}, {(2,), (0, 1)}]
    assert terms[0][0,] == pytest.approx(-10, abs=1e-5)
    assert terms[1][0,] == pytest.approx(28, abs=1e-5)
    assert terms[1][0, 2] == pytest.approx(-1, abs=1e-6)
    assert terms[2][2,] == pytest.approx(-8 / 3, abs=1e-5)


def test_text_and_law_are_the_same_rates():
    law = PolynomialFlow(degree=3, window=10, ridge=1e-6).fit(clean(800))
    assert text({(): -1.5, (0,): -2.0, (0, 2): 3.0}, ("x", "y", "z")) == "-1.5 - 2.0*x + 3.0*x*z"
    system = law.system
    assert system.kind == "flow"
    assert system.states == ("x", "y", "z")
    states = lorenz63(800)[::100]
    rates = law.rates((states - law.mean) / law.scale) * law.scale
    np.testing.assert_allclose(system.rhs(0.0, states), rates, rtol=1e-9, atol=1e-8)
    bends = law.bends((states - law.mean) / law.scale) * law.scale[:, None] / law.scale
    np.testing.assert_allclose(system.jacobian(0.0, states), bends, rtol=1e-8, atol=1e-8)


def test_the_flow_passes_through_the_samples_of_the_law():
    law = PolynomialFlow(degree=2, window=16, ridge=1e-12).fit(clean())
    path = law.forecast(40, members=1).samples[0]
    orbit = takens.simulate(law.system, length=41, dt=0.02, tolerance=1e-12)
    np.testing.assert_allclose(orbit.values[1:], path, atol=2e-6)


def test_what_is_asked_of_known_equations_is_answered():
    law = PolynomialFlow(degree=2, window=20, ridge=1e-12).fit(clean(3000))
    found = takens.dynamics.fixed_points(law.system)
    points = np.array(sorted(p.tolist() for p in np.round(found.points, 3) if np.abs(p).max() < 40))
    root = np.sqrt(72)
    np.testing.assert_allclose(points, [[-root, -root, 27], [0, 0, 0], [root, root, 27]], atol=2e-3)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_exponents_of_lorenz_and_valid_prediction_time():
    from test_models_numbers import valid_times

    truth = lorenz63(10_000)
    law = PolynomialFlow().fit(Series.from_array(truth[:8000], interval=0.02))
    assert np.median(valid_times(law, truth, truth, 8000, 30, 1000)) >= 15
    spectrum = takens.lyapunov_spectrum(law.system).value
    assert spectrum[0] == pytest.approx(0.9056, rel=0.03)
    assert abs(spectrum[1]) < 0.05
    assert spectrum.sum() == pytest.approx(-(10 + 1 + 8 / 3), rel=1e-4)


def test_noise_bends_the_coefficients_little():
    x = lorenz63(6000)
    noisy = x + 0.01 * x.std(axis=0) * np.random.default_rng(0).normal(size=x.shape)
    terms = expanded(PolynomialFlow(degree=2, window=10, ridge=1e-8).fit(Series.from_array(noisy, interval=0.02)))
    assert terms[0][1,] == pytest.approx(10, rel=0.02)
    assert terms[1][0,] == pytest.approx(28, rel=0.02)
    assert terms[2][2,] == pytest.approx(-8 / 3, rel=0.03)


def test_roessler_is_found_in_several_trajectories():
    x = roessler(4000)
    law = PolynomialFlow(degree=2, window=12, ridge=1e-12).fit([Series.from_array(x[:2000], interval=0.1), Series.from_array(x[2100:], interval=0.1)])  # fmt: skip  # noqa: E501
    terms = expanded(law)
    assert terms[2][0, 2] == pytest.approx(1, abs=1e-3)
    assert terms[2][2,] == pytest.approx(-5.7, abs=1e-2)
    assert terms[2][()] == pytest.approx(0.2, abs=1e-2)


def test_names_that_are_no_names_are_numbered_and_inputs_are_parameters():
    t = 0.05 * np.arange(600)
    force = np.sin(0.7 * t)
    x = np.zeros(600)
    for k in range(599):
        x[k + 1] = np.exp(-0.05) * x[k] + (1 - np.exp(-0.05)) * (force[k] + force[k + 1]) / 2
    series = Series.from_array(np.stack([x, force], 1), interval=0.05, channels=("wind speed", "exp"))
    law = PolynomialFlow(degree=1, window=8, ridge=1e-10).fit(replace(series, inputs=("exp",)))
    system = law.system
    assert (system.states, tuple(system.parameters)) == (("x1",), ("x2",))
    # dx/dt = force - x, up to the trapezoid with which it was made.
    np.testing.assert_allclose(system.rhs(0.0, [0.5], x2=2.0), [1.5], atol=0.02)


def test_long_polynomials_stay_array_code_with_the_same_numbers():
    rng = np.random.default_rng(0)
    t = 0.05 * np.arange(2000)
    x = np.stack([np.sin(t * f) for f in (0.31, 0.47, 0.73, 1.01, 1.37, 1.73)], 1) + 0.01 * rng.normal(size=(2000, 6))
    law = PolynomialFlow(degree=4, window=8, ridge=1e-3).fit(Series.from_array(x, interval=0.05))
    system = law.system
    assert system.rule.program is None
    states = x[:3]
    np.testing.assert_allclose(system.rhs(0.0, states), law.rates((states - law.mean) / law.scale) * law.scale)
    numeric = [
        (system.rhs(0.0, states[0] + 1e-6 * e) - system.rhs(0.0, states[0] - 1e-6 * e)) / 2e-6 for e in np.eye(6)
    ]
    np.testing.assert_allclose(system.jacobian(0.0, states[0]), np.array(numeric).T, atol=1e-6)


def test_what_cannot_be_fitted_is_refused():
    for model in (PolynomialFlow(degree=0), PolynomialFlow(window=2), PolynomialFlow(ridge=-1.0)):
        with pytest.raises(SettingError):
            model.fit(clean(300))
    with pytest.raises(InsufficientData):
        PolynomialFlow(window=100).fit(clean(150))
    with pytest.raises(SettingError, match="monomials"):
        PolynomialFlow(degree=4).learn(Training.of(np.random.default_rng(0).normal(size=(50, 30))), 0)
