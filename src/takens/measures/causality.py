"""Directed couplings: does the past of one channel say more about the next value of the other than its own past?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Refused
from .coupling_null import (
    distinct_normal_scores,
    jackknife_interval,
    mean_interval,
    middle,
    p_value,
    spaced_shifts,
    tied,
)
from .ordinal import ordinal_patterns
from .relations import Pair, relation
from .surrogates import prediction_error

Array = NDArray[np.float64]

FAMILY = "causality"
LONGEST = 2000
"""Rows in which conditional neighbours are sought at most."""


def lagged_rows(values: Array, order: int) -> Array:
    """Rows of the past `(time - order, order * channel)`: row t holds values[t + order - 1], ..., values[t]."""
    n = len(values)
    return np.concatenate([values[order - 1 - lag : n - 1 - lag] for lag in range(order)], axis=1)


def squares_left(target: Array, past: Array) -> float:
    """Sum of squares of `target (time,)` that a linear regression on `past (time, lag)` and a constant leaves."""
    design = np.column_stack([np.ones(len(target)), past])
    residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return float(residual @ residual)


def autoregressive_order(values: Array, most: int) -> int:
    """Order of the vector autoregression of `values (time, channel)` with the smallest Schwarz criterion, 1 to `most`.

    All orders are fitted to the same rows (Schwarz 1978). Cost: `most` least squares.
    """
    n, channels = len(values) - most, values.shape[1]
    best, least = 1, np.inf
    for order in range(1, most + 1):
        design = np.column_stack([np.ones(n), lagged_rows(values[most - order :], order)])
        residual = values[most:] - design @ np.linalg.lstsq(design, values[most:], rcond=None)[0]
        sign, log = np.linalg.slogdet(residual.T @ residual / n)
        criterion = (log if sign > 0 else -np.inf) + np.log(n) / n * order * channels**2
        if criterion < least:
            best, least = order, criterion
    return best


def whiteness(residual: Array, used: int) -> float:
    """p-value of Ljung and Box (1978) that `residual (time,)` of a fit with `used` lags is white, over 10 further lags.

    Cost: O(N log N).
    """
    from scipy.special import chdtrc

    from .timescales import autocorrelation_function

    n, lags = len(residual), used + 10
    rho = autocorrelation_function(residual, lags)[1:]
    return float(chdtrc(lags - used, n * (n + 2) * np.sum(rho**2 / (n - np.arange(1, lags + 1)))))


@relation(family=FAMILY, reference="Granger, Econometrica 37, 424 (1969); Geweke, JASA 77, 304 (1982)", directed=True)
def granger_causality(pair: Pair, *, order: int | None = None, level: float = 0.9, seed: int = 0) -> Estimate:
    """Granger causality from the first channel to the second: how much its past improves a linear prediction, in nats.

    G = ln(RSS_own / RSS_both), the logarithm of the ratio of the squared errors of two autoregressions of the second
    channel of `order` p (default: Schwarz criterion of both together, 1 to 10): on its own past, and on both pasts.
    For normal variables G is twice the transfer entropy. The p-value is that of F = (N' - 2p - 1) (e^G - 1) / p, the
    interval that of the noncentral F (Geweke). Admissible with 10 rows a coefficient and residuals that are white
    (Ljung-Box, p > 0.001): otherwise lags are missing. Sees linear prediction only; a common cause with different
    delays looks like causality (`takens.measures.graphs.granger_graph` for many channels). Details: `p_value`,
    `f`, `whiteness`. Cost: O(N p^2).
    """
    values, n = np.column_stack([pair.x, pair.y]), len(pair.x)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    chosen = {}
    if order is None:
        order = autoregressive_order(values, max(1, min(10, n // 40)))
        chosen["order"] = "Schwarz criterion of the vector autoregression"
    if order < 1:
        raise SettingError(f"order must be at least 1, got {order}", place="order")
    target, past = values[order:, 1], lagged_rows(values, order)
    free = len(target) - 2 * order - 1
    if free < 10:
        raise Refused(f"{n} rows are too few for {2 * order + 1} coefficients")
    both, own = squares_left(target, past), squares_left(target, past[:, 1::2])
    if both < 1e-12 * len(target):
        raise Refused("the second channel follows exactly from the past: there is no noise to compare with")
    from scipy.special import fdtrc

    f = free / order * max(own / both - 1, 0.0)
    design = np.column_stack([np.ones(len(target)), past])
    white = whiteness(target - design @ np.linalg.lstsq(design, target, rcond=None)[0], order)
    reason = f"residuals of order {order} are not white (p = {white:.2g}): more lags are needed" if white < 1e-3 else ""
    if len(target) < 10 * (2 * order + 1):
        reason = f"{len(target)} rows for {2 * order + 1} coefficients; {10 * (2 * order + 1)} are needed"
    value = float(np.log(max(own / both, 1.0)))
    low, high = (np.log1p(c / (free + 1)) for c in _noncentralities(f, order, free, level))
    return Estimate(
        "", value, "nat", (min(float(low), value), max(float(high), value)), level,
        "ratio of squared errors of two autoregressions, F-test", {"order": order}, chosen, not reason, reason,
        details={"p_value": float(fdtrc(order, free, f)), "f": f, "whiteness": white},
    )  # fmt: skip


def _noncentralities(f: float, above: int, below: int, level: float) -> tuple[float, float]:
    """The noncentralities for which `f` is the upper and the lower quantile of F: an interval at `level`, from 0."""
    from scipy.optimize import brentq
    from scipy.special import ncfdtr

    ends = []
    for tail in (0.5 + level / 2, 0.5 - level / 2):
        top = 10.0 + 4 * f * above
        while ncfdtr(above, below, top, f) > tail and top < 1e9:
            top *= 2
        start = ncfdtr(above, below, 0.0, f)
        ends.append(0.0 if start <= tail else float(brentq(lambda c, q=tail: ncfdtr(above, below, c, f) - q, 0.0, top)))
    return ends[0], ends[1]


def conditional_terms(x: Array, y: Array, z: Array, k: int) -> Array:
    """Local terms `(n,)` of the conditional mutual information I(x; y | z), in nats: `x (n, a)`, `y (n,)`, `z (n, b)`.

    psi(k) - psi(n_xz + 1) - psi(n_yz + 1) + psi(n_z + 1) with the counts nearer than the k-th joint neighbour (Frenzel
    and Pompe, PRL 99, 204101, 2007). Their mean is the estimate. Cost: O(n^2) at worst.
    """
    from scipy.special import psi

    from .kernels.coupling import conditional_counts

    nxz, nyz, nz = conditional_counts(
        np.ascontiguousarray(x), y, np.ascontiguousarray(z), np.argsort(z[:, 0]), k
    )  # fmt: skip
    table = psi(np.arange(1, len(y) + 1))
    return np.asarray(table[k - 1] - table[nxz] - table[nyz] + table[nz])


def history_length(y: Array, most: int = 4) -> int:
    """Past values of `y (time,)` that predict its next value best: the fewest within 3 %, 1 to `most`."""
    errors = [prediction_error(y, m, 1, 1, 5, 500) for m in range(1, most + 1)]
    return 1 + int(np.flatnonzero(np.array(errors) <= 1.03 * min(errors))[0])


@relation(
    family=FAMILY, reference="Schreiber, Phys. Rev. Lett. 85, 461 (2000); Runge, AISTATS 84, 938 (2018)", minimum=200,
    directed=True,
)  # fmt: skip
def transfer_entropy(
    pair: Pair, *, history: int | None = None, source_lags: int = 1, k: int = 7, surrogates: int = 99,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Transfer entropy from the first channel to the second, in nats a step, from nearest neighbours.

    T = I(y_{t+1}; x_t, ..., x_{t - `source_lags` + 1} | y_t, ..., y_{t - `history` + 1}) by Frenzel and Pompe's
    estimator with `k` neighbours on normal scores; `history` None is the length that predicts y best (1 to 4). The
    p-value comes from copies in which the past of x is exchanged among the 4 to 8 rows of a cell of the past of y: this
    keeps what x owes to y, so that coupling the other way is not mistaken for this one. The interval is a
    block jackknife (20 blocks) and leaves out the bias towards 0 of few points in many dimensions. At most 2000
    rows, admissible with 400 and fewer than half of the values repeated. A history too short, or a common cause, gives
    false alarms. Details: `p_value`, `bias` (mean of the copies), `null`. Cost: O(`surrogates` N^2) at worst, 1 s.
    """
    x, y, used = middle(pair.x, pair.y, LONGEST)
    chosen = {}
    if history is None:
        history, chosen["history"] = history_length(y), "smallest error of prediction from neighbours, 1 to 4"
    if min(history, source_lags, k) < 1:
        raise SettingError(f"history, source_lags and k must be at least 1, got {history}, {source_lags} and {k}")
    rng = generator(seed, "transfer_entropy")
    u, v = distinct_normal_scores(x, rng)[:, None], distinct_normal_scores(y, rng)[:, None]
    lags = max(history, source_lags)
    source, own = lagged_rows(u[lags - source_lags :], source_lags), lagged_rows(v[lags - history :], history)
    following = np.ascontiguousarray(v[lags:, 0])
    if len(following) < 10 * k:
        raise Refused(f"{len(following)} rows are too few for {k} neighbours")
    value = float(conditional_terms(source, following, own, k).mean())
    interval = jackknife_interval(
        lambda kept: float(conditional_terms(source[kept], following[kept], own[kept], k).mean()), len(own), level
    )
    null = np.empty(surrogates)
    for i, copy in enumerate(_exchanged(source, own, surrogates, rng)):
        null[i] = conditional_terms(copy, following, own, k).mean()
    reason = tied(x) or tied(y)
    if len(following) < 400:
        reason = f"{len(following)} rows; 400 are needed"
    return Estimate(
        "", value, "nat", interval, level,
        "Frenzel and Pompe's estimator, copies that exchange rows with a similar past of the target",
        {"history": history, "source_lags": source_lags, "k": k, "surrogates": surrogates, "used": used}, chosen,
        not reason, reason,
        details={"p_value": p_value(value, null), "bias": float(null.mean()), "null": null},
    )  # fmt: skip


def cells(points: Array, most: int) -> NDArray[np.int64]:
    """Numbers `(n,)` of small cells of `points (n, b)` with at most `most` points each.

    Halved at the median of the widest side until they are small (the leaves of a k-d tree). Cost: O(n log n).
    """
    out = np.empty(len(points), dtype=np.int64)
    todo, found = [np.arange(len(points))], 0
    while todo:
        rows = todo.pop()
        if len(rows) <= most:
            out[rows] = found
            found += 1
            continue
        inside = points[rows]
        by = np.argsort(inside[:, np.argmax(np.ptp(inside, axis=0))], kind="stable")
        todo += [rows[by[: len(rows) // 2]], rows[by[len(rows) // 2 :]]]
    return out


def _exchanged(source: Array, own: Array, count: int, rng: np.random.Generator) -> list[Array]:
    """Copies of `source (n, a)` whose rows change places at random within cells of `own (n, b)` of 4 to 8 points."""
    label = cells(own, 8)
    place = np.argsort(label, kind="stable")
    copies = []
    for _ in range(count):
        copy = np.empty_like(source)
        copy[place] = source[np.lexsort((rng.random(len(label)), label))]
        copies.append(copy)
    return copies


@relation(
    family=FAMILY, reference="Staniek and Lehnertz, Phys. Rev. Lett. 100, 158101 (2008)", minimum=200, directed=True
)
def symbolic_transfer_entropy(
    pair: Pair, *, order: int = 3, delay: int = 1, surrogates: int = 199, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Symbolic transfer entropy from the first channel to the second, in nats: order patterns in place of values.

    T = I(s_y(t + `delay`); s_x(t) | s_y(t)) with s the order pattern of `order` values `delay` apart, from relative
    frequencies. The value is the plain estimate less its mean over circularly shifted copies of the first channel
    (effective transfer entropy, Marschinski and Kantz 2002), which also give the p-value; the interval is that of the
    mean of local terms from 20 blocks. Its null is independence: where the second channel drives the first, use
    `transfer_entropy`, whose copies keep that. Robust against outliers and monotone distortion. Admissible with
    10 `order`!^2 rows and 40 correlation times. Details: `p_value`, `bias`, `null`. Cost: O(`surrogates` N).
    """
    if not 2 <= order <= 5:
        raise SettingError(f"order must be 2 to 5, got {order}", place="order")
    if tied(pair.x) or tied(pair.y):
        raise Refused(tied(pair.x) or tied(pair.y))
    a, b = (ordinal_patterns(channel, order, delay) for channel in (pair.x, pair.y))
    a, now, following = a[:-delay], b[:-delay], b[delay:]
    patterns = int(np.prod(np.arange(1, order + 1)))
    if len(a) < 100:
        raise Refused(f"{len(a)} patterns; 100 are needed")
    terms = _symbolic_terms(a, now, following, patterns)
    shifts, rows = spaced_shifts(pair.x[: len(a)], pair.y[: len(a)], surrogates)
    plain = _symbolic_terms(a[:rows], now[:rows], following[:rows], patterns).mean()
    null = np.array(
        [_symbolic_terms(np.roll(a[:rows], s), now[:rows], following[:rows], patterns).mean() for s in shifts]
    )
    bias = float(null.mean())
    low, high = mean_interval(terms, level)
    need = 10 * patterns**2
    reason = f"{len(a)} patterns; {need} are needed for order {order}" if len(a) < need else ""
    return Estimate(
        "", float(terms.mean()) - bias, "nat", (low - bias, high - bias), level,
        "relative frequencies of order patterns less their bias, circularly shifted copies",
        {"order": order, "delay": delay, "surrogates": len(null)}, {}, not reason, reason,
        details={"p_value": p_value(float(plain), null), "bias": bias, "null": null},
    )  # fmt: skip


def _symbolic_terms(a: NDArray[np.int64], now: NDArray[np.int64], following: NDArray[np.int64], count: int) -> Array:
    """ln p(following | now, a) - ln p(following | now) of each row, from relative frequencies."""
    pair, own = now * count + a, following * count + now
    whole = pair * count + following
    n = [np.bincount(code, minlength=count**width)[code] for code, width in ((whole, 3), (pair, 2), (own, 2), (now, 1))]
    return np.asarray(np.log(n[0] / n[1]) - np.log(n[2] / n[3]))
