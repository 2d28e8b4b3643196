"""Orthonormal displacements along an orbit by compiled loops, called a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compile import Kernel, reducing_kernel
from .integrate import MOST_STEPS, OUTSIDE, SINGULAR, STIFF, failure
from .loop import UNDERFLOW
from .tangent import Tangent
from .tangent_steps import PROGRESS, width

Array = NDArray[np.float64]

PART = 4_000_000
"""Numbers moved in one call of compiled code, about, after which Python can report progress or be interrupted."""
STEPS = 1_000_000
"""Adaptive steps in one call of compiled code."""
TYPICAL = 100
"""Evaluations of the rule that an adaptive interval usually takes."""


@dataclass(frozen=True)
class Pace:
    """How displacements are carried: intervals of a length, with `steps` fixed steps in each or those of a tolerance.

    `first_step` is that of the adaptive loop, which refuses it where it is too long.
    """

    start: float
    interval: float
    steps: int | None = None
    tolerance: float = 1e-9
    first_step: float = 0.0


def reduce(tangent: Tangent, phase: Array, vectors: Array, parameters: Array, pace: Pace, rows: int) -> Iterator[Array]:
    """Rows `(interval, width)` in parts: state, volume, frame Q and triangle R after each interval, one after another.

    `phase (state,)` and `vectors (state, count)` begin at `pace.start`; the vectors need not be orthonormal. Raises
    `SimulationError` where the orbit cannot be continued.
    """
    kernel = reducing_kernel(tangent, adaptive=pace.steps is None)
    numbers = _numbers(tangent, phase[None], vectors)[0]
    progress = np.array([pace.start, pace.first_step, 0.0, pace.first_step])
    evaluations = TYPICAL if pace.steps is None else pace.steps * (4 if tangent.flow else 1)
    most = max(1, PART // (tangent.dimension * evaluations))
    done, part = 0, np.empty((0, width(tangent)))
    while done < rows:
        part = np.empty((min(most, rows - done), width(tangent)))
        _fill(kernel, tangent, numbers, parameters, progress, pace, done, part)
        done += len(part)
        yield part


def _numbers(tangent: Tangent, phases: Array, vectors: Array) -> Array:
    """What machine code carries of each member: states, no volume yet, vectors."""
    rest = np.concatenate([[0.0 if tangent.flow else 1.0], vectors.ravel()])
    numbers = np.zeros((len(phases), tangent.parts * tangent.width))
    numbers[:, tangent.places] = np.hstack([phases, np.broadcast_to(rest, (len(phases), len(rest)))])
    return numbers


def _fill(
    kernel: Kernel, tangent: Tangent, numbers: Array, parameters: Array, progress: Array, pace: Pace, done: int,
    part: Array,
) -> None:  # fmt: skip
    """One part of the rows, after those `done`."""
    begun, taken = 0, 0
    states = tangent.places[: tangent.size]
    before = numbers[states]
    while begun < len(part):
        rest = part[begun:]
        moved, status = _call(kernel, numbers[None], parameters, progress[None], pace, done + begun, rest[None])
        begun += int(moved[0])
        if begun == len(part):
            return
        last = part[begun - 1, : tangent.size] if begun else before
        if pace.steps is not None:
            time = pace.start + (done + begun) * pace.interval
            within = "" if pace.interval == 1 else f" within the {pace.interval:g} that follow"
            raise failure(f"the next state is not finite{within}", time, last, tangent.program, OUTSIDE)
        state, taken = numbers[states], taken + STEPS
        if status == UNDERFLOW:
            cause = "the step fell to the rounding error of the time"
            raise failure(cause, progress[0], state, tangent.program, SINGULAR)
        if taken >= MOST_STEPS:
            raise failure(f"more than {MOST_STEPS:,} steps", progress[0], state, tangent.program, STIFF)


def _call(
    kernel: Kernel, numbers: Array, parameters: Array, progress: Array, pace: Pace, first: int, out: Array
) -> tuple[NDArray[np.int64], int]:
    """Fill `out (member, interval, width)` as far as it goes: the rows of each member, and the last status."""
    counts, done = np.zeros(4, dtype=np.int64), np.zeros(len(out), dtype=np.int64)
    status = kernel.loop(
        numbers.ctypes.data, parameters.ctypes.data, progress.ctypes.data, counts.ctypes.data, pace.tolerance,
        STEPS if pace.steps is None else pace.steps, pace.start, pace.interval, first, out.shape[1], out.ctypes.data,
        len(out), done.ctypes.data,
    )  # fmt: skip
    return done, status


def reduce_many(
    tangent: Tangent, phases: Array, vectors: Array, parameters: Array, pace: Pace, first_steps: Array, rows: int
) -> Array:
    """Rows `(member, interval, width)` of many orbits from `phases (member, state)`; NaN where one cannot go on.

    An orbit that needs more than a million steps in an interval counts as one that cannot.
    """
    kernel = reducing_kernel(tangent, adaptive=pace.steps is None)
    out = np.empty((len(phases), rows, width(tangent)))
    if len(phases) == 0:  # the loop over members begins before it asks how many there are
        return out
    numbers = _numbers(tangent, phases, vectors)
    progress = np.zeros((len(phases), PROGRESS))
    progress[:, 0], progress[:, 1], progress[:, 3] = pace.start, first_steps, first_steps
    done, _ = _call(kernel, numbers, parameters, progress, pace, 0, out)
    out[done < rows] = np.nan
    return out
