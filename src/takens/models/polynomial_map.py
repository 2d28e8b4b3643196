"""A polynomial law of delayed rows as a map with equations: compiled, with exact Jacobian, open to proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import EquationError
from .polynomial_equations import expanded, text

if TYPE_CHECKING:
    from ..systems.base import System
    from .nvar import PolynomialLaw

TERMS, STATES = 100, 12
"""Most terms of an equation, and most states, that are written out; beyond that a law stays array code."""
ACCURATE = 1e-10
"""How far equations may be off, in units of the channels' scale: multiplying out cancels where means are large."""


def polynomial_map(law: PolynomialLaw, like: System) -> System | None:
    """The system `like` of the law, with equations in the place of array code; None where these would not do.

    That is where they are longer than 100 terms, for more than 12 states, for channels that are no names, and where
    the terms, multiplied out in the data's own units, lose more digits than the map may be off.
    """
    from ..systems import Equations, Map

    channels, targets = law.signature.channels, law.signature.targets
    if like.dimension > STATES or len(law.table) > TERMS:
        return None
    lags = range(law.memory - 1, -1, -1)
    names = [name if lag == 0 else f"{name}_{lag}" for lag in lags for name in channels[:targets]]
    if like.states != tuple(names) or tuple(like.parameters) != channels[targets:]:
        return None
    # The variables of the polynomial: delay by delay all channels; a known input is the same at all of them.
    places = [name if lag == 0 or c >= targets else f"{name}_{lag}"
              for lag in map(int, law.delays) for c, name in enumerate(channels)]  # fmt: skip
    texts = {}
    for lag in lags[:-1]:
        for name in channels[:targets]:
            texts[f"{name}_{lag}"] = name if lag == 1 else f"{name}_{lag - 1}"
    terms = expanded(law, len(law.delays))
    for c, name in enumerate(channels[:targets]):
        texts[name] = text({**terms[c], (c,): terms[c].get((c,), 0.0) + 1.0}, tuple(places))
    try:
        rule = Equations.parse(texts, channels[targets:], time="n")
    except EquationError:
        return None
    found = Map(name=like.name, rule=rule, parameters=like.parameters, initial=like.initial, dt=1.0,
                description=like.description)  # fmt: skip
    return found if _agrees(law, like, found) else None


def _agrees(law: PolynomialLaw, like: System, found: System) -> bool:
    """Whether two systems of a law go to the same states, from around the training data."""
    targets = law.signature.targets
    low, high = law.low[:targets], law.high[:targets]
    spread = 0.5 + 0.3 * np.cos(2.4 * np.arange(20)[:, None] * np.sqrt(np.arange(2.0, 2.0 + like.dimension)))
    margin = np.tile(2 * (high - low) / 7, law.memory)  # within one range of the data on each side
    states = np.tile(low, law.memory) + margin + spread * (np.tile(high - low, law.memory) - 2 * margin)
    with np.errstate(all="ignore"):
        apart = np.abs(like.rhs(0.0, states) - found.rhs(0.0, states)) / np.tile(law.scale[:targets], law.memory)
    return bool(
        (apart <= ACCURATE * (1 + np.abs(like.rhs(0.0, states)) / np.tile(law.scale[:targets], law.memory))).all()
    )
