"""Trajectories of flows and maps: compiled loops, called a part at a time, and failures told with time and state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError, SimulationError
from .compile import Kernel, adaptive_kernel, marching_kernel, taylor_kernel
from .crossing import MOST_ROWS
from .dop853 import DOP853
from .emit import Program
from .loop import BUDGET, UNDERFLOW
from .symplectic import Gauss, Splitting
from .tableau import RK4, TSIT5, Tableau
from .taylor import Taylor

Array = NDArray[np.float64]
Report = Callable[[float], object]

Method = Tableau | Taylor
METHODS: dict[str, Method] = {method.name: method for method in (RK4, TSIT5, DOP853, Taylor())}
"""Explicit methods by name: RK4 goes fixed steps only, Taylor chosen ones only, the others either."""

PORTION = 200_000
"""Steps in one call of compiled code, after which Python can report progress or be interrupted."""
MOST_STEPS = 100_000_000
"""Steps after which an adaptive integration is given up."""


@dataclass(frozen=True)
class Course:
    """A trajectory `states (time, state)` and what it cost: steps taken and steps refused."""

    states: Array
    taken: int
    refused: int = 0


def integrate(
    program: Program,
    initial: Array,
    parameters: Array,
    times: Array,
    *,
    start: float = 0.0,
    method: Method = DOP853,
    tolerance: float = 1e-9,
    most_steps: int = MOST_STEPS,
    report: Report | None = None,
) -> Course:
    """The solution of dx/dt = f(x, t, p), x(start) = `initial (state,)`, at increasing `times (time,)` >= start.

    Steps are chosen so that the estimated error of each, divided by tolerance (1 + |x|), is at most 1 in the root mean
    square over the states; samples are dense output, of the tableau's `dense_order`. Taylor steps are chosen so that
    terms left out and defect are about tolerance max(1, |x|) in every state, and need analytic equations. The error of
    the result is that of a step times what the dynamics makes of it: on a chaotic system it grows as exp(lambda t).
    Raises `NotAnalytic` where Taylor steps have no series, and `SimulationError` where the state or its rate stops
    being finite, the step falls to the rounding error of the time, or more than `most_steps` steps are needed (a stiff
    system). Cost: about 0.1 microseconds a step for three states.
    """
    kernel = _kernel(program, method, tolerance)
    times = np.ascontiguousarray(times, dtype=np.float64)
    state, parameters = _copies(initial, parameters)
    out = np.empty((len(times), len(state)))
    begun = int(np.searchsorted(times, start, side="right"))
    out[:begun] = state
    counts = np.array([begun, 0, 0], dtype=np.int64)
    if begun == len(times):
        return Course(out, 0)
    progress = np.array([start, first_step(kernel, start, state, parameters, times[-1], tolerance, method), 0.0])
    check_rate(kernel, start, state, parameters, program)
    drive(kernel, program, state, parameters, progress, counts, times, len(times), out, tolerance, most_steps, report)
    return Course(out, int(counts[1]), int(counts[2]))


def drive(
    kernel: Kernel,
    program: Program,
    state: Array,
    parameters: Array,
    progress: Array,
    counts: NDArray[np.int64],
    times: Array,
    rows: int,
    out: Array,
    tolerance: float,
    most_steps: int = MOST_STEPS,
    report: Report | None = None,
) -> None:
    """Call an adaptive loop a portion at a time until it is done; its arrays, see `loop.Loop`, change in place.

    Raises `SimulationError` as `integrate` does.
    """
    start, end, status = float(progress[0]), float(times[-1]), BUDGET
    while status == BUDGET:
        status = kernel.loop(
            state.ctypes.data, parameters.ctypes.data, progress.ctypes.data, counts.ctypes.data,
            tolerance, PORTION, times.ctypes.data, rows, out.ctypes.data,
        )  # fmt: skip
        if report is not None:
            report((progress[0] - start) / (end - start))
        if status == BUDGET and counts[1:].sum() >= most_steps:
            raise failure(f"more than {most_steps:,} steps", progress[0], state, program, STIFF)
    if status == UNDERFLOW:
        check_rate(kernel, progress[0], state, parameters, program)
        raise failure("the step fell to the rounding error of the time", progress[0], state, program, SINGULAR)


def _kernel(program: Program, method: Method, tolerance: float, surface: Program | None = None) -> Kernel:
    if isinstance(method, Taylor):
        return taylor_kernel(program, method.order(tolerance), surface)
    if not method.adaptive:
        raise SettingError(f"{method.name} cannot choose its steps", remedy="Give a step, or choose another method.")
    return adaptive_kernel(program, method, surface)


def cross(
    program: Program,
    surface: Program,
    initial: Array,
    parameters: Array,
    start: float,
    end: float,
    *,
    direction: int = 0,
    count: int | None = None,
    method: Method = DOP853,
    tolerance: float = 1e-10,
    report: Report | None = None,
) -> Course:
    """The first `count` (None: all) crossings of a surface between `start` and `end`, rows (time, state).

    `surface` and `direction` are those of `crossing.Crossings`, the rest and what is raised that of `integrate`. A
    crossing is located to rounding on the polynomial of its step.
    """
    kernel = _kernel(program, method, tolerance, surface)
    state, parameters = _copies(initial, parameters)
    progress = np.array([start, first_step(kernel, start, state, parameters, end, tolerance, method), 0.0])
    check_rate(kernel, start, state, parameters, program)
    wanted = count or 2**62
    asked, found, counts = np.array([end, float(direction)]), [], np.zeros(3, dtype=np.int64)
    while wanted > 0 and progress[0] < end:
        part = min(wanted, 4096)
        out = np.empty((part + MOST_ROWS, 1 + len(state)))
        counts[0] = 0
        drive(kernel, program, state, parameters, progress, counts, asked, part, out, tolerance)
        found.append(out[: min(counts[0], wanted)])
        wanted -= counts[0]
        if report is not None:
            report(min(1.0, (progress[0] - start) / (end - start)))
    rows = np.concatenate(found) if found else np.empty((0, 1 + len(state)))
    return Course(rows, int(counts[1]), int(counts[2]))


STIFF = 'The system is probably stiff: method="Radau" is made for that. A larger tolerance takes fewer steps, too.'
SINGULAR = "The solution diverges or is not smooth there: check parameters and initial state, or stop earlier."
OUTSIDE = "The trajectory diverges or leaves the equations' domain: check parameters and initial state."


def first_step(
    kernel: Kernel, start: float, state: Array, parameters: Array, end: float, tolerance: float, method: Method
) -> float:
    """A step whose explicit Euler estimates say is safe (Hairer, Norsett, Wanner 1993, section II.4)."""
    if isinstance(method, Taylor):
        return np.inf  # its first step depends on nothing before it
    scale = tolerance * (1 + np.abs(state))
    rate = kernel.rate(start, state, parameters)
    size, speed = (float(np.sqrt(np.mean((v / scale) ** 2))) for v in (state, rate))
    first = 0.01 * size / speed if min(size, speed) > 1e-5 else 1e-6
    first = min(first, end - start)
    ahead = kernel.rate(start + first, state + first * rate, parameters)
    bend = float(np.sqrt(np.mean(((ahead - rate) / scale) ** 2))) / first
    most = max(speed, bend)
    second = max(1e-6, first * 1e-3) if not most > 1e-15 else (0.01 / most) ** (1 / method.error_order)
    step = min(100 * first, second, end - start)
    return step if np.isfinite(step) and step > 0 else 1e-6 * (end - start)


def march(
    program: Program,
    initial: Array,
    parameters: Array,
    rows: int,
    *,
    start: float = 0.0,
    step: float = 1.0,
    substeps: int = 1,
    skipped: int = 0,
    tableau: Tableau | Splitting | Gauss | None = None,
    report: Report | None = None,
) -> Course:
    """`rows` states `(row, state)`, `substeps` fixed steps apart, after `skipped` steps from `initial` at `start`.

    With a tableau, steps of length `step` of the flow; without, iterations of the map x' = f(x, n, p), whose time n is
    start + step times the number of iterations. A map rounds as plain double arithmetic does in the order in which its
    equations are written. Raises `SimulationError` where a state stops being finite.
    """
    kernel = marching_kernel(program, tableau)
    state, parameters = _copies(initial, parameters)
    out = np.empty((max(rows, 1), len(state)))
    walk = partial(_walk, kernel, program, state, parameters, start, step)
    total, done = skipped + (rows - 1) * substeps, 0
    while done < skipped:
        portion = min(PORTION, skipped - done)
        walk(done, portion, out[:1])
        done += portion
    out[0] = state
    row, portion = 1, max(1, PORTION // substeps)
    while row < rows:
        part = out[row : row + portion]
        walk(done, substeps, part)
        done += len(part) * substeps
        row += len(part)
        if report is not None:
            report(done / total)
    return Course(out[:rows], done)


def _walk(
    kernel: Kernel,
    program: Program,
    state: Array,
    parameters: Array,
    start: float,
    step: float,
    done: int,
    substeps: int,
    part: Array,
) -> None:
    """Fill `part` with rows from step `done` on; `state` goes along."""
    before = state.copy()
    rows = kernel.loop(
        state.ctypes.data, parameters.ctypes.data, start, step, done, substeps, len(part), part.ctypes.data
    )
    if rows < len(part):
        last = part[rows - 1] if rows else before
        time = start + step * (done + rows * substeps)
        within = "" if substeps == 1 else f" within the {substeps:,} steps that follow"
        raise failure(f"the next state is not finite{within}", time, last, program, OUTSIDE)


def _copies(initial: Array, parameters: Array) -> tuple[Array, Array]:
    return np.array(initial, dtype=np.float64), np.ascontiguousarray(parameters, dtype=np.float64)


def check_rate(kernel: Kernel, time: float, state: Array, parameters: Array, program: Program) -> None:
    """Raise `SimulationError` where the rate is not finite at a state."""
    rate = kernel.rate(time, state, parameters)
    if not np.isfinite(rate).all():
        worst = program.states[int(np.flatnonzero(~np.isfinite(rate))[0])]
        raise failure(f"the rate of {worst} is not finite", time, state, program, OUTSIDE)


def failure(cause: str, time: float, state: Array, program: Program, remedy: str) -> SimulationError:
    """An error that shows time and state, at most eight numbers of it."""
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in zip(program.states[:8], state, strict=False))
    more = f", ... ({len(program.states)} states)" if len(program.states) > 8 else ""
    return SimulationError(
        f"{cause} at {program.time} = {time:.10g}, {shown}{more}",
        time=float(time),
        state=tuple(map(float, state)),
        remedy=remedy,
    )
