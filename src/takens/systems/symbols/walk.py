"""Going through expression trees: operands, every node once, the names in use; no recursion, whatever the depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .tree import Call, Conditional, Expression, Name, Negative, Number


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The direct operands of an expression, in order."""
    match expression:
        case Number() | Name():
            return ()
        case Negative(argument):
            return (argument,)
        case Call(_, arguments):
            return arguments
        case Conditional(test, then, otherwise):
            return (test, then, otherwise)
        case _:
            return (expression.left, expression.right)


def postorder(expressions: Sequence[Expression]) -> Iterator[Expression]:
    """Every node of some expressions, operands before what uses them, an object that is used twice once.

    Cost: linear in the number of distinct objects. A result for each node is kept by `id(node)`, which is its own as
    long as the expressions live.
    """
    done: set[int] = set()
    waiting: list[tuple[Expression, bool]] = [(e, False) for e in reversed(expressions)]
    while waiting:
        node, ready = waiting.pop()
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            yield node
        else:
            waiting.append((node, True))
            waiting.extend((part, False) for part in reversed(parts(node)))


def names_in(*expressions: Expression) -> tuple[str, ...]:
    """The names that some expressions use, in order of appearance, once each."""
    return tuple(dict.fromkeys(node.name for node in postorder(expressions) if isinstance(node, Name)))
