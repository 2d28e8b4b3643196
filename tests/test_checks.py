"""The conformance suite holds for everything built in, and catches each thing that it is there to catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from quick import EVERY, QUICK, quick

from takens.checks import (
    CheckFailed,
    check_climate_score,
    check_law,
    check_measure,
    check_model,
    check_score,
    sample_series,
)
from takens.errors import InsufficientData
from takens.estimate import Estimate
from takens.measures import REGISTRY
from takens.measures.base import Channel, Measure
from takens.models import MODELS, Autoregression, Conformal, Ensemble, Standardised
from takens.models.base import Law, Model, RecursiveLaw, Training
from takens.models.baselines import Climatology, ClimatologyLaw
from takens.scores import CLIMATE
from takens.scores import REGISTRY as SCORES
from takens.scores.base import Score


@pytest.mark.parametrize("name", EVERY)
def test_every_model_holds_the_contract(name: str) -> None:
    held = check_model(quick(name))
    assert {"no look-ahead", "save and load give the same forecast", "defined answer to missing rows"} <= set(held)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in QUICK if MODELS[name].effort == 0])
def test_a_slow_model_holds_the_contract_with_its_defaults(name: str) -> None:
    assert check_model(MODELS[name]())


@pytest.mark.parametrize(
    "wrapped",
    [
        Standardised(Autoregression()),
        Ensemble(Climatology(), 3),
        Conformal(Climatology(), horizon=20),
    ],
    ids=lambda m: type(m).__name__,
)
def test_every_wrapper_holds_the_contract(wrapped: Model) -> None:
    assert check_model(wrapped)


@pytest.mark.parametrize("name", REGISTRY)
def test_every_measure_holds_the_contract(name: str) -> None:
    held = check_measure(REGISTRY[name])
    assert {"same seed, same result", "input unchanged", "defined answer to a constant channel"} <= set(held)


@pytest.mark.parametrize("name", SCORES)
def test_every_score_holds_the_contract(name: str) -> None:
    assert "missing truth is left out" in check_score(SCORES[name])


@pytest.mark.parametrize("name", CLIMATE)
def test_every_climate_score_holds_the_contract(name: str) -> None:
    assert "a failed run is not a good one" in check_climate_score(CLIMATE[name])


def test_a_climate_score_that_forgives_a_failed_run_is_caught() -> None:
    def means(generated: Any, true: Any, *, delay: int | None = None) -> Score:
        spread = np.nanstd(generated, axis=0)
        return Score("means", float(np.abs(spread - true.std(axis=0)).sum()))

    with pytest.raises(CheckFailed, match="a failed run is not a good one"):
        check_climate_score(means)


def test_a_law_can_be_checked_alone() -> None:
    assert "long runs stay finite" in check_law(Climatology().fit(sample_series(), seed=0))


# Each broken model is the climatology with one thing wrong.


def mean_law(training: Training, kind: type[Law] = ClimatologyLaw, **more: Any) -> Law:
    rows = training.stacked
    return kind(training.signature, *training.closing(1), mean=rows.mean(axis=0), record=rows.copy(), **more)


@dataclass(frozen=True)
class Peeking(ClimatologyLaw):
    """Looks behind the view it is given, at the whole array."""

    def sample(self, history: Any, horizon: int, members: int, rng: Any, known: Any = None) -> Any:
        whole = history if history.base is None else history.base
        path = np.resize(whole[len(history) :], (horizon, history.shape[1])) if len(whole) > len(history) else self.mean
        return np.broadcast_to(path, (members, horizon, history.shape[1])).copy()


@dataclass(frozen=True)
class LooksAhead(Model):
    def learn(self, training: Training, seed: int) -> Law:
        return mean_law(training, Peeking)


@dataclass(frozen=True)
class Mutates(Model):
    def learn(self, training: Training, seed: int) -> Law:
        for piece in training.stretches:
            piece -= piece.mean(axis=0)
        return mean_law(training)


@dataclass(frozen=True)
class HiddenRandomness(Model):
    def learn(self, training: Training, seed: int) -> Law:
        law = mean_law(training)
        return replace(law, mean=law.mean + np.random.default_rng().normal(size=law.mean.shape))


@dataclass(frozen=True)
class GlobalRandomness(Model):
    def learn(self, training: Training, seed: int) -> Law:
        np.random.normal()  # noqa: NPY002
        return mean_law(training)


@dataclass(frozen=True)
class Remembers(Model):
    seen: list[int] = field(default_factory=list, compare=False)

    def learn(self, training: Training, seed: int) -> Law:
        self.seen.append(training.rows)
        law = mean_law(training)
        return replace(law, mean=law.mean + (len(self.seen) > 2))


@dataclass(frozen=True)
class SettlesElsewhere(Model):
    shift: float = 0.0

    def learn(self, training: Training, seed: int) -> Law:
        law = mean_law(training)
        return replace(law, mean=law.mean + self.shift)

    def settled(self, law: Law) -> Model:
        return SettlesElsewhere(1.0)


class Undecorated(Model):
    def learn(self, training: Training, seed: int) -> Law:
        return mean_law(training)


@dataclass(frozen=True)
class ShortLaw(ClimatologyLaw):
    def sample(self, history: Any, horizon: int, members: int, rng: Any, known: Any = None) -> Any:
        return np.full((members, horizon, history.shape[1]), np.nan if horizon > 500 else 0.0)


@dataclass(frozen=True)
class BlowsUp(Model):
    def learn(self, training: Training, seed: int) -> Law:
        return mean_law(training, ShortLaw)


@dataclass(frozen=True)
class Crashes(Model):
    def learn(self, training: Training, seed: int) -> Law:
        if training.rows < 10:
            raise IndexError("index 9 is out of bounds")
        return mean_law(training)


@dataclass(frozen=True)
class DividesByZero(Model):
    def learn(self, training: Training, seed: int) -> Law:
        rows = training.stacked
        law = mean_law(training)
        return replace(law, mean=law.mean * (rows.std(axis=0) / rows.std(axis=0)))


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Undecorated, "frozen"),
        (LooksAhead, "no look-ahead"),
        (Mutates, "input unchanged"),
        (HiddenRandomness, "same seed, same result"),
        (GlobalRandomness, "same seed, same result"),
        (Remembers, "refit equals fresh fit"),
        (SettlesElsewhere, "settled model refits the same law"),
        (BlowsUp, "long runs stay finite"),
        (Crashes, "defined answer to 2 rows"),
        (DividesByZero, "defined answer to a constant channel"),
    ],
)
def test_a_broken_model_is_caught(broken: type[Model], rule: str) -> None:
    with pytest.raises(CheckFailed, match=f"breaks the rule '{rule}'") as caught:
        check_model(broken())
    assert broken.__name__ in caught.value.place or "Law" in caught.value.place
    assert isinstance(caught.value, AssertionError)


def test_a_law_that_does_not_come_back_from_disk_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    law = Climatology().fit(sample_series())
    monkeypatch.setattr("takens.models.store.load_law", lambda path: replace(law, mean=law.mean + 1))
    with pytest.raises(CheckFailed, match="save and load give the same forecast"):
        check_law(law)
    monkeypatch.setattr(Peeking, "__module__", "takens.models.peeking")
    with pytest.raises(CheckFailed, match="save and load give the same forecast"):
        check_law(mean_law(Training.of(sample_series()), Peeking))


def test_a_law_from_elsewhere_may_refuse_to_be_saved() -> None:
    assert check_law(mean_law(Training.of(sample_series()), Peeking))


@dataclass(frozen=True)
class DrawsAlways(ClimatologyLaw):
    def sample(self, history: Any, horizon: int, members: int, rng: Any, known: Any = None) -> Any:
        return np.random.default_rng().normal(size=(members, horizon, history.shape[1]))


@dataclass(frozen=True)
class Scribbles(ClimatologyLaw):
    def sample(self, history: Any, horizon: int, members: int, rng: Any, known: Any = None) -> Any:
        if history.flags.writeable:
            history *= 0
        return np.broadcast_to(self.mean, (members, horizon, len(self.mean))).copy()


@dataclass(frozen=True)
class Narrow(ClimatologyLaw):
    def sample(self, history: Any, horizon: int, members: int, rng: Any, known: Any = None) -> Any:
        return np.zeros((members, horizon, 1))


@dataclass(frozen=True)
class ForecastsInputs(Model):
    """Forgets which of its channels are known, and so forecasts them too."""

    def learn(self, training: Training, seed: int) -> Law:
        return mean_law(replace(training, signature=replace(training.signature, inputs=())))


@dataclass(frozen=True)
class WrongSlopes(RecursiveLaw):
    """x_(t+1) = x_t / 2 with the derivative of x_t / 3."""

    @property
    def memory(self) -> int:
        return 1

    def init(self, history: Any) -> Any:
        return history[:, -1]

    def step(self, state: Any) -> Any:
        return state / 2

    def feed(self, state: Any, values: Any) -> Any:
        return values

    def slopes(self, state: Any) -> Any:
        return np.broadcast_to(np.eye(state.shape[1]) / 3, (len(state), state.shape[1], state.shape[1]))


def test_a_model_that_forecasts_its_inputs_is_caught() -> None:
    with pytest.raises(CheckFailed, match="known inputs drive"):
        check_model(ForecastsInputs())


def test_a_law_with_wrong_slopes_is_caught() -> None:
    training = Training.of(sample_series())
    box = (np.full(2, -1e9), np.full(2, 1e9))
    law = WrongSlopes(training.signature, *training.closing(1), np.zeros((1, 2)), *box)
    with pytest.raises(CheckFailed, match="slopes are not the derivatives"):
        check_law(law)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (DrawsAlways, "same seed, same forecast"),
        (Scribbles, "history unchanged"),
        (Narrow, "shapes, channel names and units"),
    ],
)
def test_a_broken_law_is_caught(kind: type[Law], rule: str) -> None:
    with pytest.raises(CheckFailed, match=f"breaks the rule '{rule}'"):
        check_law(mean_law(Training.of(sample_series()), kind))


# Each broken measure is the mean of a channel with one thing wrong.


def mean_measure(change: Callable[[Channel], Any] | None = None, **wrong: Any) -> Measure:
    def mean(channel: Channel, *, seed: int = 0) -> Estimate:
        value = float(channel.x.mean())
        if change is not None:
            value = change(channel)
        return Estimate("", value=value, unit=channel.unit, **{"interval": (value - 1, value + 1), **wrong})

    made = Measure("mean", "location", mean, "Gauss 1809", 20, True)
    object.__setattr__(made, "__doc__", "The mean of a channel.")
    return made


def mutate(channel: Channel) -> float:
    if channel.x.flags.writeable:
        channel.x[0] = 0
    return 1.0


class Counter:
    calls: ClassVar[int] = 0

    def __call__(self, channel: Channel) -> float:
        Counter.calls += 1
        return float(Counter.calls)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (mean_measure(mutate), "input unchanged"),
        (mean_measure(lambda channel: float(np.random.default_rng().normal())), "same seed, same result"),
        (mean_measure(Counter()), "same seed, same result"),
        (mean_measure(lambda channel: np.nan), "an estimate"),
        (mean_measure(interval=(2.0, 1.0)), "an estimate"),
        (mean_measure(admissible=False), "an estimate"),
        (mean_measure(lambda channel: 1 / (len(channel.x) in (400, 1000))), "defined answer to missing values"),
        (replace(mean_measure(), reference=""), "documented"),
    ],
)
def test_a_broken_measure_is_caught(broken: Measure, rule: str) -> None:
    with pytest.raises(CheckFailed, match=f"breaks the rule '{rule}'"):
        check_measure(broken)


def test_the_sound_measure_passes() -> None:
    assert "refuses what says nothing" in check_measure(mean_measure())


# Each broken score is the mean absolute error with one thing wrong.


def absolute(samples: Any, truth: Any, *, history: Any = None, seed: int = 0) -> Score:
    errors = np.abs(np.asarray(samples).mean(axis=0) - truth)
    if np.isnan(errors).all():
        raise InsufficientData("no truth")
    return Score("absolute", float(np.nanmean(errors)))


def forgets_nan(samples: Any, truth: Any, *, history: Any = None) -> Score:
    value = float(np.abs(samples.mean(axis=0) - truth).mean())
    return Score("absolute", value if np.isfinite(value) else None)


def wrong_way(samples: Any, truth: Any, *, history: Any = None) -> Score:
    return replace(absolute(samples, truth), better="high")


def first_member(samples: Any, truth: Any, *, history: Any = None) -> Score:
    return absolute(samples[:1], truth)


def scribbling(samples: Any, truth: Any, *, history: Any = None) -> Score:
    truth -= truth.mean()
    return absolute(samples, truth)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (forgets_nan, "missing truth is left out"),
        (wrong_way, "better is better"),
        (first_member, "members have no order"),
        (scribbling, "input unchanged"),
    ],
)
def test_a_broken_score_is_caught(broken: Callable[..., Score], rule: str) -> None:
    assert check_score(absolute)
    with pytest.raises(CheckFailed, match=f"breaks the rule '{rule}'"):
        check_score(broken)
