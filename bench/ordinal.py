"""Permutation entropy of order 5 beside its peers: `python bench/ordinal.py`.

One million normal values, one thread, no ties. Times are the best of several rounds after one that may compile, with
all peers in turn in each round, so that they see the same machine; peers that take seconds run once. "counts" is the
kernel with its table of blocks, "measure" the whole call: reading the array, entropy, complexity, region, intervals.
Peers that cannot be imported are left out and named.
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

ORDER = 5
Entropy = Callable[[np.ndarray], float]


def counts(x: np.ndarray) -> float:
    """takens: patterns and their table, then the plug-in entropy."""
    from takens.measures.base import Channel
    from takens.measures.ordinal import entropy_complexity, take_patterns

    channel = Channel(x, x, 1.0, "step", "", "all")
    return float(entropy_complexity(take_patterns(channel, ORDER, 1, "random", 0).table.total)[0])


def whole(x: np.ndarray) -> float:
    """takens: the measure."""
    import takens

    return float(takens.permutation_entropy(x, order=ORDER, delay=1))


def antropys(x: np.ndarray) -> float:
    """antropy's perm_entropy."""
    import antropy

    return float(antropy.perm_entropy(x, order=ORDER, delay=1, normalize=True))


def ordpys(x: np.ndarray) -> float:
    """ordpy's permutation_entropy."""
    import ordpy

    return float(ordpy.permutation_entropy(x, dx=ORDER))


def neurokits(x: np.ndarray) -> float:
    """neurokit2's entropy_permutation."""
    import neurokit2

    return float(neurokit2.entropy_permutation(x, dimension=ORDER, delay=1, corrected=True)[0])


def entropyhubs(x: np.ndarray) -> float:
    """EntropyHub's PermEn."""
    import EntropyHub

    return float(EntropyHub.PermEn(x, m=ORDER, Norm=False, Logx=2)[0][-1]) / float(np.log2(120))


PEERS: dict[str, tuple[Entropy, str, bool]] = {
    "takens, counts": (counts, "numpy", True), "takens, measure": (whole, "numpy", True),
    "antropy": (antropys, "antropy", True), "ordpy": (ordpys, "ordpy", False),
    "neurokit2": (neurokits, "neurokit2", False), "EntropyHub": (entropyhubs, "EntropyHub", False),
}  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    x = np.random.Generator(np.random.PCG64(0)).normal(size=options.length)
    peers = {}
    for name, (entropy, module, quick) in PEERS.items():
        if importlib.util.find_spec(module):
            peers[name] = entropy, quick
        else:
            print(f"{name} is not installed")
    print(f"numpy {np.__version__}, {platform.machine()}, one thread, {options.length} values, order {ORDER}")
    value = {name: entropy(x[:5000]) for name, (entropy, _) in peers.items()}  # compiles what compiles
    spent: dict[str, float] = {}
    for turn in range(options.rounds):
        for name, (entropy, quick) in peers.items():
            if turn and not quick:
                continue
            began = time.perf_counter()
            value[name] = entropy(x)
            spent[name] = min(time.perf_counter() - began, spent.get(name, np.inf))
    ours = spent["takens, counts"]
    print(f"{'':18s} {'ms':>10s} {'times counts':>13s} {'entropy':>14s}")
    for name, seconds in spent.items():
        print(f"{name:18s} {1e3 * seconds:10.2f} {seconds / ours:13.1f} {value[name]:14.10f}")


if __name__ == "__main__":
    main()
