"""What the captions say: what to see in each figure, and what it would look like otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..candidate import Candidate
from ..durations import in_words
from ..estimate import Estimate
from ..forecast import Forecast
from ..series import Series
from .orbit import Orbit
from .words import label, number, percent, signed

THINNED = 4000
"""Rows above which the series figure draws extremes instead of every row."""


STEPS = {
    "enough": "The record in its standard deviations, and a few cycles of it. The band is as wide as the part that no "
    "smooth function of the past explains: where it is as wide as the motion, the rest is guesswork.",
    "stationary": "Mean and spread of sixteen parts of the record. Parts that wander like noise with memory are "
    "no change; a level or a spread that keeps going one way is.",
    "linear noise": "Each statistic of the record (large dots) among those of surrogates (small dots): linear noise "
    "with the same values and the same spectrum. A large dot among small ones says that linear noise could do that.",
    "cycle": "Left: how alike the record is to itself a lag later; returns that stay high to the end mean regular "
    "motion. Right: the spectrum; peaks as sharp as the record allows mean regular motion, broad hills do not.",
    "deterministic": "Left: how far off a forecast from similar states is, 1 being no better than the mean; for a "
    "deterministic law it falls once there are enough dimensions. Right: states that only look alike because there are "
    "too few dimensions; for noise their share does not reach the dashed line.",
    "chaotic": "Left: how fast states that were close part; chaos shows a straight rise, shaded where the exponent was "
    "read. Right: how the error of forecasts grows with their horizon; noise starts high, chaos starts low and grows.",
}
"""Of the figure of each step of a verdict, by its name."""

AUTOCORRELATION = (
    "How alike the series is to itself a lag later. The curve of noise without memory stays in the grey band from the "
    "first lag on; the line marks where the likeness has fallen to 1/e. Returns to high values are cycles."
)
RECURRENCE = (
    "Two times are joined by a dot where the states at both are alike; near the diagonal, shaded, they are alike "
    "because they are close in time. Long lines along the diagonal mean that what follows alike states is alike: a "
    "cycle draws unbroken lines a period apart, chaos short ones, noise single dots. White bands are rare states, dark "
    "squares are rests."
)
NEIGHBOURS = (
    "The share of nearest states that part at once when one delay more is looked at: they were near by projection "
    "only. Where it falls to few per cent, enough delays unfold the orbit; with noise it does not."
)
SURROGATES = (
    "Statistics of the record (lines) among those of surrogates (bars), which have its spectrum and its values "
    "but are otherwise linear noise. A line outside the bars is more than linear noise explains; p together counts "
    "them all."
)
STATIONARITY = (
    "Four features of successive blocks of the record. Blocks that scatter without order are no change; a feature that "
    "wanders slowly, in orange, is one. p together counts all four."
)


def kinds(level: float) -> str:
    """Of the bar of the verdict."""
    return (
        f"How probable each kind is. Those in dark letters cannot be excluded at {percent(level)} confidence: over "
        "records like those of the bank the true kind is among them that often."
    )


def series(data: Series, panels: int) -> str:
    """Of the series figure."""
    count = len(data.channels)
    text = f"The observations, the first {panels} of {count} channels. " if count > panels else "The observations. "
    if data.sampling.gaps or np.isnan(data.values).any():
        text += "Shaded bands are missing rows or values; nothing was filled in there. "
    if len(data) > THINNED:
        text += (
            "Where there are more rows than pixels, the smallest and the largest value of each stretch are drawn, so "
            "that no spike is lost. "
        )
    return text + (
        "Look for a level, a size or a rhythm that changes along the way: one law could not describe such a record."
    )


def spectrum(estimate: Estimate, unit: str) -> str:
    """Of the spectrum with its red-noise level."""
    periods = np.ravel(estimate.value) if estimate.value is not None else np.empty(0)
    text = (
        "How much of the variation belongs to each period. The dashed level is what red noise, which has memory but no "
        "cycles, would exceed anywhere in only one of twenty records. "
    )
    if estimate.admissible and len(periods):
        narrow = np.asarray(estimate.details.get("narrow", np.ones(len(periods))), dtype=bool)
        sharp, broad = ([in_words(float(p), unit) for p in periods[kind]][:4] for kind in (narrow, ~narrow))
        text += f"Narrow peaks above it are regular cycles, here at {_listed(sharp)}. " if sharp else ""
        text += f"Broad peaks above it, here near {_listed(broad)}, are no regular cycles. " if broad else ""
        return text + "Without cycles the curve stays below it everywhere."
    return text + "Nothing is claimed to rise above it here; a cycle would stand out as a narrow peak."


def delay() -> str:
    """Of the mutual information against lag."""
    return (
        "How much the value now tells about the value a lag later. The delay is taken where the curve has its first "
        "minimum: there the second value adds most that is new. A series without memory drops to the floor at once."
    )


def embedding() -> str:
    """Of Cao's curves."""
    return (
        "E1 stops changing at the dimension that unfolds the orbit. E2 stays at one for every dimension if the series "
        "is random, and departs from one if the past determines the future."
    )


def divergence() -> str:
    """Of the distance of neighbours against time."""
    return (
        "Mean logarithmic distance between points that once were neighbours. In chaos it grows along a straight line, "
        "whose slope is the largest Lyapunov exponent, until it levels off at the size of the attractor. Noise jumps "
        "at once; a cycle stays flat."
    )


def complexity(entropy: Estimate, structure: Estimate) -> str:
    """Of the entropy-complexity plane."""
    text = (
        f"How often each order of {entropy.settings.get('order', 'a few')} values occurs. To the right all orders are "
        "equally frequent, as in noise, which sits in the lower right corner; to the left few occur, as in cycles and "
        "trends. Upwards there is structure: deterministic chaos lies near the upper limit. This series has entropy "
        f"{number(entropy.value)} and complexity {number(structure.value)}."
    )
    return text if entropy.admissible else text + f" The point is doubtful: {entropy.reason}."


def attractor(orbit: Orbit) -> str:
    """Of the delay-embedded orbit."""
    joined = "Consecutive points are joined." if orbit.lines else "Points stand alone, because the series jumps."
    return (
        f"{orbit.channel} against its own past, with τ = {orbit.delay_words} ({orbit.used}). {joined} A law with few "
        "variables draws a thin sheet, a band or a loop; noise fills a shapeless cloud."
    )


def skill(chosen: str, baseline: str, curve: NDArray[np.float64] | None, average: float, times: list[str]) -> str:
    """Of skill against horizon; `curve (horizon,)` is the chosen model's, `times` the horizons in words."""
    text = (
        f"How much smaller each model’s error is than that of the best baseline, {label(baseline)}, at every step "
        "ahead. Above zero a model is worth its trouble; at zero it knows no more than the baseline, below it less. "
    )
    if curve is None:
        return text + "The baseline itself, the zero line, was chosen."
    below = np.flatnonzero(curve <= 0)
    if len(below) == 0:
        stays = "stays above zero over the whole horizon"
    elif below[0] == 0:
        stays = "does not beat the baseline at the first step"
    else:
        stays = f"stays above zero up to {times[below[0] - 1]}"
    return text + f"The chosen model, {label(chosen)}, {stays}; its average skill is {signed(average)}."


def fan(forecast: Forecast, truth: Series, chosen: str, span: str) -> str:
    """Of the forecast of the last window beside the truth."""
    low, high = forecast.interval(0.9)
    known = np.isfinite(truth.values)
    held = float(np.mean(((truth.values >= low) & (truth.values <= high))[known])) if known.any() else float("nan")
    return (
        f"The last {span} of the data, forecast by {label(chosen)} without having seen them. The bands hold 50 % and "
        f"90 % of the forecast; the dark line is what came true. It lies in the wide band {percent(held)} of the time; "
        "an honest band is left about one time in ten. One window is a small sample: the calibration counts all."
    )


def forecast() -> str:
    """Of the forecast from the end of the data."""
    return (
        "The forecast from the end of the data. The line is the median, the bands hold 50 % and 90 % of the members. "
        "Where the band is as wide as the data themselves, the forecast knows nothing beyond what is usual."
    )


def calibration(candidate: Candidate) -> str:
    """Of PIT and coverage."""
    count = len(candidate.choosing) + len(candidate.judging)
    return (
        f"Left: where in the predicted distribution the truth fell, over {count} forecasts. Flat is "
        "honest; a U means intervals that were too narrow, a hump too wide, a slope a forecast that leans to one side. "
        "Right: how often the intervals held the truth against how often they should. On the diagonal they keep their "
        "promise, below it they are overconfident."
    )


def climate(chosen: str) -> str:
    """Of observed against generated states."""
    return (
        f"States visited by the data and by a free run of {label(chosen)} of the same length, and below how often each "
        "value occurs. The two portraits should look alike and the distributions lie on one another; a law that dies "
        "out shrinks to a point, one that locks draws a bare loop, one that fails wanders off."
    )


def climate_spectrum() -> str:
    """Of observed against generated spectra."""
    return (
        "The rhythms of the data and of the free run. The curves should follow one another: a missing peak is a cycle "
        "the law has not learned, an extra one a cycle it made up."
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
