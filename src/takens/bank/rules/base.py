"""The contract of a simple rule: numbers of one series, cuts fitted to known systems, and one of three words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...verdicts.classes import CHAOTIC, CLASSES, LINEAR, NONLINEAR, PERIODIC, QUASIPERIODIC

Array = NDArray[np.float64]
Words = NDArray[np.str_]

REGULAR, STOCHASTIC, NONE = "regular", "stochastic", ""
GROUPS = (REGULAR, CHAOTIC, STOCHASTIC)
"""The words of the rules; "" is the group of what none of them can say, motion that is not stationary."""


def group_of(truth: NDArray[np.int64]) -> Words:
    """The group `(row,)` of classes given as indices of `CLASSES`."""
    words = {PERIODIC: REGULAR, QUASIPERIODIC: REGULAR, CHAOTIC: CHAOTIC, LINEAR: STOCHASTIC, NONLINEAR: STOCHASTIC}
    return np.array([words.get(name, NONE) for name in CLASSES])[truth]


class Rule(ABC):
    """One way to read a series: `numbers` are what `look` finds in it, `says` the groups the rule has a word for."""

    name: ClassVar[str]
    reference: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]]
    says: ClassVar[tuple[str, ...]]

    @abstractmethod
    def look(self, x: Array, seed: int) -> dict[str, float]:
        """The numbers of `x (time,)` by name; NaN for one that does not exist."""

    @abstractmethod
    def fitted(self, numbers: Array, group: Words, weight: Array) -> Rule:
        """The rule with the cuts that suit rows `numbers (row, number)` of known `group (row,)` best."""

    @abstractmethod
    def answers(self, numbers: Array) -> Words:
        """The word `(row,)` for each row of `numbers (row, number)`."""


def best_cut(value: Array, above: NDArray[np.bool_], weight: Array) -> tuple[float, float]:
    """The cut c for which `value > c` agrees most with `above`, by weight, and that weight; NaN is never above.

    The cut lies halfway between two values, where the agreement is largest; the middle of such cuts if several are.
    """
    value = np.where(np.isnan(value), -np.inf, value)
    order = np.argsort(value, kind="stable")
    v, gain = value[order], np.where(above, -weight, weight)[order]
    # Cutting above the first i values turns those from "above" to "below".
    agreement = weight[above].sum() + np.concatenate([[0.0], np.cumsum(gain)])
    allowed = np.concatenate([[np.isfinite(v[0])], v[1:] > v[:-1], [True]])
    at = np.flatnonzero(allowed & (agreement >= agreement[allowed].max() - 1e-12))
    i = int(at[len(at) // 2])
    if i == 0 or i == len(v):
        return (float(v[0]) - 1.0 if i == 0 else float(v[-1])), float(agreement[i])
    low = v[i - 1] if np.isfinite(v[i - 1]) else v[i] - 1.0
    return float((low + v[i]) / 2), float(agreement[i])
