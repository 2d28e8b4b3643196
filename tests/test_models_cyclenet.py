"""CycleNet: sums over windows against the windows themselves, cycles that are known, coverage, the ETTh1 benchmark."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from takens import Series
from takens.checks import check_model
from takens.errors import InsufficientData, SettingError
from takens.models import CycleNet
from takens.models.cycles import Windows, cycle_of, head_of, operator


def weekly(length: int, seed: int = 0, noise: float = 0.3) -> np.ndarray:
    """Two channels with different cycles of 21 rows and first-order autoregressive noise."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(99).normal(size=(21, 2))
    rest = np.zeros((length, 2))
    for t in range(1, length):
        rest[t] = 0.8 * rest[t - 1] + noise * rng.normal(size=2)
    return shape[np.arange(length) % 21] + rest


def test_sums_over_windows_are_those_of_the_windows():
    rng = np.random.default_rng(0)
    pieces, starts = [rng.normal(size=(60, 2)), rng.normal(size=(5, 2)), rng.normal(size=(40, 2))], (3, 0, 101)
    windows = Windows.of(pieces, starts, 7, 8, 5)
    cycle = rng.normal(size=(7, 2))
    products, counts, centred = np.zeros((2, 13, 13)), np.zeros(7), np.zeros((2, 13, 13))
    for piece, start in zip(pieces, starts, strict=True):
        for row in range(len(piece) - 12):
            window = piece[row : row + 13]
            counts[(start + row) % 7] += 1
            rest = window - cycle[(start + row + np.arange(13)) % 7]
            rest = rest - rest[:8].mean(axis=0)
            for c in range(2):
                products[c] += np.outer(window[:, c], window[:, c])
                centred[c] += np.outer(rest[:, c], rest[:, c])
    np.testing.assert_array_equal(windows.counts, counts)
    np.testing.assert_allclose(windows.products, products, atol=1e-10)
    np.testing.assert_allclose(windows.centred(cycle), centred, atol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_head_and_cycle_are_least_squares(shared):
    x = weekly(200)
    windows = Windows.of([x], (0,), 21, 10, 6)
    rng = np.random.default_rng(1)
    cycle = 0.3 * rng.normal(size=(21, 2))
    head = head_of(windows, cycle, 1e-4, shared)
    rows = []
    for t in range(200 - 15):
        rest = x[t : t + 16] - cycle[(t + np.arange(16)) % 21]
        rows.append(rest - rest[:10].mean(axis=0))
    stacked = np.stack(rows)
    for c in range(1 if shared else 2):
        flat = stacked.transpose(0, 2, 1).reshape(-1, 16) if shared else stacked[:, :, c]
        past, after = flat[:, :10], flat[:, 10:]
        normal = past.T @ past
        normal += 1e-4 * np.trace(normal) / 10 * np.eye(10)
        np.testing.assert_allclose(head[c], np.linalg.solve(normal, past.T @ after), atol=1e-8)
    errors = np.stack([stacked[:, 10:, c] - stacked[:, :10, c] @ head[min(c, len(head) - 1)] for c in range(2)])
    assert windows.error(cycle, head) == pytest.approx((errors**2).mean(), rel=1e-9)
    # No other cycle does better with this head.
    best = cycle_of(windows, head)
    least = windows.error(best, head)
    assert least < windows.error(cycle, head)
    for _ in range(5):
        assert windows.error(best + 0.01 * rng.normal(size=(21, 2)), head) > least
    window = x[:16, 0]
    rest = window - window[:10].mean()
    np.testing.assert_allclose(operator(head[0]) @ window, rest[10:] - rest[:10] @ head[0], atol=1e-12)


def test_a_known_cycle_is_found_and_forecast_at_its_phase():
    shape = np.random.default_rng(99).normal(size=(21, 2))
    shape -= shape.mean(axis=0)
    x = weekly(1500, noise=0.1)
    law = CycleNet(period=21, lookback=21, horizon=20).fit(x)
    np.testing.assert_allclose(law.cycle * law.scale, shape, atol=0.1)
    pure = np.tile(shape, (30, 1))
    exact = CycleNet(period=21, lookback=10, horizon=8).fit(pure[:500])
    # A cycle without noise is forecast exactly, beyond the horizon, and from a history that ends at any phase.
    np.testing.assert_allclose(exact.forecast(50, members=1).samples[0], pure[500:550], atol=1e-4)
    history = Series(np.arange(300.0, 313), pure[300:313], ("x1", "x2"))
    np.testing.assert_allclose(exact.forecast(9, history=history, members=1).samples[0], pure[313:322], atol=1e-4)


def test_the_period_and_the_look_back_are_chosen():
    law = CycleNet().fit(weekly(1500))
    assert law.period == 21
    assert law.weights.shape[1] % 21 == 0
    settled = CycleNet().settled(law)
    assert (settled.period, settled.lookback) == (21, law.weights.shape[1])


def test_forecasts_cover_what_they_promise_and_members_are_coherent():
    inside, sums = [], []
    for seed in range(20):
        x = weekly(1300, seed)
        law = CycleNet(period=21, lookback=42, horizon=24).fit(x[:1200])
        forecast = law.forecast(24, members=400, seed=seed)
        low, high = forecast.interval(0.9)
        inside.append((low <= x[1200:1224]) & (x[1200:1224] <= high))
        low, high = np.quantile(forecast.samples.sum(axis=1), [0.05, 0.95], axis=0)
        sums.append((low <= x[1200:1224].sum(axis=0)) & (x[1200:1224].sum(axis=0) <= high))
    assert 0.85 < np.mean(inside) < 0.95
    assert np.mean(sums) > 0.75  # errors drawn step by step would cover sums over time in about half of the cases


def test_known_inputs_are_left_out_and_passed_on():
    x = weekly(600)
    u = np.random.default_rng(0).normal(size=(600, 1))
    series = Series.from_array(np.concatenate([x, u], axis=1), inputs=("x3",))
    model = CycleNet(period=21, lookback=21, horizon=10)
    driven = model.fit(series).forecast(10, inputs=u[:10], members=1).samples
    np.testing.assert_allclose(driven, model.fit(x).forecast(10, members=1).samples, atol=1e-12)


def test_refusals():
    for settings in ({"period": 0}, {"lookback": 0}, {"horizon": 0}, {"ridge": -1.0}):
        with pytest.raises(SettingError):
            CycleNet(**settings).fit(weekly(200))
    with pytest.raises(InsufficientData):
        CycleNet(lookback=100, horizon=50).fit(weekly(120))


def test_the_contract_holds():
    assert len(check_model(CycleNet())) > 20


@pytest.mark.parametrize(("horizon", "bar"), [(96, 0.38), (336, 0.44)])
def test_transformer_temperatures_are_forecast_as_well_as_published(shared_data, horizon, bar):
    with open(shared_data("ETTh1.csv")) as file:
        values = np.array([row[1:] for row in list(csv.reader(file))[1:]], dtype=float)
    values = (values - values[:8640].mean(axis=0)) / values[:8640].std(axis=0)
    law = CycleNet(period=24, lookback=336, horizon=horizon).fit(values[:8640])
    errors = []
    for origin in range(11520, 14400 - horizon + 1, 7):
        window = (values[origin - 336 : origin] - law.center) / law.scale
        ahead = law.center + law.scale * law.ahead(window[None], origin)[0]
        errors.append(((ahead - values[origin : origin + horizon]) ** 2).mean())
    assert np.mean(errors) < bar


def folded(length: int) -> np.ndarray:
    """A cycle of 12 rows and a chaotic rest that no linear map forecasts: the logistic map, uncorrelated in time."""
    x = np.empty(length)
    x[0] = 0.3
    for t in range(1, length):
        x[t] = 4 * x[t - 1] * (1 - x[t - 1])
        if not 0 < x[t] < 1:
            x[t] = 0.3
    return x + np.sin(2 * np.pi * np.arange(length) / 12)


def test_a_perceptron_learns_what_is_not_linear_and_starts_from_least_squares():
    from takens.models.cycle_training import CycleProblem, errors

    x = folded(2400)
    plain = CycleNet(period=12, lookback=12, horizon=1, ridge=1e-3).fit(x[:2000])
    bent = CycleNet(period=12, lookback=12, horizon=1, ridge=1e-3, units=32).fit(x[:2000], seed=0)

    def mistakes(law):
        origins = np.arange(2000, 2400)
        windows = np.stack([x[o - 12 : o] for o in origins])[:, :, None]
        ahead = [
            law.ahead((w[None] - law.center) / law.scale, int(o))[0, 0, 0]
            for w, o in zip(windows, origins, strict=True)
        ]
        return np.mean((law.center[0] + law.scale[0] * np.array(ahead) - x[2000:]) ** 2)

    assert mistakes(plain) == pytest.approx(0.125, rel=0.15)  # the variance of the logistic map: nothing is linear
    assert mistakes(bent) < 0.6 * mistakes(plain)
    # The loss that is trained is the error of the law, and a perceptron without output changes nothing.
    values = (x[:, None] - plain.center) / plain.scale
    rows = np.arange(50)
    problem = CycleProblem(values, rows, rows % 12, rows > 40, plain.cycle, plain.weights, 8)
    start = problem.initial(np.random.default_rng(0))
    windows, phases = problem._windows(rows)
    found = errors(start, windows, phases, np)
    expected = [values[t + 12] - plain.ahead(values[t : t + 12][None], t + 12)[0, 0] for t in rows]
    np.testing.assert_allclose(found[:, :, 0], expected, atol=1e-10)
    assert float(problem.loss(start, (windows, phases))) == pytest.approx((found**2).mean())
    again = CycleNet(period=12, lookback=12, horizon=1, ridge=1e-3, units=32).fit(x[:2000], seed=0)
    np.testing.assert_array_equal(again.weights, bent.weights)


@pytest.mark.long
def test_the_contract_holds_with_a_perceptron():
    assert len(check_model(CycleNet(units=8))) > 20
