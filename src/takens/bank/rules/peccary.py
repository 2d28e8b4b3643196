"""PECCARY: where a series lies in the plane of permutation entropy and complexity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import factorial
from typing import ClassVar

import numpy as np

from ...measures.base import REGISTRY
from ...verdicts.classes import CHAOTIC
from .base import REGULAR, STOCHASTIC, Array, Rule, Words, best_cut

ORDER = 5
MOST_PERIODIC = float(np.log(2 * (2 * (ORDER - 2) + 1)) / np.log(factorial(ORDER)))
"""Entropy that a periodic signal can have at most: 0.5512 at order 5 (Hyman et al. 2025)."""


@dataclass(frozen=True)
class Peccary(Rule):
    """Entropy H and complexity C of patterns of order 5 at 0.4 natural times: regular up to H = 0.5512, beyond it
    chaotic above the line C cos(angle) - H sin(angle) = cut, else stochastic.

    The authors draw the first border and leave the second to the eye; it is fitted here, the best line there is.
    """

    angle: float = 0.0
    cut: float = 0.3

    name: ClassVar[str] = "PECCARY plane"
    reference: ClassVar[str] = "Hyman, Daniel and Schaffner, ApJ 987, 195 (2025)"
    numbers: ClassVar[tuple[str, ...]] = ("entropy", "complexity")
    says: ClassVar[tuple[str, ...]] = (REGULAR, CHAOTIC, STOCHASTIC)

    def look(self, x: Array, seed: int) -> dict[str, float]:
        """H and C by the ideal sampling rule."""
        details = REGISTRY["permutation_entropy"](x, order=ORDER, seed=seed).details
        return {name: float(details.get(name, np.nan)) for name in self.numbers}

    def fitted(self, numbers: Array, group: Words, weight: Array) -> Peccary:
        """The line that parts chaotic from stochastic systems best."""
        mine = np.isin(group, (CHAOTIC, STOCHASTIC)) & (numbers[:, 0] > MOST_PERIODIC)
        if not mine.any():
            return self
        best = (-1.0, self.angle, self.cut)
        for angle in np.linspace(-np.pi / 2, np.pi / 2, 91):
            cut, agreement = best_cut(_along(numbers[mine], angle), group[mine] == CHAOTIC, weight[mine])
            best = max(best, (agreement, float(angle), cut))
        return replace(self, angle=best[1], cut=best[2])

    def answers(self, numbers: Array) -> Words:
        """The region that the point lies in; stochastic without a point."""
        beyond = np.where(_along(numbers, self.angle) > self.cut, CHAOTIC, STOCHASTIC)
        return np.where(numbers[:, 0] <= MOST_PERIODIC, REGULAR, beyond)


def _along(numbers: Array, angle: float) -> Array:
    return np.asarray(numbers[:, 1] * np.cos(angle) - numbers[:, 0] * np.sin(angle))
