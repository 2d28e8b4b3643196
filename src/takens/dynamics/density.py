"""Invariant densities: how often an orbit visits each part of the state space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError, SimulationError
from ..random import generator
from ..systems.base import Report, System
from ..systems.evolve import evolve
from ..wording import printed
from .record import MOST_NUMBERS

Array = NDArray[np.float64]
BATCHES = 25
"""Parts of the orbit, or groups of orbits, whose histograms are compared for the standard error."""


@dataclass(frozen=True, eq=False)
class Density:
    """A density over the axes of a box.

    `edges`, for each of the `axes` (names of states), the edges of its bins; `values` the density, in one over the
    product of the units of the axes, with an axis for each; `error` its standard error, of the same shape; `outside`
    the share of samples outside the box, so that the integral of `values` over the box is 1 - outside.
    """

    system: str
    axes: tuple[str, ...]
    edges: tuple[Array, ...]
    values: Array
    error: Array
    outside: float

    __repr__ = printed

    @property
    def volume(self) -> Array:
        """The volume of each bin, of the shape of `values`."""
        return volumes(self.edges)


def invariant_density(
    system: System,
    box: Mapping[str, tuple[float, float]],
    bins: int | tuple[int, ...] = 100,
    *,
    length: int = 100_000,
    members: int = 1,
    interval: float | None = None,
    transient: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> Density:
    """The histogram of `length` samples of the motion of `system` over `box`, {state: (low, high)}, as a density.

    One orbit from `initial (state,)` (None: the system's own), or that many samples in all of several `members` from
    random initial states in the box, sampled every `interval` (None: one iteration, or a tenth of the period of a flow)
    after `transient` (None: 1,000 iterations or 100 periods; with members, whose orbits are short, 20 or 10). The
    standard error is that of the mean over 25 parts of the orbit, or groups of members; it is right where such a part
    is much longer than the memory of the motion.

    Raises `SettingError` for settings that do not fit, `SimulationError` where an orbit diverges, and
    `InsufficientData` where rounding has led orbits to a point that repels others, as happens to maps such as 2 x mod 1
    after 53 iterations: use many members then, with a short length each. Cost: that of the orbits.
    """
    names, edges = edges_of(system, box, bins)
    times = _times(system, length, members, interval, transient)
    counts = np.zeros((BATCHES, *(len(edge) + 1 for edge in edges)))
    start = np.tile(system.phase(initial)[: system.dimension], (members, 1))
    if members > 1:
        low, high = np.array(list(box.values()), dtype=np.float64).T
        start[:, names] = low + (high - low) * generator(seed, "invariant density").random((members, len(names)))
    block = max(1, MOST_NUMBERS // (len(times) * system.dimension))
    for first in range(0, members, block):
        samples = evolve(system, start[first : first + block], times, tolerance=tolerance)
        _check(system, samples, times)
        where = np.stack(
            [np.searchsorted(edge, samples[..., i], "right") for i, edge in zip(names, edges, strict=True)]
        )
        if members == 1:
            batch = np.broadcast_to(np.arange(len(times)) * BATCHES // len(times), samples.shape[:2])
        else:
            batch = np.broadcast_to((np.arange(first, first + len(samples)) % BATCHES)[:, None], samples.shape[:2])
        np.add.at(counts, (batch, *where), 1.0)
        if report is not None:
            report(min(1.0, (first + block) / members))
    totals = counts.reshape(BATCHES, -1).sum(axis=1)
    inner = counts[(slice(None), *(slice(1, -1) for _ in edges))]
    shares = inner / totals.reshape(-1, *(1 for _ in edges))
    volume = volumes(edges)
    value = inner.sum(axis=0) / totals.sum() / volume
    error = shares.std(axis=0, ddof=1) / np.sqrt(BATCHES) / volume
    return Density(system.name, tuple(box), edges, value, error, 1 - float(inner.sum() / totals.sum()))


def _times(system: System, length: int, members: int, interval: float | None, transient: float | None) -> Array:
    """The times of the samples of each member, from settings that are checked and filled in."""
    unit = 1.0 if system.stepwise else system.period
    if unit is None and (interval is None or transient is None):
        raise SettingError("the system has no typical period", place=system.name,
                           remedy="Give interval and transient.")  # fmt: skip
    every = float(interval or (1.0 if system.stepwise else (unit or 1.0) / 10))
    few = (20, 10) if members > 1 else (1000, 100)
    wait = (unit or 1.0) * few[0 if system.stepwise else 1] if transient is None else float(transient)
    if (
        members < 1
        or length < BATCHES * max(1, members // BATCHES)
        or (1 < members < BATCHES)
        or wait < 0
        or every <= 0
    ):
        raise SettingError(
            f"{length} samples of {members} members, every {every:g} after {wait:g}", place=system.name,
            remedy=f"Use at least {BATCHES} samples, and one member or at least {BATCHES}.",
        )  # fmt: skip
    return every * (round(wait / every) + np.arange(max(2, length // members), dtype=np.float64))


def edges_of(
    system: System, box: Mapping[str, tuple[float, float]], bins: int | tuple[int, ...]
) -> tuple[list[int], tuple[Array, ...]]:
    """The numbers of the states of a box and the edges of its bins, checked."""
    counts = (bins,) * len(box) if isinstance(bins, int | np.integer) else tuple(bins)
    for name, ends in box.items():
        if name not in system.states or len(ends) != 2 or not (np.isfinite(ends).all() and ends[0] < ends[1]):
            raise SettingError(f"the box has {name!r} in {ends!r}", place=system.name,
                               remedy=f"Give (low, high); states: {', '.join(system.states)}.")  # fmt: skip
    if not box or len(counts) != len(box) or min(counts) < 1:
        raise SettingError(
            f"{bins!r} bins over {len(box)} states", place=system.name, remedy="Give one for each state."
        )
    edges = tuple(np.linspace(low, high, n + 1) for n, (low, high) in zip(counts, box.values(), strict=True))
    return [system.states.index(name) for name in box], edges


def volumes(edges: tuple[Array, ...]) -> Array:
    """The volume of each bin, with an axis for each array of edges."""
    found: Array = np.ones(())
    for edge in edges:
        found = np.multiply.outer(found, np.diff(edge))
    return found


def _check(system: System, samples: Array, times: Array) -> None:
    """Refuse orbits that diverge, and those that rounding has led to a point that repels all others."""
    lost = np.asarray(~np.isfinite(samples).all(axis=(1, 2)))
    if lost.any():
        raise SimulationError(f"{lost.sum()} of {len(lost)} orbits diverge", time=float(times[-1]), state=(),
                              place=system.name, remedy="Choose a box inside the basin of one attractor.")  # fmt: skip
    if not system.stepwise:
        return
    stuck = np.asarray((samples[:, -1] == samples[:, -2]).all(axis=1))
    if stuck.any():
        slopes = system.jacobian(times[-1], samples[stuck, -1])
        sizes = np.abs(np.linalg.eigvals(np.where(np.isfinite(slopes), slopes, 2.0))).max(axis=1)
        if (sizes > 1).any():
            raise InsufficientData(
                "rounding has led orbits to a fixed point that repels its neighbours", place=system.name,
                remedy="Use many members with few samples each, or the transfer operator.",
            )  # fmt: skip
