"""Training of recurrent cells on windows of data: shown the data for a while, then left to themselves."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from .base import Array, thinned
from .cells import Cell
from .ridge import Factors
from .segments import Held
from .training import Moment, Parameters, Traced, jax_in_double

RIDGES = (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)
"""What is tried for the first fit of the read-out: from clean data to noisy."""
FITTED = 500
"""Most windows in it."""


@final
@dataclass(frozen=True)
class Sequences(Traced):
    """x(t + d) = x(t) + d (R [h, x] + r), h the state of a cell after d; on windows of standardised data.

    `rows (window, length + 1, channel)`, known inputs last, and `steps (window, length)` in units in which x moves by
    about one. The cell sees the data for `warm` steps and its own predictions from then on; the loss is the mean
    squared error of all predictions but those of the first half of the `warm` steps, in which it finds its state.
    """

    kind: type[Cell]
    units: int
    rows: Array
    steps: Array
    warm: int
    moving: Array
    held: Held | None
    size: int

    def initial(self, rng: np.random.Generator) -> Parameters:
        """A random cell whose read-out is fitted by the ridge regression that is judged best: a liquid reservoir."""
        cell = self.kind.random(self.rows.shape[2], self.units, float(np.median(self.steps)), rng)
        rows, steps, states = thinned(self.rows, FITTED), thinned(self.steps, FITTED), len(self.moving)
        h, seen = np.zeros((len(rows), self.units)), []
        for t in range(steps.shape[1]):
            h = cell.advance(h, rows[:, t], steps[:, t, None])
            seen.append(np.concatenate([h, rows[:, t]], axis=1))
        speeds = np.diff(rows[..., :states], axis=1) / steps[..., None]
        known = slice(self.warm // 2, None)
        features = np.stack(seen, axis=1)[:, known].reshape(-1, self.units + rows.shape[2])
        factors = Factors.of(features, speeds[:, known].reshape(-1, states))
        tried = []
        for ridge in RIDGES:
            readout = factors.solve(ridge)
            weights = readout.weights / readout.scale[:, None]
            found = cell.parameters | {"readout": weights, "offset": readout.offset - readout.mean @ weights}
            with np.errstate(all="ignore"):
                tried.append((self.judge(found), found))
        return min(tried, key=lambda pair: pair[0])[1]

    def batch(self, rng: np.random.Generator, moment: Moment) -> dict[str, Array]:
        """Windows drawn at random."""
        index = rng.integers(len(self.rows), size=self.size)
        return {"rows": self.rows[index], "steps": self.steps[index], "moving": self.moving}

    def loss(self, parameters: Parameters, batch: Any) -> Any:
        """The mean squared error of the predictions, one step ahead at first and in free run then."""
        jax = jax_in_double()
        xp, cell = jax.numpy, self.kind.of(parameters)
        rows, moving = batch["rows"], batch["moving"]
        states = len(self.moving)

        def over(carry: Any, given: Any) -> Any:
            h, guess = carry
            data, step, shown = given
            x = xp.concatenate([xp.where(shown, data[:, :states], guess), data[:, states:]], axis=1)
            h = cell.advance(h, x, step[:, None], xp)
            guess = predicted(parameters, h, x, step[:, None], moving, xp)
            return (h, guess), guess

        shown = np.arange(self.steps.shape[1]) < self.warm
        start = (xp.zeros((self.size, self.units)), rows[:, 0, :states])
        _, path = jax.lax.scan(over, start, (xp.moveaxis(rows[:, :-1], 1, 0), batch["steps"].T, shown))
        off = path - xp.moveaxis(rows[:, 1:, :states], 1, 0)
        return (off[self.warm // 2 :] ** 2).mean()

    def judge(self, parameters: Parameters) -> float:
        """The error of free runs from rows that were held out, see `Held`; 0 where nothing could be held out."""
        if self.held is None:
            return 0.0
        cell, warm = self.kind.of(parameters), self.held.warm

        def run(rows: Array, steps: Array, inputs: Array) -> Array:
            h, path = np.zeros((len(rows), self.units)), []
            x = rows[:, 0]
            for t in range(steps.shape[1]):
                h = cell.advance(h, x, steps[:, t, None])
                guess = predicted(parameters, h, x, steps[:, t, None], self.moving, np)
                if t < warm:
                    x = rows[:, t + 1]
                else:
                    path.append(guess)
                    x = np.concatenate([guess, inputs[:, t - warm]], axis=1)
            return np.stack(path, axis=1)

        return self.held.score(run)

    def key(self) -> Hashable:
        """The plain settings in the loss; all data come with the batches."""
        return (self.kind, self.units, self.warm, self.size, len(self.moving), self.steps.shape[1])


def predicted(parameters: Parameters, h: Any, x: Any, step: Any, moving: Any, xp: Any) -> Any:
    """The targets `(window, target)` after `step (window, 1)`, from the state `h` after it and `x` before it."""
    speed = xp.concatenate([h, x], axis=-1) @ parameters["readout"] + parameters["offset"]
    return x[:, : len(moving)] + step * moving * speed
