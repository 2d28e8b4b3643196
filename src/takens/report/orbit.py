"""The delay-embedded orbit of one channel, thinned to what a page can carry."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..durations import in_words
from ..estimate import Estimate
from ..series import Series

POINTS = 20_000
"""Most points of one orbit in a page."""


@dataclass(frozen=True)
class Orbit:
    """Points (x(t), x(t + tau), x(t + 2 tau)) of one channel.

    `values (row,)` are evenly spaced rows, every `stride`-th of the data, and `delay` is tau in such rows, so that one
    array holds all three coordinates. `lines` says whether consecutive points hang together, as in a flow, or jump, as
    in a map. `delay_words` says how long tau is and `used` which rows are shown.
    """

    channel: str
    unit: str
    values: NDArray[np.float32]
    delay: int
    stride: int
    lines: bool
    delay_words: str
    used: str

    @property
    def points(self) -> NDArray[np.float64]:
        """The embedded points `(point, 3)`."""
        count = len(self.values) - 2 * self.delay
        return np.stack([self.values[k * self.delay :][:count] for k in range(3)], axis=1).astype(float)

    @property
    def labels(self) -> tuple[str, str, str]:
        """Names of the three axes."""
        return "x(t)", "x(t + τ)", "x(t + 2τ)"

    def payload(self) -> dict[str, Any]:
        """What the viewer needs, as JSON values; the numbers as base64 of little-endian 32-bit floats."""
        data = base64.b64encode(self.values.astype("<f4").tobytes()).decode("ascii")
        about = {"channel": self.channel, "delay": self.delay, "lines": self.lines, "labels": self.labels}
        return about | {"values": data}


def delay_of(estimates: Mapping[str, Estimate], channel: str, interval: float) -> tuple[int, str]:
    """The embedding delay of a channel in rows, and how it was found."""
    for key, estimate in estimates.items():
        name, _, bracket = key.partition("[")
        if name != "delay_mutual_information" or (bracket and bracket[:-1] != channel):
            continue
        if estimate.value is None or not estimate.admissible:
            return 1, f"one step, because no delay could be found: {estimate.reason}"
        return max(1, round(float(estimate.value) / interval)), estimate.method or "mutual information"
    return 1, "one step, because no delay was measured"


def orbit(series: Series, channel: str, delay_rows: int, *, limit: int = POINTS) -> Orbit | None:
    """The latest gap-free stretch of `channel` that is long enough, or None where there is none.

    A long delay is thinned to 25 rows, so that the picture spans many cycles, not only the last few. Cost: O(rows).
    """
    one = series.select(channel)
    longest = max(one.stretches(2), key=len, default=None)
    if longest is None or len(longest) < 2 * delay_rows + 10 or np.ptp(longest.values) == 0:
        return None
    stride = max(1, delay_rows // 25)
    delay = max(1, round(delay_rows / stride))
    values = longest.values[::-1, 0][::stride][: limit + 2 * delay][::-1]
    shown = len(values) * stride
    used = "all rows" if shown >= len(series) else f"{shown:,} of {len(series):,} rows"
    if stride > 1:
        used += f", every {stride}th"
    words = in_words(delay * stride * series.interval, series.clock.unit)
    return Orbit(channel, one.units[0], values.astype(np.float32), delay, stride, _hangs_together(values), words, used)


def _hangs_together(values: NDArray[np.float64]) -> bool:
    """Whether a step is small beside the spread: correlation of neighbours above 0.7."""
    deviations = values - values.mean()
    return float(np.mean(np.diff(values) ** 2)) < 0.6 * float(np.mean(deviations**2))
