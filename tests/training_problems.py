"""Small problems for the tests of the gradient driver; as a script, one training that is meant to be killed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from takens.models.training import Compiled, Settings, Traced, WarmupStableDecay, train


def regression() -> tuple[np.ndarray, np.ndarray]:
    """Inputs `(sample, 3)` and noisy linear targets `(sample, 2)`."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3))
    return x, x @ np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]]) + 0.7 + 0.1 * rng.normal(size=(400, 2))


@dataclass(frozen=True)
class Linear(Compiled):
    """Least squares with a gradient by hand; the strength `alpha` halves the gradient until it has adapted."""

    x: np.ndarray
    y: np.ndarray
    pause: float = 0.0

    def initial(self, rng):
        return {"weights": rng.normal(size=(3, 2)), "offset": np.zeros(2)}

    def values(self):
        return {"alpha": 0.5}

    def adapt(self, parameters, batch, moment):
        alpha = moment.values["alpha"]
        return {"alpha": 1 - 0.9 * (1 - alpha)} if moment.update % 3 == 0 else moment.values

    def batch(self, rng, moment):
        time.sleep(self.pause)
        return rng.integers(len(self.x), size=16)

    def gradient(self, parameters, batch, moment):
        x = self.x[batch]
        off = x @ parameters["weights"] + parameters["offset"] - self.y[batch]
        alpha = moment.values["alpha"] / len(x)
        return float((off**2).sum() / len(x)), {"weights": 2 * alpha * x.T @ off, "offset": 2 * alpha * off.sum(axis=0)}

    def judge(self, parameters):
        return float(((self.x @ parameters["weights"] + parameters["offset"] - self.y) ** 2).mean())


@dataclass(frozen=True)
class TracedLinear(Traced):
    """The same least squares, its gradient left to JAX."""

    x: np.ndarray
    y: np.ndarray
    pause: float = 0.0

    def initial(self, rng):
        return {"weights": rng.normal(size=(3, 2)), "offset": np.zeros(2)}

    def batch(self, rng, moment):
        time.sleep(self.pause)
        rows = rng.integers(len(self.x), size=16)
        return {"x": self.x[rows], "y": self.y[rows]}

    def loss(self, parameters, batch):
        off = batch["x"] @ parameters["weights"] + parameters["offset"] - batch["y"]
        return (off**2).sum() / 16

    def judge(self, parameters):
        return float(((self.x @ parameters["weights"] + parameters["offset"] - self.y) ** 2).mean())

    def key(self):
        return ()


KINDS = {"compiled": Linear, "traced": TracedLinear}
KILLED = Settings(40, batches=5, rate=WarmupStableDecay(1e-2), average=0.9, judge_every=4)


def killed(kind: str, path: Path | None):
    """The training that tests kill and resume; its pauses change nothing but the time it takes."""
    problem = KINDS[kind](*regression(), pause=0.004)
    return train(problem, KILLED, seeds=(3, 8), checkpoint=path)


if __name__ == "__main__":
    killed(sys.argv[1], Path(sys.argv[2]))
