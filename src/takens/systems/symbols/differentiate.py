"""Exact derivatives of expression trees, lightly simplified: zeros and ones vanish, constants fold, signs move out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .tree import Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number
from .walk import postorder

ZERO = Number(0.0)
ONE = Number(1.0)
TWO = Number(2.0)


def differentiate(expression: Expression, name: str, inner: Mapping[str, Expression] | None = None) -> Expression:
    """The partial derivative of an expression by `name`, as a tree that shares sub-expressions with it.

    `inner` gives the derivatives of other names that depend on `name`, for the chain rule through auxiliary
    definitions; names that are not in it do not. Piecewise functions are differentiated on their pieces: `sign`,
    `floor`, `ceil`, `heaviside`, comparisons and tests have derivative 0, `abs` has `sign`, `min(a, b)` has the
    derivative of a where a <= b; at the points between pieces this is one of the one-sided derivatives, or their mean
    for `abs`. Jumps (delta functions) are left out: do not use it where a solution depends on them. Cost: linear in the
    number of distinct nodes.
    """
    by_name = {**(inner or {}), name: ONE}
    found: dict[int, Expression] = {}
    for node in postorder([expression]):
        found[id(node)] = _derivative(node, found, by_name)
    return found[id(expression)]


def _derivative(node: Expression, found: Mapping[int, Expression], by_name: Mapping[str, Expression]) -> Expression:
    """The derivative of a node from those of its operands."""
    match node:
        case Number() | Compare() | Logical():
            return ZERO
        case Name(name):
            return by_name.get(name, ZERO)
        case Negative(argument):
            return negative(found[id(argument)])
        case Binary():
            return _binary(node, found[id(node.left)], found[id(node.right)])
        case Conditional(test, then, otherwise):
            return _choice(test, found[id(then)], found[id(otherwise)])
        case Call(function, (argument,)):
            inner = found[id(argument)]
            return ZERO if inner == ZERO else _CALLS[function](argument, inner)
        case Call("atan2", (y, x)):
            across = subtract(multiply(x, found[id(y)]), multiply(y, found[id(x)]))
            return divide(across, add(power(x, TWO), power(y, TWO)))
        case Call(function, (a, b)):
            relation: Expression = Compare("<=" if function == "min" else ">=", a, b)
            return _choice(relation, found[id(a)], found[id(b)])
    raise TypeError(f"{type(node).__name__} has no derivative")


def _binary(node: Binary, dleft: Expression, dright: Expression) -> Expression:
    left, right = node.left, node.right
    match node.operator:
        case "+":
            return add(dleft, dright)
        case "-":
            return subtract(dleft, dright)
        case "*":
            return add(multiply(dleft, right), multiply(left, dright))
        case "/":
            return subtract(divide(dleft, right), divide(multiply(left, dright), power(right, TWO)))
        case "%":
            # left % right is left - right*floor(left/right), and the floor is constant on its pieces.
            return subtract(dleft, multiply(Call("floor", (Binary("/", left, right),)), dright))
    base = multiply(multiply(right, power(left, subtract(right, ONE))), dleft)
    return add(base, multiply(multiply(node, Call("log", (left,))), dright))


def _choice(test: Expression, then: Expression, otherwise: Expression) -> Expression:
    if isinstance(then, Number) and then == otherwise:
        return then
    return Conditional(test, then, otherwise)


def _call(function: str, argument: Expression) -> Expression:
    return Call(function, (argument,))


def _square(u: Expression) -> Expression:
    return power(u, TWO)


def _zero(_u: Expression, _d: Expression) -> Expression:
    return ZERO


_CALLS: dict[str, Callable[[Expression, Expression], Expression]] = {
    "abs": lambda u, d: multiply(_call("sign", u), d),
    "sign": _zero,
    "floor": _zero,
    "ceil": _zero,
    "heaviside": _zero,
    "sqrt": lambda u, d: divide(d, multiply(TWO, _call("sqrt", u))),
    "cbrt": lambda u, d: divide(d, multiply(Number(3.0), _square(_call("cbrt", u)))),
    "exp": lambda u, d: multiply(_call("exp", u), d),
    "expm1": lambda u, d: multiply(_call("exp", u), d),
    "log": lambda u, d: divide(d, u),
    "log1p": lambda u, d: divide(d, add(ONE, u)),
    "sin": lambda u, d: multiply(_call("cos", u), d),
    "cos": lambda u, d: negative(multiply(_call("sin", u), d)),
    "tan": lambda u, d: multiply(add(ONE, _square(_call("tan", u))), d),
    "asin": lambda u, d: divide(d, _call("sqrt", subtract(ONE, _square(u)))),
    "acos": lambda u, d: negative(divide(d, _call("sqrt", subtract(ONE, _square(u))))),
    "atan": lambda u, d: divide(d, add(ONE, _square(u))),
    "sinh": lambda u, d: multiply(_call("cosh", u), d),
    "cosh": lambda u, d: multiply(_call("sinh", u), d),
    "tanh": lambda u, d: multiply(subtract(ONE, _square(_call("tanh", u))), d),
    "asinh": lambda u, d: divide(d, _call("sqrt", add(_square(u), ONE))),
    # Two roots rather than one of u**2 - 1, which is inexact near 1 and real below -1, where acosh is not.
    "acosh": lambda u, d: divide(d, multiply(_call("sqrt", subtract(u, ONE)), _call("sqrt", add(u, ONE)))),
    "atanh": lambda u, d: divide(d, subtract(ONE, _square(u))),
    "erf": lambda u, d: multiply(multiply(Number(2.0 / math.sqrt(math.pi)), _call("exp", negative(_square(u)))), d),
}


def _folded(value: float, otherwise: Expression) -> Expression:
    """A constant, unless it is infinite or not a number."""
    return Number(value + 0.0) if math.isfinite(value) else otherwise


def negative(x: Expression) -> Expression:
    """-x, with constants and double signs resolved."""
    if isinstance(x, Number):
        return Number(0.0 - x.value)
    return x.argument if isinstance(x, Negative) else Negative(x)


def add(x: Expression, y: Expression) -> Expression:
    """x + y, simplified at its root."""
    if x == ZERO:
        return y
    if y == ZERO:
        return x
    if isinstance(x, Number) and isinstance(y, Number):
        return _folded(x.value + y.value, Binary("+", x, y))
    if isinstance(y, Negative) or (isinstance(y, Number) and y.value < 0):
        return subtract(x, negative(y))
    return Binary("+", x, y)


def subtract(x: Expression, y: Expression) -> Expression:
    """x - y, simplified at its root."""
    if y == ZERO:
        return x
    if x == ZERO:
        return negative(y)
    if isinstance(x, Number) and isinstance(y, Number):
        return _folded(x.value - y.value, Binary("-", x, y))
    if isinstance(y, Negative) or (isinstance(y, Number) and y.value < 0):
        return add(x, negative(y))
    return Binary("-", x, y)


def multiply(x: Expression, y: Expression) -> Expression:
    """x y, simplified at its root; 0 times anything is 0."""
    if isinstance(x, Number) and isinstance(y, Number):
        return _folded(x.value * y.value, Binary("*", x, y))
    if isinstance(y, Number):
        x, y = y, x
    if x == ZERO:
        return ZERO
    if x == ONE:
        return y
    if x == Number(-1.0):
        return negative(y)
    if isinstance(y, Negative):
        return negative(multiply(x, y.argument))
    if isinstance(x, Negative):
        return negative(multiply(x.argument, y))
    if isinstance(x, Number) and isinstance(y, Binary) and y.operator == "*" and isinstance(y.left, Number):
        return multiply(_folded(x.value * y.left.value, x), y.right) if _exact(x, y.left) else Binary("*", x, y)
    return Binary("*", x, y)


def _exact(x: Number, y: Number) -> bool:
    """Whether the product of two constants is a whole number without rounding, so that folding it changes nothing."""
    return x.value.is_integer() and y.value.is_integer() and abs(x.value * y.value) < 2.0**53


def divide(x: Expression, y: Expression) -> Expression:
    """x / y, simplified at its root; 0 divided by anything is 0."""
    if x == ZERO:
        return ZERO
    if y == ONE:
        return x
    if isinstance(x, Negative):
        return negative(divide(x.argument, y))
    return Binary("/", x, y)


def power(x: Expression, y: Expression) -> Expression:
    """x ** y, simplified at its root; anything to the power of 0 is 1, as in IEEE 754."""
    if y == ZERO:
        return ONE
    return x if y == ONE else Binary("**", x, y)
