"""100,000 Lorenz-63 trajectories to t = 10 in two threads, against peers: `python bench/ensembles.py`.

Adaptive at tolerance 1e-9, and RK4 with steps of 0.01. Every peer takes as many members as it can do in seconds, and
times are scaled to 100,000. They are the best of several rounds, with all peers in turn in each, so that they see the
same machine; compilation is not in them. Errors are medians over members of the largest difference from a reference
(takens at 1e-13; for fixed steps RK4 in NumPy). The rate of fixed steps is set beside that of multiplications and
additions alone, eight independent vectors of them, on the same processors. Peers that cannot be imported are named.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import takens
from takens.systems.evolve import evolve
from takens.systems.native.machine import POINTER, WHOLE, Machine

Solver = Callable[[np.ndarray], np.ndarray]
LORENZ = takens.system("Lorenz63")
END, STEP, TOLERANCE, FLOPS = 10.0, 0.01, 1e-9, 75
"""The end, the length of fixed steps, the tolerance, and operations of a step of RK4 on Lorenz-63."""


def rates(x, y, z):
    """Lorenz-63 for anything with arithmetic."""
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8 / 3 * z


def rk4(x, y, z):
    """One step of RK4 for anything with arithmetic."""
    state = (x, y, z)
    a = rates(*state)
    b = rates(*(s + STEP / 2 * k for s, k in zip(state, a, strict=True)))
    c = rates(*(s + STEP / 2 * k for s, k in zip(state, b, strict=True)))
    d = rates(*(s + STEP * k for s, k in zip(state, c, strict=True)))
    return tuple(s + STEP / 6 * (i + 2 * j + 2 * k + m) for s, i, j, k, m in zip(state, a, b, c, d, strict=True))


def ours(threads: int, step: float | None = None) -> Solver:
    """takens."""
    return lambda x: evolve(LORENZ, x, [END], tolerance=TOLERANCE, step=step, threads=threads)[:, 0]


def heyokas(threads: int, batch: int = 16) -> Solver:
    """heyoka's batch integrator, one for each of a pool of threads."""
    import heyoka as hy

    names = hy.make_vars("x", "y", "z")
    equations = list(zip(names, rates(*names), strict=True))
    integrators = [hy.taylor_adaptive_batch(equations, np.zeros((3, batch)), tol=TOLERANCE) for _ in range(threads)]

    def solve(initial: np.ndarray) -> np.ndarray:
        out = np.empty_like(initial)

        def part(number: int) -> None:
            integrator = integrators[number]
            for first in range(number * batch, len(initial), threads * batch):
                members = np.minimum(np.arange(first, first + batch), len(initial) - 1)
                integrator.set_time(0.0)
                integrator.state[:] = initial[members].T
                integrator.propagate_until(END)
                out[members] = integrator.state.T

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(threads)))
        return out

    return solve


def diffraxs(method: str) -> Solver:
    """diffrax under vmap, which uses the threads that XLA has."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    control = diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE)
    term = diffrax.ODETerm(lambda t, x, p: rates(*x))

    def one(initial):
        return diffrax.diffeqsolve(
            term, getattr(diffrax, method)(), 0.0, END, None, tuple(initial), max_steps=100_000,
            stepsize_controller=control,
        ).ys  # fmt: skip

    run = jax.jit(jax.vmap(one))
    return lambda initial: np.stack([np.asarray(c)[:, -1] for c in run(initial)], axis=1)


def jaxs() -> Solver:
    """A JAX scan of RK4 steps over arrays of members."""
    import jax

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def run(x, y, z):
        return jax.lax.scan(lambda state, _: (rk4(*state), None), (x, y, z), length=round(END / STEP))[0]

    return lambda initial: np.stack([np.asarray(c) for c in run(*initial.T.copy())], axis=1)


def plain(initial: np.ndarray) -> np.ndarray:
    """RK4 in NumPy."""
    state = tuple(initial.T.copy())
    for _ in range(round(END / STEP)):
        state = rk4(*state)
    return np.stack(state, axis=1)


def peak(threads: int, vectors: int = 16, rounds: int = 20_000_000) -> float:
    """Operations a second of fused multiplications and additions alone, in so many independent vectors."""
    real = "<8 x double>"
    lines = [f"  %x{i} = phi {real} [ zeroinitializer, %entry ], [ %y{i}, %go ]" for i in range(vectors)]
    lines += [f"  %y{i} = call {real} @llvm.fma.v8f64({real} %x{i}, {real} %a, {real} %a)" for i in range(vectors)]
    lines += ["  %n1 = add i64 %n, 1", "  %more = icmp slt i64 %n1, %count", "  br i1 %more, label %go, label %end"]
    stores = []
    for i in range(vectors):
        stores += [f"  %p{i} = getelementptr {real}, ptr %out, i64 {i}", f"  store {real} %y{i}, ptr %p{i}, align 8"]
    text = "\n".join([
        "define void @spin(ptr %out, i64 %count) {", "entry:", f"  %a = load {real}, ptr %out, align 8",
        "  br label %go",
        "go:", "  %n = phi i64 [ 0, %entry ], [ %n1, %go ]", *lines, "end:", *stores, "  ret void", "}",
    ])  # fmt: skip
    machine = Machine([text], {f"declare {real} @llvm.fma.v8f64({real}, {real}, {real})"})
    spin, best = machine.function("spin", None, POINTER, WHOLE), np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            arrays = [np.full(8 * vectors, 0.5) for _ in range(threads)]
            began = time.perf_counter()
            list(pool.map(lambda a: spin(a.ctypes.data, rounds // vectors), arrays))
            best = min(best, time.perf_counter() - began)
    return 16.0 * vectors * (rounds // vectors) * threads / best


def compared(solvers: dict[str, tuple[Solver, int]], initial: np.ndarray, exact: np.ndarray, rounds: int) -> float:
    """Print a table, ours first; its seconds."""
    best, errors = dict.fromkeys(solvers, np.inf), {}
    for name, (solve, members) in solvers.items():
        error = np.abs(solve(initial[:members])[: len(exact)] - exact[:members]).max(axis=1)
        errors[name] = float(np.median(error))
    for _ in range(rounds):
        for name, (solve, members) in solvers.items():
            began = time.perf_counter()
            solve(initial[:members])
            best[name] = min(best[name], (time.perf_counter() - began) * len(initial) / members)
    ours = next(iter(best.values()))
    print(f"{'':34s} {'members':>8s} {'s / 100,000':>12s} {'ratio':>7s} {'error':>9s}")
    for name, (_, members) in solvers.items():
        print(f"{name:34s} {members:8,d} {best[name]:12.4f} {best[name] / ours:7.1f} {errors[name]:9.1e}", flush=True)
    return ours


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    here = {name: importlib.util.find_spec(name) is not None for name in ("heyoka", "diffrax", "jax")}
    print(*[f"{name} is not installed" for name, found in here.items() if not found], sep="\n")
    print(f"takens {takens.__version__}, {platform.machine()}, {os.cpu_count()} processors, {options.threads} threads")
    n, threads = options.members, options.threads
    initial = LORENZ.initial + np.random.default_rng(0).normal(size=(n, 3))
    adaptive = {"takens": (ours(threads), n)}
    if here["heyoka"]:
        adaptive["heyoka batch 16, thread pool"] = (heyokas(threads), n)
        adaptive["heyoka batch 8, thread pool"] = (heyokas(threads, 8), n)
    if here["diffrax"]:
        for method in ("Dopri8", "Tsit5"):
            adaptive[f"diffrax {method}, vmap"] = (diffraxs(method), min(n, 4000))
    print(f"\nto t = {END:g} at tolerance {TOLERANCE:g}")
    compared(adaptive, initial, evolve(LORENZ, initial[:1000], [END], tolerance=1e-13)[:, 0], options.rounds)
    fixed = {"takens": (ours(threads, STEP), n)}
    if here["jax"]:
        fixed["JAX scan over arrays"] = (jaxs(), n)
    fixed["NumPy"] = (plain, min(n, 2000))
    print(f"\nRK4, steps of {STEP:g}")
    spent = compared(fixed, initial, plain(initial[:1000]), options.rounds)
    rate, most = FLOPS * n * END / STEP / spent, peak(threads)
    print(f"takens: {rate / 1e9:.0f} GFLOP/s; multiplications and additions alone: {most / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
