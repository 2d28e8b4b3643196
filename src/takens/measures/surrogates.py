"""Surrogates: is the channel distinguishable from linear noise seen through a monotone instrument?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..neighbours import delay_vectors, nearest
from ..random import generator
from .base import Channel, measure
from .timescales import correlation_steps

Array = NDArray[np.float64]

LONGEST = 4000
"""Samples that the surrogate test uses at most; more make it slower without changing what it can see."""


def end_matched(x: Array, share: float = 0.1) -> tuple[int, int]:
    """Start and stop of the part of `x (time,)` whose two ends fit best in value and slope.

    At most `share` of the samples are cut off, split over both ends. A jump between the ends would spread power over
    the whole spectrum of the surrogates and cause false rejections (Theiler et al. 1992; Schreiber and Schmitz 2000).
    """
    n = len(x)
    cut = min(int(n * share / 2), 400)
    scale_value, scale_slope = np.var(x), np.var(np.diff(x))
    if cut < 1 or scale_slope == 0:
        return 0, n
    starts, stops = np.arange(cut + 1), n - np.arange(cut + 1)
    value = (x[starts][:, None] - x[stops - 1][None]) ** 2 / scale_value
    slope = ((x[starts + 1] - x[starts])[:, None] - (x[stops - 1] - x[stops - 2])[None]) ** 2 / scale_slope
    # Going round the circle the step from the last to the first sample should look like any other step.
    best = int(np.argmin(value + slope))
    return int(starts[best // (cut + 1)]), int(stops[best % (cut + 1)])


def iaaft(x: Array, count: int, rng: np.random.Generator, *, iterations: int = 100) -> Array:
    """`count` surrogates `(count, time)` of `x (time,)`: its exact values, its spectrum as closely as they allow.

    Iterative amplitude-adjusted Fourier transform (Schreiber and Schmitz 1996): from a random permutation, alternately
    impose the Fourier amplitudes and, by ranks, the values, until the ranks no longer change or `iterations` are done.
    Each surrogate ends on the values step, so its sorted values equal those of `x`. The null is a stationary linear
    Gaussian process seen through a monotone function; give end-matched data (`end_matched`). Cost: two FFTs and one
    sort an iteration, all surrogates at once.
    """
    from scipy.fft import irfft, rfft

    if count < 1:
        raise SettingError(f"count must be at least 1, got {count}", place="count")
    n = len(x)
    values = np.sort(x)
    amplitude = np.abs(rfft(x - x.mean()))
    ranks = np.argsort(rng.random((count, n)), axis=1)
    out = np.empty((count, n))
    todo = np.arange(count)
    current = values[ranks] - x.mean()
    for _ in range(iterations):
        spectrum = rfft(current, axis=1)
        size = np.abs(spectrum)
        spectrum *= amplitude / np.where(size > 0, size, 1.0)
        order = np.argsort(irfft(spectrum, n, axis=1), axis=1)
        settled = (order == ranks[todo]).all(axis=1)
        ranks[todo] = order
        np.put_along_axis(current, order, np.broadcast_to(values - x.mean(), current.shape), axis=1)
        if settled.any():
            todo, current = todo[~settled], current[~settled]
        if len(todo) == 0:
            break
    np.put_along_axis(out, ranks, np.broadcast_to(values, out.shape), axis=1)
    return out


def time_reversal_asymmetry(x: Array, lag: int) -> Array:
    """Skewness of the increments of `x (..., time)` over `lag`: 0 for every linear Gaussian process.

    A = <d^3> / <d^2>^(3/2) with d = x_{t+lag} - x_t (Schreiber and Schmitz 2000). Cost: O(N).
    """
    d = x[..., lag:] - x[..., :-lag]
    return np.mean(d**3, axis=-1) / np.maximum(np.mean(d**2, axis=-1), 1e-300) ** 1.5


def prediction_error(x: Array, embedding_dimension: int, delay: int, horizon: int, k: int, most: int) -> float:
    """Error of the locally constant prediction of `x (time,)`, over the standard deviation.

    For up to `most` delay vectors, evenly spread, the values `horizon` after their `k` nearest neighbours, outside a
    Theiler window of one embedding window plus the horizon, are averaged (Sugihara and May 1990). 1 and more means no
    skill, 0 is perfect. Cost: `most` neighbour searches.
    """
    points = delay_vectors(x[:-horizon], embedding_dimension, delay)
    ahead = x[(embedding_dimension - 1) * delay + horizon :]
    own = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).astype(int))
    _, where = nearest(points, points[own], k=k, theiler=(embedding_dimension - 1) * delay + horizon, exclude=own)
    guess = np.where(where >= 0, ahead[where], np.nan).mean(axis=1)
    return float(np.sqrt(np.nanmean((guess - ahead[own]) ** 2)) / np.std(x))


def family_p_values(statistics: Array) -> tuple[Array, float]:
    """p-values of row 0 of `statistics (1 + surrogates, statistic)`, larger being more extreme, and of the family.

    Each p = (1 + number of other rows at least as extreme) / rows. The family's p ranks the smallest p of row 0 among
    the smallest p of all rows: exact if the rows are exchangeable, whatever the dependence between the statistics.
    """
    rows = len(statistics)
    p = np.empty_like(statistics)
    for s in range(statistics.shape[1]):
        column = np.sort(statistics[:, s])
        p[:, s] = (rows - np.searchsorted(column, statistics[:, s], side="left")) / rows
    smallest = p.min(axis=1)
    return p[0], float(np.mean(smallest <= smallest[0]))


@measure(family="surrogates", reference="Schreiber and Schmitz, Physica D 142, 346 (2000)", minimum=50)
def surrogate_test(
    channel: Channel, *, surrogates: int = 99, embedding_dimension: int = 3, delay: int | None = None, k: int = 5,
    iterations: int = 100, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Test against linear noise: the p-value of the channel among its IAAFT surrogates.

    Null: a stationary linear Gaussian process seen through a monotone function. Statistics: |time-reversal asymmetry|
    over `delay`, and the locally constant prediction error (`embedding_dimension`, `delay`, horizon `delay`, `k`
    neighbours), small being extreme. p = (j + 1) / (`surrogates` + 1), j the surrogates at least as extreme; the value
    is the p of the family (min-p), exact if data and surrogates are exchangeable. `delay` None is the correlation
    time. Rejection says "not this null" - also non-stationarity rejects - and never "chaos"; no rejection does not
    say "noise". The interval is the 90 % binomial one of a p estimated from so many surrogates. Details: `statistics`
    `(1 + surrogates, 2)`, row 0 the data; `p_values`. At most 4000 samples, end-matched. Cost: a second.
    """
    if surrogates < 19:
        raise SettingError(f"surrogates must be at least 19 for p <= 0.05, got {surrogates}", place="surrogates")
    x, stride, left_out = channel.portion(LONGEST)
    start, stop = end_matched(x)
    x = x[start:stop]
    chosen = {}
    if delay is None:
        delay = min(correlation_steps(x), max(1, len(x) // 20))
        chosen["delay"] = "first 1/e of the autocorrelation"
    copies = iaaft(x, surrogates, generator(seed, "surrogate_test"), iterations=iterations)
    family = np.concatenate([x[None], copies])
    asymmetry = time_reversal_asymmetry(family, delay)
    error = np.array([prediction_error(row, embedding_dimension, delay, delay, k, 500) for row in family])
    p_values, p = family_p_values(np.stack([np.abs(asymmetry), -error], axis=1))
    tied = 1 - len(np.unique(x)) / len(x)
    reason = f"{tied:.0%} of the values repeat an earlier one; finer resolution is needed" if tied > 0.5 else ""
    return Estimate(
        "",
        p,
        "p-value",
        _binomial_interval(p, surrogates + 1, level),
        level,
        "IAAFT surrogates, min-p over time-reversal asymmetry and prediction error",
        {
            "surrogates": surrogates, "embedding_dimension": embedding_dimension, "delay": delay, "k": k,
            "iterations": iterations, "end_matched": (start, stop), "thinned": stride, "used": left_out or "all",
        },
        chosen,
        not reason,
        reason,
        details={
            "statistics": np.stack([asymmetry, error], axis=1),
            "names": ["time-reversal asymmetry", "prediction error"],
            "p_values": p_values,
        },
    )  # fmt: skip


def _binomial_interval(p: float, trials: int, level: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    from scipy.special import betaincinv

    hits, tail = round(p * trials), 0.5 - level / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    return low, float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
