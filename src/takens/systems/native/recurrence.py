"""Taylor coefficients of right-hand sides by recurrence: each operation's from those of its operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ...errors import SettingError
from ..symbols.differentiate import differentiate
from ..symbols.tree import Binary, Call, Expression, Name, Negative
from ..symbols.walk import names_in, parts, postorder
from .emit import LIBRARY, ONE, POWERS, ZERO, Lowering, constant
from .ir import Code, literal

ANALYTIC = frozenset(LIBRARY) - {"abs", "floor", "ceil", "atan2"}
"""Functions of one argument with a Taylor series wherever they are finite."""

_INNER = "argument"


class NotAnalytic(SettingError):
    """Equations with a jump or a kink have no Taylor series there, and none that shows where."""


@dataclass(frozen=True)
class _Node:
    """An operation on other nodes; equal operations on the same nodes are one node."""

    operation: str
    operands: tuple[int, ...] = ()
    value: str = ""


@cache
def _slope(function: str) -> Expression:
    """f'(a) as a tree in the name `argument`."""
    return differentiate(Call(function, (Name(_INNER),)), _INNER)


class Recurrences:
    """Normalised Taylor coefficients u_k = u^(k)(t) / k! of expressions, order by order, as values of `code`.

    Sums and differences go term by term; (u v)_k = sum_j u_j v_(k-j); (u / v)_k = (u_k - sum_(j>0) v_j (u/v)_(k-j)) /
    v_0; and for every function with f(u)' = g u', f(u)_k = 1/k sum_(j>0) j u_j g_(k-j), where g may use f(u) itself
    (Jorba and Zou, Exp. Math. 14, 2005). Coefficients that are 0 for all values are None and cost nothing.
    Raises `NotAnalytic` for operations without a series.
    """

    def __init__(self, code: Code, lowering: Lowering) -> None:
        self._code, self._lowering = code, lowering
        self._nodes: list[_Node] = []
        self._known: dict[_Node, int] = {}
        self._slopes: dict[int, int] = {}
        self._series: list[list[str | None]] = []

    def variable(self, series: list[str | None]) -> int:
        """A node whose coefficients are given: the list is read, and may still grow."""
        self._nodes.append(_Node("variable"))
        self._series.append(series)
        return len(self._nodes) - 1

    def place(self, tree: Expression, variables: Mapping[str, int]) -> int:
        """The node of a tree, which must live as long as this object; names not in `variables` are constants."""
        if not any(name in variables for name in names_in(tree)):
            return self._constant(tree)
        found: dict[int, int | None] = {}
        for node in postorder([tree]):
            if isinstance(node, Name) and node.name in variables:
                found[id(node)] = variables[node.name]
                continue
            operands = parts(node)
            if all(found[id(part)] is None for part in operands):
                found[id(node)] = None
                continue
            inner = [found[id(part)] for part in operands]
            places = [self._constant(p) if at is None else at for p, at in zip(operands, inner, strict=True)]
            found[id(node)] = self._operation(node, places)
        result = found[id(tree)]
        assert result is not None
        return result

    def _constant(self, tree: Expression) -> int:
        return self._node("constant", value=self._lowering.number(tree))

    def _node(self, operation: str, *operands: int, value: str = "") -> int:
        node = _Node(operation, operands, value)
        if node not in self._known:
            self._known[node] = len(self._nodes)
            self._nodes.append(node)
            self._series.append([])
        return self._known[node]

    def _operation(self, tree: Expression, places: list[int]) -> int:
        match tree:
            case Negative():
                return self._node("negative", *places)
            case Binary("+" | "-" | "*" | "/"):
                return self._node(tree.operator, *places)
            case Binary("**"):
                return self._power(tree, *places)
            case Call(function) if function in ANALYTIC:
                return self._function(function, places[0])
            case Call(function):
                raise NotAnalytic(f"{function} has no Taylor series everywhere", remedy="Choose another method.")
        raise NotAnalytic(f"{type(tree).__name__.lower()} has no Taylor series", remedy="Choose another method.")

    def _function(self, function: str, place: int) -> int:
        known = len(self._nodes)
        node = self._node(function, place)
        if node == known:  # new: its slope comes after it, because it may use it
            self._slopes[node] = self.place(_slope(function), {_INNER: place})
        return node

    def _power(self, tree: Binary, base: int, exponent: int) -> int:
        number = constant(tree.right)
        if number == 0.5:
            return self._function("sqrt", base)
        if number is not None and number == round(number) and abs(number) <= POWERS:
            return self._integer_power(base, round(number))
        if self._nodes[exponent].operation == "constant":
            known = len(self._nodes)
            node = self._node("pow", base, exponent)
            if node == known:
                self._slopes[node] = self._node("*", exponent, self._node("/", node, base))
            return node
        return self._function("exp", self._node("*", exponent, self._function("log", base)))

    def _integer_power(self, base: int, exponent: int) -> int:
        one = self._node("constant", value=ONE)
        result, square, left = one, base, abs(exponent)
        while left:
            if left % 2:
                result = square if result == one else self._node("*", result, square)
            left //= 2
            if left:
                square = self._node("*", square, square)
        return result if exponent >= 0 else self._node("/", one, result)

    def next_order(self) -> None:
        """Compute the next coefficient of all nodes; those of the variables must be there."""
        order = next((len(s) for n, s in zip(self._nodes, self._series, strict=True) if n.operation != "variable"), 0)
        for node, series in zip(self._nodes, self._series, strict=True):
            if node.operation != "variable":
                series.append(self._coefficient(node, order))

    def coefficient(self, place: int, order: int) -> str | None:
        """A coefficient that has been computed."""
        return self._series[place][order]

    def _coefficient(self, node: _Node, k: int) -> str | None:
        series = [self._series[place] for place in node.operands]
        match node.operation:
            case "constant":
                return node.value if k == 0 else None
            case "negative":
                value = series[0][k]
                return None if value is None else self._code.value(f"fneg double {value}")
            case "+" | "-":
                return self._sum(node.operation, series[0][k], series[1][k])
            case "*":
                return self._product(series[0], series[1], k)
            case "/":
                return self._quotient(node, k)
        if k == 0:
            return self._code.call(LIBRARY.get(node.operation, node.operation), *[s[0] or ZERO for s in series])
        return self._composed(node, k)

    def _sum(self, operation: str, left: str | None, right: str | None) -> str | None:
        code = self._code
        if right is None:
            return left
        if left is None:
            return right if operation == "+" else code.value(f"fneg double {right}")
        return code.add(left, right) if operation == "+" else code.subtract(left, right)

    def _product(self, left: list[str | None], right: list[str | None], k: int) -> str | None:
        code = self._code
        if left is not right:
            return self._dot([(left[j], right[k - j]) for j in _newest_last(range(k + 1), k)])
        half = self._dot([(left[j], left[k - j]) for j in _newest_last(range((k + 1) // 2), k)])
        double = None if half is None else code.add(half, half)
        middle = left[k // 2] if k % 2 == 0 else None
        return self._sum("+", double, None if middle is None else code.multiply(middle, middle))

    def _quotient(self, node: _Node, k: int) -> str | None:
        code, (above, below) = self._code, (self._series[place] for place in node.operands)
        series = self._series[self._known[node]]
        rest = self._dot([(below[j], series[k - j]) for j in _newest_last(range(1, k + 1), k)])
        total = self._sum("-", above[k], rest)
        if total is None:
            return None
        return code.multiply(total, code.divide(ONE, below[0] or ZERO))

    def _composed(self, node: _Node, k: int) -> str | None:
        code, inner = self._code, self._series[node.operands[0]]
        slope = self._series[self._slopes[self._known[node]]]
        pairs: list[tuple[str | None, str | None]] = []
        for j in _newest_last(range(1, k + 1), k):
            term = inner[j]
            pairs.append((None if term is None else code.multiply(literal(float(j)), term), slope[k - j]))
        total = self._dot(pairs)
        return None if total is None else code.multiply(total, literal(1.0 / k))

    def _dot(self, pairs: list[tuple[str | None, str | None]]) -> str | None:
        """The sum of products in two alternating sums, so that additions need not wait for one another."""
        code = self._code
        sums: list[str | None] = [None, None]
        present = [(a, b) for a, b in pairs if a is not None and b is not None]
        for index, (a, b) in enumerate(present):
            sums[index % 2] = self._sum("+", sums[index % 2], code.multiply(a, b))
        return self._sum("+", sums[0], sums[1])


def _newest_last(indices: range, k: int) -> list[int]:
    """Indices j of u_j v_(k-j) with the terms that use the newest coefficients last."""
    return sorted(indices, key=lambda j: max(j, k - j))
