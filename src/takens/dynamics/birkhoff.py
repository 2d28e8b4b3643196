"""Averages along orbits that converge faster than any power of their length, and what they tell about an orbit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..systems.base import System
from ..systems.evolve import orbit
from ..wording import printed

Array = NDArray[np.float64]
Observable = str | Callable[[Array], ArrayLike]

REGULAR = 9.0
"""Digits that two halves of a regular orbit share, and those of a chaotic one do not, at lengths of 10,000 or more."""


@dataclass(frozen=True)
class BirkhoffAverage:
    """The mean of an observable along an orbit.

    `value` is from the whole orbit of `length` samples, `halves` from its first and second half alone; `digits` is
    -log10 of their relative difference, at most 16. `regular` says that there are at least 9: halves of quasi-periodic
    and periodic orbits agree so well, those of chaotic orbits in about log10(length) / 2 digits.
    """

    value: float
    halves: tuple[float, float]
    digits: float
    length: int

    __repr__ = printed

    @property
    def regular(self) -> bool:
        """Whether the orbit looks quasi-periodic or periodic."""
        return self.digits >= REGULAR


def birkhoff_weights(length: int) -> Array:
    """The weights `(length,)`, exp(-1 / (s (1 - s))) at s = (k + 1) / (length + 1), with sum 1.

    All their derivatives are 0 at both ends, so that nothing of where the orbit begins and ends is left in the mean.
    Raises `SettingError` for a length below 1. Source: Das, Saiki, Sander & Yorke, Nonlinearity 30, 4111 (2017).
    """
    if length < 1:
        raise SettingError(f"a mean of {length} samples", remedy="Give at least one.")
    share = np.arange(1, length + 1) / (length + 1)
    weights = np.exp(-1 / (share * (1 - share)))
    return np.asarray(weights / weights.sum())


def weighted_average(values: ArrayLike, *, weighted: bool = True) -> BirkhoffAverage:
    """The mean of `values (time,)` along an orbit, with `birkhoff_weights`, or plain where not `weighted`.

    For a smooth observable of a quasi-periodic orbit with a Diophantine rotation number the error falls faster than any
    power of the length, to rounding after some thousand samples; on chaotic orbits it falls as 1/sqrt(length), and the
    plain mean is a little better. Raises `SettingError` for fewer than 4 values or values that are not finite.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or len(given) < 4 or not np.isfinite(given).all():
        raise SettingError(f"a mean of values of shape {given.shape}", remedy="Give at least four finite numbers.")
    half = len(given) // 2
    whole, first, second = (_mean(part, weighted) for part in (given, given[:half], given[-half:]))
    size = max(abs(whole), float(np.abs(given).mean()), 1e-300)
    difference = abs(first - second) / size
    return BirkhoffAverage(whole, (first, second), float(min(16.0, -np.log10(max(difference, 1e-16)))), len(given))


def _mean(values: Array, weighted: bool) -> float:
    centre = values[len(values) // 2]
    # Around one of the values, so that large means lose no digits in the sum.
    weights = birkhoff_weights(len(values)) if weighted else np.full(len(values), 1 / len(values))
    return float(centre + np.sum(weights * (values - centre)))


def birkhoff_average(
    system: System,
    observable: Observable,
    *,
    length: int = 20_000,
    dt: float | None = None,
    transient: float = 0.0,
    initial: ArrayLike | None = None,
    weighted: bool = True,
    tolerance: float = 1e-12,
) -> Estimate:
    """The mean of an observable along an orbit, sum_k w_k h(x_k), with weights that vanish smoothly at its ends.

    `observable` is the name of a state or a function of states `(time, state)` that gives numbers `(time,)`; the orbit
    of `length` samples, `dt` apart (None: 1 iteration, or the system's own), starts from `initial` after `transient`.
    `details` holds the mean as a `BirkhoffAverage` under "average"; its `digits` tell regular orbits from chaotic ones.
    There is no interval: how many digits the halves share is the measure of error.

    The mean of a flow over samples is that over time for almost every `dt`. Raises `SettingError` for unfit arguments
    and `SimulationError` where the orbit diverges. Cost: that of the orbit. Source: Das, Saiki, Sander & Yorke,
    Nonlinearity 30, 4111 (2017); Sander & Meiss, Physica D 411, 132569 (2020), for the digits.
    """
    interval = system.default_dt() if dt is None else float(dt)
    if length < 4 or not 0 < interval < np.inf or not 0 <= transient < np.inf:
        raise SettingError(f"length is {length}, dt {interval}, transient {transient}", place=system.name)
    if isinstance(observable, str) and observable not in system.states:
        raise SettingError(
            f"no state {observable!r}", place=system.name, remedy=f"The states are {', '.join(system.states)}."
        )
    states = orbit(system, system.phase(initial), transient + interval * np.arange(length), tolerance=tolerance)
    values = states[:, system.states.index(observable)] if isinstance(observable, str) else observable(states)
    found = weighted_average(values, weighted=weighted)
    shown = observable if isinstance(observable, str) else getattr(observable, "__name__", "observable")
    return Estimate(
        "birkhoff_average", found.value, method="smooth weights" if weighted else "plain mean",
        settings={"observable": shown, "length": length, "dt": interval, "transient": transient, "weighted": weighted,
                  "parameters": dict(system.parameters), "tolerance": tolerance},
        reference="Das et al., Nonlinearity 30, 4111 (2017)", channel=system.name,
        details={"average": found, "digits": found.digits, "halves": found.halves},
    )  # fmt: skip


def rotation_number(
    system: System,
    angle: str,
    *,
    turn: float | None = None,
    length: int = 20_000,
    transient: int = 0,
    initial: ArrayLike | None = None,
) -> Estimate:
    """The mean advance of an angle per iteration of a map, lim (theta_n - theta_0) / n, in turns if `turn` is given.

    `angle` names the state. Without `turn` it must not be wrapped: the mean is of theta_(k+1) - theta_k as it is. With
    `turn` (1, or 2 pi) the angle is taken modulo it, and the result is a share of a turn between 0 and 1. Differences
    are cut where the largest gap between them is: if all of the circle is covered, the rotation number has no meaning
    and the estimate is not admissible. `details` as for `birkhoff_average`. On quasi-periodic orbits the error falls to
    about 1e-15 with some thousand iterations.

    Raises `SettingError` for what is no map or unfit arguments, `SimulationError` where the orbit diverges. Cost: that
    of the orbit. Source: Das, Saiki, Sander & Yorke, Nonlinearity 30, 4111 (2017).
    """
    if system.kind != "map" or angle not in system.states or length < 4 or (turn is not None and not turn > 0):
        raise SettingError(
            f"the rotation number of {angle!r} of a {system.kind}, length {length}, turn {turn}", place=system.name,
            remedy=f"Name a state of a map: {', '.join(system.states)}.",
        )  # fmt: skip
    times = np.arange(transient, transient + length + 1, dtype=np.float64)
    theta = orbit(system, system.phase(initial), times)[:, system.states.index(angle)]
    steps, gap = np.diff(theta), 1.0
    if turn is not None:
        shares = steps / turn % 1.0
        ordered = np.sort(shares)
        gaps = np.diff(np.append(ordered, ordered[0] + 1))
        widest = int(gaps.argmax())
        gap = float(gaps[widest])
        cut = (ordered[widest] + gap / 2) % 1.0
        steps = (shares - cut) % 1.0 + cut
    found = weighted_average(steps)
    sound = gap > 20 / length
    return Estimate(
        "rotation_number", found.value % 1.0 if turn is not None else found.value,
        "turns" if turn is not None else "1/iteration", method="smooth weights",
        settings={"angle": angle, "turn": turn, "length": length, "transient": transient,
                  "parameters": dict(system.parameters)},
        admissible=sound, reason="" if sound else "the angle advances by any share of a turn: it does not rotate",
        reference="Das et al., Nonlinearity 30, 4111 (2017)", channel=system.name,
        details={"average": found, "digits": found.digits, "halves": found.halves},
    )  # fmt: skip
