"""Stiff flows: Radau against closed forms, published values and its order; what gives up names it."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.errors import SettingError, SimulationError
from takens.systems import ArrayRule, Flow

ROBERTSON = takens.system(
    {
        "name": "Robertson",
        "equations": {"a": "-k1*a + k3*b*c", "b": "k1*a - k3*b*c - k2*b*b", "c": "k2*b*b"},
        "parameters": {"k1": 0.04, "k2": 3e7, "k3": 1e4}, "initial": [1.0, 0.0, 0.0],
    }
)  # fmt: skip
VAN_DER_POL = takens.system(
    {"equations": {"x": "v", "v": "mu*(1 - x*x)*v - x"}, "parameters": {"mu": 1000.0}, "initial": [2.0, 0.0]}
)


def test_a_stiff_linear_system_has_its_closed_form() -> None:
    """x' = -L (x - cos t) with L = 1e6: x = L (L cos t + sin t) / (L^2 + 1), up to a transient of a microsecond."""
    rate = 1e6
    system = takens.system({"equations": {"x": "-L*(x - cos(t))"}, "parameters": {"L": rate}, "initial": [0.0]})
    series = takens.simulate(system, length=101, dt=0.3, transient=0.3, method="Radau", tolerance=1e-10)
    exact = rate * (rate * np.cos(series.times) + np.sin(series.times)) / (rate**2 + 1)
    np.testing.assert_allclose(series.values[:, 0], exact, atol=1e-9)


def test_robertson_to_1e11() -> None:
    """The end of the problem ROBER: Hairer & Wanner II, section IV.10, test set of IVP solvers (Mazzia & Magherini)."""
    end = takens.simulate(ROBERTSON, length=2, dt=1e11, method="Radau", tolerance=1e-13).values[-1]
    np.testing.assert_allclose(end, [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050], rtol=1e-4)
    assert end.sum() == pytest.approx(1.0, abs=1e-11)


def test_van_der_pol_with_mu_1000() -> None:
    """At t = 2000: the problem VDPOL (eps = 1e-6, t = 2) in the time t mu."""
    end = takens.simulate(VAN_DER_POL, length=2, dt=2000.0, method="Radau", tolerance=1e-10).values[-1]
    assert end[0] == pytest.approx(1.706167732170469, abs=1e-6)
    assert end[1] == pytest.approx(-0.8928097010248125e-3, abs=1e-8)
    explicit = takens.simulate(VAN_DER_POL, length=2, dt=2000.0, method="DOP853", tolerance=1e-10).values[-1]
    np.testing.assert_allclose(end, explicit, atol=1e-6)


def test_observed_order_of_the_samples() -> None:
    """Errors fall as tolerance^(5/4): Radau controls an error of order 4 and has order 5 (Hairer & Wanner, IV.8)."""
    pendulum = takens.system({"equations": {"x": "v", "v": "-sin(x)"}, "initial": [1.5, 0.0]})
    exact = takens.simulate(pendulum, length=2, dt=8.0, tolerance=1e-14).values[-1]
    tolerances = 10.0 ** -np.arange(5, 10.1, 0.5)
    errors = [
        np.abs(takens.simulate(pendulum, length=2, dt=8.0, method="Radau", tolerance=t).values[-1] - exact).max()
        for t in tolerances
    ]
    slope = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert slope == pytest.approx(1.25, abs=0.1)


def test_array_code_is_solved_too() -> None:
    arrays = Flow("arrays", ArrayRule(("x",), lambda t, x, p: -1e5 * (x - 1)), {}, np.array([0.0]))
    np.testing.assert_allclose(takens.simulate(arrays, length=3, dt=1.0, method="Radau").values[1:], 1.0, atol=1e-9)


def test_failures_have_time_and_state() -> None:
    escaping = takens.system({"equations": {"x": "x*x"}, "initial": [1.0]})
    with pytest.raises(SimulationError) as caught:
        takens.simulate(escaping, length=3, dt=1.0, method="Radau")
    assert caught.value.time == pytest.approx(1.0, abs=1e-6)
    assert caught.value.state[0] > 1e5
    leaving = takens.system({"equations": {"x": "-1/sqrt(x)"}, "initial": [1.0]})  # x^(3/2) = 1 - 3 t / 2
    with pytest.raises(SimulationError) as caught:
        takens.simulate(leaving, length=2, dt=1.0, method="Radau")
    assert caught.value.time == pytest.approx(2 / 3, abs=1e-4)
    with pytest.raises(SettingError, match="Radau chooses its steps"):
        takens.simulate(escaping, length=3, dt=0.1, method="Radau", step=0.01)


def test_explicit_methods_that_give_up_name_radau() -> None:
    from takens.systems.native.integrate import METHODS, integrate

    rule = ROBERTSON.rule
    assert rule.program is not None
    with pytest.raises(SimulationError, match='method="Radau"') as caught:
        integrate(
            rule.program, ROBERTSON.initial, ROBERTSON.values_of_parameters(), np.array([1e11]),
            method=METHODS["DOP853"], most_steps=400_000,
        )  # fmt: skip
    assert 0 < caught.value.time < 1e11
    assert sum(caught.value.state) == pytest.approx(1.0, abs=1e-3)
