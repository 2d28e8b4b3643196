"""A polynomial law as equations that can be read: standardised monomials multiplied out into the data's own units."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EquationError

if TYPE_CHECKING:
    from ..systems.base import System
    from .base import Array
    from .nvar import PolynomialLaw
    from .polynomial_flow import FlowLaw

WRITTEN = 150
"""Most terms of an equation that is written out; beyond that nobody reads it, and it stays array code."""

Powers = tuple[int, ...]
"""The variables of a monomial, sorted, each as often as it is multiplied: (0, 0, 2) is x_0 x_0 x_2."""


def flow(law: FlowLaw) -> System:
    """The flow whose samples the law predicts: equations up to 150 terms each, array code beyond.

    States are named like the channels where these are names, else x1, x2, ...; known inputs are parameters with their
    last values.
    """
    from ..systems import ArrayRule, Equations, Flow

    channels, targets = law.signature.channels, law.signature.targets
    coefficients = expanded(law)
    defaults = law.history[-1, targets:]
    said: dict[str, Any] = {
        "name": f"FlowLaw of {law.signature.name}", "initial": law.history[-1, :targets],
        "dt": law.signature.interval, "description": f"Time is in {law.signature.clock.unit}.",
    }  # fmt: skip
    numbered = tuple(f"x{i + 1}" for i in range(len(channels)))
    if max(map(len, coefficients[:targets])) <= WRITTEN:
        for names in (channels, numbered):
            texts = {names[i]: text(coefficients[i], names) for i in range(targets)}
            try:
                rule = Equations.parse(texts, names[targets:])
            except EquationError:
                # A channel such as "wind speed" or "exp" is no name of a state.
                continue
            return Flow(rule=rule, parameters=dict(zip(names[targets:], defaults, strict=True)), **said)

    def opened(x: Array, given: Mapping[str, Any]) -> Array:
        known = [np.broadcast_to(given[name], x.shape[:-1]) for name in numbered[targets:]]
        whole = np.concatenate([x, np.stack(known, axis=-1)], axis=-1) if known else x
        return ((whole - law.mean) / law.scale).reshape(-1, len(channels))

    def follow(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
        return (law.rates(opened(x, given)) * law.scale)[:, :targets].reshape(x.shape)

    def derivative(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
        found = law.bends(opened(x, given)) * law.scale[:, None] / law.scale
        return found[:, :targets, :targets].reshape(*x.shape, targets)

    wide = ArrayRule(
        numbered[:targets], follow, numbered[targets:], derivative, says=f"polynomials of degree {law.degree}"
    )
    return Flow(rule=wide, parameters=dict(zip(numbered[targets:], defaults, strict=True)), **said)


def expanded(law: FlowLaw | PolynomialLaw, delays: int = 1) -> list[dict[Powers, float]]:
    """For each channel the coefficient of every monomial of the channels themselves, the constant as ().

    Each standardised factor (x_v - m_v) / s_v is multiplied out; v counts the channels, `delays` times.
    """
    mean, scale = np.tile(law.mean, delays), np.tile(law.scale, delays)
    gains = law.readout.gains * law.scale
    constants = (law.readout.offset - law.readout.mean @ law.readout.gains) * law.scale
    found: list[dict[Powers, float]] = [{(): float(c)} for c in constants]
    for indices, weights in zip(law.table, gains, strict=True):
        factors = [int(i) - 1 for i in indices if i > 0]
        whole = float(np.prod(scale[factors]))
        for taken in itertools.product((False, True), repeat=len(factors)):
            left = [-mean[v] for v, kept in zip(factors, taken, strict=True) if not kept]
            powers = tuple(sorted(v for v, kept in zip(factors, taken, strict=True) if kept))
            share = float(np.prod(left)) / whole
            for channel, weight in enumerate(weights):
                found[channel][powers] = found[channel].get(powers, 0.0) + share * float(weight)
    return [dict(sorted(terms.items(), key=lambda item: (len(item[0]), item[0]))) for terms in found]


def text(terms: Mapping[Powers, float], names: tuple[str, ...]) -> str:
    """A right-hand side such as `-10.0*x + 10.0*y`, to the last digit."""
    parts = ["*".join([repr(float(value)), *(names[v] for v in powers)]) for powers, value in terms.items()]
    return " + ".join(parts).replace("+ -", "- ")
