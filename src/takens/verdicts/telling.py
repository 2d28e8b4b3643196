"""A verdict in words: the sentence, what is possible, the steps, what decided, what disagrees, what would help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..wording import number, p_value, percent
from .base import Step
from .classes import MEANINGS
from .glossary import in_words

if TYPE_CHECKING:
    from .result import Verdict

REASONS = 3
"""Statistics named for the answer, and as many against it."""


def lines(verdict: Verdict, *, numbers: bool = False) -> list[str]:
    """The verdict as lines of text; with `numbers` each step's statistic, null, p-value and threshold.

    Of several views the joint verdict comes first, then the sentence of each.
    """
    told = [f"{verdict.channel}: {verdict.sentence}."]
    told += [
        f"  {name[:1].upper()}{name[1:]} ({percent(verdict.probabilities[name])}): {MEANINGS[name]}."
        for name in verdict.classes
    ]
    told += [f"  {name}: {part.sentence}." for name, part in verdict.parts.items()]
    if verdict.parts and verdict.probabilities:
        told.append(f"  The steps of the clearest view, {verdict.settings['steps of']}:")
    for step in verdict.steps:
        told.append(f"  {step.question} {answered(step)}")
        if numbers and step.statistic:
            told.append(f"    {tested(step, verdict.adjusted)}")
    told += [f"  {text}" for text in reasons(verdict)]
    told += [f"  But {conflict}." for conflict in verdict.conflicts]
    told += [f"  More would be known: {advice[:1].lower()}{advice[1:]}." for advice in verdict.advice]
    for one in verdict.segments:
        told.append(f"  Rows {one.start:,} to {one.stop - 1:,} alone: {one.verdict.sentence}.")
    told += [f"  {text}" for text in looked_at(verdict)]
    return told


def answered(step: Step) -> str:
    """The answer and the evidence of a step."""
    return f"{step.answer[:1].upper()}{step.answer[1:]}. {step.evidence}"


def tested(step: Step, adjusted: Mapping[str, float]) -> str:
    """What a step compared with what: statistic, null, p-value alone and corrected for the number of tests, rule."""
    parts = [f"{step.statistic}: {number(step.value)}"] if step.statistic else []
    if step.p_value is not None:
        corrected = adjusted.get(step.name)
        more = "" if corrected is None else f", {p_value(corrected)} corrected for the number of tests"
        parts.append(f"p = {p_value(step.p_value)}{more}; null: {step.null}".replace("= <", "<"))
    if step.threshold:
        parts.append(f"rule: {step.threshold}")
    return "; ".join(parts)


def reasons(verdict: Verdict) -> list[str]:
    """The statistics that moved the most probable kind's odds most, in words with their values: for it and against."""
    if not verdict.deciding:
        return []
    values = {name: value for step in verdict.steps for name, value in step.statistics.items()}
    told = []
    for word, side in (("For", 1), ("Against", -1)):
        names = [name for name, part in verdict.deciding.items() if side * part > 0][:REASONS]
        listed = [f"{in_words(name)}, {number(values.get(name))}" for name in names]
        if listed:
            told.append(f"{word} {verdict.classes[0]} speaks most: {'; '.join(listed)}.")
    return told


def looked_at(verdict: Verdict) -> list[str]:
    """Which part of the record was looked at, where it was not all of it."""
    parts = [str(verdict.settings.get(key, "all")) for key in ("rows", "samples")]
    plain = r", one in 1 of \d+ rows|the middle (\d+) of \1 samples, "  # nothing thinned, nothing cut
    left_out = [re.sub(plain, "", part) for part in parts if part != "all"]
    return [f"Looked at: {'; '.join(left_out)}."] if left_out else []
