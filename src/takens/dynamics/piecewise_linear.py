"""Piecewise-linear maps z' = A z + U relu(V z + c) + h: in each of their regions they are one affine map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.kinds import Map
from ..systems.rule import ArrayRule
from ..wording import printed

Array = NDArray[np.float64]
Regions = NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class PiecewiseLinear:
    """z' = A z + U relu(V z + c) + h, continuous and affine where no unit changes its sign.

    `linear (state, state)` is A, `outer (state, unit)` U, `inner (unit, state)` V, `threshold (unit,)` c and `offset
    (state,)` h. A region is the set of states in which the same units are on, V z + c > 0: `(unit,)` booleans. Raises
    `SettingError` for shapes that do not fit and for values that are not finite.
    """

    linear: Array
    outer: Array
    inner: Array
    threshold: Array
    offset: Array

    __repr__ = printed

    def __post_init__(self) -> None:
        for name in ("linear", "outer", "inner", "threshold", "offset"):
            value = np.array(getattr(self, name), dtype=np.float64)
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        states, units = len(self.offset), len(self.threshold)
        shapes = {"linear": (states, states), "outer": (states, units), "inner": (units, states),
                  "threshold": (units,), "offset": (states,)}  # fmt: skip
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value.shape != shape or not np.isfinite(value).all():
                raise SettingError(
                    f"{name} has shape {value.shape}" if value.shape != shape else f"{name} is not finite",
                    place="a piecewise-linear map", remedy=f"Give finite numbers of shape {shape}.",
                )  # fmt: skip

    @classmethod
    def almost_linear(cls, decay: ArrayLike, weights: ArrayLike, offset: ArrayLike, units: int) -> PiecewiseLinear:
        """z' = a * z + W [z_1, ..., z_(M-P), relu(z_(M-P+1)), ..., relu(z_M)] + h (AL-RNN), P the last `units`.

        `decay (state,)` is a, `weights (state, state)` W and `offset (state,)` h. Source: Brenner et al., Almost-linear
        RNNs, NeurIPS 2024.
        """
        diagonal, matrix = np.array(decay, dtype=np.float64), np.array(weights, dtype=np.float64)
        size = len(diagonal)
        if diagonal.ndim != 1 or matrix.shape != (size, size) or not 0 <= units <= size:
            raise SettingError(f"decay {diagonal.shape}, weights {matrix.shape} and {units} units do not fit")
        passed = size - units
        linear = np.diag(diagonal)
        linear[:, :passed] += matrix[:, :passed]
        return cls(linear, matrix[:, passed:], np.eye(size)[passed:], np.zeros(units), np.asarray(offset))

    @classmethod
    def shallow(
        cls, decay: ArrayLike, outer: ArrayLike, inner: ArrayLike, threshold: ArrayLike, offset: ArrayLike, *,
        clipped: bool,
    ) -> PiecewiseLinear:  # fmt: skip
        """z' = a * z + W1 relu(W2 z + h2) + h1, or with relu(W2 z + h2) - relu(W2 z) where `clipped` (shallow PLRNN).

        `decay (state,)` is a, `outer (state, unit)` W1, `inner (unit, state)` W2, `threshold (unit,)` h2 and `offset
        (state,)` h1. A clipped unit is two units of a piecewise-linear map. Source: Hess et al., Generalized teacher
        forcing, ICML 2023.
        """
        first, second, shift = (np.array(value, dtype=np.float64) for value in (outer, inner, threshold))
        if clipped:
            first, second = np.concatenate([first, -first], axis=1), np.concatenate([second, second])
            shift = np.concatenate([shift, np.zeros_like(shift)])
        return cls(np.diag(np.asarray(decay, dtype=np.float64)), first, second, shift, np.asarray(offset))

    @property
    def dimension(self) -> int:
        """The number of states."""
        return len(self.offset)

    @property
    def units(self) -> int:
        """The number of units, and so of the borders of regions."""
        return len(self.threshold)

    def activation(self, states: ArrayLike) -> Array:
        """V z + c `(..., unit)` at `states (..., state)`."""
        return np.asarray(states, dtype=np.float64) @ self.inner.T + self.threshold

    def regions(self, states: ArrayLike) -> Regions:
        """Which units are on `(..., unit)` at `states (..., state)`."""
        return np.asarray(self.activation(states) > 0)

    def values(self, states: ArrayLike) -> Array:
        """The next states `(..., state)`."""
        z = np.asarray(states, dtype=np.float64)
        return np.asarray(z @ self.linear.T + np.maximum(self.activation(z), 0.0) @ self.outer.T + self.offset)

    def affine(self, regions: Regions) -> tuple[Array, Array]:
        """The map z' = J z + b in `regions (..., unit)`: J `(..., state, state)` and b `(..., state)`."""
        on = np.asarray(regions, dtype=np.float64)
        slopes = self.linear + (self.outer * on[..., None, :]) @ self.inner
        return slopes, (on * self.threshold) @ self.outer.T + self.offset

    def orbit(self, initial: ArrayLike, length: int) -> Array:
        """The states `(time, state)` from `initial (state,)` on; infinite or NaN from where they leave all numbers."""
        rows = np.empty((length, self.dimension))
        rows[0] = initial
        with np.errstate(all="ignore"):
            for n in range(1, length):
                rows[n] = self.values(rows[n - 1])
        return rows

    def system(self, name: str = "piecewise-linear map", initial: ArrayLike | None = None) -> Map:
        """The map as a system with exact Jacobian, whose states are z1, z2, ..., from `initial (state,)` (None: 0)."""

        def values(time: Array, states: Array, parameters: Mapping[str, Any]) -> Array:
            return self.values(states)

        def slopes(time: Array, states: Array, parameters: Mapping[str, Any]) -> Array:
            return self.affine(self.regions(states))[0]

        names = tuple(f"z{i}" for i in range(1, self.dimension + 1))
        rule = ArrayRule(names, values, (), slopes, time="n", says=f"A z + U relu(V z + c) + h with {self.units} units")
        start = np.zeros(self.dimension) if initial is None else np.asarray(initial, dtype=np.float64)
        return Map(name, rule, {}, start)
