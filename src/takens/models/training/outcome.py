"""What a training gives back."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Array
from .problems import Parameters


@dataclass(frozen=True)
class Run:
    """The training of one seed: its best parameters by the held-out statistic, and how it got there.

    `losses (epoch,)` are means over the batches of an epoch (NaN where it diverged), `scores` pairs (epochs so far,
    held-out statistic), `epoch` the epochs after which the best was found, `values` the adaptive numbers at the end,
    `restarts` how often it went back after diverging, and `stopped` why it ended: "epochs", "patience", "seconds" or
    "diverged".
    """

    seed: int
    parameters: Parameters
    score: float
    epoch: int
    losses: Array
    scores: tuple[tuple[int, float], ...]
    values: dict[str, float]
    restarts: int
    stopped: str


@dataclass(frozen=True)
class Trained:
    """The result of `train`: one run for each seed, what was worth a warning, epochs and seconds that it took.

    The best run is the one with the lowest held-out statistic, the first of equals.
    """

    runs: tuple[Run, ...]
    epochs: int
    seconds: float
    warnings: tuple[str, ...]

    @property
    def best(self) -> Run:
        """The run with the lowest held-out statistic."""
        return min((run for run in self.runs if run.stopped != "diverged"), key=lambda run: run.score)

    @property
    def parameters(self) -> Parameters:
        """The parameters of the best run."""
        return self.best.parameters

    @property
    def seed(self) -> int:
        """The seed of the best run."""
        return self.best.seed

    @property
    def score(self) -> float:
        """The held-out statistic of the best run."""
        return self.best.score

    @property
    def restarts(self) -> int:
        """How often any run went back after diverging."""
        return sum(run.restarts for run in self.runs)
