"""A first, cautious verdict: which classes of dynamics the evidence leaves open, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..durations import in_words
from ..errors import SettingError
from ..estimate import Estimate, plain
from ..series import Series, as_series
from .base import REGISTRY

INSUFFICIENT = "insufficient data"
NONSTATIONARY = "non-stationary"
PERIODIC = "periodic + noise"
LINEAR = "not distinguishable from linear noise"
NONLINEAR = "nonlinear (stochastic or high-dimensional)"
CHAOTIC = "chaotic"
UNDETERMINED = "undetermined"

LEVEL = 0.05
"""Level of the tests of stationarity and against linear noise."""

LEAST_ROWS = 200
"""Values below which no step is attempted."""

LINE_SHARE = 0.1
"""Share of the variance that lines must carry for a cycle."""

PREDICTABLE = 0.5
"""Prediction error, in standard deviations, below which the future follows from the present closely enough."""

ALMOST_EXACT = 0.02
"""Prediction error below which a cycle without exponential growth counts as one without noise."""

CHAOTIC_K = 0.8
"""Growth K of the 0-1 test above which motion counts as chaotic."""

REGULAR_K = 0.5
"""Growth K below which motion counts as regular."""

NEEDED = (
    "integral_time_scale", "dominant_periods", "stationarity", "surrogate_test", "embedding_dimension_cao",
    "false_nearest_neighbours", "largest_lyapunov_exponent", "zero_one_test",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One question of the procedure: its answer, the evidence in plain words, and the numbers behind it."""

    question: str
    answer: str
    evidence: str
    statistic: str
    value: float | None
    p_value: float | None
    level: float | None
    threshold: str
    admissible: bool


@dataclass(frozen=True)
class Verdict:
    """The classes of dynamics that the evidence leaves open, in one sentence and step by step; not calibrated.

    More than one class means that the data cannot tell them apart. `confidence` stays None until the procedure is
    calibrated on a simulated bank; `sentence` says so.
    """

    classes: tuple[str, ...]
    sentence: str
    steps: tuple[Step, ...]
    channel: str
    confidence: str | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        lines = [f"{self.channel}: {self.sentence}"]
        return "\n".join(lines + [f"  {step.question} {step.answer}. {step.evidence}" for step in self.steps])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the estimates as plain JSON values."""
        steps = [plain(vars(step)) for step in self.steps]
        return {
            "channel": self.channel, "classes": list(self.classes), "sentence": self.sentence,
            "confidence": self.confidence, "steps": steps,
        }  # fmt: skip


def verdict(data: Series | ArrayLike, *, seed: int = 0, estimates: Mapping[str, Estimate] | None = None) -> Verdict:
    """Which kind of dynamics one channel shows: a first, uncalibrated verdict with its evidence.

    Gates, in order: enough data; stationary; distinguishable from linear noise (IAAFT surrogates); a cycle with noise;
    predictable and low-dimensional; chaotic, which needs an exponent whose interval lies above 0, from a straight
    region of divergence, and K of the 0-1 test above 0.8, and a short-term prediction error below half a standard
    deviation. A gate that cannot be answered leads to "undetermined" or "insufficient data", never to a guess.
    `estimates` are results of measures that exist already (by name, or `name[channel]`); others are computed. Raises
    `SettingError` for several channels. After Toker et al., Commun. Biol. 3, 11 (2020), with other gates. Rejection of
    linear noise is not evidence of chaos; strange non-chaotic, weakly chaotic and high-dimensional motion end as
    undetermined or nonlinear. Cost: that of the measures, some seconds for 10,000 values.
    """
    series = as_series(data)
    if series.shape[1] != 1:
        raise SettingError(
            f"the verdict is on one channel; these data have {series.shape[1]}",
            place=series.source or series.name,
            remedy=f"Select one, for instance series.select({series.channels[0]!r}).",
        )
    channel = series.channels[0]
    known = dict(estimates or {})
    found = {name: known[key] for name in NEEDED for key in (name, f"{name}[{channel}]") if key in known}
    steps: list[Step] = []

    def get(name: str) -> Estimate:
        if name not in found:
            found[name] = _computed(name, series, seed)
        return found[name]

    classes, why = _decide(series, get, steps)
    sentence = f"{_SENTENCES[classes[0]]}{why}; a first, uncalibrated verdict"
    if len(classes) > 1:
        sentence = f"{' or '.join(classes)}{why}; a first, uncalibrated verdict"
    return Verdict(classes, sentence[0].upper() + sentence[1:], tuple(steps), channel, None, found)


_SENTENCES = {
    INSUFFICIENT: "too few data for a verdict",
    NONSTATIONARY: "the channel changes its statistics over time",
    PERIODIC: "a periodic signal with noise",
    LINEAR: "nothing distinguishes the channel from linear noise",
    NONLINEAR: "nonlinear, but stochastic or high-dimensional",
    CHAOTIC: "deterministic chaos",
    UNDETERMINED: "undetermined",
}


def _computed(name: str, series: Series, seed: int) -> Estimate:
    measure = REGISTRY[name]
    try:
        return measure(series, seed=seed)
    except Exception as error:
        return Estimate(
            name, None, admissible=False, reason=f"{type(error).__name__}: {error}", channel=series.channels[0]
        )


def _decide(series: Series, get: Any, steps: list[Step]) -> tuple[tuple[str, ...], str]:
    """The classes and the end of the sentence; appends to `steps` what was asked on the way."""
    enough, why = _enough(series, steps)
    if not enough:
        return (INSUFFICIENT,), why
    lines, tonal = _lines(get("dominant_periods"), steps)
    test = get("stationarity")
    moving = _stationary(test, steps)
    if moving:
        return (NONSTATIONARY,), f" ({moving})"
    p, error = _against_linear_noise(get("surrogate_test"), steps)
    if p is None:
        return ((PERIODIC,), f": {lines}") if tonal else ((INSUFFICIENT,), ": the surrogate test is not admissible")
    if p > LEVEL and not (tonal and error < ALMOST_EXACT):
        if tonal:
            return (PERIODIC,), f": {lines}"
        why = f", apart from broad peaks at {lines}" if lines else ""
        # Fluctuations as slow as the record: linear noise and drift cannot be told apart.
        return ((LINEAR,), why) if test.admissible else ((LINEAR, NONSTATIONARY), why)
    return _nonlinear(get, steps, tonal, lines, error, p)


def _enough(series: Series, steps: list[Step]) -> tuple[bool, str]:
    x = series.values[:, 0]
    x = x[np.isfinite(x)]
    distinct = len(np.unique(x)) / max(len(x), 1)
    why = ""
    if len(x) < LEAST_ROWS:
        why = f": {len(x)} values; {LEAST_ROWS} are needed"
    elif np.ptp(x) == 0:
        why = ": the channel is constant"
    elif distinct < 0.1:
        why = f": {1 - distinct:.0%} of the values repeat an earlier one; finer resolution is needed"
    elif series.sampling.kind == "irregular":
        why = ": sampling is irregular; resample explicitly first"
    evidence = why.removeprefix(": ").capitalize() or f"{len(x)} values, {distinct:.0%} of them distinct"
    steps.append(Step("Are there enough data?", "no" if why else "yes", evidence, "values", len(x), None, None,
                      f"at least {LEAST_ROWS} values, 10 % of them distinct, regular sampling", True))  # fmt: skip
    return not why, why


def _lines(periods: Estimate, steps: list[Step]) -> tuple[str, bool]:
    """The periods in words, and whether lines among them carry enough variance for a cycle."""
    question = "Are there periods that red noise does not explain?"
    threshold = f"false alarm below 5 % over all frequencies; a cycle: lines with {LINE_SHARE:.0%} of the variance"
    if not periods.admissible or periods.value is None:
        steps.append(Step(question, "cannot be said", periods.reason, "", None, None, LEVEL, threshold, False))
        return "", False
    if len(periods.value) == 0:
        steps.append(Step(question, "no", "No peak of the spectrum stands out of red noise.", "periods", 0, None, LEVEL,
                          threshold, True))  # fmt: skip
        return "", False
    share = min(1.0, float(np.sum(periods.details["share"][periods.details["narrow"]])))
    words = ", ".join(in_words(float(value), periods.unit) for value in periods.value[:4])
    evidence = f"Peaks at {words}; lines among them carry {share:.0%} of the variance."
    steps.append(Step(question, "yes", evidence, "share of variance in lines", share,
                      float(np.min(periods.details["p_value"])), LEVEL, threshold, True))  # fmt: skip
    return words, share >= LINE_SHARE


def _stationary(test: Estimate, steps: list[Step]) -> str:
    """What changes over time, in words; empty if nothing was found to."""
    question = "Is it stationary?"
    threshold = f"p > {LEVEL}"
    if test.value is None or not test.admissible:
        steps.append(
            Step(question, "cannot be said", test.reason.capitalize() + ".", "", None, None, LEVEL, threshold, False)
        )
        return ""
    p = float(test.value)
    if p > LEVEL:
        steps.append(Step(question, "no sign against it", "Mean, spread, spectrum and ordinal patterns do not drift.",
                          "slow share of block features", None, p, LEVEL, threshold, True))  # fmt: skip
        return ""
    pairs = zip(test.details["names"], test.details["p_values"], strict=True)
    guilty = [name for name, value in pairs if value <= LEVEL]
    words = f"slow change in {' and '.join(guilty) or 'the statistics together'}"
    steps.append(Step(question, "no", f"There is {words}; analyse stretches separately.",
                      "slow share of block features", None, p, LEVEL, threshold, True))  # fmt: skip
    return words


def _against_linear_noise(test: Estimate, steps: list[Step]) -> tuple[float | None, float]:
    """p-value against linear noise (None if not admissible) and the prediction error of the data."""
    question = "Does it differ from linear noise?"
    threshold = f"p <= {LEVEL}"
    if test.value is None or not test.admissible:
        steps.append(Step(question, "cannot be said", test.reason, "", None, None, LEVEL, threshold, False))
        return None, np.inf
    p, error = float(test.value), float(test.details["statistics"][0, 1])
    asymmetry, skill = test.details["p_values"]
    count = test.settings["surrogates"]
    evidence = f"Among {count} surrogates: time asymmetry p = {asymmetry:.2g}, predictability p = {skill:.2g}."
    answer = "yes" if p <= LEVEL else "not distinguishable"
    steps.append(
        Step(question, answer, evidence, "prediction error / standard deviation", error, p, LEVEL, threshold, True)
    )
    return p, error


def _nonlinear(
    get: Any, steps: list[Step], tonal: bool, lines: str, error: float, p: float
) -> tuple[tuple[str, ...], str]:
    """Steps four and five, for data that linear noise does not explain or that follow a cycle almost exactly."""
    false_neighbours, cao = get("false_nearest_neighbours"), get("embedding_dimension_cao")
    dimension = false_neighbours.value if false_neighbours.admissible else None
    noisy = bool(cao.details.get("stochastic", False))
    predictable = error < PREDICTABLE and dimension is not None and not noisy
    words = f"Prediction error {error:.2g} standard deviations; " + (
        f"false neighbours vanish in {dimension} dimensions" if dimension else "false neighbours do not vanish"
    ) + ("; Cao's E2 is that of noise." if noisy else ".")  # fmt: skip
    steps.append(
        Step(
            "Is it low-dimensional and predictable?",
            "yes" if predictable else "no",
            words,
            "prediction error / standard deviation",
            error,
            None,
            None,
            f"error below {PREDICTABLE}, false neighbours below 5 % in at most 10 dimensions, E2 not 1",
            True,
        )
    )
    exponent, growth = get("largest_lyapunov_exponent"), get("zero_one_test")
    k = float(growth.value) if growth.admissible and growth.value is not None else None
    positive = bool(exponent.admissible and exponent.interval and exponent.interval[0] > 0)
    evidence = (
        f"Exponent {exponent.value:.3g} {exponent.unit} [{exponent.interval[0]:.3g}, {exponent.interval[1]:.3g}]"
        if exponent.admissible and exponent.interval
        else f"No exponent: {exponent.reason}"
    ) + (f"; K = {k:.2f}." if k is not None else f"; no K: {growth.reason}.")
    both = positive and k is not None and k > CHAOTIC_K
    neither = not positive and k is not None and k < REGULAR_K
    steps.append(
        Step(
            "Is it chaotic?",
            "yes" if both and predictable else "no" if neither else "cannot be said",
            evidence,
            "largest Lyapunov exponent",
            exponent.value,
            None,
            exponent.level,
            f"interval above 0 from a straight region of one e-fold; K > {CHAOTIC_K}",
            exponent.admissible,
        )
    )
    if predictable and both:
        return (CHAOTIC,), f": exponent {exponent.value:.3g} {exponent.unit}, predictable in the short run"
    if tonal and not positive:
        return (PERIODIC,), f": {lines}"
    if not predictable and not positive:
        return (NONLINEAR,), ""
    if positive and predictable:
        return (UNDETERMINED,), ": neighbours part exponentially, but the 0-1 test does not agree"
    if positive:
        return (UNDETERMINED,), ": neighbours part exponentially, but the future is not predictable enough"
    return (UNDETERMINED,), f": predictable and not linear (p = {p:.2g}), but without measurable exponential divergence"
