"""Linear recurrences: stable rates, scans against loops, each backbone against its equation, the network's gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from takens import Series
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models.base import Training
from takens.models.recurrent.backbones import LRU, LSSL, S4D, Selective
from takens.models.recurrent.forecaster import LinearRecurrent
from takens.models.recurrent.hippo import bilinear, hippo
from takens.models.recurrent.network import RecurrentNetwork
from takens.models.recurrent.problem import WIDTHS, discrepancy
from takens.models.recurrent.rates import FLOOR, rate, weight_of
from takens.models.recurrent.scan import convolved, scanned
from takens.models.training import Moment, jax_in_double

BACKBONES = {
    "lru": LRU(6, 5, 20, "exp"),
    "lru_best": LRU(6, 5, 20, "best"),
    "s4d": S4D(4, 3, 20, "exp", "legs"),
    "s4d_best": S4D(4, 3, 20, "best", "inv"),
    "lssl": LSSL(4, 5, 20, "exp"),
    "selective": Selective(4, 3, 20, "exp"),
}
TINY = {"width": 8, "layers": 1, "epochs": 4, "batches": 5, "batch": 8, "steps": 3, "context": 8}


def training_of(rows: np.ndarray) -> Training:
    return Training.of(Series.from_array(rows))


@pytest.fixture(params=sorted(BACKBONES))
def backbone(request):
    return BACKBONES[request.param]


def test_rates_are_positive_and_the_best_one_has_a_gradient_in_proportion():
    w, h = np.linspace(-3, 3, 13), 1e-6
    for kind, expected in (("best", 2 * np.abs(w)), ("exp", np.exp(-w))):
        slope = (rate(w + h, kind) - rate(w - h, kind)) / (2 * h)
        assert (rate(w, kind) > 0).all()
        np.testing.assert_allclose(np.abs(slope) / rate(w, kind) ** 2, expected, rtol=1e-8, atol=1e-8)
        wanted = np.array([1e-3, 0.1, 1.0, 8.0])
        np.testing.assert_allclose(rate(weight_of(wanted, kind), kind), wanted, rtol=1e-12)
    assert rate(weight_of(np.array([1e3]), "best"), "best") < 1 / FLOOR
    with pytest.raises(SettingError):
        rate(w, "tanh")


@pytest.mark.parametrize("length", [1, 7, 64])
def test_the_parallel_scan_is_the_loop(length):
    rng = np.random.default_rng(0)
    shape = (2, length, 3)
    decay = rng.uniform(0.2, 1.02, shape) * np.exp(1j * rng.normal(size=shape))
    drive = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    state, path = np.zeros((2, 3), complex), np.empty(shape, complex)
    for t in range(length):
        state = path[:, t] = decay[:, t] * state + drive[:, t]
    np.testing.assert_allclose(np.asarray(scanned(decay, drive)), path, rtol=1e-12, atol=1e-12)


def test_convolution_is_the_sum():
    rng = np.random.default_rng(1)
    kernel, signal = rng.normal(size=(13, 2)), rng.normal(size=(3, 13, 2))
    expected = [[(kernel[: t + 1] * one[t::-1]).sum(axis=0) for t in range(13)] for one in signal]
    np.testing.assert_allclose(np.asarray(convolved(kernel, signal)), expected, atol=1e-12)


def test_a_sequence_is_its_steps(backbone):
    jnp = jax_in_double().numpy
    p, u = backbone.initial(np.random.default_rng(2)), np.random.default_rng(3).normal(size=(3, 21, backbone.width))
    y, last = jax_in_double().jit(lambda p, u: backbone.sequence(backbone.ready(p, jnp), u))(p, u)
    q = backbone.ready(p, np)
    state = backbone.rest(q, u[:, 0], np)
    for t in range(u.shape[1]):
        state, one = backbone.step(q, state, u[:, t], np)
        np.testing.assert_allclose(np.asarray(y[:, t]), one, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.asarray(last), state, rtol=1e-12, atol=1e-12)
    assert state.dtype == one.dtype == np.float64


def test_rest_is_where_constant_features_leave_it(backbone):
    q = backbone.ready(backbone.initial(np.random.default_rng(6)), np)
    u = np.random.default_rng(7).normal(size=(2, backbone.width))
    state = np.zeros((2, backbone.size))
    for _ in range(1200):
        state, _ = backbone.step(q, state, u, np)
    np.testing.assert_allclose(backbone.rest(q, u, np), state, rtol=1e-8, atol=1e-8)


def test_states_fade_whatever_the_weights(backbone):
    rng = np.random.default_rng(4)
    p = {name: value + 3 * rng.normal(size=np.shape(value)) for name, value in backbone.initial(rng).items()}
    q, u = backbone.ready(p, np), np.zeros((1, backbone.width))
    # The homogeneous part of a step as a matrix, from its columns: its eigenvalues are inside the unit circle.
    matrix = np.stack([backbone.step(q, one[None], u, np)[0][0] for one in np.eye(backbone.size)], axis=1)
    assert np.abs(np.linalg.eigvals(matrix)).max() < 1


def test_lru_keeps_states_at_the_size_of_the_features():
    one = LRU(16, 200, 50, "exp")
    q = one.ready(one.initial(np.random.default_rng(0)), np)
    state, size = np.zeros((40, one.size)), []
    for t in range(600):
        state, _ = one.step(q, state, np.random.default_rng(t).normal(size=(40, 16)), np)
        size.append((state**2).sum(axis=1).mean() / one.order)
    # With white features of variance 1 and B of variance 1/width, each complex mode has variance 1.
    assert np.mean(size[300:]) == pytest.approx(1, rel=0.1)


def test_s4d_is_exact_for_held_features():
    one = S4D(1, 2, 20, "exp", "lin")
    q = one.ready(one.initial(np.random.default_rng(1)), np)
    a, dt = np.array([-0.5, -0.5 + 1j * np.pi]), np.log(q["mode"][0, 0]).real / -0.5
    state, exact = np.zeros((1, 4)), np.zeros(2, complex)
    for u in (0.7, -1.2, 0.4):
        state, y = one.step(q, state, np.array([[u]]), np)
        exact = solve_ivp(lambda t, s, u=u: a * s + u, (0, dt), exact, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    np.testing.assert_allclose(state[0], [*exact.real, *exact.imag], rtol=1e-9, atol=1e-11)
    read = q["read"][0] / 2
    np.testing.assert_allclose(y[0, 0], 2 * (read * exact).real.sum() + q["direct"][0] * u, rtol=1e-9)


def test_lssl_holds_legendre_coefficients():
    one = LSSL(2, 4, 20, "exp")
    p = one.initial(np.random.default_rng(2))
    move, drive = bilinear(*hippo("legs", 4), np.exp(p["step"]))
    state, c = np.zeros((1, 8)), np.zeros((2, 4))
    for u in np.random.default_rng(3).normal(size=(6, 2)):
        state, _ = one.step(one.ready(p, np), state, u[None], np)
        c = np.stack([move[h] @ c[h] + drive[h] * u[h] for h in range(2)])
    np.testing.assert_allclose(state[0], c.ravel(), rtol=1e-12)


def test_selective_forgets_nothing_where_its_step_is_zero():
    one = Selective(2, 3, 20, "exp")
    p = one.initial(np.random.default_rng(5)) | {"pace": np.diag([-50.0, 0.0])}
    q, state = one.ready(p, np), np.random.default_rng(6).normal(size=(1, 6))
    new, _ = one.step(q, state, np.array([[1.0, 0.3]]), np)
    np.testing.assert_allclose(new[0, :3], state[0, :3], atol=1e-12)  # softplus(-50 + ...) is zero
    dt = np.log1p(np.exp(p["step"][1]))
    mixed = np.array([1.0, 0.3]) @ p["mix"]
    np.testing.assert_allclose(new[0, 3:], np.exp(-dt * np.arange(1, 4)) * state[0, 3:] + dt * 0.3 * mixed, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["lru", "s4d", *(pytest.param(n, marks=pytest.mark.long) for n in ("lssl", "selective"))]
)
def test_the_network_is_its_steps_and_its_gradient_the_differences(name):
    rows = np.random.default_rng(7).normal(size=(60, 2)).cumsum(axis=0)
    problem = LinearRecurrent(context=9, steps=4, batch=5, attractor=0.3)._problem(training_of(rows), 9, 4)
    network = RecurrentNetwork(BACKBONES[name], 2, 2)
    problem = replace(problem, network=network)
    jax, rng = jax_in_double(), np.random.default_rng(8)
    p = problem.initial(rng)
    batch = problem.batch(rng, Moment(0, 0, 0.0))
    ahead, last = jax.jit(lambda p, x: network.sequence(network.ready(p, jax.numpy), x, jax.numpy))(p, batch[0])
    q = network.ready(p, np)
    state = network.rest(q, batch[0][:, 0], np)
    for t in range(batch[0].shape[1]):
        state, one = network.step(q, state, batch[0][:, t], np)
        np.testing.assert_allclose(np.asarray(ahead[:, t]), one, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.asarray(last), state, rtol=1e-12, atol=1e-12)
    value = jax.jit(jax.value_and_grad(lambda p: problem.loss(p, batch)))
    for key, slope in value(p)[1].items():
        way = rng.normal(size=slope.shape)
        up, down = (float(value(p | {key: p[key] + h * way})[0]) for h in (1e-5, -1e-5))
        assert float((slope * way).sum()) == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-7), key


def test_the_loss_is_what_it_says():
    rows = np.random.default_rng(9).normal(size=(50, 2)).cumsum(axis=0)
    problem = LinearRecurrent(width=4, layers=1, context=8, steps=3, batch=2)._problem(training_of(rows), 8, 3)
    p, (x, growth) = (
        problem.initial(np.random.default_rng(1)),
        problem.batch(np.random.default_rng(2), Moment(0, 0, 0.0)),
    )
    q, wrong, later = problem.network.ready(p, np), [], []
    state = problem.network.rest(q, x[:, 0], np)
    for t in range(8):
        state, ahead = problem.network.step(q, state, x[:, t], np)
        wrong.append(((x[:, t] + growth * ahead - x[:, t + 1]) / growth) ** 2)
    row = x[:, 7] + growth * ahead
    for j in range(3):
        later.append(((row - x[:, 8 + j]) / growth / (j + 1)) ** 2)
        state, ahead = problem.network.step(q, state, row, np)
        row = row + growth * ahead
    expected = np.mean(wrong[2:]) + np.mean(later)
    assert float(jax_in_double().jit(problem.loss)(p, (x, growth))) == pytest.approx(expected, rel=1e-12)


def test_discrepancy_of_two_points_and_of_two_clouds():
    apart = np.mean([2 - 2 * np.exp(-(1.5**2) / (2 * w**2)) for w in WIDTHS])
    assert discrepancy(np.zeros((1, 1)), np.full((1, 1), 1.5), np) == pytest.approx(apart, rel=1e-12)
    cloud = np.random.default_rng(0).normal(size=(300, 2))
    assert discrepancy(cloud, cloud[::-1], np) == pytest.approx(0, abs=1e-12)
    assert discrepancy(cloud, 0.5 * cloud, np) > 0.02


def test_a_clean_rotation_is_learned_and_continued():
    t = np.arange(600)
    x = np.stack([np.cos(t / 7), np.sin(t / 7)], axis=1)
    model = LinearRecurrent(width=12, layers=1, epochs=25, batches=25, context=12, steps=4, rate=1e-2)
    law = model.fit(x[:500], seed=1)
    path = law.forecast(100, members=1).samples[0]
    assert np.sqrt(((path - x[500:]) ** 2).mean()) < 0.15  # persistence has 1.4
    assert law.residuals.std() < 0.05 * np.diff(x, axis=0).std()


def test_known_inputs_are_followed():
    rng = np.random.default_rng(3)
    push = np.repeat(rng.choice([-1.0, 1.0], 80), 10)
    x = np.zeros(800)
    for i in range(1, 800):
        x[i] = 0.8 * x[i - 1] + push[i - 1]
    series = replace(Series.from_array(np.stack([push, x], axis=1), channels=("push", "x")), inputs=("push",))
    law = LinearRecurrent(width=12, layers=1, epochs=20, batches=20, context=8, steps=4).fit(series.rows(0, 700))
    ahead = law.forecast(100, members=1, inputs=push[700:, None])
    assert ahead.channels == ("x",)
    assert np.abs(ahead.samples[0, :, 0] - x[700:]).mean() < 0.3  # x moves between -5 and 5


def test_slopes_are_the_differences_of_a_step(backbone):
    rows = np.random.default_rng(10).normal(size=(60, 2)).cumsum(axis=0)
    problem = LinearRecurrent(context=9, steps=4)._problem(training_of(rows), 9, 4)
    network = RecurrentNetwork(backbone, 2, 2)
    law = replace(problem.law, network=network).with_weights(network.initial(np.random.default_rng(11)))
    state = law.init(np.stack([rows[:9], rows[30:39]]))
    slopes = law.slopes(state)
    for k in range(0, state.shape[1], 3):
        off = 1e-6 * np.eye(state.shape[1])[k]
        ahead, behind = (law.feed(s, law.step(s)) for s in (state + off, state - off))
        np.testing.assert_allclose(slopes[..., k], (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-8)


def test_settings_and_short_series_are_refused():
    for wrong in ({"backbone": "gru"}, {"width": 0}, {"stable": "none"}, {"start": "fout"}, {"epochs": 0}):
        with pytest.raises(SettingError):
            LinearRecurrent(**wrong).fit(np.sin(np.arange(99)))
    with pytest.raises(InsufficientData):
        LinearRecurrent().fit(np.arange(19.0))


@pytest.mark.long
@pytest.mark.parametrize("name", ["lru", "s4d", "lssl", "selective"])
def test_the_contract_holds(name):
    check_model(LinearRecurrent(backbone=name, **TINY))
