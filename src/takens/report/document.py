"""The study as one JSON document: every number, setting and version, with long curves thinned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..estimate import plain
from ..forecast import Forecast

if TYPE_CHECKING:
    from ..candidate import Candidate
    from ..series import Series
    from ..study import Study

FORMAT = 1
CURVE = 400
"""Most points of a curve in the document; longer ones are thinned evenly and say so."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def report_json(study: Study) -> dict[str, Any]:
    """Everything a study found as plain JSON values; NaN and infinity are null.

    Curves behind the estimates are thinned to 400 points, the PIT values counted in 20 bins; all else is complete.
    """
    history, window, truth = study.last_window
    return {
        "format": "takens study",
        "format_version": FORMAT,
        "series": _series(study.series),
        "findings": [plain(asdict(finding)) for finding in study.findings],
        "verdict": study.verdict.to_dict(),
        "verdicts": {channel: verdict.to_dict() for channel, verdict in study.verdicts.items()},
        "estimates": {key: _estimate(estimate) for key, estimate in study.estimates.items()},
        "models": {
            "chosen": study.chosen,
            "best_baseline": study.best_baseline,
            "horizon": study.horizon,
            "plan": plain(asdict(study.plan)),
            "skill": {name: {"value": plain(s), "interval": plain(i)} for name, (s, i) in study.skill.items()},
            "rehearsal": plain(asdict(study.choice.rehearsal)),
            "candidates": [_candidate(candidate) for candidate in study.candidates],
        },
        "forecast": _forecast(study.forecast),
        "last_window": {"history_rows": len(history), **_forecast(window), "truth": plain(truth.values)},
        "settings": plain(study.settings),
        "versions": plain(study.versions),
        "seconds": plain(study.seconds),
        "notes": list(study.notes),
    }


def _series(series: Series) -> dict[str, Any]:
    sampling, clock = series.sampling, series.clock
    ends = clock.labels(series.times[[0, -1]])
    facts = {
        "name": series.name, "source": series.source, "rows": len(series), "channels": series.channels,
        "units": series.units, "clock": {"unit": clock.unit, "origin": clock.origin, "timezone": clock.timezone},
        "first": ends[0], "last": ends[1], "interval": sampling.interval, "spread": sampling.spread,
        "sampling": sampling.kind, "gaps": sampling.gaps[:CURVE], "gap_count": len(sampling.gaps),
        "summary": channel_facts(series),
    }  # fmt: skip
    return plain(facts) | ({} if series.reading is None else {"reading": series.reading.to_dict()})


def channel_facts(series: Series) -> list[dict[str, Any]]:
    """Of each channel: present and missing values, mean, standard deviation, smallest, median and largest value."""
    facts = []
    for name, unit, column in zip(series.channels, series.units, series.values.T, strict=True):
        x = column[np.isfinite(column)]
        found: dict[str, Any] = {"channel": name, "unit": unit, "present": len(x), "missing": len(column) - len(x)}
        if len(x):
            found |= {"mean": x.mean(), "standard_deviation": x.std(), "smallest": x.min()}
            found |= {"median": np.median(x), "largest": x.max()}
        facts.append(plain(found))
    return facts


def _estimate(estimate: Any) -> dict[str, Any]:
    return estimate.to_dict() | {"details": thinned(estimate.details)}


def thinned(details: Mapping[str, Any]) -> dict[str, Any]:
    """`details` as JSON values with arrays of more than 400 rows thinned evenly; `thinned` names them."""
    out: dict[str, Any] = {}
    cut: dict[str, int] = {}
    for key, value in details.items():
        long = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)
        count = len(value) if long else 0
        if count > CURVE:
            rows = np.unique(np.linspace(0, count - 1, CURVE).round().astype(int))
            cut[key] = count
            value = [value[row] for row in rows]
        out[key] = plain(value)
    return out | ({"thinned": cut} if cut else {})


def _candidate(candidate: Candidate) -> dict[str, Any]:
    found = candidate.to_dict()
    pit = np.asarray(found.pop("pit"), dtype=float)
    counts = np.histogram(pit[np.isfinite(pit)], bins=20, range=(0, 1))[0]
    return found | {"pit_counts": counts.tolist()}


def _forecast(forecast: Forecast) -> dict[str, Any]:
    """Times, mean and quantiles `(horizon, channel)` of a forecast."""
    return {
        "times": plain(forecast.times), "labels": forecast.clock.labels(forecast.times),
        "channels": list(forecast.channels), "members": len(forecast.samples), "mean": plain(forecast.mean),
        "quantiles": {f"{q:g}": plain(forecast.quantile(q)) for q in QUANTILES},
    }  # fmt: skip
