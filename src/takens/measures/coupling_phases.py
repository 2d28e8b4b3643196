"""Phases and events in step: phase locking, event synchronisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..estimate import Estimate
from .base import Refused
from .coupling_null import mean_interval, p_value, spaced_shifts
from .relations import Pair, relation
from .timescales import correlation_steps, normal_quantile

Array = NDArray[np.float64]

FAMILY = "synchronisation"


def phases(x: Array) -> Array:
    """Unwrapped phase `(time,)` of the analytic signal of `x (time,)`, mean removed (Gabor 1946). Cost: two FFTs."""
    from scipy.signal import hilbert

    return np.asarray(np.unwrap(np.angle(hilbert(x - x.mean()))))


@relation(family=FAMILY, reference="Mormann, Lehnertz, David and Elger, Physica D 144, 358 (2000)", minimum=100)
def phase_synchronisation(
    pair: Pair, *, n: int = 1, m: int = 1, surrogates: int = 199, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Phase-locking value of two oscillations: how constant the difference of their phases is.

    R = |<exp(i (`n` phi_x - `m` phi_y))>| with phases of the analytic signals, one mean period cut off at both ends;
    1 is locked, 0 unrelated (`n`:`m` locking: n phi_x = m phi_y). The p-value compares the middle
    half of the first channel with the same and with shifted windows of the second: two clocks of one frequency keep
    their difference under every shift, so that steady rhythms alone are not significant (shifts round a circle would
    break them at the seam).
    The interval is that of the mean from 20 blocks. Admissible if phases mean something: they fall in fewer than 5 %
    of the steps of either channel (filter to one band first), and 10 mean periods. Details: `p_value`, `shift` (mean
    phase difference), `unbiased` (Vinck 2010: R^2 without the bias of a short record, independent steps), `frequency`
    (two). Cost: O(N (log N + `surrogates`)).
    """
    one, two = phases(pair.x), phases(pair.y)
    steps = (len(one) - 1) / (2 * np.pi)
    frequency = np.array([(one[-1] - one[0]), (two[-1] - two[0])]) / (len(one) - 1) / (2 * np.pi)
    if frequency.min() * steps * 2 * np.pi < 1:
        raise Refused("a channel makes less than one turn: it does not oscillate")
    cut = int(min(1 / frequency.min(), len(one) // 10))
    one, two = one[cut : len(one) - cut], two[cut : len(two) - cut]
    first, second = np.exp(1j * n * one), np.exp(-1j * m * two)
    product = first * second
    mean = product.mean()
    value = float(abs(mean))
    null, observed = _shifted_windows(
        first, second, 2 * max(correlation_steps(pair.x), correlation_steps(pair.y)), surrogates
    )
    low, high = mean_interval((product * np.conj(mean) / max(value, 1e-300)).real, level)
    back = max(float(np.mean(np.diff(phase) < 0)) for phase in (one, two))
    turns = len(one) * frequency.min()
    reason = f"{turns:.3g} mean periods; 10 are needed" if turns < 10 else ""
    if back > 0.05:
        reason = f"a phase falls in {back:.0%} of the steps: filter both channels to the band that is meant"
    unbiased = (len(one) * value**2 - 1) / (len(one) - 1)
    return Estimate(
        "", value, "", (max(low, 0.0), min(max(high, value), 1.0)), level,
        "mean of the unit phase difference, shifted windows of phases",
        {"n": n, "m": m, "surrogates": len(null), "cut": cut}, {}, not reason, reason,
        details={"p_value": p_value(observed, null), "shift": float(np.angle(mean)),
                 "unbiased": unbiased, "frequency": frequency / pair.interval, "difference": np.angle(product)},
    )  # fmt: skip


def _shifted_windows(
    first: NDArray[np.complex128], second: NDArray[np.complex128], least: int, count: int
) -> tuple[Array, float]:
    """|<first_t second_{t+s}>| over the middle half of t, for at most `count` shifts s up to a quarter, and for 0.

    Shifts are at least `least` apart. Raises `Refused` for fewer than 19. Cost: O(`count` N).
    """
    quarter = len(first) // 4
    spacing = max(least, -(-2 * quarter // count))
    shifts = spacing * np.arange(-(quarter // spacing), quarter // spacing + 1)
    shifts = shifts[shifts != 0]
    if len(shifts) < 19:
        raise Refused(f"{len(shifts)} shifts of two correlation times fit half of the record; 19 are needed")
    middle = first[quarter : len(first) - quarter]
    moved = [second[quarter + s : quarter + s + len(middle)] for s in (0, *shifts)]
    values = np.array([abs(np.vdot(np.conj(middle), part)) for part in moved]) / len(middle)
    return values[1:], float(values[0])


def event_synchronisation_of(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Synchronisation Q and delay q of two sorted lists of event times: how many events coincide, and who leads.

    An event of one coincides with one of the other if they are less than half of every neighbouring gap apart (the
    paper counts exactly half too, by which some events on a grid of times coincide twice): c(x|y) counts those of x
    that come after one of y, simultaneous ones half. Q = (c(x|y) + c(y|x)) / sqrt(m_x m_y) is 1 if all coincide;
    q = (c(y|x) - c(x|y)) / sqrt(m_x m_y) is 1 if the first always leads. Quian Quiroga, Kreuz and Grassberger, PRE 66,
    041904 (2002). Beside the first and the last event the one gap there is counts. Raises `DataError` for fewer than
    two events or times that do not increase. Cost: O((m_x + m_y) log m_y).
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if min(len(x), len(y)) < 2 or (np.diff(x) <= 0).any() or (np.diff(y) <= 0).any():
        raise DataError("event times must increase and be at least two in each list")
    room_x, room_y = _room(x), _room(y)
    after = np.clip(np.searchsorted(y, x), 1, len(y) - 1)
    near = np.where(x - y[after - 1] <= y[after] - x, after - 1, after)
    d = x - y[near]
    close = np.abs(d) < np.minimum(room_x, room_y[near])
    later, same, earlier = (np.count_nonzero(close & mask) for mask in (d > 0, d == 0, d < 0))
    scale = np.sqrt(len(x) * len(y))
    return (later + same + earlier) / scale, (earlier - later) / scale


def _room(times: Array) -> Array:
    """Half of the smaller gap beside each event."""
    gaps = np.diff(times)
    return np.minimum(np.r_[gaps[0], gaps], np.r_[gaps, gaps[-1]]) / 2


def exceedances(x: Array, quantile: float) -> NDArray[np.int64]:
    """Rows at which `x (time,)` rises above its `quantile`."""
    above = x > np.quantile(x, quantile)
    return np.flatnonzero(above[1:] & ~above[:-1]) + 1


@relation(family=FAMILY, reference="Quian Quiroga, Kreuz and Grassberger, Phys. Rev. E 66, 041904 (2002)", minimum=100)
def event_synchronisation(
    pair: Pair, *, quantile: float = 0.9, surrogates: int = 199, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Event synchronisation: the share of events of two channels that coincide within their own gaps.

    An event is where a channel rises above its `quantile`. Q is 1 where all coincide (see `event_synchronisation_of`,
    which takes times of events instead); Q of unrelated events is not 0 but what the circularly shifted copies give
    (`null`), and the p-value compares with them. The interval is that of a share of sqrt(m_x m_y) independent events
    (Agresti and Coull). Admissible with 10 events in each channel. Details: `p_value`, `delay` (1: the first leads
    always), `events` (two lists of times), `null`. Cost: O(`surrogates` m log m).
    """
    events = [exceedances(channel, quantile) for channel in (pair.x, pair.y)]
    counts = [len(e) for e in events]
    if min(counts) < 5:
        raise Refused(f"{min(counts)} events above the quantile {quantile:g} in a channel; 10 are needed")
    value, delay = event_synchronisation_of(*events)
    shifts, rows = spaced_shifts(pair.x, pair.y, surrogates)
    fixed, moved = (e[e < rows] for e in events)
    if min(len(fixed), len(moved)) < 5:
        raise Refused("nearly all events stand at the end of the record: it is not stationary")
    null = np.array([event_synchronisation_of(fixed, np.sort((moved + s) % rows))[0] for s in shifts])
    observed = event_synchronisation_of(fixed, moved)[0]
    z, trials = normal_quantile(level), float(np.sqrt(counts[0] * counts[1]))
    share = (min(value, 1.0) * trials + z * z / 2) / (trials + z * z)
    half = z * np.sqrt(share * (1 - share) / (trials + z * z))
    reason = ""
    if min(counts) < 10:
        reason = f"{min(counts)} events in a channel; 10 are needed: lower the quantile or record longer"
    return Estimate(
        "", float(value), "", (max(float(share - half), 0.0), max(float(share + half), float(value))), level,
        "coincidences within half of the neighbouring gaps, circularly shifted copies",
        {"quantile": quantile, "surrogates": len(null), "events": tuple(counts)}, {}, not reason, reason,
        details={"p_value": p_value(observed, null), "delay": float(delay), "null": null,
                 "times": [e * pair.interval for e in events]},
    )  # fmt: skip
