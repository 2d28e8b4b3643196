"""Multiple shooting: a vector field is fitted to many short pieces of trajectory that have to join."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from .base import Array, thinned
from .perceptron import Perceptron, fitted, random_perceptron
from .segments import Held, local_slopes
from .training import Moment, Parameters, Traced, jax_in_double

DEGREES = (2, 4, 6)
RIDGES = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
"""What is tried for the first fit: from clean data to noisy."""
FITTED = 500
"""Most segments in it."""
CORRECTIONS = 4
"""Most corrections of the first fit."""


@final
@dataclass(frozen=True)
class Shooting(Traced):
    """dz/dt = g(z) on segments of standardised data, g a network, each segment with a start of its own.

    `rows (segment, length + 1, channel)` are the data, known inputs last, `steps (segment, length)` the times between
    them in units in which z moves by about one; `next (segment,)` the segment that goes on where this one ends (itself:
    none). Starts are rows plus `noise (state,)` times a shift that is learned: an update changes a shift by about the
    learning rate, so starts move little where there is little noise. With z(t) the solution from the start, the loss is
    the mean of (z - rows)^2 over the segment, plus `continuity` times (end - next start)^2, plus `smoothness` times the
    squared error estimates of the solver.
    """

    rows: Array
    steps: Array
    next: NDArray[np.int64]
    noise: Array
    moving: Array
    held: Held | None
    layers: tuple[int, ...]
    size: int
    substeps: int
    continuity: float
    smoothness: float

    @property
    def states(self) -> int:
        """How many of the channels are states; the others are known inputs."""
        return len(self.noise)

    def initial(self, rng: np.random.Generator) -> Parameters:
        """A random network whose last layer is the ridge regression of the slopes of the data, and starts on the data.

        Of degrees of the local polynomials that give the slopes, and of ridges, those are taken that are judged best.
        This already is a good vector field where there is little noise; the training removes what noise and finite
        differences did to it.
        """
        network = random_perceptron((self.rows.shape[2], *self.layers, self.states), rng)
        tried = []
        for degree in DEGREES:
            x, slopes = self._slopes(degree)
            with np.errstate(all="ignore"):
                for found in fitted(network, x, slopes[:, : self.states], RIDGES):
                    tried.append((self.judge(found.parameters), found))
        network = self._corrected(*min(tried, key=lambda pair: pair[0]))
        # The number of starts is rounded up, so that trainings on a few more rows share a compiled program.
        rounded = 1 << (len(self.rows) - 1).bit_length()
        return network.parameters | {"shifts": np.zeros((rounded, self.states))}

    def _corrected(self, score: float, network: Perceptron) -> Perceptron:
        """The network after corrections of its last layer by what single steps from row to row miss, while they help.

        Slopes from differences are wrong by the curvature of the data; what the solution of the fitted field misses is
        not, so that the corrected field is right to higher order (deferred correction).
        """
        rows, steps = thinned(self.rows, FITTED), thinned(self.steps, FITTED).reshape(-1, 1)
        before = rows[:, :-1].reshape(-1, rows.shape[2])
        after = rows[:, 1:, : self.states].reshape(-1, self.states)
        middle = np.concatenate([(before[:, : self.states] + after) / 2, before[:, self.states :]], axis=1)
        for _ in range(CORRECTIONS):
            tried = []
            with np.errstate(all="ignore"):
                moved = advanced(network, before, steps, self.states, self.moving, 2 * self.substeps)
                missed = (after - moved) / steps
                for change in fitted(network, middle, missed, RIDGES) if np.isfinite(missed).all() else ():
                    found = network.plus(change)
                    tried.append((self.judge(found.parameters), found))
            best = min(tried, key=lambda pair: pair[0], default=(score, network))
            if not best[0] < score:
                break
            score, network = best
        return network

    def _slopes(self, degree: int) -> tuple[Array, Array]:
        """Places `(sample, channel)` and slopes of the data there."""
        rows, steps = thinned(self.rows, FITTED), thinned(self.steps, FITTED)
        if rows.shape[2] == self.states:
            return local_slopes(rows, steps, degree)
        # Inputs jump from row to row: a slope belongs to one step only.
        middle = (rows[:, 1:, : self.states] + rows[:, :-1, : self.states]) / 2
        places = np.concatenate([middle, rows[:, :-1, self.states :]], axis=2)
        slopes = np.diff(rows[..., : self.states], axis=1) / steps[..., None]
        return places.reshape(-1, rows.shape[2]), slopes.reshape(-1, self.states)

    def batch(self, rng: np.random.Generator, moment: Moment) -> dict[str, Array | NDArray[np.int64]]:
        """Segments drawn at random, with what the loss must know of their successors."""
        index = rng.integers(len(self.rows), size=self.size)
        after = self.next[index]
        return {
            "index": index, "next": after, "rows": self.rows[index], "steps": self.steps[index],
            "follower": self.rows[after, 0, : self.states], "joined": (after != index).astype(float),
            "noise": self.noise, "moving": self.moving,
        }  # fmt: skip

    def loss(self, parameters: Parameters, batch: Any) -> Any:
        """The mean squared distance to the data, of the ends from the next starts, and of the solver from itself."""
        xp = jax_in_double().numpy
        network, shifts = Perceptron.of(parameters), parameters["shifts"]
        rows = batch["rows"]
        start = rows[:, 0, : self.states] + batch["noise"] * shifts[batch["index"]]
        path, errors = self._path(network, start, rows[..., self.states :], batch["steps"], batch["moving"])
        misfit = (xp.concatenate([start[:, None], path], axis=1) - rows[..., : self.states]) ** 2
        follower = batch["follower"] + batch["noise"] * shifts[batch["next"]]
        gap = (path[:, -1] - follower) ** 2 * batch["joined"][:, None]
        return misfit.mean() + self.continuity * gap.mean() + self.smoothness * (errors**2).mean()

    def judge(self, parameters: Parameters) -> float:
        """The error of free runs from rows that were held out, see `Held`; 0 where nothing could be held out."""
        if self.held is None:
            return 0.0
        network = Perceptron.of(parameters)

        def run(rows: Array, steps: Array, inputs: Array) -> Array:
            z, path = rows[:, -1], []
            for t in range(steps.shape[1]):
                moved = advanced(network, z, steps[:, t, None], self.states, self.moving, 2 * self.substeps)
                path.append(moved)
                z = np.concatenate([moved, inputs[:, t]], axis=1)
            return np.stack(path, axis=1)

        return self.held.score(run)

    def key(self) -> Hashable:
        """The plain settings in the loss; all data come with the batches."""
        return (self.states, self.substeps, self.continuity, self.smoothness)

    def _path(self, network: Perceptron, start: Any, inputs: Any, steps: Any, moving: Any) -> Any:
        """States `(segment, length, state)` at the ends of the steps, and error estimates of the solver."""
        import diffrax

        jax = jax_in_double()
        xp, solver = jax.numpy, diffrax.Tsit5()

        def over(z: Any, given: Any) -> Any:
            step, now = given
            field = diffrax.ODETerm(lambda t, y, args: moving * network(xp.concatenate([y, now], axis=1), xp))
            part, errors = step[:, None] / self.substeps, []
            for _ in range(self.substeps):
                # The step is a vector, one for each segment: time enters the field only through it.
                scaled = diffrax.ODETerm(lambda t, y, args: part * field.vf(t, y, args))
                state = solver.init(scaled, 0.0, 1.0, z, None)
                z, error, _, _, _ = solver.step(scaled, 0.0, 1.0, z, None, state, False)
                errors.append(error)
            return z, (z, xp.stack(errors))

        held = xp.moveaxis(inputs[:, :-1], 1, 0)
        _, (path, errors) = jax.lax.scan(over, start, (steps.T, held))
        return xp.moveaxis(path, 0, 1), errors


def advanced(network: Perceptron, z: Array, step: Array | float, states: int, moving: Array, substeps: int) -> Array:
    """States `(member, state)` after `step` from `z (member, channel)` whose inputs stay, by RK4 in `substeps`."""
    inputs, y = z[:, states:], z[:, :states]
    part = step / substeps

    def field(y: Array) -> Array:
        return moving * network(np.concatenate([y, inputs], axis=1) if inputs.shape[1] else y)

    for _ in range(substeps):
        a = field(y)
        b = field(y + part / 2 * a)
        c = field(y + part / 2 * b)
        d = field(y + part * c)
        y = y + part / 6 * (a + 2 * b + 2 * c + d)
    return y
