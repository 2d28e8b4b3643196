"""One seed on its way through a training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np

from ..base import Array
from .engines import Engine, Place
from .outcome import Run

RESTARTS = 5
"""Most times a run may go back after diverging."""
EXPLODED = 1e8
"""An epoch whose mean loss exceeds that of the first epoch by this factor has diverged, even if it is still finite.

So large that weights that were good from the start may lose what they had. The first epoch is held to the loss of its
first batch.
"""


@dataclass(frozen=True)
class Track:
    """Where a seed stands, its best so far, and what happened; `factor` scales its learning rate.

    `found` is the number of epochs after which the best weights were found, `stale` the number of judgements since.
    """

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

    @classmethod
    def at(cls, engine: Engine, seed: int) -> Track:
        """The track of a seed before its first epoch."""
        place = engine.start(seed)
        return cls(seed, place, place.vector)

    def after(self, place: Place, losses: Array) -> Track:
        """The track after an epoch; one that diverged leaves its place as it was and halves the rate."""
        loss = float(losses.mean())
        first = next((value for value in self.losses if isfinite(value)), float(losses[0]))
        if isfinite(loss) and np.isfinite(place.vector).all() and loss <= EXPLODED * first:
            return replace(self, place=place, losses=(*self.losses, loss))
        restarts = self.restarts + 1
        stopped = "diverged" if restarts > RESTARTS else ""
        return replace(
            self, losses=(*self.losses, float("nan")), factor=self.factor / 2, restarts=restarts, stopped=stopped
        )

    def judged(self, score: float, patience: int | None) -> Track:
        """The track with one more value of the held-out statistic; NaN counts as infinite."""
        score = inf if np.isnan(score) else score
        done = len(self.losses)
        scores = (*self.scores, (done, score))
        if score < self.score:
            return replace(self, best=self.place.average, score=score, found=done, scores=scores, stale=0)
        stale = self.stale + 1
        return replace(self, scores=scores, stale=stale, stopped="patience" if stale == patience else "")

    def run(self, engine: Engine) -> Run:
        """The track as a result; one whose statistic was never finite gives its last parameters."""
        judged = isfinite(self.score)
        vector = self.best if judged else self.place.average
        parameters = {name: np.array(value) for name, value in engine.layout.unpack(vector).items()}
        found = self.found if judged else len(self.losses)
        return Run(
            self.seed, parameters, self.score, found, np.array(self.losses), self.scores, dict(self.place.values),
            self.restarts, self.stopped or "epochs",
        )  # fmt: skip
