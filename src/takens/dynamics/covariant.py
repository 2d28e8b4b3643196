"""Covariant Lyapunov vectors: the directions along an orbit that the dynamics maps onto one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError
from ..random import generator
from ..systems.base import Report, System
from ..systems.variational import reductions
from ..wording import printed
from .averages import checked, lost, settled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CovariantVectors:
    """Covariant Lyapunov vectors of length 1 at evenly spaced points of an orbit.

    `times (point,)`, `states (point, state)` and `vectors (point, state, vector)`, the one of the largest exponent
    first, up to their signs; `growth (point - 1, vector)` is the logarithm of the growth of each from a point to the
    next, `exponents (vector,)` its mean per unit of time.
    """

    times: Array
    states: Array
    vectors: Array
    growth: Array
    exponents: Array

    __repr__ = printed

    @property
    def local_exponents(self) -> Array:
        """Growth per unit of time `(point - 1, vector)`."""
        return np.asarray(self.growth / np.diff(self.times)[:, None])

    def angle(self, first: int, second: int) -> Array:
        """The angle `(point,)` between the lines of two vectors, in radians from 0 to pi / 2."""
        a, b = self.vectors[..., first], self.vectors[..., second]
        # The sine by the difference, the cosine by the sum: exact for small angles too.
        a = a * np.where(np.einsum("tk,tk->t", a, b) < 0, -1.0, 1.0)[:, None]
        return np.asarray(2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)))

    def smallest_angle(self, expanding: int) -> Array:
        """The smallest angle `(point,)` between the span of the first `expanding` vectors and that of the others.

        Where it comes near 0, expanding and contracting directions touch: the system is not hyperbolic. Raises
        `SettingError` where either side is empty.
        """
        count = self.vectors.shape[-1]
        if not 1 <= expanding < count:
            raise SettingError(f"{expanding} of {count} vectors", remedy=f"Give 1 to {count - 1}.")
        one, other = (np.linalg.qr(part)[0] for part in np.split(self.vectors, [expanding], axis=-1))
        # A cosine near 1 holds no small angle; the sine is what is left of one side outside the other.
        cosines = np.linalg.svd(np.swapaxes(one, -1, -2) @ other, compute_uv=False)[:, 0]
        narrow, wide = (one, other) if one.shape[-1] <= other.shape[-1] else (other, one)
        rest = narrow - wide @ (np.swapaxes(wide, -1, -2) @ narrow)
        sines = np.linalg.svd(rest, compute_uv=False)[:, -1]
        return np.asarray(np.arctan2(sines, np.minimum(cosines, 1.0)))


def covariant_lyapunov_vectors(
    system: System,
    *,
    length: int = 1000,
    interval: float | None = None,
    count: int | None = None,
    transient: float | None = None,
    settle: float | None = None,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> CovariantVectors:
    """The first `count` (None: all) covariant Lyapunov vectors at `length` points of an orbit, `interval` apart.

    J(t -> t + s) v_i(t) is parallel to v_i(t + s). A frame is carried forward, V = QR, and kept; coefficients C that
    are upper triangular are carried backward by C_(k-1) = R_k^-1 C_k, where all but the covariant direction dies out,
    and v = Q C. `interval` (None: a twentieth of a period, 0.05 or one iteration), `transient` (None: 100 periods, 100
    or 5,000 iterations) for the orbit to settle, `settle` (None: 20 periods, 20 or 200 iterations) for the directions
    to, both before the first point and after the last.

    Vectors of equal exponents span a covariant space but are not unique in it. Raises `SettingError` for settings out
    of range, `InsufficientData` where a direction vanishes or is lost in rounding, `SimulationError` where the orbit
    diverges. Cost: that of `lyapunov_spectrum` over the same time; points x states x count numbers are kept.
    Source: Ginelli et al., Phys. Rev. Lett. 99, 130601 (2007).
    """
    period = 1.0 if system.period is None else system.period
    if interval is None:
        interval = 1.0 if system.stepwise else 0.05 * period
    if settle is None:
        settle = 200.0 if system.stepwise else 20 * period
    if transient is None:
        transient = 5000.0 if system.stepwise else 100 * period
    if length < 2 or not settle >= 0 or not np.isfinite(settle):
        raise SettingError(f"length is {length}, settle {settle}", place=system.name, remedy="Give 2 points or more.")
    duration = max(length * interval, interval)
    run, _, wait = checked(system, duration, count, interval, transient, tolerance, None, seed)
    around = int(np.ceil(settle / run.interval))
    phase = settled(system, system.phase(initial), wait, tolerance)
    frame = np.linalg.qr(generator(seed, "covariant vectors").normal(size=(len(phase), run.count)))[0]
    kept: list[tuple[Array, Array, Array]] = []
    done, total = 0, 2 * around + length
    for part in reductions(system, phase, frame, wait, run.interval, total, tolerance=tolerance):
        done += len(part.volumes)
        first = max(0, around - (done - len(part.volumes)))  # what comes before only lets the frame settle
        kept.append((part.states[first:].copy(), part.frames[first:].copy(), part.triangles[first:].copy()))
        if report is not None:
            report(done / total)
    states, frames, triangles = (np.concatenate(arrays) for arrays in zip(*kept, strict=True))
    coefficients, growth = _backward(triangles, length, seed, system.name)
    vectors = frames[:length] @ coefficients
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    times = wait + run.interval * (around + 1 + np.arange(length, dtype=np.float64))
    exponents = growth.mean(axis=0) / run.interval
    return CovariantVectors(times, states[:length], vectors, growth, exponents)


def _backward(triangles: Array, length: int, seed: int, place: str) -> tuple[Array, Array]:
    """Coefficients `(length, vector, vector)` of the vectors in their frames, and their growth `(length - 1, vector)`.

    Triangle k goes from frame k - 1 to frame k.
    """
    from scipy.linalg import solve_triangular

    count = triangles.shape[-1]
    if lost(triangles).any():
        raise InsufficientData(
            "a direction vanishes or is lost in rounding within an interval: it cannot be followed back", place=place,
            remedy="Give a shorter interval, or ask for fewer vectors with count=.",
        )  # fmt: skip
    here = np.triu(generator(seed, "covariant coefficients").normal(size=(count, count)))
    here /= np.linalg.norm(here, axis=0)
    coefficients, growth = np.empty((length, count, count)), np.empty((length - 1, count))
    for k in range(len(triangles) - 1, -1, -1):
        if k < length:
            coefficients[k] = here
        if k == 0:
            break
        back = solve_triangular(triangles[k], here, check_finite=False)
        size = np.linalg.norm(back, axis=0)
        here = back / size
        if k < length:
            growth[k - 1] = -np.log(size)
    return coefficients, growth
