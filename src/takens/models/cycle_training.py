"""A perceptron beside the linear head of CycleNet, trained together with cycle and head by gradient descent."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..random import generator
from .base import Array
from .perceptron import Perceptron, random_perceptron
from .training import Exponential, Parameters, Settings, Traced, train
from .training.problems import Moment

BATCH = 64
"""Windows of an update."""
SETTINGS = Settings(
    epochs=60, batches=50, rate=Exponential(3e-3, 1e-4), average=0.99, decay=0.01, judge_every=2, judge_first=True,
    patience=8,
)  # fmt: skip
"""Three thousand updates at most; patience ends the training where the head was the best there is."""


@final
@dataclass(frozen=True)
class CycleProblem(Traced):
    """The squared error of whole windows, in batches of windows drawn at random; judged by that of held-out windows.

    `values (time, channel)` are all stretches one after the other, `rows` where windows start in them, `phases` the
    phases of these rows, and `held` marks the windows whose future is held out. `cycle` and `linear` are where these
    begin; the perceptron begins as zero, so that the training starts from least squares.
    """

    values: Array
    rows: NDArray[np.int64]
    phases: NDArray[np.int64]
    held: NDArray[np.bool_]
    cycle: Array
    linear: Array
    units: int

    def initial(self, rng: np.random.Generator) -> Parameters:
        network = random_perceptron((self.linear.shape[1], self.units, self.linear.shape[2]), rng)
        return network.parameters | {"cycle": self.cycle, "linear": self.linear}

    def batch(self, rng: np.random.Generator, moment: Moment) -> Any:
        return self._windows(rng.choice(np.flatnonzero(~self.held), size=BATCH))

    def _windows(self, chosen: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        steps = np.arange(sum(self.linear.shape[1:]))
        return self.values[self.rows[chosen][:, None] + steps], (self.phases[chosen][:, None] + steps) % len(self.cycle)

    def loss(self, parameters: Parameters, batch: Any) -> Any:
        import jax.numpy as jnp

        windows, phases = batch
        return (errors(parameters, windows, phases, jnp) ** 2).mean()

    def judge(self, parameters: Parameters) -> float:
        held = np.flatnonzero(self.held)
        held = held[:: max(1, -(-len(held) // 400))]
        return float((errors(parameters, *self._windows(held), np) ** 2).mean())

    def key(self) -> Hashable | None:
        return "cycle", self.units


def errors(parameters: Parameters, windows: Any, phases: Any, xp: Any) -> Any:
    """Errors `(window, channel, step)` of `windows (window, time, channel)` whose rows have `phases (window, time)`."""
    linear, network = parameters["linear"], Perceptron.of(parameters)
    back = linear.shape[1]
    rest = windows - parameters["cycle"][phases]
    rest = xp.swapaxes(rest - rest[:, :back].mean(axis=1, keepdims=True), 1, 2)
    past = rest[..., :back]
    heads = xp.broadcast_to(linear, (rest.shape[1], *linear.shape[1:]))
    return rest[..., back:] - xp.einsum("wcl,clh->wch", past, heads) - network(past, xp)


def trained(
    pieces: Sequence[Array],
    starts: Sequence[int],
    cuts: Sequence[int],
    cycle: Array,
    linear: Array,
    units: int,
    seed: int,
) -> tuple[Array, Array, Perceptron] | None:
    """Cycle, linear head and perceptron of least held-out error, from the least-squares `cycle` and `linear` head.

    Windows that end before the `cuts` of their stretches train, those whose future begins there or later judge.
    None where no training did better than least squares.
    """
    size, back = sum(linear.shape[1:]), linear.shape[1]
    rows, phases, held, offset = [], [], [], 0
    for piece, start, cut in zip(pieces, starts, cuts, strict=True):
        first = np.arange(max(len(piece) - size + 1, 0))
        kept = (first + size <= cut) | (first + back >= cut)
        rows.append(offset + first[kept])
        phases.append((start + first[kept]) % len(cycle))
        held.append(first[kept] + back >= cut)
        offset += len(piece)
    problem = CycleProblem(
        np.concatenate(pieces), np.concatenate(rows), np.concatenate(phases), np.concatenate(held), cycle, linear, units
    )
    chosen = int(generator(seed, "cycle_net").integers(2**31))
    best = train(problem, SETTINGS, seeds=(chosen,)).best
    if best.epoch == 0:
        return None
    found = best.parameters
    return (
        np.asarray(found["cycle"]),
        np.asarray(found["linear"]),
        Perceptron.of({name: np.asarray(array) for name, array in found.items() if name not in ("cycle", "linear")}),
    )
