"""From data and settings to a law: what is held out, what the training sees, and the filter of the law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import SettingError
from ..base import Array, Training, guard_box, scale_of, thinned
from ..selection import decorrelation
from ..training import Exponential, Parameters, Settings, train
from .law import PiecewiseLinearLaw
from .networks import Network, flat
from .problem import Task
from .teaching import Teaching, pseudo_inverse

FEWEST = 40
"""Rows of the longest stretch below which nothing is trained."""
HELD, MOST_HELD = 0.2, 20_000
"""Share of the rows, and most rows, on which free runs are judged; the end of the longest stretch."""
SETTLING = 30
"""Rows of history in which units that are not observed find their values, and a filter forgets where it began."""
AVERAGE = 0.98
"""Memory of the average of the weights that is judged and kept: single weights flicker between kinds of motion."""
GAINS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
"""Gains of the law's filter that are tried."""


@dataclass(frozen=True)
class Plan:
    """The settings that both networks share; see the models."""

    place: str
    teaching: str
    interval: int | None
    strength: float
    length: int
    epochs: int
    batches: int
    batch_size: int
    rate: tuple[float, float]
    noise: float
    penalty: float
    conditioning: float
    seeds: int

    def check(self) -> None:
        """Raise `SettingError` for settings out of range."""
        if self.teaching not in ("sparse", "generalised", "adaptive"):
            raise SettingError(
                f"teaching must be 'sparse', 'generalised' or 'adaptive', got {self.teaching!r}", place=self.place
            )
        ranges: dict[str, tuple[float, float]] = {
            "interval": (1, 100_000), "strength": (0, 1), "length": (1, 100_000), "epochs": (1, 10**7),
            "batches": (1, 10**6), "batch_size": (1, 10**5), "noise": (0, 1e3), "penalty": (0, 1e6),
            "conditioning": (0, 1e6), "seeds": (1, 1000),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low:g} to {high:g}, got {value}", place=self.place)
        if len(self.rate) != 2 or not 0 < self.rate[1] <= self.rate[0] <= 1:
            raise SettingError(f"rate must be two falling numbers in (0, 1], got {self.rate}", place=self.place)


def learned(training: Training, network: Network, affine: bool, plan: Plan, seed: int) -> PiecewiseLinearLaw:
    """The law of the seed whose free runs come closest to the held-out data."""
    plan.check()
    training.need(FEWEST, plan.place)
    mean, scale = scale_of(training.stacked)
    task = _task(training.mapped(lambda rows: (rows - mean) / scale), network, affine, plan)
    # The divergence of many channels takes a second, that of few some milliseconds.
    often = 5 if task.targets <= 5 else 20
    judged = max(1, min(often, plan.epochs // 20))
    settings = Settings(plan.epochs, plan.batches, rate=Exponential(*plan.rate), judge_every=judged, average=AVERAGE)
    # Far apart, so that neighbouring seeds of the user share no network.
    trained = train(task, settings, seeds=[1000 * seed + k for k in range(plan.seeds)])
    return _law(training, task, trained.parameters, trained.score, mean, scale)


def _task(training: Training, network: Network, affine: bool, plan: Plan) -> Task:
    """The problem on standardised stretches: the end of the longest is held out, windows lie in the rest."""
    pieces, targets = list(training.stretches), training.signature.targets
    longest = max(range(len(pieces)), key=lambda i: len(pieces[i]))
    count = int(np.clip(HELD * training.rows, 16, min(MOST_HELD, len(pieces[longest]) - 20)))
    warm_up = min(SETTLING, count // 2)
    held = pieces[longest][-count:]
    pieces[longest] = pieces[longest][:-count]
    length = min(plan.length, max(map(len, pieces)) - 1)
    ends = np.cumsum([len(piece) for piece in pieces])
    begins = ends - [len(piece) for piece in pieces]
    starts = np.concatenate([np.arange(b, e - length) for b, e in zip(begins, ends, strict=True)])
    rows = np.concatenate(pieces)
    # Longer than the decorrelation time, and shorter than the time in which errors grow beyond use.
    interval = plan.interval or max(2, round(1.25 * decorrelation(training)))
    principal = _principal(rows[:, :targets], network.latent) if affine else np.empty((targets, 0))
    return Task(
        network, rows, starts, length, plan.batch_size, targets, principal,
        Teaching(plan.teaching, min(interval, length), plan.strength), plan.noise, plan.penalty, plan.conditioning,
        held, warm_up,
    )  # fmt: skip


def _principal(rows: Array, count: int) -> Array:
    """The leading principal axes `(channel, count)`, each times the standard deviation along it."""
    _, values, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    spread = values[:count] / np.sqrt(len(rows))
    # Of equal length where nothing varies, and never so short that the read-out cannot be inverted.
    return axes[:count].T * (np.maximum(spread, 0.01 * spread[0]) if spread[0] > 1e-9 else 1.0)


def _law(
    training: Training, task: Task, parameters: Parameters, score: float, mean: Array, scale: Array
) -> PiecewiseLinearLaw:
    """The law of trained parameters, with the gain of its filter that predicts the held-out rows best."""
    rows, targets = training.stacked, task.targets
    gain = _gain(task, parameters)
    warm_up = 1 if gain == 1 and task.network.latent <= targets else task.warm_up
    observation, inverse, start = _read_out(task, parameters)
    # A constant channel is its mean exactly, whatever its unit does.
    constant = np.ptp(rows[:, :targets], axis=0) == 0
    observation[constant], inverse[:, constant] = 0.0, 0.0
    found = _innovations(task, parameters, gain)
    errors = np.zeros((len(found), rows.shape[1]))
    errors[:, :targets] = np.where(constant, 0.0, found * scale[:targets])
    low, high = guard_box(rows)
    return PiecewiseLinearLaw(
        training.signature, *training.closing(warm_up), residuals=thinned(errors), low=low, high=high,
        map=task.network.map(parameters), observation=observation, inverse=inverse, start=start, mean=mean, scale=scale,
        hidden=task.affine, gain=gain, warm_up=warm_up, score=score,
    )  # fmt: skip


def _read_out(task: Task, parameters: Parameters) -> tuple[Array, Array, Array]:
    """Observation matrix, its pseudo-inverse, and the start `(unit, target)`."""
    if task.affine:
        matrix = np.array(parameters["observation"])
        inverse = pseudo_inverse(matrix)
        return matrix, inverse, inverse.copy()
    matrix = np.eye(task.targets, task.network.latent)
    return matrix, matrix.T.copy(), np.concatenate([np.eye(task.targets), parameters["start"]])


def _gain(task: Task, parameters: Parameters) -> float:
    """The gain with the smallest one-step error on the held-out rows."""
    rows = task.held[:, None]
    errors = [float((task.innovations(parameters, rows, gain)[task.warm_up :] ** 2).mean()) for gain in GAINS]
    return GAINS[int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))]


def _innovations(task: Task, parameters: Parameters, gain: float) -> Array:
    """One-step errors `(sample, target)` of the filter on sequences of the training, after it has settled."""
    starts = task.starts[np.unique(np.linspace(0, len(task.starts) - 1, 16).astype(int))]
    errors = task.innovations(parameters, task.sequences(starts), gain)
    return flat(errors[min(task.warm_up, task.length // 2) :])
