"""Neural ordinary differential equations: known fields are found, the solver, gradient and Jacobian are right."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from systems import lorenz63

from takens import Series, simulate
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models import Training
from takens.models.neural_ode import NeuralODE, embedded
from takens.models.perceptron import Perceptron, fitted, random_perceptron
from takens.models.segments import Timed, local_slopes, noise_of, successors, windows
from takens.models.shooting import Shooting, advanced
from takens.models.training import jax_in_double

SPIRAL = np.array([[-0.1, -1.0], [1.0, -0.1]])
CHEAP = NeuralODE(layers=(40,), epochs=3)
NOISY = NeuralODE(layers=(40,), epochs=20, rate=1e-3)


def van_der_pol(times: np.ndarray) -> np.ndarray:
    def rule(t, x):
        return [x[1], (1 - x[0] ** 2) * x[1] - x[0]]

    return solve_ivp(rule, (0, times[-1]), [2.0, 0.0], t_eval=times, rtol=1e-10, atol=1e-12).y.T


def van_der_pol_field(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x[:, 1], (1 - x[:, 0] ** 2) * x[:, 1] - x[:, 0]])


def relative(found: np.ndarray, known: np.ndarray) -> float:
    return float(np.sqrt(((found - known) ** 2).mean() / (known**2).mean()))


@lru_cache
def cycle_law():
    return CHEAP.fit(Series.from_array(van_der_pol(0.1 * np.arange(500)), interval=0.1))


def test_a_damped_spiral_is_found():
    starts = [np.array([2.0, 0.0]), np.array([-1.0, 1.5]), np.array([0.5, -2.0])]
    times = 0.1 * np.arange(120)
    series = [
        Series.from_array(solve_ivp(lambda t, x: SPIRAL @ x, (0, 12), s, t_eval=times, rtol=1e-10).y.T, interval=0.1)
        for s in starts
    ]
    law = CHEAP.fit(series)
    x = np.concatenate([s.values for s in series])
    assert relative(law.system.rhs(0.0, x), x @ SPIRAL.T) < 2e-3
    # The last trajectory goes on as the closed form says.
    turn = np.exp(-0.1 * 5) * np.array([[np.cos(5), -np.sin(5)], [np.sin(5), np.cos(5)]])
    ahead = law.forecast(50, members=1).samples[0, -1]
    np.testing.assert_allclose(ahead, turn @ series[-1].values[-1], atol=0.01)


def test_van_der_pol_goes_on_for_six_cycles():
    law = cycle_law()
    truth = van_der_pol(0.1 * np.arange(900))[500:]
    assert np.abs(law.forecast(400, members=1).samples[0] - truth).max() < 0.02
    assert relative(law.system.rhs(0.0, truth), van_der_pol_field(truth)) < 2e-3


def test_irregular_times_give_the_same_field():
    times = np.cumsum(np.random.default_rng(3).uniform(0.03, 0.17, 500))
    series = Series(times, van_der_pol(times))
    assert series.sampling.kind == "irregular"
    law = CHEAP.fit(series)
    points = van_der_pol(0.1 * np.arange(500))[100:]
    assert relative(law.system.rhs(0.0, points), van_der_pol_field(points)) < 5e-3
    assert relative(law.system.rhs(0.0, points), cycle_law().system.rhs(0.0, points)) < 5e-3


def test_gaps_in_time_are_not_bridged():
    times = np.concatenate([0.1 * np.arange(200), 50.0 + 0.1 * np.arange(200) + 0.02 * (np.arange(200) % 2)])
    training = Training.of(Series(times, van_der_pol(times)), irregular=True)
    from takens.models.segments import timed

    assert [len(piece.rows) for piece in timed(training)] == [200, 200]


def problem(channels: int = 3, states: int = 2, substeps: int = 1) -> Shooting:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(6, 5, channels))
    steps = rng.uniform(0.05, 0.3, size=(6, 4))
    moving = np.ones(states)
    return Shooting(
        rows, steps, np.array([1, 2, 3, 4, 5, 5]), np.array([0.3, 0.1]), moving, None, (7, 6), 4, substeps, 1.0, 1.0
    )


def random_parameters(given: Shooting) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    parameters = random_perceptron((3, 7, 6, 2), rng).parameters
    parameters = {name: value + 0.3 * rng.normal(size=value.shape) for name, value in parameters.items()}
    return parameters | {"shifts": rng.normal(size=(8, 2))}


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    jax = jax_in_double()
    given = problem()
    parameters = random_parameters(given)
    batch = given.batch(np.random.default_rng(2), None)
    loss, gradient = jax.jit(given.loss), jax.jit(jax.grad(given.loss))(parameters, batch)
    rng = np.random.default_rng(9)
    for name, value in parameters.items():
        direction = rng.normal(size=value.shape)
        ahead, behind = (float(loss(parameters | {name: value + sign * 1e-5 * direction}, batch)) for sign in (1, -1))
        assert float((gradient[name] * direction).sum()) == pytest.approx((ahead - behind) / 2e-5, rel=1e-6, abs=1e-10)


def test_the_path_and_its_error_estimates_have_the_order_of_the_solver():
    given = problem()
    parameters = random_parameters(given)
    network = Perceptron.of(parameters)
    inputs = given.rows[..., 2:]
    path, errors = given._path(network, given.rows[:, 0, :2], inputs, given.steps, given.moving)
    z = given.rows[:, 0, :2]
    for t in range(4):
        z = advanced(network, np.concatenate([z, inputs[:, t]], axis=1), given.steps[:, t, None], 2, given.moving, 200)
        np.testing.assert_allclose(path[:, t], z, atol=2e-6)
    finer = given._path(network, given.rows[:, 0, :2], inputs, given.steps / 2, given.moving)[1]
    # The estimate belongs to the method of order 4: half the step, a 32nd of the error.
    ratio = np.sqrt((np.asarray(errors[0]) ** 2).mean() / (np.asarray(finer[0]) ** 2).mean())
    assert 20 < ratio < 50


def test_the_jacobian_is_that_of_automatic_and_of_finite_differences():
    jax = jax_in_double()
    flow = cycle_law().system
    law = cycle_law()
    rng = np.random.default_rng(0)
    for x in rng.normal(size=(5, 2)):

        def rate(y):
            z = (y - law.mean) / law.scale
            return law.scale / law.pace * law.network(z, jax.numpy)

        np.testing.assert_allclose(flow.jacobian(0.0, x), jax.jacfwd(rate)(x), rtol=1e-10, atol=1e-12)
        columns = [(flow.rhs(0.0, x + d) - flow.rhs(0.0, x - d)) / 2e-6 for d in 1e-6 * np.eye(2)]
        np.testing.assert_allclose(flow.jacobian(0.0, x), np.stack(columns, axis=1), rtol=1e-5, atol=1e-7)


def test_the_flow_of_a_law_goes_where_the_law_goes():
    law = cycle_law()
    orbit = simulate(law.system, length=31, dt=0.1).values[1:]
    np.testing.assert_allclose(law.forecast(30, members=1).samples[0], orbit, atol=1e-5)


def test_a_saved_law_forecasts_bit_for_bit_and_without_jax(tmp_path):
    law = cycle_law()
    law.save(tmp_path / "law")
    code = (
        "import sys, takens, numpy as np; law = takens.load(sys.argv[1]);"
        "samples = law.forecast(20, members=3, seed=4).samples; assert 'jax' not in sys.modules;"
        "np.save(sys.argv[2], samples)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "law"), str(tmp_path / "out.npy")], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), law.forecast(20, members=3, seed=4).samples)


@pytest.mark.long
def test_known_inputs_drive_the_flow():
    times = 0.1 * np.arange(800)
    pushes = np.repeat(np.random.default_rng(5).uniform(-1, 1, 80), 10)
    x = np.zeros(800)
    for t in range(799):  # dx/dt = u - x with u held: the exact step
        x[t + 1] = pushes[t] + (x[t] - pushes[t]) * np.exp(-0.1)
    series = Series(times[:700], np.column_stack([x, pushes])[:700], ("x", "u"), inputs=("u",))
    law = NeuralODE(layers=(30,), epochs=3, delays=1).fit(series)
    assert law.system.parameters.keys() == {"u"}
    np.testing.assert_allclose(law.system.rhs(0.0, [0.3], u=0.5), 0.2, atol=0.02)
    found = law.forecast(99, inputs=pushes[700:799, None], members=1).samples[0, :, 0]
    np.testing.assert_allclose(found, x[700:799], atol=0.03)


@pytest.mark.long
def test_one_channel_is_embedded_and_constant_channels_stay_exactly_so():
    times = 0.1 * np.arange(500)
    law = CHEAP.fit(np.sin(times))
    assert law.delays == 3
    np.testing.assert_allclose(law.forecast(60, members=1).samples[0, :, 0], np.sin(50 + times[:60]), atol=0.05)
    flat = CHEAP.fit(np.column_stack([np.sin(times), np.cos(times), np.full(500, 7.25)])).forecast(30, members=4)
    np.testing.assert_array_equal(flat.samples[..., 2], 7.25)


@pytest.mark.long
def test_training_lowers_the_error_of_the_field_where_there_is_noise():
    rng = np.random.default_rng(1)
    clean = van_der_pol(0.1 * np.arange(500))
    noisy = Series.from_array(clean + 0.1 * rng.normal(size=clean.shape), interval=0.1)
    errors = [
        relative(model.fit(noisy).system.rhs(0.0, clean), van_der_pol_field(clean))
        for model in (replace(NOISY, epochs=1, rate=1e-9), NOISY)
    ]
    assert errors[1] < 0.9 * errors[0]
    assert errors[1] < 0.12


def test_parts():
    pieces = [Timed(np.arange(22.0)[:, None], np.ones(21)), Timed(np.arange(3.0)[:, None], np.ones(2))]
    places = windows(pieces, 5)
    assert places == [(0, 0), (0, 5), (0, 10), (0, 15), (0, 16)]
    assert successors(places, 5).tolist() == [1, 2, 3, 3, 4]
    t = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 9))
    rows = np.stack([t**3, np.ones(9)], axis=1)[None]
    x, slopes = local_slopes(rows, np.diff(t)[None], 4)
    np.testing.assert_allclose(x[:, 0], t[3:6] ** 3, rtol=1e-9)
    np.testing.assert_allclose(slopes, np.stack([3 * t[3:6] ** 2, np.zeros(3)], axis=1), rtol=1e-9, atol=1e-9)
    noise = np.random.default_rng(0).normal(size=(4000, 1))
    smooth = 3 * np.sin(0.05 * np.arange(4000.0))[:, None]
    assert noise_of([Timed(smooth + 0.2 * noise, np.ones(3999))])[0] == pytest.approx(0.2, rel=0.1)
    rows = np.arange(20.0).reshape(1, 10, 2)
    np.testing.assert_array_equal(embedded(rows, 3, 2, 1)[0, 0], [8, 4, 0, 9])
    x = np.random.default_rng(0).normal(size=(200, 2))
    (network,) = fitted(random_perceptron((2, 50, 1), np.random.default_rng(1)), x, x[:, :1] * x[:, 1:], (1e-10,))
    assert np.abs(network(x)[:, 0] - x[:, 0] * x[:, 1]).max() < 0.02


@pytest.mark.parametrize(
    "wrong", [{"layers": ()}, {"layers": (0,)}, {"segment": 0}, {"rate": 0.0}, {"epochs": 0}, {"smoothness": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        NeuralODE(**wrong).fit(np.sin(np.arange(100.0)))


def test_too_few_rows_and_delays_of_irregular_times_are_refused():
    with pytest.raises(InsufficientData, match="16 rows"):
        CHEAP.fit(np.sin(np.arange(12.0)))
    times = np.cumsum(np.random.default_rng(3).uniform(0.5, 1.5, 100))
    with pytest.raises(SettingError, match="regular"):
        NeuralODE(delays=2).fit(Series(times, np.sin(times)))


@pytest.mark.long
def test_the_contract_is_kept():
    check_model(NeuralODE(layers=(8,), epochs=2))


@pytest.mark.long
def test_lorenz_is_forecast_for_lyapunov_times_and_its_exponent_found():
    from takens.dynamics import lyapunov_spectrum

    rows = lorenz63(6000)
    law = NeuralODE(epochs=10).fit(Series.from_array(rows[:4000], interval=0.02))
    scale, times = rows.std(axis=0), []
    for origin in range(4000, 5200, 60):
        path = law.roll(law.init(rows[None, origin - 1 : origin]), 700, None)[0]
        off = np.sqrt((((path - rows[origin : origin + 700]) / scale) ** 2).mean(axis=1))
        times.append((np.argmax(off > 0.4) if (off > 0.4).any() else 700) * 0.02 * 0.9056)
    assert np.median(times) > 4
    exponents = lyapunov_spectrum(law.system, duration=200).value
    assert exponents[0] == pytest.approx(0.9056, rel=0.08)
