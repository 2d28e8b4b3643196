"""Paths of stochastic differential equations: compiled steps of many members, shared out to threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from ...errors import SimulationError
from .compile import KEPT
from .emit import Program
from .integrate import Report
from .machine import POINTER, REAL, WHOLE, Machine
from .noise import BLOCKS, LANES, noisy_steps

Array = NDArray[np.float64]

PORTION = 1_000_000
"""Steps of a block of members in one call of compiled code; after it Python can report progress or be interrupted."""


@dataclass(frozen=True)
class Walk:
    """A walk of many members: `rows` states `dt` apart after `skipped` intervals, in 2^`levels` steps each.

    `program` is one step, see `stochastic`; its last parameters are the step and the increments of `processes`. The
    first of the members has the number `first`, the next ones those that follow; number and `key` determine the Wiener
    paths of a member. `name` is that of the system, for errors.
    """

    program: Program
    processes: int
    rows: int
    dt: float
    levels: int = 0
    skipped: int = 0
    key: int = 0
    first: int = 0
    name: str = ""

    @property
    def scales(self) -> Array:
        """Standard deviations of the increment over an interval, and of the refinements level by level."""
        return np.sqrt(self.dt * np.concatenate([[1.0], 0.25 * 0.5 ** np.arange(self.levels)]))


def walk(
    plan: Walk, initial: Array, parameters: Array, *, threads: int | None = None, report: Report | None = None
) -> Array:
    """States `(member, row, state)` from `initial (member, state)` at time 0, with `parameters (member, parameter)`.

    Raises `SimulationError` for the first block of members with one whose state stops being finite, and names the first
    such member in it. Cost: a few nanoseconds a step, member, and Wiener process; members go in blocks of 16, so that
    one alone costs as much as 16.
    """
    from concurrent.futures import ThreadPoolExecutor

    out = np.empty((len(initial), plan.rows, initial.shape[1]))
    groups = _groups(plan, len(initial))
    kernel = _kernel(plan.program, plan.processes)  # once, not in every thread
    alone = report if len(groups) == 1 else None
    one = partial(_group, plan, kernel.loop, initial, parameters, out, alone)
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(one, groups), start=1):
            if report is not None and not alone:
                report(done / len(groups))
    return out


def _groups(plan: Walk, members: int) -> list[range]:
    """Members in groups of whole blocks that share a call, but for those at the edges; numbers from 0."""
    steps = max(1, plan.skipped + plan.rows - 1) << plan.levels
    size = LANES * int(np.clip(PORTION // steps, 1, max(1, members // (LANES * 16))))
    begin = min(-plan.first % LANES, members)
    end = begin + (members - begin) // LANES * LANES
    inner = [range(at, min(at + size, end)) for at in range(begin, end, size)]
    return [group for group in (range(begin), *inner, range(end, members)) if group]


@dataclass(frozen=True, eq=False)
class _Kernel:
    """A compiled loop and what holds its code."""

    machine: Machine
    loop: Callable[..., None]


@lru_cache(maxsize=KEPT)
def _kernel(program: Program, processes: int) -> _Kernel:
    """The loop of noisy steps; see `noise.noisy_steps` for its arguments."""
    machine = Machine(*noisy_steps(program, processes))
    kinds = (
        WHOLE,
        POINTER,
        WHOLE,
        WHOLE,
        WHOLE,
        POINTER,
        REAL,
        WHOLE,
        WHOLE,
        WHOLE,
        WHOLE,
        POINTER,
        POINTER,
        WHOLE,
        POINTER,
    )
    return _Kernel(machine, machine.function(BLOCKS, None, POINTER, POINTER, *kinds))


def _group(
    plan: Walk, loop: Callable[..., None], initial: Array, parameters: Array, out: Array, report: Report | None,
    group: range,
) -> None:  # fmt: skip
    """Members of whole blocks, or of one block in part: then the other lanes go along, and nobody looks at them."""
    first = (plan.first + group.start) % LANES
    block = (plan.first + group.start) // LANES
    count = -(-(first + len(group)) // LANES)
    members = np.clip(np.arange(count * LANES) - first, 0, len(group) - 1) + group.start
    state = _in_lanes(initial[members])
    inputs = _in_lanes(np.pad(parameters[members], ((0, 0), (0, len(plan.program.parameters) - parameters.shape[1]))))
    pairs, scales = np.arange(count * LANES // 2) + block * (LANES // 2), plan.scales
    end = LANES if count > 1 else first + len(group)
    rows, nowhere = out[group.start : group.stop], np.empty((len(group), 1, initial.shape[1]))
    sound, room = np.empty(count, dtype=np.int64), np.empty((plan.levels + 1) * plan.processes * LANES + 8)
    pending = room.ctypes.data + -room.ctypes.data % 64

    def march(interval: int, intervals: int, target: Array, row_stride: int) -> int:
        loop(
            state.ctypes.data, inputs.ctypes.data, plan.key, pairs.ctypes.data, interval, intervals, plan.levels,
            scales.ctypes.data, plan.dt / 2**plan.levels, first, end, target.strides[0] // 8, row_stride,
            target.ctypes.data, pending, count, sound.ctypes.data,
        )  # fmt: skip
        return int(sound.min())

    total, done = plan.skipped + plan.rows - 1, 0
    rows[:, 0] = initial[group.start : group.stop]
    while done < total:
        skipping = done < plan.skipped
        portion = min(max(1, PORTION >> plan.levels), (plan.skipped if skipping else total) - done)
        target = nowhere if skipping else rows[:, done - plan.skipped + 1 :]
        before = state.copy()
        finished = march(done, portion, target, 0 if skipping else initial.shape[1])
        if finished < portion:
            state[:] = before
            march(done, finished, nowhere, 0)  # to the states that one of them cannot go on from
            last = _members(state, first, len(group))
            march(done + finished, 1, nowhere, 0)
            worst = int(np.flatnonzero(~np.isfinite(nowhere).all(axis=(1, 2)))[0])
            name = f"{plan.name}[{group.start + worst}]" if len(initial) > 1 else plan.name
            raise _failure(plan, name, plan.dt * (done + finished), last[worst])
        done += portion
        if done == plan.skipped:
            rows[:, 0] = _members(state, first, len(group))
        if report is not None:
            report(done / total)


def _in_lanes(values: Array) -> Array:
    """`(block, column, lane)` from `(member, column)`."""
    return np.ascontiguousarray(values.reshape(-1, LANES, values.shape[1]).transpose(0, 2, 1))


def _members(lanes: Array, first: int, count: int) -> Array:
    """`(member, column)` from `(block, column, lane)`."""
    return lanes.transpose(0, 2, 1).reshape(-1, lanes.shape[1])[first : first + count]


def _failure(plan: Walk, name: str, time: float, state: Array) -> SimulationError:
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in zip(plan.program.states[:8], state, strict=False))
    return SimulationError(
        f"the state is not finite within dt after {plan.program.time} = {time:.10g}, {shown}", time=time,
        state=tuple(map(float, state)), place=name,
        remedy="Steps may be too long (give a shorter step=), or the solution leaves the equations' domain: check "
        "parameters and initial state.",
    )  # fmt: skip
