"""A law that is a weighted mixture of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from .base import Array, Known, Law


@final
@dataclass(frozen=True)
class MixtureLaw(Law):
    """Each member follows one of `laws`, drawn by `weights (law,)`; the noise-free run is that of the heaviest.

    A distribution, not an average: where the laws disagree it has several humps.
    """

    laws: tuple[Law, ...]
    weights: Array

    @property
    def memory(self) -> int:
        return max(law.memory for law in self.laws)

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        if rng is None:
            heaviest = self.laws[int(np.argmax(self.weights))]
            return heaviest.sample(history, horizon, members, None, known)
        counts = shares(self.weights, members, rng)
        parts = [
            law.sample(history, horizon, int(n), rng, known) for law, n in zip(self.laws, counts, strict=True) if n
        ]
        return np.concatenate(parts)

    def diverged(self, samples: Array) -> int:
        # Which member came from which law is not recorded; the laws share training data and so the guard box.
        return self.laws[int(np.argmax(self.weights))].diverged(samples)


def shares(weights: Array, members: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How many of `members` each law gets: within one of weight x members, and exactly that on average.

    Systematic sampling: one draw places a comb of equal spacing on the cumulative weights.
    """
    comb = (rng.random() + np.arange(members)) / members
    which = np.searchsorted(np.cumsum(weights / weights.sum()), comb, side="right")
    return np.bincount(np.minimum(which, len(weights) - 1), minlength=len(weights))
