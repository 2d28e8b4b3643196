"""One verdict for several views of one system: channels, or trajectories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .classes import CHAOTIC, CLASSES, NONSTATIONARY
from .interpretation import conflicts
from .result import Verdict, kind_of, sentence_of


def joint(found: Mapping[str, Verdict], level: float) -> Verdict:
    """One verdict for several views of one system: p-values by twice their mean, probabilities by geometric mean.

    Twice the mean of p-values is a p-value however they depend (Vovk & Wang, Biometrika 107, 791, 2020). Views with
    insufficient data count only where all have. The steps are those of the view whose answer is clearest.
    """
    names = " and ".join(found) if len(found) < 4 else f"{len(found)} views"
    seen = {name: one for name, one in found.items() if one.probabilities}
    if not seen:
        first = next(iter(found.values()))
        return Verdict(names, first.kind, (), level, first.sentence, first.steps, parts=found)
    p_values = {c: min(1.0, 2 * float(np.mean([one.p_values[c] for one in seen.values()]))) for c in CLASSES}
    logs = np.array([[np.log(max(one.probabilities[c], 1e-6)) for c in CLASSES] for one in seen.values()]).mean(axis=0)
    weights = np.exp(logs - logs.max())
    probabilities = dict(zip(CLASSES, (weights / weights.sum()).tolist(), strict=True))
    order = sorted(CLASSES, key=lambda c: -probabilities[c])
    classes = tuple(c for i, c in enumerate(order) if i == 0 or p_values[c] > 1 - level + 1e-9)
    if classes == (CHAOTIC,) and not any(one.classes == (CHAOTIC,) for one in seen.values()):
        classes = (CHAOTIC, order[1])  # no view alone passes the stricter test for chaos
    drifts = tuple(f"{name}: {one.settings['drift']}" for name, one in seen.items() if one.settings.get("drift"))
    if drifts and NONSTATIONARY not in classes:
        classes = (*classes, NONSTATIONARY)
    agreeing = [one for one in seen.values() if one.classes[0] == classes[0]] or list(seen.values())
    clearest = min(agreeing, key=lambda one: (len(one.classes), -max(one.probabilities.values())))
    sentence = sentence_of(classes, level, clearest.exponent, clearest.time_unit, clearest.horizon)
    settings: dict[str, Any] = dict(clearest.settings) | {
        "combined": "twice the mean of the views' p-values", "steps of": clearest.channel,
    }  # fmt: skip
    return Verdict(
        names, kind_of(classes), classes, level, f"{sentence} ({len(seen)} views of one system)", clearest.steps,
        probabilities, p_values, clearest.adjusted, clearest.deciding, conflicts(clearest.steps, classes) + drifts,
        clearest.advice if len(classes) > 1 else (), clearest.exponent, clearest.horizon, clearest.time_unit, found, (),
        settings, clearest.calibration,
    )  # fmt: skip
