"""Compiled steps of a periodic field: the same equations are the same machine code, whatever the parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import final

import numpy as np

from .fourier_scheme import Array, Scheme, Spectra, packed, packed_grid, unpacked
from .fourier_steps import SLOTS, V, functions
from .machine import POINTER, REAL, WHOLE, Machine

KEPT = 64
"""Compilations kept in this process; the least used goes first."""


@lru_cache(maxsize=KEPT)
def _kernel(scheme: Scheme) -> tuple[Machine, Callable[..., int]]:
    parts, used = functions(scheme)
    return _compiled(tuple(parts), frozenset(used))


@lru_cache(maxsize=KEPT)
def _compiled(parts: tuple[str, ...], used: frozenset[str]) -> tuple[Machine, Callable[..., int]]:
    machine = Machine(parts, used)
    kinds = (POINTER, WHOLE, *(POINTER,) * 4, REAL, REAL, *(WHOLE,) * 3, POINTER)
    return machine, machine.function("march", WHOLE, *kinds)


@final
class MachineSteps:
    """ETDRK4 steps of length `step` in machine code; `numbers` are the tables of the scheme for that step."""

    def __init__(self, scheme: Scheme, numbers: Array, points: Array, parameters: Array, step: float) -> None:
        self._scheme, self._tables, self._step = scheme, numbers, step
        self._x = packed_grid(points, scheme)
        self._parameters = np.ascontiguousarray(parameters, dtype=np.float64)
        self._machine, self._march = _kernel(scheme)

    def walk(self, spectra: Spectra, start: float, first: int, substeps: int, rows: int) -> tuple[Spectra, Spectra]:
        """Spectra of the field and of tangent vectors `(1 + vector, field, mode)` after `rows` times `substeps` steps.

        Returns them and the field's own `(row, field, mode)` at each row, fewer rows where one is not finite. The time
        of step i is start + step (first + i).
        """
        scheme = self._scheme
        blocks = packed(spectra, scheme)
        members = np.zeros((len(blocks), SLOTS, *blocks.shape[1:]))
        members[:, V] = blocks
        work = np.zeros((scheme.work, 2, scheme.row))
        out = np.empty((rows, *blocks.shape[1:]))
        done = self._march(
            members.ctypes.data, len(blocks) - 1, work.ctypes.data, self._x.ctypes.data, self._parameters.ctypes.data,
            self._tables.ctypes.data, start, self._step, first, substeps, rows, out.ctypes.data,
        )  # fmt: skip
        return unpacked(members[:, V], scheme), unpacked(out[:done], scheme)
