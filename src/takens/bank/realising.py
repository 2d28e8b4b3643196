"""Entries of the bank become series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, SettingError, SimulationError
from ..random import generator
from ..series import Series
from .entries import Entry
from .families import sources

ATTEMPTS = 20
LARGEST = 1e12


def realise(entry: Entry) -> Series:
    """The series of an entry: one channel, one row a step, the same numbers for the same entry.

    A realisation that diverges, is not finite or hardly varies is drawn again with the next sub-seed. Raises
    `DataError` after 20, and `SettingError` for an entry whose source is unknown. Cost: 1 to 100 ms, after about 0.1 s
    for the first series of a flow in a process.
    """
    source = sources().get(str(entry.settings.get("source")))
    if source is None:
        raise SettingError(
            f"unknown source {entry.settings.get('source')!r}",
            place="bank",
            remedy="Take entries from takens.bank.plan.",
        )
    problem = ""
    for attempt in range(ATTEMPTS):
        random = generator(entry.seed, "bank", "realise", attempt)
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                values = source.signal(entry.settings, entry.length, entry.sampling, entry.noise, random)
        except (SimulationError, OverflowError) as error:
            problem = str(error)
            continue
        problem = unsound(values, entry.length)
        if not problem:
            if entry.noise and not source.clean:
                values = values + entry.noise * values.std() * random.normal(size=len(values))
            return Series.from_array(values, name=source.name)
    raise DataError(f"no sound realisation in {ATTEMPTS} attempts: {problem}", place=source.name)


def unsound(values: NDArray[np.float64], length: int) -> str:
    """Why values are no series of the bank; nothing where they are."""
    if values.shape != (length,):
        return f"shape {values.shape} for a length of {length}"
    if not np.isfinite(values).all() or np.abs(values).max() > LARGEST:
        return "not finite, or too large"
    if not values.std() > 1e-9 * (np.abs(values).max() + 1e-9):
        return "constant"
    if np.unique(values[:1000]).size < 2 or np.mean(np.diff(values) == 0) > 0.95:
        return "hardly varies"
    return ""
