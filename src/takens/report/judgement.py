"""What the page shows of a verdict: the bar, the steps with a figure each, and all one needs to argue with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..verdicts.classes import CLASSES, MEANINGS
from ..verdicts.glossary import in_words
from ..verdicts.telling import looked_at, reasons, tested
from . import captions, words
from .plate import Plate, Press

if TYPE_CHECKING:
    from ..verdicts.base import Step
    from ..verdicts.result import Verdict


@dataclass(frozen=True)
class VerdictPlates:
    """The figures of one verdict: the bar of the kinds, and one for each step by its name."""

    bar: Plate
    steps: Mapping[str, Plate]


def draw_verdict(press: Press, verdict: Verdict, tail: str, steps: bool = True) -> VerdictPlates | None:
    """The plates of a verdict, its anchors ending in `tail`; None where there are no probabilities to draw."""
    from .. import figures

    if not verdict.probabilities:
        return None
    title = f"What {verdict.channel} may be"
    bar = press.plate(f"kinds{tail}", title, lambda: figures.verdict_figure(verdict), captions.kinds(verdict.level))
    made: dict[str, Plate] = {}
    for number, step in enumerate(verdict.steps if steps else ()):
        if step.details:
            title, caption = step.question.rstrip("?"), captions.STEPS.get(step.name, "")
            drawing = partial(figures.step_figure, step)
            made[step.name] = press.plate(f"step-{number + 1}{tail}", title, drawing, caption)
    return VerdictPlates(bar, made)


def shown(verdict: Verdict, plates: VerdictPlates | None) -> dict[str, Any]:
    """A verdict as the template reads it."""
    steps = [
        {
            "question": step.question, "answer": step.answer, "evidence": step.evidence, "mood": _mood(step),
            "numbers": tested(step, verdict.adjusted), "plate": plates.steps.get(step.name) if plates else None,
        }
        for step in verdict.steps
    ]  # fmt: skip
    kinds = [
        {
            "name": name, "meaning": MEANINGS[name], "probability": words.percent(verdict.probabilities[name]),
            "p": words.p_value(verdict.p_values[name]), "kept": name in verdict.classes,
        }
        for name in CLASSES if verdict.probabilities
    ]  # fmt: skip
    return {
        "sentence": f"{verdict.sentence}.", "level": verdict.level, "steps": steps, "kinds": kinds,
        "bar": plates.bar if plates else None, "reasons": reasons(verdict), "conflicts": verdict.conflicts,
        "advice": verdict.advice, "segments": _segments(verdict), "looked_at": looked_at(verdict),
        "parts": [(name, f"{part.sentence}.") for name, part in verdict.parts.items()],
        "statistics": _statistics(verdict), "calibration": verdict.calibration,
        "chaos_p": verdict.settings.get("chaos_p"),
    }  # fmt: skip


def _mood(step: Step) -> str:
    if not step.admissible:
        return "doubt"
    return "yes" if step.answer.lower().startswith("yes") else "no"


def _segments(verdict: Verdict) -> list[tuple[str, str]]:
    return [(f"Rows {one.start:,} to {one.stop - 1:,}", f"{one.verdict.sentence}.") for one in verdict.segments]


def _statistics(verdict: Verdict) -> list[dict[str, Any]]:
    """Every statistic of every step, with its part in the log odds of the first kind where it counted most."""
    return [
        {
            "step": step.name, "name": name, "words": in_words(name), "value": words.number(value),
            "part": words.number(verdict.deciding[name], 2) if name in verdict.deciding else "",
        }
        for step in verdict.steps
        for name, value in step.statistics.items()
    ]  # fmt: skip
