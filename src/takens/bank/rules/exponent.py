"""A positive largest exponent alone: what most papers mean when they call a series chaotic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from ...measures.base import REGISTRY
from ...verdicts.classes import CHAOTIC
from .base import REGULAR, STOCHASTIC, Array, Rule, Words


@dataclass(frozen=True)
class PositiveExponent(Rule):
    """The largest exponent from data above 0: chaotic; not above: regular; none can be estimated: stochastic.

    The last word is more than the rule has in the literature: it comes from this package's estimator, which refuses
    series whose neighbours do not predict. `end` says whether the value or the low end of its interval is compared.
    """

    end: Literal["value", "low"] = "value"

    name: ClassVar[str] = "largest exponent > 0"
    reference: ClassVar[str] = "Sano and Sawada, Phys. Rev. Lett. 55, 1082 (1985)"
    numbers: ClassVar[tuple[str, ...]] = ("value", "low")
    says: ClassVar[tuple[str, ...]] = (REGULAR, CHAOTIC, STOCHASTIC)

    def look(self, x: Array, seed: int) -> dict[str, float]:
        """The exponent per sample and the low end of its 90 % interval."""
        found = REGISTRY["largest_lyapunov_exponent"](x, seed=seed)
        value = float("nan") if found.value is None else float(found.value)
        return {"value": value, "low": value if found.interval is None else float(found.interval[0])}

    def fitted(self, numbers: Array, group: Words, weight: Array) -> PositiveExponent:
        """The end that says the right word more often."""
        rules = (replace(self, end="value"), replace(self, end="low"))
        return max(rules, key=lambda rule: float(weight[rule.answers(numbers) == group].sum()))

    def answers(self, numbers: Array) -> Words:
        """Chaotic above 0, stochastic without an exponent."""
        exponent = numbers[:, self.numbers.index(self.end)]
        return np.where(np.isnan(exponent), STOCHASTIC, np.where(exponent > 0, CHAOTIC, REGULAR))
