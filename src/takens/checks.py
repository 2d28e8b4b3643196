"""The conformance suite: every model, law, measure and score, built in or not, is held to the same contract.

    >>> takens.checks.check_model(MyModel())
    ('frozen', 'same seed, same result', ...)

Each check returns the names of the rules that held and raises `CheckFailed`, which names the first that did not.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backtest import Plan, backtest
from .clock import Clock
from .errors import InsufficientData, TakensError
from .estimate import Estimate
from .measures.base import Channel, Measure
from .models.base import Law, Model, Training
from .random import generator
from .scores.base import Score
from .series import Series

ROWS = 400
"""Rows of the sample series."""
HORIZON = 20
"""Steps ahead of the forecasts that are compared."""


class CheckFailed(TakensError, AssertionError):
    """A model, law, measure or score breaks the rule that is named."""


def sample_series(rows: int = ROWS, channels: int = 2, seed: int = 0) -> Series:
    """The series that checks use: a noisy cycle of 25 steps in each channel, hourly, with names and units."""
    rng = generator(seed, "checks")
    t = np.arange(rows, dtype=np.float64)[:, None]
    values = np.sin(2 * np.pi * (t / 25 + np.arange(channels) / 7)) + 0.2 * rng.normal(size=(rows, channels))
    names = tuple(f"c{i + 1}" for i in range(channels))
    clock = Clock("h", np.datetime64("2020-01-01T00:00:00", "us"))
    return Series(t[:, 0] * 0.5, 10 + values, names, ("degC",) * channels, clock, "sample")


def awkward_series(rows: int = ROWS, channels: int = 2) -> dict[str, Series]:
    """Series that real data resemble and that must end in a defined way, by what is awkward about them."""
    good = sample_series(rows, channels)
    values = good.values.copy()
    third = rows // 3
    holes, constant, flat, empty, tied = (values.copy() for _ in range(5))
    holes[third : third + 7, 0] = np.nan
    constant[:, 0] = 3.0
    flat[:] = 3.0
    empty[:, -1] = np.nan
    tied = np.round(tied)
    kept = np.r_[0:third, third + 5 : rows]
    jitter = good.times + 0.2 * good.interval * generator(0, "jitter").random(rows)
    return {
        "missing values": replace(good, values=holes),
        "missing rows": replace(good, times=good.times[kept], values=values[kept]),
        "irregular times": replace(good, times=jitter),
        "a constant channel": replace(good, values=constant),
        "only constant channels": replace(good, values=flat),
        "a channel without values": replace(good, values=empty),
        "ties": replace(good, values=tied),
        "large values": replace(good, values=values * 1e9),
        "2 rows": good.rows(0, 2),
        "5 rows": good.rows(0, 5),
        "1 row": good.rows(0, 1),
        "no row": good.rows(0, 0),
    }


def check_model(model: Model, *, series: Series | None = None) -> tuple[str, ...]:
    """Hold `model` to the contract of models on `series`, or on a sample of 400 rows and two channels.

    Raises `CheckFailed` naming the broken rule. Cost: about a dozen fits and twice as many short forecasts.
    """
    data = sample_series() if series is None else series
    held: list[str] = []
    with _rule(held, "frozen", model):
        # Looked up in the class itself: a class that only inherits from a dataclass has fields of its own that are not.
        if "__dataclass_params__" not in vars(type(model)):
            raise CheckFailed("its class is not decorated with @dataclass(frozen=True)")
        before = repr(model)
    with _rule(held, "input unchanged", model):
        _model_leaves_input(model, data)
    with _rule(held, "same seed, same result", model), _global_random_state():
        law = model.fit(data, seed=1)
        _same(_futures(law), _futures(model.fit(data, seed=1)), "two fits with the same seed differ")
    with _rule(held, "refit equals fresh fit", model):
        model.fit(replace(data, values=data.values[::-1] * 2), seed=3)
        fresh = type(model)(**{f.name: getattr(model, f.name) for f in fields(model) if f.init})
        _same(_futures(law), _futures(fresh.fit(data, seed=1)), "the fit depends on what was fitted before")
        if repr(model) != before:
            raise CheckFailed(f"fitting changed the model from {before} to {model!r}")
    with _rule(held, "no look-ahead", model):
        _no_look_ahead(model, data)
    with _rule(held, "many trajectories", model):
        half = len(data) // 2
        _finite(model.fit([data.rows(0, half), data.rows(half)], seed=1).forecast(HORIZON, members=3).samples)
    for name, awkward in awkward_series(channels=data.shape[1]).items():
        with _rule(held, f"defined answer to {name}", model):
            _defined(model, awkward)
    return (*held, *check_law(law))


def check_law(law: Law) -> tuple[str, ...]:
    """Hold a fitted law to its contract: shapes, names, units, times, seeds, saving and loading.

    Raises `CheckFailed` naming the broken rule. Cost: a dozen short forecasts.
    """
    held: list[str] = []
    with _rule(held, "shapes, channel names and units", law):
        _shapes(law)
    with _rule(held, "same seed, same forecast", law), _global_random_state():
        _same(_futures(law), _futures(law), "two forecasts with the same seed differ")
        first, second = (law.forecast(HORIZON, members=1, seed=seed).samples for seed in (0, 1))
        _same([first], [second], "the noise-free run depends on the seed")
    with _rule(held, "history unchanged", law):
        history = law.history.copy()
        law.sample(history, HORIZON, 3, generator(0, "checks"))
        _same([history], [law.history], "forecasting changed its history")
    with _rule(held, "long runs stay finite", law):
        _finite(law.generate(1000, seed=1).values)
    with _rule(held, "save and load give the same forecast", law), tempfile.TemporaryDirectory() as folder:
        from .models.store import load_law

        law.save(Path(folder) / "law")
        _same(_futures(law), _futures(load_law(Path(folder) / "law")), "the loaded law forecasts something else")
    return tuple(held)


def check_measure(measure: Measure, *, series: Series | None = None) -> tuple[str, ...]:
    """Hold a registered measure to the contract of measures on `series`, or on a sample of 400 rows.

    Raises `CheckFailed` naming the broken rule. Cost: about fifteen calls of the measure on at most 400 values.
    """
    data = sample_series(channels=1) if series is None else series
    held: list[str] = []
    with _rule(held, "documented", measure):
        for part in ("name", "family", "reference", "__doc__"):
            if not getattr(measure, part):
                raise CheckFailed(f"has no {part.strip('_')}")
    with _rule(held, "input unchanged", measure):
        values = data.values[:, 0].copy()
        channel = Channel(values, data.times.copy(), data.interval, data.clock.unit, data.units[0], "all")
        measure.function(channel)
        _same([values, channel.t], [data.values[:, 0], data.times], "the measure changed its input")
    with _rule(held, "same seed, same result", measure), _global_random_state():
        first = measure(data)
        if _comparable(first) != _comparable(measure(data)):
            raise CheckFailed("two calls with the same seed differ")
    with _rule(held, "an estimate", measure):
        _sound(first)
        if first.name != measure.name or first.channel != data.channels[0]:
            raise CheckFailed("the estimate does not name its measure and channel")
    for name, awkward in awkward_series(channels=1).items():
        with _rule(held, f"defined answer to {name}", measure):
            _sound(measure(awkward))
    with _rule(held, "refuses what says nothing", measure):
        for name in ("only constant channels", "a channel without values", "2 rows"):
            if measure(awkward_series(channels=1)[name]).admissible:
                raise CheckFailed(f"gives an admissible answer to {name}")
    return tuple(held)


def check_score(score: Callable[..., Score]) -> tuple[str, ...]:
    """Hold a forecast score `(forecast, truth, *, history, seed) -> Score` to the contract of scores.

    Raises `CheckFailed` naming the broken rule. Cost: a dozen calls on 50 samples of 30 steps.
    """
    held: list[str] = []
    rng = generator(0, "check_score")
    truth = rng.normal(size=(30, 2))
    samples = truth + rng.normal(size=(50, 30, 2))
    history = rng.normal(size=(200, 2))
    with _rule(held, "input unchanged", score):
        copies = samples.copy(), truth.copy(), history.copy()
        first = score(*copies[:2], history=copies[2])
        _same(list(copies), [samples, truth, history], "the score changed its input")
    with _rule(held, "same seed, same result", score), _global_random_state():
        if _comparable(first) != _comparable(score(samples, truth, history=history)):
            raise CheckFailed("two calls with the same seed differ")
    with _rule(held, "a finite value", score):
        if not isinstance(first, Score) or first.value is None or not np.isfinite(first.value):
            raise CheckFailed(f"a usual forecast scores {first}")
    with _rule(held, "members have no order", score):
        turned = score(samples[::-1], truth, history=history)
        if not np.isclose(float(turned), float(first), rtol=1e-6) and first.better != "target":
            raise CheckFailed("the order of the members matters")
    with _rule(held, "better is better", score):
        worse = score(samples + 5, truth, history=history)
        if _badness(worse) < _badness(first):
            raise CheckFailed(f"a forecast that is off by five standard deviations scores better ({worse}, {first})")
    with _rule(held, "missing truth is left out", score):
        holes = truth.copy()
        holes[::3] = np.nan
        if score(samples, holes, history=history).value is None:
            raise CheckFailed("a third of the truth missing leaves no score")
        try:
            empty = score(samples, np.full_like(truth, np.nan), history=history)
        except InsufficientData:
            pass
        else:
            if empty.value is not None:
                raise CheckFailed("truth without a value gives a score")
    with _rule(held, "defined answer to constant data", score):
        still = score(np.ones_like(samples), np.ones_like(truth), history=np.ones_like(history))
        if still.value is None and not still.reason:
            raise CheckFailed("no value and no reason")
        if still.value is not None and np.isnan(still.value):
            raise CheckFailed("the value is NaN")
    return tuple(held)


def check_climate_score(score: Callable[..., Score]) -> tuple[str, ...]:
    """Hold a score of long runs `(generated, true, *, delay) -> Score` to its contract.

    Raises `CheckFailed` naming the broken rule. Cost: a few calls on 2000 rows of two channels.
    """
    held: list[str] = []
    true = sample_series(2000).values
    with _rule(held, "input unchanged", score):
        copies = sample_series(2000, seed=1).values.copy(), true.copy()
        alike = score(*copies, delay=6)
        _same(list(copies), [sample_series(2000, seed=1).values, true], "the score changed its input")
    with _rule(held, "same result twice", score), _global_random_state():
        if _comparable(alike) != _comparable(score(*copies, delay=6)):
            raise CheckFailed("two calls differ")
    with _rule(held, "another climate is worse", score):
        other = score(10 + generator(0, "noise").normal(size=true.shape), true, delay=6)
        if _badness(other) <= _badness(alike):
            raise CheckFailed(f"white noise ({other}) scores as well as the same dynamics ({alike})")
    with _rule(held, "a failed run is not a good one", score):
        failed = copies[0].copy()
        failed[700:] = np.nan
        answer = score(failed, true, delay=6)
        if not answer.reason or _badness(answer) <= _badness(other):
            raise CheckFailed(f"a run that ends in NaN scores {answer}")
    return tuple(held)


@contextmanager
def _rule(held: list[str], name: str, subject: Any) -> Iterator[None]:
    """Everything inside belongs to the rule `name`: any failure, warning or odd exception becomes `CheckFailed`."""
    label = getattr(subject, "name", type(subject).__name__)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    except CheckFailed as failed:
        raise CheckFailed(f"breaks the rule {name!r}: {failed.cause}", place=str(label), remedy=RECIPE) from failed
    except Exception as error:
        raise CheckFailed(
            f"breaks the rule {name!r}: {type(error).__name__}: {error}", place=str(label), remedy=RECIPE
        ) from error
    held.append(name)


RECIPE = "CONTRIBUTING.md says what each rule asks for."


@contextmanager
def _global_random_state() -> Iterator[None]:
    """Fail where the code inside draws from NumPy's global random state."""
    before = np.random.get_state()[1].copy(), np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    yield
    after = np.random.get_state()[1], np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    if before[1] != after[1] or not np.array_equal(before[0], after[0]):
        raise CheckFailed("draws from NumPy's global random state instead of takens.random.generator")


def _model_leaves_input(model: Model, data: Series) -> None:
    training = Training.of(data)
    pieces = tuple(piece.copy() for piece in training.stretches)
    copies = tuple(piece.copy() for piece in pieces)
    model.learn(replace(training, stretches=pieces), 1)
    _same(list(pieces), list(copies), "fitting changed the training data")
    values = data.values.copy()
    model.fit(data, seed=1)
    _same([data.values], [values], "fitting changed the series")


def _no_look_ahead(model: Model, data: Series) -> None:
    """Forecasts from an origin are the same whatever comes after it, through the backtest that studies use."""
    grid = data.gridded()
    middle, late = int(0.7 * len(grid)), int(0.8 * len(grid))
    plan = Plan(HORIZON, (middle, late), (middle,), late)
    changed = grid.values.copy()
    changed[late:] = 3 * changed[late:][::-1] + 100
    known = backtest(model, grid, plan=plan, members=3, seed=1).samples
    blind = backtest(model, replace(grid, values=changed), plan=plan, members=3, seed=1).samples
    _same([known], [blind], f"values from row {late + 1} on changed a forecast that starts there or before")
    _same([grid.values[late:]], [data.gridded().values[late:]], "the backtest changed its input")


def _defined(model: Model, awkward: Series) -> None:
    """A law with finite futures, or a `TakensError`; nothing else."""
    try:
        law = model.fit(awkward, seed=1)
        _finite(law.forecast(5, members=3, seed=1).samples)
        _finite(law.generate(50, seed=1).values)
    except CheckFailed:
        raise
    except TakensError as refusal:
        if not refusal.cause:
            raise CheckFailed("refuses without a cause") from refusal


def _shapes(law: Law) -> None:
    signature = law.signature
    ahead = law.forecast(HORIZON, members=4, seed=1)
    made = law.generate(30, seed=1)
    if not isinstance(law.memory, int) or law.memory < 1:
        raise CheckFailed(f"memory is {law.memory!r}, not a positive whole number")
    if ahead.samples.shape != (4, HORIZON, len(signature.channels)) or made.shape != (30, len(signature.channels)):
        raise CheckFailed(f"forecast {ahead.samples.shape} and run {made.shape} have the wrong shape")
    for one in (ahead, made):
        if (one.channels, one.units, one.clock) != (signature.channels, signature.units, signature.clock):
            raise CheckFailed("channel names, units or clock were lost")
        if not np.allclose(one.times, law.end + signature.interval * np.arange(1, len(one.times) + 1)):
            raise CheckFailed("times do not continue the training data")
    _finite(ahead.samples)
    _finite(made.values)
    try:
        law.end = 0.0  # type: ignore[misc]
    except FrozenInstanceError:
        return
    raise CheckFailed("the law is not frozen")


def _futures(law: Law) -> list[NDArray[np.float64]]:
    return [
        law.forecast(HORIZON, members=5, seed=2).samples,
        law.forecast(HORIZON, members=1).samples,
        law.generate(50, seed=2).values,
    ]


def _same(left: list[NDArray[Any]], right: list[NDArray[Any]], complaint: str) -> None:
    for a, b in zip(left, right, strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            raise CheckFailed(complaint)


def _finite(values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        raise CheckFailed(f"{np.count_nonzero(~np.isfinite(values))} values are not finite")


def _sound(estimate: Estimate) -> None:
    """An estimate with a finite value inside an ordered interval, or one that says why it should not be trusted."""
    if not isinstance(estimate, Estimate):
        raise CheckFailed(f"the answer is a {type(estimate).__name__}, not an Estimate")
    if not estimate.admissible:
        if not estimate.reason:
            raise CheckFailed("inadmissible without a reason")
        return
    if estimate.value is None or not np.isfinite(np.asarray(estimate.value, dtype=float)).all():
        raise CheckFailed(f"an admissible value is {estimate.value}")
    if not estimate.reference:
        raise CheckFailed("no reference")
    if estimate.interval is not None:
        low, high = (np.asarray(end, dtype=float) for end in estimate.interval)
        if not (low <= high).all() or not 0 < estimate.level < 1:
            raise CheckFailed(f"interval {estimate.interval} at level {estimate.level}")


def _comparable(answer: Estimate | Score) -> str:
    return repr(answer.to_dict(details=True))


def _badness(score: Score) -> float:
    """The score as a number that is lower when it is better; a score without value is as bad as can be."""
    if score.value is None:
        return np.inf
    if score.better == "target":
        return abs(score.value - float(score.settings["target"]))
    return -score.value if score.better == "high" else score.value
