"""What the numbers on a time axis mean: their unit, and the calendar moment of zero if there is one."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
CALENDAR = {"month": 1, "year": 12}


@dataclass(frozen=True)
class Clock:
    """The meaning of a time axis: `unit` of the numbers, calendar moment `origin` of time 0, and its `timezone`.

    `unit` is one of ns, us, ms, s, min, h, d, month, year, or any other word (`step` where the data have no time),
    which then has no calendar meaning. `origin` is a UTC moment with microsecond precision, or None; months and years
    are calendar months and years, so that monthly data are regular.
    """

    unit: str = "step"
    origin: np.datetime64 | None = None
    timezone: str = ""

    def stamps(self, times: NDArray[np.float64]) -> NDArray[np.datetime64] | None:
        """Calendar moments (UTC, microseconds) of `times`, or None where the clock has no origin."""
        if self.origin is None:
            return None
        origin = self.origin.astype("datetime64[us]")
        if self.unit in CALENDAR:
            return _months_after(origin, np.asarray(times, dtype=np.float64) * CALENDAR[self.unit], self.timezone)
        micros = np.round(np.asarray(times) * (SECONDS[self.unit] * 1e6)).astype("int64")
        return origin + micros.astype("timedelta64[us]")

    def dates(self, times: NDArray[np.float64]) -> bool:
        """Whether all `times` have a date that ISO 8601 can write: years 1 to 9999 of a calendar."""
        stamps = self.stamps(times)
        if stamps is None:
            return False
        years = stamps.astype("datetime64[Y]").astype(int) + 1970
        return bool(((years >= 1) & (years <= 9999)).all())

    def labels(self, times: NDArray[np.float64]) -> list[str]:
        """`times` as a person writes them: local time stamps where there is a calendar, numbers otherwise."""
        stamps = self.stamps(np.atleast_1d(times))
        if stamps is None or not self.dates(np.atleast_1d(times)):
            return [repr(float(t)) for t in np.atleast_1d(times)]
        import pandas as pd

        index = pd.DatetimeIndex(stamps)
        if self.timezone:
            index = index.tz_localize("UTC").tz_convert(self.timezone)
        return [t.isoformat() for t in index]

    def words(self, times: NDArray[np.float64]) -> list[str]:
        """`times` for reading: stamps as short as all of them allow (1998-03, 1998-03-02 14:30), or `12.5 s`."""
        numbers = np.atleast_1d(times)
        if self.origin is None or not self.dates(numbers):
            # A number of steps is a place in the series, not a length.
            return [f"step {t:.6g}" if self.unit == "step" else f"{t:.6g} {self.unit}" for t in numbers]
        texts = [label.replace("T", " ") for label in self.labels(numbers)]
        if self.timezone:
            texts = [text[:19] for text in texts]
        for ending, unit in ((":00", ""), (" 00:00", ""), ("-01", "month"), ("-01", "year")):
            if all(text.endswith(ending) for text in texts) and self.unit in (unit or self.unit, "year"):
                texts = [text.removesuffix(ending) for text in texts]
        return texts


def _months_after(origin: np.datetime64, months: NDArray[np.float64], timezone: str) -> NDArray[np.datetime64]:
    """Moments a number of calendar months after `origin`; the day of the month is kept, or the month's last day.

    Fractions are shares of the way from one such day to the next, so that the result increases with `months`. Months
    are those of the local calendar: midnight stays midnight when the clocks change.
    """
    whole = np.floor(months).astype("int64")
    # A number that is whole but for rounding must not become the last microsecond of the month before.
    whole += (months - whole) > 1 - 1e-9
    before, after = _anchor(origin, whole, timezone), _anchor(origin, whole + 1, timezone)
    share = np.maximum(months - whole, 0.0)
    return before + np.round((after - before).astype("int64") * share).astype("int64").astype("timedelta64[us]")


def _anchor(origin: np.datetime64, whole: NDArray[np.int64], timezone: str) -> NDArray[np.datetime64]:
    """The moments a whole number of months after `origin`."""
    if timezone:
        import pandas as pd

        local = pd.Timestamp(origin, tz="UTC").tz_convert(timezone).tz_localize(None).to_datetime64()
        wall = pd.DatetimeIndex(_anchor(local.astype("datetime64[us]"), whole, ""))
        zoned = wall.tz_localize(timezone, ambiguous=np.ones(len(wall), dtype=bool), nonexistent="shift_forward")
        return zoned.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    month = origin.astype("datetime64[M]")
    day = int((origin.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int))
    within = origin - origin.astype("datetime64[D]").astype("datetime64[us]")
    year, first = divmod(int(month.astype(int)), 12)
    at_end = day + 1 == calendar.monthrange(1970 + year, first + 1)[1]
    starts = month + whole.astype("timedelta64[M]")
    length = ((starts + np.timedelta64(1, "M")).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(int)
    days = length - 1 if at_end else np.minimum(day, length - 1)
    return starts.astype("datetime64[us]") + days.astype("timedelta64[D]") + within
