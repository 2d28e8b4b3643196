"""The one loop that trains by gradient descent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path

import numpy as np

from ...errors import SettingError
from ...progress import Progress
from ...random import generator
from ..base import Array
from .checkpoints import Book
from .engines import Engine, Epoch, engine_for
from .growth import gradient_growth
from .outcome import Run, Trained
from .problems import Moment, Problem
from .settings import Settings
from .track import RESTARTS, Track


def train(
    problem: Problem,
    settings: Settings,
    *,
    seeds: Sequence[int] = (0,),
    seconds: float | None = None,
    checkpoint: Path | None = None,
    report: Progress | None = None,
) -> Trained:
    """Minimise the loss of `problem` from each of `seeds` and keep the parameters that do best on held-out data.

    Every epoch of seed s draws its batches from `generator(s, "train", epoch)`, so the same call gives the same result,
    and one that was killed and is called again with its `checkpoint` file ends where it would have ended. An epoch that
    ends in a loss or weights without a value, or in an exploding loss, is undone and the learning rate halved, at most
    five times. `seconds` of wall clock, if given, hurry the schedule so that it ends in time; the result then depends
    on the clock. `report(stage, share)` hears of every epoch. Raises `SettingError` where every seed diverged.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise SettingError(f"seeds must be different numbers, got {tuple(seeds)}", place="train")
    if seconds is not None and seconds <= 0:
        raise SettingError(f"seconds must be positive, got {seconds}", place="train")
    engine = engine_for(problem, settings, seeds)
    book = Book.open(checkpoint, problem, settings, seeds)
    tracks, done, before = book.read() or ([Track.at(engine, seed) for seed in seeds], 0, 0.0)
    began = time.monotonic() - before
    if settings.judge_first and done == 0:
        tracks = _judged(engine, tracks)
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
            tracks = _judged(engine, tracks)
        if report is not None:
            report(_stage(tracks), min(1.0, max(done / settings.epochs, spent / seconds if seconds else 0.0)))
        book.write(tracks, done, time.monotonic() - began, last=done == settings.epochs)
    if done < settings.epochs:
        # The clock or the patience ended it: what the clock cut off must be judged too.
        tracks = [replace(track, stopped=track.stopped or "seconds") for track in _judged(engine, tracks)]
    return _finished(engine, tracks, done, time.monotonic() - began)


def _shares(done: int, settings: Settings, spent: float) -> Array:
    """The share of the training before each update of an epoch: by count, or by the clock where that runs out first."""
    own = (done * settings.batches + np.arange(settings.batches)) / (settings.epochs * settings.batches)
    return np.maximum(own, spent)


def _judged(engine: Engine, tracks: Sequence[Track]) -> list[Track]:
    """The tracks, those that are still running with their held-out statistic, once for each number of epochs."""

    def judge(track: Track) -> Track:
        if track.stopped or (track.scores and track.scores[-1][0] == len(track.losses)):
            return track
        with np.errstate(all="ignore"):
            score = float(engine.problem.judge(engine.layout.unpack(track.place.average)))
        return track.judged(score, engine.settings.patience)

    return engine.each(judge, tracks)


def _stage(tracks: Sequence[Track]) -> str:
    done = max(len(track.losses) for track in tracks)
    loss = min((track.losses[-1] for track in tracks if track.losses and isfinite(track.losses[-1])), default=inf)
    score = min(track.score for track in tracks)
    return f"epoch {done}: loss {loss:.4g}" + (f", held-out {score:.4g}" if isfinite(score) else "")


def _finished(engine: Engine, tracks: Sequence[Track], done: int, spent: float) -> Trained:
    if all(track.stopped == "diverged" for track in tracks):
        raise SettingError(
            f"the training diverged {RESTARTS + 1} times for every seed, at last with "
            f"{max(track.factor for track in tracks) * 2:.2g} of the learning rate",
            place=type(engine.problem).__name__,
            remedy="Lower the learning rate, clip the gradient, or shorten the sequences.",
        )
    trained = Trained(tuple(track.run(engine) for track in tracks), done, spent, ())
    warnings = []
    if restarts := trained.restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        warnings.append(f"the training diverged {times} and went on with half the learning rate each time")
    if not isfinite(trained.score):
        warnings.append("no free run on held-out data was finite: the last parameters are kept, not the best")
    if said := _growth(engine, trained.best):
        warnings.append(said)
    return replace(trained, warnings=tuple(warnings))


def _growth(engine: Engine, run: Run) -> str:
    """The warning about gradients through the roll-out, at the parameters that are kept."""
    if type(engine.problem).jacobians is Problem.jacobians:
        return ""
    rng = generator(run.seed, "train", "growth")
    epochs = engine.settings.epochs
    batch = engine.problem.batch(rng, Moment(epochs, epochs * engine.settings.batches, 1.0, run.values))
    jacobians = engine.problem.jacobians(run.parameters, batch)
    return "" if jacobians is None else gradient_growth(jacobians).warning
