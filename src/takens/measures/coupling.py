"""Couplings without direction: correlation with lag, mutual information, phases and events in step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..random import generator
from .base import Refused
from .coupling_null import (
    distinct_normal_scores,
    effective_size,
    jackknife_interval,
    middle,
    p_value,
    spaced_shifts,
    tied,
)
from .relations import Pair, relation
from .surrogates import end_matched, fourier
from .timescales import correlation_steps, normal_quantile

Array = NDArray[np.float64]

FAMILY = "coupling"
LONGEST = 10_000
"""Rows in which neighbours are sought at most."""


def largest_correlations(x: Array, copies: Array, max_lag: int) -> Array:
    """Largest |<x_t c_{t+l}>| for |l| <= `max_lag` of `x (time,)` with each of `copies (copy, time)`, zero padded.

    Normalised with the variances of the whole records. Cost: two FFTs a copy.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n = len(x)
    size = next_fast_len(n + max_lag, real=True)
    x, copies = x - x.mean(), copies - copies.mean(axis=1, keepdims=True)
    product = irfft(np.conj(rfft(x, size)) * rfft(copies, size, axis=1), size, axis=1)
    near = np.abs(product[:, np.arange(-max_lag, max_lag + 1) % size])
    return np.asarray(near.max(axis=1) / np.sqrt((x @ x) * (copies**2).sum(axis=1)))


def lagged_correlation(x: Array, y: Array, max_lag: int) -> Array:
    """Pearson's correlation of x_t and y_{t+l} over the rows that both have, lags -`max_lag` to `max_lag`."""
    n, out = len(x), np.empty(2 * max_lag + 1)
    for i, lag in enumerate(range(-max_lag, max_lag + 1)):
        a, b = x[max(0, -lag) : n - max(0, lag)], y[max(0, lag) : n + min(0, lag)]
        a, b = a - a.mean(), b - b.mean()
        power = (a @ a) * (b @ b)
        out[i] = (a @ b) / np.sqrt(power) if power > 0 else 0.0
    return out


@relation(family=FAMILY, reference="Bartlett, J. R. Stat. Soc. 98, 536 (1935)")
def cross_correlation(
    pair: Pair, *, max_lag: int | None = None, surrogates: int = 199, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Correlation of two channels at the lag where it is strongest, tested against linear noise.

    c(l) = corr(x_t, y_{t+l}) for |l| <= `max_lag` (default: 10 correlation times of the slower channel, at most a
    tenth of the record); a positive lag says that the first channel leads. The interval is Fisher's at that lag with
    the effective number of pairs N / (1 + 2 sum rho_x rho_y). The p-value compares the largest |c(l)| with that of
    copies of the second channel with random phases, so that the search over lags and the memory of both channels are
    allowed for. Admissible with 20 correlation times. Sees linear relations only; a
    common trend or season correlates anything. Details:
    `p_value`, `lag`, `correlation`, `best_lag`, `threshold` (of |c|, 5 %). Cost: O(`surrogates` N log N + N `max_lag`).
    """
    x, y, n = pair.x, pair.y, len(pair.x)
    chosen = {}
    if max_lag is None:
        max_lag = int(min(max(10, 10 * max(correlation_steps(x), correlation_steps(y))), n // 10))
        chosen["max_lag"] = "10 correlation times of the slower channel, at most a tenth of the record"
    if not 0 <= max_lag <= n // 3:
        raise Refused(f"max_lag {max_lag} does not fit {n} rows; at most a third is possible")
    lags = np.arange(-max_lag, max_lag + 1)
    curve = lagged_correlation(x, y, max_lag)
    best = int(np.argmax(np.abs(curve)))
    value, size = float(curve[best]), effective_size(x, y)
    start, stop = end_matched(y)
    copies = fourier(y[start:stop], surrogates, generator(seed, "cross_correlation"))
    largest = largest_correlations(x[start:stop], np.concatenate([y[None, start:stop], copies]), max_lag)
    null = largest[1:]
    half = normal_quantile(level) / np.sqrt(max(size - 3, 1e-9))
    centre = np.arctanh(np.clip(value, -1 + 1e-15, 1 - 1e-15))
    cycles = n / max(correlation_steps(x), correlation_steps(y))
    reason = "" if cycles >= 20 else f"{cycles:.3g} correlation times of the slower channel; 20 are needed"
    return Estimate(
        "", value, "", (min(float(np.tanh(centre - half)), value), max(float(np.tanh(centre + half)), value)), level,
        "correlation at the lag of the largest, copies with random phases",
        {"max_lag": max_lag, "surrogates": len(null), "effective_size": round(size, 1)}, chosen, not reason, reason,
        details={"p_value": p_value(float(largest[0]), null), "lag": lags * pair.interval, "correlation": curve,
                 "best_lag": float(lags[best] * pair.interval), "threshold": float(np.quantile(null, 0.95))},
    )  # fmt: skip


def ksg_terms(x: Array, y: Array, k: int) -> Array:
    """Local terms `(n,)` whose mean is Kraskov's first estimator of the mutual information, in nats.

    psi(k) + psi(n) - psi(n_x + 1) - psi(n_y + 1), n_x and n_y the points nearer in x and in y alone than the k-th
    neighbour in the maximum norm (Kraskov, Stoegbauer and Grassberger, PRE 69, 066138, 2004). Values must differ.
    Cost: O(n sqrt(n k)).
    """
    from scipy.special import psi

    from .kernels.coupling import pair_counts

    nx, ny = pair_counts(x, y, np.argsort(x), k)
    table = psi(np.arange(1, len(x) + 1))
    return np.asarray(table[k - 1] + table[-1] - table[nx] - table[ny])


@relation(family=FAMILY, reference="Kraskov, Stoegbauer and Grassberger, Phys. Rev. E 69, 066138 (2004)", minimum=100)
def mutual_information(pair: Pair, *, k: int = 4, surrogates: int = 99, level: float = 0.9, seed: int = 0) -> Estimate:
    """Mutual information of two channels at the same time, in nats, by Kraskov's nearest neighbours.

    I = <psi(k) + psi(N) - psi(n_x + 1) - psi(n_y + 1)> on the normal scores of both channels (which leaves I as it is);
    0 for independent channels, -ln(1 - r^2)/2 for normal ones. The p-value and the `bias` (their mean) come from
    circularly shifted copies; the bias is not taken off, for it belongs to independent channels. The interval is a
    block jackknife (20 blocks), on the wide side. Admissible with 40 correlation times, fewer than half of the values
    repeated, and I at most 0.6 of the largest value that N points can show: near a deterministic relation the estimate
    is a lower bound. At most 10,000 rows. Details: `p_value`, `bias`, `null`. Cost: O(`surrogates` N^1.5), 2 s.
    """
    x, y, used = middle(pair.x, pair.y, LONGEST)
    if not 1 <= k < len(x) // 4:
        raise Refused(f"{len(x)} rows are too few for {k} neighbours")
    rng = generator(seed, "mutual_information")
    u, v = distinct_normal_scores(x, rng), distinct_normal_scores(y, rng)
    terms = ksg_terms(u, v, k)
    shifts, rows = spaced_shifts(x, y, surrogates)
    null = np.array([ksg_terms(u[:rows], np.roll(v[:rows], s), k).mean() for s in shifts])
    interval = jackknife_interval(lambda kept: float(ksg_terms(u[kept], v[kept], k).mean()), len(x), level)
    value, largest = float(terms.mean()), float(np.log(len(x)) - np.log(k))
    reason = tied(x) or tied(y)
    if not reason and value > 0.6 * largest:
        reason = f"nearly a function: {len(x)} points cannot show more than {largest:.2g} nats: a lower bound"
    return Estimate(
        "", value, "nat", interval, level, "Kraskov's first estimator, circularly shifted copies",
        {"k": k, "surrogates": len(null), "used": used}, {}, not reason, reason,
        details={"p_value": p_value(value, null), "bias": float(null.mean()), "null": null},
    )  # fmt: skip
