"""Echo state network: a fixed random recurrent network with a ridge read-out."""

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
ROWS = 10_000
"""Latest rows of training data that the network is driven with; the search uses the latest `TRIED` before the probe."""
TRIED = 3000

Setting = tuple[float, float, float]
"""Spectral radius, leak and input scale."""


@final
@dataclass(frozen=True)
class EchoLaw(ReservoirLaw):
    """r_t = (1 - leak) r_(t-1) + leak tanh(R W r_(t-1) + s V x_t + b), x_(t+1) = x_t + scale A [x_t, r_t with every second unit squared].

    W is given by `links (unit, k)`, the units each unit hears from, and `weights (unit, k)`, already scaled to the
    spectral radius R; V by `inputs (channel, unit)`, already scaled by `s`. Rows are standardised by `mean`, `scale`.
    """  # noqa: E501

    spectral_radius: float
    leak: float
    input_scale: float
    links: NDArray[np.int64]
    weights: Array

    @property
    def hidden(self) -> int:
        return 0

    def driven(self, units: Array, pushed: Array) -> Array:
        heard = pushed + (self._sparse @ units.T).T
        return (1 - self.leak) * units + self.leak * np.tanh(heard)

    def driven_slopes(self, units: Array, pushed: Array) -> tuple[Array, Array]:
        bent = self.leak * (1 - np.tanh(pushed + (self._sparse @ units.T).T) ** 2)
        own = np.eye(len(self.bias))
        return (1 - self.leak) * own + bent[:, :, None] * self._sparse.toarray(), bent[:, :, None] * own

    @cached_property
    def _sparse(self) -> csr_array:
        return sparse(self.links, self.weights)


@final
@dataclass(frozen=True)
class EchoStateNetwork(Model):
    """A random recurrent network driven by the data, of which only the linear read-out is fitted (ridge).

    r_t = (1 - leak) r_(t-1) + leak tanh(W r_(t-1) + V x_t + b), x_(t+1) = x_t + A [x_t, r_t], every second unit squared
    in the read-out (Lu et al. 2017). `units`; `spectral_radius` of the sparse W; `leak` in (0, 1]; `input_scale` of V;
    `bias` scale of b; `ridge` in units of the features' variance. What is None is chosen by free runs among `trials`
    settings drawn with `seed`. A forecast needs a warm-up of 100 rows of history (fewer for short series). For an
    ensemble of networks use `Ensemble(EchoStateNetwork(), 5)`. Raises `SettingError` for settings out of range,
    `InsufficientData` for fewer than 30 consecutive rows. Cost O(N units^2), N at most the latest 10,000 rows.
    Not for fewer than some hundred rows: the network then fits noise.
    Source: Jaeger & Haas, Science 304, 78 (2004); Lu et al., Chaos 27, 041102 (2017).
    """

    units: int = 300
    spectral_radius: float | None = None
    leak: float | None = None
    input_scale: float | None = None
    ridge: float | None = None
    bias: float = 0.5
    trials: int = 7
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check()
        training.need(30, "an echo state network")
        warm_up = int(min(WARM_UP, max(map(len, training.stretches)) // 3))
        made = _Network.of(self.units, len(training.signature.channels), self.bias, seed)
        ridges: tuple[float, ...] = RIDGES if self.ridge is None else (self.ridge,)

        def tried(head: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[EchoLaw]:
            return made.laws(head.latest(TRIED), settings, ridges, warm_up)

        def final(setting: Setting, ridge: float) -> EchoLaw:
            return next(made.laws(training.latest(ROWS), [setting], (ridge,), warm_up))

        return search(training, self._settings(seed), ridges, tried, final, memory=warm_up, horizon=self.horizon)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, EchoLaw)
        return replace(
            self, spectral_radius=law.spectral_radius, leak=law.leak, input_scale=law.input_scale, ridge=law.ridge
        )

    def _settings(self, seed: int) -> list[Setting]:
        """Settings to try: a common one, then draws that are uniform in leak and in the logarithm of the scales."""
        rng = generator(seed, "esn", "search")
        drawn = [(0.8, 0.8, 0.3)]
        for _ in range(self.trials - 1):
            radius, leak, scale = rng.random(3)
            drawn.append((0.2 + 1.0 * radius, 0.1 + 0.9 * leak, float(0.03 * 50**scale)))
        given = (self.spectral_radius, self.leak, self.input_scale)
        full = [tuple(float(d if g is None else g) for g, d in zip(given, one, strict=True)) for one in drawn]
        return list(dict.fromkeys(full))  # type: ignore[arg-type]

    def _check(self) -> None:
        rules = {
            "units": (2, 5000), "spectral_radius": (0, 10), "leak": (1e-6, 1), "input_scale": (0, 1e6),
            "ridge": (0, 1e12), "bias": (0, 1e6), "trials": (1, 1000),
        }  # fmt: skip
        check_settings(self, rules)


@dataclass(frozen=True)
class _Network:
    """The random part, of spectral radius 1 and unit input scale."""

    links: NDArray[np.int64]
    weights: Array
    inputs: Array
    bias: Array

    @classmethod
    def of(cls, units: int, channels: int, bias: float, seed: int) -> _Network:
        rng = generator(seed, "esn", "network", units, channels)
        links, weights = network(rng, units)
        # Divided by the root of the channels, so that a good input scale does not depend on their number.
        inputs = rng.uniform(-1, 1, (channels, units)) / np.sqrt(channels)
        return cls(links, weights, inputs, bias * rng.uniform(-1, 1, units))

    def laws(
        self, training: Training, settings: Sequence[Setting], ridges: Sequence[float], warm_up: int
    ) -> Iterator[EchoLaw]:
        """One law a setting and ridge; all settings are driven through the data together."""
        driving = Driving.of(training, warm_up)
        driven = [self._drive(piece, settings) for piece in driving.pieces]
        for i, (radius, leak, size) in enumerate(settings):
            states = [piece[:, i] for piece in driven]
            for ridge, readout, residuals in driving.readouts(states, ridges):
                yield EchoLaw(
                    training.signature, *training.closing(warm_up), low=driving.low, high=driving.high,
                    residuals=residuals, spectral_radius=radius, leak=leak, input_scale=size, ridge=ridge,
                    warm_up=warm_up, links=self.links, weights=radius * self.weights, inputs=size * self.inputs,
                    bias=self.bias, mean=driving.mean, scale=driving.scale, readout=readout,
                )  # fmt: skip

    def _drive(self, standard: Array, settings: Sequence[Setting]) -> Array:
        """Reservoir states `(time, setting, unit)` for standardised rows."""
        radius, leak, size = (np.array(column)[:, None] for column in zip(*settings, strict=True))
        units = np.zeros((len(settings), len(self.bias)))
        out = np.empty((len(standard), *units.shape))
        given = standard @ self.inputs
        network = sparse(self.links, self.weights)
        for t in range(len(standard)):
            heard = size * given[t] + self.bias
            units = (1 - leak) * units + leak * np.tanh(heard + radius * (network @ units.T).T)
            out[t] = units
        return out
