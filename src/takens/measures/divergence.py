"""How fast neighbours part: divergence curves after Rosenstein and Kantz, and the slope of their straight part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..neighbours import delay_vectors
from ..random import generator
from .base import Channel, Refused, measure
from .embedding import delay_steps, false_nearest_neighbours, mean_period_steps, theiler_steps

Array = NDArray[np.float64]
Lags = NDArray[np.int64]

LONGEST = 20_000
"""Samples in which the exponents look for neighbours at most."""

REFERENCES = 10_000
"""Points from which neighbours are followed at most."""

BLOCKS = 20
"""Consecutive stretches of time over which curves are summed, for the bootstrap."""

MARGIN = 1.0
"""Distance in e-folds from the saturated end at which growth counts as still exponential."""

CYCLES = 20
"""Mean periods that a record must hold."""


@dataclass(frozen=True)
class Embedding:
    """How a channel is embedded: values, dimension, delay and Theiler window in samples, mean period, how chosen."""

    x: Array
    m: int
    delay: int
    theiler: int
    period: float
    stride: int
    left_out: str
    chosen: dict[str, str]

    @property
    def span(self) -> int:
        """Samples that one delay vector covers beyond its first."""
        return (self.m - 1) * self.delay

    def settings(self) -> dict[str, Any]:
        """What an estimate reports of it."""
        return {
            "embedding_dimension": self.m, "delay": self.delay, "theiler": self.theiler, "thinned": self.stride,
            "used": self.left_out or "all",
        }  # fmt: skip


def embedded(channel: Channel, m: int | None, delay: int | None, theiler: int | None) -> Embedding:
    """The embedding that the exponents use, with defaults from the data for what is not given."""
    x, stride, left_out = channel.portion(LONGEST, 10)
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = delay_steps(x), "first minimum of the mutual information"
    if m is None:
        m, chosen["embedding_dimension"] = kennel_dimension(x, delay)
    if theiler is None:
        theiler, chosen["theiler"] = theiler_steps(x), "first zero of the autocorrelation or the mean period"
    return Embedding(x, m, delay, theiler, mean_period_steps(x), stride, left_out, chosen)


def kennel_dimension(x: Array, delay: int) -> tuple[int, str]:
    """Dimension by false nearest neighbours, 2 to 8, or 6 where they do not vanish; and the words for it."""
    channel = Channel(x, np.arange(float(len(x))), 1.0, "step", "", "all")
    found = false_nearest_neighbours.function(channel, delay=delay, max_dimension=8, resamples=1)
    if found.value is None:
        return 6, "6, because false neighbours do not vanish"
    return max(2, found.value), "false neighbours below 5 %, at least 2"


def sweep_order(points: Array) -> tuple[Array, Lags]:
    """Projection of `points (n, m)` on their first principal direction, and the order that sorts it."""
    centred = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    key = centred @ vectors[:, -1]
    return key, np.argsort(key, kind="stable")


def strip_order(points: Array) -> tuple[Array, Array, Lags, Lags]:
    """Projections of `points (n, m)` on their two leading principal directions, and a sorting into strips.

    Strips hold equal numbers of points along the first direction, about sqrt(8 n) each, sorted along the second (the
    first where m is 1): the projections, the order and where each strip begins, with n at the end.
    """
    centred = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    keys = np.ascontiguousarray((centred @ vectors[:, :-3:-1]).T)
    across, along = keys[0], keys[-1]
    number = max(1, round(np.sqrt(len(points) / 8)))
    starts = np.arange(number + 1) * len(points) // number
    strips = np.split(np.argsort(across, kind="stable"), starts[1:-1])
    return across, along, np.concatenate([s[np.argsort(along[s], kind="stable")] for s in strips]), starts


def far_apart(points: Array) -> float:
    """Mean logarithmic distance of points half a record apart: the level at which divergence saturates."""
    half = len(points) // 2
    far = np.sqrt(((points[: len(points) - half] - points[half:]) ** 2).sum(axis=1))
    return float(np.log(far[far > 0]).mean())


def rosenstein_curve(points: Array, theiler: int, lags: Lags, closest: float = 0.5) -> tuple[Array, Array]:
    """Sums and counts `(block, lag)` of ln |X_{i+k} - X_{j(i)+k}|, j(i) the nearest neighbour of i in `points (n, m)`.

    Neighbours lie more than `theiler` rows apart and at a positive distance; the `closest` share of the pairs counts,
    in 20 consecutive blocks of time. Of equally near neighbours, as rounded data have them, one is followed. Raises
    `Refused` with fewer than 50 pairs. Rosenstein et al. (1993). Cost: the search was measured to grow as n^1.2 for
    Lorenz, n^1.3 for noise in three dimensions and n^1.6 in six, and can reach n^2 in more; then 2 ns a pair and lag,
    or 4 where lags leave gaps. 5 ms for 10,000 points of a chaotic flow and 20 lags.
    """
    from .kernels.divergence import follow_pairs, nearest_in_strips

    points = np.ascontiguousarray(points)
    usable = len(points) - int(lags[-1])
    if usable < 1:
        raise Refused(f"{len(points)} points cannot be followed for {lags[-1]} samples")
    head = points[:usable]
    square, near = nearest_in_strips(head, *strip_order(head), theiler)
    own = np.arange(usable)
    if usable > REFERENCES:
        own = np.unique(np.linspace(0, usable - 1, REFERENCES).astype(np.int64))
    square = square[own]
    own = own[np.isfinite(square)]
    square = square[np.isfinite(square)]
    if len(own):
        # Only the closer pairs: the others saturate while these still part, which bends the mean early.
        own = own[square <= np.quantile(square, closest)]
    if len(own) < 50:
        raise Refused("fewer than 50 points have a neighbour at a positive distance: the data are periodic or coarse")
    turned = np.ascontiguousarray(points.T)
    return follow_pairs(turned, own, near[own], lags, own * BLOCKS // usable, BLOCKS)  # type: ignore[no-any-return]


def kantz_curve(
    points: Array, theiler: int, lags: Lags, radius: float, least: int = 5, most: int = 100
) -> tuple[Array, Array]:
    """Sums and counts `(block, lag)` of mean_j ln |X_{i+k} - X_{j+k}| over all j within `radius` of i.

    Points of `points (n, m)` with fewer than `least` neighbours are left out and `most` are
    followed. Raises `Refused` where fewer than 50 points remain. Kantz (1994). Cost: one sweep over slabs of twice the
    radius, then `most` distances a point and lag.
    """
    from .kernels.divergence import follow_balls

    points = np.ascontiguousarray(points)
    usable = len(points) - int(lags[-1])
    key, order = sweep_order(points)
    place = np.empty(len(points), dtype=np.int64)
    place[order] = np.arange(len(points))
    own = np.unique(np.linspace(0, max(usable - 1, 0), min(REFERENCES // 2, max(usable, 1))).astype(np.int64))
    sums, counts, used = follow_balls(
        points, key, order, place, own, radius, theiler, least, most, lags, own * BLOCKS // max(usable, 1), BLOCKS
    )
    if used < 50:
        raise Refused(f"{used} points have {least} neighbours within {radius:.3g}; 50 are needed: use a longer record")
    return sums, counts


def window_slopes(lags: NDArray[Any], curves: Array, windows: list[tuple[int, int]]) -> tuple[Array, Array]:
    """Least-squares slope and root-mean-square residual `(curve, window)` of `curves (curve, lag)` in each window."""
    slopes, residuals = np.empty((2, len(curves), len(windows)))
    for w, (a, b) in enumerate(windows):
        k = lags[a : b + 1] - lags[a : b + 1].mean()
        part = curves[:, a : b + 1] - curves[:, a : b + 1].mean(axis=1, keepdims=True)
        slopes[:, w] = part @ k / (k @ k)
        residuals[:, w] = np.sqrt(np.mean((part - slopes[:, w, None] * k) ** 2, axis=1))
    return slopes, residuals


def scaling_windows(first: int, last: int, shortest: int) -> list[tuple[int, int]]:
    """All windows on a grid between `first` and `last` that span at least half of the region and `shortest` lags."""
    grid = np.unique(np.linspace(first, last, 13).round().astype(int))
    return [(int(a), int(b)) for a in grid for b in grid if b - a >= max(shortest, (last - first) / 2)]


def weighted_quantile(values: Array, weights: Array, q: float) -> float:
    """The value below which a share `q` of the weight lies."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(total, q * total[-1]), len(values) - 1)])


@dataclass(frozen=True)
class Region:
    """The part of a divergence curve that may be exponential: first and last lag number, and what speaks against it.

    `bent` says that it is only the shape that speaks against it, not a lack of growth.
    """

    first: int
    last: int
    reason: str
    bent: bool = False


def scaling_region(lags: NDArray[Any], curve: Array, transient: float, saturation: float) -> Region:
    """Where `curve (lag,)` can grow exponentially: after `transient`, until one e-fold below `saturation`.

    The reasons against it are those that noise gives: no room between the two; a rise of less than one e-fold, that
    is less than one Lyapunov time; a second half with less than half the slope of the first; or a better fit by a
    power of time than by an exponential of it, as for diffusion.
    """
    first = int(np.searchsorted(lags, transient))
    above = np.flatnonzero(curve[first:] >= saturation - MARGIN)
    last = first + int(above[0]) if len(above) else len(lags) - 1
    if first >= len(lags) - 3 or last - first < 3:
        return Region(first, last, "neighbours do not part further after one embedding window, as for noise and cycles")
    rise = curve[last] - curve[first]
    if rise < 1:
        return Region(first, last, f"distances grow by {rise:.2f} e-folds; one Lyapunov time needs 1")
    middle = (first + last) // 2
    (early, late), _ = (array[0] for array in window_slopes(lags, curve[None], [(first, middle), (middle, last)]))
    if late < 0.5 * early:
        slows = f"growth slows from {early:.3g} to {late:.3g} a sample within the region, as for noise"
        return Region(first, last, slows, bent=True)
    straight = window_slopes(lags, curve[None], [(first, last)])[1][0, 0]
    power = window_slopes(np.log(lags + 1), curve[None], [(first, last)])[1][0, 0]
    if power < straight:
        return Region(first, last, "growth follows a power of time better than an exponential, as for diffusion", True)
    return Region(first, last, "")


def followed(space: Embedding, trace: Any) -> tuple[Lags, Array, Array, float]:
    """Lags, sums, counts and saturation of the curve `trace(points, lags)`, followed until it saturates or data end."""
    points = delay_vectors(space.x, space.m, space.delay)
    saturation, longest = far_apart(points), len(points) // 4
    steps = int(max(20, 4 * space.period, 3 * space.span))
    while True:
        steps = min(steps, longest)
        if steps < 10:
            raise Refused(f"{len(space.x)} values are too few for {space.m} delays of {space.delay}")
        lags = np.unique(np.linspace(0, steps, min(steps + 1, 150)).round().astype(np.int64))
        sums, counts = trace(points, lags)
        reached = (sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1))[-1] > saturation - 0.7
        if reached or steps >= min(longest, 100 * space.period):
            return lags, sums, counts, saturation
        steps *= 3


@dataclass(frozen=True)
class Slope:
    """What a divergence curve says: slope a sample (None without a region), its interval, and what speaks against."""

    value: float | None
    interval: tuple[float, float] | None
    region: Region
    lags: Lags
    curve: Array
    saturation: float


def curve_slope(
    lags: Lags, sums: Array, counts: Array, transient: float, saturation: float, resamples: int, level: float,
    rng: np.random.Generator,
) -> Slope:  # fmt: skip
    """Slope of the straight part of a curve: weighted median over windows, interval over windows and blocks of time."""
    curve = sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    # Phase-coherent motion stays closer than unrelated points: its plateau is what the curve itself reaches.
    saturation = min(saturation, float(curve[-max(1, len(curve) // 5) :].mean()))
    region = scaling_region(lags, curve, transient, saturation)
    windows = scaling_windows(region.first, min(region.last, len(lags) - 1), 3)
    if not windows:
        return Slope(None, None, region, lags, curve, saturation)
    draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    curves = np.concatenate([curve[None], (draws @ sums) / np.maximum(draws @ counts, 1)])
    slopes, residuals = window_slopes(lags, curves, windows)
    weights = np.array([b - a for a, b in windows]) / (residuals + 0.01)
    value = weighted_quantile(slopes[0], weights[0], 0.5)
    low, high = (weighted_quantile(slopes[1:].ravel(), weights[1:].ravel(), 0.5 + s * level / 2) for s in (-1, 1))
    return Slope(value, (min(low, value), max(high, value)), region, lags, curve, saturation)


SYSTEMATIC = {"rosenstein": (0.12, 0.28), "kantz": (0.14, 0.43)}
"""Relative standard error, downwards and upwards, of such slopes against known exponents (12 records each of Henon and
logistic maps, Lorenz 63 x, y, z, Roessler and Mackey-Glass, 2,000 to 20,000 values), which no resampling shows: pairs
saturate at different times and align late. Most slopes are too low; exponent / slope lies between 0.76 and 1.55 for
nearest neighbours, 0.69 and 1.86 for balls, whose pairs begin further apart."""


def _estimate(
    channel: Channel, space: Embedding, found: Slope, level: float, method: str, systematic: tuple[float, float],
    extra: dict[str, Any],
) -> Estimate:  # fmt: skip
    step = space.stride * channel.interval
    reason = found.region.reason
    if len(space.x) < CYCLES * space.period:
        reason = f"the record holds {len(space.x) / space.period:.3g} mean periods; {CYCLES} are needed"
    last = min(found.region.last, len(found.lags) - 1)
    value, interval = found.value, found.interval
    if value is not None and interval is not None:
        from scipy.special import ndtri

        down, up = (ndtri(0.5 + level / 2) * share * abs(value) for share in systematic)
        below, above = np.hypot(value - interval[0], down), np.hypot(interval[1] - value, up)
        value, interval = value / step, (float(value - below) / step, float(value + above) / step)
    return Estimate(
        "", value, f"1/{channel.time_unit}", interval, level, method,
        {**space.settings(), **extra}, space.chosen, not reason, reason,
        details={
            "lag": found.lags * step, "divergence": found.curve, "saturation": found.saturation,
            "region": (float(found.lags[min(found.region.first, last)] * step), float(found.lags[last] * step)),
            "mean_period": space.period * step,
        },
    )  # fmt: skip


@measure(family="chaos", reference="Rosenstein, Collins and De Luca, Physica D 65, 117 (1993)", minimum=200)
def lyapunov_exponent_rosenstein(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Largest Lyapunov exponent, in 1/time, as the slope of the mean logarithmic distance of nearest neighbours.

    S(k) = <ln |X_{i+k} - X_{j(i)+k}|> over the points i with the closer half of nearest neighbours j outside the
    Theiler window; the exponent is the slope of S where it is straight: after one embedding window, in which noise and
    the alignment with the unstable direction show, until one e-fold below the distance of unrelated points. The value
    is the weighted median over an ensemble of windows in that region (weight: length / residual), the interval joins
    the same ensemble under a block bootstrap of reference points and the systematic error that slopes had against
    known exponents, 12 % downwards and 28 % upwards (standard errors; `divergence.SYSTEMATIC`). Defaults: first
    minimum of the mutual information, Kennel's dimension (2 to 8), Theiler window the larger of the first zero of the
    autocorrelation and the mean period.

    Admissible with 20 mean periods and a straight region of at least one e-fold; noise has none. The curve shows
    whether there is exponential growth at all; its slope is too low by up to a third where pairs saturate at different
    times (Lorenz 63 z, Roessler) or align late. The wide interval holds that: at a nominal 95 % 78 of 84 records of
    Roessler, Lorenz 63 y and z, Mackey-Glass and Henon that had no part in setting it, and 68 of 72 admissible ones of
    4,000 values of Mackey-Glass sampled every 1, 2, 3 or 6 (8 of 12 in an earlier sample; its misses are slopes too
    steep by 1.4 to 1.6, where pairs align late, and one of 0.4; neither the rise nor the slope of the first third of
    the region tells them from the others). For the number itself use `largest_lyapunov_exponent`. Details: `lag`
    (time), `divergence`, `region` (two times), `saturation`. At most 20,000 samples. Cost: 0.1 s.
    """
    space = embedded(channel, embedding_dimension, delay, theiler)
    lags, sums, counts, saturation = followed(space, lambda points, k: rosenstein_curve(points, space.theiler, k))
    rng = generator(seed, "lyapunov_exponent_rosenstein")
    found = curve_slope(lags, sums, counts, space.span + 1, saturation, resamples, level, rng)
    return _estimate(channel, space, found, level, "slope of the mean logarithmic distance of nearest neighbours",
                     SYSTEMATIC["rosenstein"], {"resamples": resamples})  # fmt: skip


@measure(family="chaos", reference="Kantz, Phys. Lett. A 185, 77 (1994)", minimum=200)
def lyapunov_exponent_kantz(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    radius: float | None = None, resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Largest Lyapunov exponent, in 1/time, from all neighbours within a radius, which averages noise.

    S(k) = <mean_{j: |X_j - X_i| < r} ln |X_{i+k} - X_{j+k}|>; region, value and interval as in
    `lyapunov_exponent_rosenstein`. The logarithm is taken before the mean over neighbours: after it, as Kantz prints, S
    follows the growth of the mean distance, which pairs that part early dominate. `radius` is in the unit of the data;
    the default is the smallest at which half of the points have 10 neighbours. Choose it above observation noise and
    below a tenth of the spread. Admissible under the same rules. Balls begin wider than nearest neighbours, so that the
    slope is lower (Roessler: 0.65 times the exponent) and the interval wider, 14 % downwards and 43 % upwards: it held
    53 of 53 such records, more than its level. Use it where single neighbours are too noisy for Rosenstein's curve.
    Details as there. At most 20,000 samples, 5,000 reference points. Cost: 0.2 s.
    """
    space = embedded(channel, embedding_dimension, delay, theiler)
    if radius is None:
        from ..neighbours import nearest

        points = delay_vectors(space.x, space.m, space.delay)
        own = np.unique(np.linspace(0, len(points) - 1, min(500, len(points))).astype(int))
        tenth = nearest(points, points[own], k=10, theiler=space.theiler, exclude=own)[0][:, -1]
        radius = float(np.median(tenth))
        if not 0 < radius < np.inf:
            raise Refused("half of the points have no 10 neighbours at a positive distance: too few or coarse data")
        space.chosen["radius"] = "half of the points have 10 neighbours within it"
    elif radius <= 0:
        raise Refused("the radius must be positive")
    size = radius
    lags, sums, counts, saturation = followed(space, lambda points, k: kantz_curve(points, space.theiler, k, size))
    rng = generator(seed, "lyapunov_exponent_kantz")
    found = curve_slope(lags, sums, counts, space.span + 1, saturation, resamples, level, rng)
    return _estimate(channel, space, found, level, "slope of the mean logarithmic distance within balls",
                     SYSTEMATIC["kantz"], {"resamples": resamples, "radius": radius})  # fmt: skip
