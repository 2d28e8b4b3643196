"""The almost-linear recurrent network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from ...errors import SettingError
from ..base import Model, RecursiveLaw, Training
from .fitting import Plan, learned
from .networks import AlmostLinear


@final
@dataclass(frozen=True)
class AlmostLinearRNN(Model):
    """A linear network of which few units are rectified, trained by teacher forcing to run freely like the data.

    z_(t+1) = A z_t + W f(z_t) + h + C s_t, A diagonal, f the identity on all units but the last `rectified`, where it
    is max(z, 0); the first units are the channels (standardised), s known inputs. `latent` units (None: 20, or three a
    channel). There are 2^rectified linear regions, so that fixed points, cycles and symbols are exact: few rectified
    units (2) are easy to read, many (None: half of the units) are more accurate.

    `teaching` draws the channels to the data while training: "sparse" at every `interval`-th row (None: 1.25 times
    the decorrelation time), "generalised" at every row by the share `strength`, "adaptive" by a share that is
    estimated from the Jacobians. `epochs` of `batches` updates on `batch_size` sequences of `length` steps; the
    learning rate falls from the first to the second `rate`; `noise` (standard deviations) is added to the data that the
    network is drawn to; `penalty` on the squares of 1 - A, W and h. Of `seeds` networks, and of the epochs of each, the
    one is kept whose free run on the held-out end of the longest stretch has the least sqrt(D_stsp D_H).

    Raises `SettingError` for settings out of range, `InsufficientData` for fewer than 40 consecutive rows. Cost: about
    0.2 microseconds a step and sequence of 20 units, hence half a minute a seed. Not for a quick forecast, and not
    where a few thousand clean rows allow NVAR. Source: Brenner, Hemmer, Monfared & Durstewitz, Almost-linear RNNs,
    NeurIPS 2024 (arXiv 2410.14240); sparse forcing: Mikhaeil, Monfared & Durstewitz, NeurIPS 2022 (arXiv 2110.07238).
    """

    effort: ClassVar[int] = 2

    latent: int | None = None
    rectified: int | None = None
    teaching: Literal["sparse", "generalised", "adaptive"] = "sparse"
    interval: int | None = None
    strength: float = 0.2
    length: int = 200
    epochs: int = 600
    batches: int = 50
    batch_size: int = 16
    rate: tuple[float, float] = (3e-3, 3e-5)
    noise: float = 0.05
    penalty: float = 0.0
    seeds: int = 1

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        targets, inputs = training.signature.targets, len(training.signature.inputs)
        latent = max(20, 3 * targets) if self.latent is None else self.latent
        if not targets <= latent <= 2000:
            raise SettingError(
                f"latent must be {targets} (the number of channels) to 2000, got {latent}", place="AlmostLinearRNN"
            )
        rectified = min(latent // 2, latent - targets) if self.rectified is None else self.rectified
        if not 0 <= rectified <= latent:
            raise SettingError(f"rectified must be 0 to {latent}, got {rectified}", place="AlmostLinearRNN")
        plan = Plan(
            "AlmostLinearRNN", self.teaching, self.interval, self.strength, self.length, self.epochs, self.batches,
            self.batch_size, self.rate, self.noise, self.penalty, 0.0, self.seeds,
        )  # fmt: skip
        return learned(training, AlmostLinear(latent, inputs, rectified), False, plan, seed)
