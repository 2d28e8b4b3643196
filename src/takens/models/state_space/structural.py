"""The structural model: a series as trend + seasons + cycle + noise, each with its own variance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from ...errors import InsufficientData, SettingError
from ..base import Array, Law, Model, Training, scale_of
from ..seasonal import candidate_periods
from ..selection import autocorrelation
from .components import TRENDS, Components, Layout, blocks
from .joining import joined
from .law import GaussianLaw
from .likelihood import Fitted, fit_channel
from .scaling import Scaling, bridged, latest

HARMONICS = 6
"""Most harmonics of a season that is chosen: a year in months is complete, a week in hours is smooth."""
WORK = 3e5
"""Rows times channels times (squared states + 24) that a pass may cost; longer series are fitted to their end."""
CHOICE = 400
"""Rows, and at least four seasons, on which components are compared."""


@final
@dataclass(frozen=True)
class StructuralLaw(GaussianLaw):
    """Components with the variances of largest likelihood, one model a channel or one for all with joint noise."""

    components: Components

    @property
    def text(self) -> str:
        return self.components.text


@final
@dataclass(frozen=True)
class Structural(Model):
    """Unobserved components: y_t = trend + seasons + cycle + autoregression + effects of inputs + noise, by likelihood.

    `trend` is constant, level, slope, smooth or damped (see `Components`), `periods` the seasons in steps (() for
    none), `harmonics` the sines of each, 0 for dummies, `cycle` the period from which a stochastic cycle starts (0 for
    none), `order` that of the autoregression. None: the candidates are compared by AIC on the last rows, with seasons
    from the peaks of the autocorrelation. All channels have the same components, each its own variances; the noise of
    different channels is correlated where that raises the likelihood by more than AIC asks. Missing values are left
    out by the Kalman filter, wherever they are; forecasts are exact draws, and `law.smooth(series)` fills gaps.
    The start is exactly diffuse. Raises `SettingError` for settings out of range, `InsufficientData` where a channel
    has fewer values than states and variances. Cost O(N m^2) a pass for m states, some hundred passes over at most
    some thousand rows. Not for chaos, for variances that change, or for trends that break.
    Source: Harvey, Forecasting, structural time series models and the Kalman filter, 1989; Durbin & Koopman 2012.
    """

    trend: str | None = None
    periods: tuple[int, ...] | None = None
    harmonics: int | None = None
    cycle: float | None = None
    order: int | None = None

    gaps: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> StructuralLaw:
        self._check()
        targets = training.targets
        scaling = Scaling.of(training)
        pieces, inputs = scaling.targets(training), scaling.inputs(training)
        components = self._chosen(training, pieces, inputs)
        fits = []
        for c, name in enumerate(training.signature.channels[:targets]):
            short, given = _ending(components, [p[:, c : c + 1] for p in pieces], inputs, targets)
            _need(components, short, name, training.signature.name)
            fits.append(fit_channel(components, short, given))
        effects = np.stack([fit.effects for fit in fits], axis=1)
        spaces = joined([fit.space for fit in fits], [p - g @ effects for p, g in zip(pieces, inputs, strict=True)])
        return StructuralLaw(
            training.signature, *GaussianLaw.ending(training, spaces), spaces=spaces, center=scaling.center,
            scale=scaling.scale, weights=effects, input_center=scaling.input_center, input_scale=scaling.input_scale,
            components=components,
        )  # fmt: skip

    def settled(self, law: Law) -> Model:
        assert isinstance(law, StructuralLaw)
        c = law.components
        harmonics = c.harmonics[0] if c.harmonics else self.harmonics
        return replace(self, trend=c.trend, periods=c.periods, harmonics=harmonics, cycle=c.cycle, order=c.order)

    def _check(self) -> None:
        if self.trend is not None and self.trend not in TRENDS:
            raise SettingError(f"no trend {self.trend!r}", place="Structural", remedy=f"One of {', '.join(TRENDS)}.")
        if any(period < 2 for period in self.periods or ()):
            raise SettingError(f"periods must be at least 2 steps, got {self.periods}", place="Structural")
        if (self.harmonics or 0) < 0 or not 0 <= (self.order or 0) <= 12:
            raise SettingError("harmonics must not be negative, order from 0 to 12", place="Structural")
        if self.cycle is not None and self.cycle != 0 and not self.cycle > 2:
            raise SettingError(f"a cycle needs more than 2 steps, got {self.cycle:g}", place="Structural")

    def _chosen(self, training: Training, pieces: list[Array], inputs: list[Array]) -> Components:
        """The components of least AIC; those that are given stay."""
        seasons = [self.periods] if self.periods is not None else [(), *seasons_of(training)]
        trial = _Trial(pieces, inputs, max((p for season in seasons for p in season), default=1))
        trends = TRENDS if self.trend is None else (self.trend,)
        best = trial.best([self._parts(trend, seasons[0]) for trend in trends])
        for season in seasons[1:]:
            # With a season the trend may be calmer than without, so two plain ones are tried beside the best so far.
            calmer = [self._parts(t, season) for t in trends if t in (best.trend, "constant", "level")]
            best = trial.best([best, *calmer])
        longest = max((p for season in seasons for p in season), default=0)
        return trial.best([best, *self._richer(best, longest)])

    def _parts(self, trend: str, season: tuple[int, ...]) -> Components:
        """A trend and seasons; a constant one has an autoregression about it unless that is ruled out."""
        harmonics = tuple(min(p // 2, HARMONICS) if self.harmonics is None else self.harmonics for p in season)
        free = 2 if trend == "constant" and self.trend is None else 0
        return Components(trend, season, harmonics, self.cycle or 0.0, free if self.order is None else self.order)

    def _richer(self, best: Components, period: int) -> Iterator[Components]:
        """The best with an autoregression, or with a cycle as well as or in place of its season."""
        if self.order is None:
            for order in {1, 2} - {best.order}:
                yield replace(best, order=order)
        if self.cycle is None and period > 2:
            yield replace(best, cycle=float(period), order=self.order or 0)
            if self.periods is None and best.periods:
                yield replace(best, periods=(), harmonics=(), cycle=float(period), order=self.order or 0)


def seasons_of(training: Training) -> list[tuple[int, ...]]:
    """Seasons to try: the shortest lag at which the autocorrelation is nearly at its highest peak, alone and with the
    highest peak where that is clearly higher (a day, a day and a week)."""
    filled = training.mapped(bridged)
    peaks = [p for p in candidate_periods(filled, count=60) if p > 2]
    if not peaks:
        return []
    rows = max(filled.stretches, key=len)[-50_000:]
    time = np.linspace(-1, 1, len(rows))[:, None]
    rows = rows - rows.mean(axis=0) - time * (time * rows).sum(axis=0) / (time**2).sum()
    height = autocorrelation(rows / scale_of(rows)[1])
    short = min(p for p in peaks if height[p] > height[peaks[0]] - 0.2)
    long = peaks[0]
    both = [(short, long)] if height[long] > height[short] + 0.03 and long <= 10 * short and long % short == 0 else []
    return [(short,), *both]


class _Trial:
    """Compares components by AIC, without the rows that the largest diffuse start takes."""

    def __init__(self, pieces: list[Array], inputs: list[Array], period: int) -> None:
        rows = max(CHOICE, 4 * period)
        piece = max(range(len(pieces)), key=lambda k: len(pieces[k]))
        channels = sorted({0, pieces[0].shape[1] - 1})
        self.columns = [pieces[piece][-rows:, c : c + 1] for c in channels]
        self.inputs = inputs[piece][-rows:]
        self.skipped = min(len(self.inputs) // 4, 2 + 2 * HARMONICS + period // 4)
        self.scores: dict[Components, float] = {}

    def best(self, candidates: Sequence[Components]) -> Components:
        """The candidate of least AIC; the first where nothing can be compared."""
        if len(candidates) > 1:
            for one in candidates:
                if one not in self.scores:
                    self.scores[one] = self.score(one)
        return min(candidates, key=lambda c: self.scores.get(c, 0.0))

    def score(self, components: Components) -> float:
        """AIC: twice the number of parameters less twice the log likelihood of the rows that count."""
        total = 0.0
        for column in self.columns:
            layout = Layout(tuple(blocks(components, 0.1)))
            count = len(layout.bounds) + self.inputs.shape[1]
            known = int(np.isfinite(column).sum())
            if known < 2 * (sum(len(b.design) for b in layout.blocks) + count):
                return np.inf
            fit: Fitted = fit_channel(components, [column], [self.inputs], evaluations=20)
            total += 2 * count - 2 * fit.likelihoods([column], [self.inputs], self.skipped)
        return total


def _ending(
    components: Components, columns: list[Array], inputs: list[Array], channels: int
) -> tuple[list[Array], list[Array]]:
    """The last rows of the trajectories, as many as a fit may cost."""
    states = sum(len(b.design) for b in blocks(components, 0.1))
    room = max(WORK / ((states**2 + 24) * channels), 500, 5 * max(components.periods, default=1))
    return latest(columns, inputs, int(room))


def _need(components: Components, columns: list[Array], channel: str, place: str) -> None:
    layout = blocks(components, 0.1)
    states = sum(len(b.design) for b in layout)
    known = int(sum(np.isfinite(column).sum() for column in columns))
    needed = states + 2 + sum(len(b.start) + len(b.shapes) for b in layout)
    if known < needed:
        raise InsufficientData(
            f"{components.text} needs {needed} values of channel {channel!r}, there are {known}", place=place,
            remedy="Use fewer components or more data.",
        )  # fmt: skip
