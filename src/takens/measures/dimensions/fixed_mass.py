"""Fixed-mass dimension: how far one must go from a point to find k others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...neighbours import nearest
from ..base import Channel, Refused, measure
from ..embedding import mean_period_steps
from ..scaling_region import fit_ensemble
from .correlation import GROWTH, WIDEST, Embedding, plateau
from .slopes import BLOCKS, FINEST

Array = NDArray[np.float64]

REFERENCES = 2000
"""Points from which neighbours are sought, evenly spread over the record."""

MASSES = (4, 128)
"""The smallest and the largest number of neighbours."""


def mean_log_distances(points: Array, masses: NDArray[np.int64], theiler: int) -> tuple[Array, Array]:
    """<ln r_k> `(1 + block, mass)` of the distance to the k-th neighbour, and ln of the mass: psi(k) - ln n `(mass,)`.

    Neighbours within the Theiler window of the reference point do not count, neither in time nor in n. First over all
    reference points, then without those of one block each. Grassberger, Phys. Lett. A 107, 101 (1985).
    """
    from scipy.special import digamma

    n = len(points)
    own = np.unique(np.linspace(0, n - 1, min(n, REFERENCES)).astype(np.int64))
    distance, _ = nearest(points, points[own], k=int(masses[-1]), theiler=theiler, exclude=own)
    taken = distance[:, masses - 1]
    if not np.isfinite(taken).all():
        raise Refused(f"{n} points hold fewer than {int(masses[-1])} neighbours outside a Theiler window of {theiler}")
    if np.mean(taken[:, 0] == 0) > 0.01:
        raise Refused("points coincide: the values repeat, as for coarse or periodic data")
    logs = np.log(np.maximum(taken, np.finfo(float).tiny))
    block = np.arange(len(own)) * BLOCKS // len(own)
    sums = np.stack([np.bincount(block, column) for column in logs.T], axis=1)
    number = np.bincount(block)[:, None]
    mean = np.concatenate([logs.mean(axis=0)[None], (sums.sum(axis=0) - sums) / (len(own) - number)])
    others = n - np.minimum(own, theiler) - np.minimum(n - 1 - own, theiler) - 1
    return mean, digamma(masses) - np.log(others).mean()


def fixed_mass_fit(points: Array, theiler: int) -> tuple[float, float, Array, Array]:
    """The information dimension D_1 of `points (time, axis)`, its standard error, <ln r_k> and ln mass.

    D_1 = d (psi(k) - ln n) / d <ln r_k>, in an ensemble of regions. The error joins the jackknife's over blocks, the
    spread of the ensemble, half the difference of the slopes of both halves, and 1 %.
    """
    masses = np.unique(np.geomspace(*MASSES, 21).round().astype(np.int64))
    mean, mass = mean_log_distances(points, masses, theiler)
    # Distances are fitted over masses, which are known exactly; the dimension is one over the slope.
    fit = fit_ensemble(mass, mean[0], mean[1:], shortest=0.5)
    half = len(mass) // 2
    near, far = (np.polyfit(mass[part], mean[0, part], 1)[0] for part in (slice(0, half + 1), slice(half, None)))
    value = 1 / fit.slope
    bend = abs(1 / near - 1 / far) / 2
    error = np.sqrt((2 * fit.error * value**2) ** 2 + (fit.spread * value**2) ** 2 + bend**2 + (FINEST * value) ** 2)
    return float(value), float(error), mean[0], mass


@measure(family="dimensions", reference="Badii and Politi, J. Stat. Phys. 40, 725 (1985)", minimum=500)
def fixed_mass_dimension(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 8,
    level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Information dimension D_1 by fixed mass: <ln r_k> = (psi(k) - ln n) / D_1 + constant, k = 4 to 128.

    r_k is the distance of a delay vector to its k-th neighbour outside the Theiler window, which is counted from the
    vector's own time; n are the vectors outside it. Uses every point alike, dense or sparse, and needs fewer of them
    than the correlation sum. Given where three embedding dimensions in a row agree within 0.25, like
    `correlation_dimension`; the interval joins the jackknife over blocks of time, the bend of the curve, 1 % and the
    range of the plateau. Admissible below 2 log10 N, with 20 mean periods and a half width below a quarter.
    Details: `dimension`, `information_dimension`, and of the value's `mass` and `log_distance`.
    Cost: 2,000 neighbour searches a dimension, a second or two; at most 20,000 samples.
    """
    del seed
    from scipy.special import stdtrit

    embedded = Embedding.of(channel, delay, theiler)
    fits = []
    for m in range(1, max_dimension + 1):
        try:
            fits.append(fixed_mass_fit(embedded.points(m), embedded.theiler))
        except Refused:
            if m == 1:
                raise
            break
        at = plateau([f[0] for f in fits])
        if at is not None and len(fits) >= at + 4:
            break
    values = [f[0] for f in fits]
    at = plateau(values)
    value, error, log_distance, mass = fits[-1 if at is None else at + 1]
    details = {"dimension": np.arange(1, len(fits) + 1), "information_dimension": np.array(values), "mass": mass,
               "log_distance": log_distance}  # fmt: skip
    method, settings = "mean log distance to the k-th neighbour", {**embedded.settings, "max_dimension": max_dimension}
    if at is None:
        reason = f"no saturation: in 1 to {len(values)} dimensions it is {', '.join(f'{v:.2f}' for v in values)}"
        return Estimate("", None, "", None, level, method, settings, embedded.chosen, False, reason, details=details)
    half = float(np.hypot(stdtrit(BLOCKS - 1, 0.5 + level / 2) * error, np.ptp(values[at : at + 3]) / 2))
    n, reason = len(embedded.x), ""
    if value > 2 * np.log10(n):
        reason = f"{n:,} values resolve dimensions up to {2 * np.log10(n):.1f}"
    elif n < 20 * mean_period_steps(embedded.x):
        reason = "the record holds fewer than 20 mean periods"
    elif half > WIDEST * value:
        reason = f"the {level:.0%} interval is {value:.2f} -/+ {half:.2f}: the curve is not straight"
    return Estimate(
        "", value, "", (value - half, value + half), level, method, {**settings, "embedding_dimension": at + 2},
        {**embedded.chosen, "embedding_dimension": f"the middle of the first three that agree within {GROWTH}"},
        not reason, reason, details=details,
    )  # fmt: skip
