"""What is seen of a motion: a state, a sum, a product or a monotone function of it, with observational noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError

Array = NDArray[np.float64]


def standardised(values: Array) -> Array:
    """Values `(time,)` with mean 0 and standard deviation 1."""
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)


def _even(z: Array) -> Array:
    """The normal distribution function of z, so that normal values become evenly distributed."""
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


MONOTONE: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "x": lambda z: z,
        "exp(x)": lambda z: np.exp(np.minimum(z, 12.0)),
        "x^3": lambda z: z**3,
        "tanh(x)": lambda z: np.tanh(1.5 * z),
        "sqrt(x)": lambda z: np.sign(z) * np.sqrt(np.abs(z)),
        "even(x)": _even,
    }
)
"""Strictly increasing functions of a standardised value."""


def monotone(name: str, values: Array) -> Array:
    """`values (time,)` themselves for "x", else one of the `MONOTONE` functions of the standardised values."""
    if name not in MONOTONE:
        raise SettingError(f"unknown observable {name!r}", place="bank", remedy=f"They are: {', '.join(MONOTONE)}.")
    return values if name == "x" else MONOTONE[name](standardised(values))


def draw(states: tuple[str, ...], random: np.random.Generator) -> str:
    """An observable of a system: half of the time a state, else a sum, a product or a monotone function."""
    kind = random.choice(["state", "sum", "product", "monotone"], p=[0.5, 0.15, 0.15, 0.2])
    first = states[int(random.integers(len(states)))]
    if kind in ("sum", "product") and len(states) > 1:
        second = str(random.choice([state for state in states if state != first]))
        return f"{first} {'+' if kind == 'sum' else '*'} {second}"
    if kind == "monotone":
        return f"{random.choice([name for name in MONOTONE if name != 'x'])!s} of {first}"
    return first


def observed(observable: str, columns: Mapping[str, Array]) -> Array:
    """The values `(time,)` of an observable as `draw` names it, of standardised states where there are two."""
    if " + " in observable or " * " in observable:
        sign = " + " if " + " in observable else " * "
        first, second = (standardised(columns[state]) for state in observable.split(sign))
        # The products of values with other means than 0, as of concentrations, which keep the cycle of their factors.
        return first + 0.7 * second if sign == " + " else (first + 1.0) * (second + 0.6)
    name, _, state = observable.partition(" of ")
    return monotone(name, columns[state]) if state else columns[observable]
