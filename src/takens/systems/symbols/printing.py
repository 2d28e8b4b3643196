"""Expression trees as plain text that parses back to the same tree."""

from __future__ import annotations

from ..equations import Equations
from .tree import Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number
from .walk import parts, postorder

CONDITIONAL, OR, AND, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)
"""How tightly an expression holds together, the loosest first."""
LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "**": POWER, "or": OR, "and": AND}


def level(expression: Expression) -> int:
    """The place of an expression's operation in the order of binding."""
    match expression:
        case Number(value):
            return SIGN if value < 0 else ATOM
        case Name() | Call():
            return ATOM
        case Negative():
            return SIGN
        case Compare():
            return COMPARE
        case Conditional():
            return CONDITIONAL
    return LEVELS[expression.operator]


def number(value: float) -> str:
    """The shortest text that reads back as the same float, without a trailing .0."""
    return repr(float(value)).removesuffix(".0")


def text(expression: Expression) -> str:
    """An expression as text with few parentheses: `parse(text(tree), names) == tree`.

    This holds for every tree that the parser makes; a tree made otherwise reads back with the same value. Cost: linear
    in the length of the result.
    """
    found: dict[int, str] = {}
    for node in postorder([expression]):
        found[id(node)] = _text(node, [found[id(part)] for part in parts(node)])
    return found[id(expression)]


def _text(node: Expression, operands: list[str]) -> str:
    """The text of a node from the texts of its operands."""
    match node:
        case Number(value):
            return number(value)
        case Name(name):
            return name
        case Call(function, _):
            return f"{function}({', '.join(operands)})"
    held = [
        shown if _stands(part, node, i) else f"({shown})"
        for i, (part, shown) in enumerate(zip(parts(node), operands, strict=True))
    ]
    match node:
        case Negative():
            return f"-{held[0]}"
        case Conditional():
            return f"{held[1]} if {held[0]} else {held[2]}"
        case Binary("*" | "/" | "**", _, _):
            return f"{held[0]}{node.operator}{held[1]}"
    return f"{held[0]} {node.operator} {held[1]}"


def _stands(part: Expression, node: Expression, position: int) -> bool:
    """Whether an operand needs no parentheses at its position."""
    inner, outer = level(part), level(node)
    match node:
        case Negative():
            return inner >= SIGN
        case Conditional():
            return inner > CONDITIONAL or position == 2
        case Compare():
            return inner >= SUM
        case Binary("**", _, _):
            return inner == ATOM if position == 0 else inner >= SIGN
        case Binary() | Logical() if position == 1:
            return inner > outer
    return inner >= outer


def lines(rule: Equations, left: str) -> str:
    """All equations, auxiliary definitions first, a line each; `left` is a left side with {} for the state."""
    rows = [f"{name} = {text(expression)}" for name, expression in rule.auxiliary]
    pairs = zip(rule.states, rule.expressions, strict=True)
    return "\n".join([*rows, *(f"{left.format(state)} = {text(expression)}" for state, expression in pairs)])
