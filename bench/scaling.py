"""Detrended fluctuations of 1,000,000 values in many windows, against antropy and nolds: `python bench/scaling.py`.

antropy and nolds choose the same windows for the same record (4 to a tenth of it, by factors of 1.2); ours are given
them. Peers fit a line to the curve as well, which costs nothing here. All run in turn in each round, after a first that
may compile, and the best round counts; nolds, which takes minutes, runs once on a tenth of the record with `--nolds`.
The error is the largest relative difference from residuals by `numpy.polyfit` on the first 20,000 values.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import time

import numpy as np

from takens.measures.scaling import detrended_fluctuation_exponent, detrended_fluctuations


def window_sizes(length: int) -> np.ndarray:
    """Windows from 4 samples to a tenth of the record by factors of 1.2, as antropy and nolds choose them."""
    number = int(np.floor(np.log(0.1 * length / 4) / np.log(1.2)))
    return np.unique([int(np.floor(4 * 1.2**i)) for i in range(number + 1)])


def slow(x: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """F(s) by np.polyfit in windows from the beginning."""
    profile = np.cumsum(x - x.mean())
    out = []
    for size in sizes.tolist():
        windows = profile[: len(x) // size * size].reshape(-1, size).T
        k = np.arange(size)
        residual = windows - np.stack([np.polyval(c, k) for c in np.polyfit(k, windows, 1).T], axis=1)
        out.append(np.sqrt(np.mean(residual**2)))
    return np.array(out)


def main() -> None:
    """Run the race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nolds", action="store_true", help="run nolds too, on 100,000 values")
    wanted = parser.parse_args()
    x = np.random.default_rng(0).normal(size=1_000_000)
    sizes = window_sizes(len(x))
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}; {len(sizes)} sizes")
    jobs = {"takens": lambda: detrended_fluctuations(x, sizes)}
    if importlib.util.find_spec("antropy") is None:
        print("antropy is not installed: left out")
    else:
        import antropy

        jobs["antropy"] = lambda: antropy.detrended_fluctuation(x)
    for job in jobs.values():
        job()
    best = dict.fromkeys(jobs, np.inf)
    for _ in range(wanted.rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        print(f"{name:>10}{1e3 * seconds:10.1f} ms{seconds / best['takens']:8.1f}")
    start = time.perf_counter()
    detrended_fluctuation_exponent(x)
    print(f"the whole measure, with interval and crossover test: {time.perf_counter() - start:.2f} s")
    few, short = x[:20_000], sizes[sizes <= 2000]
    forward = [v[: len(few) // s] for v, s in zip(detrended_fluctuations(few, short).variances, short, strict=True)]
    error = np.max(np.abs(np.sqrt([v.mean() for v in forward]) / slow(few, short) - 1))
    print(f"largest error against numpy.polyfit: {error:.1e}")
    if wanted.nolds:
        import nolds

        part, seconds = x[:100_000], []
        for job in (
            lambda: detrended_fluctuations(part, window_sizes(len(part))),
            lambda: nolds.dfa(part, overlap=False),
        ):
            start = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - start)
        print(f"nolds, 100,000 values: {seconds[1]:.2f} s, {seconds[1] / seconds[0]:.0f} times ours")


if __name__ == "__main__":
    main()
