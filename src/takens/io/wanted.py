"""What the caller of `takens.open` asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SettingError


@dataclass(frozen=True)
class Wanted:
    """The options of `takens.open`; None leaves the matter to the reader. See `takens.io.reading.open_data`."""

    time: str | bool | None = None
    channels: tuple[str, ...] | None = None
    inputs: tuple[str, ...] | None = None
    id: str | None = None
    variable: str | None = None
    unsorted: str = "error"
    duplicates: str = "error"
    timezone: str | None = None
    day_first: bool | None = None
    interval: float | str | None = None
    time_unit: str | None = None
    sheet: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[float, ...] = ()
    max_rows: int = 50_000_000

    def __post_init__(self) -> None:
        _one_of("unsorted", self.unsorted, ("error", "sort"))
        _one_of("duplicates", self.duplicates, ("error", "first", "last", "mean"))
        if self.decimal is not None:
            _one_of("decimal", self.decimal, (".", ","))
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise SettingError(f"{self.delimiter!r} is not one character", place="delimiter")
        if self.time is True:
            raise SettingError("time is a column name, or False for data without times", place="time")
        if self.channels is not None and not self.channels:
            raise SettingError("no channel is named", place="channels")
        if self.timezone is not None:
            check_zone(self.timezone)


def check_zone(name: str) -> None:
    """Raise `SettingError` where `name` is no time zone."""
    import pandas as pd

    try:
        pd.Timestamp(0, tz=name)
    except Exception as error:
        raise SettingError(
            f"no time zone {name!r}", place="timezone", remedy="Use a name such as UTC, Europe/Berlin or +05:30."
        ) from error


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingError(f"{value!r} is not one of {', '.join(allowed)}", place=option)
