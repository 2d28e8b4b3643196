"""All solutions of F(x) = 0 in a box: by bounds that prove it, or by Newton's method from many points."""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .contraction import Bounds, contracted, unique

Array = NDArray[np.float64]
Report = Callable[[float], object]

CHUNK = 200_000
"""Entries of Jacobians that are handled at once."""
FINEST = 1e-7
"""Boxes this small, relative to the first, that are neither refuted nor proved to hold one root are left undecided."""


class Problem(abc.ABC):
    """F of `size` unknowns, by number and, where there are equations, by bounds over boxes."""

    size: int

    @abc.abstractmethod
    def values(self, x: Array) -> Array:
        """F `(point, size)` at points `x (point, size)`; NaN where it has no value."""

    @abc.abstractmethod
    def slopes(self, x: Array) -> Array:
        """The Jacobian `(point, size, size)`."""

    @abc.abstractmethod
    def bounds(self, low: Array, high: Array) -> Bounds:
        """Bounds of F and its Jacobian over boxes `(box, size)`."""


@dataclass(frozen=True)
class Roots:
    """What was found: `points (point, size)`, which of them are `proved (point,)` to be there and alone near there.

    `errors (point, size)` bounds their distance from the exact root where proved. `undecided (box, 2, size)` are the
    boxes, low and high ends, about which nothing could be proved; `examined` counts boxes.
    """

    points: Array
    proved: NDArray[np.bool_]
    errors: Array
    undecided: Array
    examined: int


def newton(problem: Problem, x: Array, steps: int = 60) -> tuple[Array, NDArray[np.bool_]]:
    """Points `(point, size)` after damped Newton steps from `x`, and whether they came to a root.

    A step is halved until it makes |F| smaller, at most 8 times. Come to a root means that the last step was below
    1e-10 of the point's size and |F| below 1e-9 of its terms; convergence to degenerate roots is only linear.
    """
    x = x.copy()
    with np.errstate(all="ignore"):
        value = problem.values(x)
        size = np.linalg.norm(value, axis=1)
        moving = np.isfinite(size)
        moved = np.full(len(x), np.inf)
        for _ in range(steps):
            active = np.flatnonzero(moving)
            if not len(active):
                break
            step = -solved(problem.slopes(x[active]), value[active])
            share = np.ones(len(active))
            better = np.zeros(len(active), dtype=bool)
            for _ in range(8):
                trial = problem.values(x[active] + share[:, None] * step)
                better = np.asarray(np.linalg.norm(trial, axis=1) < size[active], dtype=bool)
                if better.all():
                    break
                share = np.where(better, share, share / 2)
            taken = active[better]
            x[taken] += (share[:, None] * step)[better]
            value[taken], size[taken] = trial[better], np.linalg.norm(trial[better], axis=1)
            length = np.abs(step).max(axis=1) / (1e-300 + 1 + np.abs(x[active]).max(axis=1))
            moved[active] = length
            moving[active] = better & (length > 1e-15) & (size[active] > 0)
        # A step of no length is no root where the Jacobian is singular, as at a least |F| above 0.
        scale = (np.abs(problem.slopes(x)) @ (1 + np.abs(x))[..., None]).max(axis=(1, 2)) if len(x) else size
        arrived = ((moved < 1e-10) & (size <= 1e-9 * scale)) | (size == 0)
    return x, np.asarray(arrived, dtype=bool)


def solved(matrices: Array, right: Array) -> Array:
    """Solutions `(point, size)` of many linear systems; of least size where a matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, right[..., None])[..., 0])
    except np.linalg.LinAlgError:
        finite = np.isfinite(matrices).all(axis=(1, 2), keepdims=True)
        sound = np.where(finite, matrices, 0.0)
        return np.asarray((np.linalg.pinv(sound, rcond=1e-14) @ right[..., None])[..., 0])


def searched(
    problem: Problem, low: Array, high: Array, starts: int, improved: Callable[[Array], Array] | None = None
) -> Roots:
    """The roots in a box that Newton's method reaches from `starts` evenly spread points; nothing is proved.

    The points are those of an additive recurrence with the generalised golden mean (Roberts 2018), no randomness;
    `improved` makes better ones of them.
    """
    golden = 2.0
    for _ in range(60):
        golden = (1 + golden) ** (1 / (problem.size + 1))
    spread = (0.5 + np.outer(np.arange(starts), golden ** -np.arange(1.0, problem.size + 1))) % 1.0
    begun = low + spread * (high - low)
    ends, arrived = newton(problem, begun if improved is None else improved(begun))
    inside = arrived & (ends >= low).all(axis=1) & (ends <= high).all(axis=1)
    points = distinct(ends[inside], high - low)
    nothing = np.zeros(len(points), dtype=bool)
    return Roots(points, nothing, np.full(points.shape, np.nan), np.empty((0, 2, problem.size)), 0)


def distinct(points: Array, scale: Array) -> Array:
    """One point of each group that lies within 1e-6 of `scale (size,)`, in order."""
    kept = np.empty((0, points.shape[1]))
    for point in points:
        if not (np.abs((kept - point) / scale).max(axis=1) <= 1e-6).any():
            kept = np.concatenate([kept, point[None]])
    return kept


@dataclass
class _Search:
    """The state of a branch-and-bound search."""

    problem: Problem
    low: Array
    high: Array
    points: list[Array] = field(default_factory=list)
    errors: list[Array] = field(default_factory=list)
    reaches: list[Array] = field(default_factory=list)
    undecided: list[Array] = field(default_factory=list)
    examined: int = 0

    def examine(self, low: Array, high: Array) -> tuple[Array, Array]:
        """The boxes that are left of some: smaller, or halves."""
        self.examined += len(low)
        bounds = self.problem.bounds(low, high)
        alive = bounds.possible()
        low, high, bounds = low[alive], high[alive], bounds.of(alive)
        before = high - low
        low, high, alive = contracted(self.problem.bounds, low, high, bounds)
        low, high, bounds, before = low[alive], high[alive], bounds.of(alive), before[alive]
        if len(low):
            self.prove((low + high) / 2, high - low)
            left = ~self.covered(low, high)
            low, high, bounds, before = low[left], high[left], bounds.of(left), before[left]
        small = np.asarray(((high - low) <= FINEST * (self.high - self.low)).all(axis=1))
        if small.any():
            self.undecided.append(np.stack([low[small], high[small]], axis=1))
        low, high, bounds, before = low[~small], high[~small], bounds.of(~small), before[~small]
        with np.errstate(divide="ignore", invalid="ignore"):
            shrunk = np.nan_to_num(np.log((high - low) / before), nan=0.0, neginf=-9.0).sum(axis=1) < -1.5
        halves = split(low[~shrunk], high[~shrunk], bounds.of(~shrunk), self.high - self.low)
        return np.concatenate([low[shrunk], halves[0]]), np.concatenate([high[shrunk], halves[1]])

    def prove(self, starts: Array, widths: Array) -> None:
        """Newton's method from the middle of each box; new roots are proved, and how far around them no other is."""
        ends, arrived = newton(self.problem, starts, 12)
        arrived &= (np.abs(ends - starts) <= 2 * widths).all(axis=1)
        ends, widths = ends[arrived], widths[arrived]
        while len(ends):
            new = ~self.covered(ends, ends)
            # A hundred at a time: what the first of them covers need not be tried again.
            part, later = np.flatnonzero(new)[:100], np.flatnonzero(new)[100:]
            found, reach, error = unique(self.problem, ends[part], np.maximum(widths[part], 1e-9))
            for k in np.flatnonzero(found):
                point = ends[part[k]]
                if not self.covered(point[None], point[None])[0]:
                    self.points.append(point)
                    self.errors.append(error[k])
                    self.reaches.append(reach[k])
            ends, widths = ends[later], widths[later]

    def covered(self, low: Array, high: Array) -> NDArray[np.bool_]:
        """Which boxes lie where a known root is proved to be the only one."""
        if not self.points:
            return np.zeros(len(low), dtype=bool)
        first, last = np.array(self.points) - self.reaches, np.array(self.points) + self.reaches
        # Rounding of the sums above is smaller than the margin that `unique` leaves.
        if len(low) < len(first):
            return np.array([((b >= first) & (t <= last)).all(axis=1).any() for b, t in zip(low, high, strict=True)])
        found = np.zeros(len(low), dtype=bool)
        for bottom, top in zip(first, last, strict=True):
            found |= ((low >= bottom) & (high <= top)).all(axis=1)
        return found


def split(low: Array, high: Array, bounds: Bounds, whole: Array) -> tuple[Array, Array]:
    """Halves of boxes, across the variable whose width makes the Jacobian vary most.

    A linear variable is not worth a cut. The cut is beside the middle, where in symmetric problems roots like to lie.
    """
    if not len(low):
        return low, high
    relative = (high - low) / whole
    with np.errstate(all="ignore"):
        slack = (bounds.slope_high - bounds.slope_low) * (high - low)[:, None, :]
        size = np.abs(bounds.high) + np.abs(bounds.low)
        score = (slack / size[..., None]).max(axis=1)
    score = np.where(np.isfinite(score).all(axis=1)[:, None], score, relative)
    rows = np.arange(len(low))
    chosen, widest = score.argmax(axis=1), relative.argmax(axis=1)
    poor = (score[rows, chosen] <= 1e-9) | (relative[rows, widest] > 100 * relative[rows, chosen])
    chosen = np.where(poor, widest, chosen)
    cut = low[rows, chosen] + 0.4878 * (high - low)[rows, chosen]
    upper, lower = low.copy(), high.copy()
    upper[rows, chosen], lower[rows, chosen] = cut, cut
    return np.concatenate([low, upper]), np.concatenate([lower, high])


def enclosed(problem: Problem, low: Array, high: Array, most_boxes: int, report: Report | None = None) -> Roots:
    """All roots in a box, with a proof where boxes could be decided: branch and bound with interval Newton steps.

    A box is dropped where bounds show that it holds no root, or that it lies around a root that is alone there; else
    it is made smaller, or cut in two. What is left after `most_boxes`, or is too small to cut, is undecided. Source:
    Neumaier, Interval Methods for Systems of Equations (1990), ch. 5; Krawczyk, Computing 4, 187 (1969).
    """
    search = _Search(problem, low, high)
    waiting = deque([(low[None], high[None])])
    rows = max(1, CHUNK // problem.size**2)
    while waiting and search.examined < most_boxes:
        part = waiting.popleft()  # the largest first, so that no corner is left out if boxes run out
        left = search.examine(*part)
        if len(waiting) and len(waiting[-1][0]) + len(left[0]) <= rows:
            last = waiting.pop()
            left = np.concatenate([last[0], left[0]]), np.concatenate([last[1], left[1]])
        for start in range(0, len(left[0]), rows):
            waiting.append((left[0][start : start + rows], left[1][start : start + rows]))
        if report is not None:
            report(min(1.0, search.examined / most_boxes))
    undecided = [*search.undecided, *(np.stack(part, axis=1) for part in waiting)]
    kept = [k for k, p in enumerate(search.points) if ((p >= low) & (p <= high)).all()]
    points = np.array([search.points[k] for k in kept]).reshape(-1, problem.size)
    errors = np.array([search.errors[k] for k in kept]).reshape(-1, problem.size)
    boxes = np.concatenate([np.empty((0, 2, problem.size)), *undecided])
    return Roots(points, np.ones(len(points), dtype=bool), errors, boxes, search.examined)
