"""Right-hand sides for libraries with NumPy's function names, such as jax.numpy: to differentiate, compile, batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import SettingError
from .evaluate import LARGEST_PRODUCT
from .tree import CONSTANTS, Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number
from .walk import parts, postorder

_BINARY = {"+": "add", "-": "subtract", "*": "multiply", "/": "true_divide", "**": "power", "%": "mod"}
_RELATIONS = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "min": "minimum", "max": "maximum",
}  # fmt: skip


def function(
    states: Sequence[str],
    expressions: Sequence[Expression],
    definitions: Sequence[tuple[str, Expression]],
    time: str,
    namespace: Any,
    erf: Callable[[Any], Any] | None = None,
) -> Callable[[Any, Any, Mapping[str, Any]], Any]:
    """f(t, x, p): the expressions `(..., expression)` at states `x (..., state)`, with functions of `namespace`.

    `p` maps names of parameters to values that, as the time, broadcast to the leading axes of `x`. Sub-expressions are
    computed once; there are no branches on values, so that f can be traced. As everywhere both sides of a conditional
    are computed: a derivative through one that is not finite is NaN. `erf` is that function where equations need it,
    which namespaces lack. Raises `SettingError` where it is needed and not given, and KeyError for unknown names.
    """
    trees = [tree for _, tree in definitions] + list(expressions)
    calls = {node.function for tree in trees for node in postorder([tree]) if isinstance(node, Call)}
    if "erf" in calls and erf is None:
        raise SettingError("the equations need erf", remedy="Give erf=, such as jax.scipy.special.erf.")

    def evaluate(t: Any, x: Any, p: Mapping[str, Any]) -> Any:
        named: dict[str, Any] = {**CONSTANTS, time: t, **p}
        named |= {name: x[..., i] for i, name in enumerate(states)}
        done: dict[int, Any] = {}

        def value(tree: Expression) -> Any:
            for node in postorder([tree]):
                if id(node) not in done:
                    done[id(node)] = _value(node, [done[id(part)] for part in parts(node)], named, namespace, erf)
            return done[id(tree)]

        for name, tree in definitions:
            named[name] = value(tree)
        found = [value(tree) for tree in expressions]
        return namespace.stack(namespace.broadcast_arrays(*found, t + 0.0 * x[..., 0])[:-1], axis=-1)

    return evaluate


def _value(node: Expression, given: list[Any], named: Mapping[str, Any], xp: Any, erf: Any) -> Any:
    match node:
        case Number(number):
            return float(number)
        case Name(name):
            return named[name]
        case Negative():
            return -given[0]
        case Call("erf"):
            return erf(given[0])
        case Call("heaviside"):
            return xp.heaviside(given[0], 0.5)
        case Call(name):
            return getattr(xp, _NAMES.get(name, name))(*given)
        case Conditional():
            return xp.where(xp.not_equal(given[0], 0.0), given[1], given[2])
        case Compare():
            return getattr(xp, _RELATIONS[node.operator])(*given) * 1.0
        case Logical():
            return getattr(xp, f"logical_{node.operator}")(*given) * 1.0
        case Binary("**", _, Number(power)) if power.is_integer() and abs(power) <= LARGEST_PRODUCT:
            return _product(given[0], int(power))
    return getattr(xp, _BINARY[node.operator])(*given)


def _product(base: Any, exponent: int) -> Any:
    """base**exponent by squaring."""
    result, square, left = 1.0, base, abs(exponent)
    while left:
        if left & 1:
            result = result * square
        left >>= 1
        if left:
            square = square * square
    return 1.0 / result if exponent < 0 else result
