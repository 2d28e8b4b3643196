"""Stochastic systems of the catalogue: known moments, and observables with exact answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import takens
from takens.systems.base import Request
from takens.systems.catalogue_index import names

SYSTEMS = {name: takens.system(name) for name in names()}
STOCHASTIC = [name for name, system in SYSTEMS.items() if system.kind in ("diffusion", "jump")]
STATIONARY = [name for name in STOCHASTIC if any(key.startswith("stationary") for key in SYSTEMS[name].known)]
# Periods after which the initial state is forgotten, where more than 30; a twentieth of that lies between samples.
SETTLED = {"NoisyDoubleWell": 200.0, "LangevinDoubleWell": 200.0, "FractionalNoiseRelaxation": 300.0}


def ensemble(name: str, members: int, length: int, dt: float, **asked: float) -> np.ndarray:
    """States (member, time, state) of many members."""
    system = SYSTEMS[name]
    request = Request(length, dt, **{"seed": 7, **asked})  # type: ignore[arg-type]
    return system.trajectories(request, np.tile(system.initial, (members, 1)), {})[1]


def test_there_are_as_many_as_promised() -> None:
    assert sum(SYSTEMS[name].kind == "diffusion" for name in STOCHASTIC) >= 15
    assert sum(SYSTEMS[name].kind == "jump" for name in STOCHASTIC) >= 7


@pytest.mark.parametrize("name", STOCHASTIC)
def test_every_entry_says_that_it_is_stochastic_and_what_it_is(name: str) -> None:
    system = SYSTEMS[name]
    assert "stochastic" in system.tags
    assert system.description.endswith(".")
    assert len(system.text().splitlines()) >= system.dimension or system.kind == "jump"
    assert system.latex().startswith("\\begin{aligned}")


@pytest.mark.parametrize("name", STATIONARY)
def test_known_moments_are_reproduced(name: str) -> None:
    system = SYSTEMS[name]
    wait = SETTLED.get(name, 30.0) * system.period
    members, length = (4000, 20) if system.kind == "diffusion" else (300, 60)
    step = {} if system.kind == "jump" else {"step": min(system.dt / 4, 0.01)}
    if name == "FractionalNoiseRelaxation":
        members, step = 400, {"step": 0.002}
    gap = wait / 20 if name in SETTLED else 3 * system.period
    if step:  # whole halvings of what is between samples, and no shorter than needed
        gap = step["step"] * 2 ** round(np.log2(gap / step["step"]))
    values = ensemble(name, members, length, gap, transient=wait, **step)
    for moment, value in (("mean", values.mean(axis=1)), ("variance", None)):
        if f"stationary_{moment}" not in system.known:
            continue
        expected = np.atleast_1d(system.known[f"stationary_{moment}"].value)
        if value is None:
            centre = np.atleast_1d(system.known["stationary_mean"].value) if "stationary_mean" in system.known else 0.0
            value = np.mean((values - centre) ** 2, axis=1)
        error = value.std(axis=0) / np.sqrt(members)
        # four standard errors, and what the steps leave
        assert np.all(np.abs(value.mean(axis=0) - expected) < 4 * error + 0.01 * np.abs(expected)), moment


def test_autocorrelation_of_ornstein_and_uhlenbeck() -> None:
    values = ensemble("OrnsteinUhlenbeck", 20_000, 9, 0.25, transient=8.0, step=1 / 256)[..., 0]
    for lag in (1, 2, 4, 8):
        product = values[:, 0] * values[:, lag]
        error = product.std() / np.sqrt(len(product))
        assert abs(product.mean() - 0.125 * np.exp(-0.25 * lag)) < 4 * error


def test_equipartition_and_no_correlation_of_place_and_velocity() -> None:
    values = ensemble("LangevinDoubleWell", 4000, 10, 4.0, transient=200.0, step=1 / 32, method="Heun")
    kinetic = np.mean(values[..., 1] ** 2, axis=1)
    assert abs(kinetic.mean() - 0.1) < 4 * kinetic.std() / np.sqrt(len(kinetic)) + 2e-4
    cross = np.mean(values[..., 0] * values[..., 1], axis=1)
    assert abs(cross.mean()) < 4 * cross.std() / np.sqrt(len(cross))


def test_square_root_diffusion_has_feller_s_mean_and_variance_and_stays_by_zero() -> None:
    kappa, theta, sigma, start = 0.5, 0.05, 0.1, 0.12
    system = SYSTEMS["CoxIngersollRoss"]
    request = Request(5, 0.5, seed=3, step=1 / 256)
    values = system.trajectories(request, np.full((40_000, 1), start), {})[1][..., 0]
    for k in range(1, 5):
        decay = np.exp(-kappa * 0.5 * k)
        mean = theta + (start - theta) * decay
        variance = start * sigma**2 / kappa * (decay - decay**2) + theta * sigma**2 / (2 * kappa) * (1 - decay) ** 2
        found = values[:, k]
        assert abs(found.mean() - mean) < 4 * np.sqrt(variance / len(found))
        assert found.var() == pytest.approx(variance, rel=0.04)
    assert values.min() > 0  # Feller: 2 kappa theta > sigma^2
    # Where the condition fails, full truncation goes below 0 by no more than a step's noise, and has a value.
    wild = system.trajectories(
        Request(400, 0.05, seed=3, step=1 / 512), np.full((400, 1), 0.01), {"sigma": np.full(400, 0.6)}
    )[1]
    assert np.isfinite(wild).all()
    assert -0.02 < wild.min() < 0
    assert wild[:, -1].mean() == pytest.approx(theta, rel=0.35)


def test_noisy_phase_drifts_at_stratonovich_s_rate() -> None:
    # v = 2 pi D (1 - exp(-2 pi f/D)) / double integral of exp((V(x) - V(x - y))/D), V = -f x - cos x
    f, diffusion = 0.8, 0.2
    x = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    y = np.linspace(0, 2 * np.pi, 401)
    rise = (-f * y[None] - np.cos(x)[:, None] + np.cos(x[:, None] - y[None])) / diffusion
    inner = np.trapezoid(np.exp(rise), y, axis=1).mean() * 2 * np.pi
    expected = 2 * np.pi * diffusion * (1 - np.exp(-2 * np.pi * f / diffusion)) / inner
    values = ensemble("TiltedWashboard", 2000, 3, 256.0, step=1 / 32)[..., 0]
    speeds = (values[:, 2] - values[:, 1]) / 256
    assert abs(speeds.mean() - expected) < 4 * speeds.std() / np.sqrt(len(speeds)) + 0.002


def test_sum_of_processes_has_the_covariance_of_fractional_noise() -> None:
    system = SYSTEMS["FractionalNoiseRelaxation"]
    p = system.parameters
    rates = np.array([p[f"g{i}"] for i in range(1, 6)])
    lags = np.geomspace(0.004, 10, 100)
    covariance = p["w"] * np.sum(np.sqrt(rates) * np.exp(-np.outer(lags, rates)), axis=1)
    np.testing.assert_allclose(covariance, 0.375 * lags**-0.5, rtol=0.16)
    decay = np.polyfit(np.log(lags), np.log(covariance), 1)[0]
    assert decay == pytest.approx(-0.5, abs=0.03)
    forcing = system.rhs(0.0, np.array([0.0, 1, 1, 1, 1, 1]))[0]
    assert forcing == pytest.approx(np.sqrt(p["w"]) * np.sum(rates**0.25))


def first_passage(sigma: float, start: float, end: float) -> float:
    """The mean time from `start` to `end` > start in V = x^4/4 - x^2/2, by the exact double integral."""
    scale = 2 / sigma**2

    def potential(x: float) -> float:
        return x**4 / 4 - x**2 / 2

    def inner(y: float) -> float:
        return quad(lambda z: np.exp(scale * (potential(y) - potential(z))), -4, y)[0]

    return scale * quad(inner, start, end)[0]


@pytest.mark.long
def test_escape_from_a_well_takes_the_exact_mean_time() -> None:
    sigma = 0.5
    expected = first_passage(sigma, -1.0, 1.0)
    # Looked at every 1/32, which misses a short while before each passage.
    system, members, times = SYSTEMS["NoisyDoubleWell"], 1000, []
    for part in range(8):
        request = Request(16384, 1 / 32, step=1 / 256, seed=part)
        values = system.trajectories(request, np.full((members, 1), -1.0), {"sigma": np.full(members, sigma)})[1]
        passed = values[..., 0] >= 1.0
        assert passed.any(axis=1).all()
        times.append(passed.argmax(axis=1) / 32)
    found = np.concatenate(times)
    assert found.mean() == pytest.approx(expected, rel=0.035)
