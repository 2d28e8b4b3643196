"""Takens' estimator: the dimension as the rate of an exponential distribution of log distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..scaling_region import ScalingFit, jackknife_error
from .slopes import FINEST, DimensionFit, scaling_pairs

Array = NDArray[np.float64]


def takens_estimate(points: Array, *, theiler: int = 0, seed: int = 0) -> DimensionFit:
    """Takens' estimator of `points (time, axis)` at all radii of the scaling range, extrapolated to radius 0.

    T(r) = n(r) / sum ln(r / r_ij) over the n(r) pairs closer than r; with C(r) = A r^D (1 + c r) it is D + c' r to
    first order. The line is fitted with weights n(r), the error is the jackknife's over blocks of time, the systematic
    error half of what the extrapolation changes at the upper end, and 1 %. Raises `Refused` like `dimension_of`.
    """
    pairs, usable = scaling_pairs(points, theiler, seed, logs=True)
    assert pairs.logs is not None
    radii = pairs.radii[usable]
    number = np.concatenate([pairs.close.sum(axis=(0, 1))[None], pairs.without(pairs.close)])[:, usable]
    logs = np.concatenate([pairs.logs.sum(axis=(0, 1))[None], pairs.without(pairs.logs)])[:, usable]
    curves = number / (number * np.log(radii) - logs)
    weight = number[0] / number[0].sum()
    centre = weight @ radii
    slope = (curves @ (weight * (radii - centre))) / (weight @ (radii - centre) ** 2)
    limit = curves @ weight - slope * centre
    error = jackknife_error(limit[1:])
    value = float(limit[0])
    systematic = float(np.hypot((curves[0, -1] - value) / 2, FINEST * value))
    line = value + slope[0] * radii
    ensemble = ScalingFit(value, error, len(limit) - 1, systematic, (0, len(radii) - 1), 1.0, curves[0], weight)
    return DimensionFit(
        value, error, systematic, radii, curves[0], line, (float(radii[0]), float(radii[-1])), ensemble
    )  # fmt: skip
