"""Sample entropy, Lempel-Ziv complexity and fuzzy entropy beside their peers: `python bench/entropies.py`.

Sample entropy (m = 2, r = 0.2 standard deviations) of 10,000 values of Lorenz-63 and of normal noise, and of 100,000 of
noise by takens alone; Lempel-Ziv phrases of 20,000 coin tosses; fuzzy entropy of 2,000 values. One thread. Times are
the best of several rounds after one that may compile, with all peers in turn in each round; peers that take seconds run
once. "measure" is the whole call, with two radii for the interval. Peers that cannot be imported are named.
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

import takens  # noqa: E402
from takens.measures.entropies import lempel_ziv_phrases, template_matches  # noqa: E402

Answer = Callable[[np.ndarray], float]
Peers = dict[str, tuple[Answer, str, bool]]


def antropys(x: np.ndarray) -> float:
    """antropy's sample_entropy."""
    import antropy

    return float(antropy.sample_entropy(x, order=2))


def neurokits(x: np.ndarray) -> float:
    """neurokit2's entropy_sample."""
    import neurokit2

    return float(neurokit2.entropy_sample(x, dimension=2, tolerance=0.2 * x.std())[0])


def noldss(x: np.ndarray) -> float:
    """nolds' sampen; it compares with <, which makes no difference for these values."""
    import nolds

    return float(nolds.sampen(x, emb_dim=2, tolerance=0.2 * x.std()))


def entropyhubs(x: np.ndarray) -> float:
    """EntropyHub's SampEn."""
    import EntropyHub

    return float(EntropyHub.SampEn(x, m=2, r=0.2 * x.std())[0][-1])


def antropy_phrases(x: np.ndarray) -> float:
    """antropy's lziv_complexity of the signs."""
    import antropy

    return float(antropy.lziv_complexity((x > 0).astype(int), normalize=False))


def entropyhub_fuzzy(x: np.ndarray) -> float:
    """EntropyHub's FuzzEn, exp(-d^2 / r): r squared makes it ours."""
    import EntropyHub

    return float(EntropyHub.FuzzEn(x, m=2, r=((0.2 * x.std()) ** 2, 2.0))[0][-1])


SAMPLE: Peers = {
    "takens, matches": (lambda x: template_matches(x, 2, 1, 0.2 * x.std()).entropy, "numpy", True),
    "takens, measure": (lambda x: float(takens.sample_entropy(x)), "numpy", True),
    "antropy": (antropys, "antropy", True), "neurokit2": (neurokits, "neurokit2", True),
    "nolds": (noldss, "nolds", False), "EntropyHub": (entropyhubs, "EntropyHub", False),
}  # fmt: skip
ALONE: Peers = {name: SAMPLE[name] for name in ("takens, matches", "takens, measure")}
PHRASES: Peers = {
    "takens, phrases": (lambda x: float(lempel_ziv_phrases(x > 0)), "numpy", True),
    "antropy": (antropy_phrases, "antropy", True),
}  # fmt: skip
FUZZY: Peers = {
    "takens, measure": (lambda x: float(takens.fuzzy_entropy(x)), "numpy", True),
    "EntropyHub": (entropyhub_fuzzy, "EntropyHub", False),
}  # fmt: skip


def lorenz(length: int) -> np.ndarray:
    """The first coordinate of Lorenz-63, one sample in 0.02."""
    return takens.simulate(takens.system("Lorenz63"), length=length, dt=0.02, transient=50).values[:, 0].copy()


def table(title: str, peers: Peers, x: np.ndarray, rounds: int) -> None:
    """Time all peers in turn and print one table."""
    there = {name: one for name, one in peers.items() if importlib.util.find_spec(one[1])}
    for name in peers.keys() - there.keys():
        print(f"{name} is not installed")
    value = {name: one[0](x[:500]) for name, one in there.items()}
    spent: dict[str, float] = {}
    for turn in range(rounds):
        for name, (answer, _, quick) in there.items():
            if turn and not quick:
                continue
            began = time.perf_counter()
            value[name] = answer(x)
            spent[name] = min(time.perf_counter() - began, spent.get(name, np.inf))
    ours = next(iter(spent.values()))
    print(f"\n{title}\n{'':18s} {'ms':>10s} {'times first':>12s} {'value':>16s}")
    for name, seconds in spent.items():
        print(f"{name:18s} {1e3 * seconds:10.2f} {seconds / ours:12.1f} {value[name]:16.10f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    noise = np.random.Generator(np.random.PCG64(0)).normal(size=100_000)
    print(f"numpy {np.__version__}, {platform.machine()}, one thread")
    table("sample entropy, Lorenz, 10,000", SAMPLE, lorenz(10_000), options.rounds)
    table("sample entropy, noise, 10,000", SAMPLE, noise[:10_000], options.rounds)
    table("sample entropy, noise, 100,000", ALONE, noise, options.rounds)
    table("Lempel-Ziv phrases, 20,000 coin tosses", PHRASES, noise[:20_000], options.rounds)
    table("fuzzy entropy, noise, 2,000", FUZZY, noise[:2000], options.rounds)


if __name__ == "__main__":
    main()
