"""The surrogate test of one channel: any null of this family, any statistic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, SettingError
from ...estimate import Estimate
from ...random import generator
from ...series import Sampling
from ..base import Channel, Refused, measure
from ..timescales import correlation_steps
from .cycles import cycle_memory, cycle_strengths, strongest_period
from .irregular import lomb_scargle
from .linear import aaft, block_shuffle, end_matched, fourier, iaaft, normal_scores, shuffle, truncated_fourier
from .nonlinear import cycle_shuffle, pseudo_periodic, twin
from .significance import Side, binomial_interval, significance

Array = NDArray[np.float64]
Statistic = Callable[[Array], float]

LONGEST = 4000
"""Samples that the surrogate test uses at most; more make it slower without changing what it can see."""

LONGEST_IRREGULAR = 250
"""Values at irregular times that the test uses at most: the cost grows as the square."""

SWEEPS = 200
"""Swaps a value in surrogates at irregular times; more than enough for the size of the test."""

NULLS = {
    "shuffle": "independent values",
    "block_shuffle": "no memory beyond a block",
    "fourier": "linear Gaussian noise",
    "aaft": "linear noise seen through a monotone function",
    "iaaft": "linear noise seen through a monotone function",
    "truncated_fourier": "linear noise around a slow trend",
    "cycle_shuffle": "no memory beyond a cycle",
    "pseudo_periodic": "a cycle with uncorrelated noise",
    "twin": "another orbit of the same system",
    "lomb_scargle": "linear noise seen through a monotone function, at irregular times",
}
"""What each method of making surrogates assumes, and so what a small p-value speaks against."""

CYCLIC = ("cycle_shuffle", "pseudo_periodic", "twin")
"""Nulls about what lasts longer than a cycle: the statistics are of successive cycles."""

MONOTONE = ("aaft", "iaaft", "lomb_scargle")
"""Nulls with any monotone function: the values are replaced by the normal scores of their ranks."""

MANY = ("multivariate_fourier", "multivariate_iaaft")
"""Surrogates that keep the cross-spectra of several channels, and so say nothing about one."""


def time_reversal_asymmetry(x: Array, lag: int) -> Array:
    """Skewness of the increments of `x (..., time)` over `lag`: 0 for every linear Gaussian process.

    A = <d^3> / <d^2>^(3/2) with d = x_{t+lag} - x_t (Schreiber and Schmitz 2000). Cost: O(N).
    """
    d = x[..., lag:] - x[..., :-lag]
    return np.mean(d * d * d, axis=-1) / np.maximum(np.mean(d * d, axis=-1), 1e-300) ** 1.5


def prediction_error(x: Array, embedding_dimension: int, delay: int, horizon: int, k: int, most: int) -> Any:
    """Error of the locally constant prediction of `x (..., time)`, over the standard deviation: `(...,)`.

    For up to `most` delay vectors, evenly spread, the values `horizon` after their `k` nearest neighbours, outside a
    Theiler window of one embedding window plus the horizon, are averaged (Sugihara and May 1990). 1 and more means no
    skill, 0 is perfect; NaN where no vector has `k` neighbours. Cost: `most` N distances.
    """
    from ..kernels.surrogates import local_prediction

    n = x.shape[-1]
    count = n - (embedding_dimension - 1) * delay - horizon
    if count < 1:
        raise DataError(f"{n} values are too few for {embedding_dimension} delays of {delay} and horizon {horizon}")
    own = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
    rows = np.ascontiguousarray(x.reshape(-1, n), dtype=float)
    error = np.sqrt(local_prediction(rows, embedding_dimension, delay, horizon, k, own)) / rows.std(axis=1)
    return float(error[0]) if x.ndim == 1 else error.reshape(x.shape[:-1])


def _made(
    method: str, t: Array, x: Array, count: int, seed: int, settings: Mapping[str, Any]
) -> tuple[Array, dict[str, Any]]:
    """The surrogates `(count, time)` of one method, and the settings that only it has."""
    rng = generator(seed, "surrogate_test")
    m, delay = settings["embedding_dimension"], settings["delay"]
    if method == "iaaft":
        return iaaft(x, count, rng, iterations=settings["iterations"]), {}
    if method in ("shuffle", "fourier", "aaft"):
        return {"shuffle": shuffle, "fourier": fourier, "aaft": aaft}[method](x, count, rng), {}
    if method == "lomb_scargle":
        copies, misfit = lomb_scargle(t, x, count, rng, sweeps=SWEEPS)
        return copies, {"sweeps": SWEEPS, "misfit": float(np.median(misfit))}
    if method == "block_shuffle":
        block = min(max(5 * delay, round(np.sqrt(len(x)))), len(x) // 2)
        return block_shuffle(x, count, rng, block=block), {"block": block}
    if method == "truncated_fourier":
        lowest = 10 / len(x)
        return truncated_fourier(x, count, rng, lowest=lowest), {"lowest": lowest}
    if method == "cycle_shuffle":
        return cycle_shuffle(x, count, rng, period=settings["period"]), {}
    if method == "pseudo_periodic":
        return pseudo_periodic(x, count, rng, embedding_dimension=m, delay=delay), {}
    return twin(x, count, rng, embedding_dimension=m, delay=delay), {"recurrence_rate": 0.1}


def _part(channel: Channel, method: str | None) -> tuple[Array, Array, dict[str, Any], dict[str, str]]:
    """Times and values that the test uses, the settings that say which, and how a method was chosen."""
    chosen = {}
    if method is None:
        irregular = Sampling.of(channel.t).kind == "irregular"
        method = "lomb_scargle" if irregular else "iaaft"
        chosen["method"] = "times are irregular" if irregular else "times are regular"
    if method in MANY:
        raise SettingError(
            f"{method} keeps what several channels have in common; this test takes one", place="method",
            remedy="Make them with takens.measures.surrogates and test with its significance.",
        )  # fmt: skip
    if method not in NULLS:
        raise SettingError(f"no method {method!r}", place="method", remedy=f"Methods are: {', '.join(NULLS)}.")
    if method != "lomb_scargle":
        channel = channel.stretch(f"surrogate_test by {method}")
        x, stride, left_out = channel.portion(LONGEST)
        t = channel.t[: len(x)]
    else:
        start = max(0, (len(channel.x) - LONGEST_IRREGULAR) // 2)
        t, x = (array[start : start + LONGEST_IRREGULAR] for array in (channel.t, channel.x))
        stride, left_out = 1, "" if len(x) == len(channel.x) else f"the middle {len(x)} of {len(channel.x)} values"
    settings = {"method": method, "null": NULLS[method], "thinned": stride, "used": left_out or "all"}
    return t, x, {"rows": channel.used, **settings}, chosen


def _scales(
    t: Array, x: Array, method: str, delay: int | None, period: float | None, chosen: dict[str, str]
) -> dict[str, Any]:
    """The delay, and the period where one is used; `chosen` receives how they were taken from the data."""
    if delay is None:
        even = _even(t, x[None])[0] if method == "lomb_scargle" else x
        delay = min(correlation_steps(even), max(1, len(x) // 20))
        chosen["delay"] = "first 1/e of the autocorrelation"
    if period is None and method in CYCLIC:
        period, chosen["period"] = strongest_period(x), "highest peak of the periodogram"
    return {"delay": delay} if period is None else {"delay": delay, "period": period}


@measure(family="surrogates", reference="Schreiber and Schmitz, Physica D 142, 346 (2000)", minimum=50, regular=False)
def surrogate_test(
    channel: Channel, *, method: str | None = None, statistic: Statistic | Mapping[str, Statistic] | None = None,
    side: Side = "both", surrogates: int = 99, embedding_dimension: int = 3, delay: int | None = None, k: int = 5,
    iterations: int = 100, period: float | None = None, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Test against a null that surrogates embody, by default linear noise: the p-value of the channel among them.

    `method` is one of shuffle, block_shuffle, fourier, aaft, iaaft (default), truncated_fourier, cycle_shuffle (cycles
    of about `period` samples; default the strongest), pseudo_periodic, twin, and for irregular times lomb_scargle,
    which is their default; `settings["null"]` says what it assumes. Statistics: |time-reversal asymmetry| over
    `delay`, and the locally constant prediction error (`embedding_dimension`, `delay`, horizon `delay`, `k`
    neighbours), small being extreme, both of the normal scores of the ranks under the nulls with a monotone function,
    so that this function changes nothing, and at irregular times of the values interpolated to even ones. Under the
    cyclic nulls (cycle_shuffle, pseudo_periodic, twin) what a cycle tells of the strength of the next: |correlation|
    and error of prediction (`cycle_memory`), for such surrogates differ from a noisy cycle in the noise within a cycle.
    Or `statistic`, a function `(time,) -> number` or several by name, extreme on `side` larger, smaller or both.

    p = (j + 1) / (`surrogates` + 1), j the surrogates at least as extreme; the value is the p of the family (min-p),
    exact if data and surrogates are exchangeable. `delay` None is the correlation time. Rejection says "not this
    null" - also non-stationarity rejects - and never "chaos"; no rejection does not say "noise". The interval is the
    binomial one of a p estimated from so many surrogates. Details: `statistics` `(1 + surrogates, statistic)`, row 0
    the data; `names`, `p_values`, and `adjusted` (step-down min-p) and `holm` for claims about single statistics.
    At most 4000 samples (250 at irregular times), end-matched where phases are made random. Raises `SettingError` for
    an unknown method, one that needs several channels, or fewer than 19 surrogates. Cost: below a second for 4000
    samples; twin and pseudo_periodic O(N^2), lomb_scargle 6 s for 250 values.
    """
    if surrogates < 19:
        raise SettingError(f"surrogates must be at least 19 for p <= 0.05, got {surrogates}", place="surrogates")
    t, x, settings, chosen = _part(channel, method)
    method = settings["method"]
    by_ranks = statistic is None and method in MONOTONE
    linear = method in ("fourier", "aaft", "iaaft", "truncated_fourier")
    start, stop = end_matched(normal_scores(x) if by_ranks else x) if linear else (0, len(x))
    t, x = t[start:stop], x[start:stop]
    tied = 1 - len(np.unique(x)) / len(x)
    x = normal_scores(x) if by_ranks else x
    settings |= {
        "surrogates": surrogates, "embedding_dimension": embedding_dimension, "k": k, "iterations": iterations,
        "end_matched": (start, stop), **_scales(t, x, method, delay, period, chosen),
    }  # fmt: skip
    try:
        copies, more = _made(method, t, x, surrogates, seed, settings)
        names, shown, compared = _statistics(statistic, np.concatenate([x[None], copies]), t, settings)
    except DataError as error:
        raise Refused(error.cause) from error
    found = significance(compared, "larger" if statistic is None else side)
    reason = f"{tied:.0%} of the values repeat an earlier one; finer resolution is needed" if tied > 0.5 else ""
    if more.get("misfit", 0.0) > 0.3:
        reason = f"the surrogates miss the spectrum by {more['misfit']:.0%}, as where lines are strong: resample evenly"
    return Estimate(
        "", found.p_value, "p-value", binomial_interval(found.p_value, surrogates + 1, level), level,
        f"{method} surrogates, min-p over {' and '.join(names)}", {**settings, **more}, chosen, not reason, reason,
        details={"statistics": shown, "names": names, "p_values": found.p_values, "adjusted": found.adjusted,
                 "holm": found.holm},
    )  # fmt: skip


def _statistics(
    statistic: Statistic | Mapping[str, Statistic] | None, family: Array, t: Array, settings: Mapping[str, Any]
) -> tuple[list[str], Array, Array]:
    """Names, values `(row, statistic)` to show, and the values to compare, of which larger ones are more extreme."""
    if statistic is not None:
        chosen = statistic if isinstance(statistic, Mapping) else {"statistic": statistic}
        values = np.array([[float(function(row)) for function in chosen.values()] for row in family])
        return list(chosen), values, values
    if settings["method"] in CYCLIC:
        shown = np.array([cycle_memory(cycle_strengths(row, settings["period"])) for row in family])
        names = ["correlation of successive cycles", "error of predicting the next cycle"]
        return names, shown, np.stack([np.abs(shown[:, 0]), -shown[:, 1]], axis=1)
    m, delay = settings["embedding_dimension"], settings["delay"]
    family = _even(t, family) if settings["method"] == "lomb_scargle" else family
    asymmetry = time_reversal_asymmetry(family, delay)
    error = prediction_error(family, m, delay, delay, settings["k"], 500)
    if not np.isfinite(error).all():
        raise Refused(f"{family.shape[1]} values are too few for {settings['k']} neighbours of each outside {delay}")
    shown = np.stack([asymmetry, error], axis=1)
    return ["time-reversal asymmetry", "prediction error"], shown, np.stack([np.abs(asymmetry), -error], axis=1)


def _even(t: Array, rows: Array) -> Array:
    """`rows (row, time)` at the times `t (time,)` interpolated to as many even times."""
    return np.stack([np.interp(np.linspace(t[0], t[-1], len(t)), t, row) for row in rows])
