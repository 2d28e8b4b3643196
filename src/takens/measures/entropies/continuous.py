"""The entropy of a density, from distances to nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ...neighbours import delay_vectors, nearest
from ..base import Channel, Refused, measure
from ..entropy_inference import block_labels
from ..timescales import correlation_steps

Array = NDArray[np.float64]


def kozachenko_leonenko(points: Array, k: int = 4) -> tuple[float, Array]:
    """Differential entropy in nats of points `(n, d)`, and the term of each point `(n,)`; the value is their mean.

    psi(n) - psi(k) + d ln(2 e_i), e_i the distance to the k-th neighbour in the maximum norm. Raises `Refused` where a
    distance is 0: repeated points have no density. Cost: O(n log n).
    """
    from scipy.special import digamma

    if not 1 <= k < len(points):
        raise SettingError(f"k must be 1 to {len(points) - 1}, got {k}", place="k")
    distance = nearest(points, k=k, metric="maximum")[0][:, -1]
    if not (distance > 0).all():
        raise Refused(
            f"{np.mean(distance == 0):.0%} of the points coincide with {k} others: they are rounded and have no density"
        )
    terms = digamma(len(points)) - digamma(k) + points.shape[1] * np.log(2 * distance)
    return float(terms.mean()), np.asarray(terms)


@measure(
    family="entropies", reference="Kozachenko and Leonenko, Probl. Inf. Transm. 23, 95 (1987)", minimum=50,
    scale_free=False,
)  # fmt: skip
def differential_entropy(
    channel: Channel, *, dimension: int = 1, delay: int = 1, k: int = 4, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Differential entropy in nats of the values, or of their delay vectors: -integral f ln f, f the density.

    It depends on the unit of the values (a factor a adds ln a), may be negative, and is ln(2 pi e s^2) / 2 for a normal
    distribution. Estimated by k-th neighbours (Kozachenko and Leonenko) in the maximum norm. Interval: the terms of the
    points averaged over blocks of ten correlation times, and trigamma(k) / N for the distances that neighbours share.
    Rounded values that coincide k times are refused. Long channels use a stated part. Cost: O(N log N).
    """
    from scipy.special import polygamma, stdtrit

    x, stride, used = channel.portion(100_000)
    points = delay_vectors(x, dimension, delay)
    value, terms = kozachenko_leonenko(points, k)
    labels = block_labels(len(terms), max((dimension - 1) * delay + 1, correlation_steps(x)))
    blocks = int(labels[-1]) + 1
    sums = np.bincount(labels, weights=(terms - value) / len(terms))
    spread = float(np.sum(sums**2)) * blocks / (blocks - 1) + float(polygamma(1, k)) / len(terms)
    half = float(stdtrit(blocks - 1, 0.5 + level / 2)) * float(np.sqrt(spread))
    needed = 50 * 4 ** (dimension - 1)
    reason = "" if len(points) >= needed else f"{len(points)} points; dimension {dimension} needs {needed}"
    settings = {"dimension": dimension, "delay": delay, "k": k, "stride": stride, "used": used or "all",
                "blocks": blocks}  # fmt: skip
    return Estimate(
        "", value, "nat", (value - half, value + half), level,
        "Kozachenko-Leonenko estimate by k-th neighbours; terms averaged over blocks", settings, {}, not reason,
        reason, details={"standard_error": float(np.sqrt(spread))},
    )  # fmt: skip
