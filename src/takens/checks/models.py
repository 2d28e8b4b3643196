"""The contract of models and laws."""

from __future__ import annotations

import tempfile
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..backtest import Plan, backtest
from ..errors import LawError, TakensError
from ..models.base import Known, Law, Model, RecursiveLaw, Training
from ..random import generator
from ..series import Series
from .rules import CheckFailed, finite, global_random_state, rule, same
from .samples import awkward_series, sample_series

HORIZON = 20
"""Steps ahead of the forecasts that are compared."""
WIDEST = 400
"""Most numbers in a state whose Jacobian is compared with differences."""


def check_model(model: Model, *, series: Series | None = None) -> tuple[str, ...]:
    """Hold `model` to the contract of models on `series`, or on a sample of 400 rows and two channels.

    Raises `CheckFailed` naming the broken rule. Cost: about twenty fits and as many short forecasts.
    """
    data = sample_series() if series is None else series
    held: list[str] = []
    with rule(held, "frozen", model):
        # Looked up in the class itself: a class that only inherits from a dataclass has fields of its own that are not.
        if "__dataclass_params__" not in vars(type(model)):
            raise CheckFailed("its class is not decorated with @dataclass(frozen=True)")
        before = repr(model)
    with rule(held, "input unchanged", model):
        _model_leaves_input(model, data)
    with rule(held, "same seed, same result", model), global_random_state():
        law = model.fit(data, seed=1)
        same(_futures(law), _futures(model.fit(data, seed=1)), "two fits with the same seed differ")
    with rule(held, "refit equals fresh fit", model):
        model.fit(replace(data, values=data.values[::-1] * 2), seed=3)
        fresh = type(model)(**{f.name: getattr(model, f.name) for f in fields(model) if f.init})
        same(_futures(law), _futures(fresh.fit(data, seed=1)), "the fit depends on what was fitted before")
        if repr(model) != before:
            raise CheckFailed(f"fitting changed the model from {before} to {model!r}")
    with rule(held, "settled model refits the same law", model):
        again = model.settled(law).fit(data, seed=1)
        same(_futures(law), _futures(again), "the settled model, fitted to the same data, gives another law")
    with rule(held, "no look-ahead", model):
        _no_look_ahead(model, data)
    with rule(held, "many trajectories", model):
        half = len(data) // 2
        finite(model.fit([data.rows(0, half), data.rows(half)], seed=1).forecast(HORIZON, members=3).samples)
    if data.shape[1] > 1 and not data.inputs:
        with rule(held, "known inputs drive and are not forecast", model):
            _driven(model, replace(data, inputs=data.channels[:1]))
    for name, awkward in awkward_series(channels=data.shape[1]).items():
        with rule(held, f"defined answer to {name}", model):
            _defined(model, awkward)
    return (*held, *check_law(law))


def check_law(law: Law) -> tuple[str, ...]:
    """Hold a fitted law to its contract: shapes, names, units, times, seeds, saving and loading.

    Raises `CheckFailed` naming the broken rule. Cost: a dozen short forecasts.
    """
    held: list[str] = []
    with rule(held, "shapes, channel names and units", law):
        _shapes(law)
    with rule(held, "same seed, same forecast", law), global_random_state():
        same(_futures(law), _futures(law), "two forecasts with the same seed differ")
        first, second = (law.forecast(HORIZON, members=1, seed=seed).samples for seed in (0, 1))
        same([first], [second], "the noise-free run depends on the seed")
    with rule(held, "history unchanged", law):
        history = law.history.copy()
        law.sample(history, HORIZON, 3, generator(0, "checks"))
        same([history], [law.history], "forecasting changed its history")
    with rule(held, "long runs stay finite", law):
        finite(law.generate(1000, seed=1).values)
    if isinstance(law, RecursiveLaw):
        with rule(held, "its system takes the steps of its forecast", law):
            _system(law)
    with rule(held, "save and load give the same forecast", law), tempfile.TemporaryDirectory() as folder:
        _saved(law, Path(folder) / "law")
    return tuple(held)


def _model_leaves_input(model: Model, data: Series) -> None:
    training = Training.of(data)
    pieces = tuple(piece.copy() for piece in training.stretches)
    copies = tuple(piece.copy() for piece in pieces)
    model.learn(replace(training, stretches=pieces), 1)
    same(list(pieces), list(copies), "fitting changed the training data")
    values = data.values.copy()
    model.fit(data, seed=1)
    same([data.values], [values], "fitting changed the series")


def _no_look_ahead(model: Model, data: Series) -> None:
    """Forecasts from an origin are the same whatever comes after it, through the backtest that studies use."""
    grid = data.gridded()
    middle, late = int(0.7 * len(grid)), int(0.8 * len(grid))
    plan = Plan(HORIZON, (middle, late), (middle,), late)
    changed = grid.values.copy()
    changed[late:] = 3 * changed[late:][::-1] + 100
    known = backtest(model, grid, plan=plan, members=3, seed=1).samples
    blind = backtest(model, replace(grid, values=changed), plan=plan, members=3, seed=1).samples
    same([known], [blind], f"values from row {late + 1} on changed a forecast that starts there or before")
    same([grid.values[late:]], [data.gridded().values[late:]], "the backtest changed its input")


def _defined(model: Model, awkward: Series) -> None:
    """A law with finite futures, or a `TakensError`; nothing else."""
    try:
        law = model.fit(awkward, seed=1)
        finite(law.forecast(5, members=3, seed=1).samples)
        finite(law.generate(50, seed=1).values)
    except CheckFailed:
        raise
    except TakensError as refusal:
        if not refusal.cause:
            raise CheckFailed("refuses without a cause") from refusal


def _driven(model: Model, data: Series) -> None:
    """A law that follows its known inputs and forecasts the other channels, or a `TakensError`; nothing else."""
    try:
        law = model.fit(data, seed=1)
    except TakensError as refusal:
        if not refusal.cause:
            raise CheckFailed("refuses known inputs without a cause") from refusal
        return
    names, targets = data.observed.channels, law.signature.targets
    future = data.values[:HORIZON, :1] + 0.1
    ahead = law.forecast(HORIZON, inputs=future, members=3, seed=1)
    if ahead.channels != names or law.generate(30, inputs=data).channels != names:
        raise CheckFailed(f"forecasts channels {', '.join(ahead.channels)} instead of {', '.join(names)}")
    finite(ahead.samples)
    if isinstance(law, RecursiveLaw):
        path = law.sample(law.history, HORIZON, 2, None, Known(0, future))
        same([path[1, :, targets:]], [future], "the known inputs were not followed")


def _system(law: RecursiveLaw) -> None:
    """One step of the system is one step of the noise-free forecast, and its Jacobian that of the step."""
    system = law.system
    if not system.stepwise or law.signature.inputs:
        return
    state = law.init(law.history[None])
    ahead = law.feed(state, law.step(state)).reshape(-1)
    if not np.allclose(system.rhs(0.0, system.initial), ahead, rtol=1e-9, atol=1e-12):
        raise CheckFailed("a step of the system is not a step of the law")
    exact = law.slopes(state)
    if exact is None or system.dimension > WIDEST:
        return
    size = system.dimension
    width = 1e-6 * np.maximum(1.0, np.abs(system.initial))
    moved = system.initial + np.concatenate([np.diag(width), -np.diag(width)])
    after = system.rhs(0.0, moved)
    difference = ((after[:size] - after[size:]) / (2 * width)[:, None]).T
    if exact.shape != (1, size, size) or np.abs(exact[0] - difference).max() > 1e-4 * max(np.abs(difference).max(), 1):
        raise CheckFailed("the slopes are not the derivatives of a step")


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
    finite(ahead.samples)
    finite(made.values)
    try:
        law.end = 0.0  # type: ignore[misc]
    except FrozenInstanceError:
        return
    raise CheckFailed("the law is not frozen")


def _saved(law: Law, path: Path) -> None:
    """A law of takens comes back from disk unchanged; one from elsewhere may do so or refuse, since loading runs no
    code that takens does not know."""
    from ..models.store import load_law

    try:
        law.save(path)
    except LawError:
        if type(law).__module__.split(".")[0] != "takens":
            return
        raise
    same(_futures(law), _futures(load_law(path)), "the loaded law forecasts something else")


def _futures(law: Law) -> list[NDArray[np.float64]]:
    return [
        law.forecast(HORIZON, members=5, seed=2).samples,
        law.forecast(HORIZON, members=1).samples,
        law.generate(50, seed=2).values,
    ]
