"""Nonlinear noise reduction: values move towards the local mean or the local surface of a reconstructed attractor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError
from ..neighbours import delay_vectors, nearest
from ..series import Series, as_series
from .base import Channel, Refused
from .divergence import embedded
from .exponents import trial_embeddings

Array = NDArray[np.float64]

UNSTRUCTURED = 0.5
"""Prediction error, in standard deviations, above which neighbours share no future and there is nothing to average."""

LONGEST = 50_000
"""Values that are cleaned at most: neighbours of every value are searched in each iteration."""

STIFF = 1e3
"""Weight of the first and last coordinate in the local metric, which are left alone: they are known from one side."""


@dataclass(frozen=True)
class Cleaned:
    """A `series` with less noise, what was `removed` from it (same times), and the settings used.

    `amplitude` is the root mean square of what was removed, in the unit of the channel: an estimate of the noise, low
    by the part along the attractor, which cannot be told from motion.
    """

    series: Series
    removed: Series
    amplitude: float
    settings: dict[str, Any]


def reduce_noise(
    data: Series | ArrayLike,
    *,
    method: Literal["projective", "simple"] = "projective",
    embedding_dimension: int | None = None,
    delay: int | None = None,
    kept: int = 3,
    neighbours: int | None = None,
    iterations: int = 3,
) -> Cleaned:
    """One channel with its observation noise reduced by what neighbouring states have in common.

    "simple" (Schreiber, Phys. Rev. E 47, 2401, 1993) replaces the middle coordinate of each delay vector by its mean
    over the `neighbours` nearest ones. "projective" (Grassberger et al., Chaos 3, 127, 1993) projects each delay vector
    on the `kept` widest local directions, in a metric that leaves the first and last coordinate alone, around a centre
    corrected for curvature; a value moves by the mean correction over the vectors that hold it. Both are iterated.
    `delay` defaults to a third of the first minimum of the mutual information (1 for maps), `embedding_dimension` to 7
    (simple: 5), `neighbours` to one in 250 values, 20 to 40.

    For additive measurement noise of some per cent on low-dimensional motion: error falls by half or more for 5 % on
    Henon (2,000 values) and Lorenz 63 (10,000). Neighbourhoods wider than the noise flatten the attractor: less noise
    than the distance of neighbours (1 %, or the Ikeda map with 5,000 values) is no case for it. It does not help
    against noise in the dynamics, and cleaned data are not independent evidence: verdicts and surrogate tests belong on
    the original. Raises `InsufficientData` where neighbours do not predict (nothing but noise, or too few values),
    `SettingError` for several channels and settings out of range. Cost: one search of `neighbours` neighbours an
    iteration; seconds for 10,000 values.
    """
    series = as_series(data)
    m = (7 if method == "projective" else 5) if embedding_dimension is None else embedding_dimension
    count = int(np.clip(len(series) / 250, 20, 40)) if neighbours is None else neighbours
    x = _checked(series, method, m, kept, count, iterations)
    natural, error = _structure(series, x)
    delay = max(1, round(natural / 3)) if delay is None else delay
    if len(x) < (m - 1) * delay + 10 * count:
        raise InsufficientData(
            f"{len(x)} values are too few for {m} delays of {delay} and {count} neighbours",
            place=series.channels[0],
        )
    clean = x
    for _ in range(iterations):
        points = delay_vectors(clean, m, delay)
        near = nearest(points, points, k=count)[1]
        if method == "simple":
            clean = averaged(clean, points, near, delay)
        else:
            clean = projected(clean, points, near, delay, kept)
    removed = x - clean
    settings = {"method": method, "embedding_dimension": m, "delay": delay, "kept": kept,
                "neighbours": count, "iterations": iterations, "prediction_error": error}  # fmt: skip
    return Cleaned(
        replace(series, values=clean[:, None]), replace(series, values=removed[:, None]),
        float(np.sqrt(np.mean(removed**2))), settings,
    )  # fmt: skip


def _structure(series: Series, x: Array) -> tuple[int, float]:
    """The natural delay, and how well neighbours predict, in standard deviations; refuses where they do not."""
    channel = Channel(x, series.times, series.interval, series.clock.unit, series.units[0], "all")
    try:
        space = embedded(channel, None, None, None)
        error = trial_embeddings(space, False, False)[0][0]
    except Refused as refusal:
        raise InsufficientData(str(refusal), place=series.channels[0]) from refusal
    if error > UNSTRUCTURED:
        raise InsufficientData(
            f"neighbouring states do not share their future: local maps miss it by {error:.2g} standard deviations",
            place=series.channels[0],
            remedy="Filter linearly, or sample more finely, if there is motion under the noise.",
        )
    return space.delay, error


def _checked(series: Series, method: str, m: int, kept: int, neighbours: int, iterations: int) -> Array:
    """The values of the one channel, if it and the settings can be used."""
    if series.shape[1] != 1:
        raise SettingError(f"one channel is cleaned at a time; these data have {series.shape[1]}",
                           remedy=f"Select one, for instance series.select({series.channels[0]!r}).")  # fmt: skip
    if method not in ("projective", "simple"):
        raise SettingError(f"no method {method!r}", remedy="Methods are: projective, simple.")
    if not (1 <= kept < m - 1 and neighbours > m and iterations >= 1):
        raise SettingError(
            f"embedding_dimension {m}, kept {kept}, neighbours {neighbours}, iterations {iterations} do not fit",
            remedy="Keep 1 to embedding_dimension - 2 directions and take more neighbours than dimensions.",
        )
    x = series.values[:, 0]
    if not np.isfinite(x).all() or series.sampling.kind != "regular":
        raise InsufficientData("noise reduction needs regular sampling without gaps", place=series.channels[0],
                               remedy="Take one of series.stretches().")  # fmt: skip
    if len(x) > LONGEST:
        raise InsufficientData(f"{len(x)} values; at most {LONGEST} are cleaned at once", place=series.channels[0],
                               remedy="Clean a window, or thin the record.")  # fmt: skip
    if len(x) < 200 or np.ptp(x) == 0:
        raise InsufficientData("at least 200 values that vary are needed", place=series.channels[0])
    return x.astype(np.float64)  # type: ignore[no-any-return]


def averaged(x: Array, points: Array, near: NDArray[np.int64], delay: int) -> Array:
    """`x (time,)` with each value that is the middle of a delay vector replaced by the mean over its neighbours.

    Schreiber (1993). `points (n, m)` are the delay vectors of x and `near (n, k)` the rows of their neighbours, each
    vector among its own. Values within half an embedding window of the ends stay. Cost: O(n k).
    """
    middle = points.shape[1] // 2
    out = x.copy()
    out[middle * delay :][: len(points)] = points[near, middle].mean(axis=1)
    return out


def projected(x: Array, points: Array, near: NDArray[np.int64], delay: int, kept: int) -> Array:
    """`x (time,)` moved by the mean local correction of the delay vectors that hold each value.

    theta_i = R^-1 sum_q e_q (e_q . R (X_i - c_i)) over the m - `kept` narrowest directions e_q of the covariance of
    R X in the neighbourhood `near[i]`, R stiff at both ends; c_i = 2 <X> - <<X>> is the centre corrected for curvature
    by the mean of the neighbours' centres. Grassberger et al. (1993). Cost: O(n (k m^2 + m^3)).
    """
    n, m = points.shape
    stiff = np.ones(m)
    stiff[[0, -1]] = STIFF
    centre = np.empty((n, m))
    batches = [slice(start, start + 2000) for start in range(0, n, 2000)]
    for rows in batches:
        centre[rows] = points[near[rows]].mean(axis=1)
    total, count = np.zeros(len(x)), np.zeros(len(x))
    shift = np.empty((n, m))
    for rows in batches:
        spread = (points[near[rows]] - centre[rows, None]) * stiff
        covariance = np.einsum("nki,nkj->nij", spread, spread)
        narrow = np.linalg.eigh(covariance)[1][:, :, : m - kept]
        straight = 2 * centre[rows] - centre[near[rows]].mean(axis=1)
        off = (points[rows] - straight) * stiff
        shift[rows] = np.einsum("niq,njq,nj->ni", narrow, narrow, off) / stiff
    for c in range(m):
        # The ends of a window hardly move and would dilute the mean, so that only inner coordinates count.
        if 0 < c < m - 1:
            total[c * delay :][:n] += shift[:, c]
            count[c * delay :][:n] += 1
    return x - total / np.maximum(count, 1)
