"""Seconds to fit 10,000 rows of three channels, choice of hyper-parameters included: `python bench/fitting.py`.

Every model of effort 0 is fitted to clean Lorenz-63 (dt 0.02) and to the same with 5 % noise, after a fit to 600 rows
that loads and compiles what it needs. Models take turns, and the least of the rounds counts; wall-clock seconds, with
seconds of processor time beside them, which other processes disturb less.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
from lorenz import lorenz

import takens
from takens.models import MODELS, model

BAR = 2.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(name for name, kind in MODELS.items() if kind.effort == 0))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core if OMP_NUM_THREADS=1")
    clean = lorenz(10_000)
    noisy = clean + 0.05 * clean.std(axis=0) * np.random.default_rng(1).normal(size=clean.shape)
    data = [takens.Series.from_array(rows, interval=0.02) for rows in (clean, noisy)]
    names = options.models.split(",")
    wall, busy = (np.full((len(names), len(data), options.rounds), np.inf) for _ in range(2))
    for name in names:
        model(name).fit(data[1].rows(0, 600))
    for k in range(options.rounds):
        for i, name in enumerate(names):
            for j, series in enumerate(data):
                begin, worked = time.perf_counter(), time.process_time()
                model(name).fit(series, seed=0)
                wall[i, j, k], busy[i, j, k] = time.perf_counter() - begin, time.process_time() - worked
    print(f"{'model':24s} {'clean s':>8s} {'noisy s':>8s} {'processor s':>12s}")
    for name, seconds, worked in zip(names, wall.min(axis=2), busy.min(axis=2), strict=True):
        remark = "" if max(seconds) <= BAR else f"above {BAR:g} s"
        print(f"{name:24s} {seconds[0]:8.2f} {seconds[1]:8.2f} {worked[0]:6.2f} {worked[1]:5.2f}  {remark}")


if __name__ == "__main__":
    main()
