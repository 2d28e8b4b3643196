"""The whole catalogue, cold: compiled, and simulated for 100 periods at 1e-9: `python bench/catalogue.py`.

Fresh processes (two, or as many as asked for) share the systems, so that nothing is compiled beforehand. The seconds
are those on the clock from their start to the last row, imports included, and the processor's, which other work on the
machine changes less. Rows are `dt` apart, about a hundred a period. What cannot be simulated is listed with the
reason, and what takes longest, in seconds of the processor.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

import takens
from takens.systems import names, system

PERIODS, TOLERANCE = 100, 1e-9
COMPILING, RUNNING = 20.0, 60.0
"""Seconds allowed for the whole catalogue: to compile, and to compile and simulate it."""


@dataclass(frozen=True)
class Run:
    """What became of one system: seconds to its first two rows, seconds to all of them, and why it failed, if so."""

    name: str
    kind: str
    rows: int
    first: float
    rest: float
    failed: str = ""


def one(task: tuple[str, bool]) -> Run:
    """Two rows of a system, which compile it, then those of 100 periods."""
    name, whole = task
    law = system(name)
    dt = law.default_dt()
    rows = int(np.ceil(PERIODS * (law.period or 100 * dt) / dt)) + 1
    began = time.process_time()
    middle = began
    try:
        takens.simulate(law, length=2, tolerance=TOLERANCE)
        middle = time.process_time()
        if whole:
            values = takens.simulate(law, length=rows, tolerance=TOLERANCE).values
            if values.shape != (rows, law.dimension) or not np.isfinite(values).all():
                return Run(name, law.kind, rows, middle - began, 0.0, "rows are missing or not finite")
    except takens.errors.TakensError as error:
        return Run(name, law.kind, rows, middle - began, 0.0, str(error).splitlines()[0])
    return Run(name, law.kind, rows, middle - began, time.process_time() - middle)


def everything(processes: int, whole: bool) -> tuple[float, list[Run]]:
    """Seconds on the clock, and the runs, of all systems in fresh processes."""
    context = multiprocessing.get_context("spawn")
    began = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        runs = list(pool.map(one, [(name, whole) for name in names()]))
    return time.perf_counter() - began, runs


def main() -> None:
    """Print both sums, the slowest systems and the failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, {len(names())} systems")
    spent, runs = everything(1, whole=False)
    work = sum(run.first for run in runs)
    print(
        f"compiled, cold, one process: {spent:.1f} s on the clock, {work:.1f} s of the processor, bar {COMPILING:g} s"
    )
    small = sorted(run.first for run in runs if run.kind == "flow" and system(run.name).dimension <= 4)
    print(f"one flow of at most four states: median {1e3 * np.median(small):.0f} ms, worst {1e3 * small[-1]:.0f} ms")
    spent, runs = everything(options.processes, whole=True)
    work = sum(run.first + run.rest for run in runs)
    print(f"{PERIODS} periods each at {TOLERANCE:g}, cold, {options.processes} processes: {spent:.1f} s on the clock, "
          f"{work:.1f} s of the processors, bar {RUNNING:g} s")  # fmt: skip
    print(f"\n{'slowest':24s} {'kind':10s} {'rows':>7s} {'first, s':>9s} {'rest, s':>9s}")
    for run in sorted(runs, key=lambda run: -run.first - run.rest)[:10]:
        print(f"{run.name:24s} {run.kind:10s} {run.rows:7d} {run.first:9.2f} {run.rest:9.2f}")
    failed = [run for run in runs if run.failed]
    print(f"\nfailures: {len(failed)}")
    for run in failed:
        print(f"{run.name}: {run.failed}")


if __name__ == "__main__":
    main()
