"""Sections of what is known at samples only: data, and free runs of learned laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, SettingError
from .record import events
from .sections import Section

Array = NDArray[np.float64]


def sampled_section(
    states: ArrayLike,
    names: Sequence[str],
    surface: str | tuple[ArrayLike, float],
    *,
    interval: float = 1.0,
    direction: int = 1,
) -> Section:
    """Where samples `(time, state)`, `interval` apart, of a smooth motion cross a plane.

    `surface` is an equation such as "z = 27" for one of the `names`, or (normal, level) for all x with normal . x =
    level; `direction` 1 takes crossings towards larger values, -1 towards smaller, 0 both. Between samples the motion
    is the cubic with their values and, from five samples each, their rates of change: for densely sampled data the
    error is that of order interval^4. Times count from the first sample. Raises `SettingError` for an unfit surface or
    direction and `DataError` for other states. Not for maps and coarse samples, whose points are not on a curve. Cost:
    O(time). For flows with equations `poincare_section` is exact.
    """
    orbit = np.asarray(states, dtype=np.float64)
    if orbit.ndim != 2 or orbit.shape[1] != len(names) or len(orbit) < 8 or not np.isfinite(orbit).all():
        raise DataError(f"samples are finite with shape (time, {len(names)}) and at least 8 rows, not {orbit.shape}")
    if direction not in (1, -1, 0) or not 0 < interval < np.inf:
        raise SettingError(
            f"direction {direction}, interval {interval}", remedy="Directions are 1, -1, and 0 for both."
        )
    normal, level, what = _plane(surface, names)
    inner = orbit[2:-2]
    rates = (8 * (orbit[3:-1] - orbit[1:-3]) - (orbit[4:] - orbit[:-4])) / (12 * interval)
    times = interval * np.arange(2.0, len(orbit) - 2)
    samples = np.column_stack([inner, times, inner @ normal])[None]
    slopes = np.column_stack([rates, np.ones(len(inner)), rates @ normal])[None]
    signs = (1, -1) if direction == 0 else (direction,)
    points = np.concatenate([events(samples, slopes, interval, len(names) + 1, level, sign)[1] for sign in signs])
    points = points[np.argsort(points[:, -2], kind="stable")]
    return Section(points[:, -2], points[:, :-2], tuple(names), what)


def _plane(surface: str | tuple[ArrayLike, float], names: Sequence[str]) -> tuple[Array, float, str]:
    """The normal, the level and the words of a plane."""
    remedy = f'Write "{names[0]} = 0.5" or give (normal, level). The states are {", ".join(names)}.'
    if isinstance(surface, str):
        name, equals, value = (part.strip() for part in surface.partition("="))
        try:
            level = float(value)
        except ValueError:
            level = np.nan
        if name not in names or not equals or not np.isfinite(level):
            raise SettingError(f"surface {surface!r}", remedy=remedy)
        return np.eye(len(names))[list(names).index(name)], level, f"{name} = {level:g}"
    normal, level = np.asarray(surface[0], dtype=np.float64), float(surface[1])
    if normal.shape != (len(names),) or not np.isfinite(normal).all() or not normal.any() or not np.isfinite(level):
        raise SettingError(f"a plane with normal {normal} and level {level}", remedy=remedy)
    return normal, level, f"{normal.tolist()} . x = {level:g}"
