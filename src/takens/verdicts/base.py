"""The contract of a step: one question about a channel, answered with evidence and with numbers for the calibration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from ..errors import TakensError
from ..measures.base import Refused
from .view import View

NAN = float("nan")


@dataclass(frozen=True)
class Step:
    """One question of the procedure: its answer, the evidence in plain words, and the numbers behind it.

    `statistic` names what was looked at, `value` is its size (the effect), `p_value` how often the `null` would show as
    much, `level` what it is compared with, `threshold` the rule in words. `statistics` are the numbers that the
    calibrated model sees; `details` holds curves for the figure.
    """

    name: str
    question: str
    answer: str
    evidence: str
    statistic: str = ""
    value: float | None = None
    null: str = ""
    p_value: float | None = None
    level: float | None = None
    threshold: str = ""
    admissible: bool = True
    statistics: Mapping[str, float] = field(default_factory=dict, repr=False)
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


class Inquiry(ABC):
    """A question one can ask of a `View`. To put another in its place, give `takens.verdict` other `steps`."""

    name: ClassVar[str]
    question: ClassVar[str]
    statistics: ClassVar[tuple[str, ...]]
    """Names of the numbers that `look` gives; one that could not be computed is NaN."""

    @abstractmethod
    def look(self, view: View) -> Step:
        """The answer. May raise `Refused` or a `TakensError` where the data do not allow one."""

    @final
    def ask(self, view: View) -> Step:
        """The answer, with every statistic named; "cannot be said" where the data do not allow one."""
        from dataclasses import replace

        try:
            step = self.look(view)
        except (Refused, TakensError) as refusal:
            reason = getattr(refusal, "cause", None) or str(refusal)
            step = Step(
                self.name, self.question, "cannot be said", f"{reason[:1].upper()}{reason[1:]}.", admissible=False
            )
        found = {name: float(step.statistics.get(name, NAN)) for name in self.statistics}
        return replace(step, statistics=found)
