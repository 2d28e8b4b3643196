"""The equations that fixed points and cycles fulfil, for the solvers of `roots`."""

from __future__ import annotations

from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..systems.base import System
from ..systems.equations import Equations
from ..systems.symbols.evaluate import Program, program
from ..systems.symbols.intervals import Interval, interval, operation
from .contraction import Bounds
from .roots import Problem

Array = NDArray[np.float64]


@final
class ClosedOrbit(Problem):
    """f(x) = 0 for a flow; f(x_k) = x_(k+1), k = 1 ... period, x_(period + 1) = x_1, for a map.

    All points of a cycle are unknowns, `(point, period x state)`: bounds of each step stay narrow, those of a map
    iterated many times do not.
    """

    def __init__(self, system: System, period: int = 1) -> None:
        self.system, self.period = system, period
        self.size = period * system.dimension

    def values(self, x: Array) -> Array:
        """What must be 0 `(point, size)`."""
        states = self._states(x)
        found = self.system.rhs(0.0, states)
        if self.system.stepwise:
            found = found - np.roll(states, -1, axis=1)
        return found.reshape(x.shape)

    def slopes(self, x: Array) -> Array:
        """The derivatives `(point, size, size)` of `values`."""
        return self._blocks(self.system.jacobian(0.0, self._states(x)))

    def bounds(self, low: Array, high: Array) -> Bounds:
        """Bounds over boxes `(box, size)`."""
        states = self._states(low), self._states(high)
        shape, size = states[0].shape, self.system.dimension
        value = self._bounded(self._value_program, *states, (size,))
        slope = self._bounded(self._slope_program, *states, (size, size))
        # A jump has no derivative that bounds what it does.
        rough = np.broadcast_to(value.rough, shape)[..., None]
        slope_low, slope_high = np.where(rough, -np.inf, slope.low), np.where(rough, np.inf, slope.high)
        if self.system.stepwise:
            after = np.roll(states[1], -1, axis=1), np.roll(states[0], -1, axis=1)
            value = Interval(
                np.nextafter(value.low - after[0], -np.inf), np.nextafter(value.high - after[1], np.inf), value.rough
            )
        blocks = self._blocks(slope_low), self._blocks(slope_high)
        if self.system.stepwise:
            blocks = np.nextafter(blocks[0], -np.inf), np.nextafter(blocks[1], np.inf)
        return Bounds(value.low.reshape(low.shape), value.high.reshape(low.shape), *blocks)

    def _states(self, x: Array) -> Array:
        return x.reshape(len(x), self.period, self.system.dimension)

    def _blocks(self, slopes: Array) -> Array:
        """The whole Jacobian from those of the steps `(point, period, state, state)`."""
        count, size = self.period, self.system.dimension
        whole = np.zeros((len(slopes), count, size, count, size))
        for k in range(count):
            whole[:, k, :, k, :] += slopes[:, k]
            if self.system.stepwise:
                whole[:, k, :, (k + 1) % count, :] -= np.eye(size)
        return whole.reshape(len(slopes), self.size, self.size)

    @cached_property
    def _value_program(self) -> Program:
        rule = self._rule
        return program(rule.expressions, rule.inputs, rule.auxiliary, operation)

    @cached_property
    def _slope_program(self) -> Program:
        definitions, rows = self._rule.jacobian
        return program([entry for row in rows for entry in row], self._rule.inputs, definitions, operation)

    @property
    def _rule(self) -> Equations:
        if not isinstance(self.system.rule, Equations):
            raise SettingError("there are no equations to bound", place=self.system.name, remedy='Use method="search".')
        return self.system.rule

    def _bounded(self, form: Program, low: Array, high: Array, tail: tuple[int, ...]) -> Interval:
        """The intervals of a program's results over boxes `(box, period, state)`, in one array each."""
        rule, leading = self._rule, low.shape[:-1]
        given: dict[str, Interval] = {rule.time: interval(0.0)}
        given |= {name: interval(value) for name, value in self.system.parameters.items()}
        given |= {name: Interval(low[..., i], high[..., i], False) for i, name in enumerate(rule.states)}
        found = [interval(value) for value in form([given[name] for name in rule.inputs])]
        arrays = [np.empty((*leading, len(found))) for _ in range(2)]
        rough = np.zeros((*leading, len(found)), dtype=bool)
        for i, part in enumerate(found):
            arrays[0][..., i], arrays[1][..., i], rough[..., i] = part.low, part.high, part.rough
        shape = (*leading, *tail)
        return Interval(arrays[0].reshape(shape), arrays[1].reshape(shape), rough.reshape(shape))
