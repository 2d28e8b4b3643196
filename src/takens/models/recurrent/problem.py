"""What a linear recurrent network is trained on: windows of data, one step ahead and running freely."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..base import Array
from ..selection import Probe, free_runs
from ..training import Moment, Parameters, Traced, jax_in_double
from .law import RecurrentLaw
from .network import RecurrentNetwork

ORIGINS = 16
"""Held-out origins from which the network is set free to be judged."""
ROWS = 1000
"""Rows of free runs, and of what came true, that are compared as clouds."""
WIDTHS = (0.25, 0.5, 1.0, 2.0)
"""Bandwidths of the kernels that compare attractors, in standard deviations of the data."""


@final
@dataclass(frozen=True)
class Windows(Traced):
    """Mean squared error of increments over `context` rows that are given, then over `steps` rows of a free run.

    The error j steps into the free run is divided by j, since it adds up; all are in units of the usual increment
    `growth (channel,)`. `attractor` weighs the squared maximum mean discrepancy between the rows of the free runs and
    those that came true. Channels from `targets` on are known inputs: given in the free run, left out of the loss.
    `rows (row, channel)` are standardised, and `starts` the first rows of windows that lie within one stretch.
    """

    network: RecurrentNetwork
    rows: Array
    starts: NDArray[np.int64]
    growth: Array
    context: int
    steps: int
    size: int
    targets: int
    attractor: float
    law: RecurrentLaw
    probe: Probe | None

    def initial(self, rng: np.random.Generator) -> Parameters:
        return self.network.initial(rng)

    def batch(self, rng: np.random.Generator, moment: Moment) -> Any:
        first = rng.choice(self.starts, self.size)
        return self.rows[first[:, None] + np.arange(self.context + self.steps)], self.growth

    def key(self) -> Hashable:
        return self.network, self.context, self.steps, self.size, self.targets, self.attractor

    def loss(self, parameters: Parameters, batch: Any) -> Any:
        rows, growth = batch
        jnp = jax_in_double().numpy
        q, seen = self.network.ready(parameters, jnp), self.context
        ahead, state = self.network.sequence(q, rows[:, :seen], jnp)
        wrong = (ahead - (rows[:, 1 : seen + 1] - rows[:, :seen]) / growth)[:, seen // 4 :, : self.targets]
        path = self._free(q, state, rows[:, seen - 1] + growth * ahead[:, -1], rows[:, seen:], growth)
        shown, true = path[..., : self.targets], rows[:, seen:, : self.targets]
        later = (shown - true) / growth[: self.targets] / (1 + jnp.arange(self.steps))[:, None]
        total = (wrong**2).mean() + (later**2).mean()
        return total + self.attractor * discrepancy(shown, true, jnp) if self.attractor else total

    def _free(self, q: Parameters, state: Any, first: Any, true: Any, growth: Any) -> Any:
        """The rows `(batch, step, channel)` of the free run that begins with `first`."""
        jax = jax_in_double()
        jnp = jax.numpy

        def advance(carry: Any, known: Any) -> Any:
            state, row = carry
            row = jnp.concatenate([row[:, : self.targets], known[:, self.targets :]], axis=1)
            state, ahead = self.network.step(q, state, row, jnp)
            return (state, row + growth * ahead), row

        path = jax.lax.scan(advance, (state, first), true.swapaxes(0, 1))[1]
        return path.swapaxes(0, 1)

    def judge(self, parameters: Parameters) -> float:
        """Largest normalised error so far of free runs, averaged over origins and steps, plus their discrepancy.

        From 1 on a run knows no more than the climate does, and how it is wrong does not matter; the discrepancy from
        what came true shows whether its climate is right, and each run that leaves the range of the data costs 1 more.
        Without held-out data: the error of one step, which is all that can be had.
        """
        law = self.law.with_weights(parameters)
        if self.probe is None:
            return float((law.misfits((self.rows[: self.starts[-1] + self.context + self.steps],))[0] ** 2).mean())
        probe, limit, shown = self.probe, self.probe.limit, slice(self.targets)
        before, after = probe.take(ORIGINS, limit)
        runs = free_runs(law, before, limit, probe.known(ORIGINS, limit))
        ours, true = ((x / probe.scale)[..., shown] for x in (runs, after))
        error = np.maximum.accumulate(np.sqrt(((ours - true) ** 2).mean(axis=2)), axis=1)
        thin = max(1, error.size // ROWS)
        apart = discrepancy(ours.reshape(-1, self.targets)[::thin], true.reshape(-1, self.targets)[::thin], np)
        return float(np.minimum(error, 1.0).mean() + apart) + probe.blown_up(law)


def discrepancy(generated: Any, true: Any, xp: Any) -> Any:
    """Squared maximum mean discrepancy of two samples `(..., channel)` under a sum of Gaussian kernels, zero if equal.

    Source: Gretton et al., Journal of Machine Learning Research 13, 723 (2012), the biased estimate.
    """
    a, b = (x.reshape(-1, x.shape[-1]) for x in (generated, true))

    def kernel(x: Any, y: Any) -> Any:
        apart = ((x[:, None] - y[None]) ** 2).mean(axis=-1)
        return sum(xp.exp(-apart / (2 * w**2)).mean() for w in WIDTHS) / len(WIDTHS)

    return kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
