"""Liquid networks: recurrent cells in continuous time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from ..errors import InsufficientData, SettingError
from .base import Array, Model, RecursiveLaw, Training, guard_box, thinned
from .cells import Cell, ClosedFormCell, LiquidCell
from .segments import Held, Timed, closing, cut_out, parted, standard_scale, timed, windows
from .selection import decorrelation
from .sequences import Sequences, predicted
from .training import Exponential, Settings, train

LEAST = 16
"""Rows below which no cell is trained."""


@final
@dataclass(frozen=True)
class LiquidLaw(RecursiveLaw):
    """x(t + d) = x(t) + s d (R [h, z] + r) with h = cell(h, z, d), z = (x - m) / s, d the sampling interval / `pace`.

    The state is h after the coming interval, then the channels; it starts from zero and `warm` rows of history.
    """

    cell: ClosedFormCell | LiquidCell
    readout: Array
    offset: Array
    mean: Array
    scale: Array
    moving: Array
    pace: float
    warm: int

    @property
    def memory(self) -> int:
        return self.warm + 1

    @property
    def elapsed(self) -> float:
        """The sampling interval in units of the pace."""
        return self.signature.interval / self.pace

    def init(self, history: Array) -> Array:
        h = np.zeros((len(history), self.cell.units))
        for row in np.moveaxis(history[:, -self.memory :], 1, 0):
            h = self.cell.advance(h, (row - self.mean) / self.scale, self.elapsed)
        return np.concatenate([h, history[:, -1]], axis=1)

    def step(self, state: Array) -> Array:
        h, x = state[:, : self.cell.units], state[:, self.cell.units :]
        speed = np.concatenate([h, (x - self.mean) / self.scale], axis=1) @ self.readout + self.offset
        targets = len(self.moving)
        # Added as a difference, so that what does not move keeps every bit.
        moved = x[:, :targets] + self.moving * self.scale[:targets] * (self.elapsed * speed)
        return np.concatenate([moved, x[:, targets:]], axis=1)

    def feed(self, state: Array, values: Array) -> Array:
        h = self.cell.advance(state[:, : self.cell.units], (values - self.mean) / self.scale, self.elapsed)
        return np.concatenate([h, values], axis=1)

    def slopes(self, state: Array) -> Array:
        units, targets = self.cell.units, len(self.moving)
        values = self.step(state)
        by_h, by_x = self.cell.slopes(state[:, :units], (values - self.mean) / self.scale, self.elapsed)
        ahead = np.zeros((len(self.mean), state.shape[1]))
        ahead[:, units:] = np.eye(len(self.mean))
        gain = (self.moving * self.scale[:targets] * self.elapsed)[:, None] * self.readout.T
        ahead[:targets, :units] += gain[:, :units]
        ahead[:targets, units:] += gain[:, units:] / self.scale
        found = (by_x / self.scale) @ ahead
        found[:, :, :units] += by_h
        return np.concatenate([found, np.broadcast_to(ahead, (len(state), *ahead.shape))], axis=1)


@dataclass(frozen=True)
class Liquid(Model):
    """What both kinds of cell share: settings and training. See `ClosedFormContinuous` and `LiquidTimeConstant`."""

    units: int = 64
    warm: int | None = None
    ahead: int | None = None
    epochs: int = 60
    batch: int = 32
    rate: float = 1e-4
    seeds: int = 1

    effort: ClassVar[int] = 2
    irregular: ClassVar[bool] = True

    @property
    @abstractmethod
    def kind(self) -> type[Cell]:
        """The class of the cell."""

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check()
        pieces = timed(training)
        slowness = decorrelation(training)
        longest = max(len(p.steps) for p in pieces)
        if longest < LEAST:
            raise InsufficientData(f"a liquid network needs {LEAST} rows in succession", place=training.signature.name)
        warm = min(int(np.clip(2 * slowness, 4, 30)) if self.warm is None else self.warm, longest // 4)
        mean, scale, pace = standard_scale(pieces)
        standard = [Timed((p.rows - mean) / scale, p.steps / pace) for p in pieces]
        problem = self._problem(standard, warm, slowness, training.targets)
        settings = Settings(
            self.epochs, rate=Exponential(self.rate, self.rate / 300), average=0.99, clip=1.0,
            judge_every=max(1, self.epochs // 20), judge_first=True,
        )  # fmt: skip
        found = train(problem, settings, seeds=tuple(range(seed, seed + self.seeds))).parameters
        rows = training.stacked[np.isfinite(training.stacked).all(axis=1)]
        low, high = guard_box(rows)
        cell = self.kind.of(found)
        assert isinstance(cell, ClosedFormCell | LiquidCell)
        law = LiquidLaw(
            training.signature, *closing(training, warm + 1), residuals=np.zeros((1, rows.shape[1])), low=low,
            high=high, cell=cell, readout=found["readout"], offset=found["offset"], mean=mean, scale=scale,
            moving=problem.moving, pace=pace, warm=warm,
        )  # fmt: skip
        return replace(law, residuals=_residuals(law, standard))

    def _problem(self, pieces: list[Timed], warm: int, slowness: int, targets: int) -> Sequences:
        ahead = int(np.clip(slowness, 4, 30)) if self.ahead is None else self.ahead
        head, tail = parted(pieces, 1 / 6, LEAST)
        length = min(warm + ahead, max(len(p.steps) for p in head))
        # Windows overlap by the steps in which nothing is asked of the predictions.
        places = windows(head, length, max(1, length - warm // 2))
        rows, steps = cut_out(head, places, length)
        moving = (np.concatenate([p.rows for p in head])[:, :targets].std(axis=0) > 1e-9).astype(float)
        held = Held.of(tail, warm, min(3 * slowness, 100), targets)
        return Sequences(self.kind, self.units, rows, steps, min(warm, length - 1), moving, held, self.batch)

    def _check(self) -> None:
        ranges = {
            "units": (1, 2000), "warm": (1, 10_000), "ahead": (1, 10_000), "epochs": (1, 10**6), "batch": (1, 10**5),
            "rate": (1e-9, 1.0), "seeds": (1, 100),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low} to {high}, got {value}", place=type(self).__name__)


@final
@dataclass(frozen=True)
class ClosedFormContinuous(Liquid):
    """A closed-form continuous-time network (CfC): a gated cell whose gates open with the time that has passed.

    h' = s tanh(g) + (1 - s) tanh(k), s = sigmoid(-f d), with f, g, k functions of the row and the state h and d the
    time to the next row; x' = x + d (R [h', x] + r). `units` in the cell; it sees `warm` rows before it is left to
    itself for `ahead` steps in training (None: from the data). The read-out starts as a ridge regression; then all is
    trained for `epochs` of 50 batches of `batch` windows from each of `seeds` starts, and what runs freely best on the
    last sixth of the rows is kept. Irregular times are used as they are. Raises `SettingError` for settings out of
    range, `InsufficientData` without 16 rows in succession. Cost: about a minute. Not where a state without memory
    suffices (`neural_ode`, `nvar`), nor where training time matters: an echo state network is often as good.
    Source: Hasani et al., Nature Machine Intelligence 4, 992 (2022).
    """

    @property
    def kind(self) -> type[Cell]:
        return ClosedFormCell


@final
@dataclass(frozen=True)
class LiquidTimeConstant(Liquid):
    """A liquid time-constant network (LTC): units that leak at rates which the inputs set.

    dh/dt = -(1 / tau + f) h + f A with f = w sigmoid([x, h] W + c), by six implicit steps between rows;
    x' = x + d (R [h', x] + r). Settings, irregular times, errors and cost are those of `ClosedFormContinuous`, which is
    quicker and usually as good; this one is for signals with widely different time scales. Not for long memories.
    Source: Hasani, Lechner, Amini, Rus & Grosu, Liquid time-constant networks, AAAI 35 (2021).
    """

    @property
    def kind(self) -> type[Cell]:
        return LiquidCell


def _residuals(law: LiquidLaw, pieces: list[Timed]) -> Array:
    """One-step errors `(sample, channel)` on windows that begin with `warm` rows; of known inputs, their changes."""
    places = thinned(np.array(windows(pieces, law.warm + 1, 1)))
    rows, steps = cut_out(pieces, [(int(p), int(first)) for p, first in places], law.warm + 1)
    h = np.zeros((len(rows), law.cell.units))
    for t in range(law.warm + 1):
        h = law.cell.advance(h, rows[:, t], steps[:, t, None])
    found = {"readout": law.readout, "offset": law.offset}
    moved = predicted(found, h, rows[:, -2], steps[:, -1:], law.moving, np)
    targets = len(law.moving)
    off: Array = np.concatenate([rows[:, -1, :targets] - moved, (rows[:, -1] - rows[:, -2])[:, targets:]], axis=1)
    return off * law.scale
