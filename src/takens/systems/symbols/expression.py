"""Text to expression tree, by precedence climbing over an allow-list: nothing that is not listed can be written.

    expression  := disjunction ["if" disjunction "else" expression]
    disjunction := comparison {("and" | "or") comparison}         "and" binds tighter
    comparison  := sum {("<" | "<=" | ">" | ">=" | "==" | "!=") sum}   a < b < c means a < b and b < c
    sum         := product {("+" | "-") product}
    product     := signed {("*" | "/" | "%") signed}
    signed      := ["-" | "+"] signed | power
    power       := operand ["**" signed]                          "^" is the same as "**"
    operand     := number | name | function "(" expression {"," expression} ")" | "(" expression ")"

The parser is written by hand rather than on Python's own because that accepts far more, fails in ways that depend on
the Python version, and does not let `lambda` be a parameter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ...errors import EquationError
from .evaluate import operation
from .tree import (
    COMPARISONS,
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

LONGEST = 10_000
"""Most characters of one expression."""
MOST_NODES = 2_000
"""Most numbers, names and operations of one expression, counted as often as they are computed."""
DEEPEST = 100
"""Most levels of one tree; a sum of n terms has n."""
MOST_NESTED = 50
"""Most parentheses, signs and powers inside one another."""
KEYWORDS = frozenset({"if", "else", "and", "or", "not"})
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/%^<>(),])"
)
_BINDING = {
    "or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
_REMEDIES = {
    "=": "Compare with ==; write only the right-hand side of an equation.",
    "&": "Write `and`.",
    "|": "Write `or`, or abs(x) for the absolute value.",
    "!": "Write != for unequal; there is no `not`: turn the comparison round.",
    "[": "There are no lists and no subscripts; name the states one by one, for instance x1, x2.",
    "{": "Group with parentheses.",
    ".": "There are no attributes; a number starts or ends with a digit.",
    "_": "Names start with a letter, and numbers are written without underscores.",
    "−": "Write the minus sign as -.", "–": "Write the minus sign as -.", "×": "Write *.", "·": "Write *.",
    "÷": "Write /.", "²": "Write **2.", "³": "Write **3.", "√": "Write sqrt(...).", "≤": "Write <=.", "≥": "Write >=.",
}  # fmt: skip


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


class _Part(NamedTuple):
    """A parsed part: its tree, the levels and nodes of the tree, and its value where it is constant."""

    tree: Expression
    depth: int
    size: int
    constant: float | None


def parse(text: str, names: Collection[str], *, place: str = "") -> Expression:
    """The tree of an arithmetic expression `text` over the declared `names`.

    The grammar is at the head of this module, the functions and constants in `tree.py`. All numbers are floats. A
    declared name takes precedence over a constant (`pi`, `e`); functions cannot be redeclared. Raises `EquationError`,
    with a caret under the character, for anything else, for unknown names, for a constant part that is infinite or not
    a number, and beyond 10,000 characters, 2,000 nodes, 100 levels or 50 nested parentheses. Cost: linear.
    """
    if not isinstance(text, str):
        raise EquationError(f"an equation is text, not {type(text).__name__}", place=place, remedy='Write it in "...".')
    try:
        return _Parser(text, names, place).whole()
    except RecursionError:
        # The limits keep to a few hundred frames; a caller deep inside a recursion of its own may have fewer left.
        raise EquationError("nested too deeply", text=text, position=0, place=place) from None


class _Parser:
    """One pass over one text."""

    def __init__(self, text: str, names: Collection[str], place: str) -> None:
        self.text, self.names, self.place = text, names, place
        self.nesting = self.index = 0
        if len(text) > LONGEST:
            raise self.error(f"the expression has {len(text)} characters; at most {LONGEST} are read", LONGEST)
        self.tokens = self.split()

    def error(self, cause: str, position: int, remedy: str = "") -> EquationError:
        return EquationError(cause, text=self.text, position=position, place=self.place, remedy=remedy)

    def split(self) -> Sequence[_Token]:
        tokens, position = [], 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None:
                self.fail_at_character(position)
            if match.lastgroup != "space":
                word = "**" if match.group() == "^" else match.group()
                tokens.append(_Token("word" if word in KEYWORDS else str(match.lastgroup), word, position))
            position = match.end()
        return [*tokens, _Token("end", "", len(self.text))]

    def fail_at_character(self, position: int) -> NoReturn:
        character = self.text[position]
        remedy = _REMEDIES.get(character, "")
        if not remedy and character.isalpha():
            remedy = "Names are plain letters, digits and underscores; spell Greek letters out, for instance sigma."
        shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
        raise self.error(f"unexpected character {shown}", position, remedy)

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def whole(self) -> Expression:
        if self.token.kind == "end":
            raise self.error("the expression is empty", 0, "Write 0 for a state that does not change.")
        found = self.expression()
        if self.token.kind != "end":
            self.fail_at_leftover()
        return found.tree

    def fail_at_leftover(self) -> NoReturn:
        token, before = self.token, self.tokens[self.index - 1]
        if token.text == ")":
            raise self.error("this parenthesis was never opened", token.position)
        if token.text == ",":
            raise self.error("a comma outside of a function", token.position, "Write the decimal point as a point.")
        if token.text in KEYWORDS:
            raise self.error(
                f"{token.text!r} does not fit here", token.position, "Write: value if test else other value."
            )
        if before.kind == "name" and token.text == "(":
            raise self.error(
                f"{before.text!r} is not a function", before.position, f"To multiply write {before.text}*(...)."
            )
        raise self.error(
            "an operator is missing here", token.position, "Multiplication is written out: 2*x, a*(b + c), x*y."
        )

    def deeper(self, read: Callable[[], _Part]) -> _Part:
        """What `read` reads, one level of nesting deeper."""
        self.nesting += 1
        if self.nesting > MOST_NESTED:
            raise self.error(
                f"nested more than {MOST_NESTED} levels deep", self.token.position, "Use auxiliary definitions."
            )
        found = read()
        self.nesting -= 1
        return found

    def expression(self) -> _Part:
        """A whole expression with its conditional."""
        then = self.binary(0)
        if self.token.text != "if":
            return then
        token = self.take()
        test = self.binary(0)
        if self.token.text != "else":
            raise self.error("'else' is missing here", self.token.position, "Write: value if test else other value.")
        self.take()
        otherwise = self.deeper(self.expression)
        return self.join(Conditional(test.tree, then.tree, otherwise.tree), (test, then, otherwise), token)

    def binary(self, least: int) -> _Part:
        """Operands joined by operators that bind at least as tightly as `least`."""
        left = self.signed()
        while (binding := _BINDING.get(self.token.text, -1)) >= least:
            token = self.take()
            if token.text in COMPARISONS:
                left = self.comparison(left, token)
                continue
            right = self.binary(binding + 1)
            kind: Any = Logical if token.text in ("and", "or") else Binary
            left = self.join(kind(token.text, left.tree, right.tree), (left, right), token)
        return left

    def comparison(self, left: _Part, token: _Token) -> _Part:
        """One comparison, or a chain of them joined by `and`."""
        operators: Any = token.text
        right = self.binary(_BINDING["+"])
        found = self.join(Compare(operators, left.tree, right.tree), (left, right), token)
        while self.token.text in COMPARISONS:
            token, left = self.take(), right
            right = self.binary(_BINDING["+"])
            operators = token.text
            link = self.join(Compare(operators, left.tree, right.tree), (left, right), token)
            found = self.join(Logical("and", found.tree, link.tree), (found, link), token)
        return found

    def signed(self) -> _Part:
        """A power with signs before it; a minus before a number belongs to the number."""
        if self.token.text not in ("+", "-"):
            return self.power()
        token = self.take()
        found = self.deeper(self.signed)
        if token.text == "+":
            return found
        if isinstance(found.tree, Number):
            return self.join(Number(0.0 - found.tree.value), (), token)
        return self.join(Negative(found.tree), (found,), token)

    def power(self) -> _Part:
        """`base ** exponent`; binds tighter than a sign before it, less than one in the exponent."""
        base = self.operand()
        if self.token.text != "**":
            return base
        token = self.take()
        exponent = self.deeper(self.signed)
        return self.join(Binary("**", base.tree, exponent.tree), (base, exponent), token)

    def operand(self) -> _Part:
        token = self.take()
        if token.kind == "number":
            value = float(token.text)
            if not math.isfinite(value):
                raise self.error(f"{token.text} is not finite", token.position, "Numbers go up to about 1.8e308.")
            return self.join(Number(value), (), token)
        if token.kind == "name":
            return self.call(token) if token.text in FUNCTIONS else self.name(token)
        if token.text == "(":
            found = self.deeper(self.expression)
            self.close(token)
            return found
        self.index -= 1
        if token.kind == "end":
            raise self.error("the expression ends where a value is needed", token.position)
        if token.text == "not":
            raise self.error(
                "there is no `not`", token.position, "Turn the comparison round, for instance x <= 0 for x > 0."
            )
        raise self.error(f"a value is needed before {token.text!r}", token.position)

    def name(self, token: _Token) -> _Part:
        if token.text in self.names or token.text in CONSTANTS:
            return self.join(Name(token.text), (), token)
        if self.token.text == "(":
            near = get_close_matches(token.text, FUNCTIONS, 1)
            known = f"Did you mean {near[0]}? " if near else ""
            raise self.error(
                f"unknown function {token.text!r}", token.position, f"{known}Known: {', '.join(FUNCTIONS)}."
            )
        names = list(self.names)
        near = get_close_matches(token.text, [*names, *FUNCTIONS, *CONSTANTS], 1)
        listed = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
        remedy = (f"Did you mean {near[0]}? " if near else "") + f"Declared here: {listed or 'nothing'}."
        raise self.error(f"unknown name {token.text[:40]!r}", token.position, remedy)

    def call(self, token: _Token) -> _Part:
        count = FUNCTIONS[token.text]
        if self.token.text != "(":
            remedy = f"Write {_example(token.text)}; states have other names."
            raise self.error(f"{token.text!r} is a function", token.position, remedy)
        opening = self.take()
        arguments = [self.deeper(self.expression)]
        while self.token.text == ",":
            self.take()
            arguments.append(self.deeper(self.expression))
        self.close(opening)
        if len(arguments) != count:
            wants = f"takes {count} argument{'s' if count > 1 else ''}, not {len(arguments)}"
            raise self.error(f"{token.text} {wants}", token.position, f"Write {_example(token.text)}.")
        return self.join(Call(token.text, tuple(a.tree for a in arguments)), tuple(arguments), token)

    def close(self, opening: _Token) -> None:
        if self.token.text == ")":
            self.take()
        elif self.token.kind == "end":
            raise self.error("this parenthesis is never closed", opening.position)
        else:
            self.fail_at_leftover()

    def join(self, tree: Expression, operands: tuple[_Part, ...], token: _Token) -> _Part:
        """A new node, within the limits; a constant one is computed, to refuse what is infinite or not a number."""
        size = 1 + sum(part.size for part in operands)
        depth = 1 + max((part.depth for part in operands), default=0)
        if size > MOST_NODES:
            raise self.error(f"more than {MOST_NODES} numbers, names and operations", token.position)
        if depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} levels deep", token.position, "Use auxiliary definitions.")
        return _Part(tree, depth, size, self.constant(tree, [part.constant for part in operands], token))

    def constant(self, tree: Expression, operands: Sequence[float | None], token: _Token) -> float | None:
        if isinstance(tree, Number):
            return tree.value
        if isinstance(tree, Name):
            return CONSTANTS[tree.name] if tree.name not in self.names else None
        if None in operands:
            return None
        with np.errstate(all="ignore"):
            value = float(operation(tree)(*operands))
        if not math.isfinite(value):
            raise self.error("this is infinite or not a number", token.position, "Every constant part must be finite.")
        return value


def _example(function: str) -> str:
    if function in ("min", "max"):
        return f"{function}(x, y), and for three {function}(x, {function}(y, z))"
    return f"{function}(x)" if FUNCTIONS[function] == 1 else f"{function}(y, x)"
