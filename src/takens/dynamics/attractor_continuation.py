"""How attractors and the sizes of their basins change with a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import Report, System
from ..wording import printed
from .attractors import ESCAPED, UNDECIDED, Attractor, settling
from .basins import SEEDS, drawn, settle, shares, wilson

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AttractorContinuation:
    """Attractors over one parameter.

    `values (value,)` of the `parameter`; `attractors`, for each value, {number: attractor}: the same number at two
    values is the same attractor, moved; `fractions (value, number)` the share of random initial states that each
    attracts, 0 where it does not exist or none of them reaches it, with Wilson `intervals (value, number, 2)`; the
    shares `escaped (value,)` and `undecided (value,)`.
    """

    system: str
    parameter: str
    values: Array
    attractors: tuple[Mapping[int, Attractor], ...]
    fractions: Array
    intervals: Array
    escaped: Array
    undecided: Array

    __repr__ = printed

    def span(self, number: int) -> tuple[float, float]:
        """The smallest and the largest value of the parameter at which an attractor was found."""
        where = self.values[[number in found for found in self.attractors]]
        if not len(where):
            raise SettingError(f"there is no attractor {number}", remedy=f"There are {self.fractions.shape[1]}.")
        return float(where.min()), float(where.max())


def attractor_continuation(
    system: System,
    parameter: str,
    values: ArrayLike,
    box: Mapping[str, tuple[float, float]],
    *,
    samples: int = 200,
    jump: float = 0.2,
    initial: ArrayLike | None = None,
    interval: float | None = None,
    transient: float | None = None,
    closeness: float = 0.01,
    rounds: int = 4,
    bound: float = 1e6,
    tolerance: float = 1e-8,
    seed: int = 0,
    report: Report | None = None,
) -> AttractorContinuation:
    """The attractors of `system` and their basin fractions over `values (value,)` of a parameter, in the given order.

    At each value attractors are found from `samples` random initial states in `box`, the same ones at all values, and
    from where the attractors of the value before were, so that one with a small basin is not lost. An attractor is
    the one of an earlier value that lies nearest, by the mean distance between points of the two, if that is less than
    `jump` in units of the spread of all states; otherwise it is new. The other arguments are those of `basins`. Raises
    the errors of `basins`. Cost: that of `basin_fractions` for each value.
    Source: in the spirit of Datseris, Luiz Rossi & Wagemakers, Chaos 33, 073151 (2023).
    """
    swept = np.array(values, dtype=np.float64)
    if swept.ndim != 1 or len(swept) == 0:
        raise SettingError(f"{parameter} has values of shape {swept.shape}", place=system.name,
                           remedy="Give numbers in one row.")  # fmt: skip
    states = drawn(system, box, samples, initial, seed)
    latest: dict[int, Attractor] = {}
    found: list[dict[int, Attractor]] = []
    counted: list[dict[int, tuple[float, float, float]]] = []
    for done, value in enumerate(swept):
        one = system.with_parameters(**{parameter: float(value)})
        plan = settling(one, states[:SEEDS], interval=interval, transient=transient, closeness=closeness,
                        rounds=rounds, bound=bound, tolerance=tolerance)  # fmt: skip
        before = [attractor.points[-1] for attractor in found[-1].values()] if found else []
        labels, attractors = settle(plan, states, np.array([*before, *states[:SEEDS]]), seed=seed)
        numbers = _matched(latest, attractors, plan.scale, jump)
        found.append(dict(zip(numbers, attractors, strict=True)))
        latest |= found[-1]
        names = {ESCAPED: ESCAPED, UNDECIDED: UNDECIDED, **dict(enumerate(numbers))}
        counted.append({
            names[label]: (share.value, *(share.interval or ()))
            for label, share in shares(labels, system.name, range(len(attractors))).items()
        })  # fmt: skip
        if report is not None:
            report((done + 1) / len(swept))
    count = len(latest)
    absent = (0.0, *wilson(0.0, samples))
    table = np.array([[each.get(number, absent) for number in range(count)] for each in counted]).reshape(-1, count, 3)
    escaped, undecided = (np.array([each.get(k, absent)[0] for each in counted]) for k in (ESCAPED, UNDECIDED))
    return AttractorContinuation(
        system.name, parameter, swept, tuple(found), table[..., 0], table[..., 1:], escaped, undecided
    )


def _matched(latest: Mapping[int, Attractor], attractors: Sequence[Attractor], scale: Array, jump: float) -> list[int]:
    """The number of each attractor: that of the nearest earlier one, or a new one."""
    from scipy.optimize import linear_sum_assignment

    known = list(latest)
    numbers = [-1] * len(attractors)
    if known and attractors:
        apart = np.array([[_apart(latest[k], other, scale) for other in attractors] for k in known])
        for i, j in zip(*linear_sum_assignment(np.minimum(apart, 1e3 * jump)), strict=True):
            if apart[i, j] <= jump:
                numbers[j] = known[i]
    fresh = len(known)
    for k, number in enumerate(numbers):
        if number < 0:
            numbers[k], fresh = fresh, fresh + 1
    return numbers


def _apart(a: Attractor, b: Attractor, scale: Array) -> float:
    """The mean distance from the points of one attractor to the other, the larger of the two ways."""
    from scipy.spatial import KDTree

    p, q = a.points / scale, b.points / scale
    return max(float(np.mean(KDTree(p).query(q)[0])), float(np.mean(KDTree(q).query(p)[0])))
