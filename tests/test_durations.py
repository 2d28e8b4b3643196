"""Durations as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from takens.clock import Clock
from takens.durations import every, in_words, plural, seconds, steps
from takens.errors import SettingError


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("2m", 120), ("1.5 h", 5400), (30, 30), ("45", 45), ("1d", 86400), ("2 min", 120)]
)
def test_computing_time(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "0s", "-3s", "3 parsecs", "2 months", "1e400s", "nan"])
def test_computing_time_refused(text: str) -> None:
    with pytest.raises(SettingError):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "unit", "interval", "count"),
    [("2d", "h", 1.0, 48), ("1w", "min", 30.0, 336), ("24", "min", 5.0, 24), ("2 years", "month", 1.0, 24),
     ("90 s", "s", 0.5, 180), (7, "step", 1.0, 7)],
)  # fmt: skip
def test_horizon_in_steps(text: str | int, unit: str, interval: float, count: int) -> None:
    assert steps(text, interval, Clock(unit, np.datetime64("2020-01-01"))) == count


@pytest.mark.parametrize(("text", "unit"), [("2d", "step"), ("1 month", "h"), ("0", "h"), ("-1", "h"), ("x", "h")])
def test_horizon_refused(text: str, unit: str) -> None:
    with pytest.raises(SettingError):
        steps(text, 1.0, Clock(unit))


@pytest.mark.parametrize(
    ("length", "unit", "words"),
    [(1440, "min", "24 hours"), (10080, "min", "7 days"), (132, "month", "11 years"), (11, "year", "11 years"),
     (1, "h", "1 hour"), (36, "step", "36 steps"), (0.5, "ms", "500 us"), (20, "ms", "20 ms"),
     (2.5, "s", "2.5 seconds"),
     (90, "s", "1.5 minutes"), (3, "beats", "3 beats")],
)  # fmt: skip
def test_in_words(length: float, unit: str, words: str) -> None:
    assert in_words(length, unit) == words


@pytest.mark.parametrize(
    ("interval", "unit", "words"),
    [(1, "d", "every day"), (24, "h", "every 24 hours"), (60, "s", "every minute"), (3, "month", "every 3 months"),
     (0.1, "s", "every 0.1 seconds"), (100, "ms", "every 100 ms"), (1, "step", "every step"),
     (0.664, "time unit", "every 0.664 time units")],
)  # fmt: skip
def test_every(interval: float, unit: str, words: str) -> None:
    assert every(interval, unit) == words


def test_plural() -> None:
    assert [plural(unit) for unit in ("d", "month", "step", "m/s", "")] == ["days", "months", "steps", "m/s", ""]
