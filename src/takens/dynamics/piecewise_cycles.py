"""Cycles of piecewise-linear maps: all of them by going through all words of regions, or those that a search finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..random import generator
from .cycles import PeriodicOrbit, PeriodicOrbits
from .piecewise_linear import PiecewiseLinear, Regions
from .piecewise_words import CHUNK, closed, consistent, described
from .roots import Report

Array = NDArray[np.float64]

MOST_UNITS = 12
"""Up to this many units all combinations of their signs are looked at."""
MOST_CUT = 8
"""Up to this many units regions without states are looked for, by a linear program each of 3 to 10 milliseconds."""
PRUNED = 16
"""Up to this many regions, steps between regions that are impossible are left out where words are many: to prove one
impossible costs as much as a few hundred words."""


def region_cycles(
    pieces: PiecewiseLinear,
    period: int = 1,
    *,
    method: str | None = None,
    most_words: int = 500_000,
    states: ArrayLike | None = None,
    starts: int = 500,
    steps: int = 60,
    seed: int = 0,
    report: Report | None = None,
) -> PeriodicOrbits:
    """All cycles of prime `period` of a piecewise-linear map, or those that a search finds; fixed points for period 1.

    A cycle through regions D_1 ... D_k, its word, solves a linear equation, (I - J_k ... J_1) z = b; it exists if the
    solution lies in these regions ("virtual" if not). "enumeration" solves the equation of every word that is not a
    rotation or repetition of another, and so finds all cycles: `complete` unless a word has a whole line of solutions
    or a cycle touches a border, which `undecided` counts. Words with a step that linear programming shows to be
    impossible are left out. Each cycle is `proved` where no unit can change its sign within the rounding errors.

    "search" starts from `starts` words, those along orbits from `states (time, state)` (None: normal random numbers
    and where 200 steps lead from them) and from points around them, solves the equation of each and goes on with the
    regions of its virtual solution, at most `steps` times: Newton's method for such maps. It can miss cycles. The
    method is enumeration where there are at most 12 units and `most_words` words, which enumeration asked for refuses
    to exceed with a `SettingError`. Cost: 10 to 100 microseconds a word for 20 states; a search, starts x steps linear
    equations at most.
    Source: Brenner et al., NeurIPS 2024, for enumeration in almost-linear networks; Eisenmann et al., Bifurcations and
    loss jumps in RNN training, NeurIPS 2023 (SCYFI), for the search.
    """
    if int(period) != period or period < 1 or method not in (None, "enumeration", "search"):
        raise SettingError(
            f"cycles of period {period} by {method!r}", place="region_cycles",
            remedy='Give a whole period of at least 1, and "enumeration" or "search".',
        )  # fmt: skip
    if min(most_words, starts, steps) < 1:
        raise SettingError(f"most_words {most_words}, starts {starts} and steps {steps} must be at least 1")
    enumerated = None if method == "search" else _words(pieces, int(period), most_words)
    if enumerated is None and method == "enumeration":
        raise SettingError(
            f"{pieces.units} units have more than {most_words:,} words of {period} regions", place="region_cycles",
            remedy='Look for shorter cycles, raise most_words, or use method="search".',
        )  # fmt: skip
    everywhere = np.stack([np.full(pieces.dimension, -np.inf), np.full(pieces.dimension, np.inf)])
    if enumerated is not None:
        orbits, undecided = _enumerated(pieces, *enumerated, report)
        return PeriodicOrbits(orbits, everywhere, "enumeration", undecided == 0, undecided)
    orbits = _searched(pieces, _begun(pieces, int(period), states, starts, seed), steps, report)
    return PeriodicOrbits(orbits, everywhere, "search", False)


def _enumerated(
    pieces: PiecewiseLinear, letters: Regions, words: NDArray[np.int64], report: Report | None
) -> tuple[tuple[PeriodicOrbit, ...], int]:
    """The cycles of `words (word, step)` in `letters (region, unit)`, and about how many words nothing is proved."""
    slopes, shifts = pieces.affine(letters)
    rows = max(1, CHUNK // (words.shape[1] * pieces.dimension**2))
    found: list[tuple[Array, Regions]] = []
    undecided = 0
    for start in range(0, len(words), rows):
        part = words[start : start + rows]
        solved = closed(slopes[part], shifts[part])
        undecided += int(solved.many.sum())
        for i in np.flatnonzero(solved.single & consistent(pieces, solved.points, letters[part])):
            found.append((solved.points[i], letters[part[i]]))
        if report is not None:
            report(min(1.0, (start + rows) / len(words)))
    orbits = _different(pieces, found)
    return orbits, undecided + sum(not orbit.proved for orbit in orbits)


def _words(pieces: PiecewiseLinear, period: int, most: int) -> tuple[Regions, NDArray[np.int64]] | None:
    """The regions and every word of them that is smaller than all its rotations; None where there are too many."""
    if pieces.units > MOST_UNITS:
        return None
    letters = _letters(pieces, period, most)
    if letters is None:
        return None
    count = len(letters)
    follows = np.ones((count, count), dtype=bool)
    if 1 < count <= PRUNED and count**period > 1000 * count**2:
        follows = np.array([[_possible(pieces, a, b) for b in letters] for a in letters])
    words = np.arange(count)[:, None]
    for _ in range(period - 1):
        ends = follows[words[:, -1]] & (np.arange(count) >= words[:, :1])  # a later letter is never below the first
        if ends.sum() > most:
            return None
        row, letter = np.nonzero(ends)
        words = np.column_stack([words[row], letter])
    keep = follows[words[:, -1], words[:, 0]] if period > 1 else np.ones(len(words), dtype=bool)
    words = words[keep]
    if len(words) > most:
        return None
    smallest = np.ones(len(words), dtype=bool)
    for turn in range(1, period):
        turned = np.roll(words, turn, axis=1)
        differs = words != turned
        at = differs.argmax(axis=1)
        rows = np.arange(len(words))
        smallest &= differs.any(axis=1) & (words[rows, at] < turned[rows, at])
    return letters, words[smallest]


def _letters(pieces: PiecewiseLinear, period: int, most: int) -> Regions | None:
    """The regions `(region, unit)` that words are made of; without those that have no states where words are many."""
    # Rows that are independent take any signs together; otherwise one border after the other cuts what is there.
    cut = 2 ** (pieces.units * period) > most and np.linalg.matrix_rank(pieces.inner) < pieces.units
    if cut and pieces.units > MOST_CUT:
        return None
    letters = np.zeros((1, 0), dtype=bool)
    for _ in range(pieces.units):
        both = np.repeat(letters, 2, axis=0)
        letters = np.column_stack([both, np.arange(len(both)) % 2 == 1])
        if cut:
            letters = letters[[_possible(pieces, on) for on in letters]]
    return letters


def _possible(pieces: PiecewiseLinear, here: Regions, there: Regions | None = None) -> bool:
    """Whether there are states in which the first units are on or off as in `here`, and that go to the region `there`;
    true in doubt."""
    from scipy.optimize import linprog

    sign, units = np.where(here, 1.0, -1.0), len(here)
    rows, limit = [-sign[:, None] * pieces.inner[:units]], [sign * pieces.threshold[:units]]
    if there is not None:
        slope, shift = pieces.affine(here)
        other = np.where(there, 1.0, -1.0)
        rows.append(-other[:, None] * (pieces.inner @ slope))
        limit.append(other * (pieces.inner @ shift + pieces.threshold))
    matrix, bound = np.concatenate(rows), np.concatenate(limit)
    size = np.maximum(np.abs(matrix).sum(axis=1) + np.abs(bound), 1e-300)
    # The largest distance t that all inequalities can be kept by: matrix z + size t <= bound.
    found = linprog(
        np.append(np.zeros(pieces.dimension), -1.0), np.column_stack([matrix / size[:, None], np.ones(len(matrix))]),
        bound / size, bounds=[(None, None)] * pieces.dimension + [(None, 1.0)], method="highs",
    )  # fmt: skip
    return found.x is None or float(found.x[-1]) >= -1e-6


def _begun(pieces: PiecewiseLinear, period: int, states: ArrayLike | None, starts: int, seed: int) -> Array:
    """Points `(start, step, state)` whose regions are the first words of a search."""
    rng = generator(seed, "region cycles")
    if states is None:
        known = _visited(pieces, rng.normal(size=(200, pieces.dimension)))
    else:
        known = np.array(states, dtype=np.float64)
        if known.ndim != 2 or known.shape[1] != pieces.dimension or not len(known) or not np.isfinite(known).all():
            raise SettingError(f"states have shape {known.shape}", remedy=f"Give finite (time, {pieces.dimension}).")
    low, high = known.min(axis=0), known.max(axis=0)
    width = np.where(high - low > 1e-9 * (1 + np.abs(high)), high - low, 1.0)
    around = low - width + 3 * width * rng.random((starts, pieces.dimension))
    picked = known[rng.integers(len(known), size=(starts, period))]
    points = picked.copy()
    points[1::3, 0] = around[1::3]
    with np.errstate(all="ignore"):
        for j in range(1, period):  # two thirds of the words are those of orbits, the others of states by chance
            after = pieces.values(points[:, j - 1])
            along = np.isfinite(after).all(axis=1) & (np.arange(starts) % 3 != 2)
            points[along, j] = after[along]
    return points


def _visited(pieces: PiecewiseLinear, states: Array) -> Array:
    """The states `(state, ...)` and the second hundred of the steps from them, where they stay below a million."""
    rows, now = [states], states
    with np.errstate(all="ignore"):
        for step in range(200):
            now = pieces.values(now)
            now = now[(np.abs(now) < 1e6).all(axis=1)]
            if step >= 100:
                rows.append(now)
    return np.concatenate(rows)


def _searched(pieces: PiecewiseLinear, points: Array, steps: int, report: Report | None) -> tuple[PeriodicOrbit, ...]:
    """The cycles that the words of `points (start, step, state)` lead to."""
    period = points.shape[1]
    tried: set[bytes] = set()
    found: dict[bytes, tuple[Array, Regions]] = {}
    rows = max(1, CHUNK // (period * pieces.dimension * max(pieces.dimension, pieces.units)))
    for step in range(steps):
        words = pieces.regions(points)
        packed = np.packbits(words.reshape(len(words), -1), axis=1)
        keys = [row.tobytes() for row in packed]
        # Where a word has been solved before, so has all that follows from it.
        new = [i for i, key in enumerate(keys) if not (key in tried or tried.add(key))]  # type: ignore[func-returns-value]
        if not new:
            break
        words, nexts = words[new], []
        for start in range(0, len(words), rows):
            part = words[start : start + rows]
            solved = closed(*pieces.affine(part))
            real = solved.single & consistent(pieces, solved.points, part)
            for i in np.flatnonzero(real):
                found[_named(part[i])] = (solved.points[i], part[i])
            nexts.append(solved.points[solved.single & ~real])
        points = np.concatenate(nexts)
        if report is not None:
            report((step + 1) / steps)
        if not len(points):
            break
    return _different(pieces, list(found.values()))


def _named(word: Regions) -> bytes:
    """The same name for all rotations of a word `(step, unit)`."""
    return min(np.packbits(np.roll(word, -turn, axis=0)).tobytes() for turn in range(len(word)))


def _different(pieces: PiecewiseLinear, found: list[tuple[Array, Regions]]) -> tuple[PeriodicOrbit, ...]:
    """The cycles whose points all differ, each once, in the order of their smallest points."""
    kept: list[PeriodicOrbit] = []
    for points, word in found:
        scale = 1e-8 * (1 + np.abs(points).max())
        if (np.abs(points[1:] - points[0]).max(axis=1, initial=0.0) <= scale).any():
            continue
        orbit = described(pieces, points, word)
        # A cycle that touches a border belongs to the words on both sides.
        if orbit.proved or not any(np.abs(one.states - orbit.states).max() <= scale for one in kept):
            kept.append(orbit)
    return tuple(sorted(kept, key=lambda orbit: tuple(orbit.states[0])))
