"""What every source of series in the bank promises, and how settings are drawn."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """Numbers drawn evenly from `low` to `high`; evenly in the logarithm where `logarithmic`, whole where `whole`."""

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False

    def draw(self, random: np.random.Generator) -> float:
        """One number."""
        if self.whole:
            return int(random.integers(int(self.low), int(self.high) + 1))
        if self.logarithmic:
            return float(np.exp(random.uniform(np.log(self.low), np.log(self.high))))
        return float(random.uniform(self.low, self.high))


@dataclass(frozen=True)
class Source(abc.ABC):
    """One kind of series with known truth.

    `name` is unique in the bank, `system` what is never learned from and tested on in one (the catalogue's system,
    or the stochastic process), `family` the group it is listed under, `truth` its class.
    """

    name: str
    system: str
    family: str
    truth: str

    @property
    @abc.abstractmethod
    def sampled(self) -> bool:
        """Whether there are cycles that are sampled more or less finely."""

    @property
    def clean(self) -> bool:
        """Whether observational noise belongs to the process: `signal` adds it."""
        return self.truth == "linear noise"

    @abc.abstractmethod
    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """Plain settings of one series, `observable` among them."""

    @abc.abstractmethod
    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The values `(time,)`; `noise` is used by sources that are `clean` only."""


@final
@dataclass(frozen=True)
class Process(Source):
    """A process written as a function of a generator, a length and its parameters, which are drawn from ranges."""

    function: Callable[..., Array]
    ranges: Mapping[str, Range]
    observables: tuple[str, ...] = ("x",)

    @property
    def sampled(self) -> bool:
        """Time scales are among the parameters."""
        return False

    def draw(self, random: np.random.Generator) -> dict[str, Any]:
        """Each parameter from its range, and an observable: half of the time the process itself."""
        drawn: dict[str, Any] = {name: choice.draw(random) for name, choice in self.ranges.items()}
        plain = len(self.observables) == 1 or random.random() < 0.5
        return drawn | {"observable": "x" if plain else str(random.choice(self.observables[1:]))}

    def signal(
        self, settings: Settings, length: int, sampling: float, noise: float, random: np.random.Generator
    ) -> Array:
        """The process through its observable; noise comes before a distortion, so that Gaussian noise stays that."""
        from ..observing import monotone

        values = self.function(random, length, **{name: settings[name] for name in self.ranges})
        if self.clean and noise:
            values = values + noise * values.std() * random.normal(size=length)
        return monotone(settings["observable"], values)


class Registry(dict[str, Source]):
    """The sources of one module by name; functions join by the decorator that `process` gives."""

    def process(
        self, name: str, truth: str, family: str, *, system: str = "", observables: tuple[str, ...] = ("x",),
        **ranges: Range,
    ) -> Callable[[Callable[..., Array]], Callable[..., Array]]:  # fmt: skip
        """Register a function `(random, length, **parameters) -> (time,)` as a source."""

        def register(function: Callable[..., Array]) -> Callable[..., Array]:
            self.add(Process(name, system or name, family, truth, function, ranges, observables))
            return function

        return register

    def add(self, source: Source) -> None:
        """Register a source of any kind; names are unique."""
        assert source.name not in self, source.name
        self[source.name] = source
