"""Simplex projection and the S-map against slow transcriptions, closed forms and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63

from takens import dynamics
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models import Simplex, SMap, Training
from takens.models.local_maps import LEAST, simplex_weights
from takens.models.selection import decorrelation

SETTLED = {
    "simplex": Simplex(delays=2, spacing=1),
    "s_map": SMap(delays=2, spacing=1, theta=2.0, neighbours=15),
}


@pytest.mark.parametrize("model", [*SETTLED.values(), Simplex(), SMap()], ids=repr)
def test_contract(model):
    held = check_model(model)
    assert "no look-ahead" in held
    assert "save and load give the same forecast" in held


def states(x: np.ndarray, delays: int, spacing: int) -> tuple[np.ndarray, np.ndarray]:
    """Delay vectors in standard units, newest row first, with the rows at which they end."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    rows = np.arange((delays - 1) * spacing, len(x))
    return np.stack([np.concatenate([z[i - k * spacing] for k in range(delays)]) for i in rows]), rows


@pytest.mark.parametrize(("delays", "spacing"), [(1, 1), (3, 2)])
def test_simplex_agrees_with_its_definition(delays, spacing):
    x = lorenz63(700)
    law = Simplex(delays=delays, spacing=spacing).fit(x)
    points, rows = states(x, delays, spacing)
    theiler = min(decorrelation(Training.of(x)), (len(rows) - 1) // 4)
    query, past = points[-1], points[: len(rows) - 1 - theiler]
    distance = np.sqrt(((past - query) ** 2).sum(axis=1))
    order = np.argsort(distance)[: 3 * delays + 1]
    weights = [max(np.exp(-distance[i] / distance[order[0]]), 1e-6) for i in order]
    expected = sum(w * x[rows[i] + 1] for w, i in zip(weights, order, strict=True)) / sum(weights)
    np.testing.assert_allclose(law.forecast(1, members=1).samples[0, 0], expected, rtol=1e-9)
    assert law.neighbours == 3 * delays + 1


def test_simplex_weights_of_a_state_that_was_there_before():
    np.testing.assert_allclose(simplex_weights(np.array([[0.0, 0.0, 1.0]])), [[1, 1, LEAST]])
    np.testing.assert_allclose(simplex_weights(np.array([[0.5, 1.0]])), [[np.exp(-1), np.exp(-2)]])


def test_s_map_agrees_with_its_definition():
    x, theta, count = lorenz63(600), 1.7, 40
    law = SMap(delays=2, spacing=3, theta=theta, neighbours=count, ridge=1e-6).fit(x)
    points, rows = states(x, 2, 3)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    theiler = min(decorrelation(Training.of(x)), (len(rows) - 1) // 4)
    query, past = points[-1], points[: len(rows) - 1 - theiler]
    distance = np.sqrt(((past - query) ** 2).sum(axis=1))
    order = np.argsort(distance)[:count]
    weights = np.exp(-theta * distance[order] / distance[order].mean())
    design = np.column_stack([np.ones(count), past[order] - query])
    gains = z[rows[order] + 1] - z[rows[order]]
    penalty = 1e-6 * weights.sum() * np.diag([0.0] + [1.0] * 6)
    solution = np.linalg.solve(design.T @ (weights[:, None] * design) + penalty, design.T @ (weights[:, None] * gains))
    expected = x[-1] + solution[0] * x.std(axis=0)
    np.testing.assert_allclose(law.forecast(1, members=1).samples[0, 0], expected, rtol=1e-8)
    np.testing.assert_allclose(law.coefficients(query[None])[0], solution[1:].T, rtol=1e-5, atol=1e-8)


def test_s_map_without_locality_is_a_global_linear_autoregression():
    x = autoregressive(1500, phi=0.6) + 0.5 * np.sin(np.arange(1500) / 7)
    law = SMap(delays=2, spacing=1, theta=0.0, neighbours=10_000, ridge=0.0).fit(x)
    stop = len(law.library) + 1  # the rows within a Theiler window of the end have no part
    design = np.column_stack([np.ones(stop - 1), x[1:stop], x[: stop - 1]])
    solution = np.linalg.lstsq(design, x[2 : stop + 1], rcond=None)[0]
    path, expected = law.forecast(30, members=1).samples[0, :, 0], list(x[-2:])
    for _ in range(30):
        expected.append(float(solution @ [1, expected[-1], expected[-2]]))
    np.testing.assert_allclose(path, expected[2:], atol=1e-8)
    np.testing.assert_allclose(
        law.slopes(law.init(law.history[None]))[0], [[0, 1], [solution[2], solution[1]]], atol=1e-8
    )


@pytest.mark.parametrize("model", [*SETTLED.values(), SMap(delays=5, spacing=2, theta=3.0, neighbours=60, ridge=1e-4)])
def test_slopes_are_the_derivatives_of_a_step(model):
    law = model.fit(lorenz63(900))
    state = law.init(np.stack([lorenz63(900, seed=1)[k : k + law.memory] for k in (50, 300, 600)]))
    found = law.slopes(state)
    flat, size = state.reshape(3, -1), found.shape[1]
    for k in range(size):
        step = np.zeros(size)
        step[k] = 1e-6
        ahead, behind = (
            law.feed(moved, law.step(moved)).reshape(3, -1)
            for moved in ((flat + s * step).reshape(state.shape) for s in (1, -1))
        )
        np.testing.assert_allclose(found[:, :, k], (ahead - behind) / 2e-6, atol=2e-4 * max(1.0, np.abs(found).max()))


def test_s_map_jacobians_are_those_of_the_map_that_made_the_data():
    x = henon(4000)
    law = SMap(delays=1, theta=4.0, neighbours=12).fit(x)
    queries = henon(300, seed=3)[:, None]
    found, exact = law.slopes(queries), np.zeros((300, 2, 2))
    exact[:, 0, 0], exact[:, 0, 1], exact[:, 1, 0] = -2.8 * queries[:, 0, 0], 1.0, 0.3
    error = np.abs(found[:, 0, 0] - exact[:, 0, 0])
    assert np.median(error) < 0.05
    # From one channel, through two delays: d x_(t+1) / d x_(t-1) is b.
    one = SMap(delays=2, spacing=1, theta=4.0, neighbours=12).fit(x[:, 0])
    fresh = henon(2000, seed=3)
    windows = np.stack([fresh[k : k + 2, :1] for k in range(0, 1900, 10)])
    slopes = one.slopes(windows)[:, 1]
    assert np.median(np.abs(slopes[:, 1] + 2.8 * windows[:, 1, 0])) < 0.08
    assert np.median(np.abs(slopes[:, 0] - 0.3)) < 0.08
    y = logistic(3000, r=3.9)
    curve = SMap(delays=1, theta=4.0, neighbours=10).fit(y)
    at = np.linspace(0.2, 0.9, 50)[:, None, None]
    assert np.median(np.abs(curve.slopes(at)[:, 0, 0] - 3.9 * (1 - 2 * at[:, 0, 0]))) < 0.05


def test_the_exponent_of_the_law_is_that_of_the_map():
    law = SMap(delays=1, theta=4.0, neighbours=12).fit(henon(4000))
    found = dynamics.lyapunov_spectrum(law.system, count=1)
    assert np.ravel(found.value)[0] == pytest.approx(0.419, abs=0.02)


def test_s_map_forecasts_chaos_longer_than_simplex_and_knows_no_neighbours_in_time():
    x = lorenz63(9000)
    laws = {
        name: model.fit(x[:8000])
        for name, model in {"simplex": Simplex(delays=1), "s_map": SMap(delays=1, theta=2.0, neighbours=12)}.items()
    }
    times = {}
    for name, law in laws.items():
        starts = np.arange(8000, 8600, 40)
        path = law.roll(law.init(np.stack([x[s - 1 : s] for s in starts])), 400, None)
        off = np.sqrt((((path - np.stack([x[s : s + 400] for s in starts])) / x.std(axis=0)) ** 2).mean(axis=2))
        times[name] = np.median(np.where((off > 0.4).any(axis=1), (off > 0.4).argmax(axis=1), 400)) * 0.02 * 0.9056
    assert times["s_map"] > 3
    assert times["s_map"] > 1.5 * times["simplex"]
    # From the end of the record on, a run must move on and not stay with the rows just before.
    path = laws["simplex"].forecast(30, members=1).samples[0]
    assert np.sqrt((((path - x[8000:8030]) / x.std(axis=0)) ** 2).mean(axis=1)).max() < 0.5


def test_residuals_are_those_of_states_that_were_not_seen():
    rng = np.random.default_rng(0)
    x = np.sin(np.arange(3000) * 2 * np.pi / 37)[:, None] + 0.05 * rng.normal(size=(3000, 1))
    law = SMap(delays=4, spacing=3, theta=0.0, neighbours=200).fit(x)
    ahead = law.step(np.stack([x[k : k + law.memory] for k in range(100, 2900, 7)]))[:, 0]
    actual = np.std([x[k + law.memory, 0] for k in range(100, 2900, 7)] - ahead)
    assert law.residuals.std() == pytest.approx(actual, rel=0.1)
    assert 0.05 <= law.residuals.std() < 0.07


@pytest.mark.parametrize("model", [Simplex(delays=0), SMap(theta=-1.0), SMap(neighbours=0), SMap(ridge=-1.0)])
def test_settings_out_of_range_are_refused(model):
    with pytest.raises(SettingError):
        model.fit(lorenz63(300))


def test_too_short_series_are_refused():
    with pytest.raises(InsufficientData):
        SMap(delays=5, spacing=10).fit(lorenz63(30))
