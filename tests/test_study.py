"""Whole studies on small data: what is chosen, what is kept, what is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import takens as tk
from takens.errors import DataError, InsufficientData, SettingError
from takens.models.base import Law, Model, Training
from takens.study import Study, default_horizon, study
from tests.systems import autoregressive, henon

QUICK = ["persistence", "climatology", "autoregression"]


@pytest.fixture(scope="module")
def cycle() -> tk.Series:
    """A noisy cycle of 24 steps with a gap."""
    time = np.arange(900)
    values = np.sin(2 * np.pi * time / 24) + 0.3 * np.random.default_rng(1).normal(size=900)
    values[200:212] = np.nan
    return tk.Series.from_array(values, interval=1.0, unit="h", name="cycle", units=("K",))


@pytest.fixture(scope="module")
def finished(cycle: tk.Series, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    out = tmp_path_factory.mktemp("study") / "report"
    return study(cycle, horizon=24, models=[*QUICK, "seasonal_naive"], out=out, seed=1), out


def test_the_study_of_a_cycle_finds_the_cycle_and_beats_persistence(finished: tuple[Study, Path]) -> None:
    result, _ = finished
    periods = np.ravel(result.estimates["dominant_periods"].value)
    assert periods[0] == pytest.approx(24, rel=0.02)
    scores = {c.model: c.scores["crps"] for c in result.candidates if c.model != "stack"}
    assert scores[result.chosen] == min(scores.values())
    assert scores[result.chosen] < 0.5 * scores["persistence"]
    # The noise is Gaussian with 0.3; the CRPS of the perfect forecast is 0.3 / sqrt(pi), in standard deviations.
    scale = np.sqrt(0.5 + 0.09)
    perfect = 0.3 / np.sqrt(np.pi) / scale
    assert 0.95 * perfect <= scores[result.chosen] <= 1.25 * perfect
    assert 0.84 <= result.candidate(result.chosen).scores["coverage"] <= 0.96


def test_findings_are_sentences_that_name_the_data_the_cycle_and_the_model(finished: tuple[Study, Path]) -> None:
    result, _ = finished
    text = " ".join(f.text for f in result.findings)
    assert "900 rows" in text
    assert "12 missing" in text
    assert "24 hours" in text
    assert all(f.text.endswith(".") and "nan" not in f.text for f in result.findings)


def test_what_is_written(finished: tuple[Study, Path], cycle: tk.Series) -> None:
    result, out = finished
    assert {p.name for p in out.iterdir()} >= {"report.html", "report.json", "forecast.csv", "forecast.nc", "law"}
    report = json.loads((out / "report.json").read_text())
    assert report["models"]["chosen"] == result.chosen
    assert report["settings"]["seed"] == 1
    law = tk.load(out / "law")
    again = law.forecast(result.horizon, members=result.forecast.samples.shape[0], seed=1)
    assert np.array_equal(again.samples, result.forecast.samples)
    assert result.forecast.times[0] == cycle.times[-1] + 1


def test_the_same_seed_gives_the_same_study(cycle: tk.Series) -> None:
    runs = [study(cycle, horizon=12, models=QUICK, seed=5) for _ in range(2)]
    assert np.array_equal(runs[0].forecast.samples, runs[1].forecast.samples)
    assert [c.scores for c in runs[0].candidates] == [c.scores for c in runs[1].candidates]


def test_default_horizon_is_a_period(cycle: tk.Series, finished: tuple[Study, Path]) -> None:
    assert default_horizon(cycle, finished[0].estimates) == 24
    assert default_horizon(cycle.rows(0, 300), finished[0].estimates) == 15


def test_many_channels_and_many_trajectories() -> None:
    maps = [tk.Series.from_array(henon(600, seed), channels=("x", "y")) for seed in range(2)]
    result = study(maps, horizon=4, models=["persistence", "climatology", "nvar"], seed=0)
    assert result.chosen == "nvar"
    assert set(result.verdicts) == {"x", "y"}
    assert "permutation_entropy[x]" in result.estimates
    assert result.candidate("nvar").scores["crps"] < 0.01


def test_white_noise_is_forecast_with_a_baseline() -> None:
    noise = tk.Series.from_array(np.random.default_rng(3).normal(size=800))
    result = study(noise, horizon=5, models=[*QUICK, "nvar", "nearest_neighbour"], seed=0)
    assert result.chosen == result.best_baseline in ("climatology", "autoregression")
    assert any("No model beats" in f.text for f in result.findings)


@dataclass(frozen=True)
class Interrupted(Model):
    def learn(self, training: Training, seed: int) -> Law:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Counted(Model):
    """Counts how often it is fitted."""

    fits: tuple[list[int], ...] = ([],)

    def learn(self, training: Training, seed: int) -> Law:
        self.fits[0].append(1)
        return tk.models.Persistence().learn(training, seed)

    def __repr__(self) -> str:
        return "Counted()"


def test_an_interrupted_study_keeps_what_was_finished_and_goes_on_from_there(tmp_path: Path) -> None:
    series = tk.Series.from_array(autoregressive(400))
    counted = Counted()
    with pytest.raises(KeyboardInterrupt):
        study(series, horizon=5, models=["persistence", counted, Interrupted()], out=tmp_path / "out")
    first = len(counted.fits[0])
    assert first == 2  # one for each refit of the plan
    kept = list((tmp_path / "out" / "work").glob("*.json"))
    assert len(kept) == 2
    assert not (tmp_path / "out" / "report.html").exists()
    result = study(series, horizon=5, models=["persistence", counted], out=tmp_path / "out")
    scored = [c for c in result.candidates if c.model == "Counted"]
    assert scored[0].ok
    # Not fitted again for its scores; only to be mixed, and for the final law if it has a part in that.
    assert len(counted.fits[0]) - first <= 2 + (result.chosen != "persistence")


def test_models_that_do_not_fit_the_budget_are_skipped_and_say_so(cycle: tk.Series) -> None:
    result = study(cycle, horizon=12, models=["persistence", "climatology", "echo_state_network"], budget=1e-6)
    assert {c.status for c in result.candidates if c.model == "echo_state_network"} == {"skipped"}
    assert result.candidate(result.chosen).ok


def test_bad_questions(cycle: tk.Series) -> None:
    with pytest.raises(InsufficientData, match="horizon of 5,000"):
        study(cycle, horizon=5000)
    with pytest.raises(SettingError, match="oracle"):
        study(cycle, models=["oracle"])
    with pytest.raises(SettingError, match="duration"):
        study(cycle, horizon="soon")
    with pytest.raises(DataError, match="irregular"):
        study(tk.Series(np.cumsum(1 + np.random.default_rng(0).random(300)), np.zeros(300)))
    with pytest.raises(SettingError, match="already a Series"):
        study(cycle, time="t")
    with pytest.raises(DataError, match="every channel is empty or constant"):
        study(tk.Series.from_array(np.column_stack([np.ones(200), np.full(200, np.nan)])))


def test_a_short_series_has_a_short_horizon() -> None:
    result = study(tk.Series.from_array(autoregressive(45)), models=QUICK)
    assert 1 <= result.horizon <= 4
