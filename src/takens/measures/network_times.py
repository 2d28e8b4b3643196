"""Time scales of single units against that of what they do together, for series of many channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData
from ..estimate import Estimate
from ..series import Series, as_series
from .entropy_inference import jackknife_interval
from .timescales import integral_steps

Array = NDArray[np.float64]

REFERENCE = "Murray et al., Nat. Neurosci. 17, 1661 (2014); Sokal, NATO ASI B 361, 131 (1997)"


@dataclass(frozen=True)
class NetworkTimes:
    """Integral time scales of each unit, `units` by channel, of the mean of the standardised channels, `network`, and
    the `ratio` of the second to the geometric mean of the first."""

    units: tuple[Estimate, ...]
    network: Estimate
    ratio: Estimate


def network_times(data: Series | ArrayLike, *, level: float = 0.9) -> NetworkTimes:
    """Time scales of the units of a network and of their mean activity, with the ratio of the two.

    tau = dt (1 + 2 sum_{l=1}^{M} rho_l) of each of the channels and of the mean of all after each was standardised. M
    is the longest of their windows by Sokal's rule (of 4 tau), the same for all: a unit's own window would cut off what
    it has of a slower shared component. The ratio is tau_network / exp(mean ln tau_unit): 1 for
    units that have one time scale and nothing else in common, above 1 where what they share is slower than what each
    does alone, below 1 where it is faster. Intervals: jackknife of ln tau over blocks of time that are four windows
    long, the same blocks for all, so that their dependence is kept; coverage of the ratio at nominal 90 %: 86 to 91 %
    (independent and driven AR(1), 5 and 10 units). Not admissible below 10 such blocks, of which there are 50 at most.
    The longest stretch without gaps is used. Raises `DataError` for fewer than two channels, irregular times and
    constant channels, `InsufficientData` below 100 rows. Cost: O(channels N log N).
    """
    series = as_series(data)
    place = series.source or series.name
    if series.shape[1] < 2:
        raise DataError("network times need two channels", place=place, remedy="For one: integral_time_scale.")
    pieces = series.stretches()
    piece = max(pieces, key=len) if pieces else series.rows(0, 0)
    if len(piece) < 100:
        raise InsufficientData(f"{len(piece)} rows in which every channel has a value; 100 are needed", place=place)
    x = piece.values.T - piece.values.mean(axis=0)[:, None]
    deviation = x.std(axis=1)
    if not (deviation > 0).all():
        raise DataError(f"channel {piece.channels[int(np.argmin(deviation))]!r} is constant", place=place)
    x = x / deviation[:, None]
    rows = np.vstack([x, x.mean(axis=0)])
    window = max(integral_steps(row, 8.0)[1] for row in rows)
    blocks = int(min(max(rows.shape[1] // (4 * window), 2), 50))
    logs = np.array([_logarithms(row, window, blocks) for row in rows])
    rest = (level, blocks, window, piece)
    units = tuple(_estimate(name, logs[k], *rest) for k, name in enumerate(piece.channels))
    network = _estimate("mean of all", logs[-1], *rest)
    return NetworkTimes(units, network, _estimate("", logs[-1] - logs[:-1].mean(axis=0), *rest))


def _logarithms(x: Array, cut: int, blocks: int) -> Array:
    """ln tau `(1 + blocks,)` of the whole `x (time,)` and without the products that begin in each block; NaN where a
    tau is not positive. tau = sum_t x_t (x_t + 2 sum_{l <= cut} x_{t+l}) / sum_t x_t^2."""
    n = len(x)
    sums = np.concatenate([[0.0], np.cumsum(x)])
    after = sums[np.minimum(np.arange(1, n + 1) + cut, n)] - sums[1:]
    label = np.arange(n) * blocks // n
    top, bottom = (np.bincount(label, weights=w) for w in (x * (x + 2 * after), x * x))
    tau = np.concatenate([[top.sum() / bottom.sum()], (top.sum() - top) / (bottom.sum() - bottom)])
    return np.asarray(np.log(np.where(tau > 0, tau, np.nan)))


def _estimate(
    name: str, logs: Array, level: float, blocks: int, window: int, piece: Series
) -> Estimate:  # fmt: skip
    """A time (of the channel `name`) or, without one, the ratio, from its logarithms."""
    scale = piece.interval if name else 1.0
    value, interval = None, None
    if not np.isfinite(logs).all():
        reason = "the sum of the autocorrelation is not positive in every part of the record: it oscillates"
    else:
        reason = "" if blocks >= 10 else f"{len(piece)} rows hold {blocks} blocks of four windows; 10 are needed"
        low, high, _ = jackknife_interval(float(logs[0]), logs[1:], level)
        value, interval = float(np.exp(logs[0])) * scale, (float(np.exp(low)) * scale, float(np.exp(high)) * scale)
    return Estimate(
        "integral_time_scale" if name else "network_time_ratio", value, piece.clock.unit if name else "", interval,
        level, "sum of the autocorrelation in one window for all; jackknife of its logarithm over blocks of time",
        {"blocks": blocks, "window": window, "rows": len(piece)}, {}, not reason, reason, REFERENCE, name,
    )  # fmt: skip
