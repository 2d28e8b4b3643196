"""Published exponents, closed forms, and what is said where an exponent is not to be had."""

from __future__ import annotations

import numpy as np
import pytest

import takens as tk
from takens.dynamics import largest_lyapunov_exponent, lyapunov_spectrum
from takens.systems import ArrayRule, Map


def logistic(r: float, initial: float = 0.123) -> tk.System:
    """The logistic map."""
    return tk.system(
        {
            "name": "logistic",
            "kind": "map",
            "equations": {"x": "r*x*(1 - x)"},
            "parameters": {"r": r},
            "initial": {"x": initial},
        }
    )


def test_logistic_map_has_ln_2() -> None:
    found = lyapunov_spectrum(logistic(4.0), duration=2_000_000)
    assert found.admissible
    assert found.value[0] == pytest.approx(np.log(2), abs=1e-4)
    assert found.details["divergence"] == pytest.approx(found.value[0], rel=1e-9)


def test_henon_has_its_published_exponents() -> None:
    found = lyapunov_spectrum(tk.system("Henon", a=1.4, b=0.3), duration=1_000_000)
    error = found.details["standard_error"]
    assert abs(found.value[0] - 0.41922) < max(3 * error[0], 5e-5)  # Sprott (2003)
    assert error[0] < 5e-4
    assert found.details["sum"] == pytest.approx(np.log(0.3), rel=1e-10)


def test_lorenz_and_roessler_by_one_vector() -> None:
    for name, known, duration in (("Lorenz63", 0.9056, 10_000), ("Rossler", 0.0714, 600_000)):
        found = largest_lyapunov_exponent(tk.system(name), duration=duration)
        error = found.details["standard_error"]
        assert abs(found.value - known) < 3 * error + 5e-5, name
        assert found.value == pytest.approx(known, rel=0.01), name
        assert found.interval[0] < found.value < found.interval[1]
        assert float(found) == found.value
        assert found.details["convergence"][-1] == pytest.approx(found.value)


def test_lorenz_by_fixed_steps() -> None:
    """The error of RK4 at 0.01 shows in the sum, which misses the divergence by some 1e-5 of it, and only there."""
    system = tk.system("Lorenz63", sigma=10, rho=28, beta=8 / 3)
    found = lyapunov_spectrum(system, duration=2000, step=0.01)
    assert np.all(np.abs(found.value - [0.9056, 0, -14.5723]) < 3 * found.details["standard_error"] + 1e-3)
    assert found.details["sum"] == pytest.approx(-41 / 3, rel=3e-5)
    finer = lyapunov_spectrum(system, duration=2000, step=0.0025)
    assert finer.details["sum"] == pytest.approx(-41 / 3, rel=1e-6)


def test_one_vector_agrees_with_the_spectrum_within_errors() -> None:
    system = tk.system("Henon")
    one, all_ = largest_lyapunov_exponent(system, duration=20_000), lyapunov_spectrum(system, duration=20_000)
    error = np.hypot(one.details["standard_error"], all_.details["standard_error"][0])
    assert abs(one.value - all_.value[0]) < 4 * error


def test_lorenz_96_of_forty_sites() -> None:
    found = largest_lyapunov_exponent(tk.system("Lorenz96"), duration=20_000, transient=100)
    assert found.value == pytest.approx(1.69, rel=0.02)
    whole = lyapunov_spectrum(tk.system("Lorenz96"), duration=500, transient=100)
    assert whole.details["sum"] == pytest.approx(-40, rel=1e-6)
    assert whole.details["kaplan_yorke_dimension"] == pytest.approx(27.1, abs=0.5)  # Lorenz & Emanuel (1998)


def test_a_lattice_and_its_equations_have_the_same_exponents() -> None:
    lattice = tk.system("Lorenz96")
    size = lattice.dimension
    equations = {
        f"x{i + 1}": f"(x{(i + 1) % size + 1} - x{(i - 2) % size + 1})*x{(i - 1) % size + 1} - x{i + 1} + f"
        for i in range(size)
    }
    written = tk.system(
        {"name": "L96", "equations": equations, "parameters": {"f": 8.0}, "initial": lattice.initial.tolist()}
    )
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(size, 3)))[0]
    one, two = (s.carried(s.phase(), vectors, 0.0, 0.5, tolerance=1e-12) for s in (lattice, written))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)
    spectra = [lyapunov_spectrum(s, count=2, duration=5, transient=0, interval=0.1) for s in (lattice, written)]
    np.testing.assert_allclose(spectra[0].value, spectra[1].value, atol=1e-5)
    map_ = tk.system("CoupledMapLattice")
    moved = map_.carried(map_.phase(), np.eye(map_.dimension)[:, :2], 0.0, 2.0)[1]
    slopes = map_.jacobian(1.0, map_.rhs(0.0, map_.phase())) @ map_.jacobian(0.0, map_.phase())
    np.testing.assert_allclose(moved, slopes[:, :2], atol=1e-12)


def test_a_driven_flow_has_the_mean_of_its_rate() -> None:
    """x' = (cos t - 0.3) x, y' = (0.5 sin t - 1) y: Floquet exponents -0.3 and -1."""
    system = tk.system(
        {"name": "driven", "equations": {"x": "(cos(t) - 0.3)*x", "y": "(0.5*sin(t) - 1)*y"}, "initial": [1.0, 1.0]}
    )
    found = lyapunov_spectrum(system, duration=200 * np.pi, interval=2 * np.pi, transient=2 * np.pi)
    np.testing.assert_allclose(found.value, [-0.3, -1.0], atol=1e-8)


def test_the_floquet_exponent_of_van_der_pol_is_the_integral_of_its_divergence() -> None:
    """On a limit cycle of the plane the second exponent is the mean divergence; here that of one period, by SciPy."""
    from scipy.integrate import solve_ivp

    system = tk.system(
        {
            "name": "vdp",
            "equations": {"x": "y", "y": "mu*(1 - x**2)*y - x"},
            "parameters": {"mu": 1.0},
            "initial": [2.0, 0.0],
        }
    )

    def crossing(t: float, x: np.ndarray) -> float:
        return float(x[1]) if t > 40 else 1.0

    crossing.direction = -1  # type: ignore[attr-defined]
    found = solve_ivp(
        lambda t, x: [x[1], (1 - x[0] ** 2) * x[1] - x[0], 1 - x[0] ** 2], (0, 60), [2, 0, 0], "DOP853", rtol=1e-12,
        atol=1e-12, events=crossing,
    )  # fmt: skip
    times, volumes = found.t_events[0][1:3], found.y_events[0][1:3, 2]  # the first may be the jump at 40
    exponent = np.diff(volumes)[0] / np.diff(times)[0]
    spectrum = lyapunov_spectrum(system, duration=4000, transient=100)
    np.testing.assert_allclose(spectrum.value, [0, exponent], atol=1e-3)


def test_orbits_that_fell_into_a_cycle_of_rounded_numbers_are_not_admissible() -> None:
    """The tent map of slope 2 loses one binary digit in a step and ends on 0; its slope alone is no evidence."""
    tent = {"name": "tent", "kind": "map", "equations": {"x": "1 - 2*abs(x - 0.5)"}, "initial": {"x": 0.1234}}
    found = lyapunov_spectrum(tk.system(tent), duration=1000)
    assert not found.admissible
    assert "cycle of 1 rounded" in found.reason
    long = lyapunov_spectrum(logistic(4.0), duration=100_000)
    assert long.admissible
    # An orbit that begins on an unstable fixed point has that point's exponent: |2 - r| = 2 at x = 3/4, r = 4.
    fixed = lyapunov_spectrum(logistic(4.0, 0.75), duration=1000)
    assert fixed.admissible
    assert fixed.value[0] == pytest.approx(np.log(2), rel=1e-12)
    # A stable cycle is a cycle of the map itself.
    assert lyapunov_spectrum(logistic(3.2), duration=1000).admissible


def test_a_direction_that_vanishes_has_minus_infinity() -> None:
    flat = tk.system({"name": "flat", "kind": "map", "equations": {"x": "1.5*x", "y": "x"}, "initial": [0.0, 0.0]})
    found = lyapunov_spectrum(flat, duration=1000)
    assert found.value[0] == pytest.approx(np.log(1.5), rel=1e-12)
    assert found.value[1] == -np.inf
    assert found.details["divergence"] == -np.inf
    assert found.details["kaplan_yorke_dimension"] == 1


def test_maps_of_many_states_and_of_array_code_have_their_divergence() -> None:
    """Beyond four states, and in array code, log |det J| comes from the same iterations by NumPy."""
    size = 6
    equations = {f"x{i}": f"1.6*sin(x{i} + 0.4*x{(i + 1) % size}) + 0.2*x{(i + 2) % size}" for i in range(size)}
    big = tk.system({"name": "big", "kind": "map", "equations": equations, "initial": np.linspace(0.1, 1, 6).tolist()})
    found = lyapunov_spectrum(big, duration=2000, interval=2)
    assert found.details["sum"] == pytest.approx(found.details["divergence"], rel=1e-6)
    henon = tk.system("Henon")
    rule = ArrayRule(("x", "y"), lambda t, x, p: henon.rhs(t, x), derivative=lambda t, x, p: henon.jacobian(t, x))
    array = lyapunov_spectrum(Map("array", rule, {}, henon.initial), duration=2000)
    assert array.details["sum"] == pytest.approx(np.log(0.3), rel=1e-9)
    assert array.details["divergence"] == pytest.approx(np.log(0.3), rel=1e-9)


def test_progress_is_reported_to_the_end() -> None:
    seen: list[float] = []
    lyapunov_spectrum(tk.system("Lorenz63"), duration=3000, report=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 1
