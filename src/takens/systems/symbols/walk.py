"""Going through expression trees: operands, every node once, the names in use; no recursion, whatever the depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .tree import Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number


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


def rebuilt(node: Expression, operands: Sequence[Expression]) -> Expression:
    """A node with other direct operands."""
    match node:
        case Number() | Name():
            return node
        case Negative():
            return Negative(operands[0])
        case Call(function, _):
            return Call(function, tuple(operands))
        case Conditional():
            return Conditional(*operands)
        case Binary(operator):
            return Binary(operator, *operands)
        case Compare(operator):
            return Compare(operator, *operands)
        case Logical(operator):
            return Logical(operator, *operands)
    raise TypeError(f"{type(node).__name__} is no expression")


def substituted(expression: Expression, names: Mapping[str, Expression]) -> Expression:
    """A tree with other trees in the place of some names; shared parts stay shared. Cost: linear."""
    found: dict[int, Expression] = {}
    for node in postorder([expression]):
        operands = [found[id(part)] for part in parts(node)]
        if isinstance(node, Name):
            found[id(node)] = names.get(node.name, node)
        else:
            same = all(new is old for new, old in zip(operands, parts(node), strict=True))
            found[id(node)] = node if same else rebuilt(node, operands)
    return found[id(expression)]
