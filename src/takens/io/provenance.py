"""Where a series came from and what was done to its rows: the part of a `Reading` that the numbers do not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """What the reader understood and did.

    `time` is the column of times and `recognised` how it was found and read; `ignored` lists (column, why). `unsorted`
    counts steps back in time that were sorted away, `duplicates` rows whose time had occurred before and that were
    merged: both are 0 unless the caller asked for the repair.
    """

    format: str = "array"
    source: str = ""
    rows_read: int = 0
    time: str = ""
    recognised: str = "no times given"
    ignored: tuple[tuple[str, str], ...] = ()
    unsorted: int = 0
    duplicates: int = 0
    notes: tuple[str, ...] = ()
