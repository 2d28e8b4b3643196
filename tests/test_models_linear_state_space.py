"""The linear dynamical system: EM against its guarantees, statsmodels, and the systems it was simulated from."""

from __future__ import annotations

import numpy as np
import pytest

from takens import Series
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models import LinearStateSpace
from takens.models.state_space.expectation import Estimate, begin, improved, maximise
from takens.models.state_space.gaussian import LinearGaussian
from takens.models.state_space.scaling import bridged

ROTATION = 0.97 * np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])


def simulated(length: int, channels: int = 4, seed: int = 0) -> tuple[np.ndarray, LinearGaussian]:
    """Values `(time, channel)` of a noisy rotation seen through a random matrix, and the model behind them."""
    rng = np.random.default_rng(seed)
    x = np.zeros((length, 2))
    for t in range(1, length):
        x[t] = ROTATION @ x[t - 1] + 0.5 * rng.normal(size=2)
    design = rng.normal(size=(channels, 2))
    space = LinearGaussian(
        ROTATION, design, 0.25 * np.eye(2), np.full(channels, 0.25), np.zeros(2), np.zeros((2, 2)), np.zeros(2)
    )
    return x @ design.T + 0.5 * rng.normal(size=(length, channels)), space


def punched(values: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    values = values.copy()
    values[np.random.default_rng(seed).uniform(size=values.shape) < share] = np.nan
    return values


@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("states", [1, 2, 5])
def test_the_likelihood_never_decreases(states, share):
    whole, _ = simulated(300)
    holed = punched(whole, share)
    u = np.random.default_rng(5).normal(size=(300, 1))
    pieces, inputs = [holed[:200] + u[:200], holed[200:] + u[200:]], [u[:200], u[200:]]
    start = begin([bridged(p) for p in pieces], inputs, states)
    course = maximise(pieces, inputs, start, 40, tolerance=-1.0).likelihoods
    assert len(course) == 40
    assert np.diff(course).min() > -1e-6 * abs(course[0])
    assert course[-1] > course[0] + 1


@pytest.mark.long
def test_em_ends_where_the_likelihood_is_flat():
    from takens.models.state_space.backward import gradient

    values = punched(simulated(400)[0], 0.2)
    given = [np.zeros((400, 0))]
    found = maximise([values], given, begin([bridged(values)], given, 2), 3000, tolerance=1e-11)
    space = found.space
    to_noise, to_entries, to_error, to_mean, *_ = gradient(
        space.compressed, space.design, space.filtered(values), np.ones(4, dtype=bool)
    )
    # In units of a standard error: the likelihood would hardly rise by any change of a parameter.
    assert np.abs(to_noise @ space.noise).max() < 0.05
    assert np.abs(to_entries.reshape(2, 2) @ space.transition.T).max() < 0.05
    assert np.abs(to_error * space.error).max() < 0.05
    assert np.abs(to_mean).max() < 0.05


def test_one_step_of_em_is_the_textbook_one():
    """Against the moments of one big normal distribution, put together without the kernels."""
    from test_models_state_space_filter import joint

    space = LinearGaussian(
        ROTATION, np.array([[1.0, 0.3], [0.2, -1.0]]), 0.3 * np.eye(2), np.array([0.2, 0.4]), np.array([0.5, 0.0]),
        np.eye(2), np.zeros(2),
    )  # fmt: skip
    values = punched(simulated(25, 2)[0], 0.3)
    likelihood, mean, spread = joint(space, values)
    blocks = spread.reshape(25, 2, 25, 2)
    second = {(s, t): blocks[s, :, t] + np.outer(mean[s], mean[t]) for s in range(25) for t in (s, s - 1) if t >= 0}
    before = sum(second[t, t] for t in range(24))
    cross = sum(second[t + 1, t] for t in range(24))
    after = sum(second[t, t] for t in range(1, 25))
    better, before_step = improved([values], [np.zeros((25, 0))], Estimate(space, np.zeros((0, 2))))
    assert before_step == pytest.approx(likelihood, abs=1e-8)
    transition = cross @ np.linalg.inv(before)
    np.testing.assert_allclose(better.space.transition, transition, atol=1e-8)
    np.testing.assert_allclose(better.space.noise, (after - transition @ cross.T) / 24, atol=1e-8)
    np.testing.assert_allclose(better.space.mean, mean[0], atol=1e-8)
    np.testing.assert_allclose(better.space.spread, blocks[0, :, 0], atol=1e-8)
    for c in range(2):
        there = np.flatnonzero(np.isfinite(values[:, c]))
        row = np.linalg.solve(sum(second[t, t] for t in there), sum(values[t, c] * mean[t] for t in there))
        np.testing.assert_allclose(better.space.design[c], row, atol=1e-7)
        error = np.mean(
            [values[t, c] ** 2 - 2 * values[t, c] * row @ mean[t] + row @ second[t, t] @ row for t in there]
        )
        assert better.space.error[c] == pytest.approx(error, abs=1e-7)


def test_the_system_behind_the_channels_is_found():
    values, _ = simulated(3000)
    law = LinearStateSpace(states=2).fit(values)
    poles = np.linalg.eigvals(law.spaces[0].transition)
    np.testing.assert_allclose(np.abs(poles), 0.97, atol=0.01)
    np.testing.assert_allclose(np.abs(np.angle(poles)), 0.3, atol=0.02)
    np.testing.assert_allclose(law.scale**2 * law.spaces[0].error, 0.25, rtol=0.1)
    assert 2 <= len(LinearStateSpace().fit(values).spaces[0].mean) <= 4


def test_the_likelihood_is_at_least_that_of_the_dynamic_factor_model_of_statsmodels():
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(3)
    factor = np.zeros(300)
    for t in range(1, 300):
        factor[t] = 0.8 * factor[t - 1] + rng.normal()
    values = np.outer(factor, [1.0, -0.5, 2.0]) + rng.normal(size=(300, 3))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    values[50:60, 1] = np.nan
    given = [np.zeros((300, 0))]
    found = maximise([values], given, begin([bridged(values)], given, 1), 500, tolerance=1e-9)
    peer = api.tsa.DynamicFactor(values, k_factors=1, factor_order=1).fit(disp=False)
    # Ours fits the state before the first row too, which is worth a fraction of a unit.
    assert peer.llf - 0.05 < found.likelihoods[-1] < peer.llf + 2.0
    assert found.space.transition[0, 0] == pytest.approx(peer.params[-1], abs=0.02)


def test_missing_values_are_filled_with_intervals_that_hold():
    values, truth = simulated(800)
    holed = punched(values, 0.3)
    holed[300:310] = np.nan  # whole rows too
    holed[400:520, 0] = np.where(np.arange(120) % 3 == 0, holed[400:520, 0], np.nan)  # and a slower channel
    law = LinearStateSpace(states=2).fit(holed)
    found = law.smooth(holed)
    missing = np.isnan(holed)
    low, high = found.interval(0.9)
    assert ((low <= values) & (values <= high))[missing].mean() == pytest.approx(0.9, abs=0.025)
    error = np.sqrt(((found.series.values - values)[missing] ** 2).mean())
    best = np.sqrt(((truth.smoothed(holed)[0] - values)[missing] ** 2).mean())
    assert error < 1.03 * best  # of the smoother that knows the system
    assert error < 0.7 * np.sqrt(((bridged(holed) - values)[missing] ** 2).mean())
    assert (found.deviation[~missing] == 0).all()


def test_forecasts_cover_what_they_promise():
    inside = []
    for seed in range(25):
        values, _ = simulated(520, seed=seed)
        law = LinearStateSpace(states=2).fit(values[:500])
        low, high = law.forecast(20, members=400, seed=seed).interval(0.9)
        inside.append((low <= values[500:]) & (values[500:] <= high))
    assert 0.86 < np.mean(inside) < 0.94


def test_inputs_act_on_the_channels():
    values, _ = simulated(800)
    u = np.random.default_rng(9).normal(size=(800, 1))
    series = Series.from_array(np.concatenate([values + 2 * u, u], axis=1)[:700], inputs=("x5",))
    law = LinearStateSpace(states=2).fit(series)
    effects = law.weights[0] * law.scale / law.input_scale[0]
    np.testing.assert_allclose(effects, 2.0, atol=0.12)


def test_refusals():
    values, _ = simulated(100)
    for settings in ({"states": 0}, {"iterations": 0}):
        with pytest.raises(SettingError):
            LinearStateSpace(**settings).fit(values)
    with pytest.raises(InsufficientData, match="latent factors"):
        LinearStateSpace(states=20).fit(values[:30])


def test_the_contract_holds():
    assert len(check_model(LinearStateSpace())) > 20
