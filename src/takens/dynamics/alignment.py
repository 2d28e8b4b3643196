"""Alignment of displacements, which tells regular from chaotic orbits: GALI, SALI, linear dependence."""

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
class Alignment:
    """How the volume spanned by displacements of length 1 goes to 0 along an orbit.

    `times (time,)` are measured from where the displacements began; `log_index (time, order)` holds the natural
    logarithms of GALI of orders 2, 3, ... k, however small the index itself. GALI of order j is the product of the
    singular values of the matrix of the first j unit vectors, which is also the linear dependence index (LDI).
    """

    times: Array
    log_index: Array

    __repr__ = printed

    @property
    def index(self) -> Array:
        """GALI of the highest order `(time,)`, from 1 to 0."""
        return np.exp(self.log_index[:, -1])

    def rate(self, order: int | None = None, since: float = 0.0) -> float:
        """The exponential rate -d log GALI / dt, by least squares over times from `since`.

        On a chaotic orbit it tends to sum_(2 <= i <= order) (lambda_1 - lambda_i).
        """
        chosen, logs = self._chosen(order, since)
        return -float(np.polyfit(chosen, logs, 1)[0])

    def power(self, order: int | None = None, since: float = 0.0) -> float:
        """The exponent -d log GALI / d log t of a power law, by least squares over times from `since`.

        On a regular orbit of a Hamiltonian system with N degrees of freedom it tends to 0 for orders up to N and to
        2 (order - N) beyond, in general; the index then oscillates, so that this needs a long time.
        """
        chosen, logs = self._chosen(order, since)
        return -float(np.polyfit(np.log(chosen), logs, 1)[0])

    def _chosen(self, order: int | None, since: float) -> tuple[Array, Array]:
        highest = self.log_index.shape[1] + 1
        order = highest if order is None else order
        if not 2 <= order <= highest:
            raise SettingError(f"order is {order}", remedy=f"Orders 2 to {highest} were computed.")
        logs = self.log_index[:, order - 2]
        here = (self.times >= since) & np.isfinite(logs)
        if here.sum() < 3:
            raise InsufficientData(f"{here.sum()} points from {since} on", remedy="Three or more make a slope.")
        return self.times[here], logs[here]


def gali(
    system: System,
    order: int = 2,
    *,
    duration: float | None = None,
    dt: float | None = None,
    transient: float = 0.0,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> Alignment:
    """The generalised alignment index of orders 2 to `order` along the orbit from `initial`, every `dt`.

    GALI_k = |v_1 ^ ... ^ v_k| of k displacements, each scaled to length 1, that begin orthonormal at random after
    `transient`. On a chaotic orbit all turn to the direction of fastest growth and GALI_k falls as exp(-sum_(i <= k)
    (lambda_1 - lambda_i) t). On a regular orbit of a Hamiltonian system with N degrees of freedom it stays of order 1
    for k <= N and falls as t^-2(k - N) beyond; on a limit cycle or fixed point of a dissipative system it falls
    exponentially as well, and tells nothing about chaos. `duration` (None: 100 periods, 200 time units or 1,000
    iterations) and `dt` (None: a 200th of it).

    The volume is carried as the logarithm of the diagonal of the triangular factors, so that the index may fall far
    below the smallest number. Raises `SettingError` for settings out of range and `SimulationError` where the orbit
    diverges. Cost: that of integrating states x (1 + order) equations.
    Source: Skokos, Bountis & Antonopoulos, Physica D 231, 30 (2007); Antonopoulos & Bountis, ROMAI J. 2, 1 (2006).
    """
    if duration is None:
        duration = 1000.0 if system.stepwise else 200.0 if system.period is None else 100 * system.period
    if dt is None:
        dt = max(1.0, duration // 200) if system.stepwise else duration / 200
    if order < 2:
        raise SettingError(f"order is {order}", place=system.name, remedy="Two or more displacements can align.")
    run, length, wait = checked(system, duration, order, dt, transient, tolerance, None, seed)
    phase = settled(system, system.phase(initial), wait, tolerance)
    frame = np.linalg.qr(generator(seed, "alignment").normal(size=(len(phase), order)))[0]
    shares, logs = np.eye(order), np.zeros(order)
    rows: list[Array] = []
    total = max(1, round(length / run.interval))
    for part in reductions(system, phase, frame, wait, run.interval, total, tolerance=tolerance):
        if lost(part.triangles).any():
            cause = "a displacement vanishes or is lost in rounding within dt"
            raise InsufficientData(cause, place=system.name, remedy="Take a shorter dt or a lower order.")
        for triangle in part.triangles:
            # Column j of `shares` is vector j, of length 1, in the frame; logs are those of the diagonal.
            shares = triangle @ shares
            lengths = np.linalg.norm(shares, axis=0)
            shares /= lengths
            logs = logs + np.log(np.diag(triangle)) - np.log(lengths)
            rows.append(np.cumsum(logs)[1:])
        if report is not None:
            report(len(rows) / total)
    return Alignment(run.interval * np.arange(1, total + 1, dtype=np.float64), np.array(rows))


def sali(
    system: System,
    *,
    duration: float | None = None,
    dt: float | None = None,
    transient: float = 0.0,
    initial: ArrayLike | None = None,
    tolerance: float = 1e-9,
    seed: int = 0,
    report: Report | None = None,
) -> tuple[Array, Array]:
    """Times `(time,)` and the smaller alignment index SALI = min(|v_1 + v_2|, |v_1 - v_2|) `(time,)` of an orbit.

    With s = GALI of order 2, the sine of the angle between both displacements, it is 2 sin(asin(s) / 2): between s and
    sqrt(2) s. Settings, behaviour, errors and cost are those of `gali`. Source: Skokos, J. Phys. A 34, 10029 (2001).
    """
    found = gali(
        system, 2, duration=duration, dt=dt, transient=transient, initial=initial, tolerance=tolerance, seed=seed,
        report=report,
    )  # fmt: skip
    sine = np.minimum(found.index, 1.0)
    return found.times, sine * np.sqrt(2 / (1 + np.sqrt(1 - sine**2)))
