"""The shallow piecewise-linear recurrent network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from ...errors import SettingError
from ..base import Model, RecursiveLaw, Training
from .fitting import Plan, learned
from .networks import Shallow


@final
@dataclass(frozen=True)
class ShallowPLRNN(Model):
    """A piecewise-linear map with one hidden layer, trained by teacher forcing to run freely like the data.

    z_(t+1) = A z_t + W [max(V z_t + b, 0) - max(V z_t, 0)] + h + C s_t if `clipped`, A diagonal, s known inputs;
    without it the second maximum is missing. `latent` units (None: the channels, at most 16), of which the first are
    the channels (standardised); fewer units than channels are read out by x = B z with a learned B, and data are
    brought to them by its pseudo-inverse. `hidden` units of the layer.

    `teaching` draws the units to the data while training: "generalised" at every row by the share `strength`,
    "adaptive" by a share that starts at 1 and follows the growth of the Jacobians, "sparse" wholly at every
    `interval`-th row (None: 1.25 times the decorrelation time). `epochs` of `batches` updates on `batch_size`
    sequences of `length` steps; the learning rate falls from the first to the second `rate`; `noise` (standard
    deviations) is added to the data that the network is drawn to; `penalty` on the squares of 1 - A, W, V, h and b,
    `conditioning` on (1 - smallest / largest singular value of B)^2. Of `seeds` networks, and of the epochs of each,
    the one is kept whose free run on the held-out end of the longest stretch has the least sqrt(D_stsp D_H).

    Raises `SettingError` for settings out of range, `InsufficientData` for fewer than 40 consecutive rows. Cost: about
    0.3 microseconds a step and sequence of 3 units and 50 hidden ones, hence a minute a seed. The first choice for
    noisy and empirical data; not for a quick forecast. Source: Hess, Monfared, Brenner & Durstewitz, Generalized
    teacher forcing, ICML 2023 (arXiv 2306.04406).
    """

    effort: ClassVar[int] = 2

    latent: int | None = None
    hidden: int = 50
    clipped: bool = True
    teaching: Literal["sparse", "generalised", "adaptive"] = "generalised"
    interval: int | None = None
    strength: float = 0.15
    length: int = 200
    epochs: int = 1000
    batches: int = 50
    batch_size: int = 16
    rate: tuple[float, float] = (2e-3, 1e-5)
    noise: float = 0.0
    penalty: float = 1e-5
    conditioning: float = 1e-6
    seeds: int = 1

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        targets, inputs = training.signature.targets, len(training.signature.inputs)
        latent = min(targets, 16) if self.latent is None else self.latent
        for name, value, most in (("latent", latent, 2000), ("hidden", self.hidden, 20_000)):
            if not 1 <= value <= most:
                raise SettingError(f"{name} must be 1 to {most}, got {value}", place="ShallowPLRNN")
        plan = Plan(
            "ShallowPLRNN", self.teaching, self.interval, self.strength, self.length, self.epochs, self.batches,
            self.batch_size, self.rate, self.noise, self.penalty, self.conditioning, self.seeds,
        )  # fmt: skip
        return learned(training, Shallow(latent, inputs, self.hidden, self.clipped), latent < targets, plan, seed)
