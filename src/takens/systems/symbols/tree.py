"""Expressions as trees: what the parser makes of text, and what every back end reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ARITHMETIC = ("+", "-", "*", "/", "**", "%")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True)
class Number:
    """A finite constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A state variable, parameter, input, constant or the time; delayed states have names of their own."""

    name: str


@dataclass(frozen=True)
class Negative:
    """-argument."""

    argument: Expression


@dataclass(frozen=True)
class Binary:
    """left operator right, with an operator of `ARITHMETIC`; % is the floored remainder, as in Python."""

    operator: Literal["+", "-", "*", "/", "**", "%"]
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of the allow-list with its arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Compare:
    """left operator right, with an operator of `COMPARISONS`; true is 1 and false is 0 where a number is needed."""

    operator: Literal["<", "<=", ">", ">=", "==", "!="]
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Logical:
    """`and` or `or` of two truth values."""

    operator: Literal["and", "or"]
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Conditional:
    """then where test is true, otherwise elsewhere."""

    test: Expression
    then: Expression
    otherwise: Expression


Expression = Number | Name | Negative | Binary | Call | Compare | Logical | Conditional

FUNCTIONS: dict[str, int] = {
    "abs": 1, "sign": 1, "sqrt": 1, "cbrt": 1, "exp": 1, "expm1": 1, "log": 1, "log1p": 1, "sin": 1, "cos": 1,
    "tan": 1, "asin": 1, "acos": 1, "atan": 1, "atan2": 2, "sinh": 1, "cosh": 1, "tanh": 1, "asinh": 1, "acosh": 1,
    "atanh": 1, "floor": 1, "ceil": 1, "min": 2, "max": 2, "heaviside": 1, "erf": 1,
}  # fmt: skip
"""The functions that equations may use, with their number of arguments; heaviside(0) is 1/2, min and max take two."""

CONSTANTS: dict[str, float] = {"pi": 3.141592653589793, "e": 2.718281828459045}
"""Names with a fixed value; a declared state or parameter of the same name takes precedence."""
