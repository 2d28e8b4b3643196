"""Expression trees as NumPy programs: every sub-expression once, in order, vectorised over the elements of its inputs.

Semantics, shared by all back ends. Numbers are float64. Nothing warns: division by zero, overflow and arguments outside
a domain give infinity or NaN as in IEEE 754. `%` is the floored remainder, with the sign of the divisor. A comparison
is 1 or 0, and 0 with NaN except for `!=`. As a truth value 0 is false and everything else, NaN too, is true. Both
branches of a conditional are evaluated, one is taken. `min` and `max` give NaN if either argument is NaN; `sign(0)` is
0 and `heaviside(0)` is 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .tree import (
    CONSTANTS,
    Binary,
    Call,
    Compare,
    Conditional,
    Expression,
    Logical,
    Name,
    Negative,
    Number,
)
from .walk import parts, postorder

Array = NDArray[np.float64]
Operation = Callable[..., Any]

LARGEST_PRODUCT = 64
"""Constant integer exponents up to this size are repeated multiplication; larger ones the library's power."""


def _compare(relation: np.ufunc, left: ArrayLike, right: ArrayLike) -> Any:
    return np.multiply(relation(left, right), 1.0)


def _select(test: ArrayLike, then: ArrayLike, otherwise: ArrayLike) -> Any:
    return np.where(np.not_equal(test, 0.0), then, otherwise)


def _integer_power(exponent: int, base: Any) -> Any:
    """base**exponent by squaring."""
    result, square, left = None, base, abs(exponent)
    while left:
        if left & 1:
            result = square if result is None else np.multiply(result, square)
        left >>= 1
        if left:
            square = np.multiply(square, square)
    if result is None:
        return np.ones_like(base)
    return np.true_divide(1.0, result) if exponent < 0 else result


def _heaviside(x: ArrayLike) -> Any:
    return np.heaviside(x, 0.5)


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


BINARY: dict[str, Operation] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "**": np.power, "%": np.mod,
    "<": partial(_compare, np.less), "<=": partial(_compare, np.less_equal), ">": partial(_compare, np.greater),
    ">=": partial(_compare, np.greater_equal), "==": partial(_compare, np.equal),
    "!=": partial(_compare, np.not_equal), "and": partial(_compare, np.logical_and),
    "or": partial(_compare, np.logical_or),
}  # fmt: skip

CALLS: dict[str, Operation] = {
    "abs": np.abs, "sign": np.sign, "sqrt": np.sqrt, "cbrt": np.cbrt, "exp": np.exp, "expm1": np.expm1, "log": np.log,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "floor": np.floor, "ceil": np.ceil, "min": np.minimum,
    "max": np.maximum, "heaviside": _heaviside, "erf": _erf,
}  # fmt: skip


def operation(expression: Expression) -> Operation:
    """The NumPy function that makes the value of an expression from the values of its `parts`."""
    match expression:
        case Negative():
            return np.negative
        case Call(function, _):
            return CALLS[function]
        case Conditional():
            return _select
        case Binary("**", _, Number(value)) if value.is_integer() and abs(value) <= LARGEST_PRODUCT:
            return partial(_raise_to, int(value))
        case Binary() | Compare() | Logical():
            return BINARY[expression.operator]
    raise TypeError(f"{type(expression).__name__} has no operation")


def _raise_to(exponent: int, base: Any, _exponent: Any) -> Any:
    return _integer_power(exponent, base)


@dataclass(frozen=True)
class Program:
    """Expressions as a list of array operations without repetition: `y = program(values)`.

    `values` are arrays, one per name of `inputs`, that broadcast against one another; the result holds one array per
    expression. Build it with `program`. Cost: one NumPy operation per distinct sub-expression. For one long trajectory
    the compiled form is hundreds of times faster; this one is for many states at once, and for checking.
    """

    inputs: tuple[str, ...]
    slots: tuple[float | None, ...]
    steps: tuple[tuple[int, Operation, tuple[int, ...]], ...]
    outputs: tuple[int, ...]

    def __call__(self, values: Sequence[ArrayLike]) -> list[Any]:
        store: list[Any] = list(self.slots)
        store[: len(self.inputs)] = values
        with np.errstate(all="ignore"):
            for target, function, sources in self.steps:
                store[target] = function(*[store[i] for i in sources])
        return [store[i] for i in self.outputs]


def program(
    expressions: Sequence[Expression],
    inputs: Sequence[str],
    definitions: Sequence[tuple[str, Expression]] = (),
    operations: Callable[[Expression], Operation] = operation,
) -> Program:
    """The program of `expressions` over the names `inputs`; `definitions` are evaluated first and name their values.

    `operations` gives the function of a node; others than `operation` compute with other things than arrays.
    An input or definition takes precedence over a constant of the same name. Raises KeyError for a name that is
    neither. Cost: linear in the number of nodes, shared ones counted once.
    """
    building = _Building(inputs, operations)
    for name, expression in definitions:
        building.named[name] = building.place([expression])[0]
    outputs = building.place(expressions)
    return Program(tuple(inputs), tuple(building.slots), tuple(building.steps), outputs)


class _Building:
    """The state of translation: which slot holds which value."""

    def __init__(self, inputs: Sequence[str], operations: Callable[[Expression], Operation]) -> None:
        self.operations = operations
        self.slots: list[float | None] = [None] * len(inputs)
        self.steps: list[tuple[int, Operation, tuple[int, ...]]] = []
        self.named: dict[str, int] = {name: i for i, name in enumerate(inputs)}
        self.known: dict[Any, int] = {}

    def place(self, expressions: Sequence[Expression]) -> tuple[int, ...]:
        """The slots of the values of some expressions; operations already there are used again."""
        found: dict[int, int] = {}
        for node in postorder(expressions):
            match node:
                case Number(value):
                    found[id(node)] = self.constant(value)
                case Name(name):
                    found[id(node)] = self.named[name] if name in self.named else self.constant(CONSTANTS[name])
                case _:
                    found[id(node)] = self.operation(node, tuple(found[id(part)] for part in parts(node)))
        return tuple(found[id(e)] for e in expressions)

    def operation(self, node: Expression, sources: tuple[int, ...]) -> int:
        key = (type(node).__name__, getattr(node, "operator", getattr(node, "function", "")), sources)
        if key not in self.known:
            self.known[key] = len(self.slots)
            self.steps.append((len(self.slots), self.operations(node), sources))
            self.slots.append(None)
        return self.known[key]

    def constant(self, value: float) -> int:
        if value not in self.known:
            self.known[value] = len(self.slots)
            self.slots.append(float(value))
        return self.known[value]


def evaluate(expression: Expression, values: Mapping[str, ArrayLike]) -> Array:
    """The value of one expression where names have the given `values`, which broadcast against one another.

    For repeated evaluation build a `program` once. Raises KeyError for a name without a value.
    """
    given = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    shape = np.broadcast_shapes(*(v.shape for v in given.values()))
    return np.array(np.broadcast_to(program([expression], tuple(given))(list(given.values()))[0], shape))
