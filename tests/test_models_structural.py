"""Structural models against published fits, statsmodels, and simulated series whose intervals must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from takens import Series
from takens.checks import check_model
from takens.errors import InsufficientData, LawError, SettingError
from takens.models import Structural, Training
from takens.models.state_space.components import Components, Layout, blocks
from takens.models.state_space.joining import together
from takens.models.state_space.likelihood import fit_channel
from takens.models.state_space.structural import seasons_of

NILE = np.array([
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831,
    726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845,
    944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918,
    986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
], dtype=float)  # fmt: skip
"""Flow of the Nile at Aswan, 1871 to 1970 (Cobb, Biometrika 65, 1978)."""


def random_walk(length: int, seed: int, noise: float = 1.0, step: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.cumsum(step * rng.normal(size=length)) + noise * rng.normal(size=length)


def test_the_nile_has_the_published_variances():
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(NILE)
    variance = NILE.var()
    # Durbin & Koopman 2012, section 2.10: 15099 and 1469.1.
    assert law.spaces[0].error[0] * variance == pytest.approx(15099, rel=1e-3)
    assert law.spaces[0].noise[0, 0] * variance == pytest.approx(1469.1, rel=2e-3)
    standard = (NILE - NILE.mean())[:, None] / NILE.std()
    likelihood = law.spaces[0].likelihood(standard) - 99 * np.log(NILE.std())
    assert likelihood == pytest.approx(-633.4646, abs=1e-3)  # one of the hundred values is spent on the diffuse level
    path = law.forecast(30, members=4000, seed=1)
    assert path.mean[0, 0] == pytest.approx(798.4, abs=6)
    spread = path.samples[..., 0].std(axis=0)
    # Steady variance of the level 4032, and 1469 more every year, and that of the noise.
    np.testing.assert_allclose(spread[[0, 29]] ** 2, np.array([4032 + 1469 * 1, 4032 + 1469 * 30]) + 15099, rtol=0.07)


@pytest.mark.parametrize(
    ("components", "settings"),
    [
        (Components("slope", (12,), (0,), 0.0, 0), {"level": "lltrend", "seasonal": 12}),
        (
            Components("smooth", (12,), (6,), 0.0, 0),
            {"level": "strend", "freq_seasonal": [{"period": 12, "harmonics": 6}]},
        ),
        (Components("level", (), (), 0.0, 2), {"level": "llevel", "autoregressive": 2}),
        (
            Components("level", (), (), 30.0, 0),
            {"level": "llevel", "cycle": True, "stochastic_cycle": True, "damped_cycle": True},
        ),
    ],
)
def test_likelihoods_are_those_of_statsmodels(components, settings):
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    y = np.cumsum(rng.normal(size=150)) / 5 + np.sin(2 * np.pi * np.arange(150) / 12) + 0.3 * rng.normal(size=150)
    y[40:47] = np.nan
    layout = Layout(tuple(blocks(components, 0.1)))
    parameters = layout.starts()[0]
    space = layout.space(parameters)
    peer = api.tsa.UnobservedComponents(y, use_exact_diffuse=True, **settings)
    peer.update(peer.start_params)
    # The same numbers go into the matrices of the peer, whose states are in another order only for the slope.
    theirs = []
    for name in peer.param_names:
        shapes = parameters[-len(layout.blocks[-1].shapes) :] if layout.blocks[-1].shapes else []
        if name == "sigma2.irregular":
            theirs.append(np.exp(parameters[0]))
        elif name in ("sigma2.level", "sigma2.trend") and components.trend != "smooth":
            theirs.append(np.exp(parameters[1 + (name == "sigma2.trend")]))
        elif name == "sigma2.trend":
            theirs.append(np.exp(parameters[1]))
        elif name == "frequency.cycle":
            theirs.append(np.pi / (1 + np.exp(-shapes[1])))
        elif name == "damping.cycle":
            theirs.append(1 / (1 + np.exp(-shapes[0])))
        elif name.startswith("ar.L"):
            theirs.append(space.transition[1, int(name[-1])])
        else:  # the variance of season, cycle or autoregression
            theirs.append(np.exp(parameters[-1 - len(shapes)]))
    if components.cycle:  # which the peer takes to be unknown at the start, though it is stationary
        space = replace(space, spread=0 * space.spread, diffuse=np.ones(len(space.mean)))
    assert space.likelihood(y[:, None]) == pytest.approx(peer.loglike(theirs, transformed=True), abs=2e-4)


def test_the_gradient_in_the_parameters_is_that_of_finite_differences():
    from takens.models.state_space.backward import gradient

    y = random_walk(120, 0)[:, None] / 3
    y[30:35] = np.nan
    layout = Layout(tuple(blocks(Components("damped", (6,), (3,), 9.0, 2), 0.1)))
    at = layout.starts()[0] + 0.1 * np.random.default_rng(1).normal(size=len(layout.bounds))
    space = layout.space(at)
    slope = layout.slope(at, space, gradient(space.compressed, space.design, space.filtered(y), layout.shaped(space)))
    for k in range(len(at)):
        by = np.eye(len(at))[k] * 1e-5
        difference = (layout.space(at + by).likelihood(y) - layout.space(at - by).likelihood(y)) / 2e-5
        assert slope[k] == pytest.approx(difference, rel=1e-4, abs=1e-5), k


def test_effects_of_inputs_are_found_and_used():
    rng = np.random.default_rng(0)
    u = rng.normal(size=600)
    y = random_walk(600, 1, noise=0.3, step=0.05) + 2.5 * u
    series = Series.from_array(np.stack([y[:500], u[:500]], axis=1), channels=("y", "u"), inputs=("u",))
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(series)
    effect = law.weights[0, 0] * law.scale[0] / law.input_scale[0]
    assert effect == pytest.approx(2.5, abs=0.05)
    path = law.forecast(100, inputs=u[500:, None], members=1).samples[0, :, 0]
    assert np.corrcoef(path, y[500:])[0, 1] > 0.97


@pytest.mark.parametrize("trend", ["level", "smooth"])
def test_forecasts_and_interpolations_cover_what_they_promise(trend):
    inside, filled = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x = np.cumsum(0.3 * rng.normal(size=260))
        x = x if trend == "level" else np.cumsum(0.1 * x)
        x = x + 0.5 * rng.normal(size=260)
        holed = x[:240].copy()
        gap = np.zeros(240, dtype=bool)
        gap[100:112] = gap[rng.choice(240, 20)] = True
        holed[gap] = np.nan
        law = Structural(trend=trend, periods=(), cycle=0.0, order=0).fit(holed)
        low, high = law.forecast(20, members=400, seed=seed).interval(0.9)
        inside.append((low[:, 0] <= x[240:]) & (x[240:] <= high[:, 0]))
        low, high = law.smooth(holed).interval(0.9)
        filled.append(((low[:, 0] <= x[:240]) & (x[:240] <= high[:, 0]))[gap])
    assert 0.82 < np.concatenate(inside).mean() < 0.97
    assert 0.86 < np.concatenate(filled).mean() < 0.94


def test_a_slow_channel_is_filled_from_a_fast_one():
    rng = np.random.default_rng(0)
    common = np.cumsum(rng.normal(size=(400, 1)), axis=0) + np.cumsum(0.2 * rng.normal(size=(400, 2)), axis=0)
    x = common + 0.1 * rng.normal(size=(400, 2))
    months = x.copy()
    months[np.arange(400) % 3 != 0, 1] = np.nan  # one value a quarter
    months[150:180, 1] = np.nan
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(months)
    missing = np.isnan(months[:, 1])
    joint = np.abs(law.smooth(months).series.values - x)[missing, 1].mean()
    alone = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(months[:, 1])
    apart = np.abs(alone.smooth(months[:, 1]).series.values - x[:, 1:])[missing, 0].mean()
    assert joint < 0.7 * apart
    np.testing.assert_array_equal(law.smooth(months).series.values[~missing, 1], x[~missing, 1])


def test_joint_noise_is_found_and_a_joint_model_without_correlation_is_the_models_apart():
    rng = np.random.default_rng(1)
    mixing = np.linalg.cholesky(np.array([[1, 0.8], [0.8, 1]]))
    x = np.cumsum(rng.normal(size=(800, 2)) @ mixing.T, axis=0) + rng.normal(size=(800, 2)) @ mixing.T
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(x)
    assert len(law.spaces) == 1
    noise = law.spaces[0].noise
    assert noise[0, 1] / np.sqrt(noise[0, 0] * noise[1, 1]) == pytest.approx(0.8, abs=0.06)
    samples = law.forecast(5, members=4000).samples[:, 4]
    assert np.corrcoef(samples.T)[0, 1] == pytest.approx(0.8, abs=0.06)
    singles = [fit_channel(Components("level", (), (), 0.0, 1), [x[:, c : c + 1] / 20], [np.zeros((800, 0))]).space
               for c in (0, 1)]  # fmt: skip
    apart = sum(one.likelihood(x[:, c : c + 1] / 20) for c, one in enumerate(singles))
    assert together(singles, np.eye(2)).likelihood(x / 20) == pytest.approx(apart, abs=1e-4)


def test_components_and_seasons_are_found():
    t = np.arange(300)
    rng = np.random.default_rng(0)
    year = 2 * np.sin(2 * np.pi * t / 12) + np.cos(2 * np.pi * t / 4)
    monthly = np.cumsum(0.2 * rng.normal(size=300)) + year + 0.3 * rng.normal(size=300)
    assert seasons_of(Training.of(monthly))[0] == (12,)
    law = Structural().fit(monthly)
    assert law.components.periods == (12,)
    assert law.components.trend == "level"
    assert "season of 12" in law.text
    truth = year[-24:] - year[-24:].mean()
    path = law.forecast(24, members=1).samples[0, :, 0]
    assert np.abs(path - path.mean() - truth).max() < 0.5
    assert Structural().fit(random_walk(500, 3, noise=0.0, step=1.0)).components.periods == ()


def test_a_law_is_the_linear_map_of_its_state():
    law = Structural(trend="level", periods=(12,), cycle=0.0, order=1).fit(random_walk(200, 0))
    system = law.system
    x = np.random.default_rng(0).normal(size=system.dimension)
    np.testing.assert_allclose(system.rhs(0.0, x), law.spaces[0].transition @ x, atol=1e-12)
    np.testing.assert_allclose(system.jacobian(0.0, x), law.spaces[0].transition, atol=1e-12)
    state = np.asarray(system.initial)
    for row in law.forecast(10, members=1).samples[0, :, 0]:
        state = system.rhs(0.0, state)
        assert law.center[0] + law.scale[0] * (law.spaces[0].design @ state)[0] == pytest.approx(row, abs=1e-9)


def test_long_histories_and_gaps_at_the_end_are_forecast_from_the_end():
    x = random_walk(300, 2)
    x[295:] = np.nan
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(x)
    forecast = law.forecast(3, members=2000)
    assert forecast.times[0] == 300
    whole = law.forecast(3, history=np.where(np.isnan(x), 0.0, x), members=2000)
    assert forecast.samples.std(axis=0)[0, 0] > 1.05 * whole.samples.std(axis=0)[0, 0]


def test_refusals():
    for settings in ({"trend": "up"}, {"periods": (1,)}, {"harmonics": -1}, {"order": -1}, {"cycle": 1.0}):
        with pytest.raises(SettingError):
            Structural(**settings).fit(NILE)
    with pytest.raises(InsufficientData, match="values of channel"):
        Structural(periods=(12,)).fit(NILE[:10])
    law = Structural(trend="level", periods=(), cycle=0.0, order=0).fit(NILE)
    with pytest.raises(InsufficientData, match="do not tell the state"):
        law.smooth(np.full(10, np.nan))
    with pytest.raises(LawError):
        law.smooth(Series.from_array(NILE, interval=2.0, channels=("x",)))
    with pytest.raises(SettingError):
        law.smooth(NILE).interval(1.0)


@pytest.mark.parametrize(
    "model",
    [pytest.param(Structural(), marks=pytest.mark.long), Structural(trend="level", periods=(), cycle=0.0, order=1)],
)
def test_the_contract_holds(model):
    assert len(check_model(model)) > 20
