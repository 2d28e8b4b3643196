"""What piecewise-linear networks learn: laws with known parameters come back, free runs are those of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import lorenz63

from takens import Series, lyapunov_spectrum
from takens.models import AlmostLinearRNN, ShallowPLRNN
from takens.models.piecewise import PiecewiseLinearLaw
from takens.scores import spectral_hellinger, state_space_divergence


def rotation(length: int) -> np.ndarray:
    phase = 2 * np.pi * np.arange(length) / 25
    return np.stack([3 + 2 * np.sin(phase), np.cos(phase)], axis=1)


@pytest.fixture(scope="module")
def turning() -> PiecewiseLinearLaw:
    model = AlmostLinearRNN(
        latent=2, rectified=0, teaching="generalised", strength=0.2, epochs=60, length=50, rate=(2e-2, 1e-4), noise=0.0
    )
    return model.fit(rotation(1000))


def test_a_linear_network_learns_a_rotation_with_its_angle(turning):
    matrix = np.diag(turning.map.decay) + turning.map.weights
    values = np.linalg.eigvals(matrix)
    np.testing.assert_allclose(np.abs(values), 1, atol=1e-4)
    np.testing.assert_allclose(np.abs(np.angle(values)), 2 * np.pi / 25, atol=1e-4)
    ahead = turning.forecast(100, members=1).samples[0]
    np.testing.assert_allclose(ahead, rotation(1100)[1000:], atol=0.02)


def test_the_state_of_the_system_is_in_units_of_the_data(turning):
    system = turning.system
    np.testing.assert_allclose(system.initial, rotation(1001)[1000], atol=1e-3)
    np.testing.assert_allclose(lyapunov_spectrum(system, duration=5000).value, 0, atol=1e-3)
    state = np.array([[3.0, 1.5], [1.0, -1.0]])
    slopes = turning.slopes(state)
    for j in range(2):
        nudge = 1e-6 * np.eye(2)[j]
        up, down = (turning.feed(s, turning.step(s)) for s in (state + nudge, state - nudge))
        np.testing.assert_allclose((up - down) / 2e-6, slopes[..., j], atol=1e-8)


def test_known_inputs_drive_the_network():
    # x_(t+1) = 0.8 x_t + 0.5 s_t + 1, s white: the decay, the drive and the forecast under new inputs are known.
    rng = np.random.default_rng(0)
    s, x = rng.normal(2, 1.5, 2020), np.empty(2020)
    x[0] = 5
    for t in range(2019):
        x[t + 1] = 0.8 * x[t] + 0.5 * s[t] + 1
    series = Series(
        np.arange(2000.0), np.stack([s, x], axis=1)[:2000], channels=("s", "x"), inputs=("s",)
    )  # fmt: skip
    model = AlmostLinearRNN(latent=1, rectified=0, interval=2, length=20, epochs=40, rate=(2e-2, 1e-4), noise=0.0)
    law = model.fit(series)
    assert isinstance(law, PiecewiseLinearLaw)
    scale = dict(zip(law.signature.channels, law.scale, strict=True))
    assert law.map.decay[0] + law.map.weights[0, 0] == pytest.approx(0.8, abs=2e-3)
    assert law.map.drive[0, 0] * scale["x"] / scale["s"] == pytest.approx(0.5, abs=2e-3)
    ahead = law.forecast(20, inputs=s[2000:, None], members=1)
    assert ahead.channels == ("x",)
    np.testing.assert_allclose(ahead.samples[0, :, 0], x[2000:], atol=0.02)
    state = law.init(law.history[None])
    values, nudge = law.step(state), np.array([0, 1e-6])  # channels are (x, s): an input moves the next state
    moved = (law.feed(state, values + nudge) - law.feed(state, values - nudge)) / 2e-6
    np.testing.assert_allclose(moved[0, 0], 0.5, atol=2e-3)
    np.testing.assert_allclose(law.slopes(state)[0], [[0.8, 0.5], [0, 1]], atol=2e-3)


@pytest.mark.parametrize("teaching", ["sparse", "adaptive"])
def test_a_law_runs_like_the_compiled_network_it_was_trained_as(teaching):
    """The law (array code) and the training (compiled) are two implementations of one recursion."""
    from takens.models.piecewise import fitting
    from takens.models.piecewise.networks import Shallow
    from takens.models.trajectories import Training

    values = lorenz63(600)
    model = ShallowPLRNN(hidden=20, teaching=teaching, epochs=4, length=50)
    law = model.fit(values, seed=3)
    plan = fitting.Plan("here", teaching, None, 0.15, 50, 4, 50, 16, (1e-3, 1e-5), 0.0, 1e-5, 1e-6, 1)
    training = Training.of(values)
    standard = training.mapped(lambda rows: (rows - law.mean) / law.scale)
    task = fitting._task(standard, Shallow(3, 0, 20, True), False, plan)
    names = ("decay", "outer", "inner", "bias", "thresholds", "drive")
    parameters = {name: getattr(law.map, name) for name in names} | {"start": np.empty((0, 3))}
    full = replace(law, gain=1.0, warm_up=task.warm_up)
    held = task.held * law.scale + law.mean
    compiled = task.free(parameters, np.array([0, 3]), 40) * law.scale + law.mean
    run = full.roll(full.init(np.stack([held[: task.warm_up], held[3 : 3 + task.warm_up]])), 40, None)
    np.testing.assert_allclose(run, np.swapaxes(compiled, 0, 1), rtol=1e-8, atol=1e-8)


def test_a_learned_read_out_finds_the_plane_in_which_many_channels_move():
    mixing = np.random.default_rng(0).normal(size=(2, 6))
    values = (rotation(800) - [3, 0]) @ mixing
    model = ShallowPLRNN(latent=2, hidden=10, epochs=60, length=30, rate=(1e-2, 1e-4), penalty=0.0)
    law = model.fit(values)
    assert law.observation.shape == (6, 2)
    assert law.system.dimension == 2
    np.testing.assert_allclose(law.inverse @ law.observation, np.eye(2), atol=1e-10)
    ahead = law.forecast(25, members=1).samples[0]
    truth = (rotation(825)[800:] - [3, 0]) @ mixing
    assert np.sqrt(((ahead - truth) ** 2).mean()) < 0.1 * values.std()


def test_of_noisy_data_the_law_makes_a_filter():
    rng = np.random.default_rng(0)
    clean = rotation(1500) - [3, 0]
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    model = AlmostLinearRNN(latent=2, rectified=0, epochs=60, length=50, rate=(2e-2, 1e-4), interval=10, noise=0.0)
    law = model.fit(noisy[:1000])
    assert law.gain <= 0.3
    errors = []
    for one in (law, replace(law, gain=1.0)):
        ahead = [
            one.forecast(1, history=noisy[o - 30 : o], members=1).samples[0, 0] for o in range(1030, 1500, 5)
        ]  # fmt: skip
        errors.append(np.sqrt(((np.array(ahead) - clean[1030:1500:5]) ** 2).mean()))
    assert errors[0] < 0.6 * errors[1]  # the last row alone carries all of its noise into the forecast
    assert law.residuals.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.25)


@pytest.mark.long
def test_lorenz63_is_reconstructed_in_half_a_minute():
    values = lorenz63(20_000, dt=0.01)
    law = AlmostLinearRNN(epochs=250, rate=(3e-3, 1e-4)).fit(Series.from_array(values[:15_000], interval=0.01))
    run = law.generate(10_000, noise=False).values
    assert state_space_divergence(run, values[10_000:]).value < 2
    assert spectral_hellinger(run, values[10_000:]).value < 0.3
    found = lyapunov_spectrum(law.system, duration=5000, count=1)
    assert float(found.value[0]) / 0.01 == pytest.approx(0.9056, rel=0.35)
