"""Operations on whole series: resample, detrend, standardise. Each says what it did; none is ever silent."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, InsufficientData, SettingError
from .series import Series

METHODS = ("linear", "nearest", "previous", "mean", "cubic")
TRENDS = {"constant": 0, "linear": 1, "quadratic": 2}


def resample(series: Series, interval: float, *, method: str, longest_gap: float | None = None) -> Series:
    """The series on the regular grid t0, t0 + interval, ... up to its last time.

    Methods: `linear` and `cubic` (not-a-knot spline) interpolate between the present values on both sides; `nearest`
    and `previous` take one of them; `mean` averages the present values with t <= time < t + interval, the only one that
    does not alias when the interval grows. Each channel is treated by itself. Nothing is made up across a stretch
    between present values longer than `longest_gap` (by default the longer of one new and two old intervals): the rows
    there are NaN, as are empty bins. What was done is noted in the reading. Times and `interval` are in units of the
    clock. Raises `SettingError` for an unknown method or an interval that is not positive, `InsufficientData` for less
    than 2 rows. Not for data whose gaps carry meaning. Cost: O(N).
    """
    if method not in METHODS:
        raise SettingError(f"no method {method!r}", place="resample", remedy=f"Methods are: {', '.join(METHODS)}.")
    if not (np.isfinite(interval) and interval > 0):
        raise SettingError(f"interval {interval!r} is not positive", place="resample")
    if len(series) < 2:
        raise InsufficientData("resampling needs at least 2 rows", place=series.source or series.name)
    reach = max(interval, 2 * series.interval) if longest_gap is None else float(longest_gap)
    if not reach > 0:
        raise SettingError(f"longest_gap {longest_gap!r} is not positive", place="resample")
    count = int(np.floor(series.duration / interval * (1 + 1e-12) + 1e-9)) + 1
    if count > max(1000 * len(series), 100_000_000):
        raise SettingError(f"an interval of {interval:g} would make {count:,} rows", place="resample")
    grid = series.times[0] + np.arange(count) * float(interval)
    columns = [_resampled(series.times, column, grid, interval, method, reach) for column in series.values.T]
    from .io.reading import with_note

    note = f"resampled from {series.interval:g} to {interval:g} {series.clock.unit} by {method}"
    note += "" if method == "mean" else f", gaps longer than {reach:g} kept"
    return with_note(replace(series, times=grid, values=np.column_stack(columns)), note)


def _resampled(
    times: NDArray[np.float64],
    x: NDArray[np.float64],
    grid: NDArray[np.float64],
    step: float,
    method: str,
    reach: float,
) -> NDArray[np.float64]:
    present = np.isfinite(x)
    t, x = times[present], x[present]
    out = np.full(len(grid), np.nan)
    if len(t) == 0:
        return out
    slack = 1e-9 * step
    if method == "mean":
        bins = np.clip(np.searchsorted(grid, t + slack, side="right") - 1, 0, len(grid) - 1)
        count = np.bincount(bins, minlength=len(grid))
        total = np.bincount(bins, weights=x, minlength=len(grid))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    left = np.searchsorted(t, grid + slack, side="right") - 1
    right = np.minimum(left + 1, len(t) - 1)
    inside = left >= 0
    left = np.maximum(left, 0)
    on = inside & (np.abs(grid - t[left]) <= slack)
    # A stretch between two present values is bridged if it is short enough; beyond the last value there is nothing.
    bridged = inside & (right > left) & (t[right] - t[left] <= reach * (1 + 1e-9))
    if method == "previous":
        held = inside & ((right > left) | on) & (grid - t[left] <= reach * (1 + 1e-9))
        out[held] = x[left[held]]
    elif method == "nearest":
        nearer = np.where(t[right] - grid < grid - t[left], right, left)
        out[bridged] = x[nearer[bridged]]
    elif method == "linear":
        out[bridged] = np.interp(grid[bridged], t, x)
    else:
        _cubic(t, x, grid, left, bridged, reach, out)
    out[on] = x[left[on]]
    return out


def _cubic(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    grid: NDArray[np.float64],
    left: NDArray[np.int64],
    bridged: NDArray[np.bool_],
    reach: float,
    out: NDArray[np.float64],
) -> None:
    """Fill `out` by a not-a-knot cubic spline through each stretch without a long gap."""
    from scipy.interpolate import CubicSpline

    cuts = np.concatenate([[0], np.flatnonzero(np.diff(t) > reach * (1 + 1e-9)) + 1, [len(t)]])
    for start, stop in pairwise(cuts):
        mine = bridged & (left >= start) & (left < stop)
        if mine.any():
            out[mine] = CubicSpline(t[start:stop], x[start:stop])(grid[mine])


def detrend(series: Series, *, method: str = "linear") -> Series:
    """The series without its trend, channel by channel.

    `constant`, `linear` and `quadratic` subtract the least-squares polynomial in time through the present values (so
    that irregular times and NaN are accounted for); `difference` gives x(t) - x(t - interval), one row shorter, NaN
    next to missing values. Units stay. Raises `SettingError` for an unknown method, `InsufficientData` for a channel
    with too few values, `DataError` for differences of irregular times. Cost: O(N).
    """
    if method == "difference":
        return _differenced(series)
    if method not in TRENDS:
        known = ", ".join([*TRENDS, "difference"])
        raise SettingError(f"no method {method!r}", place="detrend", remedy=f"Methods are: {known}.")
    degree = TRENDS[method]
    values = np.empty_like(series.values)
    t = (series.times - series.times[:1]) / max(series.duration, 1e-300) * 2 - 1
    for i, name in enumerate(series.channels):
        x = series.values[:, i]
        present = np.isfinite(x)
        if present.sum() < degree + 2:
            raise InsufficientData(
                f"{int(present.sum())} values are too few for a {method} trend",
                place=f"{series.source or series.name}, channel {name!r}",
                remedy=f"At least {degree + 2} are needed.",
            )
        # Legendre polynomials on [-1, 1] keep the fit well conditioned for any time axis.
        basis = np.polynomial.legendre.legvander(t, degree)
        weights = np.linalg.lstsq(basis[present], x[present], rcond=None)[0]
        values[:, i] = x - basis @ weights
    return _noted(replace(series, values=values), f"{method} trend removed")


def _differenced(series: Series) -> Series:
    if len(series) < 2:
        raise InsufficientData("differences need at least 2 rows", place=series.source or series.name)
    grid = series.gridded()
    changed = replace(grid, times=grid.times[1:], values=np.diff(grid.values, axis=0))
    return _noted(changed, "differences of successive rows")


def standardise(series: Series) -> Series:
    """Each channel with mean 0 and standard deviation 1 (divisor N) over its present values; units are dropped.

    Raises `DataError` for a channel that is constant or has no value. Cost: O(N).
    """
    values = np.empty_like(series.values)
    for i, name in enumerate(series.channels):
        x = series.values[:, i]
        present = x[np.isfinite(x)]
        place = f"{series.source or series.name}, channel {name!r}"
        if len(present) == 0:
            raise DataError("the channel has no value", place=place, remedy="Leave it out.")
        if present.min() == present.max():
            raise DataError("the channel is constant and cannot be standardised", place=place, remedy="Leave it out.")
        scale = np.abs(present).max()
        centred = x / scale - np.mean(present / scale)
        values[:, i] = centred / np.sqrt(np.nanmean(centred**2))
    return _noted(replace(series, values=values, units=("",) * series.shape[1]), "standardised")


def _noted(series: Series, note: str) -> Series:
    from .io.reading import with_note

    return with_note(series, note)


def until_now(series: Series) -> tuple[Series, NDArray[np.float64]]:
    """The series up to its last row with an observation, and the known inputs of the rows after it `(time, input)`.

    A table may hold rows of the future in which only the inputs are filled in. The inputs end before the first row in
    which one of them is missing. A series without inputs comes back as it is, with none. Raises `DataError` for
    irregular sampling.
    """
    if not series.inputs:
        return series, np.empty((0, 0))
    ordered = series.gridded().inputs_last
    seen = np.flatnonzero(np.isfinite(ordered.observed.values).any(axis=1))
    now = int(seen[-1]) + 1 if len(seen) else len(ordered)
    ahead = ordered.values[now:, ordered.observed.shape[1] :]
    whole = np.cumprod(np.asarray(np.isfinite(ahead).all(axis=1)), dtype=bool)
    return ordered.rows(0, now), ahead[whole]
