"""All Lyapunov exponents from data, those that are artefacts of the embedding, and the dimension they imply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from .base import Channel, Refused, measure
from .divergence import CYCLES, Embedding, embedded
from .exponents import BLOCKS, RIDGES, UNPREDICTABLE, Neighbourhoods, Tangent, trial_embeddings

Array = NDArray[np.float64]


def kaplan_yorke(exponents: Array) -> float | None:
    """j + (lambda_1 + ... + lambda_j) / |lambda_{j+1}|, j the last index with a sum that is not negative.

    `exponents (m,)` in falling order. 0 where the first is negative; None where no sum becomes negative, so that the
    exponents that would close the sum are missing. Kaplan and Yorke (1979).
    """
    sums = np.cumsum(exponents)
    negative = np.flatnonzero(sums < 0)
    if len(negative) == 0:
        return None
    j = int(negative[0])
    return 0.0 if j == 0 else float(j + sums[j - 1] / abs(exponents[j]))


def matched(exponents: Array, errors: Array, others: Array, other_errors: Array) -> NDArray[np.bool_]:
    """Which of `exponents (m,)` have a partner among `others (n,)`, each partner taken once, closest pairs first.

    Partners agree within two joint standard errors and a tenth of their size.
    """
    gap = np.abs(exponents[:, None] - others[None, :])
    allowed = 2 * np.hypot(errors[:, None], other_errors[None, :]) + 0.1 * np.abs(exponents)[:, None]
    found = np.zeros(len(exponents), dtype=bool)
    ratio = np.where(gap <= allowed, gap / np.maximum(allowed, 1e-300), np.inf)
    while np.isfinite(ratio).any():
        i, j = np.unravel_index(np.argmin(ratio), ratio.shape)
        found[i] = True
        ratio[i, :], ratio[:, j] = np.inf, np.inf
    return found


def _spectrum(space: Embedding, x: Array) -> tuple[Tangent, Array, Array]:
    around = Neighbourhoods.of(x, space.m, space.delay, space.theiler)
    if around is None:
        raise Refused(f"{len(x)} values are too few for local maps in {space.m} dimensions")
    tangent = around.tangent(RIDGES[1])
    errors = tangent.blocks().std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    order = np.argsort(-tangent.exponents())
    return tangent, tangent.exponents()[order], errors[order]


@measure(
    family="chaos", reference="Eckmann, Kamphorst, Ruelle and Ciliberto, Phys. Rev. A 34, 4971 (1986)", minimum=200
)
def lyapunov_spectrum_from_data(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """All Lyapunov exponents of the reconstructed motion, in 1/time, in falling order; some are artefacts.

    The local linear maps of `largest_lyapunov_exponent` carry a full frame of tangent vectors, made orthonormal at each
    step; the exponents are the mean growth rates of its axes. m delays give m exponents, of which only as many belong
    to the system as it has dimensions; the others depend on the embedding. Two signs of those that belong to it are in
    the details: `persistent`, they come again with one delay more; `reversed`, they come again with opposite sign from
    the reversed record (Parlitz 1992), which strong contraction hides. One with neither is an artefact; either is no
    proof. Exponents of directions in which the record has no extent come out too weak (Lorenz 63: above -14.6).
    `kaplan_yorke` is the dimension that the exponents imply, too high where artefacts are among the first.

    The default embedding is the one with the smallest prediction error. The interval joins the standard error over 20
    blocks of time and the prediction error, at each exponent; it does not contain the bias of contracting directions.
    Admissible with 20 mean periods and a prediction error below 0.1 standard deviations. Details: also `backward`,
    the exponents of the reversed record, and `error`. At most 20,000 samples. Cost: a second.
    """
    from scipy.special import stdtrit

    space = embedded(channel, embedding_dimension, delay, theiler)
    trials = trial_embeddings(space, embedding_dimension is not None, delay is not None)
    error, m, lag = trials[0]
    space = replace(space, m=m, delay=lag)
    if embedding_dimension is None:
        space.chosen["embedding_dimension"] = "smallest prediction error, from that of false neighbours upwards"
    unit, step = f"1/{channel.time_unit}", space.stride * channel.interval
    reason = ""
    if len(space.x) < CYCLES * space.period:
        reason = f"the record holds {len(space.x) / space.period:.3g} mean periods; {CYCLES} are needed"
    elif error > UNPREDICTABLE:
        reason = (
            f"local maps miss the next value by {error:.2g} standard deviations, as for noise or coarse sampling; "
            f"below {UNPREDICTABLE} is needed"
        )
    if error > 3 * UNPREDICTABLE:
        return Estimate("", None, unit, None, level, settings=space.settings(), chosen=space.chosen, admissible=False,
                        reason=reason)  # fmt: skip
    tangent, values, errors = _spectrum(space, space.x)
    _, backward, backward_errors = _spectrum(space, np.ascontiguousarray(space.x[::-1]))
    _, further, further_errors = _spectrum(replace(space, m=m + 1), space.x)
    half = np.hypot(stdtrit(BLOCKS - 1, 0.5 + level / 2) * errors, tangent.error * np.abs(values))
    return Estimate(
        "", values / step, unit, ((values - half) / step, (values + half) / step), level,
        "growth of an orthonormal frame under local linear maps", space.settings(), space.chosen, not reason, reason,
        details={
            "persistent": matched(values, errors, further, further_errors),
            "reversed": matched(values, errors, -backward, backward_errors), "kaplan_yorke": kaplan_yorke(values),
            "backward": backward / step, "error": tangent.error, "mean_period": space.period * step,
        },
    )  # fmt: skip
