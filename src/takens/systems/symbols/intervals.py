"""Expression trees over intervals: bounds that hold for every point of a box, rounding included.

An interval holds every value of an expression on a box. Sums and products round outwards by one unit in the last place,
library functions by five, which is more than any of them is off. An interval without a number (NaN) is empty: the
expression has no value anywhere in the box. `rough` says that it may have a jump in the box, or no value in parts of
it, so that bounds of its derivative say nothing about its differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evaluate import BINARY, LARGEST_PRODUCT
from .evaluate import CALLS as FUNCTIONS
from .tree import Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number

Array = NDArray[np.float64]


class Interval(NamedTuple):
    """All numbers from `low` to `high`, arrays of one shape; see the module for `rough`."""

    low: Any
    high: Any
    rough: Any = False


def interval(value: Any) -> Interval:
    """A constant as an interval; intervals as they are."""
    return value if isinstance(value, Interval) else Interval(np.float64(value), np.float64(value))


def _outward(low: Any, high: Any, rough: Any) -> Interval:
    return Interval(np.nextafter(low, -np.inf), np.nextafter(high, np.inf), rough)


_OFF = 1e-15
"""Relative error that library functions stay below (numpy's are within 4 units in the last place)."""


def _library(low: Any, high: Any, rough: Any) -> Interval:
    """Outward by the error of a library function."""
    down = np.where(low > 0, low * (1 - _OFF), low * (1 + _OFF))
    up = np.where(high > 0, high * (1 + _OFF), high * (1 - _OFF))
    return _outward(down, up, rough)


def _clipped(x: Interval, least: float, most: float) -> Interval:
    return Interval(np.maximum(x.low, least), np.minimum(x.high, most), x.rough)


def _negative(x: Interval) -> Interval:
    return Interval(-x.high, -x.low, x.rough)


def _add(x: Interval, y: Interval) -> Interval:
    return _outward(x.low + y.low, x.high + y.high, x.rough | y.rough)


def _subtract(x: Interval, y: Interval) -> Interval:
    return _add(x, _negative(y))


def _product(x: Any, y: Any) -> Any:
    """x y, where 0 times infinity is 0: an infinite end stands for numbers without bound, not for infinity."""
    found = x * y
    return np.where(np.isnan(found) & ~(np.isnan(x) | np.isnan(y)), 0.0, found)


def _multiply(x: Interval, y: Interval) -> Interval:
    ends = [_product(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    low = np.minimum(np.minimum(ends[0], ends[1]), np.minimum(ends[2], ends[3]))
    high = np.maximum(np.maximum(ends[0], ends[1]), np.maximum(ends[2], ends[3]))
    return _outward(low, high, x.rough | y.rough)


def _reciprocal(x: Interval) -> Interval:
    across = (x.low < 0) & (x.high > 0)
    low = np.where(across | ((x.low < 0) & (x.high == 0)), -np.inf, np.true_divide(1.0, x.high))
    high = np.where(across | ((x.low == 0) & (x.high > 0)), np.inf, np.true_divide(1.0, x.low))
    nowhere = (x.low == 0) & (x.high == 0)
    low, high = np.where(nowhere, np.nan, low), np.where(nowhere, np.nan, high)
    return _outward(low, high, x.rough | ((x.low <= 0) & (x.high >= 0)))


def _divide(x: Interval, y: Interval) -> Interval:
    return _multiply(x, _reciprocal(y))


def _floor(x: Interval) -> Interval:
    low, high = np.floor(x.low), np.floor(x.high)
    return Interval(low, high, x.rough | (low != high))


def _ceil(x: Interval) -> Interval:
    return _negative(_floor(_negative(x)))


def _remainder(x: Interval, y: Interval) -> Interval:
    whole = _floor(_divide(x, y))
    found = _subtract(x, _multiply(y, whole))
    return Interval(
        np.maximum(found.low, np.minimum(y.low, 0.0)), np.minimum(found.high, np.maximum(y.high, 0.0)), found.rough
    )


def _integer_power(exponent: int) -> Callable[[Interval, Interval], Interval]:
    size = abs(exponent)

    def power(x: Interval, _y: Interval) -> Interval:
        if size == 0:
            return Interval(np.ones_like(x.low), np.ones_like(x.high), x.rough)
        low, high = np.power(x.low, size), np.power(x.high, size)
        if size % 2 == 0:
            across = (x.low <= 0) & (x.high >= 0)
            low, high = np.where(across, 0.0, np.minimum(low, high)), np.maximum(low, high)
        found = _library(low, high, x.rough) if size > 1 else x
        if size % 2 == 0:
            found = _clipped(found, 0.0, np.inf)
        return _reciprocal(found) if exponent < 0 else found

    return power


def _power(x: Interval, y: Interval) -> Interval:
    """x**y of real exponents: for positive bases, and for whole exponents that are the same in the whole box."""
    whole = (y.low == y.high) & (np.floor(y.low) == y.low)
    outside = (x.low < 0) & ~whole
    base = Interval(np.where(outside, 0.0, x.low), x.high, x.rough)
    nowhere = (x.high < 0) & ~whole
    ends = [np.power(a, b) for a in (base.low, base.high) for b in (y.low, y.high)]
    even_across = whole & (x.low < 0) & (x.high > 0)
    low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
    low = np.where(nowhere, np.nan, np.where(even_across & (y.low > 0), np.minimum(low, 0.0), low))
    high = np.where(nowhere, np.nan, high)
    pole = even_across & (y.low < 0)
    low, high = np.where(pole, -np.inf, low), np.where(pole, np.inf, high)
    return _library(low, high, x.rough | y.rough | outside | pole)


def _increasing(function: Callable[..., Any], least: float, most: float) -> Callable[[Interval], Interval]:
    """A function that increases on its domain from `least` to `most`."""

    def apply(x: Interval) -> Interval:
        outside = (x.low < least) | (x.high > most)
        nowhere = (x.high < least) | (x.low > most)
        low, high = function(np.maximum(x.low, least)), function(np.minimum(x.high, most))
        return _library(np.where(nowhere, np.nan, low), np.where(nowhere, np.nan, high), x.rough | outside)

    return apply


def _absolute(x: Interval) -> Interval:
    least = np.maximum(np.maximum(x.low, -x.high), 0.0)
    return Interval(least, np.maximum(-x.low, x.high), x.rough)


def _holds_multiple(x: Interval, offset: float) -> Any:
    """Whether an interval may hold offset + 2 pi k for a whole k."""
    slack = 1e-15 * (1 + np.maximum(np.abs(x.low), np.abs(x.high)))
    turn = 2 * math.pi
    low, high = (x.low - slack - offset) / turn, (x.high + slack - offset) / turn
    return ~(np.ceil(low - 1e-15 * np.abs(low)) > np.floor(high + 1e-15 * np.abs(high)))


def _wave(function: Callable[..., Any], top: float) -> Callable[[Interval], Interval]:
    """Sine or cosine, with its maximum at `top`."""

    def apply(x: Interval) -> Interval:
        ends = function(x.low), function(x.high)
        found = _library(np.minimum(*ends), np.maximum(*ends), x.rough)
        low = np.where(_holds_multiple(x, top + math.pi), -1.0, found.low)
        high = np.where(_holds_multiple(x, top), 1.0, found.high)
        empty = np.isnan(x.low)
        free = ~(np.abs(x.low) + np.abs(x.high) < 1e15) & ~empty
        low, high = np.where(free, -1.0, low), np.where(free, 1.0, high)
        return _clipped(Interval(np.where(empty, np.nan, low), np.where(empty, np.nan, high), x.rough), -1.0, 1.0)

    return apply


def _tangent(x: Interval) -> Interval:
    pole = _holds_multiple(x, math.pi / 2) | _holds_multiple(x, -math.pi / 2) | ~(np.abs(x.low + x.high) < 1e15)
    pole &= ~np.isnan(x.low)
    found = _library(np.tan(x.low), np.tan(x.high), x.rough | pole)
    return Interval(np.where(pole, -np.inf, found.low), np.where(pole, np.inf, found.high), found.rough)


def _angle(y: Interval, x: Interval) -> Interval:
    ends = [np.arctan2(a, b) for a in (y.low, y.high) for b in (x.low, x.high)]
    cut = (x.low <= 0) & (y.low <= 0) & (y.high >= 0)
    found = _library(np.minimum.reduce(ends), np.maximum.reduce(ends), x.rough | y.rough | cut)
    most = np.nextafter(math.pi, 4.0)
    return Interval(np.where(cut, -most, found.low), np.where(cut, most, found.high), found.rough)


def _stepped(function: Callable[..., Any]) -> Callable[[Interval], Interval]:
    """A function with constant pieces that does not decrease."""

    def apply(x: Interval) -> Interval:
        low, high = function(x.low), function(x.high)
        return Interval(low, high, x.rough | (low != high))

    return apply


def _cosh(x: Interval) -> Interval:
    size = _absolute(x)
    return _clipped(_library(np.cosh(size.low), np.cosh(size.high), x.rough), 1.0, np.inf)


_ANY = (-np.inf, np.inf)
_DOMAINS: dict[str, tuple[float, float]] = {
    "sqrt": (0.0, np.inf), "cbrt": _ANY, "exp": _ANY, "expm1": _ANY, "log": (0.0, np.inf), "log1p": (-1.0, np.inf),
    "asin": (-1.0, 1.0), "atan": _ANY, "sinh": _ANY, "tanh": _ANY, "asinh": _ANY, "acosh": (1.0, np.inf),
    "atanh": (-1.0, 1.0), "erf": _ANY,
}  # fmt: skip
"""Functions that increase, and where they have values."""

_RANGES = {"sqrt": (0.0, np.inf), "exp": (0.0, np.inf), "tanh": (-1.0, 1.0), "erf": (-1.0, 1.0)}


def _call(function: str) -> Callable[..., Interval]:
    if function in _DOMAINS:
        plain = _increasing(FUNCTIONS[function], *_DOMAINS[function])
        least, most = _RANGES.get(function, _ANY)
        return lambda x: _clipped(plain(x), least, most)
    if function in ("sign", "heaviside"):
        return _stepped(FUNCTIONS[function])
    return _CALLS[function]


def _acos(x: Interval) -> Interval:
    turned = _call("asin")(x)
    return _subtract(Interval(np.nextafter(math.pi / 2, 0), np.nextafter(math.pi / 2, 2), False), turned)


_CALLS: dict[str, Callable[..., Interval]] = {
    "abs": _absolute, "sin": _wave(np.sin, math.pi / 2), "cos": _wave(np.cos, 0.0), "tan": _tangent, "atan2": _angle,
    "acos": _acos, "cosh": _cosh, "floor": _floor, "ceil": _ceil,
    "min": lambda x, y: Interval(np.minimum(x.low, y.low), np.minimum(x.high, y.high), x.rough | y.rough),
    "max": lambda x, y: Interval(np.maximum(x.low, y.low), np.maximum(x.high, y.high), x.rough | y.rough),
}  # fmt: skip


def _compare(operator: str) -> Callable[[Interval, Interval], Interval]:
    """0, 1 or the interval of both."""

    def apply(x: Interval, y: Interval) -> Interval:
        if operator in ("==", "!="):
            never, always = (
                (x.high < y.low) | (x.low > y.high),
                (x.low == x.high) & (y.low == y.high) & (x.low == y.low),
            )
            if operator == "!=":
                never, always = always, never
        else:
            if operator in (">", ">="):
                x, y = y, x
            always = BINARY["<" if operator in ("<", ">") else "<="](x.high, y.low) == 1
            never = x.low >= y.high if operator in ("<", ">") else x.low > y.high
        return Interval(np.where(always, 1.0, 0.0), np.where(never, 0.0, 1.0), x.rough | y.rough | ~(always | never))

    return apply


def _truth(x: Interval) -> tuple[Any, Any]:
    """Whether a truth value is true, and whether it is false, in the whole box."""
    return (x.low > 0) | (x.high < 0), (x.low == 0) & (x.high == 0)


def _logical(operator: str) -> Callable[[Interval, Interval], Interval]:
    def apply(x: Interval, y: Interval) -> Interval:
        (true_x, false_x), (true_y, false_y) = _truth(x), _truth(y)
        both = operator == "and"
        true, false = (true_x & true_y, false_x | false_y) if both else (true_x | true_y, false_x & false_y)
        return Interval(np.where(true, 1.0, 0.0), np.where(false, 0.0, 1.0), ~(true | false))

    return apply


def _choose(test: Interval, then: Interval, otherwise: Interval) -> Interval:
    true, false = _truth(test)
    low = np.where(true, then.low, np.where(false, otherwise.low, np.fmin(then.low, otherwise.low)))
    high = np.where(true, then.high, np.where(false, otherwise.high, np.fmax(then.high, otherwise.high)))
    rough = np.where(true, then.rough, np.where(false, otherwise.rough, True))
    return Interval(low, high, rough)


_BINARY: dict[str, Callable[[Interval, Interval], Interval]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder, "**": _power,
}  # fmt: skip


def operation(expression: Expression) -> Callable[..., Interval]:
    """The function that bounds an expression from the bounds of its parts; for `evaluate.program`."""
    function = _operation(expression)
    return lambda *values: function(*map(interval, values))


def _operation(expression: Expression) -> Callable[..., Interval]:
    match expression:
        case Negative():
            return _negative
        case Binary("**", _, Number(value)) if value.is_integer() and abs(value) <= LARGEST_PRODUCT:
            return _integer_power(int(value))
        case Binary("*", Name(left), Name(right)) if left == right:
            return _integer_power(2)
        case Binary(operator, _, _):
            return _BINARY[operator]
        case Call(function, _):
            return _call(function)
        case Compare(operator, _, _):
            return _compare(operator)
        case Logical(operator, _, _):
            return _logical(operator)
        case Conditional():
            return _choose
    raise TypeError(f"{type(expression).__name__} has no operation")
