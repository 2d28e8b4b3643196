"""Valid prediction time on Lorenz-96, many channels on a ring: `python bench/lorenz96.py [--dt 0.02] [--units 500]`.

40 channels, F = 8, 50,000 rows (RK4 with steps of 0.005), fitted on the first 45,000; noise-free runs from 30 origins
in the rest. The valid prediction time is the first time at which the error, normalised by the climatological standard
deviation and averaged over channels, exceeds 0.4; in Lyapunov times (exponent 1.68). Seconds are of processor time.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np

import takens
from takens.models import Autoregression, ContextParroting, EchoStateNetwork, LocalReservoirs

SIZE, FORCING, EXPONENT, LENGTH, TRAINED, ORIGINS = 40, 8.0, 1.68, 50_000, 45_000, 30


def lorenz96(length: int, dt: float, seed: int = 0) -> np.ndarray:
    """Lorenz-96 `(length, 40)` on its attractor."""

    def rule(x: np.ndarray) -> np.ndarray:
        return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + FORCING

    steps = max(1, round(dt / 0.005))
    h = dt / steps
    x = FORCING + 0.1 * np.random.default_rng(seed).normal(size=SIZE)
    rows = np.empty((length, SIZE))
    for i in range(-int(20 / dt), length):
        for _ in range(steps):
            a = rule(x)
            b = rule(x + h / 2 * a)
            c = rule(x + h / 2 * b)
            x = x + h / 6 * (a + 2 * b + 2 * c + rule(x + h * c))
        if i >= 0:
            rows[i] = x
    return rows


def valid_times(law, truth: np.ndarray, dt: float) -> np.ndarray:
    """Valid prediction times in Lyapunov times from origins after the training data, all rolled together."""
    horizon = int(10 / EXPONENT / dt)
    origins = np.linspace(TRAINED + 200, len(truth) - horizon, ORIGINS).astype(int)
    after = np.stack([truth[o : o + horizon] for o in origins])
    if hasattr(law, "roll"):
        runs = law.roll(law.init(np.stack([truth[o - law.memory : o] for o in origins])), horizon, None)
    else:
        runs = np.stack([law.sample(truth[o - law.memory : o], horizon, 1, None)[0] for o in origins])
    error = np.sqrt((((runs - after) / truth.std(axis=0)) ** 2).mean(axis=2)) > 0.4
    return np.where(error.any(axis=1), error.argmax(axis=1), horizon) * dt * EXPONENT


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dt", type=float, default=0.02)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--only", default="", help="part of the name of the models to run")
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, dt {options.dt:g}")
    truth = lorenz96(LENGTH, options.dt)
    local = {"neighbours": "ring", "group": 2}
    models = {
        "autoregression (baseline)": Autoregression(),
        "context parroting (baseline)": ContextParroting(),
        "echo state network": EchoStateNetwork(units=options.units),
        "local reservoirs": LocalReservoirs(units=300, **local),
        "local reservoirs, shared": LocalReservoirs(units=300, shared=True, **local),
        f"local reservoirs, shared, {options.units} units": LocalReservoirs(units=options.units, shared=True, **local),
    }
    print(f"{'model':40s} {'median':>7s} {'25 %':>7s} {'75 %':>7s} {'fit s':>7s} {'runs s':>7s}")
    for name, model in models.items():
        if options.only not in name:
            continue
        begin = time.process_time()
        law = model.fit(takens.Series.from_array(truth[:TRAINED], interval=options.dt), seed=0)
        fitted = time.process_time()
        low, middle, high = np.quantile(valid_times(law, truth, options.dt), [0.25, 0.5, 0.75])
        row = f"{middle:7.2f} {low:7.2f} {high:7.2f} {fitted - begin:7.1f} {time.process_time() - fitted:7.1f}"
        print(f"{name:40s} {row}", flush=True)


if __name__ == "__main__":
    main()
