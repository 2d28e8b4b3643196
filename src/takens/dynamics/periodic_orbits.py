"""Closed orbits of flows: shooting from where a long orbit nearly returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from ..systems.base import System
from ..systems.evolve import orbit
from .cycles import PeriodicOrbit, PeriodicOrbits
from .fixed_points import eigenvalues, stability
from .roots import Report

Array = NDArray[np.float64]

SAMPLES = 840
"""Points of a closed orbit: a multiple of 1 to 8, so that shorter periods are seen."""
STEPS = 20
"""Newton steps before a start is given up."""


def periodic_orbits(
    system: System,
    *,
    longest: float | None = None,
    duration: float | None = None,
    forcing: float | None = None,
    closeness: float = 0.05,
    starts: int = 100,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-11,
    report: Report | None = None,
) -> PeriodicOrbits:
    """Closed orbits of a flow, stable or not, with periods up to `longest`, found near the recurrences of a long orbit.

    An orbit of `duration` from `initial` (None: the system's own), on or near the attractor, is searched for moments
    that it nearly repeats, within `closeness` of its standard deviations; the `starts` closest are improved by Newton's
    method on x_(j+1) = phi(x_j), j = 1 ... m, x_(m+1) = x_1 (multiple shooting, m growing with the period), with the
    period as an unknown and no move along the flow. `longest` is 3 of the system's periods by default, `duration` 300
    of those. The multipliers are those of the derivative once around, from the variational equations with `tolerance`.

    A system that depends on time needs `forcing`, the period of its equations in time; orbits then have multiples of
    it, start at time 0, and no multiplier is 1 by necessity. The search finds what the orbit comes near: it does not
    prove that there are no others, and of a family of orbits, as a conserved energy makes, it takes the nearest to each
    start. Multipliers below 1e-6 of the largest are known from the product of all only. Very stiff or bursting flows,
    which stretch by many orders of magnitude in one period, may have orbits that are not reached.

    Raises `SettingError` for what is no flow, unfit arguments, or a missing period of the system. Cost: a fraction of
    a second a start. Source: Auerbach et al., Phys. Rev. Lett. 58, 2387 (1987), for recurrences; Viswanath,
    Nonlinearity 16, 1035 (2003), for the Lorenz system.
    """
    search = _settings(system, longest, duration, forcing, closeness, tolerance)
    states = search.course(system.phase(initial), 0.0 if duration is None else duration)
    scale = states.std(axis=0)
    scale = np.where(scale > 1e-12 * (1 + np.abs(states).max(axis=0)), scale, 1.0)
    found: list[PeriodicOrbit] = []
    begun = _recurrences(states / scale, search, starts)
    for number, (first, lag) in enumerate(begun, start=1):
        if not any(_on(states[first], lag * search.dt, known, scale) for known in found):
            new = search.closed(states[first : first + lag + 1], scale)
            if new is not None and not any(_on(new.states[0], new.period, known, scale) for known in found):
                found.append(new)
        if report is not None:
            report(number / len(begun))
    found.sort(key=lambda one: one.period)
    box = np.stack([states.min(axis=0), states.max(axis=0)])
    return PeriodicOrbits(tuple(found), box, "recurrences and shooting", False)


@dataclass(frozen=True)
class _Search:
    """A flow and how its closed orbits are looked for; `dt` is the time between samples."""

    system: System
    dt: float
    longest: float
    duration: float
    forced: bool
    closeness: float
    tolerance: float

    def course(self, initial: Array, duration: float) -> Array:
        """The long orbit `(time, state)`, after a tenth of it."""
        rows = int((duration or self.duration) / self.dt)
        skipped = 0 if duration else rows // 10
        return orbit(self.system, initial, self.dt * (skipped + np.arange(rows)), tolerance=1e-9)

    def closed(self, states: Array, scale: Array) -> PeriodicOrbit | None:
        """The closed orbit near a stretch `(time, state)` that nearly returns, or None where there is none."""
        guess = self.dt * (len(states) - 1)
        # Where one period stretches too much for Newton's method, shorter stretches do not.
        for parts in (1,) if self.forced else (1, 8):
            count = max(1, round(parts * guess / self.segment))
            nodes = states[np.linspace(0, len(states) - 1, count, endpoint=False).round().astype(int)]
            try:
                shot = self._newton(nodes, guess, scale)
                if shot is not None:
                    return self._prime(*shot, scale)
            except SimulationError:
                continue
        return None

    @property
    def segment(self) -> float:
        """The time between shooting nodes: short enough for Newton's method, at most a typical period."""
        return self.dt if self.forced else self.system.period or 100 * self.dt

    def _newton(self, nodes: Array, period: float, scale: Array) -> tuple[Array, float] | None:
        """Nodes `(node, state)` and period of a closed orbit."""
        count, size = nodes.shape
        guess, worst = period, np.inf
        for _ in range(STEPS):
            if not 0.7 * guess < period < 1.4 * guess:
                return None
            ends, slopes, _ = self._shot(nodes, period)
            gap = ends - np.roll(nodes, -1, axis=0)
            missed = float(np.abs(gap / scale).max())
            if not missed < 1e3:
                return None
            matrix, right = np.zeros((count * size + 1,) * 2), np.zeros(count * size + 1)
            for j in range(count):
                rows, after = slice(j * size, (j + 1) * size), (j + 1) % count
                matrix[rows, rows] += slopes[j]
                matrix[rows, after * size : (after + 1) * size] -= np.eye(size)
                matrix[rows, -1] = 0.0 if self.forced else self._rate(ends[j]) / count
                right[rows] = -gap[j]
            # The last row forbids a move along the flow; where time is given, the period stays.
            if self.forced:
                matrix[-1, -1] = 1.0
            else:
                matrix[-1, :size] = self._rate(nodes[0]) / scale**2
            # Of families of orbits, as with a conserved energy, the nearest one: small singular values are none.
            unit = np.append(np.tile(scale, count), guess)
            matrix, rows_unit = matrix * unit, np.append(unit[:-1], np.linalg.norm(matrix[-1] * unit))
            step = unit * np.linalg.lstsq(matrix / rows_unit[:, None], right / rows_unit, rcond=1e-8)[0]
            moved = float(np.abs(step[:-1].reshape(count, size) / scale).max())
            share = min(1.0, 0.5 / moved) if moved > 0 else 1.0
            nodes, period = nodes + share * step[:-1].reshape(count, size), period + share * float(step[-1])
            if moved < 1e-9 and missed < 1e-7:
                # Converged quadratically: one more step changes less than the integration's error.
                return nodes, period
            if missed > 0.5 * worst and missed < 1e-6:
                # No better than the integration; where multipliers are large, steps stay longer than misses.
                return (nodes, period) if missed < 1e-8 else None
            worst = min(worst, missed)
        return None

    def _rate(self, state: Array) -> Array:
        return self.system.rhs(0.0, state)

    def _shot(self, nodes: Array, period: float) -> tuple[Array, Array, float]:
        """Where the nodes arrive `(node, state)`, the derivatives `(node, state, state)`, and the growth of volumes."""
        size, span = nodes.shape[1], period / len(nodes)
        start = [j * span if self.forced else 0.0 for j in range(len(nodes))]
        carried = [
            self.system.carried(node, np.eye(size), begin, span, tolerance=self.tolerance)
            for node, begin in zip(nodes, start, strict=True)
        ]
        ends, slopes, volumes = zip(*carried, strict=True)
        return np.array(ends), np.array(slopes), float(np.sum(volumes))

    def _curve(self, nodes: Array, period: float) -> Array:
        """The orbit at equal times `(SAMPLES, state)`, each stretch from its own node, so that no error grows."""
        times, span = period * np.arange(SAMPLES) / SAMPLES, period / len(nodes)
        part = np.minimum((np.arange(SAMPLES) * len(nodes)) // SAMPLES, len(nodes) - 1)
        stretches = [
            orbit(self.system, node, np.maximum(times[part == j] - j * span, 0.0), tolerance=self.tolerance)
            for j, node in enumerate(nodes)
            if (part == j).any()
        ]
        return np.concatenate(stretches)

    def _prime(self, nodes: Array, period: float, scale: Array) -> PeriodicOrbit | None:
        """The orbit with its shortest period and its multipliers; None where it is a fixed point."""
        states = self._curve(nodes, period)
        if not self.forced and np.abs((states - states[0]) / scale).max() < 1e-3:
            return None
        whole = round(period / self.dt)
        parts = [q for q in range(8, 1, -1) if not self.forced or whole % q == 0]
        shorter = [q for q in parts if np.abs((states[SAMPLES // q] - states[0]) / scale).max() < 1e-5]
        if shorter:
            period = period / shorter[0]
            count = max(1, round(len(nodes) / shorter[0]))
            nodes = states[np.linspace(0, SAMPLES // shorter[0], count, endpoint=False).round().astype(int)]
            again = self._newton(nodes, period, scale)
            if again is None:
                return None
            nodes, period = again
            states = self._curve(nodes, period)
        ends, slopes, volume = self._shot(nodes, period)
        around = np.eye(nodes.shape[1])
        for slope in slopes:
            around = slope @ around
        multipliers = _with_volume(eigenvalues(around, stepwise=True), volume)
        free = multipliers if self.forced else np.delete(multipliers, np.abs(multipliers - 1).argmin())
        word = stability(free, stepwise=True, tolerance=1e-6) if len(free) else "centre"
        return PeriodicOrbit(
            period, states, multipliers, word, float(np.abs(ends - np.roll(nodes, -1, axis=0)).max())
        )  # fmt: skip


def _with_volume(multipliers: NDArray[np.complex128], volume: float) -> NDArray[np.complex128]:
    """The multipliers, the last from the growth of volumes where it is lost in the rounding error of the largest."""
    if len(multipliers) > 1 and np.isfinite(volume) and abs(multipliers[-1]) < 1e-6 * abs(multipliers[0]):
        others = multipliers[:-1].prod()
        if abs(others) > 0 and abs(multipliers[-2].imag) < 1e-12 * abs(multipliers[0]):
            multipliers = multipliers.copy()
            multipliers[-1] = np.exp(volume) / others.real
    return multipliers


def _on(state: Array, period: float, known: PeriodicOrbit, scale: Array) -> bool:
    """Whether a state is on a known orbit, up to the distance of its samples, and the period is a multiple of its."""
    times = period / known.period
    if abs(times - round(times)) > 0.02 or round(times) < 1:
        return False
    curve = known.states / scale
    spacing = np.linalg.norm(np.roll(curve, -1, axis=0) - curve, axis=1).max()
    return bool(np.linalg.norm(curve - state / scale, axis=1).min() <= spacing)


def _recurrences(states: Array, search: _Search, most: int) -> list[tuple[int, int]]:
    """(row, lag) where an orbit in units of its deviations nearly returns, closest first, each stretch once."""
    lags = int(search.longest / search.dt)
    rows = len(states) - lags - 1
    farthest = np.zeros(rows)
    distance = np.full((3, rows), np.inf)
    hits: list[tuple[float, int, int]] = []
    for lag in range(1, lags + 2):
        distance = np.roll(distance, -1, axis=0)
        distance[2] = np.linalg.norm(states[lag : lag + rows] - states[:rows], axis=1)
        if search.forced:
            chosen = distance[2] < search.closeness
            at = 2, lag
        else:
            left = farthest > 10 * search.closeness
            chosen = (distance[1] < search.closeness) & (distance[1] <= distance[0]) & (distance[1] <= distance[2])
            chosen &= left
            at = 1, lag - 1
        farthest = np.maximum(farthest, distance[2])
        hits += [(float(distance[at[0], i]), int(i), at[1]) for i in np.flatnonzero(chosen)]
    hits.sort()
    near = 0 if search.forced else search.segment / search.dt
    kept: list[tuple[int, int]] = []
    for _, row, lag in hits:
        if len(kept) == most:
            break
        if not any(abs(row - other) <= near and abs(lag - length) <= 0.02 * lag for other, length in kept):
            kept.append((row, lag))
    return kept


def _settings(
    system: System, longest: float | None, duration: float | None, forcing: float | None, closeness: float,
    tolerance: float,
) -> _Search:  # fmt: skip
    if system.kind != "flow":
        raise SettingError(f"closed orbits of a {system.kind}", place=system.name, remedy="For maps see cycles.")
    if not system.autonomous and forcing is None:
        raise SettingError(
            "the equations depend on time", place=system.name, remedy="Give the period of that, forcing=."
        )
    typical = forcing if forcing is not None else system.period
    if typical is None and longest is not None:
        typical = longest / 3
    if typical is None or not 0 < typical < np.inf:
        raise SettingError(
            "the system has no typical period" if typical is None else f"the period is {typical}",
            place=system.name, remedy="Give longest=, the longest period to look for.",
        )  # fmt: skip
    longest = 3.2 * typical if longest is None else float(longest)
    whole = max(300 * typical, 4 * longest) if duration is None else float(duration)
    if not 0 < longest < whole < np.inf or not 0 < closeness < 1 or not 1e-14 <= tolerance <= 1e-3:
        raise SettingError(
            f"longest is {longest}, duration {whole}, closeness {closeness}, tolerance {tolerance}", place=system.name,
            remedy="The orbit must be longer than the longest period; closeness is a share below 1.",
        )  # fmt: skip
    dt = typical if forcing is not None else typical / 100
    return _Search(system, dt, longest, whole, forcing is not None, closeness, tolerance)
