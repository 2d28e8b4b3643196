"""The verdict: which kinds of dynamics a record leaves open, with stated confidence, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..durations import in_words
from ..estimate import plain
from .base import Step
from .classes import INSUFFICIENT, UNDETERMINED

MOST_OPEN = 3
"""Where more kinds than this are left open the verdict is "undetermined"."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a non-stationary record, rows `start` to `stop` of it, and the verdict on it alone."""

    start: int
    stop: int
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Rows and the verdict's answer as plain values."""
        one = self.verdict
        return {
            "start": self.start,
            "stop": self.stop,
            "kind": one.kind,
            "classes": list(one.classes),
            "sentence": one.sentence,
        }


@dataclass(frozen=True)
class Verdict:
    """What kind of dynamics a record shows: the `kind`, one of the classes, "undetermined" or "insufficient data".

    `classes` are those that cannot be excluded at `level`, most probable first: over records like those of the bank the
    true one is among them with that frequency. `probabilities` and conformal `p_values` are by class. `steps` hold the
    evidence, `adjusted` the p-values of the steps' tests by step, corrected for their number (Holm). `conflicts` name
    where a step and the answer disagree, `advice` what more would help, `deciding` the statistics that moved the answer
    most, with their part in its log odds. `exponent` is (value, low, high) per `time_unit` where chaos is open, and
    `horizon` the time after which forecasts lose their skill. `parts` are the verdicts of single channels or
    trajectories, `segments` those of stretches of a record whose rules change. `calibration` names the bank that the
    frequencies come from.
    """

    channel: str
    kind: str
    classes: tuple[str, ...]
    level: float
    sentence: str
    steps: tuple[Step, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    p_values: Mapping[str, float] = field(default_factory=dict)
    adjusted: Mapping[str, float] = field(default_factory=dict)
    deciding: Mapping[str, float] = field(default_factory=dict, repr=False)
    conflicts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    exponent: tuple[float, float, float] | None = None
    horizon: float = float("nan")
    time_unit: str = "step"
    parts: Mapping[str, Verdict] = field(default_factory=dict, repr=False)
    segments: tuple[Segment, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    calibration: str = ""

    def __str__(self) -> str:
        from .telling import lines

        return "\n".join(lines(self))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the curves as plain JSON values."""
        steps = [plain({k: v for k, v in vars(step).items() if k != "details"}) for step in self.steps]
        names = (
            "channel", "kind", "classes", "level", "sentence", "probabilities", "p_values", "adjusted", "deciding",
            "conflicts", "advice", "exponent", "horizon", "time_unit", "settings", "calibration",
        )  # fmt: skip
        found = {name: plain(getattr(self, name)) for name in names}
        parts = {name: part.to_dict() for name, part in self.parts.items()}
        return found | {"steps": steps, "parts": parts, "segments": [one.to_dict() for one in self.segments]}


def sentence_of(
    classes: tuple[str, ...], level: float, exponent: tuple[float, float, float] | None, time_unit: str, horizon: float
) -> str:
    """The verdict in one sentence, without a full stop; `horizon` is how far ahead forecasts keep skill."""
    sure = f"{100 * level:.0f} % confidence"
    if len(classes) > MOST_OPEN:
        return f"Cannot tell: {_listed(classes)} are all possible at {sure}"
    text = f"{_listed(classes).capitalize()}, with {sure}"
    if classes[0] == "chaotic" and exponent is not None:
        value, low, high = exponent
        per = time_unit if time_unit != "step" else "sample"
        text += f"; largest exponent {value:.2g} [{low:.2g}, {high:.2g}] per {per}"
        if value > 0:
            text += f", so forecasts lose skill after about {in_words(horizon, time_unit)}"
    return text


def _listed(classes: tuple[str, ...]) -> str:
    return classes[0] if len(classes) == 1 else f"{', '.join(classes[:-1])} or {classes[-1]}"


def insufficient(channel: str, level: float, why: str, steps: tuple[Step, ...] = ()) -> Verdict:
    """The verdict where no question can be asked, and why."""
    return Verdict(channel, INSUFFICIENT, (), level, f"Cannot tell: {why}", steps)


def kind_of(classes: tuple[str, ...]) -> str:
    """The one class that is left, or "undetermined"."""
    return classes[0] if len(classes) == 1 else UNDETERMINED
