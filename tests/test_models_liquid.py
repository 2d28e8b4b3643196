"""Liquid networks: cells against their equations, Jacobians and gradients against differences, known signals."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from test_models_neural_ode import van_der_pol

from takens import Series, load
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models.cells import Cell, ClosedFormCell, LiquidCell
from takens.models.liquid import ClosedFormContinuous, LiquidTimeConstant
from takens.models.sequences import Sequences
from takens.models.training import jax_in_double

MODELS = {"closed form": ClosedFormContinuous(epochs=3), "liquid": LiquidTimeConstant(epochs=3)}
CELLS = {"closed form": ClosedFormCell, "liquid": LiquidCell}


def cell_of(kind: type[Cell]) -> Cell:
    return kind.random(2, 5, 0.5, np.random.default_rng(3))


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_a_closed_form_cell_is_its_equation_and_its_gate_closes_with_time():
    cell = cell_of(ClosedFormCell)
    rng = np.random.default_rng(1)
    h, x = rng.normal(size=5), rng.normal(size=2)
    b = np.array([np.tanh(sum(v * w for v, w in zip([*x, *h], row, strict=True)) + c)
                  for row, c in zip(cell.inward.T, cell.bias, strict=True)])  # fmt: skip
    f, g, k = (b @ w + c for w, c in ((cell.pace, cell.pace_bias), (cell.soon, cell.soon_bias),
                                      (cell.late, cell.late_bias)))  # fmt: skip
    known = logistic(-f * 0.7) * np.tanh(g) + (1 - logistic(-f * 0.7)) * np.tanh(k)
    np.testing.assert_allclose(cell.advance(h, x, 0.7), known, rtol=1e-12)
    np.testing.assert_allclose(cell.advance(h, x, 0.0), (np.tanh(g) + np.tanh(k)) / 2, rtol=1e-12)
    np.testing.assert_allclose(cell.advance(h, x, 1e9), np.where(f > 0, np.tanh(k), np.tanh(g)), rtol=1e-12)


def test_a_liquid_cell_follows_its_differential_equation_and_stays_bounded():
    cell = cell_of(LiquidCell)
    rng = np.random.default_rng(1)
    h, x = rng.normal(size=5), rng.normal(size=2)
    f = np.exp(cell.strength) * logistic(np.concatenate([x, h]) @ cell.inward + cell.bias)
    rate = -(np.exp(cell.leak) + f) * h + f * cell.target
    step = 1e-6
    np.testing.assert_allclose((cell.advance(h, x, step) - h) / step, rate, rtol=1e-4)
    # The implicit step is an average of h and A (and zero), however long it is.
    for step in (1.0, 100.0, 1e12):
        assert (np.abs(cell.advance(h, x, step)) <= np.maximum(np.abs(h), np.abs(cell.target)) + 1e-12).all()


@pytest.mark.parametrize("kind", CELLS)
def test_jacobians_of_cells_are_those_of_finite_differences(kind):
    cell = cell_of(CELLS[kind])
    rng = np.random.default_rng(2)
    h, x = rng.normal(size=(4, 5)), rng.normal(size=(4, 2))
    by_h, by_x = cell.slopes(h, x, 0.4)
    for j, d in enumerate(1e-6 * np.eye(5)):
        differences = (cell.advance(h + d, x, 0.4) - cell.advance(h - d, x, 0.4)) / 2e-6
        np.testing.assert_allclose(by_h[:, :, j], differences, rtol=1e-6, atol=1e-8)
    for j, d in enumerate(1e-6 * np.eye(2)):
        differences = (cell.advance(h, x + d, 0.4) - cell.advance(h, x - d, 0.4)) / 2e-6
        np.testing.assert_allclose(by_x[:, :, j], differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", CELLS)
def test_the_gradient_of_the_loss_is_that_of_finite_differences(kind):
    jax = jax_in_double()
    rng = np.random.default_rng(7)
    rows, steps = rng.normal(size=(6, 9, 3)), rng.uniform(0.1, 0.5, size=(6, 8))
    problem = Sequences(CELLS[kind], 5, rows, steps, 4, np.ones(2), None, 4)
    cell = CELLS[kind].random(3, 5, 0.3, rng)
    parameters = cell.parameters | {"readout": 0.3 * rng.normal(size=(8, 2)), "offset": rng.normal(size=2)}
    batch = problem.batch(rng, None)
    loss, gradient = jax.jit(problem.loss), jax.jit(jax.grad(problem.loss))(parameters, batch)
    for name, value in parameters.items():
        direction = rng.normal(size=value.shape)
        ahead, behind = (float(loss(parameters | {name: value + s * 1e-5 * direction}, batch)) for s in (1, -1))
        assert float((gradient[name] * direction).sum()) == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("kind", CELLS)
def test_the_loss_is_teacher_forced_first_and_free_then(kind):
    rng = np.random.default_rng(7)
    rows, steps = rng.normal(size=(4, 9, 3)), rng.uniform(0.1, 0.5, size=(4, 8))
    problem = Sequences(CELLS[kind], 5, rows, steps, 4, np.array([1.0, 0.0]), None, 4)
    cell = CELLS[kind].random(3, 5, 0.3, rng)
    parameters = cell.parameters | {"readout": 0.3 * rng.normal(size=(8, 2)), "offset": rng.normal(size=2)}
    total = []
    for row, step in zip(rows, steps, strict=True):
        h, guess = np.zeros(5), row[0, :2]
        for t in range(8):
            x = np.concatenate([row[t, :2] if t < 4 else guess, row[t, 2:]])
            h = cell.advance(h, x, step[t])
            speed = np.concatenate([h, x]) @ parameters["readout"] + parameters["offset"]
            guess = x[:2] + step[t] * np.array([1.0, 0.0]) * speed
            total.append((guess - row[t + 1, :2]) ** 2 if t >= 2 else [])
    known = np.concatenate([off for off in total if len(off)]).mean()
    found = problem.loss(parameters, {"rows": rows, "steps": steps, "moving": problem.moving})
    assert float(found) == pytest.approx(known, rel=1e-12)


@lru_cache
def cycle_law(kind: str):
    return MODELS[kind].fit(Series.from_array(van_der_pol(0.1 * np.arange(500)), interval=0.1))


@pytest.mark.parametrize(("kind", "error"), [("closed form", 0.02), ("liquid", 0.2)])
def test_van_der_pol_goes_on_for_a_cycle(kind, error):
    truth = van_der_pol(0.1 * np.arange(570))[500:]
    assert np.abs(cycle_law(kind).forecast(70, members=1).samples[0] - truth).max() < error


@pytest.mark.parametrize("kind", CELLS)
def test_the_map_of_a_law_has_the_jacobian_of_finite_differences(kind):
    law = cycle_law(kind)
    state = law.init(law.history[None])
    np.testing.assert_allclose(law.system.rhs(0.0, state[0]), law.feed(state, law.step(state))[0], rtol=1e-12)
    found = law.system.jacobian(0.0, state[0])
    for j in range(0, state.shape[1], 7):
        d = np.zeros(state.shape[1])
        d[j] = 1e-6
        differences = (law.system.rhs(0.0, state[0] + d) - law.system.rhs(0.0, state[0] - d)) / 2e-6
        np.testing.assert_allclose(found[:, j], differences, rtol=1e-3, atol=1e-4)


def test_irregular_times_are_learned_as_they_are():
    times = np.cumsum(np.random.default_rng(3).uniform(0.03, 0.17, 600))
    series = Series(times, van_der_pol(times))
    law = MODELS["closed form"].fit(series)
    # From regular rows the law goes on as the system does, though it never saw regular ones.
    interval = law.signature.interval
    rows = van_der_pol(interval * np.arange(200))
    found = law.roll(law.init(rows[None, :150]), 30, None)[0]
    assert np.abs(found - rows[150:180]).max() < 0.1
    assert np.isfinite(law.forecast(20, members=5).samples).all()


def test_a_saved_law_forecasts_the_same(tmp_path):
    for kind in CELLS:
        law = cycle_law(kind)
        law.save(tmp_path / kind)
        again = load(tmp_path / kind)
        np.testing.assert_array_equal(again.forecast(20, members=3).samples, law.forecast(20, members=3).samples)


def test_constant_channels_stay_exactly_so_and_wrong_settings_are_refused():
    times = 0.1 * np.arange(300)
    flat = MODELS["closed form"].fit(np.column_stack([np.sin(times), np.full(300, 7.25)]))
    np.testing.assert_array_equal(flat.forecast(30, members=4).samples[..., 1], 7.25)
    with pytest.raises(InsufficientData, match="16 rows"):
        ClosedFormContinuous().fit(np.sin(np.arange(12.0)))
    for wrong in ({"units": 0}, {"warm": 0}, {"rate": 0.0}):
        with pytest.raises(SettingError):
            LiquidTimeConstant(**wrong).fit(np.sin(np.arange(100.0)))


@pytest.mark.long
@pytest.mark.parametrize("model", [ClosedFormContinuous(units=8, epochs=2), LiquidTimeConstant(units=8, epochs=2)])
def test_the_contract_is_kept(model):
    check_model(model)
