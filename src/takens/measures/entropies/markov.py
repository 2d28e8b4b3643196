"""Transfer operators on boxes (Ulam's method): what they leave uncertain, and where they settle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ...random import generator
from ..base import Channel, Refused, measure
from ..entropy_inference import Table, block_labels, conditional_entropy
from ..timescales import correlation_steps
from .spaces import ValueHistogram, words

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TransferOperator:
    """Ulam's estimate of a transfer operator from a sequence of boxes.

    `probability (box, box)` holds in each row the shares of the next box; `visits (box,)` the shares of the boxes that
    were left; boxes that were never left are absent, and so are steps into them.
    """

    probability: Array
    visits: Array

    def invariant(self) -> Array:
        """The distribution `(box,)` that the operator leaves as it is, where one step is repeated for ever."""
        size = len(self.visits)
        equations = np.vstack([self.probability.T - np.eye(size), np.ones(size)])
        solution = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
        positive = np.maximum(solution, 0)
        return np.asarray(positive / positive.sum())

    def relaxation(self) -> float:
        """Steps in which deviations from the invariant distribution fall by e: -1 / ln |second eigenvalue|."""
        sizes = np.sort(np.abs(np.linalg.eigvals(self.probability)))[::-1]
        second = float(sizes[1]) if len(sizes) > 1 else 0.0
        return float("inf") if second >= 1 - 1e-12 else 0.0 if second < 1e-300 else -1 / float(np.log(second))


def transfer_operator(code: NDArray[np.int64]) -> TransferOperator:
    """Ulam's estimate from the boxes `code (time,)` that a trajectory is in: P_ij = N(i -> j) / N(i).

    Raises `Refused` for fewer than two steps within boxes that are left. Cost: O(N + boxes^2).
    """
    left = np.unique(code[:-1])
    place = np.searchsorted(left, code)
    known = left[np.minimum(place, len(left) - 1)] == code
    inside = known[:-1] & known[1:]
    if inside.sum() < 2:
        raise Refused("the trajectory makes no two steps within boxes that it leaves")
    size = len(left)
    if size > 2000:
        raise Refused(f"the trajectory visits {size} boxes; at most 2,000 are worked with: take fewer bins")
    counts = np.bincount(place[:-1][inside] * size + place[1:][inside], minlength=size**2).reshape(size, size)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return TransferOperator(counts / total, counts.sum(axis=1) / counts.sum())


@measure(
    family="entropies", reference="Froyland, in Nonlinear Dynamics and Statistics, Birkhauser, 281 (2001)", minimum=100
)
def transfer_operator_entropy(
    channel: Channel, *, bins: int | None = None, dimension: int = 1, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Entropy rate of the transfer operator on boxes, in nats a sample: how uncertain the next box is.

    h = -sum_i p_i sum_j P_ij ln P_ij, P_ij the share of steps from box i that lead to j (Ulam's method), p_i that of
    steps which begin in i. A box is a word of `dimension` successive values in `bins` classes of equal width (None:
    such that N is 20 bins^(dimension + 1), 2 to 20). The rate of the Markov chain on the boxes: above that of the
    process, which it nears as `dimension` grows; for a generating partition (a Markov one at dimension 1) it is the
    metric entropy, which other boxes may miss from below even as `dimension` grows. Interval: second-order delta method
    over blocks, bias corrected, with the limits of the classes taken as known. Details: `probability` of each step,
    `invariant` distribution of the operator and its `invariant_entropy`, `relaxation` time, `visits`, `links`.
    Admissible from 5 steps a link seen. Finely sampled flows mostly stay in their box: take one sample a correlation
    time. Cost: O(N + boxes^3).
    """
    n = len(channel.x)
    chosen = {}
    if dimension < 1:
        raise SettingError(f"dimension must be at least 1, got {dimension}", place="dimension")
    if bins is None:
        bins = int(min(max((n / 20) ** (1 / (dimension + 1)), 2), 20))
        chosen["bins"] = "20 values for each possible link, 2 to 20"
    classes = ValueHistogram(bins).encode(channel.x, generator(seed, "entropies", "boxes")).code
    boxes = words(classes, bins, dimension, 1)
    operator = transfer_operator(boxes.code)
    links, place = np.unique(boxes.code[:-1] * bins + classes[dimension:], return_inverse=True)
    labels = block_labels(len(place), max(dimension + 1, correlation_steps(channel.x)))
    blocks = int(labels[-1]) + 1
    flat = np.bincount(labels * len(links) + place, minlength=blocks * len(links))
    table = Table(flat.reshape(blocks, len(links)).astype(float))
    value, spread = conditional_entropy(table, links // bins)
    low, high = (max(end, 0.0) for end in spread.interval(value, level))
    invariant = operator.invariant()
    reason = "" if len(place) >= 5 * len(links) else f"{len(place)} steps on {len(links)} links; 5 a link are needed"
    return Estimate(
        "", value, "nat", (low, min(high, float(np.log(bins)))), level,
        "conditional entropy of boxes by Ulam's method; second-order delta method over blocks, bias corrected",
        {"bins": bins, "dimension": dimension, "blocks": blocks}, chosen, not reason, reason,
        details={
            "probability": operator.probability, "invariant": invariant, "visits": operator.visits, "links": len(links),
            "invariant_entropy": float(-np.sum(invariant * np.log(np.where(invariant > 0, invariant, 1.0)))),
            "relaxation": operator.relaxation() * channel.interval, "corrected": value - float(spread.bias[0]),
        },
    )  # fmt: skip
