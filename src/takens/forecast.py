"""A predictive distribution: samples at future times, from which everything else is derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .clock import Clock
from .errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Forecast:
    """Samples `(member, horizon, channel)` of the future at `times (horizon,)`, in the units of the data.

    A forecast of one member is the noise-free run of the law. Quantiles, mean, median and intervals are derived from
    the samples; each member is one coherent future, so that sums and maxima over time or channels can be taken member
    by member. `diverged` counts members that left the guard box of their law (see `takens.models.RecursiveLaw`).
    """

    samples: NDArray[np.float64]
    times: NDArray[np.float64]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    clock: Clock = Clock()
    name: str = "forecast"
    method: str = ""
    diverged: int = 0

    def __post_init__(self) -> None:
        if self.samples.ndim != 3 or self.samples.shape[1:] != (len(self.times), len(self.channels)):
            raise DataError(
                f"samples have shape {self.samples.shape} for {len(self.times)} times, {len(self.channels)} channels"
            )
        self.samples.setflags(write=False)

    @property
    def horizon(self) -> int:
        """Number of steps ahead."""
        return len(self.times)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over members `(horizon, channel)`."""
        return self.samples.mean(axis=0)

    @property
    def median(self) -> NDArray[np.float64]:
        """Median over members `(horizon, channel)`."""
        return np.median(self.samples, axis=0)

    @property
    def stamps(self) -> NDArray[np.datetime64] | None:
        """Calendar moments (UTC) of the forecast, or None without a calendar."""
        return self.clock.stamps(self.times)

    def quantile(self, q: float) -> NDArray[np.float64]:
        """The `q` quantile over members `(horizon, channel)`."""
        return np.quantile(self.samples, q, axis=0)

    def interval(self, level: float = 0.9) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper end `(horizon, channel)` of the central interval that should hold a share `level`."""
        tail = (1 - level) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def to_frame(self, levels: tuple[float, ...] = (0.5, 0.9)) -> pd.DataFrame:
        """A table with one row a step: mean, median and the ends of the central intervals of each channel."""
        import pandas as pd

        index = pd.Index(self.clock.labels(self.times), name="time")
        columns: dict[str, Any] = {}
        for c, channel in enumerate(self.channels):
            columns[f"{channel} mean"] = self.mean[:, c]
            columns[f"{channel} median"] = self.median[:, c]
            for level in levels:
                low, high = self.interval(level)
                columns[f"{channel} low {level:.0%}"] = low[:, c]
                columns[f"{channel} high {level:.0%}"] = high[:, c]
        return pd.DataFrame(columns, index=index)

    def to_xarray(self) -> xr.Dataset:
        """All samples as an xarray data set with dimensions member, time and one variable a channel."""
        from .io.grids import forecast_to_xarray

        return forecast_to_xarray(self)

    def plot(self, history: Any = None, truth: Any = None) -> Figure:
        """A fan chart of the forecast after `history` (a `Series`), with `truth` (a `Series`) if it is known."""
        from .figures import forecast_fan

        return forecast_fan(self, history=history, truth=truth)
