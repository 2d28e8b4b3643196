"""Doing the cells of a benchmark, each once, and saying how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..executor import Row, run_tasks
from ..store import Store
from .spec import Spec

Report = Callable[[str, float], object]


@dataclass(frozen=True)
class Status:
    """How far a benchmark is: cells finished, failed and open, and the reasons of the failures by how many they are."""

    finished: int
    failed: int
    open: int
    reasons: tuple[tuple[str, int], ...]


def benchmark(
    spec: Spec,
    out: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    retry: bool = False,
    report: Report | None = None,
) -> list[Row]:
    """Do all cells that the folder `out` does not hold, and return a row for each, in the order of the spec.

    The same spec, whatever the number of workers and however often it was interrupted, gives the same rows, but for
    seconds and memory. With `retry` failed cells are done again. See `takens.executor.run_tasks`.
    """
    return run_tasks(
        spec.tasks(), Store(out / "cells"), workers=workers, scheduler=scheduler, limit=spec.limit, retry=retry,
        report=report,
    )  # fmt: skip


def rows_so_far(spec: Spec, out: Path) -> list[Row]:
    """The rows of the cells that are finished or failed."""
    store = Store(out / "cells")
    found = ((task, store.get(task.key)) for task in spec.tasks())
    return [Row(task, kept, fresh=False) for task, kept in found if kept is not None]


def status(spec: Spec, out: Path) -> Status:
    """How far the benchmark in the folder `out` is."""
    rows = rows_so_far(spec, out)
    failed = [row.failed.splitlines()[0] for row in rows if row.failed]
    counted = sorted(((failed.count(reason), reason) for reason in set(failed)), reverse=True)
    return Status(
        len(rows) - len(failed), len(failed), len(spec.tasks()) - len(rows), tuple((r, n) for n, r in counted)
    )
