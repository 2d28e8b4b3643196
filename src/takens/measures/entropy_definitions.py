"""What an entropy is: sums over the probabilities of outcomes, with the derivatives that their uncertainty needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError

Array = NDArray[np.float64]


class Definition(Protocol):
    """An entropy f(sum_i term(p_i)): the sum's terms and their first two derivatives at p > 0, and f (`finish`)."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def term(self, p: Array) -> Array:
        """The term of each probability."""
        ...

    def slope(self, p: Array) -> Array:
        """The first derivative of the term."""
        ...

    def curvature(self, p: Array) -> Array:
        """The second derivative of the term."""
        ...

    def finish(self, total: Array | float) -> Array:
        """The entropy that belongs to a sum of terms; monotone."""
        ...


@dataclass(frozen=True)
class Shannon:
    """S = -sum p ln p, in nats (Shannon 1948)."""

    name = "Shannon"

    def term(self, p: Array) -> Array:
        """-p ln p."""
        return -p * np.log(p)

    def slope(self, p: Array) -> Array:
        """-ln p - 1."""
        return -np.log(p) - 1

    def curvature(self, p: Array) -> Array:
        """-1 / p."""
        return -1 / p

    def finish(self, total: Array | float) -> Array:
        """The sum itself."""
        return np.asarray(total, dtype=float)


@dataclass(frozen=True)
class _Power:
    """Sums of p^q; raises `SettingError` unless `q` is positive and not 1, where they say nothing (use `Shannon`)."""

    q: float = 2.0

    def __post_init__(self) -> None:
        if not self.q > 0 or self.q == 1:
            raise SettingError(f"q must be positive and not 1, got {self.q}", place="q", remedy="q = 1 is Shannon().")

    def term(self, p: Array) -> Array:
        """p^q."""
        return p**self.q

    def slope(self, p: Array) -> Array:
        """q p^(q - 1)."""
        return self.q * p ** (self.q - 1)

    def curvature(self, p: Array) -> Array:
        """q (q - 1) p^(q - 2)."""
        return self.q * (self.q - 1) * p ** (self.q - 2)


@dataclass(frozen=True)
class Renyi(_Power):
    """R = ln(sum p^q) / (1 - q), in nats (Renyi 1961)."""

    name = "Renyi"

    def finish(self, total: Array | float) -> Array:
        """ln(total) / (1 - q)."""
        return np.log(np.maximum(total, np.finfo(float).tiny)) / (1 - self.q)


@dataclass(frozen=True)
class Tsallis(_Power):
    """T = (1 - sum p^q) / (q - 1) (Tsallis 1988)."""

    name = "Tsallis"

    def finish(self, total: Array | float) -> Array:
        """(1 - total) / (q - 1)."""
        return (1 - np.asarray(total, dtype=float)) / (self.q - 1)


@dataclass(frozen=True)
class Extropy:
    """J = -sum (1 - p) ln(1 - p), the dual of Shannon's entropy (Lad, Sanfilippo and Agro 2015)."""

    name = "extropy"

    def term(self, p: Array) -> Array:
        """-(1 - p) ln(1 - p), 0 at p = 1."""
        rest = 1 - p
        return -rest * np.log(np.where(rest > 0, rest, 1.0))

    def slope(self, p: Array) -> Array:
        """ln(1 - p) + 1."""
        return np.log(np.maximum(1 - p, np.finfo(float).tiny)) + 1

    def curvature(self, p: Array) -> Array:
        """-1 / (1 - p)."""
        return -1 / np.maximum(1 - p, np.finfo(float).tiny)

    def finish(self, total: Array | float) -> Array:
        """The sum itself."""
        return np.asarray(total, dtype=float)


def largest(definition: Definition, size: int) -> float:
    """The entropy of `size` equally likely outcomes."""
    return float(definition.finish(size * definition.term(np.array([1.0 / size]))[0]))
