"""The dimension of a set of points from its correlation sum, with both of its uncertainties."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...random import generator
from ..base import Refused
from ..scaling_region import ScalingFit, fit_ensemble, jackknife_error
from .pairs import Pairs, count_pairs

Array = NDArray[np.float64]

BLOCKS = 16
"""Consecutive blocks of time that the jackknife leaves out in turn."""

OCTAVES, PER_OCTAVE = 10, 6
"""Radii below the largest one that are counted; those with too few pairs are dropped afterwards."""

COINCIDENT = 0.05
"""Share of the close pairs within a thousandth of the largest radius above which values repeat."""

FINEST = 0.01
"""Relative error that no dimension goes below: sets with gaps (Cantor's, Henon's) make the slope waver that much."""


@dataclass(frozen=True)
class Range:
    """Where a dimension is read: from a number of close points a point has in the mean, to a share of all pairs.

    The largest radius is at least `extent` standard deviations of the points: in few dimensions few pairs are close.
    """

    neighbours: float
    share: float
    extent: float


SCATTERED = Range(2, 0.01, 0.2)
"""Of points that lie like drawn at random: chaotic and random motion."""

LATTICE = Range(30, 0.05, 0.5)
"""Of points that lie like a lattice, as the samples of (quasi-)periodic motion do: its steps must be small."""

ROUGH = 0.2
"""Relative scatter of local slopes about a parabola above which points with few neighbours lie like a lattice."""


@dataclass(frozen=True)
class DimensionFit:
    """A dimension read off pairs of points: `value`, and two standard errors.

    `error` is chance, from leaving out blocks of time; `systematic` what the curve's shape leaves open: half of the
    correction for the edge of the set, how much the slopes of its thirds differ beyond chance, half of what a slow
    approach leaves (`slow_approach`), and 1 %. `radii`,
    `correlation_sum` and `region` (two radii) are those behind it, `corrected` the curve without the edge's effect.
    """

    value: float
    error: float
    systematic: float
    radii: Array
    correlation_sum: Array
    corrected: Array
    region: tuple[float, float]
    ensemble: ScalingFit

    def half_width(self, level: float) -> float:
        """Half of the interval at `level`, by Student's t for the jackknife's number of blocks."""
        from scipy.special import stdtrit

        return float(stdtrit(BLOCKS - 1, 0.5 + level / 2) * np.hypot(self.error, self.systematic))


def largest_radius(points: Array, theiler: int, over: Range, seed: int) -> float:
    """The upper end of a range: its share is taken from 100,000 random pairs."""
    n = len(points)
    i, j = generator(seed, "dimension", "pairs").integers(0, n, size=(2, 100_000))
    apart = np.abs(i - j) > theiler
    if not apart.any():
        raise Refused(f"{n} points are too few for a Theiler window of {theiler}")
    distance = np.sqrt(((points[i[apart]] - points[j[apart]]) ** 2).sum(axis=1))
    return max(float(np.quantile(distance, over.share)), over.extent * float(np.sqrt(points.var(axis=0).sum())))


def scaling_pairs(points: Array, theiler: int, seed: int, logs: bool = False) -> tuple[Pairs, NDArray[np.bool_]]:
    """Pairs of `points (time, axis)` at radii over the range in which dimensions are read, and which radii to use.

    The range is that of scattered points; where the slopes among few neighbours jump, that of a lattice. Raises
    `Refused` where fewer than five radii have enough pairs.
    """
    pairs, usable = _pairs_over(SCATTERED, points, theiler, seed, logs)
    few = usable & (pairs.close.sum(axis=(0, 1)) <= LATTICE.neighbours / 2 * len(points))
    if few.sum() > 6 and _roughness(np.log(pairs.correlation_sum[few])) > ROUGH:
        pairs, usable = _pairs_over(LATTICE, points, theiler, seed, logs)
    return pairs, usable


def _pairs_over(over: Range, points: Array, theiler: int, seed: int, logs: bool) -> tuple[Pairs, NDArray[np.bool_]]:
    top = largest_radius(points, theiler, over, seed)
    if not top > 0:
        raise Refused("most values are equal")
    radii = top * 2.0 ** (-np.arange(OCTAVES * PER_OCTAVE, -1, -1) / PER_OCTAVE)
    pairs = count_pairs(points, radii, theiler=theiler, blocks=BLOCKS, logs=logs)
    total = pairs.close.sum(axis=(0, 1))
    usable = (total >= over.neighbours / 2 * len(points)) & (pairs.without(pairs.close) > 0).all(axis=0)
    if total[0] > COINCIDENT * total[-1]:
        raise Refused(
            f"{total[0] / total[-1]:.0%} of the close pairs coincide: the values repeat, as for coarse or periodic data"
        )
    if usable.sum() < 5:
        raise Refused(
            f"{len(points)} points have close neighbours over less than an octave; more points would show more"
        )
    return pairs, usable


def _roughness(curve: Array) -> float:
    """Standard deviation of the steps of a curve about a parabola, over their mean."""
    steps = np.diff(curve)
    k = np.arange(len(steps))
    smooth = np.polyval(np.polyfit(k, steps, min(2, len(steps) - 2)), k)
    return float(np.std(steps - smooth) / max(float(np.mean(steps)), 1e-300))


def dimension_of(points: Array, *, theiler: int = 0, seed: int = 0) -> DimensionFit:
    """Correlation dimension of `points (time, axis)`: the slope of ln C(r) over ln r in an ensemble of regions.

    C(r) = A r^D (1 + c r): near the edge of a set there are fewer neighbours, to first order in proportion to r. The
    term c r is fitted over the whole range and taken off, then every straight stretch of at least a third of the range
    is fitted (`scaling_region.fit_ensemble`). `Range` says which radii. Raises `Refused` where too few
    pairs are close. Cost: that of `count_pairs`.
    """
    pairs, usable = scaling_pairs(points, theiler, seed)
    radii, x = pairs.radii[usable], np.log(pairs.radii[usable])
    shares = np.concatenate([
        pairs.correlation_sum[None], pairs.without(pairs.close) / pairs.without(pairs.possible)[:, None]
    ])[:, usable]  # fmt: skip
    curves = np.log(shares)
    design = np.stack([np.ones_like(x), x, radii / radii[-1]], axis=1)
    edge = np.linalg.lstsq(design, curves.T, rcond=None)[0][2]
    corrected = curves - edge[:, None] * design[:, 2]
    fit = fit_ensemble(x, corrected[0], corrected[1:])
    plain = np.polyfit(x, curves[0], 1)[0]
    thirds = _thirds(x, curves)
    slow = slow_approach(x, curves[0], float(np.log(points.var(axis=0).sum()) / 2)) / 2
    systematic = np.sqrt(((fit.slope - plain) / 2) ** 2 + thirds**2 + slow**2 + (FINEST * fit.slope) ** 2)
    first, last = fit.region
    return DimensionFit(
        fit.slope, fit.error, float(systematic), radii, shares[0], np.exp(corrected[0]),
        (float(radii[first]), float(radii[last])), fit,
    )  # fmt: skip


def _thirds(x: Array, curves: Array) -> float:
    """Standard error of the mean slope of the three thirds of a curve, beyond what chance explains.

    `curves (1 + group, point)` begins with the curve itself, corrected for a straight trend of its slope: that trend
    is the edge's, which the correction takes care of.
    """
    bounds = np.linspace(0, len(x) - 1, 4).round().astype(int)
    slopes = np.stack([
        np.polyfit(x[a : b + 1], curves[:, a : b + 1].T, 1)[0] for a, b in pairwise(bounds)
    ], axis=1)  # fmt: skip
    off = slopes @ np.array([1.0, -2.0, 1.0]) / np.sqrt(6)
    excess = off[0] ** 2 - jackknife_error(off[1:]) ** 2
    return float(np.sqrt(max(0.0, excess) / 3))


def slow_approach(x: Array, curve: Array, size: float) -> float:
    """What a slope may lack of its limit where it nears that like 1/ln r; 0 where nothing shows it.

    Integrable poles of the density give C(r) ~ r^D ln(R/r) and slopes D - 1/ln(R/r), with ln R = `size`. They rise
    towards small radii all the way, quarter by quarter of `curve (point,)` over `x`, while the edge of a set, in
    proportion to r, changes those of the smallest radii least: the first step is then below a fifth of the last.
    """
    bounds = np.linspace(0, len(x) - 1, 5).round().astype(int)
    slopes = [float(np.polyfit(x[a : b + 1], curve[a : b + 1], 1)[0]) for a, b in pairwise(bounds) if b > a]
    steps = -np.diff(slopes)
    if len(steps) < 3 or not (steps > 0).all() or steps[0] < steps[-1] / 5:
        return 0.0
    return 1 / max(size - float(x[0]), 1.0)
