"""The equations of a system and of small displacements from its orbit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..errors import InsufficientData
from .equations import Equations
from .native.emit import Program
from .rule import Array, Rule
from .symbols.differentiate import ZERO, add, multiply
from .symbols.tree import Expression, Name

MOST_EQUATIONS = 4000
"""Most equations of states and tangent vectors together; beyond, straight-line code takes minutes to compile."""


def variational(rule: Rule, count: int, *, flow: bool) -> Program | None:
    """The equations of `rule` and of `count` tangent vectors: dv_i/dt = sum_k J_ik v_k, or v' = J v for a map.

    States come first, then the vectors one after the other, then the trace of J, whose integral along the orbit of a
    flow is the growth of volumes. The Jacobian is exact, its common parts are evaluated once. None for a rule without
    equations. Raises `InsufficientData` for more than 4,000 equations.
    """
    if not isinstance(rule, Equations):
        return None
    if len(rule.states) * (1 + count) > MOST_EQUATIONS:
        raise InsufficientData(
            f"{len(rule.states)} states with {count} tangent vectors are too many to compile",
            remedy="Ask for fewer exponents with count=.",
        )
    return _variational(rule, count)


def extended(phase: Array, vectors: Array) -> Array:
    """The initial state of `variational`: a state, tangent vectors `(phase, vector)`, and 0 for the volume."""
    return np.concatenate([phase, vectors.T.ravel(), [0.0]])


@lru_cache(maxsize=64)
def _variational(rule: Equations, count: int) -> Program:
    definitions, rows = rule.jacobian
    names = tuple(f"tangent {j} of {state}" for j in range(count) for state in rule.states)
    size = len(rule.states)
    expressions: list[Expression] = list(rule.expressions)
    for j in range(count):
        vector = [Name(name) for name in names[j * size : (j + 1) * size]]
        for row in rows:
            total: Expression = ZERO
            for slope, part in zip(row, vector, strict=True):
                total = add(total, multiply(slope, part))
            expressions.append(total)
    trace: Expression = ZERO
    for i in range(size):
        trace = add(trace, rows[i][i])
    return Program((*rule.states, *names, "divergence"), rule.parameters, (*expressions, trace), definitions, rule.time)
