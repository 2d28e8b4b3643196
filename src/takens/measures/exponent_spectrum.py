"""All Lyapunov exponents from data, those that are artefacts of the embedding, and the dimension they imply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from .base import Channel, Refused, measure
from .divergence import CYCLES, Embedding, embedded
from .exponents import BLOCKS, NEARLY_BEST, NOISY, RIDGES, UNPREDICTABLE, Neighbourhoods, Tangent, trial_embeddings
from .scaling_region import jackknife_error

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


def _objection(space: Embedding, error: float) -> str:
    """What makes a spectrum in an embedding with this prediction error inadmissible."""
    if len(space.x) < CYCLES * space.period:
        return f"the record holds {len(space.x) / space.period:.3g} mean periods; {CYCLES} are needed"
    if error > UNPREDICTABLE:
        return (
            f"local maps miss the next value by {error:.2g} standard deviations, as for noise or coarse sampling; "
            f"below {UNPREDICTABLE} is needed"
        )
    return ""


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
    reason = _objection(space, error)
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


FRACTION = 0.25
"""Standard error of the fractional part of a Lyapunov dimension, as a share of it, where the penalty of the local fits
makes contraction too strong: Henon's 0.247 for 0.258, Mackey-Glass' 0.10 for 0.13."""


def smallest_embedding(space: Embedding, fixed_m: bool, fixed_delay: bool) -> tuple[float, int, int]:
    """`(prediction error, m, delay)` of the fewest delays that predict nearly as well as the best: no room to spare."""
    trials = trial_embeddings(space, fixed_m, fixed_delay)
    if not fixed_m:
        for lag in {lag for _, _, lag in trials}:
            for m in range(1, space.m):
                around = Neighbourhoods.of(space.x, m, lag, space.theiler, 500, wider=1)
                if around is not None:
                    trials.append((around.error(RIDGES[1]), m, lag))
    best = min(trials)[0]
    return min((t for t in trials if t[0] <= NEARLY_BEST * best + 1e-12), key=lambda t: (t[1], t[0]))


def closed_sum(growth: Array) -> tuple[int, float] | None:
    """The number j of exponents whose sum is not negative, and the dimension they give, of `growth (step, m)`.

    A sum counts as negative when it is so by two standard errors over `BLOCKS` stretches, as an exponent of 0 never is
    exactly; None where none is.
    """
    growth = growth[:, np.argsort(-growth.mean(axis=0), kind="stable")]
    sums = np.cumsum(growth, axis=1)
    parts = np.array([part.mean(axis=0) for part in np.array_split(sums, BLOCKS)])
    mean, error = sums.mean(axis=0), parts.std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    negative = np.flatnonzero(mean < -2 * error - 1e-12)
    if len(negative) == 0:
        return None
    j = int(negative[0])
    if j == 0:
        return 0, 0.0
    return j, float(j + max(mean[j - 1], 0.0) / abs(growth[:, j].mean()))


@measure(family="chaos", reference="Kaplan and Yorke, Lecture Notes in Mathematics 730, 204 (1979)", minimum=200)
def lyapunov_dimension(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Kaplan-Yorke dimension of the reconstructed motion, j + (lambda_1 + ... + lambda_j) / |lambda_{j+1}|.

    j is the last index with a sum of exponents that is not negative. The exponents are those of
    `lyapunov_spectrum_from_data` in the fewest delays (1 upwards) that predict nearly as well as any number of them:
    each delay more adds an exponent that belongs to the embedding, not the system, and raises the dimension.

    Contraction out of an attractor that is thin in that direction is not in the record, so that |lambda_{j+1}| comes
    out too small and the value too large (Lorenz 63: 2.06 to 2.12 for 2.06; Roessler: 2.05 for 2.013). The interval
    therefore reaches down to j, which stronger contraction would give, and up by chance, from a jackknife over 20
    blocks of time and Student's t, and by 25 % (standard error) of the fraction: an upper bound with a confidence, and
    a lower one that cannot fail unless j is wrong.
    For a map of the line, where nothing contracts, it is from 0 to 1 and the value 1. Admissible with 20 mean
    periods, a prediction error below 0.1 standard deviations and maps that err by less than a quarter of the size of
    their neighbourhoods (more is noise), and where some sum of exponents is negative by two standard errors; those of a
    cycle may not be. Details: `exponents` (1/time), `first` (j), `error`. At most 20,000 samples. Cost: a second.
    """
    from scipy.special import ndtri, stdtrit

    space = embedded(channel, embedding_dimension, delay, theiler)
    error, m, lag = smallest_embedding(space, embedding_dimension is not None, delay is not None)
    space = replace(space, m=m, delay=lag)
    if embedding_dimension is None:
        space.chosen["embedding_dimension"] = "fewest delays that predict nearly as well as any number"
    reason, step = _objection(space, error), space.stride * channel.interval
    around = Neighbourhoods.of(space.x, m, lag, space.theiler) if error <= 3 * UNPREDICTABLE else None
    if around is None:
        raise Refused(reason or f"{len(space.x)} values are too few for local maps in {m} dimensions")
    tangent = around.tangent(RIDGES[1])
    if not reason and tangent.roughness > NOISY:
        reason = f"local maps err by {tangent.roughness:.0%} of the size of their neighbourhoods, as with noise"
    found = closed_sum(tangent.growth)
    if found is None and m > 1:
        raise Refused(reason or f"no sum of the {m} exponents is clearly negative: {tangent.exponents() / step}")
    j, value = (0, 1.0) if found is None else found
    high = value
    if found is not None:
        rest = [closed_sum(np.concatenate(parts)) for parts in _without(np.array_split(tangent.growth, BLOCKS))]
        chance = jackknife_error(np.array([value if one is None else one[1] for one in rest]))
        q = 0.5 + level / 2
        high += float(np.hypot(stdtrit(BLOCKS - 1, q) * chance, ndtri(q) * FRACTION * (value - j)))
    return Estimate(
        "", value, "", (float(j), high), level, "sum of the exponents of local linear maps", space.settings(),
        space.chosen, not reason, reason,
        details={"exponents": np.sort(tangent.exponents())[::-1] / step, "first": j, "error": tangent.error},
    )  # fmt: skip


def _without(parts: list[Array]) -> list[list[Array]]:
    return [parts[:k] + parts[k + 1 :] for k in range(len(parts))]
