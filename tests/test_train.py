"""The gradient driver: both engines reach the known optimum, recover, stop, keep the best, and resume after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from training_problems import KINDS, Linear, TracedLinear, killed, regression

from takens.errors import LawError, OutputError, SettingError
from takens.models.training import Compiled, Constant, Exponential, Settings, train

HERE = Path(__file__).resolve().parent
FAST = Settings(60, batches=20, rate=Exponential(0.3, 1e-3), judge_every=10)


@pytest.mark.parametrize("kind", KINDS)
def test_least_squares_reaches_the_closed_form(kind):
    x, y = regression()
    known = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    trained = train(KINDS[kind](x, y), replace(FAST, average=0.99), seeds=(0, 1, 2))
    np.testing.assert_allclose(trained.parameters["weights"], known[:3], atol=4e-3)
    np.testing.assert_allclose(trained.parameters["offset"], known[3], atol=4e-3)
    assert trained.score == min(run.score for run in trained.runs) == trained.best.scores[-1][1]
    assert (trained.epochs, trained.restarts, trained.warnings) == (60, 0, ())


def test_a_loop_and_a_scan_over_seeds_give_the_same_weights():
    x, y = regression()
    settings = replace(FAST, average=0.9, clip=1.0, decay=1e-3, penalty=1e-3, spared=("offset",))

    @dataclass(frozen=True)
    class Plain(Linear):
        def values(self):
            return {"alpha": 1.0}

    slow = train(Plain(x, y), settings, seeds=(5, 6))
    fast = train(TracedLinear(x, y), settings, seeds=(5, 6))
    for one, other in zip(slow.runs, fast.runs, strict=True):
        np.testing.assert_allclose(one.losses, other.losses, rtol=1e-9)
        np.testing.assert_allclose(one.parameters["weights"], other.parameters["weights"], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_result_whatever_other_seeds_there_are(kind):
    problem = KINDS[kind](*regression())
    together = train(problem, FAST, seeds=(1, 2))
    again = train(problem, FAST, seeds=(1, 2))
    alone = train(problem, FAST, seeds=(2,))
    for one, other in zip(together.runs, again.runs, strict=True):
        np.testing.assert_array_equal(one.parameters["weights"], other.parameters["weights"])
    np.testing.assert_allclose(together.runs[1].losses, alone.runs[0].losses, rtol=1e-12)
    assert not np.array_equal(together.runs[0].losses, together.runs[1].losses)


@dataclass(frozen=True)
class Fragile(Compiled):
    """Minimises x^2, but has no value beyond |x| = 2 or where the step before was too long; `cliff` is a large loss."""

    limit: float
    cliff: float = float("nan")

    def initial(self, rng):
        return {"x": np.array([1.9])}

    def batch(self, rng, moment):
        return None

    def gradient(self, parameters, batch, moment):
        x = parameters["x"]
        far = abs(x[0]) > self.limit
        return (self.cliff if far else float(x[0] ** 2)), {"x": 2 * x}

    def judge(self, parameters):
        return float(abs(parameters["x"][0]))


@pytest.mark.parametrize("cliff", [float("nan"), float("inf"), 1e12])
def test_divergence_goes_back_and_halves_the_rate(cliff):
    # The first step of rate 1.2 goes from 1.9 to 1.9 - 1.2 * 3.8 = -2.66, that of half the rate to -0.38.
    settings = Settings(40, batches=4, rate=Constant(1.2), judge_every=5)
    trained = train(Fragile(2.0, cliff), settings)
    assert trained.best.restarts == 1
    assert np.isnan(trained.best.losses).tolist() == [True] + 39 * [False]
    assert "diverged once" in trained.warnings[0]
    assert trained.score < 0.1


def test_a_training_that_keeps_diverging_gives_up_with_an_error():
    with pytest.raises(SettingError, match="diverged 6 times") as caught:
        train(Fragile(0.0), Settings(40, batches=2))
    assert "Lower the learning rate" in caught.value.remedy


@dataclass(frozen=True)
class Counting(Linear):
    """Least squares whose held-out statistic falls to its lowest at epoch 20 and rises then."""

    worst: bool = False

    def judge(self, parameters):
        return float("inf") if self.worst else abs(super().judge(parameters) - 2.0)


def test_the_best_weights_are_kept_and_patience_ends_the_training():
    trained = train(
        Counting(*regression()), replace(FAST, judge_every=1, patience=7, rate=Constant(1e-2)), seeds=(0, 1)
    )
    for run in trained.runs:
        scores = np.array([score for _, score in run.scores])
        assert run.stopped == "patience"
        assert run.epoch == run.scores[int(scores.argmin())][0] == len(run.losses) - 7
        assert run.score == scores.min()
        assert Counting(*regression()).judge(run.parameters) == run.score


def test_without_a_finite_free_run_the_last_weights_are_kept_and_said_so():
    trained = train(Counting(*regression(), worst=True), FAST)
    assert "no free run" in trained.warnings[0]
    assert Linear(*regression()).judge(trained.parameters) < 0.02


def test_a_budget_of_time_ends_the_training_with_its_schedule_complete():
    reports = []

    class Report:
        def __call__(self, stage, share):
            reports.append((stage, share))

        def close(self):
            pass

    shares = []

    class Watched(Linear):
        def batch(self, rng, moment):
            shares.append(moment.share)
            return super().batch(rng, moment)

    began = time.monotonic()
    settings = Settings(100_000, batches=10, rate=Exponential(0.3, 1e-4), judge_every=1)
    trained = train(Watched(*regression(), pause=0.001), settings, seconds=1.5, report=Report())
    assert 1.4 < time.monotonic() - began < 10
    assert trained.best.stopped == "seconds"
    assert trained.score < 0.02
    # Of the hundred thousand epochs a few dozen were done, and yet the rate has fallen nearly all the way.
    assert trained.epochs < 1000
    assert 0.8 < shares[-1] < 1
    assert 0.8 < reports[-1][1] <= 1
    assert "held-out" in reports[-1][0]


def test_after_puts_the_weights_back_in_both_engines():
    class Boxed(Linear):
        def after(self, parameters):
            return parameters | {"weights": parameters["weights"].clip(-1, 1)}

    class TracedBoxed(TracedLinear):
        def after(self, parameters):
            return parameters | {"weights": parameters["weights"].clip(-1, 1)}

    for kind in (Boxed, TracedBoxed):
        weights = train(kind(*regression()), FAST).parameters["weights"]
        assert weights.max() == 1.0
        assert weights.min() == -1.0


def test_useless_gradients_are_said_with_numbers():
    class Chaotic(Linear):
        def jacobians(self, parameters, batch):
            return np.full((2, 200, 1, 1), np.exp(0.5))

    (warning,) = train(Chaotic(*regression()), FAST).warnings
    assert "grow by a factor of a million within 28 of its 200 steps (+0.5 per step" in warning


def test_wrong_seeds_and_budgets_are_refused():
    for wrong in ({"seeds": ()}, {"seeds": (1, 1)}, {"seconds": 0.0}):
        with pytest.raises(SettingError):
            train(Linear(*regression()), FAST, **wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_resumes_to_the_identical_result(kind, tmp_path):
    path = tmp_path / "training.safetensors"
    child = subprocess.Popen([sys.executable, str(HERE / "training_problems.py"), kind, str(path)])
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it ended before it could be killed"
    held = header(path)["done"]
    assert 0 < held < 40
    resumed, whole = killed(kind, path), killed(kind, None)
    for one, other in zip(resumed.runs, whole.runs, strict=True):
        np.testing.assert_array_equal(one.losses, other.losses)
        assert (one.scores, one.values, one.epoch) == (other.scores, other.values, other.epoch)
        for name in one.parameters:
            np.testing.assert_array_equal(one.parameters[name], other.parameters[name])
    began = time.monotonic()
    np.testing.assert_array_equal(killed(kind, path).parameters["weights"], whole.parameters["weights"])
    assert time.monotonic() - began < 0.5, "a finished training is not repeated"


def header(path: Path) -> dict:
    """The document inside a checkpoint: safetensors begins with the length of its header, then JSON."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["takens"])


def test_checkpoints_of_others_and_damaged_ones_are_refused(tmp_path):
    path = tmp_path / "training.safetensors"
    x, y = regression()
    train(Linear(x, y), FAST, checkpoint=path)
    with pytest.raises(SettingError, match="another training"):
        train(Linear(x, y + 1e-12), FAST, checkpoint=path)
    with pytest.raises(SettingError, match="another training"):
        train(Linear(x, y), replace(FAST, clip=3.0), checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LawError, match="damaged"):
        train(Linear(x, y), FAST, checkpoint=path)
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, LawError)):
        train(Linear(x, y), FAST, checkpoint=tmp_path / "file" / "inside")
