"""Whole studies of real series: the choice loses to no baseline, the intervals are honest, the cycles are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import takens as tk
from takens.study import Study, study

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

TAXI = "nyc_taxi.csv"
SERIES: dict[str, dict[str, Any]] = {
    "ETTh1.csv": {"channels": ["OT"]},
    "machine_temperature.csv": {"unsorted": "sort", "duplicates": "mean"},
    TAXI: {},
    "ecg5d_train.npy": {},
    "elnino.csv": {},
}


@lru_cache
def studied(path: Path) -> Study:
    """The study with default settings; the budget is generous, so that a busy machine skips no model."""
    if path.suffix == ".npy":
        return study(np.load(path)[:20_000, 0], budget="10m")
    return study(tk.open(path, **SERIES[path.name]), budget="10m")


@pytest.mark.parametrize("name", SERIES)
def test_the_choice_is_no_worse_than_the_best_baseline_and_its_intervals_are_honest(
    name: str, shared_data: Callable[[str], Path], examples: Path
) -> None:
    result = studied(examples / name if (examples / name).exists() else shared_data(name))
    assert all(c.ok for c in result.candidates)
    best = min(c.scores["crps"] for c in result.candidates if c.baseline)
    chosen = result.candidate(result.chosen).scores
    assert chosen["crps"] <= 1.02 * best
    assert 0.85 <= chosen["coverage"] <= 0.95


def test_taxi_rides_follow_the_day_and_the_week(shared_data: Callable[[str], Path]) -> None:
    result = studied(shared_data(TAXI))
    found = result.estimates["dominant_periods"]
    assert found.unit == "min"
    periods = np.ravel(found.value) / 60
    assert np.abs(periods / 24 - 1).min() < 0.001
    assert np.abs(periods / 168 - 1).min() < 0.01
    scores = {c.model: c.scores["crps"] for c in result.candidates}
    # The day or the week is in the law: it is a seasonal one or reads the values of a day or a week before.
    lags = str(result.candidate(result.chosen).settings.get("lags", ""))
    runs = [(int(a), int(b or a)) for a, b in re.findall(r"(\d+)(?:-(\d+))?", lags)]
    seasonal = any(first <= lag <= last for first, last in runs for lag in (48, 336))
    assert result.chosen in ("seasonal_naive", "fourier_extension") or seasonal
    assert scores[result.chosen] < 0.5 * min(scores["persistence"], scores["climatology"])
