"""Recurrence quantification beside its peers: `python bench/recurrence.py`.

The Lorenz system, three coordinates, 10,000 states, radius 1 in the maximum norm (pyunicorn's matrix holds the line of
identity, ours leaves it out; its diagonal lines do not count it), and, ours alone, 100,000 states. Best of several
runs, in turn; ours on one thread and on all. Determinism and mean line length stand beside, to show that all count the
same lines. Intervals are switched off, as no peer has them; the third line of ours has them. Peers that cannot
be imported are left out and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable

import numpy as np

import takens
from takens.measures.recurrence import recurrence_quantification

RADIUS = 1.0
Answer = tuple[float, float, float]


def ours(threads: int, resamples: int = 0) -> Callable[[np.ndarray], Answer]:
    """takens, without or with intervals."""

    def run(points: np.ndarray) -> Answer:
        found = recurrence_quantification(points, radius=RADIUS, threads=threads, resamples=resamples)
        return found.recurrence_rate, found.determinism, found.diagonal_length

    return run


def pyunicorns(points: np.ndarray) -> Answer:
    """pyunicorn with its matrix."""
    from pyunicorn.timeseries import RecurrencePlot

    plot = RecurrencePlot(points, threshold=RADIUS, metric="supremum", silence_level=3)
    # Everything that ours gives: both kinds of lines and the gaps.
    plot.laminarity()
    plot.trapping_time()
    plot.diag_entropy()
    plot.mean_recurrence_time()
    n = len(points)
    return (plot.recurrence_rate() * n - 1) / (n - 1), plot.determinism(), plot.average_diaglength()


def pyrqas(points: np.ndarray) -> Answer:
    """PyRQA on whatever OpenCL device there is."""
    from pyrqa.computation import RQAComputation
    from pyrqa.metric import MaximumMetric
    from pyrqa.neighbourhood import FixedRadius
    from pyrqa.settings import Settings
    from pyrqa.time_series import EmbeddedSeries

    settings = Settings(EmbeddedSeries(points), neighbourhood=FixedRadius(RADIUS), similarity_measure=MaximumMetric)
    found = RQAComputation.create(settings).run()
    return found.recurrence_rate, found.determinism, found.average_diagonal_line


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    orbit = takens.simulate(takens.system("Lorenz63"), length=100_000, dt=0.02, seed=0).values
    short = np.ascontiguousarray(orbit[:10_000])
    cores = os.cpu_count() or 1
    tools: dict[str, Callable[[np.ndarray], Answer]] = {
        "takens, 1 thread": ours(1),
        f"takens, {cores} threads": ours(cores),
    }
    tools["takens, 1 thread, with intervals"] = ours(1, 200)
    for module, name, run in (("pyunicorn", "pyunicorn", pyunicorns), ("pyrqa", "PyRQA", pyrqas)):
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed: left out")
        else:
            tools[name] = run
    answers = {name: run(short) for name, run in tools.items()}  # compiles, too
    best = dict.fromkeys(tools, np.inf)
    for _ in range(repeats):
        for name, run in tools.items():
            start = time.perf_counter()
            run(short)
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"{'10,000 states':34}{'seconds':>10}{'ratio':>8}{'RR':>12}{'DET':>12}{'L':>12}")
    for name, seconds in best.items():
        rr, det, length = answers[name]
        ratio = seconds / best["takens, 1 thread"]
        print(f"{name:34}{seconds:10.4f}{ratio:8.1f}{rr:12.7f}{det:12.7f}{length:12.6f}")
    print(f"{'100,000 states':34}{'seconds':>10}{'of CPU':>10}{'RR':>12}")
    noise = 2 * np.random.default_rng(0).normal(size=(100_000, 3))
    for label, points in (("Lorenz", orbit), ("noise, nothing to skip", noise)):
        start, work = time.perf_counter(), time.process_time()
        rr, _, _ = ours(cores)(points)
        took, work = time.perf_counter() - start, time.process_time() - work
        print(f"{label + f', {cores} threads':34}{took:10.2f}{work:10.2f}{rr:12.7f}")


if __name__ == "__main__":
    main()
