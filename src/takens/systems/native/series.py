"""Taylor series of a solution from one point: coefficients, how far they reach, and how well they fulfil the law."""

from __future__ import annotations

import math

from ..symbols.walk import names_in
from .emit import ONE, ZERO, Lowering, Program, names_of
from .ir import Code, literal
from .recurrence import NotAnalytic, Recurrences
from .steps import Stages

LARGEST = 6_000
"""More operations a step than this take more than half a second to compile, which few runs win back."""
SAFETY = 0.7
"""The share of the radius of convergence taken is exp(-2 - SAFETY / (order - 1)) (Jorba and Zou 2005)."""


def share(order: int) -> float:
    """The logarithm of the share of the radius of convergence that is a step."""
    return -2 - SAFETY / (order - 1)


Series = list[list[str | None]]
"""The normalised coefficients of each state; None is 0 for all values."""


def coefficients(code: Code, program: Program, state: list[str], t: str, order: int) -> Series:
    """The coefficients up to the order at a time and state."""
    series: Series = [[value] for value in state]
    names, variables = names_of(program, code, t), {}
    lowering = Lowering(code, names)
    recurrences = Recurrences(code, lowering)
    time: list[str | None] = [t, ONE, *[None] * order]
    variables[program.time] = recurrences.variable(time)
    for name in program.parameters:
        variables.pop(name, None)
    for name, known in zip(program.states, series, strict=True):
        variables[name] = recurrences.variable(known)
    for name, tree in program.auxiliary:
        if any(used in variables for used in names_in(tree)):
            variables[name] = recurrences.place(tree, variables)
        else:
            names[name] = lowering.number(tree)
    rates = [recurrences.place(tree, variables) for tree in program.expressions]
    for k in range(order):
        recurrences.next_order()
        for known, place in zip(series, rates, strict=True):
            rate = recurrences.coefficient(place, k)
            known.append(None if rate is None else code.multiply(rate, literal(1.0 / (k + 1))))
        if code.operations > LARGEST:
            raise NotAnalytic("the equations are too long for Taylor steps", remedy="Choose another method.")
    return series


def scales(code: Code, series: Series) -> list[str]:
    """1 / max(1, |x|) of each state."""
    return [code.divide(ONE, code.maximum(ONE, code.call("fabs", s[0] or ZERO))) for s in series]


def reach(code: Code, series: Series, scales: list[str], logarithm: float) -> str:
    """The step length: a share, of that logarithm, of min_i (max(1, |x_i|) / |x_i,k|)^(1/k) over the last two k."""
    order = len(series[0]) - 1
    roots = []
    for k in (order, order - 1):
        most = literal(1e-300)
        for state, scale in zip(series, scales, strict=True):
            term = state[k]
            if term is not None:
                most = code.maximum(code.multiply(code.call("fabs", term), scale), most)
        roots.append(code.multiply(code.call("log2", most), literal(-1.0 / k)))
    return code.call("exp2", code.add(code.minimum(*roots), literal(logarithm * math.log2(math.e))))


def defect(slots: Stages, series: Series, scales: list[str], new_time: str, h: str) -> str:
    """The largest h |x' - f(x)| / max(1, |x|) at the end of the step, which is left in `slots.next`."""
    code = slots.code
    for index, terms in enumerate(series):
        code.store(value_at(code, terms, h), slots.next, str(index))
    slots.rate(new_time, slots.next, slots.rates[0])
    worst = ZERO
    for index, (terms, scale) in enumerate(zip(series, scales, strict=True)):
        slopes = [
            None if term is None else code.multiply(literal(float(power)), term)
            for power, term in enumerate(terms[1:], start=1)
        ]
        gap = code.subtract(value_at(code, slopes, h), code.load(slots.rates[0], str(index)))
        worst = code.maximum(code.multiply(code.call("fabs", gap), scale), worst)
    return code.multiply(h, worst)


def value_at(code: Code, terms: list[str | None], h: str) -> str:
    """A polynomial at h, by halves, so that additions need not wait for one another (Estrin)."""
    left, power = [term or ZERO for term in terms], h
    while len(left) > 1:
        pairs = [code.add(left[i], code.multiply(power, left[i + 1])) for i in range(0, len(left) - 1, 2)]
        left = pairs + left[len(pairs) * 2 :]
        if len(left) > 1:
            power = code.multiply(power, power)
    return left[0]
