"""Graphs of many channels: who is correlated with whom, and who drives whom, once all the others are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, InsufficientData
from ..estimate import plain
from ..series import Series, as_series
from .causality import autoregressive_order, lagged_rows
from .coupling_null import effective_size

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Graph:
    """Links between channels, each given all the others.

    `strength[i, j]` is that of the link from channel i to channel j (symmetric unless `directed`), `p_values` and
    `adjusted` (false discovery rate, Benjamini and Hochberg 1995) its significance, NaN on the diagonal. `links` has
    True where `adjusted` is at most `rate`.
    """

    channels: tuple[str, ...]
    strength: Array
    p_values: Array
    adjusted: Array
    rate: float
    directed: bool
    method: str
    settings: dict[str, Any]
    reference: str

    @property
    def links(self) -> NDArray[np.bool_]:
        """Which links are significant `(channel, channel)`; the diagonal is False."""
        return np.nan_to_num(self.adjusted, nan=1.0) <= self.rate

    def listed(self) -> list[tuple[str, str, float, float]]:
        """The significant links: from, to, strength, adjusted p-value; strongest first, each pair once."""
        found = [
            (self.channels[i], self.channels[j], float(self.strength[i, j]), float(self.adjusted[i, j]))
            for i, j in np.argwhere(self.links)
            if self.directed or i < j
        ]
        return sorted(found, key=lambda link: -abs(link[2]))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        names = ["channels", "strength", "p_values", "adjusted", "rate", "directed", "method", "settings", "reference"]
        found: dict[str, Any] = plain({name: getattr(self, name) for name in names})
        return found


def discovery_rates(p: Array) -> Array:
    """Adjusted p-values of a list `p (test,)`: the smallest false discovery rate at which each is still found.

    min over larger p of p m / rank (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 289, 1995). Cost: one sort.
    """
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out


def shrunk_correlation(values: Array) -> tuple[Array, float]:
    """Correlation `(channel, channel)` of `values (time, channel)`, shrunk towards the identity, and by how much.

    lambda = sum Var(r_ij) / sum r_ij^2 over i != j, in 0 to 1: always positive definite and closer to the truth in
    the mean, with more channels than rows too (Schaefer and Strimmer, Stat. Appl. Genet. Mol. Biol. 4, 32, 2005).
    Cost: O(N C^2).
    """
    n, channels = values.shape
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    r = z.T @ z / (n - 1)
    spread = n / (n - 1) ** 3 * ((z**2).T @ z**2 - (z.T @ z) ** 2 / n)
    off = ~np.eye(channels, dtype=bool)
    share = float(np.clip(spread[off].sum() / max(float((r[off] ** 2).sum()), 1e-300), 0.0, 1.0))
    return np.where(off, (1 - share) * r, 1.0), share


def partial_correlations(correlation: Array) -> Array:
    """Partial correlations -P_ij / sqrt(P_ii P_jj), P the inverse of `correlation`; 1 on the diagonal."""
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.diag(inverse))
    out = -inverse / np.outer(scale, scale)
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)


def _complete(data: Series | ArrayLike, least: int) -> tuple[Series, Array]:
    """The series and the longest stretch of rows in which all channels are present."""
    series = as_series(data)
    if series.shape[1] < least:
        raise DataError(f"a graph needs {least} channels; these data have {series.shape[1]}", place=series.name)
    pieces = series.stretches()
    values = max(pieces, key=len).values if pieces else np.empty((0, series.shape[1]))
    if len(values) < 20:
        raise InsufficientData(f"{len(values)} rows with all channels; 20 are needed", place=series.name)
    flat = [name for name, column in zip(series.channels, values.T, strict=True) if np.ptp(column) == 0]
    if flat:
        raise DataError(f"channel {flat[0]} is constant", place=series.name, remedy="Leave it out: series.select(...).")
    return series, values


def partial_correlation_graph(data: Series | ArrayLike, *, rate: float = 0.05) -> Graph:
    """Which channels are correlated at the same time once all the others are taken into account.

    Strength: partial correlations from the shrunk correlation (`settings["shrinkage"]`). Significance: Student's t of
    the plain partial correlation, with effective numbers of rows from the autocorrelation of the two residuals
    (Bartlett) less the other channels; links by false discovery rate `rate`. Linear; a common cause outside the data
    links what it drives. Takes the longest stretch without gaps. Raises `DataError` for fewer than 3 channels,
    constant ones and irregular times, `InsufficientData` where effective rows do not exceed the channels by 10. Cost:
    O(N C^2 log N).
    """
    from scipy.special import stdtr

    series, values = _complete(data, 3)
    n, count = values.shape
    if n <= count + 10:
        raise InsufficientData(f"{n} rows for {count} channels; {count + 11} are needed", place=series.name)
    shrunk, share = shrunk_correlation(values)
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    inverse = np.linalg.pinv(z.T @ z / n, hermitian=True)
    p = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(i):
            others = np.delete(np.arange(count), [i, j])
            left = z[:, [i, j]] - z[:, others] @ np.linalg.lstsq(z[:, others], z[:, [i, j]], rcond=None)[0]
            free = effective_size(left[:, 0], left[:, 1]) - count
            if free < 10:
                raise InsufficientData(
                    f"{free + count:.0f} independent rows for {count} channels; {count + 10} are needed",
                    place=f"{series.channels[j]}, {series.channels[i]}",
                )
            r = -inverse[i, j] / np.sqrt(inverse[i, i] * inverse[j, j])
            t = abs(r) * np.sqrt(free / max(1 - r * r, 1e-300))
            p[i, j] = p[j, i] = 2 * float(stdtr(free, -t))
    adjusted = np.full((count, count), np.nan)
    lower = np.tril_indices(count, -1)
    adjusted[lower] = discovery_rates(p[lower])
    adjusted.T[lower] = adjusted[lower]
    return Graph(
        series.channels, partial_correlations(shrunk), p, adjusted, rate, False,
        "shrunk partial correlations, t-test with effective numbers of rows, false discovery rate",
        {"rows": n, "shrinkage": share}, "Schaefer and Strimmer, Stat. Appl. Genet. Mol. Biol. 4, 32 (2005)",
    )  # fmt: skip


def granger_graph(data: Series | ArrayLike, *, order: int | None = None, rate: float = 0.05) -> Graph:
    """Which channels help to predict which others, once the pasts of all channels are known.

    Strength of i -> j: ln(RSS without the past of i / RSS with all pasts) of the vector autoregression of `order`
    (default: Schwarz criterion, 1 to 5); significance by F-test, links by false discovery rate `rate`. Chains and
    common causes among the channels are told apart from direct links (Geweke 1984); causes outside the data are not,
    nor is anything nonlinear. Raises `DataError` for fewer than 2 channels, constant ones and irregular times,
    `InsufficientData` where a channel has fewer than 5 rows a coefficient. Cost: O(N C^4 p^2).
    """
    from scipy.special import fdtrc

    series, values = _complete(data, 2)
    n, count = values.shape
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    if order is None:
        order = autoregressive_order(z, max(1, min(5, n // (10 * count))))
    if order < 1 or n - order < 5 * (order * count + 1):
        raise InsufficientData(
            f"{n} rows for {order * count + 1} coefficients; {5 * (order * count + 1) + order} are needed",
            place=series.name,
        )
    past, target = lagged_rows(z, order), z[order:]
    free = len(target) - order * count - 1
    full = _squares(target, past)
    strength, p = np.full((count, count), np.nan), np.full((count, count), np.nan)
    for i in range(count):
        without = _squares(target, np.delete(past, np.arange(i, order * count, count), axis=1))
        ratio = np.maximum(without / np.maximum(full, 1e-300), 1.0)
        strength[i], p[i] = np.log(ratio), fdtrc(order, free, free / order * (ratio - 1))
    np.fill_diagonal(strength, np.nan)
    np.fill_diagonal(p, np.nan)
    adjusted, off = np.full((count, count), np.nan), ~np.eye(count, dtype=bool)
    adjusted[off] = discovery_rates(p[off])
    return Graph(
        series.channels, strength, p, adjusted, rate, True,
        "vector autoregression with and without each channel, F-test, false discovery rate",
        {"rows": n, "order": order}, "Geweke, J. Am. Stat. Assoc. 79, 907 (1984)",
    )  # fmt: skip


def _squares(target: Array, past: Array) -> Array:
    """Sums of squares `(channel,)` that a regression of `target (time, channel)` on `past` and a constant leaves."""
    design = np.column_stack([np.ones(len(target)), past])
    return np.asarray(((target - design @ np.linalg.lstsq(design, target, rcond=None)[0]) ** 2).sum(axis=0))
