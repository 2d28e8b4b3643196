"""Which figures the report shows of a study, in which order, and from which of its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .. import figures
from ..durations import in_words
from ..estimate import Estimate
from ..forecast import Forecast
from ..series import Series
from . import captions
from .orbit import Orbit
from .plate import Plate, Press
from .words import label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..study import Study

PANELS = 4
"""Most channels drawn in one figure."""

CURVES = {
    "autocorrelation": ("autocorrelation", "Memory of", figures.autocorrelation_figure, captions.AUTOCORRELATION),
    "recurrence_determinism": ("recurrence", "Recurrences of", figures.recurrence_figure, captions.RECURRENCE),
    "false_nearest_neighbours": ("neighbours", "False neighbours in", figures.embedding_figure, captions.NEIGHBOURS),
    "surrogate_test": ("surrogates", "Test against linear noise of", figures.surrogate_figure, captions.SURROGATES),
    "stationarity": ("stationarity", "Test for change of", figures.stationarity_figure, captions.STATIONARITY),
}
"""Figures that take one estimate and need no more words than these: anchor, title, drawing, caption; by measure."""


@dataclass(frozen=True)
class Draughtsman:
    """Draws the plates of one study; they are numbered in the order of the calls."""

    study: Study
    press: Press

    def series(self) -> Plate:
        """The observations."""
        data = self.study.series
        shown = data.select(*data.channels[:PANELS])
        caption = captions.series(data, PANELS)
        return self.press.plate("series", "The series", lambda: figures.series_figure(shown), caption)

    def spectrum(self, estimate: Estimate | None, channel: str, anchor: str) -> Plate:
        """Power by period, with the red-noise level."""
        title = f"Spectrum of {channel}"
        if estimate is None or "power" not in estimate.details:
            return self.press.missing(anchor, title, _why(estimate))
        caption = captions.spectrum(estimate, self.study.series.clock.unit)
        return self.press.plate(anchor, title, lambda: figures.spectrum_figure(estimate), caption)

    def curve(
        self, drawn: tuple[str, str, Callable[[Estimate], Figure], str], estimate: Estimate | None, channel: str,
        tail: str,
    ) -> Plate | None:  # fmt: skip
        """One of `CURVES`, of `channel`; None where the measure kept no curve."""
        name, title, draw, caption = drawn
        if estimate is None or estimate.value is None or not estimate.details:
            return None
        return self.press.plate(f"{name}{tail}", f"{title} {channel}", lambda: draw(estimate), caption)

    def delay(self, estimate: Estimate | None, channel: str, anchor: str) -> Plate | None:
        """Mutual information against lag."""
        if estimate is None or not estimate.details:
            return None
        title = f"Choice of the delay for {channel}"
        return self.press.plate(anchor, title, lambda: figures.delay_figure(estimate), captions.delay())

    def embedding(self, estimate: Estimate | None, channel: str, anchor: str) -> Plate | None:
        """Cao's E1 and E2 against dimension."""
        if estimate is None or not estimate.details:
            return None
        title = f"Embedding dimension of {channel}"
        return self.press.plate(anchor, title, lambda: figures.embedding_figure(estimate), captions.embedding())

    def divergence(self, estimate: Estimate | None, channel: str, anchor: str) -> Plate | None:
        """Logarithmic distance of neighbours against time."""
        if estimate is None or not estimate.details:
            return None
        title = f"Divergence of neighbours in {channel}"
        return self.press.plate(anchor, title, lambda: figures.divergence_figure(estimate), captions.divergence())

    def complexity(self, entropy: Estimate | None, structure: Estimate | None, channel: str, anchor: str) -> Plate:
        """The entropy-complexity plane."""
        title = f"Order and disorder of {channel}"
        for estimate in (entropy, structure):
            if estimate is None or estimate.value is None:
                return self.press.missing(anchor, title, _why(estimate))
        assert entropy is not None
        assert structure is not None
        caption = captions.complexity(entropy, structure)
        return self.press.plate(anchor, title, lambda: figures.complexity_plane(entropy, structure), caption)

    def attractor(self, orbit: Orbit) -> Plate:
        """The static projection of the delay-embedded orbit, for paper."""
        return self.press.plate(
            "attractor", "Delay-embedded orbit",
            lambda: figures.attractor_figure(orbit.points, orbit.labels, lines=orbit.lines), captions.attractor(orbit),
        )  # fmt: skip

    def skill(self) -> Plate:
        """Skill against the best baseline at each step ahead."""
        study = self.study
        reference = np.array(study.candidate(study.best_baseline).crps_by_step)
        curves = {
            label(c.model): 1 - np.array(c.crps_by_step) / reference
            for c in study.candidates if c.ok and c.model != study.best_baseline
        }  # fmt: skip
        unit = study.series.clock.unit
        times = study.series.interval * np.arange(1, study.horizon + 1)
        words = [in_words(float(t), unit) for t in times]
        curve = curves.get(label(study.chosen))
        caption = captions.skill(study.chosen, study.best_baseline, curve, study.skill[study.chosen][0], words)
        if not curves:
            return self.press.missing("skill", "Skill against horizon", "only the baseline could be fitted")
        return self.press.plate(
            "skill", "Skill against horizon", lambda: figures.skill_figure(curves, times, unit=unit), caption
        )

    def fan(self) -> Plate:
        """The forecast of the last window beside the truth."""
        history, forecast, truth = self.study.last_window
        span = in_words(self.study.horizon * self.study.series.interval, self.study.series.clock.unit)
        caption = captions.fan(forecast, truth, self.study.chosen, span)
        return self._fan("fan", "The last window", history, forecast, truth, caption)

    def forecast(self) -> Plate:
        """The forecast from the end of the data."""
        study = self.study
        history = study.series.rows(-min(len(study.series), max(3 * study.horizon, 50)), None)
        return self._fan("forecast", "The forecast", history, study.forecast, None, captions.forecast())

    def _fan(
        self, anchor: str, title: str, history: Series, forecast: Forecast, truth: Series | None, caption: str
    ) -> Plate:
        names = forecast.channels[:PANELS]
        count = len(names)
        if len(forecast.channels) > count:
            caption += f" The first {count} of {len(forecast.channels)} channels are shown."
        shown = replace(forecast, samples=forecast.samples[:, :, :count], channels=names, units=forecast.units[:count])
        past = history.select(*names)
        came = None if truth is None else truth.select(*names)
        return self.press.plate(anchor, title, lambda: figures.forecast_fan(shown, history=past, truth=came), caption)

    def calibration(self) -> Plate:
        """PIT histogram and coverage against level."""
        candidate = self.study.candidate(self.study.chosen)
        pit = np.asarray(candidate.pit, dtype=float)
        pit = pit[np.isfinite(pit)]
        levels = np.array([float(level) for level in candidate.coverage_by_level])
        covered = np.array(list(candidate.coverage_by_level.values()), dtype=float)
        return self.press.plate(
            "calibration", "Calibration", lambda: figures.calibration_figure(pit, levels, covered),
            captions.calibration(candidate),
        )  # fmt: skip

    def climate(self) -> Plate:
        """Observed against generated states."""
        study = self.study
        return self.press.plate(
            "climate", "Observed and generated states", lambda: figures.climate_figure(study.observed, study.generated),
            captions.climate(study.chosen),
        )  # fmt: skip

    def climate_spectrum(self) -> Plate:
        """Observed against generated spectra."""
        study = self.study
        return self.press.plate(
            "climate-spectrum", "Observed and generated spectrum",
            lambda: figures.climate_spectrum_figure(study.observed, study.generated), captions.climate_spectrum(),
        )  # fmt: skip


def _why(estimate: Estimate | None) -> str:
    if estimate is None:
        return "it was not measured"
    return estimate.reason or "the measure kept no curve"
