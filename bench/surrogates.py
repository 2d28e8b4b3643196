"""IAAFT surrogates beside their peers: `python bench/surrogates.py`.

One surrogate of 100,000 skewed values (the exponential of an AR(1) process) by 100 iterations, one thread. Times are
the best of several rounds after one that may compile, with all peers in turn in each round, so that they see the same
machine. Beside them how far the spectrum is from that of the data, sum |P - P0| / sum P0, and whether the values are
exactly those of the data. Peers that cannot be imported are left out and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

Maker = Callable[[np.ndarray, int], np.ndarray]


def ours(x: np.ndarray, iterations: int) -> np.ndarray:
    """takens: radix sort, spectrum and values imposed in machine code."""
    from takens.measures.surrogates import iaaft
    from takens.random import generator

    return iaaft(x, 1, generator(0, "bench"), iterations=iterations)[0]


def numpys(x: np.ndarray, iterations: int) -> np.ndarray:
    """The algorithm in plain NumPy."""
    values, amplitude = np.sort(x), np.abs(np.fft.rfft(x))
    current = np.random.Generator(np.random.PCG64(0)).permutation(x)
    for _ in range(iterations):
        wave = np.fft.rfft(current)
        order = np.argsort(np.fft.irfft(amplitude * np.exp(1j * np.angle(wave)), len(x)))
        current[order] = values
    return current


def pyunicorns(x: np.ndarray, iterations: int) -> np.ndarray:
    """pyunicorn's refined_AAFT_surrogates."""
    from pyunicorn.timeseries import Surrogates

    made = Surrogates(original_data=x[None].copy(), silence_level=3)
    return np.asarray(made.refined_AAFT_surrogates(n_iterations=iterations, output="true_amplitudes"))[0]


PEERS: dict[str, tuple[Maker, str]] = {
    "takens": (ours, "numpy"), "NumPy": (numpys, "numpy"), "pyunicorn": (pyunicorns, "pyunicorn"),
}  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=4)
    chosen = parser.parse_args()
    noise = np.random.Generator(np.random.PCG64(1)).normal(size=chosen.length)
    x = np.empty(chosen.length)
    level = 0.0
    for i, e in enumerate(noise):
        level = 0.9 * level + e
        x[i] = np.exp(level / 3)
    peers = {name: maker for name, (maker, needs) in PEERS.items() if importlib.util.find_spec(needs)}
    for name in PEERS.keys() - peers.keys():
        print(f"{name} is not installed: left out")
    best, made = dict.fromkeys(peers, np.inf), {}
    for turn in range(chosen.rounds + 1):
        for name, maker in peers.items():
            start = time.perf_counter()
            made[name] = maker(x, chosen.iterations if turn else 2)
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    goal = np.abs(np.fft.rfft(x - x.mean())) ** 2
    print(f"{platform.machine()}, {chosen.length} values, {chosen.iterations} iterations, best of {chosen.rounds}")
    print(f"{'':10} {'s':>8} {'ratio':>7} {'misfit of spectrum':>20} {'values':>8}")
    for name, seconds in best.items():
        power = np.abs(np.fft.rfft(made[name] - x.mean())) ** 2
        exact = np.array_equal(np.sort(made[name]), np.sort(x))
        misfit, ratio = np.abs(power - goal).sum() / goal.sum(), seconds / best["takens"]
        print(f"{name:10} {seconds:8.3f} {ratio:6.2f}x {misfit:20.2e} {'exact' if exact else 'differ':>8}")


if __name__ == "__main__":
    main()
