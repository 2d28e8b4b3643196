"""The one loop that trains by gradient descent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np

from ...errors import SettingError
from ...progress import Progress
from ..base import Array
from .engines import Engine, Epoch, Place, engine_for
from .outcome import Run, Trained
from .problems import Problem
from .settings import Settings

RESTARTS = 5
"""Most times a run may go back after diverging."""
EXPLODED = 1e4
"""An epoch whose mean loss exceeds that of the first epoch by this factor has diverged, even if it is still finite."""


@dataclass(frozen=True)
class Track:
    """One seed on its way: where it stands, its best so far, what happened; `factor` scales its learning rate."""

    seed: int
    place: Place
    best: Array
    score: float = inf
    found: int = 0
    losses: tuple[float, ...] = ()
    scores: tuple[tuple[int, float], ...] = ()
    factor: float = 1.0
    restarts: int = 0
    stale: int = 0
    stopped: str = ""

    def after(self, place: Place, losses: Array) -> Track:
        """The track after an epoch; one that diverged leaves its place as it was and halves the rate."""
        loss = float(losses.mean())
        first = next((value for value in self.losses if isfinite(value)), inf)
        if isfinite(loss) and np.isfinite(place.vector).all() and loss <= EXPLODED * first:
            return replace(self, place=place, losses=(*self.losses, loss))
        restarts = self.restarts + 1
        stopped = "diverged" if restarts > RESTARTS else ""
        return replace(
            self, losses=(*self.losses, float("nan")), factor=self.factor / 2, restarts=restarts, stopped=stopped
        )

    def judged(self, score: float, patience: int | None) -> Track:
        """The track with one more value of the held-out statistic."""
        score = score if score == score else inf
        scores = (*self.scores, (len(self.losses), score))
        if score < self.score:
            return replace(self, best=self.place.average, score=score, found=len(self.losses), scores=scores, stale=0)
        stale = self.stale + 1
        return replace(self, scores=scores, stale=stale, stopped="patience" if stale == patience else "")

    def run(self, engine: Engine) -> Run:
        """The track as a result; one whose statistic was never finite gives its last parameters."""
        vector = self.best if isfinite(self.score) else self.place.average
        parameters = {name: np.array(value) for name, value in engine.layout.unpack(vector).items()}
        return Run(
            self.seed, parameters, self.score, self.found, np.array(self.losses), self.scores, self.restarts,
            self.stopped or "epochs",
        )  # fmt: skip


def train(
    problem: Problem,
    settings: Settings,
    *,
    seeds: Sequence[int] = (0,),
    seconds: float | None = None,
    report: Progress | None = None,
) -> Trained:
    """Minimise the loss of `problem` from each of `seeds` and keep the parameters that do best on held-out data.

    Every epoch of seed s draws its batches from `generator(s, "train", epoch)`, so the same call gives the same result,
    whatever ran before. An epoch that ends in a loss or weights without a value, or in an exploding loss, is undone and
    the learning rate halved, at most five times. `seconds` of wall clock, if given, hurry the schedule so that it ends
    in time; the result then depends on the clock. `report(stage, share)` hears of every epoch. Raises `SettingError`
    where every seed diverged.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise SettingError(f"seeds must be different numbers, got {tuple(seeds)}", place="train")
    if seconds is not None and seconds <= 0:
        raise SettingError(f"seconds must be positive, got {seconds}", place="train")
    began = time.monotonic()
    engine = engine_for(problem, settings, seeds)
    tracks = [Track(seed, place := engine.start(seed), place.vector) for seed in seeds]
    done = 0
    while done < settings.epochs and (alive := [i for i, track in enumerate(tracks) if not track.stopped]):
        spent = time.monotonic() - began
        if seconds is not None and spent >= seconds:
            break
        shares = _shares(done, settings, spent / seconds if seconds else 0.0)
        work = [Epoch(tracks[i].seed, done, settings.rate.rates(shares) * tracks[i].factor, shares) for i in alive]
        for i, result in zip(alive, engine.advance([tracks[i].place for i in alive], work), strict=True):
            tracks[i] = tracks[i].after(*result)
        done += 1
        if done % settings.judge_every == 0 or done == settings.epochs:
            tracks = [_judged(problem, engine, track, settings) for track in tracks]
        if report is not None:
            report(_stage(tracks), min(1.0, max(done / settings.epochs, spent / seconds if seconds else 0.0)))
    return _finished(problem, engine, tracks, done, time.monotonic() - began, done < settings.epochs)


def _shares(done: int, settings: Settings, spent: float) -> Array:
    """The share of the training before each update of an epoch: by count, or by the clock where that runs out first."""
    own = (done * settings.batches + np.arange(settings.batches)) / (settings.epochs * settings.batches)
    return np.maximum(own, spent)


def _judged(problem: Problem, engine: Engine, track: Track, settings: Settings) -> Track:
    if track.stopped:
        return track
    with np.errstate(all="ignore"):
        score = float(problem.judge(engine.layout.unpack(track.place.average)))
    return track.judged(score, settings.patience)


def _stage(tracks: Sequence[Track]) -> str:
    done = max(len(track.losses) for track in tracks)
    loss = min((track.losses[-1] for track in tracks if track.losses and isfinite(track.losses[-1])), default=inf)
    score = min(track.score for track in tracks)
    return f"epoch {done}: loss {loss:.4g}" + (f", held-out {score:.4g}" if isfinite(score) else "")


def _finished(problem: Problem, engine: Engine, tracks: list[Track], done: int, spent: float, early: bool) -> Trained:
    if all(track.stopped == "diverged" for track in tracks):
        raise SettingError(
            f"the training diverged {RESTARTS + 1} times for every seed, last at "
            f"{min(track.factor for track in tracks) * 2:.2g} of the learning rate",
            place=type(problem).__name__,
            remedy="Lower the learning rate, clip the gradient, or shorten the sequences.",
        )
    if early:
        # The clock ended it: what was reached since the last judgement must be judged too.
        tracks = [_judged(problem, engine, track, engine.settings) for track in tracks]
        tracks = [replace(track, stopped=track.stopped or "seconds") for track in tracks]
    warnings = []
    if restarts := sum(track.restarts for track in tracks):
        warnings.append(f"the training diverged {restarts} times and went on with half the learning rate each time")
    if not any(isfinite(track.score) for track in tracks):
        warnings.append("no free run on held-out data was finite: the last parameters are kept, not the best")
    return Trained(tuple(track.run(engine) for track in tracks), done, spent, tuple(warnings))
