"""Correlation sums at 16 radii of 10,000 Lorenz states, against SciPy, neurokit2, nolds: `python bench/dimensions.py`.

First the states, against SciPy's dual-tree count, for radii up to 5 and up to 1. Then delay vectors of x at the radii
that neurokit2 chooses, against neurokit2 and nolds, whose functions also fit a line; ours embeds and counts.
All run in turn in each round, after a first that may compile, and the best round counts. The error is the largest
relative difference of the sums from SciPy's, where a peer gives sums. Peers that cannot be imported are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

import takens
from takens.measures.dimensions import correlation_sum
from takens.neighbours import delay_vectors

Job = Callable[[], np.ndarray | None]


def scipys(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """The share of pairs within each radius, by SciPy's dual-tree count."""
    tree, n = cKDTree(points), len(points)
    return (tree.count_neighbors(tree, radii) - n) / (n * (n - 1))


def neurokits(x: np.ndarray) -> Job:
    """neurokit2's correlation dimension at 16 radii; its sums are not given out."""
    from neurokit2 import fractal_correlation

    def run() -> None:
        fractal_correlation(x, delay=1, dimension=3, radius=16)

    return run


def noldses(x: np.ndarray, radii: np.ndarray) -> Job:
    """nolds' correlation dimension at the same radii with the Euclidean distance, and its sums."""
    import nolds

    def run() -> np.ndarray:
        _, (_, logs, _) = nolds.corr_dim(x, 3, rvals=radii, dist=nolds.rowwise_euclidean, fit="poly", debug_data=True)
        return np.exp(logs)

    return run


def race(title: str, jobs: dict[str, Job], rounds: int) -> None:
    """Print the best time of each job, its ratio to the first, and its error against the second."""
    for job in jobs.values():
        job()
    best = dict.fromkeys(jobs, np.inf)
    sums: dict[str, np.ndarray | None] = {}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            sums[name] = job()
            best[name] = min(best[name], time.perf_counter() - start)
    names = list(jobs)
    truth = sums[names[1]]
    print(f"\n{title}\n{'':>14}{'ms':>10}{'ratio':>8}{'error':>10}")
    for name in names:
        found = sums[name]
        fits = found is not None and truth is not None and len(found) == len(truth)
        error = f"{np.max(np.abs(found / truth - 1)):10.1e}" if fits else f"{'-':>10}"  # type: ignore[operator]
        print(f"{name:>14}{1e3 * best[name]:10.2f}{best[name] / best[names[0]]:8.1f}{error}")


def main() -> None:
    """Run the races."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    states = takens.simulate(takens.system("Lorenz63"), length=10_000, dt=0.05, seed=0).values
    for top in (5.0, 1.0):
        radii = np.geomspace(top / 100, top, 16)
        jobs: dict[str, Job] = {
            "takens": lambda radii=radii: correlation_sum(states, radii),
            "SciPy": lambda radii=radii: scipys(states, radii),
        }
        race(f"10,000 states, 16 radii up to {top:g}", jobs, rounds)
    x = states[:, 0].copy()
    points = delay_vectors(x, 3, 1)
    extent = float(cKDTree(points).sparse_distance_matrix(cKDTree(points[:1]), 1e3).toarray().max())
    radii = np.geomspace(0.025 * extent, 0.5 * extent, 16)
    jobs = {
        "takens": lambda: correlation_sum(delay_vectors(x, 3, 1), radii),
        "SciPy": lambda: scipys(points, radii),
    }
    for name, make in (("neurokit2", lambda: neurokits(x)), ("nolds", lambda: noldses(x, radii))):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: left out")
        else:
            jobs[name] = make()
    race("9,998 delay vectors, 16 radii from 2.5 % to half of the extent", jobs, min(rounds, 2))


if __name__ == "__main__":
    main()
