"""Trajectories of delay equations: the history as pieces of polynomials, and compiled steps that append to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from .compile import delay_kernel
from .delay import HEAD, DelayProgram
from .dop853 import DOP853
from .integrate import (
    MOST_STEPS,
    PORTION,
    SINGULAR,
    Array,
    Course,
    Report,
    check_rate,
    failure,
    first_step,
)
from .loop import BUDGET, UNDERFLOW
from .tableau import TSIT5, Tableau

METHODS: dict[str, Tableau] = {method.name: method for method in (DOP853, TSIT5)}
"""Methods for delay equations by name; the delayed states come from their dense output."""
MOST_BREAKS = 2000
"""Kinks that are followed at most."""


def fitted(knots: Array, values: Array, degree: int) -> Array:
    """Pieces of history between `knots (piece + 1,)` through values `(piece, degree + 1, state)` at `nodes(degree)`."""
    powers = np.vander(nodes(degree), increasing=True)
    shape = np.linalg.solve(powers, values)
    heads = np.stack([knots[:-1], 1 / np.diff(knots), knots[1:]], axis=-1)
    return np.concatenate([heads, shape.reshape(len(values), -1)], axis=1)


def nodes(degree: int) -> Array:
    """Chebyshev's points on [0, 1], ends included, ascending."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(degree + 1) / degree))


def looked_up(pieces: Array, times: Array, dimension: int) -> Array:
    """The states `(time, state)` that pieces of history hold."""
    index = np.clip(np.searchsorted(pieces[:, 0], times, side="right") - 1, 0, len(pieces) - 1)
    found = pieces[index]
    theta = (times - found[:, 0]) * found[:, 1]
    shape = found[:, HEAD:].reshape(len(times), -1, dimension)
    value = shape[:, -1]
    for power in range(shape.shape[1] - 2, -1, -1):
        value = shape[:, power] + theta[:, None] * value
    return np.asarray(value)


def kinks(lags: Sequence[float], order: int) -> Array:
    """Times after the start at which a derivative up to `order` jumps: all sums of up to `order` lags."""
    found: set[float] = {0.0}
    for count in range(1, order + 1):
        sums = {float(sum(chosen)) for chosen in combinations_with_replacement(sorted(set(lags)), count)}
        if len(found) + len(sums) > MOST_BREAKS:
            break
        found |= sums
    times = np.array(sorted(found))
    apart = np.diff(times, prepend=-np.inf) > 1e-12 * (1 + times)
    return times[apart & (times > 0)]


class _Past:
    """Pieces of history in memory that grows, and the parameters by which compiled code finds them."""

    def __init__(self, delayed: DelayProgram, pieces: Array, parameters: Array, lags: Array, longest: float) -> None:
        self._lags, self._plain = lags, len(parameters)
        self.header = np.zeros(1 + delayed.lags, dtype=np.int64)
        self.pieces = np.empty((max(1024, 4 * len(pieces)), pieces.shape[1]))
        self.pieces[: len(pieces)] = pieces
        self.header[0] = len(pieces)
        self.parameters = np.concatenate([parameters, [0.0, 0.0, longest], lags])
        self._point()

    def _point(self) -> None:
        addresses = np.array([self.header.ctypes.data, self.pieces.ctypes.data], dtype=np.int64)
        self.parameters[self._plain : self._plain + 2] = addresses.view(np.float64)

    @property
    def held(self) -> Array:
        return self.pieces[: self.header[0]]

    def room(self, time: float) -> int:
        """Forget what is older than the longest lag, make the memory larger if need be; the number of free rows."""
        count = int(self.header[0])
        if len(self.pieces) - count >= len(self.pieces) // 4:
            return len(self.pieces) - count
        oldest = time - float(self._lags.max()) * (1 + 1e-9)
        first = max(0, int(np.searchsorted(self.pieces[:count, 0], oldest, side="right")) - 1)
        kept = self.pieces[first:count].copy()
        if 2 * len(kept) > len(self.pieces):
            self.pieces = np.empty((2 * len(self.pieces), kept.shape[1]))
        self.pieces[: len(kept)] = kept
        self.header[0] = len(kept)
        self.header[1:] = np.maximum(0, self.header[1:] - first)
        self._point()
        return len(self.pieces) - len(kept)


def integrate_delayed(
    delayed: DelayProgram,
    pieces: Array,
    initial: Array,
    parameters: Array,
    lags: Array,
    times: Array,
    *,
    start: float = 0.0,
    method: Tableau = DOP853,
    tolerance: float = 1e-9,
    step: float | None = None,
    most_steps: int = MOST_STEPS,
    report: Report | None = None,
) -> tuple[Course, Array]:
    """The solution of dx/dt = f(x(t), x(t - lag), ...) at increasing `times (time,)` >= start, and its last pieces.

    `pieces` hold the history before `start`, x(start) is `initial`. Explicit steps no longer than the shortest lag, so
    that delayed states are always in the history, which is the dense output of the steps; errors are controlled as in
    `integrate`. Steps end where a derivative jumps because history and solution do not join smoothly at the start: at
    sums of lags, up to the order of the method. With `step` all steps are that long but for those to such ends.
    Raises `SimulationError` as `integrate` does. Cost: about twice that of DOP853 on a flow of the same size.
    """
    kernel = delay_kernel(delayed, method)
    longest = min(float(lags.min()), np.inf if step is None else step)
    past = _Past(delayed, pieces, parameters, lags, longest)
    state, program = np.array(initial, dtype=np.float64), delayed.program
    out, taken, refused = np.empty((len(times), len(state))), 0, 0
    done = int(np.searchsorted(times, start, side="right"))
    out[:done] = state
    check_rate(kernel, start, state, past.parameters, program)
    breaks = start + kinks(list(lags), method.order)
    ends = [*breaks[(breaks > start) & (breaks < times[-1])], times[-1]] if done < len(times) else []
    first = first_step(kernel, start, state, past.parameters, times[-1], tolerance, method) if step is None else step
    progress, limit = np.array([start, min(first, longest), 0.0]), tolerance if step is None else 1e300
    for end in ends:
        upto = int(np.searchsorted(times, end, side="right"))
        asked = np.append(times[done:upto], end)
        rows, counts, status = np.empty((len(asked), len(state))), np.zeros(3, dtype=np.int64), BUDGET
        while status == BUDGET:
            budget = min(PORTION, past.room(progress[0]))
            status = kernel.loop(
                state.ctypes.data, past.parameters.ctypes.data, progress.ctypes.data, counts.ctypes.data,
                limit, budget, asked.ctypes.data, len(asked), rows.ctypes.data,
            )  # fmt: skip
            if status == BUDGET and taken + refused + counts[1:].sum() >= most_steps:
                raise failure(f"more than {most_steps:,} steps", progress[0], state, program, STIFF_DELAY)
            if report is not None:
                report((progress[0] - start) / (times[-1] - start))
        if status == UNDERFLOW:
            check_rate(kernel, progress[0], state, past.parameters, program)
            raise failure("the step fell to the rounding error of the time", progress[0], state, program, SINGULAR)
        out[done:upto] = rows[: upto - done]
        done, taken, refused = upto, taken + int(counts[1]), refused + int(counts[2])
    return Course(out, taken, refused), past.held


STIFF_DELAY = "The system is stiff, or a lag is very short: a larger tolerance or a shorter time takes fewer steps."
