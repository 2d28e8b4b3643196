"""Causality and nonlinearity from state space: convergent cross mapping, S-maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..neighbours import delay_vectors
from ..random import generator
from .base import Channel, Refused, measure
from .coupling_null import middle, p_value, spaced_shifts
from .relations import Pair, relation
from .surrogates import end_matched, iaaft, prediction_error
from .timescales import correlation_steps, normal_quantile

Array = NDArray[np.float64]

LONGEST = 2000
"""Rows that cross maps use at most."""

TARGETS = 500
"""Rows that are cross-mapped at most, evenly spread."""


def simplex_weights(distance: Array, neighbours: int) -> tuple[NDArray[np.int64], Array]:
    """Columns and weights `(row, neighbour)` of the `neighbours` smallest of `distance (row, library)`.

    w = exp(-d / d_1), normalised, d_1 the distance of the nearest (Sugihara and May 1990). inf stands for points that
    may not be used. Cost: O(rows x library).
    """
    near = np.argpartition(distance, neighbours - 1, axis=1)[:, :neighbours]
    d = np.take_along_axis(distance, near, axis=1)
    weights = np.exp(-d / np.maximum(d.min(axis=1, keepdims=True), 1e-300))
    return near, weights / weights.sum(axis=1, keepdims=True)


def row_correlations(a: Array, b: Array) -> Array:
    """Pearson's correlation of each row of `a` and `b (row, time)`; 0 where a row is constant."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    power = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(power > 0, power, np.inf))


def embedding_by_prediction(x: Array, delay: int, most: int = 8) -> int:
    """Dimension from 2 to `most` in which neighbours predict `x (time,)` best; the smallest within 3 %."""
    fit = max(2, min(most, len(x) // (10 * delay)))
    errors = np.array([prediction_error(x, m, delay, 1, m + 1, 300) for m in range(2, fit + 1)])
    return 2 + int(np.flatnonzero(errors <= 1.03 * errors.min())[0])


@relation(family="causality", reference="Sugihara et al., Science 338, 496 (2012)", minimum=100, directed=True)
def convergent_cross_mapping(
    pair: Pair, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    libraries: int = 6, draws: int = 20, surrogates: int = 99, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Convergent cross mapping, cause first: how well the states of the second channel know the first.

    If x drives y, delay vectors of y hold x: x_t is estimated from the times of the E + 1 nearest delay vectors of y,
    weights exp(-d / d_1), outside a Theiler window; the value is the correlation of estimates and truth with the whole
    library. It must be larger than for circularly shifted copies of x, and must grow with the library (`libraries`
    sizes, `draws` random ones each) by more than it does for them; the p-value is the larger of the two, so that
    false alarms are 5 % at most. Defaults: `delay` the correlation time of y over 2; E from 2 to 8 by the prediction
    of y; Theiler window the larger of correlation time and (E - 1) delay. The interval is Fisher's, one independent row
    each correlation time. Not admissible where skill is largest for values of x later than y: so look synchrony and
    coupling the other way (Ye et al. 2015). Needs determinism and moderate coupling: noise hides it, strong coupling
    shows both ways. At most 2000 rows. Details: `p_value`, `p_skill`, `p_convergence`, `library`, `skill`, `lag`,
    `skill_by_lag`, `best_lag`. Cost: a second.
    """
    x, y, used = middle(pair.x, pair.y, LONGEST)
    steps = correlation_steps(y)
    (embedding_dimension, delay, theiler), chosen = _settled(y, steps, embedding_dimension, delay, theiler)
    span = (embedding_dimension - 1) * delay
    if len(x) - span < 10 * (embedding_dimension + 1) + 2 * theiler + 1:
        raise Refused(f"{len(x)} rows are too few for {embedding_dimension} delays of {delay}")
    points, x = delay_vectors(y, embedding_dimension, delay), x[span:]
    shifts, rows = spaced_shifts(x, y[span:], surrogates)
    x, cross = x[:rows], _CrossMap(points[:rows], theiler, embedding_dimension + 1)
    rng = generator(seed, "convergent_cross_mapping")
    turned = np.stack([x, *(np.roll(x, -s) for s in shifts)])
    sizes = np.unique(np.geomspace(5 * (embedding_dimension + 1) + 2 * theiler, rows, libraries).round().astype(int))
    skill = np.stack([cross.mean_skill(turned, int(size), draws, rng) for size in sizes])
    lags = np.arange(-5, 6) * delay
    by_lag = cross.mean_skill(np.stack([np.roll(x, -lag) for lag in lags]), rows, 1, rng)
    p_skill, p_growth = (p_value(float(s[0]), s[1:]) for s in (skill[-1], skill[-1] - skill[0]))
    error = 1 / np.sqrt(max(rows / max(steps, correlation_steps(x)) - 3, 1))
    value, half = float(skill[-1, 0]), normal_quantile(level) * error
    low, high = (float(np.tanh(_fisher(value) + s * half)) for s in (-1, 1))
    reason, best = "", float(lags[np.argmax(by_lag)] * pair.interval)
    later = _fisher(by_lag[lags > 0].max()) - _fisher(by_lag[lags <= 0].max())
    if later > 2 * half and max(p_skill, p_growth) <= 0.05:
        reason = (
            f"skill is largest for values of {pair.names[0]} {best:g} {pair.time_unit} later, as for "
            "synchrony and coupling the other way"
        )
    return Estimate(
        "", value, "", (min(low, value), max(high, value)), level,
        "cross-map skill with the whole library, circularly shifted copies",
        {"embedding_dimension": embedding_dimension, "delay": delay, "theiler": theiler, "surrogates": len(shifts),
         "draws": draws, "used": used},
        chosen, not reason, reason,
        details={"p_value": max(p_skill, p_growth), "p_skill": p_skill, "p_convergence": p_growth, "library": sizes,
                 "skill": skill[:, 0], "null": skill[:, 1:], "lag": lags * pair.interval, "skill_by_lag": by_lag,
                 "best_lag": best},
    )  # fmt: skip


def _settled(
    y: Array, steps: int, dimension: int | None, delay: int | None, theiler: int | None
) -> tuple[tuple[int, int, int], dict[str, str]]:
    """Dimension, delay and Theiler window of the states of `y`, and how those that were not given were chosen."""
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = max(1, steps // 2), "half the correlation time"
    if dimension is None:
        dimension, how = embedding_by_prediction(y, delay), "prediction of the second channel from neighbours"
        chosen["embedding_dimension"] = how
    if theiler is None:
        theiler = max((dimension - 1) * delay, steps)
        chosen["theiler"] = "the larger of correlation time and embedding window"
    return (dimension, delay, theiler), chosen


def _fisher(correlation: float) -> float:
    """Fisher's z, finite at -1 and 1 too."""
    return float(np.arctanh(np.clip(correlation, -1 + 1e-15, 1 - 1e-15)))


class _CrossMap:
    """Distances `(target, library)` of delay vectors, made once; every channel and library is mapped with them."""

    def __init__(self, points: Array, theiler: int, neighbours: int) -> None:
        self.rows = np.unique(np.linspace(0, len(points) - 1, min(TARGETS, len(points))).astype(int))
        square = (points**2).sum(axis=1)
        centred = square[self.rows, None] + square[None] - 2 * points[self.rows] @ points.T
        self.distance = np.sqrt(np.maximum(centred, 0.0))
        self.distance[np.abs(self.rows[:, None] - np.arange(len(points))) <= theiler] = np.inf
        self.neighbours = neighbours

    def mean_skill(self, channels: Array, size: int, draws: int, rng: np.random.Generator) -> Array:
        """Mean skill `(channel,)` over random libraries of `size` of estimating each of `channels (channel, time)`."""
        n = self.distance.shape[1]
        if size >= n:
            return self._skill(channels, np.arange(n))
        return np.mean([self._skill(channels, rng.permutation(n)[:size]) for _ in range(draws)], axis=0)

    def _skill(self, channels: Array, library: NDArray[np.int64]) -> Array:
        near, weights = simplex_weights(self.distance[:, library], self.neighbours)
        where = library[near]
        guess = np.zeros((len(channels), len(self.rows)))
        for j in range(self.neighbours):
            guess += weights[:, j] * channels[:, where[:, j]]
        return row_correlations(guess, channels[:, self.rows])


def smap_errors(x: Array, embedding_dimension: int, delay: int, thetas: Array, theiler: int) -> Array:
    """Mean absolute error `(theta,)` of S-map predictions one step ahead, over the standard deviation.

    Each row is predicted by a linear fit to all others outside the Theiler window, weighted with
    exp(-theta d / mean d) (Sugihara 1994); theta 0 is one linear map for all. Cost: O(thetas N^2 E^2).
    """
    points = delay_vectors(x[:-1], embedding_dimension, delay)
    ahead = x[(embedding_dimension - 1) * delay + 1 :]
    design = np.column_stack([np.ones(len(points)), points])
    square = (points**2).sum(axis=1)
    distance = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * points @ points.T, 0.0))
    steps = np.arange(len(points))
    allowed = np.abs(steps[:, None] - steps) > theiler
    scaled = distance / ((distance * allowed).sum(axis=1) / allowed.sum(axis=1))[:, None]
    width = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(points), -1)
    right = design * ahead[:, None]
    errors = np.empty(len(thetas))
    for i, theta in enumerate(thetas):
        weight = np.where(allowed, np.exp(-theta * scaled), 0.0)
        normal = (weight @ products).reshape(-1, width, width)
        # A little ridge: far from all other points the weights may leave fewer rows than unknowns.
        normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(width)
        solved = np.linalg.solve(normal, (weight @ right)[:, :, None])[:, :, 0]
        errors[i] = np.abs((design * solved).sum(axis=1) - ahead).mean()
    return errors / x.std()


@measure(family="surrogates", reference="Sugihara, Phil. Trans. R. Soc. A 348, 477 (1994)", minimum=100)
def smap_nonlinearity(
    channel: Channel, *, embedding_dimension: int = 3, delay: int | None = None, surrogates: int = 39,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """S-map test of nonlinearity: how much predictions gain where the map may differ from place to place.

    Value: 1 - min_theta e(theta) / e(0), e(theta) the error one step ahead with weights exp(-theta d / mean d) and
    theta 0, 0.5, 1, 2, 4, 8; 0 is a linear process. The p-value comes from IAAFT surrogates of the channel (linear
    noise seen through a monotone instrument). `delay` None is half the correlation time, at least 1. No interval: the
    gain is never negative, and `null` in the details is what it looks like without nonlinearity. At most 400 samples.
    Details: `p_value`, `theta`, `error`, `null`. Cost: O(`surrogates` N^2), 2 s.
    """
    x, stride, left_out = channel.portion(400)
    start, stop = end_matched(x)
    x = x[start:stop]
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = max(1, correlation_steps(x) // 2), "half the correlation time"
    if len(x) < 50 + (embedding_dimension - 1) * delay:
        raise Refused(f"{len(x)} values are too few for {embedding_dimension} delays of {delay}")
    theta = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0])
    theiler = (embedding_dimension - 1) * delay
    copies = iaaft(x, surrogates, generator(seed, "smap_nonlinearity"))
    errors = np.array([smap_errors(row, embedding_dimension, delay, theta, theiler) for row in (x, *copies)])
    gains = 1 - errors.min(axis=1) / np.maximum(errors[:, 0], 1e-12)
    tied = 1 - len(np.unique(x)) / len(x)
    reason = f"{tied:.0%} of the values repeat an earlier one; finer resolution is needed" if tied > 0.5 else ""
    return Estimate(
        "", float(gains[0]), "", None, level, "gain of S-maps over one linear map, IAAFT surrogates",
        {"embedding_dimension": embedding_dimension, "delay": delay, "surrogates": surrogates, "thinned": stride,
         "used": left_out or "all"},
        chosen, not reason, reason,
        details={"p_value": p_value(float(gains[0]), gains[1:]), "theta": theta, "error": errors[0], "null": gains[1:]},
    )  # fmt: skip
