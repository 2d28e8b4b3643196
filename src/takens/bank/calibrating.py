"""The whole chain: make the bank on the executor, fit, find the thresholds, evaluate on unseen systems, write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..estimate import plain
from ..executor import Row, run_tasks
from ..store import Store
from ..tasks import Task, versions
from ..verdicts.calibration import LEVELS, Calibration, Judged
from ..verdicts.classes import CLASSES
from ..verdicts.trees import softmax
from ..version import __version__
from .conformal import BANDS, band_thresholds, chaos_thresholds
from .entries import plan
from .evaluation import evaluate
from .evaluation_tables import markdown
from .jobs import REVISIONS
from .rules import RULES, Rule, group_of
from .table import Table
from .training import DEFAULT, FOLDS, Boosting, accuracy, fit_mixture, log_loss, mixing, out_of_fold

Array = NDArray[np.float64]
Report = Callable[[str, float], object]

PARTS = 5
"""Parts into which the systems are dealt for the evaluation."""
LIMIT = 300.0
"""Seconds that one series may take."""


@dataclass(frozen=True, eq=False)
class Bank:
    """A bank that was run: its `table`, by rule the `numbers (row, number)`, and by reason the series that `failed`."""

    table: Table
    numbers: Mapping[str, Array]
    failed: Mapping[str, int]

    def take(self, rows: NDArray[np.bool_]) -> Bank:
        """Some of its rows."""
        return Bank(self.table.take(rows), {name: n[rows] for name, n in self.numbers.items()}, self.failed)


def tasks(size: int, seed: int) -> tuple[Task, ...]:
    """Two tasks for each entry of the plan: its statistics, and what the simple rules find in it."""
    entries = [entry.plain() for entry in plan(size, seed)]
    return tuple(
        Task(f"takens.bank.jobs:{job}", entry, revision, f"{job}, {entry['system']}")
        for entry in entries
        for job, revision in REVISIONS.items()
    )


def run_bank(
    size: int, folder: Path, *, seed: int = 0, workers: int | None = None, scheduler: str | None = None,
    report: Report | None = None,
) -> Bank:  # fmt: skip
    """The bank of `size` series, from what `folder` holds and what is still to be done.

    Resumable: finished series are kept in `folder`. A series that fails is left out and counted. Raises `DataError`
    where more than one in twenty fails. Cost: a second or two a series and processor.
    """
    rows = run_tasks(tasks(size, seed), Store(folder), workers=workers, scheduler=scheduler, limit=LIMIT, report=report)
    return gathered(rows)


def gathered(rows: Sequence[Row]) -> Bank:
    """The rows of the executor, two a series, as one bank."""
    jobs = len(REVISIONS)
    found: list[dict[str, Any]] = []
    failed: Counter[str] = Counter()
    for i in range(0, len(rows), jobs):
        reasons = [row.failed for row in rows[i : i + jobs] if row.failed]
        if reasons:
            failed[reasons[0].splitlines()[0]] += 1
            continue
        merged: dict[str, Any] = {}
        for row in rows[i : i + jobs]:
            merged |= row.outcome["result"]
        found.append(merged)
    if sum(failed.values()) > len(rows) / jobs / 20:
        reason, count = failed.most_common(1)[0]
        raise DataError(f"{sum(failed.values())} of {len(rows) // jobs} series failed, {count} with: {reason}")
    table = Table.of(found)
    numbers = {
        rule.name: np.array([[_number(row["rules"][rule.name][name]) for name in rule.numbers] for row in found])
        for rule in RULES
    }
    return Bank(table, numbers, dict(failed))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def calibrate(
    bank: Bank, *, size: int, seed: int = 0, settings: Boosting = DEFAULT
) -> tuple[Calibration, dict[str, Any]]:
    """Fit to all systems of the bank, and evaluate that procedure on systems it has not seen (see `evaluation`).

    Raises `DataError` where a class is missing or has too few systems. Cost: five minutes for 3,000 series.
    """
    table = bank.table
    if len(np.unique(table.truth)) < len(CLASSES):
        raise DataError("not every class is among the series", remedy="Ask for more series: --size 3000.")
    fitted, quality = fit(table, settings, seed)
    found = evaluation(bank, settings=settings, seed=seed)
    about = {
        "version": f"{__version__}, bank of {len(table):,} series, seed {seed}",
        "size": size, "seed": seed, "series": len(table), "failed": bank.failed,
        "systems": {name: len(np.unique(table.system[table.truth == k])) for k, name in enumerate(CLASSES)},
        "settings": vars(settings), "folds": FOLDS, "parts": PARTS, "levels": LEVELS,
        "versions": versions() | _learner(), "out_of_fold": quality,
        "evaluation": {name: found[name] for name in ("series", "systems", "bars")},
    }  # fmt: skip
    return replace(fitted, about=plain(about)), found


def fit(table: Table, settings: Boosting = DEFAULT, seed: int = 0) -> tuple[Calibration, dict[str, Any]]:
    """The calibration of the systems of `table`, and how good trees, multinomial model and both are out of fold.

    Each fold of systems is predicted by a model of the others; from these predictions come the weights of the mixture
    and the conformal thresholds. Raises `DataError` where a fold leaves a class without series.
    """
    scores = out_of_fold(table, lambda part: fit_mixture(part, settings, seed), table.folds(FOLDS, seed))
    weights = mixing(table, scores)
    predicted = softmax(np.tensordot(weights, scores, axes=1))
    fitted = Calibration(
        table.features, replace(fit_mixture(table, settings, seed), weights=weights), BANDS,
        band_thresholds(table, predicted), chaos_thresholds(table, predicted),
    )  # fmt: skip
    return fitted, {
        name: {"log_loss": log_loss(table, p), "accuracy": accuracy(table, p)}
        for name, p in (("trees", softmax(scores[0])), ("multinomial", softmax(scores[1])), ("both", predicted))
    }


def evaluation(bank: Bank, *, settings: Boosting = DEFAULT, seed: int = 0) -> dict[str, Any]:
    """What calibrations and simple rules find in systems they have not seen.

    The systems are dealt into five parts, near relatives into one, and each part is judged by a calibration, with its
    thresholds, and by rules, with their cuts, that were fitted to the other four: every system is tested, and none by
    what has seen it. The calibration of all systems, which has a quarter more to learn from, is hardly worse.
    """
    part = bank.table.folds(PARTS, seed)
    rows = len(bank.table)
    judged = Judged(np.empty((rows, len(CLASSES))), np.empty((rows, len(CLASSES))), np.empty(rows))
    words = {rule.name: np.empty(rows, dtype="<U16") for rule in RULES}
    for own in (part == one for one in np.unique(part)):
        known, unseen = bank.take(~own), bank.take(own)
        found = fit(known.table, settings, seed)[0].judge(unseen.table.x)
        judged.probabilities[own], judged.p_values[own] = found.probabilities, found.p_values
        judged.chaos_p[own] = found.chaos_p
        for rule in fitted_rules(known):
            words[rule.name][own] = rule.answers(unseen.numbers[rule.name])
    return evaluate(bank.table, judged, fitted_rules(bank), words)


def fitted_rules(bank: Bank) -> tuple[Rule, ...]:
    """The simple rules with the best cuts for the systems of `bank`."""
    group, weight = group_of(bank.table.truth), bank.table.weights()
    return tuple(rule.fitted(bank.numbers[rule.name], group, weight) for rule in RULES)


def write(calibration: Calibration, found: Mapping[str, Any], out: Path) -> tuple[str, ...]:
    """Write the calibration and its evaluation into the folder `out`; the names of the files. Raises `OutputError`."""
    from ..io.atomic import atomic_text

    calibration.save(out)
    atomic_text(out / "evaluation.json", json.dumps(plain(found), indent=1, allow_nan=False) + "\n")
    atomic_text(out / "evaluation.md", markdown(found))
    return ("calibration.safetensors", "calibration.json", "evaluation.json", "evaluation.md")


def _learner() -> dict[str, str]:
    import importlib

    return {"scikit-learn": str(importlib.import_module("sklearn").__version__)}
