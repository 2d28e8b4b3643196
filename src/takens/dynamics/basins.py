"""Basins of attraction: which attractor each initial state reaches, and what share of them reaches each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from ..systems.base import Report, System
from ..wording import printed
from .attractors import ESCAPED, UNDECIDED, Attractor, Settling, described, settling

Array = NDArray[np.float64]
SEEDS = 100
"""Initial states whose orbits are followed in full to find the attractors."""


@dataclass(frozen=True, eq=False)
class Basins:
    """Which attractor each initial state of a grid reaches.

    `labels` has an axis for each of the `axes`, (state, values), in order: the number of the attractor in `attractors`,
    -1 for orbits that escape, -2 for those that have not settled.
    """

    system: System
    axes: tuple[tuple[str, Array], ...]
    labels: NDArray[np.int64]
    attractors: tuple[Attractor, ...]
    settling: Settling

    __repr__ = printed

    @property
    def fractions(self) -> dict[int, Estimate]:
        """The share of initial states for each label that occurs; see `basin_fractions`."""
        return shares(self.labels, self.system.name)

    def reached(self, states: ArrayLike) -> NDArray[np.int64]:
        """The labels `(member,)` of other initial states `(member, state)`, by the same attractors."""
        return self.settling.labels(np.asarray(states, dtype=np.float64), self.attractors)[0]


@dataclass(frozen=True, eq=False)
class BasinFractions:
    """What share of random initial states reaches each attractor.

    `states (member, state)` are the initial states, `labels (member,)` the number of the attractor each reaches, -1 for
    orbits that escape, -2 for those that have not settled.
    """

    system: System
    states: Array
    labels: NDArray[np.int64]
    attractors: tuple[Attractor, ...]
    settling: Settling

    __repr__ = printed

    @property
    def fractions(self) -> dict[int, Estimate]:
        """The share for each attractor, and for -1 and -2 where they occur, with Wilson intervals."""
        return shares(self.labels, self.system.name, range(len(self.attractors)))


def basins(
    system: System,
    box: Mapping[str, tuple[float, float]],
    resolution: int | tuple[int, ...] = 100,
    *,
    initial: ArrayLike | None = None,
    interval: float | None = None,
    transient: float | None = None,
    closeness: float = 0.01,
    rounds: int = 4,
    bound: float = 1e6,
    tolerance: float = 1e-8,
    seed: int = 0,
    report: Report | None = None,
) -> Basins:
    """The basins of attraction of a deterministic system on a grid over `box`, {state: (low, high)}.

    The other states are those of `initial (state,)` (None: the system's own), so that the grid is a slice of the state
    space, with `resolution` cells along each axis; initial states are the centres of cells. Attractors are found by
    following 100 orbits from the grid, and later any that fit none, until their samples come back to the same set; an
    orbit belongs to an attractor when its samples, every `interval`, stay on it. `interval` is one iteration of a map,
    a fraction of the period of a flow, and must be the period of the forcing for a law that depends on time. Orbits
    are followed for `transient` (None: 500 iterations or about 50 periods), and where they have not settled `rounds`
    times more, each twice as long. Sets nearer than `closeness` times the spread of all states are taken for one.
    Beyond `bound`, or where they cannot be continued, orbits have escaped.

    Raises `SettingError` for settings that do not fit and `InsufficientData` where volumes are conserved and
    where orbits settle on more than 25 sets. Cost: that of the orbits of the grid up to where they settle. Not for
    chaotic attractors in many dimensions: a sample no longer covers them, and they may be taken for one. Chaotic
    transients that last much longer than 6,000 samples are taken for attractors, and so are spirals that hardly shrink
    in `transient`, as next to a bifurcation: make it longer there.
    Source: the recurrences are in the spirit of Datseris & Wagemakers, Chaos 32, 023104 (2022).
    """
    names = _sliced(system, box)
    counts = (resolution,) * len(names) if isinstance(resolution, int | np.integer) else tuple(resolution)
    if len(counts) != len(names) or min(counts) < 1:
        raise SettingError(f"resolution is {resolution!r}", place=system.name, remedy="Give a number for each axis.")
    centres = [
        low + (high - low) * (np.arange(n) + 0.5) / n for n, (low, high) in zip(counts, box.values(), strict=True)
    ]
    states = np.tile(system.phase(initial)[: system.dimension], (int(np.prod(counts)), 1))
    states[:, names] = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1).reshape(-1, len(names))
    picked = generator(seed, "basins", "seeds").permutation(len(states))[:SEEDS]
    plan = settling(system, states[picked], interval=interval, transient=transient, closeness=closeness, rounds=rounds,
                    bound=bound, tolerance=tolerance)  # fmt: skip
    labels, attractors = settle(plan, states, states[picked], seed=seed, report=report)
    axes = tuple(zip(box, centres, strict=True))
    return Basins(system, axes, labels.reshape(counts), attractors, plan)


def basin_fractions(
    system: System,
    box: Mapping[str, tuple[float, float]],
    samples: int = 1000,
    *,
    initial: ArrayLike | None = None,
    interval: float | None = None,
    transient: float | None = None,
    closeness: float = 0.01,
    rounds: int = 4,
    bound: float = 1e6,
    tolerance: float = 1e-8,
    seed: int = 0,
    report: Report | None = None,
) -> BasinFractions:
    """The share of a box that each attractor attracts ("basin stability"), from `samples` random initial states.

    They are drawn uniformly from `box`, {state: (low, high)}, the other states are those of `initial`; the other
    arguments are those of `basins`. The error is that of a binomial share, whatever the dimension. Raises
    `SettingError` for settings that do not fit. Source: Menck et al., Nature Physics 9, 89 (2013).
    """
    states = drawn(system, box, samples, initial, seed)
    plan = settling(system, states[:SEEDS], interval=interval, transient=transient, closeness=closeness, rounds=rounds,
                    bound=bound, tolerance=tolerance)  # fmt: skip
    labels, attractors = settle(plan, states, states[:SEEDS], seed=seed, report=report)
    return BasinFractions(system, states, labels, attractors, plan)


def settle(
    plan: Settling,
    states: Array,
    seeds: Array,
    *,
    seed: int = 0,
    report: Report | None = None,
) -> tuple[NDArray[np.int64], tuple[Attractor, ...]]:
    """The labels of `states` and the attractors, with their kinds; orbits that fit none are searched for others."""
    attractors = plan.found(seeds)
    block = max(1000, len(states) // 20)
    labels, ends = np.empty(len(states), dtype=np.int64), []
    for start in range(0, len(states), block):
        labels[start : start + block], end = plan.labels(states[start : start + block], attractors)
        ends.append(end)
        if report is not None:
            report(min(1.0, (start + block) / len(states)))
    rest = np.flatnonzero(labels == UNDECIDED)
    end = np.concatenate(ends)
    for _ in range(5):
        if not len(rest):
            break
        more = plan.found(end[:SEEDS], attractors)
        if len(more) == len(attractors):
            break
        attractors = more
        labels[rest], end = plan.labels(end, attractors)
        rest = np.flatnonzero(labels == UNDECIDED)
    return labels, tuple(
        described(plan.system, one, plan.scale, seed=seed) if not one.kind else one for one in attractors
    )


def drawn(
    system: System, box: Mapping[str, tuple[float, float]], samples: int, initial: ArrayLike | None, seed: int
) -> Array:
    """Random initial states `(samples, state)` from a box."""
    names = _sliced(system, box)
    if samples < 1:
        raise SettingError(f"samples is {samples}", place=system.name, remedy="Ask for at least one.")
    states = np.tile(system.phase(initial)[: system.dimension], (samples, 1))
    low, high = np.array(list(box.values()), dtype=np.float64).T
    states[:, names] = low + (high - low) * generator(seed, "basins", "initial").random((samples, len(names)))
    return states


def shares(labels: ArrayLike, name: str, also: range = range(0), level: float = 0.95) -> dict[int, Estimate]:
    """The share of each label, and of those in `also`, with its Wilson interval at `level`."""
    every = np.ravel(np.asarray(labels))
    found = {}
    for label in sorted({*np.unique(every).tolist(), *also}, key=lambda n: (n < 0, abs(n))):
        share = float(np.mean(every == label))
        what = {ESCAPED: "escaped", UNDECIDED: "undecided"}.get(label, f"attractor {label}")
        found[int(label)] = Estimate(
            "basin_fraction", share, "", wilson(share, len(every), level), level, "Wilson interval",
            {"states": len(every)}, reference="Menck et al., Nature Physics 9, 89 (2013)", channel=f"{name}: {what}",
        )  # fmt: skip
    return found


def wilson(share: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """The Wilson interval at `level` of a `share` that was found in `count` independent trials."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    wide = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return float(middle - wide) if share > 0 else 0.0, float(middle + wide) if share < 1 else 1.0


def _sliced(system: System, box: Mapping[str, tuple[float, float]]) -> list[int]:
    """The numbers of the states that a box is over, checked."""
    for name, ends in box.items():
        if name not in system.states:
            raise SettingError(f"unknown state {name!r}", place=system.name,
                               remedy=f"States: {', '.join(system.states)}.")  # fmt: skip
        if len(ends) != 2 or not np.isfinite(ends).all() or not ends[0] < ends[1]:
            raise SettingError(f"the box has {name} in {ends!r}", place=system.name, remedy="Give (low, high).")
    if not box:
        raise SettingError("the box is empty", place=system.name, remedy='Give {"x": (-1, 1)}, say.')
    return [system.states.index(name) for name in box]
