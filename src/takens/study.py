"""One series, many models, rolling origins, one choice: what `takens study` runs and the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .estimate import Estimate
from .forecast import Forecast
from .models.base import Law
from .series import Series

if TYPE_CHECKING:
    from .measures.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """One thing the study found, in plain words: `title` in a few words, `text` in a sentence or two, its `evidence`.

    `figure` names the figure that shows it (see `Study.figures`), "" where there is none.
    """

    title: str
    text: str
    evidence: str = ""
    figure: str = ""


@dataclass(frozen=True)
class Study:
    """Everything a study found; the report, the JSON file and the command line only read it.

    `estimates` holds the measures by name ("name[channel]" where there are several channels), `verdicts` one verdict a
    channel, `candidates` all models (best first, then failed and skipped ones), `chosen` and `best_baseline` the names
    of the chosen model and the best baseline, `skill` each model's CRPS skill against the best baseline with its
    interval. `forecast` continues the series; `last_window` is (history, forecast, truth) of the last judging origin;
    `generated` is a free run of the chosen law and `observed` the rows it is compared with.
    """

    series: Series
    horizon: int
    estimates: Mapping[str, Estimate]
    verdicts: Mapping[str, Verdict]
    candidates: tuple[Candidate, ...]
    chosen: str
    best_baseline: str
    skill: Mapping[str, tuple[float, tuple[float, float]]]
    law: Law
    forecast: Forecast
    last_window: tuple[Series, Forecast, Series]
    observed: Series
    generated: Series
    findings: tuple[Finding, ...]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: float
    notes: Sequence[str] = field(default_factory=tuple)

    def candidate(self, name: str) -> Candidate:
        """The candidate of a model by its name."""
        return next(c for c in self.candidates if c.model == name)
