"""Valid prediction time of every model on Lorenz-63, clean and with 5 % observation noise: `python bench/lorenz.py`.

10,000 points at dt 0.02 (DOP853, tolerance 1e-10), fitted on all but the last part; noise-free runs from 50 origins.
The valid prediction time is the first time at which the error, normalised by the climatological standard deviation and
averaged over channels, exceeds 0.4; in Lyapunov times (exponent 0.9056). Seconds are of processor time.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
from scipy.integrate import solve_ivp

import takens
from takens.models import MODELS, model

EXPONENT, DT, HORIZON, ORIGINS, TRAINED = 0.9056, 0.02, 1200, 50, 8000


def lorenz(length: int, seed: int = 0) -> np.ndarray:
    """Lorenz-63 `(length, 3)` on the attractor, accurate to about 1e-9 a step."""

    def rule(_: float, x: np.ndarray) -> list[float]:
        return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]

    start = np.random.default_rng(seed).normal([0, 0, 25], 1.0)
    times = 50 + DT * np.arange(length)
    solution = solve_ivp(rule, (0, times[-1]), start, "DOP853", t_eval=times, rtol=1e-10, atol=1e-10)
    return solution.y.T


def valid_times(law, observed: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Valid prediction times in Lyapunov times from 50 origins after the training data."""
    spread = truth.std(axis=0)
    found = []
    for origin in np.linspace(TRAINED, len(truth) - HORIZON, ORIGINS).astype(int):
        path = law.forecast(HORIZON, history=observed[origin - max(law.memory, 2) : origin], members=1).samples[0]
        error = np.sqrt((((path - truth[origin : origin + HORIZON]) / spread) ** 2).mean(axis=1))
        beyond = np.flatnonzero(error > 0.4)
        found.append((beyond[0] if len(beyond) else HORIZON) * DT * EXPONENT)
    return np.array(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--noise", default="0,0.05")
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core if OMP_NUM_THREADS=1")
    truth = lorenz(10_000)
    for noise in map(float, options.noise.split(",")):
        draws = np.random.default_rng(1).normal(size=truth.shape)
        observed = truth + noise * truth.std(axis=0) * draws
        print(f"\nnoise {noise:.0%}: valid prediction time in Lyapunov times over {ORIGINS} origins")
        print(f"{'model':22s} {'median':>7s} {'25 %':>7s} {'75 %':>7s} {'fit s':>7s} {'runs s':>7s}")
        for name in options.models.split(","):
            begin = time.process_time()
            law = model(name).fit(takens.Series.from_array(observed[:TRAINED], interval=DT), seed=0)
            fitted = time.process_time()
            times = valid_times(law, observed, truth)
            low, middle, high = np.quantile(times, [0.25, 0.5, 0.75])
            row = f"{middle:7.2f} {low:7.2f} {high:7.2f} {fitted - begin:7.2f} {time.process_time() - fitted:7.2f}"
            print(f"{name:22s} {row}", "(baseline)" if MODELS[name].baseline else "", flush=True)


if __name__ == "__main__":
    main()
