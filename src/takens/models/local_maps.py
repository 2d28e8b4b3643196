"""Maps that are fitted anew around every state: simplex projection and the S-map, with their Jacobians."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from ..neighbours import nearest
from .analogue import AXES, library, principal_axes
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, scale_of
from .baselines import recorded
from .delayed import DelayedLaw, Shape, check_settings, delay_shapes
from .selection import choose, decorrelation, hold_out

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Indices = NDArray[np.int64]
L = TypeVar("L", bound="NeighbourhoodLaw")
S = TypeVar("S")

LEAST = 1e-6
"""Smallest weight of a simplex neighbour, so that a state that has been there before does not lose the others."""
SAMPLED = 1000
"""Training states from which the residuals come, about."""
SINGULAR = 1e-13
"""Least penalty of a local fit."""
CHUNK = 2_000_000
"""Numbers of neighbour coordinates held at once in a batch of local fits (16 MB)."""


@dataclass(frozen=True)
class NeighbourhoodLaw(DelayedLaw):
    """x_(t+1) = x_t + s g(z), g from the `neighbours` of `library (state, axis)` that are nearest to z.

    Library and z are in standard units along `axes (delay x channel, axis)`; `ahead (state, channel)` are the
    increments of the library's states, `now` (state, channel) these states themselves. The last `theiler` rows of the
    record are no neighbours: they are near in time, not in state.
    """

    whole: ClassVar[bool] = False
    """Whether `fitted` gives the next rows themselves, not their increments."""

    neighbours: int
    theiler: int
    library: Array
    now: Array
    ahead: Array
    axes: Array

    @abstractmethod
    def fitted(self, z: Array, distance: Array, near: Indices) -> Array:
        """g `(sample, channel)` at `z (sample, axis)` from the neighbours `near` of each, at `distance`."""

    @abstractmethod
    def derived(self, z: Array, distance: Array, near: Indices) -> Array:
        """The derivatives of g `(sample, channel, axis)` at `z`."""

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.library, balanced_tree=False)

    def _near(self, z: Array) -> tuple[Array, Indices]:
        """Distances and indices `(sample, neighbour)` of the nearest states of the library."""
        count = min(self.neighbours, len(self.library))
        if count == len(self.library):  # a tree that returns everything only sorts
            distance = np.sqrt(((z[:, None] - self.library) ** 2).sum(axis=2))
            return distance, np.broadcast_to(np.arange(count), (len(z), count))
        distance, near = self._tree.query(z, k=[*range(1, count + 1)])
        return np.asarray(distance), np.asarray(near)

    def _by_parts(self, points: Array, function: Callable[[Array, Array, Indices], Array]) -> Array:
        """`function` of the points along the axes and of their neighbours, a few points at a time."""
        z = points @ self.axes
        parts = -(-len(z) * min(self.neighbours, len(self.library)) * z.shape[1] // CHUNK)
        return np.concatenate([function(part, *self._near(part)) for part in np.array_split(z, max(1, parts))])

    def increments(self, points: Array) -> Array:
        value = self._by_parts(points, self.fitted)
        return value - points[:, : value.shape[1]] if self.whole else value

    def gradients(self, points: Array) -> Array:
        slope = self._by_parts(points, self.derived) @ self.axes.T
        return slope - np.eye(*slope.shape[1:]) if self.whole else slope

    def residual_rows(self) -> Array:
        """One-step errors `(sample, channel)` at states of the library, each without those near to it in time."""
        own = np.arange(0, len(self.library), max(1, len(self.library) // SAMPLED))
        count = min(self.neighbours, len(self.library))
        window = min(self.theiler, max(0, (len(self.library) - count - 1) // 4))
        distance, near = nearest(self._tree, self.library[own], k=count, theiler=window, exclude=own)
        whole = (near >= 0).all(axis=1)
        if not whole.any():  # the window leaves too few: then without one
            distance, near = self._near(self.library[own])
            whole = np.full(len(own), True)
        parts = np.array_split(np.flatnonzero(whole), -(-whole.sum() * count * self.library.shape[1] // CHUNK))
        made = [self.fitted(self.library[own[p]], distance[p], near[p]) for p in parts]
        target = self.ahead[own[whole]] + (self.now[own[whole]] if self.whole else 0.0)
        return (target - np.concatenate(made)) * self.scale


@final
@dataclass(frozen=True)
class SimplexLaw(NeighbourhoodLaw):
    """x_(t+1) = sum_i w_i y_i / sum_i w_i, y_i what followed the nearest states, w_i = exp(-d_i / d_1)."""

    whole: ClassVar[bool] = True

    def fitted(self, z: Array, distance: Array, near: Indices) -> Array:
        weights = simplex_weights(distance)
        return (weights[:, None] @ (self.now[near] + self.ahead[near]))[:, 0] / weights.sum(axis=1, keepdims=True)

    def derived(self, z: Array, distance: Array, near: Indices) -> Array:
        # d w_i = -w_i (d d_i - d_i / d_1 d d_1) / d_1, and 0 where the weight is at its least
        weights, first = simplex_weights(distance), distance[:, :1]
        scale = np.where(first > 0, first, 1.0)
        towards = (z[:, None] - self.library[near]) / np.where(distance > 0, distance, 1.0)[..., None]
        change = towards - (distance / scale)[..., None] * towards[:, :1]
        turned = np.where((weights > LEAST) & (first > 0), -weights / scale, 0.0)[..., None] * change
        off = self.now[near] + self.ahead[near] - self.fitted(z, distance, near)[:, None]
        return off.transpose(0, 2, 1) @ turned / weights.sum(axis=1)[:, None, None]


def simplex_weights(distance: Array) -> Array:
    """exp(-d_i / d_1) of distances `(sample, neighbour)`, nearest first, at least `LEAST`.

    A state that has been there before, at distance 0, is followed by what followed then.
    """
    first = distance[:, :1]
    weights = np.where(first > 0, np.exp(-distance / np.where(first > 0, first, 1.0)), (distance == 0).astype(float))
    return np.maximum(weights, LEAST)


@final
@dataclass(frozen=True)
class LocalLinearLaw(NeighbourhoodLaw):
    """g(z) = a(z), where a + B (z_i - z) is fitted to the increments of the neighbours i by weighted ridge regression.

    Weights are w_i = exp(-theta d_i / mean d); the penalty is `ridge` sum(w) |B|^2.
    """

    theta: float
    ridge: float

    def fitted(self, z: Array, distance: Array, near: Indices) -> Array:
        _, _, matrix, moments = self._normal(z, distance, near)
        return np.asarray(np.linalg.solve(matrix, moments)[:, 0], dtype=np.float64)

    def derived(self, z: Array, distance: Array, near: Indices) -> Array:
        weights, design, matrix, moments = self._normal(z, distance, near)
        inverse = np.linalg.inv(matrix)
        solution = inverse @ moments
        slope = solution[:, 1:].transpose(0, 2, 1)
        if self.theta == 0:
            return slope
        # What the change of the weights adds to B: sum_i d w_i (M^-1 u_i)_0 r_i, less the change of the penalty.
        mean = np.maximum(distance.mean(axis=1), 1e-300)[:, None, None]
        towards = -design[..., 1:] / np.where(distance > 0, distance, 1.0)[..., None]
        spread = towards - (distance[..., None] / mean) * towards.mean(axis=1, keepdims=True)
        turned = -self.theta / mean * weights[..., None] * spread
        lever = (design @ inverse[:, 0, :, None]) * (self.ahead[near] - design @ solution)
        shrunk = (inverse[:, :1, 1:] @ solution[:, 1:])[:, 0]
        penalty = (self.ridge + SINGULAR) * shrunk[..., None] * turned.sum(axis=1)[:, None]
        return np.asarray(slope + lever.transpose(0, 2, 1) @ turned - penalty, dtype=np.float64)

    def coefficients(self, points: Array) -> Array:
        """B `(sample, channel, delay x channel)` at `points`: the local linear map as the S-map literature has it."""

        def local(z: Array, distance: Array, near: Indices) -> Array:
            _, _, matrix, moments = self._normal(z, distance, near)
            solution = np.asarray(np.linalg.solve(matrix, moments), dtype=np.float64)
            return solution[:, 1:].transpose(0, 2, 1)

        return self._by_parts(points, local) @ self.axes.T

    def _normal(self, z: Array, distance: Array, near: Indices) -> tuple[Array, Array, Array, Array]:
        """Weights, design `(sample, neighbour, 1 + axis)` centred at z, normal matrix and right-hand side."""
        weights = np.exp(-self.theta * distance / np.maximum(distance.mean(axis=1, keepdims=True), 1e-300))
        design = np.empty((*near.shape, z.shape[1] + 1))
        design[..., 0] = 1.0
        np.subtract(self.library[near], z[:, None], out=design[..., 1:])
        weighted = (weights[..., None] * design).transpose(0, 2, 1)
        matrix = weighted @ design
        places = np.arange(1, design.shape[2])
        # Never exactly singular: neighbours may lie on a line, or all at one point.
        matrix[:, places, places] += (self.ridge + SINGULAR) * weights.sum(axis=1)[:, None]
        return weights, design, matrix, weighted @ self.ahead[near]


@dataclass(frozen=True)
class _Library:
    """States with their futures from training data, as the fields of a law that has them."""

    training: Training
    shape: Shape

    def law(self, kind: Callable[..., L], neighbours: int, **settings: float) -> L:
        """The law of `kind` with these states and its residuals."""
        delays, spacing = self.shape
        memory = (delays - 1) * spacing + 1
        self.training.need(memory + 2, f"a local map with {delays} delays {spacing} apart")
        record, edges = recorded(self.training)
        mean, scale = scale_of(record)
        standard = (record - mean) / scale
        rows = library(edges, memory, 1)
        theiler = min(decorrelation(self.training), len(rows) // 4)
        rows = rows[: len(rows) - theiler]
        steps = np.arange(delays, dtype=np.int64) * spacing
        points = standard[rows[:, None] - steps].reshape(len(rows), -1)
        axes = principal_axes(points)
        low, high = guard_box(self.training.stacked)
        bare = kind(
            self.training.signature, *self.training.closing(memory), residuals=np.zeros((1, len(scale))), low=low,
            high=high, delays=steps, mean=mean, scale=scale, neighbours=min(neighbours, len(rows)), theiler=theiler,
            library=np.ascontiguousarray(points @ axes), now=standard[rows], ahead=standard[rows + 1] - standard[rows],
            axes=axes, **settings,
        )  # fmt: skip
        return replace(bare, residuals=bare.residual_rows())


def _chosen(
    training: Training, trials: Sequence[S], make: Callable[[Training, S], Law], memory: int, horizon: int | None
) -> S:
    """The trial whose law, made of the first part of the data, runs best on the rest; the first where none is left."""
    head, probe = hold_out(training, memory, horizon=horizon)
    if len(trials) == 1 or probe is None or max(map(len, head.stretches)) < memory + 3:
        return trials[0]
    return trials[choose([make(head, trial) for trial in trials], probe).best]


def _shapes(training: Training, delays: int | None, spacing: int | None) -> list[Shape]:
    """The embeddings to try: fewer than regressions can, since every one has to run with its neighbours."""
    shapes = delay_shapes(training, delays, spacing, single=(2, 3, 5), several=(1, 2, 3))
    widest = max(s for _, s in shapes)
    # Several channels unfold the state already: rows right after one another would only repeat it.
    return [shape for shape in shapes if len(training.signature.channels) == 1 or shape[1] == widest or shape[0] == 1]


def _reach(shapes: Sequence[Shape]) -> int:
    return max((d - 1) * s + 1 for d, s in shapes)


def _spacing(law: DelayedLaw) -> int:
    return int(law.delays[1]) if len(law.delays) > 1 else 1


@final
@dataclass(frozen=True)
class Simplex(Model):
    """The weighted mean of what followed the nearest states: x_(t+1) = sum w_i y_i / sum w_i, w_i = exp(-d_i / d_1).

    States are `delays` rows `spacing` steps apart in standard deviations; `neighbours` counts the states i (None: one
    more than a state has numbers), d_1 is the distance of the nearest. What is None is chosen by free runs of `horizon`
    steps (None: from the data). The Theiler window, within which states are near in time only, is the decorrelation
    time: rows that near to the end of the data are no neighbours. More than 10 numbers are reduced to their 10 widest
    principal axes. Raises `SettingError` for settings below 1, `InsufficientData` where the delays do not fit. Cost
    O(N log N) to fit, O(log N) a step and member. Not where the motion must be extrapolated: the mean of neighbours
    lies between them, so long runs shrink; the `SMap` follows slopes. Source: Sugihara & May, Nature 344, 734 (1990).
    """

    delays: int | None = None
    spacing: int | None = None
    neighbours: int | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(self, {"delays": (1, 1000), "spacing": (1, 100_000), "neighbours": (1, 1_000_000)})
        shapes = _shapes(training, self.delays, self.spacing)
        return self._law(training, _chosen(training, shapes, self._law, _reach(shapes), self.horizon))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, SimplexLaw)
        return replace(self, delays=len(law.delays), spacing=_spacing(law))

    def _law(self, training: Training, shape: Shape) -> SimplexLaw:
        size = min(shape[0] * len(training.signature.channels), AXES)
        return _Library(training, shape).law(SimplexLaw, self.neighbours or size + 1)


FITS = ((3, 2.0), (8, 3.0))
"""Neighbours, per coefficient of the local map, and theta that the S-map tries: few for clean data, many for noisy."""


@final
@dataclass(frozen=True)
class SMap(Model):
    """A linear map fitted around every state: x_(t+1) = x_t + s (a + B (z - z_t)), by weighted ridge regression.

    The increments of the `neighbours` nearest states z_i are fitted with weights exp(-theta d_i / mean d) and penalty
    `ridge` |B|^2 (in standard units). `theta` 0 with all states as neighbours is a linear autoregression; the larger,
    the more the map differs from state to state. States are `delays` rows `spacing` steps apart. What is None is chosen
    by free runs of `horizon` steps (None: from the data), neighbours and theta together. The Theiler window is the
    decorrelation time, as in `Simplex`; more than 10 numbers are reduced to their 10 widest principal axes. The law's
    `slopes` are exact, `law.coefficients` the matrices B that the literature calls S-map Jacobians.

    Raises `SettingError` for settings out of range, `InsufficientData` where the delays do not fit. Cost O(N log N) to
    fit, then a solve of p x p a step and member, p = delays x channels + 1. Not for many channels or few data: p
    coefficients need more than p near neighbours. Source: Sugihara, Phil. Trans. R. Soc. A 348, 477 (1994); Deyle et
    al., Proc. R. Soc. B 283, 20152258 (2016).
    """

    delays: int | None = None
    spacing: int | None = None
    theta: float | None = None
    neighbours: int | None = None
    ridge: float = 1e-7
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(self, {
            "delays": (1, 1000), "spacing": (1, 100_000), "theta": (0, 1000), "neighbours": (1, 10_000_000),
            "ridge": (0, 1e6),
        })  # fmt: skip
        shapes = _shapes(training, self.delays, self.spacing)
        given = self.neighbours is not None and self.theta is not None
        # Each trial costs hundreds of steps of small regressions: several channels need fewer delays than one, and both
        # ways to weigh are tried on the first shape only.
        shapes = shapes[:2] if len(training.signature.channels) > 1 else shapes
        trials = [(shapes[0], *fit) for fit in (FITS[:1] if given else FITS)]
        trials += [(shape, *FITS[0 if given else -1]) for shape in shapes[1:]]
        return self._law(training, _chosen(training, trials, self._law, _reach(shapes), self.horizon))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, LocalLinearLaw)
        return replace(self, delays=len(law.delays), spacing=_spacing(law), theta=law.theta, neighbours=law.neighbours)

    def _law(self, training: Training, fit: tuple[Shape, int, float]) -> LocalLinearLaw:
        shape, per, theta = fit
        size = min(shape[0] * len(training.signature.channels), AXES) + 1
        neighbours = self.neighbours or max(per * size, size + 3)
        theta = theta if self.theta is None else self.theta
        return _Library(training, shape).law(LocalLinearLaw, neighbours, theta=theta, ridge=self.ridge)
