"""Analogues side by side: time to fit 10,000 x 3 points with the choice, valid time and climate, clean and noisy.

Lorenz-63 (interval 0.02), without and with 5 % of noise; 20 origins, Lyapunov exponent 0.9056.
"""

from __future__ import annotations

import time

import numpy as np

import takens as tk
from takens.origins import valid_times
from takens.scores import sliced_wasserstein, spectral_hellinger, state_space_divergence

MODELS = {
    "parroting": tk.models.ContextParroting(),
    "nearest neighbour": tk.models.NearestNeighbour(),
    "simplex": tk.models.Simplex(),
    "S-map": tk.models.SMap(),
    "autoregression": tk.models.Autoregression(),
}


def main() -> None:
    """Print one table."""
    run = tk.simulate(tk.system("Lorenz63"), length=20_000, dt=0.02, seed=0)
    values = np.asarray(run.values)
    rng = np.random.default_rng(0)
    noisy = values + 0.05 * values.std(axis=0) * rng.normal(size=values.shape)
    print("data   model                fit s  valid time   (quartiles)  D_stsp    D_H     SW")
    for name, observed in (("clean", values), ("noisy", noisy)):
        series = tk.Series.from_array(observed, interval=0.02)
        train, test = series.rows(0, 10_000), series.rows(10_000)
        for label, model in MODELS.items():
            seconds = []
            for _ in range(3):
                start = time.perf_counter()
                law = model.fit(train, seed=0)
                seconds.append(time.perf_counter() - start)
            found = valid_times(law, test, horizon=700, lyapunov_exponent=0.9056)
            low, high = found.details["spread"]["quartiles"]
            free = law.generate(5000, seed=1)
            scores = [
                f(free.values, test.values[:5000])
                for f in (state_space_divergence, spectral_hellinger, sliced_wasserstein)
            ]
            print(
                f"{name:6s} {label:18s} {min(seconds):7.2f} {found.value:11.2f} {f'{low:.1f}-{high:.1f}':>13s} "
                f"{scores[0].value:7.2f} {scores[1].value:6.3f} {scores[2].value:6.3f}",
                flush=True,
            )
    floors = [
        f(values[10_000:15_000], values[15_000:])
        for f in (state_space_divergence, spectral_hellinger, sliced_wasserstein)
    ]
    print(f"truth against truth: {', '.join(f'{s.name} {s.value:.3f}' for s in floors)}")


if __name__ == "__main__":
    main()
