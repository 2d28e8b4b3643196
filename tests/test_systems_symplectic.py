"""Symplectic methods: orders, bounded energy errors, volume, separability, failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import takens
from takens.errors import SettingError, SimulationError
from takens.systems.native.symplectic import separation

SPLITTINGS = {"Leapfrog": 2, "Yoshida4": 4, "KahanLi8": 8}
IMPLICIT = {"Midpoint": 2, "Gauss4": 4}
HENON_HEILES = takens.system("HenonHeiles")
KEPLER = takens.system(
    {
        "equations": {"x": "px", "y": "py", "px": "-x/r3", "py": "-y/r3"}, "auxiliary": {"r3": "(x*x + y*y)**1.5"},
        "initial": [0.5, 0.0, 0.0, np.sqrt(3.0)], "period": 2 * np.pi,
    }
)  # fmt: skip
OSCILLATOR = takens.system({"equations": {"q": "p", "p": "-q"}, "initial": [1.0, 0.0], "period": 2 * np.pi})
DRIVEN: dict[str, Any] = {"equations": {"q": "p", "p": "-sin(q) + 0.3*cos(t)"}, "initial": [1.0, 0.0]}


def henon_heiles_energy(x: np.ndarray) -> np.ndarray:
    q, y, p, s = np.moveaxis(x, -1, 0)
    return (p**2 + s**2 + q**2 + y**2) / 2 + q**2 * y - y**3 / 3


def kepler_energy(x: np.ndarray) -> np.ndarray:
    return (x[..., 2] ** 2 + x[..., 3] ** 2) / 2 - 1 / np.hypot(x[..., 0], x[..., 1])


def oscillator_energy(x: np.ndarray) -> np.ndarray:
    return (x[..., 0] ** 2 + x[..., 1] ** 2) / 2


def slope(system: Any, method: str, steps: tuple[float, float], time: float) -> float:
    exact = takens.simulate(system, length=2, dt=time, tolerance=1e-14).values[-1]
    errors = [
        np.linalg.norm(takens.simulate(system, length=2, dt=time, method=method, step=h).values[-1] - exact)
        for h in steps
    ]
    return float(np.log(errors[0] / errors[1]) / np.log(steps[0] / steps[1]))


@pytest.mark.parametrize(("method", "order"), {**SPLITTINGS, **IMPLICIT}.items())
@pytest.mark.parametrize("system", [HENON_HEILES, takens.system(DRIVEN)], ids=["HenonHeiles", "driven"])
def test_observed_order(system: Any, method: str, order: int) -> None:
    steps = (0.2, 0.1) if method == "KahanLi8" else (0.02, 0.01)
    assert slope(system, method, steps, 8.0) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(("method", "order"), IMPLICIT.items())
def test_observed_order_on_the_double_pendulum(method: str, order: int) -> None:
    assert slope(takens.system("DoublePendulum"), method, (0.01, 0.005), 2.0) == pytest.approx(order, abs=0.1)


def test_a_step_of_leapfrog_by_hand() -> None:
    h = 0.1
    half = 1.0 + h / 2 * 0.5
    p = 0.5 - h * half
    found = takens.simulate(OSCILLATOR, initial=[1.0, 0.5], length=2, dt=h, method="Leapfrog").values[1]
    np.testing.assert_allclose(found, [half + h / 2 * p, p], rtol=1e-15)


@pytest.mark.parametrize("method", [*SPLITTINGS, *IMPLICIT])
def test_phase_space_area_is_kept_exactly(method: str) -> None:
    """The linear map of one step of the oscillator has determinant 1, for steps of any length."""
    columns = [takens.simulate(OSCILLATOR, initial=e, length=2, dt=0.7, method=method).values[1] for e in np.eye(2)]
    assert np.linalg.det(np.array(columns)) == pytest.approx(1.0, abs=1e-14)


def test_gauss_keeps_quadratic_invariants() -> None:
    values = takens.simulate(OSCILLATOR, length=1000, dt=0.5, method="Gauss4").values
    np.testing.assert_allclose(oscillator_energy(values), 0.5, atol=1e-13)


def drift(system: Any, energy: Any, method: str, step: float, periods: int) -> tuple[float, float, float]:
    """The largest relative error of the energy in the first and the last tenth of a run, and that of RK4."""
    count = 20_000
    dt = np.ceil(periods * system.period / count / step) * step
    values = takens.simulate(system, length=count, dt=dt, method=method, step=step).values
    errors = np.abs(energy(values) / energy(np.asarray(system.initial)) - 1)
    return float(errors[:2000].max()), float(errors[-2000:].max()), float(errors.mean())


@pytest.mark.parametrize(
    ("system", "energy", "method", "step", "most"),
    [
        (HENON_HEILES, henon_heiles_energy, "Leapfrog", 0.05, 1e-3), (KEPLER, kepler_energy, "Yoshida4", 0.02, 1e-4),
        (OSCILLATOR, oscillator_energy, "Leapfrog", 0.1, 5e-3), (KEPLER, kepler_energy, "Gauss4", 0.05, 1e-4),
    ],
)  # fmt: skip
def test_energy_errors_are_bounded(system: Any, energy: Any, method: str, step: float, most: float) -> None:
    first, last, _ = drift(system, energy, method, step, 2000)
    assert first < most
    assert last < 1.2 * first
    runge = drift(system, energy, "RK4", step, 2000)
    assert runge[1] > 5 * runge[0]  # the same test sees the drift of a method that is not symplectic


@pytest.mark.long
@pytest.mark.parametrize(
    ("system", "energy", "method", "step"),
    [
        (HENON_HEILES, henon_heiles_energy, "Leapfrog", 0.1), (HENON_HEILES, henon_heiles_energy, "Yoshida4", 0.1),
        (HENON_HEILES, henon_heiles_energy, "KahanLi8", 0.5), (OSCILLATOR, oscillator_energy, "Leapfrog", 0.1),
        (OSCILLATOR, oscillator_energy, "Yoshida4", 0.1), (KEPLER, kepler_energy, "Leapfrog", 0.02),
        (KEPLER, kepler_energy, "Yoshida4", 0.02), (KEPLER, kepler_energy, "KahanLi8", 0.1),
        (HENON_HEILES, henon_heiles_energy, "Midpoint", 0.1),
    ],
)  # fmt: skip
def test_energy_errors_are_bounded_over_1e5_periods(system: Any, energy: Any, method: str, step: float) -> None:
    first, last, _ = drift(system, energy, method, step, 100_000)
    assert last < 1.2 * first
    assert first < 0.01


def test_the_energy_of_the_double_pendulum_stays() -> None:
    pendulum = takens.system("DoublePendulum")
    values = takens.simulate(pendulum, length=5000, dt=0.02, method="Gauss4").values
    a, b, p, q = values.T
    kinetic = (p**2 + 2 * q**2 - 2 * p * q * np.cos(a - b)) / (2 * (1 + np.sin(a - b) ** 2))
    energy = kinetic - 9.81 * (2 * np.cos(a) + np.cos(b))
    errors = np.abs(energy - energy[0])
    assert errors.max() < 2e-3
    assert errors[2500:].max() < 3 * errors[:2500].max()


def test_groups_are_found_from_the_equations() -> None:
    def groups(equations: dict[str, str], **keys: Any) -> Any:
        rule = takens.system({"equations": equations, "initial": [0.1] * len(equations), **keys}).rule
        assert rule.program is not None
        return separation(rule.program)

    assert HENON_HEILES.rule.program is not None
    assert separation(HENON_HEILES.rule.program) == ((0, 1), (2, 3))
    assert groups({"p": "-q", "q": "p"}) == ((0,), (1,))
    assert groups({"p": "-q + cos(t)", "q": "p"}) == ((1,), (0,))  # what depends on the time is kicked
    assert groups({"a": "b", "b": "-a", "c": "d", "d": "-c"}) == ((0, 2), (1, 3))
    assert groups({"a": "f", "b": "-a"}, auxiliary={"f": "b**3"}) == ((0,), (1,))


@pytest.mark.parametrize(
    "equations",
    [{"q": "p", "p": "-q - 0.1*p"}, {"q": "p + cos(t)", "p": "-q + sin(t)"}, {"x": "y", "y": "z", "z": "x"}],
)
def test_equations_that_are_not_separable_are_refused(equations: dict[str, str]) -> None:
    system = takens.system({"name": "mixed", "equations": equations, "initial": [0.1] * len(equations)})
    with pytest.raises(SettingError, match="not separable") as caught:
        takens.simulate(system, length=3, dt=0.1, method="Yoshida4")
    assert "Gauss4" in str(caught.value)
    assert "mixed" in str(caught.value)


def test_a_step_too_long_for_its_iteration_is_told() -> None:
    pendulum = takens.system("DoublePendulum")
    with pytest.raises(SimulationError, match="shorter than 2") as caught:
        takens.simulate(pendulum, length=9, dt=2.0, method="Gauss4")
    assert caught.value.state == tuple(pendulum.initial)
