"""Scaling regions found without looking: the ensemble of all straight fits of a curve, and its most frequent slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .divergence import window_slopes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScalingFit:
    """The slope that most straight fits of a curve agree on.

    `slope` is the weighted mean of the fits in the mode of their distribution, `spread` their weighted standard
    deviation, `region (first, last)` the longest of them as positions in the curve. `error` is the jackknife's standard
    error from `groups` curves that each leave a group of the data out (NaN without them). `share` is the weight of the
    mode among all fits. `slopes` and `weights` are those of the whole ensemble.
    """

    slope: float
    error: float
    groups: int
    spread: float
    region: tuple[int, int]
    share: float
    slopes: Array
    weights: Array

    def interval(self, level: float) -> tuple[float, float]:
        """Both uncertainties together: chance, by Student's t with `groups` - 1 degrees, and choice of the region."""
        from scipy.special import stdtrit

        t = float(stdtrit(max(self.groups - 1, 1), 0.5 + level / 2))
        half = float(np.hypot(t * self.error, t * self.spread))
        return self.slope - half, self.slope + half


def fit_ensemble(x: Array, curve: Array, left_out: Array | None = None, *, shortest: float = 1 / 3) -> ScalingFit:
    """The mode of the slopes of `curve (point,)` over `x (point,)` in all windows that hold at least `shortest` of it.

    Every window from one point to another is fitted by least squares and weighs length / (residual + floor), lengths
    in x and the floor the smallest residual that matters: 1e-3 of the fitted rise. The slope is the weighted mean of
    the fits around the highest point of a Gaussian kernel density of the slopes, within its half width. `left_out
    (group, point)` are the curves without one group of the data each; the error is the jackknife's,
    for the same windows and weights. Cost: O(points^3). Source: Deshmukh et
    al., Chaos 31, 123102 (2021).
    """
    n = len(x)
    least = max(3, int(np.ceil(shortest * (n - 1))))
    windows = [(a, b) for a in range(n) for b in range(a + least, n)]
    curves = curve[None] if left_out is None else np.concatenate([curve[None], left_out])
    slopes, residuals = window_slopes(x, curves, windows)
    length = np.array([x[b] - x[a] for a, b in windows])
    own = slopes[0]
    weights = length / (residuals[0] + 1e-3 * np.abs(own) * length + 1e-12)
    weights = weights / weights.sum()
    mode, width = _mode(own, weights)
    inside = np.abs(own - mode) <= width
    part = np.where(inside, weights, 0.0)
    share = float(part.sum())
    part = part / share
    means = slopes @ part
    slope = float(means[0])
    spread = float(np.sqrt(part @ (own - slope) ** 2))
    groups = len(means) - 1
    error = jackknife_error(means[1:]) if groups else float("nan")
    longest = windows[int(np.argmax(np.where(inside, length, -1.0)))]
    return ScalingFit(slope, error, groups, spread, longest, share, own, weights)


def jackknife_error(left_out: Array) -> float:
    """Standard error of a number from its values `(group,)` without each group of the data in turn.

    s^2 = (g - 1)/g sum (v_k - mean)^2 (Quenouille 1956, Tukey 1958).
    """
    g = len(left_out)
    return float(np.sqrt((g - 1) / g * np.sum((left_out - left_out.mean()) ** 2)))


def _mode(values: Array, weights: Array) -> tuple[float, float]:
    """The highest point of a Gaussian kernel density of weighted `values`, and the half width at half maximum there."""
    mean = float(weights @ values)
    deviation = float(np.sqrt(weights @ (values - mean) ** 2))
    if deviation <= 1e-12 * max(1.0, abs(mean)):
        return mean, 1e-9 * max(1.0, abs(mean))
    number = 1 / np.sum(weights**2)
    # Silverman's width, which is meant for independent values; overlapping fits are few independent ones.
    bandwidth = 0.9 * deviation * min(number, 50.0) ** -0.2
    grid = np.linspace(values.min() - bandwidth, values.max() + bandwidth, 400)
    density = np.exp(-0.5 * ((grid[:, None] - values) / bandwidth) ** 2) @ weights
    top = int(density.argmax())
    below = density < density[top] / 2
    left = top - np.flatnonzero(below[:top])[-1] if below[:top].any() else top
    right = np.flatnonzero(below[top:])[0] if below[top:].any() else len(grid) - 1 - top
    return float(grid[top]), float(max(left, right) * (grid[1] - grid[0]))
