"""From counts of outcomes to an entropy: probability estimators and corrections of the bias of small samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...errors import SettingError
from ..entropy_definitions import Array, Definition


class Estimator(Protocol):
    """How the sum of a definition's terms is estimated from `counts (outcomes,)`, absent outcomes included."""

    def total(self, counts: Array, definition: Definition) -> float:
        """The estimated sum of terms."""
        ...


@dataclass(frozen=True)
class RelativeFrequency:
    """Plug-in: p_i = n_i / N. Too low for Shannon by about (outcomes - 1) / (2 N)."""

    def total(self, counts: Array, definition: Definition) -> float:
        """sum term(n_i / N)."""
        n = counts[counts > 0]
        return float(definition.term(n / n.sum()).sum())


@dataclass(frozen=True)
class AddConstant:
    """p_i = (n_i + c) / (N + c M) over all M outcomes: 1 is Laplace's rule, 1/2 Jeffreys', 1/M Schuermann-Grassberger.

    Not for spaces with forbidden outcomes, which it calls possible.
    """

    constant: float = 1.0

    def __post_init__(self) -> None:
        if not self.constant > 0:
            raise SettingError(f"constant must be positive, got {self.constant}", place="constant")

    def total(self, counts: Array, definition: Definition) -> float:
        """sum term((n_i + c) / (N + c M))."""
        raised = counts + self.constant
        return float(definition.term(raised / raised.sum()).sum())


@dataclass(frozen=True)
class MillerMadow:
    """Plug-in less its bias to second order: for Shannon it adds (observed outcomes - 1) / (2 N) (Miller 1955)."""

    def total(self, counts: Array, definition: Definition) -> float:
        """sum term(p) - term''(p) p (1 - p) / (2 N)."""
        n = counts[counts > 0]
        p = n / n.sum()
        return float((definition.term(p) - definition.curvature(p) * p * (1 - p) / (2 * n.sum())).sum())


@dataclass(frozen=True)
class Jackknife:
    """N T - (N - 1) times the mean of T with one observation left out (Zahl 1977), for any definition."""

    def total(self, counts: Array, definition: Definition) -> float:
        """The jackknifed sum of terms; needs two observations."""
        n = counts[counts > 0]
        size = n.sum()
        if size < 2:
            raise SettingError("the jackknife needs two observations", place="counts")
        # Without one of outcome i all others have share n_j / (N - 1): their sum once, and cell i put right.
        others = definition.term(n / (size - 1)).sum() - definition.term(n / (size - 1))
        left = (n - 1) / (size - 1)
        own = np.where(left > 0, definition.term(np.where(left > 0, left, 1.0)), 0.0)
        without = others + own
        return float(size * definition.term(n / size).sum() - (size - 1) * (n * without).sum() / size)


@dataclass(frozen=True)
class ChaoShen:
    """Coverage-adjusted Horvitz-Thompson: p_i scaled by 1 - singletons / N, each term over its chance to be seen.

    Chao and Shen (2003): good where many outcomes are rare. Where every outcome occurs once, one singleton is left out,
    since the sample then says nothing about the coverage.
    """

    def total(self, counts: Array, definition: Definition) -> float:
        """sum term(p) / (1 - (1 - p)^N) with p = coverage n / N."""
        n = counts[counts > 0]
        size = n.sum()
        singletons = min(float(np.sum(n == 1)), size - 1)
        p = (1 - singletons / size) * n / size
        seen = -np.expm1(size * np.log1p(-np.minimum(p, 1 - 1e-15)))
        return float((definition.term(p) / seen).sum())


ESTIMATORS: dict[str, Estimator] = {
    "relative frequency": RelativeFrequency(),
    "add one": AddConstant(1.0),
    "Miller-Madow": MillerMadow(),
    "jackknife": Jackknife(),
    "Chao-Shen": ChaoShen(),
}
"""The estimators by the names that settings may use."""
