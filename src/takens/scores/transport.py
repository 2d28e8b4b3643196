"""Distances between sets of states: sliced Wasserstein and Hausdorff, and whether two attractors are of one kind."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData, SettingError
from ..neighbours import nearest
from ..random import generator
from .base import Array, Score
from .climate import Runs, climate_score
from .geometry import compared_states

Flags = NDArray[np.bool_]
BONNEEL = "Bonneel et al., J. Math. Imaging Vis. 51, 22 (2015)"
GOERING = "Goering et al., ICML 2024 (arXiv 2402.18377)"
QUANTILES = 1000
"""Quantiles of each projection that are compared."""


@climate_score
def sliced_wasserstein(
    runs: Runs, *, projections: int = 200, order: float = 1.0, legacy: Literal["OODG"] | None = None, seed: int = 0
) -> Score:
    """Sliced Wasserstein distance: how far states must be moved along a line to become the truth, mean over lines.

    SW_p = (mean over directions of integral |F^-1(q) - G^-1(q)|^p dq)^(1/p), with p = `order`, F and G the
    distributions of the two runs projected on `projections` random directions. Called as
    `sliced_wasserstein(generated, true, delay=...)`; in standard deviations of the truth, a single channel unfolded
    with 3 delays as for `state_space_divergence`. Needs no bins or kernels and grows with the distance of what lies
    outside, so it is the score for many channels and for states that hardly overlap; it sees shifts and sizes better
    than fine structure. The floor is the distance between the two halves of the truth. A run that is not finite is
    infinitely far. `legacy="OODG"`: 1,000 projections and 3,000 quantiles of the channels as they are.

    Raises `SettingError` for settings out of range. Cost: projections x T log T. Sources: Bonneel et al. (2015);
    Goering et al. (2024).
    """
    if projections < 1 or not order >= 1 or legacy not in (None, "OODG"):
        raise SettingError(
            f"projections and order must be at least 1 and legacy None or 'OODG': {projections}, {order}"
        )
    projections = 1000 if legacy else projections
    settings: dict[str, Any] = {"projections": projections, "order": order, "legacy": legacy, "seed": seed}
    label: dict[str, Any] = {"name": "sliced_wasserstein", "reference": f"{BONNEEL}; {GOERING}"}
    if runs.broken is not None:
        return Score(value=np.inf, reason=runs.failure, settings=settings, **label)
    true, generated, settings["space"] = compared_states(runs, plain=legacy is not None)
    if len(true) < 8:
        raise InsufficientData(f"{len(true)} complete points of truth; at least 8 are needed")
    directions = generator(seed, "sliced_wasserstein").normal(size=(true.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    levels = np.linspace(0, 1, 3000) if legacy else (np.arange(QUANTILES) + 0.5) / QUANTILES
    half = len(true) // 2
    return Score(
        value=_sliced(true, generated, directions, levels, order), unit="" if legacy else "standard deviations",
        floor=_sliced(true[:half], true[half:], directions, levels, order), settings=settings, **label,
    )  # fmt: skip


def _sliced(one: Array, other: Array, directions: Array, levels: Array, order: float) -> float:
    moved = []
    for part in np.array_split(directions, max(1, directions.shape[1] // 50), axis=1):  # bounds the memory
        off = np.abs(_quantiles(one @ part, levels) - _quantiles(other @ part, levels)) ** order
        moved.append(off.mean(axis=0))
    return float(np.concatenate(moved).mean() ** (1 / order))


def _quantiles(columns: Array, levels: Array) -> Array:
    """Quantiles `(level, column)`, linear between the sorted values."""
    ordered = np.sort(columns, axis=0)
    position = levels * (len(ordered) - 1)
    below = np.floor(position).astype(int)
    share = (position - below)[:, None]
    return ordered[below] * (1 - share) + ordered[np.minimum(below + 1, len(ordered) - 1)] * share  # type: ignore[no-any-return]


def hausdorff(one: ArrayLike, other: ArrayLike) -> float:
    """Hausdorff distance of two sets of points `(point, channel)`: the farthest that a point of one is from the other.

    Infinite where a point is not finite. Cost O(n log n) in few dimensions.
    """
    a, b = np.atleast_2d(np.asarray(one, dtype=np.float64)), np.atleast_2d(np.asarray(other, dtype=np.float64))
    if a.shape[1] != b.shape[1]:
        raise DataError(f"the points have {a.shape[1]} and {b.shape[1]} dimensions")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.inf
    return max(float(nearest(b, a)[0].max()), float(nearest(a, b)[0].max()))


def topological_error(
    generated: ArrayLike,
    true: ArrayLike,
    generated_exponents: ArrayLike,
    true_exponents: ArrayLike,
    *,
    radius: float | None = None,
    zero: float = 0.005,
    tolerance: float = 0.5,
    legacy: Literal["OODG"] | None = None,
) -> Score:
    """Share of initial states from which a model does not reach the right attractor: 0 all right, 1 none.

    `generated` and `true` are runs `(initial state, time, channel)`, or `(time, channel)`, after their transients; the
    exponents `(initial state, exponent)` are Lyapunov spectra, of a model those of `law.system`. A run is right where

    - its Hausdorff distance from the truth is below `radius` (None: three times that of the halves of the truth),
    - all its exponents have the signs of the true ones, largest first; what is smaller than `zero` times the true one
      of the largest size counts as 0, since the exponent along a flow is 0 only up to its estimate,
    - its largest exponent is off by less than `tolerance` of the true one (not asked where that counts as 0).

    `legacy="OODG"` needs a radius and takes signs and tolerance as they are. A run that is not finite is wrong. Raises
    `DataError` for shapes that do not fit. Cost: four neighbour searches a state. Source: Goering et al. (2024).
    """
    a, b = (_runs(x) for x in (generated, true))
    found, exact = (
        np.sort(np.atleast_2d(np.asarray(x, dtype=np.float64)), axis=1)[:, ::-1]
        for x in (generated_exponents, true_exponents)
    )
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[2] or len(exact) != len(b):
        raise DataError(f"runs {a.shape} and {b.shape} with {len(exact)} true spectra")
    if found.shape != exact.shape or not np.isfinite(exact).all():
        raise DataError("the two spectra differ in length, or a true exponent is not finite")
    if legacy not in (None, "OODG") or (legacy and radius is None) or zero < 0 or not tolerance > 0:
        raise SettingError("legacy 'OODG' needs a radius; zero must not be negative, tolerance positive")
    half = b.shape[1] // 2
    reach = np.array([3 * hausdorff(x[:half], x[half:]) if radius is None else radius for x in b])
    distance = np.array([hausdorff(x, y) for x, y in zip(a, b, strict=True)])
    signs, close = _agreement(found, exact, 0.0 if legacy else zero, tolerance)
    right = (distance < reach) & signs & close
    return Score(
        "topological_error", float(1 - right.mean()), settings={"radius": radius, "zero": zero, "tolerance": tolerance,
        "legacy": legacy, "states": len(b)}, reference=GOERING,
        reason=f"{np.isinf(distance).sum()} runs failed: not finite" if np.isinf(distance).any() else "",
        details={"hausdorff": distance, "radius": reach, "signs": signs, "largest": close, "right": right},
    )  # fmt: skip


def _agreement(found: Array, true: Array, zero: float, tolerance: float) -> tuple[Flags, Flags]:
    """Whether all signs agree, and whether the largest exponent does, for each row of two sorted spectra."""
    still = zero * np.abs(true).max(axis=1, keepdims=True)
    signs, exact = (np.where(np.abs(s) <= still, 0.0, np.sign(s)) for s in (found, true))
    off = np.abs(found[:, 0] - true[:, 0]) / (np.abs(true[:, 0]) + np.finfo(np.float64).eps)
    at_rest = (exact[:, 0] == 0) & (zero > 0)
    return np.logical_and.reduce(signs == exact, axis=1), at_rest | (off < tolerance)


def _runs(values: ArrayLike) -> Array:
    made = np.asarray(values, dtype=np.float64)
    made = made[None] if made.ndim == 2 else made
    if made.ndim != 3 or made.shape[1] < 4:
        raise DataError(f"expected runs (initial state, time, channel) of at least 4 rows, got shape {made.shape}")
    return made
