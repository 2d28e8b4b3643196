"""From data to the verdict: ask every step, let the calibration answer, say what disagrees and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..durations import in_words
from ..errors import SettingError
from ..measures.base import Refused
from ..series import Series, as_series, as_trajectories
from .base import Inquiry, Step
from .classes import CHAOTIC, CLASSES, LINEAR, NONSTATIONARY, PERIODIC, QUASIPERIODIC
from .result import MOST_OPEN, Segment, Verdict, insufficient, kind_of, sentence_of
from .statistics import asked, view_of
from .steps import STEPS
from .view import View

if TYPE_CHECKING:
    from .calibration import Calibration

ENOUGH_CYCLES = 20
"""Mean cycles of a record below which more of them is the first advice."""
MOST_SEGMENTS = 4
LEAST_SEGMENT = 200
"""Stretches of a non-stationary record that get their own verdict: at most so many, of at least so many values."""
SKILL = 0.5
"""Prediction error, in standard deviations, at which forecasts count as having lost their skill."""


def verdict(
    data: Series | ArrayLike | Sequence[Series],
    *,
    level: float = 0.9,
    seed: int = 0,
    steps: Sequence[Inquiry] = STEPS,
    calibration: Calibration | None = None,
    segments: bool = True,
) -> Verdict:
    """Which kinds of dynamics the data leave open at `level`, with the evidence: the question behind every analysis.

    Six steps each ask one question of a channel (enough data? stationary? more than linear noise? does it come back?
    does the present settle the future? do small differences grow?) and give numbers. Boosted trees turn them into
    probabilities of six classes, and conformal p-values, calibrated on systems that the trees have not seen, into the
    set of classes that cannot be excluded: over records like those of the bank it holds the true one with frequency
    `level`. Several channels or trajectories are taken as views of one system: their p-values are combined by twice
    their mean, which is valid however they depend (Vovk & Wang, Biometrika 107, 791, 2020). Stretches of a
    non-stationary record get verdicts of their own (`segments`). `steps` may replace any question, with a
    `calibration` made for them; None takes the one that comes with takens.

    Raises `SettingError` unless 0.5 <= `level` < 1. Data that cannot be looked at - irregular times, fewer than 200
    values in one stretch, constants, few levels - give "insufficient data" with what would suffice. Cost: 1 s for 5,000
    values of a channel; of records beyond 20,000 values the middle is looked at, thinned as far as their pace allows.
    Not for data that were smoothed or interpolated: filtering makes noise look deterministic. Weak chaos,
    high-dimensional chaos and strange non-chaotic motion often stay undetermined.
    Source: docs/verdict.md; after Toker et al., Commun. Biol. 3, 11 (2020), with gates, levels and sets.
    """
    if not 0.5 <= level < 1:
        raise SettingError(f"level must lie between 0.5 and 1, got {level}", place="level")
    from .calibration import carried

    model = calibration or carried()
    several = isinstance(data, list | tuple) and len(data) > 0 and isinstance(data[0], Series)
    records = as_trajectories(data) if several else [as_series(data)]  # type: ignore[arg-type]
    singles = {}
    for number, record in enumerate(records):
        for channel in record.channels:
            name = channel if len(records) == 1 else f"{record.name or number + 1}: {channel}"
            singles[name] = record.select(channel)
    found = {name: _one(name, series, level, seed, steps, model, segments) for name, series in singles.items()}
    return next(iter(found.values())) if len(found) == 1 else joint(found, level)


def _one(
    name: str, series: Series, level: float, seed: int, steps: Sequence[Inquiry], model: Calibration, segments: bool
) -> Verdict:
    """The verdict on one channel."""
    try:
        view = view_of(series, seed)
    except Refused as refusal:
        return insufficient(name, level, _remedied(str(refusal), series))
    answers = asked(view, steps)
    if answers and answers[0].answer == "no":
        return insufficient(name, level, answers[0].evidence.rstrip(".").lower(), answers)
    numbers = {key: value for step in answers for key, value in step.statistics.items()}
    answer = model.classify(numbers, level)
    exponent, horizon = _exponent(view, answers)
    exponent = exponent if CHAOTIC in answer.classes else None
    unit = view.channel.time_unit
    sentence = sentence_of(answer.classes, level, exponent, unit, horizon)
    advice = _advice(view, numbers, answer.classes)
    if len(answer.classes) > MOST_OPEN and advice:
        sentence = f"{sentence}; {advice[0][:1].lower()}{advice[0][1:]}"
    parts = (
        _segments(name, series, level, seed, steps, model) if segments and answer.classes[0] == NONSTATIONARY else ()
    )
    return Verdict(
        name, kind_of(answer.classes), answer.classes, level, sentence, answers, answer.probabilities, answer.p_values,
        holm(answers), dict(list(answer.evidence.items())[:8]), conflicts(answers, answer.classes), advice, exponent,
        unit, {}, parts, {"seed": seed, "used": view.used or "all", "stride": view.stride, "chaos_p": answer.chaos_p},
        str(model.about.get("version", "")),
    )  # fmt: skip


def _remedied(why: str, series: Series) -> str:
    """The refusal, with the interval to resample at where times are irregular."""
    if series.sampling.kind != "irregular":
        return why
    return (
        f"times are irregular, and it needs resampling, for instance at {in_words(series.interval, series.clock.unit)}"
    )


def holm(steps: Sequence[Step]) -> dict[str, float]:
    """p-values of the steps' tests by step, corrected for their number (Holm 1979)."""
    tested = sorted((step.p_value, step.name) for step in steps if step.p_value is not None)
    adjusted, highest = {}, 0.0
    for rank, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[name] = highest
    return adjusted


def _exponent(view: View, steps: Sequence[Step]) -> tuple[tuple[float, float, float] | None, float]:
    """The exponent with its interval in the channel's time unit, and the time until forecasts lose their skill."""
    step = next((one for one in steps if "exponent" in one.details), None)
    if step is None or step.details["exponent"] is None:
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
    if answers.get("cycle") == "yes, and for good" and not {PERIODIC, QUASIPERIODIC} & set(classes):
        found.append("it returns to the same values for good, as regular motion does")
    return tuple(found)


def _advice(view: View, numbers: Mapping[str, float], classes: tuple[str, ...]) -> tuple[str, ...]:
    """What more or other data would help, the most useful first; nothing where one class is left."""
    if len(classes) == 1:
        return ()
    found = []
    if view.cycles < ENOUGH_CYCLES:
        found.append(f"{len(view.x):,} values hold {view.cycles:.2g} cycles; about {ENOUGH_CYCLES} are needed")
    elif len(view.x) < 2000:
        found.append(f"{len(view.x):,} values are few; from about 2,000 on the classes part much better")
    noise = numbers.get("noise_level", float("nan"))
    if noise > 0.2:
        found.append(f"up to {noise:.0%} of the spread looks like noise; below 5 % much more can be told")
    if view.period < 6 and 10 ** numbers.get("log_oversampling", 1.0) < 4:
        found.append("if it is a flow, sample it 10 to 50 times a cycle")
    if NONSTATIONARY in classes:
        found.append("a longer record would tell slow fluctuation from change")
    return tuple(found)


def _segments(
    name: str, series: Series, level: float, seed: int, steps: Sequence[Inquiry], model: Calibration
) -> tuple[Segment, ...]:
    """Verdicts on the stretches between changes of mean or variance, the longest ones, in order."""
    from ..measures.base import REGISTRY

    changes: set[float] = set()
    for kind in ("mean", "variance"):
        estimate = REGISTRY["change_points"](series, model=kind, seed=seed)
        if estimate.admissible and estimate.value is not None:
            changes |= {float(one) for one in np.ravel(estimate.value)}
    rows = np.searchsorted(series.times.astype(float), sorted(changes)) if changes else np.empty(0, dtype=int)
    edges = [0, *sorted({int(row) for row in rows}), len(series)]
    pieces = [(a, b) for a, b in pairwise(edges) if b - a >= LEAST_SEGMENT]
    if len(pieces) < 2 or not changes:
        return ()
    longest = sorted(sorted(pieces, key=lambda piece: piece[0] - piece[1])[:MOST_SEGMENTS])
    return tuple(
        Segment(a, b, _one(name, series.rows(a, b), level, seed, steps, model, segments=False)) for a, b in longest
    )


def joint(found: Mapping[str, Verdict], level: float) -> Verdict:
    """One verdict for several views of one system: p-values by twice their mean, probabilities by geometric mean.

    Views with insufficient data count only where all have. The steps are those of the view whose answer is clearest.
    """
    seen = {name: one for name, one in found.items() if one.probabilities}
    if not seen:
        first = next(iter(found.values()))
        return Verdict(" and ".join(found), first.kind, (), level, first.sentence, first.steps, parts=found)
    p_values = {c: min(1.0, 2 * float(np.mean([one.p_values[c] for one in seen.values()]))) for c in CLASSES}
    logs = np.array([[np.log(max(one.probabilities[c], 1e-6)) for c in CLASSES] for one in seen.values()]).mean(axis=0)
    weights = np.exp(logs - logs.max())
    probabilities = dict(zip(CLASSES, (weights / weights.sum()).tolist(), strict=True))
    order = sorted(CLASSES, key=lambda c: -probabilities[c])
    classes = tuple(c for i, c in enumerate(order) if i == 0 or p_values[c] > 1 - level + 1e-9)
    clearest = min(seen.values(), key=lambda one: (len(one.classes), -max(one.probabilities.values())))
    if classes == (CHAOTIC,) and not any(one.classes == (CHAOTIC,) for one in seen.values()):
        classes = (CHAOTIC, order[1])  # no view alone passes the stricter test for chaos
    sentence = sentence_of(classes, level, clearest.exponent, clearest.time_unit, _horizon(clearest))
    settings: dict[str, Any] = dict(clearest.settings) | {"combined": "twice the mean p-value"}
    return Verdict(
        " and ".join(found), kind_of(classes), classes, level, f"{sentence} ({len(seen)} views of one system)",
        clearest.steps, probabilities, p_values, clearest.adjusted, clearest.deciding,
        conflicts(clearest.steps, classes), clearest.advice if len(classes) > 1 else (), clearest.exponent,
        clearest.time_unit, found, (), settings, clearest.calibration,
    )  # fmt: skip


def _horizon(one: Verdict) -> float:
    """The time until forecasts lose their skill, from the exponent of a verdict."""
    return 1 / one.exponent[0] if one.exponent is not None and one.exponent[0] > 0 else float("nan")
