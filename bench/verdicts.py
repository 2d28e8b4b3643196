"""Seconds of a verdict: short and long records of each kind, and what part of the long ones was looked at.

Run from the repository root: `python bench/verdicts.py [--long]`. Times are of a warm process (compiled code loaded),
the least of three runs for short records and one run for long ones. Nobody else gives a verdict to compare with; beside
each time stands that of the 0-1 test and of the largest exponent alone, which are what others would run.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import takens as tk

LENGTHS = (500, 5_000, 20_000)
LONG = 1_000_000
BARS = {5_000: 20.0, LONG: 90.0}


def lorenz(length: int) -> np.ndarray:
    """x of Lorenz-63 at 0.02."""
    return tk.simulate(tk.system("Lorenz63"), length=length, dt=0.02, seed=0).values[:, 0]


def memory(length: int) -> np.ndarray:
    """AR(1) with 0.9."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -0.9], np.random.default_rng(0).normal(size=length)))


def cycle(length: int) -> np.ndarray:
    """A sine of 50 samples with noise of a fifth."""
    noise = np.random.default_rng(0).normal(size=length)
    return np.sin(2 * np.pi * np.arange(length) / 50) + 0.15 * noise


def change(length: int) -> np.ndarray:
    """AR(1) whose mean and spread change twice: its stretches get verdicts of their own."""
    x = memory(length)
    third = length // 3
    return np.concatenate([x[:third], 20 + 3 * x[third : 2 * third], x[2 * third :] - 15])


SERIES = {"Lorenz-63": lorenz, "AR(1)": memory, "noisy cycle": cycle, "change": change}


def least(run: object, times: int) -> float:
    """The least seconds of some runs."""
    best = np.inf
    for _ in range(times):
        begin = time.perf_counter()
        run()  # type: ignore[operator]
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Print the table."""
    tk.verdict(memory(300))
    lengths = (*LENGTHS, LONG) if "--long" in sys.argv else LENGTHS
    print(f"{'series':<12} {'values':>9} {'verdict s':>10} {'0-1 test s':>11} {'exponent s':>11}  says; looked at")
    for name, make in SERIES.items():
        for length in lengths:
            x = make(length)
            found = tk.verdict(x)
            times = 1 if length == LONG else 3
            seconds = least(lambda: tk.verdict(x), times)  # noqa: B023
            tests = [least(lambda m=m: m(x), 1) for m in (tk.zero_one_test, tk.largest_lyapunov_exponent)]  # noqa: B023
            bar = BARS.get(length)
            kept = "" if bar is None else f" ({'kept' if seconds < bar else 'MISSED'}: {bar:.0f} s)"
            print(
                f"{name:<12} {length:>9,} {seconds:>10.2f} {tests[0]:>11.2f} {tests[1]:>11.2f}"
                f"  {' or '.join(found.classes)}; {found.settings['samples']}{kept}",
                flush=True,
            )


if __name__ == "__main__":
    main()
