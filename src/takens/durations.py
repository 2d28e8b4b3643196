"""Durations as people write them: `90s`, `2m` of computing time, `36h` or `2d` of a series, and back into words."""

from __future__ import annotations

import re

from .clock import CALENDAR, SECONDS, Clock
from .errors import SettingError

_NAMES = {
    "ns": "ns", "us": "us", "ms": "ms", "s": "s", "sec": "s", "second": "s", "min": "min", "minute": "min", "h": "h",
    "hour": "h", "d": "d", "day": "d", "w": "w", "week": "w", "mo": "month", "month": "month", "y": "year",
    "yr": "year", "year": "year",
}  # fmt: skip
_WORDS = {"s": "second", "min": "minute", "h": "hour", "d": "day", "month": "month", "year": "year", "step": "step"}
_PATTERN = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z]*)\s*")


def _parts(text: str, place: str) -> tuple[float, str]:
    match = _PATTERN.fullmatch(text)
    unit = match.group(2) if match else ""
    name = _NAMES.get(unit) or _NAMES.get(unit.lower()) or _NAMES.get(unit.lower().rstrip("s"))
    if match is None or (unit and name is None):
        raise SettingError(
            f"{text!r} is not a duration", place=place, remedy="Write a number and a unit, such as 90s, 36h or 2d."
        )
    return float(match.group(1)), name or ""


def seconds(budget: float | str, place: str = "budget") -> float:
    """Seconds of computing time: a number, or text such as `90s`, `2m`, `1h`. Raises `SettingError` otherwise."""
    if isinstance(budget, str):
        text = budget.strip()
        # In a computing budget m means minutes, as in every stopwatch.
        number, unit = _parts(text[:-1] + "min" if re.fullmatch(r"[0-9.]+m", text) else text, place)
        if unit not in ("", *SECONDS):
            raise SettingError(f"{budget!r} is not a computing time", place=place, remedy="Use s, m or h.")
        budget = number * SECONDS.get(unit, 1.0)
    if not 0 < budget < float("inf"):
        raise SettingError(f"must be positive and finite, got {budget}", place=place)
    return float(budget)


def steps(horizon: int | str, interval: float, clock: Clock, place: str = "horizon") -> int:
    """Steps of a series: a number of steps, or a duration such as `2d` on a clock that has units of time."""
    if isinstance(horizon, str):
        number, unit = _parts(horizon, place)
        if unit == "":
            count = number
        elif unit in CALENDAR and clock.unit in CALENDAR:
            count = number * CALENDAR[unit] / CALENDAR[clock.unit] / interval
        else:
            length = 604800.0 if unit == "w" else SECONDS.get(unit)
            if length is None or clock.unit not in SECONDS:
                raise SettingError(
                    f"{horizon!r} cannot be counted in steps of {interval:g} {clock.unit}", place=place,
                    remedy="Give the number of steps.",
                )  # fmt: skip
            count = number * length / (SECONDS[clock.unit] * interval)
    else:
        count = float(horizon)
    if not 0.5 <= count < 1e9:
        limit = "at least one step" if count < 1 else "less than a thousand million steps"
        raise SettingError(f"must be {limit}, got {horizon}", place=place)
    return round(count)


def in_words(length: float, unit: str) -> str:
    """A length of time for people: `11 years`, `1.5 days`, `36 steps`; three significant digits at most."""
    if unit in SECONDS:
        total = length * SECONDS[unit]
        # The largest unit in which the number is at least 1, but hours up to two days, since 24 h is a cycle's name.
        for name, size, least in (("d", 86400.0, 2.0), ("h", 3600.0, 1.0), ("min", 60.0, 1.0), ("s", 1.0, 1.0)):
            if total >= size * least:
                return _counted(total / size, _WORDS[name])
        if total >= 0.01 and unit not in ("ns", "us", "ms"):
            return _counted(total, "second")
        small = next((unit for unit in ("ms", "us") if total >= SECONDS[unit]), "ns")
        return f"{total / SECONDS[small]:.3g} {small}"
    if unit == "month" and length >= 24:
        return _counted(length / 12, "year")
    return _counted(length, _WORDS.get(unit, unit))


def every(interval: float, unit: str) -> str:
    """How often something comes: `every hour`, `every 10 minutes`, `every step`."""
    lone = _WORDS.get(unit, unit)
    return f"every {lone}" if interval == 1 else f"every {in_words(interval, unit).removeprefix('1 ')}"


def plural(unit: str) -> str:
    """A unit of time as a person reads it after a number: `months`, `hours`; other units as they are."""
    return f"{_WORDS.get(unit, unit)}s" if unit in (*_WORDS, "time unit") else unit


def _counted(number: float, word: str) -> str:
    text = f"{number:.3g}" if number < 1000 else f"{number:,.0f}"
    return f"{text} {word}" + ("s" if text != "1" and word in (*_WORDS.values(), "time unit") else "")
