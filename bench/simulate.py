"""One Lorenz-63 trajectory to t = 1000, 100,000 points, tolerance 1e-9, against peers: `python bench/simulate.py`.

Times are the best of several runs, after a first that may compile, with all peers in turn in each round, so that they
see the same machine. Errors are geometric means over starting points of the largest difference at t = 10 from a
reference (DOP853 at 1e-13 in SciPy), for the same tolerance. A peer's ratio is its time by that of the fastest method
here whose error is no larger than the peer's. Peers that cannot be imported are left out and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

import takens

Solver = Callable[[np.ndarray, np.ndarray, float], np.ndarray]

LORENZ = {
    "name": "Lorenz",
    "equations": {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
    "parameters": {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
    "initial": {"x": 1.0, "y": 2.0, "z": 20.0},
}
SYSTEM = takens.system(LORENZ)


def rule(_: float, x: np.ndarray) -> list[float]:
    """Lorenz-63 for SciPy."""
    return [10.0 * (x[1] - x[0]), x[0] * (28.0 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]


def ours(method: str, factor: float = 1.0) -> Solver:
    """takens with one of its methods, at a multiple of the tolerance: the one that is as accurate as the peers."""

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        step = times[1] - times[0]
        return takens.simulate(
            SYSTEM, length=len(times), dt=step, initial=initial, method=method, tolerance=factor * tolerance
        ).values

    return solve


def scipys(method: str) -> Solver:
    """SciPy's solve_ivp with one of its methods."""

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        found = solve_ivp(rule, (0, times[-1]), initial, method, t_eval=times, rtol=tolerance, atol=tolerance)
        return found.y.T

    return solve


def heyokas() -> Solver:
    """heyoka's Taylor integrator on a grid."""
    import heyoka as hy

    x, y, z = hy.make_vars("x", "y", "z")
    equations = [(x, 10.0 * (y - x)), (y, x * (28.0 - z) - y), (z, x * y - 8 / 3 * z)]
    built: dict[float, object] = {}

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        if tolerance not in built:
            built[tolerance] = hy.taylor_adaptive(equations, list(initial), tol=tolerance)
        integrator = built[tolerance]
        integrator.time, integrator.state[:] = 0.0, initial
        return integrator.propagate_grid(times)[-1]

    return solve


def diffraxs(method: str) -> Solver:
    """diffrax with one of its methods and dense saving, double precision."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    chosen = getattr(diffrax, method)()

    def field(_, x, __):
        return 10.0 * (x[1] - x[0]), x[0] * (28.0 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]

    @jax.jit
    def run(initial, times, tolerance):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(field), chosen, times[0], times[-1], None, initial, max_steps=10_000_000,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
            saveat=diffrax.SaveAt(ts=times),
        ).ys  # fmt: skip

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        return np.stack([np.asarray(c) for c in run(tuple(map(float, initial)), times, tolerance)], axis=1)

    return solve


def jitcodes(method: str) -> Solver:
    """JiTCODE, which compiles C, with one of its integrators."""
    import jitcode

    x, y, z = (jitcode.y(i) for i in range(3))
    law = jitcode.jitcode([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8 / 3 * z], verbose=False)
    law.compile_C()

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        law.set_integrator(method, rtol=tolerance, atol=tolerance, nsteps=10_000_000)
        law.set_initial_value(initial, 0.0)
        return np.array([initial, *(law.integrate(t) for t in times[1:])])

    return solve


def dystses(method: str) -> Solver:
    """The Lorenz system of dysts with the parameters of the others; its default, Radau at 1e-12, takes minutes."""
    from dysts.flows import Lorenz

    law = Lorenz()
    law.param_list = [8 / 3, 28.0, 10.0]
    state = [1.0, 2.0, 20.0]
    assert np.allclose(law(np.array(state), 0.0), rule(0.0, np.array(state)), rtol=1e-14)

    def solve(initial: np.ndarray, times: np.ndarray, tolerance: float) -> np.ndarray:
        law.dt = times[1] - times[0]
        known = {"init_cond": initial, "resample": False, "rtol": tolerance, "atol": tolerance}
        return np.asarray(law.make_trajectory(len(times), method=method, **known))

    return solve


def peers() -> dict[str, Solver]:
    """All solvers that can be imported, ours first."""
    found: dict[str, Solver] = {f"takens {method}": ours(method) for method in OURS}
    found["takens Taylor, tolerance x 300"] = ours("Taylor", 300.0)
    found |= {f"scipy {method}": scipys(method) for method in ("DOP853", "LSODA", "RK45")}
    for name, make, methods in (
        ("heyoka", lambda _: heyokas(), ("Taylor",)),
        ("diffrax", diffraxs, ("Dopri8", "Tsit5")),
        ("jitcode", jitcodes, ("dop853", "lsoda")),
        ("dysts", dystses, ("LSODA", "DOP853")),
    ):
        if importlib.util.find_spec(name):
            found |= {f"{name} {method}": make(method) for method in methods}
        else:
            print(f"{name} is not installed")
    return found


BARS = {"heyoka": 2.5, "diffrax": 4.0, "jitcode": 60.0, "scipy": 500.0, "dysts": 500.0}
"""How much faster than the best of each this package has to be."""
OURS = ("Taylor", "DOP853", "Tsit5")
SLOW = ("scipy", "dysts", "jitcode")


def compilation() -> float:
    """Processor seconds to generate and compile a system not seen before: the best of five."""
    spent = []
    for shift in range(5):
        text = {**LORENZ["equations"], "z": f"x*y - beta*z + 0*{shift + 1}"}
        began = time.process_time()
        takens.simulate(takens.system({**LORENZ, "equations": text}), length=2, dt=0.01)
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tolerance", type=float, default=1e-9)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=20)
    options = parser.parse_args()
    solvers = peers()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core")
    grid, short = 0.01 * np.arange(100_001), np.linspace(0, 10, 1001)
    starts = takens.simulate(SYSTEM, length=options.starts, dt=3.7, transient=50).values
    truth = [solve_ivp(rule, (0, 10), s, "DOP853", rtol=1e-13, atol=1e-13).y[:, -1] for s in starts]
    errors = {
        name: np.exp(np.mean([
            np.log(np.abs(solve(s, short, options.tolerance)[-1] - t).max()) for s, t in zip(starts, truth, strict=True)
        ]))
        for name, solve in solvers.items()
    }  # fmt: skip
    seconds: dict[str, float] = {}
    for turn in range(options.rounds):
        for name, solve in solvers.items():
            if turn and name.startswith(SLOW):
                continue  # seconds each: one run is enough
            for _ in range(3 if name.startswith("takens") else 1):
                began = time.perf_counter()
                solve(starts[0], grid, options.tolerance)
                seconds[name] = min(time.perf_counter() - began, seconds.get(name, np.inf))
    table(seconds, errors)
    print(f"code generation and compilation of a new system: {1e3 * compilation():.0f} ms, bar 100")


def table(seconds: dict[str, float], errors: dict[str, float]) -> None:
    """Print time, error and ratio of each, and whether the best of each peer is as far behind as it should be."""
    own = [name for name in seconds if name.startswith("takens")]
    ratios: dict[str, float] = {}
    print(f"{'solver':32s} {'ms':>9s} {'error at t 10':>14s} {'times ours':>11s}")
    for name, spent in seconds.items():
        fair = [seconds[one] for one in own if errors[one] <= max(errors[name], min(errors[two] for two in own))]
        ratios[name] = spent / min(fair)
        shown = "" if name in own else f"{ratios[name]:11.1f}"
        print(f"{name:32s} {1e3 * spent:9.2f} {errors[name]:14.1e} {shown}")
    for peer, bar in BARS.items():
        found = [ratio for name, ratio in ratios.items() if name.startswith(peer)]
        if found:
            print(f"{peer}: {min(found):.1f} times, bar {bar:g}: {'reached' if min(found) >= bar else 'MISSED'}")


if __name__ == "__main__":
    main()
