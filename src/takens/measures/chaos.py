"""Chaos: how fast neighbours part, and whether the motion drifts like noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..neighbours import delay_vectors, nearest
from ..random import generator
from .base import Channel, Refused, measure
from .embedding import delay_steps, false_nearest_neighbours, mean_period_steps, theiler_steps

Array = NDArray[np.float64]

LONGEST = 20_000
"""Samples in which the exponent looks for neighbours at most."""

REFERENCES = 10_000
"""Points from which neighbours are followed at most."""


def divergence(x: Array, m: int, delay: int, theiler: int, lags: NDArray[np.int64]) -> tuple[Array, Array, float]:
    """Logarithmic distance of nearest neighbours as they are followed: sums and counts by block, and where it ends.

    Returns `sums` and `counts (block, lag)` of ln |X_{i+k} - X_{j+k}| over the reference points i with the closer half
    of neighbours, in 20 consecutive blocks of time, and the mean logarithmic distance of points far apart in time, at
    which the curve saturates. Distances of 0 are left out. Rosenstein et al. (1993). Cost: one neighbour search and one
    pass a lag.
    """
    points = delay_vectors(x, m, delay)
    usable = len(points) - int(lags[-1])
    own = np.unique(np.linspace(0, usable - 1, min(REFERENCES, usable)).astype(int))
    near, where = nearest(points[:usable], points[own], theiler=theiler, exclude=own, distinct=True)
    # Only the closer half of the pairs: the others saturate while these still part, which bends the mean early.
    kept = np.isfinite(near[:, 0]) & (near[:, 0] <= np.median(near))
    own, j = own[kept], where[kept, 0]
    if len(own) < 50:
        raise Refused("fewer than 50 points have a neighbour at a positive distance: the data are periodic or coarse")
    blocks = 20
    label = own * blocks // usable
    sums, counts = np.zeros((blocks, len(lags))), np.zeros((blocks, len(lags)))
    for c, k in enumerate(lags):
        distance = np.sqrt(((points[own + k] - points[j + k]) ** 2).sum(axis=1))
        apart = distance > 0
        sums[:, c] = np.bincount(label[apart], np.log(distance[apart]), minlength=blocks)
        counts[:, c] = np.bincount(label[apart], minlength=blocks)
    far = np.sqrt(((points[own] - points[(own + len(points) // 2) % len(points)]) ** 2).sum(axis=1))
    return sums, counts, float(np.log(far[far > 0]).mean())


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


MARGIN = 1.0
"""Distance in e-folds from the saturated end at which growth counts as still exponential."""


@dataclass(frozen=True)
class Region:
    """The part of a divergence curve that may be exponential: first and last lag number, and what speaks against it."""

    first: int
    last: int
    reason: str


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
        return Region(
            first, last, f"growth slows from {early:.3g} to {late:.3g} a sample within the region, as for noise"
        )
    straight = window_slopes(lags, curve[None], [(first, last)])[1][0, 0]
    power = window_slopes(np.log(lags + 1), curve[None], [(first, last)])[1][0, 0]
    if power < straight:
        return Region(first, last, "growth follows a power of time better than an exponential, as for diffusion")
    return Region(first, last, "")


@measure(family="chaos", reference="Rosenstein, Collins and De Luca, Physica D 65, 117 (1993)", minimum=200)
def largest_lyapunov_exponent(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    resamples: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Largest Lyapunov exponent, in 1/time: how fast neighbouring states part.

    S(k) = <ln |X_{i+k} - X_{j(i)+k}|> over the points i with the closer half of nearest neighbours j outside the
    Theiler window; the exponent is the slope of S where it is straight: after one embedding window, in which noise and
    the alignment with the unstable direction show, until one e-fold below the distance of unrelated points. The value
    is the weighted median over an ensemble of windows in that region (weight: length / residual), the interval the same
    ensemble under a block bootstrap of reference points. Defaults: first minimum of the mutual information, Kennel's
    dimension (2 to 8), Theiler window the larger of the first zero of the autocorrelation and the mean period.

    Admissible with 20 mean periods and a straight region of at least one e-fold; noise has none. A positive value alone
    proves nothing: see `takens.verdict`. Observation noise shortens the region; weak chaos needs long records. Details:
    `lag` (time), `divergence`, `region` (two times), `saturation`. At most 20,000 samples. Cost: a second.
    """
    x, stride, left_out = channel.portion(LONGEST, 10)
    chosen = {}
    if delay is None:
        delay, chosen["delay"] = delay_steps(x), "first minimum of the mutual information"
    if embedding_dimension is None:
        embedding_dimension, chosen["embedding_dimension"] = _kennel_dimension(x, delay)
    if theiler is None:
        theiler, chosen["theiler"] = theiler_steps(x), "first zero of the autocorrelation or the mean period"
    period = mean_period_steps(x)
    lags, sums, counts, saturation = _follow(x, embedding_dimension, delay, theiler, period)
    curve = sums.sum(axis=0) / counts.sum(axis=0)
    # Phase-coherent motion stays closer than unrelated points: its plateau is what the curve itself reaches.
    saturation = min(saturation, float(curve[-max(1, len(curve) // 5) :].mean()))
    region = scaling_region(lags, curve, (embedding_dimension - 1) * delay + 1, saturation)
    reason = region.reason
    if len(x) < 20 * period:
        reason = f"the record holds {len(x) / period:.3g} mean periods; 20 are needed"
    value, interval = None, None
    step = stride * channel.interval
    windows = scaling_windows(region.first, region.last, 3)
    if windows:
        rng = generator(seed, "largest_lyapunov_exponent")
        draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
        curves = np.concatenate([curve[None], (draws @ sums) / np.maximum(draws @ counts, 1)])
        slopes, residuals = window_slopes(lags, curves, windows)
        length = np.array([b - a for a, b in windows])
        weights = length / (residuals + 0.01)
        value = weighted_quantile(slopes[0], weights[0], 0.5) / step
        low, high = (weighted_quantile(slopes[1:].ravel(), weights[1:].ravel(), 0.5 + s * level / 2) for s in (-1, 1))
        interval = (min(low / step, value), max(high / step, value))
    return Estimate(
        "", value, f"1/{channel.time_unit}", interval, level,
        "slope of the mean logarithmic divergence of nearest neighbours, ensemble of windows",
        {"embedding_dimension": embedding_dimension, "delay": delay, "theiler": theiler, "thinned": stride,
         "resamples": resamples, "used": left_out or "all"},
        chosen, not reason, reason,
        details={"lag": lags * step, "divergence": curve, "saturation": saturation,
                 "region": (float(lags[region.first] * step), float(lags[min(region.last, len(lags) - 1)] * step)),
                 "mean_period": period * step},
    )  # fmt: skip


def _follow(x: Array, m: int, delay: int, theiler: int, period: float) -> tuple[NDArray[np.int64], Array, Array, float]:
    """The divergence curve on at most about 150 lags, followed further until it saturates or the data end."""
    span, longest = (m - 1) * delay, (len(x) - (m - 1) * delay) // 4
    steps = int(max(20, 4 * period, 3 * span))
    while True:
        steps = min(steps, longest)
        if steps < 10:
            raise Refused(f"{len(x)} values are too few for {m} delays of {delay}")
        lags = np.unique(np.linspace(0, steps, min(steps + 1, 150)).round().astype(np.int64))
        sums, counts, saturation = divergence(x, m, delay, theiler, lags)
        reached = (sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1))[-1] > saturation - 0.7
        if reached or steps >= min(longest, 100 * period):
            return lags, sums, counts, saturation
        steps *= 3


def _kennel_dimension(x: Array, delay: int) -> tuple[int, str]:
    channel = Channel(x, np.arange(float(len(x))), 1.0, "step", "", "all")
    found = false_nearest_neighbours.function(channel, delay=delay, max_dimension=8, resamples=1)
    if found.value is None:
        return 6, "6, because false neighbours do not vanish"
    return max(2, found.value), "false neighbours below 5 %, at least 2"


def translation_growth(x: Array, frequencies: Array) -> Array:
    """K `(frequency,)` of `x (time,)`: correlation with time of the mean square displacement of the translation.

    p_c(n) = sum_{j <= n} x_j exp(i c j); D_c(n) = <|p_c(j + n) - p_c(j)|^2> - <x>^2 (1 - cos n c) / (1 - cos c), the
    second term removing the oscillation; K = corr(n, D_c(n)) for n up to a tenth of the record (Gottwald and Melbourne
    2009). Cost: two FFTs a frequency.
    """
    from scipy.fft import fft, ifft, next_fast_len

    n, steps = len(x), len(x) // 10
    j, size = np.arange(1, n + 1), next_fast_len(2 * n)
    out = np.empty(len(frequencies))
    lag = np.arange(1, steps + 1)
    for i, c in enumerate(frequencies):
        p = np.cumsum(x * np.exp(1j * c * j))
        p -= p.mean()
        square = np.cumsum(np.abs(p) ** 2)
        product = ifft(np.abs(fft(p, size)) ** 2)[1 : steps + 1].real
        displacement = (square[n - lag - 1] + square[-1] - square[lag - 1] - 2 * product) / (n - lag)
        displacement -= x.mean() ** 2 * (1 - np.cos(lag * c)) / (1 - np.cos(c))
        out[i] = np.corrcoef(lag, displacement)[0, 1] if np.ptp(displacement) > 0 else 0.0
    return out


def oversampling(x: Array) -> float:
    """Range over mean absolute step: above 10 the sampling is finer than the test can use (Toker et al. 2020)."""
    return float(np.ptp(x) / np.mean(np.abs(np.diff(x))))


@measure(family="chaos", reference="Gottwald and Melbourne, SIAM J. Appl. Dyn. Syst. 8, 129 (2009)", minimum=200)
def zero_one_test(
    channel: Channel, *, frequencies: int = 100, thin: bool = True, level: float = 0.9, seed: int = 0
) -> Estimate:
    """The 0-1 test: K near 0 for regular motion, near 1 for chaos - and for noise.

    K is the median over `frequencies` random c in (pi/5, 4 pi/5) of the correlation between n and the mean square
    displacement of p_c(n) = sum x_j exp(i c j). Oversampled data look regular, so with `thin` every s-th sample is
    kept, s the smallest with range / mean |step| at most 10. The interval is that of the median under resampling of c;
    it does not contain the error of a short record. Any noise gives K near 1: rule noise out first (`surrogate_test`,
    `takens.verdict`). At most 5000 samples after thinning, at least 200. Details: `frequency`, `growth`. Cost: 0.1 s.
    """
    x, stride = channel.x, 1
    while thin and len(x) > 200 and oversampling(x) > 10:
        stride += 1
        x = channel.x[::stride]
    kept = x[max(0, (len(x) - 5000) // 2) :][:5000]
    rng = generator(seed, "zero_one_test")
    c = rng.uniform(np.pi / 5, 4 * np.pi / 5, frequencies)
    growth = translation_growth(kept, c)
    medians = np.median(rng.choice(growth, size=(500, frequencies)), axis=1)
    low, high = np.quantile(medians, [0.5 - level / 2, 0.5 + level / 2])
    value = float(np.median(growth))
    reason = "" if len(kept) >= 200 else f"{len(kept)} samples after thinning to one in {stride}; 200 are needed"
    return Estimate(
        "", value, "", (min(float(low), value), max(float(high), value)), level,
        "median correlation of the mean square displacement with time",
        {"frequencies": frequencies, "thinned": stride, "used": len(kept)},
        {"thinned": "range / mean |step| at most 10"} if thin else {}, not reason, reason,
        details={"frequency": c, "growth": growth},
    )  # fmt: skip
