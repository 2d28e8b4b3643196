"""What the answers of the steps mean together: corrected p-values, exponent and horizon, conflicts, advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .base import Step
from .classes import CHAOTIC, LINEAR, NONSTATIONARY, PERIODIC, QUASIPERIODIC
from .view import View

ENOUGH_CYCLES = 20
"""Mean cycles of a record below which more of them is the first advice."""
FEW_VALUES = 2000
"""Values below which more of them is advised."""
SKILL = 0.5
"""Prediction error, in standard deviations, at which forecasts count as having lost their skill."""


def holm(steps: Sequence[Step]) -> dict[str, float]:
    """p-values of the steps' tests by step, corrected for their number (Holm 1979)."""
    tested = sorted((step.p_value, step.name) for step in steps if step.p_value is not None)
    adjusted, highest = {}, 0.0
    for rank, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[name] = highest
    return adjusted


def exponent_of(view: View, steps: Sequence[Step]) -> tuple[tuple[float, float, float] | None, float]:
    """The exponent with its interval in the channel's time unit, and the time until forecasts lose their skill.

    None and NaN where no exponent is admissible.
    """
    step = next((one for one in steps if "exponent" in one.details), None)
    if step is None or step.details["exponent"] is None or not step.admissible:
        return None, float("nan")
    pace = view.stride * view.channel.interval
    value, low, high = (float(number) / pace for number in step.details["exponent"])
    error = step.statistics.get("ahead_1", float("nan"))
    folds = max(1.0, float(np.log(SKILL / error))) if 0 < error < SKILL else 1.0
    return (value, low, high), folds / value if value > 0 else float("nan")


def conflicts(steps: Sequence[Step], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Where the answer of one step, read alone, speaks against the classes left open."""
    answers = {step.name: step.answer for step in steps}
    found = []
    if answers.get("stationary") == "no" and NONSTATIONARY not in classes:
        found.append("the test of stationarity sees slow change, which the whole of the evidence does not support")
    if answers.get("linear noise", "").startswith("not") and classes == (CHAOTIC,):
        found.append("no statistic among surrogates tells it from linear noise")
    if answers.get("linear noise") == "yes" and classes == (LINEAR,):
        found.append("surrogates of linear noise differ from it")
    if answers.get("chaotic") == "yes" and CHAOTIC not in classes:
        found.append("exponent and 0-1 test, read alone, would say chaos")
    if answers.get("chaotic") == "no" and classes == (CHAOTIC,):
        found.append("exponent and 0-1 test, read alone, would say regular")
    if classes == (CHAOTIC,) and any(step.name == "chaotic" and not step.admissible for step in steps):
        found.append("no exponent could be measured that one should trust")
    if answers.get("cycle") == "yes, and for good" and not {PERIODIC, QUASIPERIODIC} & set(classes):
        found.append("it returns to the same values for good, as regular motion does")
    return tuple(found)


def advice(view: View, numbers: Mapping[str, float], classes: tuple[str, ...]) -> tuple[str, ...]:
    """What more or other data would help, the most useful first; nothing where one class is left."""
    if len(classes) == 1:
        return ()
    found = []
    if view.cycles < ENOUGH_CYCLES:
        found.append(f"{len(view.x):,} values hold {view.cycles:.2g} cycles; about {ENOUGH_CYCLES} are needed")
    elif len(view.x) < FEW_VALUES:
        found.append(f"{len(view.x):,} values are few; from about {FEW_VALUES:,} on the classes part much better")
    noise = numbers.get("noise_level", float("nan"))
    if noise > 0.2 and {PERIODIC, QUASIPERIODIC, CHAOTIC} & set(classes):
        found.append(f"up to {noise:.0%} of the spread looks like noise; below 5 % much more can be told")
    if view.period < 6 and 10 ** numbers.get("log_oversampling", 1.0) < 4:
        found.append("if it is a flow, sample it 10 to 50 times a cycle")
    if NONSTATIONARY in classes:
        found.append("a longer record would tell slow fluctuation from change")
    return tuple(one[:1].upper() + one[1:] for one in found)
