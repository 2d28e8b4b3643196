"""HiPPO matrices against the integrals that define them, and the predictor with explicit weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import eval_legendre

from takens.errors import SettingError
from takens.models.recurrent.hippo import MEASURES, basis, bilinear, held, hippo, spectrum

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def coefficients(measure: str, order: int, signal, t: float, window: float) -> np.ndarray:
    """c_n(t) by quadrature of its definition, the basis written out again."""
    share, weight = (NODES + 1) / 2, WEIGHTS / 2
    if measure == "legs":  # substitute r = exp(-a): the weight exp(-a) da becomes dr on [0, 1]
        functions = [np.sqrt(2 * n + 1) * eval_legendre(n, 2 * share - 1) for n in range(order)]
        age = -np.log(share)
    elif measure == "legt":
        functions = [np.sqrt(2 * n + 1) * eval_legendre(n, 1 - 2 * share) for n in range(order)]
        age = share
    else:
        functions = [np.ones_like(share)]
        for m in range(1, (order + 1) // 2):
            functions += [np.sqrt(2) * np.cos(2 * np.pi * m * share), np.sqrt(2) * np.sin(2 * np.pi * m * share)]
        age = share
    return np.array([(weight * g * signal(t - window * age)).sum() for g in functions])


SIGNALS = {
    "legt": lambda t: 0.3 - t + 0.5 * t**2 - 0.1 * t**4,  # in the span of the first five polynomials
    "legs": lambda t: np.exp(2 * t) * np.cos(t) + 3,  # anything
    "fout": lambda t: 1 + np.sin(2 * np.pi * t / 2.5) - 0.4 * np.cos(4 * np.pi * t / 2.5 + 0.3),  # period: the window
}


@pytest.mark.parametrize("measure", MEASURES)
def test_the_matrices_are_those_of_the_definition(measure):
    order, window, t, h = 5, 2.5, 1.3, 1e-3
    a, b = hippo(measure, order)
    signal = SIGNALS[measure]
    c = {k: coefficients(measure, order, signal, t + k * h, window) for k in (-2, -1, 0, 1, 2)}
    slope = (8 * (c[1] - c[-1]) - (c[2] - c[-2])) / (12 * h)
    np.testing.assert_allclose(window * slope, a @ c[0] + b * signal(t), atol=2e-9)


def test_legs_read_with_growing_window_is_the_scaled_measure():
    # c_n(t) = 1/t integral over [0, t] of f(s) sqrt(2n + 1) P_n(2 s/t - 1) ds obeys t dc/dt = A c + B f.
    a, b = hippo("legs", 6)

    def scaled(t: float) -> np.ndarray:
        s = (NODES + 1) / 2
        return np.array(
            [
                (WEIGHTS / 2 * np.sqrt(2 * n + 1) * eval_legendre(n, 2 * s - 1) * np.sin(3 * t * s)).sum()
                for n in range(6)
            ]
        )

    t, h = 1.7, 1e-3
    slope = (8 * (scaled(t + h) - scaled(t - h)) - (scaled(t + 2 * h) - scaled(t - 2 * h))) / (12 * h)
    np.testing.assert_allclose(t * slope, a @ scaled(t) + b * np.sin(3 * t), atol=2e-9)


def test_published_entries():
    a, b = hippo("legs", 3)
    np.testing.assert_allclose(-a, [[1, 0, 0], [3**0.5, 2, 0], [5**0.5, 15**0.5, 3]])
    np.testing.assert_allclose(b, [1, 3**0.5, 5**0.5])
    a, b = hippo("legt", 3)
    np.testing.assert_allclose(-a, [[1, -(3**0.5), 5**0.5], [3**0.5, 3, -(15**0.5)], [5**0.5, 15**0.5, 5]])
    np.testing.assert_allclose(b, [1, 3**0.5, 5**0.5])
    a, b = hippo("fout", 3)
    root = 2**0.5
    np.testing.assert_allclose(a, [[-2, -2 * root, 0], [-2 * root, -4, -2 * np.pi], [0, 2 * np.pi, 0]], atol=1e-12)
    np.testing.assert_allclose(b, [2, 2 * root, 0])


@pytest.mark.parametrize("measure", MEASURES)
def test_memories_are_stable_and_hold_a_constant(measure):
    a, b = hippo(measure, 7)
    assert np.linalg.eigvals(a).real.max() < 0
    np.testing.assert_allclose(a[:, 0] + b, 0, atol=1e-12)  # coefficients (1, 0, 0, ...) of the signal 1 stay


@pytest.mark.parametrize("measure", MEASURES)
def test_the_basis_is_orthonormal(measure):
    age = (NODES + 1) / 2
    age, weight = (-np.log(age), WEIGHTS / 2) if measure == "legs" else (age, WEIGHTS / 2)
    g = basis(measure, 7, age)
    np.testing.assert_allclose(g.T @ (weight[:, None] * g), np.eye(7), atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_recurrence_is_exact_between_samples(measure):
    a, b = hippo(measure, 5)
    samples = np.random.default_rng(0).normal(size=9)
    move, before, now = held(a, b, 0.3)
    c = start = np.arange(5.0)
    for last, new in pairwise(samples):
        c = move @ c + before * last + now * new

    def rule(t: float, c: np.ndarray) -> np.ndarray:
        return a @ c + b * np.interp(t, 0.3 * np.arange(9), samples)

    c_slow = start
    for k in range(8):  # a corner of the signal at the end of each piece only
        c_slow = solve_ivp(rule, (0.3 * k, 0.3 * (k + 1)), c_slow, "DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(c, c_slow, rtol=1e-9, atol=1e-9)


def test_the_window_is_remembered():
    # The Legendre memory of a smooth signal, run by the recurrence, gives the past window back.
    window, t = 50, np.arange(400)
    signal = np.sin(2 * np.pi * t / 60) + 0.3 * np.cos(2 * np.pi * t / 35)
    move, before, now = held(*hippo("legt", 12), 1 / window)
    c = np.zeros(12)
    for last, new in pairwise(signal):
        c = move @ c + before * last + now * new
    back = np.arange(0, 50, 7)
    np.testing.assert_allclose(basis("legt", 12, back / window) @ c, signal[399 - back], atol=2e-3)


def test_bilinear_is_second_order_and_stable():
    a, b = hippo("legs", 4)

    def errors(step: float) -> tuple[float, float]:
        move, drive = bilinear(a, b, np.array([step]))
        exact, before, now = held(a, b, step)
        return float(np.abs(move[0] - exact).max()), float(np.abs(drive[0] - before - now).max())

    # The error of one step is of third order: halving the step divides it by eight.
    np.testing.assert_allclose(np.divide(errors(0.002), errors(0.001)), 8, rtol=0.02)
    assert np.abs(np.linalg.eigvals(bilinear(a, b, np.array([1e3]))[0][0])).max() < 1


def test_initial_spectra():
    np.testing.assert_allclose(spectrum("lin", 3), [-0.5, -0.5 + 1j * np.pi, -0.5 + 2j * np.pi])
    np.testing.assert_allclose(spectrum("inv", 2), -0.5 + 4j / np.pi * np.array([4 / 3 - 1, 4 - 1]))
    # The LegS matrix is this normal matrix minus a matrix of rank 1; of the latter the spectrum is 1, 2, 3, ...
    a, b = hippo("legs", 8)
    normal = a + np.outer(b, b) / 2
    np.testing.assert_allclose(normal @ normal.T, normal.T @ normal, atol=1e-12)
    values = np.linalg.eigvals(normal)
    expected = values[values.imag > 0]
    np.testing.assert_allclose(spectrum("legs", 4), expected[np.argsort(expected.imag)], atol=1e-10)


def test_settings_are_refused():
    for wrong in (("legt", 0), ("fout", 4), ("lagt", 3)):
        with pytest.raises(SettingError):
            hippo(*wrong)
    with pytest.raises(SettingError):
        spectrum("random", 4)
