"""Conformal thresholds from out-of-fold scores: every system counts once, and bands of series have their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..verdicts.calibration import ALPHAS, Bands
from ..verdicts.classes import CHAOTIC, CLASSES, LINEAR, NONLINEAR, PERIODIC, QUASIPERIODIC
from .table import Table

Array = NDArray[np.float64]

BANDS = Bands(("log_length", "noise_level"), ((np.log10(600), np.log10(2000), np.log10(6000)), (0.05, 0.3)))
"""Bands of what a series shows of itself: its length, and how much of it no smooth function of its past explains."""
PRIOR = 30.0
"""Systems' worth of the whole calibration that is mixed into that of each band, so that a thin band stays sensible."""
NULL = (PERIODIC, QUASIPERIODIC, LINEAR, NONLINEAR)
"""What must be rejected before chaos is said alone: that the series is regular or noise, classes counting equally."""


def band_thresholds(table: Table, probabilities: Array, bands: Bands = BANDS, prior: float = PRIOR) -> Array:
    """Thresholds `(band, alpha)` of the score 1 - P(truth) of out-of-fold `probabilities (row, class)`.

    p(s) = (W{s_i >= s} + w) / (W + w): W sums the weights of calibration rows, w is the weight of the row to come, as
    heavy as a system (Barber et al., Ann. Stat. 49, 486 (2021); rows of a system are exchangeable with those of other
    systems, not with one another). The rows of a band count one a system and are mixed with the whole, at the weight of
    `prior` systems. The promise holds in the mean over calibrations.
    """
    score = 1.0 - probabilities[np.arange(len(table)), table.truth]
    band = bands.of(table.x[:, [table.features.index(name) for name in bands.names]])
    weight = table.weights()
    out = np.empty((bands.count, len(ALPHAS)))
    for b in range(bands.count):
        own = weight * (band == b)
        systems = len(np.unique(table.kin[band == b]))
        mixed = prior * weight / weight.sum()
        if systems:
            mixed = mixed + systems * own / own.sum()
        out[b] = thresholds(score, mixed)
    return out


def chaos_thresholds(table: Table, probabilities: Array) -> Array:
    """Thresholds `(alpha,)` of the probability of chaos among series that are regular or noise, systems counting once.

    The null is the mixture of its classes: one class alone has too few systems for a p-value of 2 %.
    """
    mine = np.isin(table.truth, [CLASSES.index(name) for name in NULL])
    weight = table.weights()[mine]
    score = probabilities[mine, CLASSES.index(CHAOTIC)]
    return thresholds(score, weight / weight.sum() * len(np.unique(table.kin[mine])))


def thresholds(score: Array, weight: Array) -> Array:
    """For each alpha the least v with W{s_i > v} + 1 <= alpha (W + 1).

    Beyond it the p-value is alpha. `weight (row,)` is in systems; -inf where every score is beyond, inf where the
    calibration is too small for alpha.
    """
    order = np.argsort(score)
    ladder = np.concatenate([[-np.inf], score[order]])
    above = np.concatenate([[weight.sum()], weight.sum() - np.cumsum(weight[order])])
    # Equal scores are beyond together: only the last of them has a right value of `above`.
    last = np.append(ladder[1:] > ladder[:-1], True)
    ladder, above = ladder[last], np.maximum(above[last], 0.0)
    total = weight.sum()
    allowed = ALPHAS * (total + 1) - 1
    first = np.searchsorted(-above, -allowed - 1e-9, side="left")
    return np.where(first < len(ladder), ladder[np.minimum(first, len(ladder) - 1)], np.inf)
