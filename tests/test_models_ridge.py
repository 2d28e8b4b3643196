"""Ridge regressions on delay vectors: polynomials, random cosines, bumps, Gaussian processes; exact Jacobians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens import Series
from takens.errors import InsufficientData, SettingError
from takens.models import NVAR, GaussianProcess, PolynomialFlow, RadialBasis, RandomFourier, Training
from takens.models.delayed import delay_shapes, farthest_points, lasts, search, squared_distances
from takens.models.marginal_likelihood import JITTER, Kernel, kernel_of, negative_likelihood
from takens.models.nvar import product_slopes, products
from takens.models.radial import clusters, spacings
from takens.models.ridge import Factors, monomials
from takens.models.selection import hold_out

DELAYED = {
    "nvar": NVAR(delays=2, spacing=3, degree=3, ridge=1e-8),
    "fourier": RandomFourier(features=40, delays=2, spacing=3, factor=1.0, ridge=1e-8),
    "radial": RadialBasis(units=30, delays=2, spacing=3, factor=4.0, ridge=1e-8),
    "farthest": RadialBasis(units=30, centres="farthest", delays=1, factor=4.0, ridge=1e-8),
    "process": GaussianProcess(delays=2, spacing=3),
    "projected": GaussianProcess(delays=1, exact=100, inducing=60),
    "flow": PolynomialFlow(degree=3, window=6, ridge=1e-10),
}


def numerical(law, state: np.ndarray) -> np.ndarray:
    """Central differences of the flattened step."""

    def follow(flat: np.ndarray) -> np.ndarray:
        states = flat.reshape(len(flat), *state.shape[1:])
        return law.feed(states, law.step(states)).reshape(len(flat), -1)

    flat = state.reshape(1, -1)
    width = 1e-5 * np.maximum(1, np.abs(flat[0]))
    ahead, behind = follow(flat + np.diag(width)), follow(flat - np.diag(width))
    return ((ahead - behind) / (2 * width[:, None])).T


@pytest.mark.parametrize("name", sorted(DELAYED))
def test_slopes_are_those_of_central_differences(name):
    x = lorenz63(700)
    if name in ("process", "projected"):
        # Without noise the weights are so large that differences lose their digits.
        x = x + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    law = DELAYED[name].fit(Series.from_array(x, interval=0.02))
    states = np.concatenate([law.init(x[None, 100:400]), law.init(x[None, 200:650])])
    exact = law.slopes(states)
    for k in range(2):
        expected = numerical(law, states[k : k + 1])
        np.testing.assert_allclose(
            exact[k], expected, atol=(1e-4 if name == "process" else 2e-6) * np.abs(expected).max()
        )


def test_the_map_of_a_law_has_its_slopes():
    x = lorenz63(700)
    law = DELAYED["fourier"].fit(Series.from_array(x, interval=0.02))
    system = law.system
    assert system.dimension == law.memory * 3
    np.testing.assert_array_equal(system.jacobian(0.0, system.initial), law.slopes(law.init(law.history[None]))[0])


def test_slopes_of_monomials_are_those_of_central_differences():
    rng = np.random.default_rng(0)
    points, table = rng.normal(size=(5, 4)), monomials(4, 4)
    gains = rng.normal(size=(len(table), 2))
    h = 1e-5
    expected = np.stack(
        [(products(points + h * e, table) - products(points - h * e, table)) @ gains / (2 * h) for e in np.eye(4)], -1
    )
    np.testing.assert_allclose(product_slopes(points, table, gains), expected, rtol=1e-6, atol=1e-6)


def test_streamed_factors_are_those_of_all_samples_at_once():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(900, 12)) @ rng.normal(size=(12, 12)) + 7.0
    features[:, 5] = 3.0
    targets = rng.normal(size=(900, 2))
    blocks = [(features[i : i + 250], targets[i : i + 250]) for i in range(0, 900, 250)]
    for ridge in (1e-10, 1e-2):
        whole, parts = Factors.of(features, targets).solve(ridge), Factors.streamed(blocks).solve(ridge)
        np.testing.assert_allclose(parts(features), whole(features), atol=1e-10)


def test_random_cosines_make_the_gaussian_kernel():
    x = lorenz63(700)
    law = RandomFourier(features=1500, delays=1, factor=1.0, ridge=1e-4).fit(x)
    points = law.points(x[:40, None])
    waves = np.cos(points @ law.frequencies + law.phases)
    kernel = np.exp(-squared_distances(points, points) / (2 * law.bandwidth**2))
    # The error of a mean of 1500 terms of variance about 1.
    np.testing.assert_allclose(2 * waves @ waves.T / 1500, kernel, atol=5 / np.sqrt(1500))


def test_farthest_points_are_the_greedy_ones():
    points = np.random.default_rng(0).normal(size=(60, 2))
    chosen = farthest_points(points, 10)
    for k in range(1, 10):
        away = [min(np.linalg.norm(p - points[c]) for c in chosen[:k]) for p in points]
        assert chosen[k] == int(np.argmax(away))
    assert len(farthest_points(np.ones((20, 3)), 5)) == 1


def test_clusters_settle_on_the_means_of_their_members():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    points = (centres[:, None] + 0.1 * rng.normal(size=(3, 100, 2))).reshape(-1, 2)
    found = clusters(points, 3)
    expected = points.reshape(3, 100, 2).mean(axis=1)
    order = [int(np.linalg.norm(found - e, axis=1).argmin()) for e in expected]
    np.testing.assert_allclose(found[order], expected, atol=1e-12)
    np.testing.assert_allclose(spacings(np.array([[0.0], [1.0], [4.0]])), [2.5, 2.0, 3.5])


def test_bumps_and_cosines_learn_the_henon_map():
    x = henon(2500)
    for model in (RadialBasis(), RandomFourier()):
        path = model.fit(x[:2000]).forecast(10, members=1).samples[0]
        np.testing.assert_allclose(path[:5], x[2000:2005], atol=2e-3)


def test_the_marginal_likelihood_and_its_gradient():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 2))
    values = np.stack([np.sin(2 * points[:, 0]), points[:, 0] * points[:, 1]], 1) + 0.1 * rng.normal(size=(40, 2))
    theta = np.array([0.1, 0.4, -2.0])
    scaled = points / np.exp(theta[:2])
    matrix = np.exp(-0.5 * ((scaled[:, None] - scaled[None]) ** 2).sum(-1)) + (np.exp(-2.0) + JITTER) * np.eye(40)
    direct = sum(20 * np.log(y @ np.linalg.solve(matrix, y)) for y in values.T) + np.linalg.slogdet(matrix)[1]
    value, gradient = negative_likelihood(theta, points, values)
    assert value == pytest.approx(direct)
    numeric = [
        (
            negative_likelihood(theta + 1e-5 * e, points, values)[0]
            - negative_likelihood(theta - 1e-5 * e, points, values)[0]
        )
        / 2e-5
        for e in np.eye(3)
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6)


def test_lengthscales_tell_what_matters_and_noise_is_found():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(300, 2))
    values = np.sin(2 * points[:, :1]) + 0.1 * rng.normal(size=(300, 1))
    kernel = kernel_of(points, values)
    assert kernel.lengthscales[0] < 2 < 20 < kernel.lengthscales[1]
    assert np.sqrt(kernel.noise * kernel.amplitudes[0]) == pytest.approx(0.1, rel=0.15)


def test_the_process_has_the_mean_and_variance_of_the_textbook():
    x = lorenz63(300) + 0.2 * np.random.default_rng(0).normal(size=(300, 3))
    law = GaussianProcess(delays=1).fit(x)
    targets = (np.diff(x, axis=0) / law.scale)[: len(law.places)]
    kernel = Kernel(law.lengthscales, law.noise_ratio, law.amplitudes)
    matrix = kernel(law.places, law.places) + (law.noise_ratio + JITTER) * np.eye(len(law.places))
    points = law.points(x[::30, None] + 1.0)
    near = kernel(points, law.places)
    np.testing.assert_allclose(law.increments(points), near @ np.linalg.solve(matrix, targets), atol=1e-8)
    free = 1 - np.einsum("ij,ji->i", near, np.linalg.solve(matrix, near.T))
    np.testing.assert_allclose(law.variances(points), (free + law.noise_ratio)[:, None] * law.amplitudes, rtol=1e-6)
    far = law.variances(points + 1e4)
    np.testing.assert_allclose(far, np.tile((1 + law.noise_ratio) * law.amplitudes, (len(far), 1)))
    state = np.repeat(x[None, 100:101], 20_000, axis=0)
    drawn = law.noise(state, np.random.default_rng(0)) / law.scale
    np.testing.assert_allclose(drawn.std(axis=0), np.sqrt(law.variances(law.points(state[:1]))[0]), rtol=0.03)


def test_a_projection_on_all_points_is_the_exact_process():
    rng = np.random.default_rng(2)
    points, values = rng.normal(size=(80, 2)), rng.normal(size=(80, 1))
    kernel = Kernel(np.array([0.7, 1.3]), 0.05, np.ones(1))
    weights, _ = kernel.projected(points, points, values)
    own = kernel(points, points)
    np.testing.assert_allclose(own @ weights, own @ kernel.exact(points, values), atol=1e-6)
    x = lorenz63(700)
    exact, fewer = (GaussianProcess(delays=1, exact=e, inducing=300).fit(x) for e in (2000, 100))
    assert fewer.inner.shape == (300, 300)
    assert exact.inner.size == 0
    there = exact.points(x[::50, None])
    np.testing.assert_allclose(fewer.increments(there), exact.increments(there), atol=1e-4)


def test_noisy_runs_of_a_process_spread_as_the_noise_of_the_data():
    x = autoregressive(1500, phi=0.8)
    law = GaussianProcess(delays=1).fit(x)
    spread = law.forecast(1, members=4000).samples.std()
    assert spread == pytest.approx(1.0, rel=0.06)


def test_known_inputs_do_not_blur_a_process():
    rng = np.random.default_rng(0)
    force, x = rng.normal(size=400), np.zeros(400)
    for t in range(399):
        x[t + 1] = 0.5 * np.sin(2 * x[t]) + 0.3 * force[t]
    series = Series.from_array(np.stack([x, force], 1), channels=("x", "f"))
    law = GaussianProcess(delays=1).fit(replace(series, inputs=("f",)))
    assert np.sqrt(law.noise_ratio * law.amplitudes[0]) < 0.01
    assert law.amplitudes[1] == 0.0


def test_search_takes_the_first_setting_and_a_middle_ridge_where_nothing_can_be_held_out():
    training = Training.of(np.random.default_rng(0).normal(size=(8, 1)))
    found = search(
        training,
        ["first", "second"],
        (1.0, 2.0, 3.0),
        lambda *_: iter(()),
        lambda *chosen: chosen,
        memory=8,
        horizon=None,
    )
    assert found == ("first", 2.0)
    assert delay_shapes(training, None, None) == [(1, 1), (2, 1)]


def test_laws_that_run_away_or_swell_do_not_last():
    x = autoregressive(1500, phi=0.9)
    _, probe = hold_out(Training.of(x), 5)
    law = NVAR(delays=1, degree=1, ridge=1e-8).fit(x)
    assert lasts(law, probe)
    # x_(t+1) = x_t + w x_t with w > 0 runs away; near a random walk it swells within the box first.
    for slope in (0.01, -0.001):
        weights = np.full_like(law.readout.weights, slope) * law.readout.scale[:, None]
        assert not lasts(replace(law, readout=replace(law.readout, weights=weights)), probe)


def test_settings_out_of_range_are_refused():
    x = lorenz63(200)
    wrong = (
        NVAR(degree=5), RandomFourier(features=0), RandomFourier(factor=-1.0), RadialBasis(units=0),
        RadialBasis(centres="middle"), GaussianProcess(inducing=1), NVAR(ridge=-1.0),
    )  # fmt: skip
    for model in wrong:
        with pytest.raises(SettingError):
            model.fit(x)
    for model in (NVAR(delays=50, spacing=10), GaussianProcess(delays=50, spacing=10), RadialBasis(delays=300)):
        with pytest.raises(InsufficientData):
            model.fit(x)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("model", "bar"), [(NVAR(), 12), (RandomFourier(), 8), (GaussianProcess(), 7), (RadialBasis(), 5)]
)
def test_valid_prediction_times_on_lorenz(model, bar):
    from test_models_numbers import valid_times

    truth = lorenz63(10_000)
    law = model.fit(Series.from_array(truth[:8000], interval=0.02))
    assert np.median(valid_times(law, truth, truth, 8000, 30, 1000)) >= bar
