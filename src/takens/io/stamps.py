"""Time stamps as people write them, turned into UTC microseconds; and moments into numbers on a clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import CALENDAR, SECONDS, Clock
from ..errors import DataError, SettingError
from .table import clean

_DAY, _YEAR = r"(?P<d>\d{1,2})", r"(?P<y>\d{4})"
_MONTH_NAME = r"(?P<name>[A-Za-zäÄ]{3,9})\.?"
FORMS = {
    "year-month-day": _YEAR + r"[-/.](?P<m>\d{1,2})[-/.]" + _DAY,
    "year-month": _YEAR + r"[-/.](?P<m>\d{1,2})",
    "yearmonthday": r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "day and month as numbers": r"(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})[./-](?P<y>\d{4}|\d{2})",
    "day month-name year": _DAY + r"\.?[ -]?" + _MONTH_NAME + r",?[ -]?" + _YEAR,
    "month-name day, year": _MONTH_NAME + r" " + _DAY + r",? " + _YEAR,
    "year month-name day": _YEAR + r"[ -]" + _MONTH_NAME + r"[ -]" + _DAY,
    "month-name year": _MONTH_NAME + r"[ -]?" + _YEAR,
    "year-quarter": _YEAR + r"[- ]?Q(?P<q>[1-4])",
    "year": _YEAR,
}
_CLOCK_TIME = (
    r"(?:(?:[T ]|, ?) ?(?P<h>\d{1,2})(?::?(?P<mi>\d{2})(?::?(?P<se>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r"(?: ?(?P<ap>[AaPp])\.?[Mm]\.?)?)?"
)
_ZONE = r" ?(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
TIME_OF_DAY = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?"
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
}
_MONTHS |= {"dec": 12, "mär": 3, "mai": 5, "okt": 10, "dez": 12}
NAT = np.iinfo(np.int64).min
_US = {"h": 3_600_000_000, "mi": 60_000_000, "se": 1_000_000}


def pattern(form: str) -> str:
    """The regular expression of a whole stamp of `form`."""
    return "^" + FORMS[form] + _CLOCK_TIME + _ZONE + "$"


@dataclass(frozen=True)
class Moments:
    """Parsed stamps: `micros` since 1970 (smallest int64: missing), UTC if `zone` is a name, else wall time."""

    micros: NDArray[np.int64]
    zone: str | None
    form: str
    notes: tuple[str, ...] = ()


def recognise(cells: Sequence[str | None]) -> str | None:
    """The form that most of the first present `cells` have, or None where fewer than half look like a stamp."""
    sample = [c.strip() for c in cells if c]
    counts = {
        form: sum(re.match(pattern(form), cell) is not None for cell in sample) for form in FORMS if form != "year"
    }
    best = max(counts, key=lambda form: counts[form])
    return best if sample and counts[best] * 2 >= len(sample) and counts[best] else None


def parse_stamps(
    cells: Any, *, at: Callable[[int], str], day_first: bool | None = None, timezone: str | None = None
) -> Moments | None:
    """Moments of an Arrow string array, or None where they are not time stamps.

    One form holds for the whole column. Raises `DataError` at the first cell that is not of this form or no real date,
    for columns that mix stamps with and without offset or with unrelated offsets, and where 01/02 could be either.
    """
    import pyarrow.compute as pc

    cells = clean(cells)
    present = pc.drop_null(cells)
    form = recognise(present.slice(0, 40).to_pylist())
    if form is None:
        return None
    parts = pc.extract_regex(cells, pattern(form))
    bad = np.asarray(pc.and_(pc.is_valid(cells), pc.is_null(parts)))
    if bad.sum() * 2 > len(present):
        return None
    fields = {name: _filled(pc.struct_field(parts, name)) for name in re.findall(r"\?P<(\w+)>", pattern(form))}
    missing = np.asarray(pc.is_null(cells))
    year, month, day, notes = _dates(fields, form, missing, day_first, at)
    starts = ((year - 1970) * 12 + (month - 1)).astype("datetime64[M]")
    length = ((starts + np.timedelta64(1, "M")).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(
        np.int64
    )
    day_micros, bad_time = _time_of_day(fields)
    bad |= ~missing & ((month < 1) | (month > 12) | (day < 1) | (day > length) | bad_time)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{cells[row].as_py()!r} is not a time of the form {form!r}",
            place=at(row),
            remedy="Correct the cell or name another time column (time=, --time; time=False for none).",
        )
    micros = (starts.astype("datetime64[D]") + (day - 1)).astype("datetime64[us]").astype(np.int64) + day_micros
    zone, offsets, said = _offsets(fields["z"], missing, at, timezone)
    micros = np.where(missing, NAT, micros - offsets * _US["mi"])
    return Moments(micros, zone, form, notes + said)


def _filled(texts: Any) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(texts, "")


def _integers(texts: Any, default: int) -> NDArray[np.int64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.cast(pc.if_else(pc.equal(texts, ""), str(default), texts), pa.int64()))


def _dates(
    fields: dict[str, Any], form: str, missing: NDArray[np.bool_], day_first: bool | None, at: Callable[[int], str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Year, month and day of each cell."""
    import pyarrow.compute as pc

    year = _integers(fields["y"], 1970)
    notes: tuple[str, ...] = ()
    if "a" in fields:
        first, second = _integers(fields["a"], 1), _integers(fields["b"], 1)
        if day_first is None:
            day_first, notes = _order(first, second, fields["s"], at)
        month, day = (second, first) if day_first else (first, second)
        short = np.asarray(pc.equal(pc.utf8_length(fields["y"]), 2))
        year = year + np.where(short, np.where(year < 70, 2000, 1900), 0)
        if short.any():
            notes += ("two-digit years read as 1970 to 2069",)
        return year, month, day, notes
    day = _integers(fields["d"], 1) if "d" in fields else np.ones(len(year), dtype=np.int64)
    if "q" in fields:
        return year, _integers(fields["q"], 1) * 3 - 2, day, notes
    if "name" in fields:
        keys = pc.dictionary_encode(pc.utf8_slice_codeunits(pc.utf8_lower(fields["name"]), 0, 3))
        numbers = np.array([_MONTHS.get(key, 1 if key == "" else 0) for key in keys.dictionary.to_pylist()])
        return year, numbers[np.asarray(keys.indices)], day, notes
    month = _integers(fields["m"], 1) if "m" in fields else np.ones(len(year), dtype=np.int64)
    return year, month, day, notes


def _order(
    first: NDArray[np.int64], second: NDArray[np.int64], marks: Any, at: Callable[[int], str]
) -> tuple[bool, tuple[str, ...]]:
    """Whether the day comes first, from the whole column."""
    if "." in marks.unique().to_pylist():
        return True, ()
    if (first > 12).any() and (second > 12).any():
        row = int(
            np.flatnonzero(second > 12)[0]
            if np.argmax(first > 12) < np.argmax(second > 12)
            else np.flatnonzero(first > 12)[0]
        )
        raise DataError("day and month change places within the column", place=at(row), remedy="Write ISO dates.")
    if (first > 12).any():
        return True, ("the day comes before the month: some first numbers exceed 12",)
    if (second > 12).any():
        return False, ("the month comes before the day: some second numbers exceed 12",)
    raise DataError(
        "these dates can be read as day/month or as month/day: no number exceeds 12",
        place=at(0),
        remedy="Say which: day_first=True or day_first=False (--day-first / --month-first).",
    )


def _time_of_day(fields: dict[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Microseconds of the day, and which cells are no time of day; 24:00 is the end of the day."""
    import pyarrow.compute as pc

    hour, minute, second = (_integers(fields[k], 0) for k in ("h", "mi", "se"))
    fraction = _integers(pc.utf8_slice_codeunits(pc.utf8_rpad(fields["f"], 9, "0"), 0, 6), 0)
    half = pc.utf8_lower(fields["ap"])
    am, pm = np.asarray(pc.equal(half, "a")), np.asarray(pc.equal(half, "p"))
    bad = (minute > 59) | (second > 59) | (hour > 24) | ((hour == 24) & (minute + second + fraction > 0))
    bad |= (am | pm) & ((hour < 1) | (hour > 12))
    hour = np.where(am & (hour == 12), 0, np.where(pm & (hour < 12), hour + 12, hour))
    return hour * _US["h"] + minute * _US["mi"] + second * _US["se"] + fraction, bad


def _offsets(
    zones: Any, missing: NDArray[np.bool_], at: Callable[[int], str], timezone: str | None
) -> tuple[str | None, NDArray[np.int64], tuple[str, ...]]:
    """The zone of a column (None for wall time), the minutes east of UTC of each row, and notes."""
    import pyarrow.compute as pc

    keys = pc.dictionary_encode(zones)
    names = keys.dictionary.to_pylist()
    index = np.asarray(keys.indices)
    minutes = np.array([_minutes(name) for name in names], dtype=np.int64)
    used = [
        name for name, count in zip(names, np.bincount(index[~missing], minlength=len(names)), strict=True) if count
    ]
    if used in ([], [""]):
        return None, np.zeros(len(index), dtype=np.int64), ()
    if "" in used:
        odd = np.flatnonzero(~missing & ((index == names.index("")) != (index[~missing][0] == names.index(""))))[0]
        raise DataError(
            "stamps with and without a time zone are mixed from this row on",
            place=at(int(odd)),
            remedy="Write all stamps with an offset, or all without one and give timezone=.",
        )
    offsets = minutes[index]
    distinct = np.array(sorted({_minutes(name) for name in used}))
    if len(distinct) == 1:
        east = int(distinct[0])
        return _offset_name(east) if timezone is None else timezone, offsets, ()
    if timezone is not None:
        return timezone, offsets, (f"{len(distinct)} offsets converted to {timezone}",)
    if len(distinct) == 2 and distinct[1] - distinct[0] <= 60:
        low, high = (_offset_name(int(m)) for m in distinct)
        said = f"offsets {low} and {high} taken as daylight saving; kept as UTC (timezone= gives the place)"
        return "UTC", offsets, (said,)
    odd = np.flatnonzero(~missing & (offsets != offsets[~missing][0]))[0]
    raise DataError(
        f"time zones are mixed: offsets {', '.join(_offset_name(int(m)) for m in distinct[:5])}",
        place=at(int(odd)),
        remedy="Give timezone='UTC' or a place to convert them all to it.",
    )


def _minutes(zone: str) -> int:
    if zone in ("", "Z", "UTC", "GMT"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:]))


def _offset_name(minutes: int) -> str:
    return "UTC" if minutes == 0 else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def localise(
    micros: NDArray[np.int64], timezone: str, at: Callable[[int], str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """UTC microseconds of wall times in `timezone`; the order of rows tells the hour repeated in autumn apart."""
    import pandas as pd

    index = pd.DatetimeIndex(micros.astype("datetime64[us]"))
    skipped = np.asarray(index.tz_localize(timezone, ambiguous=np.ones(len(index), bool), nonexistent="NaT").isna())
    if skipped.any():
        row = int(np.flatnonzero(skipped)[0])
        raise DataError(
            f"{index[row].isoformat()} does not exist in {timezone}: the clock was put forward",
            place=at(row),
            remedy="Give the time zone of the logger, for instance timezone='UTC' or a fixed offset such as '+01:00'.",
        )
    twice = np.asarray(index.tz_localize(timezone, ambiguous="NaT").isna())
    if not twice.any():
        return _micros(index.tz_localize(timezone)), ()
    try:
        return _micros(index.tz_localize(timezone, ambiguous="infer")), ()
    except ValueError:
        zoned = index.tz_localize(timezone, ambiguous=np.ones(len(index), bool))
        return _micros(zoned), (
            f"{int(twice.sum())} stamps in the repeated hour of autumn read as daylight saving time",
        )


def _micros(index: Any) -> NDArray[np.int64]:
    return np.asarray(index.tz_convert("UTC").tz_localize(None).as_unit("us").asi8)


def to_times(labels: Sequence[str], clock: Clock) -> NDArray[np.float64]:
    """Numbers on the axis of `clock` for time stamps; a stamp without offset is in the clock's own time zone.

    Raises `SettingError` where a label is no stamp or can be read in two ways, or where the clock has no calendar.
    """
    if clock.origin is None:
        raise SettingError("a time stamp needs a series with a calendar", place=str(labels[0]))
    return times_of(np.array([_moment(label, clock) for label in labels], dtype=np.int64), clock)


def _moment(label: str, clock: Clock) -> int:
    """The UTC microseconds of one label."""
    import pyarrow as pa

    text = f"{label.strip()}-01" if re.fullmatch(r"\d{4}", label.strip()) else label
    place, remedy = f"time {label!r}", "Write for instance 2014-01-02 03:04."
    try:
        found = parse_stamps(pa.array([text]), at=lambda _: place)
        if found is None or found.micros[0] == NAT:
            raise SettingError("not a time stamp", place=place, remedy=remedy)
        if found.zone is None and clock.timezone:
            return int(localise(found.micros, clock.timezone, lambda _: place)[0][0])
    except DataError as error:
        raise SettingError(error.cause, place=place, remedy=remedy) from error
    if found.zone is not None and not clock.timezone:
        raise SettingError("has an offset, but the series has no time zone", place=place, remedy="Leave it out.")
    return int(found.micros[0])


def times_of(micros: NDArray[np.int64], clock: Clock) -> NDArray[np.float64]:
    """Numbers on the axis of `clock` for UTC microseconds: the inverse of `Clock.stamps`."""
    assert clock.origin is not None
    origin = int(clock.origin.astype("datetime64[us]").astype(np.int64))
    if clock.unit not in CALENDAR:
        return (micros - origin) / (SECONDS[clock.unit] * 1e6)
    months_clock = Clock("month", clock.origin, clock.timezone)
    days = micros.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    guess = days - int(clock.origin.astype("datetime64[M]").astype(np.int64)) - 1.0
    anchor = _anchors(months_clock, guess)
    for _ in range(3):
        after = _anchors(months_clock, guess + 1)
        late = after <= micros
        guess, anchor = np.where(late, guess + 1, guess), np.where(late, after, anchor)
    months = guess + (micros - anchor) / (_anchors(months_clock, guess + 1) - anchor)
    return months / CALENDAR[clock.unit]


def _anchors(clock: Clock, months: NDArray[Any]) -> NDArray[np.int64]:
    stamps = clock.stamps(months)
    assert stamps is not None
    return stamps.astype(np.int64)
