"""Outcome spaces: how a series becomes a sequence of symbols whose entropy is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ..base import Refused
from ..entropy_definitions import Array
from ..ordinal.patterns import Ties, break_ties, ordinal_patterns

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Symbols:
    """A sequence of symbols `code (time,)` in 0 ... `size` - 1, each made of `span` successive samples."""

    code: Codes
    size: int
    span: int


class Space(Protocol):
    """A way to turn values `(time,)` into symbols; `rng` is for those that need chance."""

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """The symbols of `x`."""
        ...


def words(classes: Codes, count: int, length: int, delay: int) -> Symbols:
    """Words of `length` of `count` classes, `delay` samples apart, as numbers; raises `SettingError` and `Refused`."""
    if count < 2 or length < 1 or delay < 1 or count**length > 2**24:
        raise SettingError(
            f"{count} classes in words of {length} at delay {delay}", place="space",
            remedy="Take at least 2 classes, length and delay at least 1, and at most 16 million words.",
        )  # fmt: skip
    present = len(classes) - (length - 1) * delay
    if present < 1:
        raise Refused(f"{len(classes)} values hold no word of {length} values at delay {delay}")
    code = np.zeros(present, dtype=np.int64)
    for i in range(length):
        code = code * count + classes[i * delay : i * delay + present]
    return Symbols(code, count**length, (length - 1) * delay + 1)


@dataclass(frozen=True)
class Ordinal:
    """Ordinal patterns of `order` values, `delay` samples apart (Bandt and Pompe 2002)."""

    order: int = 4
    delay: int = 1
    ties: Ties = "random"

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """Lehmer codes; equal values in random order or as rising."""
        ranked = break_ties(x, rng) if self.ties == "random" else x
        code = ordinal_patterns(ranked, self.order, self.delay)
        return Symbols(code, factorial(self.order), (self.order - 1) * self.delay + 1)


@dataclass(frozen=True)
class Dispersion:
    """Words of classes that are equally likely under a normal distribution (Rostaghi and Azami 2016)."""

    classes: int = 6
    length: int = 2
    delay: int = 1

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """Class round(c Phi((x - mean) / sd) + 1/2), words of them."""
        from scipy.special import ndtr

        share = ndtr((x - x.mean()) / x.std())
        classes = np.minimum((self.classes * share).astype(np.int64), self.classes - 1)
        return words(classes, self.classes, self.length, self.delay)


@dataclass(frozen=True)
class Quantiles:
    """Words of classes that are equally frequent in the series: no monotone distortion changes them."""

    classes: int = 3
    length: int = 3
    delay: int = 1

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """Classes by quantiles (equal values in one class), words of them."""
        edges = np.quantile(x, np.arange(1, self.classes) / self.classes)
        return words(np.searchsorted(edges, x, side="right"), self.classes, self.length, self.delay)


@dataclass(frozen=True)
class ValueHistogram:
    """Bins of equal width over the range of the values; None: as many as Freedman and Diaconis' rule gives (1981)."""

    bins: int | None = None

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """The bin of each value."""
        low, high = float(x.min()), float(x.max())
        bins = self.bins
        if bins is None:
            quartiles = np.quantile(x, [0.25, 0.75])
            width = 2 * float(quartiles[1] - quartiles[0]) / len(x) ** (1 / 3)
            bins = min(max(int(np.ceil((high - low) / width)) if width > 0 else 10, 2), 1000)
        if bins < 2:
            raise SettingError(f"bins must be at least 2, got {bins}", place="bins")
        if not high > low:
            raise Refused("the values are constant")
        code = np.minimum(((x - low) / (high - low) * bins).astype(np.int64), bins - 1)
        return Symbols(code, bins, 1)


@dataclass(frozen=True)
class Swaps:
    """The number of swaps in which bubble sort orders `length` successive values (Manis et al. 2017)."""

    length: int = 10
    delay: int = 1

    def encode(self, x: Array, rng: np.random.Generator) -> Symbols:
        """Inversions of each delay vector, 0 to length (length - 1) / 2; equal values need no swap."""
        if self.length < 2 or self.length > 100 or self.delay < 1:
            raise SettingError(f"length must be 2 to 100 and delay at least 1, got {self.length}, {self.delay}")
        if len(x) - (self.length - 1) * self.delay < 1:
            raise Refused(f"{len(x)} values hold no vector of {self.length} values at delay {self.delay}")
        from ..kernels.ordinal import lehmer_codes

        ones = np.ones(self.length, dtype=np.int64)
        code, _ = lehmer_codes(np.ascontiguousarray(x), self.length, self.delay, ones)
        return Symbols(
            code.astype(np.int64), self.length * (self.length - 1) // 2 + 1, (self.length - 1) * self.delay + 1
        )


SPACES: dict[str, Space] = {
    "value histogram": ValueHistogram(),
    "ordinal": Ordinal(),
    "dispersion": Dispersion(),
    "quantiles": Quantiles(),
    "swaps": Swaps(),
}
"""The spaces, with their defaults, by the names that settings may use."""
