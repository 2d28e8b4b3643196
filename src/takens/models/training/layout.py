"""Named arrays as one flat vector and back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from ...errors import SettingError
from ..base import Array
from .problems import Parameters


@dataclass(frozen=True)
class Layout:
    """Names and shapes of parameters in the order in which they lie in the vector, and where each ends."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, parameters: Parameters) -> Layout:
        """The layout of these parameters, by name."""
        names = tuple(sorted(parameters))
        shapes = tuple(np.shape(parameters[name]) for name in names)
        return cls(names, shapes, tuple(accumulate(map(prod, shapes))))

    def pack(self, parameters: Parameters, xp: Any = np) -> Any:
        """The vector `(parameter,)`; NumPy or `jax.numpy` as `xp` says."""
        return xp.concatenate([parameters[name].reshape(-1) for name in self.names])

    def unpack(self, vector: Any) -> Parameters:
        """The arrays by name, as views of the vector."""
        pieces, begin = {}, 0
        for name, shape, end in zip(self.names, self.shapes, self.ends, strict=True):
            pieces[name] = vector[begin:end].reshape(shape)
            begin = end
        return pieces

    def mask(self, spared: tuple[str, ...]) -> Array:
        """1 for parameters that decay, 0 for those called in `spared`. Raises `SettingError` for an unknown name."""
        if unknown := [name for name in spared if name not in self.names]:
            raise SettingError(
                f"no parameter {unknown[0]!r} to spare", place="train", remedy=f"Parameters: {', '.join(self.names)}."
            )
        sizes = zip(self.names, self.shapes, strict=True)
        return np.concatenate([np.full(prod(shape), float(name not in spared)) for name, shape in sizes])
