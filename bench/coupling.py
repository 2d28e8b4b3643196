"""Couplings beside peers, accuracy beside time: `python bench/coupling.py`.

Mutual information of two normal channels (r = 0.6, truth 0.2231 nat) by Kraskov's neighbours beside scikit-learn and
neurokit2; event synchronisation beside pyunicorn, same events; transfer entropy of a linear process with a closed form
beside the same estimator written with SciPy's k-d tree. Times are the best of several rounds with all peers in turn.
Peers that cannot be imported are left out and named.
"""

from __future__ import annotations

import importlib.util
import platform
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import psi

from takens.measures.causality import conditional_terms
from takens.measures.coupling import ksg_terms
from takens.measures.coupling_null import distinct_normal_scores
from takens.measures.coupling_phases import event_synchronisation_of

Job = Callable[[], float]
K = 4


def best_times(jobs: dict[str, Job], rounds: int) -> dict[str, tuple[float, float]]:
    """(best seconds, value) of each job, all in turn in each round, after one round that may compile."""
    values = {name: job() for name, job in jobs.items()}
    seconds = dict.fromkeys(jobs, np.inf)
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return {name: (seconds[name], values[name]) for name in jobs}


def show(title: str, found: dict[str, tuple[float, float]], truth: float | None) -> None:
    """A table with the ratio to ours, the first row."""
    print(f"\n{title}" + ("" if truth is None else f" (truth {truth:.4f})"))
    ours = next(iter(found.values()))[0]
    for name, (seconds, value) in found.items():
        error = "" if truth is None else f"  error {value - truth:+.4f}"
        print(f"  {name:<28} {1e3 * seconds:9.2f} ms {seconds / ours:8.1f}x   {value:.4f}{error}")


def has(module: str) -> bool:
    """Whether a peer can be imported; names it if not."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"{module} is not installed and left out")
    return found


def mutual_information(n: int) -> None:
    """Kraskov's estimator of two normal channels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = 0.6 * x + 0.8 * rng.normal(size=n)

    def ours() -> float:
        scores = np.random.default_rng(0)
        u, v = distinct_normal_scores(x, scores), distinct_normal_scores(y, scores)
        return float(ksg_terms(u, v, K).mean())

    jobs: dict[str, Job] = {"takens": ours}
    if has("sklearn"):
        from sklearn.feature_selection import mutual_info_regression

        jobs["scikit-learn"] = lambda: float(
            mutual_info_regression(x[:, None], y, n_neighbors=K, random_state=0, discrete_features=False)[0]
        )
    if has("neurokit2"):
        import neurokit2

        jobs["neurokit2 (knn)"] = lambda: float(neurokit2.mutual_information(x, y, method="knn", k=K))
    show(f"mutual information, {n} rows", best_times(jobs, 3), -0.5 * np.log(1 - 0.36))


def transfer_entropy(n: int) -> None:
    """One transfer entropy of y_t = 0.7 x_{t-1} + e with one past value of each."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n + 1)
    y = np.concatenate([[0.0], 0.7 * x[:-1]]) + rng.normal(size=n + 1)
    source, own, following = x[:-1, None], y[:-1, None], y[1:].copy()

    def tree() -> float:
        joint = np.column_stack([source, following, own])
        radius = np.nextafter(cKDTree(joint).query(joint, K + 1, p=np.inf)[0][:, -1], 0)

        def count(points: np.ndarray) -> np.ndarray:
            return cKDTree(points).query_ball_point(points, radius, p=np.inf, return_length=True)

        xz, yz, z = count(joint[:, [0, 2]]), count(joint[:, [1, 2]]), count(own)
        return float(np.mean(psi(K) - psi(xz) - psi(yz) + psi(z)))

    jobs = {"takens": lambda: float(conditional_terms(source, following, own, K).mean()), "SciPy k-d tree": tree}
    show(f"transfer entropy, {n} rows", best_times(jobs, 3), 0.5 * np.log(1.49))


def events(count: int) -> None:
    """Event synchronisation of two lists of events on a grid of time steps."""
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.permutation(20 * count)[:count]) for _ in range(2))
    jobs: dict[str, Job] = {"takens": lambda: event_synchronisation_of(first, second)[0]}
    if has("pyunicorn"):
        from pyunicorn.eventseries import EventSeries

        x, y = np.zeros((2, 20 * count), dtype=int)
        x[first], y[second] = 1, 1
        jobs["pyunicorn"] = lambda: float(sum(EventSeries.event_synchronization(x, y)))
    show(f"event synchronisation, {count} events each", best_times(jobs, 3), None)
    print("  (pyunicorn also counts events exactly half a gap apart, frequent on a grid, and leaves out the outermost)")


def main() -> None:
    """Print all tables."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    warnings.simplefilter("ignore")
    for n in (1000, 10_000):
        mutual_information(n)
    for n in (1000, 4000):
        transfer_entropy(n)
    events(1000)


if __name__ == "__main__":
    main()
