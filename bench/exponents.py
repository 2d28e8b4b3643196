"""Lyapunov spectra of Lorenz-63 and Lorenz-96 against peers, in one run: `python bench/exponents.py`.

T = 1000 of Lorenz-63 (100,000 steps of 0.01 where steps are fixed) with three exponents, and 10,000 steps of Lorenz-96
with 40 states and 40 exponents. Times are the best of several rounds, with all in turn in each, after a first that
compiles and is shown apart. The error is that of the sum of the exponents, which must be the divergence: what the
integration of the displacements lost, whatever the orbit. Peers that cannot be imported are left out and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable

import numpy as np

import takens

Solver = Callable[[float], np.ndarray]

SIZE = 40
START = 8 + np.random.default_rng(1).normal(size=SIZE)
LORENZ = takens.system(
    {
        "name": "Lorenz63",
        "equations": {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
        "parameters": {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        "initial": {"x": 1.0, "y": 1.0, "z": 20.0},
        "period": 0.75,
    }
)
LARGE = takens.system(
    {
        "name": "Lorenz96",
        "equations": {
            f"x{i}": f"(x{(i + 1) % SIZE} - x{(i - 2) % SIZE})*x{(i - 1) % SIZE} - x{i} + f" for i in range(SIZE)
        },
        "parameters": {"f": 8.0},
        "initial": START.tolist(),
    }
)


def ours(system: takens.System, **settings: float) -> Solver:
    """takens, with its interval between orthonormalisations or a given one."""
    return lambda duration: takens.lyapunov_spectrum(system, duration=duration, transient=0, **settings).value


def heyokas(large: bool, tolerance: float, interval: float) -> Solver:
    """heyoka's variational equations, with NumPy's QR after each interval."""
    import heyoka as hy

    if large:
        x = hy.make_vars(*[f"x{i}" for i in range(SIZE)])
        rates = [(x[i], (x[(i + 1) % SIZE] - x[i - 2]) * x[i - 1] - x[i] + 8.0) for i in range(SIZE)]
        start = START
    else:
        a, b, c = hy.make_vars("x", "y", "z")
        rates = [(a, 10.0 * (b - a)), (b, a * (28.0 - c) - b), (c, a * b - 8 / 3 * c)]
        start = np.array([1.0, 1.0, 20.0])
    size = len(start)
    equations = hy.var_ode_sys(rates, hy.var_args.vars, order=1)
    integrator = hy.taylor_adaptive(equations, list(start), tol=tolerance, compact_mode=large)

    def solve(duration: float) -> np.ndarray:
        integrator.time, integrator.state[:size] = 0.0, start
        integrator.state[size:] = np.eye(size).ravel()
        logs = np.zeros(size)
        for k in range(round(duration / interval)):
            integrator.propagate_until((k + 1) * interval)
            frame, triangle = np.linalg.qr(integrator.state[size:].reshape(size, size))
            logs += np.log(np.abs(np.diag(triangle)))
            integrator.state[size:] = frame.ravel()
        return logs / duration

    return solve


def pynamicalsystems(large: bool) -> Solver:
    """pynamicalsys: RK4 with steps of 0.01 and its QR after each."""
    from pynamicalsys import ContinuousDynamicalSystem

    if not large:
        system = ContinuousDynamicalSystem(model="lorenz system")
        start, parameters = [1.0, 1.0, 20.0], [10.0, 28.0, 8 / 3]
    else:
        system = ContinuousDynamicalSystem(
            equations_of_motion=large_rule(), jacobian=large_slopes(), system_dimension=SIZE, number_of_parameters=1
        )
        start, parameters = START.tolist(), [8.0]
    system.integrator("rk4", time_step=0.01)
    return lambda duration: np.asarray(system.lyapunov(start, duration, parameters=parameters))


def large_rule() -> Callable[..., np.ndarray]:
    """Lorenz-96 for Numba."""
    from numba import njit

    @njit
    def rule(t, x, p):
        out = np.empty(x.size)
        for i in range(x.size):
            out[i] = (x[(i + 1) % x.size] - x[i - 2]) * x[i - 1] - x[i] + p[0]
        return out

    return rule


def large_slopes() -> Callable[..., np.ndarray]:
    """The Jacobian of Lorenz-96 for Numba."""
    from numba import njit

    @njit
    def slopes(t, x, p):
        out = np.zeros((x.size, x.size))
        for i in range(x.size):
            after, before, far = (i + 1) % x.size, (i - 1) % x.size, (i - 2) % x.size
            out[i, after] = x[before]
            out[i, before] = x[after] - x[far]
            out[i, far] = -x[before]
            out[i, i] = -1.0
        return out

    return slopes


def contenders(large: bool) -> dict[str, Solver]:
    """All that can be imported, ours first."""
    system = LARGE if large else LORENZ
    found = {
        "takens RK4": ours(system, step=0.01),
        "takens RK4, QR after each step": ours(system, step=0.01, interval=0.01),
        "takens DOP853 1e-5": ours(system, tolerance=1e-5),
        "takens DOP853 3e-6": ours(system, tolerance=3e-6),
        "takens DOP853 1e-6": ours(system, tolerance=1e-6),
        "takens DOP853 1e-9": ours(system),
    }
    for name, make in (("heyoka", heyokas), ("pynamicalsys", pynamicalsystems)):
        if not importlib.util.find_spec(name):
            print(f"{name} is not installed")
        elif name == "pynamicalsys":
            found["pynamicalsys RK4, QR after each step"] = make(large)
        elif large:
            found["heyoka 1e-6, QR every 0.5"] = make(large, 1e-6, 0.5)
        else:
            found |= {f"heyoka 1e-6, QR every {tau}": make(large, 1e-6, tau) for tau in (0.1, 0.5, 1.0, 1.25)}
    return found


def table(title: str, solvers: dict[str, Solver], duration: float, divergence: float, rounds: int) -> None:
    """Run all and print a line for each."""
    first, seconds, found = {}, dict.fromkeys(solvers, np.inf), {}
    for turn in range(rounds + 1):
        for name, solve in solvers.items():
            began = time.perf_counter()
            found[name] = solve(duration)
            spent = time.perf_counter() - began
            if turn == 0:
                first[name] = spent
            else:
                seconds[name] = min(seconds[name], spent)
    print(f"\n{title}")
    print(f"{'':40s} {'first, s':>9s} {'ms':>9s} {'times RK4':>10s} {'error of sum':>13s}  exponents")
    for name, values in found.items():
        error = abs(values.sum() / divergence - 1)
        shown = ", ".join(f"{v:.4f}" for v in (values if len(values) == 3 else values[[0, 1, -1]]))
        ratio = seconds[name] / seconds["takens RK4"]
        print(f"{name:40s} {first[name]:9.2f} {1e3 * seconds[name]:9.2f} {ratio:10.1f} {error:13.1e}  {shown}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core")
    table("Lorenz-63, T = 1000", contenders(large=False), 1000.0, -41 / 3, options.rounds)
    table("Lorenz-96, 40 exponents, T = 100", contenders(large=True), 100.0, -float(SIZE), options.rounds)


if __name__ == "__main__":
    main()
