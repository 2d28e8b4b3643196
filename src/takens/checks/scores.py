"""The contract of scores, of forecasts and of free runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InsufficientData
from ..random import generator
from ..scores.base import Score
from .rules import CheckFailed, comparable, global_random_state, rule, same
from .samples import sample_series


def check_score(score: Callable[..., Score]) -> tuple[str, ...]:
    """Hold a forecast score `(forecast, truth, *, history, seed) -> Score` to the contract of scores.

    Raises `CheckFailed` naming the broken rule. Cost: a dozen calls on 50 samples of 30 steps.
    """
    held: list[str] = []
    rng = generator(0, "check_score")
    truth = rng.normal(size=(30, 2))
    samples = truth + rng.normal(size=(50, 30, 2))
    history = rng.normal(size=(200, 2))
    with rule(held, "input unchanged", score):
        copies = samples.copy(), truth.copy(), history.copy()
        first = score(*copies[:2], history=copies[2])
        same(list(copies), [samples, truth, history], "the score changed its input")
    with rule(held, "same seed, same result", score), global_random_state():
        if comparable(first) != comparable(score(samples, truth, history=history)):
            raise CheckFailed("two calls with the same seed differ")
    with rule(held, "a finite value", score):
        if not isinstance(first, Score) or first.value is None or not np.isfinite(first.value):
            raise CheckFailed(f"a usual forecast scores {first}")
    with rule(held, "members have no order", score):
        turned = score(samples[::-1], truth, history=history)
        if not np.isclose(float(turned), float(first), rtol=1e-6) and first.better != "target":
            raise CheckFailed("the order of the members matters")
    with rule(held, "better is better", score):
        worse = score(samples + 5, truth, history=history)
        if _badness(worse) < _badness(first):
            raise CheckFailed(f"a forecast that is off by five standard deviations scores better ({worse}, {first})")
    with rule(held, "missing truth is left out", score):
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
    with rule(held, "defined answer to constant data", score):
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
    with rule(held, "input unchanged", score):
        copies = sample_series(2000, seed=1).values.copy(), true.copy()
        alike = score(*copies, delay=6)
        same(list(copies), [sample_series(2000, seed=1).values, true], "the score changed its input")
    with rule(held, "same result twice", score), global_random_state():
        if comparable(alike) != comparable(score(*copies, delay=6)):
            raise CheckFailed("two calls differ")
    with rule(held, "another climate is worse", score):
        other = score(10 + generator(0, "noise").normal(size=true.shape), true, delay=6)
        if _badness(other) <= _badness(alike):
            raise CheckFailed(f"white noise ({other}) scores as well as the same dynamics ({alike})")
    with rule(held, "a failed run is not a good one", score):
        failed = copies[0].copy()
        failed[700:] = np.nan
        answer = score(failed, true, delay=6)
        if not answer.reason or _badness(answer) <= _badness(other):
            raise CheckFailed(f"a run that ends in NaN scores {answer}")
    return tuple(held)


def _badness(score: Score) -> float:
    """The score as a number that is lower when it is better; a score without value is as bad as can be."""
    if score.value is None:
        return np.inf
    if score.better == "target":
        return abs(score.value - float(score.settings["target"]))
    return -score.value if score.better == "high" else score.value
