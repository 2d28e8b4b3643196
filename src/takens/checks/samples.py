"""The series that checks use: one that is easy, and many that are awkward in one way each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..clock import Clock
from ..random import generator
from ..series import Series

ROWS = 400
"""Rows of the sample series."""


def sample_series(rows: int = ROWS, channels: int = 2, seed: int = 0) -> Series:
    """The series that checks use: a noisy cycle of 25 steps in each channel, hourly, with names and units."""
    rng = generator(seed, "checks")
    t = np.arange(rows, dtype=np.float64)[:, None]
    values = np.sin(2 * np.pi * (t / 25 + np.arange(channels) / 7)) + 0.2 * rng.normal(size=(rows, channels))
    names = tuple(f"c{i + 1}" for i in range(channels))
    clock = Clock("h", np.datetime64("2020-01-01T00:00:00", "us"))
    return Series(t[:, 0] * 0.5, 10 + values, names, ("degC",) * channels, clock, "sample")


def awkward_series(rows: int = ROWS, channels: int = 2) -> dict[str, Series]:
    """Series that real data resemble and that must end in a defined way, by what is awkward about them."""
    good = sample_series(rows, channels)
    values = good.values.copy()
    third = rows // 3
    holes, constant, flat, empty, tied = (values.copy() for _ in range(5))
    holes[third : third + 7, 0] = np.nan
    constant[:, 0] = 3.0
    flat[:] = 3.0
    empty[:, -1] = np.nan
    tied = np.round(tied)
    kept = np.r_[0:third, third + 5 : rows]
    jitter = good.times + 0.2 * good.interval * generator(0, "jitter").random(rows)
    return {
        "missing values": replace(good, values=holes),
        "missing rows": replace(good, times=good.times[kept], values=values[kept]),
        "irregular times": replace(good, times=jitter),
        "a constant channel": replace(good, values=constant),
        "only constant channels": replace(good, values=flat),
        "a channel without values": replace(good, values=empty),
        "ties": replace(good, values=tied),
        "large values": replace(good, values=values * 1e9),
        "2 rows": good.rows(0, 2),
        "5 rows": good.rows(0, 5),
        "1 row": good.rows(0, 1),
        "no row": good.rows(0, 0),
    }
