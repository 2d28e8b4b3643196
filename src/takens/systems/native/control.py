"""Step control of Runge-Kutta methods as machine code: the error of a step, the next length, the dense output."""

from __future__ import annotations

import math

from .elementary import functions, symbol
from .emit import ONE, ZERO
from .ir import Code, literal
from .steps import Stages
from .tableau import Tableau

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
"""The step aims at this share of the error's limit, and changes by no more than these factors at once."""
PROPORTIONAL, INTEGRAL = 0.7, 0.4
"""Exponents of the controller, times 1 / order (Gustafsson 1991): h' = h safety err^-0.7/q err_before^0.4/q."""
FLOOR = 1e-12
"""Squared errors below this count as this, so that one lucky step does not steer the next."""


def squared_error(slots: Stages, tableau: Tableau, h: str) -> str:
    """The mean squared error; two estimates e5, e3 combine to h^2 e5^4 / (e5^2 + 0.01 e3^2)."""
    code, packed = slots.code, slots.packed
    one, tolerance = packed.splat(ONE), packed.splat("%tolerance")
    sums = [packed.slot(1) for _ in tableau.errors]
    for place in sums:
        packed.store(packed.splat(ZERO), place, "0")

    def add(index: str) -> None:
        state, after = packed.load(slots.state, index), packed.load(slots.next, index)
        size = packed.maximum(packed.size(state), packed.size(after))
        scale = packed.divide(one, packed.multiply(tolerance, packed.add(one, size)))
        for row, place in zip(tableau.errors, sums, strict=True):
            estimate = slots.weighted(row, index)
            assert estimate is not None
            share = packed.multiply(estimate, scale)
            packed.store(packed.add(packed.load(place, "0"), packed.multiply(share, share)), place, "0")

    code.each(slots.dimension, add)
    square = code.multiply(h, h)
    first, *second = (packed.total(packed.load(place, "0")) for place in sums)
    count = literal(1.0 / (slots.dimension * packed.width))
    if not second:
        return code.multiply(code.multiply(square, first), count)
    total = code.add(literal(1e-300), code.add(first, code.multiply(literal(0.01), second[0])))
    return code.multiply(code.multiply(square, count), code.divide(code.multiply(first, first), total))


def logarithm(code: Code, value: str, *, rough: bool) -> str:
    """log2; a rough one is right to 0.0002 and takes a fraction of the time."""
    return _rough(code, "log2", value) if rough else code.call("log2", value)


def _rough(code: Code, function: str, value: str) -> str:
    name = f"{function}_rough"
    code.used |= set(functions([name]))
    return code.value(f"call double {symbol(name)}(double {value})")


def _limited(code: Code, exponent: str, most: float, *, rough: bool) -> str:
    """SAFETY 2^exponent within SHRINK and `most`; SHRINK where it is not a number."""
    exponent = code.add(literal(math.log2(SAFETY)), exponent)
    factor = _rough(code, "exp2", exponent) if rough else code.call("exp2", exponent)
    factor = code.select(code.compare("ogt", factor, literal(SHRINK)), factor, literal(SHRINK))
    return code.select(code.compare("olt", factor, literal(most)), factor, literal(most))


def after_refusal(code: Code, tableau: Tableau, h: str, logarithm: str, *, rough: bool = False) -> str:
    """The length to try after a refused one, from log2 of its squared error."""
    exponent = code.multiply(logarithm, literal(-0.5 / tableau.error_order))
    return code.multiply(h, _limited(code, exponent, 1.0, rough=rough))


def after_step(code: Code, tableau: Tableau, h: str, logarithm: str, before: str, *, rough: bool = False) -> str:
    """The length of the next step, from log2 of the squared errors of this one and the one before."""
    change = code.add(
        code.multiply(logarithm, literal(-0.5 * PROPORTIONAL / tableau.error_order)),
        code.multiply(before, literal(0.5 * INTEGRAL / tableau.error_order)),
    )
    return code.multiply(h, _limited(code, change, GROW, rough=rough))


def dense(slots: Stages, tableau: Tableau, t: str, h: str, polynomial: list[str]) -> None:
    """The extra stages and the polynomial of a step: y + sum_j theta^j q_j, theta = (time - t) / h."""
    packed, first = slots.packed, len(tableau.stages) + 1
    for index, (node, row) in enumerate(tableau.extra, start=first):
        slots.stage(t, h, node, row, slots.rates[index])
    rows = [
        {stage: powers[power] for stage, powers in enumerate(tableau.dense) if powers[power]}
        for power in range(len(tableau.dense[0]))
    ]

    def one(index: str) -> None:
        for row, place in zip(rows, polynomial, strict=True):
            total = slots.weighted(row, index)
            assert total is not None
            packed.store(packed.multiply(packed.splat(h), total), place, index)

    slots.code.each(slots.dimension, one)
