"""The numbers that the calibration sees: those of all steps, by name, for one channel."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from ..errors import SettingError
from ..measures.base import Refused, prepared, representable
from ..series import Series, as_series
from .base import Inquiry, Step
from .steps import STEPS
from .view import View

NAMES: tuple[str, ...] = tuple(name for step in STEPS for name in step.statistics)
"""Every statistic, in the order of the steps."""


def view_of(data: Series | ArrayLike, seed: int = 0) -> View:
    """The view of the one channel of `data`. Raises `SettingError` for several and `Refused` where nothing can be seen.

    Irregular sampling, an empty or constant channel and fewer than 50 values are refused.
    """
    series = as_series(data)
    if series.shape[1] != 1:
        raise SettingError(
            f"one channel is looked at; these data have {series.shape[1]}", place=series.source or series.name,
            remedy=f"Select one, for instance series.select({series.channels[0]!r}).",
        )  # fmt: skip
    channel = prepared(series, regular=True, name="the verdict")
    if len(channel.x) < 50:
        where = "" if channel.used == "all" else " in the longest stretch without a gap"
        raise Refused(f"{len(channel.x)} values{where}; at least 200 are needed")
    return View(representable(channel)[0], seed)


def asked(view: View, steps: Sequence[Inquiry] = STEPS) -> tuple[Step, ...]:
    """The answer of every step."""
    return tuple(step.ask(view) for step in steps)


def statistics(data: Series | ArrayLike, *, seed: int = 0) -> dict[str, float]:
    """Every statistic of the one channel of `data` by name, NaN where one could not be computed.

    Raises `SettingError` for several channels and `DataError` where there is nothing to look at. Cost: about a second
    for 5,000 values.
    """
    from ..errors import InsufficientData

    try:
        view = view_of(data, seed)
    except Refused as refusal:
        raise InsufficientData(str(refusal)) from None
    return {name: value for step in asked(view) for name, value in step.statistics.items()}
