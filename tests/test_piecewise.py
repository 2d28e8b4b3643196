"""Piecewise-linear networks: kernels and gradients against slow loops, laws against closed forms, what is learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from takens import Series, lyapunov_spectrum
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models import AlmostLinearRNN, Ensemble, ShallowPLRNN
from takens.models.piecewise.judging import climate_distance
from takens.models.piecewise.maps import AlmostLinearMap, ShallowMap
from takens.models.piecewise.networks import AlmostLinear, Shallow
from takens.models.piecewise.problem import Task
from takens.models.piecewise.teaching import (
    Teaching,
    condition_penalty,
    growth,
    pseudo_inverse,
    pseudo_inverse_slopes,
)
from takens.models.training import Moment

SPARSE, GENERALISED = Teaching("sparse", 4, 0.0), Teaching("generalised", 1, 0.3)
SMALL = {"epochs": 3, "batches": 4, "length": 20, "batch_size": 8}


def task(network, targets, teaching, affine=0, penalty=0.01):
    rng = np.random.default_rng(7)
    rows = 0.1 * np.cumsum(rng.normal(size=(300, targets + network.inputs)), axis=0)
    principal = rng.normal(size=(targets, affine)) if affine else np.empty((targets, 0))
    return Task(
        network, rows, np.arange(250), 12, 4, targets, principal, teaching, 0.05, penalty, 0.02, rows[:200], 5
    )  # fmt: skip


def slow_loss(task, parameters, batch):
    """The loss by its definition: a loop over time, one line an equation."""
    p, (rows, noisy), n = parameters, batch, task.targets
    clean = isinstance(task.network, AlmostLinear)
    if task.affine:
        forced = noisy @ np.linalg.pinv(p["observation"]).T
        z = forced[0]
    else:
        forced = noisy
        z = np.concatenate([noisy[0], noisy[0] @ p["start"].T], axis=1)
    count, total = forced.shape[2], 0.0
    for t in range(task.length):
        sparse = task.teaching.kind == "sparse"
        a = float(t % task.teaching.interval == 0) if sparse else task.teaching.strength
        z = np.concatenate([(1 - a) * z[:, :count] + a * forced[t], z[:, count:]], axis=1)
        if clean:
            linear = task.network.latent - task.network.relus
            inner = np.concatenate([z[:, :linear], np.maximum(z[:, linear:], 0)], axis=1) @ p["weights"].T
        else:
            heard = z @ p["inner"].T
            hidden = np.maximum(heard + p["thresholds"], 0) - task.network.clipped * np.maximum(heard, 0)
            inner = hidden @ p["outer"].T
        z = p["decay"] * z + inner + p["bias"] + rows[t, :, n:] @ p["drive"].T
        shown = z @ p["observation"].T if task.affine else z[:, :n]
        total += ((shown - rows[t + 1, :, :n]) ** 2).mean() / task.length
    names = ("weights", "outer", "inner", "bias", "thresholds")
    squares = sum((p[name] ** 2).sum() for name in names if name in p) + ((1 - p["decay"]) ** 2).sum()
    total += task.penalty * squares
    if task.affine:
        values = np.linalg.svd(p["observation"], compute_uv=False)
        total += task.conditioning * (1 - values[-1] / values[0]) ** 2
    return total


@pytest.mark.parametrize("teaching", [SPARSE, GENERALISED], ids=lambda t: t.kind)
@pytest.mark.parametrize(
    ("network", "targets", "affine"),
    [
        (AlmostLinear(6, 0, 2), 3, 0),
        (AlmostLinear(6, 2, 6), 3, 0),
        (Shallow(3, 0, 7, True), 3, 0),
        (Shallow(3, 2, 7, False), 3, 0),
        (Shallow(2, 1, 5, True), 4, 2),
        (Shallow(3, 0, 5, True), 3, 3),
    ],
    ids=["almost linear", "with inputs", "clipped", "unclipped with inputs", "affine", "affine square"],
)
def test_loss_is_its_definition_and_the_gradient_its_derivative(network, targets, affine, teaching):
    problem = task(network, targets, teaching, affine)
    rng, moment = np.random.default_rng(1), Moment(0, 0, 0.0)
    parameters = {k: v + 0.3 * rng.normal(size=v.shape) for k, v in problem.initial(rng).items()}
    batch = problem.batch(rng, moment)
    loss, slopes = problem.gradient(parameters, batch, moment)
    assert loss == pytest.approx(slow_loss(problem, parameters, batch), rel=1e-12)
    assert set(slopes) == set(parameters)

    def along(name, index, far):
        moved = parameters[name].copy()
        moved[index] += far
        return slow_loss(problem, {**parameters, name: moved}, batch)

    largest = max(np.abs(slope).max() for slope in slopes.values() if slope.size)
    h = 2e-5
    for name, slope in slopes.items():
        for index in np.ndindex(*slope.shape):
            near, wide = (along(name, index, k * h) - along(name, index, -k * h) for k in (1, 2))
            exact = (8 * near - wide) / (12 * h)  # central differences of order 4
            assert slope[index] == pytest.approx(exact, rel=1e-8, abs=1e-9 * largest), (name, index)


def test_batches_are_consecutive_rows_of_one_stretch_and_noise_goes_to_the_teacher_only():
    problem = task(AlmostLinear(4, 1, 1), 2, SPARSE)
    rows, noisy = problem.batch(np.random.default_rng(0), Moment(0, 0, 0.0))
    for b in range(rows.shape[1]):
        start = int(np.flatnonzero((problem.rows == rows[0, b]).all(axis=1))[0])
        np.testing.assert_array_equal(rows[:, b], problem.rows[start : start + 13])
    off = noisy - rows[..., :2]
    assert off.std() == pytest.approx(0.05, rel=0.25)
    clear = replace(problem, noise=0.0).batch(np.random.default_rng(0), Moment(0, 0, 0.0))
    np.testing.assert_array_equal(clear[1], clear[0][..., :2])


def test_sparse_and_generalised_shares():
    np.testing.assert_array_equal(SPARSE.shares(9, 0.0), [1, 0, 0, 0, 1, 0, 0, 0, 1])
    np.testing.assert_array_equal(GENERALISED.shares(3, 0.9), [0.3] * 3)
    np.testing.assert_array_equal(Teaching("adaptive", 1, 0.3).shares(3, 0.9), [0.9] * 3)


def test_adaptive_strength_keeps_the_fastest_gradient_from_growing():
    # Norms 2 and 8 along one sequence: geometric mean 4, so 3/4 of each step must be taken back; the other shrinks.
    jacobians = np.stack([[2 * np.eye(2), 0.5 * np.eye(2)], [8 * np.eye(2), 0.5 * np.eye(2)]])
    assert growth(jacobians) == pytest.approx(4)
    adaptive = Teaching("adaptive", 1, 0.0)
    assert adaptive.follow(0.1, jacobians) == pytest.approx(0.75)  # at once
    assert adaptive.follow(1.0, jacobians) == pytest.approx(0.999 + 0.001 * 0.75)  # slowly
    assert adaptive.follow(0.5, 0.1 * jacobians) == pytest.approx(0.999 * 0.5)  # contracting: towards none
    assert adaptive.follow(0.5, np.nan * jacobians) == 0.5
    problem = task(Shallow(3, 0, 7, True), 3, adaptive)
    moment = Moment(0, 5, 0.0, problem.values())
    parameters = problem.initial(np.random.default_rng(0))
    batch = problem.batch(np.random.default_rng(0), moment)
    found = problem.adapt(parameters, batch, moment)["strength"]
    assert 0.999 <= found < 1
    assert problem.adapt(parameters, batch, replace(moment, update=6)) == problem.values()


@pytest.mark.parametrize("shape", [(5, 2), (2, 5), (3, 3)])
def test_slopes_of_the_pseudo_inverse_and_of_the_condition(shape):
    rng = np.random.default_rng(3)
    matrix, weights = rng.normal(size=shape), rng.normal(size=shape[::-1])
    found = pseudo_inverse_slopes(matrix, pseudo_inverse(matrix), weights)
    value, bent = condition_penalty(matrix)
    singular = np.linalg.svd(matrix, compute_uv=False)
    assert value == pytest.approx((1 - singular[-1] / singular[0]) ** 2)
    for index in np.ndindex(*shape):
        nudge = np.zeros(shape)
        nudge[index] = 1e-6
        up, down = matrix + nudge, matrix - nudge
        slope = (weights * (np.linalg.pinv(up) - np.linalg.pinv(down))).sum() / 2e-6
        assert found[index] == pytest.approx(slope, rel=1e-6, abs=1e-7)
        slope = (condition_penalty(up)[0] - condition_penalty(down)[0]) / 2e-6
        assert bent[index] == pytest.approx(slope, rel=1e-6, abs=1e-7)


MAPS = {
    "almost linear": AlmostLinear(5, 1, 2).map(AlmostLinear(5, 1, 2).initial(np.random.default_rng(0))),
    "clipped": Shallow(5, 1, 9, True).map(Shallow(5, 1, 9, True).initial(np.random.default_rng(0))),
    "unclipped": Shallow(5, 1, 9, False).map(Shallow(5, 1, 9, False).initial(np.random.default_rng(0))),
}


@pytest.mark.parametrize("name", MAPS)
def test_slopes_of_maps_and_constancy_within_a_region(name):
    made, rng = MAPS[name], np.random.default_rng(1)
    z, s = rng.normal(size=(6, 5)), rng.normal(size=(6, 1))
    slopes, regions = made.slopes(z), made.regions(z)
    for j in range(5):
        nudge = 1e-7 * np.eye(5)[j]
        assert np.array_equal(made.regions(z + nudge), regions)
        np.testing.assert_allclose((made(z + nudge, s) - made(z - nudge, s)) / 2e-7, slopes[..., j], atol=1e-7)
    other = z + 1e-9
    np.testing.assert_array_equal(made.slopes(other), slopes)
    assert made.size == sum(np.size(v) for v in vars(made).values() if isinstance(v, np.ndarray))


def test_maps_are_their_equations():
    z, s = np.array([1.0, -2.0, 3.0]), np.array([0.5])
    made = AlmostLinearMap(np.array([0.5, 0.1, 0.2]), np.arange(9.0).reshape(3, 3), np.ones(3), np.ones((3, 1)), 2)
    np.testing.assert_allclose(made(z, s), [0.5 + 6 + 1 + 0.5, -0.2 + 3 + 15 + 1.5, 0.6 + 6 + 24 + 1.5])
    one = np.array([1.0])
    shallow = ShallowMap(0.5 * one, 2 * one[:, None], -one[:, None], 3 * one, 4 * one, np.empty((1, 0)), True)
    empty = np.empty(0)
    np.testing.assert_allclose(shallow(one, empty), [0.5 + 2 * 3 + 3])  # inner -1: max(3, 0) - max(-1, 0)
    np.testing.assert_allclose(shallow(-one, empty), [-0.5 + 2 * (5 - 1) + 3])
    np.testing.assert_allclose(replace(shallow, clipped=False)(-one, empty), [-0.5 + 2 * 5 + 3])


def test_settings_out_of_range_and_too_few_rows_are_refused():
    values = np.random.default_rng(0).normal(size=(60, 2))
    for model, word in (
        (AlmostLinearRNN(latent=1), "latent"),
        (AlmostLinearRNN(latent=4, rectified=5), "rectified"),
        (AlmostLinearRNN(rate=(1e-5, 1e-3)), "rate"),
        (ShallowPLRNN(hidden=0), "hidden"),
        (ShallowPLRNN(teaching="none"), "teaching"),  # type: ignore[arg-type]
        (ShallowPLRNN(strength=1.5), "strength"),
    ):
        with pytest.raises(SettingError, match=word):
            model.fit(values)
    with pytest.raises(InsufficientData, match="40 consecutive"):
        ShallowPLRNN(**SMALL).fit(values[:39])


def test_climate_distance_of_what_breaks_down():
    t = np.arange(2000.0)[:, None]
    truth = np.concatenate([np.sin(0.1 * t), np.cos(0.1 * t)], axis=1)
    assert climate_distance(np.full_like(truth, np.nan), truth) == np.inf
    assert climate_distance(1e6 * truth, truth) == np.inf
    assert climate_distance(0 * truth, truth) == np.inf  # stands still
    faster = np.concatenate([np.sin(0.3 * t), np.cos(0.3 * t)], axis=1)
    assert climate_distance(1.1 * truth, truth) > climate_distance(truth[7:], truth) > 0
    assert climate_distance(1.1 * faster, truth) > climate_distance(1.1 * truth, truth)
    assert climate_distance(np.ones((50, 1)), np.zeros((50, 1))) == 1  # constant truth: root mean square


@pytest.mark.parametrize(
    "model",
    [
        AlmostLinearRNN(latent=5, **SMALL),
        ShallowPLRNN(hidden=6, **SMALL),
        ShallowPLRNN(latent=1, hidden=6, teaching="adaptive", **SMALL),
        Ensemble(AlmostLinearRNN(latent=4, **SMALL), 2),
    ],
    ids=["almost linear", "shallow", "affine adaptive", "ensemble"],
)
def test_contract(model):
    assert "save and load give the same forecast" in check_model(model)


def test_the_exponent_of_a_saddle_free_map_is_that_of_its_decay():
    # Almost nothing is learned in one epoch of one update, but the law is a system whose Jacobian is its own.
    values = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
    law = AlmostLinearRNN(latent=2, rectified=0, epochs=1, batches=1, length=20).fit(Series.from_array(values))
    exact = np.sort(np.log(np.abs(np.linalg.eigvals(np.diag(law.map.decay) + law.map.weights))))[::-1]
    found = lyapunov_spectrum(law.system, duration=2000)
    np.testing.assert_allclose(found.value, exact, atol=2e-3)
