"""From data to the verdict: ask every step, let the calibration answer, say what disagrees and what would help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..durations import in_words
from ..errors import SettingError
from ..measures.base import REGISTRY, Refused
from ..series import Series, as_series, as_trajectories
from .base import Inquiry, Step
from .classes import CHAOTIC, NONSTATIONARY
from .interpretation import advice, conflicts, exponent_of, holm
from .joint import joint
from .result import MOST_OPEN, Segment, Verdict, insufficient, kind_of, sentence_of
from .statistics import view_of
from .steps import STEPS
from .steps.enough import Enough
from .view import LONGEST, View

if TYPE_CHECKING:
    from .calibration import Calibration

MOST_SEGMENTS = 4
LEAST_SEGMENT = 200
"""Stretches of a non-stationary record that get their own verdict: at most so many, of at least so many values."""

WHOLE_LEVEL = 0.01
"""Level at which slow change of a long record joins the kinds that its looked-at part leaves open."""

Progress = Callable[[str, float], Any]


def verdict(
    data: Series | ArrayLike | Sequence[Series],
    *,
    level: float = 0.9,
    seed: int = 0,
    steps: Sequence[Inquiry] = STEPS,
    calibration: Calibration | None = None,
    segments: bool = True,
    progress: Progress | None = None,
) -> Verdict:
    """Which kinds of dynamics the data leave open at `level`, with the evidence: the question behind every analysis.

    Six steps each ask one question of a channel (enough data? stationary? more than linear noise? does it come back?
    does the present settle the future? do small differences grow?) and give numbers. Boosted trees turn them into
    probabilities of six classes, and conformal p-values, calibrated on systems that the trees have not seen, into the
    set of classes that cannot be excluded: over records like those of the bank it holds the true one with frequency
    `level`. Several channels or trajectories are taken as views of one system: their p-values are combined by twice
    their mean, which is valid however they depend (Vovk & Wang, Biometrika 107, 791, 2020). Stretches of a
    non-stationary record get verdicts of their own (`segments`). `steps` may replace any question, with a
    `calibration` made for them; None takes the one that comes with takens. `progress(question, share)` is called
    before each step.

    Raises `SettingError` unless 0.5 <= `level` < 1. Data that cannot be looked at - irregular times, fewer than 200
    values in one stretch, constants, few levels - give "insufficient data" with what would suffice. Cost: 1 s for 5,000
    values of a channel; of records beyond 20,000 values the middle is looked at, thinned as far as their pace allows,
    and "non-stationary" joins the set where the whole does not look stationary.
    Not for data that were smoothed or interpolated: filtering makes noise look deterministic. Weak chaos,
    high-dimensional chaos and strange non-chaotic motion often stay undetermined.
    Source: docs/verdict.md; after Toker et al., Commun. Biol. 3, 11 (2020), with gates, levels and sets.
    """
    if not 0.5 <= level < 1:
        raise SettingError(f"level must lie between 0.5 and 1, got {level}", place="level")
    from .calibration import carried

    judge = Judge(level, seed, tuple(steps), calibration or carried())
    singles = views_of(data)
    report = progress or (lambda question, share: None)
    found = {}
    for number, (name, series) in enumerate(singles.items()):

        def part(question: str, share: float, at: int = number, who: str = name) -> None:
            report(f"{who}: {question}" if len(singles) > 1 else question, (at + share) / len(singles))

        found[name] = judge.channel(name, series, segments, part)
    return next(iter(found.values())) if len(found) == 1 else joint(found, level)


def views_of(data: Series | ArrayLike | Sequence[Series]) -> dict[str, Series]:
    """The channels of all trajectories in `data`, each by itself, by name."""
    several = isinstance(data, list | tuple) and len(data) > 0 and isinstance(data[0], Series)
    records = as_trajectories(data) if several else [as_series(data)]  # type: ignore[arg-type]
    singles: dict[str, Series] = {}
    for number, record in enumerate(one.observed for one in records):
        for channel in record.channels:
            name = channel if len(records) == 1 else f"{record.name or number + 1}: {channel}"
            name = f"{number + 1}, {name}" if name in singles else name
            singles[name] = record.select(channel)
    return singles


@dataclass(frozen=True)
class Judge:
    """How channels are judged: at which `level`, with which `seed`, `steps` and calibrated `model`."""

    level: float
    seed: int
    steps: tuple[Inquiry, ...]
    model: Calibration

    def channel(self, name: str, series: Series, segments: bool, report: Progress) -> Verdict:
        """The verdict on the one channel of `series`, and on its stretches where its rules change."""
        report("reading", 0.0)
        try:
            view = view_of(series, self.seed)
        except Refused as refusal:
            return insufficient(name, self.level, remedied(str(refusal), series))
        answers = self._asked(view, report)
        if answers and refused(answers[-1]):
            why = remedied(answers[-1].evidence.rstrip("."), series)
            return insufficient(name, self.level, why, answers)
        found = self._judged(name, view, answers)
        if not segments or (found.classes[0] != NONSTATIONARY and not found.settings["drift"]):
            return found
        return replace(found, segments=self._segments(name, series, report))

    def _asked(self, view: View, report: Progress) -> tuple[Step, ...]:
        """The answers of the steps, up to one that says that the data are not enough."""
        answers: list[Step] = []
        for number, step in enumerate(self.steps):
            report(step.question, number / len(self.steps))
            answers.append(step.ask(view))
            if refused(answers[-1]):
                break
        return tuple(answers)

    def _judged(self, name: str, view: View, answers: tuple[Step, ...]) -> Verdict:
        numbers = {key: value for step in answers for key, value in step.statistics.items()}
        answer = self.model.classify(numbers, self.level)
        classes, drift = answer.classes, drift_beyond(view)
        if drift and NONSTATIONARY not in classes:
            classes = (*classes, NONSTATIONARY)
        exponent, horizon = exponent_of(view, answers) if CHAOTIC in classes else (None, float("nan"))
        unit = view.channel.time_unit
        sentence = sentence_of(classes, self.level, exponent, unit, horizon)
        advised = advice(view, numbers, classes)
        if len(classes) > MOST_OPEN and advised:
            sentence = f"{sentence}; {advised[0][:1].lower()}{advised[0][1:]}"
        settings = {
            "seed": self.seed, "rows": view.channel.used, "samples": view.used or "all", "stride": view.stride,
            "chaos_p": answer.chaos_p, "drift": drift,
        }  # fmt: skip
        return Verdict(
            name, kind_of(classes), classes, self.level, sentence, answers, answer.probabilities, answer.p_values,
            holm(answers), dict(list(answer.evidence.items())[:8]),
            conflicts(answers, classes) + ((drift,) if drift else ()), advised, exponent, horizon, unit, {}, (),
            settings, str(self.model.about.get("version", "")),
        )  # fmt: skip

    def _segments(self, name: str, series: Series, report: Progress) -> tuple[Segment, ...]:
        """Verdicts on the stretches between changes of mean or variance, the longest ones, in order."""
        report("looking for changes", 0.9)
        edges = [0, *changes(series, self.seed), len(series)]
        pieces = [(a, b) for a, b in pairwise(edges) if b - a >= LEAST_SEGMENT]
        if len(pieces) < 2:
            return ()
        longest = sorted(sorted(pieces, key=lambda piece: piece[0] - piece[1])[:MOST_SEGMENTS])
        return tuple(
            Segment(a, b, self.channel(name, series.rows(a, b), False, lambda question, share: None))
            for a, b in longest
        )


def refused(step: Step) -> bool:
    """Whether the step that asks for enough data says that there are not."""
    return step.name == Enough.name and step.answer == "no"


def drift_beyond(view: View) -> str:
    """What speaks against one law for the whole of a long record, of which only a part is looked at; "" if nothing.

    The permutation test of `takens.stationarity` on all values, at 1 %. A record that is only thinned is seen whole.
    """
    if len(view.x) >= len(view.channel.x) // view.stride:
        return ""
    test = REGISTRY["stationarity"].on(view.channel, "x", seed=view.seed, permutations=499)
    if test.value is None or not test.admissible:
        return f"only a part was looked at, and for the whole drift cannot be excluded: {test.reason}"
    if test.value <= WHOLE_LEVEL:
        return f"only a part was looked at, and the whole changes slowly (p = {float(test.value):.2g})"
    return ""


def changes(series: Series, seed: int) -> list[int]:
    """Rows at which the mean or the variance of a channel changes; of long series every few rows are looked at."""
    stride = -(-len(series) // LONGEST)
    thinned = Series(series.times[::stride], series.values[::stride], series.channels, series.units, series.clock)
    rows: set[int] = set()
    for kind in ("mean", "variance"):
        estimate = REGISTRY["change_points"](thinned, model=kind, seed=seed)
        if estimate.admissible and estimate.value is not None:
            rows |= set(np.searchsorted(series.times, np.ravel(estimate.value).astype(float)).tolist())
    return sorted(rows - {0, len(series)})


def remedied(why: str, series: Series) -> str:
    """Why nothing can be said, with what would suffice where times are irregular or gaps leave too little."""
    if series.sampling.kind == "irregular":
        interval = in_words(series.interval, series.clock.unit)
        return f"times are irregular, and it needs resampling, for instance at {interval}"
    pieces = series.stretches()
    if len(pieces) > 1 and "value" in why and "different" not in why:
        why += f"; {len(pieces) - 1} gaps cut the record, so resample across those that are short"
    return why[:1].lower() + why[1:]
