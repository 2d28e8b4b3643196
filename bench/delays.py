"""Mackey-Glass (tau 17) to t = 10,000, 20,001 points, tolerance 1e-9, against peers: `python bench/delays.py`.

Times are the best of several runs, with all peers in turn in each round; the first round may compile and does not
count. Errors are the largest difference for t from 170 to 250 from a solution at 1e-13, for the same tolerance and the
constant past x = 1.2. JiTCDDE compiles C code; its steps end at the discontinuities of the start, as ours do. Peers
that cannot be imported are left out and named.
"""

from __future__ import annotations

import importlib.util
import platform
import time
import warnings
from collections.abc import Callable

import numpy as np

import takens

Solver = Callable[[np.ndarray, float], np.ndarray]
SYSTEM = takens.system("MackeyGlass", tau=17.0)
PAST = 1.2


def ours(method: str) -> Solver:
    """takens with one of its methods."""

    def solve(times: np.ndarray, tolerance: float) -> np.ndarray:
        step = times[1] - times[0]
        return takens.simulate(
            SYSTEM, length=len(times), dt=step, initial=[PAST], method=method, tolerance=tolerance
        ).values[:, 0]

    return solve


def jitcddes() -> Solver:
    """JiTCDDE, compiled once; a run starts from a fresh past."""
    from jitcdde import jitcdde, t, y

    equation = 0.2 * y(0, t - 17.0) / (1 + y(0, t - 17.0) ** 10) - 0.1 * y(0)
    solver = jitcdde([equation], verbose=False, max_delay=17.0)
    solver.compile_C()

    def solve(times: np.ndarray, tolerance: float) -> np.ndarray:
        solver.purge_past()
        solver.constant_past([PAST])
        solver.set_integration_parameters(rtol=tolerance, atol=tolerance, max_step=10.0)
        solver.step_on_discontinuities()
        reached = solver.t
        return np.array([PAST if at <= reached else solver.integrate(at)[0] for at in times])

    return solve


def main() -> None:
    """Print the table."""
    solvers: dict[str, Solver] = {"takens DOP853": ours("DOP853"), "takens Tsit5": ours("Tsit5")}
    if importlib.util.find_spec("jitcdde"):
        solvers["JiTCDDE"] = jitcddes()
    else:
        print("JiTCDDE is not installed: left out")
    warnings.simplefilter("ignore")  # JiTCDDE warns where it extrapolates
    times, tolerance = 0.5 * np.arange(20_001), 1e-9
    early, compared = times <= 250, (times > 170) & (times <= 250)
    exact = ours("DOP853")(times[early], 1e-13)
    best = dict.fromkeys(solvers, np.inf)
    errors = {}
    for turn in range(4):
        for name, solve in solvers.items():
            begun = time.perf_counter()
            values = solve(times, tolerance)
            if turn:
                best[name] = min(best[name], time.perf_counter() - begun)
            errors[name] = np.abs(values[compared] - exact[compared[early]]).max()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print(f"{'':16}{'seconds':>10}{'ratio':>8}{'error':>10}")
    for name in solvers:
        print(f"{name:16}{best[name]:10.4f}{best[name] / best['takens DOP853']:8.1f}{errors[name]:10.1e}")


if __name__ == "__main__":
    main()
