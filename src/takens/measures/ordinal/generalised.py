"""Statistical complexity with the entropies of Renyi and Tsallis in the place of Shannon's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ..base import Channel, measure
from ..entropy_definitions import Renyi, Tsallis, largest
from ..entropy_inference import jackknife_interval
from .patterns import Ties, take_patterns

Array = NDArray[np.float64]


def generalised_plane(p: Array, definition: Renyi | Tsallis) -> tuple[Array, Array]:
    """Normalised entropy H and complexity C = H D / D_max `(...,)` of distributions `p (..., outcomes)` at order q.

    D = (d(p, m) + d(u, m)) / 2, u uniform, m = (p + u) / 2, d the divergence of order q: with A = sum p^q m^(1 - q) it
    is (A - 1) / (q - 1) for Tsallis and ln A / (q - 1) for Renyi. D_max is its value for one certain outcome.
    """
    q, size = definition.q, p.shape[-1]
    h = definition.finish(definition.term(p).sum(axis=-1)) / largest(definition, size)

    def divergence(share: Array) -> Array:
        middle = (share + 1 / size) / 2
        sums = [np.sum(one**q * middle ** (1 - q), axis=-1) for one in (share, np.full_like(share, 1 / size))]
        if isinstance(definition, Renyi):
            return np.asarray(0.5 * (np.log(sums[0]) + np.log(sums[1])) / (q - 1))
        return np.asarray(0.5 * (sums[0] + sums[1] - 2) / (q - 1))

    return np.asarray(h), h * divergence(p) / divergence(np.eye(size)[0])


def _complexity(
    channel: Channel, definition: Renyi | Tsallis, order: int | None, delay: int | None, ties: Ties, level: float,
    seed: int,
) -> Estimate:  # fmt: skip
    patterns = take_patterns(channel, order, delay, ties, seed)
    counts = patterns.table.counts
    without = patterns.table.total - counts
    h, c = (float(axis) for axis in generalised_plane(patterns.table.p, definition))
    parts = generalised_plane(without / without.sum(axis=1, keepdims=True), definition)
    low, high, centre = jackknife_interval(c, parts[1], level)
    return Estimate(
        "", c, "", (min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)), level,
        f"{definition.name} complexity of ordinal patterns; jackknife over blocks",
        {**patterns.settings, "q": definition.q}, patterns.chosen, not patterns.reason, patterns.reason,
        details={"entropy": h, "corrected": centre, "counts": patterns.table.total},
    )  # fmt: skip


@measure(family="ordinal patterns", reference="Jauregui et al., Physica A 498, 74 (2018)")
def renyi_complexity(
    channel: Channel, *, q: float = 2.0, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Renyi's statistical complexity of ordinal patterns, 0 for perfect order and for white noise, largest in between.

    C = H D / D_max: Renyi's normalised entropy of order `q` times the symmetric Renyi divergence from the uniform
    distribution (`generalised_plane`); with q from 0 to infinity (H, C) draws a curve that tells more than its point
    at q = 1, `statistical_complexity`. Details: `entropy`, `corrected`. Settings and admissibility as in
    `permutation_entropy`. The interval is a jackknife over blocks; at five values a pattern it covers less than
    nominal. Raises `SettingError` for q <= 0 and q = 1. Cost: O(N order^2 + blocks order!).
    """
    return _complexity(channel, Renyi(q), order, delay, ties, level, seed)


@measure(family="ordinal patterns", reference="Ribeiro et al., Phys. Rev. E 95, 062106 (2017)")
def tsallis_complexity(
    channel: Channel, *, q: float = 2.0, order: int | None = None, delay: int | None = None, ties: Ties = "random",
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Tsallis' statistical complexity of ordinal patterns, 0 for perfect order and for white noise, largest in between.

    As `renyi_complexity`, with Tsallis' normalised entropy and divergence of order `q`. Raises `SettingError` for
    q <= 0 and q = 1. Cost: O(N order^2 + blocks order!).
    """
    return _complexity(channel, Tsallis(q), order, delay, ties, level, seed)
