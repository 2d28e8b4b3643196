"""Generalised dimensions: how the dimension depends on whether dense or sparse parts of an attractor count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure
from ..embedding import mean_period_steps
from ..scaling_region import fit_ensemble
from .correlation import Embedding
from .pairs import count_pairs
from .slopes import BLOCKS, FINEST, LATTICE, largest_radius

Array = NDArray[np.float64]
Method = Literal["radius", "boxes"]

OCTAVES, PER_OCTAVE = 6, 4
"""Radii of the fixed-radius method below the largest one."""


def radius_information(points: Array, q: Array, theiler: int, seed: int) -> tuple[Array, Array]:
    """ln r `(radius,)` and ln of the generalised correlation sums `(1 + block, q, radius)`.

    C_q(r) = <p_i(r)^(q - 1)>^(1 / (q - 1)) over the points i, p_i the share of the points outside the Theiler window
    that lie within r of i; for q = 1 exp <ln p_i>. After the curve of all points come those without the reference
    points of one block each. Radii at which a point of a hundred has no neighbour are left out: for q < 1 such points
    decide.
    """
    n = len(points)
    top = largest_radius(points, theiler, LATTICE, seed)
    radii = top * 2.0 ** (-np.arange(OCTAVES * PER_OCTAVE, -1, -1) / PER_OCTAVE)
    each = count_pairs(points, radii, theiler=theiler, each=True).each
    assert each is not None
    index = np.arange(n)
    possible = n - (np.minimum(index + theiler, n - 1) - np.maximum(index - theiler, 0) + 1)
    usable = (each == 0).mean(axis=0) <= 0.01
    if usable.sum() < 6:
        raise Refused(f"{n} points are too far apart: only {int(usable.sum())} of {len(radii)} radii hold neighbours")
    counts = each[:, usable].astype(float)
    # Points without a neighbour, at most one in a hundred, are counted with half of one.
    logs = np.log(np.maximum(counts, 0.5) / possible[:, None])
    block = index * BLOCKS // n
    out = np.empty((1 + BLOCKS, len(q), int(usable.sum())))
    number = np.bincount(block).astype(float)
    for k, power in enumerate(q):
        term = logs if power == 1 else np.exp((power - 1) * logs)
        sums = np.stack([np.bincount(block, column) for column in term.T], axis=1)
        mean = np.concatenate([sums.sum(axis=0)[None] / n, (sums.sum(axis=0) - sums) / (n - number)[:, None]])
        out[:, k] = mean if power == 1 else np.log(mean) / (power - 1)
    # Leaving out reference points alone would halve the change that leaving the points out makes.
    out[1:] = out[:1] + 2 * (out[1:] - out[:1])
    return np.log(radii[usable]), out


def box_information(points: Array, q: Array) -> tuple[Array, Array]:
    """ln size `(size,)` and ln <p^(q-1)>^(1/(q-1)) of the shares p of points in boxes, as `radius_information`.

    Boxes divide the extent of the points by 2, 4, ... until they hold five points on the average.
    """
    n, axes = points.shape
    low, extent = points.min(axis=0), float(np.ptp(points, axis=0).max())
    block = np.arange(n) * BLOCKS // n
    sizes, rows = [], []
    for level in range(1, min(20, 60 // axes)):
        cell = np.minimum(((points - low) / extent * 2**level).astype(np.int64), 2**level - 1)
        key = cell @ (2 ** (level * np.arange(axes, dtype=np.int64)))
        _, box = np.unique(key, return_inverse=True)
        counts = np.bincount(box * BLOCKS + block, minlength=(box.max() + 1) * BLOCKS).reshape(-1, BLOCKS)
        if n < 5 * len(counts):
            break
        totals = counts.sum(axis=1)
        rows.append([_information(c, q) for c in (totals, *(totals - counts[:, b] for b in range(BLOCKS)))])
        sizes.append(extent / 2**level)
    if len(sizes) < 4:
        raise Refused(f"{n} points fill their boxes for only {len(sizes)} sizes; 4 are needed")
    return np.log(sizes[::-1]), np.transpose(rows, (1, 2, 0))[:, :, ::-1]


def _information(counts: NDArray[np.int64], q: Array) -> Array:
    p = counts[counts > 0] / counts.sum()
    return np.array([p @ np.log(p) if power == 1 else np.log(np.sum(p**power)) / (power - 1) for power in q])


def generalised_fit(
    points: ArrayLike, q: ArrayLike, *, method: Method = "radius", theiler: int = 0, seed: int = 0
) -> tuple[Array, Array, Array, Array]:
    """Dimensions `(q,)` of `points (time, axis)`, their standard errors, ln r, and ln C_q `(q, radius)`.

    Slopes over all radii in an ensemble of regions, see `scaling_region.fit_ensemble`, with the edge of the set taken
    off for fixed radii; the error joins the jackknife's, the ensemble's spread, half of that correction, and 1 %.
    Raises `Refused` where the points are too few.
    """
    points, q = np.asarray(points, dtype=float), np.asarray(q, dtype=float)
    x, curves = radius_information(points, q, theiler, seed) if method == "radius" else box_information(points, q)
    corrected = curves
    if method == "radius":
        # Fewer neighbours near the edge, in proportion to r, as in `dimension_of`; boxes have no such term.
        design = np.stack([np.ones_like(x), x, np.exp(x - x[-1])], axis=1)
        edge = np.linalg.lstsq(design, curves.reshape(-1, len(x)).T, rcond=None)[0][2].reshape(curves.shape[:2])
        corrected = curves - edge[:, :, None] * design[:, 2]
    fits = [fit_ensemble(x, corrected[0, k], corrected[1:, k], shortest=0.5) for k in range(len(q))]
    value = np.array([f.slope for f in fits])
    shift = (value - np.polyfit(x, curves[0].T, 1)[0]) / 2
    error = np.array([np.sqrt(f.error**2 + f.spread**2 + (FINEST * f.slope) ** 2) for f in fits])
    return value, np.hypot(error, shift), x, curves[0]


@measure(family="dimensions", reference="Hentschel and Procaccia, Physica D 8, 435 (1983)", minimum=1000)
def generalised_dimensions(
    channel: Channel, *, powers: Sequence[float] = (0.0, 1.0, 2.0, 3.0), method: Method = "radius",
    embedding_dimension: int = 3, delay: int | None = None, theiler: int | None = None, level: float = 0.95,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Generalised dimensions D_q `(power,)` of the attractor in `embedding_dimension` dimensions.

    D_q = lim ln <p(r)^(q - 1)> / ((q - 1) ln r), p the share of points near a point: D_0 the capacity, D_1 the
    information, D_2 the correlation dimension. They fall with q; where they differ the attractor is multifractal.
    `method` "radius" counts the points within r of each point, outside the Theiler window; "boxes" the shares of a
    grid's boxes, halved each time, which needs more points and knows no Theiler window, but holds for q <= 0 too.
    For q < 1 thin parts decide, which are seen last: D_0 of few points is too small. Intervals: jackknife over blocks
    of time, the spread between regions, 1 %.

    Admissible where every D_q is below `embedding_dimension` - 0.3, below 2 log10 N, and its half width below a
    quarter. Give an embedding dimension in which `correlation_dimension` saturates: here this is not looked for.
    Details: `power`, `radius`, `information (power, radius)` (ln C_q). Cost: that of `count_pairs`; at most 20,000
    samples.
    """
    embedded = Embedding.of(channel, delay, theiler)
    q = np.asarray(powers, dtype=float)
    if q.ndim != 1 or not len(q) or method not in ("radius", "boxes") or embedding_dimension < 1:
        raise SettingError(f"powers {powers}, method {method!r}, embedding_dimension {embedding_dimension}")
    points = embedded.points(embedding_dimension)
    value, error, x, curves = generalised_fit(points, q, method=method, theiler=embedded.theiler, seed=seed)
    from scipy.special import stdtrit

    half = float(stdtrit(BLOCKS - 1, 0.5 + level / 2)) * error
    n, reason = len(points), ""
    if value.max() > embedding_dimension - 0.3:
        reason = f"D = {value.max():.2f} nearly fills {embedding_dimension} dimensions, as noise does: embed in more"
    elif value.max() > 2 * np.log10(n):
        reason = f"{n:,} points resolve dimensions up to {2 * np.log10(n):.1f}"
    elif n < 20 * mean_period_steps(embedded.x):
        reason = "the record holds fewer than 20 mean periods"
    elif (half > 0.25 * np.abs(value)).any():
        reason = "no straight part of the curves is long enough"
    return Estimate(
        "", value, "", (value - half, value + half), level, f"generalised correlation sums, {method}",
        {**embedded.settings, "powers": q, "method": method, "embedding_dimension": embedding_dimension},
        embedded.chosen, not reason, reason,
        details={"power": q, "radius": np.exp(x), "information": curves},
    )  # fmt: skip
