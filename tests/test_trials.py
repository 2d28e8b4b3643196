"""How a study spends its budget: weights of a stack, models stopped early, costly models only where they can win."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import takens as tk
from takens.backtest import Backtest, backtest, plan_origins
from takens.candidate import Candidate, channel_scale
from takens.choice import Choice
from takens.models import NVAR, Climatology, Persistence, model
from takens.models.base import Law, Model, Training
from takens.models.mixture import MixtureLaw, shares
from takens.random import generator
from takens.scores import crps_samples
from takens.stacking import crps_weights, stacked
from takens.trials import Trials


def noisy_logistic(rows: int = 900) -> tk.Series:
    rng = np.random.default_rng(5)
    x = np.empty(rows)
    x[0] = 0.3
    for i in range(rows - 1):
        x[i + 1] = 3.9 * x[i] * (1 - x[i])
    return tk.Series.from_array(x + 0.02 * rng.standard_normal(rows), name="logistic")


def trials(series: tk.Series, seconds: float = 60.0, horizon: int = 3) -> Trials:
    plan = plan_origins(series, horizon)
    return Trials([series], plan, 20, 0, None, time.perf_counter() + seconds, lambda stage, share: None, 5)


def test_weights_minimise_the_score_of_the_mixture():
    rng = np.random.default_rng(0)
    low = rng.random((300, 1, 1)) < 0.7
    truth = np.where(low, -2.0, 1.0) + 0.3 * rng.standard_normal((300, 1, 1))
    left = -2.0 + 0.3 * rng.standard_normal((300, 40, 1, 1))
    right = 1.0 + 0.3 * rng.standard_normal((300, 40, 1, 1))
    far = 9.0 + 0.3 * rng.standard_normal((300, 40, 1, 1))
    weights = crps_weights([left, right, far], truth, np.ones(1))
    # With two separate humps the best weight is the frequency of the hump, whatever their distance.
    np.testing.assert_allclose(weights, [low.mean(), 1 - low.mean(), 0.0], atol=0.01)

    def slow(share: float) -> float:
        counts = (round(40 * share), 40 - round(40 * share))
        both = np.concatenate([left[:, : counts[0]], right[:, : counts[1]]], axis=1)
        return float(np.mean([crps_samples(one, x) for one, x in zip(both, truth, strict=True)]))

    best = min(np.linspace(0, 1, 21), key=slow)
    assert weights[0] == pytest.approx(best, abs=0.06)


def test_members_are_shared_out_by_weight():
    weights = np.array([0.62, 0.05, 0.33])
    counts = np.array([shares(weights, 10, generator(k, "test")) for k in range(2000)])
    assert (counts.sum(axis=1) == 10).all()
    assert (np.abs(counts - 10 * weights) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=0), 10 * weights, atol=0.05)


def test_a_mixture_follows_its_laws_and_is_saved(tmp_path):
    series = noisy_logistic(300)
    laws = tuple(one.fit(series) for one in (Persistence(), NVAR(delays=1, degree=2)))
    first = laws[1]
    law = MixtureLaw(first.signature, first.history, first.end, laws, np.array([0.25, 0.75]))
    np.testing.assert_array_equal(law.forecast(4, members=1).samples, laws[1].forecast(4, members=1).samples)
    law.save(tmp_path / "mixed.law")
    again = tk.load(tmp_path / "mixed.law")
    np.testing.assert_array_equal(law.forecast(4, seed=3).samples, again.forecast(4, seed=3).samples)


def test_a_stack_of_models_with_independent_errors_is_better_than_each():
    series = noisy_logistic()
    tests = [backtest(one, series, horizon=2, members=100) for one in (Climatology(), Persistence())]
    rng, unit = np.random.default_rng(1), series.values.std()
    samples = [
        tests[0].truth[:, None] + unit * (rng.standard_normal((80, 1, 2, 1)) + rng.standard_normal((80, 100, 2, 1)))
        for _ in range(2)
    ]
    one, other = (replace(test, samples=made) for test, made in zip(tests, samples, strict=True))
    found = trials(series, horizon=2)
    found.best = [(0.1, "one", one, np.ones(1)), (0.2, "other", other, np.ones(1))]
    candidates = [_judged(name, test, series) for name, test in (("one", one), ("other", other))]
    mixed = found.stack(candidates, {"one": Climatology(), "other": NVAR()})
    assert mixed is not None
    single = min(float(c.scores["crps"]) for c in candidates)
    assert mixed.candidate.scores["crps"] < single
    assert set(mixed.candidate.settings) == {"one", "other"}


def _judged(name: str, test: Backtest, series: tk.Series) -> Candidate:
    from takens.candidate import judged

    return judged(name, test, series, test.plan, baseline=name == "one", seed=0)


def test_the_stack_is_taken_only_where_it_is_clearly_better():
    def candidate(name: str, errors: np.ndarray, baseline: bool = False) -> Candidate:
        half = len(errors) // 2
        return Candidate(name, baseline, choosing=tuple(errors[:half]), judging=tuple(errors[half:]),
                         scores={"crps": float(errors.mean())})  # fmt: skip

    rng = np.random.default_rng(2)
    base = 1 + 0.2 * rng.random(80)
    pair = [candidate("base", base, True), candidate("good", 0.5 * base)]
    same = Choice.of(pair, 0, candidate("stack", 0.5 * base + 0.02 * rng.standard_normal(80)))
    better = Choice.of(pair, 0, candidate("stack", 0.4 * base + 0.02 * rng.standard_normal(80)))
    assert (same.chosen, better.chosen) == ("good", "stack")
    assert set(same.skill) == {"base", "good", "stack"}


def test_weights_of_judging_forecasts_do_not_see_their_truth():
    series = noisy_logistic()
    tests = [backtest(one, series, horizon=2, members=30) for one in (Climatology(), Persistence())]
    scale = channel_scale(series, tests[0].plan)
    from takens.stacking import Stack

    stack = Stack(("climatology", "persistence"), (0.5, 0.5))
    last = tests[0].truth.copy()
    last[-1] += 5.0
    changed = [replace(test, truth=last) for test in tests]
    a, b = (stacked(one, stack, scale, 0).samples for one in (tests, changed))
    np.testing.assert_array_equal(a, b)


@dataclass(frozen=True)
class Costly(Model):
    """A model that says it takes minutes."""

    effort: ClassVar[int] = 2
    seconds: float | None = None

    def learn(self, training: Training, seed: int) -> Law:
        return NVAR(delays=1, degree=2).learn(training, seed)


def test_a_hopeless_model_is_stopped_early_but_never_a_baseline():
    series = noisy_logistic()
    found = trials(series, horizon=1)
    assert found.run("nvar", NVAR(delays=1, degree=2)).ok
    stopped = found.run("autoregression", Plain(model("autoregression")))
    assert stopped.status == "stopped"
    assert "after 12 of" in stopped.reason
    assert "nvar" in stopped.reason
    assert found.run("persistence", Persistence()).ok


@dataclass(frozen=True)
class Plain(Model):
    """A model that is no baseline whatever it wraps."""

    model: Model

    def learn(self, training: Training, seed: int) -> Law:
        return self.model.learn(training, seed)


def test_costly_models_are_tried_where_they_can_win_and_only_there():
    series = noisy_logistic()
    found = trials(series, seconds=30.0)
    assert found.run("climatology", Climatology()).ok
    left = found.run("costly", Costly())
    assert left.status == "skipped"
    assert "30 s of the budget" in left.reason or "29 s of the budget" in left.reason
    rich = trials(series, seconds=600.0)
    assert rich.run("climatology", Climatology()).ok
    tried = rich.run("costly", Costly())
    assert tried.ok
    assert 90 < tried.settings["seconds"] <= 100
    solved = trials(_clean(), seconds=600.0, horizon=2)
    assert solved.run("climatology", Climatology()).ok
    assert solved.run("nvar", NVAR(delays=1, degree=2)).ok
    assert "nothing is left to win" in solved.run("costly", Costly()).reason


def _clean() -> tk.Series:
    x = [0.3]
    for _ in range(899):
        x.append(3.9 * x[-1] * (1 - x[-1]))
    return tk.Series.from_array(np.array(x), name="clean")
