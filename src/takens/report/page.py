"""The report: one self-contained HTML page from a finished study."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..durations import every
from ..estimate import Estimate
from ..findings import SPECTRUM, STATE
from ..forecast import Forecast
from ..wording import counted
from . import words
from .document import QUANTILES, channel_facts
from .judgement import VerdictPlates, draw_verdict, shown
from .orbit import POINTS, Orbit, delay_of, orbit
from .plate import Plate, Press
from .plates import CURVES, Draughtsman
from .sources import references
from .templates import environment, text_of

if TYPE_CHECKING:
    from ..study import Study

OPEN, DRAWN, ORBITS = 2, 4, 3
"""Channels that are unfolded, that have figures of their own, and that can be turned in the viewer."""
SCALES = ("time scales", "periods", "embedding")
"""Families of measures that are listed under the time scales."""
TABLE_STEPS = 12
"""Steps of the forecast that the page lists; forecast.csv has all."""


@dataclass(frozen=True)
class ChannelView:
    """What the page shows of one channel: plates, and the estimates as table rows."""

    name: str
    unit: str
    first: bool
    open: bool
    alone: bool
    verdict: dict[str, Any] | None
    scales: list[dict[str, Any]]
    others: list[dict[str, Any]]
    spectrum: Plate | None = None
    delay: Plate | None = None
    complexity: Plate | None = None
    divergence: Plate | None = None
    embedding: Plate | None = None
    autocorrelation: Plate | None = None
    recurrence: Plate | None = None
    neighbours: Plate | None = None
    surrogates: Plate | None = None
    stationarity: Plate | None = None


def render(study: Study) -> str:
    """The report of a study as the text of one HTML file, which needs no other file and no network.

    Findings come first, then data, time scales, verdict, shape, models, forecast, calibration, long-run behaviour, how
    to reproduce, and sources. Every number and setting is there, folded. Cost: about a third of a second a figure;
    size bounded for any number of rows and channels (figures are thinned, and drawn for the first channels only).
    """
    drawn = _draw(study)
    page = environment().get_template("report.html.j2")
    return page.render(study=study, **drawn, **_tables(study), css=text_of("report.css"), script=text_of("viewer.js"))


def _draw(study: Study) -> dict[str, Any]:
    """All plates in the order of the page, which numbers them, and what refers to them."""
    draw = Draughtsman(study, Press())
    plates: dict[str, Plate] = {"series": draw.series()}
    estimates = _by_channel(study)
    scales = {name: _draw_scales(draw, i, name, found) for i, (name, found) in enumerate(estimates.items())}
    together = draw_verdict(draw.press, study.verdict, "-together", steps=False) if study.verdict.parts else None
    dynamics, judged = {}, {}
    for i, (name, found) in enumerate(estimates.items()):
        if i < OPEN and name in study.verdicts:
            judged[name] = draw_verdict(draw.press, study.verdicts[name], f"-{i + 1}" if i else "")
        dynamics[name] = _draw_dynamics(draw, i, name, found)
    orbits = _orbits(study)
    if orbits:
        plates["attractor"] = draw.attractor(orbits[0])
    for name in ("skill", "fan", "forecast", "calibration", "climate", "climate_spectrum"):
        plates[name] = getattr(draw, name)()
    channels = [
        _channel(study, i, name, found, judged.get(name), scales[name] | dynamics[name])
        for i, (name, found) in enumerate(estimates.items())
    ]
    drawn = [*plates.values(), *(p for group in (*scales.values(), *dynamics.values()) for p in group.values() if p)]
    return {
        "plates": plates, "channels": channels,
        "together": shown(study.verdict, together) if study.verdict.parts else None,
        "orbits": orbits, "payload": [o.payload() for o in orbits],
        "findings": _findings(study, {p.anchor: p for p in drawn}), "contents": _contents(bool(orbits)),
    }  # fmt: skip


def _by_channel(study: Study) -> dict[str, dict[str, Estimate]]:
    """The estimates of each measured channel by measure."""
    channels = list(study.verdicts) or [study.series.channels[0]]
    found: dict[str, dict[str, Estimate]] = {name: {} for name in channels}
    for key, estimate in study.estimates.items():
        measure, _, bracket = key.partition("[")
        name = bracket[:-1] if bracket else channels[0]
        found.setdefault(name, {})[measure] = estimate
    return found


def _draw_scales(draw: Draughtsman, index: int, name: str, found: Mapping[str, Estimate]) -> dict[str, Plate | None]:
    if index >= DRAWN:
        return {}
    tail = f"-{index + 1}" if index else ""
    return {
        "spectrum": draw.spectrum(found.get("dominant_periods"), name, f"spectrum{tail}"),
        "autocorrelation": draw.curve(CURVES["autocorrelation"], found.get("autocorrelation"), name, tail),
        "delay": draw.delay(found.get("delay_mutual_information"), name, f"delay{tail}"),
    }


def _draw_dynamics(draw: Draughtsman, index: int, name: str, found: Mapping[str, Estimate]) -> dict[str, Plate | None]:
    if index >= DRAWN:
        return {}
    tail = f"-{index + 1}" if index else ""

    def curve(measure: str) -> Plate | None:
        return draw.curve(CURVES[measure], found.get(measure), name, tail)

    entropy, complexity = found.get("permutation_entropy"), found.get("statistical_complexity")
    return {
        "complexity": draw.complexity(entropy, complexity, name, f"complexity{tail}"),
        "recurrence": curve("recurrence_determinism") if index < OPEN else None,
        "divergence": draw.divergence(found.get("largest_lyapunov_exponent"), name, f"divergence{tail}"),
        "embedding": draw.embedding(found.get("embedding_dimension_cao"), name, f"embedding{tail}"),
        "neighbours": curve("false_nearest_neighbours"),
        "surrogates": curve("surrogate_test"),
        "stationarity": curve("stationarity"),
    }


def _channel(
    study: Study, index: int, name: str, found: Mapping[str, Estimate], judged: VerdictPlates | None,
    plates: Mapping[str, Plate | None],
) -> ChannelView:  # fmt: skip
    from ..measures import REGISTRY

    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for measure, estimate in found.items():
        value, interval = words.estimate_value(estimate)
        scale = measure in REGISTRY and REGISTRY[measure].family in SCALES
        rows[scale].append({
            "label": words.measure_label(measure), "estimate": estimate, "value": value, "interval": interval,
            "settings": words.settings(estimate.settings),
        })  # fmt: skip
    unit = study.series.units[study.series.channels.index(name)]
    verdict = study.verdicts.get(name)
    return ChannelView(
        name, unit, index == 0, index < OPEN, len(study.series.channels) == 1,
        None if verdict is None else shown(verdict, judged), rows[True], rows[False], **plates,
    )  # fmt: skip


def _orbits(study: Study) -> list[Orbit]:
    """The delay-embedded orbits of the first measured channels; further channels with fewer points."""
    found: list[Orbit] = []
    for name in list(study.verdicts)[:ORBITS] or study.series.channels[:1]:
        rows, _ = delay_of(study.estimates, name, study.series.interval)
        made = orbit(study.series, name, rows, limit=POINTS if not found else POINTS // 3)
        if made is not None:
            found.append(made)
    return found


def _findings(study: Study, plates: Mapping[str, Plate]) -> list[dict[str, Any]]:
    """The findings with a link to the figure or section that shows each."""
    sections = {"verdict": "See the steps"}
    told = []
    for finding in study.findings:
        plate = plates.get(finding.figure)
        where = f"Figure {plate.number}" if plate is not None and plate.number else sections.get(finding.figure, "")
        told.append({
            "title": finding.title, "text": finding.text, "evidence": finding.evidence, "where": where,
            "link": finding.figure if where else "",
        })  # fmt: skip
    return told


def _contents(shape: bool) -> list[tuple[str, str]]:
    entries = [("findings", "Findings"), ("data", "Data"), ("scales", "Time scales"), ("dynamics", "Kind of dynamics")]
    entries += [("shape", "Shape")] * shape
    entries += [("models", "Models"), ("forecasts", "Forecast"), ("honesty", "Calibration"), ("longrun", "Long run")]
    return [*entries, ("reproduce", "Reproduce"), ("references", "Sources")]


def _tables(study: Study) -> dict[str, Any]:
    """Everything on the page that is not a figure."""
    from ..io.reading import reading_of

    series = study.series
    rows, columns = series.shape
    first, last = series.clock.words(series.times[[0, -1]])
    facts = f"{counted(rows, 'row')}, {counted(columns, 'channel')}, one row "
    facts += every(series.interval, series.clock.unit)
    facts += f", from {first} to {last}" if series.clock.origin is not None else ""
    scored = [c for c in study.candidates if c.ok]
    gained = gains(study)
    reading = series.reading if series.reading is not None else reading_of(series)
    return {
        "facts": facts + ".",
        "reading": reading.lines(),
        "channel_facts": channel_facts(series),
        "models": [_model(study, c, gained) for c in study.candidates],
        "score_keys": list(dict.fromkeys(key for c in scored for key in c.scores)),
        "time_unit": series.clock.unit,
        "forecast_tables": _forecast_tables(study.forecast),
        "command": command(study),
        "provenance": _provenance(study),
        "references": references(study),
    }


def gains(study: Study) -> dict[str, float]:
    """By how much each model lowered the best CRPS of those that were tried before it; those that did."""
    tried = [*study.settings["models"], "stack"]
    scored = sorted((c for c in study.candidates if c.ok), key=lambda c: tried.index(c.model))
    found: dict[str, float] = {}
    best = np.inf
    for candidate in scored:
        level = float(candidate.scores["crps"] or 0.0)
        if level < best and np.isfinite(best) and best > 0:
            found[candidate.model] = 1 - level / best
        best = min(best, level)
    return found


def _model(study: Study, candidate: Any, gained: Mapping[str, float]) -> dict[str, Any]:
    skill, ends = study.skill.get(candidate.model, (None, None))
    keys = ("crps", "coverage", "valid_time", STATE, SPECTRUM)
    return {
        "candidate": candidate, "label": words.label(candidate.model), "chosen": candidate.model == study.chosen,
        "skill": words.signed(skill) if candidate.model != study.best_baseline else "reference",
        "skill_interval": f"{words.signed(ends[0])} to {words.signed(ends[1])}"
        if ends is not None and candidate.model != study.best_baseline else "",
        "scores": dict.fromkeys(keys) | dict(candidate.scores), "floors": dict.fromkeys(keys) | dict(candidate.floors),
        "seconds": candidate.fit_seconds + candidate.forecast_seconds,
        "gain": words.percent(gained[candidate.model]) if candidate.model in gained else "",
        "settings": words.settings(candidate.settings),
    }  # fmt: skip


def _forecast_tables(forecast: Forecast) -> list[dict[str, Any]]:
    steps = np.unique(np.linspace(0, forecast.horizon - 1, TABLE_STEPS).round().astype(int))
    quantiles = np.stack([forecast.quantile(q)[steps] for q in QUANTILES], axis=-1)
    labels = forecast.clock.words(forecast.times[steps])
    return [
        {"channel": channel, "unit": forecast.units[c],
         "rows": [(labels[k], quantiles[k, c]) for k in range(len(steps))]}
        for c, channel in enumerate(forecast.channels[:DRAWN])
    ]  # fmt: skip


def command(study: Study) -> str:
    """The command line that repeats the study: the one that was typed if it is known, else one made of its settings."""
    settings = study.settings
    argv = settings.get("argv")
    if argv:
        return shlex.join(str(part) for part in argv)
    parts = ["takens", "study", study.series.source or "FILE", "--horizon", str(study.horizon)]
    parts += ["--budget", f"{settings['budget_seconds']:g}s"] if "budget_seconds" in settings else []
    parts += ["--seed", str(settings["seed"])] if "seed" in settings else []
    return shlex.join(parts)


def _provenance(study: Study) -> list[tuple[str, str]]:
    pairs = [
        (key.replace("_", " ").capitalize(), words.setting(value))
        for key, value in study.settings.items() if key != "argv" and value != {}
    ]  # fmt: skip
    pairs.append(("Computing time", f"{study.seconds:.0f} s"))
    pairs += [(f"Version of {name}", version) for name, version in study.versions.items()]
    return pairs + [("Note", note) for note in study.notes]
