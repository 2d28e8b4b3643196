"""The decision tree of Toker, Sommer and D'Esposito: surrogates, noise reduction, downsampling, 0-1 test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ...errors import TakensError
from ...measures.noise_reduction import reduce_noise
from ...measures.ordinal import ordinal_patterns
from ...measures.surrogates import aaft
from ...measures.zero_one import OVERSAMPLED, oversampling, translation_growth
from ...random import generator
from ...series import as_series
from ...verdicts.classes import CHAOTIC
from .base import REGULAR, STOCHASTIC, Array, Rule, Words, best_cut

ORDERS = (5, 8)
SURROGATES = 99
LONGEST = 5000
"""Samples at most: the tree was made for thousands, and its surrogates take long."""


@dataclass(frozen=True)
class Toker(Rule):
    """Stochastic unless the permutation entropy lies outside the range of both kinds of surrogates; then chaotic where
    K of the damped 0-1 test, after noise reduction and downsampling, exceeds `cut`; else regular.

    Surrogates: amplitude-adjusted Fourier transforms, and cycles of the Hilbert phase in random order. The authors take
    1000 surrogates, patterns of order 8, and a cut that grows with the length; here it is 99, the better one of `order`
    5 and 8, and the best cut.
    """

    order: int = 8
    cut: float = 0.84

    name: ClassVar[str] = "Toker's tree"
    reference: ClassVar[str] = "Toker, Sommer and D'Esposito, Commun. Biol. 3, 11 (2020)"
    numbers: ClassVar[tuple[str, ...]] = ("outside_5", "outside_8", "k")
    says: ClassVar[tuple[str, ...]] = (REGULAR, CHAOTIC, STOCHASTIC)

    def look(self, x: Array, seed: int) -> dict[str, float]:
        """Whether the entropy lies outside the surrogates' range at each order (1 or 0), and K."""
        x = x[(len(x) - LONGEST) // 2 :][:LONGEST] if len(x) > LONGEST else x
        rng = generator(seed, "toker")
        families = [aaft(x, SURROGATES, rng), phase_cycles(x, SURROGATES, rng)]
        found = {}
        for order in ORDERS:
            own = entropy(x, order)
            ranges = [[entropy(copy, order) for copy in family] for family in families]
            found[f"outside_{order}"] = float(all(own < min(r) or own > max(r) for r in ranges))
        try:
            clean = reduce_noise(as_series(x), method="simple", iterations=1).series.values[:, 0]
        except TakensError:  # nothing that neighbours share: there is no noise that could be reduced
            clean = x
        while oversampling(clean) > OVERSAMPLED and len(clean) >= 200:
            clean = clean[::2]
        c = rng.uniform(np.pi / 5, 4 * np.pi / 5, 100)
        return found | {"k": float(np.median(translation_growth(clean, c, damping=0.5)))}

    def fitted(self, numbers: Array, group: Words, weight: Array) -> Toker:
        """The order and the cut that say the right word most often."""
        mine = np.isin(group, (REGULAR, CHAOTIC))
        cut = best_cut(numbers[mine, 2], group[mine] == CHAOTIC, weight[mine])[0]
        rules = [replace(self, order=order, cut=cut) for order in ORDERS]
        return max(rules, key=lambda rule: float(weight[rule.answers(numbers) == group].sum()))

    def answers(self, numbers: Array) -> Words:
        """First noise, then chaos."""
        outside = numbers[:, self.numbers.index(f"outside_{self.order}")] > 0.5
        return np.where(outside, np.where(numbers[:, 2] > self.cut, CHAOTIC, REGULAR), STOCHASTIC)


def entropy(x: Array, order: int) -> float:
    """Permutation entropy of `x (time,)` at delay 1, in nats."""
    counts = np.bincount(ordinal_patterns(x, order, 1))
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def phase_cycles(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` copies `(count, time)` of `x (time,)` whose cycles, cut where the Hilbert phase wraps, stand in random
    order; what is before the first and after the last cut stays."""
    from scipy.signal import hilbert

    phase = np.angle(hilbert(x - x.mean()))
    cuts = np.flatnonzero(np.diff(phase) < -np.pi) + 1
    if len(cuts) < 3:
        return np.tile(x, (count, 1))
    cycles = np.split(x[cuts[0] : cuts[-1]], cuts[1:-1] - cuts[0])
    out = np.tile(x, (count, 1))
    for row in out:
        row[cuts[0] : cuts[-1]] = np.concatenate([cycles[i] for i in rng.permutation(len(cycles))])
    return out
