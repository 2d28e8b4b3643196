"""How a problem is trained."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import SettingError
from .optimisers import Optimiser, RAdam
from .schedules import Exponential, Schedule


@dataclass(frozen=True)
class Settings:
    """Length, rate and regularisation of a training.

    `epochs` of `batches` updates each. `rate` and `optimiser` as their names say. `average` is the memory of the
    exponential moving average of the weights that is judged and kept (0: the weights themselves; 0.999 averages over a
    thousand updates, over fewer at the start). `clip` bounds the norm of the gradient. `decay` shrinks the weights by
    rate x decay in each update (decoupled, as in AdamW) and `penalty` adds its half times their square to the loss;
    parameters named in `spared` are left out of both. The held-out statistic is computed after every `judge_every`
    epochs, and with `judge_first` also before the first, for weights that are good from the start; after `patience`
    times without a new best a seed stops.
    """

    epochs: int
    batches: int = 50
    rate: Schedule = Exponential()
    optimiser: Optimiser = RAdam()
    average: float = 0.0
    clip: float | None = None
    decay: float = 0.0
    penalty: float = 0.0
    spared: tuple[str, ...] = ()
    judge_every: int = 20
    judge_first: bool = False
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batches", "judge_every", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}", place="train")
        if not 0 <= self.average < 1:
            raise SettingError(f"average must be in [0, 1), got {self.average}", place="train")
        if self.decay < 0 or self.penalty < 0 or (self.clip is not None and self.clip <= 0):
            raise SettingError("decay and penalty must not be negative, and clip must be positive", place="train")
