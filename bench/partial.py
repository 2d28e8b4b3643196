"""One channel of Lorenz and Roessler: forecasts and climate from x alone: `python bench/partial.py`.

5,000 rows of x (Lorenz dt 0.02, Roessler dt 0.1; RK4), fitted on the first 4,000. CRPS: noisy forecasts of 20 members
over one Lyapunov time (Lorenz 55 steps, Roessler 140) from 20 origins in the rest, in standard deviations of x.
D_stsp: a free run of 4,000 rows with the noise of the law against the truth, both unfolded in delays; less is better.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np

import takens
from takens.models import MODELS, model
from takens.random import generator
from takens.scores import CLIMATE
from takens.scores.ensembles import crps_samples

LENGTH, TRAINED, ORIGINS, MEMBERS = 5_000, 4_000, 20, 20
EMBEDDED = (
    "nvar", "random_fourier", "radial_basis", "gaussian_process", "echo_state_network", "reservoir_memory",
    "context_parroting", "nearest_neighbour",
)  # fmt: skip


def orbit(rule, start: list[float], dt: float, length: int) -> np.ndarray:
    """The first coordinate `(length,)` of a flow after a transient, by RK4 with ten steps a sample."""
    x, h = np.array(start), dt / 10
    out = np.empty(length)
    for i in range(-2000, length):
        for _ in range(10):
            a = rule(x)
            b = rule(x + h / 2 * a)
            c = rule(x + h / 2 * b)
            x = x + h / 6 * (a + 2 * b + 2 * c + rule(x + h * c))
        if i >= 0:
            out[i] = x[0]
    return out


def lorenz(x: np.ndarray) -> np.ndarray:
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def roessler(x: np.ndarray) -> np.ndarray:
    return np.array([-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)])


def scores(law, truth: np.ndarray, horizon: int, delay: int) -> tuple[float, float]:
    """CRPS in standard deviations, and D_stsp of a free run."""
    errors = []
    for k, origin in enumerate(np.linspace(TRAINED, len(truth) - horizon, ORIGINS).astype(int)):
        history = truth[max(0, origin - max(law.memory, 2)) : origin, None]
        samples = law.sample(history, horizon, MEMBERS, generator(0, "partial", k))
        errors.append(crps_samples(samples[..., 0], truth[origin : origin + horizon]).mean())
    run = law.generate(TRAINED).values[:, 0]
    apart = CLIMATE["state_space_divergence"](run, truth, delay=delay).value
    return float(np.mean(errors) / truth.std()), float("nan") if apart is None else float(apart)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    listed = [*(name for name, kind in MODELS.items() if kind.baseline), *EMBEDDED]
    parser.add_argument("--models", default=",".join(dict.fromkeys(listed)))
    options = parser.parse_args()
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core if OMP_NUM_THREADS=1")
    systems = {
        "Lorenz": (lorenz, [1.0, 1.0, 20.0], 0.02, 55, 8),
        "Roessler": (roessler, [1.0, 1.0, 0.0], 0.1, 140, 15),
    }
    for name, (rule, start, dt, horizon, delay) in systems.items():
        truth = orbit(rule, start, dt, LENGTH)
        print(f"\n{name}, x only, dt {dt:g}\n{'model':24s} {'CRPS':>7s} {'D_stsp':>7s} {'fit s':>7s}")
        found = {}
        for key in options.models.split(","):
            begin = time.process_time()
            law = model(key).fit(takens.Series.from_array(truth[:TRAINED], interval=dt), seed=0)
            spent = time.process_time() - begin
            found[key] = scores(law, truth, horizon, delay)
            print(f"{key:24s} {found[key][0]:7.3f} {found[key][1]:7.2f} {spent:7.2f}", end="")
            print(" (baseline)" if MODELS[key].baseline else "", flush=True)
        base = np.nanmin([found[key] for key in found if MODELS[key].baseline], axis=0)
        best = np.nanmin([found[key] for key in found if not MODELS[key].baseline], axis=0)
        print(f"best baseline / best model: CRPS {base[0] / best[0]:.1f}, D_stsp {base[1] / best[1]:.1f}")


if __name__ == "__main__":
    main()
