"""Models made from models: in standard units, as an ensemble, with conformal intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from ..errors import InsufficientData, SettingError
from ..random import generator
from .base import Array, Known, Law, Model, Training, scale_of
from .recalibration import Recalibration
from .selection import decorrelation, hold_out

if TYPE_CHECKING:
    from ..systems.base import System


@final
@dataclass(frozen=True)
class StandardisedLaw(Law):
    """A law in standard units, between a scaling and its inverse: x = mean + scale z."""

    law: Law
    mean: Array
    scale: Array

    @property
    def memory(self) -> int:
        return self.law.memory

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        inner = self.law.sample((history - self.mean) / self.scale, horizon, members, rng, self._standard(known))
        return self.mean + self.scale * inner

    def _standard(self, known: Known | None) -> Known | None:
        if known is None or known.values is None:
            return known
        targets = self.signature.targets
        return Known(known.row, (known.values - self.mean[targets:]) / self.scale[targets:])

    def diverged(self, samples: Array) -> int:
        return self.law.diverged((samples - self.mean) / self.scale)


@final
@dataclass(frozen=True)
class Standardised(Model):
    """`model` fitted to the data with mean 0 and standard deviation 1 in each channel; a constant channel becomes 0.

    For models of others that do not standardise by themselves; those of takens do. Cost: one pass over the data.
    """

    model: Model

    @property
    def name(self) -> str:
        return f"Standardised({self.model.name})"

    def learn(self, training: Training, seed: int) -> Law:
        mean, scale = scale_of(training.stacked)
        law = self.model.learn(training.mapped(lambda piece: (piece - mean) / scale), seed)
        return StandardisedLaw(training.signature, law.history * scale + mean, law.end, law=law, mean=mean, scale=scale)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, StandardisedLaw)
        return replace(self, model=self.model.settled(law.law))


@final
@dataclass(frozen=True)
class EnsembleLaw(Law):
    """Members shared out evenly among `laws`; the noise-free run is the mean of theirs."""

    laws: tuple[Law, ...]

    @property
    def memory(self) -> int:
        return max(law.memory for law in self.laws)

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        if rng is None:
            runs = [law.sample(history, horizon, 1, None, known) for law in self.laws]
            return np.repeat(np.mean(runs, axis=0), members, axis=0)
        # Whoever comes first gets the odd member, so that single runs come from every law.
        size = len(self.laws)
        first = int(rng.integers(size))
        shares = [(members + size - 1 - k) // size for k in range(size)]
        turns = [self.laws[(first + k) % size] for k in range(size)]
        parts = [law.sample(history, horizon, n, rng, known) for law, n in zip(turns, shares, strict=True) if n > 0]
        return np.concatenate(parts)

    def diverged(self, samples: Array) -> int:
        # Which member came from which law is not recorded; the laws share training data and so the guard box.
        return self.laws[0].diverged(samples)


@final
@dataclass(frozen=True)
class Ensemble(Model):
    """`size` laws of one model, each with its own seed; forecasts mix their members.

    For models with randomness in the fit (echo state networks): the spread between the laws is part of the uncertainty.
    Useless for deterministic fits, whose laws are all the same. Raises `SettingError` for a size below 1.
    Cost: `size` fits. Source: Dietterich, Ensemble methods in machine learning, 2000.
    """

    model: Model
    size: int = 5

    @property
    def name(self) -> str:
        return f"Ensemble({self.model.name}, {self.size})"

    def learn(self, training: Training, seed: int) -> Law:
        if self.size < 1:
            raise SettingError(f"size must be at least 1, got {self.size}", place="Ensemble")
        seeds = generator(seed, "ensemble").integers(2**31, size=self.size)
        laws = tuple(self.model.learn(training, int(one)) for one in seeds)
        longest = max(laws, key=lambda law: law.memory)
        return EnsembleLaw(training.signature, longest.history, longest.end, laws=laws)


@final
@dataclass(frozen=True)
class ConformalLaw(Law):
    """A law whose samples are recalibrated by errors on held-out forecasts (see `Recalibration`).

    A single run (`generate`, the noise-free forecast) is that of the law itself: only a set of members has quantiles.
    """

    law: Law
    recalibration: Recalibration

    @property
    def memory(self) -> int:
        return self.law.memory

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        samples = self.law.sample(history, horizon, members, rng, known)
        if rng is None or members == 1:
            return samples
        shown = self.signature.targets
        return np.concatenate([self.recalibration.apply(samples[..., :shown]), samples[..., shown:]], axis=-1)

    def motion(self) -> System | None:
        return self.law.motion()

    def diverged(self, samples: Array) -> int:
        return self.law.diverged(samples)


@final
@dataclass(frozen=True)
class Conformal(Model):
    """`model` with intervals that held on held-out forecasts: 90 % intervals cover about 90 %, horizon by horizon.

    The model is fitted to the first 70 % of the data and forecasts from `origins` in the rest; the errors recalibrate
    the samples of the law that is then fitted to all. `horizon` steps are calibrated (None: ten decorrelation times, at
    most a quarter of the held-out part); further steps reuse the errors of the last. Raises `SettingError` for fewer
    than 5 origins, `InsufficientData` where the held-out part has fewer than 5. Cost: two fits and `origins` forecasts.
    Not for data whose future differs in kind from the held-out part: exchangeability is all that the coverage rests on.
    Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005; Romano et al. 2019.
    """

    model: Model
    origins: int = 50
    horizon: int | None = None

    @property
    def name(self) -> str:
        return f"Conformal({self.model.name})"

    def learn(self, training: Training, seed: int) -> Law:
        if self.origins < 5 or (self.horizon is not None and self.horizon < 1):
            raise SettingError("origins must be at least 5 and horizon at least 1", place="Conformal")
        head, _ = hold_out(training, 1, share=0.3)
        trial = self.model.learn(head, seed)
        _, probe = hold_out(training, trial.memory, share=0.3, horizon=self.horizon)
        if probe is None:
            raise InsufficientData("no held-out row has enough history to forecast from", place="Conformal")
        horizon = probe.horizon
        if self.horizon is None:
            horizon = max(1, min(10 * decorrelation(training), probe.limit // 2))
        before, after = probe.take(self.origins, horizon)
        if len(before) < 5:
            raise InsufficientData(
                f"{len(before)} held-out forecasts are too few to calibrate on", place="Conformal",
                remedy="Shorten the horizon or use more data.",
            )  # fmt: skip
        knowns = probe.known(len(before), horizon)
        samples = [
            trial.sample(rows, horizon, 100, generator(seed, "conformal", k), knowns[k])
            for k, rows in enumerate(before)
        ]
        shown = training.targets
        recalibration = Recalibration.fit(np.stack(samples)[..., :shown], after[..., :shown])
        law = self.model.learn(training, seed)
        return ConformalLaw(training.signature, law.history, law.end, law=law, recalibration=recalibration)

    def settled(self, law: Law) -> Model:
        assert isinstance(law, ConformalLaw)
        return replace(self, model=self.model.settled(law.law))
