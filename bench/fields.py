"""Kuramoto-Sivashinsky by ETDRK4, L = 22, against peers: `python bench/fields.py`.

Times are the best of several runs of some steps, after a first that may compile, with all peers in turn in each round.
All make the same steps with the same 2/3 rule; the difference is the largest from the plain NumPy code after 100 steps
from the same state, in one trajectory of size about 3. The last table is the cost of a step of the state and of
tangent vectors, as Lyapunov exponents need it. Peers that cannot be imported are left out and named.
"""

from __future__ import annotations

import importlib.util
import platform
import time
from collections.abc import Callable

import numpy as np

import takens
from takens.systems.spectral.steps import ArraySteps, factors, steps

Walk = Callable[[np.ndarray, int], np.ndarray]
LENGTH, STEP = 22.0, 0.25


def coefficients(points: int) -> tuple[np.ndarray, ...]:
    """Wave numbers and the six coefficients, as Kassam & Trefethen's listing computes them."""
    k = 2 * np.pi * np.arange(points // 2 + 1) / LENGTH
    symbol = k**2 - k**4
    turns = np.exp(1j * np.pi * (np.arange(1, 33) - 0.5) / 32)
    r = STEP * symbol[:, None] + turns
    e = np.exp(r)
    quarter = STEP * np.mean((np.exp(r / 2) - 1) / r, axis=1).real
    first = STEP * np.mean((-4 - r + e * (4 - 3 * r + r**2)) / r**3, axis=1).real
    second = STEP * np.mean((2 + r + e * (r - 2)) / r**3, axis=1).real
    third = STEP * np.mean((-4 - 3 * r - r**2 + e * (4 - r)) / r**3, axis=1).real
    return k, np.exp(STEP * symbol), np.exp(STEP * symbol / 2), quarter, first, second, third


def plain(points: int, fft: object = np.fft) -> Walk:
    """ETDRK4 as one writes it with NumPy; `fft` has rfft and irfft."""
    k, whole, half, quarter, first, second, third = coefficients(points)
    mask = 3 * np.arange(points // 2 + 1) < points
    slope = -0.5j * k * mask

    def rates(v: np.ndarray) -> np.ndarray:
        return slope * fft.rfft(fft.irfft(mask * v, points) ** 2)

    def walk(u: np.ndarray, count: int) -> np.ndarray:
        v = np.fft.rfft(u)
        for _ in range(count):
            nv = rates(v)
            a = half * v + quarter * nv
            na = rates(a)
            b = half * v + quarter * na
            nb = rates(b)
            c = half * a + quarter * (2 * nb - nv)
            v = whole * v + first * nv + 2 * second * (na + nb) + third * rates(c)
        return np.fft.irfft(v, points)

    return walk


def jaxs(points: int) -> Walk:
    """The same in JAX, compiled, in double precision."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    k, whole, half, quarter, first, second, third = (jnp.asarray(c) for c in coefficients(points))
    mask = 3 * jnp.arange(points // 2 + 1) < points
    slope = -0.5j * k * mask

    def rates(v):
        return slope * jnp.fft.rfft(jnp.fft.irfft(mask * v, points) ** 2)

    def step(v, _):
        nv = rates(v)
        a = half * v + quarter * nv
        na = rates(a)
        b = half * v + quarter * na
        nb = rates(b)
        c = half * a + quarter * (2 * nb - nv)
        return whole * v + first * nv + 2 * second * (na + nb) + third * rates(c), None

    def run(u, count):
        return jnp.fft.irfft(jax.lax.scan(step, jnp.fft.rfft(u), None, length=count)[0], points)

    compiled = jax.jit(run, static_argnums=1)
    return lambda u, count: np.asarray(compiled(u, count))


def ours(points: int, *, machine: bool) -> Walk:
    """takens: compiled steps, or its NumPy steps for sizes that are not powers of two."""
    system = takens.system("KuramotoSivashinsky", points=points)
    grid = system.rule.grid(system.parameters)
    found = steps(system.rule, (LENGTH,), STEP) if machine else ArraySteps(grid, factors(grid.symbol, STEP), STEP)
    return lambda u, count: grid.states(found.walk(grid.spectra(u)[None], 0.0, 0, count, 1)[0])[0]


def peers(points: int) -> dict[str, Walk]:
    """All that can be imported, ours first."""
    import scipy.fft

    found = {"takens": ours(points, machine=True), "takens, NumPy steps": ours(points, machine=False)}
    found |= {"numpy": plain(points), "scipy.fft": plain(points, scipy.fft)}
    if importlib.util.find_spec("jax"):
        found["jax scan"] = jaxs(points)
    else:
        print("jax is not installed")
    return found


def best(walks: dict[str, Walk], u: np.ndarray, rounds: int = 7) -> dict[str, float]:
    """Seconds a step."""
    counts = {name: 10_000 if name in ("takens", "jax scan") else 300 for name in walks}
    spent = dict.fromkeys(walks, np.inf)
    for name, walk in walks.items():
        walk(u, counts[name])
    for _ in range(rounds):
        for name, walk in walks.items():
            begun = time.perf_counter()
            walk(u, counts[name])
            spent[name] = min(spent[name], (time.perf_counter() - begun) / counts[name])
    return spent


def vectors_table() -> None:
    """The cost of tangent vectors."""
    print("\ntangent vectors, N = 128: microseconds a step")
    print("| vectors | takens | takens, NumPy steps | ratio |\n|---|---|---|---|")
    system = takens.system("KuramotoSivashinsky", points=128)
    grid = system.rule.grid(system.parameters)
    quick, slow = steps(system.rule, (LENGTH,), STEP), ArraySteps(grid, factors(grid.symbol, STEP), STEP)
    for count in (0, 4, 16, 64):
        draws = np.random.Generator(np.random.PCG64(0)).normal(size=(1 + count, 128))
        spectra = grid.spectra(draws)
        spent = []
        for walker, number in ((quick, 500), (slow, 30)):
            rounds = []
            for _ in range(5):
                begun = time.perf_counter()
                walker.walk(spectra, 0.0, 0, number, 1)
                rounds.append((time.perf_counter() - begun) / number * 1e6)
            spent.append(min(rounds))
        print(f"| {count} | {spent[0]:.1f} | {spent[1]:.0f} | {spent[1] / spent[0]:.0f} |")


def main() -> None:
    """Print the tables."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    for points in (64, 256, 1024):
        walks = peers(points)
        system = takens.system("KuramotoSivashinsky", points=points)
        u = takens.simulate(system, length=1, transient=100).values[-1]
        reference = walks["numpy"](u, 100)
        spent = best(walks, u)
        print(
            f"\nN = {points}\n| method | us / step | ratio to takens | difference after 100 steps |\n|---|---|---|---|"
        )
        for name, walk in walks.items():
            difference = np.abs(walk(u, 100) - reference).max()
            print(f"| {name} | {spent[name] * 1e6:.2f} | {spent[name] / spent['takens']:.1f} | {difference:.1e} |")
    vectors_table()


if __name__ == "__main__":
    main()
