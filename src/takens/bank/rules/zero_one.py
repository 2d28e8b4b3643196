"""The 0-1 test alone: K above a cut is chaos, all else is regular."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ...measures.base import REGISTRY
from ...verdicts.classes import CHAOTIC
from .base import REGULAR, Array, Rule, Words, best_cut


@dataclass(frozen=True)
class ZeroOne(Rule):
    """K of `zero_one_test`, thinned where oversampled, above `cut`: chaotic; else regular. It has no word for noise."""

    cut: float = 0.5

    name: ClassVar[str] = "0-1 test"
    reference: ClassVar[str] = "Gottwald and Melbourne, SIAM J. Appl. Dyn. Syst. 8, 129 (2009)"
    numbers: ClassVar[tuple[str, ...]] = ("k",)
    says: ClassVar[tuple[str, ...]] = (REGULAR, CHAOTIC)

    def look(self, x: Array, seed: int) -> dict[str, float]:
        """K, the median growth of the translation over 100 frequencies."""
        value = REGISTRY["zero_one_test"](x, seed=seed).value
        return {"k": float("nan") if value is None else float(value)}

    def fitted(self, numbers: Array, group: Words, weight: Array) -> ZeroOne:
        """The cut that parts regular from chaotic systems best."""
        mine = np.isin(group, self.says)
        return replace(self, cut=best_cut(numbers[mine, 0], group[mine] == CHAOTIC, weight[mine])[0])

    def answers(self, numbers: Array) -> Words:
        """Chaotic above the cut."""
        return np.where(numbers[:, 0] > self.cut, CHAOTIC, REGULAR)
