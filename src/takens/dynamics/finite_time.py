"""Finite-time Lyapunov exponents: how much small displacements grew from many initial states after a given time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import Report, System
from ..systems.variational import reductions_of_many
from ..wording import printed
from .averages import lost
from .products import product_svd

Array = NDArray[np.float64]

REACH = 15.0
"""In one of the intervals displacements grow by no more than about e^15, as far as the system's own state tells."""
MOST_INTERVALS = 1000
CHUNK = 512
"""Orbits that a thread takes at a time."""


@dataclass(frozen=True)
class FiniteTimeExponents:
    """Growth of displacements over a `duration` from each initial state, in every direction.

    `exponents (..., exponent)` are log sigma_i / duration, largest first, with the singular values sigma_i of the
    derivative M = d x(start + duration) / d x(start); NaN where the orbit could not be continued. `before (..., state,
    exponent)` holds the orthonormal directions at the start that grow by sigma_i and `after` those they become, M
    before_i = sigma_i after_i; `final (..., state)` are the states reached.
    """

    exponents: Array
    before: Array
    after: Array
    final: Array
    duration: float

    __repr__ = printed

    @property
    def largest(self) -> Array:
        """The largest exponent `(...)` of each initial state: the field whose ridges are Lagrangian structures."""
        return np.asarray(self.exponents[..., 0])


def finite_time_exponents(
    system: System,
    initial: ArrayLike,
    duration: float,
    *,
    start: float = 0.0,
    tolerance: float = 1e-9,
    step: float | None = None,
    threads: int | None = None,
    report: Report | None = None,
) -> FiniteTimeExponents:
    """All finite-time Lyapunov exponents of orbits from `initial (..., state)` at time `start`, after `duration`.

    Lambda_i = log sigma_i(M) / duration, where the derivative M of the final by the initial state solves the
    variational equations. `initial` may have any leading axes, such as those of a grid; so has the result. M is carried
    in intervals and its singular values are found from their product without forming it, so that small ones are as
    accurate as large ones, however long the time. Flows go to the `tolerance`, or with `step` by fixed steps of RK4.

    An orbit that diverges has NaN. Raises `SettingError` for settings out of range. Cost: that of integrating states
    x (1 + states) equations for each member, shared by `threads` (None: one a processor), without returning to Python.
    Not an estimate of the exponents of an attractor, which are limits: see `lyapunov_spectrum`.
    Source: Haller, Physica D 149, 248 (2001); Shadden, Lekien & Marsden, Physica D 212, 271 (2005).
    """
    states = np.asarray(initial, dtype=np.float64)
    size = len(system.phase())
    if states.ndim == 0 or states.shape[-1] != size or not np.isfinite(states).all():
        raise SettingError(f"initial must be finite numbers (..., {size})", place=system.name)
    if not 0 < duration < np.inf or not 1e-14 <= tolerance <= 1e-3 or (step is not None and not 0 < step < np.inf):
        what = f"duration is {duration}, tolerance {tolerance}, step {step}"
        raise SettingError(what, place=system.name, remedy="Give positive numbers; tolerance is at most 1e-3.")
    if system.stepwise and duration != round(duration):
        raise SettingError(f"duration is {duration}", place=system.name, remedy="A map goes whole steps.")
    members = states.reshape(-1, size)
    question = _Question(system, start, float(duration), tolerance, step)
    chunks = [members[first : first + CHUNK] for first in range(0, len(members), CHUNK)] or [members]
    parts = [question.answer(chunks[0])]  # compiles, once
    with ThreadPoolExecutor(threads) as pool:
        for done, part in enumerate(pool.map(question.answer, chunks[1:]), start=1):
            if report is not None:
                report(done / len(chunks))
            parts.append(part)
    exponents, before, after, final = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    square = (*states.shape, size)
    return FiniteTimeExponents(
        exponents.reshape(states.shape), before.reshape(square), after.reshape(square), final.reshape(states.shape),
        float(duration),
    )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    """What is asked of each member."""

    system: System
    start: float
    duration: float
    tolerance: float
    step: float | None

    def answer(self, members: Array, intervals: int | None = None) -> tuple[Array, Array, Array, Array]:
        """Exponents, directions before and after, final states; intervals are shorter where directions were lost."""
        count = self._intervals() if intervals is None else intervals
        size = members.shape[-1]
        found = reductions_of_many(
            self.system, members, np.eye(size), self.start, self.duration / count, count, tolerance=self.tolerance,
            step=self.step,
        )  # fmt: skip
        left, logs, before = product_svd(found.triangles)
        answer = logs / self.duration, before, found.frames[:, -1] @ left, found.states[:, -1].copy()
        again = lost(found.triangles).any(axis=-1)
        finer = round(self.duration) if self.system.stepwise else min(4 * count, MOST_INTERVALS)
        if again.any() and finer > count:
            for array, better in zip(answer, self.answer(members[again], finer), strict=True):
                array[again] = better
        return answer

    def _intervals(self) -> int:
        """Into how many intervals the time is divided; from the system alone, so that a member's result is its own."""
        system = self.system
        if system.stepwise:
            whole = round(self.duration)
            return next(n for n in range(max(1, -(-whole // 4)), whole + 1) if whole % n == 0)
        if len(system.phase()) != system.dimension:
            return 1  # a state in full without a Jacobian of its own
        with np.errstate(all="ignore"):
            speed = float(np.linalg.norm(system.jacobian(self.start, system.initial)))
        reach = speed * self.duration / REACH
        return int(np.clip(np.ceil(reach), 1, MOST_INTERVALS / 4)) if np.isfinite(reach) else 1
