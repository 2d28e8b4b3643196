"""Trajectories with their own times, for models of continuous time: rows, time steps, segments, what is held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..errors import InsufficientData
from .base import Array, Training, scale_of
from .selection import CAP

PAUSE = 4.0
"""A step of more than so many median steps is a gap: nothing is learned from what happens in between."""


@dataclass(frozen=True)
class Timed:
    """Rows `(time, channel)` without missing values and the steps `(time - 1,)` between them."""

    rows: Array
    steps: Array


def timed(training: Training) -> list[Timed]:
    """The complete rows of all trajectories, cut where a step is a gap; irregular times are kept as they are.

    Regular data come from the stretches, which are gap-free. Raises `InsufficientData` without two rows in a row.
    """
    irregular = [s for s in training.trajectories if s.sampling.kind == "irregular"]
    if not irregular:
        interval = training.signature.interval
        return [Timed(piece, np.full(len(piece) - 1, interval)) for piece in training.stretches]
    pieces = []
    for series in training.trajectories:
        complete = np.isfinite(series.values).all(axis=1)
        times, rows = series.times[complete], series.values[complete]
        steps = np.diff(times)
        cuts = np.flatnonzero(steps > PAUSE * training.signature.interval) + 1
        for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            if last - first > 1:
                pieces.append(Timed(rows[first:last], steps[first : last - 1]))
    if not pieces:
        raise InsufficientData("no two consecutive rows are complete", place=training.signature.name)
    return pieces


def closing(training: Training, rows: int) -> tuple[Array, float]:
    """The last `rows` complete rows in succession and their time, as `Training.closing`, also for irregular data."""
    last = training.stretches[-1]
    if np.isfinite(last[-rows:]).all() and len(last) >= rows:
        return last[-rows:], training.end
    return training.closing(rows)


def parted(pieces: Sequence[Timed], share: float, least: int) -> tuple[list[Timed], list[Timed]]:
    """What to learn from, and the last `share` of the rows, which are held out; all for both if that is too little.

    `least` rows are needed on either side of the cut.
    """
    total = sum(len(piece.rows) for piece in pieces)
    room = round(total * (1 - share))
    if room < least or total - room < least:
        return list(pieces), list(pieces)
    head, tail = [], []
    for piece in pieces:
        cut = min(room, len(piece.rows))
        room -= cut
        if cut >= 2:
            head.append(Timed(piece.rows[:cut], piece.steps[: cut - 1]))
        if len(piece.rows) - cut >= 2:
            tail.append(Timed(piece.rows[cut:], piece.steps[cut:]))
    return (head, tail) if head and tail else (list(pieces), list(pieces))


def windows(pieces: Sequence[Timed], length: int, every: int | None = None) -> list[tuple[int, int]]:
    """(piece, first row) of windows of `length` steps that cover every piece, one begun `every` rows.

    If None, each begins where the last one ended. The last window of a piece reaches back so that it has full length;
    pieces that are too short have none.
    """
    found = []
    for p, piece in enumerate(pieces):
        last = len(piece.steps) - length
        if last >= 0:
            found += [(p, first) for first in range(0, last, every or length)] + [(p, last)]
    return found


def cut_out(pieces: Sequence[Timed], places: Sequence[tuple[int, int]], length: int) -> tuple[Array, Array]:
    """Rows `(window, length + 1, channel)` and steps `(window, length)` of the windows at `places`."""
    rows = np.stack([pieces[p].rows[first : first + length + 1] for p, first in places])
    return rows, np.stack([pieces[p].steps[first : first + length] for p, first in places])


def successors(places: Sequence[tuple[int, int]], length: int) -> NDArray[np.int64]:
    """For each window the number of the window that begins with its last row, or its own number where there is none."""
    where = {place: i for i, place in enumerate(places)}
    return np.array([where.get((p, first + length), i) for i, (p, first) in enumerate(places)], dtype=np.int64)


def noise_of(pieces: Sequence[Timed]) -> Array:
    """Standard deviation of white noise on the rows `(channel,)`, from fourth differences; an upper bound.

    A smooth signal has small fourth differences; those of white noise of variance s^2 have variance 70 s^2.
    """
    differences = [np.diff(piece.rows, n=4, axis=0) for piece in pieces if len(piece.rows) > 4]
    if not differences:
        return np.zeros(pieces[0].rows.shape[1])
    found: Array = np.median(np.abs(np.concatenate(differences)), axis=0) / (0.6745 * np.sqrt(70))
    return found


def local_slopes(rows: Array, steps: Array, degree: int, width: int = 7) -> tuple[Array, Array]:
    """Smoothed rows and their time derivatives `(sample, channel)` from polynomials through `width` rows in succession.

    `rows (window, length + 1, channel)` and `steps (window, length)` may be irregular; the polynomial of `degree` is
    fitted by least squares and taken in the middle. Source: Savitzky & Golay, Analytical Chemistry 36, 1627 (1964).
    """
    width = min(width, rows.shape[1])
    times = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(steps, axis=1)], axis=1)
    moments = sliding_window_view(times, width, axis=1).reshape(-1, width)
    values = sliding_window_view(rows, width, axis=1).reshape(len(moments), -1, width)
    middle = moments[:, (width - 1) // 2, None]
    reach = np.abs(moments - middle).max(axis=1, keepdims=True)
    powers = ((moments - middle) / reach)[..., None] ** np.arange(min(degree, width - 1) + 1)
    found = np.einsum("skw,scw->skc", np.linalg.pinv(powers), values)
    return found[:, 0], found[:, 1] / reach


def standard_scale(pieces: Sequence[Timed]) -> tuple[Array, Array, float]:
    """Mean and deviation `(channel,)` of the rows, and the time in which standardised rows move by about one."""
    rows = np.concatenate([piece.rows for piece in pieces])
    mean, scale = scale_of(rows)
    speeds = np.concatenate([np.diff(p.rows / scale, axis=0) / p.steps[:, None] for p in pieces])
    speed = float(np.sqrt((speeds**2).mean()))
    steps = np.concatenate([p.steps for p in pieces])
    # Data that hardly move have no time scale of their own.
    return mean, scale, 1 / speed if speed * float(np.median(steps)) > 1e-9 else float(np.median(steps))


@dataclass(frozen=True)
class Held:
    """Held-out windows from whose first rows free runs start.

    `rows (origin, warm + 1 + horizon, channel)` are standardised, the first `warm + 1` of them are given to the run,
    and `steps (origin, warm + horizon)` are the times between them.
    """

    rows: Array
    steps: Array
    warm: int
    targets: int

    @classmethod
    def of(cls, pieces: Sequence[Timed], warm: int, horizon: int, targets: int, *, origins: int = 32) -> Held | None:
        """At most `origins` windows, evenly spread; None where the pieces are too short for one of two steps."""
        longest = max(len(piece.steps) for piece in pieces)
        length = min(warm + horizon, longest)
        if length < warm + 1:
            return None
        room = [(p, first) for p, piece in enumerate(pieces) for first in range(len(piece.steps) - length + 1)]
        chosen = [room[i] for i in np.unique(np.linspace(0, len(room) - 1, origins).round().astype(int))]
        return cls(*cut_out(pieces, chosen, length), warm, targets)

    def score(self, run: Callable[[Array, Array, Array], Array]) -> float:
        """Capped error of free runs, averaged over origins and steps, plus the cap times the share that run away.

        `run(rows, steps, inputs)` continues `rows (origin, warm + 1, channel)` over all of `steps (origin, warm + k)`
        with the known `inputs (origin, k, input)` and gives `(origin, k, target)`. Running away is to go farther than
        half a range from the rows in a run eight times as long, or of 500 steps if that is less.
        """
        given, before = self.rows[:, : self.warm + 1], self.steps[:, : self.warm]
        after, truth = self.steps[:, self.warm :], self.rows[:, self.warm + 1 :]
        path = run(given, np.concatenate([before, after], axis=1), truth[..., self.targets :])
        off = np.sqrt(((path - truth[..., : self.targets]) ** 2).mean(axis=2))
        few = slice(None, None, max(1, len(given) // 8))
        times = max(1, min(8, -(-500 // after.shape[1])))
        longer = np.concatenate([before[few], np.tile(after[few], (1, times))], axis=1)
        far = run(given[few], longer, np.tile(truth[few, :, self.targets :], (1, times, 1)))
        low, high = self.rows[..., : self.targets].min(axis=(0, 1)), self.rows[..., : self.targets].max(axis=(0, 1))
        margin = np.maximum(high - low, 1.0) / 2
        away = ~((far > low - margin) & (far < high + margin)).all(axis=(1, 2))
        return float(np.where(off < CAP, off, CAP).mean() + CAP * away.mean())
