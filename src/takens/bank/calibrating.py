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
from ..verdicts.calibration import LEVELS, Calibration
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

LIMIT = 300.0
"""Seconds that one series may take."""


@dataclass(frozen=True, eq=False)
class Bank:
    """A bank that was run: its `table`, by rule the `numbers (row, number)`, and by reason the series that `failed`."""

    table: Table
    numbers: Mapping[str, Array]
    failed: Mapping[str, int]

    def take(self, split: str) -> Bank:
        """The rows of one split."""
        mine = self.table.split == split
        return Bank(self.table.take(mine), {name: n[mine] for name, n in self.numbers.items()}, self.failed)


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
    """Fit, calibrate and evaluate: trees on the development systems, thresholds from their out-of-fold predictions, and
    the evaluation on the test systems, which nothing before has seen (see `takens.bank.evaluation.evaluate`). Raises
    `DataError` where a class or the test systems are missing. Cost: half a minute for 3,000 series.
    """
    table = bank.take("development").table
    if len(np.unique(table.truth)) < len(CLASSES):
        raise DataError("not every class is among the series", remedy="Ask for more series: --size 3000.")
    folds = table.folds(FOLDS, seed)
    scores = out_of_fold(table, lambda part: fit_mixture(part, settings, seed), folds)
    weights = mixing(table, scores)
    predicted = softmax(np.tensordot(weights, scores, axes=1))
    fitted = Calibration(
        table.features, replace(fit_mixture(table, settings, seed), weights=weights), BANDS,
        band_thresholds(table, predicted), chaos_thresholds(table, predicted),
    )  # fmt: skip
    found = evaluation(fitted, bank)
    about = {
        "version": f"{__version__}, bank of {len(bank.table):,} series, seed {seed}",
        "size": size, "seed": seed, "series": len(bank.table), "failed": bank.failed,
        "systems": {name: len(np.unique(bank.table.system[bank.table.truth == k])) for k, name in enumerate(CLASSES)},
        "settings": vars(settings), "folds": FOLDS, "levels": LEVELS, "versions": versions() | _learner(),
        "development": {
            name: {"log_loss": log_loss(table, p), "accuracy": accuracy(table, p)}
            for name, p in (("trees", softmax(scores[0])), ("multinomial", softmax(scores[1])), ("both", predicted))
        },
        "evaluation": {name: found[name] for name in ("series", "systems", "bars")},
    }  # fmt: skip
    return replace(fitted, about=plain(about)), found


def fitted_rules(bank: Bank) -> tuple[Rule, ...]:
    """The simple rules with the best cuts for the development systems of `bank`."""
    known = bank.take("development")
    group, weight = group_of(known.table.truth), known.table.weights()
    return tuple(rule.fitted(known.numbers[rule.name], group, weight) for rule in RULES)


def evaluation(calibration: Calibration, bank: Bank) -> dict[str, Any]:
    """The evaluation of a calibration on the test systems of `bank`. Raises `DataError` where there are none."""
    unseen = bank.take("test")
    if not len(unseen.table):
        raise DataError("no system is held out", remedy="Ask for more series: --size 3000.")
    if unseen.table.features != calibration.features:
        raise DataError("the calibration was fitted to other statistics", remedy="Calibrate again.")
    return evaluate(unseen.table, calibration.judge(unseen.table.x), fitted_rules(bank), unseen.numbers)


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
