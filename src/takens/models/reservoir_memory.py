"""Residual reservoir memory network: a linear memory that never mixes, and a nonlinear reservoir that listens to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..random import generator
from .base import Array, Law, Model, RecursiveLaw, Training
from .delayed import check_settings, search
from .reservoir import WARM_UP, Driving, ReservoirLaw, network, sparse

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RIDGES = (1e-10, 1e-7, 1e-4, 1e-2)
ROWS, TRIED = 10_000, 2500
"""Latest rows of training data that the network is driven with, and those that a search uses before the probe."""

RADIUS = 0.9
"""Spectral radius of the nonlinear network before its gain."""

Setting = tuple[float, float, float, float]
"""Fading of the memory, share of the residual branch, gain of the nonlinear branch, input scale."""


@final
@dataclass(frozen=True)
class MemoryLaw(ReservoirLaw):
    """m_t = f C m_(t-1) + V x_t, h_t = a h_(t-1) + g tanh(W [m_t, h_(t-1)] + U x_t + b), read out from h and x.

    C shifts the memory in a circle, which is orthogonal; f is `fading`, a `residual`, g `gain`. W is given by `links`,
    `weights (unit, k)`, the parts of [m, h] that each unit of h hears. The units are m, hidden, and then h.
    """

    fading: float
    residual: float
    gain: float
    input_scale: float
    links: NDArray[np.int64]
    weights: Array

    @property
    def hidden(self) -> int:
        return len(self.bias) - len(self.links)

    def driven(self, units: Array, pushed: Array) -> Array:
        return advanced(units, pushed, self.hidden, self._sparse, self.fading, self.residual, self.gain)[0]

    def driven_slopes(self, units: Array, pushed: Array) -> tuple[Array, Array]:
        size = self.hidden
        heard = advanced(units, pushed, size, self._sparse, self.fading, self.residual, self.gain)[1]
        bent = self.gain * (1 - np.tanh(heard) ** 2)[:, :, None]
        whole = bent * self._sparse.toarray()
        turn = self.fading * np.roll(np.eye(size), 1, axis=0)
        by_units = np.zeros((len(units), len(self.bias), len(self.bias)))
        by_push = np.zeros_like(by_units)
        by_units[:, :size, :size], by_push[:, :size, :size] = turn, np.eye(size)
        by_units[:, size:, :size], by_push[:, size:, :size] = whole[:, :, :size] @ turn, whole[:, :, :size]
        own = np.eye(len(self.links))
        by_units[:, size:, size:] = self.residual * own + whole[:, :, size:]
        by_push[:, size:, size:] = bent * own
        return by_units, by_push

    @cached_property
    def _sparse(self) -> csr_array:
        return sparse(self.links, self.weights, len(self.bias))


def advanced(
    units: Array, pushed: Array, hidden: int, network: csr_array, fading: float | Array, residual: float | Array,
    gain: float | Array,
) -> tuple[Array, Array]:  # fmt: skip
    """The next units `(member, unit)`, and what the tanh was taken of; the factors may differ from member to member."""
    turned = np.roll(units[:, :hidden], 1, axis=1)
    whole = units.copy()
    whole[:, :hidden] = fading * turned + pushed[:, :hidden]
    heard = pushed[:, hidden:] + (network @ whole.T).T
    whole[:, hidden:] = residual * units[:, hidden:] + gain * np.tanh(heard)
    return whole, heard


@final
@dataclass(frozen=True)
class ReservoirMemory(Model):
    """A linear memory of the past, unmixed, that feeds a random nonlinear network; only the read-out is fitted (ridge).

    m_t = f C m_(t-1) + V x_t, h_t = a h_(t-1) + g tanh(W [m_t, h_(t-1)] + U x_t + b), x_(t+1) = x_t + A [x_t, h_t],
    every second unit squared in the read-out. C shifts the units in a circle: it is orthogonal, so that nothing of the
    past is lost but by the factors f and a (published with f = 1; below 1, where a history begins is forgotten, as a
    forecast needs). `memory_units` of m and `units` of h; `fading` f, `residual` a in [0, 1),
    `gain` g, `input_scale` of U; W has spectral radius 0.9; `bias` scale of b; `ridge` in units of the features'
    variance. What is None is chosen by free runs among `trials` settings drawn with `seed`. A forecast needs a warm-up
    of 100 rows (fewer for short series). Raises `SettingError` for settings out of range, `InsufficientData` for fewer
    than 30 consecutive rows. Cost O(N units^2), N at most the latest 10,000 rows. Not where the present row says all
    (use NVAR or an echo state network), nor for fewer than some hundred rows.
    Source: Pinna, Ceni & Gallicchio, Residual Reservoir Memory Networks, arXiv 2508.09925 (2025); Gallicchio & Ceni,
    Reservoir Memory Networks, ESANN 2024.
    """

    units: int = 300
    memory_units: int = 60
    fading: float | None = None
    residual: float | None = None
    gain: float | None = None
    input_scale: float | None = None
    ridge: float | None = None
    bias: float = 0.5
    trials: int = 4
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        rules = {
            "units": (2, 5000), "memory_units": (1, 5000), "fading": (0, 1), "residual": (0, 1), "gain": (1e-6, 10),
            "input_scale": (0, 1e6), "ridge": (0, 1e12), "bias": (0, 1e6), "trials": (1, 1000),
        }  # fmt: skip
        check_settings(self, rules)
        training.need(30, "a reservoir memory network")
        warm_up = int(min(WARM_UP, max(map(len, training.stretches)) // 3))
        ridges: tuple[float, ...] = RIDGES if self.ridge is None else (self.ridge,)

        def tried(head: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[MemoryLaw]:
            return self._laws(head.latest(TRIED), settings, ridges, warm_up, seed)

        def final(setting: Setting, ridge: float) -> MemoryLaw:
            return next(self._laws(training.latest(ROWS), [setting], (ridge,), warm_up, seed))

        return search(training, self._settings(seed), ridges, tried, final, memory=warm_up, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, MemoryLaw)
        return replace(
            self, fading=law.fading, residual=law.residual, gain=law.gain, input_scale=law.input_scale, ridge=law.ridge
        )

    def _settings(self, seed: int) -> list[Setting]:
        """Settings to try: a common one, then draws that are uniform in the factors and the logarithm of the scale."""
        rng = generator(seed, "reservoir memory", "search")
        drawn = [(0.9, 0.3, 0.7, 0.3)]
        for _ in range(self.trials - 1):
            fading, residual, gain, scale = rng.random(4)
            drawn.append((0.5 + 0.49 * fading, 0.9 * residual, 0.1 + 0.9 * gain, float(0.03 * 50**scale)))
        given = (self.fading, self.residual, self.gain, self.input_scale)
        full = [tuple(float(d if g is None else g) for g, d in zip(given, one, strict=True)) for one in drawn]
        return list(dict.fromkeys(full))  # type: ignore[arg-type]

    def _laws(
        self, training: Training, settings: Sequence[Setting], ridges: Sequence[float], warm_up: int, seed: int
    ) -> Iterator[MemoryLaw]:
        """One law a setting and ridge; all settings have the same random parts and are driven together."""
        channels, size = len(training.signature.channels), self.memory_units
        rng = generator(seed, "reservoir memory", "network", self.units, size, channels)
        own, weights = network(rng, self.units)
        listened, gains = network(rng, self.units, size)
        links = np.concatenate([listened, own + size], axis=1)
        weights = np.concatenate([gains, RADIUS * weights], axis=1)
        inputs = rng.uniform(-1, 1, (channels, size + self.units)) / np.sqrt(channels)
        bias = np.concatenate([np.zeros(size), self.bias * rng.uniform(-1, 1, self.units)])
        driving = Driving.of(training, warm_up)
        fading, residual, gain, scale = (np.array(column)[:, None] for column in zip(*settings, strict=True))
        # A long memory sums up much: scaled so that what is heard of it keeps the size of the input.
        sizes: Array = (
            np.where(np.arange(size + self.units) < size, np.sqrt(np.maximum(1 - fading**2, 1e-3)), 1.0) * scale
        )
        matrix = sparse(links, weights, size + self.units)
        driven = []
        for piece in driving.pieces:
            units, given = np.zeros((len(settings), len(bias))), piece @ inputs
            driven.append(np.empty((len(piece), len(settings), self.units)))
            for t in range(len(piece)):
                units, _ = advanced(units, sizes * given[t] + bias, size, matrix, fading, residual, gain)
                driven[-1][t] = units[:, size:]
        for i, setting in enumerate(settings):
            for ridge, readout, residuals in driving.readouts([piece[:, i] for piece in driven], ridges):
                yield MemoryLaw(
                    training.signature, *training.closing(warm_up), low=driving.low, high=driving.high,
                    residuals=residuals, warm_up=warm_up, ridge=ridge, inputs=sizes[i] * inputs, bias=bias,
                    mean=driving.mean, scale=driving.scale, readout=readout, fading=setting[0], residual=setting[1],
                    gain=setting[2], input_scale=setting[3], links=links, weights=weights,
                )  # fmt: skip
