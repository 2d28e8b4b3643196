"""Regimes: how much of a system is seen, how often, how long, and through how much noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..errors import SettingError

Irregular = Literal["regular", "jittered"]


@dataclass(frozen=True)
class Regime:
    """How a system is observed.

    `rows` of training data, sampled `points_per_period` or `points_per_lyapunov_time` (exactly one; maps are seen at
    every step), with Gaussian `noise` in standard deviations of each state; `observed` states ("all", or the number of
    the first ones); `jitter` of the times in sampling intervals (0 is regular; models that need a grid get the data
    interpolated linearly onto one). Forecasts start from `origins` rows of the record that follows and cover
    `lyapunov_times`, or `periods` where the system is not chaotic; the free run is as long as the record, `test` rows.
    """

    rows: int = 10_000
    points_per_period: float | None = 100.0
    points_per_lyapunov_time: float | None = None
    noise: float = 0.0
    observed: int | Literal["all"] = "all"
    jitter: float = 0.0
    origins: int = 20
    test: int = 8000
    lyapunov_times: float = 20.0
    periods: float = 10.0

    def __post_init__(self) -> None:
        if (self.points_per_period is None) == (self.points_per_lyapunov_time is None):
            raise SettingError(
                "give points_per_period or points_per_lyapunov_time, and not both", place="regime",
                remedy="They are different protocols: the ratio of period and Lyapunov time varies 500 times.",
            )  # fmt: skip
        ranges = {
            "rows": (20, 10**7), "points_per_period": (2, 1e5), "points_per_lyapunov_time": (2, 1e5), "noise": (0, 10),
            "jitter": (0, 0.45), "origins": (1, 10_000), "test": (100, 10**7), "lyapunov_times": (0.1, 1e4),
            "periods": (0.1, 1e4),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low:g} to {high:g}, got {value}", place="regime")
        if self.observed != "all" and not (isinstance(self.observed, int) and self.observed >= 1):
            raise SettingError(f"observed is {self.observed!r}", place="regime", remedy='Give a number or "all".')

    @classmethod
    def read(cls, name: str, table: Mapping[str, Any]) -> Regime:
        """The regime of a table of settings; `preset` names one to start from. Raises `SettingError`."""
        given = dict(table)
        preset = given.pop("preset", name if name in REGIMES else None)
        if preset is not None and preset not in REGIMES:
            raise SettingError(f"no preset {preset!r}", place=f"regime {name}", remedy=f"Known: {', '.join(REGIMES)}.")
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(given) - known):
            remedy = f"Settings: {', '.join(sorted(known))}."
            raise SettingError(f"unknown setting {unknown[0]!r}", place=f"regime {name}", remedy=remedy)
        start = {f.name: getattr(REGIMES[preset], f.name) for f in fields(cls)} if preset else {}
        if "points_per_lyapunov_time" in given:
            start["points_per_period"] = None
        if "points_per_period" in given:
            start["points_per_lyapunov_time"] = None
        try:
            return cls(**(start | given))
        except TypeError as error:
            raise SettingError(f"a setting has the wrong type: {error}", place=f"regime {name}") from None


REGIMES: Mapping[str, Regime] = {
    "clean": Regime(),
    "noisy": Regime(rows=1000, points_per_period=30.0, noise=0.05, lyapunov_times=5.0),
    "partial": Regime(observed=1, lyapunov_times=10.0),
    "irregular": Regime(jitter=0.3, noise=0.01, lyapunov_times=5.0),
    "fine": Regime(rows=1000, test=200, lyapunov_times=2.0, periods=2.0),
    "coarse": Regime(rows=150, test=100, points_per_period=15.0, periods=2.0, lyapunov_times=2.0),
    "zero_shot": Regime(rows=512, points_per_period=None, points_per_lyapunov_time=30.0, lyapunov_times=10.0),
}
"""The regimes that have a name.

"fine" and "coarse" are the protocols of Gilpin (2021, arXiv 2110.05266): 12 periods of 100 or 15 points, 10 of them to
learn from. "zero_shot" is that of Zhang & Gilpin (2024, arXiv 2409.15771): 512 points at 30 points a Lyapunov time, 300
ahead. These have many origins here, where the papers have one a trajectory.
"""
