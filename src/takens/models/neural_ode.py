"""Neural ordinary differential equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from ..errors import InsufficientData, SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, thinned
from .perceptron import Perceptron
from .segments import Held, Timed, closing, cut_out, noise_of, parted, standard_scale, successors, timed, windows
from .selection import decorrelation
from .shooting import Shooting, advanced
from .training import Exponential, Settings, train

if TYPE_CHECKING:
    from ..systems.base import System

LEAST = 16
"""Rows below which no vector field is fitted."""
REACH = 0.1
"""How far an update moves the start of a segment at first, in standard deviations of the noise."""
TOLERANCE = 1e-7
"""Largest error of one sampling interval, in standard deviations, that the fixed steps of a law may make."""


@final
@dataclass(frozen=True)
class NeuralFlowLaw(RecursiveLaw):
    """dx/dt = s g((x - m) / s) / pace with a network g, integrated by `substeps` steps of RK4 in a sampling interval.

    The state are the channels, and, where `delays` exceed 1, the channels `spacing`, 2 `spacing`, ... rows ago as
    coordinates of their own; known inputs stay as they are between rows. `mean` and `scale (coordinate,)`, inputs
    included, standardise it; `moving (state,)` is 0 for channels that are constant, which stay exactly so.
    """

    network: Perceptron
    mean: Array
    scale: Array
    moving: Array
    pace: float
    substeps: int
    delays: int
    spacing: int

    @property
    def memory(self) -> int:
        return (self.delays - 1) * self.spacing + 1

    @property
    def states(self) -> int:
        """How many coordinates the flow has, known inputs left out."""
        return len(self.moving)

    def init(self, history: Array) -> Array:
        return embedded(history, self.delays, self.spacing, self.signature.targets)[:, -1]

    def step(self, state: Array) -> Array:
        targets = self.signature.targets
        return np.concatenate([self._moved(state)[:, :targets], state[:, self.states :]], axis=1)

    def feed(self, state: Array, values: Array) -> Array:
        targets = self.signature.targets
        if self.delays == 1:
            return values
        return np.concatenate([values[:, :targets], self._moved(state)[:, targets:], values[:, targets:]], axis=1)

    def motion(self) -> System:
        """A flow: dx/dt in the units of the data and the clock, with its Jacobian; known inputs are parameters."""
        from ..systems import Flow
        from ..systems.rule import ArrayRule
        from .motion import identifier as identifier

        shown = self.signature.channels[: self.signature.targets]
        names = tuple(
            identifier(name) + (f"_{lag * self.spacing}" if lag else "") for lag in range(self.delays) for name in shown
        )
        inputs = tuple(identifier(name) for name in self.signature.inputs)
        last = self.init(self.history[None])[0]

        def standard(x: Array, given: Mapping[str, Any]) -> Array:
            known = [np.broadcast_to(given[name], x.shape[:-1])[..., None] for name in inputs]
            return (np.concatenate([x, *known], axis=-1) - self.mean) / self.scale

        ahead = self.moving * self.scale[: self.states] / self.pace

        def field(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
            return ahead * self.network(standard(x, given))

        def slopes(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
            found = self.network.slopes(standard(x, given))[..., : self.states]
            return ahead[:, None] * found / self.scale[: self.states]

        rule = ArrayRule(names, field, inputs, slopes, says=f"a neural network learned from {self.signature.name}")
        return Flow(
            name=f"NeuralODE of {self.signature.name}", rule=rule, initial=last[: self.states],
            parameters=dict(zip(inputs, last[self.states :].tolist(), strict=True)), dt=self.signature.interval,
        )  # fmt: skip

    def _moved(self, state: Array) -> Array:
        """The coordinates one sampling interval later."""
        step = self.signature.interval / self.pace
        moved = advanced(self.network, (state - self.mean) / self.scale, step, self.states, self.moving, self.substeps)
        # Added as a difference, so that what does not move keeps every bit.
        change = moved - (state[:, : self.states] - self.mean[: self.states]) / self.scale[: self.states]
        return state[:, : self.states] + self.moving * self.scale[: self.states] * change


@final
@dataclass(frozen=True)
class NeuralODE(Model):
    """An ordinary differential equation whose right-hand side is a network of `layers` of tanh: dx/dt = g(x).

    First the last layer is fitted to slopes of the data by ridge regression; then all is trained by multiple shooting
    over pieces of `segment` sampling intervals, with starts of their own that have to join (`continuity`), and a
    penalty `smoothness` on the error estimates of the solver (Pal et al.), which costs nothing extra and keeps the
    field easy to integrate. One channel is embedded in `delays` coordinates, `spacing` rows apart, whose flow is
    learned; `delays`, `spacing` and `segment` None: from the data. The training takes `epochs` of 50 batches of `batch`
    segments for each of `seeds` starts and keeps what runs freely best on the last sixth of the rows. Irregular times
    are used as they are; known inputs are held between rows. Raises `SettingError` for settings out of range and
    `InsufficientData` for fewer than 16 rows. Cost: minutes, see the method page. Not for maps, for jumps between rows,
    or where a polynomial does (prefer `nvar`). Sources: Chen et al., Neural ordinary differential equations, NeurIPS
    31 (2018); Pal et al., Opening the blackbox, ICML (2021); Voss, Timmer & Kurths, Int. J. Bif. Chaos 14 (2004).
    """

    layers: tuple[int, ...] = (128,)
    segment: int | None = None
    delays: int | None = None
    spacing: int | None = None
    epochs: int = 100
    batch: int = 32
    rate: float = 3e-4
    smoothness: float = 1.0
    continuity: float = 1.0
    seeds: int = 1

    effort: ClassVar[int] = 2
    irregular: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check()
        delays, spacing = self._embedding(training)
        targets = training.targets
        pieces = [
            Timed(embedded(p.rows[None], delays, spacing, targets)[0], p.steps[(delays - 1) * spacing :])
            for p in timed(training) if len(p.rows) > (delays - 1) * spacing + 1
        ]  # fmt: skip
        if sum(len(p.rows) for p in pieces) < LEAST:
            raise InsufficientData(f"a neural ODE needs {LEAST} rows in succession", place=training.signature.name)
        mean, scale, pace = standard_scale(pieces)
        standard = [Timed((p.rows - mean) / scale, p.steps / pace) for p in pieces]
        problem = self._problem(standard, decorrelation(training), delays * targets)
        settings = Settings(
            self.epochs, rate=Exponential(self.rate, self.rate / 300), average=0.99, clip=10.0,
            judge_every=max(1, self.epochs // 40), judge_first=True,
        )  # fmt: skip
        trained = train(problem, settings, seeds=tuple(range(seed, seed + self.seeds)))
        network = Perceptron.of(trained.parameters)
        rows = training.stacked[np.isfinite(training.stacked).all(axis=1)]
        low, high = guard_box(rows)
        law = NeuralFlowLaw(
            training.signature, *closing(training, (delays - 1) * spacing + 1), residuals=np.zeros((1, rows.shape[1])),
            low=low, high=high, network=network, mean=mean, scale=scale, moving=problem.moving, pace=pace, substeps=1,
            delays=delays, spacing=spacing,
        )  # fmt: skip
        law = replace(law, substeps=_substeps(law, standard))
        return replace(law, residuals=_residuals(law, standard))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, NeuralFlowLaw)
        return replace(self, delays=law.delays, spacing=law.spacing)

    def _problem(self, pieces: list[Timed], slowness: int, states: int) -> Shooting:
        segment = int(np.clip(slowness, 4, 20)) if self.segment is None else self.segment
        head, tail = parted(pieces, 1 / 6, LEAST)
        length = min(segment, max(len(p.steps) for p in head))
        places = windows(head, length)
        rows, steps = cut_out(head, places, length)
        rows_of_all = np.concatenate([p.rows for p in head])[:, :states]
        return Shooting(
            rows, steps, successors(places, length), REACH / self.rate * noise_of(head)[:states],
            (rows_of_all.std(axis=0) > 1e-9).astype(float), Held.of(tail, 0, min(3 * slowness, 100), states),
            self.layers, self.batch, int(np.clip(np.ceil(2 * np.median(steps)), 1, 4)), self.continuity,
            self.smoothness,
        )  # fmt: skip

    def _embedding(self, training: Training) -> tuple[int, int]:
        """Delays and spacing: what was asked for, else three delays for one channel and none for several."""
        regular = all(series.sampling.kind != "irregular" for series in training.trajectories)
        delays = self.delays or (3 if training.targets == 1 and regular else 1)
        if delays > 1 and not regular:
            raise SettingError("delays need regular sampling", place="NeuralODE", remedy="Resample, or set delays=1.")
        return delays, self.spacing or (max(1, decorrelation(training) // 2) if delays > 1 else 1)

    def _check(self) -> None:
        ranges = {
            "segment": (1, 10_000), "delays": (1, 100), "spacing": (1, 100_000), "epochs": (1, 10**6),
            "batch": (1, 10**5), "rate": (1e-9, 1.0), "smoothness": (0, 1e9), "continuity": (0, 1e9), "seeds": (1, 100),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low} to {high}, got {value}", place="NeuralODE")
        if not self.layers or any(not 1 <= units <= 1000 for units in self.layers):
            raise SettingError(f"layers must be 1 to 1000 units each, got {self.layers}", place="NeuralODE")


def embedded(rows: Array, delays: int, spacing: int, targets: int) -> Array:
    """`(member, time, coordinate)`: targets now, `spacing`, 2 `spacing`, ... rows ago, then the known inputs of now."""
    reach, length = (delays - 1) * spacing, rows.shape[1]
    parts = [rows[:, reach - k * spacing : length - k * spacing, :targets] for k in range(delays)]
    return np.concatenate([*parts, rows[:, reach:, targets:]], axis=2)


def _substeps(law: NeuralFlowLaw, pieces: list[Timed]) -> int:
    """As few steps of RK4 in a sampling interval as keep its error below the tolerance, at most 32."""
    z = thinned(np.concatenate([p.rows for p in pieces]), 500)
    step = law.signature.interval / law.pace
    for substeps in (1, 2, 4, 8, 16):
        coarse, fine = (advanced(law.network, z, step, law.states, law.moving, n) for n in (substeps, 2 * substeps))
        if np.abs(coarse - fine).max() < TOLERANCE:
            return substeps
    return 32


def _residuals(law: NeuralFlowLaw, pieces: list[Timed]) -> Array:
    """One-step errors `(sample, channel)` over the steps of the data; of known inputs, their changes."""
    before = thinned(np.concatenate([p.rows[:-1] for p in pieces]))
    after = thinned(np.concatenate([p.rows[1:] for p in pieces]))
    steps = thinned(np.concatenate([p.steps for p in pieces]))[:, None]
    moved = advanced(law.network, before, steps, law.states, law.moving, law.substeps)
    targets = law.signature.targets
    off = np.concatenate([after[:, :targets] - moved[:, :targets], (after - before)[:, law.states :]], axis=1)
    scale = np.concatenate([law.scale[:targets], law.scale[law.states :]])
    found: Array = off * scale
    return found
