"""Long forecasts of ETTh1 (oil temperature and loads of a transformer, hourly): `python bench/etth1.py [FILE]`.

The usual splits of 12, 4 and 4 months (8640, 2880, 2880 rows), all seven channels standardised by the training part,
mean squared error over every window of the test part, 96 and 336 steps ahead. Models are fitted to the training part
alone; `validation` is the error on the four months after it, by which the look-back of each is chosen (marked *).
Seconds are of processor time. Published: CycleNet with a linear head about 0.37 and 0.42 (Lin et al. 2024).
"""

from __future__ import annotations

import argparse
import csv
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import takens
from takens.models import CycleNet
from takens.models.cycles import Windows

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "ETTh1.csv"
TRAINED, VALIDATED, TESTED, DAY = 8640, 11520, 14400, 24
LOOKBACKS = (96, 336, 720)
BARS = {96: 0.38, 336: 0.44}
Forecaster = Callable[[np.ndarray, int], np.ndarray]


def standardised(file: Path) -> np.ndarray:
    """The channels `(time, channel)` in units of the training part."""
    with file.open() as lines:
        values = np.array([row[1:] for row in list(csv.reader(lines))[1:]], dtype=float)
    return (values - values[:TRAINED].mean(axis=0)) / values[:TRAINED].std(axis=0)


def error(values: np.ndarray, ahead: Forecaster, back: int, horizon: int, first: int, last: int) -> float:
    """Mean squared error over all windows whose future lies in rows `first` to `last`."""
    errors = []
    for origin in range(first, last - horizon + 1):
        found = ahead(values[origin - back : origin], origin)
        errors.append(((found - values[origin : origin + horizon]) ** 2).mean())
    return float(np.mean(errors))


def persistence(values: np.ndarray, back: int, horizon: int) -> Forecaster:
    """The last row."""
    return lambda window, origin: np.repeat(window[-1:], horizon, axis=0)


def seasonal_naive(values: np.ndarray, back: int, horizon: int) -> Forecaster:
    """The last day, again and again."""
    return lambda window, origin: window[-DAY:][np.arange(horizon) % DAY]


def plain_linear(values: np.ndarray, back: int, horizon: int) -> Forecaster:
    """One linear map of the look-back for all channels, without cycle and normalisation (as DLinear and the like)."""
    sums = Windows.of([values[:TRAINED]], (0,), 1, back, horizon).products.sum(axis=0)
    ridge = 1e-3 * np.trace(sums[:back, :back]) / back
    weights = np.linalg.solve(sums[:back, :back] + ridge * np.eye(back), sums[:back, back:])
    return lambda window, origin: weights.T @ window


def cycle_net(values: np.ndarray, back: int, horizon: int) -> Forecaster:
    """CycleNet of a day; penalty and kind of head are chosen on the last fifth of the training part."""
    law = CycleNet(period=DAY, lookback=back, horizon=horizon).fit(values[:TRAINED], seed=0)
    return lambda window, origin: law.center + law.scale * law.ahead((window[None] - law.center) / law.scale, origin)[0]


def coverage(values: np.ndarray, back: int, horizon: int) -> float:
    """Share of test values inside the 90 % intervals, over 40 origins."""
    law = CycleNet(period=DAY, lookback=back, horizon=horizon).fit(values[:TRAINED], seed=0)
    inside = []
    for origin in np.linspace(VALIDATED, TESTED - horizon, 40).astype(int):
        history = takens.Series(np.arange(origin - back, origin, dtype=float), values[origin - back : origin],
                                law.signature.channels)  # fmt: skip
        low, high = law.forecast(horizon, history=history, members=200, seed=int(origin)).interval(0.9)
        truth = values[origin : origin + horizon]
        inside.append(((low <= truth) & (truth <= high)).mean())
    return float(np.mean(inside))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    options = parser.parse_args()
    if not options.file.exists():
        print(f"skipped: no file {options.file}")
        return
    print(f"takens {takens.__version__}, numpy {np.__version__}, {platform.machine()}, one core if OMP_NUM_THREADS=1")
    values = standardised(options.file)
    for horizon in (96, 336):
        print(f"\n{horizon} steps ahead, mean squared error of all channels; bar {BARS[horizon]}")
        print(f"{'model':16s} {'look-back':>9s} {'validation':>10s} {'test':>8s} {'fit s':>7s} {'to seasonal':>11s}")
        reference = 0.0
        for fit in (seasonal_naive, persistence, plain_linear, cycle_net):
            rows = []
            for back in LOOKBACKS if fit in (plain_linear, cycle_net) else (DAY,):
                begin = time.process_time()
                ahead = fit(values, back, horizon)
                seconds = time.process_time() - begin
                chosen = error(values, ahead, back, horizon, TRAINED, VALIDATED)
                rows.append((chosen, error(values, ahead, back, horizon, VALIDATED, TESTED), back, seconds))
            reference = reference or rows[0][1]
            for row in rows:
                mark = "*" if row == min(rows) else " "
                print(f"{fit.__name__:16s} {row[2]:9d} {row[0]:10.4f} {row[1]:8.4f} {row[3]:7.2f} {row[1] / reference:11.2f} {mark}")  # fmt: skip  # noqa: E501
        best = min(rows)[2]
        print(f"90 % intervals of cycle_net with look-back {best} cover {coverage(values, best, horizon):.1%}")


if __name__ == "__main__":
    main()
