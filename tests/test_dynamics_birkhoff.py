"""Weighted averages: their speed of convergence, rotation numbers, and telling chaos from order."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.birkhoff import birkhoff_average, birkhoff_weights, rotation_number, weighted_average
from takens.errors import SettingError
from takens.systems import Map, system

GOLDEN = (np.sqrt(5) - 1) / 2


def rotation(k: float, *, wrapped: bool = False) -> Map:
    """The circle map theta + omega - k/(2 pi) sin(2 pi theta)."""
    text = "x + omega - k/(2*pi)*sin(2*pi*x)"
    table = {"kind": "map", "equations": {"x": f"({text}) % 1" if wrapped else text}, "initial": [0.1]}
    return system({**table, "parameters": {"omega": GOLDEN, "k": k}})


def test_the_error_falls_faster_than_powers() -> None:
    angles = 0.3 + GOLDEN * np.arange(20_000)
    values = np.exp(np.cos(2 * np.pi * angles))
    exact = 1.2660658777520084  # the Bessel function I_0(1)
    errors = [abs(weighted_average(values[:n]).value - exact) for n in (250, 1000, 4000)]
    assert errors[1] < errors[0] / 4**3
    assert errors[2] < 1e-13
    plain = [abs(weighted_average(values[:n], weighted=False).value - exact) for n in (1000, 4000, 16_000)]
    assert min(plain) > 1e-6
    assert birkhoff_weights(7).sum() == pytest.approx(1)


def test_golden_rotation_to_twelve_digits() -> None:
    rigid = rotation_number(rotation(0.0), "x")
    assert float(rigid) == pytest.approx(GOLDEN, abs=1e-13)
    # Solve for the omega that turns by the golden mean at k = 0.7, from rotation numbers alone.
    circle = rotation(0.7)
    low, high = 0.55, 0.70
    for _ in range(60):
        middle = (low + high) / 2
        found = float(rotation_number(circle.with_parameters(omega=middle), "x", length=4000))
        low, high = (middle, high) if found < GOLDEN else (low, middle)
    there = circle.with_parameters(omega=low)
    assert float(rotation_number(there, "x", length=100_000)) == pytest.approx(GOLDEN, abs=1e-12)
    # The plain mean of the same orbit is off by about 1/n.
    slow = birkhoff_average(there, lambda x: there.rhs(0.0, x)[:, 0] - x[:, 0], length=20_000, weighted=False)
    assert 1e-8 < abs(slow.value - GOLDEN) < 1e-4


def test_wrapped_angles_give_the_same() -> None:
    for k in (0.2, 0.9):
        plain = float(rotation_number(rotation(k), "x")) % 1
        assert float(rotation_number(rotation(k, wrapped=True), "x", turn=1.0)) == pytest.approx(plain, abs=1e-11)
    # A locked tongue: exactly 1/2.
    locked = rotation(0.9, wrapped=True).with_parameters(omega=0.5)
    assert float(rotation_number(locked, "x", turn=1.0, transient=2000)) == pytest.approx(0.5, abs=1e-12)


def test_slow_rotation_around_zero_is_not_cut() -> None:
    slow = rotation(0.5, wrapped=True).with_parameters(omega=0.09)
    plain = float(rotation_number(rotation(0.5).with_parameters(omega=0.09), "x"))
    assert float(rotation_number(slow, "x", turn=1.0)) == pytest.approx(plain, abs=1e-9)


def test_digits_tell_chaos_from_order_in_the_standard_map() -> None:
    standard = system("StandardMap", k=0.9)

    def cosine(x: np.ndarray) -> np.ndarray:
        return np.cos(x[:, 1])

    order = birkhoff_average(standard, cosine, initial=[0.0, 2.8])
    chaos = birkhoff_average(standard, cosine, initial=[0.01, 0.01])
    assert order.details["average"].regular
    assert order.details["digits"] > 11
    assert not chaos.details["average"].regular
    assert chaos.details["digits"] < 5
    golden = rotation_number(system("StandardMap", k=0.0), "theta", turn=2 * np.pi, initial=[2 * np.pi * GOLDEN, 0.5])
    assert float(golden) == pytest.approx(GOLDEN, abs=1e-12)
    wild = rotation_number(system("StandardMap", k=7.0), "theta", turn=2 * np.pi, initial=[0.4, 0.5])
    assert not wild.admissible


def test_averages_over_an_attractor() -> None:
    # x of the logistic map at r = 4 has the mean 1/2; the error is that of 1/sqrt(n).
    found = birkhoff_average(system("Logistic", r=4.0), "x", length=200_000, initial=[0.1234])
    assert found.value == pytest.approx(0.5, abs=5 * 0.3536 * 1.5 / np.sqrt(200_000))
    assert found.details["digits"] < 5
    # A harmonic oscillator: x^2 has the mean 1/2 of the amplitude squared.
    circle = system({"equations": {"x": "y", "y": "-x"}, "initial": [1, 0]})
    square = birkhoff_average(circle, lambda x: x[:, 0] ** 2, length=5000, dt=0.37)
    assert square.value == pytest.approx(0.5, abs=1e-9)


def test_refusals() -> None:
    with pytest.raises(SettingError, match="at least"):
        birkhoff_weights(0)
    with pytest.raises(SettingError, match="finite"):
        weighted_average([1.0, np.nan, 2.0, 3.0])
    with pytest.raises(SettingError, match="no state"):
        birkhoff_average(system("Henon"), "q")
    with pytest.raises(SettingError, match="map"):
        rotation_number(system("Lorenz63"), "x")
