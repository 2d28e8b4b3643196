"""Large systems: microseconds a step of RK4 against NumPy, SciPy's sparse matrices and JAX: `python bench/lattices.py`.

Kuramoto's model all-to-all and on a random graph of 100,000 directed edges, and Lorenz-96, all in double precision and
on one thread. The peers are written as one would write them for speed: averages of sines and cosines for the mean
field, two sparse products for the graph, `roll` for the ring, and one compiled scan for JAX. Peers take turns in each
round, and times are the best of all rounds. Differences are the largest between the states after 100 steps.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import takens
from takens.systems.families.structure import edges_of
from takens.systems.lattice.rule import Lattice
from takens.systems.native.integrate import march
from takens.systems.native.tableau import RK4

Rule = Callable[[Any], Any]
Run = Callable[[np.ndarray, int], np.ndarray]
STEP = 0.01


def ours(system: takens.systems.System) -> Run:
    """takens: a fixed number of steps in machine code."""
    values = system.values_of_parameters()

    def run(x: np.ndarray, steps: int) -> np.ndarray:
        return march(system.rule.program, x, values, 1, step=STEP, skipped=steps, tableau=RK4).states[0]

    return run


def stepped(rule: Rule) -> Run:
    """RK4 in NumPy."""

    def run(x: np.ndarray, steps: int) -> np.ndarray:
        for _ in range(steps):
            a = rule(x)
            b = rule(x + STEP / 2 * a)
            c = rule(x + STEP / 2 * b)
            d = rule(x + STEP * c)
            x = x + STEP / 6 * (a + 2 * b + 2 * c + d)
        return x

    return run


def scanned(rule: Rule) -> Run:
    """RK4 in JAX: one compiled loop."""
    import jax

    jax.config.update("jax_enable_x64", True)

    def step(_: int, x: Any) -> Any:
        a = rule(x)
        b = rule(x + STEP / 2 * a)
        c = rule(x + STEP / 2 * b)
        d = rule(x + STEP * c)
        return x + STEP / 6 * (a + 2 * b + 2 * c + d)

    loop = jax.jit(lambda x, steps: jax.lax.fori_loop(0, steps, step, x))
    return lambda x, steps: np.asarray(loop(x, steps))


def mean_field(library: Any, w: Any) -> Rule:
    """Kuramoto's right-hand side at k = 2 in linear time."""

    def rule(x: Any) -> Any:
        s, c = library.sin(x), library.cos(x)
        return w + 2.0 * (s.mean() * c - c.mean() * s)

    return rule


def sparse(w: np.ndarray, matrix: Any) -> Rule:
    """Kuramoto's right-hand side at k = 0.3 on a graph, by two products with its matrix."""

    def rule(x: np.ndarray) -> np.ndarray:
        s, c = np.sin(x), np.cos(x)
        return w + 0.3 * (c * (matrix @ s) - s * (matrix @ c))

    return rule


def segments(w: np.ndarray, targets: np.ndarray, sources: np.ndarray) -> Rule:
    """The same in JAX, by sums over segments."""
    import jax
    import jax.numpy as jnp

    def rule(x: Any) -> Any:
        s, c = jnp.sin(x), jnp.cos(x)
        over = [jax.ops.segment_sum(v[sources], targets, len(w), indices_are_sorted=True) for v in (s, c)]
        return w + 0.3 * (c * over[0] - s * over[1])

    return rule


def ring(library: Any) -> Rule:
    """Lorenz-96 at f = 8."""
    roll = library.roll
    return lambda x: (roll(x, -1) - roll(x, 2)) * roll(x, 1) - x + 8.0


def cases(has_jax: bool) -> dict[str, tuple[np.ndarray, dict[str, Run]]]:
    """What is measured: an initial state, and who goes from it."""
    if has_jax:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
    found: dict[str, tuple[np.ndarray, dict[str, Run]]] = {}
    for n in (1_000, 10_000, 100_000):
        system = takens.system("Kuramoto", size=n)
        assert isinstance(system.rule, Lattice)
        w = system.rule.arrays["w"]
        runs = {"takens": ours(system), "numpy": stepped(mean_field(np, w))}
        runs |= {"jax": scanned(mean_field(jnp, w))} if has_jax else {}
        found[f"Kuramoto, {n:,} all-to-all"] = system.initial, runs
    system = takens.system("KuramotoNetwork", size=10_000, graph=edges_of("erdos-renyi", 10_000, 10, 0.0, 0))
    assert isinstance(system.rule, Lattice)
    w, graph = system.rule.arrays["w"], system.rule.graph
    assert graph is not None
    from scipy.sparse import csr_matrix

    matrix = csr_matrix((np.ones(len(graph.sources)), graph.sources, graph.starts), shape=(10_000, 10_000))
    runs = {"takens": ours(system), "scipy.sparse": stepped(sparse(w, matrix))}
    runs |= {"jax": scanned(segments(w, graph.targets, graph.sources))} if has_jax else {}
    found[f"Kuramoto, 10,000 on {len(graph.sources):,} directed edges"] = system.initial, runs
    for n in (40, 200, 1_000):
        system = takens.system("Lorenz96", size=n)
        runs = {"takens": ours(system), "numpy": stepped(ring(np))}
        runs |= {"jax": scanned(ring(jnp))} if has_jax else {}
        found[f"Lorenz-96, {n} sites"] = system.initial, runs
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    has_jax = importlib.util.find_spec("jax") is not None
    if not has_jax:
        print("jax is not installed")
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one thread; us a step of RK4")
    for name, (initial, runs) in cases(has_jax).items():
        steps = max(20, min(2_000, 2_000_000 // len(initial) // 10))
        ends = {who: run(np.array(initial), 100) for who, run in runs.items()}
        spent = dict.fromkeys(runs, np.inf)
        for _ in range(options.rounds):
            for who, run in runs.items():
                began = time.perf_counter()
                run(np.array(initial), steps)
                spent[who] = min(spent[who], (time.perf_counter() - began) / steps)
        print(name)
        for who, seconds in spent.items():
            apart = np.abs(ends[who] - ends["takens"]).max()
            ratio = seconds / spent["takens"]
            print(f"  {who:<13}{1e6 * seconds:>10.2f} us  {ratio:>6.1f}x  differs by {apart:.0e}")


if __name__ == "__main__":
    main()
