"""Residual cycle forecasting: a learned cycle for each channel, and a linear map of what is left of the look-back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from ..errors import InsufficientData, SettingError
from .base import Array, Known, Law, Model, Training, guard_box, scale_of
from .cycles import Windows, cycle_of, head_of
from .perceptron import Perceptron
from .state_space.structural import seasons_of

RIDGES = (1e-3, 1e-1)
PATHS = 300
"""Most paths of errors that a law keeps."""
ALTERNATIONS = 2
"""Rounds of cycle and head; a further one changes the error of a strongly periodic series by less than 0.1 %."""


@final
@dataclass(frozen=True)
class CycleLaw(Law):
    """y = cycle at the phase of y + m + (x - cycle at the phase of x - m) `weights`, with the mean m of the bracket.

    `cycle (phase, channel)` in standard units; the phase of a row is its number modulo the period. `weights (kind,
    look-back, step)`, one kind for all channels or one each. `paths (path, step, channel)` are errors on held-out data.
    `network`, where there is one, adds to what the head says of the same bracket.
    """

    cycle: Array
    weights: Array
    center: Array
    scale: Array
    paths: Array
    ridge: float
    low: Array
    high: Array
    network: Perceptron | None

    @property
    def memory(self) -> int:
        return int(self.weights.shape[1])

    @property
    def period(self) -> int:
        """Rows of a cycle."""
        return len(self.cycle)

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        targets, block = self.signature.targets, self.weights.shape[2]
        row = self.signature.row(self.end) + 1 if known is None else known.row
        window = np.repeat(((history[-self.memory :, :targets] - self.center) / self.scale)[None], members, axis=0)
        path = np.empty((members, horizon, history.shape[1]))
        path[..., targets:] = history[-1, targets:]
        if known is not None and known.values is not None:
            path[..., targets:] = np.where(np.isfinite(known.values), known.values, path[..., targets:])
        for first in range(0, horizon, block):
            ahead = self.ahead(window, row + first)
            if rng is not None:
                # Errors have no sign that would last: each path of errors stands for its mirror image too.
                sign = rng.choice([-1.0, 1.0], size=(members, 1, 1))
                ahead = ahead + sign * self.paths[rng.integers(len(self.paths), size=members)]
            values = np.clip(self.center + self.scale * ahead, self.low, self.high)
            path[:, first : first + block, :targets] = values[:, : horizon - first]
            window = np.concatenate([window, (values - self.center) / self.scale], axis=1)[:, -self.memory :]
        return path

    def ahead(self, window: Array, row: int) -> Array:
        """The next steps `(member, step, channel)` in standard units after `window (member, time, channel)`.

        `row` is the number of the first row ahead.
        """
        back, steps = self.weights.shape[1:]
        past = self.cycle[np.arange(row - back, row) % self.period]
        mean = (window - past).mean(axis=1, keepdims=True)
        rest = window - past - mean
        kinds = np.broadcast_to(self.weights, (window.shape[2], back, steps))
        ahead = mean + np.einsum("mlc,clh->mhc", rest, kinds, optimize=True)
        if self.network is not None:
            ahead = ahead + np.swapaxes(self.network(np.swapaxes(rest, 1, 2)), 1, 2)
        return np.asarray(ahead + self.cycle[np.arange(row, row + steps) % self.period])

    def diverged(self, samples: Array) -> int:
        shown = samples[..., : self.signature.targets]
        return int(((shown <= self.low) | (shown >= self.high)).any(axis=(1, 2)).sum())


@final
@dataclass(frozen=True)
class CycleNet(Model):
    """A cycle of `period` rows, learned for each channel, is taken out of the last `lookback` rows; a linear head
    forecasts what is left for `horizon` steps at once, and the cycle is put back.

    With x the look-back, q the cycle at its phases and m the mean of x - q (instance normalisation):
    y = q' + m + W (x - q - m). W is a ridge regression with penalty `ridge`, in units of the mean variance of its
    inputs; the cycle given W is least squares as well, and the two alternate. `shared` says whether all channels have
    one W. None: the period is the strongest season, the others are chosen by the error on the held-out last fifth.
    With `units` a perceptron of so many tanh units is added to W and trained with it by gradient descent, from the
    least-squares solution, on the first four fifths; the last fifth says when to stop, or that it does not help.
    The phase is that of the row, counted from the first row of the training data. Later steps than `horizon` are
    forecast block by block. Errors are whole paths of all channels, drawn from held-out ones, so that a member is one
    coherent future. Known inputs are left out. Raises `SettingError` for settings below 1, `InsufficientData` where no
    stretch holds a look-back and a horizon. Cost O((lookback + horizon)^3), hardly more for long series; with `units`
    a minute. Not for series without a cycle of fixed length, or whose cycle drifts: see `Structural`.
    Source: Lin et al., CycleNet, NeurIPS 2024; without `units` by least squares instead of gradient descent.
    """

    period: int | None = None
    lookback: int | None = None
    horizon: int | None = None
    ridge: float | None = None
    shared: bool | None = None
    units: int = 0

    def learn(self, training: Training, seed: int) -> CycleLaw:
        for name in ("period", "lookback", "horizon"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}", place="CycleNet")
        if self.units < 0:
            raise SettingError(f"units must not be negative, got {self.units}", place="CycleNet")
        if self.ridge is not None and self.ridge < 0:
            raise SettingError(f"ridge must not be negative, got {self.ridge}", place="CycleNet")
        targets, longest = training.targets, max(map(len, training.stretches))
        rows = training.stacked[:, :targets]
        center, scale = scale_of(rows)
        standard = [(piece[:, :targets] - center) / scale for piece in training.stretches]
        period = self.period or _period(training)
        horizon = self.horizon or max(1, min(max(period, 96), longest // 12))
        lookbacks = [self.lookback] if self.lookback else _lookbacks(period, horizon, longest)
        training.need(max(lookbacks[0] + horizon, 5), f"a cycle with look-back {lookbacks[0]} and horizon {horizon}")
        trial = _Trial(standard, training.starts, period, horizon)
        lookback, ridge, shared = trial.best(lookbacks, self._ridges, self._kinds(targets))
        found = trial.network(lookback, ridge, shared, self.units, seed) if self.units else None
        if found is None:
            whole = Windows.of(standard, training.starts, period, lookback, horizon)
            found = *_fit(whole, ridge, shared), None, trial.paths(lookback, ridge, shared)
        cycle, weights, network, paths = found
        low, high = guard_box(rows)
        return CycleLaw(
            training.signature, *training.closing(lookback), cycle=cycle, weights=weights, center=center, scale=scale,
            paths=paths, ridge=ridge, low=low, high=high, network=network,
        )  # fmt: skip

    def settled(self, law: Law) -> Model:
        assert isinstance(law, CycleLaw)
        kinds, lookback, horizon = law.weights.shape
        shared = kinds == 1 if self.shared is None else self.shared
        return replace(self, period=law.period, lookback=lookback, horizon=horizon, ridge=law.ridge, shared=shared)

    @property
    def _ridges(self) -> Sequence[float]:
        return RIDGES if self.ridge is None else (self.ridge,)

    def _kinds(self, channels: int) -> Sequence[bool]:
        if self.shared is not None:
            return (self.shared,)
        return (True, False) if channels > 1 else (True,)


def _period(training: Training) -> int:
    """The strongest season: a longer one, such as a week of days, where it is among those worth trying; else 1."""
    seasons = seasons_of(training.mapped(lambda piece: piece[:, : training.targets]))
    return seasons[-1][-1] if seasons else 1


def _lookbacks(period: int, horizon: int, longest: int) -> list[int]:
    """Look-backs to try: whole periods of about one to four horizons, as long as a quarter of the data allows."""
    whole = [max(1, round(factor * horizon / period)) * period for factor in (1, 2, 3.5)]
    fit = sorted({back for back in whole if back <= max(longest // 4, 2)})
    return fit or [max(1, min(period, longest - horizon - 2))]


class _Trial:
    """Look-backs, penalties and kinds of heads compared on the last fifth of each stretch."""

    def __init__(self, pieces: list[Array], starts: Sequence[int], period: int, horizon: int) -> None:
        self.pieces, self.starts, self.period, self.horizon = pieces, starts, period, horizon
        self.cuts = [round(0.8 * len(piece)) for piece in pieces]

    def parts(self, lookback: int) -> tuple[Windows, Windows]:
        """Windows of the first part, and those whose future lies in the last."""
        head = [piece[:cut] for piece, cut in zip(self.pieces, self.cuts, strict=True)]
        firsts = [max(cut - lookback, 0) for cut in self.cuts]
        tail = [piece[first:] for piece, first in zip(self.pieces, firsts, strict=True)]
        later = [start + first for start, first in zip(self.starts, firsts, strict=True)]
        size = (self.period, lookback, self.horizon)
        return Windows.of(head, self.starts, *size), Windows.of(tail, later, *size)

    def best(self, lookbacks: Sequence[int], ridges: Sequence[float], kinds: Sequence[bool]) -> tuple[int, float, bool]:
        """The settings of least held-out error; the first look-back where nothing can be compared."""
        best, least = (lookbacks[0], ridges[len(ridges) // 2], kinds[0]), np.inf
        if len(lookbacks) * len(ridges) * len(kinds) == 1:
            return best
        for lookback in lookbacks:
            head, tail = self.parts(lookback)
            if head.empty or tail.empty:
                continue
            for shared in kinds:
                for ridge in ridges:
                    error = tail.error(*_fit(head, ridge, shared))
                    if error < least:
                        best, least = (lookback, ridge, shared), error
        return best

    def paths(self, lookback: int, ridge: float, shared: bool) -> Array:
        """Errors `(path, step, channel)` on the last part of a fit to the first; on all data where they are too few."""
        head, tail = self.parts(lookback)
        firsts = [max(cut - lookback, 0) for cut in self.cuts]
        if head.empty or tail.counts.sum() < 30:
            head, firsts = Windows.of(self.pieces, self.starts, self.period, lookback, self.horizon), [0] * len(firsts)
        return self._errors(*_fit(head, ridge, shared), None, firsts)

    def network(
        self, lookback: int, ridge: float, shared: bool, units: int, seed: int
    ) -> tuple[Array, Array, Perceptron | None, Array] | None:
        """Cycle, head and perceptron, trained from the least-squares fit to the first part, and held-out errors.

        None where the training made nothing better.
        """
        from .cycle_training import trained

        head, tail = self.parts(lookback)
        if head.empty or tail.empty:
            raise InsufficientData(
                f"a perceptron needs {5 * (lookback + self.horizon)} rows, to hold out a fifth", place="CycleNet",
                remedy="Leave units at 0.",
            )  # fmt: skip
        found = trained(self.pieces, self.starts, self.cuts, *_fit(head, ridge, shared), units, seed)
        return None if found is None else (*found, self._errors(*found, [max(cut - lookback, 0) for cut in self.cuts]))

    def _errors(self, cycle: Array, weights: Array, network: Perceptron | None, firsts: Sequence[int]) -> Array:
        """Errors `(path, step, channel)` on windows that start in rows `firsts` of the stretches or later."""
        lookback, size = weights.shape[1], sum(weights.shape[1:])
        found: list[Array] = []
        total = sum(max(len(p) - first - size + 1, 0) for p, first in zip(self.pieces, firsts, strict=True))
        stride = max(1, -(-total // PATHS))
        for piece, start, first in zip(self.pieces, self.starts, firsts, strict=True):
            for row in range(first, len(piece) - size + 1, stride):
                window = piece[row : row + size] - cycle[np.arange(start + row, start + row + size) % self.period]
                window = window - window[:lookback].mean(axis=0)
                past, after = window[:lookback], window[lookback:]
                if network is not None:
                    after = after - network(past.T).T
                heads = np.broadcast_to(weights, (window.shape[1], *weights.shape[1:]))
                found.append(after - np.einsum("lc,clh->hc", past, heads))
        return np.stack(found)


def _fit(windows: Windows, ridge: float, shared: bool) -> tuple[Array, Array]:
    """Cycle and head, in turns; the first cycle is that of a head that says the mean."""
    period, channels, size = windows.sums.shape
    weights = np.zeros((1, windows.back, size - windows.back))
    cycle = np.zeros((period, channels))
    for _ in range(ALTERNATIONS):
        cycle = cycle_of(windows, weights)
        weights = head_of(windows, cycle, ridge, shared)
    return cycle, weights
