"""Lyapunov exponents from equations, against closed forms and published values."""

from __future__ import annotations

import numpy as np
import pytest

import takens as tk
from takens.dynamics import kaplan_yorke_dimension, lyapunov_spectrum
from takens.errors import InsufficientData, SettingError, SimulationError

LORENZ = {
    "name": "Lorenz63",
    "equations": {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
    "parameters": {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
    "initial": {"x": 1.0, "y": 1.0, "z": 20.0},
    "period": 0.75,
}
HENON = {
    "name": "Henon",
    "kind": "map",
    "equations": {"x": "1 - a*x**2 + y", "y": "b*x"},
    "parameters": {"a": 1.4, "b": 0.3},
    "initial": {"x": 0.1, "y": 0.1},
}


def test_a_linear_map_has_the_logarithms_of_its_eigenvalues() -> None:
    system = tk.system(
        {"name": "linear", "kind": "map", "equations": {"x": "1.1*x", "y": "0.8*y"}, "initial": {"x": 1e-9, "y": 1.0}}
    )
    found = lyapunov_spectrum(system, duration=1000, transient=0)
    np.testing.assert_allclose(found.value, np.log([1.1, 0.8]), atol=1e-12)
    assert found.unit == "1/iteration"


def test_a_linear_flow_has_the_real_parts_of_its_eigenvalues() -> None:
    """A spiral with eigenvalues -0.1 +- 2i and a direction of -1."""
    equations = {"x": "-0.1*x + 2*y", "y": "-2*x - 0.1*y", "z": "-z"}
    system = tk.system({"name": "spiral", "equations": equations, "initial": {"x": 1.0, "y": 0.0, "z": 1.0}})
    found = lyapunov_spectrum(system, duration=400, transient=0)
    np.testing.assert_allclose(found.value, [-0.1, -0.1, -1.0], atol=2e-6)
    assert found.details["kaplan_yorke_dimension"] == 0


def test_lorenz_has_its_published_exponents_and_its_exact_divergence() -> None:
    found = lyapunov_spectrum(tk.system(LORENZ), duration=2000)
    error = found.details["standard_error"]
    known = np.array([0.9056, 0.0, -14.5723])  # Sprott, Chaos and Time-Series Analysis (2003)
    assert np.all(np.abs(found.value - known) < np.maximum(3 * error, 1e-4))
    assert error[0] < 0.01
    assert found.value[0] == pytest.approx(0.9056, rel=0.02)
    assert found.details["sum"] == pytest.approx(-41 / 3, rel=1e-6)
    assert found.details["divergence"] == pytest.approx(-41 / 3, rel=1e-12)
    assert found.details["kaplan_yorke_dimension"] == pytest.approx(2.062, abs=0.003)


def test_lorenz_to_one_per_cent() -> None:
    found = lyapunov_spectrum(tk.system(LORENZ), duration=20_000)
    assert found.value[0] == pytest.approx(0.9056, rel=0.01)
    assert abs(found.value[1]) < 1e-4


def test_the_sum_is_the_mean_divergence_where_that_varies() -> None:
    """Roessler: the trace of the Jacobian is a + x - c; sum and divergence come from one orbit by different ways."""
    roessler = {
        "name": "Roessler",
        "equations": {"x": "-y - z", "y": "x + a*y", "z": "b + z*(x - c)"},
        "parameters": {"a": 0.2, "b": 0.2, "c": 5.7},
        "initial": {"x": 1.0, "y": 1.0, "z": 0.0},
        "period": 5.9,
    }
    found = lyapunov_spectrum(tk.system(roessler))
    assert found.details["sum"] == pytest.approx(found.details["divergence"], rel=1e-6)
    error = found.details["standard_error"]
    assert abs(found.value[0] - 0.0714) < 3 * error[0]
    assert abs(found.value[1]) < 3 * error[1] + 1e-3


def test_henon_and_logistic() -> None:
    henon = lyapunov_spectrum(tk.system(HENON))
    assert henon.value[0] == pytest.approx(0.4192, abs=0.004)
    assert henon.details["sum"] == pytest.approx(np.log(0.3), rel=1e-12)
    assert henon.details["divergence"] == pytest.approx(np.log(0.3), rel=1e-12)
    assert henon.interval[0][0] < 0.4192 < henon.interval[1][0]
    logistic = {"name": "logistic", "kind": "map", "equations": {"x": "r*x*(1 - x)"}, "parameters": {"r": 4.0}}
    found = lyapunov_spectrum(tk.system({**logistic, "initial": {"x": 0.123}}), duration=200_000)
    assert found.value[0] == pytest.approx(np.log(2), abs=1e-3)


def test_a_limit_cycle_has_one_exponent_zero_and_one_known() -> None:
    """Stuart-Landau: r' = r (1 - r^2) has exponent -2 across the cycle."""
    square = "(x**2 + y**2)"
    system = tk.system(
        {
            "name": "StuartLandau",
            "equations": {"x": f"x - w*y - x*{square}", "y": f"w*x + y - y*{square}"},
            "parameters": {"w": 2.0},
            "initial": {"x": 1.0, "y": 0.0},
        }
    )
    found = lyapunov_spectrum(system, duration=300, transient=20)
    np.testing.assert_allclose(found.value, [0, -2], atol=2e-5)
    assert found.details["kaplan_yorke_dimension"] == pytest.approx(1.0, abs=1e-4)


def test_fewer_exponents_are_the_largest_ones() -> None:
    system = tk.system(LORENZ)
    two = lyapunov_spectrum(system, duration=300, count=2, interval=0.5)
    three = lyapunov_spectrum(system, duration=300, count=3, interval=0.5)
    np.testing.assert_allclose(two.value, three.value[:2], atol=0.02)
    assert "sum" not in two.details


def test_other_parameters_other_exponents() -> None:
    """At rho = 20 the orbit settles on a fixed point, whose eigenvalues are the exponents."""
    system = tk.system(LORENZ).with_parameters(rho=20.0)
    found = lyapunov_spectrum(system, duration=300, transient=300)
    c = np.sqrt(8 / 3 * 19)
    real = np.linalg.eigvals(system.jacobian(0.0, [c, c, 19.0])).real
    np.testing.assert_allclose(found.value, np.sort(real)[::-1], atol=0.02)


def test_the_interval_covers_the_truth() -> None:
    """Short runs of the Henon map: the 95 % intervals hold the exponent of a long one about as often as they say."""
    system = tk.system(HENON)
    starts = np.random.default_rng(0).uniform(-0.1, 0.1, size=(40, 2))
    held = 0
    for start in starts:
        low, high = lyapunov_spectrum(system, duration=4000, initial=start, interval=4.0).interval
        held += low[0] <= 0.4192 <= high[0]
    assert held >= 34


def test_kaplan_yorke_dimension_of_known_spectra() -> None:
    assert kaplan_yorke_dimension([0.9056, 0, -14.5723]) == pytest.approx(2.0621, abs=1e-4)
    assert kaplan_yorke_dimension([0.4192, -1.6232]) == pytest.approx(1.2583, abs=1e-4)
    assert kaplan_yorke_dimension([-0.1, -1]) == 0
    assert kaplan_yorke_dimension([0.1, 0.2]) == 2
    with pytest.raises(SettingError):
        kaplan_yorke_dimension([])


def test_bad_questions() -> None:
    system = tk.system(LORENZ)
    for wrong in ({"count": 4}, {"duration": -1.0}, {"interval": 0.0}, {"initial": [1.0]}, {"transient": np.inf}):
        with pytest.raises(SettingError):
            lyapunov_spectrum(system, **wrong)
    big = {f"x{i}": f"-x{i}" for i in range(210)}
    with pytest.raises(InsufficientData, match="too many"):
        lyapunov_spectrum(tk.system({"name": "big", "equations": big, "initial": dict.fromkeys(big, 1.0)}))
    for wrong in ({"step": -0.1}, {"step": np.inf}):
        with pytest.raises(SettingError):
            lyapunov_spectrum(system, **wrong)
    with pytest.raises(SettingError):
        lyapunov_spectrum(tk.system(HENON), step=0.1)
    runaway = tk.system({"name": "runaway", "equations": {"x": "x**2"}, "initial": {"x": 1.0}})
    with pytest.raises(SimulationError):
        lyapunov_spectrum(runaway, duration=100)
