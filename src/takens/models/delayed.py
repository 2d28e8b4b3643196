"""Maps of present and delayed rows, x_(t+1) = x_t + s g(z_t): what all regressions on delay vectors share."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..random import generator
from .base import Array, Law, RecursiveLaw, Training, guard_box, scale_of, shifted
from .selection import Probe, choose, decorrelation, hold_out

S = TypeVar("S")
L = TypeVar("L", bound=Law)
Final = Callable[[S, float], L]
Laws = Callable[[Training, Sequence[S], Sequence[float]], Iterator[L]]
"""Makes a law of each setting with each ridge, ridge by ridge within a setting, from training data."""

LONG, MEMBERS, WIDEST = 2000, 8, 2.0
"""Steps and number of the noisy runs that a final law has to last, and their largest spread in that of the data."""

Shape = tuple[int, int]
"""Number of delays, and the steps between them."""


@dataclass(frozen=True)
class DelayedLaw(RecursiveLaw):
    """x_(t+1) = x_t + s g(z), z the standardised present and delayed rows; a concrete law gives g and its derivative.

    `delays (delay,)` are the steps back, 0 first; `mean`, `scale (channel,)` standardise the rows. The state is the
    window `(member, time, channel)` of the latest rows.
    """

    delays: NDArray[np.int64]
    mean: Array
    scale: Array

    @abstractmethod
    def increments(self, points: Array) -> Array:
        """g `(sample, channel)` at `points (sample, delay x channel)`, all in standard units."""

    @abstractmethod
    def gradients(self, points: Array) -> Array:
        """The derivatives of g `(sample, channel, delay x channel)` at `points`."""

    @property
    def memory(self) -> int:
        return int(self.delays.max()) + 1

    def init(self, history: Array) -> Array:
        return history[:, -self.memory :]

    def step(self, state: Array) -> Array:
        return state[:, -1] + self.increments(self.points(state)) * self.scale

    def feed(self, state: Array, values: Array) -> Array:
        return shifted(state, values)

    def points(self, state: Array) -> Array:
        """The standardised delay vectors `(member, delay x channel)` of windows."""
        window = state.reshape(len(state), self.memory, -1)
        delayed = (window[:, self.memory - 1 - self.delays] - self.mean) / self.scale
        return delayed.reshape(len(state), -1)

    def slopes(self, state: Array) -> Array:
        """The Jacobian `(member, window, window)` of one step of the flattened window, exact."""
        channels, size = len(self.mean), self.memory * len(self.mean)
        full = np.zeros((len(state), size, size))
        rows = np.arange(size - channels)
        full[:, rows, rows + channels] = 1.0
        last = np.arange(size - channels, size)
        full[:, last, last] = 1.0
        moved = self.gradients(self.points(state)).reshape(len(state), channels, len(self.delays), channels)
        moved = moved * self.scale[:, None, None] / self.scale
        for k, delay in enumerate(self.delays):
            first = (self.memory - 1 - int(delay)) * channels
            full[:, size - channels :, first : first + channels] += moved[:, :, k]
        return full


@dataclass(frozen=True)
class Delayed:
    """The regression of increments on delay vectors, in standard units.

    `points (sample, delay x channel)`, `increments (sample, channel)`; of more than a limit of samples, evenly spread
    ones. `delays`, `mean`, `scale`, and `low`, `high` of the guard box belong into the law.
    """

    points: Array
    increments: Array
    delays: NDArray[np.int64]
    mean: Array
    scale: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, training: Training, shape: Shape, who: str, *, limit: int) -> Delayed:
        """The regression for `shape`; raises `InsufficientData` in the name of `who` where the delays do not fit."""
        delays, spacing = shape
        training.need((delays - 1) * spacing + 3, f"{who} with {delays} delays {spacing} apart")
        steps = np.arange(delays, dtype=np.int64) * spacing
        inputs, targets = training.lagged(list(steps), limit=limit)
        rows = training.stacked
        mean, scale = scale_of(rows)
        points = ((inputs - mean) / scale).reshape(len(inputs), -1)
        return cls(points, (targets - inputs[:, 0]) / scale, steps, mean, scale, *guard_box(rows))

    @property
    def reach(self) -> int:
        """Rows of history that a law with these delays needs."""
        return int(self.delays.max()) + 1


def delay_shapes(
    training: Training, delays: int | None, spacing: int | None, *,
    single: Sequence[int] = (1, 2, 3, 4, 6, 8), several: Sequence[int] = (1, 2, 3, 4),
) -> list[Shape]:  # fmt: skip
    """(delays, spacing) to try where they are None, the simplest first, as far as the longest stretch has room.

    One channel shows a system only through its delays, so more of them are tried than for several channels.
    """
    channels = len(training.signature.channels)
    far = max(1, decorrelation(training) // 3)
    counts = (delays,) if delays else tuple(single if channels == 1 else several)
    spacings = (spacing,) if spacing else tuple(sorted({1, far}))
    shapes = [(d, s) for d in counts for s in (spacings if d > 1 else spacings[:1])]
    longest = max(map(len, training.stretches))
    return [(d, s) for d, s in shapes if (d - 1) * s + 1 <= longest // 4] or shapes[:1]


def search(
    training: Training, settings: Sequence[S], ridges: Sequence[float], tried: Laws[S, L], final: Final[S, L], *,
    memory: int, horizon: int | None,
) -> L:  # fmt: skip
    """The law, fitted to all data, of the setting and ridge that run best on their held-out end (`selection.choose`).

    `tried(training, settings, ridges)` gives a law of each setting with each ridge in this order, `final(setting,
    ridge)` the law for all data; `memory` is the longest history that one of them needs. A final law that does not
    last gives way to the best one with a larger ridge, or to itself if none lasts. Where nothing can be held out, the
    first setting and a middle ridge.
    """
    common = settings[0], ridges[len(ridges) // 2]
    if len(settings) * len(ridges) == 1:
        return final(*common)
    head, probe = hold_out(training, memory, horizon=horizon)
    if probe is None or max(map(len, head.stretches)) < memory + 2:
        return final(*common)
    trials = [(setting, ridge) for setting in settings for ridge in ridges]
    choice = choose(list(tried(head, settings, ridges)), probe)
    # Those that stayed longest in the choice, the best of them first.
    last = {index: score for index, score, _, _ in choice.table}
    stayed = Counter(index for index, *_ in choice.table)
    order = sorted(last, key=lambda i: (i != choice.best, -stayed[i], last[i])) or [choice.best]
    first, penalty = None, -np.inf
    for setting, ridge in (trials[index] for index in order):
        if ridge <= penalty:
            continue
        law = final(setting, ridge)
        if lasts(law, probe):
            return law
        # What amplifies its own noise needs a larger penalty.
        first, penalty = law if first is None else first, ridge
    assert first is not None
    return first


def lasts(law: Law, probe: Probe) -> bool:
    """Whether noisy runs of `LONG` steps stay within one range of the data and keep about their spread.

    Some laws look good for hundreds of steps and then settle on something of their own, outside of the data.
    """
    if not isinstance(law, RecursiveLaw):
        return True
    before, _ = probe.take(MEMBERS, 1)
    targets = law.signature.targets
    path = law.roll(law.init(before), LONG, generator(0, "lasting"))[..., :targets]
    inside = (law.high - law.low)[:targets] * 2 / 7
    beyond = (path < law.low[:targets] + inside) | (path > law.high[:targets] - inside)
    wide = path[:, LONG // 2 :].std(axis=1) > WIDEST * probe.scale[:targets]
    return not bool(beyond.any() or wide.any())


def check_settings(settings: object, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise `SettingError` for the first setting that is given and outside of its range."""
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise SettingError(f"{name} must be {low:g} to {high:g}, got {value}", place=type(settings).__name__)


def squared_distances(a: Array, b: Array) -> Array:
    """|a_i - b_j|^2 `(i, j)`; cost of one matrix product."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(square, 0.0)


def farthest_points(points: Array, count: int) -> NDArray[np.int64]:
    """Indices of `count` points, each the farthest from those before it; the first is the nearest to the mean.

    Points that repeat are not taken twice, so fewer may come back. Cost O(N count). Source: Gonzalez (1985).
    """
    first = int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin())
    chosen, away = [first], ((points - points[first]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(points)):
        index = int(away.argmax())
        if away[index] <= 0:
            break
        chosen.append(index)
        away = np.minimum(away, ((points - points[index]) ** 2).sum(axis=1))
    return np.array(chosen, dtype=np.int64)
