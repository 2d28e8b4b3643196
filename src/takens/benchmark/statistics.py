"""What a table says: medians with intervals, and which differences between models are more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from ..random import generator
from .table import HIGHER, SCORES

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

DRAWS = 2000
FEWEST = 5
"""Fewest systems on which two models are compared."""


@dataclass(frozen=True)
class Comparison:
    """How models compare by one score over systems.

    `models` from the best to the worst mean rank, `ranks` these; `critical_difference` is that of Nemenyi at 5 %;
    `friedman` the p-value of no difference at all, NaN for two models. `p (model, model)` are those of Wilcoxon's
    signed-rank test of each pair over systems, corrected by Holm; `better (model, model)` the share of systems on which
    the first is better than the second, ties half. `systems` is how many there are.
    """

    score: str
    models: tuple[str, ...]
    ranks: Array
    critical_difference: float
    friedman: float
    p: Array
    better: Array
    systems: int


def wide(table: pd.DataFrame, score: str, regime: str | None = None) -> pd.DataFrame:
    """The score by source and regime (rows) and model (columns), the median over seeds; a failed cell is the worst.

    Failed is worse than every finite score, so that a model gains nothing by failing where it would have done badly.
    Models without any finished cell are left out.
    """
    part = table if regime is None else table[table["regime"] == regime]
    made = part.assign(value=part[score].astype(float)).pivot_table(
        index=["source", "regime"], columns="model", values="value", aggfunc="median", dropna=False
    )
    finished = made.loc[:, made.notna().any()]
    worst = -np.inf if score in HIGHER else np.inf
    tried = part.assign(one=1.0).pivot_table(
        index=["source", "regime"], columns="model", values="one", aggfunc="sum", dropna=False
    )
    lost = finished.isna() & tried.reindex_like(finished).notna()
    return finished.mask(lost, worst).dropna(axis=0)


def summary(table: pd.DataFrame, *, level: float = 0.9, seed: int = 0) -> list[dict[str, Any]]:
    """A row for each regime and model: medians over systems of every score with bootstrap intervals, failures, costs.

    The bootstrap draws systems, which are the unit: cells of one system are no independent evidence.
    """
    rows: list[dict[str, Any]] = []
    for regime in dict.fromkeys(table["regime"]):
        part = table[table["regime"] == regime]
        by_score = {score: wide(part, score) for score in SCORES}
        for model in dict.fromkeys(part["model"]):
            cells = part[part["model"] == model]
            row: dict[str, Any] = {
                "regime": regime, "model": model, "cells": len(cells), "failed": int((cells["failed"] != "").sum()),
                "fit_seconds": _median(cells["fit_seconds"]), "forecast_seconds": _median(cells["forecast_seconds"]),
                "memory": _median(cells["memory"]),
            }  # fmt: skip
            for score, values in by_score.items():
                if model in values:
                    row[score] = _interval(values[model].to_numpy(dtype=float), level, seed)
            for score in SCORES[2:]:
                row[f"{score}_floor"] = _median(cells[f"{score}_floor"])
            rows.append(row)
    return rows


def _median(values: Any) -> float | None:
    present = np.asarray(values, dtype=float)
    present = present[np.isfinite(present)]
    return float(np.median(present)) if len(present) else None


def _interval(values: Array, level: float, seed: int) -> dict[str, float]:
    """Median and its bootstrap interval over systems."""
    rows = generator(seed, "benchmark", "median").integers(len(values), size=(DRAWS, len(values)))
    drawn = np.sort(np.median(values[rows], axis=1))
    edge = (1 - level) / 2
    # Order statistics instead of interpolated quantiles: a failed cell is infinite, and infinity minus itself is none.
    low, high = (drawn[min(DRAWS - 1, int(q * DRAWS))] for q in (edge, 1 - edge))
    return {"median": float(np.median(values)), "low": float(low), "high": float(high)}


def compare(table: pd.DataFrame, score: str, *, regime: str | None = None) -> Comparison:
    """Ranks, Friedman's test, Nemenyi's critical difference and Holm-corrected Wilcoxon tests of all pairs of models.

    Systems are the unit; seeds enter by their median. Raises `InsufficientData` for fewer than five systems or two
    models. Source: Demsar, J. Mach. Learn. Res. 7, 1 (2006).
    """
    from scipy import stats

    values = wide(table, score, regime)
    count, size = values.shape
    if count < FEWEST or size < 2:
        raise InsufficientData(
            f"{count} systems and {size} models are too few to compare", place=score,
            remedy=f"At least {FEWEST} systems and 2 models are needed.",
        )  # fmt: skip
    signed = values.to_numpy(dtype=float) * (-1 if score in HIGHER else 1)
    ranks = stats.rankdata(signed, axis=1)
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    signed, ranks = signed[:, order], ranks[:, order]
    friedman = float(stats.friedmanchisquare(*ranks.T).pvalue) if size > 2 else float("nan")
    spread = stats.studentized_range.ppf(0.95, size, np.inf) / np.sqrt(2)
    difference = float(spread * np.sqrt(size * (size + 1) / (6 * count)))
    pairs = [(i, j) for i in range(size) for j in range(i + 1, size)]
    raw = np.array([_wilcoxon(signed[:, i], signed[:, j]) for i, j in pairs])
    p = np.ones((size, size))
    for (i, j), value in zip(pairs, holm(raw), strict=True):
        p[i, j] = p[j, i] = value
    better = (signed[:, :, None] < signed[:, None, :]).mean(axis=0)
    ties = (signed[:, :, None] == signed[:, None, :]).mean(axis=0)
    names = tuple(str(values.columns[i]) for i in order)
    return Comparison(score, names, ranks.mean(axis=0), difference, friedman, p, better + ties / 2, count)


def holm(p: Sequence[float] | Array) -> Array:
    """P-values corrected for many tests by Holm's step-down method, in the order they came."""
    raw = np.asarray(p, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * (len(raw) - np.arange(len(raw))))
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _wilcoxon(a: Array, b: Array) -> float:
    """The p-value of no difference between pairs; two failures on one system are a tie."""
    from scipy import stats

    with np.errstate(invalid="ignore"):
        gap = np.where(a == b, 0.0, a - b)
    # Only ranks matter: a failure against a success is a difference larger than any finite one.
    largest = np.abs(gap[np.isfinite(gap)]).max(initial=0.0)
    gap = np.where(np.isinf(gap), np.sign(gap) * (2 * largest + 1), gap)
    if not gap.any():
        return 1.0
    return float(stats.wilcoxon(gap, zero_method="zsplit").pvalue)
