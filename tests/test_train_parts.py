"""Optimisers against optax, schedules and averages against closed forms, the cost of an update."""

from __future__ import annotations

import timeit
from dataclasses import dataclass

import numpy as np
import pytest
from training_problems import Linear, regression

from takens.errors import DataError, SettingError
from takens.models.training import (
    AdamW,
    Compiled,
    Constant,
    Exponential,
    RAdam,
    Settings,
    WarmupStableDecay,
    gradient_growth,
    jax_in_double,
    train,
)
from takens.models.training.engines import Loop
from takens.models.training.layout import Layout


@dataclass(frozen=True)
class Given(Compiled):
    """A training whose gradients are given numbers, whatever the weights are."""

    gradients: np.ndarray

    def initial(self, rng):
        return {"a": np.array([[0.3, -0.2], [1.0, 2.0]]), "b": np.array([-1.5])}

    def batch(self, rng, moment):
        return self.gradients[moment.update]

    def gradient(self, parameters, batch, moment):
        return 1.0, {"a": batch[:4].reshape(2, 2), "b": batch[4:]}

    def judge(self, parameters):
        return 0.0


@pytest.mark.parametrize("name", ["radam", "adamw", "radam with decay", "radam clipped"])
def test_optimisers_take_the_steps_of_optax(name):
    optax = pytest.importorskip("optax")
    jax = jax_in_double()
    gradients = np.random.default_rng(1).normal(size=(60, 5)) * np.array([1, 1e-3, 10, 1e-6, 1])
    ours = {"clip": 2.0} if "clipped" in name else {"decay": 0.05} if name != "radam" else {}
    optimiser = AdamW(memory_square=0.99) if name == "adamw" else RAdam()
    settings = Settings(1, batches=60, rate=Constant(1e-2), optimiser=optimiser, judge_every=1, **ours)
    theirs = {
        "radam": optax.radam(1e-2),
        "adamw": optax.adamw(1e-2, b2=0.99, weight_decay=0.05),
        "radam with decay": optax.chain(
            optax.scale_by_radam(), optax.add_decayed_weights(0.05), optax.scale_by_learning_rate(1e-2)
        ),
        "radam clipped": optax.chain(optax.clip_by_global_norm(2.0), optax.radam(1e-2)),
    }[name]
    problem = Given(gradients)
    weights = jax.numpy.concatenate([w.ravel() for w in problem.initial(None).values()])
    state = theirs.init(weights)
    for gradient in gradients:
        steps, state = theirs.update(jax.numpy.asarray(gradient), state, weights)
        weights = optax.apply_updates(weights, steps)
    found = train(problem, settings).parameters
    np.testing.assert_allclose(np.concatenate([found["a"].ravel(), found["b"]]), weights, rtol=1e-10)


def test_the_average_of_the_weights_is_the_running_mean_at_first_and_exponential_later():
    # Plain momentum of a constant gradient: RAdam's first updates, which subtract the rate times the gradient.
    settings = Settings(1, batches=4, rate=Constant(0.1), average=0.25, judge_every=1)
    found = train(Given(np.ones((4, 5))), settings).parameters["b"][0]
    mean = -1.5
    for t in range(1, 5):
        memory = min(0.25, t / (t + 9))
        mean = memory * mean + (1 - memory) * (-1.5 - 0.1 * t)
    assert found == pytest.approx(mean, rel=1e-12)


def test_penalty_is_the_gradient_of_half_the_squares_and_spares_what_it_is_told():
    settings = Settings(1, batches=1, rate=Constant(0.1), penalty=0.5, spared=("a",), judge_every=1)
    found = train(Given(np.zeros((1, 5))), settings).parameters
    assert found["b"][0] == pytest.approx(-1.5 + 0.1 * 0.5 * 1.5, rel=1e-12)
    np.testing.assert_array_equal(found["a"], [[0.3, -0.2], [1.0, 2.0]])
    with pytest.raises(SettingError, match="'c'"):
        train(Given(np.zeros((1, 5))), Settings(1, batches=1, spared=("c",)))


def test_schedules_have_the_values_of_their_formulas():
    shares = np.array([0.0, 0.05, 0.1, 0.5, 0.8, 0.9, 1.0])
    np.testing.assert_allclose(Exponential(1e-2, 1e-4).rates(shares), 1e-2 * 10 ** (-2 * shares))
    np.testing.assert_array_equal(Constant(0.3).rates(shares), 0.3)
    wsd = WarmupStableDecay(1.0, last=0.1, warm=0.1, decay=0.2)
    np.testing.assert_allclose(wsd.rates(shares), [0, 0.5, 1, 1, 1, 0.55, 0.1])


@pytest.mark.parametrize("wrong", [{"first": 0.0}, {"last": -1.0}, {"first": float("nan")}])
def test_rates_that_are_not_positive_are_refused(wrong):
    with pytest.raises(SettingError, match="positive"):
        Exponential(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batches": 0}, {"average": 1.0}, {"clip": 0.0}, {"decay": -1.0}, {"patience": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        Settings(**{"epochs": 1, **wrong})


def test_a_layout_takes_arrays_apart_and_together():
    arrays = {"w": np.arange(6.0).reshape(2, 3), "s": np.array(7.0), "b": np.array([8.0, 9.0])}
    layout = Layout.of(arrays)
    back = layout.unpack(layout.pack(arrays))
    assert layout.names == ("b", "s", "w")
    assert all(np.array_equal(back[name], arrays[name]) and back[name].shape == arrays[name].shape for name in arrays)


def test_an_update_of_a_small_model_costs_microseconds():
    rng = np.random.default_rng(0)
    shapes = [(20,), (20, 20), (20,), (20, 3), (3,)]
    arrays = {str(i): rng.uniform(0.1, 1, size=shape) for i, shape in enumerate(shapes)}
    engine = Loop(Linear(*regression()), Settings(1), Layout.of(arrays))
    optimiser, vector = engine.settings.optimiser, engine.layout.pack(arrays)
    moments = (9, vector, vector)
    cost = min(timeit.repeat(lambda: optimiser.update(vector, moments, np), number=200, repeat=20)) / 200
    # About 10 to 16 on the machines this was written on; the bar leaves room for a busy one.
    assert cost < 30e-6


def test_growth_of_constant_jacobians_is_their_largest_eigenvalue():
    jacobian = np.array([[1.5, 1.0], [0.0, 0.5]])
    growth = gradient_growth(np.broadcast_to(jacobian, (3, 400, 2, 2)))
    assert growth.rate == pytest.approx(np.log(1.5), abs=0.005)
    # The product of t matrices has the norm 1.5^t c with c = |(1, 1) (1, 0)'| / sqrt(2) = 1 for large t.
    assert growth.reach == int(np.ceil(np.log(1e6) / np.log(1.5)))
    assert "grow" in growth.warning
    assert f"{growth.reach} of its 400" in growth.warning
    fading = gradient_growth(np.full((1, 50, 1, 1), 0.5))
    assert fading.reach == 20  # 2^20 > 10^6 > 2^19
    assert "fade" in fading.warning


def test_growth_of_gentle_jacobians_is_no_warning_and_of_zeros_is_minus_infinity():
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    growth = gradient_growth(np.broadcast_to(turn, (2, 100, 2, 2)))
    assert growth.rate == pytest.approx(0.0, abs=1e-12)
    assert (growth.reach, growth.warning) == (None, "")
    assert gradient_growth(np.zeros((1, 5, 2, 2))).rate == -np.inf
    with pytest.raises(DataError, match="no value"):
        gradient_growth(np.full((1, 5, 2, 2), np.nan))
    with pytest.raises(DataError, match="shape"):
        gradient_growth(np.ones((5, 2, 2)))
