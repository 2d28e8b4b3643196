"""What a study found, in plain words: each finding a sentence with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .durations import every, in_words
from .estimate import Estimate
from .wording import counted, distinct, number, percent, signed

if TYPE_CHECKING:
    from .study import Study
    from .verdicts.result import Verdict


STATE, SPECTRUM = "state_space_divergence", "spectral_hellinger"


@dataclass(frozen=True)
class Finding:
    """One thing the study found: `title` in a few words, `text` in a sentence or two, and the `evidence` for it.

    `figure` names the part of the report that shows it, "" where there is none.
    """

    title: str
    text: str
    evidence: str = ""
    figure: str = ""


def findings(study: Study) -> Iterator[Finding]:
    """The findings of a study, most important first: dynamics, data, time scales, best model, forecast, climate."""
    yield from _verdict(study)
    yield _data(study)
    yield from _periods(study)
    yield from _choice(study)
    yield _calibration(study)
    yield from _valid_time(study)
    yield from _climate(study)
    yield _forecast(study)


def _of(study: Study, name: str) -> Iterator[tuple[str, Estimate]]:
    """(channel, estimate) of a measure in every measured channel."""
    for key, estimate in study.estimates.items():
        if key == name or key.startswith(f"{name}["):
            yield estimate.channel or study.series.channels[0], estimate


def _named(study: Study, channel: str) -> str:
    return "" if len(study.series.channels) == 1 else f"{channel}: "


def _data(study: Study) -> Finding:
    series, sampling = study.series, study.series.sampling
    rows, columns = series.shape
    unit = series.clock.unit
    missing = int(np.isnan(series.values).sum())
    text = f"{counted(rows, 'row')} of {counted(columns, 'channel')}, one {every(sampling.interval, unit)}"
    text += f", over {in_words(series.duration, unit)}."
    problems = []
    if sampling.gaps:
        lost = sum(count for _, count in sampling.gaps)
        problems.append(f"{counted(len(sampling.gaps), 'gap')} with {counted(lost, 'missing row')}")
    if missing:
        problems.append(counted(missing, "missing value"))
    text += f" It has {' and '.join(problems)}." if problems else " Nothing is missing."
    return Finding("The data", text, "sampling " + sampling.kind, "series")


def _verdict(study: Study) -> Iterator[Finding]:
    found, shown = study.verdict, list(study.verdicts.items())
    yield Finding("Kind of dynamics", f"{found.sentence}.", _answers(found), "verdict")
    for channel, verdict in shown[:3] if len(shown) > 1 else []:
        yield Finding("Kind of dynamics", f"{channel} alone: {verdict.sentence}.", _answers(verdict), "verdict")
    if len(shown) > 3:
        yield Finding("Kind of dynamics", f"{len(shown) - 3} more channels have their verdicts below.", "", "verdict")


def _answers(verdict: Verdict) -> str:
    """Question and answer of each step of a verdict."""
    return "; ".join(f"{step.question} {step.answer[:1].upper()}{step.answer[1:]}" for step in verdict.steps)


def _periods(study: Study) -> Iterator[Finding]:
    for index, (channel, estimate) in enumerate(list(_of(study, "dominant_periods"))[:3]):
        if not estimate.admissible or estimate.value is None:
            text = f"Cycles could not be tested: {estimate.reason}."
        elif len(estimate.value) == 0:
            text = "No cycle stands out from red noise."
        else:
            narrow = np.asarray(estimate.details["narrow"], dtype=bool)
            sharp, broad = estimate.value[narrow], estimate.value[~narrow]
            parts = [f"regular cycles of {_listed(sharp, estimate.unit)}"] if len(sharp) else []
            parts += (
                [f"broad peaks near {_listed(broad, estimate.unit)}, which are no regular cycles"] if len(broad) else []
            )
            text = f"Out of the noise stand {' and '.join(parts)}."
        figure = f"spectrum-{index + 1}" if index else "spectrum"
        yield Finding("Cycles", _named(study, channel) + text, estimate.method, figure)


def _listed(periods: np.ndarray, unit: str) -> str:
    """The first three periods in words."""
    words = [in_words(float(period), unit) for period in periods[:3]]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


SPELLED = {
    "nvar": "NVAR", "s_map": "S-map", "almost_linear_rnn": "almost-linear RNN", "shallow_plrnn": "shallow PLRNN",
    "neural_ode": "neural ODE", "hippo_predictor": "HiPPO predictor", "cycle_net": "CycleNet",
}  # fmt: skip
"""Models whose names in code cannot spell what they are called."""


def label(model: str) -> str:
    """The name of a model for people: `nearest_neighbour` becomes `nearest neighbour`."""
    return SPELLED.get(model, model.replace("_", " "))


def _choice(study: Study) -> Iterator[Finding]:
    chosen, baseline = study.chosen, study.best_baseline
    span = in_words(study.horizon * study.series.interval, study.series.clock.unit)
    evidence = f"{len(study.plan.origins)} forecasts of {span} from rows that no model had seen"
    if chosen == baseline:
        best = next((c for c in study.candidates if c.ok and not c.baseline), None)
        text = f"No model beats the best baseline, {label(baseline)}, so the forecast is the baseline's."
        if best is not None:
            text += f" The nearest, {label(best.model)}, has a skill of {_ranged(*study.skill[best.model])}."
        yield Finding("No model beats the baseline", text, evidence, "skill")
        return
    skill, ends = study.skill[chosen]
    name, than = label(chosen), "smaller" if skill > 0 else "larger"
    much = "over 99 %" if skill > 0.99 else percent(abs(skill))
    text = f"{name[0].upper()}{name[1:]} forecasts best: over {span} its error (CRPS) is {much} {than} "
    text += f"than that of the best baseline, {label(baseline)} (skill {_ranged(skill, ends)})."
    rehearsal = study.choice.rehearsal
    if rehearsal.chosen != chosen or rehearsal.interval[0] <= 0:
        text += f" Chosen on the first half of the forecasts alone, {label(rehearsal.chosen)} had a skill of "
        text += (
            f"{_ranged(rehearsal.skill, rehearsal.interval)} on the second half: the advantage is not certain to last."
        )
    yield Finding("Best model", text, evidence, "skill")


def _ranged(skill: float, ends: tuple[float, float]) -> str:
    return f"{signed(skill)} [{signed(ends[0])}, {signed(ends[1])}]"


def _calibration(study: Study) -> Finding:
    candidate = study.candidate(study.chosen)
    coverage = candidate.scores["coverage"] or 0.0
    if coverage < 0.85:
        word = "too narrow: treat them as optimistic"
    elif coverage > 0.95:
        word = "a little too wide: the truth is closer to the middle than they say"
    else:
        word = "honest"
    text = f"The 90 % intervals held the truth in {percent(coverage)} of the cases, so they are {word}."
    return Finding("Uncertainty", text, f"{len(study.plan.origins)} forecasts", "calibration")


def _valid_time(study: Study) -> Iterator[Finding]:
    candidate = study.candidate(study.chosen)
    valid = candidate.scores.get("valid_time")
    if valid is None:
        return
    unit = study.series.clock.unit
    if valid >= study.horizon * study.series.interval * 0.999:
        text = f"Forecasts stay useful over the whole horizon of {in_words(valid, unit)}."
    elif valid <= study.series.interval:
        text = "Single forecasts are off by more than 0.4 standard deviations from the first step or two."
    else:
        text = f"Single forecasts stay within 0.4 standard deviations for {in_words(valid, unit)} (median)."
    exponents = [e for _, e in _of(study, "largest_lyapunov_exponent") if e.admissible and e.value and e.value > 0]
    if exponents:
        rate = max(float(e) for e in exponents)
        text += f" That is {valid * rate:.2g} Lyapunov times; one is {in_words(1 / rate, unit)}."
    yield Finding("How far ahead", text, "valid prediction time, normalised error above 0.4", "fan")


def _climate(study: Study) -> Iterator[Finding]:
    candidate = study.candidate(study.chosen)
    value, floor = candidate.scores.get(STATE), candidate.floors.get(STATE)
    if value is None or floor is None:
        return
    spectrum = candidate.scores.get(SPECTRUM)
    if floor > 1.5:  # two halves of the data hardly overlap: nothing can be said about a third
        text = (
            "The data are too few, or change too much, to say where a long free run should go: their two halves differ"
        )
        yield Finding("Long-run behaviour", f"{text} by {floor:.2g} nats.", "state-space divergence", "climate")
        return
    good = value < 2 * max(floor, 0.05)
    text = "A long free run of the law " + ("visits the same states as the data" if good else
                                           "does not reproduce the states that the data visit")  # fmt: skip
    text += f" (divergence {value:.2g}; two halves of the data differ by {floor:.2g})."
    evidence = (
        "" if spectrum is None else f"spectral distance {spectrum:.2g} (floor {candidate.floors.get(SPECTRUM):.2g})"
    )
    yield Finding("Long-run behaviour", text, evidence, "climate")


def _forecast(study: Study) -> Finding:
    forecast, series = study.forecast, study.series
    low, high = forecast.interval(0.9)
    channel = 0
    unit = f" {series.units[channel]}".rstrip()
    when = forecast.clock.words(forecast.times[-1:])[0]
    middle, ends = forecast.median[-1, channel], (low[-1, channel], high[-1, channel])
    least, most = distinct(*ends)
    text = f"At the end of the horizon ({when}), {series.channels[channel]} is expected at {number(middle, 4)}{unit}, "
    if ends[0] == ends[1]:
        text += "and every sample of the forecast says the same."
    else:
        text += f"with 90 % between {least} and {most}{unit}."
    return Finding("Forecast", text, f"{label(study.chosen)}, refitted on all data", "forecast")
