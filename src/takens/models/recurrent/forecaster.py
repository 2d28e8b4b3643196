"""The linear recurrent forecaster: one network, four recurrences, trained on its own free runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

import numpy as np

from ...errors import SettingError
from ...random import generator
from ..base import Law, Model, RecursiveLaw, Training, guard_box, scale_of, thinned
from ..selection import decorrelation, hold_out
from ..training import Exponential, Settings, train
from .backbones import LRU, LSSL, S4D, Backbone, Selective
from .law import RecurrentLaw
from .network import RecurrentNetwork
from .problem import Windows
from .rates import Stable

ORDERS = {"lru": 32, "s4d": 8, "lssl": 8, "selective": 4}
"""States of a block (LRU) or of each of its features where none are asked for."""
HELD_OUT = 0.15
"""Share of the data that is left out of the training and chooses the epoch."""
AVERAGE = 0.99
"""Memory of the running average of the weights: what is kept is calmer than the last update."""
RESIDUALS = 2000
"""Latest rows on which one-step errors are collected."""


@final
@dataclass(frozen=True)
class LinearRecurrent(Model):
    """A network whose only recurrence is linear in its state, so that whole sequences are trained without a loop.

    x' = x + N(x, s): an encoder, `layers` blocks of [norm, linear recurrence, gated linear unit] with `width` features,
    and a head for increments. `backbone`: lru (complex diagonal, shared by the features), s4d (complex diagonal, from
    the spectrum `start`: legs, lin or inv), lssl (the dense HiPPO-LegS memory), selective (the step depends on the
    data). `order` states (None: 32 of a block for lru, 8, 8, 4 of each feature for the others); `stable`
    reparameterisation of decay rates, exp or best (lssl needs none). Trained on windows of `context` given rows (None:
    twice the decorrelation time, 16 to 64) and `steps` rows of free run, `batch` of them an update, `batches` an epoch;
    `attractor` weighs the discrepancy (MMD) between free runs and data. Of `epochs` and `seeds` the weights are kept
    whose free runs on the held-out last 15 % are best. `rate` of learning falls to a hundredth.
    Raises `SettingError` for settings out of range, `InsufficientData` for fewer than 20 consecutive rows. Cost:
    minutes; `epochs` x `batches` x `batch` windows. Not for short or small data, nor where a polynomial map is exact:
    prefer NVAR or an echo state network, which fit in a second and reach farther on clean low-dimensional chaos.
    Source: Orvieto et al., ICML 2023; Gu et al., NeurIPS 2021 and 2022; Gu & Dao, COLM 2024; Wang & Li, ICML 2024.
    """

    effort: ClassVar[int] = 2
    backbone: Literal["lru", "s4d", "lssl", "selective"] = "lru"
    width: int = 32
    layers: int = 2
    order: int | None = None
    start: Literal["legs", "lin", "inv"] = "legs"
    stable: Stable = "exp"
    context: int | None = None
    steps: int = 8
    attractor: float = 0.0
    epochs: int = 100
    batches: int = 50
    batch: int = 64
    rate: float = 1e-2
    seeds: int = 1

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check()
        training.need(20, "a linear recurrent network")
        longest = max(map(len, training.stretches))
        context = self.context or int(np.clip(2 * decorrelation(training), 16, 64))
        context = max(2, min(context, longest // 3))
        problem = self._problem(training, context, max(1, min(self.steps, longest // 4)))
        # The clipping keeps a rare free run that goes astray from undoing what was learned.
        settings = Settings(
            self.epochs, self.batches, Exponential(self.rate, self.rate / 100), average=AVERAGE, clip=1.0,
            judge_every=max(1, self.epochs // 25),
        )  # fmt: skip
        seeds = [int(generator(seed, "recurrent", i).integers(2**31)) for i in range(self.seeds)]
        law = problem.law.with_weights(train(problem, settings, seeds=seeds).parameters)
        rows = [(piece - law.mean) / law.scale for piece in training.latest(RESIDUALS).stretches]
        found = [one for one in law.misfits(rows) if len(one)]
        return replace(law, residuals=thinned(np.concatenate(found) * law.scale))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, RecurrentLaw)
        return replace(self, context=law.context)

    def _problem(self, training: Training, context: int, steps: int) -> Windows:
        head, probe = hold_out(training, context, share=HELD_OUT)
        if max(map(len, head.stretches)) < context + steps:
            head, probe = training, None
        mean, scale = scale_of(head.stacked)
        stretches = [(piece - mean) / scale for piece in head.stretches]
        change = np.concatenate([np.diff(piece, axis=0) for piece in stretches])
        # Root mean square, not deviation: a steady drift is an increment too. A constant channel stays where it is.
        growth = np.sqrt((change**2).mean(axis=0))
        usual = np.where(growth > 1e-9, growth, 1.0)
        # Memories that start much shorter than the windows: longer ones would never be seen settled in training.
        network = RecurrentNetwork(self._backbone(max(2, context // 4)), self.layers, len(mean))
        low, high = guard_box(training.stacked)
        law = RecurrentLaw(
            training.signature, *training.closing(context), residuals=np.zeros((1, len(mean))), low=low, high=high,
            network=network, context=context, mean=mean, scale=scale, growth=np.where(growth > 1e-9, growth, 0.0),
            names=(), weights=(),
        )  # fmt: skip
        ends = np.cumsum([len(piece) for piece in stretches])
        starts = [
            np.arange(end - len(piece), end - context - steps + 1) for piece, end in zip(stretches, ends, strict=True)
        ]
        return Windows(
            network, np.concatenate(stretches), np.concatenate(starts), usual, context, steps, self.batch,
            training.signature.targets, self.attractor, law, probe,
        )  # fmt: skip

    def _backbone(self, reach: int) -> Backbone:
        order = self.order or ORDERS[self.backbone]
        if self.backbone == "s4d":
            return S4D(self.width, order, reach, self.stable, self.start)
        kinds: dict[str, type[LRU | LSSL | Selective]] = {"lru": LRU, "lssl": LSSL, "selective": Selective}
        return kinds[self.backbone](self.width, order, reach, self.stable)

    def _check(self) -> None:
        words = {"backbone": tuple(ORDERS), "start": ("legs", "lin", "inv"), "stable": ("exp", "best")}
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise SettingError(
                    f"no {name} {getattr(self, name)!r}", place="LinearRecurrent", remedy=f"Known: {', '.join(known)}."
                )
        rules = {
            "width": (1, 4096), "layers": (1, 64), "order": (1, 1024), "context": (2, 100_000), "steps": (1, 10_000),
            "attractor": (0, 1e6), "epochs": (1, 1e7), "batches": (1, 1e7), "batch": (1, 1e6), "rate": (1e-12, 1),
            "seeds": (1, 1000),
        }  # fmt: skip
        for name, (low, high) in rules.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low:g} to {high:g}, got {value}", place="LinearRecurrent")
