"""Local dimension and persistence of states, from the extremes of how close the orbit comes to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ...random import generator
from ..base import Channel, Refused, measure
from ..embedding import mean_period_steps
from ..scaling_region import jackknife_error
from .correlation import Embedding
from .slopes import BLOCKS

Array = NDArray[np.float64]


def extremal_index(times: NDArray[np.int64], share: float) -> float:
    """Extremal index theta of exceedances at `times (exceedance,)` that are a `share` of all: Sueveges' estimator.

    With gaps T between exceedances, S = T - 1, K = #{S > 0} and s = share * sum S, it maximises the likelihood of a
    mixture of clusters: theta = (s + N + K - sqrt((s + N + K)^2 - 8 K s)) / (2 s), N the number of gaps. 1 / theta is
    the mean length of a cluster. Sueveges, Extremes 10, 41 (2007).
    """
    gaps = np.diff(times) - 1
    apart = int(np.sum(gaps > 0))
    s = share * float(gaps.sum())
    if s == 0:
        return 0.0
    total = s + len(gaps) + apart
    return float(min(1.0, (total - np.sqrt(max(total**2 - 8 * apart * s, 0.0))) / (2 * s)))


def local_extremes(points: Array, own: int, quantile: float, theiler: int) -> tuple[float, float]:
    """Local dimension and extremal index of the state `own` of `points (time, axis)`.

    g = -ln distance exceeds its `quantile` by an exponential variable of mean 1/d (a Pareto tail of index 0). For the
    dimension points within the Theiler window do not count; for the index, which is about staying near, all but the
    state itself do.
    """
    distance = np.sqrt(((points - points[own]) ** 2).sum(axis=1))
    index = np.arange(len(points))
    apart = np.abs(index - own) > theiler
    far = np.where(apart, distance, np.inf)
    number = int((1 - quantile) * apart.sum())
    close = np.partition(far, number)[: number + 1]
    limit, close = close.max(), np.sort(close)[:-1]
    if limit <= 0 or (close <= 0).any() or close[0] == limit:
        return np.nan, np.nan
    dimension = 1 / np.mean(np.log(limit / close))
    others = np.delete(distance, own)
    near = np.flatnonzero(others < np.quantile(others, 1 - quantile))
    return float(dimension), extremal_index(near, len(near) / len(others))


@measure(family="dimensions", reference="Faranda, Messori and Yiou, Scientific Reports 7, 41278 (2017)", minimum=1000)
def local_dimension(
    channel: Channel, *, embedding_dimension: int = 3, delay: int | None = None, theiler: int | None = None,
    quantile: float = 0.98, references: int = 500, level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Mean local dimension of the states, and how long the motion stays near each, by extreme-value theory.

    g(t) = -ln |X_t - z| exceeds a high `quantile` of its own by an exponential variable of mean 1/d(z), whatever the
    system; d(z) is the local dimension, and its mean over states is D_1 of the attractor. The exceedances' extremal
    index theta(z) (Sueveges' estimator) gives the persistence 1/theta, the mean time for which the orbit stays near z.
    Found for `references` random states of the reconstruction in `embedding_dimension` dimensions. The interval is a
    jackknife over 16 blocks of time of the states' mean, and does not hold what a finite quantile changes: d is the
    slope at the radius of the quantile. Admissible with 100 exceedances, 20 mean periods, and below
    `embedding_dimension` - 0.3, which noise would fill. Details, one entry a state: `time`, `local_dimension`,
    `extremal_index`, `persistence` (time). Source of the theory: Lucarini et al., Extremes and Recurrence in Dynamical
    Systems (2016). Cost: `references` passes over at most 20,000 states, a second.
    """
    from scipy.special import stdtrit

    if not 0.5 <= quantile < 1 or references < BLOCKS or embedding_dimension < 1:
        raise SettingError(f"quantile {quantile}, references {references}, embedding_dimension {embedding_dimension}")
    embedded = Embedding.of(channel, delay, theiler)
    points = embedded.points(embedding_dimension)
    n = len(points)
    own = np.sort(generator(seed, "local_dimension").choice(n, min(references, n), replace=False))
    found = np.array([local_extremes(points, int(i), quantile, embedded.theiler) for i in own])
    good = np.isfinite(found).all(axis=1)
    if good.mean() < 0.9:
        raise Refused("states coincide: the values repeat, as for coarse or periodic data")
    own, dimension, theta = own[good], found[good, 0], found[good, 1]
    block = np.arange(len(own)) * BLOCKS // len(own)
    left_out = np.array([dimension[block != b].mean() for b in range(BLOCKS)])
    value = float(dimension.mean())
    # A block left out as reference still serves as neighbour: the change is half of that without it.
    half = 2 * float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * jackknife_error(left_out)
    reason, exceedances = "", int((1 - quantile) * n)
    if exceedances < 100:
        reason = f"{exceedances} exceedances; 100 are needed: {int(100 / (1 - quantile)):,} values or a lower quantile"
    elif n < 20 * mean_period_steps(embedded.x):
        reason = "the record holds fewer than 20 mean periods"
    elif value > embedding_dimension - 0.3:
        reason = f"d = {value:.2f} nearly fills {embedding_dimension} dimensions, as noise does: embed in more"
    step = embedded.stride * channel.interval
    return Estimate(
        "", value, "", (value - half, value + half), level, "exponential tail of -ln distance, jackknife",
        {**embedded.settings, "embedding_dimension": embedding_dimension, "quantile": quantile,
         "references": len(own)},
        embedded.chosen, not reason, reason,
        details={"time": channel.t[0] + own * step, "local_dimension": dimension, "extremal_index": theta,
                 "persistence": step / np.maximum(theta, 1e-12)},
    )  # fmt: skip
