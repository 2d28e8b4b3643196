"""Stochastic differential equations: orders of the methods on known paths and moments, definitions, failures."""

from __future__ import annotations

import math

import numpy as np
import pytest

import takens
from takens.errors import SettingError
from takens.systems import Diffusion
from takens.systems.base import Request

GEOMETRIC = {
    "kind": "diffusion",
    "equations": {"x": "mu*x"},
    "noise": {"x": "sigma*x"},
    "parameters": {"mu": 0.3, "sigma": 0.4},
    "initial": [1.0],
}
WIENER = takens.system({"kind": "diffusion", "equations": {"x": "0"}, "noise": {"x": "1"}, "initial": [0.0]})


def diffusion(**keys: object) -> Diffusion:
    """A diffusion from the keys of a definition."""
    found = takens.system({"kind": "diffusion", **keys})
    assert isinstance(found, Diffusion)
    return found


def ends(system: Diffusion, members: int, steps: int, *, method: str | None = None, seed: int = 1) -> np.ndarray:
    """States (member, state) at time 1."""
    request = Request(2, 1.0, step=1 / steps, method=method, seed=seed)
    return system.trajectories(request, np.tile(system.initial, (members, 1)), {})[1][:, 1]


def slope(steps: list[int], errors: list[float]) -> float:
    """The observed order: minus the slope of log error over log steps."""
    return -float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize(("method", "order"), [("Euler-Maruyama", 0.5), ("Milstein", 1.0), ("Heun", 1.0)])
@pytest.mark.parametrize("sense", ["ito", "stratonovich"])
def test_strong_order_on_one_wiener_path(method: str, order: float, sense: str) -> None:
    system = takens.system({**GEOMETRIC, "interpretation": sense})
    wiener = ends(WIENER, 4000, 1)[:, 0]
    rate = 0.3 - (0.08 if sense == "ito" else 0.0)
    exact = np.exp(rate + 0.4 * wiener)
    steps = [32, 64, 128, 256, 512]
    errors = [float(np.mean(np.abs(ends(system, 4000, n, method=method)[:, 0] - exact))) for n in steps]
    assert slope(steps, errors) == pytest.approx(order, abs=0.1)


def test_euler_is_of_strong_order_one_for_additive_noise() -> None:
    system = diffusion(
        equations={"x": "-sin(x)", "y": "x - y"}, noise={"x": ["0.5", "0.2"], "y": ["0", "1"]}, initial=[1.0, 0.0]
    )
    best = ends(system, 1000, 2**13, method="Heun")
    steps = [16, 32, 64, 128, 256]
    for method in system.methods:
        errors = [float(np.mean(np.abs(ends(system, 1000, n, method=method) - best))) for n in steps]
        assert slope(steps, errors) == pytest.approx(1.0, abs=0.1)


def test_milstein_keeps_its_order_with_two_processes_that_commute() -> None:
    # x = exp(W_1 / 2 + W_2 / 5 - ...), y = x^2: both processes act on both states, along the same directions
    system = diffusion(equations={"x": "0.1*x", "y": "0"}, noise={"x": ["x/2", "x/5"], "y": ["y", "-y/4"]},
                       initial=[1.0, 1.0])  # fmt: skip
    wiener = ends(diffusion(equations={"x": "0", "y": "0"}, noise={"x": ["1", "0"], "y": ["0", "1"]}, initial=[0, 0]),
                  2000, 1)  # fmt: skip
    exact = np.stack(
        [
            np.exp(0.1 - 0.145 + wiener @ [0.5, 0.2]),
            np.exp(-0.53125 + wiener @ [1.0, -0.25]),
        ],
        axis=1,
    )
    steps = [64, 128, 256, 512]
    errors = [float(np.mean(np.abs(ends(system, 2000, n, method="Milstein") - exact))) for n in steps]
    assert slope(steps, errors) == pytest.approx(1.0, abs=0.1)


def test_milstein_refuses_noise_that_does_not_commute() -> None:
    system = diffusion(equations={"x": "0", "y": "0"}, noise={"x": ["1", "0"], "y": ["0", "x"]}, initial=[0.0, 0.0])
    with pytest.raises(SettingError, match="does not commute"):
        takens.simulate(system, length=2, dt=1.0, method="Milstein")
    takens.simulate(system, length=2, dt=1.0, method="Heun")


def exact_mean_of_euler(steps: int) -> float:
    """E x after Euler's steps of geometric Brownian motion."""
    return (1 + 0.3 / steps) ** steps


def test_euler_has_its_own_moments_exactly() -> None:
    # E x = (1 + mu h)^n and E x^2 = ((1 + mu h)^2 + sigma^2 h)^n hold for the method itself: the sampling error is all
    found = ends(takens.system(GEOMETRIC), 200_000, 4)[:, 0]
    second = ((1 + 0.3 / 4) ** 2 + 0.16 / 4) ** 4
    for values, expected in ((found, exact_mean_of_euler(4)), (found**2, second)):
        assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(len(values))


@pytest.mark.parametrize(("method", "order"), [("Euler-Maruyama", 1.0), ("Milstein", 1.0), ("Heun", 2.0)])
def test_weak_order_of_linear_relaxation(method: str, order: float) -> None:
    # With the same noise the differences between means of x^2 at two steps are far less noisy than the means.
    system = diffusion(equations={"x": "-x"}, noise={"x": "0.3"}, initial=[2.0])
    steps = [4, 8, 16, 32]
    fine = ends(system, 20_000, 1024, method="Heun")[:, 0]
    errors = []
    for n in steps:
        coarse = ends(system, 20_000, n, method=method)[:, 0]
        bias = np.array([np.mean(coarse - fine), np.mean(coarse**2 - fine**2)])
        errors.append(float(np.abs(bias).max()))
    assert slope(steps, errors) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("method", ["Euler-Maruyama", "Milstein", "Heun"])
def test_weak_order_of_geometric_brownian_motion(method: str) -> None:
    # The mean is exp(mu) and the second moment exp(2 mu + sigma^2); the path's own x is the control variate.
    system = takens.system(GEOMETRIC)
    exact = np.exp(0.3 - 0.08 + 0.4 * ends(WIENER, 200_000, 1)[:, 0])
    assert exact.mean() == pytest.approx(math.exp(0.3), rel=0.005)
    steps = [4, 8, 16, 32]
    errors = [float(abs(np.mean(ends(system, 200_000, n, method=method)[:, 0] ** 2 - exact**2))) for n in steps]
    assert slope(steps, errors) == pytest.approx(1.0, abs=0.1)


def test_heun_and_euler_agree_on_what_stratonovich_means() -> None:
    keys = {"equations": {"x": "-x*s"}, "auxiliary": {"s": "1 + x*x"}, "noise": {"x": ["0.4*s", "x/3"]}}
    keys["initial"] = [0.5]
    system = diffusion(**keys, interpretation="stratonovich")
    assert np.abs(ends(system, 500, 2**12) - ends(system, 500, 2**12, method="Heun")).mean() < 0.01
    ito = diffusion(**keys)
    assert np.abs(ends(system, 500, 2**8) - ends(ito, 500, 2**8)).mean() > 0.03


def test_the_drift_in_itos_sense_has_exact_derivatives() -> None:
    system = diffusion(
        equations={"x": "a*x", "y": "0"}, auxiliary={"r": "x*y"}, noise={"x": ["r", "1"], "y": ["0", "x"]},
        parameters={"a": 2.0}, interpretation="stratonovich", initial=[1.0, 2.0],
    )  # fmt: skip
    x, y = 0.7, -1.3
    expected = [2 * x + 0.5 * x * y * y, 0.5 * 1.0]
    np.testing.assert_allclose(system.ito_drift(0.0, [x, y]), expected, rtol=1e-14)
    np.testing.assert_allclose(system.rhs(0.0, [x, y]), [2 * x, 0])
    np.testing.assert_allclose(system.coefficients(0.0, [x, y]), [[x * y, 1], [0, x]])


def test_steps_of_a_method_are_the_formulas_of_the_books() -> None:
    system = diffusion(equations={"x": "t - x**2"}, noise={"x": "1 + x/2"}, initial=[0.4])
    x, t, h = 0.4, 0.0, 0.25
    wiener = takens.simulate(WIENER, length=3, dt=h, step=h, seed=5).values[:, 0]
    for n in range(2):
        dw, g = wiener[n + 1] - wiener[n], 1 + x / 2
        x, t = x + (t - x**2) * h + g * dw + 0.5 * g * 0.5 * (dw**2 - h), t + h
    assert takens.simulate(system, length=3, dt=h, step=h, seed=5, method="Milstein").values[2, 0] == pytest.approx(x)


def test_time_enters_drift_and_noise_at_both_ends_of_heuns_step() -> None:
    system = diffusion(equations={"x": "2*t"}, noise={"x": "t"}, initial=[0.0])
    wiener = takens.simulate(WIENER, length=2, dt=0.5, step=0.5, seed=2).values[1, 0]
    found = takens.simulate(system, length=2, dt=0.5, step=0.5, seed=2, method="Heun").values[1, 0]
    assert found == pytest.approx(0.25 + 0.25 * wiener)


@pytest.mark.parametrize("function", ["sin", "tanh", "exp", "cbrt", "abs", "sqrt", "floor"])
def test_vector_code_agrees_with_numpy(function: str) -> None:
    system = diffusion(
        equations={"x": f"{function}(min(abs(x), 2) + 0.2) - abs(x)**1.5*heaviside(x)/9",
                   "y": "max(x, y) % 0.7 if y > 0 else atan2(x, y)"},
        noise={"x": "0.3", "y": "0.1*cos(x)"}, initial=[0.5, 0.3],
    )  # fmt: skip
    request = Request(6, 0.25, step=0.25, seed=4)
    states = np.random.default_rng(0).normal(size=(40, 2))
    wiener = diffusion(equations={"x": "0", "y": "0"}, noise={"x": "1", "y": "1"}, initial=[0, 0])
    walks = wiener.trajectories(request, np.zeros((40, 2)), {})[1]
    _, found = system.trajectories(request, states, {})
    x = states
    with np.errstate(invalid="ignore"):
        for n in range(5):
            dw = walks[:, n + 1] - walks[:, n]
            noise = np.einsum("nij,nj->ni", system.coefficients(0.25 * n, x), dw)
            x = x + 0.25 * system.rhs(0.25 * n, x) + noise
            np.testing.assert_allclose(found[:, n + 1], x, rtol=1e-9, atol=1e-9)
            x = found[:, n + 1]
