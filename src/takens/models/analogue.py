"""Analogues: what followed the most similar states of the past, copied or corrected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..neighbours import nearest
from .base import Array, Known, Law, Model, RecursiveLaw, Training, guard_box, scale_of, shifted
from .baselines import recorded
from .selection import choose, decorrelation, hold_out

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


AXES = 10
"""Most dimensions in which nearest neighbours are looked for."""
PAIRS = 2000
"""About how many training states the correction and the residuals of nearest neighbours come from."""


@final
@dataclass(frozen=True)
class ParrotLaw(Law):
    """Copies what followed the nearest of the delay vectors in `record (row, channel)`.

    A member follows one of the `neighbours` nearest, at least `theiler` steps apart from one another, drawn at random.
    Where the record ends before the horizon does, it looks for the next neighbour of what it has copied.
    """

    embedding_dimension: int
    delay: int
    neighbours: int
    theiler: int
    record: Array
    edges: NDArray[np.int64]
    scale: Array

    @property
    def memory(self) -> int:
        return (self.embedding_dimension - 1) * self.delay + 1

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        steps = np.arange(self.embedding_dimension) * self.delay
        longest = int(np.diff(self.edges).max())
        run = max(1, min(horizon, (longest - self.memory) // 3))
        now, points = self._library(run)
        path = np.empty((members, horizon, history.shape[1]))
        recent = np.repeat(history[None, -self.memory :], members, axis=0)
        for first in range(0, horizon, run):
            queries = (recent[:, self.memory - 1 - steps] / self.scale).reshape(members, -1)
            if first == 0:
                queries = queries[:1]
            found = self._distinct(points, queries, now, 1 if rng is None else self.neighbours)
            pick = np.zeros(members, dtype=int)
            if rng is not None:
                pick = rng.integers((found >= 0).sum(axis=1), size=members)
            start = now[found[np.zeros(members, dtype=int) if first == 0 else np.arange(members), pick]]
            copied = self.record[start[:, None] + np.arange(1, run + 1)]
            path[:, first : first + run] = copied[:, : horizon - first]
            recent = np.concatenate([recent, copied], axis=1)[:, -self.memory :]
        return path

    @cached_property
    def _known(self) -> dict[int, tuple[NDArray[np.int64], cKDTree]]:
        return {}

    def _library(self, run: int) -> tuple[NDArray[np.int64], cKDTree]:
        """The rows that `run` rows follow, and the tree of their delay vectors; made once for each length."""
        from scipy.spatial import cKDTree

        if run not in self._known:
            now = library(self.edges, self.memory, run)
            points = vectors(self.record / self.scale, now, np.arange(self.embedding_dimension) * self.delay)
            self._known[run] = now, cKDTree(points, balanced_tree=False)
        return self._known[run]

    def _distinct(self, points: cKDTree, queries: Array, now: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Indices `(query, count)` of near points that are apart in time, -1 where there are fewer."""
        fetch = min(points.n, 1 if count == 1 else count * min(2 * self.theiler + 1, 50))
        _, near = nearest(points, queries, k=fetch)
        chosen = np.full((len(queries), count), -1, dtype=np.int64)
        for row, candidates in enumerate(near):
            kept: list[int] = []
            for candidate in candidates:
                if all(abs(now[candidate] - now[other]) > self.theiler for other in kept):
                    kept.append(int(candidate))
                    if len(kept) == count:
                        break
            chosen[row, : len(kept)] = kept
        return chosen


@final
@dataclass(frozen=True)
class ContextParroting(Model):
    """Copy what followed the most similar stretch of the past: x_(T+h) = x_(i+h), i the nearest delay vector.

    `embedding_dimension` rows `delay` steps apart are compared, each channel in its standard deviations; what is None
    is chosen by free runs of `horizon` steps (None: from the data). Members follow the `neighbours` nearest
    stretches that are more than a decorrelation time apart (Theiler 1986). Raises `SettingError` for settings below
    1, `InsufficientData` where fewer than two vectors fit. Cost O(N log N). The long run is periodic, so its
    largest exponent is 0: not for climates.
    Source: Zhang & Gilpin, ICLR 2026, arXiv 2505.11349.
    """

    embedding_dimension: int | None = None
    delay: int | None = None
    neighbours: int = 20
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> Law:
        for name in ("embedding_dimension", "delay", "neighbours"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}", place="ContextParroting")
        shapes = self._shapes(training)
        head, probe = hold_out(training, max((d - 1) * s + 1 for d, s in shapes), horizon=self.horizon)
        best = 0
        if len(shapes) > 1 and probe is not None:
            best = choose([self._law(head, shape) for shape in shapes], probe).best
        return self._law(training, shapes[best])

    def settled(self, law: Law) -> Model:
        assert isinstance(law, ParrotLaw)
        return replace(self, embedding_dimension=law.embedding_dimension, delay=law.delay)

    def _shapes(self, training: Training) -> list[tuple[int, int]]:
        """(embedding dimension, delay) to try, that of the paper first, as far as the data have room for them."""
        far = max(1, decorrelation(training) // 3)
        counts = (self.embedding_dimension,) if self.embedding_dimension else (5, 3, 10)
        delays = (self.delay,) if self.delay else tuple(sorted({1, far}))
        longest = int(0.8 * max(map(len, training.stretches)))
        shapes = [(d, s) for d in counts for s in delays]
        fit = [(d, s) for d, s in shapes if (d - 1) * s + 3 <= longest // 4]
        return fit or [min(shapes, key=lambda shape: (shape[0] - 1) * shape[1])]

    def _law(self, training: Training, shape: tuple[int, int]) -> ParrotLaw:
        dimension, delay = shape
        memory = (dimension - 1) * delay + 1
        training.need(memory + 2, "context parroting")
        record, edges = recorded(training)
        return ParrotLaw(
            training.signature, *training.closing(memory), embedding_dimension=dimension, delay=delay,
            neighbours=self.neighbours, theiler=decorrelation(training), record=record, edges=edges,
            scale=scale_of(record)[1],
        )  # fmt: skip


@final
@dataclass(frozen=True)
class NeighbourLaw(RecursiveLaw):
    """x_(t+1) = y + correction (x_t - x'), x' the mean of the nearest states of `record`, y of what came next.

    States are compared in standard deviations, along `axes (delay x channel, axis)`. The last `theiler` rows of the
    record are no neighbours: they are near in time, not in state.
    """

    spacing: int
    neighbours: int
    theiler: int
    correction: float
    delays: NDArray[np.int64]
    record: Array
    edges: NDArray[np.int64]
    scale: Array
    axes: Array

    @property
    def memory(self) -> int:
        return int(self.delays.max()) + 1

    @cached_property
    def _now(self) -> NDArray[np.int64]:
        rows = library(self.edges, self.memory, 1)
        return rows[: len(rows) - self.theiler]

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(vectors(self.record / self.scale, self._now, self.delays) @ self.axes)

    def init(self, history: Array) -> Array:
        return history[:, -self.memory :]

    def step(self, state: Array) -> Array:
        queries = (state[:, self.memory - 1 - self.delays] / self.scale).reshape(len(state), -1) @ self.axes
        found = self._now[self._tree.query(queries, k=[*range(1, self.neighbours + 1)])[1]]
        near, next_ = self.record[found].mean(axis=1), self.record[found + 1].mean(axis=1)
        return next_ + self.correction * (state[:, -1] - near)

    def feed(self, state: Array, values: Array) -> Array:
        return shifted(state, values)


@final
@dataclass(frozen=True)
class NearestNeighbour(Model):
    """One step along with the nearest past states, corrected for the distance to them: x_(t+1) = y + a (x_t - x').

    States are `delays` rows `spacing` steps apart, x' is the mean of the `neighbours` nearest and y of what followed.
    `correction` a = 0 is parroting one step at a time, 1 follows parallel to the neighbours; None tries both and
    the least-squares value from the training states. Neighbours within a decorrelation time do not count, neither
    there nor before the end of the data (Theiler 1986). What is None is chosen by free runs. Raises `SettingError`
    for settings below 1, `InsufficientData` where the delays do not fit. More than 10 dimensions are reduced to
    their 10 widest principal axes. Cost O(N log N) to fit, O(log N) a step and member. Not for many-dimensional
    dynamics: no neighbour is near.
    Source: the one-parameter family of arXiv 2607.14937; Lorenz, J. Atmos. Sci. 26, 636 (1969).
    """

    delays: int | None = None
    spacing: int | None = None
    neighbours: int | None = None
    correction: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        for name in ("delays", "spacing", "neighbours"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}", place="NearestNeighbour")
        shapes = self._shapes(training)
        reach = max((d - 1) * s + 1 for d, s, _ in shapes)
        head, probe = hold_out(training, reach, horizon=self.horizon)
        laws = [law for shape in shapes for law in self._laws(head, shape)]
        best = laws[choose(laws, probe).best]
        shape = (len(best.delays), best.spacing, best.neighbours)
        fitted = self._laws(training, shape)
        # Of the corrections of this shape, the one in the place of the best: it is fitted anew too.
        place = [law.correction for law in laws if (len(law.delays), law.spacing, law.neighbours) == shape]
        return list(fitted)[place.index(best.correction)]

    def settled(self, law: Law) -> Model:
        assert isinstance(law, NeighbourLaw)
        return replace(
            self, delays=len(law.delays), spacing=law.spacing, neighbours=law.neighbours, correction=law.correction
        )

    def _shapes(self, training: Training) -> list[tuple[int, int, int]]:
        channels = len(training.signature.channels)
        longest = max(map(len, training.stretches))
        far = max(1, decorrelation(training) // 3)
        numbers = (self.delays,) if self.delays else ((1, 2, 3, 5, 8) if channels == 1 else (1, 2, 3))
        spacings = (self.spacing,) if self.spacing else tuple(sorted({1, far}))
        counts = (self.neighbours,) if self.neighbours else (1, 4, 16)
        shapes = [(d, s, k) for d in numbers for s in (spacings if d > 1 else spacings[:1]) for k in counts]
        fit = [(d, s, k) for d, s, k in shapes if (d - 1) * s + 1 <= longest // 4 and k <= max(1, longest // 8)]
        return fit or shapes[:1]

    def _laws(self, training: Training, shape: tuple[int, int, int]) -> Iterator[NeighbourLaw]:
        delays, spacing, neighbours = shape
        memory = (delays - 1) * spacing + 1
        training.need(memory + neighbours + 1, f"nearest neighbour with {delays} delays {spacing} apart")
        record, edges = recorded(training)
        steps = np.arange(delays, dtype=np.int64) * spacing
        scale = scale_of(record)[1]
        now = library(edges, memory, 1)
        points = vectors(record / scale, now, steps)
        axes = principal_axes(points)
        window = decorrelation(training)
        away, gain = _pairs(record, now, points @ axes, neighbours, window)
        window = min(window, max(0, (len(now) - neighbours - 1) // 4))
        standard = away / scale
        power = (standard**2).sum()
        fitted = float((standard * gain / scale).sum() / power) if power > 0 else 0.0
        low, high = guard_box(training.stacked)
        for correction in (0.0, 1.0, fitted) if self.correction is None else (self.correction,):
            yield NeighbourLaw(
                training.signature, *training.closing(memory), residuals=gain - correction * away, low=low, high=high,
                spacing=spacing, neighbours=neighbours, theiler=window, correction=correction, delays=steps,
                record=record, edges=edges, scale=scale, axes=axes,
            )  # fmt: skip


def library(edges: NDArray[np.int64], memory: int, ahead: int) -> NDArray[np.int64]:
    """Rows of a record that have `memory` - 1 rows before them and `ahead` rows after them in their stretch."""
    spans = itertools.pairwise(edges)
    return np.concatenate([np.arange(a + memory - 1, max(b - ahead, a + memory - 1)) for a, b in spans])


def vectors(rows: Array, now: NDArray[np.int64], delays: NDArray[np.int64]) -> Array:
    """Delay vectors `(sample, delay x channel)` at rows `now`."""
    return rows[now[:, None] - delays].reshape(len(now), -1)


def principal_axes(points: Array) -> Array:
    """Directions `(dimension, axis)` in which points are compared: all of up to `AXES`, else the widest of them.

    Beyond about ten dimensions all states are equally far apart, and a tree is no faster than comparing all pairs.
    """
    dimensions = points.shape[1]
    if dimensions <= AXES:
        return np.eye(dimensions)
    away = points - points.mean(axis=0)
    return np.ascontiguousarray(np.linalg.eigh(away.T @ away)[1][:, : -AXES - 1 : -1])


def _pairs(record: Array, now: NDArray[np.int64], points: Array, count: int, theiler: int) -> tuple[Array, Array]:
    """Distances of sampled states to their neighbours and of what followed, `(sample, channel)` each.

    Neighbours within the Theiler window are left out, so these are errors for states that have not been seen.
    """
    samples = np.arange(0, len(now), max(1, len(now) // PAIRS))
    window = min(theiler, max(0, (len(now) - count - 1) // 4))
    _, near = nearest(points, points[samples], k=count, theiler=window, exclude=samples)
    whole = (near >= 0).all(axis=1)
    samples, found = samples[whole], now[near[whole]]
    away = record[now[samples]] - record[found].mean(axis=1)
    return away, record[now[samples] + 1] - record[found + 1].mean(axis=1)
