"""Stable and unstable manifolds of one dimension: curves that a saddle's orbits leave along, or arrive along."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from ..systems.base import System
from ..systems.equations import Equations
from ..systems.evolve import orbit
from ..systems.rule import ArrayRule, Rule
from ..systems.symbols.differentiate import negative
from ..wording import printed
from .fixed_points import require_autonomous
from .roots import solved

Array = NDArray[np.float64]

MOST_POINTS = 200_000
"""Points of a curve after which it is given up."""
OFFSET = 1e-6
"""Where a curve begins: this share of the state's size from the saddle, so that its curvature is below rounding."""
FARTHEST = 1e12
"""States beyond this are taken for diverging."""
FLATTEST = 1e-6
"""Eigenvalues closer to neutral than this are neither stable nor unstable."""


@dataclass(frozen=True)
class Manifold:
    """The two branches of a one-dimensional manifold of a fixed point or of a point of a cycle.

    `branches` are curves `(point, state)` that start at the saddle `point (state,)`; `eigenvalue` is that along them,
    per iteration (once around a cycle), or the rate of a flow. `ended` says of each why it ends: "length", or, before
    that, "fixed point" (the speed falls to nothing), "diverges", "points" (200,000 of them) or "no preimage".
    """

    kind: str
    point: Array
    eigenvalue: float
    branches: tuple[Array, Array]
    ended: tuple[str, str]

    __repr__ = printed

    @property
    def lengths(self) -> tuple[float, float]:
        """The lengths of the branches along their chords."""
        first, second = (float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum()) for curve in self.branches)
        return first, second


def manifold(
    system: System,
    point: ArrayLike,
    kind: str = "unstable",
    *,
    length: float,
    spacing: float | None = None,
    bend: float = 0.3,
    period: int = 1,
    tolerance: float = 1e-11,
) -> Manifold:
    """The one-dimensional "unstable" or "stable" manifold of a saddle, both branches up to an arc `length`.

    `point (state,)` is a fixed point of a flow or map, or a point of a cycle of `period`; there must be exactly one
    eigenvalue of that kind, and it must be real. Points lie at most `spacing` apart (None: length / 1000), on curves of
    maps also so close that neighbouring chords turn by less than `bend` radians, or are shorter than spacing / 1000.

    Maps: a fundamental domain, from p + d to f^q(p + d) along the eigenvector, is iterated, and points are inserted in
    it where its images are coarse, so that no interpolation enters: each point is the image of one within 1e-6 of the
    saddle, where the curve is straight to 1e-12. A stable manifold is grown with preimages, found by Newton's method
    next to those of the neighbours, which needs no inverse in closed form but an invertible derivative. Flows: the
    trajectory from the eigenvector, forwards or, for a stable manifold, backwards in time, with `tolerance`.

    Raises `SettingError` where the point is no fixed point or has no such manifold. Cost: milliseconds to seconds; a
    curve of a map stretches exponentially, and so does the cost of its length. Two-dimensional manifolds are not
    followed. Source: Hobson, J. Comput. Phys. 104, 14 (1993); Krauskopf & Osinga, J. Comput. Phys. 146, 404 (1998).
    """
    require_autonomous(system)
    saddle = system.phase(point)
    spacing = length / 1000 if spacing is None else float(spacing)
    sound = 0 < spacing < length < np.inf and bend > 0 and kind in ("stable", "unstable")
    if not sound or period < 1 or (period > 1 and not system.stepwise):
        raise SettingError(
            f"a {kind} manifold with length {length}, spacing {spacing}, bend {bend}, period {period}",
            place=system.name, remedy='The kinds are "stable" and "unstable"; lengths and angles are positive.',
        )  # fmt: skip
    value, vector = _direction(system, saddle, kind, period)
    growth: _Growth
    if system.stepwise:
        growth = _MapGrowth(system, saddle, value, period, kind == "stable", spacing, bend)
    else:
        growth = _FlowGrowth(system if kind == "unstable" else backwards(system), saddle, value, spacing, tolerance)
    first, second = (growth.branch(sign * vector, length) for sign in (1, -1))
    return Manifold(kind, saddle, value, (first[0], second[0]), (first[1], second[1]))


def backwards(system: System) -> System:
    """The same flow with time running backwards, dx/dt = -f(x). Raises `SettingError` for what is no autonomous flow.

    Not for simulations of dissipative systems: their states leave every attractor and soon diverge.
    """
    if system.kind != "flow" or not system.autonomous:
        raise SettingError(
            f"a {system.kind} run backwards", place=system.name, remedy="Only autonomous flows have that."
        )
    rule = system.rule
    turned: Rule
    if isinstance(rule, Equations):
        turned = replace(rule, expressions=tuple(negative(e) for e in rule.expressions))
    else:
        turned = ArrayRule(
            rule.states, lambda t, x, p: -rule.values(t, x, p), rule.parameters, lambda t, x, p: -rule.slopes(t, x, p)
        )
    return replace(system, rule=turned, known={})


def _direction(system: System, saddle: Array, kind: str, period: int) -> tuple[float, Array]:
    """The eigenvalue of a kind and its unit eigenvector."""
    around, state = np.eye(len(saddle)), saddle
    if system.stepwise:
        for _ in range(period):
            around = system.jacobian(0.0, state) @ around
            state = system.rhs(0.0, state)
        missed = state - saddle
    else:
        around, missed = system.jacobian(0.0, saddle), system.rhs(0.0, saddle)
    if not np.abs(missed).max() <= 1e-6 * (1 + np.abs(around).max()) * (1 + np.abs(saddle).max()):
        raise SettingError(
            f"{saddle.tolist()} is off by {np.abs(missed).max():.3g}, no fixed point", place=system.name,
            remedy="Take a point of fixed_points, or of cycles with its period.",
        )  # fmt: skip
    values, vectors = np.linalg.eig(around)
    growth = np.abs(values) - 1 if system.stepwise else values.real
    found = np.flatnonzero(growth > FLATTEST if kind == "unstable" else growth < -FLATTEST)
    if len(found) != 1 or abs(values[found[0]].imag) > 0 or values[found[0]] == 0:
        raise SettingError(
            f"the eigenvalues {np.array2string(values, precision=5)} have {len(found)} {kind} directions",
            place=system.name, remedy="One real one is needed; manifolds of higher dimension are not followed.",
        )  # fmt: skip
    vector = vectors[:, found[0]].real
    return float(values[found[0]].real), vector / np.linalg.norm(vector)


class _Growth(abc.ABC):
    """How one branch grows."""

    @abc.abstractmethod
    def branch(self, vector: Array, length: float) -> tuple[Array, str]:
        """The curve `(point, state)` that leaves along a unit vector, and why it ends."""


def _cut(curve: Array, length: float) -> Array:
    """A curve up to its first point at an arc length or beyond."""
    along = np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))
    return curve[: int(np.searchsorted(along, length)) + 2]


@final
@dataclass(frozen=True)
class _FlowGrowth(_Growth):
    """A trajectory of a flow, sampled finely enough."""

    system: System
    saddle: Array
    rate: float
    spacing: float
    tolerance: float

    def branch(self, vector: Array, length: float) -> tuple[Array, str]:
        """Stretches of two e-foldings of the eigenvalue, each sampled until its chords are short."""
        offset = min(OFFSET * (1 + float(np.abs(self.saddle).max())), 0.1 * self.spacing)
        state = self.saddle + offset * vector
        parts, total, stretch = [self.saddle[None], state[None]], offset, 2 / abs(self.rate)
        while total < length:
            if sum(map(len, parts)) > MOST_POINTS:
                return np.concatenate(parts), "points"
            try:
                course = self._sampled(state, stretch)
            except SimulationError:
                stretch /= 2
                if stretch > 1e-3 / abs(self.rate):
                    continue
                return np.concatenate(parts), "diverges"
            moved = float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum())
            parts.append(course[1:])
            total, state = total + moved, course[-1]
            if moved < 1e-9 * (1 + float(np.abs(state).max())):
                return np.concatenate(parts), "fixed point"
        return _cut(np.concatenate(parts), length), "length"

    def _sampled(self, state: Array, stretch: float) -> Array:
        rows = 16
        while True:
            times = stretch * np.arange(rows + 1) / rows
            course = orbit(self.system, state, times, tolerance=self.tolerance)
            chords = np.linalg.norm(np.diff(course, axis=0), axis=1)
            if chords.max() <= self.spacing or rows > MOST_POINTS:
                return course
            rows *= max(2, int(np.ceil(chords.max() / self.spacing)))


@final
@dataclass(frozen=True)
class _MapGrowth(_Growth):
    """Images of a fundamental domain, with the points between which it is refined."""

    system: System
    saddle: Array
    value: float
    period: int
    back: bool
    spacing: float
    bend: float

    def branch(self, vector: Array, length: float) -> tuple[Array, str]:
        """One image of the domain after the other; where the eigenvalue is negative, every second iterate."""
        # The domain reaches from offset to offset x factor; a step multiplies by it.
        turns = 2 if self.value < 0 else 1
        factor = abs(self.value) ** (-turns if self.back else turns)
        offset = min(OFFSET * (1 + float(np.abs(self.saddle).max())), 0.1 * self.spacing) / factor
        shares = np.linspace(0.0, 1.0, 5)
        start = self.saddle + offset * factor ** shares[:, None] * vector
        levels, curve, total = [start], [self.saddle[None], start], offset * factor
        while total < length:
            try:
                shares, levels = self._grown(shares, levels, turns * self.period, length - total)
            except _Stopped as stop:
                return np.concatenate(curve), str(stop)
            last = levels[-1]
            curve.append(last[1:])
            total += float(np.linalg.norm(np.diff(last, axis=0), axis=1).sum())
            if total < length and (sum(map(len, curve)) > MOST_POINTS or shares[-1] < 1):
                return np.concatenate(curve), "points" if shares[-1] == 1 else "diverges"
        return _cut(np.concatenate(curve), length), "length"

    def _grown(
        self, shares: Array, levels: list[Array], steps: int, length: float
    ) -> tuple[Array, list[Array]]:  # fmt: skip
        """The levels and their next image, refined until that is fine, as far as they are needed for a `length`."""
        levels = [*levels, self._next(levels[-1], steps)]
        while True:
            # Chords only grow where points are inserted: what is beyond the length now will be.
            along = np.cumsum(np.linalg.norm(np.diff(levels[-1], axis=0), axis=1))
            needed = min(len(levels[-1]), int(np.searchsorted(along, length)) + 2)
            shares, levels = shares[:needed], [level[:needed] for level in levels]
            coarse = self._coarse(levels[-1])
            if not coarse.any():
                return shares, levels
            if len(shares) + coarse.sum() > MOST_POINTS:
                raise _Stopped("points")
            left = np.flatnonzero(coarse)
            middle = (shares[left] + shares[left + 1]) / 2
            if (middle <= shares[left]).any():
                raise _Stopped("points")
            # On the straight beginning distances grow by powers: the new points are between their neighbours in those.
            first = levels[0]
            away = np.linalg.norm(first - self.saddle, axis=1)
            ways = np.sqrt(away[left] * away[left + 1])[:, None]
            unit = (first[-1] - self.saddle) / away[-1]
            fresh = [self.saddle + ways * unit]
            for level in levels[1:]:
                guess = (level[left] + level[left + 1]) / 2
                fresh.append(self._mapped(fresh[-1], guess, steps))
            shares = np.insert(shares, left + 1, middle)
            levels = [np.insert(level, left + 1, new, axis=0) for level, new in zip(levels, fresh, strict=True)]

    def _coarse(self, curve: Array) -> NDArray[np.bool_]:
        """Which chords `(chord,)` are too long, or turn too much and are not short."""
        chords = np.diff(curve, axis=0)
        sizes = np.linalg.norm(chords, axis=1)
        long = sizes > self.spacing
        with np.errstate(all="ignore"):
            cosine = (chords[1:] * chords[:-1]).sum(axis=1) / (sizes[1:] * sizes[:-1])
        turning = ~(cosine > np.cos(self.bend))
        fine = self.spacing / 1000
        long[1:] |= turning & (sizes[1:] > fine)
        long[:-1] |= turning & (sizes[:-1] > fine)
        return long

    def _next(self, states: Array, steps: int) -> Array:
        """The image of a level as far as it is finite; preimages point by point, each near that of the point before."""
        found = [states[-1]]  # the domains join: the image of the first point is the last point
        try:
            if not self.back:
                return self._mapped(states, states, steps)
            for state in states[1:]:
                found.append(self._mapped(state[None], found[-1][None], steps)[0])
        except _Stopped:
            if not self.back:
                for state in states[1:]:
                    after = self._iterated(state, steps)
                    if not np.abs(after).max() < FARTHEST:
                        break
                    found.append(after)
            if len(found) < 2:
                raise
        return np.array(found)

    def _iterated(self, states: Array, steps: int) -> Array:
        with np.errstate(all="ignore"):
            for _ in range(steps):
                states = self.system.rhs(0.0, states)
        return states

    def _mapped(self, states: Array, guess: Array, steps: int) -> Array:
        """Images `(point, state)` after some iterations, or preimages near a guess of those."""
        if self.back:
            with np.errstate(all="ignore"):
                return self._preimages(states, guess, steps)
        found = self._iterated(states, steps)
        if not np.abs(found).max() < FARTHEST:
            raise _Stopped("diverges")
        return found

    def _preimages(self, states: Array, guess: Array, steps: int) -> Array:
        """Newton's method for f^steps(y) = x from a guess of y; steps are limited to half the size of the state."""
        y = guess.copy()
        for _ in range(60):
            image, around = y, np.broadcast_to(np.eye(y.shape[1]), (len(y), y.shape[1], y.shape[1]))
            for _ in range(steps):
                around = self.system.jacobian(0.0, image) @ around
                image = self.system.rhs(0.0, image)
            move = solved(around, states - image)
            size = 1 + np.linalg.norm(y, axis=1)
            length = np.linalg.norm(move, axis=1)
            if not np.isfinite(length).all() or not np.abs(y).max() < FARTHEST:
                raise _Stopped("diverges")
            y = y + move * np.minimum(1.0, 0.5 * size / np.maximum(length, 1e-300))[:, None]
            if (length <= 1e-13 * size).all():
                return y
        if (length <= 1e-9 * size).all():
            return y
        raise _Stopped("no preimage")


class _Stopped(Exception):
    """A branch cannot be grown further; the reason is one of `Manifold.ended`."""
