"""Right-hand sides as straight-line machine code: every distinct sub-expression is computed once."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never

from ...errors import SettingError
from ..symbols.tree import (
    CONSTANTS,
    FUNCTIONS,
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
from ..symbols.walk import postorder
from .ir import Code, literal

POWERS = 64
"""Integer exponents up to this size become multiplications."""

_PREDICATES = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}
LIBRARY = {"abs": "fabs"} | {name: name for name in FUNCTIONS if name not in ("abs", "sign", "min", "max", "heaviside")}
ZERO, ONE, HALF = literal(0.0), literal(1.0), literal(0.5)


class Loops(abc.ABC):
    """Right-hand sides of large systems, which are loops over like parts rather than one expression a state."""

    @abc.abstractmethod
    def code(self, program: Program, *, contract: bool) -> Code:
        """The body of `@rule` (see `rule`), with what it needs in the module in `used`."""

    @abc.abstractmethod
    def blocks(self) -> tuple[Program, tuple[tuple[int, int], ...]]:
        """A small program whose states stand for blocks of like states, and (first, count) of each block.

        It tells which blocks the equations of a block use, not their values.
        """


@dataclass(frozen=True, eq=False)
class Program:
    """What is compiled: one expression a state, over the states, the parameters, the time and auxiliary names.

    `auxiliary` holds (name, expression) pairs, each of which may use those before it. `loops` take the place of both in
    large systems. Equal programs share one compilation; the values of parameters are given at run time and are not part
    of it.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    expressions: tuple[Expression, ...]
    auxiliary: tuple[tuple[str, Expression], ...] = ()
    time: str = "t"
    loops: Loops | None = None

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        # The code itself, not the trees: comparing trees that share parts can take exponential time.
        name, code = rule(self, contract=False)
        return self.states, self.parameters, self.time, code.function(name, RULE_ARGUMENTS), frozenset(code.used)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self._key == other._key


def rule(program: Program, *, contract: bool) -> tuple[str, Code]:
    """The function `void @rule(double t, ptr x, ptr p, ptr out)` that writes all right-hand sides, and its code.

    With `contract` a product and a sum may be fused (one rounding instead of two); without, every operation rounds as
    in plain double arithmetic in the order written. Integer powers up to 64 are repeated squarings. Cost: linear in
    the number of distinct sub-expressions. Raises `SettingError` for an unknown name or function.
    """
    if program.loops is not None:
        return RULE, program.loops.code(program, contract=contract)
    code = Code(contract=contract)
    names = names_of(program, code, "%t")
    for index, name in enumerate(program.states):
        names[name] = code.load("%x", str(index))
    lowering = Lowering(code, names)
    for name, tree in program.auxiliary:
        names[name] = lowering.number(tree)
    rates = [lowering.number(tree) for tree in program.expressions]
    for index, value in enumerate(rates):
        code.store(value, "%out", str(index))
    code.emit("ret void")
    return RULE, code


def names_of(program: Program, code: Code, time: str) -> dict[str, str]:
    """The values of names that are neither states nor defined: constants, the time, parameters loaded from %p.

    What is declared takes precedence: parameters over the time over constants.
    """
    names = {name: literal(value) for name, value in CONSTANTS.items()}
    names[program.time] = time
    for index, name in enumerate(program.parameters):
        names[name] = code.load("%p", str(index))
    return names


RULE = "rule"
RULE_ARGUMENTS = ("double %t", "ptr noalias readonly %x", "ptr noalias readonly %p", "ptr noalias writeonly %out")


class Lowering:
    """Trees to values of one block of code, given the values of names."""

    def __init__(self, code: Code, names: dict[str, str]) -> None:
        self._code, self._names = code, names
        self._numbers: dict[int, str] = {}
        self._truths: dict[int, str] = {}

    def number(self, tree: Expression) -> str:
        """The double value of a tree, which must live as long as this object; a truth value is 1 or 0."""
        for node in postorder([tree]):  # operands first: no recursion, however deep the tree
            if id(node) not in self._numbers:
                self._numbers[id(node)] = self._lower(node)
        return self._numbers[id(tree)]

    def _value(self, tree: Expression) -> str:
        return self._numbers[id(tree)]

    def _truth(self, tree: Expression) -> str:
        """The truth value of a tree; a number is true where it is not 0."""
        if id(tree) not in self._truths:
            self._truths[id(tree)] = self._test(tree)
        return self._truths[id(tree)]

    def _test(self, tree: Expression) -> str:
        code = self._code
        if isinstance(tree, Compare):
            return code.compare(_PREDICATES[tree.operator], self._value(tree.left), self._value(tree.right))
        if isinstance(tree, Logical):
            return code.value(f"{tree.operator} i1 {self._truth(tree.left)}, {self._truth(tree.right)}")
        return code.compare("une", self._value(tree), ZERO)

    def _lower(self, tree: Expression) -> str:
        code = self._code
        match tree:
            case Number(value):
                return literal(float(value))
            case Name(name):
                if name not in self._names:
                    raise SettingError(
                        f"unknown name {name!r} in an equation", remedy=f"Known names: {', '.join(self._names)}."
                    )
                return self._names[name]
            case Negative(argument):
                return code.value(f"fneg double {self._value(argument)}")
            case Binary():
                return self._binary(tree)
            case Call(function, arguments):
                return self._call(function, [self._value(a) for a in arguments])
            case Compare() | Logical():
                return code.value(f"uitofp i1 {self._truth(tree)} to double")
            case Conditional(test, then, otherwise):
                return code.select(self._truth(test), self._value(then), self._value(otherwise))
            case _:
                assert_never(tree)

    def _binary(self, tree: Binary) -> str:
        code = self._code
        if tree.operator == "**":
            return self._power(tree)
        left, right = self._value(tree.left), self._value(tree.right)
        match tree.operator:
            case "+":
                return code.add(left, right)
            case "-":
                return code.subtract(left, right)
            case "*":
                return code.multiply(left, right)
            case "/":
                return code.divide(left, right)
            case "%":
                return self._remainder(left, right)
            case _:
                assert_never(tree.operator)

    def _power(self, tree: Binary) -> str:
        exponent = constant(tree.right)
        base = self._value(tree.left)
        if exponent == 0.5:
            return self._code.call("sqrt", base)
        if exponent is None or exponent != round(exponent) or abs(exponent) > POWERS:
            return self._code.call("pow", base, self._value(tree.right))
        result, square, left = ONE, base, abs(round(exponent))
        while left:
            if left % 2:
                result = square if result == ONE else self._code.multiply(result, square)
            left //= 2
            if left:
                square = self._code.multiply(square, square)
        return result if exponent >= 0 else self._code.divide(ONE, result)

    def _remainder(self, left: str, right: str) -> str:
        """The floored remainder: with the sign of the divisor, as in Python and NumPy."""
        code = self._code
        rest = code.call("fmod", left, right)
        signs = code.value(f"xor i1 {code.compare('olt', rest, ZERO)}, {code.compare('olt', right, ZERO)}")
        wrong = code.value(f"and i1 {signs}, {code.compare('one', rest, ZERO)}")
        return code.select(wrong, code.add(rest, right), rest)

    def _call(self, function: str, values: list[str]) -> str:
        code = self._code
        match function:
            case "min":
                return code.minimum(*values)
            case "max":
                return code.maximum(*values)
            case "sign":
                return self._step(values[0], literal(-1.0), ZERO)
            case "heaviside":
                return self._step(values[0], ZERO, HALF)
        if function not in LIBRARY:
            raise SettingError(f"unknown function {function!r}", remedy=f"Known functions: {', '.join(FUNCTIONS)}.")
        return code.call(LIBRARY[function], *values)

    def _step(self, value: str, below: str, at: str) -> str:
        """`below` for negative values, `at` for 0, 1 for positive ones and NaN for NaN."""
        code = self._code
        rest = code.select(code.compare("oeq", value, ZERO), at, value)
        rest = code.select(code.compare("olt", value, ZERO), below, rest)
        return code.select(code.compare("ogt", value, ZERO), ONE, rest)


def constant(tree: Expression) -> float | None:
    """The value of a literal number, with or without a sign; None for any other tree."""
    match tree:
        case Number(value):
            return value
        case Negative(argument):
            inner = constant(argument)
            return None if inner is None else -inner
    return None
