"""The contract of measures."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from ..estimate import Estimate
from ..measures.base import NOT_FINITE, Channel, Measure, Refused
from ..series import Series
from .rules import CheckFailed, comparable, global_random_state, rule, same
from .samples import awkward_series, sample_series


def check_measure(measure: Measure, *, series: Series | None = None) -> tuple[str, ...]:
    """Hold a registered measure to the contract of measures on `series`, or on a sample of 1000 rows.

    Raises `CheckFailed` naming the broken rule. Cost: about fifteen calls of the measure on at most 1000 values.
    """
    data = sample_series(1000, channels=1) if series is None else series
    held: list[str] = []
    with rule(held, "documented", measure):
        for part in ("name", "family", "reference", "__doc__"):
            if not getattr(measure, part):
                raise CheckFailed(f"has no {part.strip('_')}")
    with rule(held, "input unchanged", measure):
        values = data.values[:, 0].copy()
        channel = Channel(values, data.times.copy(), data.interval, data.clock.unit, data.units[0], "all")
        with suppress(Refused):
            measure.function(channel)
        same([values, channel.t], [data.values[:, 0], data.times], "the measure changed its input")
    with rule(held, "same seed, same result", measure), global_random_state():
        first = measure(data)
        if comparable(first) != comparable(measure(data)):
            raise CheckFailed("two calls with the same seed differ")
    with rule(held, "an estimate", measure):
        sound(first)
        if first.reason == NOT_FINITE:
            raise CheckFailed(f"of ordinary data, {NOT_FINITE}")
        if first.name != measure.name or first.channel != data.channels[0]:
            raise CheckFailed("the estimate does not name its measure and channel")
    for name, awkward in awkward_series(channels=1).items():
        with rule(held, f"defined answer to {name}", measure):
            sound(measure(awkward))
    with rule(held, "refuses what says nothing", measure):
        for name in ("only constant channels", "a channel without values", "2 rows"):
            if measure(awkward_series(channels=1)[name]).admissible:
                raise CheckFailed(f"gives an admissible answer to {name}")
    return tuple(held)


def sound(estimate: Estimate) -> None:
    """An estimate with a finite value inside an ordered interval, or one that says why it should not be trusted."""
    if not isinstance(estimate, Estimate):
        raise CheckFailed(f"the answer is a {type(estimate).__name__}, not an Estimate")
    if not estimate.admissible:
        if not estimate.reason:
            raise CheckFailed("inadmissible without a reason")
        return
    if estimate.value is None or not np.isfinite(np.asarray(estimate.value, dtype=float)).all():
        raise CheckFailed(f"an admissible value is {estimate.value}")
    if not estimate.reference:
        raise CheckFailed("no reference")
    if estimate.interval is not None:
        low, high = (np.asarray(end, dtype=float) for end in estimate.interval)
        if not (low <= high).all() or not 0 < estimate.level < 1:
            raise CheckFailed(f"interval {estimate.interval} at level {estimate.level}")
