"""The one way hyper-parameters are chosen: free runs from origins in a held-out end of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..random import generator
from .base import Array, Known, Law, RecursiveLaw, Training, scale_of

CAP = 2.0
"""Largest normalised error that counts: an unrelated trajectory has about 1.4, so a blow-up costs most but not all."""

FIRST, LONGEST = 100, 500
"""Longest horizon of the first round, and of all: bounds the cost where errors grow slowly."""

FULL = 32
"""Origins of the last round; earlier rounds use a quarter and a half."""


@dataclass(frozen=True)
class Probe:
    """Held-out stretches from which laws are set free: rows before each origin, and what came after it.

    `stretches` are arrays `(time, channel)`; `origins` are pairs (stretch, row) of the first row to predict; `memory`
    rows before it are the history. `horizon` is the first horizon tried and `limit` the longest that the data allow.
    Of the channels the first `targets` are forecast; the others are known inputs. `starts` are the rows of the first
    values of the stretches, counted like `Known.row`.
    """

    stretches: tuple[Array, ...]
    origins: tuple[tuple[int, int], ...]
    memory: int
    horizon: int
    limit: int
    scale: Array
    fixed: bool
    targets: int
    starts: tuple[int, ...]

    def chosen(self, count: int, horizon: int) -> list[tuple[int, int]]:
        """`count` origins (stretch, row), evenly spread over those with `horizon` rows after them."""
        fit = [(s, row) for s, row in self.origins if row + horizon <= len(self.stretches[s])]
        return [fit[i] for i in np.unique(np.linspace(0, len(fit) - 1, count).round().astype(int))]

    def known(self, count: int, horizon: int) -> list[Known]:
        """What is known at each of the origins that `take` gives."""
        inputs = self.targets < self.stretches[0].shape[1]
        return [
            Known(self.starts[s] + row, self.stretches[s][row : row + horizon, self.targets :] if inputs else None)
            for s, row in self.chosen(count, horizon)
        ]

    def take(self, count: int, horizon: int) -> tuple[Array, Array]:
        """Histories `(origin, memory, channel)` and truths `(origin, horizon, channel)` of `count` spread origins."""
        chosen = self.chosen(count, horizon)
        before = np.stack([self.stretches[s][row - self.memory : row] for s, row in chosen])
        after = np.stack([self.stretches[s][row : row + horizon] for s, row in chosen])
        return before, after

    def error(self, law: Law, count: int, horizon: int) -> Array:
        """Capped normalised error `(horizon,)` of free runs, averaged over origins.

        e_h = mean over origins of min(CAP, sqrt(mean over channels of ((x - truth) / standard deviation)^2)).
        """
        before, after = self.take(count, horizon)
        runs = free_runs(law, before, horizon, self.known(count, horizon))
        off = ((runs - after) / self.scale)[..., : self.targets]
        return np.minimum(np.sqrt((off**2).mean(axis=2)), CAP).mean(axis=0)

    def blown_up(self, law: Law) -> float:
        """Share of a few noisy runs that go farther than one range from the data: driven away by its own residuals.

        They are longer than the runs that are scored, because a law may look good for a while and then blow up.
        """
        if not isinstance(law, RecursiveLaw):
            return 0.0
        driven = self.targets < self.stretches[0].shape[1]
        before, after = self.take(4, self.limit if driven else 1)
        known = Known(0, np.repeat(after[..., self.targets :], 4, axis=0)) if driven else None
        runs = law.roll(np.repeat(law.init(before), 4, axis=0), self.limit, generator(0, "probe"), known)
        inside = (law.high - law.low) * 2 / 7
        out = (runs < law.low + inside) | (runs > law.high - inside)
        return float(out[..., : self.targets].any(axis=(1, 2)).mean())


@dataclass(frozen=True)
class Choice:
    """The index of the best candidate, its score, and (index, score, origins, horizon) of every trial."""

    best: int
    score: float
    table: tuple[tuple[int, float, int, int], ...]


def free_runs(law: Law, histories: Array, horizon: int, known: Sequence[Known]) -> Array:
    """Noise-free runs `(origin, horizon, channel)` that continue `histories (origin, time, channel)`."""
    if isinstance(law, RecursiveLaw):
        inputs = [one.values for one in known if one.values is not None]
        return law.roll(law.init(histories), horizon, None, Known(0, np.stack(inputs)) if inputs else None)
    return np.stack([law.sample(h, horizon, 1, None, k)[0] for h, k in zip(histories, known, strict=True)])


def hold_out(
    training: Training, memory: int, *, share: float = 0.2, horizon: int | None = None
) -> tuple[Training, Probe | None]:
    """The first part of the training data to fit on, and a probe on the last `share` of the rows.

    `memory` is the longest history that any candidate needs. Where the data are too few to try a forecast on
    (fewer than two origins) all of them are for fitting and there is no probe.
    """
    head, tails = _cut(training, round(training.rows * (1 - share)))
    origins = [(s, row) for s, (piece, start) in enumerate(tails) for row in range(max(start, memory), len(piece) - 1)]
    if not origins or head is None:
        return training, None
    room = sorted((len(tails[s][0]) - row for s, row in origins), reverse=True)
    # Half of the longest room, so that the origins of the longest horizon still spread over the held-out part.
    limit = min(max(1, room[0] // 2), LONGEST)
    wanted = min(3 * decorrelation(training), FIRST) if horizon is None else horizon
    scale = scale_of(training.stacked)[1]
    pieces = tuple(piece for piece, _ in tails)
    starts = training.starts[-len(pieces) :]
    first = min(wanted, limit) if horizon is None else min(wanted, room[0])
    return head, Probe(
        pieces, tuple(origins), memory, first, limit, scale, horizon is not None, training.targets, starts
    )


def choose(laws: Sequence[Law], probe: Probe | None) -> Choice:
    """The law whose free runs stay closest to what happened; the first one where there is no probe or a tie.

    Rounds: all candidates from a few origins, then the best from more and more. Candidates whose noisy runs blow up pay
    `CAP` times the share of those. While the best candidate is still good at the last step (error below 0.5)
    the horizon is doubled, so that chaotic laws are compared where they differ, and never far beyond their
    predictability, where forecasting the mean would win. Cost: candidates x horizon steps of a few origins.
    """
    if probe is None or len(laws) == 1:
        return Choice(0, float("nan"), ())
    alive, count, horizon = list(range(len(laws))), FULL // 4, probe.horizon
    table: list[tuple[int, float, int, int]] = []
    penalties: dict[int, float] = {}
    while True:
        curves = {i: probe.error(laws[i], count, horizon) for i in alive}
        scores = {i: float(curve.mean()) for i, curve in curves.items()}
        alive = _best(scores, penalties, laws, probe, max(min(len(alive), 4), len(alive) // 6))
        table += [(i, score, count, horizon) for i, score in scores.items()]
        best = alive[0]
        final = curves[best][-max(1, horizon // 8) :].mean()
        grow = not probe.fixed and final < 0.5 and horizon < probe.limit
        if count == FULL and not grow:
            return Choice(best, scores[best], tuple(table))
        count = min(FULL, 2 * count)
        horizon = min(2 * horizon, probe.limit) if grow else horizon


def _best(
    scores: dict[int, float], penalties: dict[int, float], laws: Sequence[Law], probe: Probe, keep: int
) -> list[int]:
    """The `keep` best candidates, best first; `scores` get the penalties of those that were looked at.

    Stability is tried from the best score downwards and only until enough stable candidates are found.
    """
    stable = 0
    seen = []
    for i in sorted(scores, key=lambda i: (scores[i], i)):
        if i not in penalties:
            penalties[i] = CAP * probe.blown_up(laws[i])
        scores[i] += penalties[i]
        seen.append(i)
        stable += penalties[i] == 0
        if stable == keep:
            break
    return sorted(seen, key=lambda i: (scores[i], i))[:keep]


def decorrelation(training: Training) -> int:
    """Steps after which the mean autocorrelation over channels falls below 1/e, on the longest stretch; at least 2."""
    rows = max(training.stretches, key=len)[-50_000:]
    mean, scale = scale_of(rows)
    correlation = autocorrelation((rows - mean) / scale)
    below = np.flatnonzero(correlation < 1 / np.e)
    return int(np.clip(below[0] if len(below) else len(rows) // 10, 2, max(2, len(rows) // 20)))


def autocorrelation(standard: Array) -> Array:
    """Autocorrelation `(lag,)` of standardised rows `(time, channel)`, averaged over channels; 1 at lag 0."""
    length = len(standard)
    size = 1 << (2 * length - 1).bit_length()
    power = (np.abs(np.fft.rfft(standard, size, axis=0)) ** 2).sum(axis=1)
    covariance = np.fft.irfft(power, size)[:length]
    return covariance / covariance[0] if covariance[0] > 0 else np.concatenate([[1.0], np.zeros(length - 1)])


def _cut(training: Training, rows: int) -> tuple[Training | None, list[tuple[Array, int]]]:
    """The first `rows` rows as a training, and the stretches that hold the rest with the row where it starts."""
    head, ends, tails = [], [], []
    used = 0
    for piece, end in zip(training.stretches, training.ends, strict=True):
        cut = min(max(rows - used, 0), len(piece))
        used += len(piece)
        if cut >= 2:
            head.append(piece[:cut])
            ends.append(end - training.signature.interval * (len(piece) - cut))
        if cut < len(piece):
            tails.append((piece, cut))
    return (replace(training, stretches=tuple(head), ends=tuple(ends)) if head else None), tails
