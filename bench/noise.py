"""10,000 paths of 1,000 steps of stochastic equations, against peers: `python bench/noise.py`.

An Ornstein-Uhlenbeck process and a double well by Euler-Maruyama with step 0.01, from 0 to t = 10, keeping the ends
only (peers are asked for the last time only, too), in double precision unless the name says otherwise. Times are the
best of several runs, after a first that may compile, with all peers in turn in each round, so that they see the same
machine. Beside them the variance at the end, whose sampling error is 1.4 %, and what it is exactly: for Euler's own
steps of the Ornstein-Uhlenbeck process, and for the stationary density of the double well. Peers that cannot be
imported are left out and named. The last line is a jump process and its cost an event.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
import warnings
from collections.abc import Callable

import numpy as np

import takens
from takens.systems.base import Request

MEMBERS, STEPS, STEP = 10_000, 1000, 0.01
SYSTEMS = {
    "Ornstein-Uhlenbeck": takens.system("OrnsteinUhlenbeck", theta=1.0, sigma=0.5),
    "double well": takens.system("NoisyDoubleWell", sigma=0.5),
}
EXACT = {
    "Ornstein-Uhlenbeck": 0.25 * STEP * (1 - (1 - STEP) ** (2 * STEPS)) / (1 - (1 - STEP) ** 2),
    "double well": 0.8521361521783336,
}
START = {"Ornstein-Uhlenbeck": 0.0, "double well": 1.0}
Solver = Callable[[str, int], np.ndarray]


def ours(threads: int | None) -> Solver:
    """takens in vector lanes."""

    def solve(name: str, seed: int) -> np.ndarray:
        request = Request(2, STEP, transient=STEP * (STEPS - 1), step=STEP, method="Euler-Maruyama", seed=seed)
        initial = np.full((MEMBERS, 1), START[name])
        return SYSTEMS[name].trajectories(request, initial, {}, threads=threads)[1][:, 1, 0]

    return solve


def numpys() -> Solver:
    """A loop over steps of all members at once in NumPy."""

    def solve(name: str, seed: int) -> np.ndarray:
        draw, x = np.random.Generator(np.random.SFC64(seed)), np.full(MEMBERS, START[name])
        for _ in range(STEPS):
            drift = -x if name == "Ornstein-Uhlenbeck" else x - x**3
            x = x + STEP * drift + 0.5 * np.sqrt(STEP) * draw.standard_normal(MEMBERS)
        return x

    return solve


def diffraxs() -> Solver:
    """diffrax: Euler with the fast Brownian path, vmapped over members."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    drifts = {"Ornstein-Uhlenbeck": lambda t, x, _: -x, "double well": lambda t, x, _: x - x**3}

    def path(name: str) -> Callable:
        def one(key, start):
            path = diffrax.UnsafeBrownianPath((), key)
            terms = diffrax.MultiTerm(
                diffrax.ODETerm(drifts[name]), diffrax.ControlTerm(lambda t, x, _: jnp.array(0.5), path)
            )
            return diffrax.diffeqsolve(
                terms, diffrax.Euler(), 0.0, STEP * STEPS, STEP, start, max_steps=STEPS + 1,
                adjoint=diffrax.ForwardMode(),
            ).ys[0]  # fmt: skip

        return jax.jit(jax.vmap(one))

    run = {name: path(name) for name in SYSTEMS}

    def solve(name: str, seed: int) -> np.ndarray:
        keys = jax.random.split(jax.random.key(seed), MEMBERS)
        return np.asarray(run[name](keys, jnp.full(MEMBERS, START[name])))

    return solve


def torchsdes(precision: str) -> Solver:
    """torchsde: Euler with diagonal noise, all members as a batch."""
    import torch
    import torchsde

    kind = getattr(torch, precision)

    class Law(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def __init__(self, name: str) -> None:
            super().__init__()
            self.linear = name == "Ornstein-Uhlenbeck"

        def f(self, t, x):
            return -x if self.linear else x - x**3

        def g(self, t, x):
            return torch.full_like(x, 0.5)

    def solve(name: str, seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        start, ends = torch.full((MEMBERS, 1), START[name], dtype=kind), torch.tensor([0.0, STEP * STEPS], dtype=kind)
        with torch.no_grad():
            return torchsde.sdeint(Law(name), start, ends, dt=STEP, method="euler")[-1, :, 0].numpy()

    return solve


def peers() -> dict[str, Solver]:
    """All solvers that can be imported, ours first."""
    found = {"takens, 1 thread": ours(1), f"takens, {os.cpu_count()} threads": ours(None), "numpy SFC64": numpys()}
    for name, needs, make in (
        ("diffrax, UnsafeBrownianPath", "diffrax", diffraxs),
        ("torchsde", "torchsde", lambda: torchsdes("float64")),
        ("torchsde, float32", "torchsde", lambda: torchsdes("float32")),
    ):
        if importlib.util.find_spec(needs):
            found[name] = make()
        else:
            print(f"{needs} is not installed")
    return found


def events() -> tuple[float, float]:
    """Nanoseconds an event of the stochastic Brusselator, and events a run."""
    system = takens.system("StochasticBrusselator")
    length = 2000
    values = takens.simulate(system, length=length).values
    rate = float(system.propensities(values).sum(axis=1).mean())
    spent = []
    for seed in range(3):
        began = time.perf_counter()
        takens.simulate(system, length=length, seed=seed)
        spent.append(time.perf_counter() - began)
    count = rate * length * system.default_dt()
    return min(spent) / count * 1e9, count


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    solvers = peers()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, {os.cpu_count()} processors")
    for name in SYSTEMS:
        seconds, variance = {}, {}
        for turn in range(options.rounds + 1):
            for peer, solve in solvers.items():
                began = time.perf_counter()
                ends = solve(name, turn)
                spent = time.perf_counter() - began
                if turn:
                    seconds[peer] = min(spent, seconds.get(peer, np.inf))
                variance[peer] = float(np.mean(ends**2))
        best = min(value for peer, value in seconds.items() if peer.startswith("takens"))
        print(f"\n{name}: {MEMBERS:,} paths of {STEPS:,} steps; E x^2 = {EXACT[name]:.4f}")
        print(f"{'':30s}{'seconds':>10s}{'ns a step':>12s}{'ratio':>8s}{'E x^2':>10s}")
        for peer, value in seconds.items():
            each = value / MEMBERS / STEPS * 1e9
            print(f"{peer:30s}{value:10.4f}{each:12.2f}{value / best:8.1f}{variance[peer]:10.4f}")
    each, count = events()
    print(f"\nStochasticBrusselator, {count:,.0f} events drawn exactly: {each:.0f} ns an event")


if __name__ == "__main__":
    main()
