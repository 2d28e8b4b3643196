"""What a law of motion computes: right-hand sides and their derivatives, from equations or from array code."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from .native.emit import Program

Array = NDArray[np.float64]


class Rule(abc.ABC):
    """g(t, x, p): one number for each state; frozen.

    `states` and `parameters` name the arguments in order, `time` the independent variable.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    time: str

    @property
    @abc.abstractmethod
    def autonomous(self) -> bool:
        """Whether the rule does not depend on time."""

    @property
    @abc.abstractmethod
    def program(self) -> Program | None:
        """What machine code is made from, or None where there is only array code."""

    @abc.abstractmethod
    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The right-hand sides `(..., state)` at states `x (..., state)`; time and parameters broadcast to `(...)`."""

    @abc.abstractmethod
    def slopes(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The Jacobian `(..., state, state)` at states `x (..., state)`: row i holds the derivatives of equation i."""

    @abc.abstractmethod
    def trace(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The trace `(...)` of the Jacobian at states `x (..., state)`."""

    @abc.abstractmethod
    def lines(self, left: str) -> str:
        """The rule as plain text, a line each; `left` is a left side with {} for the state."""

    @abc.abstractmethod
    def latex(self, *, kind: str) -> str:
        """The rule as a LaTeX `aligned` environment; a "flow" has dots on the left, a "map" the step as an index."""


@final
@dataclass(frozen=True, eq=False)
class ArrayRule(Rule):
    """A rule in array code, such as a law with fitted weights: `function(t, x, p)` over leading axes of `x`.

    `function` returns `(..., state)` for `x (..., state)`, a time `(...)` and parameters by name `(...)`; `derivative`
    its Jacobian `(..., state, state)`, or None for central differences. `says` is shown in the place of equations.
    """

    states: tuple[str, ...]
    function: Callable[[Array, Array, Mapping[str, Any]], Array]
    parameters: tuple[str, ...] = ()
    derivative: Callable[[Array, Array, Mapping[str, Any]], Array] | None = None
    time: str = "t"
    autonomous: bool = True
    says: str = "array code"

    @property
    def program(self) -> None:
        """Array code is not compiled."""
        return

    def values(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The right-hand sides `(..., state)`."""
        t, states, given = self._broadcast(time, x, parameters)
        return np.asarray(self.function(t, states, given), dtype=np.float64)

    def slopes(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The Jacobian `(..., state, state)`."""
        t, states, given = self._broadcast(time, x, parameters)
        if self.derivative is not None:
            return np.asarray(self.derivative(t, states, given), dtype=np.float64)
        columns = []
        for j in range(len(self.states)):
            # The cube root of the rounding error balances it with the truncation of a central difference.
            width = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(states[..., j]))
            ahead, behind = states.copy(), states.copy()
            ahead[..., j] += width
            behind[..., j] -= width
            span = (ahead[..., j] - behind[..., j])[..., None]
            columns.append((self.function(t, ahead, given) - self.function(t, behind, given)) / span)
        return np.stack(columns, axis=-1)

    def trace(self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """The trace `(...)` of the Jacobian."""
        return np.asarray(np.trace(self.slopes(time, x, parameters), axis1=-2, axis2=-1), dtype=np.float64)

    def lines(self, left: str) -> str:
        """One line that says where the numbers come from."""
        return f"{left.format('(' + ', '.join(self.states) + ')')} = {self.says}"

    def latex(self, *, kind: str) -> str:
        """One line that says where the numbers come from."""
        return rf"\begin{{aligned}}\text{{{self.says}}}\end{{aligned}}"

    def _broadcast(
        self, time: ArrayLike, x: ArrayLike, parameters: Mapping[str, ArrayLike]
    ) -> tuple[Array, Array, dict[str, Array]]:
        states = np.asarray(x, dtype=np.float64)
        t = np.asarray(time, dtype=np.float64)
        given = {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
        leading = np.broadcast_shapes(states.shape[:-1], t.shape, *(value.shape for value in given.values()))
        return t, np.broadcast_to(states, (*leading, states.shape[-1])), given
