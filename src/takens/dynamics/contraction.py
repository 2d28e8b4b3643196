"""Interval Newton steps on many boxes at once: boxes made smaller without losing a root, roots proved to be alone.

Intervals are kept as middle and radius where matrices are multiplied; radii are enlarged by more than all rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .roots import Problem

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
LEAST = 1e-300


@dataclass(frozen=True)
class Bounds:
    """Ends of F `(box, size)` and of its Jacobian `(box, size, size)` over boxes.

    The Jacobian is infinite where F may have a jump in a box, so that it bounds differences of F in every case. NaN
    says that F has no value in the box.
    """

    low: Array
    high: Array
    slope_low: Array
    slope_high: Array

    def of(self, which: NDArray[np.bool_]) -> Bounds:
        """The bounds of some of the boxes."""
        return Bounds(self.low[which], self.high[which], self.slope_low[which], self.slope_high[which])

    def possible(self) -> NDArray[np.bool_]:
        """Which boxes may hold a root `(box,)`."""
        return np.asarray(((self.low <= 0) & (self.high >= 0)).all(axis=1))


def _middle(low: Array, high: Array) -> tuple[Array, Array]:
    """Middle and radius of intervals; the radius is infinite where an end is, or is not a number."""
    with np.errstate(all="ignore"):
        middle = 0.5 * low + 0.5 * high
        sound = np.isfinite(middle)
        middle = np.where(sound, middle, 0.0)
        radius = np.maximum(high - middle, middle - low) * (1 + 4 * EPS) + LEAST
        return middle, np.where(sound & np.isfinite(radius), radius, np.inf)


def _times(matrix: Array, middle: Array, radius: Array) -> tuple[Array, Array]:
    """Middle and radius of a matrix of numbers times one of intervals."""
    share = (matrix.shape[-1] + 6) * EPS
    with np.errstate(all="ignore"):
        size = np.abs(matrix)
        spread = size @ radius + share * (size @ np.abs(middle))
        return matrix @ middle, np.where(np.isnan(spread), np.inf, spread * (1 + share) + LEAST)


def contracted(
    bound: Callable[[Array, Array], Bounds], low: Array, high: Array, bounds: Bounds
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Smaller boxes that hold every root of the given ones, and which of them may hold any.

    The mean value form F(m) + J(X)(X - m) is solved for each variable in each equation, as the equations are and as
    they are after multiplication with the inverse of the Jacobian's middle.
    """
    if not len(low):
        return low, high, np.zeros(0, dtype=bool)
    middle = low + 0.5 * (high - low)
    at = bound(middle, middle)
    value = _middle(at.low, at.high)
    slope = _middle(bounds.slope_low, bounds.slope_high)
    low, high = _solved(low, high, middle, value, slope)
    inverse, regular = _inverse(slope[0])
    if regular.any():
        part = np.flatnonzero(regular & np.isfinite(slope[1]).all(axis=(1, 2)))
        turned = tuple(
            found[..., 0] for found in _times(inverse[part], value[0][part, :, None], value[1][part, :, None])
        )
        matrix = _times(inverse[part], slope[0][part], slope[1][part])
        low[part], high[part] = _solved(low[part], high[part], middle[part], (turned[0], turned[1]), matrix)
    return low, high, np.asarray((low <= high).all(axis=1))


def _inverse(matrices: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Inverses, and which matrices have a usable one."""
    with np.errstate(all="ignore"):
        try:
            found = np.linalg.inv(matrices)
        except np.linalg.LinAlgError:
            found = np.linalg.pinv(matrices, rcond=1e-13)
    return np.asarray(found, dtype=np.float64), np.asarray(np.isfinite(found).all(axis=(1, 2)))


def _solved(
    low: Array, high: Array, middle: Array, value: tuple[Array, Array], slope: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Boxes cut down to where each equation value + slope (x - middle) = 0 can hold, variable by variable."""
    share = (low.shape[1] + 8) * EPS
    with np.errstate(all="ignore"):
        reach = np.maximum(high - middle, middle - low) * (1 + 4 * EPS)
        terms = (np.abs(slope[0]) + slope[1]) * (1 + share) * np.maximum(reach, 0.0)[:, None, :]
        total = terms.sum(axis=2, keepdims=True)
        others = np.maximum(total - terms, 0.0) + share * total + value[1][..., None]
        rest = np.where(np.isnan(others), np.inf, others)
        # The slope's interval without 0, divided into -(value +- rest).
        steep, flat = np.abs(slope[0]) + slope[1], np.abs(slope[0]) - slope[1] * (1 + share)
        target = -value[0][..., None] * np.sign(slope[0])
        ends = target - rest, target + rest
        down = ends[0] / np.where(ends[0] > 0, steep, flat)
        up = ends[1] / np.where(ends[1] > 0, flat, steep)
        usable = (flat > 0) & np.isfinite(down) & np.isfinite(up)
        size = np.abs(middle)[:, None, :] + np.abs(down) + np.abs(up)
        down = np.where(usable, middle[:, None, :] + down - share * size - LEAST, -np.inf)
        up = np.where(usable, middle[:, None, :] + up + share * size + LEAST, np.inf)
    return np.maximum(low, down.max(axis=1)), np.minimum(high, up.min(axis=1))


def unique(problem: Problem, points: Array, widths: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """Which points have a root near, alone; how far it is alone `(point, size)`, and how far it is at most from there.

    Krawczyk's test on boxes around the points, from `widths (point, size)` down: y - Y F(y) maps the box into its own
    inside, Y the inverse of the Jacobian at the point.
    """
    count = len(points)
    at = problem.bounds(points, points)
    slopes = np.nan_to_num(problem.slopes(points))
    inverse, regular = _inverse(slopes)
    with np.errstate(all="ignore"):  # rows scaled, so that units do not matter
        regular &= np.linalg.cond(slopes / np.abs(slopes).max(axis=2, keepdims=True).clip(LEAST)) < 1e10
    value = _middle(at.low, at.high)
    shift, blur = (found[..., 0] for found in _times(inverse, value[0][..., None], value[1][..., None]))
    offset = np.abs(shift) * (1 + 4 * EPS) + blur
    identity = np.eye(problem.size)
    reach, error = np.zeros_like(points), np.full_like(points, np.inf)
    found = np.zeros(count, dtype=bool)
    for k in range(60):
        trial = widths * 2.0**-k
        open_ = regular & (~found | (trial > 3 * offset).all(axis=1))
        if not open_.any():
            break
        part = np.flatnonzero(open_)
        box = trial[part]
        bounds = problem.bounds(points[part] - box, points[part] + box)
        slope = _middle(bounds.slope_low, bounds.slope_high)
        matrix = _times(inverse[part], *slope)
        with np.errstate(all="ignore"):
            size = (np.abs(identity - matrix[0]) + matrix[1]) * (1 + 8 * EPS)
            image = offset[part] + (size @ box[..., None])[..., 0] * (1 + (problem.size + 4) * EPS)
            # The box that was bounded is at least this far from the point, whatever rounding did to its ends.
            inside = np.minimum(points[part] + box - points[part], points[part] - (points[part] - box))
            inside = inside * (1 - 8 * EPS) - 8 * EPS * np.abs(points[part])
            holds = (image < inside).all(axis=1) & (bounds.low <= bounds.high).all(axis=1)
        sound = part[holds]
        first = sound[~found[sound]]
        reach[first] = inside[holds][~found[sound]]
        error[sound] = np.minimum(error[sound], image[holds])
        found[sound] = True
        # A root is not looked for in boxes smaller than the rounding error of F.
        if k > 0 and (widths * 2.0**-k < 4 * EPS * (np.abs(points) + widths)).all():
            break
    return found, reach, error
