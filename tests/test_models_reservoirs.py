"""Reservoirs: exact Jacobians, fading memory, memory units in closed form, and local networks."""

from __future__ import annotations

import numpy as np
import pytest
from systems import lorenz63
from test_models_ridge import numerical

from takens import Series
from takens.errors import SettingError
from takens.models import EchoStateNetwork, LocalReservoirs, ReservoirMemory
from takens.models.local_reservoirs import most_alike

FIXED = {"spectral_radius": 0.4, "leak": 0.9, "input_scale": 0.3, "ridge": 1e-6}
RESERVOIRS = {
    "echo": EchoStateNetwork(units=25, **FIXED),
    "memory": ReservoirMemory(
        units=20, memory_units=7, fading=0.9, residual=0.3, gain=0.7, input_scale=0.3, ridge=1e-6
    ),
    "local": LocalReservoirs(units=12, group=1, overlap=1, neighbours="line", **FIXED),
    "ring": LocalReservoirs(units=12, group=2, overlap=0, neighbours="ring", shared=True, **FIXED),
    "alike": LocalReservoirs(units=12, group=2, overlap=0, **FIXED),
}


def lorenz96(length: int, channels: int, dt: float = 0.05, seed: int = 0) -> np.ndarray:
    """Lorenz-96 with F = 8 `(length, channels)`, RK4 with steps of 0.01."""

    def rule(x: np.ndarray) -> np.ndarray:
        return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0

    h, x = 0.01, 8.0 + 0.1 * np.random.default_rng(seed).normal(size=channels)
    rows = np.empty((length, channels))
    for i in range(-400, length):
        for _ in range(round(dt / h)):
            a = rule(x)
            b = rule(x + h / 2 * a)
            c = rule(x + h / 2 * b)
            x = x + h / 6 * (a + 2 * b + 2 * c + rule(x + h * c))
        if i >= 0:
            rows[i] = x
    return rows


@pytest.mark.parametrize("name", sorted(RESERVOIRS))
def test_slopes_are_those_of_central_differences(name):
    x = lorenz63(700)
    law = RESERVOIRS[name].fit(Series.from_array(x, interval=0.02))
    states = np.concatenate([law.init(x[None, 100:400]), law.init(x[None, 200:650])])
    exact = law.slopes(states)
    for k in range(2):
        expected = numerical(law, states[k : k + 1])
        np.testing.assert_allclose(exact[k], expected, atol=1e-7 * np.abs(expected).max())


def test_the_linear_memory_holds_the_past_in_closed_form():
    x = lorenz63(700)
    law = RESERVOIRS["memory"].fit(x)
    state = law.init(x[None, : law.memory])
    units = state[0, 3 : 3 + law.hidden]
    standard = (x[: law.memory] - law.mean) / law.scale
    given = standard @ law.inputs[:, : law.hidden]
    expected = sum(law.fading**k * np.roll(given[-1 - k], k) for k in range(law.memory))
    np.testing.assert_allclose(units, expected, atol=1e-10)
    assert law.hidden == 7


@pytest.mark.parametrize("name", sorted(RESERVOIRS))
def test_networks_forget_where_they_started(name):
    x = lorenz63(700)
    law = RESERVOIRS[name].fit(x)
    first, second = law.init(x[None, :300]), law.init(x[None, 150:300])
    np.testing.assert_allclose(first, second, atol=2e-4 if name == "memory" else 1e-8)


def test_a_shared_network_on_a_ring_moves_with_the_ring():
    x = lorenz96(600, 8)
    law = LocalReservoirs(units=30, group=2, overlap=2, neighbours="ring", shared=True, **FIXED).fit(x)
    assert len(law.readouts) == 1
    assert law.heard.shape == (4, 6)
    history = x[None, -law.memory :]
    turned = law.step(law.init(np.roll(history, 4, axis=2)))
    np.testing.assert_allclose(turned, np.roll(law.step(law.init(history)), 4, axis=1), atol=1e-10)


def test_what_a_group_sees():
    x = lorenz96(400, 7)
    line = LocalReservoirs(units=10, group=3, overlap=1, neighbours="line", **FIXED).fit(x)
    np.testing.assert_array_equal(line.own, [[0, 1, 2], [3, 4, 5], [4, 5, 6]])
    np.testing.assert_array_equal(line.heard, [[7, 0, 1, 2, 3], [2, 3, 4, 5, 6], [3, 4, 5, 6, 7]])
    ring = LocalReservoirs(units=10, group=1, overlap=1, neighbours="ring", **FIXED).fit(x)
    np.testing.assert_array_equal(ring.heard[[0, 6]], [[6, 0, 1], [5, 6, 0]])
    assert len(ring.readouts) == 7
    rng = np.random.default_rng(0)
    base = rng.normal(size=(500, 3))
    rows = np.concatenate([base, -base + 0.1 * rng.normal(size=(500, 3))], axis=1)
    np.testing.assert_array_equal(most_alike(rows, np.arange(6)[:, None], 1)[:, 0], [3, 4, 5, 0, 1, 2])


def test_what_is_far_away_does_not_matter_for_a_step():
    x = lorenz96(500, 10)
    law = LocalReservoirs(units=20, group=1, overlap=2, neighbours="ring", **FIXED).fit(x)
    history = x[None, -law.memory :].copy()
    before = law.step(law.init(history))
    history[:, :, 5] += 1.0
    changed = np.flatnonzero(np.abs(law.step(law.init(history)) - before)[0] > 1e-12)
    np.testing.assert_array_equal(changed, [3, 4, 5, 6, 7])


def test_settings_out_of_range_are_refused():
    wrong = (
        EchoStateNetwork(units=1), EchoStateNetwork(leak=0.0), ReservoirMemory(fading=1.5), ReservoirMemory(trials=0),
        LocalReservoirs(group=0), LocalReservoirs(neighbours="grid"),
    )  # fmt: skip
    for model in wrong:
        with pytest.raises(SettingError):
            model.fit(lorenz63(200))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_local_reservoirs_forecast_a_ring_that_one_network_cannot():
    x = lorenz96(12_000, 20, dt=0.02)
    origins = np.linspace(10_200, 11_400, 20).astype(int)

    def median(model) -> float:
        law = model.fit(Series.from_array(x[:10_000], interval=0.02))
        runs = law.roll(law.init(np.stack([x[o - law.memory : o] for o in origins])), 400, None)
        truth = np.stack([x[o : o + 400] for o in origins])
        error = np.sqrt((((runs - truth) / x.std(axis=0)) ** 2).mean(axis=2)) > 0.4
        return float(np.median(np.where(error.any(axis=1), error.argmax(axis=1), 400))) * 0.02 * 1.7

    local = median(LocalReservoirs(neighbours="ring", shared=True))
    assert local >= 2.5
    assert local >= 1.5 * median(EchoStateNetwork())


@pytest.mark.long
@pytest.mark.timeout(600)
def test_reservoir_memory_on_lorenz():
    from test_models_numbers import valid_times

    truth = lorenz63(10_000)
    law = ReservoirMemory().fit(Series.from_array(truth[:8000], interval=0.02))
    assert np.median(valid_times(law, truth, truth, 8000, 30, 1000)) >= 6
