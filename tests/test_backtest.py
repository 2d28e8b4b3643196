"""Rolling origins: where they lie, what a forecast may know, what calibration may know."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from takens.backtest import Backtest, Plan, backtest, plan_origins
from takens.candidate import calibrated, described, evaluate, known_before
from takens.errors import InsufficientData, TakensError
from takens.models import Autoregression, Persistence, Standardised
from takens.models.base import Law, Model, Training
from takens.series import Series


@dataclass(frozen=True)
class LastValueLaw(Law):
    """Repeats the last row; noisy members add the spread it was made with."""

    spread: float

    @property
    def memory(self) -> int:
        return 1

    def sample(self, history, horizon, members, rng, known=None):
        path = np.repeat(history[None, -1:], members, axis=0).repeat(horizon, axis=1)
        return path if rng is None else path + self.spread * rng.normal(size=path.shape)


@dataclass(frozen=True)
class LastValue(Model):
    spread: float = 1.0
    fails: bool = False

    def learn(self, training: Training, seed: int) -> Law:
        if self.fails:
            raise InsufficientData("this model always fails")
        tail, end = training.closing(1)
        return LastValueLaw(training.signature, tail, end, self.spread)


def ramp(rows: int = 400) -> Series:
    return Series.from_array(np.arange(rows, dtype=float))


def test_origins_lie_in_their_parts_and_choosing_forecasts_end_before_the_judging_part() -> None:
    plan = plan_origins(ramp(), 10, choosing=7, judging=9)
    choose = [o for o in plan.origins if o < plan.test]
    judge = [o for o in plan.origins if o >= plan.test]
    assert (len(choose), len(judge)) == (7, 9)
    assert min(choose) >= 240
    assert max(choose) + 10 <= 320 == plan.test
    assert max(judge) + 10 == 400
    assert plan.refits == (240, 320)


def test_no_origin_follows_a_missing_row_and_half_of_each_truth_is_there() -> None:
    values = np.arange(400.0)
    values[300:310] = np.nan
    plan = plan_origins(Series.from_array(values), 8)
    for origin in plan.origins:
        assert np.isfinite(values[origin - 1])
        assert np.isfinite(values[origin : origin + 8]).sum() >= 4


def test_a_horizon_that_is_too_long_says_which_is_possible() -> None:
    with pytest.raises(InsufficientData, match="at most 75 steps"):
        plan_origins(ramp(), 80)
    assert plan_origins(ramp(), 75).horizon == 75


def test_a_forecast_continues_the_row_before_its_origin() -> None:
    tested = backtest(LastValue(0.0), ramp(), horizon=5, members=3)
    for k, origin in enumerate(tested.plan.origins):
        assert np.all(tested.samples[k] == origin - 1)
        assert np.array_equal(tested.truth[k, :, 0], np.arange(origin, origin + 5))


def test_what_comes_after_the_origin_changes_nothing() -> None:
    series = ramp()
    plan = plan_origins(series, 5)
    changed = series.values.copy()
    changed[plan.origins[10] :] = -1e6
    before = backtest(LastValue(), series, plan=plan, members=4, seed=3)
    after = backtest(LastValue(), Series.from_array(changed), plan=plan, members=4, seed=3)
    assert np.array_equal(before.samples[:11], after.samples[:11])
    assert not np.array_equal(before.samples[11:], after.samples[11:])


def test_earlier_trajectories_are_training_data_only() -> None:
    other = Series.from_array(np.full(50, 7.0))
    tested = backtest(LastValue(0.0), [other, ramp()], horizon=5, members=2)
    assert tested.samples.min() >= 239


def test_calibration_knows_only_what_was_known_at_the_origin() -> None:
    tested = backtest(LastValue(), ramp(), horizon=6, members=5)
    row = tested.plan.origins[20]
    known = known_before(tested, row)
    for origin, truth in zip(tested.plan.origins, known, strict=False):
        assert np.array_equal(np.isfinite(truth[:, 0]), origin + np.arange(6) < row)


def test_calibration_corrects_intervals_that_are_too_narrow_and_a_bias() -> None:
    """A random walk with drift 0.5: the last value is biased and far too sure; calibrated it covers 90 %."""
    covered = []
    for seed in range(6):
        walk = np.cumsum(np.random.default_rng(seed).normal(0.5, 1.0, size=3000))
        tested = backtest(LastValue(0.1), Series.from_array(walk), horizon=10, members=100)
        samples, judge = calibrated(tested)[tested.plan.testing], tested.plan.testing
        low, high = np.quantile(samples, [0.05, 0.95], axis=1)
        covered.append(np.mean((low <= tested.truth[judge]) & (tested.truth[judge] <= high)))
    assert 0.85 <= np.mean(covered) <= 0.96


def test_a_model_that_fails_is_a_candidate_with_its_reason() -> None:
    candidate, tested = evaluate("broken", LastValue(fails=True), ramp(), plan_origins(ramp(), 5))
    assert tested is None
    assert (candidate.status, candidate.reason) == ("failed", "this model always fails")


def test_forecasts_that_are_not_finite_are_refused() -> None:
    with pytest.raises(TakensError, match="not finite"):
        backtest(LastValue(np.nan), ramp(), horizon=5, members=2)


def test_samples_keep_origin_member_horizon_channel() -> None:
    tested = backtest(LastValue(), Series.from_array(np.random.default_rng(0).normal(size=(300, 2))), horizon=4)
    assert isinstance(tested, Backtest)
    assert tested.samples.shape == (len(tested.plan.origins), 100, 4, 2)
    # Members are independent draws of unit spread around the last row.
    assert tested.samples.std(axis=1).mean() == pytest.approx(1.0, abs=0.02)


def test_chosen_settings_are_told_with_runs_of_lags_joined() -> None:
    model = Standardised(Autoregression(lags=(1, 2, 3, 7, 24, 25), ridge=0.1))
    assert described(model) == {"lags": "1-3, 7, 24-25", "ridge": 0.1}


def test_hyper_parameters_are_chosen_once_and_told() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=600))
    tested = backtest(Autoregression(), Series.from_array(walk), horizon=5, members=5)
    assert isinstance(tested.model, Autoregression)
    assert tested.model.lags is not None
    assert tested.model.ridge is not None
    assert tested.model == tested.model.settled(tested.law)


def test_the_shortest_series_and_the_longest_horizon_are_told_right() -> None:
    def plan(rows: int, horizon: int) -> Plan:
        return plan_origins(Series.from_array(np.arange(rows, dtype=float)), horizon)

    with pytest.raises(InsufficientData, match="At least 28 rows"):
        plan(27, 1)
    assert plan(28, 1).horizon == 1
    for rows in (30, 60, 61, 200):
        with pytest.raises(InsufficientData) as caught:
            plan(rows, rows // 4)
        told = int(re.search(r"at most (\d+) step", str(caught.value))[1])
        assert plan(rows, told).horizon == told
        with pytest.raises(InsufficientData, match=f"at most {told} step"):
            plan(rows, told + 1)


def test_the_shortest_plan_can_be_calibrated() -> None:
    series = Series.from_array(np.sin(np.arange(28.0)))
    assert np.isfinite(calibrated(backtest(Persistence(), series, plan=plan_origins(series, 1)))).all()


def test_a_series_without_values_is_told_so() -> None:
    with pytest.raises(InsufficientData, match="no row has a value"):
        plan_origins(Series.from_array(np.full(100, np.nan)), 8)
