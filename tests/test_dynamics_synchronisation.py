"""Synchronisation: order parameters and locking in closed form, p-values that hold their size, driven subsystems."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.synchronisation import (
    conditional_exponents,
    cross_correlation,
    hilbert_phase,
    order_parameter,
    phase_locking,
)
from takens.errors import DataError, InsufficientData, SettingError
from takens.systems import orbit, system


def test_the_order_parameter_of_known_phases() -> None:
    assert order_parameter(np.full(7, 0.4)) == pytest.approx(np.exp(0.4j))
    assert abs(order_parameter(2 * np.pi * np.arange(5) / 5)) < 1e-15
    pair = order_parameter([[0.0, 1.0], [2.0, 2.0]])
    assert np.allclose(np.abs(pair), [np.cos(0.5), 1.0])
    assert np.allclose(np.angle(pair), [0.5, 2.0])
    independent = np.abs(order_parameter(np.random.default_rng(0).uniform(0, 2 * np.pi, (4000, 100))))
    assert np.mean(independent**2) == pytest.approx(1 / 100, rel=0.06)  # E R^2 = 1/N
    with pytest.raises(DataError):
        order_parameter(np.empty((3, 0)))


def test_the_phase_of_a_sine_is_its_argument() -> None:
    t = np.arange(2000) * 0.05
    phase = hilbert_phase(np.column_stack([3 + np.cos(1.3 * t), 0.2 * np.cos(2 * t - 1)]))
    inner = slice(300, 1700)
    for column, exact in zip(phase.T, (1.3 * t, 2 * t - 1), strict=True):
        off = (column - exact + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(off[inner]).max() < 0.06
        assert np.polyfit(t[inner], column[inner], 1)[0] == pytest.approx(np.polyfit(t, exact, 1)[0], rel=2e-3)
    with pytest.raises(DataError):
        hilbert_phase(np.ones(100))
    with pytest.raises(DataError):
        hilbert_phase([1.0, np.nan, 2.0, 3.0, 1.0])


PAIR = system({
    "name": "two oscillators", "parameters": {"w": 0.5, "k": 1.0}, "initial": [0.0, 1.0], "period": 6.0,
    "equations": {"a": "1 + k/2*sin(b - a)", "b": "1 + w + k/2*sin(a - b)"},
})  # fmt: skip


def test_two_coupled_oscillators_lock_at_the_phase_of_adler() -> None:
    times = np.arange(200.0, 1200.0, 0.5)
    a, b = orbit(PAIR, [0.0, 1.0], times).T
    locked = phase_locking(a, b, surrogates=19)  # w < k: sin(b - a) = w / k
    assert locked.value == pytest.approx(1.0, abs=1e-9)
    assert locked.details["difference"] == pytest.approx(-np.arcsin(0.5), abs=1e-6)
    a, b = orbit(PAIR.with_parameters(w=1.25), [0.0, 1.0], times).T
    free = phase_locking(a, b, surrogates=19)  # w > k: |mean exp(i d)| = (w - sqrt(w^2 - k^2)) / k
    assert free.value == pytest.approx(1.25 - 0.75, abs=0.01)
    assert np.abs(order_parameter(np.column_stack([a, b]))).mean() < 0.9


def test_ratios_of_phases_lock() -> None:
    t = np.linspace(0, 100, 2000)
    assert phase_locking(2 * t, 3 * t + 0.7, 3, 2, surrogates=9).value == pytest.approx(1.0)
    assert phase_locking(2 * t, 3 * t, surrogates=9).value < 0.02


def test_the_p_value_of_locking_holds_its_size_and_sees_locking() -> None:
    few, power = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        a, b = np.cumsum(1 + 0.5 * rng.normal(size=(2, 400)), axis=1)
        few.append(phase_locking(a, b, surrogates=39, seed=seed).details["p_value"] <= 0.1)
        power.append(phase_locking(a, a + 0.5 * rng.normal(size=400), surrogates=39).details["p_value"] <= 0.1)
    assert np.mean(few) <= 0.18
    assert np.mean(power) > 0.9


def test_the_cross_correlation_finds_the_delay_of_a_copy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1040)
    for lag in (-17, 0, 17):
        a, b = x[20:1020], x[20 - lag : 1020 - lag] + 0.5 * rng.normal(size=1000)
        found = cross_correlation(a, b, 50, surrogates=39)
        assert found.details["lag"] == lag  # b(t + lag) = a(t)
        assert found.value == pytest.approx(1 / np.sqrt(1.25), abs=0.05)
        assert found.details["p_value"] == 1 / 40
    again = cross_correlation(a, -b, 50, surrogates=9)
    assert again.value < -0.8


def test_the_cross_correlation_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(1)
    a, b = np.cumsum(rng.normal(size=(2, 60)), axis=1) + 100
    found = cross_correlation(a, b, 20, surrogates=9)
    for lag, value in zip(found.details["lags"], found.details["correlations"], strict=True):
        x, y = (a[: 60 - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: 60 + lag])
        assert value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)


def test_the_p_value_of_a_correlation_accounts_for_memory_and_lags() -> None:
    hits = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(2, 600))
        for t in range(1, 600):
            noise[:, t] += 0.8 * noise[:, t - 1]
        found = cross_correlation(noise[0], noise[1], 30, surrogates=39, seed=seed)
        hits.append(found.details["p_value"] <= 0.1)
    assert np.mean(hits) <= 0.17


def test_subsystems_of_lorenz_follow_their_drive() -> None:
    lorenz = system("Lorenz63")
    driven = conditional_exponents(lorenz, ["x", "z"])  # triangular: exactly -sigma and -beta
    assert np.allclose(driven.value, [-8 / 3, -10], atol=1e-6)
    by_x = conditional_exponents(lorenz, ["y", "z"])
    assert by_x.value.sum() == pytest.approx(-1 - 8 / 3, abs=1e-6)  # the trace of the block
    assert (by_x.value < -1.5).all()
    by_z = conditional_exponents(lorenz, ["x", "y"], duration=2000)
    assert abs(by_z.value[0]) < 0.05  # marginal: x, y -> c x, c y leaves the response as it is
    assert by_z.value.sum() == pytest.approx(-11, abs=1e-5)


def test_the_whole_of_a_system_has_its_lyapunov_exponents() -> None:
    found = conditional_exponents(system("Henon"), ["x", "y"], duration=20_000)
    assert found.value[0] == pytest.approx(0.4192, abs=0.01)
    assert found.value.sum() == pytest.approx(np.log(0.3), abs=1e-9)
    assert found.interval is not None
    assert found.interval[0][0] < 0.4192 < found.interval[1][0]
    with pytest.raises(SettingError):
        conditional_exponents(system("Henon"), ["q"])
    with pytest.raises(SettingError):
        conditional_exponents(system("Henon"), [])


def test_unfit_signals_are_refused() -> None:
    with pytest.raises(DataError):
        phase_locking(np.ones(30), np.ones(31))
    with pytest.raises(InsufficientData):
        cross_correlation(np.arange(5.0), np.arange(5.0))
    with pytest.raises(DataError):
        cross_correlation(np.ones(30), np.arange(30.0))
    with pytest.raises(SettingError):
        cross_correlation(np.arange(30.0), np.arange(30.0) ** 2, 29)
