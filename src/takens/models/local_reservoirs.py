"""Local reservoirs: one small network for each group of channels, which sees the group and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..random import generator
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, scale_of, thinned
from .delayed import check_settings, search
from .reservoir import WARM_UP, network, sparse
from .ridge import Factors, Readout

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RIDGES = (1e-9, 1e-7, 1e-5, 1e-3)
SAMPLES, TRIED = 80_000, 3_000
"""Most samples of a read-out, and of one that is only tried: latest rows, times the groups that share it."""
ROWS = 40_000
"""Most rows of training data that the networks are driven with, the latest."""
BLOCK = 4_000

Setting = tuple[float, float, float]
"""Spectral radius, leak and input scale."""


@final
@dataclass(frozen=True)
class LocalLaw(RecursiveLaw):
    """u_k' = (1 - leak) u_k + leak tanh(W u_k + V x_(heard k) + b), x'_(own k) = x_(own k) + A_k [x_(heard k), u_k].

    Group k predicts the channels `own (group, channel)` and sees `heard (group, channel)`, where the number of channels
    stands for nothing there. All groups have the same network: `links`, `weights (unit, k)`, `inputs (heard, unit)`,
    `bias (unit,)`; `readouts` holds one read-out for all groups or one for each. Every second unit is squared.
    """

    warm_up: int
    ridge: float
    spectral_radius: float
    leak: float
    input_scale: float
    own: NDArray[np.int64]
    heard: NDArray[np.int64]
    links: NDArray[np.int64]
    weights: Array
    inputs: Array
    bias: Array
    mean: Array
    scale: Array
    readouts: tuple[Readout, ...]

    @property
    def memory(self) -> int:
        return self.warm_up

    def init(self, history: Array) -> Array:
        standard = (history[:, -self.warm_up :] - self.mean) / self.scale
        units = np.zeros((len(history), len(self.own), len(self.bias)))
        for t in range(standard.shape[1]):
            units = self._driven(units, padded(standard[:, t])[:, self.heard])
        return np.concatenate([standard[:, -1], units.reshape(len(units), -1)], axis=1)

    def step(self, state: Array) -> Array:
        standard, units = self._parts(state)
        given = seen(padded(standard)[:, self.heard], units)
        if len(self.readouts) == 1:
            gains = self.readouts[0](given)
        else:
            gains = np.stack([readout(given[:, k]) for k, readout in enumerate(self.readouts)], axis=1)
        moved = standard.copy()
        moved[:, self.own] = standard[:, self.own] + gains
        return moved * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        standard = (values - self.mean) / self.scale
        units = self._driven(self._parts(state)[1], padded(standard)[:, self.heard])
        return np.concatenate([standard, units.reshape(len(units), -1)], axis=1)

    def slopes(self, state: Array) -> Array:
        """The Jacobian `(member, state, state)` of one step, exact; its size is the square of channels + all units."""
        units = self._parts(state)[1]
        channels, groups, size = len(self.mean), len(self.own), len(self.bias)
        # What each group hears, as a matrix; the column of nothing is dropped.
        picks = np.eye(channels + 1)[self.heard][..., :channels]
        rows = np.zeros((len(state), channels, state.shape[1]))
        rows[:, :, :channels] = np.eye(channels)
        bent = np.ones_like(units)
        bent[..., ::2] = 2 * units[..., ::2]
        for k in range(groups):
            gains = self.readouts[k % len(self.readouts)].gains.T
            wide = self.heard.shape[1]
            found = np.zeros((len(state), len(gains), state.shape[1]))
            found[:, :, :channels] = np.eye(channels)[self.own[k]] + gains[:, :wide] @ picks[k]
            found[:, :, channels + k * size : channels + (k + 1) * size] = gains[:, wide:] * bent[:, k, None]
            rows[:, self.own[k]] = found
        after = (self.step(state) - self.mean) / self.scale
        slope = self.leak * (1 - np.tanh(self._sum(units, padded(after)[:, self.heard])) ** 2)[..., None]
        own = (1 - self.leak) * np.eye(size)
        parts = [rows]
        for k in range(groups):
            part = slope[:, k] * (self.inputs.T @ picks[k]) @ rows
            part[:, :, channels + k * size : channels + (k + 1) * size] += own + slope[:, k] * self._sparse.toarray()
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def _parts(self, state: Array) -> tuple[Array, Array]:
        channels = len(self.mean)
        return state[:, :channels], state[:, channels:].reshape(len(state), len(self.own), len(self.bias))

    def _driven(self, units: Array, local: Array) -> Array:
        return (1 - self.leak) * units + self.leak * np.tanh(self._sum(units, local))

    def _sum(self, units: Array, local: Array) -> Array:
        mixed = (self._sparse @ units.reshape(-1, units.shape[-1]).T).T
        return local @ self.inputs + self.bias + mixed.reshape(units.shape)

    @cached_property
    def _sparse(self) -> csr_array:
        return sparse(self.links, self.weights)


@final
@dataclass(frozen=True)
class LocalReservoirs(Model):
    """A small echo state network for every `group` of channels, which sees the group and the channels next to it.

    u_k' = (1 - leak) u_k + leak tanh(W u_k + V x_(heard k) + b), x'_(own k) = x_(own k) + A_k [x_(heard k), u_k]: what
    happens in an extended system depends, for a step, on its surroundings only. `overlap` channels are seen to each
    side: on a "ring", on a "line", or the 2 overlap channels with the highest absolute "correlations" to the group.
    With `shared` one read-out, mean and scale serve all groups, for systems that are the same everywhere; it learns
    from all of them together. `units` of each network; `spectral_radius`, `leak`, `input_scale`, `ridge`, `bias` as in
    an echo state network; what is None is chosen by free runs among `trials` settings. Raises `SettingError` for
    settings out of range, `InsufficientData` for fewer than 30 consecutive rows. Cost O(N units^2) a group, or in all
    if shared; at most the latest 40,000 rows and 80,000 samples a read-out. Not for few channels, nor for couplings
    that reach farther than the overlap within a step.
    Source: Pathak, Hunt, Girvan, Lu & Ott, Phys. Rev. Lett. 120, 024102 (2018).
    """

    units: int = 300
    group: int = 2
    overlap: int = 3
    neighbours: Literal["ring", "line", "correlations"] = "correlations"
    shared: bool = False
    spectral_radius: float | None = None
    leak: float | None = None
    input_scale: float | None = None
    ridge: float | None = None
    bias: float = 1.0
    trials: int = 4
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        rules = {
            "units": (2, 5000), "group": (1, 10_000), "overlap": (0, 10_000), "spectral_radius": (0, 10),
            "leak": (1e-6, 1), "input_scale": (0, 1e6), "ridge": (0, 1e12), "bias": (0, 1e6), "trials": (1, 1000),
        }  # fmt: skip
        check_settings(self, rules)
        if self.neighbours not in ("ring", "line", "correlations"):
            raise SettingError(f"no neighbours {self.neighbours!r}", place="LocalReservoirs", remedy="ring, line or correlations.")  # fmt: skip  # noqa: E501
        training.need(30, "a local reservoir")
        warm_up = int(min(WARM_UP, max(map(len, training.stretches)) // 3))
        ridges: tuple[float, ...] = RIDGES if self.ridge is None else (self.ridge,)
        own, heard = self._groups(training)

        def tried(head: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[LocalLaw]:
            for setting in settings:
                yield from self._laws(head, (own, heard), setting, ridges, warm_up, seed, TRIED)

        def final(setting: Setting, ridge: float) -> LocalLaw:
            return next(self._laws(training, (own, heard), setting, (ridge,), warm_up, seed, SAMPLES))

        return search(training, self._settings(seed), ridges, tried, final, memory=warm_up, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, LocalLaw)
        return replace(
            self, spectral_radius=law.spectral_radius, leak=law.leak, input_scale=law.input_scale, ridge=law.ridge
        )

    def _settings(self, seed: int) -> list[Setting]:
        """Settings to try: for a state that is seen whole, memory is of little use; then draws."""
        rng = generator(seed, "local reservoirs", "search")
        drawn = [(0.1, 1.0, 0.15), (0.6, 0.9, 0.3), (0.02, 1.0, 0.3)]
        for _ in range(self.trials - len(drawn)):
            radius, leak, scale = rng.random(3)
            drawn.append((radius, 0.2 + 0.8 * leak, float(0.05 * 20**scale)))
        given = (self.spectral_radius, self.leak, self.input_scale)
        full = [tuple(float(d if g is None else g) for g, d in zip(given, one, strict=True)) for one in drawn]
        return list(dict.fromkeys(full[: self.trials]))  # type: ignore[arg-type]

    def _groups(self, training: Training) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The channels that each group predicts and those that it sees."""
        rows = training.stacked
        channels = rows.shape[1]
        size, wide = min(self.group, channels), min(self.overlap, channels)
        if channels <= size + wide and not self.shared:
            # Every group would see everything, so one is enough.
            size = channels
        starts = np.minimum(np.arange(0, channels, size), channels - size)
        own = starts[:, None] + np.arange(size)
        if self.neighbours == "correlations":
            return own, np.concatenate([own, most_alike(thinned(rows), own, 2 * wide)], axis=1)
        heard = starts[:, None] + np.arange(-wide, size + wide)
        if self.neighbours == "line":
            return own, np.where((heard >= 0) & (heard < channels), heard, channels)
        # Around a small ring the same channel would be met twice.
        heard = heard[:, : min(heard.shape[1], channels)] if heard.shape[1] > channels else heard
        return own, heard % channels

    def _laws(
        self, training: Training, groups: tuple[NDArray[np.int64], NDArray[np.int64]], setting: Setting,
        ridges: Sequence[float], warm_up: int, seed: int, limit: int,
    ) -> Iterator[LocalLaw]:  # fmt: skip
        """One law a ridge, from one factorisation for each read-out."""
        radius, leak, size = setting
        own, heard = groups
        rng = generator(seed, "local reservoirs", "network", self.units, heard.shape[1])
        links, weights = network(rng, self.units)
        inputs = size * rng.uniform(-1, 1, (heard.shape[1], self.units)) / np.sqrt(heard.shape[1])
        bias = self.bias * rng.uniform(-1, 1, self.units)
        rows = training.stacked
        mean, scale = scale_of(rows)
        if self.shared:
            mean, scale = np.full_like(mean, rows.mean()), np.full_like(scale, rows.std() if rows.std() > 0 else 1.0)
        low, high = guard_box(rows)
        law = LocalLaw(
            training.signature, *training.closing(warm_up), residuals=np.zeros((1, len(mean))), low=low, high=high,
            warm_up=warm_up, ridge=0.0, spectral_radius=radius, leak=leak, input_scale=size, own=own, heard=heard,
            links=links, weights=radius * weights, inputs=inputs, bias=bias, mean=mean, scale=scale, readouts=(),
        )  # fmt: skip
        latest = training.latest(min(ROWS, limit))
        sets = [np.arange(len(own))] if self.shared else [np.array([k]) for k in range(len(own))]
        factors = [Factors.streamed(driven(law, latest, members, limit)) for members in sets]
        for ridge in ridges:
            fitted = replace(law, ridge=ridge, readouts=tuple(f.solve(ridge) for f in factors))
            yield replace(fitted, residuals=errors(fitted, latest))


def padded(standard: Array) -> Array:
    """Rows `(sample, channel + 1)` with a zero for the channel that is not there."""
    return np.concatenate([standard, np.zeros((len(standard), 1))], axis=1)


def seen(local: Array, units: Array) -> Array:
    """What a read-out sees: the channels that a group hears, and its units, every second one squared."""
    given = np.concatenate([local, units], axis=-1)
    given[..., local.shape[-1] :: 2] **= 2
    return given


def most_alike(rows: Array, own: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """For each group the `count` other channels with the highest absolute correlation to one of its own."""
    mean, scale = scale_of(rows)
    standard = (rows - mean) / scale
    alike = np.abs(standard.T @ standard)
    found = []
    for members in own:
        score = alike[members].max(axis=0)
        score[members] = -1.0
        found.append(np.argsort(-score, kind="stable")[: min(count, len(score) - len(members))])
    return np.array(found, dtype=np.int64).reshape(len(own), -1)


def driven(law: LocalLaw, training: Training, members: NDArray[np.int64], limit: int) -> Iterator[tuple[Array, Array]]:
    """Blocks of (what the read-out sees, increments) of the groups `members`, of at most about `limit` samples.

    Where the groups have more samples than that, evenly spread groups are driven.
    """
    count = int(np.clip(limit // training.rows, 1, len(members)))
    chosen = members[np.linspace(0, len(members) - 1, count).round().astype(int)]
    some = replace(law, own=law.own[chosen], heard=law.heard[chosen])
    block = max(BLOCK, 4 * len(law.bias)) // count + 1
    features, targets = [], []
    for piece in training.stretches:
        standard = padded((piece - law.mean) / law.scale)
        units = np.zeros((1, count, len(law.bias)))
        local = standard[:, some.heard]
        forget = min(law.warm_up, len(piece) // 3)
        for t in range(len(piece) - 1):
            units = some._driven(units, local[t : t + 1])
            if t >= forget:
                features.append(seen(local[t], units[0]))
                targets.append(standard[t + 1, some.own] - standard[t, some.own])
            if len(features) == block:
                yield np.concatenate(features), np.concatenate(targets)
                features, targets = [], []
    if features:
        yield np.concatenate(features), np.concatenate(targets)


def errors(law: LocalLaw, training: Training, count: int = 500) -> Array:
    """One-step errors `(row, channel)` of the law on the last rows of the longest stretch."""
    piece = max(training.stretches, key=len)[-(count + law.warm_up) :]
    state, found = law.init(piece[None, : law.warm_up]), []
    for values in piece[law.warm_up :]:
        found.append(values - law.step(state)[0])
        state = law.feed(state, values[None])
    return np.array(found)
