"""Entropy production: what a driven process must dissipate at least, from its jumps or its currents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData
from ..estimate import Estimate
from ..random import generator
from .coupling_null import middle
from .relations import Pair, relation

Array = NDArray[np.float64]

REFERENCE = "Roldan and Parrondo, Phys. Rev. Lett. 105, 150607 (2010)"


def jump_entropy_production(
    states: ArrayLike, duration: float, *, resamples: int = 200, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Entropy production rate, in nats a unit of time (k_B = 1), of a Markov jump process from its list of states.

    sigma = sum_{i<j} (n_ij - n_ji) ln(n_ij / n_ji) / `duration`, n_ij the jumps i -> j among `states (jump,)`, half a
    jump added to each number of a pair that occurs. Exact in the limit if every state is seen; if several states look
    alike, or with sampled states in place of jumps (`duration` is then their number times the interval), a lower
    bound. The interval is a block bootstrap of the jumps. Not admissible where a pair is seen in one direction only:
    its term grows with ln n without limit. Raises `DataError` unless `states` is a list of at least 20 and `duration`
    positive, and `InsufficientData` where the state never changes. Schnakenberg (1976). Cost: O(`resamples` N).
    """
    labels = np.asarray(states)
    if labels.ndim != 1 or len(labels) < 20 or not duration > 0:
        raise DataError(f"expected at least 20 states and a positive duration, got {labels.shape} and {duration}")
    known, code = np.unique(labels, return_inverse=True)
    count = len(known)
    moved = np.flatnonzero(code[1:] != code[:-1])
    if len(moved) == 0:
        raise InsufficientData("the state never changes: there is no current to measure", place="states")
    jumps = code[moved] * count + code[moved + 1]
    n = np.bincount(jumps, minlength=count**2).reshape(count, count)
    rng = generator(seed, "jump_entropy_production")
    size = max(1, int(np.sqrt(len(jumps))))
    starts = rng.integers(0, len(jumps) - size + 1, size=(resamples, max(len(jumps) // size, 1)))
    rates = []
    for row in starts:
        drawn = jumps[(row[:, None] + np.arange(size)).ravel()]
        again = np.bincount(drawn, minlength=count**2).reshape(count, count) * (len(jumps) / len(drawn))
        rates.append(_jump_rate(again, n) / duration)
    value = _jump_rate(n, n) / duration
    low, high = np.quantile(rates, [0.5 - level / 2, 0.5 + level / 2])
    one_way = int(np.count_nonzero((n > 0) & (n.T == 0)))
    reason = f"{one_way} pairs of states are seen in one direction only; record longer" if one_way else ""
    return Estimate(
        "jump_entropy_production", value, "nat/time", (min(float(low), value), max(float(high), value)), level,
        "numbers of jumps in both directions", {"states": count, "jumps": len(jumps), "resamples": resamples}, {},
        not reason, reason, REFERENCE, details={"jumps": n, "states": known},
    )  # fmt: skip


def _jump_rate(n: NDArray[Any], seen: NDArray[Any]) -> float:
    pair = np.triu((seen + seen.T) > 0, 1)
    forward, backward = n[pair] + 0.5, n.T[pair] + 0.5
    return float(np.sum((forward - backward) * np.log(forward / backward)))


def currents(x: Array, y: Array) -> Array:
    """Elementary currents `(time - 1, 12)` of the path `x`, `y (time,)`: f(x, y) dx and f(x, y) dy, f at the middle.

    f = 1, x, y, x^2, x y, y^2 (Stratonovich products, which change sign when time runs backwards). Cost: O(N).
    """
    u, v = (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2
    basis = np.column_stack([np.ones(len(u)), u, v, u * u, u * v, v * v])
    return np.concatenate([basis * np.diff(x)[:, None], basis * np.diff(y)[:, None]], axis=1)


def circulation_test(flows: Array, blocks: int = 20) -> float:
    """p-value that no current of `currents` goes round: Hotelling's T^2 of three of them over `blocks` blocks of time.

    x dy - y dx, x^2 dy and y^2 dx are the currents of degree 2 that are not differences of a potential, which always
    average out; what the latter explain of them is taken off to lower their spread. Means of consecutive blocks allow
    for correlated increments. Cost: O(N).
    """
    from scipy.special import fdtrc

    turning = np.column_stack([flows[:, 7] - flows[:, 2], flows[:, 9], flows[:, 5]])
    dx, dy = flows[:, :6], flows[:, 6:]
    # Columns are f dx and f dy for f = 1, x, y, x^2, x y, y^2: d of x, y, x^2, x y, y^2, x^3, x^2 y, x y^2, y^3.
    exact = np.column_stack([
        dx[:, 0], dy[:, 0], dx[:, 1], dx[:, 2] + dy[:, 1], dy[:, 2], dx[:, 3], 2 * dx[:, 4] + dy[:, 3],
        dx[:, 5] + 2 * dy[:, 4], dy[:, 5],
    ])  # fmt: skip
    left = turning - exact @ np.linalg.lstsq(exact, turning, rcond=None)[0]
    size = len(left) // blocks
    means = left[: size * blocks].reshape(blocks, size, 3).mean(axis=1)
    mean = means.mean(axis=0)
    squared = float(blocks * mean @ np.linalg.pinv(np.cov(means.T), hermitian=True) @ mean)
    return float(fdtrc(3, blocks - 3, squared * (blocks - 3) / (3 * (blocks - 1))))


@relation(family="irreversibility", reference="Otsubo, Ito, Dechant and Sagawa, Phys. Rev. E 101, 062106 (2020)",
          minimum=500)  # fmt: skip
def entropy_production(pair: Pair, *, folds: int = 10, level: float = 0.9, seed: int = 0) -> Estimate:
    """Lower bound of the entropy production rate, in nats a unit of time, from currents in the plane of two channels.

    Thermodynamic uncertainty in short times: sigma >= 2 <J>^2 / (dt Var J) for every current J, one with equality in
    an overdamped diffusion as dt -> 0. J is the best combination of f(x, y) dx and f(x, y) dy, f of degree 2, chosen on
    the other `folds` - 1 parts of the record and evaluated on each, so that choosing does not inflate it. The value is
    the mean over the parts, 0 if negative, the interval that of the mean current (t over 10 parts). The p-value is that
    of `circulation_test`: no current goes round, as in equilibrium. dt must be short against the relaxation but long
    against inertia. Hidden coordinates and coarse sampling lower the value, it
    stays a bound; measurement noise does so too. At most 200,000 rows. Details: `p_value`, `parts`. Cost: O(N).
    """
    from scipy.special import stdtrit

    x, y, used = middle(pair.x, pair.y, 200_000)
    x, y = ((channel - channel.mean()) / channel.std() for channel in (x, y))
    flows = currents(x, y)
    n = len(flows)
    parts = np.array_split(np.arange(n), folds)
    strength = np.empty(folds)
    for i, part in enumerate(parts):
        rest = np.ones(n, dtype=bool)
        rest[part] = False
        weight = np.linalg.pinv(np.cov(flows[rest].T), hermitian=True) @ flows[rest].mean(axis=0)
        current = flows[part] @ weight
        scale = current.std()
        strength[i] = current.mean() / scale if scale > 0 else 0.0
    centre, half = float(strength.mean()), float(stdtrit(folds - 1, 0.5 + level / 2) * strength.std(ddof=1))
    half /= float(np.sqrt(folds))
    rate, low, high = (2 * max(s, 0.0) ** 2 / pair.interval for s in (centre, centre - half, centre + half))
    return Estimate(
        "", rate, f"nat/{pair.time_unit}", (low, high), level,
        "short-time thermodynamic uncertainty relation, best current of degree 2, cross-fitted",
        {"folds": folds, "used": used}, details={"p_value": circulation_test(flows), "parts": strength},
    )  # fmt: skip
