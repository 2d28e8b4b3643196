"""Largest exponent from 10,000 values of Lorenz-63 (x, step 0.02) against peers: `python bench/exponents_from_data.py`.

Times are the best of several rounds in which all take turns, after a first run that may compile. Curves of divergence
are compared at m = 5, delay 9, Theiler window 50, 20 steps, each with the neighbour search it contains. `--coverage N`
adds how often intervals at 95 % hold the known exponent over N records of each system. Peers that cannot be imported
are left out and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import time
import warnings
from collections.abc import Callable

import numpy as np

import takens
from takens.measures.divergence import rosenstein_curve
from takens.neighbours import delay_vectors

TRUTH = 0.9056


def lorenz(length: int, dt: float, seed: int = 0) -> np.ndarray:
    """Lorenz-63 `(length, 3)` on its attractor."""
    rng = np.random.default_rng(seed)
    start = rng.normal([0, 0, 25], 1.0)
    skipped = round(30 / dt)
    run = takens.simulate(takens.system("Lorenz63"), length=length + skipped, dt=dt, initial=start)
    return np.asarray(run.values)[skipped:]


def iterated(step: Callable[[np.ndarray], np.ndarray], start: np.ndarray, length: int) -> np.ndarray:
    """The first coordinate of an orbit of a map."""
    out = np.empty(length)
    x = start
    for i in range(length + 100):
        x = step(x)
        if i >= 100:
            out[i - 100] = x[0]
    return out


def henon(length: int, seed: int) -> np.ndarray:
    """Henon map, x."""
    start = 0.1 + 0.05 * np.random.default_rng(seed).random(2)
    return iterated(lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]), start, length)


def logistic(length: int, seed: int) -> np.ndarray:
    """Logistic map at 4."""
    start = np.random.default_rng(seed).uniform(0.1, 0.9, 1)
    return iterated(lambda x: 4 * x * (1 - x), start, length)


def curve(x: np.ndarray) -> float:
    """The slope per unit time of takens' Rosenstein curve over the same 20 steps, without choosing a region."""
    lags = np.arange(20)
    sums, counts = rosenstein_curve(delay_vectors(x, 5, 9), 50, lags, closest=1.0)
    return float(np.polyfit(lags, sums.sum(axis=0) / counts.sum(axis=0), 1)[0] / 0.02)


def ours(name: str) -> Callable[[np.ndarray], float]:
    """A measure of takens on the series with its interval of sampling."""

    def measured(x: np.ndarray) -> float:
        estimate = getattr(takens, name)(takens.Series.from_array(x, interval=0.02, unit="s"))
        return float("nan") if estimate.value is None else float(estimate.value)

    return measured


def neurokits(x: np.ndarray) -> float:
    """neurokit2's Rosenstein, its slope per sample made one per unit time."""
    import neurokit2

    return float(neurokit2.complexity_lyapunov(x, dimension=5, delay=9, separation=50, len_trajectory=20)[0]) / 0.02


def noldss(x: np.ndarray) -> float:
    """nolds' Rosenstein."""
    import nolds

    found = nolds.lyap_r(x, emb_dim=5, lag=9, min_tsep=50, trajectory_len=20, tau=0.02, fit="poly")
    return float(found)


def race(rounds: int) -> None:
    """The table of times and values."""
    x = lorenz(10_000, 0.02)[:, 0]
    jobs = {
        "takens, Rosenstein's curve": curve,
        "takens, lyapunov_exponent_rosenstein": ours("lyapunov_exponent_rosenstein"),
        "takens, lyapunov_exponent_kantz": ours("lyapunov_exponent_kantz"),
        "takens, largest_lyapunov_exponent": ours("largest_lyapunov_exponent"),
    }
    for name, job in (("neurokit2", neurokits), ("nolds", noldss)):
        if importlib.util.find_spec(name):
            jobs[name] = job
        else:
            print(f"{name} is not installed: left out")
    best, values = dict.fromkeys(jobs, np.inf), {}
    for job in jobs.values():
        job(x)
    for turn in range(rounds):
        for name, job in jobs.items():
            if turn >= 2 and name in ("neurokit2", "nolds"):
                continue  # seconds each
            start = time.perf_counter()
            values[name] = job(x)
            best[name] = min(best[name], time.perf_counter() - start)
    reference = best["takens, Rosenstein's curve"]
    print(f"\n{'Lorenz-63 x, 10,000 values':40} {'ms':>9} {'ratio':>8} {'exponent':>9} {'error':>7}")
    for name, seconds in best.items():
        value = values[name]
        print(f"{name:40} {1e3 * seconds:9.1f} {seconds / reference:8.1f} {value:9.3f} {value / TRUTH - 1:+7.0%}")


def coverage(runs: int) -> None:
    """How often intervals at 95 % hold the known exponent, among admissible estimates."""
    cases: dict[str, tuple[Callable[[int], np.ndarray], float, float]] = {
        "Henon, 2000": (lambda seed: henon(2000, seed), 1.0, 0.41922),
        "logistic, 2000": (lambda seed: logistic(2000, seed), 1.0, float(np.log(2))),
    }
    for c, letter in enumerate("xyz"):
        for dt in (0.02, 0.05):
            cases[f"Lorenz {letter}, 10,000 x {dt}"] = (
                lambda seed, c=c, dt=dt: lorenz(10_000, dt, seed)[:, c], dt, TRUTH)  # fmt: skip
    print(f"\n{'95 % intervals':28} {'measure':30} {'admissible':>10} {'cover':>6} {'mean':>7} {'half width':>10}")
    for name, (record, dt, truth) in cases.items():
        for measure in ("largest_lyapunov_exponent", "lyapunov_exponent_rosenstein", "lyapunov_exponent_kantz"):
            found = [getattr(takens, measure)(takens.Series.from_array(record(seed), interval=dt), level=0.95)
                     for seed in range(runs)]  # fmt: skip
            good = [e for e in found if e.admissible]
            if not good:
                print(f"{name:28} {measure:30} {0:>7}/{runs}")
                continue
            held = np.mean([e.interval[0] <= truth <= e.interval[1] for e in good])
            mean = np.mean([e.value for e in good]) / truth
            half = np.mean([e.interval[1] - e.interval[0] for e in good]) / 2 / truth
            print(f"{name:28} {measure:30} {len(good):>7}/{runs} {held:6.2f} {mean:7.3f} {half:10.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--coverage", type=int, default=0, metavar="N")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, takens {takens.__version__}"
    )
    race(chosen.rounds)
    if chosen.coverage:
        coverage(chosen.coverage)


if __name__ == "__main__":
    main()
