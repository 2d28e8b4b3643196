"""Two models of the same series, compared on forecasts that neither has seen, and a forecast with the better one."""

from pathlib import Path

import numpy as np

import takens as tk
from takens.backtest import plan_origins

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Backtest two models on monthly sea surface temperatures and print their CRPS and the better one's forecast."""
    series = tk.open(HERE / "elnino.csv")
    plan = plan_origins(series, horizon=12)
    models = {"seasonal_naive": tk.models.SeasonalNaive(period=12), "autoregression": tk.models.Autoregression()}
    crps = {}
    for name, model in models.items():
        tested = tk.backtest(model, series, plan=plan)
        judged = plan.testing
        per_origin = [
            tk.scores.crps(samples, truth).value
            for samples, truth in zip(tested.samples[judged], tested.truth[judged], strict=True)
        ]
        crps[name] = float(np.mean(per_origin))
        print(f"{name:<15} CRPS {crps[name]:.3f} {series.units[0]}")
    best = min(crps, key=crps.__getitem__)
    forecast = models[best].fit(series).forecast(horizon=12, members=200, seed=1)
    print(forecast.to_frame().round(2))


if __name__ == "__main__":
    main()
