"""What the steps of a verdict look at: one channel and what several of them need of it, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..measures.base import REGISTRY, Channel
from ..measures.embedding.delays import delay_steps, mean_period_steps, theiler_steps
from ..measures.surrogates import end_matched, iaaft, normal_scores
from ..measures.timescales import autocorrelation_function, correlation_steps, integral_steps
from ..random import generator

Array = NDArray[np.float64]

LONGEST = 20_000
"""Samples that a verdict looks at, at most: of longer records the middle, thinned as far as their pace allows."""
TESTED = 2048
"""Samples that are compared with surrogates, at most."""
SURROGATES = 99
"""Surrogates: the smallest p-value is 0.01."""


@dataclass(frozen=True, eq=False)
class View:
    """One channel as a verdict sees it: `channel` with its clock, and `seed` for everything drawn at random."""

    channel: Channel
    seed: int = 0

    @cached_property
    def _portion(self) -> tuple[Array, int, str]:
        return self.channel.portion(LONGEST, 10)

    @property
    def used(self) -> str:
        """Which part of the channel is looked at, in words; empty for all of it."""
        return self._portion[2]

    @property
    def stride(self) -> int:
        """One sample in so many is looked at."""
        return self._portion[1]

    @cached_property
    def x(self) -> Array:
        """The values looked at `(time,)`, with mean 0 and variance 1; `stride` samples of the channel apart."""
        x = self._portion[0]
        scaled = x / np.abs(x).max()  # so that squares of huge values do not overflow
        return np.asarray((scaled - scaled.mean()) / scaled.std())

    @cached_property
    def part(self) -> Channel:
        """The same values as a channel that measures take, in steps."""
        return Channel(self.x, np.arange(float(len(self.x))), 1.0, "step", "", self.used or "all")

    @cached_property
    def period(self) -> float:
        """Mean period in samples looked at."""
        return mean_period_steps(self.x)

    @property
    def cycles(self) -> float:
        """Mean periods in the record."""
        return len(self.x) / self.period

    @cached_property
    def delay(self) -> int:
        """Embedding delay in samples looked at: first minimum of the mutual information, at most twice the memory.

        The mutual information of noise has no minimum, and the place of the lowest of its wiggles means nothing.
        """
        return max(1, min(delay_steps(self.x), 2 * correlation_steps(self.x), len(self.x) // 40))

    @cached_property
    def theiler(self) -> int:
        """Samples within which neighbours in time do not count."""
        return min(theiler_steps(self.x), len(self.x) // 20)

    @cached_property
    def memory(self) -> float:
        """Integral time scale in samples looked at."""
        return float(integral_steps(self.x)[0])

    @cached_property
    def autocorrelation(self) -> Array:
        """Autocorrelation at lags 0 to half the record, each divided by the number of pairs it has."""
        n = len(self.x)
        rho = autocorrelation_function(self.x, n // 2)
        return np.asarray(rho * n / (n - np.arange(len(rho))))

    @cached_property
    def thinned(self) -> Array:
        """The values one delay apart where the record is finely sampled, so that steps are as long as memory allows."""
        from ..measures.zero_one import sampling_stride

        return self.x[:: min(sampling_stride(self.x)[0], max(1, len(self.x) // 200))]

    @cached_property
    def tested(self) -> Array:
        """Normal scores of the part that surrogates are made of, whose ends match; ranks are all the null keeps."""
        x, _, _ = self.part.portion(TESTED)
        x = normal_scores(x)
        start, stop = end_matched(x)
        return normal_scores(x[start:stop])

    @cached_property
    def tested_delay(self) -> int:
        """First 1/e of the autocorrelation of the tested part, in its samples."""
        return min(correlation_steps(self.tested), max(1, len(self.tested) // 20))

    @cached_property
    def family(self) -> Array:
        """The tested part and its surrogates `(1 + surrogate, time)`: linear noise of the same spectrum and values."""
        copies = iaaft(self.tested, SURROGATES, generator(self.seed, "verdict", "surrogates"), iterations=50)
        return np.concatenate([self.tested[None], copies])

    def measured(self, name: str, **settings: Any) -> Estimate:
        """The estimate of a registered measure of the values looked at, in steps."""
        return REGISTRY[name].on(self.part, "x", seed=self.seed, **settings)
