"""A recursive law as a system: the map from its state to the next, over the flattened state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..systems.base import System
    from .base import Array, RecursiveLaw


def recursion(law: RecursiveLaw) -> System:
    """The noise-free map s -> feed(s, step(s)) of a recursive law; time is counted in its sampling intervals.

    The state is that of the law, flattened: of a law that sees delayed rows these are `x` (now), `x_1` (one row ago),
    ... for each channel; otherwise `x` where it is the channels themselves and `s0, s1, ...` where it is hidden. Known
    inputs are parameters, constant in time, with their last values as defaults, and no states where the law sees
    delayed rows. No guard box holds the orbit. The Jacobian is the law's own `slopes` where it has them, otherwise by
    central differences.
    """
    from ..systems import Map
    from ..systems.rule import ArrayRule

    first = law.init(law.history[None])
    shape, targets = first.shape[1:], law.signature.targets
    inputs = tuple(identifier(name) for name in law.signature.inputs)
    # Where the state is made of rows, the places of the inputs in them are filled in rather than followed.
    rows = shape[-1:] == (len(law.signature.channels),)
    free = np.ones(shape, dtype=bool)
    if rows:
        free[..., targets:] = False
    kept = np.flatnonzero(free)

    def opened(x: Array, given: Mapping[str, Any]) -> Array:
        state = np.empty((x[..., 0].size, *shape))
        state.reshape(len(state), -1)[:, kept] = x.reshape(len(state), -1)
        if rows:
            fill(state, given, x.shape[:-1])
        return state

    def fill(values: Array, given: Mapping[str, Any], lead: tuple[int, ...]) -> None:
        for k, name in enumerate(inputs):
            now = np.broadcast_to(given[name], lead).reshape(-1)
            values[..., targets + k] = now.reshape(-1, *[1] * (values.ndim - 2))

    def follow(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
        state = opened(x, given)
        values = law.step(state)
        fill(values, given, x.shape[:-1])
        return law.feed(state, values).reshape(len(state), -1)[:, kept].reshape(x.shape)

    def derivative(time: Array, x: Array, given: Mapping[str, Any]) -> Array:
        found = law.slopes(opened(x, given))
        assert found is not None
        return found[:, kept[:, None], kept].reshape(*x.shape, x.shape[-1])

    analytic = (rows or not inputs) and law.slopes(first) is not None
    names = np.array(_names(law, shape), dtype=object)[kept]
    rule = ArrayRule(
        tuple(names), follow, inputs, derivative if analytic else None, time="n",
        says=f"a law learned from {law.signature.name}",
    )  # fmt: skip
    defaults = {name: float(law.history[-1, targets + k]) for k, name in enumerate(inputs)}
    return Map(
        name=f"{type(law).__name__} of {law.signature.name}", rule=rule, parameters=defaults,
        initial=first.reshape(-1)[kept],
        dt=1.0, description=f"One step is {law.signature.interval:g} {law.signature.clock.unit}.",
    )  # fmt: skip


def _names(law: RecursiveLaw, shape: tuple[int, ...]) -> tuple[str, ...]:
    """A name for each number of the flattened state."""
    channels = [identifier(name) for name in law.signature.channels]
    if len(shape) == 2 and shape[1] == len(channels):
        return tuple(name if lag == 0 else f"{name}_{lag}" for lag in range(shape[0] - 1, -1, -1) for name in channels)
    if shape == (len(channels),):
        return tuple(channels)
    return tuple(f"s{i}" for i in range(int(np.prod(shape))))


def identifier(name: str) -> str:
    """The name of a channel as the name of a state: letters, digits and underscores."""
    text = "".join(c if c.isalnum() else "_" for c in name) or "x"
    return text if not text[0].isdigit() else f"x{text}"
