"""How far a long computation has come: a bar with the time left on a terminal, one line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO

THROTTLE = 0.1
"""Seconds between two drawings of the bar."""
WIDTH = 24
"""Characters of the bar."""


class Progress(Protocol):
    """What a study reports to: called with the name of the stage and the share of the whole, in [0, 1], so far."""

    def __call__(self, stage: str, share: float) -> None: ...

    def close(self) -> None:
        """Leave the terminal clean; called once at the end, also after an error."""


class Silent:
    """Reports nothing."""

    def __call__(self, stage: str, share: float) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """One line for each new stage, for log files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._stage = stream, ""

    def __call__(self, stage: str, share: float) -> None:
        if stage != self._stage:
            self._stage = stage
            print(f"{min(max(share, 0.0), 1.0):4.0%} {stage}", file=self._stream, flush=True)

    def close(self) -> None:
        pass


class Bar:
    """One line that is redrawn in place: bar, share, time left, stage; drawn at most ten times a second.

    The time left is the time so far times (1 - share) / share, shown once two seconds and two per cent have passed:
    before that it is a guess. The share never runs backwards.
    """

    def __init__(self, stream: TextIO, *, columns: int = 79, now: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._columns, self._now = stream, columns, now
        self._began, self._drawn, self._share, self._stage = now(), -1.0, 0.0, ""

    def __call__(self, stage: str, share: float) -> None:
        self._share = max(self._share, min(max(share, 0.0), 1.0))
        moment = self._now()
        if stage == self._stage and self._share < 1 and self._drawn >= 0 and moment - self._drawn < THROTTLE:
            return
        self._stage, self._drawn = stage, moment
        full = round(self._share * WIDTH)
        spent = moment - self._began
        left = ""
        if spent >= 2 and 0.02 <= self._share < 1:
            left = f", {spoken(spent * (1 - self._share) / self._share)} left"
        line = f"[{'#' * full}{'.' * (WIDTH - full)}] {self._share:4.0%}{left}  {stage}"
        self._stream.write("\r" + line[: self._columns].ljust(self._columns))
        self._stream.flush()

    def close(self) -> None:
        if self._drawn >= 0:
            self._stream.write("\r" + " " * self._columns + "\r")
            self._stream.flush()
            self._drawn = -1.0


class Delayed:
    """Another progress that is shown only once a computation has taken `after` seconds: short ones stay silent."""

    def __init__(self, shown: Progress, *, after: float = 2.0, now: Callable[[], float] = time.monotonic) -> None:
        self._shown, self._begin, self._now = shown, now() + after, now

    def __call__(self, stage: str, share: float) -> None:
        if self._now() >= self._begin:
            self._shown(stage, share)

    def close(self) -> None:
        self._shown.close()


def spoken(seconds: float) -> str:
    """A duration as a person says it: `8 s`, `2 min 05 s`, `1 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def progress_on(stream: TextIO | None = None, *, quiet: bool = False) -> Progress:
    """The progress that fits `stream` (standard error if None): nothing if quiet, a bar on a terminal, else lines."""
    stream = sys.stderr if stream is None else stream
    if quiet:
        return Silent()
    if not stream.isatty():
        return Lines(stream)
    import shutil

    return Bar(stream, columns=max(40, shutil.get_terminal_size().columns - 1))
